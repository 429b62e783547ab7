// Deletes named objects of one kind, each held to the uid that was agreed, and says what goes with them.

import { z } from "zod";
import {
  answer,
  at,
  defineTool,
  fault,
  Faulted,
  inputs,
  isOwnedBy,
  placeOf,
  textAt,
  type FindKind,
  type JsonObject,
  type Kit,
  type Need,
  type ObjectRef,
  type Sentence,
} from "../src/tool.ts";

const input = z.strictObject({
  kind: inputs.kind(),
  names: z.array(inputs.name()).min(1).max(20),
  namespace: inputs.namespace().optional(),
  cascade: z.enum(["background", "foreground", "orphan"]).default("background"),
  grace_seconds: z.number().int().min(0).max(600).optional(),
  preview: inputs.preview(),
  reason: inputs.reason(),
});
type Input = z.output<typeof input>;

/** Where dependents are looked for, parents before children. */
const dependents = ["jobs.batch", "replicasets.apps", "pods"];

export default defineTool<Input>({
  name: "objects_delete",
  title: "Delete objects",
  description: "Delete up to 20 named objects of one kind. Preview shows what goes with them and what recreates them.",
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  effects: ["destroy"],
  input,
  effect: () => "destroy",
  reason: ({ reason }) => reason,
  previewOnly: ({ preview }) => preview,
  async needs(asked, { findKind }) {
    if (new Set(asked.names).size < asked.names.length)
      throw new Faulted(fault("invalid_input", { problems: [{ path: "names", rule: "holds a name twice" }] }));
    const refs = await refsOf(asked, findKind);
    const own = refs.flatMap((ref): Need[] => [
      { verb: "get", ...ref },
      { verb: "delete", ...ref },
    ]);
    return [...own, ...(await lookedThrough(asked, findKind))];
  },
  async run(asked, kit) {
    const refs = await refsOf(asked, kit.findKind);
    const objects: JsonObject[] = [];
    for (const ref of refs) objects.push(await kit.cluster.get(ref));
    // Looked up first: nothing that can fail stands behind the first deletion.
    const checks = [...objects.flatMap(recreated), ...(await goesToo(asked, objects, kit))];
    const options = asked.grace_seconds === undefined ? {} : { graceSeconds: asked.grace_seconds };
    for (const ref of refs) await kit.cluster.remove(ref, { cascade: asked.cascade, ...options });
    return {
      ...answer([], [], { counts: { objects: refs.length } }),
      checks,
      undo: "none: what is deleted stays deleted",
    };
  },
});

async function refsOf({ kind, names, namespace }: Input, findKind: FindKind): Promise<ObjectRef[]> {
  const found = await findKind(kind);
  const place = placeOf(found, namespace);
  return names.map((name) => ({ kind: found, namespace: place, name }));
}

async function lookedThrough({ namespace }: Input, findKind: FindKind): Promise<Need[]> {
  if (namespace === undefined) return [];
  const kinds = await Promise.all(dependents.map(findKind));
  return kinds.map((kind) => ({ verb: "list", kind, namespace, name: "", optional: true }));
}

/** Whoever controls the object makes it anew. */
function recreated(object: JsonObject): Sentence[] {
  const owners = at(object, "metadata", "ownerReferences");
  const owner = (Array.isArray(owners) ? (owners as readonly JsonObject[]) : []).find(
    (one) => at(one, "controller") === true,
  );
  if (owner === undefined) return [];
  return [[`${textAt(object, "metadata", "name")} is recreated by ${textAt(owner, "kind")} ${textAt(owner, "name")}`]];
}

/** The children that go with the objects, or are left without an owner. */
async function goesToo(asked: Input, objects: readonly JsonObject[], kit: Kit): Promise<Sentence[]> {
  const gone = new Set(objects.map((object) => textAt(object, "metadata", "uid")));
  const counted: string[] = [];
  const unread: string[] = [];
  for (const need of await lookedThrough(asked, kit.findKind)) {
    if (!kit.cluster.may(need)) {
      unread.push(need.kind.resource);
      continue;
    }
    const { items, continue: more } = await kit.cluster.list(need.kind, need.namespace, { limit: 500 });
    const children = items.filter((item) => [...gone].some((uid) => isOwnedBy(item, uid)));
    for (const child of children) gone.add(textAt(child, "metadata", "uid"));
    if (children.length > 0) counted.push(`${more === "" ? "" : "at least "}${children.length} ${need.kind.resource}`);
  }
  const what = asked.cascade === "orphan" ? "left without an owner" : "deleted with it";
  const found: Sentence[] = counted.length === 0 ? [] : [[`${what}: ${counted.join(", ")}`]];
  return unread.length === 0 ? found : [...found, [`Not checked: ${unread.join(", ")} (not readable)`]];
}
