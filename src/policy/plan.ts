// Turns a request into a planned call: arguments parsed, accesses known, frozen, with its digest.

import { createHash, createHmac } from "node:crypto";
import canonicalize from "canonicalize";
import type { Access } from "../domain/access.ts";
import type { CallRequest, PlannedCall } from "../domain/call.ts";
import { fault, Faulted } from "../domain/fault.ts";
import { madeAt } from "../domain/ids.ts";
import { deepFreeze, type Json } from "../domain/json.ts";
import type { FindKind, Need, Tool } from "../tool.ts";

export interface PlanOptions {
  readonly tools: ReadonlyMap<string, Tool>;
  readonly cluster: string;
  readonly findKind: FindKind;
  /** The namespaces that a `*` stands for. */
  readonly namespaces: () => Promise<readonly string[]>;
  /** The gateway's own key: arguments may hold guessable secrets, so a bare hash would be an oracle (approval.md). */
  readonly digestKey: Uint8Array;
}

/** Plans a call. Faults: invalid_input with a path and a rule for each problem; unknown_kind; cluster_unavailable. */
export async function planCall(request: CallRequest, options: PlanOptions): Promise<PlannedCall> {
  const tool = options.tools.get(request.tool);
  if (tool === undefined) throw new Faulted(fault("denied", {}, "no such tool"));
  const opened = tool.open(request.arguments);
  if (opened.kind === "refused")
    throw new Faulted(fault("invalid_input", { problems: opened.problems.map(({ path, rule }) => ({ path, rule })) }));
  const accessesAt = async (calledAt: number): Promise<Access[]> =>
    (
      await Promise.all(
        (await opened.needs({ findKind: options.findKind, calledAt })).map((need) => accessesOf(need, options)),
      )
    ).flat();
  const accesses = await accessesAt(madeAt(request.id));
  const { id, principal, session } = request;
  const toolDigest = digestOfTool(tool);
  return deepFreeze({
    id,
    principal,
    session,
    tool: tool.name,
    toolDigest,
    effect: opened.effect,
    cluster: options.cluster,
    arguments: opened.arguments,
    accesses,
    reason: opened.reason,
    previewOnly: opened.previewOnly,
    // A name that the tool made of the call's time does not make an equal call another one.
    digest: callDigest(
      request,
      options,
      toolDigest,
      opened.arguments,
      opened.effect === "read" ? accesses : await accessesAt(0),
    ),
  });
}

/** One need as accesses: `*` becomes each namespace, kept only where policy allows it. */
async function accessesOf(need: Need, options: PlanOptions): Promise<Access[]> {
  const everywhere = need.namespace === "*";
  const namespaces = everywhere ? await options.namespaces() : [need.namespace];
  const { group, version, resource, kind } = need.kind;
  return namespaces.map((namespace) => ({
    cluster: options.cluster,
    verb: need.verb,
    group,
    version,
    resource,
    subresource: need.subresource ?? "",
    kind,
    namespace,
    name: need.name,
    optional: everywhere || need.optional === true,
  }));
}

/** A tool says the same about itself for as long as it exists, and its schema is most of what a call's plan would hash. */
const digests = new WeakMap<Tool, string>();

/** SHA-256 of what an agent is told about the tool, hex: an approval of an older meaning is not one of the new. */
export function digestOfTool(tool: Tool): string {
  const known = digests.get(tool);
  if (known !== undefined) return known;
  const told = [tool.name, tool.description, [...tool.effects], JSON.stringify(tool.annotations), tool.schema];
  const digest = createHash("sha256")
    .update(canonicalize(told) ?? "")
    .digest("hex");
  digests.set(tool, digest);
  return digest;
}

/** HMAC-SHA-256 over principal, actors, cluster, tool, arguments and accesses, hex. Whether it is a preview does not make another call. */
function callDigest(
  request: CallRequest,
  options: PlanOptions,
  toolDigest: string,
  arguments_: Json,
  accesses: readonly Access[],
): string {
  const { issuer, subject, actors } = request.principal;
  const digested = canonicalize([
    issuer,
    subject,
    actors,
    options.cluster,
    request.tool,
    toolDigest,
    arguments_,
    accesses,
  ]);
  return createHmac("sha256", options.digestKey)
    .update(digested ?? "")
    .digest("hex");
}
