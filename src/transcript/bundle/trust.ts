// INTEGRITY of what a bundle's entries stand under: the log's keys, its heads, and the record's own word of what was handed out.

import { hash } from "node:crypto";
import { at, textAt } from "../../domain/json.ts";
import { isMalformed, readEntry, type Entry } from "../entry.ts";
import { openCheckpoint, parseVkey, type Verifier } from "../note.ts";
import { parseProof, provesLine, type Proof } from "../proof.ts";
import { chainOf, type KeyChain } from "../rotations.ts";
import { provesConsistency, type Head } from "../tree.ts";
import type { Findings } from "../verdict.ts";
import { headName, names, parseConsistency, rotationName, type Manifest } from "./form.ts";
import { textIn, type Found } from "./look.ts";

export interface Trust {
  /** The auditor's key, else the one that came with the bundle; null where there is none. */
  readonly verifier: Verifier | null;
  readonly chain: KeyChain;
  /** The head that all entries are proven under; null where no key signed it. */
  readonly head: Head | null;
  /** All signed heads that are shown to be of one log with it, that one and later ones among them: size → root. */
  readonly heads: ReadonlyMap<number, Uint8Array>;
  /** The index of the entry that tells of this bundle, or null. */
  readonly toldAt: number | null;
}

interface Bundle {
  readonly folder: string;
  readonly found: Found;
  readonly findings: Findings;
}

/** `vkey`: the key that the auditor holds. `manifest`: its text, and what it says; null where it is none. */
export async function openTrust(
  bundle: Bundle,
  vkey: string | undefined,
  manifest: { readonly text: string; readonly says: Manifest | null },
): Promise<Trust> {
  const { findings } = bundle;
  const read = (name: string): Promise<string | null> => textIn(bundle.folder, bundle.found, name, findings);
  const verifier = parseVkey(vkey ?? (await read(names.vkey)) ?? "");
  if (verifier === null) findings.add("there is no verifier key, or it is not one: nothing signed can be checked");
  const rotations = await rotationsIn(bundle);
  const chain = chainOf(verifier, rotations);
  for (const { name, proof, line } of rotations) {
    const signer = chain.signerOf(proof.index + 1);
    if (signer === null || !provesLine(proof, line, signer))
      findings.add(`${name} does not show that the key before signed the entry that names the next one`);
  }
  const note = await read(names.checkpoint);
  const head = note === null ? null : openedBy(chain, note);
  if (head === null) findings.add(note === null ? "there is no checkpoint" : "the checkpoint is not signed by the key");
  else compareWithManifest(findings, head, verifier, manifest.says);
  const heads = new Map<number, Uint8Array>(head === null ? [] : [[head.size, head.root]]);
  if (head !== null) for (const one of await earlierHeads(bundle, chain, head)) heads.set(one.size, one.root);
  const told = head === null ? null : await toldIn(bundle, chain, head, manifest);
  if (told !== null) heads.set(told.head.size, told.head.root);
  return { verifier, chain, head, heads, toldAt: told?.index ?? null };
}

/** The head of a note that the key of its size signed. */
export function openedBy(chain: KeyChain, note: string): Head | null {
  const size = note.split("\n", 2)[1] ?? "";
  const signer = chain.signerOf(/^\d{1,15}$/.test(size) ? Number(size) : 0);
  return signer === null ? null : openCheckpoint(note, signer);
}

function compareWithManifest(findings: Findings, head: Head, verifier: Verifier | null, says: Manifest | null): void {
  if (says === null) return;
  const { origin, size, root } = says.log;
  const same = origin === verifier?.name && size === head.size && root === Buffer.from(head.root).toString("base64");
  if (!same) findings.add("the checkpoint is not the head that the manifest names");
}

interface RotationProof {
  readonly name: string;
  readonly index: number;
  readonly from: string;
  readonly to: string;
  readonly proof: Proof;
  readonly line: Uint8Array;
}

async function rotationsIn({ folder, found, findings }: Bundle): Promise<readonly RotationProof[]> {
  const rotations: RotationProof[] = [];
  for (const name of [...found.keys()].filter((one) => rotationName.test(one)).sort()) {
    const proof = parseProof((await textIn(folder, found, name, findings)) ?? "");
    const entry = proof === null ? null : entryOf(proof);
    if (proof?.extra == null || entry?.kind !== "key.rotated") findings.add(`${name} is no proof of a key's rotation`);
    else {
      const [from, to] = [textAt(entry.details, "from"), textAt(entry.details, "to")];
      rotations.push({ name, index: proof.index, from, to, proof, line: proof.extra });
    }
  }
  return rotations;
}

function entryOf({ extra }: Proof): Entry | null {
  const entry = extra === null ? null : readEntry(Buffer.from(extra).toString("utf8"));
  return entry === null || isMalformed(entry) ? null : entry;
}

async function earlierHeads(
  { folder, found, findings }: Bundle,
  chain: KeyChain,
  head: Head,
): Promise<readonly Head[]> {
  const heads: Head[] = [];
  for (const name of [...found.keys()].sort()) {
    const [, size = "", ending] = headName.exec(name) ?? [];
    if (ending !== "checkpoint") continue;
    const earlier = openedBy(chain, (await textIn(folder, found, name, findings)) ?? "");
    const proof = parseConsistency((await textIn(folder, found, `heads/${size}.consistency`, findings)) ?? "none");
    if (earlier?.size !== Number(size)) findings.add(`${name} is not signed by the key of its time`);
    else if (proof === null || !provesConsistency(earlier, head, proof))
      findings.add(`the checkpoint is not shown to continue ${name}`);
    else heads.push(earlier);
  }
  return heads;
}

/** The entry that says that this bundle was handed out, and the head that counts it. */
async function toldIn(
  { folder, found, findings }: Bundle,
  chain: KeyChain,
  head: Head,
  { text, says }: { readonly text: string; readonly says: Manifest | null },
): Promise<{ readonly index: number; readonly head: Head } | null> {
  const wrong = (problem: string): null => {
    findings.add(problem);
    return null;
  };
  const proof = parseProof((await textIn(folder, found, names.handedOut, findings)) ?? "");
  const entry = proof === null ? null : entryOf(proof);
  if (proof?.extra == null || entry === null)
    return wrong(`${names.handedOut} is missing or no proof: nothing shows that this is what was handed out`);
  const later = openedBy(chain, proof.checkpoint);
  const signer = later === null ? null : chain.signerOf(later.size);
  if (later === null || signer === null || !provesLine(proof, proof.extra, signer))
    return wrong(`${names.handedOut} proves nothing`);
  const since = parseConsistency((await textIn(folder, found, names.handedOutSince, findings)) ?? "none");
  if (since === null || !provesConsistency(head, later, since))
    findings.add(`the head of ${names.handedOut} is not shown to continue the checkpoint`);
  const digest = textAt(entry.details, "digest");
  const same = entry.kind === "evidence.exported" && digest === hash("sha256", text, "hex");
  if (!same || at(entry.details, "count") !== says?.entries.chosen)
    return wrong(`${names.manifest} is not the one that entry ${proof.index} says was handed out`);
  return { index: proof.index, head: later };
}
