// Files that are whole or absent: written aside, flushed, renamed, and their folder flushed with them.

import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

/** The ending of files that were being written when a process died; whoever opens the folder next removes them. */
export const unfinished = ".unfinished";

/** Replaces a file, durably and at once: a reader or a crash sees the old content or the new. `tag` must be random. */
export async function replaceFile(path: string, content: string | Uint8Array, tag: string): Promise<void> {
  const aside = `${path}.${tag}${unfinished}`;
  try {
    await writeNew(aside, content);
    await rename(aside, path);
  } catch (error) {
    await rm(aside, { force: true });
    throw error;
  }
  await flushFolder(dirname(path));
}

/** Creates a file that must not exist yet, for its owner alone, flushed; its folder is the caller's to flush. */
export async function writeNew(path: string, content: string | Uint8Array): Promise<void> {
  const file = await open(path, "wx", 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Overwrites and removes a file, where there is one. Copies that the disk itself keeps are beyond reach. */
export async function destroyFile(path: string): Promise<void> {
  const file = await open(path, "r+").catch(absent);
  if (file === undefined) return;
  try {
    const { size } = await file.stat();
    await file.write(new Uint8Array(size), 0, size, 0);
    await file.sync();
  } finally {
    await file.close();
  }
  await rm(path, { force: true });
}

/** Makes creations, renames and removals in a folder durable. */
export async function flushFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** For `catch`: undefined when the file is not there; every other error goes on. */
export function absent(error: unknown): undefined {
  if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
  throw error;
}
