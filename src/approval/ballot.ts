// Who may answer a request, and what their answer makes of it: pure, so that every rule can be tried by itself.

import type { Approver, Verdict } from "../domain/approval.ts";
import { assurances, type Assurance, type Requirement } from "../domain/decision.ts";
import type { ApprovalId } from "../domain/ids.ts";
import { sameSubject, type PrincipalFields, type Subject } from "../domain/principal.ts";
import { neutralise } from "./neutral.ts";
import { approversAt } from "./escalation.ts";
import { isExpired } from "./states.ts";
import type { KeptRequest } from "./stores/contract.ts";

/** Single-user: one person on one machine, who may confirm their own agent's calls. Multi-user: never one's own. */
export type Mode = { readonly kind: "single-user"; readonly owner: Subject } | { readonly kind: "multi-user" };

/** Who answers, as verified at this moment; software and whoever acts for another is told apart from a person. */
export interface Voter extends Approver {
  readonly kind: PrincipalFields["kind"];
  readonly actors: readonly Subject[];
  /** Every account that is known to be this person's; absent: the one that they answer with. */
  readonly accounts?: readonly Subject[];
}

export interface Ballot {
  readonly id: ApprovalId;
  readonly by: Voter;
  readonly answer: "approve" | "reject";
  /** The person's words, masked already. */
  readonly reason: string;
  readonly tellAgent: boolean;
  readonly mode: Mode;
  /** Milliseconds since 1970. */
  readonly now: number;
}

export type RefusalCode =
  | "not_found"
  | "ended"
  | "expired"
  | "requester"
  | "not_an_approver"
  | "assurance_too_low"
  | "already_answered"
  | "is_agent";

export type Judged =
  | { readonly kind: "counts"; readonly verdict: Verdict; readonly to: "pending" | "approved" | "rejected" }
  | { readonly kind: "refused"; readonly code: RefusalCode };

const longestReason = 500;

/** What this answer does to the request. Who may not answer learns nothing about its state. */
export function judge(request: KeptRequest, ballot: Ballot): Judged {
  const barred = mayNotAnswer(request, ballot.by, ballot);
  if (barred !== null) return { kind: "refused", code: barred };
  if (request.state === "expired") return { kind: "refused", code: "expired" };
  if (request.state !== "pending") return { kind: "refused", code: "ended" };
  if (isExpired(request, ballot.now)) return { kind: "refused", code: "expired" };
  const verdict = verdictOf(request, ballot);
  // A no needs no proof beyond being an approver: refusing is safe, and so is changing one's mind to it.
  if (verdict.answer === "reject") return { kind: "counts", verdict, to: "rejected" };
  const strong = named(request, verdict.by, ballot).some((one) => reaches(verdict.by.assurance, one.assurance));
  if (!strong) return { kind: "refused", code: "assurance_too_low" };
  if (addsNothing(request, verdict)) return { kind: "refused", code: "already_answered" };
  const verdicts = [...request.verdicts, verdict];
  const met = request.requirements.every((one) => people(request, one, verdicts, ballot.mode) >= one.count);
  return { kind: "counts", verdict, to: met ? "approved" : "pending" };
}

/** In which house, and when: milliseconds since 1970. */
type Moment = Pick<Ballot, "mode" | "now">;

/** Why this voter may not answer the request at all; null when they may. */
export function mayNotAnswer(request: KeptRequest, by: Voter, moment: Moment): RefusalCode | null {
  if (by.kind !== "person" || by.actors.length > 0) return "is_agent";
  if (accountsOf(by).some((one) => isRequester(request, one)) && !isOwner(by, moment.mode)) return "requester";
  return named(request, by, moment).length === 0 ? "not_an_approver" : null;
}

/** Who may answer a request may see it, and so may who asked. To everyone else it does not exist. */
export function maySee(request: KeptRequest, by: Voter, moment: Moment): boolean {
  return accountsOf(by).some((one) => isRequester(request, one)) || mayNotAnswer(request, by, moment) === null;
}

/** One person may have several accounts: none of them answers what another one asked, or has answered. */
function accountsOf(by: Voter): readonly Subject[] {
  return [by, ...(by.accounts ?? [])];
}

/** The requester, the human whom an agent acts for, or one of the software that acts; by any account of theirs. */
export function isRequester(request: KeptRequest, by: Subject & Pick<Voter, "accounts">): boolean {
  const { principal } = request.call;
  const theirs: readonly Subject[] = [by, ...(by.accounts ?? [])];
  return [principal, ...principal.actors].some((one) => theirs.some((own) => sameSubject(one, own)));
}

/** `n` people of `m` so far, over all requirements. */
export function tally(request: KeptRequest, mode: Mode): { readonly have: number; readonly need: number } {
  const have = request.requirements.map((one) => Math.min(one.count, people(request, one, request.verdicts, mode)));
  const sum = (counts: readonly number[]): number => counts.reduce((total, one) => total + one, 0);
  return { have: sum(have), need: sum(request.requirements.map((one) => one.count)) };
}

function isOwner(by: Subject, mode: Mode): boolean {
  return mode.kind === "single-user" && sameSubject(by, mode.owner);
}

/** The requirements that name this person at that moment. */
function named(request: KeptRequest, by: Approver, { mode, now }: Moment): readonly Requirement[] {
  return request.requirements.filter((one) =>
    approversAt(one, request.requestedAt, now).some((approver) => matches(approver, by, mode)),
  );
}

/** `group:NAME`, `user:SUBJECT` or `owner`; anything else names nobody. */
function matches(approver: string, by: Approver, mode: Mode): boolean {
  if (approver === "owner") return isOwner(by, mode);
  if (approver.startsWith("group:")) return by.groups.includes(approver.slice("group:".length));
  if (approver.startsWith("user:")) return by.subject === approver.slice("user:".length);
  return false;
}

/** How many different people have met a requirement: one person counts once, whatever groups they are in. */
function people(
  { requestedAt }: Pick<KeptRequest, "requestedAt">,
  requirement: Requirement,
  verdicts: readonly Verdict[],
  mode: Mode,
): number {
  const counted: Subject[] = [];
  for (const { answer, by, at } of verdicts) {
    const counts =
      answer === "approve" &&
      reaches(by.assurance, requirement.assurance) &&
      approversAt(requirement, requestedAt, at).some((approver) => matches(approver, by, mode));
    if (counts && !counted.some((one) => sameSubject(one, by))) counted.push(by);
  }
  return counted.length;
}

/** Has this person approved before, with as strong an assurance? A stronger one may be what another requirement waits for. */
function addsNothing(request: KeptRequest, verdict: Verdict): boolean {
  return request.verdicts.some(
    (one) => sameSubject(one.by, verdict.by) && reaches(one.by.assurance, verdict.by.assurance),
  );
}

const reaches = (given: Assurance, asked: Assurance): boolean => assurances.indexOf(given) >= assurances.indexOf(asked);

/**
 * The answer as it is kept: of the voter's groups only those that the requirements name, and under the account that the
 * person answered with first. Whoever confirms their own agent's call is on the same device as it, whatever they claim.
 */
export function verdictOf(request: KeptRequest, { by, answer, reason, tellAgent, now }: Ballot): Verdict {
  const { channel } = by;
  const accounts = accountsOf(by);
  const { issuer, subject } =
    request.verdicts.find((one) => accounts.some((own) => sameSubject(own, one.by)))?.by ?? by;
  const asked = request.requirements.flatMap((one) => approversAt(one, request.requestedAt, now));
  const groups = by.groups.filter((group) => asked.includes(`group:${group}`));
  const own = accounts.some((one) => isRequester(request, one));
  const assurance: Assurance = own ? "same-device" : by.assurance;
  const kept: Approver = { issuer, subject, groups, channel, assurance };
  return { by: kept, answer, reason: neutralise(reason, longestReason), tellAgent, at: now };
}
