// Purges entries that are past their term: in each one's place its leaf hash stays. On record before it happens, finished by the next start where a crash came between.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Append } from "../domain/entry.ts";
import type { PrincipalFields } from "../domain/principal.ts";
import { readKeys } from "./bodies.ts";
import type { Disk } from "./disk.ts";
import { chooseDue } from "./due-entries.ts";
import { isMalformed, readEntry } from "./entry.ts";
import { listSegments, segmentName, type TranscriptPaths } from "./files.ts";
import type { Hold } from "./holds.ts";
import { addIndex, countIn, isPurgedLine, isWithin, leafOfLine, leavesDigest, type Range } from "./purged-lines.ts";
import { visitStored } from "./stored-lines.ts";
import { unusable } from "./unusable.ts";

export interface EnvelopeParts {
  readonly append: Append;
  readonly paths: Pick<TranscriptPaths, "segments" | "bodies">;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** The next entry begins a segment: those before it grow no more. */
  readonly turn: () => void;
  /** Puts leaf hashes in the place of these entries, once a signed head covers the entry that names them. */
  readonly erase: (erased: Erased) => Promise<void>;
}

/** What a purge's entry says is gone. */
export interface Erased {
  readonly ranges: readonly Range[];
  /** SHA-256 over the leaf hashes, hex. */
  readonly digest: string;
}

export interface PurgedEnvelopes {
  readonly entries: number;
  /** Holds in force that kept entries which are past their term. */
  readonly held: readonly string[];
}

/** Of one entry: it stays far below its largest size. */
const mostRanges = 1000;
const day = 86_400_000;
const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10);

/**
 * Purges what is older than `days`, from a record that was just read and is what was signed; `holds` are those in force.
 * Each keeps all that was written from its own `since` on, and without one everything: of what is gone nobody could
 * find out afterwards whether a hold had covered it. Faults: transcript_unavailable; rejects with the disk's error.
 */
export async function purgeEnvelopes(
  { days, why, by }: { readonly days: number; readonly why: string; readonly by: PrincipalFields | null },
  holds: Iterable<Hold>,
  size: number,
  parts: EnvelopeParts,
): Promise<PurgedEnvelopes> {
  const { append, paths, now, turn, erase } = parts;
  const due = dayOf(now() - days * day);
  const keeping = [...holds].map(({ name, covers }) => ({ name, from: dayOf(covers.since ?? 0) }));
  const before = keeping.reduce((least, { from }) => (from < least ? from : least), due);
  const [free, all] = [await dueIn(paths, size, before), before === due ? null : await dueIn(paths, size, due)];
  const held = all !== null && countIn(all) > countIn(free) ? keeping.filter((one) => one.from < due) : [];
  if (free.length > 0) turn();
  for (let from = 0; from < free.length; from += mostRanges) {
    const ranges = free.slice(from, from + mostRanges);
    const erased = { ranges, digest: await digestOf(paths, ranges) };
    const entries = { ranges: ranges.map(([first, last]) => [first, last] as const), count: countIn(ranges), days };
    const details = { keys: [], classes: ["envelopes"], before, session: "", why, due: true };
    const about = { kind: "retention.purged", session: null, call: null, principal: by } as const;
    await append([{ ...about, details: { ...details, entries: { ...entries, digest: erased.digest } } }]);
    await erase(erased);
  }
  return { entries: countIn(free), held: held.map(({ name }) => name) };
}

/** Entries of days before this one that nothing needs any more. */
async function dueIn(
  paths: Pick<TranscriptPaths, "segments" | "bodies">,
  size: number,
  before: string,
): Promise<readonly Range[]> {
  const keys = new Set((await readKeys(paths.bodies)).map(({ key }) => key));
  const choice = chooseDue(before, keys);
  await visitStored(paths, size, ({ index, purged, buffer, start, end }) => {
    if (purged) return;
    const entry = readEntry(buffer.toString("utf8", start, end));
    if (!isMalformed(entry)) choice.take(entry, index);
  });
  return choice.due();
}

async function digestOf(paths: Pick<TranscriptPaths, "segments">, ranges: readonly Range[]): Promise<string> {
  const digest = leavesDigest();
  const last = ranges.at(-1)?.[1] ?? -1;
  await visitStored(paths, last + 1, ({ index, leaf }) => {
    if (isWithin(ranges, index)) digest.add(leaf());
  });
  return digest.hex();
}

/**
 * Puts leaf hashes in the place of entries, a segment at a time, each all or nothing; once more for what is purged
 * already changes nothing. Returns the new lengths of the segments that it wrote, by number. The caller is the only
 * writer; segment `current` is the one that it writes to. `sign` signs the head: whoever finds the lines gone finds the
 * entry that says so under it. Faults: transcript_unavailable where other entries stand there, and then
 * none is erased; rejects with the disk's error.
 */
export async function eraseEntries(
  disk: Disk,
  paths: Pick<TranscriptPaths, "segments">,
  { ranges, digest }: Erased,
  { current, sign }: { readonly current: number; readonly sign: () => Promise<void> },
): Promise<ReadonlyMap<number, number>> {
  const lengths = new Map<number, number>();
  const whole = await isErased(paths, ranges);
  if (whole) return lengths;
  if ((await digestOf(paths, ranges)) !== digest)
    throw unusable("the entries that a purge names are not those that stand there; run: sallyport transcript verify");
  await sign();
  let index = 0;
  const { names } = await listSegments(paths.segments);
  for (const number of names.keys()) {
    if (index > (ranges.at(-1)?.[1] ?? -1)) break;
    const path = join(paths.segments, segmentName(number));
    const bytes = Buffer.concat([Buffer.of(0), await readFile(path)]);
    const erased = withoutEntries(bytes, index, ranges);
    index += erased.lines;
    if (erased.bytes === null) continue;
    if (number >= current)
      throw unusable(`a purge names entries of segments/${segmentName(number)}, which still grows`);
    await disk.replace(path, erased.bytes);
    lengths.set(number, erased.bytes.length);
  }
  return lengths;
}

async function isErased(paths: Pick<TranscriptPaths, "segments">, ranges: readonly Range[]): Promise<boolean> {
  let erased = true;
  await visitStored(paths, (ranges.at(-1)?.[1] ?? -1) + 1, ({ index, purged }) => {
    if (!purged && isWithin(ranges, index)) erased = false;
  });
  return erased;
}

/** A segment's lines, behind one byte of room: `bytes` is null where none of them changes. */
function withoutEntries(
  lines: Buffer,
  first: number,
  ranges: readonly Range[],
): { readonly lines: number; readonly bytes: Buffer | null } {
  const parts: Uint8Array[] = [];
  const gone: (readonly [number, number])[] = [];
  let index = first;
  for (let [start, end] = [1, lines.indexOf(0x0a, 1)]; end >= 0; end = lines.indexOf(0x0a, start)) {
    const erase = isWithin(ranges, index) && !isPurgedLine(lines, start, end);
    if (erase) addIndex(gone, index);
    // The byte before a line may be overwritten, which is the newline of the one before: so that one is written anew.
    parts.push(
      erase ? Buffer.from(leafOfLine(lines, start, end).toString("hex")) : Buffer.from(lines.subarray(start, end)),
      Buffer.of(0x0a),
    );
    index++;
    start = end + 1;
  }
  return { lines: index - first, bytes: gone.length === 0 ? null : Buffer.concat(parts) };
}
