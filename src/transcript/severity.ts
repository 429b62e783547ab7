// How grave an entry is, from 1 (only to be known) to 5 (act now): the same for every format that asks.

import { textAt } from "../domain/json.ts";
import type { Entry } from "./entry.ts";

/** OCSF's scale: 1 informational, 2 low, 3 medium, 4 high, 5 critical. */
export function severityOf({ kind, details }: Pick<Entry, "kind" | "details">): 1 | 2 | 3 | 4 | 5 {
  if (kind === "audit.degraded") return 5;
  if (kind === "alert.raised") return 4;
  if (kind === "reconcile.ran" && (found(details["theft"]) || found(details["bypass"]))) return 5;
  if (kind === "reconcile.ran") return found(details["notJudged"]) ? 3 : 1;
  if (kind === "call.unknown" || kind === "agent.disabled" || kind === "identity.refused") return 3;
  if (kind === "clock.checked") return details["within"] === true ? 1 : 3;
  if (kind === "limit.exceeded" || kind === "approval.stale") return 2;
  const word = textAt(details, "decision") || textAt(details, "outcome") || textAt(details, "answer");
  return ["deny", "refused", "failed", "reject"].includes(word) ? 2 : 1;
}

const found = (count: unknown): boolean => typeof count === "number" && count > 0;
