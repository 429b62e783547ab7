// Counts over a stretch of the record: calls by tool, decision, outcome, effect, caller and day; approvals; what was masked.

import { at, textAt, type Json } from "../domain/json.ts";
import { tallyApprovals, type ApprovalFigures } from "./approval-figures.ts";
import type { Entry } from "./entry.ts";
import { readEntries } from "./read.ts";
import { endsCall } from "./standing.ts";

export interface Count {
  readonly name: string;
  readonly count: number;
}

export interface Stats {
  readonly entries: number;
  readonly calls: number;
  /** RFC 3339: the first and the last entry that was counted; "" where there is none. */
  readonly first: string;
  readonly last: string;
  /** Each list: most first. A call counts once in each. */
  readonly tools: readonly Count[];
  /** What policy answered: `allow`, `require-approval`, `deny`; "none" where it was never asked. */
  readonly decisions: readonly Count[];
  /** `completed`, `failed`, `refused`, `unknown`; `rejected`, `expired`, `withdrawn` where its approval ended it; or `open`. */
  readonly outcomes: readonly Count[];
  readonly effects: readonly Count[];
  readonly principals: readonly Count[];
  readonly agents: readonly Count[];
  /** By UTC day, oldest first. */
  readonly days: readonly {
    readonly day: string;
    readonly calls: number;
    readonly denied: number;
    readonly effects: number;
  }[];
  /** Values that were hidden in answers, by their type. */
  readonly masked: readonly Count[];
  readonly approvals: ApprovalFigures;
}

export interface Period {
  /** Milliseconds since 1970: at this time or later, and before that one. */
  readonly since?: number;
  readonly until?: number;
}

/** Counts what was recorded in the period. A call belongs to it when it was received in it. Faults as `readEntries`. */
export async function readStats(folder: string, period: Period): Promise<Stats> {
  const tally = tallyCalls();
  const approvals = tallyApprovals();
  let [entries, first, last] = [0, "", ""];
  // Reads on after the period's end: an answer or an outcome may come later than its call.
  const { since } = period;
  for await (const { entry } of readEntries(folder, since === undefined ? {} : { since })) {
    const within = Date.parse(entry.ts) < (period.until ?? Infinity);
    if (within) {
      entries++;
      if (first === "") first = entry.ts;
      last = entry.ts;
    }
    if (within || entry.kind !== "call.received") tally.take(entry);
    if (within || entry.kind !== "approval.requested") approvals.take(entry);
  }
  return { entries, first, last, ...tally.counts(), approvals: approvals.figures() };
}

interface CallSoFar {
  readonly tool: string;
  readonly principal: string;
  readonly agent: string;
  readonly day: string;
  decision: string;
  outcome: string;
  effect: string;
}

type CallCounts = Omit<Stats, "entries" | "first" | "last" | "approvals">;

function tallyCalls(): { take(entry: Entry): void; counts(): CallCounts } {
  const open = new Map<string, CallSoFar>();
  const counted = { tools: counter(), decisions: counter(), outcomes: counter(), effects: counter() };
  const who = { principals: counter(), agents: counter(), masked: counter() };
  const days = new Map<string, { calls: number; denied: number; effects: number }>();
  let calls = 0;

  function count({ tool, principal, agent, day, decision, outcome, effect }: CallSoFar): void {
    calls++;
    counted.tools.add(tool);
    counted.decisions.add(decision);
    counted.outcomes.add(outcome);
    counted.effects.add(effect);
    who.principals.add(principal);
    who.agents.add(agent);
    const here = days.get(day) ?? { calls: 0, denied: 0, effects: 0 };
    days.set(day, here);
    here.calls++;
    if (decision === "deny") here.denied++;
    if (effect !== "none") here.effects++;
  }

  return {
    take(entry) {
      const { call: id, kind, details } = entry;
      if (id === null) return;
      if (kind === "call.received") open.set(id, beginCall(entry));
      const call = open.get(id);
      if (call === undefined) return;
      if (kind === "call.decided")
        call.decision = decisionAfter(call.decision, details["approval"], textAt(details, "decision"));
      if (kind === "call.unknown") [call.outcome, call.effect] = ["unknown", "unknown"];
      else if (kind.startsWith("approval.") && endsCall(entry))
        call.outcome = kind === "approval.decided" ? "rejected" : kind.slice("approval.".length);
      if (kind !== "call.settled") return;
      call.outcome = textAt(details, "outcome");
      call.effect = textAt(details, "effect");
      const rows = details["masked"];
      for (const row of Array.isArray(rows) ? (rows as readonly Json[]) : [])
        who.masked.add(textAt(row, "type"), Number(at(row, "count") ?? 0));
      count(call);
      open.delete(id);
    },
    counts() {
      // What has no settled entry is counted too, as far as it came; the tally is over then.
      for (const call of open.values()) count(call);
      open.clear();
      const listed = Object.fromEntries(
        Object.entries({ ...counted, ...who }).map(([name, one]) => [name, one.list()]),
      );
      const byDay = [...days].map(([day, counts]) => ({ day, ...counts })).sort((a, b) => (a.day < b.day ? -1 : 1));
      return { calls, days: byDay, ...(listed as { [K in keyof (typeof counted & typeof who)]: readonly Count[] }) };
    },
  };
}

function beginCall({ details, principal, client, ts }: Entry): CallSoFar {
  return {
    tool: textAt(details, "tool"),
    principal: principal?.sub ?? "",
    agent: principal?.act[0]?.sub ?? client,
    day: ts.slice(0, 10),
    decision: "none",
    outcome: "open",
    effect: "none",
  };
}

/** A call that a person agreed to was asked for first and allowed later: it counts as asked for. */
function decisionAfter(before: string, approval: Json | undefined, decision: string): string {
  if (decision === "deny") return decision;
  return before === "require-approval" || typeof approval === "string" ? "require-approval" : decision;
}

function counter(): { add(name: string, by?: number): void; list(): readonly Count[] } {
  const counts = new Map<string, number>();
  return {
    add: (name, by = 1) => void counts.set(name, (counts.get(name) ?? 0) + by),
    list: () =>
      [...counts]
        .map(([name, count]) => ({ name, count }))
        .sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1)),
  };
}
