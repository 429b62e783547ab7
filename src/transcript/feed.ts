// Entries in their order with their leaves, from any place on: what exports read, once or for ever.

import { open, stat } from "node:fs/promises";
import { join } from "node:path";
import { isMalformed, readEntry } from "./entry.ts";
import type { Exported } from "./exporters/contract.ts";
import { findTranscript, listSegments, readText, segmentName, unlessAbsent } from "./files.ts";
import { visitLines } from "./lines.ts";
import { leafOfLine } from "./purged-lines.ts";

/** Where the next entry stands. */
export interface Cursor {
  /** Its 0-based position in the tree, and where its line begins. */
  readonly index: number;
  readonly segment: number;
  readonly offset: number;
  /** The leaf of the entry before it, hex; "" before the first. */
  readonly leaf: string;
}

export const beginning: Cursor = { index: 0, segment: 0, offset: 0, leaf: "" };

export interface Fed {
  readonly entries: readonly Exported[];
  /** Behind them. */
  readonly next: Cursor;
}

/**
 * The entries from a cursor on: at most `bytes` of lines, but one at least where there is one, and none at or after
 * index `until`. Lines that are no entries are passed over: `verify` tells of them. Faults: transcript_unavailable
 * where there is no transcript; rejects with the operating system's error where it can't be read.
 */
export async function feed(folder: string, from: Cursor, bytes: number, until = Infinity): Promise<Fed> {
  const { segments } = await findTranscript(folder);
  let cursor = await whereItLies(folder, from);
  for (;;) {
    const lines = await linesAt(join(segments, segmentName(cursor.segment)), cursor.offset, bytes);
    if (lines !== null && lines.length > 1) return taken(lines, cursor, until);
    // At the end of this segment: the next one goes on, if there is one.
    const { names } = await listSegments(segments);
    if (cursor.segment + 1 >= names.length || cursor.index >= until) return { entries: [], next: cursor };
    cursor = { ...cursor, segment: cursor.segment + 1, offset: 0 };
  }
}

/** Whole lines from a byte on, behind one byte of room for the prefix of a leaf hash; one line at least, where there is one. */
async function linesAt(path: string, offset: number, bytes: number): Promise<Buffer | null> {
  const file = await unlessAbsent(open(path, "r"));
  if (file === null) return null;
  try {
    const { size } = await file.stat();
    for (let wanted = bytes; ; wanted *= 2) {
      const length = Math.min(wanted, Math.max(0, size - offset));
      const buffer = Buffer.allocUnsafe(1 + length);
      const { bytesRead } = await file.read(buffer, 1, length, offset);
      const end = buffer.subarray(0, 1 + bytesRead).lastIndexOf(0x0a);
      if (end > 0 || length < wanted) return buffer.subarray(0, Math.max(0, end) + 1);
    }
  } finally {
    await file.close();
  }
}

function taken(lines: Buffer, from: Cursor, until: number): Fed {
  const entries: Exported[] = [];
  let { index, offset, leaf } = from;
  for (let start = 1; start < lines.length && index < until;) {
    const end = lines.indexOf(0x0a, start);
    leaf = leafOfLine(lines, start, end).toString("hex");
    const entry = readEntry(lines.toString("utf8", start, end));
    if (!isMalformed(entry)) entries.push({ index, leaf, entry });
    index++;
    offset += end - start + 1;
    start = end + 1;
  }
  return { entries, next: { index, segment: from.segment, offset, leaf } };
}

/**
 * A purge makes lines shorter, of full segments alone: where the cursor's next entry stands now. The cursor itself where
 * nothing moved, and where these are not its segments.
 */
async function whereItLies(folder: string, cursor: Cursor): Promise<Cursor> {
  if (cursor.offset === 0) return cursor;
  const { segments } = await findTranscript(folder);
  const full = (await unlessAbsent(stat(join(segments, segmentName(cursor.segment + 1))))) !== null;
  if (!full || (await cursorHolds(folder, cursor))) return cursor;
  return (await movedCursor(folder, cursor)) ?? cursor;
}

/** The place behind the entry that the cursor had reached, by its number and leaf; null where there is no such entry. */
export async function movedCursor(folder: string, cursor: Cursor): Promise<Cursor | null> {
  const { segments } = await findTranscript(folder);
  let index = 0;
  let found: Cursor | null = null;
  for (const [segment, name] of (await listSegments(segments)).names.entries()) {
    if (index >= cursor.index) break;
    let offset = 0;
    await visitLines(join(segments, name), (buffer, start, end) => {
      offset += end - start + 1;
      if (++index !== cursor.index || leafOfLine(buffer, start, end).toString("hex") !== cursor.leaf) return;
      found = { ...cursor, segment, offset };
    });
  }
  return found;
}

/** Does the line before the cursor still have the cursor's leaf? If not, these are not the segments that it was made for. */
export async function cursorHolds(folder: string, { segment, offset, leaf, index }: Cursor): Promise<boolean> {
  if (index === 0) return offset === 0 && leaf === "";
  const { segments } = await findTranscript(folder);
  // A cursor that stands at the beginning of a segment has no line of it behind: the segment before has it.
  const before = offset > 0 ? segment : segment - 1;
  const file = before < 0 ? null : await unlessAbsent(open(join(segments, segmentName(before)), "r"));
  if (file === null) return false;
  try {
    const stop = offset > 0 ? offset : (await file.stat()).size;
    const start = Math.max(0, stop - 2 * 65_536);
    const buffer = Buffer.alloc(1 + stop - start);
    const { bytesRead } = await file.read(buffer, 1, stop - start, start);
    if (bytesRead !== stop - start || buffer.at(-1) !== 0x0a) return false;
    const line = buffer.lastIndexOf(0x0a, buffer.length - 2) + 1;
    const from = Math.max(1, line);
    return leafOfLine(buffer, from, buffer.length - 1).toString("hex") === leaf;
  } finally {
    await file.close();
  }
}

/** The newest signed head as its file says it, unverified: how many entries it counts, and its root in base64. */
export async function signedHead(folder: string): Promise<{ readonly size: number; readonly root: string }> {
  const { checkpoint } = await findTranscript(folder);
  const [, size = "", root = ""] = ((await readText(checkpoint)) ?? "").split("\n");
  return /^\d{1,15}$/.test(size) ? { size: Number(size), root } : { size: 0, root: "" };
}
