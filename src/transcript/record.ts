// Opens the transcript of a state folder for writing: repaired, checked against its last checkpoint, and ready to append.

import { join } from "node:path";
import type { Append, BodyClass } from "../domain/entry.ts";
import { Faulted } from "../domain/fault.ts";
import { destroyKeys, missingBodies, openBodies, readKeys, type Bodies } from "./bodies.ts";
import { openCommit, type Commit } from "./commit.ts";
import { diskCause, realDisk, type Disk } from "./disk.ts";
import type { Anchorable } from "./anchors/contract.ts";
import { cosign } from "./cosignature.ts";
import { unplaced, type GatewayStamp, type Unplaced } from "./entry.ts";
import { transcriptPaths } from "./files.ts";
import { eraseEntries, type Erased } from "./envelopes.ts";
import type { Checkpoints } from "./checkpoints.ts";
import type { LastKept } from "./held.ts";
import { gatewayOf, nextKeyPath, readKey, switchKeys } from "./key.ts";
import { parseCheckpoint, type Signer } from "./note.ts";
import { emptyRoot, type Head, type Tree } from "./tree.ts";
import { openKeeping, type Keeping } from "./keeping.ts";
import { reopen } from "./reopen.ts";
import { openReserve } from "./reserve.ts";
import { everySoOften } from "./rounds.ts";
import { openSigning, type Signing } from "./signing.ts";
import { unknownEntry, type LastStart, type LiveGrant, type OpenCall } from "./standing.ts";
import type { KeyWrapping } from "./seal.ts";
import { openSegments } from "./stores/index.ts";
import { keepTroubles, type Troubles } from "./troubles.ts";
import { unusable } from "./unusable.ts";

export interface TranscriptOptions {
  /** The state folder; `transcript/` and `keys/transcript.key` are made in it. */
  readonly folder: string;
  /** What runs: read anew for each batch, so that a getter can follow a changed policy. Digests are SHA-256, hex. */
  readonly gateway: Omit<GatewayStamp, "id">;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly random: (count: number) => Uint8Array;
  /** Told in a sentence for the operator when the transcript degrades and recovers. */
  readonly say: (sentence: string) => void;
  readonly disk?: Disk;
  /** What is sealed beside the entries, and what wraps its keys; absent: nothing is. */
  readonly bodies?: { readonly wrapping: () => Promise<KeyWrapping>; readonly classes: readonly BodyClass[] };
  /** A segment that has this many bytes is followed by a new one. */
  readonly segmentSize?: number;
  /** Milliseconds between checkpoints while the tree grows. */
  readonly checkpointEvery?: number;
  /** Milliseconds that a write may take before nobody waits behind it any more; 10,000 unless told. */
  readonly patience?: number;
}

export interface Transcript {
  /** The gateway's own id, made with its first transcript: a UUIDv7. */
  readonly gateway: string;
  readonly append: Append;
  /** Entries so far, and the root over them, hex. */
  head(): { readonly size: number; readonly root: string };
  /** Bytes of a torn last line that opening cut off; 0 when there was none. */
  readonly repaired: number;
  /** Calls that had begun and have no end, found at opening: each has its `call.unknown` now. */
  readonly unsettled: readonly OpenCall[];
  /** What the last gateway on this transcript began with, or null. */
  readonly lastStart: LastStart | null;
  /** Grants that were issued and neither completely revoked nor swept. */
  liveGrants(): readonly LiveGrant[];
  /** Was this grant ever issued by this gateway? */
  knowsGrant(id: string): boolean;
  /** Why the transcript is not whole just now, or null. */
  degraded(): string | null;
  /** Erases sealed bodies by destroying their keys, and places and releases the holds against that. */
  readonly keeping: Keeping;
  /** Signs the head now. Faults: transcript_unavailable when it can't be signed or written. */
  checkpoint(): Promise<void>;
  /** Signs the head now, where more than receipts is new, and the time with it: what an anchor keeps. Faults: transcript_unavailable. */
  anchorable(): Promise<Anchorable>;
  /** How many entries there are up to the last that is more than an anchor's receipt. */
  substance(): number;
  /** The last receipt of each anchor, by its name. */
  lastKept(): ReadonlyMap<string, LastKept>;
  /** Writes what is on its way, signs the last head and lets go of the files. */
  close(): Promise<void>;
}

/**
 * Opens the transcript for writing; the caller must be the only writer. Faults: transcript_unavailable, with a cause
 * that names the file and the line, when it was changed, cut or can't be read or written.
 */
export async function openTranscript(options: TranscriptOptions): Promise<Transcript> {
  try {
    return await open(options);
  } catch (thrown) {
    if (thrown instanceof Error && "syscall" in thrown)
      throw unusable(`The transcript in ${options.folder} can't be opened: ${diskCause(thrown)}`);
    throw thrown;
  }
}

async function open(options: TranscriptOptions): Promise<Transcript> {
  const { folder, now, random, disk = realDisk } = options;
  const paths = transcriptPaths(join(folder, "transcript"));
  await disk.makeFolder(paths.segments);
  const keyPath = join(folder, "keys", "transcript.key");
  const { gateway, say, segmentSize } = options;
  const { version } = gateway;
  const reopened = await reopen({ disk, paths, keyPath, now, random, version, say, segmentSize });
  const { signer, checkpoints, tree, standing, keeper, found, ...read } = reopened;
  if (standing.key !== "" && standing.key !== signer.vkey) {
    await finishRotation(options, disk, { signer, checkpoints, tree, to: standing.key });
    return await open(options);
  }
  const segments = await openSegments(disk, paths.segments, found, segmentSize);
  const reserve = await openReserve(disk, paths.reserve, random);
  const troubles = keepTroubles(say);
  const substance = (): number => standing.substance;
  const signing = openSigning({ checkpoints, tree, troubles, now, signedAt: read.signedAt, substance });
  const id = gatewayOf(signer.name);
  const stamp = (): GatewayStamp => ({ id, ...gateway });
  const bodies = await bodiesOf(options, disk, paths.bodies);
  const commit = openCommit({
    segments,
    bodies,
    reserve,
    tree,
    standing,
    troubles,
    stamp,
    now,
    turned: (number) => keeper.turned(number, tree, standing),
    signedAt: signing.signedAt,
    patience: options.patience ?? 10_000,
  });
  const unsettled = [...standing.open.values()];
  const lastStart = standing.started;
  const destroy = async (keys: ReadonlySet<string>): Promise<void> => {
    if (bodies === null) await destroyKeys(disk, paths.bodies, keys);
    else await bodies.destroy(keys);
  };
  if ((await readKeys(paths.bodies)).some(({ key }) => standing.purged.includes(key)))
    await destroy(new Set(standing.purged));
  /** What a purge has named and not erased: nothing is summed up for the next start, which finishes it, before that. */
  let unfinished: Erased | null = read.erased;
  const erase = async (erased: Erased | null): Promise<void> => {
    unfinished = erased;
    if (erased === null) return;
    // Nothing goes before the entry that names it is under a signed head.
    const erasing = await eraseEntries(disk, paths, erased, { current: segments.number(), sign: () => signing.sign() });
    keeper.shrunk(erasing);
    unfinished = null;
  };
  // A disk that has no room for it now has it later: no call waits for that.
  await erase(unfinished).catch((thrown: unknown) =>
    say(
      `A purge that is on record could not be finished, which the next one or the next start tries again: ${causeOf(thrown)}`,
    ),
  );
  const keep = async (): Promise<void> => {
    if (unfinished === null) await keeper.keep(checkpoints.latest()?.size ?? 0);
  };
  const lost = await missingBodies(paths.bodies, read.unsignedBodies);
  await commit.append([
    ...(found.torn > 0 || lost.length > 0 ? [repaired(found.torn, lost)] : []),
    ...unsettled.map((call) => unknownEntry(call, "the gateway stopped before it was settled")),
  ]);
  const rounds = everySoOften(options.checkpointEvery ?? 1000, () => makeRound(commit, signing, troubles, keep));

  const [openedAt, opened] = [now(), performance.now()];
  // Nobody sets this one: a clock that jumps while the gateway runs is not believed to have run.
  const watched = () => ({ from: openedAt, to: openedAt + performance.now() - opened });
  let closed = false;
  const append: Append = async (drafts) => {
    if (closed) throw unusable("the transcript is closed");
    if (bodies === null || !drafts.some((draft) => draft.body !== undefined))
      return await commit.append(drafts.map(unplaced));
    const sealed = await bodies.seal(drafts).catch((thrown: unknown) => {
      throw unusable(`a body's key can't be wrapped: ${diskCause(thrown)}`);
    });
    return await commit.append(sealed.drafts.map(unplaced), sealed.lines);
  };
  return {
    gateway: id,
    append,
    head: () => ({ size: tree.size(), root: tree.root().toString("hex") }),
    repaired: found.torn,
    unsettled,
    lastStart,
    liveGrants: () => [...standing.grants.values()],
    knowsGrant: (grant) => standing.known.has(grant),
    degraded: () => troubles.reason(),
    keeping: openKeeping({
      append,
      paths,
      destroy,
      now,
      watched,
      head: () => signedHead(signing, checkpoints),
      turn: () => segments.turn(),
      finish: () => erase(unfinished),
      erase,
    }),
    checkpoint: () => signing.sign(),
    async anchorable() {
      await signing.round();
      return cosigned(checkpoints, signer, now());
    },
    substance,
    lastKept: () => new Map(standing.anchored),
    async close() {
      if (closed) return;
      closed = true;
      await rounds.stop();
      await commit.idle();
      await Promise.allSettled([signing.sign()]);
      await Promise.allSettled([keep()]);
      await Promise.all([segments.close(), reserve.close(), checkpoints.close(), bodies?.close()]);
    },
  };
}

function causeOf(thrown: unknown): string {
  return thrown instanceof Faulted ? thrown.fault.cause : diskCause(thrown);
}

/** Signs what is there, so that whoever reads it back can hold it against the head. Faults: transcript_unavailable. */
async function signedHead(signing: Signing, checkpoints: Checkpoints): Promise<Head> {
  await signing.sign();
  return checkpoints.latest() ?? { size: 0, root: emptyRoot };
}

/** Faults: transcript_unavailable where no head is written down yet. */
function cosigned(checkpoints: Checkpoints, signer: Signer, now: number): Anchorable {
  const { name: origin } = signer;
  const note = checkpoints.note() ?? "";
  // Of the note itself: the next head may be on its way to the disk.
  const head = parseCheckpoint(note.slice(0, note.indexOf("\n\n") + 1), origin);
  if (head === null) throw unusable("there is no checkpoint yet");
  const at = Math.floor(now / 1000) * 1000;
  return { note: cosign(note, signer, at), origin, size: head.size, root: Buffer.from(head.root).toString("hex"), at };
}

interface Unfinished {
  readonly signer: Signer;
  readonly checkpoints: Checkpoints;
  readonly tree: Tree;
  /** The new verifier key. */
  readonly to: string;
}

/** A rotation is on record, and a crash kept the new key from its place. */
async function finishRotation(
  { folder }: TranscriptOptions,
  disk: Disk,
  { signer, checkpoints, tree, to }: Unfinished,
): Promise<void> {
  const fresh = await readKey(nextKeyPath(folder));
  if (fresh?.vkey !== to)
    throw unusable("the key was rotated, and keys/transcript.key is not the new one: put it back");
  await checkpoints.publish({ size: tree.size(), root: tree.root() });
  await checkpoints.close();
  await switchKeys(disk, folder, signer, fresh);
}

/** One round of upkeep: tries the disk again where it failed, signs the head, and writes what has to be said about both. */
async function makeRound(
  commit: Commit,
  signing: Signing,
  troubles: Troubles,
  keep: () => Promise<void>,
): Promise<void> {
  const upkeep = async (): Promise<void> => {
    if (troubles.has("disk") || troubles.owed(null).entries.length > 0) await commit.append([]);
  };
  // Whatever fails here has been said through the troubles, and is tried again in the next round.
  await Promise.allSettled([upkeep()]);
  await Promise.allSettled([signing.round()]);
  await Promise.allSettled([upkeep()]);
  // Nothing depends on it but how long the next start takes.
  await Promise.allSettled([keep()]);
}

function repaired(bytes: number, lost: readonly string[]): Unplaced {
  const about = { sid: null, call: null, principal: null, client: "" };
  const bodies = lost.length === 0 ? {} : { bodies: lost };
  return { kind: "audit.recovered", ...about, details: { repaired: bytes, ...bodies } };
}

async function bodiesOf(
  { bodies, random, now }: TranscriptOptions,
  disk: Disk,
  folder: string,
): Promise<Bodies | null> {
  if (bodies === undefined || bodies.classes.length === 0) return null;
  const wrapping = await bodies.wrapping();
  await disk.makeFolder(folder);
  return await openBodies({ disk, folder, wrapping, classes: new Set(bodies.classes), random, now });
}
