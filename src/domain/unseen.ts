// Text by others with what can't be seen written out, so that every reader of it has the same before their eyes.

import { isJsonObject, type Json } from "./json.ts";

/**
 * Characters that hide, reorder or break lines: controls, formats (bidi, zero width, tags), private use, unassigned,
 * lone surrogates, separators other than the plain space, and whatever Unicode says a renderer may ignore.
 */
const unseen = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]|(?! )\p{Zs}/u;

/** Marks that stack on the letter before them: a few belong to languages, a tower of them covers the lines around. */
const mark = /\p{M}/u;
const highestTower = 3;

/** What joins the character before it into another one (Unicode NFC): beside marks, the middles and ends of Hangul syllables. */
const joins = /\p{M}|[\u1161-\u1175\u11a8-\u11c2]/u;

/** Nothing to look for in text of such characters alone. */
const plain = /^[\x20-\x7e]*$/;

/**
 * The text's characters in order, each unseen one as `\u{202E}`. Of text that is not composed (NFC), what composition
 * would change is written out too: two texts that look alike are not the same.
 */
export function* shownCharacters(text: string): Generator<string> {
  const composed = text.normalize("NFC") === text;
  // A mark that begins a text would stand on whatever is written before it.
  let tower = highestTower;
  for (const character of text) {
    tower = mark.test(character) ? tower + 1 : 0;
    const shown = !unseen.test(character) && tower <= highestTower && (composed || staysComposed(character));
    yield shown ? character : escaped(character);
  }
}

function staysComposed(character: string): boolean {
  return !joins.test(character) && character.normalize("NFC") === character;
}

/** The text with each unseen character as `\u{202E}`; what is written so stays as it is. */
export function writtenOut(text: string): string {
  return plain.test(text) ? text : [...shownCharacters(text)].join("");
}

/**
 * A value as JSON text (RFC 8259) in which nothing is unseen; tabs and line feeds are written as JSON writes them. What
 * was written out can be read back: a backslash that stands before `u{` by itself is `\u{5C}`.
 */
export function shownJson(value: Json): string {
  return JSON.stringify(everyString(value));
}

function everyString(value: Json): Json {
  if (typeof value === "string") return lines(value);
  if (Array.isArray(value)) return (value as readonly Json[]).map(everyString);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [lines(key), everyString(inner)]));
}

const lines = (text: string): string =>
  text
    .replaceAll("\\u{", "\\u{5C}u{")
    .split(/([\n\t])/)
    .map((part) => (part === "\n" || part === "\t" ? part : writtenOut(part)))
    .join("");

function escaped(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16).toUpperCase()}}`;
}
