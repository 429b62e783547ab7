// Scaling to nothing by every door that could: a rule that holds back what destroys must hold back each.

import { afterAll, beforeAll, describe, expect, inject } from "vitest";
import { at, type JsonObject } from "../../src/domain/json.ts";
import { adminOf, namespace, type Admin } from "../cluster/admin.ts";
import { promise } from "../support/promise.ts";
import { openWorld, type World } from "../support/world.ts";

const place = "to-nothing";
const deployments = `/apis/apps/v1/namespaces/${place}/deployments`;
const policy = `version: 1
rules:
  - { id: read, effect: allow, match: { verbs: [get, list], namespaces: [${place}] }, reason: a test }
  - { id: change, effect: allow, match: { effects: [change], environments: [dev] }, reason: a test }
`;

const cluster = inject("cluster");
const why = "skip" in cluster ? ` (skipped: ${cluster.skip})` : "";

describe.skipIf("skip" in cluster)(`scaling to nothing on a real control plane${why}`, () => {
  let admin: Admin;
  let world: World;
  beforeAll(async () => {
    if ("skip" in cluster) return;
    admin = adminOf(cluster);
    await admin.create("/api/v1/namespaces", namespace(place, "dev"));
    await admin.create(deployments, deployment(2));
    world = await openWorld({
      kubeconfigPath: cluster.kubeconfigPath,
      enroll: null,
      policy,
      config: "credentials: ambient\nhold: 0",
    });
  });
  afterAll(async () => {
    await world?.stop();
  });

  const replicas = async (): Promise<unknown> =>
    at((await admin.send("GET", `${deployments}/api`)).body, "spec", "replicas");
  const base = { kind: "Deployment", namespace: place, name: "api", reason: "a test of scaling to nothing" };
  const applied = (count: string, more = ""): JsonObject => ({
    namespace: place,
    reason: base.reason,
    force_conflicts: true,
    manifest: `${JSON.stringify(deployment(77)).replace("77", count)}${more}`,
  });
  const written: readonly (readonly [tool: string, JsonObject])[] = [
    ["workloads_scale", { ...base, replicas: 0 }],
    ["objects_patch", { ...base, patch: { spec: { replicas: 0 } } }],
    ["objects_patch", { ...base, patch: { spec: { replicas: -0 } } }],
    ["objects_patch", { ...base, type: "strategic", patch: { spec: { replicas: 0 } } }],
    ["objects_patch", { ...base, type: "json", patch: [{ op: "replace", path: "/spec/replicas", value: 0 }] }],
    ["objects_patch", { ...base, type: "json", patch: [{ op: "add", path: "/spec/replicas", value: 0 }] }],
    ...["0", "-0", "0.0", "0e5", "1e-400", "4294967296", "-8589934592", "0.4"].map(
      (count) => ["manifests_apply", applied(count)] as const,
    ),
    ["manifests_apply", applied("0", "\n---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: beside}, data: {}}\n")],
  ];

  promise("tools:to-nothing", "where a rule allows changes alone, each way to zero is denied", async () => {
    for (const [tool, arguments_] of written) {
      const answer = await world.call(tool, arguments_);
      expect([tool, JSON.stringify(arguments_), answer.isError, answer.text.split("\n")[0]]).toEqual([
        tool,
        JSON.stringify(arguments_),
        true,
        expect.stringMatching(/^(DENIED|ERROR denied|ERROR invalid_input)/),
      ]);
    }
    expect(await replicas()).toBe(2);
  });

  promise("tools:to-nothing", "a count that is none is refused as such, and any other is a change", async () => {
    for (const [tool, arguments_] of [
      ["objects_patch", { ...base, patch: { spec: { replicas: 1.5 } } }],
      ["manifests_apply", applied("1.5")],
      ["manifests_apply", applied('"none"')],
    ] as const) {
      const answer = await world.call(tool, arguments_);
      expect([tool, answer.isError, answer.text.split("\n")[0]]).toEqual([
        tool,
        true,
        expect.stringMatching(/^ERROR (invalid_input|invalid_object)/),
      ]);
    }
    const changed = await world.call("manifests_apply", applied("3"));
    expect([changed.isError, await replicas()]).toEqual([false, 3]);
  });
});

function deployment(replicas: number): JsonObject {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "api", namespace: place },
    spec: {
      replicas,
      selector: { matchLabels: { app: "api" } },
      template: {
        metadata: { labels: { app: "api" } },
        spec: { containers: [{ name: "main", image: "registry.example.com/x:1" }] },
      },
    },
  };
}
