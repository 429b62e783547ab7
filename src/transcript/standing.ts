// What the entries so far leave open: each session's last place, calls without an outcome, grants that may still live.
// A fold over entries and nothing else, so that a stored state per segment can stand in for reading them again.

import type { EntryKind } from "../domain/entry.ts";
import { textAt } from "../domain/json.ts";
import type { Entry, Place, Unplaced } from "./entry.ts";
import type { LastKept } from "./held.ts";

/** How far a call came that may need an end from us. One that waits for a person does not: its approval's record goes on. */
export type Stage = "received" | "running";

export interface OpenCall {
  readonly call: string;
  readonly stage: Stage;
  readonly tool: string;
  /** The last grant that was issued for it; "" when none was. */
  readonly grant: string;
  readonly about: Pick<Unplaced, "sid" | "principal" | "client">;
}

export interface LiveGrant {
  readonly id: string;
  readonly issuer: string;
  /** Where it is a credential; "" in an entry that does not say. */
  readonly cluster: string;
  /** The Kubernetes user that it acts as. */
  readonly account: string;
  /** RFC 3339; "" where it is not known. */
  readonly expires: string;
  readonly call: string | null;
}

/** What a gateway began with; "" where the entry does not say. `policy` follows later changes. */
export interface LastStart {
  readonly config: string;
  readonly policy: string;
  readonly tools: string;
}

export interface Standing {
  /** By session id; "" for the gateway's own entries. */
  readonly sessions: Map<string, Place>;
  readonly open: Map<string, OpenCall>;
  readonly grants: Map<string, LiveGrant>;
  /** Every grant that was ever issued. */
  readonly known: Set<string>;
  /** The latest time that an entry bears (RFC 3339); "" before the first. */
  latest: string;
  /** null before the first. */
  started: LastStart | null;
  /** The verifier key that the last rotation named; "" before the first. */
  key: string;
  /** The keys of bodies that the last purge named. */
  purged: readonly string[];
  /** Entries so far, and up to the last that is more than an anchor's receipt. */
  entries: number;
  substance: number;
  /** The last receipt of each anchor, by its name. */
  readonly anchored: Map<string, LastKept>;
}

export function emptyStanding(): Standing {
  return {
    sessions: new Map(),
    open: new Map(),
    grants: new Map(),
    known: new Set(),
    latest: "",
    started: null,
    key: "",
    purged: [],
    entries: 0,
    substance: 0,
    anchored: new Map(),
  };
}

/** Takes account of a line of which a purge left the leaf alone. */
export function foldPurgedLine(standing: Standing): void {
  standing.substance = ++standing.entries;
}

/** The latest time that an entry bears, in milliseconds since 1970; 0 before the first. */
export function latestTime({ latest }: Standing): number {
  return latest === "" ? 0 : Date.parse(latest);
}

/** The entry that says of a call that its outcome is not known, and why. */
export function unknownEntry(call: OpenCall, why: string): Unplaced {
  const left = call.stage === "running" ? "what it left behind is not known" : "it had not run";
  const details = { reason: `${why}; ${left}`, grant: call.grant };
  return { kind: "call.unknown", call: call.call, ...call.about, details };
}

/** Where the session's next entry goes. */
export function placeIn(standing: Pick<Standing, "sessions">, sid: string | null): Place {
  return standing.sessions.get(sid ?? "") ?? { sseq: 0, sprev: "" };
}

/** Takes one more entry into account, whose leaf hash this is (hex). */
export function foldEntry(standing: Standing, entry: Entry, leaf: string): void {
  standing.sessions.set(entry.sid ?? "", { sseq: entry.sseq + 1, sprev: leaf });
  // Times of one length and zone order as their texts do.
  if (entry.ts > standing.latest) standing.latest = entry.ts;
  standing.entries++;
  if (entry.kind !== "checkpoint.anchored") standing.substance = standing.entries;
  if (entry.sid === null) foldOwn(standing, entry);
  if (entry.kind.startsWith("grant.")) foldGrant(standing, entry);
  if (entry.call !== null) foldCall(standing, entry, entry.call);
}

function foldOwn(standing: Standing, { kind, details }: Entry): void {
  const said = (key: string): string => textAt(details, key);
  if (kind === "key.rotated") standing.key = said("to");
  if (kind === "checkpoint.anchored") {
    const [size, at] = [Number(details["size"] ?? 0), Date.parse(said("at"))];
    standing.anchored.set(said("anchor"), { size, root: said("root"), at, place: said("place") });
  }
  if (kind === "retention.purged" && Array.isArray(details["keys"])) standing.purged = details["keys"].map(String);
  if (kind === "gateway.started")
    standing.started = { config: said("config"), policy: said("policy"), tools: said("tools") };
  else if (kind === "policy.changed" && standing.started !== null)
    standing.started = { ...standing.started, policy: said("to") };
  else if (kind === "config.changed" && standing.started !== null)
    standing.started = { ...standing.started, config: said("to") };
}

function foldCall({ open }: Standing, entry: Entry, call: string): void {
  const { kind, sid, principal, client, details } = entry;
  const fresh: OpenCall = { call, stage: "received", tool: "", grant: "", about: { sid, principal, client } };
  const known = open.get(call);
  const tool = textAt(details, "tool");
  if (endsCall(entry) || waitsForPerson(entry)) open.delete(call);
  else if (kind === "call.received") open.set(call, { ...fresh, tool });
  else if (runsCall(entry)) open.set(call, { ...fresh, ...known, tool, stage: "running" });
  else if (kind === "grant.issued" && known !== undefined)
    open.set(call, { ...known, grant: textAt(details, "grant") });
}

/** Is this the entry after which the call may run? A decision with a code was overtaken by a refusal. */
export function runsCall({ kind, details }: Pick<Entry, "kind" | "details">): boolean {
  if (kind === "approval.spent") return true;
  return kind === "call.decided" && textAt(details, "decision") === "allow" && textAt(details, "code") === "";
}

function waitsForPerson({ kind, details }: Entry): boolean {
  if (kind === "approval.requested") return true;
  return (
    kind === "call.decided" && textAt(details, "decision") === "require-approval" && textAt(details, "code") === ""
  );
}

const ends: ReadonlySet<EntryKind> = new Set<EntryKind>([
  "call.settled",
  "call.unknown",
  "approval.expired",
  "approval.withdrawn",
]);

/** Is this the entry that ends the call? A person's no is one: nothing runs after it. */
export function endsCall({ kind, details }: Pick<Entry, "kind" | "details">): boolean {
  return ends.has(kind) || (kind === "approval.decided" && ["rejected", "revoked"].includes(textAt(details, "state")));
}

function foldGrant(standing: Standing, { kind, details, call }: Entry): void {
  const id = textAt(details, "grant");
  if (kind === "grant.issued") {
    const [issuer, cluster, account] = ["issuer", "cluster", "account"].map((key) => textAt(details, key));
    const issued = { id, call, issuer: issuer ?? "", cluster: cluster ?? "", account: account ?? "" };
    standing.known.add(id);
    standing.grants.set(id, { ...issued, expires: textAt(details, "expires") });
  } else if (kind === "grant.swept" || details["complete"] === true) standing.grants.delete(id);
}
