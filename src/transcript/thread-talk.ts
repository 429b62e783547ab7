// What `threads.ts` and its threads say to each other, and the memory that they share.

import { largestBlock, mostLines, type Block } from "./blocks.ts";
import { rowLength } from "./rows.ts";

/** Blocks that a thread may be ahead by; each has a place of its own in the memory that it shares: 24 MiB a thread. */
export const mostAhead = 8;

const [rowBytes, leafBytes] = [4 * mostLines * rowLength, 32 * mostLines];
const placeBytes = rowBytes + leafBytes + 4 * Math.ceil(largestBlock / 4);

/** Where the blocks of one thread lie. */
export function makeRoom(): SharedArrayBuffer {
  return new SharedArrayBuffer(mostAhead * placeBytes);
}

/** The rows, leaves and lines of the block at a place, from 0 to `mostAhead`. */
export function placeIn(room: SharedArrayBuffer, place: number): Pick<Block, "bytes" | "rows" | "leaves"> {
  const at = place * placeBytes;
  return {
    rows: new Int32Array(room, at, rowBytes / 4),
    leaves: Buffer.from(room, at + rowBytes, leafBytes),
    bytes: Buffer.from(room, at + rowBytes + leafBytes, largestBlock),
  };
}

export interface ThreadTask {
  readonly files: readonly string[];
  /** Shared by all: see `nextFile` and `takenBlocks`. */
  readonly counters: Int32Array<SharedArrayBuffer>;
  /** Shared with one thread. */
  readonly room: SharedArrayBuffer;
  /** Which of the threads this is, from 0. */
  readonly number: number;
}

/** Counts the files that were taken to be read. */
export const nextFile = 0;

/** Counts the blocks of a thread that were judged: their places are free. */
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
      readonly place: number;
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
