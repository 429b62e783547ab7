// How a pod looks to people: the status word, readiness and restarts that kubectl's columns show.

import { at, listAt, numberAt, textAt, type Json, type JsonObject } from "./json.ts";
import { ageText } from "./age.ts";

/** `Running`, `CrashLoopBackOff`, `Terminating`, …: the container's own trouble before the pod's phase. */
export function podStatus(pod: JsonObject): string {
  if (at(pod, "metadata", "deletionTimestamp") !== undefined) return "Terminating";
  const reasons = listAt(pod, "status", "containerStatuses").flatMap((status) => {
    const waiting = textAt(status, "state", "waiting", "reason");
    const ended = at(status, "state", "terminated");
    if (waiting !== "") return [waiting];
    if (ended === undefined) return [];
    return [textAt(ended, "reason") || `ExitCode:${numberAt(ended, "exitCode")}`];
  });
  return reasons.at(-1) ?? (textAt(pod, "status", "reason") || textAt(pod, "status", "phase") || "Unknown");
}

/** `1/2`: containers ready, of all. */
export function podReady(pod: JsonObject): string {
  const ready = listAt(pod, "status", "containerStatuses").filter((status) => at(status, "ready") === true);
  return `${ready.length}/${listAt(pod, "spec", "containers").length}`;
}

export const isReady = (pod: JsonObject): boolean =>
  at(pod, "metadata", "deletionTimestamp") === undefined &&
  listAt(pod, "status", "conditions").some(
    (one) => textAt(one, "type") === "Ready" && textAt(one, "status") === "True",
  );

/** `7 (6m39s ago)`, or `0`. */
export function podRestarts(pod: JsonObject, now: number): string {
  const statuses = listAt(pod, "status", "containerStatuses");
  const count = statuses.reduce((sum: number, status: Json) => sum + numberAt(status, "restartCount"), 0);
  const ended = statuses
    .map((status) => textAt(status, "lastState", "terminated", "finishedAt"))
    .filter((time) => time !== "");
  const last = ended.sort().at(-1);
  return count === 0 || last === undefined ? String(count) : `${count} (${ageText(last, now)} ago)`;
}
