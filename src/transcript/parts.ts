// Parts of a line that are known by their bytes: those that line after line repeats, times, links, names of a closed list.

import type { Json } from "../domain/json.ts";
import { isTime } from "./entry.ts";
import { valueEnd } from "./plain.ts";
import { isSame, viewOf } from "./same-bytes.ts";

/** How many values are remembered before it begins anew: bounds it. */
const mostKept = 1024;

export interface Repeated<T> {
  /** Where the value that begins here ends, or -1 where it is not canonical or not what it must be. */
  end(buffer: Buffer, at: number): number;
  /** The last one. */
  readonly value: () => T;
}

interface Known<T> {
  readonly value: T;
  readonly length: number;
  readonly bytes: DataView;
}

/** Looks at a value once for each text that it comes in. */
export function openRepeated<T extends Json>(is: (value: Json) => value is T): Repeated<T> {
  const kept = new Map<string, Known<T>>();
  let last: Known<T> | null = null;
  let seen: Buffer = Buffer.alloc(0);
  let view = viewOf(seen);

  /** What a text stands for that was not the last one; null where it is not what it must be. */
  function know(text: string): Known<T> | null {
    const value = JSON.parse(text) as Json;
    if (!is(value)) return null;
    if (kept.size >= mostKept) kept.clear();
    const known = { value, length: text.length, bytes: viewOf(Buffer.from(text, "latin1")) };
    kept.set(text, known);
    return known;
  }
  return {
    end(buffer, at) {
      if (buffer !== seen) {
        seen = buffer;
        view = viewOf(buffer);
      }
      // Most often it is the one of the line before: an object, or null, ends where it ends.
      if (last !== null && isSame(view, at, last.bytes, 0, last.length)) return at + last.length;
      const end = valueEnd(buffer, at, 1);
      if (end < 0) return -1;
      const text = buffer.toString("latin1", at, end);
      const known = kept.get(text) ?? know(text);
      if (known === null) return -1;
      last = known;
      return end;
    },
    value: () => last?.value as T,
  };
}

function standsAt(buffer: Buffer, at: number, wanted: Buffer): boolean {
  for (let byte = 0; byte < wanted.length; byte++) if (buffer[at + byte] !== wanted[byte]) return false;
  return true;
}

/** Is a time written here, quotes and all? A minute is looked at once; in it only the seconds vary. */
export function openTimes(): (buffer: Buffer, at: number) => boolean {
  let minute = Buffer.alloc(0);
  return (buffer, at) => {
    if (minute.length > 0 && standsAt(buffer, at, minute) && isSecond(buffer, at + minute.length)) return true;
    const text = buffer.toString("latin1", at, at + 26);
    if (text[0] !== '"' || text[25] !== '"' || !isTime(text.slice(1, -1))) return false;
    minute = Buffer.from(text.slice(0, 18));
    return true;
  };
}

const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= 0x30 && byte <= 0x39;

/** `00.000Z"` to `59.999Z"`. */
function isSecond(buffer: Buffer, at: number): boolean {
  return (
    isDigit(buffer[at]) &&
    (buffer[at] as number) < 0x36 &&
    isDigit(buffer[at + 1]) &&
    buffer[at + 2] === 0x2e &&
    isDigit(buffer[at + 3]) &&
    isDigit(buffer[at + 4]) &&
    isDigit(buffer[at + 5]) &&
    buffer[at + 6] === 0x5a &&
    buffer[at + 7] === 0x22
  );
}

const isHex = Uint8Array.from({ length: 256 }, (_, byte) => (isDigit(byte) || (byte >= 0x61 && byte <= 0x66) ? 1 : 0));

/** Where a link backwards ends, quotes and all: a leaf hash in hex, or nothing. */
export function linkEnd(buffer: Buffer, from: number): number {
  if (buffer[from] !== 0x22) return -1;
  let at = from + 1;
  while (isHex[buffer[at] as number] === 1) at++;
  const length = at - from - 1;
  return buffer[at] === 0x22 && (length === 0 || length === 64) ? at + 1 : -1;
}

/** Finds the number of the name that stands in `buffer[from, to)`, or -1. */
export function openNames(known: readonly string[]): (buffer: Buffer, from: number, to: number) => number {
  const bytes = known.map((name) => Buffer.from(name));
  const slot = (length: number, first: number, last: number): number =>
    (length + Math.imul(first, 5) + Math.imul(last, 43)) & 0x1ff;
  // For each slot the first name in it, and for each name the next one in the same slot: -1 where there is none.
  const firsts = new Int32Array(0x200).fill(-1);
  const nexts = bytes.map((name, number) => {
    const at = slot(name.length, name[0] as number, name.at(-1) as number);
    const next = firsts[at] as number;
    firsts[at] = number;
    return next;
  });
  return (buffer, from, to) => {
    const at = slot(to - from, buffer[from] as number, buffer[to - 1] as number);
    for (let number = firsts[at] as number; number >= 0; number = nexts[number] as number) {
      const name = bytes[number] as Buffer;
      if (name.length === to - from && standsAt(buffer, from, name)) return number;
    }
    return -1;
  };
}
