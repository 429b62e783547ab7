// Reads a file of lines in chunks and hands out each line where it lies, so that a large transcript costs little memory.

import { open } from "node:fs/promises";

/** A line's bytes are `buffer[start, end)`. The byte before them is free to be overwritten; nothing may be kept. */
export type VisitLine = (buffer: Buffer, start: number, end: number) => void;

const chunk = 1 << 20;

/**
 * Visits every whole line of a file in order, from the line that begins at byte `from`, and returns how many bytes stand
 * after the last newline. A line longer than 1 MiB, which no entry is, comes in pieces. Rejects with the operating
 * system's error where it can't be read.
 */
export async function visitLines(path: string, visit: VisitLine, from = 0): Promise<number> {
  const file = await open(path, "r");
  try {
    // One byte of room before the first line, for the prefix of its leaf hash.
    const buffer = Buffer.allocUnsafe(1 + 2 * chunk);
    let kept = 0;
    let position = from;
    for (;;) {
      const { bytesRead } = await file.read(buffer, 1 + kept, buffer.length - 1 - kept, position);
      position += bytesRead;
      if (bytesRead === 0) return kept;
      const filled = 1 + kept + bytesRead;
      let start = 1;
      for (let end = nextEnd(buffer, start, filled); end >= 0; end = nextEnd(buffer, start, filled)) {
        visit(buffer, start, end);
        start = end + 1;
      }
      if (filled - start > chunk) {
        visit(buffer, start, filled);
        start = filled;
      }
      buffer.copyWithin(1, start, filled);
      kept = filled - start;
    }
  } finally {
    await file.close();
  }
}

function nextEnd(buffer: Buffer, start: number, filled: number): number {
  const end = buffer.indexOf(0x0a, start);
  return end < filled ? end : -1;
}
