// What an object is, as far as masking asks: a Secret, a Helm release, a name with a value, a command, a Table.

import { isJsonObject, textAt, type Json, type JsonObject } from "../domain/json.ts";
import type { Field } from "./fields.ts";
import { opening } from "./token.ts";

/** Is it a Secret (or arguments that are about one: `kind: secrets`)? */
export function isSecretKind(kind: string): boolean {
  return kind !== "" && /^secrets?(?:\.|$)|^SecretList$/i.test(kind);
}

/** A Helm release: version 3 keeps it in Secrets (or ConfigMaps) of its own type, version 2 in ConfigMaps of Tiller's. */
export function holdsRelease(value: JsonObject, kind: string): boolean {
  if (kind !== "Secret" && kind !== "ConfigMap") return false;
  if (textAt(value, "type").startsWith("helm.sh/release")) return true;
  if (textAt(value, "metadata", "name").startsWith("sh.helm.release.")) return true;
  if (textAt(value, "metadata", "labels", "OWNER") === "TILLER") return true;
  return textAt(value, "metadata", "labels", "owner") === "helm" && textAt(value, "data", "release") !== "";
}

/** Fields that name what `value` beside them holds (`{name: DB_PASSWORD, value: x}`, JSON Patch's `path`). */
const namers = ["name", "key", "path", "field", "header", "variable"];

/** The field that `value` belongs to by the name that stands beside it. */
export function fieldBeside(value: JsonObject, remember: (name: string) => Field | undefined): Field | undefined {
  for (const key of namers) {
    const name = value[key];
    if (typeof name === "string" && mayName(name)) return remember(name.slice(name.lastIndexOf("/") + 1));
  }
  return undefined;
}

/** Not empty, not longer than any name, and neither a sentence nor hidden. */
function mayName(name: string): boolean {
  return name !== "" && name.length <= 253 && !/\s/.test(name) && !name.includes(opening);
}

/** Is it a JSON Patch operation on a Secret's data (RFC 6902)? */
export function patchesData(value: JsonObject): boolean {
  return typeof value["path"] === "string" && /^\/(?:data|stringData)(?:\/|$)/.test(value["path"]);
}

/** A container's whole command line: `command`, then `args`. */
export function commandLine(value: JsonObject): readonly string[] {
  const words: string[] = [];
  for (const part of [value["command"], value["args"]]) {
    if (Array.isArray(part)) for (const one of part as readonly Json[]) if (typeof one === "string") words.push(one);
  }
  return words;
}

/** The names of a meta.k8s.io Table's columns, or undefined for anything else. */
export function columnsOf(value: JsonObject): readonly string[] | undefined {
  const columns = value["columnDefinitions"];
  if (!Array.isArray(columns)) return undefined;
  return (columns as readonly Json[]).map((one) =>
    isJsonObject(one) && typeof one["name"] === "string" ? one["name"] : "",
  );
}

/** A whole document under a file's name (`secrets.yaml`, `token-config.json`): its own names count, not the file's. */
export function isDocument(text: string): boolean {
  return text.includes("\n") && !text.startsWith("-----BEGIN") && /[:=]/.test(text);
}
