// What a review covers: the entries that answer a query, counted in a tree whose size and root are told.

import { join } from "node:path";
import { isMalformed, readEntry } from "./entry.ts";
import { findTranscript, listSegments } from "./files.ts";
import { visitLines } from "./lines.ts";
import { isPurgedLine, leafOfLine } from "./purged-lines.ts";
import { answers, searchableOf, type Query } from "./searchable.ts";
import { growTree } from "./tree.ts";

export interface Scope {
  /** How many entries answer the query. */
  readonly entries: number;
  /** Entries of the tree that was read, and the root over them, hex. */
  readonly size: number;
  readonly root: string;
}

/**
 * Reads every segment once: what is counted and what is hashed are the same bytes, whatever a gateway writes meanwhile.
 * Faults: transcript_unavailable where there is no transcript; rejects with the operating system's error where it can't be read.
 */
export async function readScope(folder: string, query: Query): Promise<Scope> {
  const paths = await findTranscript(folder);
  const { names } = await listSegments(paths.segments);
  const tree = growTree();
  let entries = 0;
  for (const name of names)
    await visitLines(join(paths.segments, name), (buffer, start, end) => {
      if (!isPurgedLine(buffer, start, end)) {
        const entry = readEntry(buffer.toString("utf8", start, end));
        if (!isMalformed(entry) && answers(query, searchableOf(entry))) entries++;
      }
      tree.grow(leafOfLine(buffer, start, end));
    });
  return { entries, size: tree.size(), root: tree.root().toString("hex") };
}
