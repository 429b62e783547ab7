// Quick looks at the bytes around a place: could a card number or a base64 run stand here? They answer for most text at once.

import type { Narrow } from "./keywords.ts";

const digit = 1;
const separator = 2;
const upper = 4;
const lower = 8;
/** Digits, signs and escapes that a base64 run may hold. */
const other = 16;
const letter = upper | lower | other;

const marks = ((): Uint8Array => {
  const table = new Uint8Array(256);
  for (let code = 0x30; code <= 0x39; code++) table[code] = digit | other;
  for (let code = 0x41; code <= 0x5a; code++) table[code] = upper;
  for (let code = 0x61; code <= 0x7a; code++) table[code] = lower;
  for (const sign of "+/_%\\") table[sign.charCodeAt(0)] = other;
  table[0x2d] = separator | other;
  table[0x20] = separator;
  return table;
})();

/** The shortest card number. */
const shortestCard = 13;

/** Are there as many digits and separators in one stretch as a card number has? */
export function mayBeCard({ bytes, length }: Narrow, at: number): boolean {
  if (((marks[bytes[at] ?? 0] ?? 0) & (digit | separator)) === 0) return false;
  let start = at;
  let end = at + 1;
  while (end < length && end - start < shortestCard && ((marks[bytes[end] ?? 0] ?? 0) & (digit | separator)) !== 0)
    end++;
  while (start > 0 && end - start < shortestCard && ((marks[bytes[start - 1] ?? 0] ?? 0) & (digit | separator)) !== 0)
    start--;
  return end - start >= shortestCard;
}

/** The shortest base64 run that is opened (20 characters) as far as this look goes. */
const shortestRun = 20;

/** Does a run of base64 characters reach far enough, with capitals and small letters in it? (No hexadecimal id, no path has both.) */
export function mayBeBase64({ bytes, length }: Narrow, at: number): boolean {
  let seen = marks[bytes[at] ?? 0] ?? 0;
  if ((seen & letter) === 0) return false;
  let end = at + 1;
  const most = Math.min(length, at + 2 * shortestRun);
  for (; end < most; end++) {
    const mark = marks[bytes[end] ?? 0] ?? 0;
    if ((mark & letter) === 0) break;
    seen |= mark;
  }
  let start = at;
  const least = Math.max(0, at - 2 * shortestRun);
  for (; start > least; start--) {
    const mark = marks[bytes[start - 1] ?? 0] ?? 0;
    if ((mark & letter) === 0) break;
    seen |= mark;
  }
  return end - start >= shortestRun && (seen & upper) !== 0 && (seen & lower) !== 0;
}
