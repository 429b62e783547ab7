// Rehearses a change by server-side dry run, under an account that can do nothing but dry runs.

import { createHash } from "node:crypto";
import canonicalize from "canonicalize";
import { resourcePath, type Access } from "../domain/access.ts";
import type { PlannedCall, Precondition } from "../domain/call.ts";
import type { ChangeFact, Decision } from "../domain/decision.ts";
import type { Grant } from "../domain/grant.ts";
import { at, textAt, type Json } from "../domain/json.ts";
import type { Change } from "../domain/output.ts";
import type { Preview } from "../domain/run.ts";
import { agentOf } from "../domain/principal.ts";
import { substanceOf } from "./diff.ts";
import { changeBlocks, clusterFor, lines, objectName, runTool, type ExecuteOptions } from "./execute.ts";
import type { Write } from "./guarded-cluster.ts";

/** Runs the tool with every write a dry run. A read has nothing to rehearse and gives an empty preview. */
export async function preview(
  call: PlannedCall,
  decision: Decision,
  credential: () => Promise<Pick<Grant, "authorization">>,
  options: ExecuteOptions,
): Promise<Preview> {
  if (call.effect === "read") return emptyPreview;
  const dropped = new Set<Access>(decision.dropped);
  const cluster = clusterFor(options, {
    accesses: call.accesses.filter((access) => !dropped.has(access)),
    leftOut: dropped.size,
    authorization: (await credential()).authorization,
    rehearse: true,
    preconditions: [],
    agent: agentOf(call.principal),
  });
  const run = await runTool(options, cluster, call.arguments);
  const checks = [...(run.output.checks ?? []), ...run.notes];
  const undo = run.output.undo ?? "";
  const policy = decision.effect === "allow" ? "allowed" : "needs approval";
  return {
    output: {
      headline: ["PREVIEW ", call.tool, " ", run.changes.map(objectName).join(", "), " - nothing changed"],
      blocks: [
        ...changeBlocks(run.changes),
        ...run.output.blocks,
        ...lines(checks),
        { kind: "line", line: [undo === "" ? "" : `undo: ${undo}; `, `policy: ${policy}`] },
      ],
      facts: run.output.facts,
      untrusted: run.output.untrusted,
    },
    changes: run.changes,
    checks,
    undo,
    change: changeFact(run.changes),
    preconditions: [...cluster.writes.map(precondition), ...cluster.sources],
    digest: digestOf(run.changes),
  };
}

const emptyPreview: Preview = {
  output: { headline: ["nothing to preview"], blocks: [], facts: {}, untrusted: false },
  changes: [],
  checks: [],
  undo: "",
  change: null,
  preconditions: [],
  digest: digestOf([]),
};

/** The same changes to the same objects give the same digest, whatever the server's clock and versions say. */
function digestOf(changes: readonly Change[]): string {
  const plain = changes.map(({ cluster, kind, namespace, name, uid, lines }) => ({
    cluster,
    kind,
    namespace,
    name,
    uid,
    lines: lines.map((line): Json => ({ ...line })),
  }));
  return createHash("sha256")
    .update(canonicalize(plain) ?? "")
    .digest("hex");
}

function changeFact(changes: readonly Change[]): ChangeFact {
  const scaled = changes.find((change) => change.lines.some((line) => line.path === "spec.replicas"));
  // A Scale of none has no count at all (autoscaling/v1 leaves zero out).
  const count = (side: Change["before"]): number => Number(at(side ?? {}, "spec", "replicas") ?? 0);
  const replicas = scaled === undefined ? null : { from: count(scaled.before), to: count(scaled.after) };
  return { replicas, paths: changes.flatMap((change) => change.lines.map((line) => line.path)) };
}

function precondition({ ref, subresource, before }: Write): Precondition {
  return {
    resource: resourcePath({ ...ref.kind, subresource }),
    namespace: ref.namespace,
    name: ref.name,
    uid: textAt(before ?? {}, "metadata", "uid"),
    resourceVersion: textAt(before ?? {}, "metadata", "resourceVersion"),
    substance: before === null ? "" : substanceOf(before),
  };
}
