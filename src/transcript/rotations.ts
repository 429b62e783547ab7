// Which key signs heads of which size: a rotation is an entry under a head of the old key, and every later head is the new key's.

import { join } from "node:path";
import { textAt } from "../domain/json.ts";
import { isMalformed, readEntry } from "./entry.ts";
import { listSegments, type TranscriptPaths } from "./files.ts";
import { visitLines } from "./lines.ts";
import { parseVkey, type Verifier } from "./note.ts";

export interface Rotation {
  /** The entry's position in the tree. */
  readonly index: number;
  /** Verifier keys, `name+hash+base64`. */
  readonly from: string;
  readonly to: string;
}

/** The keys of a log, and from which size on each of them signs. */
export interface KeyChain {
  /** Who signs a head of this size; null where no key is known. */
  signerOf(size: number): Verifier | null;
  /** How many rotations there were. */
  readonly rotations: number;
}

/**
 * The chain that holds the auditor's key, wherever in it: forward from that key by entries that it signed, backward by
 * the old keys that these entries name. A rotation that does not continue the one before ends the chain.
 */
export function chainOf(held: Verifier | null, rotations: readonly Rotation[]): KeyChain {
  const whole = rotations.length > 0 && rotations.every((one, at) => at === 0 || rotations[at - 1]?.to === one.from);
  const keys = whole ? [rotations[0]?.from ?? "", ...rotations.map((one) => one.to)] : [];
  const verifiers = keys.map(parseVkey);
  if (held === null || !keys.includes(held.vkey) || verifiers.includes(null))
    return { signerOf: () => held, rotations: 0 };
  return {
    // The entry at `index` is covered by the head of `index + 1` entries, the old key's last.
    signerOf: (size) => verifiers[rotations.filter(({ index }) => index + 1 < size).length] ?? null,
    rotations: rotations.length,
  };
}

const word = Buffer.from('"kind":"key.rotated"');

/** Every rotation in the files, by a search for their bytes. */
export async function readRotations(paths: TranscriptPaths): Promise<readonly Rotation[]> {
  const found: Rotation[] = [];
  let index = 0;
  for (const name of (await listSegments(paths.segments)).names)
    await visitLines(join(paths.segments, name), (buffer, start, end) => {
      const at = index++;
      const line = buffer.subarray(start, end);
      if (!line.includes(word)) return;
      const entry = readEntry(line.toString("utf8"));
      if (isMalformed(entry) || entry.kind !== "key.rotated") return;
      found.push({ index: at, from: textAt(entry.details, "from"), to: textAt(entry.details, "to") });
    });
  return found;
}
