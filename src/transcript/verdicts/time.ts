// TIME: entries are dated in the order they were written, no step of the clock is hidden, none lies in the future.

import { textAt } from "../../domain/json.ts";
import { clockTolerance } from "../entry.ts";
import { collectFindings, type Check } from "../verdict.ts";

/** How far an auditor's clock may differ from the gateway's, in milliseconds. */
const ahead = 300_000;

/** `now`: the auditor's clock, in milliseconds since 1970. */
export function checkTime(now: number): Check {
  const findings = collectFindings();
  let latest = "";
  let floor = "";
  let first = "";
  let steps = 0;
  let announced = false;
  const horizon = new Date(now + ahead).toISOString();
  return {
    take({ ts, kind, details }, at) {
      if (first === "") first = ts;
      if (ts > horizon) findings.add(`is dated ${ts}, which is still to come`, at);
      if (ts >= latest) {
        if (ts > latest) floor = "";
        latest = ts;
        announced = false;
        return;
      }
      floor ||= new Date(Date.parse(latest) - clockTolerance).toISOString();
      if (ts >= floor || announced) return;
      if (kind === "audit.degraded" && textAt(details, "reason").startsWith("the clock")) {
        announced = true;
        steps++;
      } else
        findings.add(
          `is dated ${ts}, before an earlier entry of ${latest}, and no entry says that the clock stepped back`,
          at,
        );
    },
    verdict() {
      const span = first === "" ? "There are no entries" : `From ${first} to ${latest}, in order`;
      const stepped = steps === 0 ? "" : `; the clock stepped back ${steps} times, each time recorded`;
      return findings.verdict(
        "TIME",
        `${span}${stepped}.`,
        (count) => `${count} entries bear a time that can't be right.`,
      );
    },
  };
}
