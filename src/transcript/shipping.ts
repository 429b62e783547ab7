// One continuous export: entries go to a destination as they are signed, from a cursor that outlives the process.

import { join } from "node:path";
import * as z from "zod";
import type { Destination } from "./destinations.ts";
import { diskCause, type Disk } from "./disk.ts";
import type { Exported, Exporter } from "./exporters/contract.ts";
import { readText } from "./files.ts";
import { beginning, cursorHolds, movedCursor, feed, signedHead, type Cursor } from "./feed.ts";

export interface ShippingOptions {
  /** The state folder; the cursor is kept in `exports/NAME.cursor` there. */
  readonly folder: string;
  readonly name: string;
  readonly exporter: Exporter;
  /** One record for an entry, where it is another than the exporter's own: for a message around it. */
  readonly record?: (one: Exported) => string;
  readonly destination: Destination;
  readonly version: string;
  readonly disk: Disk;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Resolves after so many milliseconds, or at once when `signal` is aborted. */
  readonly pause: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  /** Told in a sentence for the operator when a destination can't be reached, and when it can be again. */
  readonly say: (sentence: string) => void;
}

export interface Lag {
  readonly name: string;
  /** Signed entries that have not arrived there. */
  readonly entries: number;
  /** Milliseconds since the oldest of them was written; 0 where there is none. */
  readonly age: number;
  /** Why the last try failed, or null. */
  readonly trouble: string | null;
}

export interface Shipping {
  lag(): Promise<Lag>;
  /** No batch begins after this; returns when the one on its way has ended. */
  stop(): Promise<void>;
}

/** Bytes of lines in one batch: bounds memory, and what a break sends twice. */
const batchBytes = 512 * 1024;
/** Milliseconds between looks for what is new, and between tries while a destination is away. */
const idle = 1000;
const longestBackoff = 60_000;

const kept = z.strictObject({
  index: z.number().int().min(0),
  segment: z.number().int().min(0),
  offset: z.number().int().min(0),
  leaf: z.string().regex(/^([0-9a-f]{64})?$/),
});

/** Starts at once. Nothing waits for it: it reads the files as any other reader does, and what fails is tried again. */
export function startShipping(options: ShippingOptions): Shipping {
  const stopping = new AbortController();
  const state: ShippingState = { cursor: null, trouble: null };
  const running = shipUntil(stopping.signal, options, state);
  return {
    lag: () => lagOf(options, state),
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

interface ShippingState {
  /** null until it was read. */
  cursor: Cursor | null;
  trouble: string | null;
}

async function shipUntil(signal: AbortSignal, options: ShippingOptions, state: ShippingState): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    try {
      state.cursor ??= await keptCursor(options);
      const before = state.cursor.index;
      state.cursor = await shipOnce(options, state.cursor);
      if (failures > 0) options.say(`The export ${options.name} reaches its destination again.`);
      [failures, state.trouble] = [0, null];
      if (state.cursor.index > before) continue;
      await options.pause(idle, signal);
    } catch (thrown) {
      state.trouble = diskCause(thrown);
      if (failures === 0) options.say(`The export ${options.name} can't go on, and is tried again: ${state.trouble}`);
      await options.pause(Math.min(longestBackoff, idle * 2 ** Math.min(failures, 10)), signal);
      failures++;
    }
  }
}

/** Sends the next batch of signed entries and remembers that it arrived; the same cursor again where there is none. */
async function shipOnce(options: ShippingOptions, cursor: Cursor): Promise<Cursor> {
  const { folder, exporter, destination, version, now } = options;
  // What no head counts yet may still be taken back by a failed write.
  const head = await signedHead(folder);
  const { entries, next } = await feed(folder, cursor, batchBytes, head.size);
  if (next.index === cursor.index) return cursor;
  const about = { version, at: new Date(now()).toISOString(), query: "", ...head };
  const record = options.record ?? ((one: Exported) => exporter.record(one));
  if (entries.length > 0) await destination.deliver(entries.map(record), exporter.head(about));
  await options.disk.replace(pathOf(options), Buffer.from(`${JSON.stringify(next)}\n`));
  return next;
}

function pathOf({ folder, name }: Pick<ShippingOptions, "folder" | "name">): string {
  return join(folder, "exports", `${name}.cursor`);
}

/** Where the last process left off; the beginning where none did, or where these are other segments than it read. */
async function keptCursor(options: ShippingOptions): Promise<Cursor> {
  const { folder, name, say, disk } = options;
  await disk.makeFolder(join(folder, "exports"));
  const text = await readText(pathOf(options));
  if (text === null) return beginning;
  const cursor = parseCursor(text);
  if (cursor !== null && (await cursorHolds(folder, cursor))) return cursor;
  const moved = cursor === null ? null : await movedCursor(folder, cursor);
  if (moved !== null) return moved;
  say(`The cursor of the export ${name} is not one of this transcript: everything is exported again.`);
  return beginning;
}

function parseCursor(text: string): Cursor | null {
  try {
    return kept.parse(JSON.parse(text));
  } catch {
    return null; // Damaged: at least once is what is promised, and is kept by beginning again.
  }
}

/** How far an export is behind, from its cursor's file alone. */
export async function readLag(where: Pick<ShippingOptions, "folder" | "name" | "now">): Promise<Lag> {
  const text = await readText(pathOf(where));
  return await lagOf(where, { cursor: text === null ? null : parseCursor(text), trouble: null });
}

async function lagOf(
  { folder, name, now }: Pick<ShippingOptions, "folder" | "name" | "now">,
  { cursor, trouble }: ShippingState,
): Promise<Lag> {
  const from = cursor ?? beginning;
  const { size } = await signedHead(folder);
  if (size <= from.index) return { name, entries: 0, age: 0, trouble };
  const { entries } = await feed(folder, from, 4096, size);
  const [oldest] = entries;
  const age = oldest === undefined ? 0 : Math.max(0, now() - Date.parse(oldest.entry.ts));
  return { name, entries: size - from.index, age, trouble };
}
