// Runs of characters that a card number or base64 may stand in, found without looking at most of a text.

import { joining } from "./cards.ts";
import type { Narrow } from "./keywords.ts";
import type { Span } from "./spans.ts";

/** What a run is made of: bits of `marks`. */
const digit = 1;
const separator = 2;
const upper = 4;
const lower = 8;
/** Digits, signs and escapes that a base64 run may hold. */
const other = 16;
/** What a card number never stands right behind. */
const joins = 32;
const space = 0x20;
const hyphen = 0x2d;

const marks = ((): Uint8Array => {
  const table = new Uint8Array(256);
  for (let code = 0x30; code <= 0x39; code++) table[code] = digit | other;
  for (let code = 0x41; code <= 0x5a; code++) table[code] = upper;
  for (let code = 0x61; code <= 0x7a; code++) table[code] = lower;
  for (const sign of "+/_%\\") table[sign.charCodeAt(0)] = other;
  table[hyphen] = separator | other;
  table[space] = separator;
  for (const [code, one] of joining.entries()) table[code] = (table[code] ?? 0) | (one * joins);
  return table;
})();

/** A kind of run: its characters, and the least number of them. */
export interface Kind {
  readonly marks: number;
  readonly least: number;
}

/** Digits with spaces and hyphens among them, as long as the shortest card number. */
export const cardRuns: Kind = { marks: digit | separator, least: 13 };
/** The shortest base64 run that is opened. */
export const base64Runs: Kind = { marks: upper | lower | other, least: 20 };

/** Where the last run of a kind stood; the next is looked for behind it. */
export interface RunCursor {
  start: number;
  end: number;
}

/**
 * Moves on to the next run, as far as its characters reach, or returns false. It looks at every `least`-th character and from there to the left:
 * a run of that length can't stand between two such places.
 */
function nextRun({ bytes, length }: Narrow, { marks: kind, least }: Kind, run: RunCursor): boolean {
  let start = run.end;
  let at = start + least - 1;
  while (at < length) {
    let left = at;
    while (left >= start && ((marks[bytes[left] ?? 0] ?? 0) & kind) !== 0) left--;
    if (left < start) {
      let end = at + 1;
      while (end < length && ((marks[bytes[end] ?? 0] ?? 0) & kind) !== 0) end++;
      run.start = start;
      run.end = end;
      return true;
    }
    start = left + 1;
    at = left + least;
  }
  return false;
}

/**
 * Does the run hold as many digits as the shortest card number, where one may begin? Dates and times with their separators mostly don't. No number
 * begins in the midst of a word, an id or a path: where the run does, the first place for one is behind a space.
 */
export function mayBeCard({ bytes }: Narrow, run: RunCursor): boolean {
  let at = run.start;
  if (bytes[at] === hyphen || (at > 0 && ((marks[bytes[at - 1] ?? 0] ?? 0) & joins) !== 0))
    while (at < run.end && bytes[at] !== space) at++;
  let count = 0;
  for (; at < run.end && count < cardRuns.least; at++) count += (marks[bytes[at] ?? 0] ?? 0) & digit;
  return count >= cardRuns.least;
}

/** Does the run hold capitals and small letters? No hexadecimal id and no path does; one that spells text does not either. */
export function mayBeBase64({ bytes }: Narrow, run: RunCursor): boolean {
  if (spells(bytes, run.start)) return true;
  let seen = 0;
  for (let at = run.start; at < run.end && (seen & (upper | lower)) !== (upper | lower); at++)
    seen |= marks[bytes[at] ?? 0] ?? 0;
  return (seen & upper) !== 0 && (seen & lower) !== 0;
}

/** Do eight pairs of hexadecimal digits from `at` on stand for printable ASCII? One digest in two thousand does. */
function spells(bytes: Uint8Array, at: number): boolean {
  for (let place = at; place < at + 16; place += 2) {
    const high = bytes[place] ?? 0;
    if (high < 0x32 || high > 0x37 || !isHexDigit(bytes[place + 1] ?? 0)) return false;
  }
  return true;
}

function isHexDigit(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66);
}

/** Does a run stand in the text that a probe would look at? */
export function mayHoldRuns(narrow: Narrow, cards: boolean): boolean {
  return (cards && mayHold(narrow, cardRuns, mayBeCard)) || mayHold(narrow, base64Runs, mayBeBase64);
}

function mayHold(narrow: Narrow, kind: Kind, may: (narrow: Narrow, run: RunCursor) => boolean): boolean {
  const run: RunCursor = { start: 0, end: 0 };
  while (nextRun(narrow, kind, run)) if (may(narrow, run)) return true;
  return false;
}

/** The first place from `at` on that no span hides already; `hidden` are merged spans, and all before `from.next` end before `at`. */
function seenFrom(hidden: readonly Span[], from: { next: number }, at: number): number {
  let place = at;
  for (; from.next < hidden.length; from.next++) {
    const span = hidden[from.next];
    if (span === undefined || span.start > place) break;
    place = Math.max(place, span.end);
  }
  return place;
}

/** Every card number and every base64 run that is opened is longer: one of every twelfth characters stands in it. */
const probeStep = 12;

/** Looks for what has no keyword outside of what is hidden already: within runs of a kind that `may` hold it, `probe` judges places. */
export function probeRuns(
  narrow: Narrow,
  kind: Kind,
  may: (narrow: Narrow, run: RunCursor) => boolean,
  hidden: readonly Span[],
  probe: (at: number) => readonly Span[],
  found: Span[],
): void {
  const run: RunCursor = { start: 0, end: 0 };
  const from = { next: 0 };
  while (nextRun(narrow, kind, run)) {
    if (!may(narrow, run)) continue;
    let at = seenFrom(hidden, from, run.start);
    while (at < run.end) {
      for (const span of probe(at)) found.push(span);
      at = seenFrom(hidden, from, at + probeStep);
    }
  }
}
