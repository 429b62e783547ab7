// Which entries of a record a bundle holds: those that were asked for, and beside them those that explain something of them.

import { join } from "node:path";
import type { BodyClass } from "../../domain/entry.ts";
import { isJsonObject, textAt, type Json } from "../../domain/json.ts";
import { isMalformed, readEntry, type Entry } from "../entry.ts";
import { listSegments, type TranscriptPaths } from "../files.ts";
import { visitLines } from "../lines.ts";
import { openScanner } from "../scan.ts";
import { addIndex, isPurgedLine, isWithin, leafOfLine, purgedEntriesIn, type Range } from "../purged-lines.ts";
import { answers, searchableOf, type Query } from "../searchable.ts";
import { storeTree, type StoredTree } from "../stored-tree.ts";
import { unusable } from "../unusable.ts";
import { tellsOfClock } from "../verdicts/index.ts";
import { besideKinds, wholenessOf } from "./form.ts";

export interface Choice {
  readonly query: Query;
  /** With all entries of the calls that an entry of the query belongs to. */
  readonly wholeCalls: boolean;
  /** Bodies of these classes are wanted. */
  readonly classes: readonly BodyClass[];
}

export interface Chosen {
  /** Over the entries under the head, none more. */
  readonly tree: StoredTree;
  /** Of all entries for the bundle, ascending; and how many of them answer the query. */
  readonly indexes: readonly number[];
  readonly answering: number;
  /** Digests that the entries name. */
  readonly policies: ReadonlySet<string>;
  /** The wanted bodies: commitment → what its entry says of it. */
  readonly bodies: ReadonlyMap<string, { readonly key: string; readonly seal: string }>;
  readonly rotations: readonly RotationLine[];
  /** Sizes of heads that are kept elsewhere by the word of entries that are in the bundle. */
  readonly anchored: readonly number[];
}

export interface RotationLine {
  readonly index: number;
  readonly line: Buffer;
  readonly from: string;
  readonly to: string;
}

/** The class of the body that an entry of this kind refers to. */
export const classOf: { readonly [kind: string]: BodyClass } = {
  "call.received": "arguments",
  "call.previewed": "diff",
  "call.settled": "output",
  "stream.segment": "output",
};

/** Reads the first `size` entries. Faults: transcript_unavailable where they are fewer, or one can't be read. */
export async function chooseEntries(paths: TranscriptPaths, size: number, choice: Choice): Promise<Chosen> {
  const tree = storeTree();
  const rotations: RotationLine[] = [];
  const explaining: Placed[] = [];
  const gone: Range[] = [];
  const calls = new Set<string>();
  const taken = takeUp(choice.classes);
  const answering: number[] = [];
  const look: Visit = (entry, index, line, leaf) => {
    tree.grow(leaf);
    if (answers(choice.query, searchableOf(entry))) {
      answering.push(index);
      taken.take(entry);
      if (entry.call !== null) calls.add(entry.call);
    } else if (besideKinds.has(entry.kind)) explaining.push({ index, entry });
    if (entry.kind !== "key.rotated") return;
    const [from, to] = [textAt(entry.details, "from"), textAt(entry.details, "to")];
    rotations.push({ index, line: Buffer.from(line), from, to });
  };
  await visitEntries(paths, size, look, (leaf) => {
    addIndex(gone, tree.size());
    tree.grow(leaf);
  });
  const indexes = new Set(answering);
  if (choice.wholeCalls)
    await visitEntries(paths, size, (entry, index) => {
      if (indexes.has(index) || entry.call === null || !calls.has(entry.call)) return;
      indexes.add(index);
      taken.take(entry);
    });
  const whole = wholenessOf(choice.query).kind !== "part";
  for (const { index, entry } of explaining)
    if (taken.needs(entry) || (whole && tellsOf(entry, answering.at(-1) ?? -1))) indexes.add(index);
  // A step of the clock between the first of them and the last is told of, so that their times can be checked.
  const [from, until] = [answering[0] ?? Infinity, answering.at(-1) ?? -1];
  for (const { index, entry } of explaining)
    if (index > from && index < until && tellsOfClock(entry)) indexes.add(index);
  const anchored = anchoredIn(explaining, answering.at(-1) ?? 0);
  for (const { index } of anchored) indexes.add(index);
  // What lies around a period shows that nothing of it was left out at its ends.
  const [first, last] = [answering[0], answering.at(-1)];
  if (wholenessOf(choice.query).kind === "period" && first !== undefined && last !== undefined)
    for (const index of [first - 1, last + 1])
      if (index >= 0 && index < size && !isWithin(gone, index)) indexes.add(index);
  const { policies, bodies } = taken;
  const sorted = [...indexes].sort((one, other) => one - other);
  const sizes = anchored.map(({ size }) => size);
  return { tree, indexes: sorted, answering: answering.length, policies, bodies, rotations, anchored: sizes };
}

/** Does it say that entries were purged before this one, which leave gaps in what should be whole? */
function tellsOf(entry: Entry, last: number): boolean {
  return (purgedEntriesIn(entry)?.ranges[0]?.[0] ?? Infinity) < last;
}

interface Placed {
  readonly index: number;
  readonly entry: Entry;
}

/** Of all receipts of anchors the first whose head covers the entries, and the last: when they were there at the latest, and how far the log reached. */
function anchoredIn(
  explaining: readonly Placed[],
  last: number,
): readonly { readonly index: number; readonly size: number }[] {
  const receipts = explaining.flatMap(({ index, entry: { kind, details } }) => {
    const { size } = details;
    return kind === "checkpoint.anchored" && typeof size === "number" && size > last ? [{ index, size }] : [];
  });
  return receipts.filter((_, at) => at === 0 || at === receipts.length - 1);
}

/** What the entries that were taken refer to. */
function takeUp(classes: readonly BodyClass[]) {
  const policies = new Set<string>();
  const bodies = new Map<string, { readonly key: string; readonly seal: string }>();
  const keys = new Set<string>();
  let [first, last] = ["", ""];
  return {
    policies,
    bodies,
    take({ kind, details, gateway, ts }: Entry): void {
      if (first === "" || ts < first) first = ts;
      if (ts > last) last = ts;
      policies.add(gateway.policy);
      if (kind === "call.decided" && textAt(details, "policy") !== "") policies.add(textAt(details, "policy"));
      const { body } = details;
      const class_ = classOf[kind];
      if (!isJsonObject(body) || class_ === undefined || !classes.includes(class_)) return;
      bodies.set(textAt(body, "commit"), { key: textAt(body, "key"), seal: textAt(body, "seal") });
      keys.add(textAt(body, "key"));
    },
    /** Does this entry say where a body is that is not there, or that the time of these entries was compared with the cluster's own log? */
    needs({ kind, details }: Entry): boolean {
      if (kind === "retention.purged") return textsOf(details["keys"]).some((one) => keys.has(one));
      if (kind === "audit.recovered") return textsOf(details["bodies"]).some((one) => bodies.has(one));
      return (
        kind === "reconcile.ran" && first !== "" && textAt(details, "from") <= last && textAt(details, "to") >= first
      );
    },
  };
}

function textsOf(value: Json | undefined): readonly string[] {
  return Array.isArray(value) ? (value as readonly Json[]).filter((one) => typeof one === "string") : [];
}

type Visit = (entry: Entry, index: number, line: Buffer, leaf: Buffer) => void;

/** Of a purged entry there is the leaf alone. */
async function visitEntries(
  paths: TranscriptPaths,
  size: number,
  visit: Visit,
  gone: (leaf: Buffer) => void = () => undefined,
): Promise<void> {
  const scan = openScanner();
  let index = 0;
  for (const name of (await listSegments(paths.segments)).names)
    await visitLines(join(paths.segments, name), (buffer, start, end) => {
      if (index >= size) return;
      const line = buffer.subarray(start, end);
      const leaf = leafOfLine(buffer, start, end);
      if (isPurgedLine(buffer, start, end)) {
        index++;
        return gone(leaf);
      }
      const entry = scan(buffer, start, end) ?? readEntry(line.toString("utf8"));
      if (isMalformed(entry)) throw unusable(`entry ${index} ${entry.problem}: sallyport transcript verify says more`);
      visit(entry, index++, line, leaf);
    });
  if (index < size) throw unusable("the newest checkpoint is of more entries than are here");
}
