// One string of an object: hidden by its field's name, by what it holds, or by what stands encoded in it.

import { isJsonObject, type Json } from "../domain/json.ts";
import { deepest } from "./base64.ts";
import { hides, type Field, type Place } from "./fields.ts";
import { recent, type Recent } from "./memory.ts";
import { written, type Room, type Write } from "./spans.ts";
import { shortestSecret, type FindSecrets } from "./text.ts";
import { isToken, plainForm, veiled } from "./token.ts";

/** What is known of a string from where it stands. */
export interface LeafSpot {
  /** The field that it belongs to, if that name promises a secret. */
  readonly field: Field | undefined;
  readonly place: Place;
  /** The string is a file's content or a command's argument. */
  readonly file: boolean;
  /** How many encodings were opened to get here. */
  readonly depth: number;
}

export interface LeafParts {
  readonly find: FindSecrets;
  readonly write: Write;
  readonly room: Room;
  /** Masks JSON that was found inside a string, one depth further. */
  readonly walk: (value: Json, depth: number) => Json;
}

/** Masks one string. */
export type MaskLeaf = (text: string, spot: LeafSpot) => string;

/** Strings without a secret, remembered within one call: objects of one kind repeat most of theirs. */
const remembered = 1024;
const longestRemembered = 512;
/** Longer strings are not parsed as JSON: the text's own checks see their names and values all the same. */
const longestJson = 2 * 1024 * 1024;

/** Returns the function that masks one string. */
export function leafMasker(parts: LeafParts): MaskLeaf {
  // A file's strings are read in another way, so that they are remembered apart.
  const clean: (Recent<true> | undefined)[] = [];
  return (text, spot) => {
    const { field } = spot;
    if (field === undefined && text.length < shortestSecret) return text;
    const apart = 2 * spot.depth + (spot.file ? 1 : 0);
    if (field !== undefined) {
      if (isToken(text)) return text;
      if (hides(field, text, spot.place)) return parts.write(field.type, plainForm(text));
    }
    if (clean[apart]?.get(text) === true && field?.strength !== "connection") return text;
    const masked = byContent(parts, text, spot);
    if (masked === text && text.length <= longestRemembered) (clean[apart] ??= recent(remembered)).set(text, true);
    return masked;
  };
}

function byContent(parts: LeafParts, text: string, spot: LeafSpot): string {
  const { spans } = parts.find(text, spot.file || text.includes("\n"), spot.depth, parts.room);
  const masked = written(text, spans, parts.write);
  if (spot.field?.strength === "connection" && mayConnect(masked)) return parts.write("connection", text);
  return looksLikeJson(text) ? throughJson(parts, text, masked, spot.depth) : masked;
}

/** Does a connection string hold more than an address, besides what is hidden in it already? */
function mayConnect(text: string): boolean {
  return /@|(?:key|pwd|pass)[^=]*=/i.test(veiled(text).replace(/[^\s/@;]*_{12,}@?/g, ""));
}

function looksLikeJson(text: string): boolean {
  const first = text.charCodeAt(0);
  // Anything else that is printed before `{` and `[` can stand nowhere before them.
  if (first > 0x20 && first < 0x7f && first !== 0x7b && first !== 0x5b) return false;
  return text.length >= 8 && text.length <= longestJson && /^\s{0,64}[{[]/.test(text.slice(0, 65));
}

/**
 * JSON inside the string: what only its structure tells (a Secret, an `env` list) hides the whole string, since it
 * can't be hidden in place. What the text's checks have hidden already stays as it is.
 */
function throughJson(parts: LeafParts, text: string, masked: string, depth: number): string {
  if (depth >= deepest) return masked;
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
