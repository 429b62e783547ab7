// What was purged of the record by its own entries: what readers have to say of it.

import { join } from "node:path";
import { textAt } from "../domain/json.ts";
import { isMalformed, readEntry } from "./entry.ts";
import { findTranscript, listSegments } from "./files.ts";
import { visitLines } from "./lines.ts";
import { isWithin, purgedEntriesIn, type Range } from "./purged-lines.ts";

export interface PurgedPast {
  readonly entries: number;
  /** They were of days before this one. */
  readonly before: string;
  /** The newest entry that says so of any. */
  readonly told: number;
  has(index: number): boolean;
}

const word = Buffer.from('"kind":"retention.purged"');

/** null where none was. Faults: transcript_unavailable where there is no transcript; rejects with the operating system's error. */
export async function readPurgedPast(folder: string): Promise<PurgedPast | null> {
  const paths = await findTranscript(folder);
  const ranges: (readonly Range[])[] = [];
  let [index, entries, before, told] = [0, 0, "", -1];
  for (const name of (await listSegments(paths.segments)).names)
    await visitLines(join(paths.segments, name), (buffer, start, end) => {
      const here = index++;
      const line = buffer.subarray(start, end);
      const entry = line.includes(word) ? readEntry(line.toString("utf8")) : null;
      const said = entry === null || isMalformed(entry) ? null : purgedEntriesIn(entry);
      if (entry === null || isMalformed(entry) || said === null) return;
      const until = textAt(entry.details, "before");
      if (until > before) before = until;
      entries += said.count;
      told = here;
      ranges.push(said.ranges);
    });
  if (entries === 0) return null;
  return { entries, before, told, has: (asked) => ranges.some((one) => isWithin(one, asked)) };
}
