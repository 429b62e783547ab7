// One pass that finds every keyword: an Aho-Corasick automaton with every edge filled in, which runs only where a keyword may begin.

import { nextOpening, openings, type Openings } from "./openings.ts";

/** A word to look for; ASCII, at least three characters. `exact` words hit in their own case only. */
export interface Keyword {
  readonly text: string;
  readonly exact: boolean;
}

export interface Automaton {
  /** Character class by byte; upper case shares the class of lower case. */
  readonly classes: Uint8Array;
  /** Next state by `(state << shift) + class`. 0 is the root; those from `firstHit` on end a word. */
  readonly next: Uint16Array;
  readonly firstHit: number;
  /** Where a word's third character has been seen, or more: the states from here on. Those below hold nothing that a look back by two misses. */
  readonly firstBegun: number;
  readonly openings: Openings;
  /** The length of a row as a power of two. */
  readonly shift: number;
  /** The words that end in the state `firstHit + n`, longest first. */
  readonly hits: readonly (readonly number[])[];
}

/** Stands among the words of a hit for a control character, or an invisible one of Latin-1. */
export const controlWord = -1;

/** Is the byte such a character? Tab and line ends are not. */
function isControlByte(byte: number): boolean {
  if (byte < 0x20) return byte !== 9 && byte !== 10 && byte !== 13;
  return (byte >= 0x7f && byte <= 0x9f) || byte === 0xad;
}

/** Builds the automaton (A. V. Aho, M. J. Corasick, "Efficient string matching", CACM 18(6), 1975) with all failure links resolved. */
export function automaton(words: readonly Keyword[]): Automaton {
  for (const { text } of words) {
    if (text.length < shortest) throw new RangeError(`keyword "${text}" is shorter than three characters`);
  }
  const { classes, count } = classesOf(words);
  const shift = Math.ceil(Math.log2(count));
  const width = 1 << shift;
  const { next, outputs, depths } = linked(words, classes, width);
  const rankOf = (state: number): number => (hasHit(outputs, state) ? 2 : (depths[state] ?? 0) < shortest ? 0 : 1);
  // Those that stand near the root are met most: side by side, the fewest lines of the processor's cache hold them.
  const order = [...outputs.keys()].sort(
    (a, b) => rankOf(a) - rankOf(b) || (depths[a] ?? 0) - (depths[b] ?? 0) || a - b,
  );
  const rank = new Uint32Array(order.length);
  for (const [place, state] of order.entries()) rank[state] = place;
  const packed = new Uint16Array(order.length * width);
  for (const [place, state] of order.entries()) {
    for (let column = 0; column < width; column++) {
      packed[place * width + column] = rank[next[state * width + column] ?? 0] ?? 0;
    }
  }
  const first = order.findIndex((state) => rankOf(state) === 2);
  const begun = order.findIndex((state) => rankOf(state) > 0);
  return {
    classes,
    next: packed,
    firstHit: first,
    firstBegun: begun,
    openings: openings(
      words,
      [...classes.keys()].filter((byte) => isControlByte(byte)),
    ),
    shift,
    hits: order.slice(first).map((state) => outputs[state] ?? []),
  };
}

/** No word is shorter. */
const shortest = 3;

function hasHit(outputs: readonly (readonly number[])[], state: number): boolean {
  return (outputs[state]?.length ?? 0) > 0;
}

/** The class of control characters; 0 is that of all characters that no word holds. */
const controls = 1;

function classesOf(words: readonly Keyword[]): { classes: Uint8Array; count: number } {
  const classes = new Uint8Array(256);
  let count = controls + 1;
  for (const { text } of words) {
    for (const byte of Buffer.from(text.toLowerCase(), "latin1")) {
      if (classes[byte] === 0) classes[byte] = count++;
    }
  }
  for (let upper = 0x41; upper <= 0x5a; upper++) classes[upper] = classes[upper + 32] ?? 0;
  for (let byte = 0; byte < 256; byte++) if (isControlByte(byte)) classes[byte] = controls;
  return { classes, count };
}

/** Trie, then failure links breadth first; every missing edge is filled in, so that a step is one look-up. */
function linked(
  words: readonly Keyword[],
  classes: Uint8Array,
  width: number,
): { next: Int32Array; outputs: number[][]; depths: Int32Array } {
  const most = 2 + words.reduce((sum, { text }) => sum + text.length, 0);
  if (most > 0xffff) throw new RangeError("too many keywords");
  const next = new Int32Array(most * width).fill(-1);
  const outputs: number[][] = [[]];
  const depths = new Int32Array(most);
  next[controls] = outputs.push([controlWord]) - 1;
  for (const [index, { text }] of words.entries()) {
    let state = 0;
    for (const [depth, byte] of Buffer.from(text.toLowerCase(), "latin1").entries()) {
      const edge = state * width + (classes[byte] ?? 0);
      if (next[edge] === -1) next[edge] = outputs.push([]) - 1;
      state = next[edge] ?? 0;
      depths[state] = depth + 1;
    }
    outputs[state]?.push(index);
  }
  const failure = new Int32Array(outputs.length);
  const queue: number[] = [0];
  for (const state of queue) {
    const behind = failure[state] ?? 0;
    if (state !== 0) outputs[state]?.push(...(outputs[behind] ?? []));
    for (let column = 0; column < width; column++) {
      const edge = state * width + column;
      const target = next[edge] ?? -1;
      const fallback = state === 0 ? 0 : (next[behind * width + column] ?? 0);
      if (target === -1) next[edge] = fallback;
      else {
        failure[target] = fallback;
        queue.push(target);
      }
    }
  }
  return { next, outputs, depths };
}

/** A text's characters as bytes, so that offsets are the string's own. */
export interface Narrow {
  readonly bytes: Uint8Array;
  /** The same memory by twos. */
  readonly pairs: Uint16Array;
  readonly length: number;
  /** Some are beyond Latin-1: they stand as 0xff, which no word holds. */
  readonly wide: boolean;
}

/** Where a pass through a text stands. */
export interface Cursor {
  state: number;
  at: number;
  /** A word may have begun right before it: nothing is stepped over. */
  until: number;
}

/** A pass that has not begun. */
export function newCursor(): Cursor {
  return { state: 0, at: 0, until: 0 };
}

/**
 * Runs on to the next place where words end and returns them, `cursor.at` being that place (exclusive); undefined once the text is through. A word in
 * another case than its own may be stepped over if it is exact.
 */
export function nextHits(found: Automaton, narrow: Narrow, cursor: Cursor): readonly number[] | undefined {
  const { classes, next, firstHit, firstBegun, shift } = found;
  const { bytes, length } = narrow;
  let { state, at, until } = cursor;
  while (at < length) {
    if (state < firstBegun && at >= until) {
      // Whatever word is under way began two characters back at most.
      at = nextOpening(found.openings, narrow, Math.max(0, at - 2));
      state = 0;
      until = at + shortest;
    }
    state = next[(state << shift) + (classes[bytes[at++] ?? 0] ?? 0)] ?? 0;
    if (state < firstHit) continue;
    cursor.state = state;
    cursor.at = at;
    cursor.until = until;
    return found.hits[state - firstHit];
  }
  cursor.at = at;
  return undefined;
}
