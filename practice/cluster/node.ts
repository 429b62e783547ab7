// The node's part: pods are bound and started, crash where a seed says so, and end.

import { createHash } from "node:crypto";
import { at, listAt, put, textAt, timestamp, type JsonObject } from "./json.ts";
import { kindFor } from "./kinds.ts";
import { isEnding, nameOf, namespaceOf, record, uidOf } from "./owned.ts";
import type { Storage } from "./storage.ts";

/** A pod template with this annotation at `crash-loop` makes pods that crash; nothing of the kind exists in Kubernetes. */
export const behaviour = "practice.sallyport.dev/behaviour";
const nodeName = "practice-node-1";
const restartsOfCrashing = 7;
const pods = kindFor("pods");

/** A new pod is bound and started, one with the crash-loop mark keeps crashing, an ended one goes. */
export function live(storage: Storage, pod: JsonObject, now: number): void {
  if (isEnding(pod)) {
    if (listAt(pod, "metadata", "finalizers").length === 0) storage.remove(pods, pod);
    return;
  }
  if (listAt(pod, "status", "containerStatuses").length > 0) return;
  const crashing = at(pod, "metadata", "annotations", behaviour) === "crash-loop";
  const bound = put(pod, ["spec", "nodeName"], textAt(pod, "spec", "nodeName") || nodeName);
  storage.write(pods, put(bound, ["status"], crashing ? crashedStatus(pod, now) : runningStatus(pod, now)));
  record(storage, pods, pod, "Started", `Started container ${textAt(pod, "spec", "containers", 0, "name")}`, now);
  if (!crashing) return;
  const container = textAt(pod, "spec", "containers", 0, "name");
  const why = `Back-off restarting failed container ${container} in pod ${nameOf(pod)}_${namespaceOf(pod)}(${uidOf(pod)})`;
  record(storage, pods, pod, "BackOff", why, now, { type: "Warning", count: 23 });
}

function podStatus(pod: JsonObject, ready: boolean, now: number, container: (name: string) => JsonObject): JsonObject {
  const bytes = createHash("sha256").update(uidOf(pod)).digest();
  const condition = (type: string, holds: boolean): JsonObject => ({
    type,
    status: holds ? "True" : "False",
    lastProbeTime: null,
    lastTransitionTime: timestamp(now),
    ...(holds ? {} : { reason: "ContainersNotReady", message: "containers with unready status" }),
  });
  return {
    phase: "Running",
    conditions: [
      condition("PodScheduled", true),
      condition("Initialized", true),
      condition("ContainersReady", ready),
      condition("Ready", ready),
    ],
    hostIP: "10.0.0.1",
    podIP: `10.244.${bytes[0] ?? 0}.${bytes[1] ?? 0}`,
    startTime: timestamp(now),
    containerStatuses: listAt(pod, "spec", "containers").map((one) => ({
      name: textAt(one, "name"),
      image: textAt(one, "image"),
      imageID: "",
      ready,
      ...container(textAt(one, "name")),
    })),
    qosClass: textAt(pod, "status", "qosClass"),
  };
}

const runningStatus = (pod: JsonObject, now: number): JsonObject =>
  podStatus(pod, true, now, () => ({
    restartCount: 0,
    started: true,
    state: { running: { startedAt: timestamp(now) } },
    lastState: {},
  }));

function crashedStatus(pod: JsonObject, now: number): JsonObject {
  const ended = { exitCode: 1, reason: "Error", startedAt: timestamp(now - 4000), finishedAt: timestamp(now) };
  const waiting = (name: string): JsonObject => ({
    reason: "CrashLoopBackOff",
    message: `back-off 5m0s restarting failed container=${name} pod=${nameOf(pod)}_${namespaceOf(pod)}(${uidOf(pod)})`,
  });
  return podStatus(pod, false, now, (name) => ({
    restartCount: restartsOfCrashing,
    started: false,
    state: { waiting: waiting(name) },
    lastState: { terminated: ended },
  }));
}
