// The built-in forbids: what no rule and no approval lifts. Long because it is one table (kubernetes.md, "Attack surface").

import { isWrite, verbs, type Access } from "../domain/access.ts";
import type { PlannedCall } from "../domain/call.ts";
import { placeOf } from "./kinds.ts";

/** The little of a call that a forbid may ask for. */
export type ForbidCall = Pick<PlannedCall, "tool" | "effect">;

export interface Forbid {
  /** Stands in decisions and entries as `forbid:<id>`. */
  readonly id: string;
  /** For the agent: what is refused. */
  readonly sentence: string;
  /** For people: why nobody may allow it. */
  readonly reason: string;
  matches(access: Access, call: ForbidCall): boolean;
}

const core = (access: Access, ...resources: readonly string[]): boolean =>
  access.group === "" && resources.includes(access.resource);
const writes = (access: Access): boolean => isWrite(access.verb);
// Over a WebSocket these are GET requests, and run commands all the same.
const connects = (access: Access): boolean => core(access, "pods") && ["exec", "attach"].includes(access.subresource);
const inSystem = (access: Access): boolean => {
  const place = placeOf(access) ?? "";
  return place.startsWith("kube-") || place.startsWith("sallyport-");
};

// A name that is not what Kubernetes would write could mean one thing to these rules and another to the API server.
const labelShape = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const groupShape = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/;
const nameShape = /^[^\s/%*?#\p{Cc}\p{Cf}]+$/u;
const spelled = (access: Access): boolean =>
  (verbs as readonly string[]).includes(access.verb) &&
  (access.group === "" || groupShape.test(access.group)) &&
  labelShape.test(access.resource) &&
  (access.subresource === "" || labelShape.test(access.subresource)) &&
  (access.namespace === "" || labelShape.test(access.namespace)) &&
  (access.name === "" || (nameShape.test(access.name) && access.name !== "." && access.name !== ".."));

const selfReviews = ["selfsubjectaccessreviews", "selfsubjectrulesreviews", "selfsubjectreviews"];
const asksAboutItself = (access: Access): boolean =>
  ["authorization.k8s.io", "authentication.k8s.io"].includes(access.group) &&
  selfReviews.includes(access.resource) &&
  access.subresource === "" &&
  access.verb === "create";

/** Whose objects give rights. OpenShift serves Kubernetes' own roles and bindings a second time, in a group of its own. */
const rightsGroups: readonly string[] = [
  "rbac.authorization.k8s.io",
  "certificates.k8s.io",
  "authorization.openshift.io",
  "oauth.openshift.io",
  "security.openshift.io",
  "user.openshift.io",
];

export const forbids: readonly Forbid[] = [
  {
    id: "plain-names",
    sentence: "Wildcards and malformed verbs, kinds, namespaces and names are never sent to a cluster.",
    reason: "A wildcard reaches kinds that nobody thought of; an odd spelling could be read differently by the server.",
    matches: (access) => !spelled(access),
  },
  {
    id: "write-in-read",
    sentence: "A call that reads may not write.",
    reason: "A tool that calls itself a read would pass every rule made for changes.",
    matches: (access, call) =>
      call.effect === "read" && (connects(access) || (writes(access) && !asksAboutItself(access))),
  },
  {
    id: "service-account-tokens",
    sentence: "Tokens of service accounts can't be requested.",
    reason: "A token outlives the call, its masking and its record.",
    matches: (access) => core(access, "serviceaccounts") && access.subresource === "token",
  },
  {
    id: "helm-releases",
    sentence: "The stored bodies of Helm releases can't be read or written.",
    reason: "They hold every value of a release, passwords too, compressed out of the masker's sight.",
    matches: (access) => core(access, "secrets", "configmaps") && access.name.startsWith("sh.helm.release.v1."),
  },
  {
    id: "system-exec",
    sentence: "Commands can't be run in pods of system namespaces.",
    reason: "Pods there hold the cluster's own credentials, and Sallyport's.",
    matches: (access) => core(access, "pods") && ["exec", "attach"].includes(access.subresource) && inSystem(access),
  },
  {
    id: "tunnels",
    sentence: "Ephemeral containers, port forwarding and proxying to pods and services are not available.",
    reason: "What passes through them can be neither masked nor recorded.",
    matches: (access) =>
      (core(access, "pods") && ["ephemeralcontainers", "portforward", "proxy"].includes(access.subresource)) ||
      (core(access, "services") && access.subresource === "proxy"),
  },
  {
    id: "kubelet",
    sentence: "A node's kubelet can't be reached.",
    reason: "Even a GET through nodes/proxy runs commands in pods; log, configz and checkpoint give out host files.",
    // Every subresource but the node's own status: the kubelet grows new ones.
    matches: (access) => core(access, "nodes") && !["", "status"].includes(access.subresource),
  },
  {
    id: "delete-collection",
    sentence: "Objects are deleted by name, never as a collection.",
    reason: "What a selector matches can change between the approval and the deletion.",
    matches: (access) => access.verb === "deletecollection",
  },
  {
    id: "namespaces",
    sentence: "Namespaces can't be created, changed or deleted.",
    reason: "Deleting one deletes all in it; its labels decide pod security and which rules apply.",
    matches: (access) => core(access, "namespaces") && writes(access),
  },
  {
    id: "persistent-volume-delete",
    sentence: "Persistent volumes can't be deleted.",
    reason: "The data may go with them, and no undo brings it back.",
    matches: (access) => core(access, "persistentvolumes") && access.verb === "delete",
  },
  {
    id: "rights",
    sentence:
      "Roles, bindings and certificate requests can't be written, nor OpenShift's users, tokens and security constraints.",
    reason: "Whoever hands out rights can hand them to the agent.",
    matches: (access) => rightsGroups.includes(access.group) && writes(access),
  },
  {
    id: "impersonation",
    sentence: "Nobody can be impersonated.",
    reason: "Calls would carry another account's rights, and its name in the cluster's audit log.",
    matches: (access) =>
      core(access, "users", "groups") || (access.group === "authentication.k8s.io" && access.resource === "userextras"),
  },
  {
    id: "cluster-extensions",
    sentence: "Webhooks, admission policies, API services and custom resource definitions can't be written.",
    reason: "They see, change or take over every later request of everyone.",
    matches: (access) =>
      ["admissionregistration.k8s.io", "apiregistration.k8s.io", "apiextensions.k8s.io"].includes(access.group) &&
      writes(access),
  },
  {
    id: "nodes",
    sentence: "Nodes are changed only by nodes_cordon and nodes_drain.",
    reason: "A node's labels and status decide which pods, and so which credentials, land on it.",
    matches: (access, call) =>
      core(access, "nodes") &&
      writes(access) &&
      (access.subresource !== "" || access.verb !== "patch" || !["nodes_cordon", "nodes_drain"].includes(call.tool)),
  },
  {
    id: "controller-state",
    sentence: "Bindings, endpoints and leases belong to the cluster's controllers and can't be written.",
    reason: "They place pods, redirect a service's traffic or take a controller's leadership.",
    matches: (access) =>
      writes(access) &&
      ((core(access, "pods") && access.subresource === "binding") ||
        core(access, "bindings", "endpoints") ||
        (access.group === "discovery.k8s.io" && access.resource === "endpointslices") ||
        (access.group === "coordination.k8s.io" && access.resource === "leases")),
  },
  {
    id: "system-namespaces",
    sentence: "Nothing can be written in kube-* and sallyport-* namespaces.",
    reason: "They run the cluster and this gateway. (A drain may evict pods from kube-* namespaces.)",
    matches: (access, call) => writes(access) && inSystem(access) && !isDrainEviction(access, call),
  },
];

function isDrainEviction(access: Access, call: ForbidCall): boolean {
  return (
    call.tool === "nodes_drain" &&
    access.verb === "create" &&
    core(access, "pods") &&
    access.subresource === "eviction" &&
    access.namespace.startsWith("kube-")
  );
}

/** The forbid that this access runs into, or null. For the accesses that a call declares, and again for each request that is really sent. */
export function forbidden(access: Access, call: ForbidCall): Forbid | null {
  for (const forbid of forbids) if (forbid.matches(access, call)) return forbid;
  return null;
}
