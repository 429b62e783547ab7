// Rehearses a change by server-side dry run, under an account that can do nothing but dry runs.

import { createHash } from "node:crypto";
import canonicalize from "canonicalize";
import { resourcePath, type Access } from "../domain/access.ts";
import type { PlannedCall, Precondition } from "../domain/call.ts";
import type { Decision } from "../domain/decision.ts";
import type { Grant } from "../domain/grant.ts";
import { textAt, type Json } from "../domain/json.ts";
import type { Change } from "../domain/output.ts";
import type { Preview } from "../domain/run.ts";
import { agentOf } from "../domain/principal.ts";
import { asksOf, changeFact } from "./change-fact.ts";
import { substanceOf } from "./diff.ts";
import { clusterFor, lines, runTool, type ExecuteOptions } from "./execute.ts";
import type { Write } from "./write.ts";
import { podSecurityChecks, type LookAtNamespaces } from "./pod-security.ts";
import { changeBlocks, objectNames } from "./report.ts";

/** Runs the tool with every write a dry run. A read has nothing to rehearse and gives an empty preview. */
export async function preview(
  call: PlannedCall,
  decision: Decision,
  look: LookAtNamespaces,
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
  const undo = run.output.undo ?? "";
  const fact = changeFact(run.changes);
  const asks = asksOf(fact, call.tool);
  const alwaysAsks = [...cluster.writes.flatMap((write) => write.exec?.alwaysAsks ?? []), ...asks];
  const checks = [
    ...asks.map((why) => [why]),
    ...(run.output.checks ?? []),
    ...run.notes,
    ...(await podSecurityChecks(run.changes, look)),
  ];
  return {
    output: {
      headline: ["PREVIEW ", call.tool, " ", objectNames(run.changes), " - nothing changed"],
      blocks: [...changeBlocks(run.changes), ...run.output.blocks, ...lines(checks)],
      facts: run.output.facts,
      untrusted: run.output.untrusted,
    },
    changes: run.changes,
    checks,
    undo,
    change: { ...fact, ...(alwaysAsks.length === 0 ? {} : { alwaysAsks }) },
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

function precondition({ ref, subresource, before, exec }: Write): Precondition {
  return {
    resource: resourcePath({ ...ref.kind, subresource }),
    namespace: ref.namespace,
    name: ref.name,
    uid: textAt(before ?? {}, "metadata", "uid"),
    resourceVersion: textAt(before ?? {}, "metadata", "resourceVersion"),
    substance: exec?.substance ?? (before === null ? "" : substanceOf(before)),
  };
}
