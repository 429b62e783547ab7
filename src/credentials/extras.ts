// Finds what stands in a cluster beside the enrolment: bindings that give our accounts more than it does, and objects of it that it would no longer make.

import { at, isJsonObject, textAt, type JsonObject } from "../domain/json.ts";
import { manifestName, versionLabel, type Manifest } from "./manifests.ts";
import * as names from "./names.ts";
import { list, type Sender } from "./send.ts";

export interface Extra {
  /** `ClusterRoleBinding helpful` */
  readonly object: string;
  readonly says: string;
}

const labelled: readonly (readonly [address: names.ResourceAddress, kind: string])[] = [
  [names.namespaces, "Namespace"],
  [names.admissionPolicies, "ValidatingAdmissionPolicy"],
  [names.admissionPolicyBindings, "ValidatingAdmissionPolicyBinding"],
  [names.serviceAccounts, "ServiceAccount"],
  [names.configMaps, "ConfigMap"],
  [names.resourceQuotas, "ResourceQuota"],
  [names.clusterRoles, "ClusterRole"],
  [names.roles, "Role"],
];
const bindings: readonly (readonly [address: names.ResourceAddress, kind: string])[] = [
  [names.clusterRoleBindings, "ClusterRoleBinding"],
  [names.roleBindings, "RoleBinding"],
];

/** Reads every binding of the cluster, page by page: whoever may bind can name our accounts under any name. Faults: the cluster's. */
export async function findExtras(sender: Sender, manifests: readonly Manifest[]): Promise<readonly Extra[]> {
  const ours = new Set(manifests.map(manifestName));
  const extras: Extra[] = [];
  for (const [address, kind] of bindings)
    for await (const object of list(sender, address, ""))
      extras.push(...extraBinding(object, nameOf(kind, object), ours));
  for (const [address, kind] of labelled)
    for await (const object of list(sender, address, versionLabel)) {
      const name = nameOf(kind, object);
      if (!ours.has(name)) extras.push({ object: name, says: "belongs to no enrolment of this cluster any more" });
    }
  return extras;
}

function extraBinding(object: JsonObject, name: string, ours: ReadonlySet<string>): readonly Extra[] {
  // A grant's own: the sweep looks after those.
  if (ours.has(name) || textAt(object, "metadata", "labels", names.grantLabel) !== "") return [];
  const subjects = at(object, "subjects");
  const whom = (Array.isArray(subjects) ? subjects : []).filter(isJsonObject).flatMap(accountIn);
  if (whom.length === 0) return [];
  return [{ object: name, says: `gives ${whom.join(", ")} the role ${textAt(object, "roleRef", "name")} as well` }];
}

/** Our account, or the group of them, as a subject may name it (rbac.authorization.k8s.io/v1, Subject). */
function accountIn(subject: JsonObject): readonly string[] {
  const [kind, name, namespace] = ["kind", "name", "namespace"].map((key) => textAt(subject, key));
  for (const own of [names.systemNamespace, names.sessionsNamespace]) {
    if (kind === "ServiceAccount" && namespace === own) return [`${own}/${name ?? ""}`];
    if (kind === "User" && name?.startsWith(names.accountUser(own, "")))
      return [`${own}/${name.split(":").at(-1) ?? ""}`];
    if (kind === "Group" && name === `system:serviceaccounts:${own}`) return [`all accounts of ${own}`];
  }
  return [];
}

function nameOf(kind: string, object: JsonObject): string {
  const [namespace, name] = ["namespace", "name"].map((key) => textAt(object, "metadata", key));
  return `${kind} ${namespace ? `${namespace}/` : ""}${name ?? ""}`;
}
