// Which pods a drain evicts, told by metadata while it is planned and by the whole pod when it runs: both must agree.

import * as fc from "fast-check";
import { expect } from "vitest";
import type { JsonObject } from "../../src/domain/json.ts";
import { drainedPods, isEvictable, selectsLabels } from "../../src/tool.ts";
import { promise } from "../support/promise.ts";

const name = fc.constantFrom("a", "b", "c", "d");
const owner = fc.constantFrom("ReplicaSet", "DaemonSet", "StatefulSet", "Job");
const pod = fc
  .record({
    namespace: name,
    name,
    uid: fc.uuid(),
    owner: fc.option(owner, { nil: null }),
    controller: fc.boolean(),
    mirror: fc.boolean(),
    leaving: fc.boolean(),
    phase: fc.constantFrom("Running", "Pending", "Succeeded", "Failed"),
    volumes: fc.array(fc.constantFrom("emptyDir", "configMap", "persistentVolumeClaim"), { maxLength: 3 }),
  })
  .map((part) => ({ part, object: objectOf(part) }));

interface Part {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly owner: string | null;
  readonly controller: boolean;
  readonly mirror: boolean;
  readonly leaving: boolean;
  readonly phase: string;
  readonly volumes: readonly string[];
}

function objectOf(part: Part): JsonObject {
  return {
    metadata: {
      namespace: part.namespace,
      name: part.name,
      uid: part.uid,
      ...(part.mirror ? { annotations: { "kubernetes.io/config.mirror": "[MASKED:hash]" } } : {}),
      ...(part.owner === null
        ? {}
        : { ownerReferences: [{ kind: part.owner, name: "o", uid: "u", controller: part.controller }] }),
      ...(part.leaving ? { deletionTimestamp: "2026-11-21T00:00:00Z" } : {}),
    },
    spec: { volumes: part.volumes.map((kind, index) => ({ name: `v${index}`, [kind]: {} })) },
    status: { phase: part.phase },
  };
}

promise("tools:nodes-spared", "whatever the pods are, the plan and the run choose the same", () => {
  fc.assert(
    fc.property(fc.array(pod, { maxLength: 12 }), (pods) => {
      const seen = drainedPods(pods.map((one) => one.object));
      for (const { part } of pods) {
        const found = seen.find((one) => one.uid === part.uid);
        const controlled = part.owner !== null && part.controller ? part.owner : null;
        const marks = {
          annotations: part.mirror ? ["kubernetes.io/config.mirror"] : [],
          controller: controlled === null ? null : { kind: controlled },
          leaving: part.leaving,
        };
        expect(isEvictable(marks)).toBe(found?.stays === "" && !found.leaving);
        expect(found?.stays).toBe(part.mirror ? "mirror" : controlled === "DaemonSet" ? "DaemonSet" : "");
        expect(found?.alone).toBe(controlled === null);
        expect(found?.over).toBe(part.leaving || ["Succeeded", "Failed"].includes(part.phase));
        expect(found?.emptyDirs.length).toBe(part.volumes.filter((kind) => kind === "emptyDir").length);
      }
      const order = seen.map((one) => `${one.namespace}/${one.name}`);
      expect(order).toEqual(order.toSorted());
    }),
  );
});

promise("tools:nodes-drain", "a budget's selector counts a pod as Kubernetes does", () => {
  const labels = { app: "api", tier: "web" };
  const cases: readonly (readonly [JsonObject | undefined, boolean])[] = [
    [undefined, false],
    [{}, true],
    [{ matchLabels: { app: "api" } }, true],
    [{ matchLabels: { app: "api", tier: "db" } }, false],
    [{ matchExpressions: [{ key: "app", operator: "In", values: ["api", "b"] }] }, true],
    [{ matchExpressions: [{ key: "app", operator: "NotIn", values: ["api"] }] }, false],
    [{ matchExpressions: [{ key: "gone", operator: "NotIn", values: ["api"] }] }, true],
    [{ matchExpressions: [{ key: "tier", operator: "Exists" }] }, true],
    [{ matchExpressions: [{ key: "tier", operator: "DoesNotExist" }] }, false],
    [{ matchLabels: { app: "api" }, matchExpressions: [{ key: "gone", operator: "Exists" }] }, false],
  ];
  for (const [selector, selected] of cases)
    expect([selector, selectsLabels(selector, labels)]).toEqual([selector, selected]);
});
