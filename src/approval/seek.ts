// Puts a request to the people who may answer it, or joins the one that is there for the same call.

import type { ApprovalRequest } from "../domain/approval.ts";
import type { Append } from "../domain/entry.ts";
import { sameCaller, type PrincipalFields } from "../domain/principal.ts";
import { announce, type Unreached } from "./announce.ts";
import type { Channel } from "./channels/contract.ts";
import { draft } from "./drafts.ts";
import { isExpired, isLapsed } from "./states.ts";
import type { ApprovalStore, KeptRequest } from "./stores/contract.ts";

export interface Sought {
  readonly request: KeptRequest;
  /** An equal call of the same requester was waiting, approved or running: this one waits with it. */
  readonly joined: boolean;
  /** Channels that could not be told; the others, and the terminal, still decide. */
  readonly unreached: readonly Unreached[];
}

/**
 * The request is on record and durable before anyone is told of it. A call that joins tells nobody again.
 * Faults: transcript_unavailable or internal, and there is no request.
 */
export async function seek(
  store: ApprovalStore,
  append: Append,
  channels: readonly Channel[],
  request: ApprovalRequest,
): Promise<Sought> {
  const now = request.requestedAt;
  const joins = (kept: KeptRequest): boolean => sameRequester(kept, request) && isUnderWay(kept, now);
  const kept = await store.insert(request, joins, async () => {
    await append([draft(request, "approval.requested", requested(request))]);
  });
  if (kept.joined) return { ...kept, unreached: [] };
  return { ...kept, unreached: await announce(channels, (channel) => channel.tell(kept.request)) };
}

/**
 * The ended request whose answer an equal call is to hear before it counts as a new one: a repeat after a lost
 * connection gets what became of the first. Undefined: there is none.
 */
export async function unheard(
  store: ApprovalStore,
  callDigest: string,
  principal: PrincipalFields,
): Promise<KeptRequest | undefined> {
  const [newest] = await store.findByDigest(callDigest);
  if (newest === undefined || newest.answer !== "waiting") return undefined;
  return sameRequester(newest, { call: { principal } }) ? newest : undefined;
}

/** The digest holds the requester already; compared again, because joining hands out another call's answer. */
function sameRequester(
  a: { readonly call: { readonly principal: PrincipalFields } },
  b: { readonly call: { readonly principal: PrincipalFields } },
): boolean {
  return sameCaller(a.call.principal, b.call.principal);
}

function isUnderWay(kept: KeptRequest, now: number): boolean {
  if (kept.state === "pending") return !isExpired(kept, now);
  if (kept.state === "approved") return !isLapsed(kept, now);
  return kept.state === "spent" && kept.answer === "none";
}

function requested(request: ApprovalRequest) {
  const { id: approval, callDigest, approvalDigest, cardDigest, diffDigest } = request;
  const requirements = request.requirements.map(({ escalate, ...one }) => ({
    ...one,
    ...(escalate === undefined ? {} : { escalate: escalate.map((step) => ({ ...step })) }),
  }));
  const expires = new Date(request.expiresAt).toISOString();
  return { approval, callDigest, approvalDigest, cardDigest, diffDigest, requirements, expires };
}
