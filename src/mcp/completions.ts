// What a client may offer while a person fills in a prompt: only names that the caller could list with a call of its own.

import type { CallRequest } from "../domain/call.ts";
import { isJsonObject, type JsonObject } from "../domain/json.ts";
import type { Outcome } from "../domain/outcome.ts";
import type { Principal, Session } from "../domain/principal.ts";
import type { Door, ListedTool } from "./door.ts";
import { clustersIn, kindName, nameWord, namespaceName } from "./names.ts";
import { listPrompts } from "./prompts.ts";
import { callTemplate } from "./resources.ts";

export interface Completed {
  /** At most 100. */
  readonly values: readonly string[];
  readonly hasMore: boolean;
}

export interface Asking {
  readonly door: Door;
  readonly principal: Principal;
  readonly session: Session;
  readonly tools: readonly ListedTool[];
  /** May the caller's evidence ask for reads? What is read from the cluster is offered to nobody else. */
  readonly reads: boolean;
  /** Aborted with the request. */
  readonly signal: AbortSignal;
  /** The caller's calls whose answers are kept. */
  readonly calls: readonly string[];
}

const mostValues = 100;
/** Milliseconds: a person is typing. */
const patience = 5_000;
const none: Completed = { values: [], hasMore: false };

/** What `problems_diagnose` is made for; a cluster is not asked, so that none of its kinds shows. */
const diagnosed = [
  "CronJob",
  "DaemonSet",
  "Deployment",
  "HorizontalPodAutoscaler",
  "Ingress",
  "Job",
  "Node",
  "PersistentVolumeClaim",
  "Pod",
  "ReplicaSet",
  "Service",
  "StatefulSet",
];

/**
 * Completes one argument of a prompt or of the resource by its beginning. Whatever is not asked for properly, and
 * whatever the caller may not see, has no values: never an error that would tell the two apart.
 *
 * Namespaces are what policy leaves of `objects_list` everywhere: planned and decided, with nothing read for the
 * answer, so it is no more on record than tools/list is. Names of objects and nodes are read from the cluster, so
 * they are read by `objects_list` itself through the whole line: decided, guarded, masked and recorded as the call
 * that it is. A read that would ask a person is not begun, or each key pressed would ask one.
 */
export async function complete(asking: Asking, params: JsonObject): Promise<Completed> {
  const { ref, argument, context } = params;
  if (!isJsonObject(ref) || !isJsonObject(argument)) return none;
  const { name, value } = argument;
  if (typeof name !== "string" || typeof value !== "string" || value.length > 253) return none;
  if (ref["type"] === "ref/resource")
    return ref["uri"] === callTemplate.uriTemplate && name === "call" ? beginning(asking.calls, value) : none;
  const prompt = listPrompts(asking.tools).find((one) => ref["type"] === "ref/prompt" && one.name === ref["name"]);
  if (prompt === undefined || !prompt.arguments.some((one) => one.name === name)) return none;
  const chosen = isJsonObject(context) && isJsonObject(context["arguments"]) ? context["arguments"] : {};
  switch (name) {
    case "cluster":
      return beginning(clustersIn(asking.tools), value);
    case "kind":
      return beginning(diagnosed, value);
    case "namespace":
      return beginning(await namespaces(asking, chosen), value);
    case "node":
      return await names(asking, { ...inCluster(chosen), kind: "Node" }, value);
    case "name":
      return await names(
        asking,
        { ...inCluster(chosen), kind: chosen["kind"] ?? "", namespace: chosen["namespace"] ?? "" },
        value,
      );
    default:
      return none;
  }
}

function beginning(all: readonly string[], typed: string): Completed {
  const found = all.filter((one) => one.toLowerCase().startsWith(typed.toLowerCase()));
  return { values: found.slice(0, mostValues), hasMore: found.length > mostValues };
}

function inCluster({ cluster }: JsonObject): JsonObject {
  return typeof cluster === "string" && cluster !== "" ? { cluster } : {};
}

async function namespaces(asking: Asking, chosen: JsonObject): Promise<readonly string[]> {
  if (!asking.reads) return [];
  const everywhere = listing(asking, { ...inCluster(chosen), kind: "Pod", namespace: "*" });
  return (await asking.door.readable(everywhere)).toSorted();
}

async function names(asking: Asking, where: JsonObject, typed: string): Promise<Completed> {
  const { kind, namespace } = where;
  if (!asking.reads) return none;
  if (typeof kind !== "string" || !kindName.test(kind)) return none;
  if (typed !== "" && !nameWord.test(typed.replace(/[.-]$/, ""))) return none;
  // Someone who completes a name has chosen one namespace; all of them would be read for nothing.
  if (namespace !== undefined && (typeof namespace !== "string" || !namespaceName.test(namespace))) return none;
  const request = listing(asking, {
    ...where,
    columns: ["NAME"],
    limit: 200,
    ...(typed === "" ? {} : { search: typed }),
  });
  if ((await asking.door.readable(request)).length === 0) return none;
  const outcome = await asking.door.governCall(request);
  const found = beginning(namesIn(outcome), typed);
  const more = outcome.kind === "completed" && outcome.output.facts.cursor !== undefined;
  return { ...found, hasMore: found.hasMore || more };
}

function listing({ door, principal, session, signal }: Asking, arguments_: JsonObject): CallRequest {
  return {
    id: door.newCallId(),
    principal,
    session,
    tool: "objects_list",
    arguments: arguments_,
    receivedAt: door.now(),
    signal: AbortSignal.any([signal, AbortSignal.timeout(patience)]),
    hold: 0,
    progress: () => undefined,
  };
}

/** The names in the answer's table, as it was masked. */
function namesIn(outcome: Outcome): readonly string[] {
  if (outcome.kind !== "completed") return [];
  return outcome.output.blocks.flatMap((block) => {
    if (block.kind !== "table") return [];
    const at = block.columns.indexOf("NAME");
    return block.rows
      .map((row) => row[at] ?? "")
      .filter((name) => nameWord.test(name))
      .sort();
  });
}
