// Disks that are full, fail or do not answer when a test says so: faults below the transcript.

import { stat } from "node:fs/promises";
import { realDisk, type Disk, type DiskFile, type DurableFile } from "../../src/transcript/disk.ts";

const failure = (code: string): Error => Object.assign(new Error(`${code}: the disk says so, write`), { code });

/** The real disk with so many bytes on it: writes that need more take what is left and fail, as a file system does. */
export function smallDisk(capacity: () => number): Disk & { used(): number } {
  const sizes = new Map<string, number>();
  const used = (): number => [...sizes.values()].reduce((sum, size) => sum + size, 0);
  async function grow(path: string, length: number, write: (room: number) => Promise<void>): Promise<void> {
    const before = sizes.get(path) ?? 0;
    const room = Math.max(0, capacity() - used());
    const more = Math.max(0, length - before);
    sizes.set(path, before + Math.min(more, room));
    await write(Math.min(more, room) - more);
    if (more > room) throw failure("ENOSPC");
  }
  return {
    ...realDisk,
    used,
    async open(path): Promise<DiskFile> {
      const file = await realDisk.open(path);
      sizes.set(path, (await stat(path)).size);
      return {
        ...file,
        write: (bytes, at) =>
          grow(path, at + bytes.length, (missing) => file.write(bytes.subarray(0, bytes.length + missing), at)),
        async truncate(length) {
          await file.truncate(length);
          sizes.set(path, length);
        },
      };
    },
    async openDurable(path): Promise<DurableFile> {
      const file = await realDisk.openDurable(path);
      sizes.set(path, (await stat(path)).size);
      return {
        ...file,
        write: (bytes, at) =>
          grow(path, at + bytes.length, (missing) => file.write(bytes.subarray(0, bytes.length + missing), at)),
        async truncate(length) {
          await file.truncate(length);
          sizes.set(path, length);
        },
      };
    },
    async replace(path, bytes) {
      if (used() + bytes.length > capacity()) throw failure("ENOSPC");
      await realDisk.replace(path, bytes);
      sizes.set(path, bytes.length);
    },
  };
}

/** The real disk, failing with this code while there is one; a part of the bytes gets through each time. */
export function failingDisk(code: () => string): Disk {
  const fail = (): void => {
    if (code() !== "") throw failure(code());
  };
  return {
    ...realDisk,
    async open(path): Promise<DiskFile> {
      fail();
      const file = await realDisk.open(path);
      return {
        ...file,
        async write(bytes, at) {
          await file.write(code() === "EIO" ? bytes.subarray(0, bytes.length / 2) : bytes, at);
          if (code() !== "ESYNC") fail();
        },
        async sync() {
          fail();
          await file.sync();
        },
        async truncate(length) {
          fail();
          await file.truncate(length);
        },
      };
    },
    async openDurable(path): Promise<DurableFile> {
      fail();
      const file = await realDisk.openDurable(path);
      return {
        ...file,
        async write(bytes, at) {
          await file.write(code() === "EIO" ? bytes.subarray(0, bytes.length / 2) : bytes, at);
          fail();
        },
        async truncate(length) {
          fail();
          await file.truncate(length);
        },
      };
    },
    async replace(path, bytes) {
      fail();
      await realDisk.replace(path, bytes);
    },
  };
}

/** The real disk, which answers no write of an entry before this is over, as a network's may. */
export function hangingDisk(over: () => Promise<void>): Disk {
  return {
    ...realDisk,
    async openDurable(path): Promise<DurableFile> {
      const file = await realDisk.openDurable(path);
      return {
        ...file,
        async write(bytes, at) {
          await over();
          await file.write(bytes, at);
        },
      };
    },
  };
}

/** The real disk with a part that fails while it is told to: files whose path holds `part`. */
export function disklessFor(part: string, failing: () => boolean): Disk {
  const fail = (path: string): void => {
    if (failing() && path.includes(part)) throw failure("EIO");
  };
  return {
    ...realDisk,
    async open(path): Promise<DiskFile> {
      const file = await realDisk.open(path);
      return {
        ...file,
        async write(bytes, at) {
          fail(path);
          await file.write(bytes, at);
        },
        async sync() {
          fail(path);
          await file.sync();
        },
      };
    },
  };
}
