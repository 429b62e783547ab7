// The gateway's own identity: a token of the ServiceAccount that enrolment made, minted with the kubeconfig and then used instead of it.

import type { Connection, KubeClient } from "../kubernetes/contract.ts";
import { fault, Faulted, type FaultCode } from "../domain/fault.ts";
import { textAt } from "../domain/json.ts";
import { readEnrolment } from "./enrolment.ts";
import { keep, type Perishable } from "./kept.ts";
import { accountUser, enrolmentName, gatewayAccountName, selfReviews, systemNamespace } from "./names.ts";
import { causeOf, create, faultIn, type Sender } from "./send.ts";
import { takesHold } from "./takes-hold.ts";
import { mintToken, type MintedToken } from "./token.ts";

export type GatewayStanding =
  | ({ readonly kind: "enrolled" } & MintedToken)
  | ({
      readonly kind: "not_enrolled";
      /** There is no such ServiceAccount; or the kubeconfig's user may not mint its token. */
      readonly because: "no_account" | "may_not_mint";
      /** For the operator. */
      readonly cause: string;
    } & Perishable);

export interface GatewayAccount {
  /** The gateway's token, fresh; or that this cluster is not enrolled. Faults: the cluster's; credential_unavailable. */
  standing(signal: AbortSignal): Promise<GatewayStanding>;
  /** The token was refused: the next `standing` mints anew. */
  forget(): void;
}

export interface GatewayAccountOptions {
  /** From `openSeparated`: never sends a token beside a client certificate. */
  readonly client: KubeClient;
  readonly authorization: Connection["authorization"];
  readonly nextAuditId: () => string;
  readonly now: () => number;
  readonly pause: (milliseconds: number) => Promise<void>;
  /** Aborted when the gateway closes. */
  readonly closing: AbortSignal;
}

/** Seconds. The kubeconfig mints each token: one that is stolen can't make itself a successor. */
const gatewayTokenSeconds = 3600;
/** Milliseconds before an answer "not enrolled" is asked again, so that enrolling takes hold while the gateway runs. */
const askAgainAfter = 5_000;

export function gatewayAccount(options: GatewayAccountOptions): GatewayAccount {
  const kept = keep(() => standingOf(options), options.now);
  return { standing: (signal) => kept.take(signal), forget: () => kept.forget() };
}

const reasons: ReadonlyMap<FaultCode, "no_account" | "may_not_mint"> = new Map([
  ["not_found", "no_account"],
  ["namespace_terminating", "no_account"],
  ["cluster_denied", "may_not_mint"],
]);

async function standingOf(options: GatewayAccountOptions): Promise<GatewayStanding> {
  const { client, nextAuditId, now, closing } = options;
  const sender = { client, nextAuditId, agent: "sallyport", signal: closing };
  const authorization = await options.authorization();
  try {
    const token = await mintToken(
      { ...sender, authorization },
      { namespace: systemNamespace, account: gatewayAccountName, seconds: gatewayTokenSeconds, anchor: null, now },
    );
    const own = { ...sender, authorization: token.authorization() };
    await provesItself(own);
    await rightsTakeHold(own, options.pause);
    return { kind: "enrolled", ...token };
  } catch (thrown) {
    const because = reasons.get(faultIn(thrown).code);
    if (because === undefined) throw thrown;
    const askAgainAt = now() + askAgainAfter;
    const cause = causeOf(faultIn(thrown));
    return { kind: "not_enrolled", because, cause, renewAt: askAgainAt, expiresAt: askAgainAt };
  }
}

/** Asks the server whom it takes us for (authentication.k8s.io/v1 SelfSubjectReview): a proxy or a certificate in between may speak louder than the token. */
async function provesItself(sender: Sender): Promise<void> {
  const review = await create(sender, selfReviews, {
    apiVersion: "authentication.k8s.io/v1",
    kind: "SelfSubjectReview",
  });
  const seen = textAt(review, "status", "userInfo", "username");
  const expected = accountUser(systemNamespace, gatewayAccountName);
  if (seen === expected) return;
  const cause = `the server takes the gateway's token for ${JSON.stringify(seen)}, not for ${expected}`;
  throw new Faulted(fault("credential_unavailable", {}, cause));
}

/** Enrolment may have ended a moment ago. What does not hold in time, or can't be asked, is told by whatever needs it. */
async function rightsTakeHold(sender: Sender, pause: GatewayAccountOptions["pause"]): Promise<void> {
  const get = { verb: "get", group: "", subresource: "" } as const;
  const record = { ...get, resource: "configmaps", namespace: systemNamespace, name: enrolmentName };
  try {
    if ((await takesHold(sender, [record], pause)) !== null) return;
    const enrolled = (await readEnrolment(sender))?.namespaces ?? [];
    // Their names stand in one rule: where the last holds, all do.
    const named = enrolled.slice(-1).map((name) => ({ ...get, resource: "namespaces", namespace: name, name }));
    await takesHold(sender, named, pause);
  } catch (thrown) {
    faultIn(thrown);
  }
}
