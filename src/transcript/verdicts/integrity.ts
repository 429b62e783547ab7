// INTEGRITY: every signed head is signed by the key, and the entries give exactly these heads.

import { openCheckpoint, type Verifier } from "../note.ts";
import type { KeyChain } from "../rotations.ts";
import type { Head } from "../tree.ts";
import { collectFindings, type Verdict } from "../verdict.ts";

export interface IntegrityCheck {
  /** Takes a signed note from the files, or one that the auditor kept elsewhere; returns its head if it is signed by the key. */
  readonly note: (note: string, whence: string) => Head | null;
  /** The sizes of the heads that were taken so far. */
  sizes(): Iterable<number>;
  /** Compares the tree, which has this size now, where a head of this size was signed. */
  grown(size: number, root: () => Uint8Array): void;
  verdict(size: number): Verdict;
}

/** `verifier` is null where there is no key to check with. `pinned`: the auditor brought the key along. `chain`: which key of the log signs heads of which size. */
export function checkIntegrity(verifier: Verifier | null, pinned: boolean, chain: KeyChain): IntegrityCheck {
  const findings = collectFindings();
  if (verifier === null) findings.add("there is no verifier key, or it is not one: nothing signed can be checked");
  const heads = new Map<number, Uint8Array>();
  let good = 0;
  let newest = 0;
  let broken = false;
  return {
    note(note, whence) {
      const signer = chain.signerOf(sizeIn(note));
      const head = signer === null ? null : openCheckpoint(note, signer);
      if (head === null) {
        if (signer !== null) findings.add(`${whence} is not signed by ${signer.name}+${signer.hash}`);
        return null;
      }
      const other = heads.get(head.size);
      if (other !== undefined && Buffer.compare(other, head.root) !== 0)
        findings.add(`${whence}: two different heads of ${head.size} entries are signed`);
      heads.set(head.size, head.root);
      newest = Math.max(newest, head.size);
      return head;
    },
    sizes: () => heads.keys(),
    grown(size, root) {
      const signed = heads.get(size);
      if (signed === undefined || broken) return;
      if (Buffer.compare(signed, root()) === 0) good = size;
      else {
        broken = true;
        const where = size === 0 ? "the empty tree" : `entries ${good} to ${size - 1}`;
        findings.add(
          `${where}: not what was signed at ${size} entries; something in them was changed, dropped, added or moved`,
        );
      }
    },
    verdict(size) {
      const unsigned = size - newest;
      const tail = unsigned > 0 ? ` The last ${unsigned} are not under a checkpoint yet.` : "";
      const key = verifier === null ? "" : `${verifier.name}+${verifier.hash}`;
      const whose = pinned
        ? `your key ${key}`
        : `key ${key}, which came with these files: compare it with the one you hold`;
      const rotated =
        chain.rotations === 0 ? "" : `, after ${chain.rotations} rotations of the key, each under the key before it`;
      const beyond = [...heads.keys()].filter((one) => one > size).length;
      const cut = beyond > 0 ? `; ${beyond} more are of more entries than are here` : "";
      const ok = `${heads.size - beyond} signed heads, all given by the entries${cut}; signed by ${whose}${rotated}.${tail}`;
      return findings.verdict("INTEGRITY", ok, () => "These entries are not the ones that were signed.");
    },
  };
}

/** What the text of a note says of its size, before anything of it is believed: it chooses the key. */
function sizeIn(note: string): number {
  const size = Number(note.split("\n", 2)[1]);
  return Number.isSafeInteger(size) && size >= 0 ? size : 0;
}
