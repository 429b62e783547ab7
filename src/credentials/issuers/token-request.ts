// One grant a call: an account, its anchor, Roles with exactly the call's accesses, and a token that dies with them (kubernetes.md, "Grants").

import { describeAccess, type Access } from "../../domain/access.ts";
import type { AuthorizedCall } from "../../domain/call.ts";
import type { GrantId } from "../../domain/ids.ts";
import type { Faulted } from "../../domain/fault.ts";
import type { GrantFields } from "../../domain/grant.ts";
import { textAt } from "../../domain/json.ts";
import { agentOf } from "../../domain/principal.ts";
import type { KubeClient } from "../../kubernetes/contract.ts";
import type { GatewayAccount } from "../account.ts";
import { noCredential, type Issued, type Issuer, type IssueTerms } from "../contract.ts";
import { readEnrolment } from "../enrolment.ts";
import {
  grantable,
  grantObjects,
  execNeeds,
  isExec,
  needsClusterRole,
  placeOfRole,
  removeGrant,
  type GrantObjects,
  type GrantReach,
} from "../grant-objects.ts";
import { isReadOnly } from "../manifests.ts";
import * as names from "../names.ts";
import { causeOf, create, faultIn, isRefused, withoutEffect, type Sender } from "../send.ts";
import { takesHold } from "../takes-hold.ts";
import { mintToken, tokenSeconds, type MintedToken } from "../token.ts";

export interface TokenRequestOptions {
  /** From `openSeparated`: never sends a token beside a client certificate. */
  readonly client: KubeClient;
  readonly gateway: GatewayAccount;
  /** The label value that marks this gateway's objects: at most 63 characters of a label value. */
  readonly gatewayId: string;
  readonly newGrantId: () => GrantId;
  /** The grants that exist now: an id is here before its first object is made, until its last was tried to remove. */
  readonly live: Set<GrantId>;
  readonly now: () => number;
  readonly pause: (milliseconds: number) => Promise<void>;
}

export function tokenRequestIssuer(options: TokenRequestOptions): Issuer {
  const { client, gateway, gatewayId, live, now } = options;

  async function senderFor(
    authorized: AuthorizedCall,
    nextAuditId: () => string,
    signal: AbortSignal,
  ): Promise<Sender> {
    const standing = await gateway.standing(signal);
    if (standing.kind === "not_enrolled") throw noCredential(standing.cause, "sallyport enroll");
    const authorization = standing.authorization();
    return { client, authorization, nextAuditId, agent: agentOf(authorized.call.principal), signal };
  }

  async function issue(authorized: AuthorizedCall, terms: IssueTerms): Promise<Issued> {
    const { call, accesses } = authorized;
    if (accesses.some((access) => access.cluster !== client.cluster))
      throw noCredential(`accesses outside cluster ${client.cluster}`);
    const grant = options.newGrantId();
    const seconds = tokenSeconds(terms.deadline / 1000 + 60);
    const marks = { grant, gateway: gatewayId, call: call.id, expiresAt: now() + seconds * 1000 };
    const sender = await senderFor(authorized, terms.nextAuditId, terms.signal);
    const reach = needsClusterRole(accesses) ? await reachOf(sender) : null;
    const objects = grantObjects(accesses, marks, reach);

    async function takeBack(): Promise<boolean> {
      // Not the call's signal: a cancelled call's grant must go all the same.
      const patient = new AbortController().signal;
      try {
        return await removeGrant(await senderFor(authorized, terms.nextAuditId, patient), objects.places);
      } catch (thrown) {
        faultIn(thrown);
        return false;
      } finally {
        live.delete(grant);
      }
    }

    live.add(grant);
    try {
      const token = await make(sender, grant, objects, { seconds, now });
      const as = { ...sender, authorization: token.authorization() };
      const missing = await takesHold(as, oneOfEachRole(accesses, reach), options.pause);
      if (missing !== null) throw noCredential(`the grant does not take hold: ${describeAccess(missing)}`);
      return { grant: fieldsOf(grant, token), record: (write) => write(), revoke: onceComplete(takeBack) };
    } catch (thrown) {
      // Its account was made anew, perhaps: the removal below mints another token.
      if (isRefused(faultIn(thrown))) gateway.forget();
      await takeBack();
      throw failed(thrown, terms.signal, accesses.some(isExec) ? execNeeds : widerNeeds);
    }
  }
  return { issue };
}

/** Where the gateway can make Roles: not in the namespaces that are enrolled for reading only. */
async function reachOf(sender: Sender): Promise<GrantReach> {
  const enrolment = await readEnrolment(sender);
  if (enrolment === null) throw noCredential("enrolled, but the list of namespaces is missing", "sallyport enroll");
  return { nodes: enrolment.nodes, namespaces: enrolment.namespaces.filter((name) => !isReadOnly(name)) };
}

/** One access of each Role and of the ClusterRole: when it is allowed, so are the others. */
function oneOfEachRole(accesses: readonly Access[], reach: GrantReach | null): readonly Access[] {
  return [
    ...new Map(grantable(accesses, reach).map((access) => [placeOfRole(access, reach), access] as const)).values(),
  ];
}

/** Two rounds: the account, the anchor and the Roles; then the bindings and the token, which need them. */
async function make(
  sender: Sender,
  grant: GrantId,
  objects: GrantObjects,
  life: { readonly seconds: number; readonly now: () => number },
): Promise<MintedToken> {
  const [anchor] = await together([
    create(sender, names.secrets, objects.anchor),
    create(sender, names.serviceAccounts, objects.account),
    ...objects.roles.map(({ address, object }) => create(sender, address, object)),
  ]);
  const uid = textAt(anchor, "metadata", "uid");
  if (uid === "") throw noCredential("the anchor was made without a uid");
  const [token] = await together([
    mintToken(sender, {
      namespace: names.sessionsNamespace,
      account: names.runName(grant),
      anchor: { name: names.anchorName(grant), uid },
      ...life,
    }),
    ...objects.bindings.map(({ address, object }) => create(sender, address, object)),
  ]);
  return token;
}

/** Waits for all, also when one fails: what is removed next must not still be on its way in. */
async function together<First>(
  started: readonly [Promise<First>, ...Promise<unknown>[]],
): Promise<readonly [First, ...unknown[]]> {
  await Promise.allSettled(started);
  const [first, ...rest] = started;
  return [await first, ...(await Promise.all(rest))];
}

function fieldsOf(id: GrantId, token: MintedToken): GrantFields {
  const { account, jti, expiresAt, authorization } = token;
  return { id, issuer: "token-request", account, jti, expiresAt, authorization };
}

/** A caller's own end stays what it is; everything else is a missing credential, whose cause is for the operator. */
function failed(thrown: unknown, signal: AbortSignal, wider: string): Faulted {
  const found = faultIn(thrown);
  if (signal.aborted) return withoutEffect(thrown);
  if (found.code === "credential_unavailable") return noCredential(found.cause, textAt(found.detail, "needs"));
  return noCredential(causeOf(found), found.code === "cluster_denied" ? wider : "");
}
const widerNeeds = "an enrolled namespace, and a ceiling that holds these accesses";

/** Tries again as long as something is left, and never after. */
function onceComplete(takeBack: () => Promise<boolean>): () => Promise<boolean> {
  let running: Promise<boolean> | null = null;
  return async () => {
    running ??= takeBack();
    const complete = await running;
    if (!complete) running = null;
    return complete;
  };
}
