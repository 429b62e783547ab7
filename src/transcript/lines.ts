// Reads a file of lines in chunks and hands out each line where it lies, so that a large transcript costs little memory.

import { open } from "node:fs/promises";

/** A line's bytes are `buffer[start, end)`. The byte before them is free to be overwritten; nothing may be kept. */
export type VisitLine = (buffer: Buffer, start: number, end: number) => void;

/** Where a chunk of lines may lie: `largestChunk` bytes. */
export interface ChunkRoom {
  readonly bytes: Buffer;
}

/**
 * Lines that were read together: those in `bytes[1, end)`, each with its newline behind it. Where the last byte is none,
 * the last line is a piece of one that is longer than 1 MiB. Returns where it is done with them, which is behind a line:
 * those that are left come again in the next room.
 */
export type VisitChunk<Room> = (room: Room, end: number) => number | Promise<number>;

const chunk = 1 << 20;
/** Most bytes that a chunk of lines can have, with the byte before them. */
export const largestChunk = 1 + 2 * chunk;
export const newline = 0x0a;

/**
 * Visits every whole line of a file in order, from the line that begins at byte `from`, and returns how many bytes stand
 * after the last newline. A line longer than 1 MiB, which no entry is, comes in pieces. Rejects with the operating
 * system's error where it can't be read.
 */
export async function visitLines(path: string, visit: VisitLine, from = 0): Promise<number> {
  const room = { bytes: Buffer.allocUnsafe(largestChunk) };
  return await visitChunks(
    path,
    () => room,
    ({ bytes }, filled) => {
      for (let start = 1; start < filled;) {
        const end = lineEnd(bytes, start, filled);
        visit(bytes, start, end);
        start = end + 1;
      }
      return filled;
    },
    from,
  );
}

/** Where the line that begins at `start` ends: at its newline, or where the chunk does. */
export function lineEnd(buffer: Buffer, start: number, filled: number): number {
  const end = buffer.indexOf(newline, start);
  return end >= 0 && end < filled ? end : filled;
}

/** The same, many lines at a time. Each chunk is read into the next room, which nothing but this writes to meanwhile. */
export async function visitChunks<Room extends ChunkRoom>(
  path: string,
  nextRoom: () => Room,
  visit: VisitChunk<Room>,
  from = 0,
): Promise<number> {
  const file = await open(path, "r");
  try {
    let room = nextRoom();
    // One byte of room before the first line, for the prefix of its leaf hash.
    let filled = 1;
    for (let position = from; ;) {
      const { bytesRead } = await file.read(room.bytes, filled, largestChunk - filled, position);
      if (bytesRead === 0) return filled - 1;
      position += bytesRead;
      filled += bytesRead;
      const whole = Math.max(1, room.bytes.lastIndexOf(newline, filled - 1) + 1);
      let end = filled - whole > chunk ? filled : whole;
      while (end > 1) {
        const taken = await visit(room, end);
        const { bytes } = room;
        room = nextRoom();
        bytes.copy(room.bytes, 1, taken, filled);
        filled -= taken - 1;
        end -= taken - 1;
      }
    }
  } finally {
    await file.close();
  }
}
