// What each account may do, as RBAC rules: the reader's list, the ceiling of what can ever be granted, and the gateway's own few rights.

import type { PolicyRule } from "./grant-objects.ts";
import { enrolmentName, previewAccountName, probeName, readerAccountName } from "./names.ts";

const read = ["get", "list", "watch"];
const write = ["create", "patch", "update", "delete"];

function rule(group: string, resources: readonly string[], verbs: readonly string[]): PolicyRule {
  return { apiGroups: [group], resources, verbs };
}
function named(group: string, resources: readonly string[], names: readonly string[], verbs: readonly string[]) {
  return { apiGroups: [group], resources, resourceNames: names, verbs } satisfies PolicyRule;
}

/** What can be read in an enrolled namespace: never Secrets, nothing under a pod but its log, no wildcard. */
export const readerRules: readonly PolicyRule[] = [
  rule(
    "",
    [
      "configmaps",
      "endpoints",
      "events",
      "limitranges",
      "persistentvolumeclaims",
      "pods",
      "replicationcontrollers",
      "resourcequotas",
      "serviceaccounts",
      "services",
    ],
    read,
  ),
  rule("", ["pods/log"], ["get"]),
  rule("apps", ["controllerrevisions", "daemonsets", "deployments", "replicasets", "statefulsets"], read),
  rule("autoscaling", ["horizontalpodautoscalers"], read),
  rule("batch", ["cronjobs", "jobs"], read),
  rule("discovery.k8s.io", ["endpointslices"], read),
  rule("events.k8s.io", ["events"], read),
  rule("metrics.k8s.io", ["pods"], ["get", "list"]),
  rule("networking.k8s.io", ["ingresses", "networkpolicies"], read),
  rule("policy", ["poddisruptionbudgets"], read),
];

/**
 * The most that a grant can ever hold in an enrolled namespace. The cluster's admin may edit it; enrolment then leaves it as it is.
 * Never in it: RBAC objects, `escalate`, `bind`, `impersonate`, Secrets, ServiceAccounts, exec, attach, port-forward, proxies, whole collections.
 */
export const ceilingRules: readonly PolicyRule[] = [
  ...readerRules,
  rule("", ["configmaps", "services"], write),
  rule("", ["persistentvolumeclaims"], ["create", "patch", "update"]),
  rule("", ["pods"], ["create", "patch", "delete"]),
  rule("", ["pods/eviction"], ["create"]),
  rule("", ["pods/resize"], ["patch"]),
  rule("", ["replicationcontrollers/scale"], ["get", "patch", "update"]),
  rule("apps", ["daemonsets", "deployments", "statefulsets"], write),
  rule("apps", ["deployments/scale", "replicasets/scale", "statefulsets/scale"], ["get", "patch", "update"]),
  rule("autoscaling", ["horizontalpodautoscalers"], write),
  rule("batch", ["cronjobs", "jobs"], write),
  rule("networking.k8s.io", ["ingresses", "networkpolicies"], write),
  rule("policy", ["poddisruptionbudgets"], write),
];

/** For the gateway alone, never for the preview account: an admission policy can't hold back a read. */
export const secretsCeilingRules: readonly PolicyRule[] = [rule("", ["secrets"], ["get"])];

/** With `--exec`, for the gateway alone: a command has no dry run, so the preview account has no use for it. Kubernetes asks for both verbs. */
export const execCeilingRules: readonly PolicyRule[] = [rule("", ["pods/exec"], ["create", "get"])];

/**
 * With `--nodes`, over the whole cluster: the most that the grant of a cordon or a drain can ever hold, and what their previews rehearse with.
 * Nothing under a node (its proxy is a way into every pod, its status decides what lands on it), and of pods nothing but to be seen and to be evicted.
 */
export const nodesCeilingRules: readonly PolicyRule[] = [
  rule("", ["nodes"], ["get", "list", "patch"]),
  rule("", ["pods"], ["get", "list"]),
  rule("", ["pods/eviction"], ["create"]),
  rule("policy", ["poddisruptionbudgets"], ["list"]),
];

/** With `--nodes`: makes and removes the ClusterRoles of grants. Kubernetes refuses any that is wider than the ceiling, a fence any that is not a grant's. */
export const clusterGrantMakerRules: readonly PolicyRule[] = [
  rule("rbac.authorization.k8s.io", ["clusterroles", "clusterrolebindings"], ["create", "delete", "list"]),
];

/** In each enrolled namespace: makes and removes the Roles of grants. Kubernetes refuses any that is wider than the ceiling. */
export const grantMakerRules: readonly PolicyRule[] = [
  rule("rbac.authorization.k8s.io", ["roles", "rolebindings"], ["create", "delete", "get", "list"]),
];

/** In the sessions namespace: makes and removes the accounts and anchors of grants, and mints their tokens. */
export const sessionsRules: readonly PolicyRule[] = [
  rule("", ["serviceaccounts", "secrets"], ["create", "delete", "list"]),
  rule("", ["serviceaccounts/token"], ["create"]),
];

/** In the system namespace: tokens of the two static accounts and the anchors of the reader's. No list: other people's Secrets may stand there. */
export const systemRules: readonly PolicyRule[] = [
  named("", ["serviceaccounts/token"], [readerAccountName, previewAccountName], ["create"]),
  rule("", ["secrets"], ["create", "delete"]),
  named("", ["configmaps"], [enrolmentName], ["get"]),
];

/** Lets the preview account come as far as the admission policy that must stop it. */
export const probeRules: readonly PolicyRule[] = [named("", ["configmaps"], [probeName], ["get", "patch"])];

/** The enrolled namespaces themselves, for their labels. An empty list of names would mean every name. */
export function namespaceRules(namespaces: readonly string[]): readonly PolicyRule[] {
  return namespaces.length === 0 ? [] : [named("", ["namespaces"], namespaces, ["get"])];
}

/** With `--cluster-read`. */
export const clusterReadRules: readonly PolicyRule[] = [
  rule("", ["namespaces", "nodes", "persistentvolumes"], read),
  rule("metrics.k8s.io", ["nodes"], ["get", "list"]),
  rule("storage.k8s.io", ["storageclasses"], read),
];
