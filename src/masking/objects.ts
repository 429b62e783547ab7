// Masks Kubernetes objects and any other JSON by structure: what a value is called and where it stands decides.

import { isJsonObject, type Json, type JsonObject } from "../domain/json.ts";
import { secretWords } from "./arguments.ts";
import { hides, type Field } from "./fields.ts";
import { fileSecret } from "./files.ts";
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
  /** How many levels of the value were walked. */
  readonly level: number;
}

export interface WalkParts {
  readonly find: FindSecrets;
  readonly remember: (name: string) => Field | undefined;
  readonly write: Write;
  readonly room: Room;
}

/** Masks one value. Returns the same value (identity) where nothing had to be hidden or dropped. */
export type Walk = (value: Json, from?: Partial<Spot>) => Json;

/** Deeper structures are not followed but hidden. */
const mostLevels = 96;
const lastApplied = "kubectl.kubernetes.io/last-applied-configuration";
const top: Spot = { field: undefined, place: "field", file: false, kind: "", secret: false, depth: 0, level: 0 };
/** Keys under which an object keeps the value that its own name promises (`password: {value: x}`). */
const holders = new Set([
  "value",
  "plaintext",
  "plain",
  "text",
  "string",
  "stringValue",
  "default",
  "inline",
  "literal",
  "raw",
]);
/** The private members of a JSON Web Key (RFC 7518, section 6). */
const privateParts = new Set(["d", "p", "q", "dp", "dq", "qi", "k"]);
const dataKeys = new Set(["data", "binaryData", "stringData"]);
/** Shorter keys hold no secret of a known shape. */
const shortestKey = 20;
/** Keys whose surroundings decide before their own name does. */
const surrounded = new Set(["data", "stringData", "binaryData", "items", "rows", "args", "command", "value"]);

/** What a key says by itself, worked out once: objects of one kind repeat theirs. */
interface Key {
  readonly field: Field | undefined;
  readonly holder: boolean;
  /** Its surroundings are looked at whatever stands there. */
  readonly surrounded: boolean;
  readonly privatePart: boolean;
}
/** Keys that are remembered. */
const mostKeys = 4096;

/** Returns the walker of one call. */
export function walker(parts: WalkParts): Walk {
  const { remember, write } = parts;
  const keys = new Map<string, Key>();
  const leaf = leafMasker({ ...parts, walk: (value, depth) => walk(value, { ...top, depth }) });

  function walk(value: Json, spot: Spot): Json {
    if (typeof value === "string") return value === "" ? value : leaf(value, spot);
    if (typeof value === "number") return numberIn(value, spot);
    if (typeof value !== "object" || value === null) return value;
    if (spot.level > mostLevels) return write("unscanned", "");
    return Array.isArray(value) ? list(value as readonly Json[], spot) : object(value as JsonObject, spot);
  }

  function numberIn(value: number, spot: Spot): Json {
    if (spot.field !== undefined && hides(spot.field, String(value), spot.place))
      return write(spot.field.type, String(value));
    if (value < 1e12 || !Number.isSafeInteger(value)) return value;
    const text = String(value);
    const masked = leaf(text, spot);
    return masked === text ? value : masked;
  }

  function list(values: readonly Json[], spot: Spot): Json {
    const flagged = values.some((one) => typeof one === "string" && one.startsWith("-"));
    if (flagged && values.every((one) => typeof one === "string")) return words(values, values, spot);
    const inner = { ...spot, level: spot.level + 1 };
    return mapped(values, (one) => walk(one, inner));
  }

  /** Arguments of a command: what flags make secret is hidden, the rest is judged by its content as a script is. */
  function words(values: readonly string[], line: readonly string[], spot: Spot): Json {
    const secret = secretWords(values, line, remember);
    const inner: Spot = { ...spot, file: true, level: spot.level + 1 };
    return mapped(values, (one, index) => {
      const found = secret.get(index);
      if (found === undefined) return walk(one, inner);
      return (walk(one.slice(0, found.from), inner) as string) + write(found.type, one.slice(found.from));
    });
  }

  function object(value: JsonObject, spot: Spot): Json {
    const kind = typeof value["kind"] === "string" ? value["kind"] : spot.kind;
    const below: Spot = {
      field: spot.field,
      place: spot.place,
      file: spot.file,
      depth: spot.depth,
      kind: spot.kind === "binaryData" ? spot.kind : "",
      secret: spot.secret || isSecretKind(kind),
      level: spot.level + 1,
    };
    const names = Object.keys(value);
    const release = holdsRelease(value, kind);
    let kept: [string, Json][] | undefined;
    for (let index = 0; index < names.length; index++) {
      const key = names[index] ?? "";
      const inner = value[key] ?? null;
      const drops = key === lastApplied || (key === "managedFields" && Array.isArray(inner));
      const masked = drops
        ? inner
        : release && dataKeys.has(key)
          ? everything(inner, "release")
          : entry(value, key, inner, kind, below);
      const name = key.length < shortestKey ? key : leaf(key, top);
      if (kept === undefined && (drops || masked !== inner || name !== key)) {
        kept = names.slice(0, index).map((before) => [before, value[before] ?? null]);
      }
      if (!drops) kept?.push([name, masked]);
    }
    return kept === undefined ? value : Object.fromEntries(kept);
  }

  /** One field of an object. `below` is where its value stands unless its name or its neighbours say otherwise. */
  function entry(owner: JsonObject, key: string, inner: Json, kind: string, below: Spot): Json {
    if (inner === null || typeof inner === "boolean") return inner;
    const rule = ruleOf(key);
    const own = rule.field;
    if (rule.surrounded || (typeof inner === "string" && (rule.privatePart || below.file || below.kind !== ""))) {
      const special = bySurroundings(owner, key, inner, kind, below);
      if (special !== undefined) return special;
    }
    if (own === undefined && below.field === undefined) return walk(inner, below);
    const inherits = own === undefined && (rule.holder || below.file || below.field?.many === true);
    const field = own ?? (inherits ? below.field : undefined);
    if (typeof inner === "string" && isDocument(inner)) return walk(inner, { ...below, field: undefined });
    return walk(inner, { ...below, field, place: below.file || inherits ? below.place : "field" });
  }

  function ruleOf(key: string): Key {
    const known = keys.get(key);
    if (known !== undefined) return known;
    const rule: Key = {
      field: remember(key),
      holder: holders.has(key),
      surrounded: surrounded.has(key),
      privatePart: privateParts.has(key),
    };
    if (keys.size < mostKeys) keys.set(key, rule);
    return rule;
  }

  /** What stands around a field decides before its own name does; undefined where nothing there does. */
  function bySurroundings(owner: JsonObject, key: string, inner: Json, kind: string, below: Spot): Json | undefined {
    switch (key) {
      case "data":
        if (below.secret) return everything(inner, "secret", true);
        return kind === "ConfigMap"
          ? walk(inner, { ...below, field: undefined, place: "variable", file: true })
          : undefined;
      case "stringData":
        return below.secret ? everything(inner, "secret") : undefined;
      case "binaryData":
        return kind === "ConfigMap" ? walk(inner, { ...below, field: undefined, kind: "binaryData" }) : undefined;
      case "items":
        return kind.endsWith("List") ? walk(inner, { ...below, kind: kind.slice(0, -4), field: undefined }) : undefined;
      case "rows":
        return rowsIn(inner, owner, below);
      case "args":
      case "command":
        if (!Array.isArray(inner) || !inner.every((one) => typeof one === "string")) return undefined;
        return words(inner, commandLine(owner), { ...below, field: undefined });
      case "value":
        if (below.secret && patchesData(owner)) return everything(inner, "secret");
        return isJsonObject(inner) ? undefined : valueBeside(owner, inner, below);
    }
    if (typeof inner !== "string") return undefined;
    if (privateParts.has(key) && typeof owner["kty"] === "string")
      return isToken(inner) ? inner : write("private_key", inner);
    if (!below.file && below.kind !== "binaryData") return undefined;
    const spans = fileSecret(key, inner, below.kind === "binaryData");
    return spans === undefined ? undefined : walk(written(inner, spans, write), { ...below, field: undefined });
  }

  function valueBeside(owner: JsonObject, inner: Json, below: Spot): Json {
    return walk(inner, { ...below, field: fieldBeside(owner, remember) ?? below.field, place: "variable" });
  }

  /** Every leaf is a secret, whatever it is called. Keys stay; of the values not even their lengths show. */
  function everything(value: Json, type: "secret" | "release", encoded = false): Json {
    if (value === null || typeof value === "boolean") return value;
    if (typeof value === "number") return write(type, String(value));
    if (typeof value === "string") return isToken(value) ? value : write(type, encoded ? encodedSecret(value) : value);
    if (Array.isArray(value)) return mapped(value as readonly Json[], (one) => everything(one, type, encoded));
    const object = value as JsonObject;
    const rows = Object.keys(object).map((key) => [key, everything(object[key] ?? null, type, encoded)] as const);
    return rows.every(([key, inner]) => inner === object[key]) ? value : Object.fromEntries(rows);
  }

  /** Cells of a meta.k8s.io Table count as fields that are named by their column. */
  function rowsIn(rows: Json, table: JsonObject, below: Spot): Json | undefined {
    const columns = columnsOf(table);
    if (columns === undefined || !Array.isArray(rows)) return undefined;
    return mapped(rows as readonly Json[], (row) => {
      if (!isJsonObject(row) || !Array.isArray(row["cells"])) return walk(row, below);
      const cells = mapped(row["cells"] as readonly Json[], (cell, index) =>
        walk(cell, { ...below, field: remember(columns[index] ?? ""), place: "field" }),
      );
      return { ...(walk({ ...row, cells: null }, below) as JsonObject), cells };
    });
  }

  return (value, from) => walk(value, from === undefined ? top : { ...top, ...from });
}

/** Maps a list; the same list where every element stays as it is. */
function mapped<T extends Json>(values: readonly T[], each: (value: T, index: number) => Json): Json {
  let changed: Json[] | undefined;
  for (let index = 0; index < values.length; index++) {
    const value = values[index] as T;
    const result = each(value, index);
    if (changed === undefined && result !== value) changed = values.slice(0, index);
    changed?.push(result);
  }
  return changed ?? values;
}
