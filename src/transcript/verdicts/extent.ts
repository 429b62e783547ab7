// EXTENT: nothing was cut off, and no other history stands here than the one that was kept elsewhere. Only heads kept elsewhere can show that of the end.

import { textAt } from "../../domain/json.ts";
import type { Entry } from "../entry.ts";
import type { AnchorHead, OpenedAnchor } from "../given-anchors.ts";
import type { PurgedFound } from "../purged-check.ts";
import type { Head } from "../tree.ts";
import { collectFindings, type EntryPlace, type Findings, type Verdict } from "../verdict.ts";

export interface ExtentCheck {
  /** The sizes of the heads that anchors hold. */
  sizes(): Iterable<number>;
  /** Compares the tree, which has this size now, where an anchor holds a head of this size. */
  grown(size: number, root: () => Uint8Array): void;
  /** Takes the receipts among the entries. */
  take(entry: Entry, at: EntryPlace): void;
  verdict(extent: Extent): Verdict;
}

export interface Extent {
  readonly size: number;
  /** The head in `checkpoint`, and the newest in `checkpoints.log`. */
  readonly checkpoint: Head | null;
  readonly logged: Head | null;
  /** The name of the first segment that is missing, or null. */
  readonly missing: string | null;
  /** Entries that are gone, and what is wrong with that. */
  readonly purged: Pick<PurgedFound, "count" | "wrong">;
}

export function checkExtent(anchors: readonly OpenedAnchor[]): ExtentCheck {
  const findings = collectFindings();
  const heads = bySize(anchors.flatMap((one) => one.heads));
  const receipts = new Map<string, string>();
  return {
    sizes: () => heads.keys(),
    grown(size, root) {
      for (const { head, anchor } of heads.get(size) ?? [])
        if (Buffer.compare(head.root, root()) !== 0)
          findings.add(`${anchor}: holds another history of ${size} entries than stands here`);
    },
    take({ kind, details }, at) {
      if (kind !== "checkpoint.anchored") return;
      const size = Number(details["size"] ?? 0);
      if (size > at.index)
        findings.add(`is the receipt of a checkpoint of ${size} entries, which there were not yet`, at);
      const [anchor, destination, place] = ["anchor", "destination", "place"].map((key) => textAt(details, key));
      receipts.set(anchor ?? "", `${anchor} (${destination}, ${place}: ${size} entries at ${textAt(details, "at")})`);
    },
    verdict(extent) {
      for (const problem of inFiles(extent)) findings.add(problem);
      for (const one of anchors) judgeAnchor(one, extent.size, findings);
      for (const { problem, at } of extent.purged.wrong) findings.add(problem, at);
      const verdict = verdictOf(findings, anchors, receipts);
      const { count } = extent.purged;
      if (verdict.verdict === "failed" || count === 0) return verdict;
      return {
        ...verdict,
        says: `${verdict.says} ${count} entries were purged, each by an entry; their leaves stand.`,
      };
    },
  };
}

function bySize(heads: readonly AnchorHead[]): ReadonlyMap<number, readonly AnchorHead[]> {
  const found = new Map<number, AnchorHead[]>();
  for (const one of heads) found.set(one.head.size, [...(found.get(one.head.size) ?? []), one]);
  return found;
}

function inFiles({ size, checkpoint, logged, missing }: Extent): readonly string[] {
  const here = `${size} ${size === 1 ? "is" : "are"} here`;
  const counted = checkpoint?.size ?? 0;
  return [
    ...(missing === null ? [] : [`segments/${missing} is missing`]),
    ...(checkpoint === null ? ["there is no checkpoint that the key signed"] : []),
    ...(counted > size ? [`the checkpoint counts ${counted} entries, ${here}`] : []),
    ...(logged !== null && logged.size > counted
      ? [`the checkpoint counts ${counted} entries, an earlier one in checkpoints.log ${logged.size}`]
      : []),
    ...(logged !== null && logged.size > size ? [`checkpoints.log counts ${logged.size} entries, ${here}`] : []),
  ];
}

function judgeAnchor({ name, heads, unsigned, others }: OpenedAnchor, size: number, findings: Findings): void {
  const newest = newestOf(heads);
  if (newest !== null && newest.head.size > size) {
    const when = newest.at === null ? "" : ` at ${new Date(newest.at).toISOString()}`;
    findings.add(`${name}: counts ${newest.head.size} entries${when}, ${size} ${size === 1 ? "is" : "are"} here`);
  }
  if (unsigned > 0)
    findings.add(
      `${name}: ${unsigned} of its checkpoints ${unsigned === 1 ? "is" : "are"} not signed by this log's key`,
    );
  if (heads.length + unsigned === 0) {
    const of = others === 0 ? "" : `, and ${others} of other logs`;
    findings.add(`${name}: holds no checkpoint of this log${of}: nothing can be said of the end`);
  }
}

function newestOf(heads: readonly AnchorHead[]): AnchorHead | null {
  let newest: AnchorHead | null = null;
  for (const one of heads) if (newest === null || one.head.size > newest.head.size) newest = one;
  return newest;
}

function verdictOf(
  findings: Findings,
  anchors: readonly OpenedAnchor[],
  receipts: ReadonlyMap<string, string>,
): Verdict {
  const newest = newestOf(anchors.flatMap((one) => one.heads));
  const counted = anchors.reduce((sum, { heads }) => sum + heads.length, 0);
  const whose =
    newest === null ? "" : `${counted} kept heads, the newest of ${newest.head.size} entries in ${newest.anchor}`;
  const verdict = findings.verdict(
    "EXTENT",
    `Nothing is missing, and nothing is another: ${whose}.`,
    () => "Entries are missing, or are not those that were kept elsewhere, or can't be shown to be all there.",
  );
  if (verdict.verdict === "failed" || newest !== null) return verdict;
  const kept = receipts.size === 0 ? "" : ` By its own word such are kept in ${[...receipts.values()].join(", ")}.`;
  const says = `Nothing contradicts it; only a checkpoint that you keep elsewhere (--anchor) shows that the end was not cut.${kept}`;
  return { ...verdict, verdict: "not-checked", says };
}
