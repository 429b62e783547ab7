// One cluster's credentials put together: the gateway's account, the issuers, the previews and the sweep.

import type { Access } from "../domain/access.ts";
import type { AuthorizedCall } from "../domain/call.ts";
import type { Fault } from "../domain/fault.ts";
import type { Grant } from "../domain/grant.ts";
import type { GrantId, SessionId } from "../domain/ids.ts";
import type { Connection, KubeClient } from "../kubernetes/contract.ts";
import { gatewayAccount, type GatewayStanding } from "./account.ts";
import { noCredential, type IssueTerms } from "./contract.ts";
import { kindNeeds } from "./custom-kinds.ts";
import { readEnrolment, type Enrolment } from "./enrolment.ts";
import { execNeeds, isExec } from "./grant-objects.ts";
import { issue, issuePreview, type CredentialMode, type IssuedGrant } from "./issue.ts";
import { ambientIssuer, readerIssuer, tokenRequestIssuer } from "./issuers/index.ts";
import { previewAccount, type FenceAnswer } from "./preview.ts";
import { isReadOnly } from "./manifests.ts";
import { faultIn, isRefused, withoutEffect, type Sender } from "./send.ts";
import { sweep, type SweepAnswer, type SweepOptions } from "./sweep.ts";

export interface CredentialOptions {
  readonly connection: Pick<Connection, "authorization">;
  /** From `openSeparated`: never sends a token beside a client certificate. */
  readonly client: KubeClient;
  readonly mode: CredentialMode;
  /** Marks this gateway's objects: a label value of at most 63 characters, the same at each start. */
  readonly gatewayId: string;
  readonly newGrantId: () => GrantId;
  /** For what no single call causes. */
  readonly nextAuditId: () => string;
  readonly now: () => number;
  readonly pause: (milliseconds: number) => Promise<void>;
}

export interface ClusterCredentials {
  standing(signal: AbortSignal): Promise<GatewayStanding>;
  /** Who looks up facts: the gateway itself, or before enrolment the kubeconfig. */
  readIdentity(signal: AbortSignal): Promise<string | null>;
  issue(authorized: AuthorizedCall, terms: IssueTerms): Promise<IssuedGrant>;
  issuePreview(signal: AbortSignal): Promise<Grant>;
  /** Refuses what no grant could hold here, before a person is asked to agree to it. Faults: credential_unavailable, which says what it would need. */
  grantable(accesses: readonly Access[], signal: AbortSignal): Promise<void>;
  /** What an administrator would do about a refusal of Kubernetes' own, where that is a command of ours; "" where it is not. */
  needsFor(refused: Fault, signal: AbortSignal): Promise<string>;
  fence(signal: AbortSignal): Promise<FenceAnswer>;
  enrolment(signal: AbortSignal): Promise<Enrolment | null>;
  endSession(session: SessionId): Promise<boolean | null>;
  /** The sessions that hold a reader's token, and the grant of each. */
  sessions(): readonly { readonly session: SessionId; readonly grant: GrantId | null }[];
  /** Kubernetes answered 401 to the gateway's or to this session's token: the next ones are minted anew. */
  refused(session: SessionId | null): Promise<void>;
  /** One sweep; null where the cluster is not enrolled. */
  sweep(asked: Pick<SweepOptions, "knows" | "sessionGrants">, signal: AbortSignal): Promise<SweepAnswer | null>;
  /** Stops whatever is on its way; nothing more is asked of the cluster. */
  abandon(): void;
  /** Ends all sessions' tokens, then abandons the rest. */
  close(): Promise<void>;
}

export function openCredentials(options: CredentialOptions): ClusterCredentials {
  const { client, mode, gatewayId, newGrantId, nextAuditId, now, pause } = options;
  const { authorization } = options.connection;
  const closing = new AbortController();
  const live = new Set<GrantId>();
  const gateway = gatewayAccount({ client, authorization, nextAuditId, now, pause, closing: closing.signal });
  const common = { client, gateway, gatewayId, newGrantId, nextAuditId, live, now, pause };
  const reader = readerIssuer({ ...common, closing: closing.signal });
  const previews = previewAccount({ ...common, closing: closing.signal });
  const serves = mode === "ambient" ? "everything" : "reads";
  const issuers = {
    reader,
    "token-request": tokenRequestIssuer(common),
    ambient: ambientIssuer({ authorization, newGrantId, serves }),
  };
  const standing = (signal: AbortSignal): Promise<GatewayStanding> =>
    mode === "ambient" ? Promise.resolve(unused) : gateway.standing(signal);

  /** Null where the cluster is not enrolled. A refused token is minted anew the next time. */
  async function asGateway<T>(signal: AbortSignal, run: (sender: Sender) => Promise<T>): Promise<T | null> {
    const found = await standing(signal);
    if (found.kind === "not_enrolled") return null;
    try {
      return await run({ client, authorization: found.authorization(), nextAuditId, agent: "sallyport", signal });
    } catch (thrown) {
      if (isRefused(faultIn(thrown))) gateway.forget();
      throw withoutEffect(thrown);
    }
  }

  return {
    standing,
    async readIdentity(signal) {
      const found = await standing(signal);
      return found.kind === "enrolled" ? found.authorization() : await authorization();
    },
    issue: (authorized, terms) => issue(authorized, terms, { mode, gateway, issuers }),
    async issuePreview(signal) {
      return await issuePreview(previews, signal);
    },
    async grantable(accesses, signal) {
      if (!accesses.some(isExec)) return;
      const enrolment = await asGateway(signal, readEnrolment);
      if (enrolment !== null && !enrolment.exec) throw noCredential("commands are not enrolled", execNeeds);
    },
    async needsFor(refused, signal) {
      if (kindNeeds(refused, noKinds) === "") return "";
      const enrolment = await asGateway(signal, readEnrolment);
      return enrolment === null ? "" : kindNeeds(refused, enrolment);
    },
    fence: (signal) => previews.fence(signal),
    enrolment: (signal) => asGateway(signal, readEnrolment),
    endSession: (session) => reader.end(session),
    sessions: () => reader.sessions().map((session) => ({ session, grant: reader.grantOf(session) })),
    async refused(session) {
      gateway.forget();
      if (session !== null) await reader.end(session);
    },
    sweep: (asked, signal) =>
      asGateway(signal, async (sender) => {
        const enrolment = await readEnrolment(sender);
        if (enrolment === null) throw noCredential("enrolled, but the list of namespaces is missing");
        const namespaces = enrolment.namespaces.filter((name) => !isReadOnly(name));
        const { nodes } = enrolment;
        return await sweep({
          ...asked,
          sender,
          gatewayId,
          namespaces,
          nodes,
          isLive: (grant) => live.has(grant as GrantId),
        });
      }),
    abandon: () => closing.abort(),
    async close() {
      await Promise.all(reader.sessions().map((session) => reader.end(session)));
      closing.abort();
    },
  };
}

const noKinds = { kinds: [], clusterKinds: [] };

/** With `credentials: ambient` the gateway's account is never asked for. */
const unused: GatewayStanding = {
  kind: "not_enrolled",
  because: "no_account",
  cause: "the configuration says credentials: ambient",
  renewAt: 0,
  expiresAt: 0,
};
