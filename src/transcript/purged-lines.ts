// What stands in a segment in the place of an entry that was purged: the leaf hash alone, so that the tree stays whole; and which entries say so.

import { createHash } from "node:crypto";
import { isJsonObject, type Json } from "../domain/json.ts";
import type { Entry } from "./entry.ts";
import { leafHashOfPrefixed } from "./tree.ts";

/** From the first to the last index, both of them in it. */
export type Range = readonly [first: number, last: number];

/** Is this the line of a purged entry: 64 small hexadecimal digits? No entry is: each begins with a brace. */
export function isPurgedLine(buffer: Buffer, start: number, end: number): boolean {
  if (end - start !== 64) return false;
  for (let at = start; at < end; at++) {
    const byte = buffer[at] as number;
    if (!((byte >= 0x30 && byte <= 0x39) || (byte >= 0x61 && byte <= 0x66))) return false;
  }
  return true;
}

/** The leaf hash that a segment's line, `buffer[start, end)`, stands for. The byte before the line is overwritten. */
export function leafOfLine(buffer: Buffer, start: number, end: number): Buffer {
  if (isPurgedLine(buffer, start, end)) return Buffer.from(buffer.toString("latin1", start, end), "hex");
  buffer[start - 1] = 0;
  return leafHashOfPrefixed(buffer.subarray(start - 1, end));
}

/** What `retention.purged` says of the entries that it is about. */
export interface PurgedEntries {
  /** Ascending; between two of them lies at least one entry that stays. */
  readonly ranges: readonly Range[];
  /** How many entries. */
  readonly count: number;
  /** SHA-256 over their leaf hashes in order, hex. */
  readonly digest: string;
  /** Days that entries are kept, as the gateway was told. */
  readonly days: number;
}

/** What the entry says was purged of the entries; null where it is about keys alone, or about nothing that could be. */
export function purgedEntriesIn({ kind, details }: Pick<Entry, "kind" | "details">): PurgedEntries | null {
  if (kind !== "retention.purged") return null;
  const said = details["entries"];
  if (!isJsonObject(said)) return null;
  const { ranges, count, digest, days } = said;
  if (!isRanges(ranges) || typeof count !== "number" || typeof digest !== "string" || typeof days !== "number")
    return null;
  return count === countIn(ranges) ? { ranges, count, digest, days } : null;
}

function isRanges(value: Json | undefined): value is readonly Range[] & Json {
  if (!Array.isArray(value)) return false;
  let next = 0;
  for (const range of value as readonly Json[]) {
    if (!Array.isArray(range) || range.length !== 2) return false;
    const [first, last] = range as readonly Json[];
    if (!Number.isSafeInteger(first) || !Number.isSafeInteger(last)) return false;
    if (Number(first) < next || Number(last) < Number(first)) return false;
    next = Number(last) + 2;
  }
  return next > 0;
}

export function countIn(ranges: readonly Range[]): number {
  return ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0);
}

/** Is the index in one of the ranges, which ascend? */
export function isWithin(ranges: readonly Range[], index: number): boolean {
  let [low, high] = [0, ranges.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ranges[middle] as Range)[1] < index) low = middle + 1;
    else high = middle;
  }
  const found = ranges[low];
  return found !== undefined && found[0] <= index;
}

/** Adds an index above all before it. */
export function addIndex(ranges: (readonly [number, number])[], index: number): void {
  const last = ranges.at(-1);
  if (last?.[1] === index - 1) ranges[ranges.length - 1] = [last[0], index];
  else ranges.push([index, index]);
}

/** The digest over leaf hashes, told in their order. */
export function leavesDigest(): { add(leaf: Uint8Array): void; hex(): string } {
  const digest = createHash("sha256");
  return { add: (leaf) => void digest.update(leaf), hex: () => digest.digest("hex") };
}

/** Which lines were purged, and whether an entry under the signed head says so of each. */
export interface Purged {
  /** A purged line stands at this index. */
  line(index: number): void;
  take(entry: Entry, index: number): void;
  /** The first purged line of which no entry among the first `signed` says so; null where there is none. */
  unexplained(signed: number): number | null;
}

/**
 * For whoever believes what the entries say: a line that was put in an entry's place without a purge on record would
 * hide that entry, a hold as well as a call that has not ended.
 */
export function foldPurged(): Purged {
  const gone: (readonly [number, number])[] = [];
  const told: { readonly ranges: readonly Range[]; readonly by: number }[] = [];
  return {
    line: (index) => addIndex(gone, index),
    take(entry, index) {
      const said = purgedEntriesIn(entry);
      if (said !== null && (said.ranges.at(-1)?.[1] ?? index) < index) told.push({ ranges: said.ranges, by: index });
    },
    unexplained(signed) {
      const counted = told.filter(({ by }) => by < signed).flatMap(({ ranges }) => ranges);
      counted.sort(([one], [other]) => one - other);
      let at = 0;
      for (const [first, last] of gone)
        for (let index = first; index <= last;) {
          while ((counted[at]?.[1] ?? Infinity) < index) at++;
          const [from, to] = counted[at] ?? [Infinity, Infinity];
          if (from > index) return index;
          index = to + 1;
        }
      return null;
    },
  };
}
