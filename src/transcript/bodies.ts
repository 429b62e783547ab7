// Sealed bodies on the disk: lines of numbered files that only grow, and the wrapped keys in a file of their own, where they can be destroyed. Long: writing, reading back and destroying share one layout.

import { open, stat } from "node:fs/promises";
import { hash, type KeyObject } from "node:crypto";
import { join } from "node:path";
import type { BodyClass, BodyRef, EntryDraft } from "../domain/entry.ts";
import { isJsonObject, textAt, type Json, type JsonObject } from "../domain/json.ts";
import { canonical } from "./canonical.ts";
import type { Disk, DiskFile } from "./disk.ts";
import { listNumbered, unlessAbsent } from "./files.ts";
import { visitLines } from "./lines.ts";
import { sealBody, usable, type KeyWrapping, type SealedBody, type WrappedKey } from "./seal.ts";

/** A longer body is cut to this many bytes: a line of its file stays below a mebibyte. */
export const largestBody = 512 * 1024;
/** A file that has reached this many bytes is followed by a new one. */
const fileSize = 64 * 1024 * 1024;

/** The lines of one append: they are durable before it returns. */
export interface SealedLines {
  readonly keys: readonly Buffer[];
  readonly bodies: readonly Buffer[];
}

export interface Bodies {
  /** Seals what the drafts carry and puts the reference into their details. Rejects where no key can be wrapped. */
  seal(drafts: readonly EntryDraft[]): Promise<{ readonly drafts: readonly EntryDraft[]; readonly lines: SealedLines }>;
  /** Writes lines, not yet durable. Rejects with the disk's error, and then none of them counts. */
  write(lines: readonly SealedLines[]): Promise<void>;
  /** Returns when all that was written is durable. */
  sync(): Promise<void>;
  /** Takes these keys out of the file, durably; a session that goes on gets others. */
  destroy(keys: ReadonlySet<string>): Promise<void>;
  close(): Promise<void>;
}

export interface BodiesOptions {
  readonly disk: Disk;
  /** `transcript/bodies`. */
  readonly folder: string;
  readonly wrapping: KeyWrapping;
  /** What is kept; of other classes there is no body. */
  readonly classes: ReadonlySet<BodyClass>;
  readonly random: (count: number) => Uint8Array;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

interface DataKey {
  readonly id: string;
  readonly secret: KeyObject;
  /** Is its line on its way to the disk? */
  line: Buffer | null;
}

/** Sessions whose data keys are remembered; one that comes back later gets new ones. */
const mostKeys = 1000;

/** Opens the files for writing; what a crash left of a line is cut off. */
export async function openBodies({ disk, folder, wrapping, classes, random, now }: BodiesOptions): Promise<Bodies> {
  const names = await listNumbered(folder, "sealed");
  const sealed = await openGrowing(disk, folder, Math.max(0, names.length - 1));
  const keyFile = growingFile(disk, join(folder, "keys.ndjson"), await wholeLines(join(folder, "keys.ndjson")));
  const known = new Map<string, Promise<DataKey>>();
  /** Writing and destroying keys take turns: both put the file of keys in another state. */
  let turn: Promise<unknown> = Promise.resolve();
  function inTurn(work: () => Promise<void>): Promise<void> {
    const mine = turn.then(work);
    turn = mine.catch(() => undefined);
    return mine;
  }

  async function makeKey(sid: string, class_: BodyClass, since: string): Promise<DataKey> {
    const id = Buffer.from(random(16)).toString("hex");
    const bytes = random(32);
    const wrapped = await wrapping.wrap(bytes, { key: id, sid, class: class_, since });
    return { id, secret: usable(bytes), line: lineOf(wrapped) };
  }
  function keyFor(sid: string, class_: BodyClass): Promise<DataKey> {
    const since = new Date(now()).toISOString().slice(0, 10);
    const name = `${sid} ${class_} ${since}`;
    const found = known.get(name) ?? makeKey(sid, class_, since);
    known.delete(name);
    known.set(name, found);
    found.catch(() => known.delete(name));
    for (const oldest of known.keys()) {
      if (known.size <= mostKeys) break;
      known.delete(oldest);
    }
    return found;
  }

  async function sealOne(draft: EntryDraft, lines: { keys: Buffer[]; bodies: Buffer[] }): Promise<EntryDraft> {
    const { body } = draft;
    if (body === undefined || !classes.has(body.class)) return draft;
    const key = await keyFor(draft.session?.id ?? "", body.class);
    const text = cut(body.text);
    const sealedBody = sealBody(text, key.secret, key.id, random);
    const line = lineOf(sealedBody);
    if (key.line !== null && !lines.keys.includes(key.line)) lines.keys.push(key.line);
    lines.bodies.push(line);
    const bytes = Buffer.byteLength(body.text);
    const ref: BodyRef = {
      bytes,
      commit: sealedBody.commit,
      key: key.id,
      seal: hash("sha256", line.subarray(0, -1), "hex"),
    };
    return { ...draft, details: { ...draft.details, body: ref } } as EntryDraft;
  }

  return {
    async seal(drafts) {
      const lines = { keys: [], bodies: [] };
      const done: EntryDraft[] = [];
      for (const draft of drafts) done.push(await sealOne(draft, lines));
      return { drafts: done, lines };
    },
    write: (lines) =>
      inTurn(async () => {
        const keys = lines.flatMap((one) => one.keys);
        await keyFile.write(keys);
        await sealed.write(lines.flatMap((one) => one.bodies));
        // Written once; a key whose line was lost with its batch is written again with the next body.
        for (const found of known.values()) {
          const key = await found;
          if (key.line !== null && keys.includes(key.line)) key.line = null;
        }
      }),
    destroy: (keys) =>
      inTurn(async () => {
        for (const [name, found] of known) if (keys.has((await found).id)) known.delete(name);
        keyFile.replaced(await destroyKeys(disk, folder, keys));
      }),
    sync: () =>
      inTurn(async () => {
        // Both come to their end: a file that failed is closed before anything is written to it again.
        for (const one of await Promise.allSettled([keyFile.sync(), sealed.sync()]))
          if (one.status === "rejected") throw one.reason;
      }),
    async close() {
      await Promise.all([keyFile.close(), sealed.close()]);
    },
  };
}

function lineOf(value: SealedBody | WrappedKey): Buffer {
  return Buffer.from(`${canonical(value)}\n`);
}

function cut(text: string): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= largestBody) return text;
  // Never half a character.
  let end = largestBody;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.toString("utf8", 0, end);
}

interface Growing {
  write(lines: readonly Buffer[]): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** A file of lines, made with its first one. `whole`: bytes of whole lines in it. */
function growingFile(
  disk: Disk,
  path: string,
  whole: number,
): Growing & { readonly length: () => number; readonly replaced: (length: number) => void } {
  let file: DiskFile | null = null;
  let length = whole;
  let dirty = true;
  let written = false;
  return {
    length: () => length,
    replaced(whole_) {
      void file?.close().catch(() => undefined);
      [file, length, dirty] = [null, whole_, true];
    },
    async write(lines) {
      if (lines.length === 0) return;
      file ??= await disk.open(path);
      if (dirty) await file.truncate(length);
      dirty = true;
      const bytes = Buffer.concat(lines);
      await file.write(bytes, length);
      length += bytes.length;
      dirty = false;
      written = true;
    },
    async sync() {
      if (!written) return;
      written = false;
      try {
        await file?.sync();
      } catch (thrown) {
        // The kernel may hold pages as clean that never reached the medium: this handle is not trusted again.
        await file?.close().catch(() => undefined);
        file = null;
        dirty = true;
        throw thrown;
      }
    },
    async close() {
      await file?.close();
      file = null;
    },
  };
}

/** The numbered files one after the other. */
async function openGrowing(disk: Disk, folder: string, last: number): Promise<Growing> {
  const path = (number: number): string => join(folder, sealedName(number));
  let number = last;
  let file = growingFile(disk, path(number), await wholeLines(path(number)));
  return {
    async write(lines) {
      if (lines.length > 0 && file.length() >= fileSize) {
        await file.sync();
        await file.close();
        number++;
        file = growingFile(disk, path(number), 0);
      }
      await file.write(lines);
    },
    sync: () => file.sync(),
    close: () => file.close(),
  };
}

export function sealedName(number: number): string {
  return `${String(number).padStart(8, "0")}.sealed`;
}

/** Bytes up to and with the last newline; 0 where there is no file. */
async function wholeLines(path: string): Promise<number> {
  const size = (await unlessAbsent(stat(path)))?.size ?? 0;
  if (size === 0) return 0;
  const file = await open(path, "r");
  try {
    const buffer = Buffer.alloc(1 << 16);
    for (let end = size; end > 0;) {
      const from = Math.max(0, end - buffer.length);
      const { bytesRead } = await file.read(buffer, 0, end - from, from);
      const at = buffer.subarray(0, bytesRead).lastIndexOf(0x0a);
      if (at >= 0) return from + at + 1;
      end = from;
    }
    return 0;
  } finally {
    await file.close();
  }
}

/** Hands out the sealed bodies of the newest files with the SHA-256 of each line (hex). Lines that are none are left out. */
export async function visitBodies(
  folder: string,
  visit: (body: SealedBody, seal: string) => void,
  newest = Infinity,
): Promise<void> {
  for (const name of (await listNumbered(folder, "sealed")).slice(-newest))
    await visitSealed(join(folder, name), visit);
}

/** The same of one file. */
export async function visitSealed(path: string, visit: (body: SealedBody, seal: string) => void): Promise<void> {
  await visitLines(path, (buffer, start, end) => {
    const line = buffer.subarray(start, end);
    const body = parsed(line);
    const [commit, key, sealed] = ["commit", "key", "sealed"].map((field) => textAt(body, field));
    if (commit && key && sealed) visit({ commit, key, sealed }, hash("sha256", line, "hex"));
  });
}

/** The commitments of those of these, written last of all, that a crash left without their line or their key. */
export async function missingBodies(
  folder: string,
  refs: readonly Pick<BodyRef, "commit" | "key">[],
): Promise<readonly string[]> {
  if (refs.length === 0) return [];
  const keys = new Set((await readKeys(folder)).map((one) => one.key));
  const there = new Set<string>();
  await visitBodies(folder, ({ commit }) => void there.add(commit), 2);
  return refs.filter(({ commit, key }) => !there.has(commit) || !keys.has(key)).map(({ commit }) => commit);
}

/** The wrapped keys that are there, in their order. */
export async function readKeys(folder: string): Promise<readonly WrappedKey[]> {
  const path = join(folder, "keys.ndjson");
  if ((await unlessAbsent(stat(path))) === null) return [];
  const keys: WrappedKey[] = [];
  await visitLines(path, (buffer, start, end) => {
    const key = parsed(buffer.subarray(start, end));
    if (isWrappedKey(key)) keys.push(key);
  });
  return keys;
}

/** Writes the file of keys anew without these; returns its bytes. The caller is the only writer. */
export async function destroyKeys(disk: Disk, folder: string, keys: ReadonlySet<string>): Promise<number> {
  const left = Buffer.concat((await readKeys(folder)).filter((one) => !keys.has(one.key)).map(lineOf));
  await disk.replace(join(folder, "keys.ndjson"), left);
  return left.length;
}

function isWrappedKey(value: Json | undefined): value is JsonObject & WrappedKey {
  return (
    isJsonObject(value) &&
    ["key", "sid", "class", "since", "under", "wrapped"].every((field) => typeof value[field] === "string")
  );
}

function parsed(line: Buffer): Json {
  try {
    return JSON.parse(line.toString("utf8")) as Json;
  } catch {
    return null;
  }
}
