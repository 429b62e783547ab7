// Finds checkpoints in whatever text holds them: a file of signed notes, or a receiver's log in which each is one word of a line.

import { open } from "node:fs/promises";

export interface FoundNote {
  /** The signed note, as it was written. */
  readonly note: string;
  /** The time that stands before it in a log's line, in milliseconds since 1970; null where there is none. */
  readonly seen: number | null;
}

/** Before a note in the text of a message: base64, for no receiver leaves newlines as they are. */
const word = "checkpoint=";

/** A note as one word. */
export function noteWord(note: string): string {
  return word + Buffer.from(note).toString("base64");
}

/** Origin, size and root, lines of extensions, a blank line, signatures. What stands around it does not matter. */
const plain = /^[^\n]+\n\d{1,16}\n[A-Za-z0-9+/]{43}=\n(?:[^\n]+\n)*\n(?:— [^\n]+\n)+/gm;
const coded = /checkpoint=([A-Za-z0-9+/]{100,8000}={0,2})/g;
const stamp = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)/;

/** Every checkpoint in a text, in its order. */
export function findNotes(text: string): readonly FoundNote[] {
  const notes = [...text.matchAll(plain)].map(([note]): FoundNote => ({ note, seen: null }));
  const words = [...text.matchAll(coded)].flatMap(({ 1: body = "", index }): readonly FoundNote[] => {
    const note = Buffer.from(body, "base64").toString("utf8");
    const before = text.slice(Math.max(text.lastIndexOf("\n", index) + 1, index - 1000), index);
    const seen = Date.parse(stamp.exec(before)?.[0] ?? "");
    return note.includes("\n\n") ? [{ note, seen: Number.isNaN(seen) ? null : seen }] : [];
  });
  return [...notes, ...words];
}

/** Longer than any note, or line that holds one. */
const longest = 32_768;

/** Every checkpoint in a file, each once; the file may be of any length. Rejects with the operating system's error. */
export async function findNotesIn(path: string): Promise<readonly FoundNote[]> {
  const found = new Map<string, FoundNote>();
  const take = (text: string): void => {
    for (const { note, seen } of findNotes(text)) {
      const before = found.get(note)?.seen ?? seen;
      found.set(note, { note, seen: before === null ? null : Math.min(before, seen ?? before) });
    }
  };
  let kept = "";
  const file = await open(path, "r");
  for await (const chunk of file.createReadStream({ encoding: "utf8", highWaterMark: 1 << 20 })) {
    kept += String(chunk);
    const whole = kept.lastIndexOf("\n") + 1;
    take(kept.slice(0, whole));
    // What began near the end may go on in the next chunk: it is looked at again, from the beginning of a line on.
    const from = kept.indexOf("\n", Math.max(0, whole - longest)) + 1;
    kept = kept.slice(whole > longest ? from : 0);
  }
  take(kept);
  return [...found.values()];
}
