// SEMANTICS: every effect had a decision, and every gated one the approval of the right people for exactly this, once.

import { textAt } from "../../domain/json.ts";
import { judgeSpending, readAnswer, readRequest, type AskedApproval } from "../approvals.ts";
import type { Entry } from "../entry.ts";
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
  readonly grants: Set<string>;
  /** Its approval ended without being spent, or its outcome stays unknown: nothing of it may run any more. */
  over: boolean;
}

export function checkSemantics(): Check & { open(): number } {
  const findings = collectFindings();
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
    if (asked === undefined) return findings.add(`${entry.kind} of ${id}, which was never requested`, at);
    if (entry.kind === "approval.decided") asked.answers.push(readAnswer(entry));
    else if (entry.kind === "approval.spent") {
      for (const problem of judgeSpending(asked, entry, call?.digest ?? ""))
        findings.add(`approval ${id} ${problem}`, at);
      asked.spent = true;
      if (call !== undefined) call.spent = id;
    } else asked.ended = entry.kind.slice("approval.".length);
  }

  function takeGrant(entry: Entry, at: EntryPlace): void {
    const issuer = textAt(entry.details, "issuer");
    if (entry.kind !== "grant.issued" || entry.call === null) return;
    const call = calls.get(entry.call);
    const grant = textAt(entry.details, "grant");
    if (call === undefined) return findings.add(`grant ${grant} is for a call that was not received or has ended`, at);
    call.grants.add(grant);
    if (issuer !== "token-request" && issuer !== "ambient") return;
    if (!call.allowed) findings.add(`grant ${grant} was issued before a decision allowed the call`, at);
    else if (call.gated && call.spent === "")
      findings.add(`grant ${grant} was issued before its approval was spent`, at);
  }

  function takeSettled({ call: id, details }: Entry, call: CallSoFar, at: EntryPlace): void {
    settled++;
    const effect = textAt(details, "effect");
    const left = effect !== "none";
    const grant = textAt(details, "grant");
    if (left) effects++;
    if (left && call.preview) findings.add(`${id} was a preview, and left an effect (${effect})`, at);
    if ((left || (textAt(details, "outcome") === "completed" && !call.preview)) && !call.allowed)
      findings.add(`${id} ran, and no decision allowed it`, at);
    if (left && call.gated && call.spent === "")
      findings.add(`${id} left an effect (${effect}) without its approval`, at);
    const issued = details["ambient"] === true || call.grants.has(grant) || (effect === "unknown" && grant === "");
    if (left && !issued) findings.add(`${id} left an effect (${effect}) with a grant that was not issued for it`, at);
  }

  function takeCall(entry: Entry, id: string, at: EntryPlace): void {
    const { kind, details } = entry;
    const call = calls.get(id);
    if (kind === "call.received") {
      if (call !== undefined) findings.add(`${id} is received twice`, at);
      const fresh = { gated: false, allowed: false, spent: "", over: false, grants: new Set<string>() };
      calls.set(id, { ...fresh, digest: textAt(details, "digest"), preview: details["preview"] === true });
      return;
    }
    if (call === undefined) return findings.add(`${kind} of ${id}, which was not received or had ended`, at);
    if (kind === "call.decided") {
      if (textAt(details, "decision") === "require-approval") call.gated = true;
      if (textAt(details, "approval") !== "") takeUse(call, id, textAt(details, "approval"), at);
      if (runsCall(entry)) call.allowed = true;
      if (runsCall(entry) && call.over) findings.add(`${id} runs after its approval had ended`, at);
      if (runsCall(entry) && textAt(details, "forbid") !== "") findings.add(`${id} was allowed against a forbid`, at);
    }
    if (kind === "call.unknown") call.over = true;
    if (kind !== "call.settled") return;
    takeSettled(entry, call, at);
    calls.delete(id);
  }

  function takeUse(call: CallSoFar, id: string, approval: string, at: EntryPlace): void {
    call.gated = true;
    if (call.spent !== approval) findings.add(`${id} runs on ${approval}, which was not spent for it`, at);
  }

  return {
    take(entry, at) {
      if (entry.kind.startsWith("approval.")) takeApproval(entry, at);
      else if (entry.kind.startsWith("grant.")) takeGrant(entry, at);
      else if (entry.kind.startsWith("call.") && entry.call !== null) takeCall(entry, entry.call, at);
    },
    open: () => [...calls.values()].filter((call) => !call.over).length,
    verdict: () =>
      findings.verdict(
        "SEMANTICS",
        `${settled} calls settled, ${effects} with an effect: each was decided first, and approved where that was asked.`,
        (count) => `${count} ${count === 1 ? "entry breaks" : "entries break"} the rules that every call must keep.`,
      ),
  };
}
