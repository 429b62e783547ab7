// What a write may not do to hidden values: bring one to light by changing what stands around it, or hide a new one where nobody who approves could read it.

import { fault, Faulted } from "../domain/fault.ts";
import { at, isJsonObject, textAt, type Json, type JsonObject } from "../domain/json.ts";
import { memberKeys } from "./diff.ts";
import { stepped, type Kept, type Twice } from "./keep.ts";

/** The object as the body should leave it, as stored and as shown. Kubernetes has the last word; this only says where hidden values go. */
export function expected(live: Twice, { sent, given }: Kept, type: "merge" | "strategic" | "json" | "apply"): Twice {
  if (type === "json") return { stored: steps(live.stored, sent), shown: steps(live.shown, given) };
  const named = type !== "merge";
  return { stored: laidOver(live.stored, sent, named), shown: laidOver(live.shown, given, named) };
}

const steps = (document: Json | undefined, body: Json): Json | undefined =>
  (Array.isArray(body) ? (body as readonly Json[]) : []).reduce<Json | undefined>(stepped, document);

/** A merge patch (RFC 7386); with `named`, lists whose members have names are merged by them, as strategic patches and apply do. */
function laidOver(base: Json | undefined, body: Json, named: boolean): Json {
  if (isJsonObject(body)) {
    const under = isJsonObject(base) ? base : {};
    const merged = new Map<string, Json>(Object.entries(under));
    for (const [key, inner] of Object.entries(body))
      if (inner === null) merged.delete(key);
      else merged.set(key, laidOver(under[key], inner, named));
    return Object.fromEntries(merged);
  }
  if (!named || !isList(body) || !isList(base) || ![...body, ...base].every(hasName)) return body;
  const kept = base.map((item) => {
    const over = body.find((one) => textAt(one, "name") === textAt(item, "name"));
    return over === undefined ? item : laidOver(item, over, named);
  });
  return [...kept, ...body.filter((one) => !base.some((item) => textAt(item, "name") === textAt(one, "name")))];
}

/** What the body says, in the object's own shape: nothing where it says nothing, null where it keeps or removes. */
export function namedBy(body: Json, before: JsonObject | null): JsonObject {
  if (!Array.isArray(body)) return isJsonObject(body) ? body : {};
  const named = steps(blank(before ?? {}, false), body);
  const kind = { apiVersion: textAt(before ?? {}, "apiVersion"), kind: textAt(before ?? {}, "kind") };
  return { ...(isJsonObject(named) ? named : {}), ...kind };
}

/** The object's shape without its values: only what tells the members of its lists apart stays. */
function blank(value: Json, member: boolean): Json {
  if (isList(value)) return value.map((item) => blank(item, true));
  if (!isJsonObject(value)) return null;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      const tells = member && memberKeys.includes(key) && typeof inner !== "object";
      return [key, tells ? inner : blank(inner, false)];
    }),
  );
}

/**
 * Refuses an answer in which a value that was hidden can be read: another name beside it, a flag before it gone. The
 * value has not moved, so nobody's guess of it is confirmed by this. `stored` and `seen` are the answer, as it came and
 * masked. Faults: invalid_input with the path.
 */
export function refuseExposed(hidden: Twice, stored: Json, seen: Json): void {
  const path = exposed(hidden, stored, seen, "");
  if (path !== null) throw wouldExpose(path);
}

function wouldExpose(path: string): Faulted {
  const rule = "would let a hidden value be read: change its name, or what stands beside it, together with the value";
  return new Faulted(fault("invalid_input", { problems: [{ path: path.replace(/^\./, ""), rule }] }, "would expose"));
}

function exposed(hidden: Twice, stored: Json | undefined, seen: Json | undefined, path: string): string | null {
  const { stored: was, shown } = hidden;
  if (was === undefined || shown === undefined || stored === undefined) return null;
  if (typeof shown === "string" && shown !== was) {
    const stays = JSON.stringify(was) === JSON.stringify(stored);
    return stays && !isHiddenAs(seen, shown) ? path : null;
  }
  if (isList(was) && isList(shown) && isList(stored)) {
    for (const [index, item] of was.entries()) {
      const inner = { stored: item, shown: shown[index] };
      for (const place of placesOf(stored, was, index)) {
        const found = exposed(inner, stored[place], at(seen, place), `${path}[${textAt(item, "name") || index}]`);
        if (found !== null) return found;
      }
    }
    return null;
  }
  if (!isJsonObject(was) || !isJsonObject(stored)) return null;
  for (const [key, inner] of Object.entries(was)) {
    const found = exposed(
      { stored: inner, shown: at(shown, key) },
      at(stored, key),
      at(seen, key),
      `${path}.${plain(key)}`,
    );
    if (found !== null) return found;
  }
  return null;
}

/** Does at least as much of it stay hidden? */
function isHiddenAs(seen: Json | undefined, shown: string): boolean {
  const bare = (text: string): string => text.replaceAll(/\[MASKED:[^\]]*\]/g, "[MASKED]");
  return typeof seen === "string" && (bare(seen) === "[MASKED]" || bare(seen) === bare(shown));
}

/**
 * Refuses words of a command line that the body says and the masker hides: who approves a command must be able to read
 * it (approval.md). `stored` and `seen` as above. Faults: invalid_input with the path of each.
 */
export function refuseHiddenWords(says: Json, stored: Json, seen: Json): void {
  const found = hiddenWords(says, stored, seen, "", false);
  if (found.length === 0) return;
  const rule = "would be hidden from whoever approves it: put the value into a Secret and refer to it";
  const problems = found.slice(0, 8).map((path) => ({ path: path.replace(/^\./, ""), rule }));
  throw new Faulted(fault("invalid_input", { problems }, "a hidden word in a command line"));
}

function hiddenWords(
  says: Json | undefined,
  stored: Json | undefined,
  seen: Json | undefined,
  path: string,
  inCommand: boolean,
): string[] {
  if (says === undefined || stored === undefined) return [];
  if (typeof says === "string") return inCommand && seen !== stored ? [path] : [];
  if (isList(says))
    return says.flatMap((item, index) => {
      const place = isList(stored) ? placeOf(stored, item, index) : index;
      const here = `${path}[${textAt(item, "name") || index}]`;
      return hiddenWords(item, at(stored, place), at(seen, place), here, inCommand);
    });
  if (!isJsonObject(says)) return [];
  return Object.entries(says).flatMap(([key, inner]) => {
    const command = key === "command" || key === "args";
    return hiddenWords(inner, at(stored, key), at(seen, key), `${path}.${plain(key)}`, command);
  });
}

const isList = (value: unknown): value is readonly Json[] => Array.isArray(value);
const hasName = (item: Json): boolean => typeof at(item, "name") === "string";
const plain = (key: string): string => key.replaceAll(/[^A-Za-z0-9_./-]/g, "?").slice(0, 80);

/** Where a member stands in another state of its list: by its name, or at its index. */
function placeOf(list: readonly Json[], item: Json, index: number): number {
  if (!hasName(item)) return index;
  const named = list.findIndex((one) => textAt(one, "name") === textAt(item, "name"));
  return named === -1 ? list.length : named;
}

/** The same where a name may stand twice: the second is the second there, or any of them where their number changed. */
function placesOf(list: readonly Json[], from: readonly Json[], index: number): readonly number[] {
  const item = from[index] ?? null;
  if (!hasName(item)) return [index];
  const named = (all: readonly Json[]): number[] =>
    all.flatMap((one, place) => (textAt(one, "name") === textAt(item, "name") ? [place] : []));
  const [before, after] = [named(from), named(list)];
  return before.length === after.length ? [after[before.indexOf(index)] ?? index] : after;
}

/**
 * Refuses an answer to an apply in which a hidden value stands where it can be read, and nobody wrote it there: of a
 * custom resource only its schema says by which keys its lists are merged, so that where a value went is not foreseen.
 * What the body itself says for all to read, and what could be read before, is let be. Faults: invalid_input with the path.
 */
export function refuseSurfaced(live: Twice, says: Twice, answer: Twice): void {
  const hidden = new Set<string>();
  eachLeaf(live, "", (value, _path, shown) => {
    if (value !== shown) hidden.add(JSON.stringify(value));
  });
  if (hidden.size === 0) return;
  const counted = new Map<string, number>();
  for (const known of [live, says])
    eachLeaf(known, "", (value, _path, shown) => {
      const text = JSON.stringify(value);
      if (value === shown && hidden.has(text)) counted.set(text, (counted.get(text) ?? 0) + 1);
    });
  eachLeaf(answer, "", (value, path, shown) => {
    const text = JSON.stringify(value);
    if (value !== shown || !hidden.has(text)) return;
    const left = (counted.get(text) ?? 0) - 1;
    if (left < 0) throw wouldExpose(path);
    counted.set(text, left);
  });
}

function eachLeaf(
  { stored, shown }: Twice,
  path: string,
  each: (value: string | number, path: string, shown: Json | undefined) => void,
): void {
  if (typeof stored === "string" || typeof stored === "number") return each(stored, path, shown);
  if (typeof stored !== "object" || stored === null) return;
  const lists = Array.isArray(stored);
  for (const [key, inner] of Object.entries(stored)) {
    const place = lists ? `${path}[${key}]` : `${path}.${plain(key)}`;
    eachLeaf({ stored: inner, shown: at(shown, lists ? Number(key) : key) }, place, each);
  }
}
