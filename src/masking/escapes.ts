// Letters and digits written as escapes, which no encoder needs to: `\u0070assword`, `p%61ssword`, and `%253D` for what was encoded twice.

import { alphanumeric } from "./alphabet.ts";
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

const escape = /%(?:25|[34567][0-9a-f])|\\u00(?:25|[34567][0-9a-f])/gi;

/** The text with such escapes taken away once, and for each of its places (its end too) the place in the original. */
export function unescapedLetters(text: string): { readonly text: string; readonly places: Int32Array } {
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
