// An entry as its line holds it: the fields that all kinds share, how a draft becomes one, how a line is read back.

import type { EntryDraft, EntryKind } from "../domain/entry.ts";
import { isJsonObject, type Json, type JsonObject } from "../domain/json.ts";
import type { Caller as CallerFields, Subject } from "../domain/principal.ts";
import { canonical } from "./canonical.ts";
import { fit } from "./fit.ts";
import { leafHashOfPrefixed } from "./tree.ts";

/** Most bytes of one entry, so that a tlog-tiles bundle could hold it behind its 16-bit length. */
export const largestEntry = 65_535;

/** How far an entry may be dated before its forerunner, in milliseconds: clocks are slewed by less. */
export const clockTolerance = 1000;

/** Every kind of this version. */
const kinds: Record<EntryKind, true> = {
  "gateway.started": true,
  "gateway.stopped": true,
  "session.opened": true,
  "session.closed": true,
  "identity.refused": true,
  "call.received": true,
  "call.decided": true,
  "call.previewed": true,
  "call.settled": true,
  "call.unknown": true,
  "stream.segment": true,
  "approval.requested": true,
  "approval.decided": true,
  "approval.notified": true,
  "approval.expired": true,
  "approval.withdrawn": true,
  "approval.spent": true,
  "approval.stale": true,
  "grant.issued": true,
  "grant.revoked": true,
  "grant.swept": true,
  "policy.changed": true,
  "config.changed": true,
  "tool.changed": true,
  "alert.raised": true,
  "evidence.viewed": true,
  "evidence.searched": true,
  "evidence.exported": true,
  "evidence.verified": true,
  "agent.registered": true,
  "agent.disabled": true,
  "agent.enabled": true,
  "agent.reviewed": true,
  "limit.exceeded": true,
  "checkpoint.anchored": true,
  "reconcile.ran": true,
  "review.completed": true,
  "clock.checked": true,
  "retention.purged": true,
  "hold.placed": true,
  "hold.asked": true,
  "hold.released": true,
  "identity.linked": true,
  "identity.unlinked": true,
  "audit.degraded": true,
  "audit.recovered": true,
  "key.rotated": true,
};

/** Every kind, in an order that stays the same while the program runs. */
export const entryKinds = Object.keys(kinds) as readonly EntryKind[];

interface Account {
  readonly iss: string;
  readonly sub: string;
}

/** The verified caller, whom it acts for, and the client that its token was issued to, where its issuer says (RFC 9068, section 2.2). */
export interface Caller extends Account {
  readonly act: readonly Account[];
  readonly client_id?: string;
}

/** What an entry says before it has its place in order, time and tree. */
export interface Unplaced {
  readonly kind: EntryKind;
  /** The session's id; null for what the gateway itself does. */
  readonly sid: string | null;
  readonly call: string | null;
  readonly principal: Caller | null;
  /** The client program's own name for itself, as claimed. */
  readonly client: string;
  readonly details: JsonObject;
}

/** What runs: the gateway's id and version, and the SHA-256 of its configuration and policy, hex. */
export interface GatewayStamp {
  readonly id: string;
  readonly version: string;
  readonly config: string;
  readonly policy: string;
}

export interface Entry extends Unplaced {
  readonly v: 1;
  /** RFC 3339, UTC, milliseconds. */
  readonly ts: string;
  /** Counts the session's entries from 0; the gateway's own entries count as one session. */
  readonly sseq: number;
  /** The leaf hash of the session's entry before this one, hex; "" for its first. */
  readonly sprev: string;
  readonly gateway: GatewayStamp;
}

/** A place in a session: the next entry's number and the leaf hash before it. */
export interface Place {
  readonly sseq: number;
  readonly sprev: string;
}

/** A draft in the words of the entry. */
export function unplaced(draft: EntryDraft): Unplaced {
  const { kind, session, call, principal, details } = draft;
  return {
    kind,
    sid: session?.id ?? null,
    call,
    principal: principal === null ? null : callerOf(principal),
    client: principal?.client ?? "",
    details,
  };
}

/** A caller in the words of the entry. */
export function callerOf({ issuer, subject, actors, clientId }: CallerFields): Caller {
  const account = (one: Subject): Account => ({ iss: one.issuer, sub: one.subject });
  const through = clientId === undefined ? {} : { client_id: clientId };
  return { ...account({ issuer, subject }), act: actors.map(account), ...through };
}

/** One entry as it will stand in the file. */
export interface Line {
  readonly entry: Entry;
  /** The line with its newline, behind the 0x00 of the leaf hash. */
  readonly prefixed: Buffer;
  /** RFC 6962 leaf hash over the line without its newline. */
  readonly leaf: Buffer;
}

/** Gives an entry its place. Throws a TypeError for details that are not JSON and a RangeError for what no cutting makes fit. */
export function placeEntry(what: Unplaced, place: Place, now: number, gateway: GatewayStamp): Line {
  const { kind, sid, call, principal, client } = what;
  const { sseq, sprev } = place;
  const shared = { kind, sid, call, principal, client: fit(client, 256), sseq, sprev, gateway } as const;
  const ts = new Date(now).toISOString();
  for (const limit of [Infinity, 8192, 2048, 512, 128, 32]) {
    const entry: Entry = { v: 1, ...shared, ts, details: fitDetails(what.details, limit) };
    const line = entryText(entry);
    const length = Buffer.byteLength(line);
    if (length > largestEntry) continue;
    const prefixed = Buffer.allocUnsafe(length + 2);
    prefixed[0] = 0;
    prefixed.write(line, 1);
    prefixed[length + 1] = 0x0a;
    return { entry, prefixed, leaf: leafHashOfPrefixed(prefixed.subarray(0, length + 1)) };
  }
  throw new RangeError(`an entry of more than ${largestEntry} bytes`);
}

/** A reference to a body is never cut: it would point nowhere. */
function fitDetails(details: JsonObject, limit: number): JsonObject {
  if (details["body"] === undefined) return fit(details, limit);
  const { body, ...rest } = details;
  return { ...fit(rest, limit), body };
}

/** `canonical(entry)`, put together from its parts in the order of their names: three times as fast. */
export function entryText({ call, client, details, gateway, kind, principal, sid, sprev, sseq, ts }: Entry): string {
  const { config, id, policy, version } = gateway;
  const stamp = `{"config":${canonical(config)},"id":${canonical(id)},"policy":${canonical(policy)},"version":${canonical(version)}}`;
  const who = `"call":${canonical(call)},"client":${canonical(client)}`;
  const what = `"details":${canonical(details)},"gateway":${stamp},"kind":"${kind}","principal":${canonical(principal)}`;
  return `{${who},${what},"sid":${canonical(sid)},"sprev":"${sprev}","sseq":${sseq},"ts":"${ts}","v":1}`;
}

/** What is wrong with a line. `torn` when it is no JSON at all, as a line is that a crash cut short. */
export interface Malformed {
  readonly torn: boolean;
  readonly problem: string;
}

/** The entry that a line's text holds, or what is wrong with it. Its spelling is not checked: see `isCanonical`. */
export function readEntry(text: string): Entry | Malformed {
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch {
    return { torn: true, problem: "is not JSON" };
  }
  const problem = isJsonObject(value) ? problemWith(value) : "is not an object";
  return problem === null ? (value as JsonObject & Entry) : { torn: false, problem };
}

/** Did `readEntry` find something wrong? */
export function isMalformed(read: Entry | Malformed): read is Malformed {
  return "problem" in read;
}

const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const leafHex = /^[0-9a-f]{64}$/;
const textOrNull = (value: Json | undefined): value is string | null => value === null || typeof value === "string";

/** What is wrong with a parsed line, or null. */
export function problemWith(value: JsonObject): string | null {
  const { v, kind, ts, sid, sseq, sprev, call, principal, client, gateway, details } = value;
  if (v !== 1) return "has a version that this program does not know";
  if (!isKind(kind)) return "has an unknown kind";
  if (typeof ts !== "string" || !isTime(ts)) return "has no time";
  if (!textOrNull(sid) || !textOrNull(call) || typeof client !== "string") return "has no session, call or client";
  if (typeof sseq !== "number" || !Number.isSafeInteger(sseq) || sseq < 0) return "has no place in its session";
  if (typeof sprev !== "string" || !isPlace(sseq, sprev)) return "has no link backwards";
  if (!isPrincipalOrNull(principal)) return "has a malformed principal";
  if (!isGateway(gateway)) return "does not say which gateway wrote it";
  if (!isJsonObject(details)) return "has no details";
  return Object.keys(value).length === 11 ? null : "has fields that this version does not have";
}

/** Is this one of the kinds? */
export function isKind(value: Json | undefined): value is EntryKind {
  return typeof value === "string" && Object.hasOwn(kinds, value);
}

/** Is this a time as entries bear it? */
export function isTime(text: string): boolean {
  return time.test(text) && !Number.isNaN(Date.parse(text));
}

/** Can these two be a place in a session: its first, or one with a link backwards? */
export function isPlace(sseq: number, sprev: string): boolean {
  return Number.isSafeInteger(sseq) && (sseq === 0 ? sprev === "" : sseq > 0 && leafHex.test(sprev));
}

/** Is this a caller as entries name it, or none? */
export function isPrincipalOrNull(value: Json | undefined): value is (JsonObject & Caller) | null {
  if (value === null) return true;
  if (!isJsonObject(value) || !isAccount(value)) return false;
  const { act, client_id: client = "" } = value;
  return (
    typeof client === "string" && Array.isArray(act) && act.every((one: Json) => isJsonObject(one) && isAccount(one))
  );
}

function isAccount(value: JsonObject): boolean {
  return typeof value["iss"] === "string" && typeof value["sub"] === "string";
}

/** Does this say which gateway wrote an entry? */
export function isGateway(value: Json | undefined): value is JsonObject & GatewayStamp {
  return isJsonObject(value) && ["id", "version", "config", "policy"].every((key) => typeof value[key] === "string");
}
