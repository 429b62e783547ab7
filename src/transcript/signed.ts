// The record as it was signed, read back whole: the holds in force, and how long it was silent. What is not what was signed is not believed.

import { join } from "node:path";
import { isMalformed, readEntry, type Entry } from "./entry.ts";
import { findTranscript, listSegments, type TranscriptPaths } from "./files.ts";
import { foldHolds, type Hold } from "./holds.ts";
import { visitLines } from "./lines.ts";
import { openScanner } from "./scan.ts";
import { foldPurged, isPurgedLine, leafOfLine } from "./purged-lines.ts";
import { growTree, type Head } from "./tree.ts";
import { unusable } from "./unusable.ts";

/** Milliseconds. A longer silence may be a clock that was set forward. */
export const longestSilence = 7 * 86_400_000;

/** From when until when, in milliseconds since 1970. */
export interface Silence {
  readonly from: number;
  readonly to: number;
}

export interface SignedRecord {
  /** In force, by name. */
  readonly holds: ReadonlyMap<string, Hold>;
  /** The newest silence that was too long, until now; null where there was none. */
  readonly silence: Silence | null;
}

/** What the writer's own clock says, and the time that it has seen pass itself, in milliseconds since 1970. */
export interface Clock {
  readonly now: number;
  readonly watched: Silence;
}

/** The last part of this time that is too long, and that the writer did not watch. */
function silenceBetween(from: number, to: number, { watched }: Clock): Silence | null {
  const parts = [
    { from, to: Math.min(to, Math.max(from, watched.from)) },
    { from: Math.max(from, Math.min(to, watched.to)), to },
  ];
  return parts.findLast((one) => one.to - one.from > longestSilence) ?? null;
}

/**
 * Reads the entries under a signed head, each of them, and believes them only if they give this head: what somebody
 * changed on the disk while the gateway runs ends no hold. Faults: transcript_unavailable where they do not.
 */
export async function readSigned(
  paths: Pick<TranscriptPaths, "segments">,
  head: Head,
  clock: Clock,
): Promise<SignedRecord> {
  const holds = foldHolds();
  const tree = growTree();
  const purged = foldPurged();
  let [latest, silence] = [0, null as Silence | null];
  await visitLeaves(paths, head.size, (buffer, start, end, entry) => {
    const index = tree.size();
    tree.grow(leafOfLine(buffer, start, end));
    if (isPurgedLine(buffer, start, end)) purged.line(index);
    if (entry === null) return;
    holds.take(entry, index);
    purged.take(entry, index);
    const at = Date.parse(entry.ts);
    if (latest > 0) silence = silenceBetween(latest, at, clock) ?? silence;
    latest = Math.max(latest, at);
  });
  if (tree.size() !== head.size || Buffer.compare(tree.root(), head.root) !== 0)
    throw unusable(
      `the first ${head.size} entries on the disk are not what was signed; run: sallyport transcript verify`,
    );
  const hidden = purged.unexplained(head.size);
  if (hidden !== null) throw unusable(`entry ${hidden} is gone, and no entry says that it was purged`);
  const last = latest === 0 ? null : silenceBetween(latest, clock.now, clock);
  return { holds: holds.inForce(), silence: last ?? silence };
}

/** The holds in force by what the files say, without a look at what was signed: verification tells of that. Faults: transcript_unavailable. */
export async function readHolds(folder: string): Promise<readonly Hold[]> {
  const holds = foldHolds();
  await visitEntries(await findTranscript(folder), Infinity, (entry, index) => void holds.take(entry, index));
  return [...holds.inForce().values()];
}

/** Hands out the first `size` entries in their order. */
export async function visitEntries(
  paths: Pick<TranscriptPaths, "segments">,
  size: number,
  visit: (entry: Entry, index: number) => void,
): Promise<void> {
  let index = 0;
  await visitLeaves(paths, size, (_buffer, _start, _end, entry) => {
    if (entry !== null) visit(entry, index);
    index++;
  });
}

async function visitLeaves(
  paths: Pick<TranscriptPaths, "segments">,
  size: number,
  visit: (buffer: Buffer, start: number, end: number, entry: Entry | null) => void,
): Promise<void> {
  const scan = openScanner();
  let index = 0;
  for (const name of (await listSegments(paths.segments)).names)
    await visitLines(join(paths.segments, name), (buffer, start, end) => {
      if (index++ >= size) return;
      const plain = scan(buffer, start, end);
      const read = plain ?? readEntry(buffer.toString("utf8", start, end));
      visit(buffer, start, end, isMalformed(read) ? null : read);
    });
}
