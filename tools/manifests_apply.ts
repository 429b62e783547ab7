// Creates or updates up to 20 objects by server-side apply: all are rehearsed before the first is written.

import * as z from "zod";
import {
  answer,
  at,
  configFirst,
  defineTool,
  effectOfManifest,
  fault,
  Faulted,
  inputs,
  lookBeside,
  manifestsIn,
  surroundings,
  textAt,
  unwritable,
  type FindKind,
  type JsonObject,
  type Need,
  type ObjectRef,
  type Problem,
  type ResourceKind,
  type Written,
} from "../src/tool.ts";

const input = z.strictObject({
  manifest: z.string().min(1).max(262_144).describe("YAML documents"),
  namespace: inputs.namespace().optional(),
  force_conflicts: z.boolean().default(false).describe("Take over others’ fields"),
  preview: inputs.preview(),
  reason: inputs.reason(),
});
type Input = z.output<typeof input>;

export default defineTool<Input>({
  name: "manifests_apply",
  title: "Apply manifests",
  description:
    "Create or update up to 20 objects by server-side apply; all pass a dry run before the first is written. Fields you leave out stay, unless an earlier apply here set them. Preview first.",
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  effects: ["change", "destroy"],
  input,
  effect: ({ manifest }) => effectOfManifest(manifest),
  reason: ({ reason }) => reason,
  previewOnly: ({ preview }) => preview,
  async needs(asked, { findKind }) {
    const verbs = ["get", "patch", "create"] as const;
    const documents = await documentsOf(asked, findKind);
    const own = documents.flatMap(({ ref }) => verbs.map((verb): Need => ({ verb, ...ref })));
    const owners = documents.flatMap((one) => one.owners).map((ref): Need => ({ verb: "get", ...ref }));
    return [...own, ...owners, ...(await surroundings(documents, findKind))];
  },
  async run(asked, kit) {
    const documents = await documentsOf(asked, kit.findKind);
    // An owner that was not read counts as one that does not exist.
    for (const owner of documents.flatMap((one) => one.owners)) await kit.cluster.get(owner);
    const checks = await lookBeside(documents, kit, async () => {
      const applied: JsonObject[] = [];
      for (const { ref, object, path } of documents)
        applied.push(await kit.cluster.apply(ref, object, { force: asked.force_conflicts, argument: path }));
      return applied;
    });
    const undo = "manifests_apply with the values before the arrows; objects_delete for what was created";
    return { ...answer([], [], { counts: { objects: documents.length } }), checks, undo };
  },
});

interface Wanted extends Written<ResourceKind> {
  readonly object: JsonObject;
  readonly path: string;
  readonly owners: readonly ObjectRef[];
}

/** The documents with their places, in the order in which they are written. Faults: invalid_input, unknown_kind. */
async function documentsOf(asked: Input, findKind: FindKind): Promise<readonly Wanted[]> {
  const wanted: Wanted[] = [];
  for (const { object, path } of manifestsIn(asked.manifest)) {
    const ref = await placed(object, path, asked.namespace, findKind);
    const { kind, namespace, name } = ref;
    if (wanted.some((one) => sameObject(one.ref, ref))) throw invalid({ path, rule: "stands twice in this manifest" });
    const secret = kind.group === "" && kind.resource === "secrets";
    const problems = unwritable(object, path, { secret, identity: true });
    if (problems.length > 0) throw invalid(...problems);
    const metadata = { ...(object["metadata"] as JsonObject), name, ...(namespace === "" ? {} : { namespace }) };
    wanted.push({
      ref,
      path,
      object: { ...object, metadata },
      owners: await ownersOf(metadata, path, namespace, findKind),
      replicas: at(object, "spec", "replicas") !== undefined,
      selector: at(object, "spec", "selector") !== undefined,
    });
  }
  return configFirst(wanted);
}

/** The owners that a document names: each must be there, in its namespace or outside all of them. */
async function ownersOf(
  metadata: JsonObject,
  path: string,
  namespace: string,
  findKind: FindKind,
): Promise<readonly ObjectRef[]> {
  const owners = metadata["ownerReferences"];
  const parsed = z
    .array(owner)
    .max(10)
    .safeParse(owners ?? []);
  if (!parsed.success)
    throw invalid({
      path: `${path}.metadata.ownerReferences`,
      rule: "must be up to 10 owners: apiVersion, kind, name, uid",
    });
  return await Promise.all(
    parsed.data.map(async (one) => {
      const [group = "", version = ""] = groupAndVersion(one.apiVersion);
      const kind = await findKind([one.kind, version, group].filter((part) => part !== "").join("."));
      return { kind, namespace: kind.namespaced ? namespace : "", name: one.name };
    }),
  );
}

const groupAndVersion = (apiVersion: string): readonly string[] =>
  /^(?:([^/]+)\/)?([^/]+)$/.exec(apiVersion)?.slice(1) ?? [];

function sameObject(one: ObjectRef, other: ObjectRef): boolean {
  const { kind, namespace, name } = one;
  return (
    kind.group === other.kind.group &&
    kind.resource === other.kind.resource &&
    namespace === other.namespace &&
    name === other.name
  );
}

/** Which object a document is. Its own namespace and the argument may not differ: one of them would be a surprise. */
async function placed(
  object: JsonObject,
  path: string,
  argument: string | undefined,
  findKind: FindKind,
): Promise<ObjectRef> {
  const head = header.safeParse({ ...object, metadata: object["metadata"] ?? {} });
  if (!head.success) {
    const at = head.error.issues[0]?.path.map(String).join(".") ?? "";
    throw invalid({ path: `${path}.${at}`, rule: headRules[at] ?? "is not valid" });
  }
  const [group = "", version = ""] = groupAndVersion(head.data.apiVersion);
  const kind = await findKind([head.data.kind, version, group].filter((part) => part !== "").join("."));
  if (kind.kind !== head.data.kind || kind.group !== group || kind.version !== version)
    throw invalid({
      path: `${path}.kind`,
      rule: `this cluster serves it as ${kind.kind} in ${kind.group === "" ? "" : `${kind.group}/`}${kind.version}`,
    });
  const own = textAt(object, "metadata", "namespace");
  if (!kind.namespaced && own !== "")
    throw invalid({ path: `${path}.metadata.namespace`, rule: `${kind.kind} has no namespace: leave it out` });
  if (!kind.namespaced) return { kind, namespace: "", name: head.data.metadata.name };
  if (own !== "" && argument !== undefined && own !== argument)
    throw invalid({ path: `${path}.metadata.namespace`, rule: "is another than the argument namespace" });
  const namespace = own === "" ? argument : own;
  if (namespace === undefined)
    throw invalid({ path: `${path}.metadata.namespace`, rule: `${kind.kind} is namespaced: name its namespace` });
  return { kind, namespace, name: head.data.metadata.name };
}

const apiVersion = z
  .string()
  .max(120)
  .regex(/^([a-z0-9]([a-z0-9.-]*[a-z0-9])?\/)?v[a-z0-9]+$/);
const kindWord = z
  .string()
  .max(63)
  .regex(/^[A-Z][A-Za-z0-9]*$/);
const owner = z.strictObject({
  apiVersion,
  kind: kindWord,
  name: inputs.name(),
  uid: z.string().regex(/^[A-Za-z0-9-]{1,64}$/),
  controller: z.boolean().optional(),
  blockOwnerDeletion: z.boolean().optional(),
});
const header = z.object({
  apiVersion,
  kind: kindWord,
  metadata: z.object({
    name: inputs.name(),
    namespace: inputs.namespace().optional(),
    generateName: z.undefined().optional(),
  }),
});
const headRules: { readonly [path: string]: string } = {
  apiVersion: "must be a group and version, for example apps/v1",
  kind: "must be a kind, for example Deployment",
  "metadata.name": "must be a Kubernetes object name",
  "metadata.namespace": "must be a namespace name",
  "metadata.generateName": "is not taken: give the object a name",
};

function invalid(...problems: readonly Problem[]): Faulted {
  return new Faulted(
    fault("invalid_input", { problems: problems.slice(0, 8).map(({ path, rule }) => ({ path, rule })) }),
  );
}
