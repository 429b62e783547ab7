// What escapes hide: letters and digits that no encoder needs to escape (`\u0070assword`, `p%61ssword`), `%253D` for what was encoded twice, and whole
// stretches in URL encoding, whose escapes blur where a value begins.

import { alphanumeric, isSpace } from "./alphabet.ts";
import { nothing, type Check } from "./spans.ts";

const two = (code: number): string => code.toString(16).padStart(2, "0");
const codes = [...alphanumeric.keys()].filter((code) => alphanumeric[code] === 1);

/** Every escape of a letter or digit, and of the percent sign. */
export const escapeKeywords: readonly string[] = [...codes, 0x25].flatMap((code) => [
  `%${two(code)}`,
  `\\u00${two(code)}`,
]);

/** Notes that the text must be read once more without them. */
export const escapeCheck: Check = (scan) => {
  scan.seen.escaped = true;
  return nothing;
};

/** Escapes that URL encoding gives to blanks, quotation marks, line ends and the signs of base64 and of addresses (RFC 3986, section 2.1). */
export const encodedKeywords: readonly string[] = ["%20", "%22", "%27", "%0a", "%2b", "%2f", "%3a", "%3d"];

/** Notes that the stretches with such escapes must be read once more in the plain. */
export const encodedCheck: Check = (scan) => {
  scan.seen.encoded = true;
  return nothing;
};

/** A text in the plain, and for each of its places (its end too) the place in the original. */
export interface Plain {
  readonly text: string;
  readonly places: Int32Array;
}

const escape = /%(?:25|[34567][0-9a-f])|\\u00(?:25|[34567][0-9a-f])/gi;

/** The text with such escapes taken away once, and for each of its places (its end too) the place in the original. */
export function unescapedLetters(text: string): Plain {
  const places = new Int32Array(text.length + 1);
  let result = "";
  let from = 0;
  const take = (to: number): void => {
    for (let at = from; at < to; at++) places[result.length + at - from] = at;
    result += text.slice(from, to);
  };
  for (const found of text.matchAll(escape)) {
    const code = Number.parseInt(found[0].slice(-2), 16);
    if (code !== 0x25 && alphanumeric[code] !== 1) continue;
    take(found.index);
    places[result.length] = found.index;
    result += String.fromCharCode(code);
    from = found.index + found[0].length;
  }
  take(text.length);
  places[result.length] = text.length;
  return { text: result, places };
}

const printed = /%(?:0[9ad]|[2-6][0-9a-f]|7[0-9a-e])/gi;

/** The stretches without white space that hold URL escapes, decoded once, a line each; line ends that were encoded stay. */
export function decodedStretches(text: string): Plain {
  const parts: string[] = [];
  const places: number[] = [];
  const take = (part: string, at: number): void => {
    parts.push(part);
    for (let index = 0; index < part.length; index++) places.push(at + index);
  };
  for (let end = 0, mark = text.indexOf("%"); mark !== -1; mark = text.indexOf("%", end)) {
    const start = edge(text, mark, end, -1);
    end = edge(text, mark, text.length, 1);
    const stretch = text.slice(start, end);
    // Forms write a blank as a plus sign and never as an escape (WHATWG URL, application/x-www-form-urlencoded).
    const plain = stretch.includes("%20") ? stretch : stretch.replaceAll("+", " ");
    let from = 0;
    for (const { 0: escaped, index } of plain.matchAll(printed)) {
      take(plain.slice(from, index), start + from);
      take(String.fromCharCode(Number.parseInt(escaped.slice(1), 16)), start + index);
      from = index + escaped.length;
    }
    if (from === 0) continue;
    take(plain.slice(from), start + from);
    take("\n", end);
  }
  places.push(text.length);
  return { text: parts.join(""), places: Int32Array.from(places) };
}

/** The first place from `at` towards `limit` where white space stands (behind it, going back), or `limit`. */
function edge(text: string, at: number, limit: number, step: 1 | -1): number {
  let place = at;
  while (place !== limit && !isSpace(text.charCodeAt(step === 1 ? place : place - 1))) place += step;
  return place;
}
