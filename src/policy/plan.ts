// Turns a request into a planned call: arguments parsed, accesses known, frozen, with its digest.

import { createHash, createHmac, type KeyObject } from "node:crypto";
import canonicalize from "canonicalize";
import type { Access } from "../domain/access.ts";
import type { CallRequest, PlannedCall } from "../domain/call.ts";
import { fault, Faulted } from "../domain/fault.ts";
import { madeAt } from "../domain/ids.ts";
import { deepFreeze, isJsonObject, type Json, type JsonObject } from "../domain/json.ts";
import type { FindKind, LookUp, Need, Problem, SeenObject, Tool } from "../tool.ts";

export interface PlanOptions {
  readonly tools: ReadonlyMap<string, Tool>;
  /** Every cluster of this gateway, in the order of its configuration. */
  readonly clusters: readonly string[];
  /** Those in which some call of the tool could succeed for the caller: the others do not exist for it. */
  readonly permitted: (tool: Tool) => readonly string[];
  readonly within: (cluster: string) => Place;
  /** The gateway's own key: arguments may hold guessable secrets, so a bare hash would be an oracle (approval.md). As a key object: Node takes many times as long to tell what bytes are. */
  readonly digestKey: KeyObject;
}

/** What planning asks of the cluster that the call is about. */
export interface Place {
  readonly findKind: FindKind;
  /** The namespaces that a `*` stands for. */
  readonly namespaces: () => Promise<readonly string[]>;
  readonly lookUp: LookUp;
}

/** Plans a call. Faults: invalid_input with a path and a rule for each problem; unknown_kind; cluster_unavailable. */
export async function planCall(request: CallRequest, options: PlanOptions): Promise<PlannedCall> {
  const tool = options.tools.get(request.tool);
  if (tool === undefined) throw new Faulted(fault("denied", {}, "no such tool"));
  const placed = placeCall(tool, request.arguments, options);
  const opened = tool.open(placed.arguments);
  if (opened.kind === "refused" || placed.cluster === null) {
    const refused = [...placed.problems, ...(opened.kind === "refused" ? opened.problems : [])];
    throw new Faulted(fault("invalid_input", { problems: refused.map(({ path, rule }) => ({ path, rule })) }));
  }
  const { cluster } = placed;
  const place = options.within(cluster);
  const lookUp = onceEach(place.lookUp);
  const accessesAt = async (calledAt: number): Promise<Access[]> => {
    const needs = await opened.needs({ findKind: place.findKind, lookUp, calledAt });
    return (await Promise.all(needs.map((need) => accessesOf(need, cluster, place)))).flat();
  };
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
    cluster,
    arguments: opened.arguments,
    accesses,
    reason: opened.reason,
    previewOnly: opened.previewOnly,
    // A name that the tool made of the call's time does not make an equal call another one.
    digest: callDigest(
      request,
      options.digestKey,
      [cluster, request.tool, toolDigest, opened.arguments],
      opened.effect === "read" ? accesses : await accessesAt(0),
    ),
  });
}

/** Each look once in a plan: what is decided and what is digested must be of the same moment. */
function onceEach(lookUp: LookUp): LookUp {
  const made = new Map<string, Promise<readonly SeenObject[]>>();
  return (kind, namespace, fieldSelector) => {
    const key = JSON.stringify([kind.group, kind.resource, namespace, fieldSelector]);
    const look = made.get(key) ?? lookUp(kind, namespace, fieldSelector);
    made.set(key, look);
    return look;
  };
}

interface Placed {
  /** null where the arguments name none that the caller may use. */
  readonly cluster: string | null;
  /** As the tool knows them. */
  readonly arguments: unknown;
  readonly problems: readonly Problem[];
}

/** Takes the cluster off the arguments where callers name one: tools do not know it. One that is not the caller's is answered like one that does not exist. */
function placeCall(tool: Tool, given: unknown, { clusters, permitted }: PlanOptions): Placed {
  const [first = "", ...others] = clusters;
  if (others.length === 0) return { cluster: first, arguments: given, problems: [] };
  const mine = permitted(tool);
  if (tool.clusterless) return { cluster: mine[0] ?? first, arguments: given, problems: [] };
  if (mine.length === 0) throw new Faulted(fault("denied", {}, "no cluster in which the tool is the caller's"));
  const { cluster, ...rest } = isJsonObject(given) ? given : {};
  if (typeof cluster === "string" && mine.includes(cluster)) return { cluster, arguments: rest, problems: [] };
  const problems = [{ path: "cluster", rule: `must be one of ${mine.join(", ")}` }];
  return { cluster: null, arguments: isJsonObject(given) ? rest : given, problems };
}

/** The arguments of a planned call as a caller would pass them: what `planCall` makes the same call of. */
export function argumentsOf(
  { tool, cluster, arguments: exact }: Pick<PlannedCall, "tool" | "cluster" | "arguments">,
  { tools, clusters }: Pick<PlanOptions, "tools" | "clusters">,
): JsonObject {
  return clusters.length > 1 && tools.get(tool)?.clusterless === false ? { ...exact, cluster } : exact;
}

/** One need as accesses: `*` becomes each namespace, kept only where policy allows it. */
async function accessesOf(need: Need, cluster: string, place: Place): Promise<Access[]> {
  const everywhere = need.namespace === "*";
  const namespaces = everywhere ? await place.namespaces() : [need.namespace];
  const { group, version, resource, kind } = need.kind;
  return namespaces.map((namespace) => ({
    cluster,
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

/** HMAC-SHA-256 over principal, actors, client id, cluster, tool, arguments and accesses, hex. Whether it is a preview does not make another call. */
function callDigest(
  { principal }: CallRequest,
  key: KeyObject,
  asked: readonly [cluster: string, tool: string, toolDigest: string, arguments_: Json],
  accesses: readonly Access[],
): string {
  const { issuer, subject, actors, clientId } = principal;
  // An object, which stands nowhere else in the list: no client's name can look like a cluster's.
  const through = clientId === undefined ? [] : [{ clientId }];
  const digested = canonicalize([issuer, subject, actors, ...through, ...asked, accesses]);
  return createHmac("sha256", key)
    .update(digested ?? "")
    .digest("hex");
}
