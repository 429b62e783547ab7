// Names that only the cluster knows, looked up while a call is planned: with the gateway's own read identity, and metadata alone.

import { at, isJsonObject, textAt, type Json } from "../domain/json.ts";
import { fault, Faulted } from "../domain/fault.ts";
import type { LookUp, SeenObject } from "../tool.ts";
import type { ReachedCluster } from "./contract.ts";

export interface LookUpOptions {
  readonly cluster: ReachedCluster;
  readonly nextAuditId: () => string;
  readonly agent: string;
  readonly signal: AbortSignal;
  /** What an administrator would have to do where the gateway itself may not look. */
  readonly needs: string;
}

/** Lists as metadata alone (Kubernetes API concepts, "Receiving resources as Tables"). */
const metadataOnly = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1, application/json";
/** More than any node runs: a plan of thousands of accesses is none that a person could agree to. */
const mostObjects = 1000;

/** Opens the looks of one plan. */
export function openLookUp({ cluster, nextAuditId, agent, signal, needs }: LookUpOptions): LookUp {
  return async ({ group, version, resource }, namespace, fieldSelector) => {
    const found: SeenObject[] = [];
    let next = "";
    do {
      const query = { fieldSelector, limit: "500", ...(next === "" ? {} : { continue: next }) };
      const request = { verb: "list", group, version, resource, namespace, name: "", query } as const;
      const { body } = await cluster.client
        .request({
          ...request,
          accept: metadataOnly,
          authorization: await cluster.readIdentity(signal),
          auditId: nextAuditId(),
          agent,
          signal,
        })
        .catch((thrown: unknown) => {
          throw notOurs(thrown, needs);
        });
      const items = at(body, "items");
      for (const item of Array.isArray(items) ? items : []) found.push(seen(item));
      if (found.length > mostObjects)
        throw new Faulted(
          fault("limit_exceeded", { limit: `${mostObjects} objects for one call` }, `${resource}: too many`),
        );
      next = textAt(body, "metadata", "continue");
    } while (next !== "");
    const key = (one: SeenObject): string => `${one.namespace}/${one.name}`;
    return found.sort((a, b) => (key(a) < key(b) ? -1 : 1));
  };
}

/** What the gateway itself may not see is a right that it lacks, not one that the caller lacks. */
function notOurs(thrown: unknown, needs: string): unknown {
  if (!(thrown instanceof Faulted) || thrown.fault.code !== "cluster_denied") return thrown;
  return new Faulted(fault("credential_unavailable", { needs }, `looked up while planning: ${thrown.fault.cause}`));
}

function seen(item: Json): SeenObject {
  const owners = at(item, "metadata", "ownerReferences");
  const controller = (Array.isArray(owners) ? (owners as readonly Json[]) : []).find(
    (one) => at(one, "controller") === true,
  );
  const annotations = at(item, "metadata", "annotations");
  return {
    namespace: textAt(item, "metadata", "namespace"),
    name: textAt(item, "metadata", "name"),
    uid: textAt(item, "metadata", "uid"),
    annotations: isJsonObject(annotations) ? Object.keys(annotations) : [],
    controller:
      controller === undefined ? null : { kind: textAt(controller, "kind"), name: textAt(controller, "name") },
    leaving: textAt(item, "metadata", "deletionTimestamp") !== "",
  };
}
