// Reads a file that somebody else may be changing: what is no plain file is refused, since to read a pipe would wait for ever.

import { constants } from "node:fs";
import { open } from "node:fs/promises";

/** Larger ones are nobody's settings. */
const mostBytes = 4 * 1024 * 1024;

/** The text of a plain file of at most 4 MiB. Throws as `readFile` does, with a `code` and the `path`. */
export async function plainFile(path: string): Promise<string> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const found = await file.stat();
    if (!found.isFile()) throw refused(path, found.isDirectory() ? "EISDIR" : "no plain file");
    if (found.size > mostBytes) throw refused(path, "EFBIG");
    return await file.readFile("utf8");
  } finally {
    await file.close();
  }
}

function refused(path: string, code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${path}: ${code}`), { path, code });
}
