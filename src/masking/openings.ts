// Where a word may begin: a table over two characters at a time that lets a pass step over most of a clean text.

export interface Openings {
  /**
   * What each pair of characters may be, by the pair as a 16-bit number of this machine: first as the earlier of two pairs, then as the later. A bit
   * that both have tells that words of its group may begin there. Half of the groups are for words that begin with a pair, half for those that begin
   * with a pair's second character.
   */
  readonly pairs: Uint32Array;
  /** What passes that is held against the beginnings of all words, by their hash: of those of three characters (1) and of longer ones (2). */
  readonly beginnings: Uint8Array;
}

/** A text's characters as bytes, and the same memory by twos. */
interface Twos {
  readonly bytes: Uint8Array;
  readonly pairs: Uint16Array;
  readonly length: number;
}

/** A word to look for; its own case counts if it is `exact`. */
interface Word {
  readonly text: string;
  readonly exact: boolean;
}

/**
 * Bits of one half: words of three characters, longer ones, and lone characters. As many of either as let the fewest places pass that begin none: short
 * words leave the fourth character open and pass more.
 */
const short = 7;
const long = 8;
const lone = short + long;
/** From the bit of words that begin with a pair to that of words that begin in its midst. */
const midst = 16;

/** A table for words of three characters and more, and for the bytes that are to be met wherever they stand. */
export function openings(words: readonly Word[], met: readonly number[]): Openings {
  const table = new Uint32Array(0x20000);
  const beginnings = new Uint8Array(0x8000);
  const add = (later: 0 | 1, first: readonly number[], second: readonly number[], bit: number): void => {
    for (const one of first)
      for (const other of second) {
        const at = 2 * pairOf(one, other) + later;
        table[at] = (table[at] ?? 0) | (1 << bit);
      }
  };
  for (const { text, exact } of words) {
    const [one = every, two = every, three = every, four = every, five = every] = Array.from(text, (sign) =>
      spellings(sign, exact),
    );
    const whole = groupOf(text, 0);
    const parted = groupOf(text, 1) + midst;
    add(0, one, two, whole);
    add(1, three, four, whole);
    // Of a short word nothing is left behind the pair in which its second and third stand.
    if (text.length === 3) add(0, every, one, parted);
    add(text.length === 3 ? 1 : 0, two, three, parted);
    if (text.length > 3) add(1, four, five, parted);
    const codes = Array.from(text.slice(0, 4), (sign) => sign.charCodeAt(0));
    const characters = codes.reduce((sum, code, place) => sum | ((code | 0x20) << (8 * place)), 0);
    const hash = hashOf(characters);
    beginnings[hash] = (beginnings[hash] ?? 0) | (codes.length === 3 ? 1 : 2);
  }
  add(0, met, every, lone);
  add(0, every, met, lone);
  for (let at = 1; at < table.length; at += 2) table[at] = (table[at] ?? 0) | (1 << lone);
  return { pairs: table, beginnings };
}

/** The bit that tells small letters from capitals, in each of three and four characters. */
const cases3 = 0x202020;
const cases4 = 0x20202020;

/** 15 bits of the characters (multiplicative hashing; D. E. Knuth, The Art of Computer Programming, section 6.4). */
function hashOf(characters: number): number {
  return Math.imul(characters, 0x9e3779b1) >>> 17;
}

/** By two characters of the word, so that what passes has that pair and what follows it in a few words only. */
function groupOf(text: string, at: number): number {
  const mixed = (text.charCodeAt(at) | 0x20) * 31 + (text.charCodeAt(at + 1) | 0x20) * 7;
  return text.length === 3 ? mixed % short : short + (mixed % long);
}

const every: readonly number[] = [...new Uint8Array(256).keys()];

/** The character's codes: both cases of an ASCII letter unless its own case counts. */
function spellings(sign: string, exact: boolean): readonly number[] {
  const code = sign.charCodeAt(0);
  const lower = code | 0x20;
  return exact || lower < 0x61 || lower > 0x7a ? [code] : [lower, lower - 0x20];
}

/** Does this machine hold the first of two bytes as the lower half of a 16-bit number? */
const lowerFirst = new Uint16Array(Uint8Array.of(1, 0).buffer)[0] === 1;

function pairOf(first: number, second: number): number {
  return lowerFirst ? first | (second << 8) : (first << 8) | second;
}

/**
 * The next place from `from` on where a word may begin. At the end of the text, where fewer characters are left than the table tells of, and around
 * bytes that are to be met, it is a place at most two characters before.
 */
export function nextOpening(
  { pairs: table, beginnings }: Openings,
  { bytes, pairs, length }: Twos,
  from: number,
): number {
  const last = (length >> 1) - 1;
  let at = from >> 1;
  let pair = 2 * (pairs[at] ?? 0);
  // What most of a clean text costs: two look-ups for two characters, none of which waits for another.
  while (at < last) {
    const next = 2 * (pairs[at + 1] ?? 0);
    const passed = (table[pair] ?? 0) & (table[next + 1] ?? 0);
    if (passed !== 0) {
      if ((passed & (1 << lone)) !== 0) break;
      const begun = beginning(beginnings, bytes, passed, 2 * at, from);
      if (begun !== -1) return begun;
    }
    pair = next;
    at++;
  }
  return Math.max(from, 2 * at - 1);
}

const longWords = ((1 << long) - 1) << short;
const shortWords = (1 << short) - 1;

/** Of the three places around `at`, the first one not before `from` that the passed groups tell of and whose characters begin like a word, or -1. */
function beginning(beginnings: Uint8Array, bytes: Uint8Array, passed: number, at: number, from: number): number {
  if ((passed & (longWords << midst)) !== 0 && at > from && begins(beginnings, bytes, at - 1)) return at - 1;
  if ((passed & (longWords | shortWords)) !== 0 && at >= from && begins(beginnings, bytes, at)) return at;
  if ((passed & (shortWords << midst)) !== 0 && begins(beginnings, bytes, at + 1)) return at + 1;
  return -1;
}

function begins(beginnings: Uint8Array, bytes: Uint8Array, at: number): boolean {
  const three = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | cases3;
  const four = three | ((bytes[at + 3] ?? 0) << 24) | cases4;
  return (((beginnings[hashOf(three)] ?? 0) & 1) | ((beginnings[hashOf(four)] ?? 0) & 2)) !== 0;
}
