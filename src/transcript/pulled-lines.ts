// Reads a file of lines one by one as they are asked for, so that two files can be read side by side and a large one costs little memory.

import { open } from "node:fs/promises";

/** The line's bytes are `buffer[start, end)`, good until the next is asked for; the byte before them is free to be overwritten. */
export interface PulledLine {
  readonly buffer: Buffer;
  readonly start: number;
  readonly end: number;
}

export interface PulledLines {
  /** The next whole line, or null behind the last. A line longer than 1 MiB ends the reading as a file's end does: see `rest`. */
  next(): Promise<PulledLine | null>;
  /** Bytes that were not handed out: what stands behind the last newline, or from a line on that is too long. */
  rest(): number;
  close(): Promise<void>;
}

const longest = 1 << 20;

/** Opens a file. Rejects with the operating system's error where it can't be read. */
export async function pullLines(path: string): Promise<PulledLines> {
  const file = await open(path, "r");
  const { size } = await file.stat();
  // One byte of room before the first line, for the prefix of its leaf hash.
  const buffer = Buffer.allocUnsafe(1 + Math.min(2 * longest, size + 1));
  let [start, filled, position, taken] = [1, 1, 0, 0];
  let ended = false;

  async function more(): Promise<boolean> {
    buffer.copyWithin(1, start, filled);
    filled -= start - 1;
    start = 1;
    const { bytesRead } = await file.read(buffer, filled, buffer.length - filled, position);
    position += bytesRead;
    filled += bytesRead;
    return bytesRead > 0;
  }
  return {
    async next() {
      for (let from = start; !ended;) {
        const end = buffer.subarray(0, filled).indexOf(0x0a, from);
        if (end >= 0) {
          const line = { buffer, start, end };
          taken += end - start + 1;
          start = end + 1;
          return line;
        }
        const length = filled - start;
        ended = length > longest || !(await more());
        from = start + length;
      }
      return null;
    },
    rest: () => size - taken,
    close: () => file.close(),
  };
}
