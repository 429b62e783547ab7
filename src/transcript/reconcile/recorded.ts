// What a transcript says that a cluster must have seen: its calls, its grants, and when each of them was.

import { textAt, type Json } from "../../domain/json.ts";
import type { Entry } from "../entry.ts";
import { readEntries } from "../read.ts";

export interface RecordedCall {
  readonly call: string;
  readonly session: string;
  readonly tool: string;
  /** "" in the oldest entries, and where it named none. */
  cluster: string;
  readonly preview: boolean;
  /** Milliseconds since 1970. */
  readonly from: number;
  /** When it ended; Infinity while it has not. */
  to: number;
  /** As its last decision has them; null where they were cut or there are too many to be written down. */
  accesses: ReadonlySet<string> | null;
  effect: "none" | "applied" | "unknown";
  ambient: boolean;
  objects: readonly { readonly namespace: string; readonly name: string; readonly kind: string }[];
}

export interface RecordedGrant {
  readonly grant: string;
  /** "" in the oldest entries. */
  readonly cluster: string;
  readonly call: string;
  readonly session: string;
  readonly account: string;
  readonly jti: string;
  readonly accesses: ReadonlySet<string> | null;
  /** Milliseconds since 1970. */
  readonly from: number;
  /** When it was taken back, else when it ends by itself. */
  to: number;
}

export interface Recorded {
  /** The clusters that entries name. */
  readonly clusters: ReadonlySet<string>;
  readonly calls: ReadonlyMap<string, RecordedCall>;
  /** By grant and token: a session's reads may be given several tokens under one grant. */
  readonly grants: ReadonlyMap<string, readonly RecordedGrant[]>;
  readonly tokens: ReadonlyMap<string, RecordedGrant>;
  /** Grants whose leftovers were found and removed, or told of. */
  readonly found: ReadonlySet<string>;
  /** What stands before the dot of the audit ids of a gateway's own work. */
  readonly work: ReadonlySet<string>;
}

/** Most accesses that an entry lists (call-record.ts). */
const mostAccesses = 200;

/** Reads one or several transcripts of gateways that share a cluster. Faults: transcript_unavailable. */
export async function readRecorded(folders: readonly string[]): Promise<Recorded> {
  const record = {
    clusters: new Set<string>(),
    calls: new Map<string, RecordedCall>(),
    grants: new Map<string, RecordedGrant[]>(),
    tokens: new Map<string, RecordedGrant>(),
    found: new Set<string>(),
    work: new Set<string>(),
  };
  for (const folder of folders) for await (const { entry } of readEntries(folder)) takeEntry(record, entry);
  return record;
}

/** What of it concerns one cluster. An entry that names none may concern any. */
export function inCluster({ clusters, calls, grants, tokens, found, work }: Recorded, cluster: string): Recorded {
  const here = (one: { readonly cluster: string }): boolean => one.cluster === "" || one.cluster === cluster;
  return {
    clusters,
    calls: new Map([...calls].filter(([, call]) => here(call))),
    grants: new Map([...grants].filter(([, list]) => list.every(here))),
    tokens: new Map([...tokens].filter(([, grant]) => here(grant))),
    found,
    work,
  };
}

interface Growing extends Recorded {
  readonly clusters: Set<string>;
  readonly calls: Map<string, RecordedCall>;
  readonly grants: Map<string, RecordedGrant[]>;
  readonly tokens: Map<string, RecordedGrant>;
  readonly found: Set<string>;
  readonly work: Set<string>;
}

function takeEntry(record: Growing, entry: Entry): void {
  const { kind, details } = entry;
  const cluster = textAt(details, "cluster");
  if (cluster !== "" && kind !== "reconcile.ran") record.clusters.add(cluster);
  const { work } = details;
  if (kind === "gateway.started" && Array.isArray(work)) for (const id of work) record.work.add(String(id));
  if (kind.startsWith("call.") && entry.call !== null) takeCall(record, entry, entry.call);
  else if (kind === "grant.issued") takeGrant(record, entry);
  else if (kind === "grant.revoked" || kind === "grant.swept") {
    record.found.add(textAt(details, "grant"));
    if (kind === "grant.swept" || details["complete"] === true)
      for (const grant of record.grants.get(textAt(details, "grant")) ?? []) grant.to = Date.parse(entry.ts);
  } else if (kind === "alert.raised") record.found.add(textAt(details, "about", "grant"));
}

function takeCall({ calls }: Growing, { kind, sid, ts, details }: Entry, call: string): void {
  const time = Date.parse(ts);
  if (kind === "call.received") {
    const fresh = { accesses: null, effect: "none", ambient: false, objects: [] } as const;
    const told = {
      tool: textAt(details, "tool"),
      cluster: textAt(details, "cluster"),
      preview: details["preview"] === true,
    };
    calls.set(call, { call, session: sid ?? "", ...told, from: time, to: Infinity, ...fresh });
  }
  const known = calls.get(call);
  if (known === undefined) return;
  known.cluster ||= textAt(details, "cluster");
  if (kind === "call.decided") known.accesses = accessesIn(details["accesses"]);
  if (kind === "call.unknown") [known.to, known.effect] = [time, "unknown"];
  if (kind !== "call.settled") return;
  const effect = textAt(details, "effect");
  known.to = time;
  known.effect = effect === "applied" || effect === "none" ? effect : "unknown";
  known.ambient = details["ambient"] === true;
  const objects = details["objects"];
  known.objects = (Array.isArray(objects) ? (objects as readonly Json[]) : []).flatMap((one) => {
    const [kind_, namespace, name] = [textAt(one, "kind"), textAt(one, "namespace"), textAt(one, "name")];
    return name === "" ? [] : [{ kind: kind_, namespace, name }];
  });
}

function takeGrant({ grants, tokens }: Growing, { call, sid, ts, details }: Entry): void {
  const expires = Date.parse(textAt(details, "expires"));
  const made: RecordedGrant = {
    grant: textAt(details, "grant"),
    cluster: textAt(details, "cluster"),
    call: call ?? "",
    session: sid ?? "",
    account: textAt(details, "account"),
    jti: textAt(details, "jti"),
    accesses: accessesIn(details["accesses"]),
    from: Date.parse(ts),
    to: Number.isNaN(expires) || expires === 0 ? Infinity : expires,
  };
  grants.set(made.grant, [...(grants.get(made.grant) ?? []), made]);
  if (made.jti !== "") tokens.set(made.jti, made);
}

/** Without the mark of those that the call could do without. */
function accessesIn(value: Json | undefined): ReadonlySet<string> | null {
  if (!Array.isArray(value)) return null;
  const lines = (value as readonly Json[]).filter((one) => typeof one === "string");
  if (lines.length >= mostAccesses || lines.some((one) => one.includes("(cut: "))) return null;
  return new Set(lines.map((one) => one.replace(/\?$/, "")));
}

/** Is this event's access among those of the entry? Exactly, for the whole collection, or for all namespaces. */
export function isAmong(
  accesses: ReadonlySet<string>,
  {
    verb,
    path,
    namespace,
    name,
  }: { readonly verb: string; readonly path: string; readonly namespace: string; readonly name: string },
): boolean {
  const places = [`${namespace}/${name}`, `${namespace}/*`, name, "*"];
  return places.some((place) => accesses.has(`${verb} ${path} ${place}`));
}
