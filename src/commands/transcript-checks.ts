// Doctor's checks of the record: its key, its last checkpoint, the room that is left for it, and the key of sealed bodies.

import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { Config } from "../config/schema.ts";
import { readKeys } from "../transcript/bodies.ts";
import { listSegments, readText, transcriptPaths, unlessAbsent, type TranscriptPaths } from "../transcript/files.ts";
import { readKey, readRetired } from "../transcript/key.ts";
import { openCheckpoint, type Signer } from "../transcript/note.ts";
import { lastEntries } from "../transcript/read.ts";
import { share } from "../transcript/reserve.ts";
import { bodiesKey } from "./bodies-key.ts";
import { sentenceOf } from "./io.ts";
import { spanText } from "./times.ts";

interface Found {
  readonly name: string;
  readonly result: "ok" | "note" | "failed";
  readonly says: string;
  readonly next: string;
}

export interface TranscriptChecksOptions {
  /** The state folder. */
  readonly folder: string;
  readonly config: Pick<Config, "limits" | "transcript">;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Bytes that are free for us where this folder is. Rejects with the operating system's error. */
  readonly free: (folder: string) => Promise<number>;
}

/** Nothing where there is no record yet: the first start begins one. */
export async function transcriptChecks(options: TranscriptChecksOptions): Promise<readonly Found[]> {
  const { folder } = options;
  const paths = transcriptPaths(join(folder, "transcript"));
  if ((await unlessAbsent(stat(paths.segments))) === null) return [];
  const key = await keyFound(folder, paths);
  return [
    key.check,
    ...(key.signer === null ? [] : [await checkpointCheck(options, paths, key.signer)]),
    await roomCheck(options, paths),
    ...(await bodiesChecks(options, paths)),
  ];
}

const restore = "put back the right file from a backup, readable by you alone";

async function keyFound(folder: string, paths: TranscriptPaths): Promise<{ check: Found; signer: Signer | null }> {
  const name = "record key";
  const refused = (says: string, next = restore) => ({ check: failed(name, says, next), signer: null });
  const [read] = await Promise.allSettled([readKey(join(folder, "keys", "transcript.key"))]);
  if (read.status === "rejected") return refused(sentenceOf(read.reason));
  const signer = read.value;
  if (signer === null) return refused("keys/transcript.key is missing, and this record was signed with it");
  const [retired] = await Promise.allSettled([readRetired(folder)]);
  if (retired.status === "rejected") return refused(sentenceOf(retired.reason));
  const vkey = (await readText(paths.vkey))?.trim();
  if (vkey !== undefined && ![signer, ...retired.value].some((one) => one.vkey === vkey))
    return refused("transcript/log.vkey belongs to another key than keys/transcript.key");
  return { check: ok(name, `${signer.name}+${signer.hash} signs, and nobody else can read it`), signer };
}

/** Entries that stay without a signed head for longer than this many milliseconds are worth a look: usually it is one second. */
const longUnsigned = 60_000;

async function checkpointCheck(
  { folder, now }: TranscriptChecksOptions,
  paths: TranscriptPaths,
  signer: Signer,
): Promise<Found> {
  const name = "checkpoint";
  const note = await readText(paths.checkpoint);
  if (note === null) return failed(name, "there is none", "sallyport transcript verify says what else is wrong");
  const head = [signer, ...(await readRetired(folder))].map((one) => openCheckpoint(note, one)).find((one) => one);
  if (head === null || head === undefined)
    return failed(name, "the last one is not signed by this record's key", "sallyport transcript verify says more");
  const { mtimeMs: signedAt } = await stat(paths.checkpoint);
  const says = `${head.size} entries are signed, last ${spanText(now() - signedAt)} ago`;
  const behind = (await newestAfter(folder, paths, signedAt)) - signedAt;
  if (behind <= longUnsigned) return ok(name, says);
  const next = "see the gateway's log: its clock or its disk keeps it from signing; the next start signs, too";
  return failed(name, `${says}; an entry of ${spanText(behind)} later is not`, next);
}

/** When the newest entry was written that has to be signed soon, where that may be long after this time; receipts of anchors wait for others. */
async function newestAfter(folder: string, { segments }: TranscriptPaths, signedAt: number): Promise<number> {
  const last = (await listSegments(segments)).names.at(-1);
  if (last === undefined || (await stat(join(segments, last))).mtimeMs - signedAt <= longUnsigned) return signedAt;
  const newest = (await lastEntries(folder, 50)).findLast(({ entry }) => entry.kind !== "checkpoint.anchored");
  return newest === undefined ? signedAt : Date.parse(newest.entry.ts);
}

/** Less room than for so many times the calls in flight is told before it is gone. */
const ample = 20;

async function roomCheck({ folder, config, free }: TranscriptChecksOptions, paths: TranscriptPaths): Promise<Found> {
  const name = "record space";
  const [room] = await Promise.allSettled([free(folder)]);
  if (room.status === "rejected") return note(name, "how much the disk has left can't be told", "see df");
  const held = (await unlessAbsent(stat(paths.reserve)))?.size ?? 0;
  const needed = config.limits.inFlight * share;
  const says = `${megabytes(room.value)} are free, ${megabytes(held)} are held back for calls in flight`;
  const next = "make room: nothing runs that can't be recorded";
  if (room.value + held < needed)
    return failed(name, `${says}; one caller's calls may need ${megabytes(needed)}`, next);
  return room.value < ample * needed ? note(name, says, next) : ok(name, says);
}

const megabytes = (bytes: number): string => `${(bytes / 1_000_000).toFixed(1)} MB`;

async function bodiesChecks(
  { folder, config }: TranscriptChecksOptions,
  paths: TranscriptPaths,
): Promise<readonly Found[]> {
  const name = "sealed bodies";
  const path = join(folder, "keys", "bodies.key");
  const keys = await readKeys(paths.bodies);
  const { bodies } = config.transcript;
  if ((await unlessAbsent(stat(path))) === null) {
    if (keys.length > 0)
      return [failed(name, `keys/bodies.key is missing, and ${keys.length} keys are under it`, restore)];
    return bodies.length === 0 ? [] : [note(name, "there is no keys/bodies.key yet", "the next start makes it")];
  }
  const [opened] = await Promise.allSettled([bodiesKey(path)]);
  if (opened.status === "rejected") return [failed(name, sentenceOf(opened.reason), restore)];
  const others = keys.filter(({ under }) => under !== opened.value.id);
  // The newest and the oldest: what was damaged by a copy is so from somewhere on.
  const tried = [keys.at(0), keys.at(-1)].filter((one) => one !== undefined && !others.includes(one));
  const shut = await Promise.all(
    tried.map(async (one) => one !== undefined && (await opened.value.unwrap(one)) === null),
  );
  if (others.length > 0)
    return [
      failed(name, `keys/bodies.key is not the one that ${others.length} of ${keys.length} keys are under`, restore),
    ];
  if (shut.includes(true))
    return [failed(name, "transcript/bodies/keys.ndjson is damaged: a key does not open", restore)];
  const kept = bodies.length === 0 ? "none are sealed any more" : `${bodies.join(", ")} are sealed`;
  return [ok(name, `${kept}; keys/bodies.key opens what ${keys.length} keys have sealed`)];
}

const ok = (name: string, says: string): Found => ({ name, result: "ok", says, next: "" });
const note = (name: string, says: string, next: string): Found => ({ name, result: "note", says, next });
const failed = (name: string, says: string, next: string): Found => ({ name, result: "failed", says, next });
