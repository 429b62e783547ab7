// Lines read together, with what their bytes alone tell: their leaf hashes, the fields of those that are plain, what is wrong with the form of the others. The half of verification that needs no other line.

import { largestChunk, lineEnd, visitChunks } from "./lines.ts";
import { isPurgedLine } from "./purged-lines.ts";
import { openFinder, rowLength } from "./rows.ts";
import { readThoroughly } from "./thorough.ts";
import { leafTextOfPrefixed } from "./tree.ts";

/** Most lines of one block: bounds it, however short they are. */
export const mostLines = 4096;
/** Most bytes of one. */
export const largestBlock = largestChunk;

/** What the finder could not tell. */
const unknown = -1;
/** A leaf hash in the place of an entry. */
const purged = -2;

export interface Block {
  /** The lines, and the byte that stands before the first of them. Nothing of it may be kept. */
  readonly bytes: Buffer;
  readonly count: number;
  /** A row for each line, of places in `bytes`; in the place of a kind may stand `unknown` or `purged`. */
  readonly rows: Int32Array;
  /** The leaf hash of each line, 32 bytes. */
  readonly leaves: Buffer;
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

export type VisitBlock = (block: Block) => void | Promise<void>;

/**
 * Visits the lines of a file in blocks, in their order, and returns how many bytes stand after the last newline. Rejects
 * with the operating system's error where it can't be read.
 */
export async function visitBlocks(path: string, visit: VisitBlock): Promise<number> {
  const measure = openMeasure();
  return await visitChunks(path, async (buffer, filled) => {
    for (let from = 1; from < filled;) {
      const { block, end } = measure(buffer, from, filled);
      await visit(block);
      from = end;
    }
  });
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
  for (const [file, path] of files.entries())
    visit.end(file, await visitBlocks(path, (block) => visit.block(block, file)));
};

/** Measures lines from one on, until there are enough of them; each time into the same block. */
function openMeasure(): (buffer: Buffer, from: number, filled: number) => { block: Block; end: number } {
  const finder = openFinder();
  const rows = new Int32Array(mostLines * rowLength);
  const leaves = Buffer.allocUnsafe(mostLines * 32);

  /** Fills the row of a line, and says what is wrong with its form. */
  function measureLine(bytes: Buffer, start: number, end: number, row: number): readonly string[] {
    if (finder.find(bytes, start, end, rows, row)) return none;
    rows[row] = start;
    rows[row + 1] = end;
    rows[row + 2] = isPurgedLine(bytes, start, end) ? purged : unknown;
    return rows[row + 2] === purged ? none : readThoroughly(bytes.subarray(start, end)).problems;
  }

  function keepLeaf(bytes: Buffer, start: number, end: number, line: number): void {
    if (rows[line * rowLength + 2] === purged) leaves.write(bytes.toString("latin1", start, end), line * 32, "hex");
    else {
      bytes[start - 1] = 0;
      leaves.write(leafTextOfPrefixed(bytes.subarray(start - 1, end)), line * 32, "latin1");
    }
  }

  return (buffer, from, filled) => {
    // So that places in the block are places in the buffer.
    const bytes = buffer.subarray(from - 1, filled);
    const problems = new Map<number, readonly string[]>();
    let count = 0;
    let start = 1;
    while (start < bytes.length && count < mostLines) {
      const end = lineEnd(bytes, start, bytes.length);
      const wrong = measureLine(bytes, start, end, count * rowLength);
      if (wrong.length > 0) problems.set(count, wrong);
      keepLeaf(bytes, start, end, count);
      count++;
      start = end + 1;
    }
    return { block: { bytes: bytes.subarray(0, start), count, rows, leaves, problems }, end: from - 1 + start };
  };
}
