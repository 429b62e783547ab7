// One entry's proof as a file of its own (c2sp.org/tlog-proof): the way from its leaf to a signed head, which anyone can check offline.

import { join } from "node:path";
import { findTranscript, listSegments, readText } from "./files.ts";
import { visitLines } from "./lines.ts";
import { openCheckpoint, type Verifier } from "./note.ts";
import { isPurgedLine, leafOfLine } from "./purged-lines.ts";
import { inclusionProof, leafHash, provesInclusion } from "./tree.ts";
import { unusable } from "./unusable.ts";

const firstLine = "c2sp.org/tlog-proof@v1";

export interface Proof {
  /** 0-based position in the tree. */
  readonly index: number;
  /** From the leaf's sibling up to the root's child. */
  readonly hashes: readonly Uint8Array[];
  /** The signed note. */
  readonly checkpoint: string;
  /** What is carried along and not authenticated by itself: here the entry's own line; null where there is none. */
  readonly extra: Uint8Array | null;
}

export function proofText({ index, hashes, checkpoint, extra }: Proof): string {
  const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");
  const lines = [
    firstLine,
    ...(extra === null ? [] : [`extra ${base64(extra)}`]),
    `index ${index}`,
    ...hashes.map(base64),
  ];
  return `${lines.join("\n")}\n\n${checkpoint}`;
}

/** The proof that a file's text holds, or null where it is none. */
export function parseProof(text: string): Proof | null {
  const end = text.indexOf("\n\n");
  if (end < 0) return null;
  const [first, ...lines] = text.slice(0, end).split("\n");
  if (first !== firstLine) return null;
  const extra = lines[0]?.startsWith("extra ") === true ? strictBase64((lines.shift() ?? "").slice(6)) : null;
  const index = /^index (0|[1-9]\d{0,15})$/.exec(lines.shift() ?? "")?.[1];
  const hashes = lines.map(strictBase64);
  if (index === undefined || !Number.isSafeInteger(Number(index))) return null;
  const whole = hashes.filter((one) => one?.length === 32);
  if (whole.length !== hashes.length || hashes.length > 63) return null;
  return { index: Number(index), hashes: whole as Uint8Array[], checkpoint: text.slice(end + 2), extra };
}

/** Does this proof show that the line (without its newline) is in the tree of a head that the key signed? */
export function provesLine({ index, hashes, checkpoint }: Proof, line: Uint8Array, verifier: Verifier): boolean {
  const head = openCheckpoint(checkpoint, verifier);
  return head !== null && provesInclusion(leafHash(line), index, head.size, hashes, head.root);
}

/**
 * Proves entries by their indexes under the newest checkpoint; each proof carries its entry's line. Faults:
 * transcript_unavailable where there is no transcript, or an entry is not there or not under a checkpoint yet.
 */
export async function proveEntries(folder: string, indexes: readonly number[]): Promise<readonly Proof[]> {
  const paths = await findTranscript(folder);
  const checkpoint = await readText(paths.checkpoint);
  const size = Number(checkpoint?.split("\n")[1] ?? "0");
  const wanted = new Map<number, Buffer>();
  const leaves: Buffer[] = [];
  const { names } = await listSegments(paths.segments);
  for (const name of names)
    await visitLines(join(paths.segments, name), (buffer, start, end) => {
      if (leaves.length >= size) return;
      if (indexes.includes(leaves.length)) {
        if (isPurgedLine(buffer, start, end))
          throw unusable(`entry ${leaves.length} was purged: its leaf alone stands there`);
        wanted.set(leaves.length, Buffer.from(buffer.subarray(start, end)));
      }
      leaves.push(leafOfLine(buffer, start, end));
    });
  if (checkpoint === null || leaves.length < size)
    throw unusable("the newest checkpoint is of more entries than are here");
  return indexes.map((index) => {
    const extra = wanted.get(index);
    if (extra === undefined)
      throw unusable(`entry ${index} is not there, or not under a checkpoint yet: try again in a second`);
    return { index, hashes: inclusionProof(leaves, index), checkpoint, extra };
  });
}

/** Standard base64 in its one true spelling. */
function strictBase64(text: string): Buffer | null {
  const bytes = Buffer.from(text, "base64");
  return bytes.length > 0 && bytes.toString("base64") === text ? bytes : null;
}
