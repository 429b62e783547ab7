// The bodies of writes: pinned to the object that was read, completed with parts of other objects, and read back for what they name.

import { fault, Faulted } from "../domain/fault.ts";
import { at, isJsonObject, textAt, type Json, type JsonObject } from "../domain/json.ts";
import type { Graft } from "../tool.ts";

/** Kubernetes API concepts, "Patch". */
export const patchTypes = {
  merge: "application/merge-patch+json",
  strategic: "application/strategic-merge-patch+json",
  json: "application/json-patch+json",
} as const;

/** In a rehearsal a write is a server-side dry run. */
export const dryRun = ({ rehearse }: { readonly rehearse: boolean }): Record<string, string> =>
  rehearse ? { dryRun: "All" } : {};

/** The query of every write with a body (Kubernetes API concepts, "Server-Side Apply", "Field validation"). */
export const writeQuery = (run: { readonly rehearse: boolean }): Record<string, string> => ({
  fieldManager: "sallyport",
  fieldValidation: "Strict",
  ...dryRun(run),
});

/** uid and resourceVersion as they were just read: a write that finds others is refused with 409. */
export function marksOf(before: JsonObject | null): JsonObject {
  if (before === null) return {};
  return { uid: textAt(before, "metadata", "uid"), resourceVersion: textAt(before, "metadata", "resourceVersion") };
}

export function pinned(patch: JsonObject, before: JsonObject | null): JsonObject {
  const metadata = at(patch, "metadata");
  return { ...patch, metadata: { ...(isJsonObject(metadata) ? metadata : {}), ...marksOf(before) } };
}

/** The steps of a JSON Patch (RFC 6902), after the marks: a failed `test` would answer 422 with the object, a wrong mark answers 409. */
export function pinnedSteps(patch: Json, before: JsonObject | null): Json {
  const marks = Object.entries(marksOf(before)).map(([field, value]) => ({
    op: "replace",
    path: `/metadata/${field}`,
    value,
  }));
  return [...marks, ...(Array.isArray(patch) ? (patch as readonly Json[]) : [])];
}

/** The body with the part put in, and the part itself. Faults: not_found, where the other object has no such part. */
export function graft(
  body: Json,
  { at: place, path, without = [] }: Graft,
  source: JsonObject,
): { whole: Json; part: Json } {
  const found = at(source, ...path);
  if (found === undefined)
    throw new Faulted(
      fault("not_found", { kind: "field", name: path.join(".") }, "nothing stands where a part was to come from"),
    );
  const part = without.reduce(leaveOut, found);
  return { whole: putAt(body, place, part), part };
}

function putAt(body: Json, [first, ...rest]: readonly (string | number)[], part: Json): Json {
  // What the body says itself goes before what is taken over.
  if (first === undefined) return isJsonObject(body) && isJsonObject(part) ? { ...part, ...body } : part;
  if (typeof first === "number") {
    const list = Array.isArray(body) ? (body as readonly Json[]) : [];
    return list.map((item, index) => (index === first ? putAt(item, rest, part) : item));
  }
  const object = isJsonObject(body) ? body : {};
  return { ...object, [first]: putAt(at(object, first) ?? {}, rest, part) };
}

function leaveOut(value: Json, [first = "", ...rest]: readonly string[]): Json {
  if (!isJsonObject(value) || !Object.hasOwn(value, first)) return value;
  const inner = rest.length === 0 ? [] : [[first, leaveOut(value[first] ?? null, rest)] as const];
  return Object.fromEntries([...Object.entries(value).filter(([key]) => key !== first), ...inner]);
}

/** The tokens of a JSON Pointer (RFC 6901). */
export function pointerParts(pointer: string): string[] {
  return pointer
    .split("/")
    .slice(1)
    .map((token) => token.replaceAll("~1", "/").replaceAll("~0", "~"));
}
