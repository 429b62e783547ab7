// Runs an authorised call's tool under a cluster that holds it to its accesses, a deadline and a credential of its own.

import { isCustom, isWrite } from "../domain/access.ts";
import type { AuthorizedCall } from "../domain/call.ts";
import { Faulted, type Fault } from "../domain/fault.ts";
import type { Grant } from "../domain/grant.ts";
import type { Change, DiffLine, Output, Sentence } from "../domain/output.ts";
import { textAt, type JsonObject } from "../domain/json.ts";
import type { Executed } from "../domain/run.ts";
import { agentOf } from "../domain/principal.ts";
import type { KubeClient } from "../kubernetes/contract.ts";
import { type ChangeNotes, type Kit, type OpenedCall, type Tool } from "../tool.ts";
import type { MaskIncoming } from "./contract.ts";
import { diffObjects } from "./diff.ts";
import { changeBlocks, notesOf, objectName, objectNames } from "./report.ts";
import type { Write } from "./write.ts";
import type { GuardOptions } from "./gate.ts";
import { guardCluster, type GuardedCluster } from "./guarded-cluster.ts";

export interface ExecuteOptions {
  readonly tool: Tool;
  readonly client: KubeClient;
  readonly masking: MaskIncoming;
  readonly forbids: GuardOptions["forbids"];
  /** Everything of the kit but the cluster. */
  readonly kit: Omit<Kit, "cluster" | "preview" | "diff">;
  readonly nextAuditId: () => string;
  /** Milliseconds for each request. */
  readonly timeout: number;
  /** Takes what a command wrote, for the record, however it ended. */
  readonly streamed: GuardOptions["streamed"];
}

/** Runs the call. Faults of the cluster and of the guard come up as `Faulted` as long as nothing was written. */
export async function execute(authorized: AuthorizedCall, grant: Grant, options: ExecuteOptions): Promise<Executed> {
  const { call } = authorized;
  const cluster = clusterFor(options, {
    accesses: authorized.accesses,
    leftOut: authorized.decision.dropped.length,
    authorization: grant.authorization,
    rehearse: false,
    preconditions: authorized.preconditions,
    agent: agentOf(call.principal),
  });
  try {
    const run = await runTool(options, cluster, call.arguments);
    if (call.effect === "read") return { kind: "ran", output: run.output, changes: [] };
    return { kind: "ran", output: doneOutput(call.tool, run), changes: run.changes };
  } catch (thrown) {
    if (!cluster.wrote()) throw thrown;
    const broke =
      thrown instanceof Faulted ? new Faulted(withProgress(thrown.fault, authorized, cluster.writes)) : thrown;
    return {
      kind: "broke",
      thrown: broke,
      changes: cluster.writes.map((write) => changeOf(cluster.name, write, linesOf(write))),
    };
  }
}

/** A fault in the middle of several writes says which were done and which were not. */
function withProgress(why: Fault, { accesses }: AuthorizedCall, writes: readonly Write[]): Fault {
  const done = writes.map(({ ref }) => objectName({ ...ref, kind: ref.kind.kind }));
  const meant = accesses.filter((one) => isWrite(one.verb) && !one.optional && one.name !== "").map(objectName);
  const left = [...new Set(meant)].filter((one) => !done.includes(one));
  return { ...why, detail: { ...why.detail, done, left, partly: done.length > 0 && left.length > 0 } };
}

interface Run {
  readonly output: Output & Partial<ChangeNotes>;
  readonly changes: readonly Change[];
  /** What the writes themselves had to tell. */
  readonly notes: readonly Sentence[];
}

/** The cluster of one run of a tool, real or rehearsed. */
export function clusterFor(
  { client, masking, forbids, kit, nextAuditId, timeout, streamed }: ExecuteOptions,
  run: Pick<GuardOptions, "accesses" | "leftOut" | "authorization" | "rehearse" | "preconditions" | "agent">,
): GuardedCluster {
  const { signal, now } = kit;
  return guardCluster({ ...run, client, masking, forbids, nextAuditId, timeout, signal, now, streamed });
}

/** One run of a tool under its cluster. */
export async function runTool({ tool, kit }: ExecuteOptions, cluster: GuardedCluster, input: JsonObject): Promise<Run> {
  const run = opened(tool, input).run({ ...kit, cluster, preview: cluster.rehearses, diff: diffObjects });
  const output = await run.finally(() => cluster.end());
  const changes = cluster.writes.map((write) => changeOf(cluster.name, write, linesOf(write)));
  // What was so before is not taken back: following that advice would undo somebody else's change.
  const same = changes.length > 0 && changes.every((change) => change.lines.length === 0);
  return {
    output: same && output.undo !== undefined ? { ...output, undo: "nothing to undo" } : output,
    changes,
    notes: [
      ...notesOf(cluster.writes, changes),
      ...(cluster.rehearses ? cluster.writes.flatMap((one) => one.exec?.alwaysAsks ?? []) : []).map((why) => [why]),
    ],
  };
}

function linesOf(write: Write): readonly DiffLine[] {
  if (write.exec !== undefined) return write.exec.lines;
  return diffObjects(write.before, write.after, write.sent ?? undefined);
}

/** Planned arguments were parsed before; that they parse again is an invariant. */
function opened(tool: Tool, input: JsonObject): OpenedCall {
  const call = tool.open(input);
  if (call.kind === "opened") return call;
  throw new Error(`planned arguments of ${tool.name} no longer parse`);
}

function changeOf(cluster: string, write: Write, lines: readonly DiffLine[]): Change {
  return {
    cluster,
    kind: write.ref.kind.kind,
    ...(isCustom(write.ref.kind.group) ? { group: write.ref.kind.group } : {}),
    namespace: write.ref.namespace,
    name: write.ref.name,
    uid: textAt(write.before ?? {}, "metadata", "uid"),
    before: write.before,
    after: write.after,
    lines,
    ...(write.evicted === true ? { evicted: true } : {}),
  };
}

/** `DONE workloads_scale Deployment shop/api`, then what changed, then what the tool says. */
function doneOutput(tool: string, { changes, output, notes }: Run): Output {
  const undo: Output["blocks"] =
    output.undo === undefined || output.undo === "" ? [] : [{ kind: "line", line: [`undo: ${output.undo}`] }];
  return {
    headline: ["DONE ", tool, " ", objectNames(changes)],
    blocks: [...changeBlocks(changes), ...output.blocks, ...lines([...(output.checks ?? []), ...notes]), ...undo],
    facts: output.facts,
    untrusted: output.untrusted,
  };
}

export function lines(sentences: readonly Sentence[]): Output["blocks"] {
  return sentences.map((line) => ({ kind: "line", line: ["! ", ...line] }));
}
