// Removes what a crash or a failed removal left of grants, and tells of objects under our label that nobody recorded.

import type { GrantId } from "../domain/ids.ts";
import { isGrantObject, removeGrant } from "./grant-objects.ts";
import {
  anchorName,
  clusterRoleBindings,
  clusterRoles,
  gatewayLabel,
  roleBindings,
  roles,
  secrets,
  serviceAccounts,
  sessionsNamespace,
  systemNamespace,
} from "./names.ts";
import { listFound, remove, faultIn, causeOf, type FoundObject, type Located, type Sender } from "./send.ts";

export interface SweepOptions {
  readonly sender: Sender;
  readonly gatewayId: string;
  /** Where grants may have Roles and RoleBindings. */
  readonly namespaces: readonly string[];
  /** May grants have ClusterRoles and ClusterRoleBindings, too? */
  readonly nodes: boolean;
  /** Does the transcript know this grant, or the call that its objects name? */
  readonly knows: (grant: string, call: string) => boolean;
  /** Does the grant live now, in this process? Asked after the lists, so that a grant made meanwhile is not taken for a leftover. */
  readonly isLive: (grant: string) => boolean;
  /** Grants of reader sessions that the transcript has as issued and not revoked: their anchors stand where the gateway may not list. */
  readonly sessionGrants: readonly GrantId[];
}

export interface SweptGrant {
  readonly grant: string;
  readonly call: string;
  /** `rolebindings shop/run-…`, one each. */
  readonly objects: readonly string[];
  /** False: something is left, and the next sweep tries again. */
  readonly complete: boolean;
}

/** Objects that carry our label and that no entry accounts for: someone else made them, or an entry is missing. */
export interface UnknownObjects {
  readonly grant: string;
  readonly objects: readonly string[];
  /** Removed, where their names are those of a grant; others are left for a person. */
  readonly removed: boolean;
}

export interface SweepAnswer {
  readonly swept: readonly SweptGrant[];
  readonly unknown: readonly UnknownObjects[];
  /** Lists that could not be read, for the operator: `roles shop: cluster_denied`. */
  readonly unread: readonly string[];
}

/** One sweep. What can't be listed is told, and the rest is swept all the same. Faults: credential_unavailable where the gateway's own token is refused. */
export async function sweep(options: SweepOptions): Promise<SweepAnswer> {
  const { sender, knows, isLive } = options;
  const { found, unread } = await listAll(options);
  const dead = found.filter((object) => !isLive(object.grant));
  const named = dead.filter(isGrantObject);
  const swept: SweptGrant[] = [];
  const unknown: UnknownObjects[] = [];
  for (const [grant, objects] of byGrant(named)) {
    const call = objects.find((object) => object.call !== "")?.call ?? "";
    const complete = await removeGrant(sender, objects);
    swept.push({ grant, call, objects: objects.map(describe), complete });
    if (!knows(grant, call)) unknown.push({ grant, objects: objects.map(describe), removed: complete });
  }
  for (const [grant, objects] of byGrant(dead.filter((object) => !isGrantObject(object))))
    unknown.push({ grant, objects: objects.map(describe), removed: false });
  swept.push(...(await sweepAnchors(options)));
  return { swept, unknown, unread };
}

async function listAll({ sender, gatewayId, namespaces, nodes }: SweepOptions) {
  const lists: readonly Omit<Located, "name">[] = [
    { address: serviceAccounts, namespace: sessionsNamespace },
    { address: secrets, namespace: sessionsNamespace },
    ...(nodes ? [clusterRoleBindings, clusterRoles].map((address) => ({ address, namespace: "" })) : []),
    ...namespaces.flatMap((namespace) => [
      { address: roleBindings, namespace },
      { address: roles, namespace },
    ]),
  ];
  const found: FoundObject[] = [];
  const unread: string[] = [];
  for (const { address, namespace } of lists) {
    try {
      found.push(...(await listFound(sender, address, namespace, `${gatewayLabel}=${gatewayId}`)));
    } catch (thrown) {
      const found = faultIn(thrown);
      if (found.code === "credential_unavailable") throw thrown;
      unread.push(`${[address.resource, namespace].filter(Boolean).join(" ")}: ${causeOf(found)}`);
    }
  }
  return { found, unread };
}

function byGrant(objects: readonly FoundObject[]): ReadonlyMap<string, readonly FoundObject[]> {
  return Map.groupBy(objects, (object) => object.grant);
}

async function sweepAnchors({ sender, sessionGrants, isLive }: SweepOptions): Promise<readonly SweptGrant[]> {
  const swept: SweptGrant[] = [];
  for (const grant of sessionGrants.filter((one) => !isLive(one))) {
    const place = { address: secrets, namespace: systemNamespace, name: anchorName(grant) };
    const answer = await remove(sender, place).catch((thrown: unknown) => faultIn(thrown).code);
    // One that is gone already is told too: the transcript still has it as living.
    const complete = answer === "removed" || answer === "absent";
    swept.push({ grant, call: "", objects: answer === "absent" ? [] : [describe(place)], complete });
  }
  return swept;
}

function describe({ address, namespace, name }: Located): string {
  return `${address.resource} ${namespace === "" ? "" : `${namespace}/`}${name}`;
}
