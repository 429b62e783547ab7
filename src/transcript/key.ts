// The key that signs checkpoints: made once, kept in one file, never replaced in silence.

import { rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { uuidv7 } from "../domain/ids.ts";
import type { Disk } from "./disk.ts";
import { readText, transcriptPaths } from "./files.ts";
import { parseSecret, parseVkey, signerFrom, type Signer, type Verifier } from "./note.ts";
import { unusable } from "./unusable.ts";

/** Before the gateway's id in the key's name, which is also the checkpoints' origin. */
const origin = "sallyport.dev/";

/** The id of the gateway whose key this is. */
export function gatewayOf(name: string): string {
  return name.startsWith(origin) ? name.slice(origin.length) : name;
}

/** The kept key, or null where there is none yet. Faults: transcript_unavailable when it is open to others or malformed. */
export async function readKey(path: string): Promise<Signer | null> {
  const text = await readText(path);
  if (text === null) return null;
  const { mode } = await stat(path);
  if ((mode & 0o077) !== 0) throw unusable("keys/transcript.key can be read by others; chmod 600 it");
  const signer = parseSecret(text);
  if (signer === null) throw unusable("keys/transcript.key is damaged; put back a copy of it");
  return signer;
}

/** The key that a rotation is about to put in the place of the one that signs. */
export function nextKeyPath(folder: string): string {
  return join(folder, "keys", "transcript.key.next");
}

/** The verifier keys, one a line, of the keys that signed before the one that does. */
export function retiredPath(folder: string): string {
  return join(folder, "keys", "transcript.retired");
}

/** Faults: transcript_unavailable where a line is no verifier key. */
export async function readRetired(folder: string): Promise<readonly Verifier[]> {
  const lines = ((await readText(retiredPath(folder))) ?? "").split("\n").filter((line) => line !== "");
  return lines.map((line) => {
    const verifier = parseVkey(line);
    if (verifier === null) throw unusable("keys/transcript.retired is damaged; put back a copy of it");
    return verifier;
  });
}

/** Makes a key, and with its name the gateway's id. */
export function makeKey(now: number, random: (count: number) => Uint8Array): Signer {
  return signerFrom(`${origin}${uuidv7(now, random(10))}`, random(32));
}

/** Keeps a new key where `readKey` finds it. */
export async function keepKey(disk: Disk, path: string, signer: Signer): Promise<void> {
  await disk.makeFolder(dirname(path));
  await disk.replace(path, Buffer.from(`${signer.secret()}\n`));
}

/** Puts the new key in the old one's place. Each step may have been done before. */
export async function switchKeys(disk: Disk, folder: string, old: Signer, fresh: Signer): Promise<void> {
  const retired = (await readRetired(folder)).map((one) => one.vkey);
  if (!retired.includes(old.vkey))
    await disk.replace(retiredPath(folder), Buffer.from([...retired, old.vkey, ""].join("\n")));
  await disk.replace(join(folder, "keys", "transcript.key"), Buffer.from(`${fresh.secret()}\n`));
  await disk.replace(transcriptPaths(join(folder, "transcript")).vkey, Buffer.from(`${fresh.vkey}\n`));
  await rm(nextKeyPath(folder), { force: true });
}
