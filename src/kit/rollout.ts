// What a new pod template does to the pods of a workload, by the workload's own strategy (Kubernetes API reference, apps/v1 and batch/v1).

import { at, isJsonObject, textAt, type Json, type JsonObject } from "../domain/json.ts";
import type { Sentence } from "../domain/output.ts";

/** Kinds that roll their pods. */
export const workloads = ["Deployment", "StatefulSet", "DaemonSet"] as const;

/** Where the pod spec of a kind stands. */
export function podSpecPath(kind: string): readonly string[] {
  if (kind === "Pod") return ["spec"];
  return kind === "CronJob" ? ["spec", "jobTemplate", "spec", "template", "spec"] : ["spec", "template", "spec"];
}

/** The containers of a pod spec, those that run first included. */
export function containersOf(
  podSpec: Json | undefined,
): readonly { readonly list: string; readonly container: JsonObject }[] {
  return ["containers", "initContainers"].flatMap((list) => {
    const found = at(podSpec, list);
    return (Array.isArray(found) ? (found as readonly Json[]) : [])
      .filter(isJsonObject)
      .map((container) => ({ list, container }));
  });
}

/** How the pods are replaced, as a check's sentence. */
export function rollOf(kind: string, object: JsonObject): Sentence {
  const count = (...path: string[]): number => Number(at(object, ...path) ?? 0);
  switch (kind) {
    case "Deployment": {
      const pods = podsText(count("spec", "replicas"));
      if (at(object, "spec", "paused") === true) return ["paused: no pod is replaced until the Deployment is resumed"];
      if (textAt(object, "spec", "strategy", "type") === "Recreate")
        return [`stops all ${pods} before new ones start (Recreate)`];
      const bound = (field: string, round: (pods: number) => number): number =>
        podsOf(at(object, "spec", "strategy", "rollingUpdate", field) ?? "25%", count("spec", "replicas"), round);
      const [down, extra] = [bound("maxUnavailable", Math.floor), bound("maxSurge", Math.ceil)];
      // Kubernetes lets one go where neither would leave room for the other.
      return [`rolls ${pods}, ${down + extra === 0 ? 1 : down} down, ${extra} extra at a time`];
    }
    case "StatefulSet": {
      const replicas = count("spec", "replicas");
      if (textAt(object, "spec", "updateStrategy", "type") === "OnDelete") return [onDelete];
      const from = count("spec", "updateStrategy", "rollingUpdate", "partition");
      const below = from > 0 ? `; those below ${from} stay as they are (partition)` : "";
      const rolled = Math.max(0, replicas - from);
      const pods = rolled === replicas ? podsText(replicas) : `${rolled} of ${podsText(replicas)}`;
      return [`rolls ${pods}, one at a time${below}`];
    }
    case "DaemonSet": {
      if (textAt(object, "spec", "updateStrategy", "type") === "OnDelete") return [onDelete];
      const pods = count("status", "desiredNumberScheduled");
      const bound = at(object, "spec", "updateStrategy", "rollingUpdate", "maxUnavailable") ?? 1;
      return [`rolls ${podsText(pods)}, ${podsOf(bound, pods, Math.ceil)} down at a time`];
    }
    case "CronJob":
      return ["takes effect with the next Job; running Jobs stay as they are"];
  }
  return ["the pods are replaced as their kind does it"];
}
const podsText = (count: number): string => (count === 1 ? "1 pod" : `${count} pods`);

/** Kubernetes' IntOrString as a number of pods: a percentage is of all of them. */
function podsOf(bound: Json, all: number, round: (pods: number) => number): number {
  if (typeof bound === "number") return bound;
  const percent = typeof bound === "string" ? /^(\d{1,4})%$/.exec(bound)?.[1] : undefined;
  return percent === undefined ? 0 : round((Number(percent) * all) / 100);
}

const onDelete = "no pod is replaced until it is deleted (OnDelete)";

/** One kept revision of a workload, and the object that holds it. */
export interface Revision {
  readonly number: number;
  readonly object: string;
}

/** The pod template as its author wrote it: without the controller's own label and the directive of a stored patch. */
export function writtenTemplate(template: JsonObject): JsonObject {
  const { $patch: _directive, ...rest } = template;
  const metadata = at(rest, "metadata");
  const labels = at(metadata, "labels");
  if (!isJsonObject(metadata) || !isJsonObject(labels)) return rest;
  const { "pod-template-hash": _hash, ...own } = labels;
  return { ...rest, metadata: { ...metadata, labels: own } };
}

/**
 * A workload's kept revisions: the one that its template stands in, and the others newest first. `kept` are ReplicaSets
 * or ControllerRevisions of its namespace. Of a paused Deployment nothing is recorded: what its annotation names is what
 * its pods run, and its template may be in no revision at all.
 */
export function revisionsOf(
  kind: (typeof workloads)[number],
  workload: JsonObject,
  kept: readonly JsonObject[],
): { readonly current: Revision | undefined; readonly others: readonly Revision[] } {
  const revision = "deployment.kubernetes.io/revision";
  const number = (object: JsonObject): number =>
    Number(kind === "Deployment" ? textAt(object, "metadata", "annotations", revision) : at(object, "revision"));
  const uid = textAt(workload, "metadata", "uid");
  const paused = kind === "Deployment" && at(workload, "spec", "paused") === true;
  const template = (object: JsonObject): string => {
    const found = at(object, "spec", "template");
    return isJsonObject(found) ? JSON.stringify(writtenTemplate(found)) : "";
  };
  const now = paused ? template(workload) : "";
  const own = kept
    .filter((object) => isOwnedBy(object, uid))
    .map((object) => ({
      number: number(object),
      object: textAt(object, "metadata", "name"),
      same: paused && template(object) === now,
    }))
    .filter((one) => Number.isInteger(one.number) && one.number > 0)
    .sort((a, b) => b.number - a.number);
  const named_ = textAt(workload, "status", "updateRevision");
  const stands = (one: Revision): boolean =>
    kind === "Deployment" ? one.number === number(workload) : kind === "StatefulSet" ? one.object === named_ : false;
  const current = paused ? own.find((one) => one.same) : (own.find(stands) ?? own[0]);
  const plain = ({ number: count, object }: Revision): Revision => ({ number: count, object });
  return {
    current: current === undefined ? undefined : plain(current),
    others: own.filter((one) => one !== current).map(plain),
  };
}

/** Is the object another one's child? */
export function isOwnedBy(object: JsonObject, uid: string): boolean {
  const owners = at(object, "metadata", "ownerReferences");
  return uid !== "" && Array.isArray(owners) && owners.some((owner: JsonObject) => textAt(owner, "uid") === uid);
}
