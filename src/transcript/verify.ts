// Verifies a transcript from its files alone, without gateway or network, and answers each question by itself.

import { stat } from "node:fs/promises";
import { join } from "node:path";
import { isPurgedIn, problemsIn, visitFiles, type VisitFiles } from "./blocks.ts";
import { readKeys, visitBodies } from "./bodies.ts";
import { openAnchor, type GivenAnchor } from "./given-anchors.ts";
import { findTranscript, listSegments, readText, unlessAbsent, type TranscriptPaths } from "./files.ts";
import { firstNote, visitNotes } from "./note-log.ts";
import { openCheckpoint, parseVkey, type Verifier } from "./note.ts";
import { checkPurged } from "./purged-check.ts";
import { checkPurges } from "./purges.ts";
import { chainOf, readRotations, type Rotation } from "./rotations.ts";
import type { KeyWrapping } from "./seal.ts";
import { visitStored } from "./stored-lines.ts";
import { visitEntries } from "./signed.ts";
import { openTeller } from "./told.ts";
import { growTree, type Head, type Tree } from "./tree.ts";
import {
  checkBodies,
  checkCompleteness,
  checkExtent,
  checkFormat,
  checkIntegrity,
  checkOrder,
  checkSemantics,
  checkTime,
} from "./verdicts/index.ts";
import type { Verdict } from "./verdict.ts";

export interface VerifyOptions {
  /** Checkpoints that were kept elsewhere, as the auditor holds them. */
  readonly anchors?: readonly GivenAnchor[];
  /** The verifier key that the auditor holds; without it, the one that came with the files. */
  readonly vkey?: string;
  /** What opens the keys of bodies, where the auditor may read them. */
  readonly unwrap?: KeyWrapping["unwrap"];
  /** The auditor's clock, in milliseconds since 1970. */
  readonly now: number;
  /** Who reads the files: this thread alone, where nothing is said. */
  readonly readBy?: VisitFiles;
}

export interface Report {
  readonly ok: boolean;
  readonly entries: number;
  /** The root over all entries, hex. */
  readonly root: string;
  readonly sessions: number;
  /** Calls that have no end yet. */
  readonly open: number;
  /** `name+hash` of the key that was checked with, or "". */
  readonly key: string;
  readonly verdicts: readonly Verdict[];
}

/**
 * Verifies the transcript in a state folder, or in a folder that holds `segments/` itself. Never writes; a gateway may
 * go on writing meanwhile. Faults: transcript_unavailable where there is no transcript; rejects with the operating
 * system's error where a file can't be read.
 */
export async function verifyTranscript(folder: string, options: VerifyOptions): Promise<Report> {
  for (let tries = 1; ; tries++) {
    const before = await readText((await findTranscript(folder)).checkpoint);
    const report = await verifyOnce(folder, options);
    const cut = report.verdicts.some((one) => one.question === "EXTENT" && one.verdict === "failed");
    // A purge that begins meanwhile takes lines away whose entry was not read any more: it signs a head of its own first.
    if (!cut || tries === 3 || (await readText((await findTranscript(folder)).checkpoint)) === before) return report;
  }
}

async function verifyOnce(folder: string, options: VerifyOptions): Promise<Report> {
  const paths = await findTranscript(folder);
  const questions = await openQuestions(paths, options);
  const { integrity, order, extent, bodies, purges, purged } = questions;
  // In this order, so that a gateway which goes on writing can't make the checkpoint look older than its log, nor the
  // entries fewer than the checkpoint says.
  const logged = await readHeads(paths, integrity.note);
  const note = await readText(paths.checkpoint);
  const checkpoint = note === null ? null : integrity.note(note, "the checkpoint");
  for (const { name, notes } of options.anchors ?? [])
    for (const one of notes)
      if (one.note.startsWith(`${questions.verifier?.name ?? ""}\n`))
        integrity.note(one.note, `a checkpoint in ${name}`);

  bodies.keys(await readKeys(paths.bodies));
  const { tree, missing } = await readEntries(paths, questions, options.readBy ?? visitFiles);
  // After the entries: a body is written before the entry that refers to it.
  bodies.keys(await readKeys(paths.bodies));
  await visitBodies(paths.bodies, (body, seal) => bodies.sealed(body, seal));
  if (purges.until() > 0) await visitEntries(paths, purges.until(), (entry, index) => purges.again(entry, index));
  bodies.wrong(purges.wrong());
  await visitStored(paths, purged.until(), (one) => purged.again(one.index, one.leaf(), one.purged));
  const gone = purged.verdict(Math.max(checkpoint?.size ?? 0, logged?.size ?? 0));
  order.unlinked(gone.unlinked);
  await bodies.open();
  const size = tree.size();
  return reportOf(questions, tree, extent.verdict({ size, checkpoint, logged, missing, purged: gone }));
}

type Questions = Awaited<ReturnType<typeof openQuestions>>;

/** What keeps watch while the files are read, a question each, and the two purges that the verdicts on bodies and extent ask of. */
async function openQuestions(paths: TranscriptPaths, { anchors = [], vkey, unwrap, now }: VerifyOptions) {
  const verifier = parseVkey(vkey ?? (await readText(paths.vkey)) ?? "");
  const chain = chainOf(verifier, await rotationsIn(paths, verifier));
  const held = anchors.map((one) => openAnchor(one, verifier?.name ?? "", chain));
  const heads = held.flatMap((one) => one.heads);
  const purged = checkPurged();
  return {
    verifier,
    format: checkFormat(),
    integrity: checkIntegrity(verifier, vkey !== undefined, chain),
    order: checkOrder((sprev, missing, at) => purged.bridges(sprev, missing, at)),
    extent: checkExtent(held),
    time: checkTime(now, heads),
    bodies: checkBodies(unwrap ?? null),
    semantics: checkSemantics(),
    completeness: checkCompleteness(),
    purges: checkPurges(),
    purged,
  };
}

/** Shows every line of the segments to every question, in order, and grows the tree over them. */
async function readEntries(
  paths: TranscriptPaths,
  { format, integrity, order, extent, time, bodies, semantics, completeness, purges, purged }: Questions,
  readBy: VisitFiles,
): Promise<{ readonly tree: Tree; readonly missing: string | null }> {
  const tree = growTree();
  const entryIn = openTeller();
  // All heads were taken before: at most sizes there is none.
  const sizes = new Set([0, ...integrity.sizes(), ...extent.sizes()]);
  function compareHeads(): void {
    if (!sizes.has(tree.size())) return;
    integrity.grown(tree.size(), tree.root);
    extent.grown(tree.size(), tree.root);
  }
  compareHeads();
  const { names, missing } = await listSegments(paths.segments);
  const files = names.map((name) => join(paths.segments, name));
  let line = 0;
  await readBy(files, {
    block(block, file) {
      const segment = `segments/${names[file]}`;
      for (let one = 0; one < block.count; one++) {
        const at = { index: tree.size(), segment, line: ++line };
        tree.grow(block.leaves, 32 * one);
        compareHeads();
        if (isPurgedIn(block, one)) {
          purged.line(at);
          continue;
        }
        format.take(problemsIn(block, one), at);
        const entry = entryIn(block, one);
        if (entry === null) continue;
        order.take(entry, at, block.leaves, 32 * one);
        extent.take(entry, at);
        time.take(entry, at, "");
        semantics.take(entry, at, "");
        completeness.take(entry, at, "");
        bodies.take(entry, at, "");
        purges.take(entry, at);
        purged.take(entry, at);
      }
    },
    end(file, rest) {
      if (rest > 0) format.unfinished(`segments/${names[file]}`, rest, file === names.length - 1);
      line = 0;
    },
  });
  return { tree, missing };
}

function reportOf(questions: Questions, tree: Tree, extent: Verdict): Report {
  const { verifier, format, integrity, order, time, bodies, semantics, completeness } = questions;
  const size = tree.size();
  const verdicts: readonly Verdict[] = [
    format.verdict(),
    integrity.verdict(size),
    order.verdict(),
    extent,
    time.verdict(),
    bodies.verdict(),
    semantics.verdict(),
    completeness.verdict(),
  ];
  return {
    ok: verdicts.every((one) => one.verdict !== "failed"),
    entries: size,
    root: tree.root().toString("hex"),
    sessions: order.sessions(),
    open: semantics.open(),
    key: verifier === null ? "" : `${verifier.name}+${verifier.hash}`,
    verdicts,
  };
}

/** The rotations; not looked for where the key that is held signed the first head and the newest one. */
async function rotationsIn(paths: TranscriptPaths, held: Verifier | null): Promise<readonly Rotation[]> {
  if (held === null) return [];
  const ends = [await firstNote(paths.checkpointsLog), await readText(paths.checkpoint)];
  const signed = ends.every((note) => note === null || openCheckpoint(note, held) !== null);
  return signed ? [] : await readRotations(paths);
}

async function readHeads(
  paths: TranscriptPaths,
  take: (note: string, whence: string) => Head | null,
): Promise<Head | null> {
  if ((await unlessAbsent(stat(paths.checkpointsLog))) === null) return null;
  let newest: Head | null = null;
  let count = 0;
  await visitNotes(paths.checkpointsLog, (note) => {
    const head = take(note, `checkpoint ${++count} of checkpoints.log`);
    if (head !== null && head.size >= (newest?.size ?? 0)) newest = head;
  });
  return newest;
}
