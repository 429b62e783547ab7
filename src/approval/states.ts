// The states of a request for approval and the moves between them: one table, and the one function that moves.

import type { ApprovalState, Verdict } from "../domain/approval.ts";
import type { Requirement } from "../domain/decision.ts";
import type { KeptRequest } from "./stores/contract.ts";

/** approval.md, "States". A state without moves is an end, and ends are final. */
const moves: { readonly [state in ApprovalState]: readonly ApprovalState[] } = {
  pending: ["pending", "approved", "rejected", "expired", "withdrawn", "superseded"],
  approved: ["spent", "stale", "revoked", "lapsed"],
  rejected: [],
  expired: [],
  withdrawn: [],
  superseded: [],
  spent: [],
  stale: [],
  revoked: [],
  lapsed: [],
};

export function isEnd(state: ApprovalState): boolean {
  return moves[state].length === 0;
}

/** One move of a request. `pending` to `pending` records one answer of several, or that others may answer too. */
export interface Change {
  readonly to: ApprovalState;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly verdict: Verdict | null;
  /** Why it ended, where the state alone does not say it (what changed, for `stale`). */
  readonly why: string;
  /** How many steps of its escalation are on record now; only while it stays pending. */
  readonly escalated?: number;
}

/** The request after the change. An illegal move is a programming error and throws. */
export function applyChange(request: KeptRequest, change: Change): KeptRequest {
  const steps = change.escalated ?? request.escalated ?? 0;
  const grows = change.to === "pending" && steps > (request.escalated ?? 0);
  const legal =
    moves[request.state].includes(change.to) && (change.to !== "pending" || change.verdict !== null || grows);
  if (!legal) throw new Error(`a request can't go from ${request.state} to ${change.to}`);
  const ended = isEnd(change.to);
  // The answer of a call that runs comes later; every other end is itself the answer.
  const answered = ended && change.to !== "spent";
  return {
    ...request,
    state: change.to,
    verdicts: change.verdict === null ? request.verdicts : [...request.verdicts, change.verdict],
    approvedAt: change.to === "approved" ? change.at : request.approvedAt,
    endedAt: ended ? change.at : request.endedAt,
    why: change.why,
    answer: answered ? "waiting" : request.answer,
    answeredAt: answered ? change.at : request.answeredAt,
    ...(steps === 0 ? {} : { escalated: steps }),
  };
}

/** Clocks are corrected by seconds; a clock that went back by more would lengthen every deadline. */
const clockTolerance = 60_000;

/**
 * Is a deadline over? All times in milliseconds since 1970. A clock that stands before the moment the deadline was
 * counted from can't measure it, and what can't be measured is over.
 */
export function isPast(since: number, deadline: number, now: number): boolean {
  return now >= deadline || now < since - clockTolerance;
}

/** Has a pending request run out of time? */
export function isExpired(request: KeptRequest, now: number): boolean {
  return isPast(request.requestedAt, request.expiresAt, now);
}

/** Is an approval too old to start now? The shortest `validFor` of its requirements counts. */
export function isLapsed(request: KeptRequest, now: number): boolean {
  const since = request.approvedAt ?? 0;
  return isPast(since, since + shortest(request.requirements, "validFor"), now);
}

/** The smallest of the requirements' times, in milliseconds. No requirement, no time. */
export function shortest(requirements: readonly Requirement[], time: "expires" | "validFor"): number {
  return requirements.length === 0 ? 0 : Math.min(...requirements.map((one) => one[time])) * 1000;
}
