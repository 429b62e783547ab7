// The anchors that an auditor brings along: files and git repositories in which checkpoints were kept, opened with the log's keys.

import { stat } from "node:fs/promises";
import { openCosigned, type Cosigned } from "./cosignature.ts";
import { findNotes, findNotesIn, type FoundNote } from "./found-notes.ts";
import { notesFolder, versionsIn, type GitRun } from "./git.ts";
import type { KeyChain } from "./rotations.ts";

/** One anchor and the checkpoints in it, of whatever logs. */
export interface GivenAnchor {
  /** As the auditor named it. */
  readonly name: string;
  readonly notes: readonly FoundNote[];
}

/**
 * Reads an anchor: a file of signed notes, a receiver's log, or a git repository with all its branches. Faults: internal,
 * where git can't read it; rejects with the operating system's error.
 */
export async function readAnchor(path: string, env: GitRun["env"]): Promise<GivenAnchor> {
  if (!(await stat(path)).isDirectory()) return { name: path, notes: await findNotesIn(path) };
  const texts = await versionsIn(path, notesFolder, { env, network: false, timeout: 600_000 });
  return { name: path, notes: texts.flatMap(findNotes) };
}

/** A checkpoint of an anchor that one of the log's keys signed. */
export interface AnchorHead extends Cosigned {
  readonly anchor: string;
  /** When the anchor's own line says that it came, in milliseconds since 1970; null where none says it. */
  readonly seen: number | null;
}

export interface OpenedAnchor {
  readonly name: string;
  readonly heads: readonly AnchorHead[];
  /** How many are of this log by their own word, and signed by none of its keys. */
  readonly unsigned: number;
  /** How many are of other logs. */
  readonly others: number;
}

/** `origin`: the name of the log that is verified. */
export function openAnchor({ name, notes }: GivenAnchor, origin: string, chain: KeyChain): OpenedAnchor {
  const own = notes.filter(({ note }) => note.startsWith(`${origin}\n`));
  const heads = own.flatMap(({ note, seen }): readonly AnchorHead[] => {
    const signer = chain.signerOf(sizeIn(note));
    const opened = signer === null ? null : openCosigned(note, signer);
    return opened === null ? [] : [{ ...opened, anchor: name, seen }];
  });
  return { name, heads, unsigned: own.length - heads.length, others: notes.length - own.length };
}

/** What the text of a note says of its size, before anything of it is believed: it chooses the key. */
function sizeIn(note: string): number {
  const size = Number(note.split("\n", 2)[1]);
  return Number.isSafeInteger(size) && size >= 0 ? size : 0;
}
