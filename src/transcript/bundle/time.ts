// TIME of a part of a record: none lies in the future, and each that is dated before an earlier entry stands behind one that says why, where that can be shown.

import { clockTolerance, type Entry } from "../entry.ts";
import { collectFindings, type EntryPlace, type Verdict } from "../verdict.ts";
import { tellsOfClock } from "../verdicts/index.ts";

/** How far an auditor's clock may differ from the gateway's, in milliseconds. */
const ahead = 300_000;

export interface PartTime {
  take(entry: Entry, at: EntryPlace): void;
  verdict(): Verdict;
}

/** `now`: the auditor's clock, in milliseconds since 1970. */
export function checkPartTime(now: number): PartTime {
  const findings = collectFindings();
  const horizon = new Date(now + ahead).toISOString();
  let [first, latest, floor] = ["", "", ""];
  let [back, steps, announced] = [0, 0, false];
  /** From where on no entry is left out, up to the last one; and where the latest time stands. */
  let [whole, last, latestAt] = [0, -2, 0];

  function takeEarlier(entry: Entry, at: EntryPlace): void {
    floor ||= new Date(Date.parse(latest) - clockTolerance).toISOString();
    if (entry.ts >= floor || announced) return;
    if (tellsOfClock(entry)) {
      announced = true;
      steps++;
    } else if (latestAt >= whole)
      findings.add(
        `is dated ${entry.ts}, before an earlier entry of ${latest}, and no entry says that the clock stepped back`,
        at,
      );
    // What would say so may have been left out.
    else back++;
  }
  return {
    take(entry, at) {
      const { ts } = entry;
      if (at.index !== last + 1) whole = at.index;
      last = at.index;
      if (first === "") first = ts;
      if (ts > horizon) findings.add(`is dated ${ts}, which is still to come`, at);
      if (ts < latest) return takeEarlier(entry, at);
      if (ts > latest) floor = "";
      [latest, latestAt, announced] = [ts, at.index, false];
    },
    verdict() {
      const span = first === "" ? "There are no entries" : `From ${first} to ${latest}`;
      const stepped = steps === 0 ? "" : `; the clock stepped back ${steps} times, as entries here say`;
      const verdict = findings.verdict(
        "TIME",
        `${span}, in order${stepped}.`,
        (count) => `${count} entries bear a time that can't be right.`,
      );
      if (verdict.verdict === "failed" || back === 0) return verdict;
      const says = `${span}; ${back} are dated before an earlier one, and what the record says of its clock is not here.`;
      return { ...verdict, verdict: "not-checked", says };
    },
  };
}
