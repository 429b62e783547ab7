// The text that stands where a value was: `[MASKED:<type>]`, with a keyed tag where equal values may be told apart.

import { hkdfSync } from "node:crypto";
import type { SessionId } from "../domain/ids.ts";
import type { Json } from "../domain/json.ts";
import type { Masked } from "../domain/output.ts";
import { hex, lowerHex, runEnd } from "./alphabet.ts";
import { recent, type Recent } from "./memory.ts";
import { tagger, tagLength, type Tag } from "./tags.ts";
import { bitsOf } from "./values.ts";

/** What a masked value was: fixed words, and the only ones that a well-formed token may hold. */
export const maskTypes = [
  "password",
  "password_hash",
  "secret",
  "token",
  "api_key",
  "access_key",
  "private_key",
  "credential",
  "authorization",
  "cookie",
  "connection",
  "signature",
  "jwt",
  "webhook",
  "keystore",
  "release",
  "card",
  "iban",
  "ssn",
  "email",
  "custom",
  "unscanned",
] as const;
export type MaskType = (typeof maskTypes)[number];

/** Values that may be guessed get no tag: it would say whether a guess is right. */
const leastBits = 64;
/** How every token begins. */
export const opening = "[MASKED:";

/**
 * The end of the well-formed token that starts at `start`, or -1. Only a fixed type and a tag of eight hexadecimal
 * digits pass, so a made-up token has no room for anything else.
 */
export function tokenEnd(text: string, start: number): number {
  if (!text.startsWith(opening, start)) return -1;
  const from = start + opening.length;
  const type = maskTypes.find((one) => text.startsWith(one, from) && ":]".includes(text[from + one.length] ?? " "));
  if (type === undefined) return -1;
  const end = from + type.length;
  if (text[end] === "]") return end + 1;
  const tagEnd = runEnd(text, end + 1, lowerHex, tagLength);
  return tagEnd === end + 1 + tagLength && text[tagEnd] === "]" ? tagEnd + 1 : -1;
}

/** Is the whole text one well-formed token? */
export function isToken(text: string): boolean {
  return tokenEnd(text, 0) === text.length;
}

const tokenLike = /\[MASKED:[a-z_]{2,24}(?::[0-9a-f]{8})?\]/g;

/** The text with every well-formed token replaced by as many underscores, so that its punctuation counts for nothing. */
export function veiled(text: string): string {
  return text.includes(opening)
    ? text.replace(tokenLike, (one) => (isToken(one) ? "_".repeat(one.length) : one))
    : text;
}

/** Counts the well-formed tokens of a text by type. */
export function countTokens(text: string, counts: Map<string, number>): void {
  for (let at = text.indexOf(opening); at !== -1; at = text.indexOf(opening, at + 1)) {
    const end = tokenEnd(text, at);
    if (end === -1) continue;
    const type = (text.slice(at + opening.length, end - 1).split(":")[0] ?? "") as MaskType;
    counts.set(type, (counts.get(type) ?? 0) + 1);
  }
}

/** One row a type of the tokens in a text. */
export function tokensIn(text: string): readonly Masked[] {
  if (!text.includes(opening)) return [];
  const counts = new Map<string, number>();
  countTokens(text, counts);
  return rowsOf(counts);
}

/** Rows of a count, most first. */
export function rowsOf(counts: ReadonlyMap<string, number>): readonly Masked[] {
  const rows = [...counts].map(([type, count]) => ({ type, count }));
  return rows.sort((a, b) => b.count - a.count || (a.type < b.type ? -1 : 1));
}

/** Tags under the session's own key: HKDF-SHA-256 (RFC 5869) of the gateway's key, so that tags of two sessions can't be compared. */
function sessionTag(key: Uint8Array, session: SessionId): Tag {
  return tagger(new Uint8Array(hkdfSync("sha256", key, session, "sallyport masking v1", 32)));
}

/** How many sessions' keys are kept at a time: to derive one costs more than most of what it is used for. */
const mostKeys = 256;

/** Each session's tags, their key derived when it is first asked for; the oldest of more than so many is derived again. */
export function sessionTags(key: Uint8Array): (session: SessionId) => Tag {
  const known = new Map<SessionId, Tag>();
  return (session) => {
    const before = known.get(session);
    if (before !== undefined) return before;
    const [oldest] = known.keys();
    if (oldest !== undefined && known.size >= mostKeys) known.delete(oldest);
    const derived = sessionTag(key, session);
    known.set(session, derived);
    return derived;
  };
}

/** Values whose tags are remembered within one call. */
const remembered = 256;

/** Writes tokens for one call and counts them. */
export interface Minter {
  /** `value` is the secret itself, decoded; `whole` is false where it is only a container of one. */
  token(type: MaskType, value: string): string;
  masked(): readonly Masked[];
}

/**
 * A minter under the session's key. Whatever stands in `sent`, the caller's own arguments, is never tagged: the tag would confirm a guess. Most calls
 * meet no value to tag, so the session's tags and the parts of what was sent are made when the first one comes.
 */
export function minter(tagOf: () => Tag, sent: Json): Minter {
  const counts = new Map<string, number>();
  let tags: Recent<string> | undefined;
  let first: { readonly tag: Tag; readonly supplied: (value: string) => boolean } | null = null;
  const made = (value: string): string => {
    if (bitsOf(value, leastBits) < leastBits) return "";
    first ??= { tag: tagOf(), supplied: suppliedBy(sent) };
    if (first.supplied(value)) return "";
    return `:${first.tag(value)}`;
  };
  const tagged = (value: string): string => {
    const known = tags?.get(value);
    if (known !== undefined) return known;
    const tag = made(value);
    (tags ??= recent(remembered)).set(value, tag);
    return tag;
  };
  return {
    token: (type, value) => {
      counts.set(type, (counts.get(type) ?? 0) + 1);
      return `${opening}${type}${type === "unscanned" ? "" : tagged(value)}]`;
    },
    masked: () => rowsOf(counts),
  };
}

/** Parts of what the caller sent that are too short to count as a guess inside something longer. */
const leastPart = 6;

/**
 * Answers whether a value came from the caller: it stands in one of the strings that were sent (as it is, or URL- or
 * base64-decoded), or one of those strings stands in it (a container is as guessable as its unknown part).
 */
export function suppliedBy(sent: Json): (value: string) => boolean {
  const parts = new Set<string>();
  const gather = (value: unknown): void => {
    if (typeof value === "string") for (const form of formsOf(value)) parts.add(form);
    else if (typeof value === "number") parts.add(String(value));
    else if (typeof value === "object" && value !== null) {
      for (const [name, inner] of Object.entries(value)) {
        parts.add(name);
        gather(inner);
      }
    }
  };
  gather(sent);
  const all = [...parts].join("\u0000");
  const long = [...parts].filter((part) => part.length >= leastPart);
  return (value) => all.includes(value) || long.some((part) => value.includes(part));
}

function formsOf(text: string): readonly string[] {
  const forms = [text];
  if (text.includes("%")) forms.push(percentDecoded(text));
  if (/^[A-Za-z0-9+/_-]{4,}={0,2}$/.test(text)) forms.push(Buffer.from(text, "base64").toString("utf8"));
  if (text.includes("\\")) forms.push(unescaped(text));
  return forms;
}

/** URL-decodes what is well-formed and leaves the rest, so that no input throws (RFC 3986, section 2.1). */
export function percentDecoded(text: string): string {
  return text.replace(/(?:%[0-9A-Fa-f]{2})+/g, (run) => {
    const bytes = Buffer.from(run.replaceAll("%", ""), "hex");
    return bytes.toString("utf8");
  });
}

const escapes: { readonly [letter: string]: string } = { n: "\n", r: "\r", t: "\t", b: "\b", f: "\f" };

/** Takes one level of JSON string escapes away (RFC 8259, section 7); a lone backslash stays. */
export function unescaped(text: string): string {
  return text.replace(/\\(?:u([0-9A-Fa-f]{4})|([nrtbf"'\\/]))/g, (_whole, code?: string, letter?: string) =>
    code === undefined ? (escapes[letter ?? ""] ?? letter ?? "") : String.fromCharCode(Number.parseInt(code, 16)),
  );
}

/** The plain form of a value as it stood in a text: what its tag is made of, so that encodings of one value agree. */
export function plainForm(raw: string): string {
  const open = raw.includes("\\") ? unescaped(raw) : raw;
  return open.includes("%") ? percentDecoded(open) : open;
}

/** Is the text hexadecimal from end to end? */
export function isHex(text: string): boolean {
  return text !== "" && runEnd(text, 0, hex, text.length) === text.length;
}
