// Whether an object is ready, complete, or can't become so any more: read from its own status, as each kind writes it.

import { at, textAt, type Json, type JsonObject } from "../domain/json.ts";
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
      return byCondition(kind, object);
  }
}

/** Complete: a Job that is done, a pod that ended. A failure is an end that never completes. */
export function completion(kind: string, object: JsonObject): StandsAt {
  if (kind === "Pod") return byPhase(object, ["Succeeded"], ["Failed"]);
  const [done, failed] = [conditionOf(object, "Complete"), conditionOf(object, "Failed")];
  if (kind !== "Job") {
    if (textAt(done, "status") === "True") return { reached: "yes", says: conditionSays(done ?? {}) };
    return lacks(kind, object, "no Complete condition");
  }
  const counts = jobCounts(object);
  if (textAt(done, "status") === "True") return { reached: "yes", says: [counts] };
  if (textAt(failed, "status") === "True")
    return { reached: "never", says: [counts, ", failed: ", named(textAt(failed, "reason") || "no reason")] };
  if (at(object, "spec", "suspend") === true) return { reached: "never", says: [counts, "; it is suspended"] };
  return { reached: "no", says: [counts] };
}

/** A Job's pods; one without a count of completions is done once one of its pods says so (batch/v1, work queues). */
export function jobCounts(object: JsonObject): string {
  const wanted = at(object, "spec", "completions");
  const of = typeof wanted === "number" ? ` of ${wanted}` : "";
  const count = (field: string): number => countAt(object, "status", field);
  return `${count("succeeded")}${of} succeeded, ${count("failed")} failed, ${count("active")} active`;
}

/** The types of its conditions, the first few. */
function typesOf(object: JsonObject): Sentence {
  const has = listAt(object, "status", "conditions").slice(0, 6);
  return has.flatMap((one, index): Sentence => [index === 0 ? "" : ", ", named(textAt(one, "type"))]);
}

/** What has no such condition: a custom resource's controller may yet write one, of Kubernetes' own kinds none will. */
function lacks(kind: string, object: JsonObject, what: string): StandsAt {
  const has = typesOf(object);
  const instead: Sentence = has.length === 0 ? [] : ["; wait for one that it has, as Type=Status: ", ...has];
  const later = kind.includes(".") || reportLater.includes(kind);
  return { reached: later ? "no" : "never", says: [`it reports ${what}`, ...instead] };
}
const reportLater: readonly string[] = ["Node", "APIService", "CustomResourceDefinition"];

/** That an object is on its way out, and what it waits for; null where nobody has asked for its deletion. */
export function leavingSays(object: JsonObject): Sentence | null {
  if (textAt(object, "metadata", "deletionTimestamp") === "") return null;
  const finalizers = at(object, "metadata", "finalizers");
  const held = (Array.isArray(finalizers) ? (finalizers as readonly Json[]) : []).map(String).slice(0, 4);
  const by = held.flatMap((one, index): Sentence => [index === 0 ? "" : ", ", named(one)]);
  return ["it is on its way out", ...(held.length === 0 ? [] : [", once these finalizers are done: ", ...by])];
}

/** A condition of this type and status, case aside. */
export function hasCondition(object: JsonObject, type: string, status: string): StandsAt {
  const one = listAt(object, "status", "conditions").find(
    (each) => textAt(each, "type").toLowerCase() === type.toLowerCase(),
  );
  if (one === undefined) {
    const has = typesOf(object);
    return {
      reached: "no",
      says: ["it has no condition ", named(type), ...(has.length === 0 ? [" and no other"] : ["; it has ", ...has])],
    };
  }
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

const byHand = ", the others as they are deleted (OnDelete)";

function statefulSet(object: JsonObject): StandsAt {
  const wanted = at(object, "spec", "replicas") === undefined ? 1 : countAt(object, "spec", "replicas");
  const partition = countAt(object, "spec", "updateStrategy", "rollingUpdate", "partition");
  const onDelete = textAt(object, "spec", "updateStrategy", "type") === "OnDelete";
  const same = textAt(object, "status", "currentRevision") === textAt(object, "status", "updateRevision");
  const updated = same ? countAt(object, "status", "currentReplicas") : countAt(object, "status", "updatedReplicas");
  const ready = countAt(object, "status", "readyReplicas");
  const target = onDelete ? 0 : Math.max(0, wanted - partition);
  const kept = onDelete
    ? updated < wanted
      ? byHand
      : ""
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
  const kept = onDelete && count("updatedNumberScheduled") < wanted ? byHand : "";
  const says: Sentence = [
    `${count("updatedNumberScheduled")} of ${wanted} updated${kept}, ${count("numberReady")} ready, ${count("numberAvailable")} available`,
  ];
  if (!seen(object)) return { reached: "no", says: ["its controller has not seen the newest change yet"] };
  const rolled = onDelete || count("updatedNumberScheduled") >= wanted;
  return { reached: rolled && count("numberAvailable") >= wanted ? "yes" : "no", says };
}

function pod(object: JsonObject): StandsAt {
  const phase = textAt(object, "status", "phase");
  const ready = textAt(conditionOf(object, "Ready"), "status") === "True";
  // While those that run first hold it up, the others wait for nothing but them.
  const waits = ["initContainerStatuses", "containerStatuses"]
    .flatMap((list) => listAt(object, "status", list))
    .map((one) => ({ name: textAt(one, "name"), reason: textAt(one, "state", "waiting", "reason") }))
    .toSorted((a, b) => Number(isQueued(a.reason)) - Number(isQueued(b.reason)))
    .find(({ reason }) => reason !== "");
  const says: Sentence = [
    "phase ",
    named(phase || "unknown"),
    ...(waits === undefined ? [] : [", container ", named(waits.name), ": ", named(waits.reason)]),
  ];
  if (ready) return { reached: "yes", says };
  return { reached: phase === "Succeeded" || phase === "Failed" ? "never" : "no", says };
}

const isQueued = (reason: string): boolean => reason === "PodInitializing" || reason === "ContainerCreating";

function byPhase(object: JsonObject, good: readonly string[], bad: readonly string[]): StandsAt {
  const phase = textAt(object, "status", "phase");
  const says: Sentence = ["phase ", named(phase || "unknown")];
  return { reached: good.includes(phase) ? "yes" : bad.includes(phase) ? "never" : "no", says };
}

function byCondition(kind: string, object: JsonObject): StandsAt {
  for (const type of ["Ready", "Available", "Established", "Healthy"]) {
    const one = conditionOf(object, type);
    if (one !== undefined)
      return { reached: textAt(one, "status") === "True" ? "yes" : "no", says: conditionSays(one) };
  }
  if (at(object, "status") === undefined) return { reached: "yes", says: ["it is there; its kind reports no status"] };
  return lacks(kind, object, "no Ready or Available condition");
}
