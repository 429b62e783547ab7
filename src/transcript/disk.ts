// The writing calls that the transcript makes of the disk, and no more: what can fail is in one place.

import { constants } from "node:fs";
import { mkdir, open, rename, type FileHandle } from "node:fs/promises";
import { dirname } from "node:path";

export interface DiskFile {
  /** Writes all bytes at a position. */
  write(bytes: Uint8Array, at: number): Promise<void>;
  /** Returns once what was written is on the medium (fdatasync). */
  sync(): Promise<void>;
  truncate(length: number): Promise<void>;
  close(): Promise<void>;
}

/** A file of which everything is on the medium when it returns. */
export interface DurableFile {
  /** Writes all bytes at a position. */
  write(bytes: Uint8Array, at: number): Promise<void>;
  truncate(length: number): Promise<void>;
  close(): Promise<void>;
}

/** Rejections are the operating system's own errors, with their `code` (ENOSPC, EROFS, EIO …). */
export interface Disk {
  /** Makes a folder, 0700, and those above it. */
  makeFolder(path: string): Promise<void>;
  /** Opens a file for writing, 0600, and makes it where it is absent: its name is durable on return. */
  open(path: string): Promise<DiskFile>;
  /** The same, for one that is waited for write by write. */
  openDurable(path: string): Promise<DurableFile>;
  /** Puts these bytes in a file's place, all or nothing, durably. */
  replace(path: string, bytes: Uint8Array): Promise<void>;
}

const creating = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW;

/**
 * On Linux, which alone has O_NOATIME, a write to a file with O_DSYNC is that write and fdatasync in one call; elsewhere
 * fdatasync may do more than O_DSYNC does.
 */
const writesThrough = constants.O_NOATIME !== undefined && constants.O_DSYNC !== undefined;

export const realDisk: Disk = {
  async makeFolder(path) {
    const first = await mkdir(path, { recursive: true, mode: 0o700 });
    if (first === undefined) return;
    // The names of new folders must outlive a power cut as the files in them do.
    let made = path;
    while (made.length > first.length) {
      await syncFolder(made);
      made = dirname(made);
    }
    await syncFolder(first);
  },

  async open(path) {
    const file = await open(path, creating, 0o600);
    await syncFolder(path);
    return {
      write: (bytes, at) => writeAll(file, bytes, at),
      sync: () => file.datasync(),
      truncate: (length) => file.truncate(length),
      close: () => file.close(),
    };
  },

  async openDurable(path) {
    const file = await open(path, writesThrough ? creating | constants.O_DSYNC : creating, 0o600);
    await syncFolder(path);
    return {
      async write(bytes, at) {
        await writeAll(file, bytes, at);
        if (!writesThrough) await file.datasync();
      },
      async truncate(length) {
        await file.truncate(length);
        await file.datasync();
      },
      close: () => file.close(),
    };
  },

  async replace(path, bytes) {
    const fresh = `${path}.new`;
    const file = await open(
      fresh,
      constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW,
      0o600,
    );
    try {
      await writeAll(file, bytes, 0);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(fresh, path);
    await syncFolder(path);
  },
};

async function writeAll(file: FileHandle, bytes: Uint8Array, at: number): Promise<void> {
  // A disk that is nearly full takes a part of the bytes without an error; the next write brings the error out.
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, at + done);
    done += bytesWritten;
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(dirname(path), "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** The operating system's word for what went wrong, for example `ENOSPC: no space left on device, write`. */
export function diskCause(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** Is it for want of space? (ENOSPC, or EDQUOT where a quota is spent) */
export function isFull(thrown: unknown): boolean {
  return thrown instanceof Error && "code" in thrown && (thrown.code === "ENOSPC" || thrown.code === "EDQUOT");
}
