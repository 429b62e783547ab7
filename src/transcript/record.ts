// Opens the transcript of a state folder for writing: repaired, checked against its last checkpoint, and ready to append.

import { join } from "node:path";
import type { Append } from "../domain/entry.ts";
import { openCommit, type Commit } from "./commit.ts";
import { diskCause, realDisk, type Disk } from "./disk.ts";
import { unplaced, type GatewayStamp, type Unplaced } from "./entry.ts";
import { transcriptPaths } from "./files.ts";
import { gatewayOf } from "./key.ts";
import { reopen } from "./reopen.ts";
import { openReserve } from "./reserve.ts";
import { everySoOften } from "./rounds.ts";
import { openSigning, type Signing } from "./signing.ts";
import { unknownEntry, type LiveGrant, type OpenCall } from "./standing.ts";
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
  /** A segment that has this many bytes is followed by a new one. */
  readonly segmentSize?: number;
  /** Milliseconds between checkpoints while the tree grows. */
  readonly checkpointEvery?: number;
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
  /** Grants that were issued and neither completely revoked nor swept. */
  liveGrants(): readonly LiveGrant[];
  /** Was this grant ever issued by this gateway? */
  knowsGrant(id: string): boolean;
  /** Why the transcript is not whole just now, or null. */
  degraded(): string | null;
  /** Signs the head now. Faults: transcript_unavailable when it can't be signed or written. */
  checkpoint(): Promise<void>;
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
  const { signer, checkpoints, tree, standing, found, ...read } = await reopen({ disk, paths, keyPath, now, random });
  const segments = await openSegments(disk, paths.segments, found, options.segmentSize);
  const reserve = await openReserve(disk, paths.reserve, random);
  const troubles = keepTroubles(options.say);
  const signing = openSigning({ checkpoints, tree, troubles, now, signedAt: read.signedAt });
  const id = gatewayOf(signer.name);
  const stamp = (): GatewayStamp => ({ id, ...options.gateway });
  const commit = openCommit({ segments, reserve, tree, standing, troubles, stamp, now, signedAt: signing.signedAt });

  const unsettled = [...standing.open.values()];
  await commit.append([
    ...(found.torn > 0 ? [repaired(found.torn)] : []),
    ...unsettled.map((call) => unknownEntry(call, "the gateway stopped before it was settled")),
  ]);
  const rounds = everySoOften(options.checkpointEvery ?? 1000, () => makeRound(commit, signing, troubles));

  let closed = false;
  return {
    gateway: id,
    async append(drafts) {
      if (closed) throw unusable("the transcript is closed");
      return await commit.append(drafts.map(unplaced));
    },
    head: () => ({ size: tree.size(), root: tree.root().toString("hex") }),
    repaired: found.torn,
    unsettled,
    liveGrants: () => [...standing.grants.values()],
    knowsGrant: (grant) => standing.known.has(grant),
    degraded: () => troubles.reason(),
    checkpoint: () => signing.sign(),
    async close() {
      if (closed) return;
      closed = true;
      await rounds.stop();
      await commit.idle();
      await Promise.allSettled([signing.sign()]);
      await Promise.all([segments.close(), reserve.close(), checkpoints.close()]);
    },
  };
}

/** One round of upkeep: tries the disk again where it failed, signs the head, and writes what has to be said about both. */
async function makeRound(commit: Commit, signing: Signing, troubles: Troubles): Promise<void> {
  const upkeep = async (): Promise<void> => {
    if (troubles.has("disk") || troubles.owed(null).length > 0) await commit.append([]);
  };
  // Whatever fails here has been said through the troubles, and is tried again in the next round.
  await Promise.allSettled([upkeep()]);
  await Promise.allSettled([signing.sign()]);
  await Promise.allSettled([upkeep()]);
}

function repaired(bytes: number): Unplaced {
  const about = { sid: null, call: null, principal: null, client: "" };
  return { kind: "audit.recovered", ...about, details: { repaired: bytes } };
}
