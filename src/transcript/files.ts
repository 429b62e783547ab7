// Where everything of a transcript lies inside the state folder.

import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { unusable } from "./unusable.ts";

export interface TranscriptPaths {
  /** NDJSON, an entry a line, in files numbered from 00000000. */
  readonly segments: string;
  /** The newest checkpoint, a signed note. */
  readonly checkpoint: string;
  /** Every checkpoint, a blank line between. */
  readonly checkpointsLog: string;
  /** The verifier key of the checkpoints. */
  readonly vkey: string;
  /** Space held back for calls in flight. */
  readonly reserve: string;
  /** What the full segments come to, under the gateway's key. */
  readonly standing: string;
  /** Sealed bodies and their wrapped keys. */
  readonly bodies: string;
  /** The texts of the policies that were in force, by digest. */
  readonly policies: string;
}

/** The paths inside a `transcript` folder. */
export function transcriptPaths(folder: string): TranscriptPaths {
  return {
    segments: join(folder, "segments"),
    checkpoint: join(folder, "checkpoint"),
    checkpointsLog: join(folder, "checkpoints.log"),
    vkey: join(folder, "log.vkey"),
    reserve: join(folder, "reserve"),
    standing: join(folder, "standing"),
    bodies: join(folder, "bodies"),
    policies: join(folder, "policies"),
  };
}

/** The transcript's paths under a state folder or its `transcript` folder. Faults: transcript_unavailable when it is neither. */
export async function findTranscript(folder: string): Promise<TranscriptPaths> {
  return (await pathsIn(join(folder, "transcript"))) ?? (await pathsIn(folder)) ?? absentIn(folder);
}

/** Only under a state folder: what goes on writing in any other would begin a record of its own there. Faults: transcript_unavailable. */
export async function stateTranscript(folder: string): Promise<TranscriptPaths> {
  return (await pathsIn(join(folder, "transcript"))) ?? absentIn(folder);
}

async function pathsIn(base: string): Promise<TranscriptPaths | null> {
  const paths = transcriptPaths(base);
  return (await isFolder(paths.segments)) ? paths : null;
}

/** False also where a part of the path is a file (ENOTDIR). */
export async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (thrown) {
    if (thrown instanceof Error && "code" in thrown && (thrown.code === "ENOENT" || thrown.code === "ENOTDIR"))
      return false;
    throw thrown;
  }
}

function absentIn(folder: string): never {
  throw unusable(
    `There is no transcript in ${folder}: SALLYPORT_HOME or the command line names the folder, and a gateway makes its record at its first start.`,
  );
}

/** The names `NNNNNNNN.<ending>` in a folder, in their order; none where there is no folder. */
export async function listNumbered(folder: string, ending: string): Promise<readonly string[]> {
  const found = (await unlessAbsent(readdir(folder))) ?? [];
  return found.filter((name) => /^\d{8}\./.test(name) && name.slice(9) === ending).sort();
}

export function segmentName(number: number): string {
  return `${String(number).padStart(8, "0")}.ndjson`;
}

/** The names of the segments in their order, and the first number that is missing between them, or null. */
export async function listSegments(folder: string): Promise<{ names: readonly string[]; missing: string | null }> {
  const found = await unlessAbsent(readdir(folder));
  const names = (found ?? []).filter((name) => /^\d{8}\.ndjson$/.test(name)).sort();
  const wrong = names.findIndex((name, number) => name !== segmentName(number));
  return { names, missing: wrong < 0 ? null : segmentName(wrong) };
}

/** A file's text, or null where there is no such file. */
export function readText(path: string): Promise<string | null> {
  return unlessAbsent(readFile(path, "utf8"));
}

/** What a reading gives, or null where the file or folder is not there. */
export async function unlessAbsent<T>(reading: Promise<T>): Promise<T | null> {
  try {
    return await reading;
  } catch (thrown) {
    if (thrown instanceof Error && "code" in thrown && thrown.code === "ENOENT") return null;
    throw thrown;
  }
}
