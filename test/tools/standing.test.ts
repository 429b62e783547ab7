// When waiting for an object ends, and what is said of it: each kind by its own status, and those that can't come to it.

import { expect } from "vitest";
import {
  completion,
  hasCondition,
  leavingSays,
  readiness,
  revisionsOf,
  type JsonObject,
  type StandsAt,
} from "../../src/tool.ts";
import { promise } from "../support/promise.ts";

const said = ({ reached, says }: StandsAt): string =>
  `${reached}: ${says.map((part) => (typeof part === "string" ? part : part.quoted)).join("")}`;
const job = (spec: JsonObject, status: JsonObject): JsonObject => ({ spec, status });
const conditions = (...types: string[]): JsonObject => ({
  status: { conditions: types.map((type) => ({ type, status: "True" })) },
});

promise("tools:wait-never", "a suspended Job waits for nobody but whoever resumes it, and a queue has no count", () => {
  const done = { conditions: [{ type: "Complete", status: "True" }] };
  expect([
    said(completion("Job", job({ suspend: true, completions: 1 }, {}))),
    said(readiness("Job", job({ suspend: true, completions: 1 }, { ...done, succeeded: 1 }))),
    said(completion("Job", job({ completions: 5 }, { succeeded: 2, active: 1 }))),
    said(completion("Job", job({ parallelism: 3 }, { ...done, succeeded: 3 }))),
  ]).toEqual([
    "never: 0 of 1 succeeded, 0 failed, 0 active; it is suspended",
    "yes: 1 of 1 succeeded, 0 failed, 0 active",
    "no: 2 of 5 succeeded, 0 failed, 1 active",
    "yes: 3 succeeded, 0 failed, 0 active",
  ]);
});

promise(
  "tools:wait-never",
  "a kind that never reports it ends the waiting at once, and names what it does report",
  () => {
    expect([
      said(readiness("Service", { status: { loadBalancer: {} } })),
      said(readiness("HorizontalPodAutoscaler", conditions("AbleToScale", "ScalingActive"))),
      said(completion("CronJob", { status: {} })),
      said(completion("Deployment", conditions("Available", "Progressing"))),
      said(readiness("Node", { status: {} })),
      said(readiness("Lamp.example.com", { status: {} })),
      said(completion("Lamp.example.com", conditions("Complete"))),
      said(hasCondition(conditions("Ready", "PodScheduled"), "Redy", "True")),
      said(hasCondition({}, "Ready", "True")),
    ]).toEqual([
      "never: it reports no Ready or Available condition",
      "never: it reports no Ready or Available condition; wait for one that it has, as Type=Status: AbleToScale, ScalingActive",
      "never: it reports no Complete condition",
      "never: it reports no Complete condition; wait for one that it has, as Type=Status: Available, Progressing",
      "no: it reports no Ready or Available condition",
      "no: it reports no Ready or Available condition",
      "yes: Complete is True",
      "no: it has no condition Redy; it has Ready, PodScheduled",
      "no: it has no condition Ready and no other",
    ]);
  },
);

promise("tools:wait-says", "the container that holds a pod up is named, one that runs first too", () => {
  const waiting = (name: string, reason: string): JsonObject => ({ name, state: { waiting: { reason } } });
  const pod = {
    status: {
      phase: "Pending",
      initContainerStatuses: [waiting("proxy", "PodInitializing"), waiting("init", "CrashLoopBackOff")],
      containerStatuses: [waiting("main", "PodInitializing")],
    },
  };
  expect(said(readiness("Pod", pod))).toBe("no: phase Pending, container init: CrashLoopBackOff");
});

promise("tools:wait-says", "pods that are replaced as they are deleted are told as such, in both kinds", () => {
  const spec = { replicas: 3, updateStrategy: { type: "OnDelete" } };
  const set = (updated: number): JsonObject => ({
    spec,
    status: { currentRevision: "a", updateRevision: "b", updatedReplicas: updated, readyReplicas: 3 },
  });
  const daemons = (updated: number): JsonObject => ({
    spec,
    status: { desiredNumberScheduled: 2, updatedNumberScheduled: updated, numberReady: 2, numberAvailable: 2 },
  });
  expect([
    said(readiness("StatefulSet", set(0))),
    said(readiness("StatefulSet", set(3))),
    said(readiness("DaemonSet", daemons(0))),
    said(readiness("DaemonSet", daemons(2))),
  ]).toEqual([
    "yes: 0 of 3 updated, the others as they are deleted (OnDelete), 3 ready",
    "yes: 3 of 3 updated, 3 ready",
    "yes: 0 of 2 updated, the others as they are deleted (OnDelete), 2 ready, 2 available",
    "yes: 2 of 2 updated, 2 ready, 2 available",
  ]);
});

promise("tools:leaving-told", "what is on its way out names the finalizers that it waits for", () => {
  const metadata = { deletionTimestamp: "2026-11-22T12:00:00Z" };
  const of = (object: JsonObject): string | null => {
    const says = leavingSays(object);
    return says === null ? null : said({ reached: "no", says }).slice(4);
  };
  expect([
    of({ metadata: {} }),
    of({ metadata: { finalizers: ["example.com/hold"] } }),
    of({ metadata }),
    of({ metadata: { ...metadata, finalizers: ["example.com/hold", "b"] } }),
  ]).toEqual([
    null,
    null,
    "it is on its way out",
    "it is on its way out, once these finalizers are done: example.com/hold, b",
  ]);
});

promise("tools:undo-paused", "a paused Deployment stands in the revision of its template, or in none yet", () => {
  const annotated = (revision: string): JsonObject => ({ "deployment.kubernetes.io/revision": revision });
  const template = (image: string, labels: JsonObject): JsonObject => ({
    metadata: { labels: { app: "api", ...labels } },
    spec: { containers: [{ name: "main", image }] },
  });
  const kept = ["app:1", "app:2"].map((image, index): JsonObject => ({
    metadata: {
      name: `api-${index + 1}`,
      ownerReferences: [{ uid: "u" }],
      annotations: annotated(String(index + 1)),
    },
    spec: { template: template(image, { "pod-template-hash": `h${index}` }) },
  }));
  const paused = (image: string): JsonObject => ({
    metadata: { uid: "u", annotations: annotated("2") },
    spec: { paused: true, template: template(image, {}) },
  });
  const numbers = (image: string) => {
    const { current, others } = revisionsOf("Deployment", paused(image), kept);
    return [current?.number, others.map((one) => one.number)];
  };
  expect([numbers("app:3"), numbers("app:2"), numbers("app:1")]).toEqual([
    [undefined, [2, 1]],
    [2, [1]],
    [1, [2]],
  ]);
  expect(revisionsOf("Deployment", paused("app:3"), [])).toEqual({ current: undefined, others: [] });
});
