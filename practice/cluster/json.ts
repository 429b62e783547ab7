// Plain JSON read and copied: a stored object is never changed in place, so a page or a snapshot may keep it.

import { at, isJsonObject, type Json, type JsonObject } from "../../src/domain/json.ts";

export { at, isJsonObject, textAt, type Json, type JsonObject } from "../../src/domain/json.ts";

/** A copy with the value at the path; undefined takes the key away. Objects on the way are made where they are missing. */
export function put(object: JsonObject, path: readonly string[], value: Json | undefined): JsonObject {
  const [key, ...rest] = path;
  if (key === undefined) return object;
  const copy: { [key: string]: Json } = { ...object };
  const inner = at(object, key);
  const next = rest.length === 0 ? value : put(isJsonObject(inner) ? inner : {}, rest, value);
  if (next === undefined) delete copy[key];
  else copy[key] = next;
  return copy;
}

/** The list at a path, or an empty one. */
export function listAt(value: Json | undefined, ...path: readonly (string | number)[]): readonly Json[] {
  const found = at(value, ...path);
  return Array.isArray(found) ? found : [];
}

/** The texts of the list at a path. */
export function textsAt(value: Json | undefined, ...path: readonly (string | number)[]): readonly string[] {
  return listAt(value, ...path).filter((item) => typeof item === "string");
}

/** The object at a path, or an empty one. */
export function mapAt(value: Json | undefined, ...path: readonly (string | number)[]): JsonObject {
  const found = at(value, ...path);
  return isJsonObject(found) ? found : {};
}

/** The number at a path, or 0. */
export function numberAt(value: Json | undefined, ...path: readonly (string | number)[]): number {
  const found = at(value, ...path);
  return typeof found === "number" ? found : 0;
}

/** A plain value as text: a string as it is, everything else as JSON. */
export const textOf = (value: Json): string => (typeof value === "string" ? value : JSON.stringify(value));

/** Kubernetes' time format: RFC 3339 in UTC, whole seconds. */
export const timestamp = (now: number): string => `${new Date(now).toISOString().slice(0, 19)}Z`;

/** The labels or annotations of an object. */
export const labelsOf = (object: JsonObject): JsonObject => mapAt(object, "metadata", "labels");
