// Reads a transcript back before it is written to again: its entries, its key, and whether they are what was signed.

import { dirname } from "node:path";
import type { BodyRef } from "../domain/entry.ts";
import { textAt } from "../domain/json.ts";
import { openCheckpoints, readCheckpoints, type Checkpoints } from "./checkpoints.ts";
import { diskCause, type Disk } from "./disk.ts";
import { isMalformed, readEntry } from "./entry.ts";
import { readText, type TranscriptPaths } from "./files.ts";
import {
  nothingSummed,
  openStandingKeeper,
  readStanding,
  type KeepingPlace,
  type StandingKeeper,
  type Summed,
} from "./kept-standing.ts";
import { keepKey, makeKey, readKey, readRetired } from "./key.ts";
import type { Signer } from "./note.ts";
import { foldPurged, isPurgedLine, leafOfLine, purgedEntriesIn, type PurgedEntries } from "./purged-lines.ts";
import { foldEntry, foldPurgedLine, latestTime, type Standing } from "./standing.ts";
import { readSegments, type SegmentsFound, type TakeLine } from "./stores/index.ts";
import { growTree, type Head, type Tree } from "./tree.ts";
import { unusable } from "./unusable.ts";

export interface Reopened {
  readonly signer: Signer;
  readonly checkpoints: Checkpoints;
  readonly tree: Tree;
  readonly standing: Standing;
  /** What keeps what the full segments come to, for the next start. */
  readonly keeper: StandingKeeper;
  readonly found: SegmentsFound;
  /** The latest time of an entry under the newest checkpoint, in milliseconds since 1970; 0 before the first. */
  readonly signedAt: number;
  /** The bodies that entries refer to which no checkpoint covers yet. */
  readonly unsignedBodies: readonly Pick<BodyRef, "commit" | "key">[];
  /** What the last purge of entries named, where it was read just now: a crash may have cut it short. */
  readonly erased: PurgedEntries | null;
}

export interface ReopenOptions {
  readonly disk: Disk;
  readonly paths: TranscriptPaths;
  readonly keyPath: string;
  readonly now: () => number;
  readonly random: (count: number) => Uint8Array;
  /** The program's. */
  readonly version: string;
  /** Bytes of a full segment, where it is not the usual number. */
  readonly segmentSize: number | undefined;
  /** Told in a sentence for the operator why more has to be read than usual. */
  readonly say: (sentence: string) => void;
}

/** Faults: transcript_unavailable when the transcript is not what was signed, or its key is gone. */
export async function reopen(options: ReopenOptions): Promise<Reopened> {
  const signer = await readKey(options.keyPath);
  return signer === null ? await begin(options) : await goOn(options, signer);
}

/** A first transcript: the key is kept last, so that a key which is there has always signed a checkpoint. */
async function begin(options: ReopenOptions): Promise<Reopened> {
  const { disk, paths, keyPath, now, random } = options;
  const found = await readSegments(paths.segments, () => ({ torn: false, problem: "stands there without a key" }));
  const note = await readText(paths.checkpoint);
  if (found.torn > 0 || (note !== null && note.split("\n")[1] !== "0"))
    throw unusable("keys/transcript.key is missing, and this transcript was signed with it: put it back");
  const signer = makeKey(now(), random);
  const { standing, ...nothing } = nothingSummed();
  const tree = growTree();
  const checkpoints = await openCheckpoints(disk, paths, signer, { note: null, log: { length: 0, last: null } });
  await checkpoints.publish({ size: 0, root: tree.root() });
  await keepKey(disk, keyPath, signer);
  const keeper = openStandingKeeper(disk, { ...options, signer }, nothing, options.segmentSize);
  return { signer, checkpoints, tree, standing, keeper, found, signedAt: 0, unsignedBodies: [], erased: null };
}

async function goOn(options: ReopenOptions, signer: Signer): Promise<Reopened> {
  const { disk, paths, keyPath } = options;
  const retired = await readRetired(dirname(dirname(keyPath)));
  const files = await readCheckpoints(paths, signer, retired);
  const checkpoints = await openCheckpoints(disk, paths, signer, files, retired);
  const signed = checkpoints.latest();
  if (signed === null)
    throw unusable("keys/transcript.key has signed a transcript that is not here: put it back, or move the key away");
  const place: KeepingPlace = { ...options, signer };
  const read =
    (await readOnFromKept(options, place, signed)) ?? (await readOn(options, place, signed, nothingSummed()));
  return { signer, checkpoints, ...read };
}

type Read = Omit<Reopened, "signer" | "checkpoints">;

/** Reads behind what was kept; null where there is nothing of that, or where the entries and the signed head do not bear it out. */
async function readOnFromKept(options: ReopenOptions, place: KeepingPlace, signed: Head): Promise<Read | null> {
  const all = (why: string): null => {
    options.say(`transcript/standing ${why}: all entries are read instead`);
    return null;
  };
  const kept = await readStanding(place);
  if (kept.kind === "none") return null;
  if (kept.kind === "refused") return all(kept.why);
  if (kept.summed.size > signed.size) return all(`counts ${kept.summed.size} entries, and ${signed.size} are signed`);
  const [read] = await Promise.allSettled([readOn(options, place, signed, kept.summed)]);
  // Reading them all comes to what is really the matter, and to nothing where only what was kept is wrong.
  return read.status === "fulfilled" ? read.value : all(`does not fit (${diskCause(read.reason)})`);
}

async function readOn(options: ReopenOptions, place: KeepingPlace, signed: Head, from: Summed): Promise<Read> {
  const { disk, paths, segmentSize } = options;
  const { standing } = from;
  const tree = growTree(from);
  const keeper = openStandingKeeper(disk, place, from, segmentSize);
  let then: { readonly root: Uint8Array; readonly at: number } | null = null;
  const noteHead = (): void => {
    if (tree.size() === signed.size) then = { root: tree.root(), at: latestTime(standing) };
  };
  noteHead();
  const purged = foldPurged();
  let erased: PurgedEntries | null = null;
  const unsignedBodies: Pick<BodyRef, "commit" | "key">[] = [];
  const take: TakeLine = (buffer, start, end) => {
    if (isPurgedLine(buffer, start, end)) {
      purged.line(tree.size());
      tree.grow(leafOfLine(buffer, start, end));
      foldPurgedLine(standing);
      noteHead();
      return null;
    }
    const entry = readEntry(buffer.toString("utf8", start, end));
    if (isMalformed(entry)) return entry;
    const leaf = leafOfLine(buffer, start, end);
    purged.take(entry, tree.size());
    erased = purgedEntriesIn(entry) ?? erased;
    tree.grow(leaf);
    foldEntry(standing, entry, leaf.toString("hex"));
    noteHead();
    const [commit, key] = [textAt(entry.details, "body", "commit"), textAt(entry.details, "body", "key")];
    if (commit !== "" && tree.size() > signed.size) unsignedBodies.push({ commit, key });
    return null;
  };
  const found = await readSegments(paths.segments, take, from.segments, (number, count) => {
    if (number === count - 1) keeper.turned(number, tree, standing);
  });
  const signedAt = asSigned(signed, then, tree.size());
  // A line that somebody put in an entry's place would hide a call that has not ended, or a grant that still lives.
  const hidden = purged.unexplained(signed.size);
  if (hidden !== null) throw unusable(`entry ${hidden} is gone, and no signed entry says that it was purged`);
  return { tree, standing, keeper, found, signedAt, unsignedBodies, erased };
}

/** The time of the signed head. Faults: transcript_unavailable when the entries do not give this head. */
function asSigned(signed: Head, then: { readonly root: Uint8Array; readonly at: number } | null, size: number): number {
  if (then === null) throw unusable(`the transcript was cut: ${signed.size} entries were signed, ${size} are here`);
  if (Buffer.compare(then.root, signed.root) !== 0)
    throw unusable(`an entry among the first ${signed.size} is not what was signed; run: sallyport transcript verify`);
  return then.at;
}
