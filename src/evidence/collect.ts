// Reads the entries of a period once and gives every query its rows: how many, which, and their digest.

import { createHash, hash } from "node:crypto";
import { join } from "node:path";
import { isMalformed, readEntry, type Entry } from "../transcript/entry.ts";
import { findTranscript, listSegments } from "../transcript/files.ts";
import { visitLines } from "../transcript/lines.ts";
import { leafOfLine } from "../transcript/purged-lines.ts";
import { growTree } from "../transcript/tree.ts";
import type { Query } from "./mapping.ts";
import { isRow } from "./query.ts";

/** Milliseconds since 1970: from this time on, and before that one. */
export interface Period {
  readonly from: number;
  readonly to: number;
}

export interface CollectOptions {
  readonly period: Period;
  /** By name; planned ones are not run. */
  readonly queries: { readonly [name: string]: Query };
  /** So many entries count and no others, whatever a gateway writes meanwhile. */
  readonly size: number;
  /** What the samples are drawn by; the auditor's own text makes them nobody else's choice. */
  readonly seed: string;
  /** Takes each row as it is found: its line without the newline, exactly as it stands in the segment. */
  readonly onRow?: (query: string, line: Buffer, row: Row) => void;
}

export interface Row {
  /** 0-based position in the tree. */
  readonly index: number;
  /** The leaf hash, hex. */
  readonly leaf: string;
  readonly entry: Entry;
}

export interface Rows {
  readonly count: number;
  /** SHA-256 over the rows' lines, each with its newline, in the order of the log; hex. */
  readonly digest: string;
  /** Indexes of rows that were drawn, in order: all of them where there are no more than 25. */
  readonly sample: readonly number[];
}

export interface Collected {
  readonly rows: { readonly [query: string]: Rows };
  /** The root over the first `size` entries, hex. */
  readonly root: string;
  /** Entries of the period, and the index of the first; null where there is none. */
  readonly entries: number;
  readonly first: number | null;
  /** The tree when the period's last entry was written: it stays what it is, however the log grows. */
  readonly end: { readonly size: number; readonly root: string } | null;
  /** RFC 3339; the time of the log's newest entry, "" where it has none. */
  readonly newest: string;
}

/** Auditors draw about so many (800-53A leaves the number to them). */
export const sampleSize = 25;

/** Rows of every query. Faults: transcript_unavailable where there is no transcript; rejects with the operating system's error where it can't be read. */
export async function collect(folder: string, options: CollectOptions): Promise<Collected> {
  const { period, size, onRow } = options;
  const paths = await findTranscript(folder);
  const { names } = await listSegments(paths.segments);
  const tallies = Object.entries(options.queries)
    .filter(([, query]) => query.planned !== true)
    .map(([name, query]) => ({ name, query, rows: tallyOf() }));
  const tree = growTree();
  let [entries, inside, newest] = [0, false, ""];
  let first: number | null = null;
  let end: Collected["end"] = null;
  const leave = (): void => {
    if (inside) end = { size: tree.size(), root: tree.root().toString("hex") };
    inside = false;
  };
  for (const name of names)
    await visitLines(join(paths.segments, name), (buffer, start, stop) => {
      if (tree.size() >= size) return;
      const leaf = leafOfLine(buffer, start, stop);
      const line = buffer.subarray(start, stop);
      const entry = readEntry(line.toString("utf8"));
      const wanted = !isMalformed(entry) && isWithin(entry.ts, period);
      if (!isMalformed(entry)) newest = entry.ts;
      if (!wanted) leave();
      const index = tree.size();
      tree.grow(leaf);
      if (!wanted) return;
      inside = true;
      entries++;
      first ??= index;
      const row = { index, leaf: leaf.toString("hex"), entry };
      const found = tallies.filter((one) => isRow(one.query, entry));
      if (found.length === 0) return;
      // Once for all queries: a row's lot is the same in each.
      const lot = hash("sha256", `${options.seed}${row.leaf}`);
      for (const one of found) {
        one.rows.take(buffer.subarray(start, stop + 1), index, lot);
        onRow?.(one.name, line, row);
      }
    });
  leave();
  const rows = Object.fromEntries(tallies.map((one) => [one.name, one.rows.end()]));
  return { rows, root: tree.root().toString("hex"), entries, first, end, newest };
}

function isWithin(ts: string, { from, to }: Period): boolean {
  const at = Date.parse(ts);
  return at >= from && at < to;
}

/** Counts rows, and keeps those that the seed draws: the least SHA-256(seed ‖ leaf). Who writes an entry can't know the auditor's seed. */
function tallyOf() {
  const digest = createHash("sha256");
  let drawn: { readonly index: number; readonly lot: string }[] = [];
  let count = 0;
  let highest = "g";
  const keep = (): void => {
    drawn = drawn.sort((a, b) => (a.lot < b.lot ? -1 : 1)).slice(0, sampleSize);
    if (drawn.length === sampleSize) highest = drawn.at(-1)?.lot ?? highest;
  };
  return {
    /** `line` with its newline. */
    take(line: Buffer, index: number, lot: string): void {
      digest.update(line);
      count++;
      if (lot >= highest) return;
      drawn.push({ index, lot });
      if (drawn.length > 8 * sampleSize) keep();
    },
    end(): Rows {
      keep();
      return { count, digest: digest.digest("hex"), sample: drawn.map(({ index }) => index).sort((a, b) => a - b) };
    },
  };
}
