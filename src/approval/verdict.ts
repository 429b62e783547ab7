// Every decision on a request goes through here, whatever channel carried it: who may answer, what it makes, and the one spending.

import type { ApprovalState, SpentApproval } from "../domain/approval.ts";
import type { Append } from "../domain/entry.ts";
import type { ApprovalId } from "../domain/ids.ts";
import { sameSubject } from "../domain/principal.ts";
import { judge, mayNotAnswer, tally, verdictOf, type Ballot, type RefusalCode, type Voter } from "./ballot.ts";
import { answered, draft } from "./drafts.ts";
import { applyChange, isExpired, isLapsed, type Change } from "./states.ts";
import type { ApprovalStore, KeptRequest, Stepped } from "./stores/contract.ts";

export interface Refused {
  readonly kind: "refused";
  readonly code: RefusalCode;
  /** The state that was in the way; null where there is none, or the voter may not know it. */
  readonly state: ApprovalState | null;
}

export type Decided =
  /** The answer counts; `have` people of `need` so far. */
  | { readonly kind: "recorded"; readonly request: KeptRequest; readonly have: number; readonly need: number }
  | { readonly kind: "approved"; readonly request: KeptRequest }
  | { readonly kind: "rejected"; readonly request: KeptRequest }
  | Refused;

/**
 * One person's answer. Its entry is durable before its state: an entry without its state did nothing yet and is made
 * again by the next answer, while a state without its entry would let a call run that nobody is on record for.
 * Fault: transcript_unavailable, and nothing changed.
 */
export async function decideRequest(store: ApprovalStore, append: Append, ballot: Ballot): Promise<Decided> {
  const decided = await store.transition(ballot.id, async (request): Promise<Stepped<Decided>> => {
    const judged = judge(request, ballot);
    if (judged.kind === "refused") {
      const reply = refusal(judged.code, request);
      if (judged.code !== "expired" || request.state !== "pending") return { change: null, reply };
      return { change: await expired(append, request, ballot.now), reply: { ...reply, state: "expired" } };
    }
    const { to, verdict } = judged;
    await append([draft(request, "approval.decided", { ...answered(request, verdict), state: to })]);
    const change: Change = { to, at: ballot.now, verdict, why: "" };
    const next = applyChange(request, change);
    if (to !== "pending") return { change, reply: { kind: to, request: next } };
    return { change, reply: { kind: "recorded", request: next, ...tally(next, ballot.mode) } };
  });
  return decided ?? notFound;
}

export type Revoked = { readonly kind: "revoked"; readonly request: KeptRequest } | Refused;

/** Takes an approval back before it runs: any approver may, whoever gave it. */
export async function revoke(store: ApprovalStore, append: Append, ballot: Ballot): Promise<Revoked> {
  const revoked = await store.transition(ballot.id, async (request): Promise<Stepped<Revoked>> => {
    const barred = mayNotAnswer(request, ballot.by, ballot);
    if (barred !== null) return { change: null, reply: refusal(barred, request) };
    if (request.state !== "approved") return { change: null, reply: refusal("ended", request) };
    const verdict = verdictOf(request, { ...ballot, answer: "reject" });
    await append([draft(request, "approval.decided", { ...answered(request, verdict), state: "revoked" })]);
    const change: Change = { to: "revoked", at: ballot.now, verdict, why: "" };
    return { change, reply: { kind: "revoked", request: applyChange(request, change) } };
  });
  return revoked ?? notFound;
}

export type Withdrawn = { readonly kind: "withdrawn"; readonly request: KeptRequest } | Refused;

/** Takes a request back while it is pending: its requester alone may, the person and not the software that acts for them. */
export async function withdraw(
  store: ApprovalStore,
  append: Append,
  id: ApprovalId,
  by: Voter,
  now: number,
): Promise<Withdrawn> {
  const withdrawn = await store.transition(id, async (request): Promise<Stepped<Withdrawn>> => {
    if (by.kind !== "person" || by.actors.length > 0) return { change: null, reply: refusal("is_agent", request) };
    if (!sameSubject(by, request.call.principal)) return { change: null, reply: refusal("requester", request) };
    if (request.state !== "pending") return { change: null, reply: refusal("ended", request) };
    const change = await taken(append, request, now);
    return { change, reply: { kind: "withdrawn", request: applyChange(request, change) } };
  });
  return withdrawn ?? notFound;
}

/** Takes back whatever is pending of these requests, for whoever runs the gateway: their caller may ask for nothing any more. Answers those that ended. */
export async function withdrawFor(
  store: ApprovalStore,
  append: Append,
  theirs: (request: KeptRequest) => boolean,
  now: number,
): Promise<readonly KeptRequest[]> {
  const ended: KeptRequest[] = [];
  for (const { id } of (await store.list(["pending"])).filter(theirs)) {
    const next = await store.transition(id, async (request): Promise<Stepped<KeptRequest | null>> => {
      if (request.state !== "pending") return { change: null, reply: null };
      const change = await taken(append, request, now);
      return { change, reply: applyChange(request, change) };
    });
    if (next) ended.push(next);
  }
  return ended;
}

async function taken(append: Append, request: KeptRequest, now: number): Promise<Change> {
  await append([draft(request, "approval.withdrawn", { approval: request.id })]);
  return { to: "withdrawn", at: now, verdict: null, why: "" };
}

export type Spending =
  | { readonly kind: "spent"; readonly approval: SpentApproval }
  | {
      readonly kind: "refused";
      readonly code: "not_found" | "not_approved" | "other_digest" | "lapsed";
      readonly state: ApprovalState | null;
    };

/**
 * Spends an approval, once in its life and over all processes. The state comes before the entry here: a crash between
 * them leaves an approval that nobody used, while the other order could use one twice. Fault: transcript_unavailable,
 * and the approval is gone without having run.
 */
export async function spend(
  store: ApprovalStore,
  append: Append,
  id: ApprovalId,
  against: { readonly approvalDigest: string; readonly now: number },
): Promise<Spending> {
  const spending = await store.transition(id, async (request): Promise<Stepped<Spending | KeptRequest>> => {
    const { state } = request;
    if (state !== "approved") return { change: null, reply: { kind: "refused", code: "not_approved", state } };
    if (request.approvalDigest !== against.approvalDigest)
      return { change: null, reply: { kind: "refused", code: "other_digest", state } };
    if (!isLapsed(request, against.now))
      return { change: { to: "spent", at: against.now, verdict: null, why: "" }, reply: request };
    const change = await lapsed(append, request, against.now);
    return { change, reply: { kind: "refused", code: "lapsed", state: "lapsed" } };
  });
  if (spending === undefined) return { kind: "refused", code: "not_found", state: null };
  if ("kind" in spending) return spending;
  const { approvalDigest } = spending;
  await append([draft(spending, "approval.spent", { approval: id, approvalDigest })]);
  return { kind: "spent", approval: { id, approvalDigest } as SpentApproval };
}

/** Ends an approval whose freshness check failed. `changed` names what is no longer as it was seen. False: it had ended before. */
export async function markStale(
  store: ApprovalStore,
  append: Append,
  id: ApprovalId,
  changed: string,
  now: number,
): Promise<boolean> {
  const marked = await store.transition(id, async (request) => {
    if (request.state !== "approved") return { change: null, reply: false };
    await append([draft(request, "approval.stale", { approval: id, changed })]);
    return { change: { to: "stale", at: now, verdict: null, why: changed }, reply: true };
  });
  return marked ?? false;
}

/** Ends what ran out of time by `now`, and lets the store forget what it need not keep. Answers those that ended. */
export async function expireDue(store: ApprovalStore, append: Append, now: number): Promise<readonly KeptRequest[]> {
  const ended: KeptRequest[] = [];
  for (const { id } of (await store.list(["pending", "approved"])).filter((one) => isDue(one, now))) {
    const next = await store.transition(id, async (request) => {
      if (!isDue(request, now)) return { change: null, reply: undefined };
      const change = await (request.state === "pending" ? expired : lapsed)(append, request, now);
      return { change, reply: applyChange(request, change) };
    });
    if (next !== undefined) ended.push(next);
  }
  await store.prune(now);
  return ended;
}

function isDue(request: KeptRequest, now: number): boolean {
  return request.state === "pending" ? isExpired(request, now) : request.state === "approved" && isLapsed(request, now);
}

async function expired(append: Append, request: KeptRequest, now: number): Promise<Change> {
  await append([draft(request, "approval.expired", { approval: request.id })]);
  return { to: "expired", at: now, verdict: null, why: "" };
}

/** The transcript has one word for running out of time; the entries before it tell whether it had been approved. */
async function lapsed(append: Append, request: KeptRequest, now: number): Promise<Change> {
  await append([draft(request, "approval.expired", { approval: request.id })]);
  return { to: "lapsed", at: now, verdict: null, why: "" };
}

const notFound: Refused = { kind: "refused", code: "not_found", state: null };

/** Only someone who may answer, or has asked, is told how the request stands. */
function refusal(code: RefusalCode, request: KeptRequest): Refused {
  const mayKnow = code === "ended" || code === "expired" || code === "already_answered";
  return { kind: "refused", code, state: mayKnow ? request.state : null };
}
