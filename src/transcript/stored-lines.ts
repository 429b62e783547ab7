// Every line of the segments in its order with its place in the tree, be it an entry's or what a purge left of one.

import { join } from "node:path";
import { listSegments, type TranscriptPaths } from "./files.ts";
import { visitLines } from "./lines.ts";
import { isPurgedLine, leafOfLine } from "./purged-lines.ts";

export interface StoredLine {
  readonly index: number;
  /** An entry's leaf hash alone stands there. */
  readonly purged: boolean;
  readonly leaf: () => Buffer;
  /** Its bytes are `buffer[start, end)`; nothing may be kept. */
  readonly buffer: Buffer;
  readonly start: number;
  readonly end: number;
}

/** Visits the first `until` lines. Rejects with the operating system's error. */
export async function visitStored(
  paths: Pick<TranscriptPaths, "segments">,
  until: number,
  visit: (line: StoredLine) => void,
): Promise<void> {
  let index = 0;
  for (const name of until > 0 ? (await listSegments(paths.segments)).names : []) {
    if (index >= until) return;
    await visitLines(join(paths.segments, name), (buffer, start, end) => {
      if (index >= until) return;
      const purged = isPurgedLine(buffer, start, end);
      visit({ index, purged, leaf: () => leafOfLine(buffer, start, end), buffer, start, end });
      index++;
    });
  }
}
