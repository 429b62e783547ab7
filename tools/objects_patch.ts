// Changes fields of one object by a merge patch, a strategic merge patch or a JSON Patch.

import * as z from "zod";
import {
  answer,
  at,
  defineTool,
  effectOfWriting,
  fault,
  Faulted,
  inputs,
  isJsonObject,
  lookBeside,
  nested,
  placeOf,
  refuseOddNumbers,
  shownKey,
  surroundings,
  textAt,
  unwritable,
  type Json,
  type ObjectRef,
  type Problem,
  type ResourceKind,
  type Written,
} from "../src/tool.ts";

/** A patch is small; what is larger is another manifest. */
const mostBytes = 65_536;

const input = z.strictObject({
  kind: inputs.kind(),
  name: inputs.name(),
  namespace: inputs.namespace().optional(),
  patch: z
    .unknown()
    .refine(isPatch)
    .transform((value) => value as Json)
    .meta({ type: ["object", "array"], description: "Object; a list for json" }),
  type: z.enum(["merge", "strategic", "json"]).default("merge"),
  preview: inputs.preview(),
  reason: inputs.reason(),
});
type Input = z.output<typeof input>;

export default defineTool<Input>({
  name: "objects_patch",
  title: "Patch an object",
  description:
    "Change fields of one object: labels, ConfigMap keys, selectors, probes, suspend, HPA bounds. In merge, null deletes a key and lists are replaced. For image, env, resources, replicas see workloads_.",
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: false },
  effects: ["change", "destroy"],
  input,
  effect: (asked) => effectOfWriting(bodies(asked)),
  reason: ({ reason }) => reason,
  previewOnly: ({ preview }) => preview,
  async needs(asked, { findKind }) {
    const { kind, name, namespace } = asked;
    const found = await findKind(kind);
    refuseBadPatch(asked, found.group === "" && found.resource === "secrets");
    const ref = { kind: found, namespace: placeOf(found, namespace), name };
    return [{ verb: "get", ...ref }, { verb: "patch", ...ref }, ...(await surroundings(written(asked, ref), findKind))];
  },
  async run(asked, kit) {
    const { kind, name, namespace, patch, type } = asked;
    const found = await kit.findKind(kind);
    const ref = { kind: found, namespace: placeOf(found, namespace), name };
    const checks = await lookBeside(written(asked, ref), kit, async () => [
      await kit.cluster.patch(ref, patch, { type, argument: "patch" }),
    ]);
    return { ...answer([]), checks, undo: "objects_patch with the values before the arrows" };
  },
});

function isPatch(value: unknown): boolean {
  if (!isJsonObject(value) && !Array.isArray(value)) return false;
  const text = JSON.stringify(value);
  return Buffer.byteLength(text) <= mostBytes;
}

/** The patch as objects that say what would stand where: one of a merge, one a step of a JSON Patch. */
function bodies({ patch, type }: Input): readonly Json[] {
  if (type !== "json") return [patch];
  const steps = Array.isArray(patch) ? (patch as readonly Json[]) : [];
  return steps.map((step) => nested(textAt(step, "path"), at(step, "value") ?? null));
}

/** What of the object's surroundings may matter for this patch. */
function written(asked: Input, ref: ObjectRef): readonly Written<ResourceKind>[] {
  const touches = (...fields: readonly string[]): boolean =>
    bodies(asked).some((body) => at(body, ...fields) !== undefined);
  return [{ ref, replicas: touches("spec", "replicas"), selector: touches("spec", "selector") }];
}

/** Faults: invalid_input naming what of the patch can't be taken. */
function refuseBadPatch(asked: Input, secret: boolean): void {
  refuseOddNumbers(asked.patch, "patch");
  const list = Array.isArray(asked.patch);
  const problems: Problem[] =
    (asked.type === "json") !== list
      ? [{ path: "patch", rule: asked.type === "json" ? "must be a list of steps" : "must be an object" }]
      : list
        ? (asked.patch as readonly Json[]).flatMap((step, index) => stepProblems(step, `patch[${index}]`, secret))
        : [
            ...unwritable(asked.patch, "patch", { secret, identity: false }),
            ...(asked.type === "strategic" ? oddDirectives(asked.patch, "patch") : []),
          ];
  if (problems.length > 0)
    throw new Faulted(fault("invalid_input", { problems: problems.slice(0, 8).map((one) => ({ ...one })) }));
}

/** Directives of a strategic merge patch (Kubernetes, "Strategic Merge Patch") that Kubernetes would choke on. */
function oddDirectives(value: Json, path: string): Problem[] {
  if (Array.isArray(value))
    return (value as readonly Json[]).flatMap((item, index) => oddDirectives(item, `${path}[${index}]`));
  if (!isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([key, inner]): Problem[] => {
    if (!key.startsWith("$")) return oddDirectives(inner, `${path}.${shownKey(key)}`);
    const [name = ""] = key.split("/");
    const fits =
      name === "$patch" ? patches.some((one) => one === inner) : lists.includes(name) && Array.isArray(inner);
    return fits ? [] : [{ path, rule: "holds a directive that is none, or whose value does not fit it" }];
  });
}
const patches = ["replace", "delete", "merge"];
const lists = ["$retainKeys", "$setElementOrder", "$deleteFromPrimitiveList"];

/** `test` would tell whether a guess of a hidden value is right; `copy` and `move` would carry one to where it can be read. */
function stepProblems(step: Json, path: string, secret: boolean): Problem[] {
  if (!isJsonObject(step)) return [{ path, rule: "must be a step: op, path, value" }];
  const op = textAt(step, "op");
  if (!["add", "remove", "replace"].includes(op))
    return [{ path: `${path}.op`, rule: "must be add, remove or replace" }];
  if (op !== "remove" && !Object.hasOwn(step, "value")) return [{ path: `${path}.value`, rule: "must be there" }];
  const pointer = textAt(step, "path");
  if (!pointer.startsWith("/") || pointer.length > 500 || pointer === "/metadata")
    return [{ path: `${path}.path`, rule: "must be a path inside the object, for example /spec/suspend" }];
  const odd = Object.keys(step).some((key) => !["op", "path", "value"].includes(key));
  if (odd) return [{ path, rule: "must hold op, path and value alone" }];
  const body = nested(pointer, at(step, "value") ?? null);
  return unwritable(body, "", { secret, identity: false }).map(({ rule }) => ({ path: `${path}.path`, rule }));
}
