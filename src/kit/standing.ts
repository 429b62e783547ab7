// Whether an object is ready, complete, or can't become so any more: read from its own status, as each kind writes it.

import { at, textAt, type JsonObject } from "../domain/json.ts";
import { quoted, type Sentence } from "../domain/output.ts";
import { named } from "./answer.ts";
import { conditionOf, countAt, listAt } from "./selector.ts";

/** `never`: waiting alone will not bring it. */
export interface StandsAt {
  readonly reached: "yes" | "no" | "never";
  readonly says: Sentence;
}

/** Ready as its kind means it: a rollout that is done, a pod or node that is ready, a claim that is bound, else its Ready or Available condition. */
export function readiness(kind: string, object: JsonObject): StandsAt {
  switch (kind) {
    case "Deployment":
      return deployment(object);
    case "StatefulSet":
      return statefulSet(object);
    case "DaemonSet":
      return daemonSet(object);
    case "ReplicaSet":
    case "ReplicationController": {
      const [wanted, available] = [countAt(object, "spec", "replicas"), countAt(object, "status", "availableReplicas")];
      return {
        reached: seen(object) && available >= wanted ? "yes" : "no",
        says: [`${available} of ${wanted} available`],
      };
    }
    case "Pod":
      return pod(object);
    case "Job":
      return completion(kind, object);
    case "PersistentVolumeClaim":
    case "PersistentVolume":
      return byPhase(object, ["Bound", "Available"], ["Lost", "Failed"]);
    case "Namespace":
      return byPhase(object, ["Active"], ["Terminating"]);
    default:
      return byCondition(object);
  }
}

/** Complete: a Job that is done, a pod that ended. A failure is an end that never completes. */
export function completion(kind: string, object: JsonObject): StandsAt {
  if (kind === "Pod") return byPhase(object, ["Succeeded"], ["Failed"]);
  const [done, failed] = [conditionOf(object, "Complete"), conditionOf(object, "Failed")];
  const counts = `${countAt(object, "status", "succeeded")} of ${countAt(object, "spec", "completions") || 1} succeeded, ${countAt(object, "status", "failed")} failed, ${countAt(object, "status", "active")} active`;
  if (textAt(done, "status") === "True") return { reached: "yes", says: [counts] };
  if (textAt(failed, "status") !== "True") return { reached: "no", says: [counts] };
  return { reached: "never", says: [counts, ", failed: ", named(textAt(failed, "reason") || "no reason")] };
}

/** A condition of this type and status, case aside. */
export function hasCondition(object: JsonObject, type: string, status: string): StandsAt {
  const one = listAt(object, "status", "conditions").find(
    (each) => textAt(each, "type").toLowerCase() === type.toLowerCase(),
  );
  if (one === undefined) return { reached: "no", says: ["it has no condition ", named(type)] };
  const is = textAt(one, "status");
  return { reached: is.toLowerCase() === status.toLowerCase() ? "yes" : "no", says: conditionSays(one) };
}

function conditionSays(one: JsonObject): Sentence {
  const [reason, message] = [textAt(one, "reason"), textAt(one, "message")];
  return [
    named(textAt(one, "type")),
    " is ",
    named(textAt(one, "status")),
    ...(reason === "" ? [] : [" (", named(reason), ")"]),
    ...(message === "" ? [] : [": ", quoted(message)]),
  ];
}

/** Has its controller seen its newest spec? */
function seen(object: JsonObject): boolean {
  return countAt(object, "status", "observedGeneration") >= countAt(object, "metadata", "generation");
}

function deployment(object: JsonObject): StandsAt {
  const wanted = at(object, "spec", "replicas") === undefined ? 1 : countAt(object, "spec", "replicas");
  const [all, updated, ready, available] = ["replicas", "updatedReplicas", "readyReplicas", "availableReplicas"].map(
    (field) => countAt(object, "status", field),
  ) as [number, number, number, number];
  const old = all - updated;
  const says = `${updated} of ${wanted} updated, ${ready} ready, ${available} available${old > 0 ? `, ${old} old still there` : ""}`;
  const progressing = conditionOf(object, "Progressing");
  if (!seen(object)) return { reached: "no", says: ["its controller has not seen the newest change yet"] };
  if (updated >= wanted && old <= 0 && available >= wanted) return { reached: "yes", says: [says] };
  if (textAt(progressing, "reason") === "ProgressDeadlineExceeded")
    return {
      reached: "never",
      says: [says, "; its rollout passed its deadline: ", quoted(textAt(progressing, "message"))],
    };
  if (at(object, "spec", "paused") === true) return { reached: "never", says: [says, "; its rollout is paused"] };
  return { reached: "no", says: [says] };
}

function statefulSet(object: JsonObject): StandsAt {
  const wanted = at(object, "spec", "replicas") === undefined ? 1 : countAt(object, "spec", "replicas");
  const partition = countAt(object, "spec", "updateStrategy", "rollingUpdate", "partition");
  const onDelete = textAt(object, "spec", "updateStrategy", "type") === "OnDelete";
  const same = textAt(object, "status", "currentRevision") === textAt(object, "status", "updateRevision");
  const updated = same ? countAt(object, "status", "currentReplicas") : countAt(object, "status", "updatedReplicas");
  const ready = countAt(object, "status", "readyReplicas");
  const target = onDelete ? 0 : Math.max(0, wanted - partition);
  const kept = onDelete
    ? ", the others as they are deleted (OnDelete)"
    : partition > 0
      ? `, those below ${partition} keep the old revision (partition)`
      : "";
  const says: Sentence = [`${updated} of ${wanted} updated${kept}, ${ready} ready`];
  if (!seen(object)) return { reached: "no", says: ["its controller has not seen the newest change yet"] };
  return { reached: ready >= wanted && updated >= target ? "yes" : "no", says };
}

function daemonSet(object: JsonObject): StandsAt {
  const count = (field: string): number => countAt(object, "status", field);
  const wanted = count("desiredNumberScheduled");
  const onDelete = textAt(object, "spec", "updateStrategy", "type") === "OnDelete";
  const says: Sentence = [
    `${count("updatedNumberScheduled")} of ${wanted} updated, ${count("numberReady")} ready, ${count("numberAvailable")} available`,
  ];
  if (!seen(object)) return { reached: "no", says: ["its controller has not seen the newest change yet"] };
  const rolled = onDelete || count("updatedNumberScheduled") >= wanted;
  return { reached: rolled && count("numberAvailable") >= wanted ? "yes" : "no", says };
}

function pod(object: JsonObject): StandsAt {
  const phase = textAt(object, "status", "phase");
  const ready = textAt(conditionOf(object, "Ready"), "status") === "True";
  const waits = listAt(object, "status", "containerStatuses")
    .map((one) => textAt(one, "state", "waiting", "reason"))
    .find((reason) => reason !== "");
  const says: Sentence = ["phase ", named(phase || "unknown"), ...(waits === undefined ? [] : [", ", named(waits)])];
  if (ready) return { reached: "yes", says };
  return { reached: phase === "Succeeded" || phase === "Failed" ? "never" : "no", says };
}

function byPhase(object: JsonObject, good: readonly string[], bad: readonly string[]): StandsAt {
  const phase = textAt(object, "status", "phase");
  const says: Sentence = ["phase ", named(phase || "unknown")];
  return { reached: good.includes(phase) ? "yes" : bad.includes(phase) ? "never" : "no", says };
}

function byCondition(object: JsonObject): StandsAt {
  for (const type of ["Ready", "Available", "Established", "Healthy"]) {
    const one = conditionOf(object, type);
    if (one !== undefined)
      return { reached: textAt(one, "status") === "True" ? "yes" : "no", says: conditionSays(one) };
  }
  if (at(object, "status") === undefined) return { reached: "yes", says: ["it is there; its kind reports no status"] };
  return {
    reached: "no",
    says: ["it reports no Ready or Available condition; wait for one that it has, as Type=Status"],
  };
}
