// Space held back on the disk, so that calls that were let in can still be recorded to their end when it is full.

import { stat } from "node:fs/promises";
import type { Disk } from "./disk.ts";
import { largestEntry } from "./entry.ts";

/**
 * One call's share: its largest settled entry, and room for its grant's entries and the checkpoints beside it. What a
 * command printed finds room in it too, as at most 32 small entries: the end of such a call names one object.
 */
export const share = largestEntry + 1 + 16_384;

export interface Reserve {
  /** Returns once this many shares are held; rejects with the disk's error when they can't be. */
  hold(shares: number): Promise<void>;
  /** Gives back at least this many bytes to be written elsewhere. */
  spend(bytes: number): Promise<void>;
  close(): Promise<void>;
}

/**
 * A reserve in one file, filled with random bytes (a disk that compresses would hold nothing back for zeros). It keeps
 * its largest size until most of it is idle, so that a call costs no writing of its own.
 */
export async function openReserve(disk: Disk, path: string, random: (count: number) => Uint8Array): Promise<Reserve> {
  const file = await disk.open(path);
  let held = (await stat(path)).size;
  async function shrinkTo(length: number): Promise<void> {
    await file.truncate(length);
    held = length;
  }
  return {
    async hold(shares) {
      const wanted = shares * share;
      if (held > 4 * wanted + 64 * share) await shrinkTo(wanted);
      if (held >= wanted) return;
      // One share ahead, so that calls that come one by one do not each write.
      try {
        await file.write(Buffer.alloc(wanted + share - held, random(65_536)), held);
        await file.sync();
        held = wanted + share;
      } catch (thrown) {
        await file.truncate(held);
        throw thrown;
      }
    },
    // A file system gives space back in whole blocks.
    spend: (bytes) => shrinkTo(Math.max(0, held - (Math.ceil(bytes / 4096) + 2) * 4096)),
    async close() {
      try {
        await shrinkTo(Math.min(held, share));
      } finally {
        await file.close();
      }
    },
  };
}
