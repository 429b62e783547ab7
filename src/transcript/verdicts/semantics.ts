// SEMANTICS: every effect had a decision, and every gated one the approval of the right people for exactly this, once.

import { textAt } from "../../domain/json.ts";
import { answersShort, judgeSpending, readAnswer, readRequest, type AskedApproval } from "../approvals.ts";
import type { Entry } from "../entry.ts";
import { foldHolds } from "../holds.ts";
import { endsCall, runsCall } from "../standing.ts";
import { collectFindings, type Check, type EntryPlace } from "../verdict.ts";

interface CallSoFar {
  readonly digest: string;
  readonly preview: boolean;
  /** A decision asked for a person. */
  gated: boolean;
  allowed: boolean;
  /** The approval that was spent for it. */
  spent: string;
  readonly grants: string[];
  /** Its approval ended without being spent, or its outcome stays unknown: nothing of it may run any more. */
  over: boolean;
}

/** Which sessions were read without a gap so far: of a part of the record, all others may have what is not there. */
export type WholeSoFar = (sid: string | null) => boolean;

export interface SemanticsCheck extends Check {
  open(): number;
  settled(): number;
  /** Questions that the entries of sessions with gaps leave open: what is asked for may stand in a gap. */
  notShown(): number;
}

export function checkSemantics(isWhole: WholeSoFar = () => true): SemanticsCheck {
  const findings = collectFindings();
  let notShown = 0;
  /** Something is not there that should be: wrong where the session is whole, else not shown. */
  function absent(problem: string, { sid }: Entry, at: EntryPlace): void {
    if (isWhole(sid)) findings.add(problem, at);
    else notShown++;
  }
  const holds = foldHolds();
  const calls = new Map<string, CallSoFar>();
  const approvals = new Map<string, AskedApproval>();
  let effects = 0;
  let settled = 0;

  function takeApproval(entry: Entry, at: EntryPlace): void {
    const id = textAt(entry.details, "approval");
    if (entry.kind === "approval.requested") {
      if (approvals.has(id)) findings.add(`approval ${id} is requested twice`, at);
      approvals.set(id, readRequest(entry));
      return;
    }
    const call = calls.get(entry.call ?? "");
    if (call !== undefined && endsCall(entry)) call.over = true;
    const asked = approvals.get(id);
    if (asked === undefined) return absent(`${entry.kind} of ${id}, which was never requested`, entry, at);
    if (entry.kind === "approval.decided") asked.answers.push(readAnswer(entry));
    else if (entry.kind === "approval.spent") {
      for (const problem of judgeSpending(asked, entry, call?.digest ?? "")) {
        const says = `approval ${id} ${problem}`;
        if (answersShort.has(problem)) absent(says, entry, at);
        else findings.add(says, at);
      }
      asked.spent = true;
      if (call !== undefined) call.spent = id;
    } else asked.ended = entry.kind.slice("approval.".length);
  }

  function takeHold(entry: Entry, at: EntryPlace): void {
    const problem = holds.take(entry, at.index);
    if (problem !== "") absent(problem, entry, at);
  }

  function takeGrant(entry: Entry, at: EntryPlace): void {
    if (entry.kind !== "grant.issued" || entry.call === null) return;
    const issuer = textAt(entry.details, "issuer");
    const call = calls.get(entry.call);
    const grant = textAt(entry.details, "grant");
    if (call === undefined) return absent(`grant ${grant} is for a call that was not received or has ended`, entry, at);
    call.grants.push(grant);
    if (issuer !== "token-request" && issuer !== "ambient") return;
    if (!call.allowed) absent(`grant ${grant} was issued before a decision allowed the call`, entry, at);
    else if (call.gated && call.spent === "")
      absent(`grant ${grant} was issued before its approval was spent`, entry, at);
  }

  function takeSettled(entry: Entry, call: CallSoFar, at: EntryPlace): void {
    const { call: id, details } = entry;
    settled++;
    const effect = textAt(details, "effect");
    const left = effect !== "none";
    const grant = textAt(details, "grant");
    if (left) effects++;
    if (left && call.preview) findings.add(`${id} was a preview, and left an effect (${effect})`, at);
    if ((left || (textAt(details, "outcome") === "completed" && !call.preview)) && !call.allowed)
      absent(`${id} ran, and no decision allowed it`, entry, at);
    if (left && call.gated && call.spent === "")
      absent(`${id} left an effect (${effect}) without its approval`, entry, at);
    const issued = details["ambient"] === true || call.grants.includes(grant) || (effect === "unknown" && grant === "");
    if (left && !issued) absent(`${id} left an effect (${effect}) with a grant that was not issued for it`, entry, at);
  }

  function takeCall(entry: Entry, id: string, at: EntryPlace): void {
    const { kind, details } = entry;
    const call = calls.get(id);
    if (kind === "call.received") {
      if (call !== undefined) findings.add(`${id} is received twice`, at);
      const [digest, preview] = [textAt(details, "digest"), details["preview"] === true];
      calls.set(id, { digest, preview, gated: false, allowed: false, spent: "", grants: [], over: false });
      return;
    }
    if (call === undefined) return absent(`${kind} of ${id}, which was not received or had ended`, entry, at);
    if (kind === "call.decided") {
      if (textAt(details, "decision") === "require-approval") call.gated = true;
      if (textAt(details, "approval") !== "") takeUse(call, entry, textAt(details, "approval"), at);
      if (runsCall(entry)) call.allowed = true;
      if (runsCall(entry) && call.over) findings.add(`${id} runs after its approval had ended`, at);
      if (runsCall(entry) && textAt(details, "forbid") !== "") findings.add(`${id} was allowed against a forbid`, at);
    }
    if (kind === "call.unknown") call.over = true;
    if (kind !== "call.settled") return;
    takeSettled(entry, call, at);
    calls.delete(id);
  }

  /** What a command printed: nothing prints that was not let run, and nothing after its call's end. */
  function takeSegment(entry: Entry, at: EntryPlace): void {
    const { call: id } = entry;
    const call = calls.get(id ?? "");
    if (call === undefined) return absent(`${entry.kind} of ${id}, which was not received or had ended`, entry, at);
    if (call.over) findings.add(`${id} printed after it had ended`, at);
    if (call.preview) findings.add(`${id} was a preview, and printed`, at);
    if (!call.allowed) absent(`${id} printed, and no decision allowed it`, entry, at);
    else if (call.gated && call.spent === "") absent(`${id} printed without its approval`, entry, at);
  }

  function takeUse(call: CallSoFar, entry: Entry, approval: string, at: EntryPlace): void {
    call.gated = true;
    if (call.spent !== approval) absent(`${entry.call} runs on ${approval}, which was not spent for it`, entry, at);
  }

  return {
    take(entry, at) {
      if (entry.kind.startsWith("call.")) {
        if (entry.call !== null) takeCall(entry, entry.call, at);
      } else if (entry.kind === "stream.segment") takeSegment(entry, at);
      else if (entry.kind.startsWith("grant.")) takeGrant(entry, at);
      else if (entry.kind.startsWith("approval.")) takeApproval(entry, at);
      else if (entry.kind.startsWith("hold.")) takeHold(entry, at);
    },
    settled: () => settled,
    notShown: () => notShown,
    open: () => [...calls.values()].filter((call) => !call.over).length,
    verdict: () =>
      findings.verdict(
        "SEMANTICS",
        `${settled} calls settled, ${effects} with an effect: each was decided first, and approved where that was asked.`,
        (count) =>
          `${count} ${count === 1 ? "entry breaks" : "entries break"} the rules that every call, approval and hold must keep.`,
      ),
  };
}
