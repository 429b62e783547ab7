// Fields that no body may write, tried by each tool that takes a body; and the values that were hidden from whoever sends it.

import { expect } from "vitest";
import { Faulted } from "../../src/domain/fault.ts";
import type { Json, JsonObject } from "../../src/domain/json.ts";
import type { FindKind, ResourceKind } from "../../src/tool.ts";
import manifests_apply from "../../tools/manifests_apply.ts";
import objects_patch from "../../tools/objects_patch.ts";
import workloads_update from "../../tools/workloads_update.ts";
import { promise } from "../support/promise.ts";

const kindOf = (group: string, version: string, resource: string, kind: string, namespaced = true): ResourceKind => ({
  group,
  version,
  resource,
  kind,
  namespaced,
  verbs: [],
  shortNames: [],
  subresources: [],
});
const served = [
  kindOf("", "v1", "configmaps", "ConfigMap"),
  kindOf("", "v1", "secrets", "Secret"),
  kindOf("apps", "v1", "deployments", "Deployment"),
  kindOf("", "v1", "nodes", "Node", false),
];
const findKind: FindKind = async (text) => {
  const found = served.find((one) => one.kind.toLowerCase() === text.toLowerCase().split(".")[0]);
  if (found === undefined) throw new Error(`a test asks for ${text}`);
  return found;
};
const reason = "a reason of a test";

/** The problems that the tool finds with these arguments, or the writes that it declares. */
async function asked(tool: typeof objects_patch, arguments_: JsonObject): Promise<Json> {
  const opened = tool.open({ reason, ...arguments_ });
  if (opened.kind === "refused") return opened.problems.map((one) => ({ ...one }));
  try {
    return (await opened.needs({ findKind, calledAt: 0, lookUp: async () => [] })).map(
      (need) => `${need.verb} ${need.namespace}/${need.name}`,
    );
  } catch (thrown) {
    if (thrown instanceof Faulted) return thrown.fault.detail["problems"] ?? null;
    throw thrown;
  }
}
const patch = async (body: Json, more: JsonObject = {}): Promise<Json> =>
  await asked(objects_patch, { kind: "ConfigMap", name: "a", namespace: "b", patch: body, ...more });
const apply = async (manifest: Json, more: JsonObject = {}): Promise<Json> =>
  await asked(manifests_apply, {
    manifest: typeof manifest === "string" ? manifest : JSON.stringify(manifest),
    ...more,
  });
const own = "is Kubernetes' own: leave it out";
const same = "says which object it is: it can't be changed";
const whole = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a", namespace: "b" } };

/** [what is written into a body, the path that is told, the rule]. */
const fields: readonly (readonly [JsonObject, string, string])[] = [
  [{ status: {} }, ".status", own],
  [{ metadata: { managedFields: [] } }, ".metadata.managedFields", own],
  [{ metadata: { uid: "1" } }, ".metadata.uid", own],
  [{ metadata: { resourceVersion: "1" } }, ".metadata.resourceVersion", own],
  [{ metadata: { generateName: "a-" } }, ".metadata.generateName", "is not taken: give the object a name"],
  [
    { metadata: { "$deleteFromPrimitiveList/finalizers": ["a"] } },
    ".metadata.?deleteFromPrimitiveList/finalizers",
    "directives are not taken here",
  ],
  [{ $patch: "replace" }, ".?patch", "directives for the whole object are not taken"],
  [
    { metadata: { labels: { "pod-security.kubernetes.io/enforce": "privileged" } } },
    ".metadata.labels.pod-security.kubernetes.io/enforce",
    "decides what pods may do: it can't be written",
  ],
  [
    { metadata: { annotations: { "kubectl.kubernetes.io/last-applied-configuration": "{}" } } },
    ".metadata.annotations.kubectl.kubernetes.io/last-applied-configuration",
    own,
  ],
];

promise("tools:change-unwritable", "in a merge patch, a strategic one and a manifest", async () => {
  for (const [body, path, rule] of fields) {
    for (const type of ["merge", "strategic"])
      expect([body, await patch(body, { type })]).toEqual([body, [{ path: `patch${path}`, rule }]]);
    const metadata = { ...whole.metadata, ...(body["metadata"] as JsonObject | undefined) };
    const told = await apply({ ...whole, ...body, metadata });
    expect([body, told]).toEqual([body, [{ path: `manifest[0]${path}`, rule }]]);
  }
  const annotations = "would take away marks that no diff shows: name those to remove";
  expect(await patch({ metadata: { annotations: null } })).toEqual([
    { path: "patch.metadata.annotations", rule: annotations },
  ]);
  expect(await patch({ metadata: null })).toEqual([{ path: "patch.metadata", rule: "must be an object" }]);
  expect(await patch({ kind: "Secret" })).toEqual([{ path: "patch.kind", rule: same }]);
  expect(await patch({ metadata: { name: "c" } })).toEqual([{ path: "patch.metadata.name", rule: same }]);
  expect(await patch({ metadata: { labels: { team: "a" } }, data: { A: "1" } })).toEqual(["get b/a", "patch b/a"]);
});

promise("tools:change-unwritable", "in a JSON Patch, however its path is cut", async () => {
  const kept = "decide what may be deleted: they can't be written";
  const inside = "must be a path inside the object, for example /spec/suspend";
  const steps: readonly (readonly [JsonObject, string, string])[] = [
    [{ op: "test", path: "/data/A", value: "guess" }, "op", "must be add, remove or replace"],
    [{ op: "copy", from: "/data/A", path: "/metadata/annotations/a" }, "op", "must be add, remove or replace"],
    [{ op: "move", from: "/data/A", path: "/metadata/annotations/a" }, "op", "must be add, remove or replace"],
    [{ op: "replace", path: "", value: {} }, "path", inside],
    [{ op: "replace", path: "/metadata", value: {} }, "path", inside],
    [{ op: "remove", path: "/metadata/finalizers" }, "path", kept],
    [{ op: "remove", path: "/metadata/finalizers/0" }, "path", kept],
    [{ op: "add", path: "/metadata/finalizers/-", value: "x" }, "path", kept],
    [
      { op: "add", path: "/metadata/labels/pod-security.kubernetes.io~1enforce", value: "x" },
      "path",
      "decides what pods may do: it can't be written",
    ],
    [{ op: "add", path: "/metadata/annotations", value: { "deployment.kubernetes.io/revision": "9" } }, "path", own],
    [{ op: "replace", path: "/status/phase", value: "x" }, "path", own],
    [{ op: "replace", path: "/kind", value: "Secret" }, "path", same],
  ];
  for (const [step, field, rule] of steps)
    expect([step, await patch([step], { type: "json" })]).toEqual([step, [{ path: `patch[0].${field}`, rule }]]);
  expect(await patch([{ op: "add", path: "/data/A", value: "1", from: "/x" }], { type: "json" })).toEqual([
    { path: "patch[0]", rule: "must hold op, path and value alone" },
  ]);
  expect(await patch({ data: {} }, { type: "json" })).toEqual([{ path: "patch", rule: "must be a list of steps" }]);
  expect(await patch([], { type: "merge" })).toEqual([{ path: "patch", rule: "must be an object" }]);
});

promise(
  "tools:change-unwritable",
  "owners and finalizers by a patch; a manifest may name owners, each with its own look",
  async () => {
    for (const type of ["merge", "strategic"]) {
      expect(await patch({ metadata: { ownerReferences: [] } }, { type })).toEqual([
        { path: "patch.metadata.ownerReferences", rule: "decide what is deleted with what: they can't be written" },
      ]);
      expect(await patch({ metadata: { finalizers: null } }, { type })).toEqual([
        { path: "patch.metadata.finalizers", rule: "decide what may be deleted: they can't be written" },
      ]);
    }
    const owned = (owners: Json): Json => ({ ...whole, metadata: { ...whole.metadata, ownerReferences: owners } });
    const owner = { apiVersion: "apps/v1", kind: "Deployment", name: "api", uid: "1-2" };
    expect(await apply(owned([owner]))).toEqual(["get b/a", "patch b/a", "create b/a", "get b/api"]);
    const rule = "must be up to 10 owners: apiVersion, kind, name, uid";
    for (const odd of [[{ ...owner, name: "../x" }], [{ ...owner, more: 1 }], [{ kind: "Deployment" }], ["x"]])
      expect([odd, await apply(owned(odd))]).toEqual([odd, [{ path: "manifest[0].metadata.ownerReferences", rule }]]);
    const list = "must be a list";
    expect(await apply(owned(null))).toEqual([{ path: "manifest[0].metadata.ownerReferences", rule: list }]);
  },
);

promise("tools:change-unwritable", "a masked value in a variable of workloads_update", async () => {
  const update = {
    kind: "Deployment",
    name: "a",
    namespace: "b",
    container: "c",
    env: { A: "[MASKED:password:5f1c09aa]" },
  };
  const opened = workloads_update.open({ reason, ...update });
  expect(opened.kind).toBe("opened");
});

promise("tools:change-unwritable", "numbers that change on their way", async () => {
  const rule = "is too large to be exact: write it as text if the field takes text";
  for (const number of [Number.POSITIVE_INFINITY, 2 ** 53, -1e300])
    expect([number, await patch({ spec: { replicas: number } })]).toEqual([
      number,
      [{ path: "patch.spec.replicas", rule }],
    ]);
  expect(await patch([{ op: "add", path: "/spec/replicas", value: Infinity }], { type: "json" })).toEqual([
    { path: "patch[0].value", rule },
  ]);
  expect(await patch([{ op: "add", path: "/spec/replicas" }], { type: "json" })).toEqual([
    { path: "patch[0].value", rule: "must be there" },
  ]);
});

promise("tools:change-unwritable", "values of Secrets", async () => {
  const rule = "values of Secrets can't be written";
  const secret = { kind: "Secret" };
  expect(await patch({ data: { A: "eA==" } }, secret)).toEqual([{ path: "patch.data", rule }]);
  expect(await patch({ stringData: { A: "x" } }, secret)).toEqual([{ path: "patch.stringData", rule }]);
  expect(await patch([{ op: "remove", path: "/data/A" }], { ...secret, type: "json" })).toEqual([
    { path: "patch[0].path", rule },
  ]);
  expect(await apply({ ...whole, kind: "Secret", stringData: { A: "x" } })).toEqual([
    { path: "manifest[0].stringData", rule },
  ]);
});

promise("tools:change-manifests", "a document is the object that it says, in the namespace that it says", async () => {
  const verbs = ["get b/a", "patch b/a", "create b/a"];
  expect(await apply(whole)).toEqual(verbs);
  expect(await apply(whole, { namespace: "b" })).toEqual(verbs);
  expect(await apply({ ...whole, metadata: { name: "a" } }, { namespace: "b" })).toEqual(verbs);
  const wrong: readonly (readonly [Json, JsonObject, string, string])[] = [
    [whole, { namespace: "c" }, ".metadata.namespace", "is another than the argument namespace"],
    [{ ...whole, metadata: { name: "a" } }, {}, ".metadata.namespace", "ConfigMap is namespaced: name its namespace"],
    [{ ...whole, kind: "Node" }, {}, ".metadata.namespace", "Node has no namespace: leave it out"],
    [{ ...whole, kind: "configmap" }, {}, ".kind", "must be a kind, for example Deployment"],
    [{ ...whole, apiVersion: "apps/v1" }, {}, ".kind", "this cluster serves it as ConfigMap in v1"],
    [
      { ...whole, kind: "Deployment", apiVersion: "apps/v1beta1" },
      {},
      ".kind",
      "this cluster serves it as Deployment in apps/v1",
    ],
    [{ ...whole, apiVersion: "../../v1" }, {}, ".apiVersion", "must be a group and version, for example apps/v1"],
    [{ ...whole, metadata: { namespace: "b" } }, {}, ".metadata.name", "must be a Kubernetes object name"],
    [
      { ...whole, metadata: { namespace: "b", generateName: "a-" } },
      {},
      ".metadata.name",
      "must be a Kubernetes object name",
    ],
    [
      { ...whole, metadata: { namespace: "b", name: "../secrets/db" } },
      {},
      ".metadata.name",
      "must be a Kubernetes object name",
    ],
    [{ ...whole, metadata: { namespace: "b/../c", name: "a" } }, {}, ".metadata.namespace", "must be a namespace name"],
  ];
  for (const [manifest, more, path, rule] of wrong)
    expect([manifest, await apply(manifest, more)]).toEqual([manifest, [{ path: `manifest[0]${path}`, rule }]]);
  expect(await apply(`${JSON.stringify(whole)}\n---\n${JSON.stringify(whole)}`)).toEqual([
    { path: "manifest[1]", rule: "stands twice in this manifest" },
  ]);
});

promise("tools:change-patch", "scaling to nothing is a destruction by this door too", () => {
  const effectOf = (body: Json, type: string): string => {
    const opened = objects_patch.open({ reason, kind: "deploy", name: "a", namespace: "b", patch: body, type });
    return opened.kind === "opened" ? opened.effect : "refused";
  };
  expect([
    effectOf({ spec: { replicas: 0 } }, "merge"),
    effectOf([{ op: "replace", path: "/spec/replicas", value: 0 }], "json"),
    effectOf([{ op: "replace", path: "/spec", value: { replicas: 0 } }], "json"),
    effectOf({ spec: { replicas: 1 } }, "merge"),
  ]).toEqual(["destroy", "destroy", "destroy", "change"]);
});
