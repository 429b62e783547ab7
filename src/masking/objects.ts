// Masks Kubernetes objects and any other JSON by structure: what a value is called and where it stands decides.

import { isJsonObject, type Json, type JsonObject } from "../domain/json.ts";
import { deepest } from "./base64.ts";
import { hides, type Field, type Place } from "./fields.ts";
import { fileSecret } from "./files.ts";
import { leafMasker, writtenWith, type Write } from "./leaves.ts";
import { encodedSecret } from "./opened.ts";
import { flagsOf, secretPart } from "./programs.ts";
import type { FindSecrets } from "./text.ts";
import { isToken } from "./token.ts";
import { isPlaceholder, isReference } from "./values.ts";

/** Where a value stands. */
interface Spot {
  /** The field that it belongs to, if that name promises a secret. */
  readonly field: Field | undefined;
  readonly place: Place;
  /** Strings below are files (a ConfigMap's values). */
  readonly file: boolean;
  /** The kind that a list gives its items, which carry none of their own. */
  readonly kind: string;
  /** Inside an object or a patch of a Secret: `data` and `stringData` below hide all their values. */
  readonly secret: boolean;
  /** How many encodings were opened. */
  readonly depth: number;
  /** How many levels of the value were walked. */
  readonly level: number;
}

export interface WalkParts {
  readonly find: FindSecrets;
  readonly remember: (name: string) => Field | undefined;
  readonly write: Write;
}

/** Masks one value. Returns the same value (identity) where nothing had to be hidden or dropped. */
export type Walk = (value: Json, from?: Partial<Spot>) => Json;

/** Deeper structures are not followed but hidden. */
const mostLevels = 96;
const lastApplied = "kubectl.kubernetes.io/last-applied-configuration";
const top: Spot = { field: undefined, place: "field", file: false, kind: "", secret: false, depth: 0, level: 0 };
/** Keys under which an object keeps the value that its own name promises (`password: {value: x}`). */
const holders = new Set(["value", "plaintext", "plain", "text", "string", "stringValue", "default", "inline", "literal", "data", "raw"]);
/** Fields that name what another field of the same object holds (`{name: DB_PASSWORD, value: x}`, JSON Patch's `path`). */
const namers = ["name", "key", "path", "field", "header", "variable"];
const privateParts = new Set(["d", "p", "q", "dp", "dq", "qi", "k"]);

/** Returns the walker of one call. */
export function walker(parts: WalkParts): Walk {
  const leaf = leafMasker({ ...parts, deepest, walk: (value, depth) => walk(value, { ...top, depth }) });

  function walk(value: Json, spot: Spot): Json {
    if (typeof value === "string") return leaf(value, spot);
    if (typeof value === "number") return numberIn(value, spot);
    if (typeof value !== "object" || value === null) return value;
    if (spot.level > mostLevels) return parts.write("unscanned", "");
    const inner = { ...spot, level: spot.level + 1 };
    return isJsonObject(value) ? object(value, inner) : list(value as readonly Json[], inner);
  }

  function numberIn(value: number, spot: Spot): Json {
    const hidden = spot.field !== undefined && hides(spot.field, String(value), spot.place);
    return hidden ? parts.write(spot.field.type, String(value)) : (cardNumber(value) ?? value);
  }

  function cardNumber(value: number): Json | undefined {
    if (value < 1e12 || !Number.isSafeInteger(value)) return undefined;
    const text = String(value);
    const masked = leaf(text, top);
    return masked === text ? undefined : masked;
  }

  function list(values: readonly Json[], spot: Spot): Json {
    const words = values.every((one) => typeof one === "string") ? (values as readonly string[]) : undefined;
    const hidden = words === undefined ? undefined : argumentsIn(words, words, spot);
    const result = values.map((one, index) => hidden?.get(index) ?? walk(one, spot));
    return result.every((one, index) => one === values[index]) ? values : result;
  }

  /** Arguments that a flag before them makes secret, by their index. `line` is the whole command line, its program first. */
  function argumentsIn(words: readonly string[], line: readonly string[], spot: Spot): Map<number, string> {
    const hidden = new Map<number, string>();
    const flags = flagsOf(line[0] ?? "", line) ?? {};
    for (const [index, word] of words.entries()) {
      const next = words[index + 1];
      const field = /^--?[A-Za-z][\w.-]*$/.test(word) ? parts.remember(word) : undefined;
      if (field !== undefined && next !== undefined && !next.startsWith("-") && hides(field, next, "variable")) {
        if (!isToken(next)) hidden.set(index + 1, parts.write(field.type, next));
        continue;
      }
      const part = secretPart(flags, word, next);
      if (part === undefined) continue;
      const at = part.in === "self" ? index : index + 1;
      const whole = words[at] ?? "";
      const value = whole.slice(part.from);
      if (value === "" || isToken(value) || isReference(value) || isPlaceholder(value)) continue;
      hidden.set(at, leaf(whole.slice(0, part.from), { ...spot, file: true }) + parts.write("password", value));
    }
    return hidden;
  }

  function object(value: JsonObject, spot: Spot): Json {
    const kind = typeof value["kind"] === "string" ? value["kind"] : spot.kind;
    const secret = spot.secret || /^secrets?(?:\.|$)|^SecretList$/i.test(kind);
    const named = nameOf(value, parts.remember);
    const release = holdsRelease(value, kind);
    const line = commandLine(value);
    const around = { spot, kind, secret, named, release, line, object: value };
    const entries = Object.entries(value);
    const kept: [string, Json][] = [];
    let changed = false;
    for (const [key, inner] of entries) {
      if (key === lastApplied || (key === "managedFields" && Array.isArray(inner))) continue;
      const masked = entry(key, inner, around);
      const name = key.length >= 20 ? leaf(key, top) : key;
      if (masked !== inner || name !== key) changed = true;
      kept.push([name, masked]);
    }
    return changed || kept.length < entries.length ? Object.fromEntries(kept) : value;
  }

  interface Surroundings {
    readonly spot: Spot;
    readonly kind: string;
    readonly secret: boolean;
    readonly named: Named | undefined;
    readonly release: boolean;
    readonly line: readonly string[] | undefined;
    readonly object: JsonObject;
  }

  function entry(key: string, inner: Json, around: Surroundings): Json {
    const { spot, kind, secret, named } = around;
    const own = { ...spot, kind: "", secret };
    if (around.release && (key === "data" || key === "binaryData")) return everything(inner, "release");
    if (secret && (key === "data" || key === "stringData")) return everything(inner, "secret", key === "data");
    if (secret && key === "value" && /^\/(?:data|stringData)(?:\/|$)/.test(String(around.object["path"]))) {
      return everything(inner, "secret");
    }
    if (kind === "ConfigMap" && key === "data") return walk(inner, { ...own, field: undefined, place: "variable", file: true });
    if (kind === "ConfigMap" && key === "binaryData") return walk(inner, { ...own, field: undefined, kind: "binary" });
    if (key === "items" && kind.endsWith("List")) return walk(inner, { ...own, kind: kind.slice(0, -4), field: undefined });
    if (key === "rows" && Array.isArray(around.object["columnDefinitions"])) return rowsIn(inner, around.object, own);
    if (key === "value" && named !== undefined && !isJsonObject(inner)) {
      return walk(inner, { ...own, field: named.field ?? spot.field, place: "variable" });
    }
    if (typeof around.object["kty"] === "string" && privateParts.has(key) && typeof inner === "string") {
      return isToken(inner) ? inner : parts.write("private_key", inner);
    }
    if ((key === "args" || key === "command") && around.line !== undefined && Array.isArray(inner)) {
      return commandPart(inner as readonly Json[], around.line, own);
    }
    if (typeof inner === "string" && (spot.file || spot.kind === "binary")) {
      const whole = fileSecret(key, inner, spot.kind === "binary");
      if (whole !== undefined) return walk(writtenWith(inner, whole, parts.write), { ...own, field: undefined });
    }
    const field = parts.remember(key) ?? (holders.has(key) || spot.file ? spot.field : undefined);
    const place = spot.file || (holders.has(key) && spot.field !== undefined) ? spot.place : "field";
    return walk(inner, { ...own, field: documentName(key, inner) ? undefined : field, place });
  }

  /** A container's `args` are judged by the program that its `command` names. */
  function commandPart(words: readonly Json[], line: readonly string[], spot: Spot): Json {
    if (!words.every((one) => typeof one === "string")) return walk(words, spot);
    const hidden = argumentsIn(words as readonly string[], line, spot);
    const result = words.map((one, index) => hidden.get(index) ?? walk(one, { ...spot, field: undefined, file: true }));
    return result.every((one, index) => one === words[index]) ? words : result;
  }

  /** Every leaf is a secret, whatever it is called. Keys stay; lengths and emptiness of values do not show beyond null. */
  function everything(value: Json, type: "secret" | "release", encoded = false): Json {
    if (value === null || typeof value === "boolean") return value;
    if (typeof value === "string") {
      return isToken(value) ? value : parts.write(type, encoded ? encodedSecret(value) : value);
    }
    if (typeof value === "number") return parts.write(type, String(value));
    if (Array.isArray(value)) return (value as readonly Json[]).map((one) => everything(one, type, encoded));
    const rows = Object.entries(value).map(([key, inner]) => [key, everything(inner, type, encoded)] as const);
    return rows.every(([key, inner]) => inner === (value as JsonObject)[key]) ? value : Object.fromEntries(rows);
  }

  /** Cells of a meta.k8s.io Table count as fields that are named by their column. */
  function rowsIn(rows: Json, table: JsonObject, spot: Spot): Json {
    if (!Array.isArray(rows)) return walk(rows, spot);
    const columns = (table["columnDefinitions"] as readonly Json[]).map((one) =>
      isJsonObject(one) && typeof one["name"] === "string" ? one["name"] : "",
    );
    return (rows as readonly Json[]).map((row) => {
      if (!isJsonObject(row)) return walk(row, spot);
      const cells = row["cells"];
      if (!Array.isArray(cells)) return walk(row, spot);
      const masked = (cells as readonly Json[]).map((cell, index) =>
        walk(cell, { ...spot, field: parts.remember(columns[index] ?? ""), place: "field" }),
      );
      return { ...(walk({ ...row, cells: [] }, spot) as JsonObject), cells: masked };
    });
  }

  return (value, from) => walk(value, { ...top, ...from });
}

interface Named {
  readonly field: Field | undefined;
}

/** The field that a `value` belongs to by the name that stands beside it. */
function nameOf(value: JsonObject, remember: (name: string) => Field | undefined): Named | undefined {
  if (!Object.hasOwn(value, "value")) return undefined;
  for (const key of namers) {
    const name = value[key];
    if (typeof name !== "string") continue;
    return { field: remember(name.slice(name.lastIndexOf("/") + 1)) };
  }
  return undefined;
}

/** A Helm release: version 3 keeps it in Secrets (or ConfigMaps) of its own type, version 2 in ConfigMaps of Tiller's. */
function holdsRelease(value: JsonObject, kind: string): boolean {
  if (kind !== "Secret" && kind !== "ConfigMap") return false;
  if (String(value["type"]).startsWith("helm.sh/release")) return true;
  const metadata = isJsonObject(value["metadata"]) ? value["metadata"] : {};
  const labels = isJsonObject(metadata["labels"]) ? metadata["labels"] : {};
  if (String(metadata["name"]).startsWith("sh.helm.release.")) return true;
  return labels["OWNER"] === "TILLER" || (labels["owner"] === "helm" && isJsonObject(value["data"]) && Object.hasOwn(value["data"], "release"));
}

/** A container's whole command line: `command`, then `args`. */
function commandLine(value: JsonObject): readonly string[] | undefined {
  const words = [value["command"], value["args"]].flatMap((part) => (Array.isArray(part) ? (part as readonly Json[]) : []));
  return words.length === 0 ? undefined : words.filter((one) => typeof one === "string");
}

/** `secrets.yaml`, `token-config.json`: a document's file name under which a whole text stands; its own names count. */
function documentName(key: string, inner: Json): boolean {
  return typeof inner === "string" && inner.includes("\n") && !inner.startsWith("-----BEGIN") && /[:=]/.test(inner);
}

