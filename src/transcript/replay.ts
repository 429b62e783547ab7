// A session as it happened: each call from its request to its end, with who agreed, what it ran on, and where the time went. Long: each part of a call is read from its own entries.

import type { BodyRef } from "../domain/entry.ts";
import { at, isJsonObject, textAt, type Json, type JsonObject } from "../domain/json.ts";
import { canonical } from "./canonical.ts";
import type { Entry } from "./entry.ts";
import { readEntries, type Kept } from "./read.ts";

export interface Replay {
  readonly session: string;
  readonly door: string;
  /** The client program's own name for itself. */
  readonly client: string;
  readonly principal: {
    readonly iss: string;
    readonly sub: string;
    readonly act: readonly { readonly sub: string }[];
  } | null;
  /** RFC 3339. */
  readonly first: string;
  readonly last: string;
  readonly entries: number;
  readonly calls: readonly ReplayedCall[];
  /** What the session's entries say of no call. */
  readonly besides: readonly Kept[];
}

export interface ReplayedCall {
  readonly call: string;
  readonly tool: string;
  readonly cluster: string;
  /** RFC 3339: when it was received and when its last entry was written. */
  readonly at: string;
  readonly ended: string;
  /** Where the time went, in milliseconds: until it was decided, waiting for people, and running. */
  readonly lag: { readonly deciding: number; readonly waiting: number; readonly running: number };
  readonly arguments: Json;
  readonly reason: string | null;
  readonly preview: boolean;
  readonly decisions: readonly ReplayedDecision[];
  /** The rehearsal's diff, as it was shown. */
  readonly diff: readonly string[];
  readonly approvals: readonly ReplayedApproval[];
  readonly grants: readonly ReplayedGrant[];
  /** `completed`, `failed`, `refused`, `unknown`; how its approval ended where nothing came after it; or `open`. */
  readonly outcome: string;
  readonly code: string;
  readonly effect: string;
  readonly objects: readonly string[];
  readonly masked: readonly { readonly type: string; readonly count: number; readonly places: readonly string[] }[];
  /** What its command printed, in the order in which it came. */
  readonly streams: readonly ReplayedSegment[];
  /** The indexes of its entries. */
  readonly entries: readonly number[];
}

export interface ReplayedSegment {
  readonly stream: string;
  /** Milliseconds since the command began: from its first character to its last. */
  readonly from: number;
  readonly to: number;
  readonly bytes: number;
  readonly masked: readonly { readonly type: string; readonly count: number }[];
  /** Where its text is sealed; null where it was not kept. */
  readonly body: BodyRef | null;
}

export interface ReplayedDecision {
  readonly at: string;
  readonly effect: string;
  readonly rules: readonly string[];
  readonly forbid: string | null;
  readonly code: string;
  readonly accesses: readonly string[];
}

export interface ReplayedApproval {
  readonly id: string;
  readonly at: string;
  /** By whom the rules asked for it. */
  readonly asked: readonly string[];
  readonly answers: readonly {
    readonly answer: string;
    readonly by: string;
    readonly channel: string;
    readonly assurance: string;
    readonly reason: string;
    /** Milliseconds after it was asked for. */
    readonly after: number;
  }[];
  /** `spent`, `rejected`, `revoked`, `expired`, `withdrawn`, `stale`, or `open`. */
  readonly ended: string;
  /** What had changed, where it went stale. */
  readonly changed: string;
}

export interface ReplayedGrant {
  readonly account: string;
  readonly issuer: string;
  readonly accesses: readonly string[];
  readonly expires: string;
  /** `revoked`, `left` where something of it stayed behind for the sweep, or `live`. */
  readonly ended: string;
}

/** The session's replay, or null where nothing of it is on record. Faults as `readEntries`. */
export async function readReplay(folder: string, session: string): Promise<Replay | null> {
  const all: Kept[] = [];
  for await (const kept of readEntries(folder, { session })) all.push(kept);
  const [first, last] = [all[0], all.at(-1)];
  if (first === undefined || last === undefined) return null;
  const calls = Map.groupBy(
    all.filter(({ entry }) => entry.call !== null),
    ({ entry }) => entry.call ?? "",
  );
  const opened = all.find(({ entry }) => entry.kind === "session.opened")?.entry.details;
  const named = all.find(({ entry }) => entry.principal !== null)?.entry;
  return {
    session,
    door: textAt(opened, "door"),
    client: named?.client ?? textAt(opened, "client"),
    principal: named?.principal ?? null,
    first: first.entry.ts,
    last: last.entry.ts,
    entries: all.length,
    calls: [...calls].map(([call, kept]) => replayCall(call, kept)),
    besides: all.filter(({ entry }) => entry.call === null),
  };
}

function replayCall(call: string, kept: readonly Kept[]): ReplayedCall {
  const entries = kept.map(({ entry }) => entry);
  const of = (kind: Entry["kind"]): Entry | undefined => entries.findLast((entry) => entry.kind === kind);
  const [received, settled] = [of("call.received")?.details, of("call.settled")?.details];
  const approvals = approvalsIn(entries);
  const [begun, ended] = [entries[0]?.ts ?? "", entries.at(-1)?.ts ?? ""];
  const reason = textAt(received, "reason");
  return {
    call,
    tool: textAt(received, "tool"),
    cluster: textAt(settled, "cluster") || textAt(of("call.decided")?.details, "cluster"),
    at: begun,
    ended,
    lag: lagOf(entries, begun, ended),
    arguments: received?.["arguments"] ?? null,
    reason: reason === "" ? null : reason,
    preview: received?.["preview"] === true,
    decisions: entries.flatMap((entry) => (entry.kind === "call.decided" ? [decisionIn(entry)] : [])),
    diff: textsIn(of("call.previewed")?.details, "diff"),
    approvals,
    grants: grantsIn(entries),
    outcome: outcomeOf(entries, settled, approvals),
    code: textAt(settled, "code"),
    effect: of("call.unknown") === undefined ? textAt(settled, "effect") || "none" : "unknown",
    objects: listIn(settled, "objects").map(objectText),
    masked: listIn(settled, "masked").map((row) => ({
      type: textAt(row, "type"),
      count: Number(at(row, "count") ?? 0),
      places: textsIn(row, "places"),
    })),
    streams: entries.flatMap((entry) => (entry.kind === "stream.segment" ? [segmentIn(entry)] : [])),
    entries: kept.map(({ index }) => index),
  };
}

/** Waiting lasts from each request to what ended it; what comes after the last decision that let it run is the run. */
function lagOf(entries: readonly Entry[], begun: string, ended: string): ReplayedCall["lag"] {
  const whole = Date.parse(ended) - Date.parse(begun);
  let [asked, waiting] = [Number.NaN, 0];
  let ran = Number.NaN;
  for (const { kind, ts, details } of entries) {
    const time = Date.parse(ts);
    if (kind === "approval.requested") asked = time;
    const over =
      kind === "approval.decided"
        ? textAt(details, "state") !== "pending"
        : /^approval\.(expired|withdrawn)$/.test(kind);
    if (over && !Number.isNaN(asked)) [waiting, asked] = [waiting + time - asked, Number.NaN];
    if (kind === "call.decided" && textAt(details, "decision") === "allow" && textAt(details, "code") === "")
      ran = time;
  }
  if (!Number.isNaN(asked)) waiting += Date.parse(ended) - asked;
  const running = Number.isNaN(ran) ? 0 : Date.parse(ended) - ran;
  return { deciding: Math.max(0, whole - waiting - running), waiting, running };
}

function decisionIn({ ts, details }: Entry): ReplayedDecision {
  return {
    at: ts,
    effect: textAt(details, "decision"),
    rules: textsIn(details, "rules"),
    forbid: textAt(details, "forbid") || null,
    code: textAt(details, "code"),
    accesses: textsIn(details, "accesses"),
  };
}

function segmentIn({ details }: Entry): ReplayedSegment {
  const { body } = details;
  const number = (value: Json | undefined): number => (typeof value === "number" ? value : 0);
  const text = (key: string): string => textAt(body, key);
  return {
    stream: textAt(details, "stream"),
    from: number(details["from"]),
    to: number(details["to"]),
    bytes: number(details["bytes"]),
    masked: listIn(details, "masked").map((row) => ({ type: textAt(row, "type"), count: number(row["count"]) })),
    body: isJsonObject(body)
      ? { bytes: number(body["bytes"]), commit: text("commit"), key: text("key"), seal: text("seal") }
      : null,
  };
}

function approvalsIn(entries: readonly Entry[]): readonly ReplayedApproval[] {
  return entries.flatMap((request): ReplayedApproval[] => {
    if (request.kind !== "approval.requested") return [];
    const id = textAt(request.details, "approval");
    const about = entries.filter(
      ({ kind, details }) => kind.startsWith("approval.") && textAt(details, "approval") === id,
    );
    const answers = about.filter(({ kind }) => kind === "approval.decided");
    const last = about.findLast(({ kind }) => kind !== "approval.notified" && kind !== "approval.requested");
    return [
      {
        id,
        at: request.ts,
        asked: [...new Set(listIn(request.details, "requirements").flatMap((one) => textsIn(one, "approvers")))],
        answers: answers.map(({ ts, details }) => ({
          answer: textAt(details, "answer"),
          by: textAt(details, "approver", "subject") || textAt(details, "approver", "sub"),
          channel: textAt(details, "approver", "channel"),
          assurance: textAt(details, "approver", "assurance"),
          reason: textAt(details, "reason"),
          after: Date.parse(ts) - Date.parse(request.ts),
        })),
        ended: endOf(last),
        changed: textAt(about.find(({ kind }) => kind === "approval.stale")?.details, "changed"),
      },
    ];
  });
}

function endOf(last: Entry | undefined): string {
  if (last === undefined) return "open";
  if (last.kind !== "approval.decided") return last.kind.slice("approval.".length);
  const state = textAt(last.details, "state");
  return state === "pending" ? "open" : state;
}

function grantsIn(entries: readonly Entry[]): readonly ReplayedGrant[] {
  return entries.flatMap(({ kind, details }): ReplayedGrant[] => {
    if (kind !== "grant.issued") return [];
    const id = textAt(details, "grant");
    const end = entries.findLast(
      (entry) => /^grant\.(revoked|swept)$/.test(entry.kind) && textAt(entry.details, "grant") === id,
    );
    const left = end?.kind === "grant.revoked" && end.details["complete"] !== true;
    return [
      {
        account: textAt(details, "account"),
        issuer: textAt(details, "issuer"),
        accesses: textsIn(details, "accesses"),
        expires: textAt(details, "expires"),
        ended: end === undefined ? "live" : left ? "left" : "revoked",
      },
    ];
  });
}

function outcomeOf(
  entries: readonly Entry[],
  settled: JsonObject | undefined,
  approvals: readonly ReplayedApproval[],
): string {
  if (settled !== undefined) return textAt(settled, "outcome");
  if (entries.some(({ kind }) => kind === "call.unknown")) return "unknown";
  const ended = approvals.at(-1)?.ended ?? "open";
  return ["rejected", "revoked", "expired", "withdrawn"].includes(ended) ? ended : "open";
}

/** `Deployment shop/web (1041 -> 1042)` */
function objectText(object: JsonObject): string {
  const where = [textAt(object, "namespace"), textAt(object, "name")].filter((part) => part !== "").join("/");
  const versions = [textAt(object, "before"), textAt(object, "after")].filter((part) => part !== "");
  return `${textAt(object, "kind")} ${where}${versions.length === 0 ? "" : ` (${versions.join(" -> ")})`}`;
}

function listIn(value: Json | undefined, key: string): readonly JsonObject[] {
  const list = at(value, key);
  return Array.isArray(list) ? list.filter(isJsonObject) : [];
}

/** The texts of a list; what else stands there, cut parts among it, as JSON. */
function textsIn(value: Json | undefined, key: string): readonly string[] {
  const list = at(value, key);
  if (!Array.isArray(list)) return [];
  return (list as readonly Json[]).map((one) => (typeof one === "string" ? one : canonical(one)));
}
