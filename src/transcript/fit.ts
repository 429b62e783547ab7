// Cuts what is too large for an entry and says in its place how much was there: the record must never fail for its size.

import type { Json, JsonObject } from "../domain/json.ts";

/** Deeper parts are cut whole. */
const deep = 24;

/**
 * The value with each text cut to `limit` characters, each list and object to `limit / 8` parts. Something cut names
 * what is missing; digests in the same entry still commit to all of it.
 */
export function fit<T extends Json>(value: T, limit: number): T {
  return limit === Infinity && !isDeep(value, 0) ? value : (cut(value, limit, 0) as T);
}

function isDeep(value: Json, depth: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (depth >= deep) return true;
  if (Array.isArray(value)) return value.some((item: Json) => isDeep(item, depth + 1));
  const parts = value as JsonObject;
  for (const name of Object.keys(parts)) if (isDeep(parts[name] as Json, depth + 1)) return true;
  return false;
}

function cut(value: Json, limit: number, depth: number): Json {
  if (typeof value === "string") return cutText(value, limit);
  if (typeof value !== "object" || value === null) return value;
  if (depth >= deep) return `(cut: nested deeper than ${deep})`;
  const most = Math.max(4, Math.floor(limit / 8));
  if (Array.isArray(value)) {
    const kept = (value as readonly Json[]).slice(0, most).map((item) => cut(item, limit, depth + 1));
    return value.length > most ? [...kept, `(cut: ${value.length - most} more)`] : kept;
  }
  return cutObject(value as JsonObject, limit, most, depth);
}

function cutText(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const kept = text.slice(0, limit);
  // Never half of a surrogate pair: canonical JSON has no text for it.
  const whole = kept.isWellFormed() ? kept : kept.slice(0, -1);
  return `${whole} (cut: ${text.length - whole.length} more characters)`;
}

function cutObject(value: JsonObject, limit: number, most: number, depth: number): JsonObject {
  // The parts of the details themselves have a bounded number of names; only what callers fill is cut by number.
  const names = Object.keys(value);
  const kept = depth === 0 ? names : names.slice(0, most);
  const parts = kept.map((name): [string, Json] => [cutText(name, limit), cut(value[name] as Json, limit, depth + 1)]);
  if (kept.length < names.length) parts.push(["(cut)", `${names.length - kept.length} more`]);
  return Object.fromEntries(parts);
}
