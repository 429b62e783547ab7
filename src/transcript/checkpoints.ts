// The signed heads of the tree: the newest in one file, all of them in another, and never two that differ at one size.

import type { Disk, DiskFile } from "./disk.ts";
import { readText, type TranscriptPaths } from "./files.ts";
import { readNoteLogEnd, type NoteLogEnd } from "./note-log.ts";
import { checkpointText, openCheckpoint, signNote, type Signer, type Verifier } from "./note.ts";
import type { Head } from "./tree.ts";
import { unusable } from "./unusable.ts";

export interface Checkpoints {
  /** The newest head that was signed, or null before the first. */
  latest(): Head | null;
  /** Its note, once it is written down. */
  note(): string | null;
  /**
   * Signs this head and writes it down; does nothing when it is the last one again. Rejects with the disk's error, and
   * may then be asked again. Throws when the head contradicts one that was signed.
   */
  publish(head: Head): Promise<void>;
  close(): Promise<void>;
}

/** What the files hold: the newest note, and the end of the log of all. */
export interface CheckpointsFound {
  readonly note: string | null;
  readonly log: NoteLogEnd;
}

/** Reads the checkpoints' files. Faults: transcript_unavailable when `log.vkey` is neither this signer's nor a retired key's. */
export async function readCheckpoints(
  paths: TranscriptPaths,
  signer: Signer,
  retired: readonly Verifier[],
): Promise<CheckpointsFound> {
  const [note, vkey, log] = await Promise.all([
    readText(paths.checkpoint),
    readText(paths.vkey),
    readNoteLogEnd(paths.checkpointsLog),
  ]);
  if (vkey !== null && ![signer, ...retired].some((one) => one.vkey === vkey.trim()))
    throw unusable("log.vkey belongs to another key than keys/transcript.key");
  return { note, log };
}

/**
 * Opens the checkpoints' files for writing and completes what a crash left undone between them.
 * Faults: transcript_unavailable when they are not signed by this key or contradict each other.
 */
export async function openCheckpoints(
  disk: Disk,
  paths: TranscriptPaths,
  signer: Signer,
  found: CheckpointsFound,
  retired: readonly Verifier[] = [],
): Promise<Checkpoints> {
  const { note, log: logged } = found;
  let signed = newestOf(note, logged.last, [signer, ...retired]);
  let written = note;
  if ((await readText(paths.vkey))?.trim() !== signer.vkey)
    await disk.replace(paths.vkey, Buffer.from(`${signer.vkey}\n`));
  let log: DiskFile | null = null;
  let length = logged.length;
  /** Written to the checkpoint file, and not yet to the log. */
  let pending = note === null || note === logged.last ? "" : note;
  /** Signed, and not yet in the checkpoint file. */
  let fresh = "";

  async function appendPending(): Promise<void> {
    if (pending === "") return;
    const bytes = Buffer.from(length === 0 ? pending : `\n${pending}`);
    log ??= await disk.open(paths.checkpointsLog);
    await log.truncate(length);
    await log.write(bytes, length);
    await log.sync();
    length += bytes.length;
    pending = "";
  }
  await appendPending();

  return {
    latest: () => signed,
    note: () => written,
    async publish(head) {
      if (signed !== null && contradicts(head, signed)) throw new Error("a head that contradicts one that was signed");
      if (signed?.size !== head.size) {
        // Remembered before it can leave this process, so that no other head of this size is ever signed.
        signed = head;
        fresh = signNote(checkpointText(signer.name, head), signer);
      }
      await appendPending();
      if (fresh === "") return;
      // The checkpoint first: whoever reads the log's end and then the checkpoint never finds it behind the log.
      await disk.replace(paths.checkpoint, Buffer.from(fresh));
      [written, pending, fresh] = [fresh, fresh, ""];
      await appendPending();
    },
    async close() {
      await log?.close();
    },
  };
}

function newestOf(note: string | null, logged: string | null, keys: readonly Verifier[]): Head | null {
  const newest = note === null ? null : openWith(note, keys);
  const last = logged === null ? null : openWith(logged, keys);
  if (note !== null && newest === null) throw unusable("the checkpoint is not signed by keys/transcript.key");
  if (logged !== null && last === null) throw unusable("checkpoints.log is not signed by keys/transcript.key");
  if (last !== null && (newest === null || newest.size < last.size))
    throw unusable(`checkpoints.log has a checkpoint of ${last.size} entries, the checkpoint file has an older one`);
  return newest;
}

/** The head of a note that one of these keys signed; after a rotation the last one is the old key's. */
function openWith(note: string, keys: readonly Verifier[]): Head | null {
  for (const key of keys) {
    const head = openCheckpoint(note, key);
    if (head !== null) return head;
  }
  return null;
}

function contradicts(head: Head, signed: Head): boolean {
  return head.size < signed.size || (head.size === signed.size && Buffer.compare(head.root, signed.root) !== 0);
}
