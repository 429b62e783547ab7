// What a part of a record can show of itself: that its sessions' entries follow one another, and whether anything that was asked for was left out.

import type { Entry } from "../entry.ts";
import { countIn, purgedEntriesIn, type Range } from "../purged-lines.ts";
import { answers, searchableOf } from "../searchable.ts";
import { checkCompleteness } from "../verdicts/index.ts";
import { collectFindings, type EntryPlace, type Findings, type Verdict } from "../verdict.ts";
import { besideKinds, wholenessOf, type Manifest } from "./form.ts";

/** The same verdict with what was found besides. */
export function joined(verdict: Verdict, findings: Findings, failed: (count: number) => string): Verdict {
  if (findings.count() === 0) return verdict;
  const more = findings.verdict(verdict.question, "", failed);
  const says = verdict.verdict === "failed" ? verdict.says : more.says;
  return { ...more, says, places: [...verdict.places, ...more.places].slice(0, 21) };
}

/** How many entries of a range purges took, by these. */
function purgedWithin(told: readonly Range[], [first, last]: Range): number {
  return told.reduce((sum, [from, to]) => sum + Math.max(0, Math.min(to, last) - Math.max(from, first) + 1), 0);
}

interface Last {
  readonly sseq: number;
  readonly leaf: string;
  readonly kind: string;
}

export interface PartOrder {
  take(entry: Entry, at: EntryPlace, leaf: string): void;
  /** Was the session read from its first entry on without a gap? */
  isWhole(sid: string | null): boolean;
  /** How many entries of the one session are not here that purges may have taken; 0 where there are none, or more are missing. */
  purged(): number;
  last(sid: string): Last | null;
  sessions(): number;
  verdict(): Verdict;
}

/** ORDER. `session`: the one that must be whole; null where a part was asked for, in which gaps are what the query left out. */
export function checkPartOrder(session: string | null): PartOrder {
  const findings = collectFindings();
  const lasts = new Map<string, Last>();
  const gaps = new Set<string>();
  const missing: { readonly count: number; readonly from: number; readonly at: EntryPlace; readonly due: number }[] =
    [];
  const told: Range[] = [];
  let before = -1;
  let judged: number | null = null;
  /** Only after all entries: one that tells of a purge stands behind what was purged. */
  function purged(): number {
    if (judged !== null) return judged;
    judged = 0;
    for (const { count, from, at, due } of missing) {
      if (purgedWithin(told, [from, at.index - 1]) >= count) judged += count;
      else
        findings.add(`number ${due + count} of the session stands where ${due} belongs: entries of it are missing`, at);
    }
    if (findings.count() > 0) judged = 0;
    return judged;
  }
  return {
    purged,
    take(entry, at, leaf) {
      const { sid, sseq, sprev, kind } = entry;
      told.push(...(purgedEntriesIn(entry)?.ranges ?? []));
      const whose = sid ?? "";
      const last = lasts.get(whose);
      const due = (last?.sseq ?? -1) + 1;
      if (sseq < due) findings.add(`number ${sseq} of its session stands behind number ${due - 1}`, at);
      else if (sseq > due && sid !== null && sid === session)
        missing.push({ count: sseq - due, from: before + 1, at, due });
      else if (sseq === due && sprev !== (last?.leaf ?? ""))
        findings.add("does not link to the entry before it in its session", at);
      if (sseq !== due) gaps.add(whose);
      if (sid !== null && sid === session) before = at.index;
      lasts.set(whose, { sseq, leaf, kind });
    },
    isWhole: (sid) => !gaps.has(sid ?? ""),
    last: (sid) => lasts.get(sid) ?? null,
    sessions: () => lasts.size - (lasts.has("") ? 1 : 0),
    verdict() {
      purged();
      const [whole, parts] = [lasts.size - gaps.size, gaps.size];
      const gapped = parts === 0 ? "" : ` ${parts} have gaps, where the query left entries out.`;
      const ok = `The entries follow one another as in the log. Of ${whole} sessions, the gateway's own among them, all from the first on is here, each linked to the one before.${gapped}`;
      return findings.verdict("ORDER", ok, (count) => `${count} entries do not follow the one before.`);
    },
  };
}

export interface SelectionCheck {
  take(entry: Entry, at: EntryPlace): void;
  verdict(order: PartOrder, size: number): Verdict;
}

/** COMPLETENESS: is all that was asked for here, as far as a part can show it, and was the record compared with the cluster's own log? */
export function checkSelection({ query, wholeCalls, entries }: Manifest): SelectionCheck {
  const findings = collectFindings();
  const compared = checkCompleteness();
  const wholeness = wholenessOf(query);
  const calls = new Set<string>();
  const told: Range[] = [];
  const between: Range[] = [];
  const odd: { readonly call: string | null; readonly at: EntryPlace }[] = [];
  let [answering, beside, first, last, before] = [0, 0, -1, -1, -1];
  /** Do the entries right before the first and right behind the last of a period stand here? */
  let [edgeBefore, edgeBehind] = [false, false];

  function takeBeside({ kind, call }: Entry, at: EntryPlace): void {
    beside++;
    if (at.index === last + 1) edgeBehind = true;
    if (!besideKinds.has(kind)) odd.push({ call, at });
  }
  function takeEnd(): void {
    for (const { call, at } of odd) {
      const ofCall = wholeCalls && call !== null && calls.has(call);
      const edge = wholeness.kind === "period" && (at.index === first - 1 || at.index === last + 1);
      if (!ofCall && !edge) findings.add("does not answer the query", at);
    }
    if (answering !== entries.chosen || beside !== entries.beside)
      findings.add(
        `the manifest counts ${entries.chosen} entries that answer and ${entries.beside} beside them; ${answering} and ${beside} are here`,
      );
  }
  function periodWords(size: number): string | null {
    const contiguous = answering > 0 && between.every((one) => purgedWithin(told, one) === countIn([one]));
    const but = between.length === 0 ? "" : `, but ${countIn(between)} that were purged, as entries here say`;
    // What stood right before them can't show that it was outside.
    const edge = first > 0 && !edgeBefore && purgedWithin(told, [first - 1, first - 1]) > 0;
    const [begins, ends] = [first === 0 || edgeBefore || edge, last + 1 === size || edgeBehind];
    if (!contiguous || !begins || !ends) return null;
    const around = edge
      ? "those right before them were purged, and those behind them are"
      : "those before and behind them are";
    return `Every entry of the log from ${first} to ${last} is here${but}, and ${around} outside of what was asked for or of the head.`;
  }
  function selectionWords(order: PartOrder, size: number): { readonly shown: boolean; readonly says: string } {
    switch (wholeness.kind) {
      case "session": {
        const end = order.last(wholeness.sid);
        const purged = order.purged();
        if (end !== null && purged > 0) {
          const says = `Session ${wholeness.sid} is here to number ${end.sseq}, but ${purged} entries that were purged, as entries here say.`;
          return { shown: false, says };
        }
        if (end === null || !order.isWhole(wholeness.sid))
          findings.add(`session ${wholeness.sid} is not here from its first entry on`);
        const until = `Session ${wholeness.sid} is here from its first entry to number ${end?.sseq ?? -1}`;
        return end?.kind === "session.closed"
          ? { shown: true, says: `${until}, its end.` }
          : { shown: false, says: `${until}; it had not ended, and nothing here shows that no more followed.` };
      }
      case "period": {
        const says = periodWords(size);
        return { shown: says !== null, says: says ?? "Nothing here shows that no other entry lies in the period." };
      }
      case "part":
        return { shown: false, says: "Nothing here shows that no other entry answers the query: a part can't." };
    }
  }
  return {
    take(entry, at) {
      compared.take(entry, at, "");
      told.push(...(purgedEntriesIn(entry)?.ranges ?? []));
      if (!answers(query, searchableOf(entry))) takeBeside(entry, at);
      else {
        answering++;
        if (entry.call !== null) calls.add(entry.call);
        if (first < 0) [first, edgeBefore] = [at.index, before === at.index - 1];
        else if (at.index !== last + 1) between.push([last + 1, at.index - 1]);
        [last, edgeBehind] = [at.index, false];
      }
      before = at.index;
    },
    verdict(order, size) {
      takeEnd();
      const selection = selectionWords(order, size);
      const reconciled = compared.verdict();
      const says = `${selection.says} ${reconciled.says}`;
      if (reconciled.verdict === "failed") return joined(reconciled, findings, () => reconciled.says);
      const verdict = selection.shown ? "ok" : "not-checked";
      return joined(
        { question: "COMPLETENESS", verdict, says, places: [] },
        findings,
        () => "This is not what the manifest says was asked for.",
      );
    },
  };
}
