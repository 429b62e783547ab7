// Does what an anchor holds agree with the record here? One that holds more, or something else, is told of and never written to.

import { join } from "node:path";
import { findTranscript, listSegments } from "./files.ts";
import { visitLines } from "./lines.ts";
import { leafOfLine } from "./purged-lines.ts";
import { growTree } from "./tree.ts";

/** What was kept there last, by the record's own receipt. */
export interface LastKept {
  readonly size: number;
  /** Hex. */
  readonly root: string;
  /** When, in milliseconds since 1970. */
  readonly at: number;
  /** Where the anchor was then. */
  readonly place: string;
}

interface Claim {
  readonly size: number;
  readonly root: string;
}

export interface HeldQuestion {
  /** The state folder. */
  readonly folder: string;
  /** What the anchor holds, as signed notes of this log. */
  readonly notes: readonly string[];
  /** null where the record has no receipt of this anchor in this place. */
  readonly last: LastKept | null;
  /** How many entries there are here. */
  readonly size: number;
  /** Every checkpoint is compared; else those that came after the last receipt, which was compared when it was made. */
  readonly all: boolean;
}

/** Returns "" where it agrees, else what is wrong, in a part of a sentence. Rejects with the operating system's error. */
export async function judgeHeld({ folder, notes, last, size, all }: HeldQuestion): Promise<string> {
  const claims = notes.map(claimOf);
  const more = claims.find((one) => one.size > size);
  if (more !== undefined) return `holds a checkpoint of ${more.size} entries, and ${size} are here`;
  if (last !== null && !claims.some((one) => one.size === last.size && one.root === last.root))
    return `no longer holds the checkpoint of ${last.size} entries that was kept there`;
  const known = last === null || all ? -1 : last.size;
  const asked = claims.filter((one) => one.size >= known && !(one.size === last?.size && one.root === last.root));
  if (asked.length === 0) return "";
  const roots = await rootsAt(folder, new Set(asked.map((one) => one.size)));
  const other = asked.find((one) => roots.get(one.size) !== one.root);
  return other === undefined ? "" : `holds another checkpoint of ${other.size} entries than these entries give`;
}

/** What a note says, before anything of it is believed. */
function claimOf(note: string): Claim {
  const [, size = "", root = ""] = note.split("\n");
  return { size: Number(size), root: Buffer.from(root, "base64").toString("hex") };
}

/** The roots of the tree at these sizes, hex, from the segments themselves. */
export async function rootsAt(folder: string, sizes: ReadonlySet<number>): Promise<ReadonlyMap<number, string>> {
  const paths = await findTranscript(folder);
  const tree = growTree();
  const roots = new Map<number, string>();
  const note = (): void => {
    if (sizes.has(tree.size())) roots.set(tree.size(), tree.root().toString("hex"));
  };
  const most = Math.max(...sizes);
  note();
  for (const name of (await listSegments(paths.segments)).names) {
    if (tree.size() >= most) break;
    await visitLines(join(paths.segments, name), (buffer, start, end) => {
      tree.grow(leafOfLine(buffer, start, end));
      note();
    });
  }
  return roots;
}
