// Troubled applications on a real control plane without a kubelet: what a kubelet would report is written into status by the admin.

import { at, textAt, type JsonObject } from "../../src/domain/json.ts";
import type { Admin } from "./admin.ts";

export interface Scenes {
  /** A Deployment whose template is merged with `template`; returns its pods once they are there. */
  deploy(name: string, replicas: number, template?: JsonObject): Promise<readonly JsonObject[]>;
  pods(app: string, count: number): Promise<readonly JsonObject[]>;
  /** Writes a pod's status as a kubelet would. */
  report(pod: JsonObject, status: JsonObject): Promise<void>;
  event(kind: string, name: string, reason: string, message: string, more?: JsonObject): Promise<void>;
  make(path: string, object: JsonObject): Promise<JsonObject>;
  /** Waits until `look` gives something. */
  until<Found>(look: () => Promise<Found | null>, instead?: () => Promise<string>): Promise<Found>;
}

export function scenesIn(admin: Admin, namespace: string): Scenes {
  let events = 0;
  const until: Scenes["until"] = async (look, instead) => {
    for (const until = Date.now() + 60_000; Date.now() < until;) {
      const found = await look();
      if (found !== null) return found;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`what the test waits for did not come: ${(await instead?.()) ?? ""}`);
  };
  const pods: Scenes["pods"] = async (app, count) =>
    await until(async () => {
      const { body } = await admin.send("GET", `/api/v1/namespaces/${namespace}/pods?labelSelector=app%3D${app}`);
      const items = at(body, "items");
      return Array.isArray(items) && items.length === count ? (items as JsonObject[]) : null;
    });
  const make: Scenes["make"] = async (path, object) => await admin.create(path.replace("NS", namespace), object);
  return {
    until,
    pods,
    make,
    async deploy(name, replicas, template = {}) {
      const labels = { app: name };
      const container = { name: "main", image: "registry.example.com/shop/app:1.4.2" };
      const spec = { containers: [container], ...template };
      await make("/apis/apps/v1/namespaces/NS/deployments", {
        apiVersion: "apps/v1",
        kind: "Deployment",
        metadata: { name, labels },
        spec: { replicas, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
      });
      return await pods(name, replicas);
    },
    async report(pod, status) {
      const name = textAt(pod, "metadata", "name");
      const answer = await admin.send(
        "PATCH",
        `/api/v1/namespaces/${namespace}/pods/${name}/status`,
        { status },
        { contentType: "application/merge-patch+json" },
      );
      if (answer.status !== 200) throw new Error(`status of ${name}: ${JSON.stringify(answer.body)}`);
    },
    async event(kind, name, reason, message, more = {}) {
      const now = new Date().toISOString().replace(/\.\d+Z/, "Z");
      await make("/api/v1/namespaces/NS/events", {
        apiVersion: "v1",
        kind: "Event",
        metadata: { name: `${name}.${String(++events)}` },
        involvedObject: { kind, name, namespace },
        reason,
        message,
        type: "Warning",
        count: 3,
        firstTimestamp: now,
        lastTimestamp: now,
        ...more,
      });
    },
  };
}

const moment = (): string => new Date().toISOString().replace(/\.\d+Z/, "Z");

/** A container's status as the kubelet writes it (core/v1 ContainerStatus). */
export function containerStatus(state: JsonObject, more: JsonObject = {}): JsonObject {
  return { name: "main", image: "i", imageID: "", ready: false, restartCount: 0, state, ...more };
}

/** A pod's status with one container. */
export function podStatus(phase: string, container: JsonObject, ready: boolean): JsonObject {
  const condition = (type: string, status: boolean): JsonObject => ({
    type,
    status: status ? "True" : "False",
    lastTransitionTime: moment(),
  });
  return {
    phase,
    conditions: [condition("PodScheduled", true), condition("Ready", ready)],
    containerStatuses: [container],
  };
}

/** Crashes in a loop: the last run ended so. */
export function crashing(reason: string, exitCode: number, restarts = 7): JsonObject {
  const ended = { reason, exitCode, startedAt: moment(), finishedAt: moment(), containerID: "" };
  return podStatus(
    "Running",
    containerStatus(
      { waiting: { reason: "CrashLoopBackOff", message: "back-off 5m0s restarting failed container" } },
      { restartCount: restarts, lastState: { terminated: ended } },
    ),
    false,
  );
}

export function waiting(reason: string, message: string): JsonObject {
  return podStatus("Pending", containerStatus({ waiting: { reason, message } }), false);
}

export function running(ready: boolean): JsonObject {
  return podStatus("Running", containerStatus({ running: { startedAt: moment() } }, { ready }), ready);
}

/** The answer without what differs from run to run: names drawn by lot, ages, times, tags and the call's id. */
export function steady(text: string): string {
  return text
    .replaceAll(/call_[0-9a-f-]{36}/g, "call_…")
    .replaceAll(/-[bcdf0-9]{0,2}[a-z0-9]{6,10}-[a-z0-9]{5}\b/g, "-HASH-RAND")
    .replaceAll(/\b([a-z-]+)-[a-f0-9]{8,10}\b/g, "$1-HASH")
    .replaceAll(/\((?:\d{4}-\d\d-\d\dT)?\d\d:\d\d:\d\dZ to \d\d:\d\d:\d\dZ\)/g, "(WINDOW)")
    .replaceAll(/\b\d+[smhd] ago/g, "AGE ago")
    .replaceAll(/(WINDOW\)): \d+/g, "$1: COUNT")
    .replaceAll(/event \d+×/g, "event COUNT×")
    .replaceAll(/\d+ read\b/g, "COUNT read")
    .replaceAll(/^\d+[smhd] \| /gm, "AGE | ")
    .replaceAll(/ \(\d+[smhd]\) \| /g, " | ")
    .replaceAll(/says ".*nobody.*"/g, 'says "… nobody …"')
    .replaceAll(/\[(data|end) [0-9a-f]{4}/g, "[$1 TAG");
}

/** The answer without its column of ages, which is folded or not as seconds fall. */
export function ageless(text: string): string {
  return text
    .replaceAll(/same in all rows: AGE \d+[smhd]\n/g, "")
    .replaceAll(" | AGE | ", " | ")
    .replaceAll(/ \| \d+[smhd] \| /g, " | ");
}

/** Waits until pods can be made there. One that comes before the account that it runs under is refused, and an event tells of it. */
export async function accountsIn(admin: Admin, ...namespaces: readonly string[]): Promise<void> {
  for (const namespace of namespaces) {
    const path = `/api/v1/namespaces/${namespace}/serviceaccounts/default`;
    const there = async () => ((await admin.send("GET", path)).status === 200 ? true : null);
    await scenesIn(admin, namespace).until(there);
  }
}

/** A custom resource definition with one version (apiextensions.k8s.io/v1). */
export function definition(
  group: string,
  version: string,
  names: JsonObject,
  scope: string,
  schema: JsonObject,
): JsonObject {
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: {
      name: `${textAt(names, "plural")}.${group}`,
      annotations: { "api-approved.kubernetes.io": "unapproved, a stand-in for tests" },
    },
    spec: {
      group,
      scope,
      names,
      versions: [{ name: version, served: true, storage: true, schema: { openAPIV3Schema: schema } }],
    },
  };
}
