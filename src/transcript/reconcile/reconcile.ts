// Compares a transcript with the API server's own audit log: the one check of it that does not rest on the gateway's word.

import { readPurgedPast } from "../purged-past.ts";
import { hasEffect, readAuditLog, type AuditEvent, type LogRead } from "./events.ts";
import { openJudge, type Finding, type Judged, type Others, type OwnIdentities } from "./judge.ts";
import { inCluster, readRecorded, type Recorded, type RecordedCall } from "./recorded.ts";

export interface ReconcileOptions {
  /** The audit log: a file, or a folder of rotated ones. */
  readonly log: string;
  /** State folders of the gateways that serve this cluster. */
  readonly folders: readonly string[];
  readonly own: OwnIdentities;
  /** Where writes by others are looked for; empty: where calls had effects. */
  readonly namespaces: readonly string[];
  /** The cluster that the log is of; "" where the entries name one alone. */
  readonly cluster: string;
  /** Users of the control plane itself: `system:kube-scheduler`, or a beginning of names with a `*` behind it. */
  readonly system: readonly string[];
}

/** An entry that says what the log does not show. */
export interface Missing {
  readonly call: string;
  readonly says: string;
}

export interface Reconciled {
  /** Was everything judged, and is nothing to be looked at? */
  readonly ok: boolean;
  readonly cluster: string;
  /** RFC 3339; "" where the log has no events. */
  readonly from: string;
  readonly to: string;
  readonly log: Pick<LogRead, "files" | "events" | "unreadable" | "digest">;
  readonly namespaces: readonly string[];
  /** A day before which entries were purged, "" where none were; and how many requests of that time were not judged. */
  readonly purgedBefore: string;
  readonly notJudged: number;
  /** Calls that lie within the log's time, and those that do not. */
  readonly calls: number;
  readonly outside: number;
  /** What our identities did without an entry. */
  readonly theft: readonly Finding[];
  /** Writes by others where we govern, by identity. */
  readonly bypass: readonly Others[];
  /** Entries with an effect that the log does not show. */
  readonly missing: readonly Missing[];
  /** Requests that are not what their entry says. */
  readonly differ: readonly Finding[];
  /** Writes by the control plane itself, and by enrolment: counted, and no finding. */
  readonly system: readonly Others[];
  readonly enrolment: readonly Others[];
  /** Calls whose end the record does not know, and what the log shows of them. */
  readonly resolved: readonly { readonly call: string; readonly effects: number }[];
}

/** Faults: transcript_unavailable. Rejects with the operating system's error where the log can't be read, with a RangeError where the cluster is not clear or the log holds no event: nothing was compared then. */
export async function reconcile(options: ReconcileOptions): Promise<Reconciled> {
  const all = await readRecorded(options.folders);
  const cluster = clusterOf(all, options.cluster);
  const recorded = inCluster(all, cluster);
  const namespaces = options.namespaces.length > 0 ? options.namespaces : reached(recorded);
  const judge = openJudge({
    recorded,
    own: options.own,
    namespaces: new Set(namespaces),
    isSystem: (user) => options.system.some((one) => matches(one, user)),
  });
  // Of what was purged nothing explains an event any more: neither theft nor anything else can be told of that time.
  // Nor is it told that all was well then: the line that says so may be forged, which is for `verify` to find.
  const purgedBefore = await purgedBeforeIn(options.folders);
  let notJudged = 0;
  const horizon = purgedBefore === "" ? 0 : Date.parse(purgedBefore);
  const log = await readAuditLog(options.log, (event) => {
    if (event.at >= horizon) judge.take(event);
    else notJudged++;
  });
  // An empty folder, another kind of file, a log that is turned off: that no event shows anything is no comparison.
  if (log.events === 0)
    throw new RangeError(
      `${options.log} holds no audit event (${log.unreadable} lines in ${log.files} files are none): name the API server's log, JSON lines, or a folder of its *.log files (--audit-log)`,
    );
  const judged = judge.done();
  const { within, outside } = inWindow(
    recorded,
    { from: log.from === 0 ? 0 : Math.max(log.from, horizon), to: log.to },
    judged.cleared,
  );
  const missing = within.flatMap((call) => missingOf(call, judged.effects.get(call.call) ?? []));
  const resolved = within
    .filter(({ effect, to }) => effect === "unknown" && to !== Infinity)
    .map(({ call }) => ({ call, effects: judged.effects.get(call)?.length ?? 0 }));
  const found = judged.theft.length + judged.bypass.size + missing.length + judged.differ.length + log.unreadable;
  return {
    ok: found === 0 && notJudged === 0,
    cluster,
    from: log.from === 0 ? "" : new Date(log.from).toISOString(),
    to: log.to === 0 ? "" : new Date(log.to).toISOString(),
    log: { files: log.files, events: log.events, unreadable: log.unreadable, digest: log.digest },
    namespaces,
    purgedBefore,
    notJudged,
    calls: within.length,
    outside,
    missing,
    resolved,
    ...lists(judged),
  };
}

/** The latest day of all records: what one gateway's entries no longer explain, nobody's do. */
async function purgedBeforeIn(folders: readonly string[]): Promise<string> {
  const pasts = await Promise.all(folders.map(readPurgedPast));
  return pasts.reduce((latest, past) => (past !== null && past.before > latest ? past.before : latest), "");
}

function lists({
  theft,
  differ,
  bypass,
  system,
  enrolment,
}: Judged): Pick<Reconciled, "theft" | "differ" | "bypass" | "system" | "enrolment"> {
  const byCount = (others: ReadonlyMap<string, Others>): readonly Others[] =>
    [...others.values()].toSorted((a, b) => b.count - a.count || (a.identity < b.identity ? -1 : 1));
  return { theft, differ, bypass: byCount(bypass), system: byCount(system), enrolment: byCount(enrolment) };
}

function clusterOf({ clusters }: Recorded, named: string): string {
  if (named !== "" && clusters.size > 0 && !clusters.has(named))
    throw new RangeError(
      `the entries name no cluster ${named}, but ${[...clusters].toSorted().join(", ")}: say whose log it is (--cluster)`,
    );
  if (named !== "") return named;
  const [only = "", ...others] = clusters;
  if (others.length > 0)
    throw new RangeError(
      `the entries name several clusters (${[...clusters].toSorted().join(", ")}): say whose log it is (--cluster)`,
    );
  return only;
}

/** Where calls could write, as their grants tell. */
function reached({ grants }: Recorded): readonly string[] {
  const found = new Set<string>();
  for (const list of grants.values())
    for (const { accesses } of list)
      for (const access of accesses ?? []) {
        const place = access.split(" ")[2] ?? "";
        if (place.includes("/")) found.add(place.slice(0, place.indexOf("/")));
      }
  return [...found].toSorted();
}

/** The calls that began and ended while the log was kept: it shows later events, or that their credential was taken back. */
function inWindow(
  { calls }: Recorded,
  { from, to }: Pick<LogRead, "from" | "to">,
  cleared: ReadonlySet<string>,
): { within: readonly RecordedCall[]; outside: number } {
  const within = [...calls.values()].filter(
    (one) => from > 0 && one.from >= from && (one.to <= to || cleared.has(one.call)),
  );
  return { within, outside: calls.size - within.length };
}

function missingOf({ call, tool, effect, objects }: RecordedCall, effects: readonly AuditEvent[]): readonly Missing[] {
  if (effect !== "applied") return [];
  if (!effects.some(hasEffect)) return [{ call, says: `${tool} was applied, and the log shows no write of it` }];
  return objects
    .filter(({ namespace, name }) => !effects.some((one) => one.name === name && one.namespace === namespace))
    .map(({ kind, namespace, name }) => ({
      call,
      says: `${tool} changed ${kind} ${namespace === "" ? "" : `${namespace}/`}${name}, and the log shows no write of it`,
    }));
}

function matches(pattern: string, user: string): boolean {
  return pattern.endsWith("*") ? user.startsWith(pattern.slice(0, -1)) : user === pattern;
}
