// Characters that are not seen: terminal sequences, controls, bidi marks, zero-width and private ones.

/** CSI, OSC, DCS, SOS, PM and APC sequences and two-character escapes (ECMA-48, sections 5.3 to 5.6), 7-bit and 8-bit; bounded. */
const sequences =
  "(?:\\x1b\\[|\\x9b)[0-?]{0,64}[ -/]{0,16}[@-~]?" +
  "|(?:\\x1b[\\]PX^_]|[\\x90\\x98\\x9d-\\x9f])[^\\x07\\x1b\\x9c\\n]{0,4096}(?:\\x07|\\x1b\\\\|\\x9c)?" +
  "|\\x1b[ -/]{0,4}[0-~]?";

/**
 * Controls except tab and line feed; soft hyphen, fillers, bidi controls and isolates, zero-width characters and
 * invisible operators, line and paragraph separators, interlinear marks, variation selectors, tags, private use.
 */
const unseen =
  "[\\0-\\x08\\x0b-\\x1f\\x7f-\\x9f\\xad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f" +
  "\\u2028-\\u202e\\u2060-\\u206f\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff0-\\ufffb\\ue000-\\uf8ff" +
  "\\u{1bca0}-\\u{1bca3}\\u{1d173}-\\u{1d17a}\\u{e0000}-\\u{e0fff}\\u{f0000}-\\u{ffffd}\\u{100000}-\\u{10fffd}]";

const anyUnseen = new RegExp(unseen, "u");
const eachHidden = new RegExp(`(${sequences})|(\\r(?=\\n))|${unseen}`, "gu");
const wide = /[\u0100-\uffff]/;

/** Does the text hold a character that is not seen? A line feed, a tab and the CR of a CRLF are no such characters. */
export function hidesCharacters(text: string): boolean {
  const suspects = suspectUnits();
  for (let at = 0; at < text.length; at++) {
    if (suspects[text.charCodeAt(at)] === 0) continue;
    const character = String.fromCodePoint(text.codePointAt(at) ?? 0);
    if (anyUnseen.test(character) && !(character === "\r" && text[at + 1] === "\n")) return true;
  }
  return false;
}

/** For each UTF-16 code unit 1 where a character that is not seen could begin with it: the expression alone takes thirty times as long. */
let unitsOnce: Uint8Array | null = null;
function suspectUnits(): Uint8Array {
  if (unitsOnce !== null) return unitsOnce;
  const units = new Uint8Array(0x10000);
  for (let unit = 0; unit < units.length; unit++)
    if ((unit >= 0xd800 && unit < 0xdc00) || anyUnseen.test(String.fromCharCode(unit))) units[unit] = 1;
  return (unitsOnce = units);
}

/** Has characters beyond Latin-1? V8 answers this at once for strings that it stores as Latin-1. */
export function isWide(text: string): boolean {
  return wide.test(text);
}

/** Calls `each` for every hidden stretch in order; `sequence` tells a terminal sequence from a lone character. */
export function eachHiddenStretch(text: string, each: (at: number, stretch: string, sequence: boolean) => void): void {
  for (const found of text.matchAll(eachHidden)) {
    if (found[2] === undefined) each(found.index, found[0], found[1] !== undefined);
    else each(found.index, found[2], true);
  }
}

/** The text without what is not seen, and for each of its places the place in the original. */
export function visible(text: string): { readonly text: string; readonly places: Int32Array } {
  const places = new Int32Array(text.length + 1);
  let result = "";
  let from = 0;
  const take = (to: number): void => {
    for (let at = from; at < to; at++) places[result.length + at - from] = at;
    result += text.slice(from, to);
  };
  eachHiddenStretch(text, (at, stretch) => {
    take(at);
    from = at + stretch.length;
  });
  take(text.length);
  places[result.length] = text.length;
  return { text: result, places };
}
