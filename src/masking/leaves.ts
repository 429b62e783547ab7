// One string of an object: hidden by its field's name, by what it holds, or by what stands encoded in it.

import { isJsonObject, type Json } from "../domain/json.ts";
import { hides, type Field, type Place } from "./fields.ts";
import type { Span } from "./spans.ts";
import type { FindSecrets } from "./text.ts";
import { isToken, plainForm, type MaskType } from "./token.ts";

/** Writes the token of a secret. */
export type Write = (type: MaskType, value: string) => string;

export interface LeafSpot {
  readonly field: Field | undefined;
  readonly place: Place;
  /** The string is a file's content or a script. */
  readonly file: boolean;
  /** How many encodings were opened to get here. */
  readonly depth: number;
}

/** Masks strings with one writer. `walk` masks JSON that was found inside a string, one depth further. */
export interface LeafParts {
  readonly find: FindSecrets;
  readonly write: Write;
  readonly walk: (value: Json, depth: number) => Json;
  readonly deepest: number;
}

/** Strings without a secret, remembered within one call: objects of one kind repeat most of theirs. */
const remembered = 20_000;
const longestRemembered = 512;
/** Longer strings are not parsed as JSON: the text's own checks see their names and values all the same. */
const longestJson = 2 * 1024 * 1024;

/** Returns the function that masks one string. */
export function leafMasker(parts: LeafParts): (text: string, spot: LeafSpot) => string {
  const clean = new Set<string>();
  return (text, spot) => {
    if (text === "" || isToken(text)) return text;
    if (spot.field !== undefined && hides(spot.field, text, spot.place)) return parts.write(spot.field.type, plainForm(text));
    const key = text.length <= longestRemembered && !spot.file ? `${spot.depth}${text}` : "";
    if (key !== "" && spot.field?.strength !== "connection" && clean.has(key)) return text;
    const masked = byContent(parts, text, spot);
    if (masked === text && key !== "" && clean.size < remembered) clean.add(key);
    return masked;
  };
}

function byContent(parts: LeafParts, text: string, spot: LeafSpot): string {
  const { spans } = parts.find(text, spot.file || text.includes("\n"), spot.depth);
  const masked = writtenWith(text, spans, parts.write);
  const connection = spot.field?.strength === "connection";
  if (connection && spans.length === 0 && /[@]|(?:key|pwd|pass)[^=]*=/i.test(text)) return parts.write("connection", text);
  return looksLikeJson(text) ? throughJson(parts, text, masked, spot.depth) : masked;
}

/** The text with its spans written over. */
export function writtenWith(text: string, spans: readonly Span[], write: Write): string {
  let result = "";
  let from = 0;
  for (const span of spans) {
    result += text.slice(from, span.start) + write(span.type, span.value);
    from = span.end;
  }
  return from === 0 ? text : result + text.slice(from);
}

function looksLikeJson(text: string): boolean {
  return text.length >= 8 && text.length <= longestJson && /^\s{0,64}[{[]/.test(text.slice(0, 65));
}

/**
 * JSON inside the string: what only its structure tells (a Secret, an `env` list) hides the whole string, since it
 * can't be hidden in place. What the text's checks have hidden already stays as it is.
 */
function throughJson(parts: LeafParts, text: string, masked: string, depth: number): string {
  if (depth >= parts.deepest) return masked;
  const before = parsed(text);
  if (before === undefined) return masked;
  const after = masked === text ? before : parsed(masked);
  if (after !== undefined && parts.walk(after, depth + 1) === after) return masked;
  return parts.write("secret", text);
}

function parsed(text: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) || Array.isArray(value) ? (value as Json) : undefined;
  } catch {
    return undefined;
  }
}
