// Reads entries from the files, without the process that writes them; what is still being written is left out.

import { join } from "node:path";
import { isJsonObject, textAt, type Json } from "../domain/json.ts";
import { isMalformed, readEntry, type Entry } from "./entry.ts";

import { findTranscript, listSegments } from "./files.ts";
import { visitLines } from "./lines.ts";

/** An entry and its 0-based position in the tree. */
export interface Kept {
  readonly index: number;
  readonly entry: Entry;
}

/** Which entries are wanted; all that is given must hold. */
export interface Wanted {
  readonly call?: string;
  readonly session?: string;
  /** An approval that the entry is about. */
  readonly approval?: string;
  readonly index?: number;
  /** The uid of an object that the entry tells of. */
  readonly uid?: string;
  /** Only this entry and those after it. */
  readonly from?: number;
  /** Milliseconds since 1970: written at this time or later, and before that one. */
  readonly since?: number;
  readonly until?: number;
}

/**
 * The entries of a state folder in order, a segment at a time. Lines that are no entries are left out: `verify` tells
 * of them. Faults: transcript_unavailable where there is no transcript.
 */
export async function* readEntries(folder: string, wanted: Wanted = {}): AsyncGenerator<Kept> {
  const paths = await findTranscript(folder);
  const { names } = await listSegments(paths.segments);
  // Most lines are passed over by their bytes alone; what is left is parsed and looked at again.
  const words = [wanted.call, wanted.session, wanted.approval, wanted.uid].flatMap((id) =>
    id === undefined ? [] : [`"${id}"`],
  );
  const [since, until] = [timeText(wanted.since ?? 0), timeText(wanted.until ?? Infinity)];
  let index = 0;
  for (const name of names) {
    const found: Kept[] = [];
    await visitLines(join(paths.segments, name), (buffer, start, end) => {
      const here = index++;
      if (here < (wanted.from ?? 0) || (wanted.index ?? here) !== here) return;
      const line = buffer.subarray(start, end);
      const time = timeOf(line);
      if (time !== null && (time < since || time >= until)) return;
      if (!words.every((word) => line.includes(word))) return;
      const entry = readEntry(line.toString("utf8"));
      if (!isMalformed(entry) && matches(entry, wanted)) found.push({ index: here, entry });
    });
    yield* found;
  }
}

/** A canonical line ends in its time and its version: what is out of time need not be parsed. */
const ending = /^"ts":"([^"]{24})","v":1\}$/;

function timeOf(line: Buffer): string | null {
  return ending.exec(line.toString("latin1", line.length - 38))?.[1] ?? null;
}

/** As entries write it, within the four-digit years that they can say: such texts order as their times do. */
function timeText(at: number): string {
  return new Date(Math.min(Math.max(at, 0), 253_402_300_799_999)).toISOString();
}

function matches(entry: Entry, { call, session, approval, uid, since = 0, until = Infinity }: Wanted): boolean {
  const at = Date.parse(entry.ts);
  if (at < since || at >= until) return false;
  if (call !== undefined && entry.call !== call) return false;
  if (session !== undefined && entry.sid !== session) return false;
  if (uid !== undefined && !uidsIn(entry).includes(uid)) return false;
  return approval === undefined || textAt(entry.details, "approval") === approval;
}

/** The objects that an entry tells of, by their uids. */
function uidsIn({ details }: Entry): readonly string[] {
  const objects = details["objects"];
  return Array.isArray(objects) ? objects.map((one: Json) => (isJsonObject(one) ? textAt(one, "uid") : "")) : [];
}

/** The last `limit` of the wanted entries, oldest first. */
export async function lastEntries(folder: string, limit: number, wanted: Wanted = {}): Promise<readonly Kept[]> {
  // Without a filter the place of the last ones is known beforehand, and none of the others is parsed.
  const all = Object.keys(wanted).length === 0;
  const sought = all ? { from: (await countEntries(folder)) - limit } : wanted;
  let last: Kept[] = [];
  for await (const kept of readEntries(folder, sought)) {
    last.push(kept);
    if (last.length > 2 * limit) last = last.slice(-limit);
  }
  return limit === 0 ? [] : last.slice(-limit);
}

async function countEntries(folder: string): Promise<number> {
  const paths = await findTranscript(folder);
  let count = 0;
  for (const name of (await listSegments(paths.segments)).names)
    await visitLines(join(paths.segments, name), () => count++);
  return count;
}

/**
 * Everything about one thing: the entries of a call, of an approval, or of the call that the entry at an index belongs
 * to. Empty when there is nothing of that name.
 */
export async function findEntries(folder: string, id: string): Promise<readonly Kept[]> {
  if (!/^\d{1,15}$/.test(id)) {
    const wanted = id.startsWith("apr_") ? { approval: id } : { call: id };
    return await collect(readEntries(folder, wanted));
  }
  const [kept] = await collect(readEntries(folder, { index: Number(id) }));
  if (kept === undefined) return [];
  const { call } = kept.entry;
  return call === null ? [kept] : await collect(readEntries(folder, { call }));
}

async function collect(entries: AsyncIterable<Kept>): Promise<readonly Kept[]> {
  const all: Kept[] = [];
  for await (const kept of entries) all.push(kept);
  return all;
}
