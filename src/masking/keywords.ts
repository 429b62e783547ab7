// One pass that finds every keyword: an Aho-Corasick automaton with every edge filled in, so that each character costs one look-up.

/** A word to look for; ASCII, at least three characters. `exact` words hit in their own case only. */
export interface Keyword {
  readonly text: string;
  readonly exact: boolean;
}

export interface Automaton {
  /** Character class by byte; upper case shares the class of lower case. */
  readonly classes: Uint8Array;
  /** Next state by `state + class`: a state is the place of its row. 0 is the root; those from `firstHit` on end a word. */
  readonly next: Uint32Array;
  readonly firstHit: number;
  /** The length of a row as a power of two. */
  readonly shift: number;
  /** The words that end in the state `firstHit + (n << shift)`, longest first. */
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
    if (text.length < 3) throw new RangeError(`keyword "${text}" is shorter than three characters`);
  }
  const { classes, count } = classesOf(words);
  const shift = Math.ceil(Math.log2(count));
  const width = 1 << shift;
  const { next, outputs } = linked(words, classes, width);
  const order = [...outputs.keys()].sort((a, b) => Number(hasHit(outputs, a)) - Number(hasHit(outputs, b)) || a - b);
  const rank = new Uint32Array(order.length);
  for (const [place, state] of order.entries()) rank[state] = place;
  const packed = new Uint32Array(order.length * width);
  for (const [place, state] of order.entries()) {
    for (let column = 0; column < width; column++) {
      packed[place * width + column] = (rank[next[state * width + column] ?? 0] ?? 0) * width;
    }
  }
  const first = order.findIndex((state) => hasHit(outputs, state));
  const hits = order.slice(first).map((state) => outputs[state] ?? []);
  return { classes, next: packed, firstHit: first * width, shift, hits };
}

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
): { next: Int32Array; outputs: number[][] } {
  const most = 2 + words.reduce((sum, { text }) => sum + text.length, 0);
  if (most > 0xffff) throw new RangeError("too many keywords");
  const next = new Int32Array(most * width).fill(-1);
  const outputs: number[][] = [[]];
  next[controls] = outputs.push([controlWord]) - 1;
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

/** A text's characters as bytes, so that offsets are the string's own. */
export interface Narrow {
  readonly bytes: Uint8Array;
  readonly length: number;
  /** Some are beyond Latin-1: they stand as 0xff, which no word holds. */
  readonly wide: boolean;
}

/** Where a pass through a text stands. */
export interface Cursor {
  state: number;
  at: number;
}

/** Runs on to the next place where words end and returns them, `cursor.at` being that place (exclusive); undefined once the text is through. */
export function nextHits(found: Automaton, narrow: Narrow, cursor: Cursor): readonly number[] | undefined {
  const { classes, next, firstHit } = found;
  const { bytes, length } = narrow;
  let { state, at } = cursor;
  // The inner loop is what most of a clean text costs: two look-ups and a comparison a character.
  while (at < length) {
    state = next[state + (classes[bytes[at++] ?? 0] ?? 0)] ?? 0;
    if (state < firstHit) continue;
    cursor.state = state;
    cursor.at = at;
    return found.hits[(state - firstHit) >> found.shift];
  }
  cursor.at = at;
  return undefined;
}
