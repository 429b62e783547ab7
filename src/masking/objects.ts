// Masks Kubernetes objects and any other JSON by structure: what a value is called and where it stands decides.

import { isJsonObject, type Json, type JsonObject } from "../domain/json.ts";
import { secretWords } from "./arguments.ts";
import { hides, type Field } from "./fields.ts";
import { fileSecret } from "./files.ts";
import { isDropped, isPrivatePart, type Key, type Keys } from "./keys.ts";
import { leafMasker, type LeafSpot } from "./leaves.ts";
import { encodedSecret } from "./opened.ts";
import { columnsOf, commandLine, fieldBeside, holdsRelease, isDocument, isSecretKind, patchesData } from "./shapes.ts";
import { written, type Room, type Write } from "./spans.ts";
import type { FindSecrets } from "./text.ts";
import { isToken } from "./token.ts";

/** Where a value stands. */
interface Spot extends LeafSpot {
  /** The kind that a list gives its items, which carry none of their own; `binaryData` below a ConfigMap's. */
  readonly kind: string;
  /** Inside an object or a patch of a Secret: `data` and `stringData` below hide all their values. */
  readonly secret: boolean;
}

export interface WalkParts {
  readonly find: FindSecrets;
  readonly remember: (name: string) => Field | undefined;
  readonly keys: Keys;
  readonly write: Write;
  readonly room: Room;
}

/** Masks one value. Returns the same value (identity) where nothing had to be hidden or dropped. */
export type Walk = (value: Json, from?: Partial<Spot>) => Json;

/** Deeper structures are not followed but hidden. */
const mostLevels = 96;
const top: Spot = { field: undefined, place: "field", file: false, kind: "", secret: false, depth: 0 };
const dataKeys = new Set(["data", "binaryData", "stringData"]);

/** Returns the walker of one call. What nothing is hidden in is not copied: the answer shares it with what was given. */
export function walker(parts: WalkParts): Walk {
  const { remember, keys, write } = parts;
  const leaf = leafMasker({ ...parts, walk: (value, depth) => walk(value, { ...top, depth }, 0) });

  /** `level`: how many levels of the value were walked. */
  function walk(value: Json, spot: Spot, level: number): Json {
    if (typeof value === "string") return value === "" ? value : leaf(value, spot);
    if (typeof value === "number") return numberIn(value, spot);
    if (typeof value !== "object" || value === null) return value;
    if (level > mostLevels) return write("unscanned", "");
    return Array.isArray(value)
      ? list(value as readonly Json[], spot, level + 1)
      : object(value as JsonObject, spot, level + 1);
  }

  function numberIn(value: number, spot: Spot): Json {
    if (spot.field !== undefined && hides(spot.field, String(value), spot.place))
      return write(spot.field.type, String(value));
    if (value < 1e12 || !Number.isSafeInteger(value)) return value;
    const text = String(value);
    const masked = leaf(text, spot);
    return masked === text ? value : masked;
  }

  function list(values: readonly Json[], spot: Spot, level: number): Json {
    if (typeof values[0] === "string") {
      const flagged = values.some((one) => typeof one === "string" && one.startsWith("-"));
      if (flagged && values.every((one) => typeof one === "string")) return words(values, values, spot, level);
    }
    return mapped(values, (one) => walk(one, spot, level));
  }

  /** Arguments of a command: what flags make secret is hidden, the rest is judged by its content as a script is. */
  function words(values: readonly string[], line: readonly string[], spot: Spot, level: number): Json {
    const secret = secretWords(values, line, remember);
    const inner: Spot = { ...spot, file: true };
    return mapped(values, (one, index) => {
      const found = secret.get(index);
      if (found === undefined) return walk(one, inner, level);
      return (walk(one.slice(0, found.from), inner, level) as string) + write(found.type, one.slice(found.from));
    });
  }

  function object(value: JsonObject, spot: Spot, level: number): Json {
    const own = value["kind"];
    const kind = typeof own === "string" ? own : spot.kind;
    const below = spotBelow(spot, kind);
    const release = holdsRelease(value, kind);
    // Most fields of most objects are judged by their values alone.
    const quiet = !release && below.field === undefined && !below.file && below.kind === "";
    let copy: { [key: string]: Json } | undefined;
    let sameKeys = true;
    // Reads each value where its key stands, which Object.keys does not. Nothing is inherited: it is data.
    for (const key in value) {
      const inner = value[key] ?? null;
      const rule = keys(key);
      sameKeys &&= rule.clean && !rule.drops;
      if (rule.drops && isDropped(key, inner)) continue;
      const masked =
        quiet && rule.plain
          ? walk(inner, below, level)
          : release && dataKeys.has(key)
            ? everything(inner, "release")
            : entry(value, key, rule, inner, kind, below, level);
      if (masked === inner) continue;
      // A copy has the key as its own already, so that even `__proto__` is set like any other.
      copy ??= { ...value };
      copy[key] = masked;
    }
    return sameKeys ? (copy ?? value) : rekeyed(copy ?? value);
  }

  /** The object without the fields that are dropped, and with those keys masked that hold a secret themselves. */
  function rekeyed(value: JsonObject): JsonObject {
    let same = true;
    const rows: [string, Json][] = [];
    for (const [key, inner] of Object.entries(value)) {
      const name = isDropped(key, inner) ? undefined : keys(key).clean ? key : leaf(key, top);
      same &&= name === key;
      if (name !== undefined) rows.push([name, inner]);
    }
    return same ? value : Object.fromEntries(rows);
  }

  /** One field of an object. `below` is where its value stands unless its name or its neighbours say otherwise. */
  function entry(
    owner: JsonObject,
    key: string,
    rule: Key,
    inner: Json,
    kind: string,
    below: Spot,
    level: number,
  ): Json {
    if (inner === null || typeof inner === "boolean") return inner;
    const own = rule.field;
    if (rule.surrounded || (typeof inner === "string" && (rule.privatePart || below.file || below.kind !== ""))) {
      const special = bySurroundings(owner, key, inner, kind, below, level);
      if (special !== undefined) return special;
    }
    if (own === undefined && below.field === undefined) return walk(inner, below, level);
    const inherits = own === undefined && (rule.holder || below.file || below.field?.many === true);
    const field = own ?? (inherits ? below.field : undefined);
    if (typeof inner === "string" && isDocument(inner)) return walk(inner, { ...below, field: undefined }, level);
    return walk(inner, { ...below, field, place: below.file || inherits ? below.place : "field" }, level);
  }

  /** What stands around a field decides before its own name does; undefined where nothing there does. */
  function bySurroundings(
    owner: JsonObject,
    key: string,
    inner: Json,
    kind: string,
    below: Spot,
    level: number,
  ): Json | undefined {
    switch (key) {
      case "data":
        if (below.secret) return everything(inner, "secret", true);
        return kind === "ConfigMap"
          ? walk(inner, { ...below, field: undefined, place: "variable", file: true }, level)
          : undefined;
      case "stringData":
        return below.secret ? everything(inner, "secret") : undefined;
      case "binaryData":
        return kind === "ConfigMap"
          ? walk(inner, { ...below, field: undefined, kind: "binaryData" }, level)
          : undefined;
      case "items":
        return kind.endsWith("List")
          ? walk(inner, { ...below, kind: kind.slice(0, -4), field: undefined }, level)
          : undefined;
      case "rows":
        return rowsIn(inner, owner, below, level);
      case "args":
      case "command":
        if (!Array.isArray(inner) || !inner.every((one) => typeof one === "string")) return undefined;
        return words(inner, commandLine(owner), { ...below, field: undefined }, level);
      case "value":
        if (below.secret && patchesData(owner)) return everything(inner, "secret");
        return isJsonObject(inner) ? undefined : valueBeside(owner, inner, below, level);
    }
    if (typeof inner !== "string") return undefined;
    if (isPrivatePart(key) && typeof owner["kty"] === "string")
      return isToken(inner) ? inner : write("private_key", inner);
    if (!below.file && below.kind !== "binaryData") return undefined;
    const spans = fileSecret(key, inner, below.kind === "binaryData");
    return spans === undefined ? undefined : walk(written(inner, spans, write), { ...below, field: undefined }, level);
  }

  function valueBeside(owner: JsonObject, inner: Json, below: Spot, level: number): Json {
    return walk(inner, { ...below, field: fieldBeside(owner, remember) ?? below.field, place: "variable" }, level);
  }

  /** Every leaf is a secret, whatever it is called. Keys stay; of the values not even their lengths show. */
  function everything(value: Json, type: "secret" | "release", encoded = false): Json {
    if (value === null || typeof value === "boolean") return value;
    if (typeof value === "number") return write(type, String(value));
    if (typeof value === "string") return isToken(value) ? value : write(type, encoded ? encodedSecret(value) : value);
    if (Array.isArray(value)) return mapped(value as readonly Json[], (one) => everything(one, type, encoded));
    const object = value as JsonObject;
    let copy: { [key: string]: Json } | undefined;
    for (const key of Object.keys(object)) {
      const inner = object[key] ?? null;
      const masked = everything(inner, type, encoded);
      if (masked === inner) continue;
      copy ??= { ...object };
      copy[key] = masked;
    }
    return copy ?? value;
  }

  /** Cells of a meta.k8s.io Table count as fields that are named by their column. */
  function rowsIn(rows: Json, table: JsonObject, below: Spot, level: number): Json | undefined {
    const columns = columnsOf(table);
    if (columns === undefined || !Array.isArray(rows)) return undefined;
    return mapped(rows as readonly Json[], (row) => {
      if (!isJsonObject(row) || !Array.isArray(row["cells"])) return walk(row, below, level);
      const cells = mapped(row["cells"] as readonly Json[], (cell, index) =>
        walk(cell, { ...below, field: remember(columns[index] ?? ""), place: "field" }, level),
      );
      return { ...(walk({ ...row, cells: null }, below, level) as JsonObject), cells };
    });
  }

  return (value, from) => walk(value, from === undefined ? top : { ...top, ...from }, 0);
}

/** Where the fields of an object of this kind stand; a list's word on its items' kind holds for the items alone. */
function spotBelow(spot: Spot, kind: string): Spot {
  const secret = spot.secret || isSecretKind(kind);
  const keeps = spot.kind === "" || spot.kind === "binaryData";
  return keeps && secret === spot.secret ? spot : { ...spot, kind: keeps ? spot.kind : "", secret };
}

/** Maps a list; the same list where every element stays as it is. */
export function mapped<T extends Json>(values: readonly T[], each: (value: T, index: number) => Json): Json {
  let changed: Json[] | undefined;
  for (let index = 0; index < values.length; index++) {
    const value = values[index] as T;
    const result = each(value, index);
    if (changed === undefined && result !== value) changed = values.slice(0, index);
    changed?.push(result);
  }
  return changed ?? values;
}
