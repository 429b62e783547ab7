// What of an answer is masked, by type, with the places: where an auditor would look, never what stood there.

import { isJsonObject, type Json } from "../domain/json.ts";
import type { Block, Masked, Output, Sentence } from "../domain/output.ts";
import { countTokens, opening } from "./token.ts";

/** Most places of one type, and characters of one of them: an entry has little room. */
const most = { places: 12, characters: 120 };

/** One row a type, most first; places in the order of the answer. */
export function maskedIn({ headline, blocks, facts }: Omit<Output, "untrusted">): readonly Masked[] {
  const rows = new Map<string, { count: number; readonly places: Set<string> }>();
  const look = (place: string, text: string): void => {
    if (!text.includes(opening)) return;
    const counts = new Map<string, number>();
    countTokens(text, counts);
    for (const [type, count] of counts) {
      const row = rows.get(type) ?? { count: 0, places: new Set<string>() };
      row.count += count;
      if (row.places.size < most.places) row.places.add(shortened(place));
      rows.set(type, row);
    }
  };
  words("headline", headline, look);
  for (const block of blocks) inBlock(block, look);
  look("cut", facts.cut ?? "");
  return [...rows]
    .map(([type, { count, places }]) => ({ type, count, places: [...places] }))
    .sort((a, b) => b.count - a.count || (a.type < b.type ? -1 : 1));
}

type Look = (place: string, text: string) => void;

function inBlock(block: Block, look: Look): void {
  switch (block.kind) {
    case "line":
      return words("line", block.line, look);
    case "table":
      for (const column of block.columns) look("columns", column);
      for (const row of block.rows)
        for (const [index, cell] of row.entries()) look(`column ${block.columns[index] ?? index}`, cell);
      return;
    case "object":
      return inJson([], block.object, look);
    case "data":
      look("source", block.source);
      for (const [index, line] of block.text.split("\n").entries()) look(`${block.source}, line ${index + 1}`, line);
      return;
    case "diff":
      for (const { path, before, after } of block.lines) {
        look("path", path);
        for (const side of [before, after]) look(path, side ?? "");
      }
  }
}

function words(place: string, sentence: Sentence, look: Look): void {
  for (const part of sentence) look(place, typeof part === "string" ? part : part.quoted);
}

/** `steps`: the keys (`.key`) and members (`[name or index]`) that lead to the value. Only where something is masked they become a path. */
function inJson(steps: string[], value: Json, look: Look): void {
  if (typeof value === "string") {
    if (value.includes(opening)) look(steps.length === 0 ? "value" : pathOf(steps), value);
  } else if (Array.isArray(value)) {
    const members = value as readonly Json[];
    for (let index = 0; index < members.length; index++) {
      const member = members[index] ?? null;
      steps.push(`[${isJsonObject(member) && typeof member["name"] === "string" ? member["name"] : index}]`);
      inJson(steps, member, look);
      steps.pop();
    }
  } else if (isJsonObject(value))
    for (const key of Object.keys(value)) {
      if (key.includes(opening)) look(`${pathOf(steps)} (a key)`, key);
      steps.push(`.${key}`);
      inJson(steps, value[key] ?? null, look);
      steps.pop();
    }
}

/** `spec.containers[api].env[DB_PASSWORD].value`: members of a list by their name where they have one. */
function pathOf(steps: readonly string[]): string {
  const path = steps.join("");
  return path.startsWith(".") ? path.slice(1) : path;
}

/** The end of a long path says more than its beginning. */
function shortened(place: string): string {
  return place.length <= most.characters ? place : `…${place.slice(1 - most.characters)}`;
}
