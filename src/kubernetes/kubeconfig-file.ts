// Kubeconfig files as they stand: read, checked field by field, merged as kubectl merges them.

import { dirname, resolve } from "node:path";
import { LineCounter, parseDocument } from "yaml";
import { Faulted } from "../domain/fault.ts";
import { isJsonObject, type Json, type JsonObject } from "../domain/json.ts";
import { clusterFault } from "./faults.ts";

/** Reads a text file; rejects as `node:fs/promises` does. */
export type ReadFile = (path: string) => Promise<string>;

/** One named part of a kubeconfig, and where it stands, so that a problem can name it. */
export interface Entry {
  readonly file: string;
  /** For example `users[0].user`. */
  readonly where: string;
  readonly fields: JsonObject;
}

export interface Kubeconfig {
  readonly clusters: ReadonlyMap<string, Entry>;
  readonly users: ReadonlyMap<string, Entry>;
  readonly contexts: ReadonlyMap<string, Entry>;
  /** The `current-context`, or "". */
  readonly current: string;
  /** The files that were there. */
  readonly files: readonly string[];
}

/** A kubeconfig that can't be used: the operator's sentence names the file and the field, never a value of it. */
export function kubeconfigProblem(file: string, what: string): Faulted {
  return new Faulted(
    clusterFault("cluster_unavailable", { why: "configuration" }, `The kubeconfig ${file} can't be used: ${what}.`),
  );
}

/**
 * Reads and merges kubeconfig files. As with kubectl, missing files are passed over and the first to name a thing wins.
 * Faults: cluster_unavailable, with the sentence in its cause.
 */
export async function readKubeconfig(paths: readonly string[], readFile: ReadFile): Promise<Kubeconfig> {
  const merged = {
    clusters: new Map<string, Entry>(),
    users: new Map<string, Entry>(),
    contexts: new Map<string, Entry>(),
  };
  const files: string[] = [];
  let current = "";
  for (const file of paths) {
    const text = await textOf(file, readFile);
    if (text === null) continue;
    files.push(file);
    const document = await parse(file, text);
    current ||= stringField({ file, where: "", fields: document }, "current-context") ?? "";
    for (const [list, one] of [
      ["clusters", "cluster"],
      ["users", "user"],
      ["contexts", "context"],
    ] as const)
      for (const [name, entry] of entriesOf(file, document[list], list, one))
        if (!merged[list].has(name)) merged[list].set(name, entry);
  }
  if (files.length === 0) throw kubeconfigProblem(paths.join(", ") || "(none given)", "there is no such file");
  return { ...merged, current, files };
}

async function textOf(file: string, readFile: ReadFile): Promise<string | null> {
  try {
    return await readFile(file);
  } catch (thrown) {
    const code = errorCode(thrown);
    if (code === "ENOENT") return null;
    throw kubeconfigProblem(file, `it can't be read (${code})`);
  }
}

/** The file as plain data; a few aliases may stand for a person's convenience, many for gigabytes. */
async function parse(file: string, text: string): Promise<JsonObject> {
  const lines = new LineCounter();
  const parsed = parseDocument(text, { lineCounter: lines, stringKeys: true, prettyErrors: false });
  const [broken] = [...parsed.errors, ...parsed.warnings];
  if (broken !== undefined)
    throw kubeconfigProblem(file, `it is not valid YAML (line ${lines.linePos(broken.pos[0]).line})`);
  let document: unknown;
  try {
    document = parsed.toJS({ maxAliasCount: 100 });
  } catch {
    throw kubeconfigProblem(file, "it holds too many YAML aliases");
  }
  if (!isJsonObject(document)) throw kubeconfigProblem(file, "it is not a mapping");
  const { kind } = document;
  if (kind !== undefined && kind !== "Config") throw kubeconfigProblem(file, "its kind is not Config");
  return document;
}

function entriesOf(file: string, list: Json | undefined, listName: string, one: string): [string, Entry][] {
  if (list === undefined || list === null) return [];
  if (!Array.isArray(list)) throw kubeconfigProblem(file, `${listName} is not a list`);
  const seen = new Set<string>();
  return list.map((item: Json, index): [string, Entry] => {
    const where = `${listName}[${index}]`;
    if (!isJsonObject(item)) throw kubeconfigProblem(file, `${where} is not a mapping`);
    const { name } = item;
    if (typeof name !== "string" || name === "") throw kubeconfigProblem(file, `${where}.name is missing`);
    if (seen.has(name)) throw kubeconfigProblem(file, `${where}.name stands twice`);
    seen.add(name);
    const fields = item[one] ?? {};
    if (!isJsonObject(fields)) throw kubeconfigProblem(file, `${where}.${one} is not a mapping`);
    return [name, { file, where: `${where}.${one}`, fields }];
  });
}

/** A field's text; undefined where it is absent, null or "". */
export function stringField(entry: Entry, field: string): string | undefined {
  const value = entry.fields[field];
  if (value === undefined || value === null || value === "") return undefined;
  if (typeof value === "string") return value;
  throw fieldProblem(entry, field, "is not text");
}

export function flagField(entry: Entry, field: string): boolean {
  const value = entry.fields[field];
  if (value === undefined || value === null) return false;
  if (typeof value === "boolean") return value;
  throw fieldProblem(entry, field, "is neither true nor false");
}

export function fieldProblem(entry: Entry, field: string, rule: string): Faulted {
  return kubeconfigProblem(entry.file, `${entry.where === "" ? "" : `${entry.where}.`}${field} ${rule}`);
}

/** A PEM from `<field>-data` (base64) or from the file that `<field>` names, as seen from the kubeconfig's folder. */
export async function pemField(
  entry: Entry,
  field: string,
  label: string,
  readFile: ReadFile,
): Promise<string | undefined> {
  const data = stringField(entry, `${field}-data`);
  const path = stringField(entry, field);
  const [from, text] =
    data !== undefined
      ? [`${field}-data`, Buffer.from(data, "base64").toString("utf8")]
      : [field, path && (await fileText(entry, field, path, readFile))];
  if (text === undefined) return undefined;
  if (!new RegExp(`-----BEGIN [A-Z ]*${label}-----`).test(text))
    throw fieldProblem(entry, from, `holds no PEM ${label.toLowerCase()}`);
  return text;
}

async function fileText(entry: Entry, field: string, path: string, readFile: ReadFile): Promise<string> {
  try {
    return await readFile(resolve(dirname(entry.file), path));
  } catch (thrown) {
    throw fieldProblem(entry, field, `names a file that can't be read (${errorCode(thrown)})`);
  }
}

/** A system error's code, for example `EACCES`: its message would repeat the path. */
export function errorCode(thrown: unknown): string {
  return thrown instanceof Error && "code" in thrown ? String(thrown.code) : "unknown";
}
