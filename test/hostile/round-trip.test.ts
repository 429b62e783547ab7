// Hidden values against an agent that may write beside them: no patch, list or refusal brings one to light or says whether a guess of it is right.

import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, inject } from "vitest";
import type { Json, JsonObject } from "../../src/domain/json.ts";
import { adminOf, deployment, namespace, type Admin } from "../cluster/admin.ts";
import { promise } from "../support/promise.ts";
import { openWorld, type Answer, type World } from "../support/world.ts";

const cluster = inject("cluster");
const why = "skip" in cluster ? ` (skipped: ${cluster.skip})` : "";
const place = "round-trip-dev";
const core = `/api/v1/namespaces/${place}`;

/** The hand of a person is not what holds here: everything may be written. */
const policy = `version: 1
rules:
  - { id: read, effect: allow, match: { verbs: [get, list, watch], kinds: [configmaps, pods, apps/deployments, apps/replicasets, tests.sallyport.example/things, resourcequotas, autoscaling/horizontalpodautoscalers, policy/poddisruptionbudgets] }, reason: a test }
  - { id: write, effect: allow, match: { effects: [change, destroy], verbs: [create, patch, delete], kinds: [configmaps, pods, apps/deployments, tests.sallyport.example/things] }, reason: a test }
`;

const text = { type: "string" };
/** A kind whose lists Kubernetes merges by keys that are not called `name`. */
const things: JsonObject = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "things.tests.sallyport.example" },
  spec: {
    group: "tests.sallyport.example",
    scope: "Namespaced",
    names: { plural: "things", singular: "thing", kind: "Thing" },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: "object",
            properties: {
              spec: {
                type: "object",
                properties: {
                  variables: listOf("key", { key: text, value: text }),
                  settings: listOf("id", { id: text, key: text, value: text }),
                  users: listOf("id", { id: text, password: text }),
                  free: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
                },
              },
            },
          },
        },
      },
    ],
  },
};
function listOf(key: string, properties: JsonObject): JsonObject {
  const items = { type: "object", required: [key], properties };
  return { type: "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": [key], items };
}

describe.skipIf("skip" in cluster)(`hidden values on a real control plane${why}`, () => {
  let world: World;
  let admin: Admin;
  const [secret, guess] = ["winter-coat", "summer-coat"];

  beforeAll(async () => {
    if ("skip" in cluster) return;
    admin = adminOf(cluster);
    await admin.create("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", things);
    await admin.create("/api/v1/namespaces", namespace(place, "dev"));
    await admin.create(`/apis/apps/v1/namespaces/${place}/deployments`, withEnv());
    for (const [name, more] of [
      ["logins", {}],
      ["frozen", { immutable: true }],
    ] as const)
      await admin.create(`${core}/configmaps`, {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name, namespace: place },
        data: { password: secret, open: "1" },
        ...more,
      });
    await made(`${core}/pods`, {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "alone", namespace: place },
      spec: {
        nodeName: "nowhere",
        containers: [
          { name: "main", image: "registry.example.com/pause:1", env: [{ name: "DB_PASSWORD", value: secret }] },
        ],
      },
    });
    await made(`/apis/tests.sallyport.example/v1/namespaces/${place}/things`, {
      apiVersion: "tests.sallyport.example/v1",
      kind: "Thing",
      metadata: { name: "one", namespace: place },
      spec: {
        variables: [{ key: "DB_PASSWORD", value: secret }],
        settings: [{ id: "1", key: "DB_PASSWORD", value: secret }],
        users: [
          { id: "a", password: "another-coat" },
          { id: "b", password: secret },
        ],
        free: { template: "none" },
      },
    });
    world = await openWorld({
      kubeconfigPath: cluster.kubeconfigPath,
      enroll: null,
      policy,
      config: "hold: 10\ncredentials: ambient",
    });
  });
  afterAll(async () => {
    await world?.stop();
  });

  /** Created as soon as the cluster takes it: a new kind and a namespace's own account come a moment later. */
  async function made(path: string, object: JsonObject): Promise<void> {
    for (let tries = 0; ; tries++) {
      const { status } = await admin.send("POST", path, object);
      if (status === 201) return;
      if (tries > 600) throw new Error(`${path}: ${status}`);
      await pause(100);
    }
  }
  function withEnv(): JsonObject {
    const made = deployment("api", 1, secret) as { spec: { template: { spec: { containers: JsonObject[] } } } };
    const [main = {}] = made.spec.template.spec.containers;
    const env = [
      { name: "MODE", value: "a" },
      { name: "DB_PASSWORD", value: secret },
    ];
    made.spec.template.spec.containers[0] = { ...main, args: ["--verbose", "--token=Zq8vLk2mXw9r"], env };
    return made;
  }
  const preview = async (tool: string, arguments_: JsonObject): Promise<Answer> =>
    await world.call(tool, { namespace: place, reason: "a test of hidden values", preview: true, ...arguments_ });
  const patched = async (kind: string, name: string, type: string, patch: Json): Promise<Answer> =>
    await preview("objects_patch", { kind, name, type, patch });
  /** The object as YAML for server-side apply. */
  const applied = async (object: JsonObject, more: JsonObject = {}): Promise<Answer> =>
    await preview("manifests_apply", { manifest: JSON.stringify(object), ...more });
  const thing = (spec: JsonObject): JsonObject => ({
    apiVersion: "tests.sallyport.example/v1",
    kind: "Thing",
    metadata: { name: "one", namespace: place },
    spec,
  });
  const config = (name: string, password: string): JsonObject => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name, namespace: place },
    data: { password },
  });
  /** All that tells two answers apart; ids and times differ anyway. */
  const shape = ({ text, facts }: Answer): Json => [
    text.replaceAll(/(call|apr)_[0-9a-f-]{36}/g, "$1"),
    { ...facts, call: "" },
  ];

  promise("hostile:hidden-stays", "a variable that takes the name of one that may be read", async () => {
    const path = "/spec/template/spec/containers/0/env/1/name";
    const answer = await patched("Deployment", "api", "json", [{ op: "replace", path, value: "MODE" }]);
    expect([answer.facts["code"], answer.text.includes(secret)]).toEqual(["invalid_input", false]);
  });

  promise("hostile:hidden-stays", "a token under another key of a list that Kubernetes merges by it", async () => {
    const answer = await applied(thing({ variables: [{ key: "COLOUR", value: "[MASKED:password]" }] }));
    expect([answer.facts["code"], answer.text.includes(secret)]).toEqual(["invalid_input", false]);
  });

  promise("hostile:hidden-stays", "another name beside a value that Kubernetes merges by a third field", async () => {
    const answer = await applied(thing({ settings: [{ id: "1", key: "COLOUR" }] }), { force_conflicts: true });
    expect([answer.facts["code"], answer.text.includes(secret)]).toEqual(["invalid_input", false]);
  });

  promise("hostile:guess-unanswered", "a conflict that only another value would have", async () => {
    for (const more of [{}, { force_conflicts: true }]) {
      const [right, wrong] = [
        await applied(config("logins", secret), more),
        await applied(config("logins", guess), more),
      ];
      expect(shape(right)).toEqual(shape(wrong));
    }
  });

  promise("hostile:guess-unanswered", "a field that can't be changed to another value", async () => {
    const env = (value: string): Json => ({
      spec: { containers: [{ name: "main", env: [{ name: "DB_PASSWORD", value }] }] },
    });
    const pods = [
      await patched("Pod", "alone", "strategic", env(secret)),
      await patched("Pod", "alone", "strategic", env(guess)),
    ];
    expect(shape(pods[0] as Answer)).toEqual(shape(pods[1] as Answer));
    const data = (password: string): Json => ({ data: { password } });
    const maps = [
      await patched("ConfigMap", "frozen", "merge", data(secret)),
      await patched("ConfigMap", "frozen", "merge", data(guess)),
    ];
    expect(shape(maps[0] as Answer)).toEqual(shape(maps[1] as Answer));
    const steps = (value: string): Json => [{ op: "replace", path: "/data/password", value }];
    const json = [
      await patched("ConfigMap", "frozen", "json", steps(secret)),
      await patched("ConfigMap", "frozen", "json", steps(guess)),
    ];
    expect(shape(json[0] as Answer)).toEqual(shape(json[1] as Answer));
  });

  promise("hostile:guess-unanswered", "what is sent as it was read is no guess and meets no conflict", async () => {
    const { text: yaml } = await world.call("objects_get", {
      kind: "Deployment",
      name: "api",
      namespace: place,
      view: "spec",
    });
    const manifest = yaml
      .split("\n")
      .slice(1)
      .filter((line) => !/^(\d+ masked|call call_)/.test(line))
      .join("\n");
    expect(manifest.match(/\[MASKED:/g)?.length).toBe(2);
    const answer = await preview("manifests_apply", { manifest });
    expect([answer.isError, /no field changes/.test(answer.text)]).toEqual([false, true]);
  });

  promise("hostile:guess-unanswered", "a member of a list that stands elsewhere in the answer", async () => {
    const of = async (password: string): Promise<Answer> =>
      await applied(thing({ users: [{ id: "b", password }] }), { force_conflicts: true });
    const [right, wrong] = [await of(secret), await of(guess)];
    expect(shape(right)).toEqual(shape(wrong));
    // The one that is written stands second: whoever approves must not be shown another in its place.
    expect(wrong.text).toContain('~ spec.users[1].password: "[MASKED:password]"');
  });

  promise("hostile:hidden-identity", "another account under a field that held plain text", async () => {
    const answer = await patched("Thing", "one", "merge", {
      spec: { free: { template: { serviceAccountName: "root" } } },
    });
    expect(answer.text).toContain("pods run as another ServiceAccount than today");
  });
});
