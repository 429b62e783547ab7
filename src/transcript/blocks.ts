// Lines read together, with what their bytes alone tell: their leaf hashes, the fields of those that are plain, what is wrong with the form of the others. The half of verification that needs no other line.

import { largestChunk, lineEnd, newline, visitChunks } from "./lines.ts";
import { isPurgedLine } from "./purged-lines.ts";
import { openFinder, rowLength, type Finder } from "./rows.ts";
import { readThoroughly } from "./thorough.ts";
import { leafTextOfPrefixed } from "./tree.ts";

/** Most lines of one block: bounds it, however short they are. */
export const mostLines = 4096;
/** What the finder could not tell. */
const unknown = -1;
/** A leaf hash in the place of an entry. */
const purged = -2;

/** Where the parts of a block lie: nothing of them may be kept, as the next block may come to lie there too. */
export interface BlockRoom {
  /** The lines, behind a byte before the first of them: `largestChunk` bytes. */
  readonly bytes: Buffer;
  /** A row for each line, of places in `bytes`; in the place of a kind may stand `unknown` or `purged`. */
  readonly rows: Int32Array;
  /** The leaf hash of each line, 32 bytes. */
  readonly leaves: Buffer;
}

export interface Block extends BlockRoom {
  readonly count: number;
  /** What is wrong with the form of lines, by their numbers in the block, from 0. */
  readonly problems: ReadonlyMap<number, readonly string[]>;
}

/** The leaf hash of a line: a view, which goes when the block goes. */
export function leafIn({ leaves }: Block, line: number): Buffer {
  return leaves.subarray(line * 32, line * 32 + 32);
}

export function isPurgedIn({ rows }: Block, line: number): boolean {
  return rows[line * rowLength + 2] === purged;
}

const none: readonly string[] = [];

/** What is wrong with the form of a line. */
export function problemsIn({ problems }: Block, line: number): readonly string[] {
  return problems.size === 0 ? none : (problems.get(line) ?? none);
}

export type VisitBlock = (block: Block) => void;

/**
 * Visits the lines of a file in blocks, in their order, and returns how many bytes stand after the last newline. Rejects
 * with the operating system's error where it can't be read.
 */
export type VisitBlocks = (path: string, visit: VisitBlock) => Promise<number>;

/** A visitor for one file after the other: each block lies in the next room. */
export function openBlocks(nextRoom: () => BlockRoom): VisitBlocks {
  const finder = openFinder();
  return async (path, visit) =>
    await visitChunks(path, nextRoom, (room, filled) => {
      const { block, end } = measure(finder, room, filled);
      visit(block);
      return end;
    });
}

/** One room for all blocks, one after the other. */
export function oneRoom(): () => BlockRoom {
  const room: BlockRoom = {
    bytes: Buffer.allocUnsafe(largestChunk),
    rows: new Int32Array(mostLines * rowLength),
    leaves: Buffer.allocUnsafe(mostLines * 32),
  };
  return () => room;
}

export interface FilesVisit {
  block(block: Block, file: number): void;
  /** The file has come to its end; so many bytes stand after its last newline. */
  end(file: number, rest: number): void;
}

/** Visits the blocks of files, one file after the other. Rejects with the operating system's error where one can't be read. */
export type VisitFiles = (files: readonly string[], visit: FilesVisit) => Promise<void>;

/** The same, by this thread alone. */
export const visitFiles: VisitFiles = async (files, visit) => {
  const visitBlocks = openBlocks(oneRoom());
  for (const [file, path] of files.entries())
    visit.end(file, await visitBlocks(path, (block) => visit.block(block, file)));
};

/** Measures lines in a room, from the first on until there are enough of them; the byte behind them is at `end`. */
function measure(finder: Finder, room: BlockRoom, filled: number): { readonly block: Block; readonly end: number } {
  const { bytes, rows } = room;
  const problems = new Map<number, readonly string[]>();
  let [start, count, before] = [1, 0, -1];
  for (; start < filled && count < mostLines; count++) {
    const row = count * rowLength;
    let end = finder.find(bytes, start, rows, row, before);
    if (end >= 0 && end < filled && bytes[end] === newline) before = row;
    else {
      end = lineEnd(bytes, start, filled);
      const wrong = measureThoroughly(room, start, end, row);
      if (wrong.length > 0) problems.set(count, wrong);
    }
    keepLeaf(room, start, end, count);
    start = end + 1;
  }
  return { block: { ...room, count, problems }, end: Math.min(start, filled) };
}

/** Fills the row of a line that the finder can't tell of, and says what is wrong with its form. */
function measureThoroughly({ bytes, rows }: BlockRoom, start: number, end: number, row: number): readonly string[] {
  rows[row] = start;
  rows[row + 1] = end;
  rows[row + 2] = isPurgedLine(bytes, start, end) ? purged : unknown;
  return rows[row + 2] === purged ? none : readThoroughly(bytes.subarray(start, end)).problems;
}

function keepLeaf({ bytes, rows, leaves }: BlockRoom, start: number, end: number, line: number): void {
  if (rows[line * rowLength + 2] === purged) leaves.write(bytes.toString("latin1", start, end), line * 32, "hex");
  else {
    bytes[start - 1] = 0;
    leaves.write(leafTextOfPrefixed(bytes.subarray(start - 1, end)), line * 32, "latin1");
  }
}
