// The Kubernetes objects of one grant: exactly the accesses of its call, each object labelled so that a sweep finds it.

import { describeAccess, type Access } from "../domain/access.ts";
import type { CallId, GrantId } from "../domain/ids.ts";
import type { JsonObject } from "../domain/json.ts";
import { noCredential } from "./contract.ts";
import {
  anchorName,
  callAnnotation,
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
} from "./names.ts";
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

export interface GrantObjects {
  readonly account: JsonObject;
  readonly anchor: JsonObject;
  readonly roles: readonly JsonObject[];
  readonly bindings: readonly JsonObject[];
  /** Where all of these stand once they are made. */
  readonly places: readonly Located[];
}

/** A rule of an RBAC Role (Kubernetes API, rbac.authorization.k8s.io/v1 PolicyRule). */
export type PolicyRule = {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
};

/**
 * The rules of each namespace's Role: accesses of one scope (resource and name) become one rule, and no rule allows anything that no access named.
 * Faults: credential_unavailable for what a namespaced Role can't hold exactly (cluster scope, `*`, creates without a name, whole collections).
 */
export function grantRules(accesses: readonly Access[]): ReadonlyMap<string, readonly PolicyRule[]> {
  const scopes = new Map<string, Map<string, { access: Access; verbs: Set<string> }>>();
  for (const access of grantable(accesses)) {
    refuseInexact(access);
    const inNamespace = scopes.get(access.namespace) ?? new Map();
    scopes.set(access.namespace, inNamespace);
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

/** What a grant holds of the call's accesses: an optional one of cluster scope is left out, and the tool says "Not checked". */
export function grantable(accesses: readonly Access[]): readonly Access[] {
  return accesses.filter((access) => access.namespace !== "" || !access.optional);
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

function refuseInexact(access: Access): void {
  const told = describeAccess(access);
  if (access.namespace === "") throw noCredential(`cluster scope: ${told}`, "sallyport enroll --nodes");
  const parts = [access.verb, access.group, access.resource, access.subresource, access.namespace, access.name];
  if (parts.some((part) => part.includes("*")) || access.resource === "" || access.resource.includes("/"))
    throw noCredential(`not one exact access: ${told}`);
  if (access.name === "" && !["get", "list", "watch"].includes(access.verb))
    throw noCredential(`a write without a name can't be pinned: ${told}`);
}

/** Everything that a grant consists of, before it is made. */
export function grantObjects(accesses: readonly Access[], marks: Marks): GrantObjects {
  const name = runName(marks.grant);
  const rules = grantRules(accesses);
  const at = (address: Located["address"], namespace: string, of = name): Located => ({ address, namespace, name: of });
  return {
    account: {
      apiVersion: "v1",
      kind: "ServiceAccount",
      metadata: marked(name, sessionsNamespace, marks),
      automountServiceAccountToken: false,
    },
    anchor: anchorObject(marked(anchorName(marks.grant), sessionsNamespace, marks)),
    roles: [...rules].map(([namespace, found]) => ({
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "Role",
      metadata: marked(name, namespace, marks),
      rules: found,
    })),
    bindings: [...rules.keys()].map((namespace) => ({
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "RoleBinding",
      metadata: marked(name, namespace, marks),
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name },
      subjects: [{ kind: "ServiceAccount", namespace: sessionsNamespace, name }],
    })),
    places: [
      at(serviceAccounts, sessionsNamespace),
      at(secrets, sessionsNamespace, anchorName(marks.grant)),
      ...[...rules.keys()].flatMap((namespace) => [at(roles, namespace), at(roleBindings, namespace)]),
    ],
  };
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
  return { name, namespace, labels: { [grantLabel]: grant, [gatewayLabel]: gateway, [managedLabel]: "sallyport" } };
}

const grantId = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** Is its name that of an object of the grant that its label names? A label alone is no order to delete: whoever may label a Role must not be able to have it removed by us. */
export function isGrantObject({ grant, name, address }: FoundObject): boolean {
  if (!grantId.test(grant)) return false;
  return name === (address.resource === "secrets" ? anchorName(grant as GrantId) : runName(grant as GrantId));
}

/** RoleBindings first (refused after milliseconds), then the anchor (the token dies within ten seconds), then the rest. */
const removalOrder: readonly (readonly string[])[] = [["rolebindings"], ["secrets"], ["roles", "serviceaccounts"]];

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
