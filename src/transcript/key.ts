// The key that signs checkpoints: made once, kept in one file, never replaced in silence.

import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import { uuidv7 } from "../domain/ids.ts";
import type { Disk } from "./disk.ts";
import { readText } from "./files.ts";
import { parseSecret, signerFrom, type Signer } from "./note.ts";
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

/** Makes a key, and with its name the gateway's id. */
export function makeKey(now: number, random: (count: number) => Uint8Array): Signer {
  return signerFrom(`${origin}${uuidv7(now, random(10))}`, random(32));
}

/** Keeps a new key where `readKey` finds it. */
export async function keepKey(disk: Disk, path: string, signer: Signer): Promise<void> {
  await disk.makeFolder(dirname(path));
  await disk.replace(path, Buffer.from(`${signer.secret()}\n`));
}
