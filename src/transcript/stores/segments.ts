// The embedded store: entries as lines of numbered files that only grow, durable before a write returns.

import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { Disk, DurableFile } from "../disk.ts";
import type { Malformed } from "../entry.ts";
import { listSegments, segmentName } from "../files.ts";
import { visitLines } from "../lines.ts";
import { unusable } from "../unusable.ts";

/** A segment that has reached this many bytes is followed by a new one. */
export const segmentSize = 16 * 1024 * 1024;

/** Takes one line (see `VisitLine`) and says what is wrong with it, or null; a line that is wrong must leave no trace. */
export type TakeLine = (buffer: Buffer, start: number, end: number) => Malformed | null;

/** What reading the segments found: enough to go on writing behind the last whole entry. */
export interface SegmentsFound {
  /** The last segment's number, or -1 where there is none. */
  readonly last: number;
  /** Bytes of whole entries in it. */
  readonly length: number;
  /** Bytes of a torn line behind them, which a crash left unfinished and nobody was told of. */
  readonly torn: number;
}

/** Is told, before the first line of a segment, which one begins and how many there are. */
export type BeginSegment = (number: number, count: number) => void;

/**
 * Reads all entries in order, from segment `from` on. Only the very last line may be cut short; anything else that is wrong is not the work of
 * a crash, and is a `transcript_unavailable` fault that names file and line.
 */
export async function readSegments(
  folder: string,
  take: TakeLine,
  from = 0,
  begin: BeginSegment = () => undefined,
): Promise<SegmentsFound> {
  const { names, missing } = await listSegments(folder);
  if (missing !== null) throw unusable(`segments/${missing} is missing between the segments`);
  let found: SegmentsFound = { last: -1, length: 0, torn: 0 };
  for (const [number, name] of names.entries()) {
    if (number < from) continue;
    begin(number, names.length);
    if (found.torn > 0)
      throw unusable(`segments/${segmentName(number - 1)}: its last line is cut short, and more follows`);
    found = { last: number, ...(await readSegment(join(folder, name), name, take)) };
  }
  return found;
}

async function readSegment(path: string, name: string, take: TakeLine): Promise<{ length: number; torn: number }> {
  let length = 0;
  let lines = 0;
  let wrong: Malformed | null = null;
  let torn = 0;
  const rest = await visitLines(path, (buffer, start, end) => {
    lines++;
    if (wrong !== null) throw unusable(`segments/${name} line ${lines - 1} ${wrong.problem}`);
    wrong = take(buffer, start, end);
    if (wrong?.torn === false) throw unusable(`segments/${name} line ${lines} ${wrong.problem}`);
    if (wrong === null) length += end - start + 1;
    else torn = end - start + 1;
  });
  if (torn > 0 && rest > 0) throw unusable(`segments/${name} line ${lines} is not JSON`);
  return { length, torn: torn + rest };
}

export interface Segments {
  /**
   * Adds whole lines and returns once they are durable. Rejects with the disk's own error, and then none of them is
   * there: the file is cut back before anything else is written.
   */
  write(bytes: Uint8Array): Promise<void>;
  /** The number of the segment that was written to last. */
  number(): number;
  /** The next write begins a segment: the one before it is full, whatever its length. */
  turn(): void;
  close(): Promise<void>;
}

/** Opens the last segment for writing, or the first one; cuts a torn line off, durably. */
export async function openSegments(
  disk: Disk,
  folder: string,
  found: SegmentsFound,
  size: number = segmentSize,
): Promise<Segments> {
  let number = Math.max(0, found.last);
  let length = found.length;
  let file: DurableFile | null = await openAt(length);

  async function openAt(whole: number): Promise<DurableFile> {
    const path = join(folder, segmentName(number));
    const opened = await disk.openDurable(path);
    try {
      if ((await stat(path)).size !== whole) await opened.truncate(whole);
    } catch (thrown) {
      await opened.close().catch(() => undefined);
      throw thrown;
    }
    return opened;
  }
  let turning = false;
  async function ready(): Promise<DurableFile> {
    if ((length >= size || turning) && length > 0) {
      // Opened again where a write failed: what that left behind the last whole line is cut off before it is left.
      file ??= await openAt(length);
      await file.close();
      file = null;
      number++;
      length = 0;
      turning = false;
    }
    file ??= await openAt(length);
    return file;
  }

  return {
    async write(bytes) {
      const into = await ready();
      try {
        await into.write(bytes, length);
        length += bytes.length;
      } catch (thrown) {
        // After a write that failed to reach the medium the kernel may hold its pages as clean all the same: this file
        // handle is not trusted again, and what it wrote is cut off before the next write.
        file = null;
        await into.close().catch(() => undefined);
        throw thrown;
      }
    },
    number: () => number,
    turn: () => void (turning = true),
    async close() {
      await file?.close();
      file = null;
    },
  };
}
