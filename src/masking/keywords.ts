// One pass that finds every keyword: an Aho-Corasick automaton behind a filter of byte pairs that skips dull text.

/** A word to look for; ASCII, at least three characters. `exact` words hit in their own case only. */
export interface Keyword {
  readonly text: string;
  readonly exact: boolean;
}

export interface Automaton {
  readonly words: readonly Keyword[];
  /** Character class by byte; upper case shares the class of lower case. */
  readonly classes: Uint8Array;
  /** Next state by `state * width + class`. State 0 is the root; states from `firstHit` on end a word. */
  readonly next: Uint16Array;
  readonly shift: number;
  readonly firstHit: number;
  /** The words that end in state `firstHit + n`, longest first. */
  readonly hits: readonly (readonly number[])[];
  /** By two neighbouring bytes in memory order: 1 where a word may start here or one byte before, 2 where one is a control. */
  readonly pairs: Uint8Array;
  /** 1 for the first three characters of each word, by `gramOf`. */
  readonly grams: Uint8Array;
}

/** Three bytes folded to 15 bits: letters lose their case, a few other characters share a place. */
function gramOf(first: number, second: number, third: number): number {
  return ((first & 31) << 10) | ((second & 31) << 5) | (third & 31);
}

const mayStart = 1;
const control = 2;

/** Is the byte a control character or an invisible one in Latin-1? Tab and line ends are not. */
export function isControlByte(byte: number): boolean {
  if (byte < 0x20) return byte !== 9 && byte !== 10 && byte !== 13;
  return (byte >= 0x7f && byte <= 0x9f) || byte === 0xad;
}

/** Builds the automaton (A. V. Aho, M. J. Corasick, "Efficient string matching", CACM 18(6), 1975) with all failure links resolved. */
export function automaton(words: readonly Keyword[]): Automaton {
  for (const { text } of words) {
    if (text.length < 3) throw new RangeError(`keyword "${text}" is shorter than three characters`);
  }
  const { classes, count } = classesOf(words);
  const shift = Math.ceil(Math.log2(count));
  const width = 1 << shift;
  const { next, outputs } = linked(words, classes, width);
  const order = [...outputs.keys()].sort((a, b) => Number(hasHit(outputs, a)) - Number(hasHit(outputs, b)) || a - b);
  const rank = new Uint16Array(order.length);
  for (const [place, state] of order.entries()) rank[state] = place;
  const packed = new Uint16Array(order.length * width);
  for (const [place, state] of order.entries()) {
    for (let column = 0; column < width; column++) {
      packed[place * width + column] = rank[next[state * width + column] ?? 0] ?? 0;
    }
  }
  const firstHit = order.findIndex((state) => hasHit(outputs, state));
  const hits = order.slice(firstHit).map((state) => outputs[state] ?? []);
  return { words, classes, next: packed, shift, firstHit, hits, pairs: pairsOf(words), grams: gramsOf(words) };
}

function hasHit(outputs: readonly (readonly number[])[], state: number): boolean {
  return (outputs[state]?.length ?? 0) > 0;
}

function classesOf(words: readonly Keyword[]): { classes: Uint8Array; count: number } {
  const classes = new Uint8Array(256);
  let count = 1;
  for (const { text } of words) {
    for (const byte of Buffer.from(text.toLowerCase(), "latin1")) {
      if (classes[byte] === 0) classes[byte] = count++;
    }
  }
  for (let upper = 0x41; upper <= 0x5a; upper++) classes[upper] = classes[upper + 32] ?? 0;
  return { classes, count };
}

/** Trie, then failure links breadth first; every missing edge is filled in, so that a step is one look-up. */
function linked(
  words: readonly Keyword[],
  classes: Uint8Array,
  width: number,
): { next: Int32Array; outputs: number[][] } {
  const most = 1 + words.reduce((sum, { text }) => sum + text.length, 0);
  if (most > 0xffff) throw new RangeError("too many keywords");
  const next = new Int32Array(most * width).fill(-1);
  const outputs: number[][] = [[]];
  for (const [index, { text }] of words.entries()) {
    let state = 0;
    for (const byte of Buffer.from(text.toLowerCase(), "latin1")) {
      const edge = state * width + (classes[byte] ?? 0);
      if (next[edge] === -1) next[edge] = outputs.push([]) - 1;
      state = next[edge] ?? 0;
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
  return { next, outputs };
}

function gramsOf(words: readonly Keyword[]): Uint8Array {
  const table = new Uint8Array(1 << 15);
  for (const { text } of words) {
    table[gramOf(text.charCodeAt(0), text.charCodeAt(1), text.charCodeAt(2))] = 1;
  }
  return table;
}

function pairsOf(words: readonly Keyword[]): Uint8Array {
  const table = new Uint8Array(1 << 16);
  const bytes = new Uint8Array(2);
  const both = new Uint16Array(bytes.buffer);
  const mark = (first: number, second: number, bit: number): void => {
    bytes[0] = first;
    bytes[1] = second;
    const pair = both[0] ?? 0;
    table[pair] = (table[pair] ?? 0) | bit;
  };
  const cases = (character: string, exact: boolean): readonly number[] =>
    [...new Set(exact ? [character] : [character.toLowerCase(), character.toUpperCase()])].map((c) => c.charCodeAt(0));
  for (const { text, exact } of words) {
    for (const at of [0, 1]) {
      for (const first of cases(text[at] ?? "", exact)) {
        for (const second of cases(text[at + 1] ?? "", exact)) mark(first, second, mayStart);
      }
    }
  }
  for (let odd = 0; odd < 256; odd++) {
    if (!isControlByte(odd)) continue;
    for (let other = 0; other < 256; other++) {
      mark(odd, other, control);
      mark(other, odd, control);
    }
  }
  return table;
}

/** Text as bytes, one a UTF-16 unit (the low byte), so that offsets are the string's own; and the same as pairs. */
export interface Narrow {
  readonly bytes: Uint8Array;
  readonly pairs: Uint16Array;
  readonly length: number;
}

/**
 * Calls `visit` for each keyword that ends at `end` (exclusive), in order of `end`. Characters beyond Latin-1 are
 * seen by their low byte alone, so a hit must be checked against the text. Returns whether a control byte was seen.
 *
 * The filter looks at every second byte pair: a word of three characters or more shows its first or its second pair
 * there. Where a word's first three characters follow, the automaton runs until it is back at its root.
 */
export function eachHit(found: Automaton, narrow: Narrow, visit: (word: number, end: number) => void): boolean {
  const { classes, next, shift, firstHit, hits, pairs: filter, grams } = found;
  const { bytes, pairs, length } = narrow;
  const last = length >> 1;
  let seen = length % 2 === 1 && isControlByte(bytes[length - 1] ?? 0);
  let place = 0;
  while (place < last) {
    const mark = filter[pairs[place] ?? 0] ?? 0;
    if (mark === 0) {
      place++;
      continue;
    }
    if ((mark & control) !== 0) seen = true;
    const at = place * 2;
    const one = bytes[at] ?? 0;
    const two = bytes[at + 1] ?? 0;
    const starts =
      grams[gramOf(one, two, bytes[at + 2] ?? 0)] === 1 ||
      (at > 0 && grams[gramOf(bytes[at - 1] ?? 0, one, two)] === 1);
    if ((mark & mayStart) === 0 || !starts) {
      place++;
      continue;
    }
    const least = at + 2;
    let index = at === 0 ? 0 : at - 1;
    let state = 0;
    do {
      state = next[(state << shift) + (classes[bytes[index++] ?? 0] ?? 0)] ?? 0;
      if (state >= firstHit) for (const word of hits[state - firstHit] ?? []) visit(word, index);
    } while (index < length && (state !== 0 || index < least));
    for (let passed = place + 1; passed < index >> 1; passed++) {
      if (((filter[pairs[passed] ?? 0] ?? 0) & control) !== 0) seen = true;
    }
    place = Math.max(place + 1, index >> 1);
  }
  return seen;
}
