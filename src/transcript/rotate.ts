// Replaces the key that signs checkpoints: the old one signs the entry that says so, and nothing after it.

import { join } from "node:path";
import type { EntryDraft } from "../domain/entry.ts";
import type { PrincipalFields } from "../domain/principal.ts";
import { realDisk } from "./disk.ts";
import { nextKeyPath, readKey, switchKeys } from "./key.ts";
import { signerFrom } from "./note.ts";
import { openTranscript, type TranscriptOptions } from "./record.ts";
import { unusable } from "./unusable.ts";

/**
 * Rotates the key of a state folder that nobody else writes to; returns the old and the new verifier key. What a crash
 * interrupts is completed by the next opening. Faults: transcript_unavailable.
 */
export async function rotateKey(
  options: TranscriptOptions,
  by: PrincipalFields,
): Promise<{ readonly from: string; readonly to: string }> {
  const { folder, random, disk = realDisk } = options;
  const transcript = await openTranscript(options);
  try {
    const old = await readKey(join(folder, "keys", "transcript.key"));
    if (old === null) throw unusable("keys/transcript.key is missing");
    const fresh = signerFrom(old.name, random(32));
    await disk.replace(nextKeyPath(folder), Buffer.from(`${fresh.secret()}\n`));
    const details = { from: old.vkey, to: fresh.vkey };
    const draft: EntryDraft = { kind: "key.rotated", session: null, call: null, principal: by, details };
    await transcript.append([draft]);
    await transcript.checkpoint();
    await transcript.close();
    await switchKeys(disk, folder, old, fresh);
    return details;
  } finally {
    await transcript.close();
  }
}
