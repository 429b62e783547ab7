// COMPLETENESS: was the record compared with the cluster's own audit log, and what came of it? Only that comparison can show that nothing went round the record.

import { textAt } from "../../domain/json.ts";
import { collectFindings, type Check, type EntryPlace } from "../verdict.ts";

export function checkCompleteness(): Check {
  const findings = collectFindings();
  let ran = 0;
  let last = "";
  let until = "";
  let [others, unjudged] = [0, 0];
  return {
    take({ kind, details, ts }, at: EntryPlace) {
      // Held against no event at all the record was compared with nothing.
      if (kind !== "reconcile.ran" || details["events"] === 0) return;
      ran++;
      until = textAt(details, "to");
      last = `of ${textAt(details, "cluster") || "the cluster"} from ${textAt(details, "from")} to ${until}, at ${ts}`;
      others += numberIn(details["bypass"]);
      unjudged += numberIn(details["notJudged"]);
      for (const [key, says] of [
        ["theft", "effects by our identities without an entry"],
        ["missing", "entries with an effect that the log does not show"],
        ["differ", "requests that are not what their entry says"],
      ] as const)
        if (numberIn(details[key]) > 0) findings.add(`${numberIn(details[key])} ${says}`, at);
    },
    verdict() {
      const bypass = others === 0 ? "" : ` Others wrote ${others} times where it governs.`;
      const past = unjudged === 0 ? "" : ` Not judged: ${unjudged} requests of days whose entries were purged.`;
      const ok = `Compared with the API server's own audit log ${ran} times, by the word of these entries; last with that ${last}.${bypass}${past} Compare again to see for yourself.`;
      const verdict = findings.verdict(
        "COMPLETENESS",
        ok,
        () => "The record and the API server's own audit log did not agree.",
      );
      if (ran > 0) return verdict;
      return {
        ...verdict,
        verdict: "not-checked",
        says: "Not compared with the API server's own audit log: see transcript reconcile.",
      };
    },
  };
}

function numberIn(value: unknown): number {
  return typeof value === "number" ? value : 0;
}
