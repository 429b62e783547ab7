// Verifies a bundle from its folder alone, and answers the questions that a transcript's verification answers, each for what a part can show.

import { join } from "node:path";
import type { Entry } from "../entry.ts";
import { openAnchor, type GivenAnchor } from "../given-anchors.ts";
import { pullLines } from "../pulled-lines.ts";
import { leafHashOfPrefixed, provesInclusion, type Head } from "../tree.ts";
import { checkFormat, checkSemantics, type SemanticsCheck } from "../verdicts/index.ts";
import { collectFindings, type EntryPlace, type Findings, type Verdict } from "../verdict.ts";
import type { Report } from "../verify.ts";
import { checkBundleBodies, type Opener } from "./bodies.ts";
import {
  beyondManifest,
  names,
  parseManifest,
  parseProofLine,
  policyFileName,
  wholenessOf,
  type Manifest,
} from "./form.ts";
import { digestOf, lookInto, textIn, type Found } from "./look.ts";
import { checkPartOrder, checkSelection, joined } from "./selection.ts";
import { checkPartTime } from "./time.ts";
import { openTrust, type Trust } from "./trust.ts";

export interface BundleOptions {
  /** Checkpoints that were kept elsewhere. */
  readonly anchors: readonly GivenAnchor[];
  /** The verifier key that the auditor holds. */
  readonly vkey?: string;
  /** The auditor's secret. */
  readonly opener?: Opener;
  /** The auditor's clock, in milliseconds since 1970. */
  readonly now: number;
}

/** What a bundle without a readable manifest is judged by: nothing that it might have asked for counts. */
const nothingAsked: Manifest = {
  at: "",
  version: "",
  asked: "",
  query: {},
  wholeCalls: false,
  why: "",
  log: { origin: "", size: 0, root: "" },
  keys: [],
  entries: { chosen: 0, beside: 0 },
  bodies: { classes: [], recipient: "" },
  policiesMissing: [],
  files: [],
};

/** Verifies a bundle. Never writes, follows no link. Rejects with the operating system's error where a file can't be read. */
export async function verifyBundle(folder: string, options: BundleOptions): Promise<Report> {
  const [shape, integrity] = [collectFindings(), collectFindings()];
  const found = await lookInto(folder, shape);
  const text = (await textIn(folder, found, names.manifest, shape)) ?? "";
  const says = parseManifest(text);
  if (says === null) shape.add(`${names.manifest} is missing, or no manifest of this version`);
  const manifest = says ?? nothingAsked;
  await compareFiles(folder, found, manifest, integrity);
  const trust = await openTrust({ folder, found, findings: integrity }, options.vkey, { text, says });

  const wholeness = wholenessOf(manifest.query);
  const format = checkFormat();
  const order = checkPartOrder(wholeness.kind === "session" ? wholeness.sid : null);
  const time = checkPartTime(options.now);
  const semantics = checkSemantics((sid) => order.isWhole(sid));
  const selection = checkSelection(manifest);
  const bodies = checkBundleBodies(folder, found, manifest, options.opener ?? null);
  const disorder = collectFindings();
  let entries = 0;
  await visitProven(folder, found, { shape, integrity, disorder, head: trust.head }, (line, at) => {
    entries++;
    const { buffer, start, end } = line;
    buffer[start - 1] = 0;
    const leaf = leafHashOfPrefixed(buffer.subarray(start - 1, end));
    const entry: Entry | null = format.read(buffer, start, end, at);
    if (entry !== null) {
      order.take(entry, at, leaf.toString("hex"));
      time.take(entry, at);
      semantics.take(entry, at, "");
      selection.take(entry, at);
      bodies.take(entry, at);
    }
    return leaf;
  });

  const verdicts: readonly Verdict[] = [
    joined(format.verdict(), shape, (count) => `${count} parts of this are not what a bundle must look like.`),
    integrityVerdict(integrity, trust, manifest, { entries, pinned: options.vkey !== undefined }),
    joined(order.verdict(), disorder, (count) => `${count} entries do not follow the one before.`),
    extentVerdict(trust, options.anchors, manifest.at),
    time.verdict(),
    await bodies.verdict(),
    semanticsVerdict(semantics),
    selection.verdict(order, trust.head?.size ?? 0),
  ];
  return {
    ok: verdicts.every((one) => one.verdict !== "failed"),
    entries,
    root: Buffer.from(trust.head?.root ?? []).toString("hex"),
    sessions: order.sessions(),
    open: semantics.open(),
    key: trust.verifier === null ? "" : `${trust.verifier.name}+${trust.verifier.hash}`,
    verdicts,
  };
}

/** Each file against the manifest, and each policy against its name. */
async function compareFiles(folder: string, found: Found, { files }: Manifest, findings: Findings): Promise<void> {
  const listed = new Map(files.map((one) => [one.name, one]));
  for (const name of listed.keys())
    if (!found.has(name)) findings.add(`${JSON.stringify(name)}, which the manifest lists, is not here`);
  for (const [name, bytes] of found) {
    if (beyondManifest.has(name)) continue;
    const one = listed.get(name);
    // What is of another length is another file: nobody reads a terabyte to find that out.
    const digest = one?.bytes === bytes ? await digestOf(folder, name) : "";
    if (one === undefined) findings.add(`${name} is not in the manifest`);
    else if (one.sha256 !== digest) findings.add(`${name} is not the file that the manifest lists`);
    const [, policy] = policyFileName.exec(name) ?? [];
    if (policy !== undefined && policy !== digest) findings.add(`${name} is not the policy of this digest`);
  }
}

interface Proving {
  readonly shape: Findings;
  readonly integrity: Findings;
  readonly disorder: Findings;
  readonly head: Head | null;
}

type VisitProven = (line: { buffer: Buffer; start: number; end: number }, at: EntryPlace) => Uint8Array;

/** Reads entries and proofs side by side; each entry's leaf, which the visit returns, must be under the head where its proof says. */
async function visitProven(folder: string, found: Found, proving: Proving, visit: VisitProven): Promise<void> {
  const { shape, integrity, disorder, head } = proving;
  for (const name of [names.entries, names.proofs])
    if (!found.has(name)) {
      shape.add(`${name} is not here`);
      return;
    }
  const [lines, proofs] = await Promise.all([names.entries, names.proofs].map((one) => pullLines(join(folder, one))));
  if (lines === undefined || proofs === undefined) return;
  try {
    let [count, before] = [0, -1];
    for (;;) {
      const [line, proofLine] = [await lines.next(), await proofs.next()];
      if (line === null && proofLine === null) break;
      const number = ++count;
      const proof =
        proofLine === null ? null : parseProofLine(proofLine.buffer.toString("latin1", proofLine.start, proofLine.end));
      if (line === null || proofLine === null) {
        shape.add(`${names.entries} and ${names.proofs} do not have as many lines`);
        break;
      }
      if (proof === null) shape.add(`line ${number} of ${names.proofs} is no proof`);
      const at = { index: proof?.index ?? -1, segment: names.entries, line: number };
      const leaf = visit(line, at);
      if (proof === null || head === null) continue;
      if (proof.index <= before) disorder.add(`stands behind entry ${before}`, at);
      before = proof.index;
      if (!provesInclusion(leaf, proof.index, head.size, proof.hashes, head.root))
        integrity.add("is not proven to stand in the log", at);
    }
    if (lines.rest() > 0)
      shape.add(`${names.entries} ends in the middle of a line, or has one that no entry is as long as`);
    if (proofs.rest() > 0) shape.add(`${names.proofs} ends in the middle of a line`);
  } finally {
    await Promise.all([lines.close(), proofs.close()]);
  }
}

function integrityVerdict(
  findings: Findings,
  { verifier, chain, head, heads, toldAt }: Trust,
  manifest: Manifest,
  { entries, pinned }: { readonly entries: number; readonly pinned: boolean },
): Verdict {
  const key = verifier === null ? "" : `${verifier.name}+${verifier.hash}`;
  const whose = pinned ? `your key ${key}` : `key ${key}, which came with this: compare it with the one you hold`;
  const rotated =
    chain.rotations === 0 ? "" : `, after ${chain.rotations} rotations of the key, each under the key before it`;
  const earlier = heads.size - 2;
  const more = earlier > 0 ? ` It continues ${earlier} earlier heads that are here.` : "";
  const missing = manifest.policiesMissing.length;
  const policies = missing === 0 ? "" : ` Of ${missing} policies that entries name the text was not kept.`;
  const ok = `Each of the ${entries} entries is proven under the head of ${head?.size ?? 0}, signed by ${whose}${rotated}.${more} Entry ${toldAt} says that exactly this was handed out.${policies}`;
  return findings.verdict("INTEGRITY", ok, (count) => `${count} things here are not what was signed or handed out.`);
}

/** Was the log cut since a head that was kept elsewhere, or is it another history? `made`: when the bundle was made, by its manifest. */
function extentVerdict({ verifier, chain, heads }: Trust, anchors: readonly GivenAnchor[], made: string): Verdict {
  const findings = collectFindings();
  const newest = Math.max(0, ...heads.keys());
  let held = -1;
  for (const given of anchors) {
    const { name, heads: kept, unsigned } = openAnchor(given, verifier?.name ?? "", chain);
    if (unsigned > 0) findings.add(`${name}: ${unsigned} of its checkpoints are not signed by this log's key`);
    if (kept.length + unsigned === 0) findings.add(`${name}: holds no checkpoint of this log: nothing can be said`);
    for (const { head, at } of kept) {
      const root = heads.get(head.size);
      if (root !== undefined && Buffer.compare(root, head.root) !== 0)
        findings.add(`${name}: holds another history of ${head.size} entries than stands here`);
      else if (root !== undefined) held = Math.max(held, head.size);
      // A head that was signed after the bundle was made may well be larger.
      if (head.size > newest && !(at !== null && at >= Date.parse(made)))
        findings.add(
          `${name}: counts ${head.size} entries before this was made, and the newest head here counts ${newest}`,
        );
    }
  }
  const says = `The log that these entries are of continues the ${held} entries that were kept elsewhere.`;
  const verdict = findings.verdict(
    "EXTENT",
    says,
    () => "Entries were cut, or are not those that were kept elsewhere.",
  );
  if (verdict.verdict === "failed" || held >= 0) return verdict;
  const why =
    anchors.length === 0
      ? "Only a checkpoint that you keep elsewhere (--anchor) shows that the log was not cut."
      : "Nothing here connects the checkpoint with your anchor: ask for a bundle that was made with it (export --anchor).";
  return { ...verdict, verdict: "not-checked", says: why };
}

function semanticsVerdict(semantics: SemanticsCheck): Verdict {
  const verdict = semantics.verdict();
  const [settled, notShown] = [semantics.settled(), semantics.notShown()];
  if (verdict.verdict === "failed") return verdict;
  if (notShown > 0)
    return {
      ...verdict,
      verdict: "not-checked",
      says: `${notShown} questions about calls stay open: what answers them was not asked for and is not shown. Nothing here contradicts the rules.`,
    };
  return settled > 0
    ? verdict
    : { ...verdict, verdict: "not-checked", says: "No call's end is here: nothing is shown of calls." };
}
