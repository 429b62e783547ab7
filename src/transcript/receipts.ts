// Reads one call's receipt back for its own caller. A call id holds its time, so that only the segments around it are parsed.

import { join } from "node:path";
import type { CallReceipt } from "../domain/call-receipt.ts";
import { madeAt, type CallId } from "../domain/ids.ts";
import { isJsonObject, textAt, type Json, type JsonObject } from "../domain/json.ts";
import type { PrincipalFields } from "../domain/principal.ts";
import { canonical } from "./canonical.ts";
import { callerOf, clockTolerance, isMalformed, readEntry, type Entry } from "./entry.ts";
import { findTranscript, listSegments, readText } from "./files.ts";
import { visitLines } from "./lines.ts";
import type { Kept } from "./read.ts";
import { endsCall } from "./standing.ts";

export interface Receipts {
  /**
   * The receipt of a call of exactly this caller, its actors included; null for another's and for none alike.
   * One is read at a time. Faults: transcript_unavailable.
   */
  read(call: CallId, caller: PrincipalFields): Promise<CallReceipt | null>;
}

/** A call is on record once it is planned, which takes no longer than the longest deadline: 600 s. */
const longestPlan = 900_000;

/** A segment that is full never changes: how many entries it has, and when its first was written. */
interface Segment {
  readonly entries: number;
  /** Milliseconds since 1970. */
  readonly first: number;
}

export function openReceipts(folder: string): Receipts {
  const full = new Map<string, Segment>();
  let last: Promise<unknown> = Promise.resolve();
  return {
    read(call, caller) {
      const mine = last.then(() => find(folder, full, call, caller));
      last = mine.catch(() => undefined);
      return mine;
    },
  };
}

async function find(
  folder: string,
  full: Map<string, Segment>,
  call: CallId,
  caller: PrincipalFields,
): Promise<CallReceipt | null> {
  const paths = await findTranscript(folder);
  const { names } = await listSegments(paths.segments);
  // The newest one still grows.
  for (const name of names.slice(0, -1))
    if (!full.has(name)) full.set(name, await measured(join(paths.segments, name)));
  const begun = madeAt(call);
  const younger = names.findIndex((name) => (full.get(name)?.first ?? Infinity) > begun - clockTolerance);
  const from = Math.max(0, (younger === -1 ? names.length : younger) - 1);
  let index = names.slice(0, from).reduce((sum, name) => sum + (full.get(name)?.entries ?? 0), 0);
  const found: Kept[] = [];
  for (const name of names.slice(from)) {
    if (found.length === 0 && (full.get(name)?.first ?? 0) > begun + longestPlan) return null;
    index += await collect(join(paths.segments, name), index, call, found);
    const [first] = found;
    if (first !== undefined && !isCallers(first.entry, caller)) return null;
    if (found.some(({ entry }) => endsCall(entry))) break;
  }
  if (found.length === 0) return null;
  return receiptOf(call, found, await checkpointIn(paths.checkpoint));
}

async function measured(path: string): Promise<Segment> {
  let [entries, first] = [0, 0];
  await visitLines(path, (buffer, start, end) => {
    if (entries++ === 0) first = Date.parse(textAt(parsed(buffer.toString("utf8", start, end)), "ts"));
  });
  return { entries, first: Number.isNaN(first) ? 0 : first };
}

function parsed(line: string): JsonObject {
  const entry = readEntry(line);
  return isMalformed(entry) ? {} : (entry as JsonObject & Entry);
}

/** Adds the call's entries and returns how many entries the segment has. */
async function collect(path: string, from: number, call: CallId, found: Kept[]): Promise<number> {
  const word = `"${call}"`;
  let index = from;
  await visitLines(path, (buffer, start, end) => {
    const here = index++;
    const line = buffer.subarray(start, end);
    if (!line.includes(word)) return;
    const entry = readEntry(line.toString("utf8"));
    // Another call can hold this one's id in its arguments.
    if (!isMalformed(entry) && entry.call === call) found.push({ index: here, entry });
  });
  return index - from;
}

function isCallers({ principal }: Entry, caller: PrincipalFields): boolean {
  return principal !== null && canonical(principal) === canonical(callerOf(caller));
}

function receiptOf(call: CallId, found: readonly Kept[], checkpoint: CallReceipt["checkpoint"]): CallReceipt {
  const detailsOf = (kind: Entry["kind"]): JsonObject | undefined =>
    found.findLast(({ entry }) => entry.kind === kind)?.entry.details;
  const [received, decided, settled] = [
    detailsOf("call.received"),
    detailsOf("call.decided"),
    detailsOf("call.settled"),
  ];
  const ended = found.find(({ entry }) => endsCall(entry))?.entry;
  return {
    call,
    tool: textAt(received, "tool"),
    cluster: textAt(settled, "cluster") || textAt(decided, "cluster"),
    preview: received?.["preview"] === true,
    decision: decisionIn(decided),
    approval: textAt(decided, "approval") || textAt(detailsOf("approval.requested"), "approval") || null,
    ...endOf(ended),
    receivedAt: found[0]?.entry.ts ?? "",
    endedAt: ended?.ts ?? null,
    objects: listIn(settled, "objects").map((one) => ({
      kind: textAt(one, "kind"),
      namespace: textAt(one, "namespace"),
      name: textAt(one, "name"),
    })),
    masked: listIn(settled, "masked").map((one) => ({ type: textAt(one, "type"), count: Number(one["count"] ?? 0) })),
    diff: diffIn(detailsOf("call.previewed")),
    entries: found.map(({ index, entry }) => ({ kind: entry.kind, index })),
    checkpoint,
  };
}

/** What policy answered: a decision that stands beside another fault than its own no was never asked for. */
function decisionIn(decided: JsonObject | undefined): CallReceipt["decision"] {
  const decision = textAt(decided, "decision");
  const code = textAt(decided, "code");
  if (decision === "deny") return code === "denied" ? "deny" : "";
  return decision === "allow" || decision === "require-approval" ? decision : "";
}

function endOf(ended: Entry | undefined): Pick<CallReceipt, "outcome" | "code" | "effect"> {
  if (ended === undefined) return { outcome: "open", code: "", effect: "none" };
  if (ended.kind === "call.unknown") return { outcome: "unknown", code: "", effect: "unknown" };
  const [outcome, effect] = [textAt(ended.details, "outcome"), textAt(ended.details, "effect")];
  if (ended.kind !== "call.settled") return { outcome: "refused", code: codeOf(ended), effect: "none" };
  return {
    outcome: outcome === "completed" || outcome === "failed" ? outcome : "refused",
    code: textAt(ended.details, "code"),
    effect: effect === "none" || effect === "applied" ? effect : "unknown",
  };
}

/** A person's no, or nobody's answer, ends a call as these codes do. */
function codeOf({ kind }: Entry): string {
  if (kind === "approval.expired") return "approval_expired";
  return kind === "approval.withdrawn" ? "approval_withdrawn" : "approval_rejected";
}

function diffIn(previewed: JsonObject | undefined): readonly string[] {
  const diff = previewed?.["diff"];
  return Array.isArray(diff) ? diff.filter((line: Json) => typeof line === "string") : [];
}

function listIn(details: JsonObject | undefined, key: string): readonly JsonObject[] {
  const list = details?.[key];
  return Array.isArray(list) ? list.filter(isJsonObject) : [];
}

/** The head as the file says it: `verify` holds it against the key, a receipt only points at it. */
async function checkpointIn(path: string): Promise<CallReceipt["checkpoint"]> {
  const [origin = "", size = "", root = ""] = ((await readText(path)) ?? "").split("\n");
  return /^\d{1,15}$/.test(size) && root !== "" ? { origin, size: Number(size), root } : null;
}
