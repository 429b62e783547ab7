// Writes a bundle's files, each with its length and digest for the manifest.

import { createHash } from "node:crypto";
import { mkdir, open } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { BundleFile } from "./form.ts";

export interface BundleWriting {
  /** A file that grows piece by piece; counted once it is closed. */
  begin(name: string): Promise<GrowingFile>;
  write(name: string, text: string | Uint8Array): Promise<void>;
  /** Those that were written so far, by name. */
  files(): readonly BundleFile[];
}

export interface GrowingFile {
  add(bytes: Uint8Array | string): Promise<void>;
  close(): Promise<void>;
}

const atOnce = 1 << 20;

/** Writes into a folder that is there and empty. Rejects with the operating system's error. */
export function writeInto(folder: string): BundleWriting {
  const files: BundleFile[] = [];
  async function begin(name: string): Promise<GrowingFile> {
    const path = join(folder, name);
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const file = await open(path, "wx", 0o600);
    const digest = createHash("sha256");
    let [pieces, held, bytes]: [Uint8Array[], number, number] = [[], 0, 0];
    const flush = async (): Promise<void> => {
      await file.writeFile(Buffer.concat(pieces));
      [pieces, held] = [[], 0];
    };
    return {
      async add(piece) {
        // A copy: what is handed in may be overwritten before it is written out.
        const own = Buffer.from(piece);
        digest.update(own);
        pieces.push(own);
        held += own.length;
        bytes += own.length;
        if (held >= atOnce) await flush();
      },
      async close() {
        try {
          await flush();
          await file.sync();
        } finally {
          await file.close();
        }
        files.push({ name, bytes, sha256: digest.digest("hex") });
      },
    };
  }
  return {
    begin,
    async write(name, text) {
      const file = await begin(name);
      await file.add(text);
      await file.close();
    },
    files: () => files.toSorted((one, other) => (one.name < other.name ? -1 : 1)),
  };
}
