// An anchor that is a file which only grows: on another disk, a share of another machine, a medium that writes once.

import { constants } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import { fault, Faulted } from "../../domain/fault.ts";
import { readText } from "../files.ts";
import { findNotes } from "../found-notes.ts";
import type { Anchor } from "./contract.ts";

/** Writes at a file's end, where no other writer can come between. Rejections are the operating system's own errors. */
export type AppendText = (file: FileHandle, text: string) => Promise<void>;

const plainly: AppendText = async (file, text) => await file.appendFile(text);

/** Signed notes one after the other, a blank line between, durable before a receipt is given; anyone may read the file. */
export function fileAnchor(path: string, append: AppendText = plainly): Anchor {
  return {
    kind: "file",
    place: path,
    async held(origin) {
      const text = (await readText(path)) ?? "";
      return findNotes(text).flatMap(({ note }) => (note.startsWith(`${origin}\n`) ? [note] : []));
    },
    async keep({ note }) {
      const flags = constants.O_RDWR | constants.O_CREAT | constants.O_APPEND | constants.O_NOFOLLOW;
      const file = await open(path, flags, 0o644);
      try {
        const before = await file.stat();
        if (!before.isFile()) throw new Faulted(fault("internal", {}, `${path} is not a file`));
        await append(file, (await separator(file, before.size)) + note);
        await file.sync();
        if (before.size === 0) await syncFolder(dirname(path));
        return { path, bytes: (await file.stat()).size };
      } finally {
        await file.close();
      }
    },
  };
}

/** A note that a full disk or a crash cut short ends here, so that it can't run into the next one. */
async function separator(file: FileHandle, size: number): Promise<string> {
  if (size === 0) return "";
  const last = Buffer.alloc(1);
  await file.read(last, 0, 1, size - 1);
  return last[0] === 0x0a ? "\n" : "\n\n";
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
