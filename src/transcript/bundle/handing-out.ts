// The proof, in the bundle itself, that the record says what was handed out: the entry that names the manifest's digest, under a later head.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { textAt } from "../../domain/json.ts";
import { isMalformed, readEntry } from "../entry.ts";
import { findTranscript, listSegments, readText, type TranscriptPaths } from "../files.ts";
import { visitLines } from "../lines.ts";
import { proofText } from "../proof.ts";
import { leafOfLine } from "../purged-lines.ts";
import type { StoredTree } from "../stored-tree.ts";
import { unusable } from "../unusable.ts";
import { consistencyText, names } from "./form.ts";

/** What `evidence.exported` says was handed out. */
export const whatWasHandedOut = "a bundle of entries";

/** Milliseconds between two looks for the head, and how many. */
const between = 100;
const looks = 300;

/**
 * Writes the two files into the bundle once a signed head counts the entry; a gateway signs one a second. Faults:
 * transcript_unavailable where none does within half a minute.
 */
export async function proveHandedOut(
  folder: string,
  bundle: string,
  { tree, digest }: { readonly tree: StoredTree; readonly digest: string },
  pause: (milliseconds: number) => Promise<void>,
): Promise<void> {
  const paths = await findTranscript(folder);
  const since = tree.size();
  let found: Told | null = null;
  for (let look = 0; look < looks; look++) {
    const checkpoint = (await readText(paths.checkpoint)) ?? "";
    const size = Number(checkpoint.split("\n", 2)[1] ?? "0");
    found ??= await growTo(paths, tree, size, digest);
    if (found !== null && tree.size() === size) {
      const { index, line } = found;
      const proof = { index, hashes: tree.inclusion(index, size), checkpoint, extra: line };
      await writeFile(join(bundle, names.handedOut), proofText(proof), { mode: 0o600, flag: "wx" });
      const continued = consistencyText(tree.consistency(since, size));
      await writeFile(join(bundle, names.handedOutSince), continued, { mode: 0o600, flag: "wx" });
      return;
    }
    await pause(between);
  }
  throw unusable("no signed head counts the entry that tells of the bundle: sallyport doctor says more");
}

interface Told {
  readonly index: number;
  readonly line: Buffer;
}

/** Grows the tree up to this size; the entry among those that tells of the digest, or null. */
async function growTo(paths: TranscriptPaths, tree: StoredTree, size: number, digest: string): Promise<Told | null> {
  if (tree.size() >= size) return null;
  const found: Told[] = [];
  let index = 0;
  for (const name of (await listSegments(paths.segments)).names)
    await visitLines(join(paths.segments, name), (buffer, start, end) => {
      const here = index++;
      if (here < tree.size() || here >= size) return;
      const line = buffer.subarray(start, end);
      if (line.includes(digest) && tells(line, digest)) found.push({ index: here, line: Buffer.from(line) });
      tree.grow(leafOfLine(buffer, start, end));
    });
  return found[0] ?? null;
}

function tells(line: Buffer, digest: string): boolean {
  const entry = readEntry(line.toString("utf8"));
  return !isMalformed(entry) && entry.kind === "evidence.exported" && textAt(entry.details, "digest") === digest;
}
