// Private keys written as armoured blocks: hidden from BEGIN to END as one span, also when line ends are escaped.

import { alphabet, runEnd, within } from "./alphabet.ts";
import { nothing, type Check, type Scan, type Span } from "./spans.ts";
import { unescaped } from "./token.ts";

/** A block longer than this without an end is hidden line by line as far as it looks like one (masking.md). */
const longest = 32 * 1024;
const label = alphabet("A-Z0-9 ");
const armour = alphabet("A-Za-z0-9+/=");
/** Keywords of this check. */
export const pemKeywords: readonly string[] = ["-----BEGIN ", "---- BEGIN SSH2 ENCRYPTED", "PuTTY-User-Key-File-"];

/** A block that begins at the hit, if its label tells of a private or static key (RFC 7468; OpenSSH; OpenPGP; OpenVPN). */
export const pemCheck: Check = (scan, start, end) => {
  const { text } = scan;
  const labelEnd = runEnd(text, end, label, 48);
  const name = text.slice(start, labelEnd).toUpperCase();
  scan.work += labelEnd - start;
  if (!/PRIVATE|SECRET|STATIC KEY|SSH2 ENCRYPTED|PUTTY/.test(name) || name.includes("PUBLIC")) return nothing;
  return [block(scan, start, labelEnd)];
};

function block(scan: Scan, start: number, from: number): Span {
  const { text } = scan;
  const marker = /^PuTTY/i.test(text.slice(start, start + 5)) ? "Private-MAC" : " END ";
  const close = marker === " END " ? nearestEnd(scan, from) : nearest(text, from, marker);
  let end = close === -1 ? bodyEnd(text, from) : afterMarker(text, close);
  if (end < from) end = from;
  // Else what comes behind would touch the token, and be another value than before.
  while (text[end - 1] === " ") end--;
  scan.work += end - start;
  const value = unescaped(text.slice(start, end)).replaceAll("\r", "").trim();
  return { start, end, type: "private_key", value, why: "pem" };
}

function nearest(text: string, from: number, marker: string): number {
  const at = text.slice(from, from + longest).indexOf(marker);
  return at === -1 ? -1 : from + at;
}

/** The next `-----END ` within reach, or -1; stretches that were searched for an earlier block are not searched again. */
function nearestEnd({ text, seen }: Scan, from: number): number {
  const stop = from + longest;
  if (seen.armourEnd >= from) return seen.armourEnd < stop ? seen.armourEnd : -1;
  const start = Math.max(from, seen.armour);
  const at = start >= stop ? -1 : text.slice(start, stop).search(/-----?\s?END /);
  seen.armour = Math.max(seen.armour, at === -1 ? stop - 12 : start + at);
  if (at === -1) return -1;
  seen.armourEnd = start + at;
  return seen.armourEnd;
}

/** Past the closing marker's own dashes (or the rest of a `Private-MAC` line). */
function afterMarker(text: string, close: number): number {
  if (text.startsWith("Private-MAC", close)) return runEnd(text, close, alphabet("A-Za-z0-9: -"), 200);
  const first = runEnd(text, close, alphabet("- "), 8);
  const name = runEnd(text, first, label, 64);
  return runEnd(text, name, alphabet("-"), 5);
}

/** Without a closing marker: as far as lines look like armour (base64, or `Header: value`), real or escaped line ends. */
function bodyEnd(text: string, from: number): number {
  let end = runEnd(text, from, alphabet("- "), 8);
  const stop = Math.min(text.length, from + longest);
  while (end < stop) {
    const line = afterBreak(text, end);
    if (line === end) break;
    const run = runEnd(text, line, armour, 256);
    if (run - line >= 16 || (run > line && run >= stop)) end = run;
    else if (/^[A-Za-z-]{2,24}: /.test(text.slice(line, line + 32))) {
      const newline = text.slice(line, line + 256).search(/[\r\n\\]/);
      end = newline === -1 ? line : line + newline;
    } else if (run === line && afterBreak(text, line) > line) end = line;
    else return run > line && isLastPart(text, run) ? run : end;
  }
  return end;
}

/** The short last line of a body ends at something that can't continue it. */
function isLastPart(text: string, end: number): boolean {
  return end >= text.length || !within(armour, text.charCodeAt(end));
}

/** Past one line end (real, `\n`, `\r\n`, with indentation), or the same place. */
function afterBreak(text: string, at: number): number {
  const found = /^(?:\r?\n|(?:\\{1,8}r)?\\{1,8}n)[ \t|>]{0,64}/.exec(text.slice(at, at + 96));
  return found === null ? at : at + found[0].length;
}
