// Reads a transcript back before it is written to again: its entries, its key, and whether they are what was signed.

import { dirname } from "node:path";
import type { BodyRef } from "../domain/entry.ts";
import { textAt } from "../domain/json.ts";
import { openCheckpoints, readCheckpoints, type Checkpoints } from "./checkpoints.ts";
import type { Disk } from "./disk.ts";
import { isMalformed, readEntry } from "./entry.ts";
import { readText, type TranscriptPaths } from "./files.ts";
import { keepKey, makeKey, readKey, readRetired } from "./key.ts";
import type { Signer } from "./note.ts";
import { emptyStanding, foldEntry, latestTime, type Standing } from "./standing.ts";
import { readSegments, type SegmentsFound } from "./stores/index.ts";
import { growTree, leafHashOfPrefixed, type Head, type Tree } from "./tree.ts";
import { unusable } from "./unusable.ts";

export interface Reopened {
  readonly signer: Signer;
  readonly checkpoints: Checkpoints;
  readonly tree: Tree;
  readonly standing: Standing;
  readonly found: SegmentsFound;
  /** The latest time of an entry under the newest checkpoint, in milliseconds since 1970; 0 before the first. */
  readonly signedAt: number;
  /** The bodies that entries refer to which no checkpoint covers yet. */
  readonly unsignedBodies: readonly Pick<BodyRef, "commit" | "key">[];
}

export interface ReopenOptions {
  readonly disk: Disk;
  readonly paths: TranscriptPaths;
  readonly keyPath: string;
  readonly now: () => number;
  readonly random: (count: number) => Uint8Array;
}

/** Faults: transcript_unavailable when the transcript is not what was signed, or its key is gone. */
export async function reopen(options: ReopenOptions): Promise<Reopened> {
  const signer = await readKey(options.keyPath);
  return signer === null ? await begin(options) : await goOn(options, signer);
}

/** A first transcript: the key is kept last, so that a key which is there has always signed a checkpoint. */
async function begin({ disk, paths, keyPath, now, random }: ReopenOptions): Promise<Reopened> {
  const found = await readSegments(paths.segments, () => ({ torn: false, problem: "stands there without a key" }));
  const note = await readText(paths.checkpoint);
  if (found.torn > 0 || (note !== null && note.split("\n")[1] !== "0"))
    throw unusable("keys/transcript.key is missing, and this transcript was signed with it: put it back");
  const signer = makeKey(now(), random);
  const tree = growTree();
  const checkpoints = await openCheckpoints(disk, paths, signer, { note: null, log: { length: 0, last: null } });
  await checkpoints.publish({ size: 0, root: tree.root() });
  await keepKey(disk, keyPath, signer);
  return { signer, checkpoints, tree, standing: emptyStanding(), found, signedAt: 0, unsignedBodies: [] };
}

async function goOn({ disk, paths, keyPath }: ReopenOptions, signer: Signer): Promise<Reopened> {
  const retired = await readRetired(dirname(dirname(keyPath)));
  const files = await readCheckpoints(paths, signer, retired);
  const checkpoints = await openCheckpoints(disk, paths, signer, files, retired);
  const signed = checkpoints.latest();
  if (signed === null)
    throw unusable("keys/transcript.key has signed a transcript that is not here: put it back, or move the key away");
  const tree = growTree();
  const standing = emptyStanding();
  let then: { readonly root: Uint8Array; readonly at: number } | null = null;
  const noteHead = (): void => {
    if (tree.size() === signed.size) then = { root: tree.root(), at: latestTime(standing) };
  };
  noteHead();
  const unsignedBodies: Pick<BodyRef, "commit" | "key">[] = [];
  const found = await readSegments(paths.segments, (buffer, start, end) => {
    const entry = readEntry(buffer.toString("utf8", start, end));
    if (isMalformed(entry)) return entry;
    buffer[start - 1] = 0;
    const leaf = leafHashOfPrefixed(buffer.subarray(start - 1, end));
    tree.grow(leaf);
    foldEntry(standing, entry, leaf.toString("hex"));
    noteHead();
    const [commit, key] = [textAt(entry.details, "body", "commit"), textAt(entry.details, "body", "key")];
    if (commit !== "" && tree.size() > signed.size) unsignedBodies.push({ commit, key });
    return null;
  });
  const signedAt = asSigned(signed, then, tree.size());
  return { signer, checkpoints, tree, standing, found, signedAt, unsignedBodies };
}

/** The time of the signed head. Faults: transcript_unavailable when the entries do not give this head. */
function asSigned(signed: Head, then: { readonly root: Uint8Array; readonly at: number } | null, size: number): number {
  if (then === null) throw unusable(`the transcript was cut: ${signed.size} entries were signed, ${size} are here`);
  if (Buffer.compare(then.root, signed.root) !== 0)
    throw unusable(`an entry among the first ${signed.size} is not what was signed; run: sallyport transcript verify`);
  return then.at;
}
