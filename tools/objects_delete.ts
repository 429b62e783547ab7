// Deletes named objects of one kind, each held to the uid that was agreed, and says what goes with them.

import * as z from "zod";
import {
  answer,
  at,
  defineTool,
  fault,
  Faulted,
  inputs,
  isOwnedBy,
  named,
  openLooks,
  optionalLists,
  placeOf,
  selectsLabels,
  textAt,
  type FindKind,
  type Json,
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
    const pods = refs[0]?.kind.group === "" && refs[0].kind.resource === "pods";
    const guarding = pods ? await optionalLists(findKind, refs[0]?.namespace ?? "", [budgets]) : [];
    return [...own, ...(await lookedThrough(asked, findKind)), ...guarding];
  },
  async run(asked, kit) {
    const refs = await refsOf(asked, kit.findKind);
    const objects: JsonObject[] = [];
    for (const ref of refs) objects.push(await kit.cluster.get(ref));
    // Looked up first: nothing that can fail stands behind the first deletion.
    const checks = [
      ...objects.flatMap(recreated),
      ...objects.flatMap(held),
      ...goesHow(asked),
      ...(await goesToo(asked, objects, kit)),
      ...(await unasked(objects, kit)),
    ];
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
  // Kubernetes lets an owner's kind and name be any text.
  const by: Sentence = [named(textAt(owner, "kind")), " ", named(textAt(owner, "name"))];
  return [[`${textAt(object, "metadata", "name")} is recreated by `, ...by]];
}

/** What keeps an object from going, or goes with it besides its children. */
function held(object: JsonObject): Sentence[] {
  const name = textAt(object, "metadata", "name");
  const found = at(object, "metadata", "finalizers");
  const finalizers = (Array.isArray(found) ? (found as readonly Json[]) : []).map(String);
  const shown = finalizers.slice(0, 4).flatMap((one, index) => [index === 0 ? "" : ", ", named(one)]);
  return [
    ...(finalizers.length === 0 ? [] : [[`${name} stays until this is done with it: `, ...shown] satisfies Sentence]),
    ...(textAt(object, "kind") === "PersistentVolumeClaim" && textAt(object, "apiVersion") === "v1"
      ? [[`the data of ${name} goes with its volume, unless the volume's reclaim policy keeps it`] satisfies Sentence]
      : []),
    ...claimsOf(object, name),
  ];
}

/** A StatefulSet leaves its claims, unless it says that they go too (Kubernetes, "PersistentVolumeClaim retention"). */
function claimsOf(object: JsonObject, name: string): Sentence[] {
  if (textAt(object, "kind") !== "StatefulSet" || textAt(object, "apiVersion") !== "apps/v1") return [];
  const claims = at(object, "spec", "volumeClaimTemplates");
  if (!Array.isArray(claims) || claims.length === 0) return [];
  const goes = textAt(object, "spec", "persistentVolumeClaimRetentionPolicy", "whenDeleted") === "Delete";
  return [[`the volume claims of ${name} ${goes ? "go with it, and their data with them" : "stay, with their data"}`]];
}

/** What was asked for besides the deletion itself: whoever agrees to it must see that. */
function goesHow({ cascade, grace_seconds: seconds }: Input): Sentence[] {
  const own =
    seconds === 0 ? "at once, without waiting for what runs there to end" : `${seconds} s after it is asked to end`;
  return [
    ...(cascade === "orphan" ? [["whatever it owns stays, without an owner (cascade orphan)"]] : []),
    ...(cascade === "foreground" ? [["it stays until what it owns is gone (cascade foreground)"]] : []),
    ...(seconds === undefined ? [] : [[`grace_seconds ${seconds}: it goes ${own}`]]),
  ];
}

const budgets = "poddisruptionbudgets.policy";

/** A deletion asks no budget: what an eviction would have been refused for is said. */
async function unasked(pods: readonly JsonObject[], kit: Kit): Promise<Sentence[]> {
  const [first] = pods;
  if (textAt(first, "kind") !== "Pod" || textAt(first, "apiVersion") !== "v1") return [];
  const looks = openLooks(kit);
  const found = (await looks.list(budgets, textAt(first, "metadata", "namespace"))) ?? [];
  const checks = found.flatMap((budget): Sentence[] => {
    const covered = pods.filter((pod) =>
      selectsLabels(at(budget, "spec", "selector"), at(pod, "metadata", "labels") ?? {}),
    );
    const allowed = Number(at(budget, "status", "disruptionsAllowed") ?? 0);
    if (covered.length <= allowed) return [];
    return [
      [
        "PodDisruptionBudget ",
        named(textAt(budget, "metadata", "name")),
        ` allows ${allowed} to go now, and a deletion does not ask it`,
      ],
    ];
  });
  return looks.unread.length === 0 ? checks : [...checks, [`Not checked: ${looks.unread.join(", ")}`]];
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
