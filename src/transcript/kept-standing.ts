// What the entries of the full segments come to, kept beside them under the gateway's key: a start then reads the last segment alone.

import { createHmac, timingSafeEqual } from "node:crypto";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { Disk } from "./disk.ts";
import { listSegments, readText, segmentName, type TranscriptPaths } from "./files.ts";
import type { Signer } from "./note.ts";
import { emptyStanding, type Standing } from "./standing.ts";
import { segmentSize } from "./stores/index.ts";
import type { Tree } from "./tree.ts";

/** A place between two segments, and what everything before it comes to. */
export interface Summed {
  /** How many segments lie before it. */
  readonly segments: number;
  /** How many entries, and the roots of the tree's full subtrees over them. */
  readonly size: number;
  readonly peaks: readonly Uint8Array[];
  readonly standing: Standing;
  /** Bytes that it takes to keep. */
  readonly bytes: number;
}

/** Before the first entry. */
export function nothingSummed(): Summed {
  return { segments: 0, size: 0, peaks: [], standing: emptyStanding(), bytes: 0 };
}

/** `none`: nothing that this version of the program could use. `refused`: it is not what this gateway kept, or of other files. */
export type KeptStanding =
  | { readonly kind: "none" }
  | { readonly kind: "refused"; readonly why: string }
  | { readonly kind: "kept"; readonly summed: Summed };

/** The files of a transcript, and who kept something beside them. */
export interface KeepingPlace {
  readonly paths: TranscriptPaths;
  readonly signer: Signer;
  /** The program's version: another one may sum up otherwise. */
  readonly version: string;
}

interface Kept {
  readonly version: string;
  /** The length of each full segment, in bytes. */
  readonly lengths: readonly number[];
  readonly size: number;
  /** Hex. */
  readonly peaks: readonly string[];
  readonly standing: Standing;
}

/**
 * Reads what was kept. The tree in it is still to be held against a signed head; the rest is as good as the key. Rejects
 * with the operating system's error.
 */
export async function readStanding({ paths, signer, version }: KeepingPlace): Promise<KeptStanding> {
  const refused = (why: string): KeptStanding => ({ kind: "refused", why });
  const text = await readText(paths.standing);
  if (text === null) return { kind: "none" };
  const [, key, mac, body] = /^sallyport-standing ([0-9a-f]{8}) ([0-9a-f]{64})\n([^]*)$/.exec(text) ?? [];
  if (key === undefined || mac === undefined || body === undefined) return refused("is damaged");
  if (key !== signer.hash) return { kind: "none" };
  if (!timingSafeEqual(Buffer.from(mac, "hex"), macOf(body, signer))) return refused("was changed");
  const kept = JSON.parse(body, revived) as Kept;
  if (kept.version !== version || namesOf(kept.standing) !== namesOf(emptyStanding())) return { kind: "none" };
  const { names } = await listSegments(paths.segments);
  // The one behind it stood there when it was kept.
  if (names.length <= kept.lengths.length) return refused(`counts ${kept.lengths.length + 1} segments`);
  for (const [number, length] of kept.lengths.entries())
    if ((await stat(join(paths.segments, segmentName(number)))).size !== length)
      return refused(`counts ${length} bytes in segments/${segmentName(number)}`);
  const { size, standing } = kept;
  const peaks = kept.peaks.map((peak) => Buffer.from(peak, "hex"));
  return { kind: "kept", summed: { segments: kept.lengths.length, size, peaks, standing, bytes: text.length } };
}

export interface StandingKeeper {
  /** The next entry is the first of segment `number`: everything before it comes to this. */
  turned(number: number, tree: Tree, standing: Standing): void;
  /** A purge made these segments shorter: their numbers and new lengths. */
  shrunk(lengths: ReadonlyMap<number, number>): void;
  /** Writes it down, once a head of `signed` entries covers it. Rejects with the disk's error, and may be asked again. */
  keep(signed: number): Promise<void>;
}

/** `before`: what is kept already. `size`: bytes of a full segment. */
export function openStandingKeeper(
  disk: Disk,
  { paths, signer, version }: KeepingPlace,
  before: Pick<Summed, "segments" | "bytes">,
  size: number = segmentSize,
): StandingKeeper {
  let last = before;
  const shorter = new Map<number, number>();
  let next: { readonly segments: number; readonly size: number; readonly rest: string } | null = null;
  return {
    turned(number, tree, standing) {
      // It grows with sessions and grants: written only where as much again and more was recorded meanwhile.
      if (number - last.segments < Math.max(1, (4 * last.bytes) / size)) return;
      const peaks = tree.peaks().map((peak) => Buffer.from(peak).toString("hex"));
      const rest = JSON.stringify({ version, size: tree.size(), peaks, standing }, flattened);
      next = { segments: number, size: tree.size(), rest };
    },
    shrunk(lengths) {
      for (const [number, length] of lengths) shorter.set(number, length);
    },
    async keep(signed) {
      if (shorter.size > 0) await keepLengths(disk, { paths, signer, version }, new Map(shorter));
      shorter.clear();
      if (next === null || signed < next.size) return;
      const { segments, rest } = next;
      const lengths = await Promise.all(
        Array.from({ length: segments }, async (_, at) => (await stat(join(paths.segments, segmentName(at)))).size),
      );
      const body = `{"lengths":${JSON.stringify(lengths)},${rest.slice(1)}`;
      const text = `sallyport-standing ${signer.hash} ${macOf(body, signer).toString("hex")}\n${body}`;
      await disk.replace(paths.standing, Buffer.from(text));
      last = { segments, bytes: text.length };
      if (next?.segments === segments) next = null;
    },
  };
}

/** What was kept stays as good as it was: the lines that a purge left have the same leaves. */
async function keepLengths(
  disk: Disk,
  { paths, signer }: KeepingPlace,
  lengths: ReadonlyMap<number, number>,
): Promise<void> {
  const text = (await readText(paths.standing)) ?? "";
  const [, key, mac, body] = /^sallyport-standing ([0-9a-f]{8}) ([0-9a-f]{64})\n([^]*)$/.exec(text) ?? [];
  if (key !== signer.hash || mac === undefined || body === undefined) return;
  if (!timingSafeEqual(Buffer.from(mac, "hex"), macOf(body, signer))) return;
  const [before = "", list = ""] = /^\{"lengths":(\[[\d,]*\])/.exec(body) ?? [];
  if (list === "") return;
  const kept = (JSON.parse(list) as readonly number[]).map((length, number) => lengths.get(number) ?? length);
  const renewed = `{"lengths":${JSON.stringify(kept)}${body.slice(before.length)}`;
  const signed = `sallyport-standing ${signer.hash} ${macOf(renewed, signer).toString("hex")}\n${renewed}`;
  await disk.replace(paths.standing, Buffer.from(signed));
}

/** Under the key's secret, which nobody else has; the first line tells it from all else that the key vouches for. */
function macOf(body: string, signer: Signer): Buffer {
  return createHmac("sha256", signer.secret()).update("sallyport-standing\n").update(body).digest();
}

const namesOf = (standing: Standing): string => Object.keys(standing).sort().join();

/** Maps and sets, which JSON has no words for. */
function flattened(_: string, value: unknown): unknown {
  if (value instanceof Map) return { $map: [...value] };
  return value instanceof Set ? { $set: [...value] } : value;
}

function revived(_: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if ("$map" in value) return new Map(value.$map as Iterable<[unknown, unknown]>);
  return "$set" in value ? new Set(value.$set as Iterable<unknown>) : value;
}
