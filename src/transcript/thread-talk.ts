// What `threads.ts` and its threads say to each other, and the memory that they share.

import { mostLines, type BlockRoom } from "./blocks.ts";
import { largestChunk } from "./lines.ts";
import { rowLength } from "./rows.ts";

/** Blocks that a thread may be ahead by; each has a room of its own in the memory that it shares: 24 MiB a thread. */
export const mostAhead = 8;

const [rowBytes, leafBytes] = [4 * mostLines * rowLength, 32 * mostLines];
const roomBytes = rowBytes + leafBytes + 4 * Math.ceil(largestChunk / 4);

/** Memory for the blocks of one thread. */
export function makeMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(mostAhead * roomBytes);
}

/** The rooms in it: `mostAhead` of them. */
export function roomsIn(memory: SharedArrayBuffer): readonly BlockRoom[] {
  return Array.from({ length: mostAhead }, (_, room) => {
    const at = room * roomBytes;
    return {
      rows: new Int32Array(memory, at, rowBytes / 4),
      leaves: Buffer.from(memory, at + rowBytes, leafBytes),
      bytes: Buffer.from(memory, at + rowBytes + leafBytes, largestChunk),
    };
  });
}

export interface ThreadTask {
  readonly files: readonly string[];
  /** Shared by all: see `nextFile` and `takenBlocks`. */
  readonly counters: Int32Array<SharedArrayBuffer>;
  /** Shared with one thread. */
  readonly memory: SharedArrayBuffer;
  /** Which of the threads this is, from 0. */
  readonly number: number;
}

/** Counts the files that were taken to be read. */
export const nextFile = 0;

/** Counts the blocks of a thread that were judged: their rooms are free. */
export function takenBlocks(thread: number): number {
  return 1 + thread;
}

/** A part of a file: a block, or its end. `first` and `lines` show that nothing is left out. */
export type FileMessage =
  | {
      readonly kind: "block";
      readonly file: number;
      /** Lines of the file before this block. */
      readonly first: number;
      readonly count: number;
      /** Which of the thread's rooms it lies in, from 0. */
      readonly room: number;
      readonly problems: ReadonlyMap<number, readonly string[]>;
    }
  | {
      readonly kind: "end";
      readonly file: number;
      /** All lines of the file, and the bytes after its last newline. */
      readonly lines: number;
      readonly rest: number;
    };

/** `done`: no file is left for this thread, and all that it took is sent. */
export type FromThread = FileMessage | { readonly kind: "done" };
