// What may be sent at all: each request against the call's accesses, as it is meant and once more as it stands on the wire.

import { describeAccess, isWrite, type Access } from "../domain/access.ts";
import { fault, Faulted } from "../domain/fault.ts";
import type { SentRequest } from "../kubernetes/contract.ts";
import type { ResourceKind } from "../tool.ts";

/** What the last look knows of the run. */
interface Wire {
  readonly accesses: readonly Access[];
  readonly client: { readonly cluster: string };
  readonly rehearse: boolean;
  readonly forbids: (target: Target) => boolean;
}

/** What one request is about to touch. */
export interface Target {
  readonly verb: Access["verb"];
  readonly kind: Pick<ResourceKind, "group" | "version" | "resource" | "kind">;
  readonly namespace: string;
  readonly name: string;
  readonly subresource: string;
}

/** The last look: what the final method and URL say, not what was meant. In a rehearsal a write that is no dry run never leaves. */
export function guardSent(sent: SentRequest, { accesses, client, rehearse, forbids }: Wire): void {
  const { group, version, resource } = sent;
  const kind = accesses.find((one) => one.group === group && one.resource === resource)?.kind ?? "";
  const target = { ...sent, kind: { group, version, resource, kind } };
  // A list or watch that its field selector pins to one name reaches no more than that name, for Kubernetes as for us.
  const reached = [sent.name, sent.pinned].filter((name, index) => index === 0 || name !== "");
  const declared = reached.some((name) => accesses.some((one) => covers(one, client.cluster, { ...target, name })));
  // A GET of exec or attach is a command: it goes by a way of its own, which looks at its words.
  const connects = ["exec", "attach", "portforward", "proxy"].includes(sent.subresource);
  if (!declared || connects || forbids(target) || (rehearse && isWrite(sent.verb) && !sent.dryRun))
    throw new Faulted(fault("internal", {}, `stopped at the wire: ${describeTarget(target)}`));
}

/** A list that was allowed for one name does not allow the collection. A `get` without a name is for each object of the namespace: a workload's pods are known only as it runs. */
export function covers(declared: Access, cluster: string, target: Target): boolean {
  return (
    declared.cluster === cluster &&
    declared.verb === target.verb &&
    declared.group === target.kind.group &&
    declared.resource === target.kind.resource &&
    declared.subresource === target.subresource &&
    declared.namespace === target.namespace &&
    (declared.name === target.name || (declared.name === "" && declared.verb === "get"))
  );
}

export function describeTarget(target: Target): string {
  const { verb, namespace, name, subresource } = target;
  const { group, version, resource, kind } = target.kind;
  return describeAccess({
    cluster: "",
    verb,
    group,
    version,
    resource,
    subresource,
    kind,
    namespace,
    name,
    optional: false,
  });
}
