// The Kubernetes objects of one grant: exactly the accesses of its call, each object labelled so that a sweep finds it.

import { describeAccess, type Access } from "../domain/access.ts";
import type { CallId, GrantId } from "../domain/ids.ts";
import type { JsonObject } from "../domain/json.ts";
import { noCredential } from "./contract.ts";
import {
  anchorName,
  callAnnotation,
  clusterRoleBindings,
  clusterRoles,
  expiresAnnotation,
  gatewayLabel,
  grantLabel,
  managedLabel,
  roleBindings,
  roles,
  runName,
  secrets,
  serviceAccounts,
  sessionAnnotation,
  sessionsNamespace,
  systemNamespace,
  type ResourceAddress,
} from "./names.ts";
import type { Reach } from "./enrolment.ts";
import { isGone, type FoundObject, type Located, type Sender } from "./send.ts";

export interface Owner {
  readonly grant: GrantId;
  readonly gateway: string;
}

export interface Marks extends Owner {
  readonly call: CallId;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

/** Where the cluster's enrolment lets a grant have Roles of its own; beside that, with `nodes`, it may have a ClusterRole. */
export type GrantReach = Pick<Reach, "namespaces" | "nodes">;

export interface GrantObjects {
  readonly account: JsonObject;
  readonly anchor: JsonObject;
  readonly roles: readonly Placed[];
  readonly bindings: readonly Placed[];
  /** Where all of these stand once they are made. */
  readonly places: readonly Located[];
}

/** An object and where it is made. */
export interface Placed {
  readonly address: ResourceAddress;
  readonly object: JsonObject;
}

/** A rule of an RBAC Role (Kubernetes API, rbac.authorization.k8s.io/v1 PolicyRule). */
export type PolicyRule = {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
};

/**
 * The rules of each namespace's Role, and under "" those of the ClusterRole: accesses of one scope (resource and name) become one rule, and no rule
 * allows anything that no access named. Faults: credential_unavailable for what no role can hold exactly (`*`, creates without a name, whole
 * collections), and for cluster scope where the enrolment has no `nodes` (`reach` null: it was not asked, since no access has that scope).
 *
 * In the ClusterRole stand the accesses of cluster scope and those in namespaces that are not enrolled, where no Role can be made: a drain's evictions
 * from kube-system. Its resourceNames name no namespace, so RBAC alone would let a pod of that name be evicted in any. That is narrow enough: the
 * token never leaves this process, and the guard compares the namespace of every request as it stands on the wire.
 */
export function grantRules(
  accesses: readonly Access[],
  reach: GrantReach | null = null,
): ReadonlyMap<string, readonly PolicyRule[]> {
  const scopes = new Map<string, Map<string, { access: Access; verbs: Set<string> }>>();
  for (const access of grantable(accesses, reach)) {
    refuseInexact(access, reach);
    const place = placeOfRole(access, reach);
    const inNamespace = scopes.get(place) ?? new Map();
    scopes.set(place, inNamespace);
    const key = JSON.stringify([access.group, access.resource, access.subresource, access.name]);
    const scope = inNamespace.get(key) ?? { access, verbs: new Set<string>() };
    inNamespace.set(key, scope);
    scope.verbs.add(access.verb);
  }
  return new Map(
    [...scopes].map(([namespace, found]) => [
      namespace,
      [...found.values()].map(({ access, verbs }) => ruleOf(access, [...verbs].sort())),
    ]),
  );
}

/** Does the call need anything beside namespaces? Only then does a grant look at the enrolment. */
export function needsClusterRole(accesses: readonly Access[]): boolean {
  return accesses.some((access) => access.namespace === "" && !access.optional);
}

/** What a grant holds of the call's accesses: an optional one of cluster scope is left out, and the tool says "Not checked". */
export function grantable(accesses: readonly Access[], reach: GrantReach | null): readonly Access[] {
  return accesses.filter((access) => !access.optional || placeOfRole(access, reach) !== "" || reach?.nodes === true);
}

/** The namespace of the Role that holds the access; "" for the ClusterRole. A ClusterRole stands in for a namespace only in a call that needs one anyway. */
export function placeOfRole(access: Access, reach: GrantReach | null): string {
  return reach === null || reach.namespaces.includes(access.namespace) ? access.namespace : "";
}

function ruleOf(access: Access, verbs: readonly string[]): PolicyRule {
  const resource = access.subresource === "" ? access.resource : `${access.resource}/${access.subresource}`;
  return {
    apiGroups: [access.group],
    resources: [resource],
    ...(access.name === "" ? {} : { resourceNames: [access.name] }),
    verbs,
  };
}

function refuseInexact(access: Access, reach: GrantReach | null): void {
  const told = describeAccess(access);
  if (placeOfRole(access, reach) === "" && reach?.nodes !== true)
    throw noCredential(`cluster scope: ${told}`, "sallyport enroll --nodes");
  const parts = [access.verb, access.group, access.resource, access.subresource, access.namespace, access.name];
  if (parts.some((part) => part.includes("*")) || access.resource === "" || access.resource.includes("/"))
    throw noCredential(`not one exact access: ${told}`);
  // Over a WebSocket a command is a GET.
  if (access.name === "" && (isExec(access) || !["get", "list", "watch"].includes(access.verb)))
    throw noCredential(`a write without a name can't be pinned: ${told}`);
}

/** Is it a part of running a command? */
export function isExec({ group, resource, subresource }: Pick<Access, "group" | "resource" | "subresource">): boolean {
  return group === "" && resource === "pods" && subresource === "exec";
}
/** What an administrator does so that commands can be granted. */
export const execNeeds = "sallyport enroll --exec";

/** Everything that a grant consists of, before it is made. */
export function grantObjects(accesses: readonly Access[], marks: Marks, reach: GrantReach | null = null): GrantObjects {
  const name = runName(marks.grant);
  const rules = grantRules(accesses, reach);
  const at = (address: Located["address"], namespace: string, of = name): Located => ({ address, namespace, name: of });
  return {
    account: {
      apiVersion: "v1",
      kind: "ServiceAccount",
      metadata: marked(name, sessionsNamespace, marks),
      automountServiceAccountToken: false,
    },
    anchor: anchorObject(marked(anchorName(marks.grant), sessionsNamespace, marks)),
    roles: [...rules].map(([namespace, found]) => {
      const { role } = kindsAt(namespace);
      const head = { apiVersion: "rbac.authorization.k8s.io/v1", kind: role.kind };
      return { address: role.address, object: { ...head, metadata: marked(name, namespace, marks), rules: found } };
    }),
    bindings: [...rules.keys()].map((namespace) => {
      const { role, binding } = kindsAt(namespace);
      const object = {
        apiVersion: "rbac.authorization.k8s.io/v1",
        kind: binding.kind,
        metadata: marked(name, namespace, marks),
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: role.kind, name },
        subjects: [{ kind: "ServiceAccount", namespace: sessionsNamespace, name }],
      };
      return { address: binding.address, object };
    }),
    places: [
      at(serviceAccounts, sessionsNamespace),
      at(secrets, sessionsNamespace, anchorName(marks.grant)),
      ...[...rules.keys()].flatMap((namespace) => {
        const { role, binding } = kindsAt(namespace);
        return [at(role.address, namespace), at(binding.address, namespace)];
      }),
    ],
  };
}

/** The two kinds that give rights in a namespace, or at "" in the whole cluster. */
function kindsAt(namespace: string) {
  return namespace === ""
    ? {
        role: { kind: "ClusterRole", address: clusterRoles },
        binding: { kind: "ClusterRoleBinding", address: clusterRoleBindings },
      }
    : { role: { kind: "Role", address: roles }, binding: { kind: "RoleBinding", address: roleBindings } };
}

/** The anchor of a reader's session: in the reader's own namespace, since a token can be bound to nothing else. */
export function readerAnchor(owner: Owner, session: string): JsonObject {
  const metadata = labelled(anchorName(owner.grant), systemNamespace, owner);
  return anchorObject({ ...metadata, annotations: { [sessionAnnotation]: session } });
}

/** No finalizer and no data: nothing may hold back its end, nothing is lost with it. */
function anchorObject(metadata: JsonObject): JsonObject {
  return { apiVersion: "v1", kind: "Secret", metadata, type: "sallyport.dev/anchor" };
}

function marked(name: string, namespace: string, marks: Marks): JsonObject {
  const expires = new Date(marks.expiresAt).toISOString();
  return {
    ...labelled(name, namespace, marks),
    annotations: { [expiresAnnotation]: expires, [callAnnotation]: marks.call },
  };
}

function labelled(name: string, namespace: string, { grant, gateway }: Owner): JsonObject {
  const place = namespace === "" ? {} : { namespace };
  return { name, ...place, labels: { [grantLabel]: grant, [gatewayLabel]: gateway, [managedLabel]: "sallyport" } };
}

const grantId = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** Is its name that of an object of the grant that its label names? A label alone is no order to delete: whoever may label a Role must not be able to have it removed by us. */
export function isGrantObject({ grant, name, address }: FoundObject): boolean {
  if (!grantId.test(grant)) return false;
  return name === (address.resource === "secrets" ? anchorName(grant as GrantId) : runName(grant as GrantId));
}

/** The bindings first (refused after milliseconds), then the anchor (the token dies within ten seconds), then the rest. */
const removalOrder: readonly (readonly string[])[] = [
  ["clusterrolebindings", "rolebindings"],
  ["secrets"],
  ["clusterroles", "roles", "serviceaccounts"],
];

/** Removes a grant's objects in the order that ends its power soonest; tries all of them. True when all are gone. */
export async function removeGrant(sender: Sender, places: readonly Located[]): Promise<boolean> {
  let complete = true;
  for (const step of removalOrder) {
    const now = places.filter((place) => step.includes(place.address.resource));
    const gone = await Promise.all(now.map((place) => isGone(sender, place)));
    complete &&= gone.every(Boolean);
  }
  return complete;
}
