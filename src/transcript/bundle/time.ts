// TIME of a part of a record: none lies in the future, and one that is dated before an earlier entry is told of.

import { clockTolerance, type Entry } from "../entry.ts";
import { collectFindings, type EntryPlace, type Verdict } from "../verdict.ts";

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
  let [first, latest, floor, back] = ["", "", "", 0];
  return {
    take({ ts }, at) {
      if (first === "") first = ts;
      if (ts > horizon) findings.add(`is dated ${ts}, which is still to come`, at);
      if (ts >= latest) [latest, floor] = [ts, ""];
      else {
        floor ||= new Date(Date.parse(latest) - clockTolerance).toISOString();
        if (ts < floor) back++;
      }
    },
    verdict() {
      const span = first === "" ? "There are no entries" : `From ${first} to ${latest}`;
      const verdict = findings.verdict(
        "TIME",
        `${span}, in order.`,
        (count) => `${count} entries bear a time that can't be right.`,
      );
      if (verdict.verdict === "failed" || back === 0) return verdict;
      const says = `${span}; ${back} are dated before an earlier one, and what the record says of its clock is not here.`;
      return { ...verdict, verdict: "not-checked", says };
    },
  };
}
