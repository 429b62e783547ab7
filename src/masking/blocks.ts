// The last pass over an output's parts: masked once more, then neutral.

import { isJsonObject, type Json } from "../domain/json.ts";
import type { Block, DiffLine, Quoted, Sentence } from "../domain/output.ts";
import type { Field, Place } from "./fields.ts";
import { cutLines } from "./neutral.ts";
import { mapped, type Walk } from "./objects.ts";

/** How one call masks. */
export interface Passes {
  readonly text: (text: string) => string;
  readonly walk: Walk;
  readonly remember: (name: string) => Field | undefined;
}

/** One Table cell, as a field named by its column. */
export function cellText({ walk, remember }: Passes, column: string, text: string): string {
  const masked = walk(text, { field: remember(column), place: "field" });
  if (typeof masked !== "string") throw new TypeError("a cell was masked to something else");
  return masked;
}

/** What makes text fit to be shown. */
export interface Shows {
  /** Neutral. */
  readonly clean: (text: string) => string;
  /** Masked, then neutral. */
  readonly shown: (text: string) => string;
}

/** A block with every string masked and neutral. */
export function maskedBlock(block: Block, passes: Passes, shows: Shows): Block {
  const { clean, shown } = shows;
  switch (block.kind) {
    case "line":
      return { kind: "line", line: sentence(block.line, shown) };
    case "table":
      return {
        kind: "table",
        columns: block.columns.map(shown),
        rows: block.rows.map((row) =>
          row.map((cell, index) => clean(cellText(passes, block.columns[index] ?? "", cell))),
        ),
      };
    case "object":
      return { kind: "object", object: neutralJson(passes.walk(block.object), clean) };
    case "data":
      return { kind: "data", source: shown(block.source), text: cutLines(shown(block.text)) };
    case "diff":
      return { kind: "diff", lines: block.lines.map((line) => diffLine(line, passes, shows)) };
  }
}

/** A sentence with every part masked and neutral. */
export function sentence(parts: Sentence, shown: (text: string) => string): Sentence {
  return parts.map((part): string | Quoted =>
    typeof part === "string" ? shown(part) : { quoted: shown(part.quoted) },
  );
}

/** A diff's values are JSON text of the field that its path names. */
function diffLine(line: DiffLine, passes: Passes, { clean, shown }: Shows): DiffLine {
  const { name, place } = fieldOfPath(line.path);
  const side = (text: string | null): string | null => {
    if (text === null) return null;
    const value = parsedJson(text);
    if (value === undefined) return clean(cellText(passes, name, text));
    const masked = JSON.stringify(neutralJson(passes.walk(value, { field: passes.remember(name), place }), clean));
    return masked === JSON.stringify(value) ? text : masked;
  };
  return { ...line, path: shown(line.path), before: side(line.before), after: side(line.after) };
}

/** `spec.containers[api].env[DB_PASSWORD].value` is about `DB_PASSWORD`; `spec.adminPassword` about `adminPassword`. */
function fieldOfPath(path: string): { name: string; place: Place } {
  const named = /\[([^\][]{1,253})\](?:\.value)?$/.exec(path)?.[1];
  if (named !== undefined) return { name: named, place: "variable" };
  return { name: path.slice(path.lastIndexOf(".") + 1), place: "field" };
}

function parsedJson(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

/** The same value where every string of it is neutral already. */
function neutralJson(value: Json, clean: Shows["clean"]): Json {
  if (typeof value === "string") return clean(value);
  if (Array.isArray(value)) return mapped(value as readonly Json[], (one) => neutralJson(one, clean));
  if (!isJsonObject(value)) return value;
  let rows: [string, Json][] | undefined;
  const names = Object.keys(value);
  for (let index = 0; index < names.length; index++) {
    const key = names[index] ?? "";
    const inner = value[key] ?? null;
    const [name, neutral] = [clean(key), neutralJson(inner, clean)];
    if (rows === undefined && (name !== key || neutral !== inner))
      rows = names.slice(0, index).map((before) => [before, value[before] ?? null]);
    rows?.push([name, neutral]);
  }
  return rows === undefined ? value : Object.fromEntries(rows);
}
