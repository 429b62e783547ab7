// The kinds that the practice cluster serves, as data: discovery, routing, selectors and validation all read this table.

export interface Subresource {
  readonly name: string;
  readonly kind: string;
  readonly group: string;
  readonly version: string;
  readonly verbs: readonly string[];
}

export interface Kind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly resource: string;
  readonly namespaced: boolean;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly subresources: readonly Subresource[];
  /** What a name may be: a DNS label, a DNS subdomain, or anything that is one path segment (RBAC). */
  readonly names: "label" | "subdomain" | "segment";
  /** Its status belongs to the controllers: a client's is dropped. Null where the kind has none. */
  readonly status: object | null;
  /** Counts changes of its spec in metadata.generation. */
  readonly counted: boolean;
  /** A delete answers with the object instead of a Status. */
  readonly returnsDeleted: boolean;
  /** Selectable fields beside metadata.name and metadata.namespace. */
  readonly fields: readonly string[];
  /** Answered and forgotten: only `create` is served. */
  readonly review: boolean;
}

export const objectVerbs = ["create", "delete", "get", "list", "patch", "update", "watch"] as const;

const scale: Subresource = {
  name: "scale",
  kind: "Scale",
  group: "autoscaling",
  version: "v1",
  verbs: ["get", "patch", "update"],
};
const log: Subresource = { name: "log", kind: "Pod", group: "", version: "v1", verbs: ["get"] };
const token: Subresource = {
  name: "token",
  kind: "TokenRequest",
  group: "authentication.k8s.io",
  version: "v1",
  verbs: ["create"],
};

function kind(groupVersion: string, name: string, resource: string, more: Partial<Kind> = {}): Kind {
  const [group, version] = groupVersion.includes("/") ? groupVersion.split("/") : ["", groupVersion];
  return {
    group: group ?? "",
    version: version ?? "",
    kind: name,
    resource,
    namespaced: true,
    shortNames: [],
    categories: [],
    subresources: [],
    names: "subdomain",
    status: null,
    counted: false,
    returnsDeleted: false,
    fields: [],
    review: false,
    ...more,
  };
}

const all = { categories: ["all"] };
const workload = { ...all, status: {}, counted: true };
const rbac = "rbac.authorization.k8s.io/v1";
const admission = "admissionregistration.k8s.io/v1";
const involved = ["kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath"];
const review = { namespaced: false, review: true };

export const kinds: readonly Kind[] = [
  kind("v1", "ConfigMap", "configmaps", { shortNames: ["cm"] }),
  kind("v1", "Event", "events", {
    shortNames: ["ev"],
    fields: [...involved.map((field) => `involvedObject.${field}`), "reason", "type", "reportingComponent"],
  }),
  kind("v1", "Namespace", "namespaces", {
    namespaced: false,
    shortNames: ["ns"],
    names: "label",
    status: { phase: "Active" },
    fields: ["status.phase"],
  }),
  kind("v1", "Node", "nodes", { namespaced: false, shortNames: ["no"], status: {}, fields: ["spec.unschedulable"] }),
  kind("v1", "PersistentVolumeClaim", "persistentvolumeclaims", {
    shortNames: ["pvc"],
    status: { phase: "Pending" },
    returnsDeleted: true,
  }),
  kind("v1", "Pod", "pods", {
    ...all,
    shortNames: ["po"],
    subresources: [log],
    status: { phase: "Pending", qosClass: "BestEffort" },
    counted: true,
    returnsDeleted: true,
    fields: ["spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "status.phase"],
  }),
  kind("v1", "ResourceQuota", "resourcequotas", { shortNames: ["quota"], status: {}, returnsDeleted: true }),
  kind("v1", "Secret", "secrets", { fields: ["type"] }),
  kind("v1", "ServiceAccount", "serviceaccounts", { shortNames: ["sa"], subresources: [token], returnsDeleted: true }),
  kind("v1", "Service", "services", {
    ...all,
    shortNames: ["svc"],
    names: "label",
    status: { loadBalancer: {} },
    returnsDeleted: true,
  }),
  kind("apps/v1", "DaemonSet", "daemonsets", { ...workload, shortNames: ["ds"] }),
  kind("apps/v1", "Deployment", "deployments", { ...workload, shortNames: ["deploy"], subresources: [scale] }),
  kind("apps/v1", "ReplicaSet", "replicasets", {
    ...workload,
    shortNames: ["rs"],
    subresources: [scale],
    status: { replicas: 0 },
    fields: ["status.replicas"],
  }),
  kind("apps/v1", "StatefulSet", "statefulsets", {
    ...workload,
    shortNames: ["sts"],
    subresources: [scale],
    status: { replicas: 0, availableReplicas: 0 },
  }),
  kind("batch/v1", "CronJob", "cronjobs", { ...workload, shortNames: ["cj"] }),
  kind("batch/v1", "Job", "jobs", workload),
  kind("autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", {
    ...all,
    shortNames: ["hpa"],
    status: { desiredReplicas: 0, currentMetrics: null },
  }),
  kind("networking.k8s.io/v1", "Ingress", "ingresses", {
    shortNames: ["ing"],
    status: { loadBalancer: {} },
    counted: true,
  }),
  kind("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies", { shortNames: ["netpol"], counted: true }),
  kind("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets", {
    shortNames: ["pdb"],
    status: { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 },
    counted: true,
  }),
  kind(rbac, "Role", "roles", { names: "segment" }),
  kind(rbac, "RoleBinding", "rolebindings", { names: "segment" }),
  kind(rbac, "ClusterRole", "clusterroles", { namespaced: false, names: "segment" }),
  kind(rbac, "ClusterRoleBinding", "clusterrolebindings", { namespaced: false, names: "segment" }),
  kind(admission, "ValidatingAdmissionPolicy", "validatingadmissionpolicies", {
    namespaced: false,
    categories: ["api-extensions"],
    status: {},
    counted: true,
  }),
  kind(admission, "ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings", {
    namespaced: false,
    categories: ["api-extensions"],
    counted: true,
  }),
  kind("authorization.k8s.io/v1", "SelfSubjectAccessReview", "selfsubjectaccessreviews", review),
  kind("authorization.k8s.io/v1", "SelfSubjectRulesReview", "selfsubjectrulesreviews", review),
  kind("authorization.k8s.io/v1", "SubjectAccessReview", "subjectaccessreviews", review),
  kind("authentication.k8s.io/v1", "SelfSubjectReview", "selfsubjectreviews", review),
  kind("authentication.k8s.io/v1", "TokenReview", "tokenreviews", review),
];

/** `apps/v1`, `v1`. */
export const groupVersionOf = (kind: Pick<Kind, "group" | "version">): string =>
  kind.group === "" ? kind.version : `${kind.group}/${kind.version}`;

export function kindOfResource(group: string, version: string, resource: string): Kind | undefined {
  return kinds.find((kind) => kind.group === group && kind.version === version && kind.resource === resource);
}

export function kindNamed(groupVersion: string, name: string): Kind | undefined {
  return kinds.find((kind) => kind.kind === name && groupVersionOf(kind) === groupVersion);
}

/** The kind with this resource name; for our own code, which knows that it is there. */
export function kindFor(resource: string): Kind {
  const found = kinds.find((kind) => kind.resource === resource);
  if (found === undefined) throw new TypeError(`no such kind in the table: ${resource}`);
  return found;
}
