// Looks up, with the gateway's own read identity, only the facts that can still change the answer.

import { textAt, at, isJsonObject, type Json, type JsonObject } from "../domain/json.ts";
import type { Access } from "../domain/access.ts";
import type { PlannedCall } from "../domain/call.ts";
import type { Facts, NamespaceFact, ObjectFact } from "../domain/decision.ts";
import { Faulted } from "../domain/fault.ts";
import { agentOf } from "../domain/principal.ts";
import type { ReachedCluster } from "./contract.ts";

export interface ResolveOptions {
  readonly cluster: ReachedCluster;
  /** Which facts some candidate rule can still ask for: objects of the call's accesses, annotations and namespaces by name. */
  readonly needed: {
    readonly objects: readonly Access[];
    readonly annotations: readonly string[];
    readonly namespaces: readonly string[];
  };
  /** The namespace label that names the environment. */
  readonly environmentLabel: string;
  readonly nextAuditId: () => string;
  readonly signal: AbortSignal;
}

/** The answer with metadata alone, so that no value ever travels for a fact (Kubernetes API concepts, "Receiving resources as Tables"). */
const metadataOnly = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1, application/json";

/** Facts about the call's namespaces and named objects. Missing objects are facts; an unreachable cluster is a fault. */
export async function resolveFacts(call: PlannedCall, options: ResolveOptions): Promise<Facts> {
  const { needed } = options;
  const objects = needed.objects.filter((one) => one.name !== "" && one.resource !== "secrets");
  const [namespaces, found] = await Promise.all([
    Promise.all(needed.namespaces.map((name) => namespaceFact(call, name, options))),
    Promise.all(objects.map((access) => objectFact(call, access, options))),
  ]);
  return { namespaces, objects: found, change: null };
}

async function namespaceFact(call: PlannedCall, name: string, options: ResolveOptions): Promise<NamespaceFact> {
  const found = await metadata(
    call,
    { group: "", version: "v1", resource: "namespaces", namespace: "", name },
    options,
  );
  const labels = labelsOf(found);
  const environment = labels[options.environmentLabel] ?? "";
  return { cluster: call.cluster, name, exists: found !== null, labels, environment };
}

async function objectFact(call: PlannedCall, access: Access, options: ResolveOptions): Promise<ObjectFact> {
  const found = await metadata(call, access, options);
  const resourceVersion = textAt(found ?? {}, "metadata", "resourceVersion");
  return {
    access,
    exists: found !== null,
    uid: textAt(found ?? {}, "metadata", "uid"),
    resourceVersion,
    labels: labelsOf(found),
    ...(options.needed.annotations.length === 0
      ? {}
      : { annotations: annotationsOf(found, options.needed.annotations) }),
  };
}

/** The annotations of these names alone: others may hold what nobody asked for. */
function annotationsOf(object: JsonObject | null, names: readonly string[]): Record<string, string> {
  const found = names.map((name) => [name, at(object ?? {}, "metadata", "annotations", name)] as const);
  return Object.fromEntries(found.filter((entry): entry is readonly [string, string] => typeof entry[1] === "string"));
}

async function metadata(
  call: PlannedCall,
  target: Pick<Access, "group" | "version" | "resource" | "namespace" | "name">,
  options: ResolveOptions,
): Promise<JsonObject | null> {
  try {
    const { group, version, resource, namespace, name } = target;
    const answer = await options.cluster.client.request({
      verb: "get",
      group,
      version,
      resource,
      namespace,
      name,
      accept: metadataOnly,
      authorization: await options.cluster.readIdentity(options.signal),
      auditId: options.nextAuditId(),
      agent: agentOf(call.principal),
      signal: options.signal,
    });
    return answer.body;
  } catch (thrown) {
    if (thrown instanceof Faulted && thrown.fault.code === "not_found") return null;
    throw thrown;
  }
}

function labelsOf(object: JsonObject | null): Record<string, string> {
  const labels: Json | undefined = at(object ?? {}, "metadata", "labels");
  if (!isJsonObject(labels)) return {};
  return Object.fromEntries(
    Object.entries(labels).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}
