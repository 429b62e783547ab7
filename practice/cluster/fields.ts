// Field ownership (Kubernetes documentation, "Server-Side Apply: field management"): who last set which field by an update.

import { isDeepStrictEqual } from "node:util";
import { at, isJsonObject, listAt, put, textAt, type Json, type JsonObject } from "./json.ts";
import { mergeKey } from "./patch.ts";

/** The server's own metadata has no owner. */
const unowned = [
  "name",
  "namespace",
  "uid",
  "resourceVersion",
  "generation",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
  "managedFields",
];

/** Every leaf as its path in FieldsV1's writing (`f:spec`, `k:{"name":"api"}`), one JSON text a path. */
function leaves(object: JsonObject): ReadonlyMap<string, Json> {
  const found = new Map<string, Json>();
  const walk = (value: Json, path: readonly string[], field: string): void => {
    const key = Array.isArray(value) && value.length > 0 ? mergeKey(field, value) : undefined;
    if (Array.isArray(value) && key !== undefined) {
      for (const item of value) walk(item, [...path, `k:${JSON.stringify({ [key]: at(item, key) })}`], "");
    } else if (isJsonObject(value) && Object.keys(value).length > 0 && path.at(-1) !== "f:selector") {
      for (const [name, inner] of Object.entries(value)) walk(inner, [...path, `f:${name}`], name);
    } else found.set(JSON.stringify(path), value);
  };
  for (const [name, value] of Object.entries(object)) {
    if (name === "kind" || name === "apiVersion" || name === "status") continue;
    if (name !== "metadata" || !isJsonObject(value)) walk(value, [`f:${name}`], name);
    else {
      for (const [field, inner] of Object.entries(value)) {
        if (!unowned.includes(field)) walk(inner, ["f:metadata", `f:${field}`], field);
      }
    }
  }
  return found;
}

function asFields(paths: readonly string[]): JsonObject {
  return paths.reduce<JsonObject>((fields, path) => put(fields, JSON.parse(path) as string[], {}), {});
}

function pathsOf(fields: Json | undefined, path: readonly string[] = []): readonly string[] {
  const inner = isJsonObject(fields) ? Object.entries(fields) : [];
  if (inner.length === 0) return path.length === 0 ? [] : [JSON.stringify(path)];
  return inner.flatMap(([name, value]) => pathsOf(value, [...path, name]));
}

export interface Writer {
  readonly manager: string;
  readonly apiVersion: string;
  readonly subresource: string;
  /** RFC 3339. */
  readonly time: string;
}

/** The object with `managedFields` after this write: the writer owns what it changed, and nobody what is gone. */
export function own(old: JsonObject | undefined, object: JsonObject, writer: Writer): JsonObject {
  const before = old === undefined ? new Map<string, Json>() : leaves(old);
  const after = leaves(object);
  const changed = [...after]
    .filter(([path, value]) => !isDeepStrictEqual(before.get(path), value))
    .map(([path]) => path);
  const entries = listAt(old, "metadata", "managedFields").map((entry) => {
    const mine = textAt(entry, "manager") === writer.manager && textAt(entry, "subresource") === writer.subresource;
    const kept = pathsOf(at(entry, "fieldsV1")).filter((path) => after.has(path) && !changed.includes(path));
    return { entry, mine, kept };
  });
  const mine = entries.find((one) => one.mine);
  const owned = [...(mine?.kept ?? []), ...changed];
  const { subresource, ...rest } = writer;
  const entry = { ...rest, operation: "Update", fieldsType: "FieldsV1", fieldsV1: asFields(owned) };
  const others = entries.filter((one) => !one.mine && one.kept.length > 0);
  const all: Json[] = others.map((one) => ({ ...(one.entry as JsonObject), fieldsV1: asFields(one.kept) }));
  if (changed.length > 0) all.push(subresource === "" ? entry : { ...entry, subresource });
  else if (mine !== undefined && owned.length > 0) {
    all.push({ ...(mine.entry as JsonObject), fieldsV1: asFields(owned) });
  }
  return all.length === 0 ? object : put(object, ["metadata", "managedFields"], all);
}
