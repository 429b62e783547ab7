// Replicas: a Deployment keeps its ReplicaSets, a ReplicaSet or StatefulSet keeps its pods, and each counts them.

import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { at, listAt, mapAt, numberAt, put, textAt, timestamp, type Json, type JsonObject } from "./json.ts";
import { kindFor, type Kind } from "./kinds.ts";
import { end } from "./deletion.ts";
import { letters, nameSuffix } from "./objects.ts";
import { dependents, isEnding, made, nameOf, namespaceOf, ownedBy, record } from "./owned.ts";
import { isReady } from "./pods.ts";
import type { Storage } from "./storage.ts";

const pods = kindFor("pods");
const replicaSets = kindFor("replicasets");

/** Ten letters that stand for a pod template. */
function templateHash(deployment: JsonObject): string {
  const digest = createHash("sha256")
    .update(JSON.stringify(at(deployment, "spec", "template") ?? null))
    .digest();
  return Array.from(digest.subarray(0, 10), (byte) => letters[byte % letters.length]).join("");
}

/** One ReplicaSet a template: the current one gets the count, older ones none. */
export function rollOut(storage: Storage, deployment: JsonObject, now: number): void {
  if (isEnding(deployment)) return;
  const kind = kindFor("deployments");
  const hash = templateHash(deployment);
  const name = `${nameOf(deployment)}-${hash}`;
  const replicas = numberAt(deployment, "spec", "replicas");
  const sets = dependents(storage, replicaSets, deployment);
  for (const set of sets) {
    const wanted = nameOf(set) === name ? replicas : 0;
    if (numberAt(set, "spec", "replicas") === wanted) continue;
    const from = numberAt(set, "spec", "replicas");
    const message = `Scaled ${wanted > from ? "up" : "down"} replica set ${nameOf(set)} from ${from} to ${wanted}`;
    storage.write(replicaSets, put(set, ["spec", "replicas"], wanted));
    record(storage, kind, deployment, "ScalingReplicaSet", message, now);
  }
  if (sets.some((set) => nameOf(set) === name)) return;
  const hashed = { "pod-template-hash": hash };
  const revision = { "deployment.kubernetes.io/revision": String(sets.length + 1) };
  const labels = { ...mapAt(deployment, "spec", "template", "metadata", "labels"), ...hashed };
  const set = made(replicaSets, namespaceOf(deployment), name, now, {
    labels,
    annotations: revision,
    ownerReferences: [ownedBy(kind, deployment)],
  });
  const selector = mapAt(deployment, "spec", "selector");
  const spec = {
    replicas,
    selector: { ...selector, matchLabels: { ...mapAt(selector, "matchLabels"), ...hashed } },
    template: put(mapAt(deployment, "spec", "template"), ["metadata", "labels"], labels),
  };
  storage.write(replicaSets, { ...set, spec, status: { replicas: 0 } });
  storage.write(
    kind,
    put(deployment, ["metadata", "annotations"], { ...mapAt(deployment, "metadata", "annotations"), ...revision }),
  );
  record(storage, kind, deployment, "ScalingReplicaSet", `Scaled up replica set ${name} to ${replicas}`, now);
}

/** Makes the pods that are missing and ends those that are too many, the youngest first. */
export function keepReplicas(storage: Storage, kind: Kind, owner: JsonObject, now: number): void {
  if (isEnding(owner)) return;
  const mine = dependents(storage, pods, owner);
  const wanted = numberAt(owner, "spec", "replicas");
  const ordinal = kind.kind === "StatefulSet";
  const living = mine.filter((pod) => !isEnding(pod)).sort((a, b) => ageOrder(a) - ageOrder(b));
  for (const pod of living.slice(wanted)) {
    end(storage, pods, pod, now);
    record(storage, kind, owner, "SuccessfulDelete", `Deleted pod: ${nameOf(pod)}`, now);
  }
  const taken = new Set(mine.map(nameOf));
  for (let missing = wanted - living.length; missing > 0; missing--) {
    const name = ordinal ? firstFree(nameOf(owner), taken) : `${nameOf(owner)}-${nameSuffix()}`;
    taken.add(name);
    storage.write(pods, newPod(kind, owner, name, now));
    record(storage, kind, owner, "SuccessfulCreate", `Created pod: ${name}`, now);
  }
}

const ageOrder = (pod: JsonObject): number => Date.parse(textAt(pod, "metadata", "creationTimestamp"));

function firstFree(prefix: string, taken: ReadonlySet<string>): string {
  let index = 0;
  while (taken.has(`${prefix}-${index}`)) index++;
  return `${prefix}-${index}`;
}

function newPod(kind: Kind, owner: JsonObject, name: string, now: number): JsonObject {
  const template = mapAt(owner, "spec", "template");
  const annotations = at(template, "metadata", "annotations");
  const pod = made(pods, namespaceOf(owner), name, now, {
    generateName: `${nameOf(owner)}-`,
    labels: mapAt(template, "metadata", "labels"),
    ...(annotations === undefined ? {} : { annotations }),
    ownerReferences: [ownedBy(kind, owner)],
  });
  const spec = { serviceAccountName: "default", enableServiceLinks: true, ...mapAt(template, "spec") };
  return { ...pod, spec, status: { phase: "Pending", qosClass: "BestEffort" } };
}

/** The owner's status from its pods; zero counts are left out, as Kubernetes does. */
export function countReplicas(storage: Storage, kind: Kind, owner: JsonObject, now: number): void {
  const sets = kind.kind === "Deployment" ? dependents(storage, replicaSets, owner) : [owner];
  const mine = sets.flatMap((set) => dependents(storage, pods, set)).filter((pod) => !isEnding(pod));
  const ready = mine.filter(isReady).length;
  const counts = { replicas: mine.length, readyReplicas: ready, availableReplicas: ready };
  const seen = { observedGeneration: numberAt(owner, "metadata", "generation") };
  const others = {
    unavailableReplicas: Math.max(0, numberAt(owner, "spec", "replicas") - ready),
    updatedReplicas: mine.length,
  };
  const all = kind.kind === "Deployment" ? { ...counts, ...others } : counts;
  const told = Object.fromEntries(
    Object.entries(all).filter(([name, count]) => count > 0 || (name === "replicas" && kind === replicaSets)),
  );
  const conditions = kind.kind === "Deployment" ? { conditions: deploymentConditions(owner, ready, now) } : {};
  const next = put(owner, ["status"], { ...seen, ...told, ...conditions });
  // Only what differs is written, so that passes come to rest.
  if (!isDeepStrictEqual(owner, next)) storage.write(kind, next);
}

function deploymentConditions(deployment: JsonObject, ready: number, now: number): readonly Json[] {
  const wanted = numberAt(deployment, "spec", "replicas");
  const enough = ready >= wanted - Math.floor(wanted / 4);
  const condition = (type: string, holds: boolean, reason: string, message: string): Json => {
    const old = listAt(deployment, "status", "conditions").find((one) => textAt(one, "type") === type);
    const status = holds ? "True" : "False";
    if (old !== undefined && textAt(old, "status") === status && textAt(old, "reason") === reason) return old;
    return { type, status, lastUpdateTime: timestamp(now), lastTransitionTime: timestamp(now), reason, message };
  };
  const available = enough
    ? condition("Available", true, "MinimumReplicasAvailable", "Deployment has minimum availability.")
    : condition("Available", false, "MinimumReplicasUnavailable", "Deployment does not have minimum availability.");
  const done = ready >= wanted;
  const set = `ReplicaSet "${nameOf(deployment)}-${templateHash(deployment)}"`;
  const progressing = done
    ? condition("Progressing", true, "NewReplicaSetAvailable", `${set} has successfully progressed.`)
    : condition("Progressing", true, "ReplicaSetUpdated", `${set} is progressing.`);
  return [available, progressing];
}
