// What several of the transcript's commands print: entries as lines, words in colours, faults as sentences.

import { Faulted } from "../domain/fault.ts";
import { describeEntry, plainText, type Mood } from "../transcript/describe.ts";
import { readPurgedPast } from "../transcript/purged-past.ts";
import type { Kept } from "../transcript/read.ts";
import { CommandFailed, type Io } from "./io.ts";
import { recorded, type OnRecord } from "./on-record.ts";

export function listLine(io: Pick<Io, "colour">, kept: Kept): string {
  const { when, kind, mood, who, says } = describeEntry(kept);
  const whose = who === "" ? "" : `  (${who})`;
  return `${String(kept.index).padStart(6)}  ${when}  ${paint(io, mood, kind.padEnd(18))}  ${says}${whose}`;
}

/** An entry as JSON on one line, with its index. */
export function jsonLine({ index, entry }: Kept): string {
  return `${JSON.stringify({ index, ...entry })}\n`;
}

/** In a colour where the terminal shows colours. */
export function paint({ colour }: Pick<Io, "colour">, mood: Mood, text: string): string {
  const code = { good: "32", bad: "31", open: "33", plain: "" }[mood];
  return colour && code !== "" ? `\u001b[${code}m${text}\u001b[0m` : text;
}

/** Puts a reading on record before it is shown, or says that none tells of it. */
export async function viewed(
  io: Pick<Io, "err">,
  onRecord: OnRecord,
  told: { readonly what: string; readonly query: string; readonly count: number },
): Promise<void> {
  await recorded(io, onRecord("evidence.viewed", { call: "", found: told.count > 0, ...told }));
}

/** Says what of the time that was asked for is purged: nobody is to take that for nothing having been. `since`: milliseconds since 1970. */
export async function tellPurged(io: Pick<Io, "err">, folder: string, since?: number): Promise<void> {
  const past = await readPurgedPast(folder);
  if (past === null || (since !== undefined && since >= Date.parse(past.before))) return;
  io.err(
    `${past.entries} entries of days before ${past.before} were purged, and of them the leaf hashes alone stand: entry ${past.told} says which.\n`,
  );
}

/** Options as the command line would give them again, times written out. */
export function askedText(asked: { readonly [name: string]: string | number | undefined }): string {
  const time = (at: number): string => new Date(at).toISOString();
  return Object.entries(asked)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) =>
      typeof value !== "number"
        ? `--${name} ${quoted(value ?? "")}`
        : `--${name} ${["since", "until"].includes(name) ? time(value) : value}`,
    )
    .join(" ");
}

const quoted = (text: string): string =>
  /^[\w.:/@-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;

/** A transcript that is absent or can't be read ends the command with a sentence. */
export async function reading<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (thrown) {
    if (thrown instanceof Faulted) throw new CommandFailed(thrown.fault.cause);
    if (thrown instanceof Error && "syscall" in thrown) throw new CommandFailed(systemSentence(thrown));
    throw thrown;
  }
}

const meant: { readonly [code: string]: string } = {
  ENOENT: "it is not there",
  EEXIST: "it is there already",
  EACCES: "this user may not",
  EPERM: "this user may not",
  EISDIR: "it is a folder",
  ENOTDIR: "a part of the path is no folder",
  ENOSPC: "the disk is full",
};

/** What the operating system refused, in words: `./a.proof can't be used: it is not there (ENOENT).` */
function systemSentence(thrown: Error & { readonly code?: string; readonly path?: string }): string {
  const { path = "", code = "" } = thrown;
  if (path === "") return thrown.message;
  const why = meant[code];
  return plainText(`${path} can't be used${why === undefined ? "" : `: ${why}`} (${code}).`);
}
