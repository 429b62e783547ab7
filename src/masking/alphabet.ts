// Sets of ASCII characters, and the bounded runs and edges that every anchored check is made of.

/** Membership by character code, 128 entries; anything beyond ASCII is outside every alphabet. */
export type Alphabet = Uint8Array;

/** An alphabet from ranges and single characters: `A-Za-z0-9_-` (a hyphen stands last). */
export function alphabet(spec: string): Alphabet {
  const set = new Uint8Array(128);
  for (let index = 0; index < spec.length; index++) {
    const from = spec.charCodeAt(index);
    const ranged = spec[index + 1] === "-" && index + 2 < spec.length;
    const to = ranged ? spec.charCodeAt(index + 2) : from;
    if (ranged) index += 2;
    for (let code = from; code <= to; code++) set[code] = 1;
  }
  return set;
}

export const digits = alphabet("0-9");
export const lowerHex = alphabet("0-9a-f");
export const hex = alphabet("0-9a-fA-F");
export const alphanumeric = alphabet("A-Za-z0-9");
export const word = alphabet("A-Za-z0-9_");
export const base64 = alphabet("A-Za-z0-9+/=");
export const base64url = alphabet("A-Za-z0-9_-");
/** What the name of a field, variable or flag is written with. */
export const identifier = alphabet("A-Za-z0-9_.-");

/** Is the character code in the set? */
export function within(set: Alphabet, code: number): boolean {
  return code < 128 && set[code] === 1;
}

/** The end of the run of `set` that starts at `from`, at most `limit` characters on. */
export function runEnd(text: string, from: number, set: Alphabet, limit: number): number {
  const stop = Math.min(text.length, from + limit);
  let index = from;
  while (index < stop && within(set, text.charCodeAt(index))) index++;
  return index;
}

/** The start of the run of `set` that ends before `before`, at most `limit` characters back. */
export function runStart(text: string, before: number, set: Alphabet, limit: number): number {
  const stop = Math.max(0, before - limit);
  let index = before;
  while (index > stop && within(set, text.charCodeAt(index - 1))) index--;
  return index;
}

/**
 * Like `runEnd`, and sees through URL and JSON escapes of the set's punctuation (`%2B`, `\/`, `\u002b`), so that an
 * encoded key counts as one run. `count` is the number of characters that the run stands for.
 */
export function encodedRun(text: string, from: number, set: Alphabet, limit: number): { end: number; count: number } {
  let index = from;
  let count = 0;
  while (index < text.length && count < limit) {
    const code = text.charCodeAt(index);
    const step = within(set, code) ? 1 : code === percent || code === slash ? escapeLength(text, index, set) : 0;
    if (step === 0) break;
    index += step;
    count++;
  }
  return { end: index, count };
}

const percent = 0x25;
const slash = 0x5c;

/** The length of an escape at `index` that stands for punctuation of the set, or 0. */
function escapeLength(text: string, index: number, set: Alphabet): number {
  const first = text.charCodeAt(index);
  if (first === percent && index + 2 < text.length) {
    return isPunctuationIn(set, Number.parseInt(text.slice(index + 1, index + 3), 16)) ? 3 : 0;
  }
  if (first !== slash) return 0;
  if (text[index + 1] === "/") return within(set, 0x2f) ? 2 : 0;
  if (text[index + 1] !== "u") return 0;
  return isPunctuationIn(set, Number.parseInt(text.slice(index + 2, index + 6), 16)) ? 6 : 0;
}

function isPunctuationIn(set: Alphabet, code: number): boolean {
  return within(set, code) && !within(alphanumeric, code);
}

/**
 * Does a new word start at `index`? True after anything that is not a letter or digit, and after an escape that ends
 * in one (`%3D`, `\n`, `\u0022`).
 */
export function startsWord(text: string, index: number): boolean {
  if (index === 0 || !within(alphanumeric, text.charCodeAt(index - 1))) return true;
  if (index >= 3 && text.charCodeAt(index - 3) === percent && within(hex, text.charCodeAt(index - 2))) {
    return within(hex, text.charCodeAt(index - 1));
  }
  if (index >= 2 && text.charCodeAt(index - 2) === slash) return "nrtbf".includes(text[index - 1] ?? "");
  return index >= 6 && text.charCodeAt(index - 6) === slash && text[index - 5] === "u";
}

/** White space as regular expressions have it (ECMA-262, section 12.2 and 12.3). */
export function isSpace(code: number): boolean {
  return code < 128 ? spaces[code] === 1 : /\s/.test(String.fromCharCode(code));
}
const spaces = alphabet(" \t\n\r\v\f");

/** Does a word end at `index`? True before anything that is not a letter or digit. */
export function endsWord(text: string, index: number): boolean {
  return index >= text.length || !within(alphanumeric, text.charCodeAt(index));
}
