// The state folder: nobody but its owner may write in it, or whoever may could put a file of theirs where one of ours is looked for.

import { existsSync, lstatSync, mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";

/** "" when the folder is ours to use, else the sentence that says why not. Makes it, mode 0700, where it is absent. `uid` is this process's user. */
export function prepareFolder(folder: string, uid: number): string {
  try {
    makeFolder(folder);
  } catch (thrown) {
    return `The state folder ${folder} can't be made (${codeOf(thrown)}).`;
  }
  return folderProblem(folder, uid);
}

/** One folder at a time: Node's own recursive way never ends where a file system lets nobody make folders and calls them absent (procfs). */
function makeFolder(folder: string): void {
  if (isFolder(folder)) return;
  const above = dirname(folder);
  if (!existsSync(above)) makeFolder(above);
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (thrown) {
    // Another process was faster.
    if (codeOf(thrown) !== "EEXIST" || !isFolder(folder)) throw thrown;
  }
}

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

/** "" when the folder is a real folder of ours that others can't write in. */
export function folderProblem(folder: string, uid: number): string {
  let found;
  try {
    found = lstatSync(folder);
  } catch (thrown) {
    return `The state folder ${folder} can't be read (${codeOf(thrown)}).`;
  }
  if (found.isSymbolicLink()) return `The state folder ${folder} is a link: name the folder itself.`;
  if (!found.isDirectory()) return `The state folder ${folder} is no folder.`;
  if (found.uid !== uid) return `The state folder ${folder} belongs to another user.`;
  if ((found.mode & 0o022) !== 0) return `The state folder ${folder} can be written by others: run chmod 700 on it.`;
  return "";
}

/** The system's code of an error, for a sentence: `ENOENT`, `EACCES`. */
export function codeOf(thrown: unknown): string {
  return thrown instanceof Error && "code" in thrown ? String(thrown.code) : "unknown";
}
