// Makes a bundle: the entries that were asked for, the proof of each under one signed head, and what else an auditor needs to check them without us.

import { hash } from "node:crypto";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { readKeys } from "../bodies.ts";
import { canonical } from "../canonical.ts";
import { findTranscript, listNumbered, listSegments, readText, unlessAbsent, type TranscriptPaths } from "../files.ts";
import type { GivenAnchor } from "../given-anchors.ts";
import { visitNotes } from "../note-log.ts";
import { parseVkey } from "../note.ts";
import { proofText } from "../proof.ts";
import { pullLines } from "../pulled-lines.ts";
import { chainOf, type KeyChain } from "../rotations.ts";
import type { KeyWrapping } from "../seal.ts";
import type { StoredTree } from "../stored-tree.ts";
import type { Head } from "../tree.ts";
import { unusable } from "../unusable.ts";
import { chooseEntries, type Choice, type Chosen } from "./choose.ts";
import { consistencyText, manifestText, names, proofLine, type Manifest } from "./form.ts";
import { openedBy } from "./trust.ts";
import { readMeText, trustText } from "./read-me.ts";
import { writeInto, type BundleWriting } from "./writing.ts";

export interface BundleAsked extends Choice {
  /** The query in the command's own words. */
  readonly asked: string;
  readonly why: string;
  /** Signed heads that the auditor holds: each is shown to be continued. */
  readonly anchors: readonly GivenAnchor[];
  /** Who may open the bodies that are handed out, and what opens them here; null where there are none. */
  readonly rewrap: { readonly to: Pick<KeyWrapping, "id" | "wrap">; readonly own: Pick<KeyWrapping, "unwrap"> } | null;
  /** The one-file verifier; null where this program has none beside it. */
  readonly verifier: Uint8Array | null;
  readonly version: string;
  /** Milliseconds since 1970. */
  readonly now: number;
}

export interface Made {
  readonly manifest: Manifest;
  /** SHA-256 of the manifest, hex. */
  readonly digest: string;
  /** Over the entries under the bundle's head. */
  readonly tree: StoredTree;
}

/**
 * Writes a bundle into a folder that is there and empty, from a state folder. Faults: transcript_unavailable where there
 * is no transcript, nothing was found, or the record is not the one that was signed. Rejects with the disk's error.
 */
export async function makeBundle(folder: string, into: string, asked: BundleAsked): Promise<Made> {
  const paths = await findTranscript(folder);
  const [note, vkey] = [(await readText(paths.checkpoint)) ?? "", (await readText(paths.vkey)) ?? ""];
  const verifier = parseVkey(vkey);
  // What the note says of its size is believed once the key of that size, which the entries name, has signed it.
  const chosen = await chooseEntries(paths, sizeIn(note), asked);
  const { tree, indexes, answering, rotations } = chosen;
  const chain = chainOf(verifier, rotations);
  const head = openedBy(chain, note);
  if (verifier === null || head === null) throw unusable("there is no checkpoint that the log's key signed");
  if (answering === 0) throw unusable("no entry under a signed head answers: there is nothing to hand out");
  if (Buffer.compare(tree.rootAt(head.size), head.root) !== 0)
    throw unusable("the entries are not the ones that were signed: sallyport transcript verify says more");

  const writing = writeInto(into);
  await writing.write(names.checkpoint, note);
  await writing.write(names.vkey, `${verifier.vkey}\n`);
  await writeEntries(paths, writing, chosen, head.size);
  const ends = rotations.map(({ index }) => index + 1);
  const notes = await headsOf(paths, chain, chosen, { anchors: asked.anchors, ends });
  await writeHeads(writing, notes, chosen, head.size);
  await writeBodies(paths, writing, chosen, asked.rewrap);
  const policiesMissing = await writePolicies(paths, writing, chosen.policies);

  const log = { origin: verifier.name, size: head.size, root: Buffer.from(head.root).toString("base64") };
  const about = {
    at: new Date(asked.now).toISOString(),
    version: asked.version,
    asked: asked.asked,
    query: asked.query,
    wholeCalls: asked.wholeCalls,
    why: asked.why,
    log,
    keys: [...rotations.map(({ from }) => from), verifier.vkey],
    entries: { chosen: answering, beside: indexes.length - answering },
    bodies: { classes: asked.classes, recipient: asked.rewrap?.to.id ?? "" },
    policiesMissing,
  };
  if (asked.verifier !== null) await writing.write(names.verifier, asked.verifier);
  await writing.write(names.trust, trustText(about, rotations));
  await writing.write(names.readMe, readMeText(about));
  const manifest: Manifest = { ...about, files: writing.files() };
  const text = manifestText(manifest);
  await writing.write(names.manifest, text);
  return { manifest, digest: hash("sha256", text, "hex"), tree };
}

/** Of each anchor. */
const mostHeads = 1000;

function sizeIn(note: string): number {
  const size = note.split("\n", 2)[1] ?? "";
  return /^\d{1,15}$/.test(size) ? Number(size) : 0;
}

/** The entries' own bytes, a line each, and beside them their proofs in the same order. */
async function writeEntries(
  paths: TranscriptPaths,
  writing: BundleWriting,
  { tree, indexes }: Chosen,
  size: number,
): Promise<void> {
  const [entries, proofs] = [await writing.begin(names.entries), await writing.begin(names.proofs)];
  let [index, next] = [0, 0];
  try {
    for (const name of (await listSegments(paths.segments)).names) {
      const lines = await pullLines(join(paths.segments, name));
      try {
        for (let line = await lines.next(); line !== null && next < indexes.length; line = await lines.next()) {
          if (index++ !== indexes[next]) continue;
          await entries.add(line.buffer.subarray(line.start, line.end + 1));
          await proofs.add(`${proofLine(index - 1, tree.inclusion(index - 1, size))}\n`);
          next++;
        }
      } finally {
        await lines.close();
      }
    }
  } finally {
    await entries.close();
    await proofs.close();
  }
}

/**
 * The heads that are needed beside the newest, each compared with the tree: those of the auditor, the last ones of keys
 * that were replaced (`ends`), and those that are kept elsewhere.
 */
async function headsOf(
  paths: TranscriptPaths,
  chain: KeyChain,
  { tree, anchored }: Chosen,
  { anchors, ends }: { readonly anchors: readonly GivenAnchor[]; readonly ends: readonly number[] },
): Promise<ReadonlyMap<number, string>> {
  const notes = new Map<number, string>();
  const take = (note: string, head: Head): void => {
    if (head.size > tree.size() || Buffer.compare(tree.rootAt(head.size), head.root) !== 0)
      throw unusable(`a signed head of ${head.size} entries is not of this record: entries were cut or changed`);
    notes.set(head.size, note);
  };
  for (const { name, notes: kept } of anchors) {
    const opened = kept.flatMap(({ note }) => {
      const head = openedBy(chain, note);
      return head === null ? [] : [{ note, head }];
    });
    if (opened.length === 0) throw unusable(`${name} holds no checkpoint that this log signed`);
    // The newest say most; a repository of years has more than anyone needs.
    const newest = opened.toSorted((one, other) => other.head.size - one.head.size).slice(0, mostHeads);
    for (const { note, head } of newest) take(note, head);
  }
  const wanted = new Set([...ends, ...anchored]);
  if (wanted.size > 0)
    await visitNotes(paths.checkpointsLog, (note) => {
      const size = Number(note.split("\n", 2)[1]);
      const head = wanted.has(size) && size <= tree.size() && !notes.has(size) ? openedBy(chain, note) : null;
      if (head !== null) take(note, head);
    });
  const missing = ends.find((size) => !notes.has(size));
  if (missing !== undefined)
    throw unusable(`checkpoints.log lacks the head of ${missing} entries, the last of its key`);
  return notes;
}

async function writeHeads(
  writing: BundleWriting,
  notes: ReadonlyMap<number, string>,
  { tree, rotations }: Chosen,
  size: number,
): Promise<void> {
  for (const [earlier, note] of notes) {
    await writing.write(`heads/${earlier}.checkpoint`, note);
    const proof = earlier === 0 ? [] : tree.consistency(earlier, size);
    await writing.write(`heads/${earlier}.consistency`, consistencyText(proof));
  }
  for (const [number, { index, line }] of rotations.entries()) {
    const checkpoint = notes.get(index + 1) ?? "";
    const proof = { index, hashes: tree.inclusion(index, index + 1), checkpoint, extra: line };
    await writing.write(`rotations/${String(number + 1).padStart(4, "0")}.tlog-proof`, proofText(proof));
  }
}

/** The sealed lines as they are, and their keys anew for the auditor alone. */
async function writeBodies(
  { bodies: folder }: TranscriptPaths,
  writing: BundleWriting,
  { bodies }: Chosen,
  rewrap: BundleAsked["rewrap"],
): Promise<void> {
  if (rewrap === null || bodies.size === 0) return;
  const needed = new Set([...bodies.values()].map(({ key }) => key));
  const keys: string[] = [];
  for (const wrapped of (await readKeys(folder)).filter((one) => needed.has(one.key))) {
    const opened = await rewrap.own.unwrap(wrapped);
    if (opened === null) throw unusable(`keys/bodies.key does not open key ${wrapped.key}`);
    const { key, sid, class: class_, since } = wrapped;
    keys.push(`${canonical(await rewrap.to.wrap(opened, { key, sid, class: class_, since }))}\n`);
  }
  await writing.write(names.keys, keys.join(""));
  const wanted = new Set([...bodies.values()].map(({ seal }) => seal));
  for (const name of await listNumbered(folder, "sealed")) await copySealed(join(folder, name), name, wanted, writing);
}

async function copySealed(path: string, name: string, wanted: Set<string>, writing: BundleWriting): Promise<void> {
  const lines = await pullLines(path);
  let file: Awaited<ReturnType<BundleWriting["begin"]>> | null = null;
  try {
    for (let line = await lines.next(); line !== null; line = await lines.next()) {
      const { buffer, start, end } = line;
      // The digest in the entry is of exactly this line: nothing of it need be parsed.
      if (!wanted.delete(hash("sha256", buffer.subarray(start, end), "hex"))) continue;
      file ??= await writing.begin(`bodies/${name}`);
      await file.add(buffer.subarray(start, end + 1));
    }
  } finally {
    await lines.close();
    await file?.close();
  }
}

/** The texts of these policies; returns the digests of those that were not kept. */
async function writePolicies(
  { policies: folder }: TranscriptPaths,
  writing: BundleWriting,
  digests: ReadonlySet<string>,
): Promise<readonly string[]> {
  const missing: string[] = [];
  for (const digest of [...digests].filter((one) => /^[0-9a-f]{64}$/.test(one)).sort()) {
    const path = join(folder, `${digest}.json`);
    const text = (await unlessAbsent(stat(path)))?.isFile() ? await readText(path) : null;
    if (text !== null && hash("sha256", text, "hex") === digest) await writing.write(`policies/${digest}.json`, text);
    else missing.push(digest);
  }
  return missing;
}
