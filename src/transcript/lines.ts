// Reads a file of lines in chunks and hands out each line where it lies, so that a large transcript costs little memory.

import { open } from "node:fs/promises";

/** A line's bytes are `buffer[start, end)`. The byte before them is free to be overwritten; nothing may be kept. */
export type VisitLine = (buffer: Buffer, start: number, end: number) => void;

/**
 * Lines that were read together: `buffer[1, end)`, each with its newline behind it. Where the last byte is none, the last
 * line is a piece of one that is longer than 1 MiB. Nothing may be kept.
 */
export type VisitChunk = (buffer: Buffer, end: number) => void | Promise<void>;

const chunk = 1 << 20;
/** Most bytes that a chunk of lines can have, with the byte before them. */
export const largestChunk = 1 + 2 * chunk;
const newline = 0x0a;

/**
 * Visits every whole line of a file in order, from the line that begins at byte `from`, and returns how many bytes stand
 * after the last newline. A line longer than 1 MiB, which no entry is, comes in pieces. Rejects with the operating
 * system's error where it can't be read.
 */
export async function visitLines(path: string, visit: VisitLine, from = 0): Promise<number> {
  return await visitChunks(
    path,
    (buffer, filled) => {
      for (let start = 1; start < filled;) {
        const end = lineEnd(buffer, start, filled);
        visit(buffer, start, end);
        start = end + 1;
      }
    },
    from,
  );
}

/** Where the line that begins at `start` ends: at its newline, or where the chunk does. */
export function lineEnd(buffer: Buffer, start: number, filled: number): number {
  const end = buffer.indexOf(newline, start);
  return end >= 0 && end < filled ? end : filled;
}

/** The same, many lines at a time. */
export async function visitChunks(path: string, visit: VisitChunk, from = 0): Promise<number> {
  const file = await open(path, "r");
  try {
    // One byte of room before the first line, for the prefix of its leaf hash.
    const buffer = Buffer.allocUnsafe(largestChunk);
    let kept = 0;
    let position = from;
    for (;;) {
      const { bytesRead } = await file.read(buffer, 1 + kept, buffer.length - 1 - kept, position);
      position += bytesRead;
      if (bytesRead === 0) return kept;
      const filled = 1 + kept + bytesRead;
      const whole = buffer.lastIndexOf(newline, filled - 1) + 1;
      const end = filled - Math.max(1, whole) > chunk ? filled : Math.max(1, whole);
      if (end > 1) await visit(buffer, end);
      buffer.copyWithin(1, end, filled);
      kept = filled - end;
    }
  } finally {
    await file.close();
  }
}
