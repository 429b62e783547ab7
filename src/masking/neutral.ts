// Makes untrusted text harmless to show: what could move a cursor, hide words or reorder them becomes visible or goes.

import { eachHiddenStretch, hidesCharacters } from "./invisible.ts";

/** Lines longer than this are cut when shown (tools.md, section 3). */
export const longestLine = 2000;

/**
 * Neutralises untrusted text (tools.md, section 3): unpaired surrogates become U+FFFD; terminal sequences (CSI, OSC,
 * DCS …) are removed; other controls, U+2028/9, bidi, zero-width, tags, variation selectors and private use are
 * written as `\u{202E}`. Tab and line feed stay, CRLF becomes LF. No normalisation. `escaped` counts what was
 * removed or written out, CRLFs excepted.
 */
export function neutralise(text: string): { readonly text: string; readonly escaped: number } {
  const formed = text.isWellFormed() ? text : text.toWellFormed();
  if (!hidesCharacters(formed) && !formed.includes("\r")) return { text: formed, escaped: 0 };
  let result = "";
  let from = 0;
  let escaped = 0;
  eachHiddenStretch(formed, (at, stretch, sequence) => {
    result += formed.slice(from, at);
    from = at + stretch.length;
    if (stretch !== "\r" || !sequence) escaped++;
    if (!sequence) result += `\\u{${(stretch.codePointAt(0) ?? 0).toString(16).toUpperCase()}}`;
  });
  return { text: result + formed.slice(from), escaped };
}

/** Cuts each line to 2,000 characters and says how many it left out. */
export function cutLines(text: string): string {
  if (text.length <= longestLine) return text;
  return text
    .split("\n")
    .map((line) => (line.length <= longestLine ? line : cut(line)))
    .join("\n");
}

/** Not inside a surrogate pair and not inside a mask token. */
function cut(line: string): string {
  let end = longestLine;
  const token = line.lastIndexOf("[MASKED:", end);
  const close = token === -1 ? -1 : line.indexOf("]", token);
  if (token !== -1 && token > end - 48 && close >= end) end = token;
  const code = line.charCodeAt(end - 1);
  if (code >= 0xd800 && code <= 0xdbff) end--;
  return `${line.slice(0, end)}… (${line.length - end} more characters)`;
}
