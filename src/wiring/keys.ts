// The gateway's own secrets of a state folder: made on first use, readable by their owner alone.

import { mkdir, open, readFile, stat } from "node:fs/promises";
import { join } from "node:path";

/** 32 bytes kept under this name in `keys/`. A key file that others can read, or of another length, is refused. */
export async function keptKey(
  folder: string,
  name: string,
  random: (count: number) => Uint8Array,
): Promise<Uint8Array> {
  const path = join(folder, "keys", name);
  await mkdir(join(folder, "keys"), { recursive: true, mode: 0o700 });
  try {
    const file = await open(path, "wx", 0o600);
    try {
      await file.writeFile(random(32));
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== "EEXIST") throw thrown;
  }
  const { mode } = await stat(path);
  if ((mode & 0o077) !== 0)
    throw new Error(`${path} can be read by others: chmod 600 it, or remove it if it may have been read.`);
  const key = await readFile(path);
  if (key.length !== 32) throw new Error(`${path} is not a key of 32 bytes: restore it from a backup.`);
  return key;
}
