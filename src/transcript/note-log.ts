// checkpoints.log: signed notes one after the other, a blank line between; a crash may leave its last one unfinished.

import { open, readFile, stat } from "node:fs/promises";
import { unlessAbsent } from "./files.ts";
import { visitLines } from "./lines.ts";

/** Longer than any checkpoint with its signatures. */
const tail = 16_384;
const signatureStart = Buffer.from("\n— ");

export interface NoteLogEnd {
  /** Bytes up to the end of the last whole note. */
  readonly length: number;
  /** That note, or null where there is none. */
  readonly last: string | null;
}

/** The end of a log of notes; an absent file is an empty log. Rejects with the operating system's error. */
export async function readNoteLogEnd(path: string): Promise<NoteLogEnd> {
  const size = (await unlessAbsent(stat(path)))?.size ?? 0;
  if (size === 0) return { length: 0, last: null };
  const start = Math.max(0, size - tail);
  const end = await readFrom(path, start, size - start);
  let at = end.lastIndexOf(signatureStart);
  // A signature line without its newline was being written: the note before it is the last whole one.
  if (at >= 0 && end.indexOf(0x0a, at + 1) < 0) at = at === 0 ? -1 : end.lastIndexOf(signatureStart, at - 1);
  if (at < 0) return { length: 0, last: null };
  const stop = end.indexOf(0x0a, at + 1) + 1;
  const [signatures = "", text = ""] = end.subarray(0, stop).toString("utf8").split("\n\n").toReversed();
  return { length: start + stop, last: `${text}\n\n${signatures}` };
}

async function readFrom(path: string, start: number, length: number): Promise<Buffer> {
  if (start === 0) return await readFile(path);
  const file = await open(path, "r");
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, start);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** Visits each whole note in order; an unfinished one at the end is left out. */
export async function visitNotes(path: string, visit: (note: string) => void): Promise<void> {
  let text: string | null = null;
  let block = "";
  const ended = (): void => {
    if (text === null) text = block;
    else {
      visit(`${text}\n${block}`);
      text = null;
    }
    block = "";
  };
  await visitLines(path, (buffer, start, end) => {
    if (end > start) block += `${buffer.toString("utf8", start, end)}\n`;
    else ended();
  });
  if (text !== null && block !== "") ended();
}

/** The first note of a log, or null where there is none. */
export async function firstNote(path: string): Promise<string | null> {
  if ((await unlessAbsent(stat(path))) === null) return null;
  const file = await open(path, "r");
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(tail), 0, tail, 0);
    const [text, signatures] = buffer.subarray(0, bytesRead).toString("utf8").split("\n\n", 2);
    return signatures === undefined ? null : `${text}\n\n${signatures.trimEnd()}\n`;
  } finally {
    await file.close();
  }
}
