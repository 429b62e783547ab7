// The preview account: it may rehearse every write of the ceiling and carry out none, and that is proved each minute, not believed.

import { fault, Faulted } from "../domain/fault.ts";
import type { GrantFields } from "../domain/grant.ts";
import { textAt } from "../domain/json.ts";
import type { GrantId } from "../domain/ids.ts";
import type { KubeClient } from "../kubernetes/contract.ts";
import type { GatewayAccount } from "./account.ts";
import { keep, type Perishable } from "./kept.ts";
import { configMaps, previewAccountName, previewFenceName, probeName, systemNamespace } from "./names.ts";
import { causeOf, faultIn, mergePatch, type Sender } from "./send.ts";
import { leastTokenSeconds, mintToken, type MintedToken } from "./token.ts";

/** Does the admission policy still hold the preview account to dry runs? */
export type FenceAnswer = Perishable &
  (
    | { readonly kind: "bites" }
    /** A real write went through: the account could write. */
    | { readonly kind: "open"; readonly cause: string }
    /** It could not be tried, or was refused by something else. */
    | { readonly kind: "unproven"; readonly cause: string }
  );

export interface PreviewAccount {
  /** The newest answer of the fence, at most a minute old. */
  fence(signal: AbortSignal): Promise<FenceAnswer>;
  /** A credential for rehearsals. Faults: preview_unavailable without a fence that bites. */
  issue(signal: AbortSignal): Promise<GrantFields>;
}

export interface PreviewOptions {
  /** From `openSeparated`: never sends a token beside a client certificate. */
  readonly client: KubeClient;
  readonly gateway: GatewayAccount;
  readonly newGrantId: () => GrantId;
  readonly nextAuditId: () => string;
  readonly now: () => number;
  /** Aborted when the gateway closes. */
  readonly closing: AbortSignal;
}

/** Milliseconds. */
const provenFor = 60_000;
const askAgainAfter = 5_000;

export function previewAccount(options: PreviewOptions): PreviewAccount {
  const { client, gateway, now, closing } = options;
  const sender = { client, nextAuditId: options.nextAuditId, agent: "sallyport", signal: closing };

  const token = keep(async (): Promise<MintedToken & { grant: GrantId }> => {
    const standing = await gateway.standing(closing);
    if (standing.kind === "not_enrolled") throw unavailable(standing.cause);
    const asked = { namespace: systemNamespace, account: previewAccountName, seconds: leastTokenSeconds };
    const from = { ...sender, authorization: standing.authorization() };
    return { ...(await mintToken(from, { ...asked, anchor: null, now })), grant: options.newGrantId() };
  }, now);

  const fence = keep(async (): Promise<FenceAnswer> => {
    const seen = await tryFence(async () => ({
      ...sender,
      authorization: (await token.take(closing)).authorization(),
    }));
    const expiresAt = now() + (seen.kind === "bites" ? provenFor : askAgainAfter);
    if (seen.kind !== "bites") token.forget();
    return { ...seen, renewAt: expiresAt, expiresAt };
  }, now);

  return {
    fence: (signal) => fence.take(signal),
    async issue(signal) {
      const standing = await gateway.standing(signal);
      if (standing.kind === "not_enrolled") throw unavailable(standing.cause, "sallyport enroll");
      const answer = await fence.take(signal);
      if (answer.kind !== "bites") throw unavailable(`${answer.kind}: ${answer.cause}`);
      const { grant: id, account, jti, expiresAt, authorization } = await token.take(signal);
      return { id, issuer: "preview", account, jti, expiresAt, authorization };
    },
  };
}

type Seen =
  | { readonly kind: "bites" }
  | { readonly kind: "open"; readonly cause: string }
  | { readonly kind: "unproven"; readonly cause: string };

/** A real, empty merge patch of one ConfigMap that the account's Role lets it patch: only the admission policy stands between. */
export async function tryFence(sender: () => Promise<Sender>): Promise<Seen> {
  try {
    await mergePatch(await sender(), { address: configMaps, namespace: systemNamespace, name: probeName }, {});
    return { kind: "open", cause: `the preview account could write ConfigMap ${systemNamespace}/${probeName}` };
  } catch (thrown) {
    const found = faultIn(thrown);
    // Another webhook's refusal, today, of this ConfigMap would prove nothing about tomorrow's write of a Deployment.
    const ours = textAt(found.detail, "by") === "policy" && textAt(found.detail, "name") === previewFenceName;
    if (found.code === "admission_denied" && ours) return { kind: "bites" };
    return { kind: "unproven", cause: causeOf(found) };
  }
}

/** `needs`: what an administrator would have to do, where that is known. */
function unavailable(cause: string, needs = ""): Faulted {
  return new Faulted(fault("preview_unavailable", needs === "" ? {} : { needs }, cause));
}
