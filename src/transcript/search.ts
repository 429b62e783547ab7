// Finds entries by what they say: the index tells where to look, and each hit is read from its segment before it counts.

import { open, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { isMalformed, largestEntry, readEntry } from "./entry.ts";
import { findTranscript, segmentName, unlessAbsent } from "./files.ts";
import { isBroken, openIndex, type IndexFile, type Reach } from "./index-file.ts";
import type { Found } from "./index-query.ts";
import { readEntries, type Kept } from "./read.ts";
import { answers, searchableOf, type Query } from "./searchable.ts";
import { leafHash } from "./tree.ts";
import { unusable } from "./unusable.ts";

export interface SearchOptions {
  readonly query: Query;
  /** The newest so many. */
  readonly limit: number;
  /** Make the index anew first. */
  readonly anew?: boolean;
  /** Milliseconds since 1970: older entries leave the index, and are not found. */
  readonly from?: number;
}

/**
 * The newest entries that answer the query, oldest first. An index that does not agree with the segments is made anew,
 * once. Faults: transcript_unavailable where there is no transcript, or no index can be made of it.
 */
export async function* searchEntries(
  folder: string,
  { query, limit, anew, from = 0 }: SearchOptions,
): AsyncGenerator<Kept> {
  let last = -1;
  for (const again of [anew === true, true]) {
    const found = await using(folder, again, from, (index) => index.find(query, limit));
    const rest = found.filter(({ index }) => index > last);
    let agreed = true;
    for await (const kept of readFound(folder, rest)) {
      agreed = kept !== null && answers(query, searchableOf(kept.entry));
      if (kept === null || !agreed) break;
      last = kept.index;
      yield kept;
    }
    if (agreed) return;
  }
  throw unusable("the segments change while they are searched; sallyport transcript verify says more");
}

/** How many entries answer the query, as the index has it. Faults as `searchEntries`. */
export async function countFound(folder: string, query: Query, anew = false, from = 0): Promise<number> {
  return await using(folder, anew, from, (index) => index.count(query));
}

/** How far back the index reaches, and whether there are older entries. Faults as `searchEntries`. */
export async function indexReach(folder: string, from: number): Promise<Reach> {
  return await using(folder, false, from, (index) => index.reach);
}

/** The newest entries that answer, oldest first, and how many there are in all: of the segments themselves, all of them. Faults as `readEntries`. */
export async function searchWhole(
  folder: string,
  query: Query,
  limit: number,
): Promise<{ readonly found: readonly Kept[]; readonly count: number }> {
  const { since, until } = query;
  const within = { ...(since === undefined ? {} : { since }), ...(until === undefined ? {} : { until }) };
  let [found, count]: [Kept[], number] = [[], 0];
  for await (const kept of readEntries(folder, within)) {
    if (!answers(query, searchableOf(kept.entry))) continue;
    count++;
    found.push(kept);
    if (found.length > 2 * limit) found = found.slice(-limit);
  }
  return { found: limit === 0 ? [] : found.slice(-limit), count };
}

async function using<T>(folder: string, anew: boolean, from: number, ask: (index: IndexFile) => T): Promise<T> {
  for (const again of [anew, true]) {
    try {
      const index = await openIndex(folder, again, from);
      try {
        return ask(index);
      } finally {
        index.close();
      }
    } catch (thrown) {
      if (!isBroken(thrown)) throw namedFault(thrown);
    }
  }
  throw unusable("no index can be made of the segments");
}

function namedFault(thrown: unknown): unknown {
  if (!(thrown instanceof Error && "errcode" in thrown)) return thrown;
  return unusable(`transcript/index.sqlite can't be used: ${thrown.message}`);
}

/** The entries at these places in order; null where the line there is not the one that was indexed. */
async function* readFound(folder: string, found: readonly Found[]): AsyncGenerator<Kept | null> {
  const { segments } = await findTranscript(folder);
  let here: { readonly number: number; readonly file: FileHandle | null } = { number: -1, file: null };
  try {
    for (const { index, segment, start, length, leaf } of found) {
      if (here.number !== segment) {
        await here.file?.close();
        here = { number: segment, file: null };
        here = { number: segment, file: await unlessAbsent(open(join(segments, segmentName(segment)), "r")) };
      }
      const line = await lineAt(here.file, start, length);
      const entry = line !== null && leafHash(line).compare(leaf) === 0 ? readEntry(line.toString("utf8")) : null;
      yield entry === null || isMalformed(entry) ? null : { index, entry };
    }
  } finally {
    await here.file?.close();
  }
}

async function lineAt(file: FileHandle | null, start: number, length: number): Promise<Buffer | null> {
  if (file === null || length > largestEntry) return null;
  const line = Buffer.alloc(length);
  const { bytesRead } = await file.read(line, 0, length, start);
  return bytesRead === length ? line : null;
}
