// What the record itself says of checkpoints that are kept elsewhere, read from its files alone.

import { join } from "node:path";
import { textAt } from "../domain/json.ts";
import { isMalformed, readEntry } from "./entry.ts";
import { findTranscript, listSegments } from "./files.ts";
import type { LastKept } from "./held.ts";
import { visitLines } from "./lines.ts";

export interface KeptElsewhere {
  /** Entries here, and those up to the last that is more than a receipt. */
  readonly size: number;
  readonly substance: number;
  /** The last receipt of each anchor, by its name. */
  readonly last: ReadonlyMap<string, LastKept>;
}

const word = Buffer.from('"kind":"checkpoint.anchored"');

/** Faults: transcript_unavailable where there is no transcript; rejects with the operating system's error. */
export async function readKeptElsewhere(folder: string): Promise<KeptElsewhere> {
  const paths = await findTranscript(folder);
  const last = new Map<string, LastKept>();
  let [size, substance] = [0, 0];
  for (const name of (await listSegments(paths.segments)).names)
    await visitLines(join(paths.segments, name), (buffer, start, end) => {
      size++;
      const line = buffer.subarray(start, end);
      const entry = line.includes(word) ? readEntry(line.toString("utf8")) : null;
      if (entry === null || isMalformed(entry) || entry.kind !== "checkpoint.anchored") {
        substance = size;
        return;
      }
      const { details } = entry;
      const said = (key: string): string => textAt(details, key);
      const kept = { size: Number(details["size"] ?? 0), root: said("root"), place: said("place") };
      last.set(said("anchor"), { ...kept, at: Date.parse(said("at")) });
    });
  return { size, substance, last };
}
