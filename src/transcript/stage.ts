// Gives a batch of appends its places in order, time and session chains, on paper: nothing is kept until it is durable.

import { placeEntry, type GatewayStamp, type Line, type Place, type Unplaced } from "./entry.ts";
import { placeIn, type Standing } from "./standing.ts";

/** One append as it waits for its batch. */
export interface Batched {
  readonly entries: readonly Unplaced[];
}

export interface Staged<B extends Batched> {
  readonly lines: readonly Line[];
  /** Which lines belong to which append: `lines[from, from + entries.length)`. */
  readonly taken: readonly { readonly batched: B; readonly from: number }[];
  /** Appends whose entries are not JSON, or too large however they are cut, with what was thrown. */
  readonly unwritable: readonly { readonly batched: B; readonly thrown: unknown }[];
}

/** Stages what is owed and then the batch, in order, behind what stands. An unwritable append leaves no gap. */
export function stage<B extends Batched>(
  standing: Standing,
  owed: readonly Unplaced[],
  batch: readonly B[],
  now: number,
  stamp: GatewayStamp,
): Staged<B> {
  const places = new Map<string, Place>();
  const lines: Line[] = [];
  const taken: { batched: B; from: number }[] = [];
  const unwritable: { batched: B; thrown: unknown }[] = [];

  function add(entries: readonly Unplaced[]): void {
    const own = new Map<string, Place>();
    const placed = entries.map((what) => {
      const key = what.sid ?? "";
      const place = own.get(key) ?? places.get(key) ?? placeIn(standing, what.sid);
      const line = placeEntry(what, place, now, stamp);
      own.set(key, { sseq: place.sseq + 1, sprev: line.leaf.toString("hex") });
      return line;
    });
    for (const [key, place] of own) places.set(key, place);
    lines.push(...placed);
  }

  add(owed);
  for (const batched of batch) {
    const from = lines.length;
    try {
      add(batched.entries);
      taken.push({ batched, from });
    } catch (thrown) {
      unwritable.push({ batched, thrown });
    }
  }
  return { lines, taken, unwritable };
}

/** The staged lines as they go to the file. */
export function bytesOf(lines: readonly Line[]): Buffer {
  return Buffer.concat(lines.map((line) => line.prefixed.subarray(1)));
}
