// The way back of masked values: a token that stands where the live object shows just that token means "as it is stored", and any other is refused (masking.md, "Round trip").

import { fault, Faulted } from "../domain/fault.ts";
import { at, isJsonObject, textAt, type Json, type JsonObject } from "../domain/json.ts";
import { pointerParts } from "./write-body.ts";

/** One value twice: as the cluster stores it, and as this session is shown it. Undefined where nothing stands. */
export interface Twice {
  readonly stored: Json | undefined;
  readonly shown: Json | undefined;
}
const nowhere: Twice = { stored: undefined, shown: undefined };

/** A body that was read for its tokens. Each of the three has the body's own shape. */
export interface Kept {
  /** What is sent: the stored value for each token. */
  readonly sent: Json;
  /** What the body itself says: null, or nothing, where a token was. */
  readonly says: Json;
  /** The body as it came. */
  readonly given: Json;
}

export type PatchType = "merge" | "strategic" | "json" | "apply";

const opening = "[MASKED:";

/**
 * Puts the stored values back. Server-side apply gets the value too, and does not leave the field out: what an apply
 * leaves out it gives up, so that Kubernetes would delete what an earlier apply had set, and a list member without its
 * value is another member. Sharing the field with whoever set it is the price, as for all else that a manifest repeats.
 * `argument` is where the body stands in the call's arguments. Faults: invalid_input with the path of each token that stays.
 */
export function keep(body: Json, type: PatchType, live: Twice, argument: string): Kept {
  const strays: string[] = [];
  const kept = type === "json" ? keepSteps(body, live, argument, strays) : keepIn(body, live, argument, strays, type);
  if (strays.length === 0) return { sent: kept.sent, says: kept.says ?? null, given: body };
  const problems = [...new Set(strays)].slice(0, 8).map((path) => ({ path, rule }));
  throw new Faulted(fault("invalid_input", { problems }, "a mask stands where the live object has none like it"));
}
const rule =
  "holds a mask that does not stand for the value stored here: send it exactly as read from this field of this object, or leave the field out";

interface Halves {
  readonly sent: Json;
  /** Undefined where the whole was a token. */
  readonly says: Json | undefined;
}

/** `type` of a body that Kubernetes merges into lists by keys of their own, which may be none that is known here. */
function keepIn(value: Json, live: Twice, path: string, strays: string[], type: PatchType = "merge"): Halves {
  if (typeof value === "string") {
    if (!value.includes(opening)) return { sent: value, says: value };
    const { stored, shown } = live;
    if (stored !== undefined && typeof shown === "string" && (value === shown || value === untagged(shown)))
      return { sent: stored, says: undefined };
    strays.push(path);
    return { sent: value, says: value };
  }
  if (Array.isArray(value)) {
    const items = value as readonly Json[];
    const halves = items.map((item, index) =>
      keepIn(item, memberOf(items, index, live, type), `${path}[${nameIn(item) ?? index}]`, strays, type),
    );
    return { sent: halves.map((half) => half.sent), says: halves.map((half) => half.says ?? null) };
  }
  if (!isJsonObject(value)) return { sent: value, says: value };
  const sent: [string, Json][] = [];
  const says: [string, Json][] = [];
  for (const [key, inner] of Object.entries(value)) {
    if (key.includes(opening)) strays.push(path);
    const half = keepIn(inner, below(live, key), `${path}.${shownKey(key)}`, strays, type);
    sent.push([key, half.sent]);
    if (half.says !== undefined) says.push([key, half.says]);
  }
  return { sent: Object.fromEntries(sent), says: Object.fromEntries(says) };
}

/** Tags may be missing where the caller's own arguments named part of the value as it was read: the place still decides. */
function untagged(text: string): string {
  return text.replaceAll(/\[MASKED:([a-z_]{2,24}):[0-9a-f]{8}\]/g, "[MASKED:$1]");
}

const below = ({ stored, shown }: Twice, key: string): Twice => ({ stored: at(stored, key), shown: at(shown, key) });

const nameIn = (item: Json | undefined): string | undefined => {
  const name = at(item, "name");
  return typeof name === "string" && /^[A-Za-z0-9_./-]{1,80}$/.test(name) ? name : undefined;
};

/** What stands live where this member of a list goes: the one of its name where it has one, else the one at its index. */
function memberOf(items: readonly Json[], index: number, live: Twice, type: PatchType): Twice {
  const found = placed(items, index, live);
  // Merged by another key it would be a second member, whose own words decide what of it is hidden.
  const merged = type === "apply" || type === "strategic";
  const word = (of: Json | undefined, one: string): string => JSON.stringify(at(of, one) ?? null);
  const same = namers.every((one) => word(items[index], one) === word(found.shown, one));
  return merged && isJsonObject(items[index]) && !same ? nowhere : found;
}

/** What beside a value says what it is, for the masker. */
export const namers = ["name", "key", "path", "field", "header", "variable"];

function placed(items: readonly Json[], index: number, { stored, shown }: Twice): Twice {
  if (!Array.isArray(stored) || !Array.isArray(shown) || stored.length !== shown.length) return nowhere;
  const [all, seen] = [stored as readonly Json[], shown as readonly Json[]];
  const here: Twice = { stored: all[index], shown: seen[index] };
  const name = at(items[index], "name");
  if (typeof name !== "string") return at(here.shown, "name") === undefined ? here : nowhere;
  const named = seen.flatMap((one, place) => (at(one, "name") === name ? [place] : []));
  const twice = items.filter((one) => at(one, "name") === name).length > 1;
  const [place] = named;
  if (place === undefined || named.length > 1 || twice) return nowhere;
  return { stored: all[place], shown: seen[place] };
}

/** A key is the caller's text: shown as far as it is plain. */
function shownKey(key: string): string {
  return key.replaceAll(/[^A-Za-z0-9_./-]/g, "?").slice(0, 80);
}

// ── JSON Patch ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** Steps find the object as the steps before them left it. A member that a step adds to a list has no stored value to keep. */
function keepSteps(body: Json, live: Twice, path: string, strays: string[]): Halves {
  let now = live;
  const halves = (Array.isArray(body) ? (body as readonly Json[]) : []).map((step, index) => {
    if (!isJsonObject(step)) return { sent: step, says: step };
    const here = `${path}[${index}]`;
    if (textAt(step, "path").includes(opening)) strays.push(`${here}.path`);
    const parts = pointerParts(textAt(step, "path"));
    if (!isIndexed(now.shown, parts, textAt(step, "op") === "add")) throw notIndexed(here);
    const inserts = textAt(step, "op") === "add" && Array.isArray(found(now.shown, parts.slice(0, -1)));
    const place = inserts ? nowhere : { stored: found(now.stored, parts), shown: found(now.shown, parts) };
    const value = at(step, "value");
    const half = value === undefined ? undefined : keepIn(value, place, `${here}.value`, strays);
    const sent: JsonObject = half === undefined ? step : { ...step, value: half.sent };
    now = { stored: stepped(now.stored, sent), shown: stepped(now.shown, step) };
    return { sent, says: half === undefined ? step : { ...step, value: half.says ?? null } };
  });
  return { sent: halves.map((half) => half.sent), says: halves.map((half) => half.says) };
}

/** The value at a JSON Pointer's parts (RFC 6901): of lists by index alone. */
function found(value: Json | undefined, parts: readonly string[]): Json | undefined {
  return parts.reduce<Json | undefined>(
    (here, part) => (Array.isArray(here) ? at(here, indexIn(here, part)) : at(here, part)),
    value,
  );
}

/** Kubernetes counts a negative index from the end: what it hits would then not be what was looked at. */
function isIndexed(value: Json | undefined, parts: readonly string[], adds: boolean): boolean {
  return parts.every((part, depth) => {
    if (!Array.isArray(found(value, parts.slice(0, depth)))) return true;
    return /^(0|[1-9][0-9]{0,5})$/.test(part) || (part === "-" && adds && depth === parts.length - 1);
  });
}

function notIndexed(path: string): Faulted {
  const problems = [{ path: `${path}.path`, rule: "must name a list's members by their index: 0, 1, 2; - adds one" }];
  return new Faulted(fault("invalid_input", { problems }));
}

/** A list's index as RFC 6901 writes it, or -1. */
function indexIn(list: readonly unknown[], part: string): number {
  return /^(0|[1-9][0-9]{0,5})$/.test(part) && Number(part) < list.length ? Number(part) : -1;
}

/** The document after one step (RFC 6902: add, remove, replace); as it was, where the step does not fit it. */
export function stepped(document: Json | undefined, step: Json): Json | undefined {
  const parts = pointerParts(textAt(step, "path"));
  const removes = textAt(step, "op") === "remove";
  return withStep(document, parts, removes ? undefined : (at(step, "value") ?? null), textAt(step, "op") === "add");
}

function withStep(
  document: Json | undefined,
  [first, ...rest]: readonly string[],
  value: Json | undefined,
  adds: boolean,
): Json | undefined {
  if (first === undefined) return value;
  if (Array.isArray(document)) {
    const list = document as readonly Json[];
    const index = first === "-" && adds && rest.length === 0 ? list.length : indexIn([...list, null], first);
    if (index === -1 || (index === list.length && !(adds && rest.length === 0))) return list;
    const inner = rest.length === 0 ? value : withStep(list[index], rest, value, adds);
    const replaced = rest.length === 0 && adds ? 0 : 1;
    return list.toSpliced(index, replaced, ...(inner === undefined ? [] : [inner]));
  }
  if (!isJsonObject(document)) return document;
  const inner = rest.length === 0 ? value : withStep(at(document, first), rest, value, adds);
  const others = Object.entries(document).filter(([key]) => key !== first);
  return Object.fromEntries(inner === undefined ? others : [...others, [first, inner] as const]);
}
