// How policy files write kinds and accesses, and which of Kubernetes' own kinds they may name (Kubernetes 1.32 to 1.36).

import type { Access, Verb } from "../domain/access.ts";
import { verbs } from "../domain/access.ts";

/** Groups whose names have no dot: in `apps/deployments` the first part is the group, in `pods/log` the resource. */
const bareGroups = ["apps", "autoscaling", "batch", "policy"];

/** Every resource of the core group and the bare groups, with subresources. These groups gain a resource once in years. */
const closedKinds: readonly string[] = [
  "bindings componentstatuses configmaps endpoints events limitranges nodes nodes/proxy nodes/status",
  "namespaces namespaces/finalize namespaces/status persistentvolumeclaims persistentvolumeclaims/status",
  "persistentvolumes persistentvolumes/status pods pods/attach pods/binding pods/ephemeralcontainers pods/eviction",
  "pods/exec pods/log pods/portforward pods/proxy pods/resize pods/status podtemplates replicationcontrollers",
  "replicationcontrollers/scale replicationcontrollers/status resourcequotas resourcequotas/status secrets",
  "serviceaccounts serviceaccounts/token services services/proxy services/status",
  "apps/controllerrevisions apps/daemonsets apps/daemonsets/status apps/deployments apps/deployments/scale",
  "apps/deployments/status apps/replicasets apps/replicasets/scale apps/replicasets/status apps/statefulsets",
  "apps/statefulsets/scale apps/statefulsets/status",
  "autoscaling/horizontalpodautoscalers autoscaling/horizontalpodautoscalers/status",
  "batch/cronjobs batch/cronjobs/status batch/jobs batch/jobs/status",
  "policy/poddisruptionbudgets policy/poddisruptionbudgets/status",
].flatMap((line) => line.split(" "));
const closed = new Set(closedKinds);

/** Built-in resources that live outside namespaces. A resource that is not here and has no namespace may mean all of them. */
const clusterScoped = new Set(
  [
    "componentstatuses namespaces nodes persistentvolumes",
    "admissionregistration.k8s.io/mutatingadmissionpolicies admissionregistration.k8s.io/mutatingadmissionpolicybindings",
    "admissionregistration.k8s.io/mutatingwebhookconfigurations",
    "admissionregistration.k8s.io/validatingadmissionpolicies",
    "admissionregistration.k8s.io/validatingadmissionpolicybindings",
    "admissionregistration.k8s.io/validatingwebhookconfigurations",
    "apiextensions.k8s.io/customresourcedefinitions apiregistration.k8s.io/apiservices",
    "authentication.k8s.io/selfsubjectreviews authentication.k8s.io/tokenreviews",
    "authorization.k8s.io/selfsubjectaccessreviews authorization.k8s.io/selfsubjectrulesreviews",
    "authorization.k8s.io/subjectaccessreviews certificates.k8s.io/certificatesigningrequests",
    "certificates.k8s.io/clustertrustbundles flowcontrol.apiserver.k8s.io/flowschemas",
    "flowcontrol.apiserver.k8s.io/prioritylevelconfigurations gateway.networking.k8s.io/gatewayclasses",
    "metrics.k8s.io/nodes networking.k8s.io/ingressclasses networking.k8s.io/ipaddresses",
    "networking.k8s.io/servicecidrs node.k8s.io/runtimeclasses rbac.authorization.k8s.io/clusterrolebindings",
    "rbac.authorization.k8s.io/clusterroles resource.k8s.io/deviceclasses resource.k8s.io/resourceslices",
    "scheduling.k8s.io/priorityclasses storage.k8s.io/csidrivers storage.k8s.io/csinodes",
    "storage.k8s.io/storageclasses storage.k8s.io/volumeattachments storage.k8s.io/volumeattributesclasses",
  ].flatMap((line) => line.split(" ")),
);

/**
 * The namespace that an access happens in: its name, `null` where there is none, `undefined` where it cannot be told
 * (an unknown kind without a namespace may be a list over all of them). A Namespace object lies in itself, as the
 * API server's own request attributes have it.
 */
export function placeOf(access: Access): string | null | undefined {
  if (access.namespace !== "") return access.namespace;
  if (access.group === "" && access.resource === "namespaces" && access.name !== "") return access.name;
  const resource = access.group === "" ? access.resource : `${access.group}/${access.resource}`;
  return clusterScoped.has(resource) ? null : undefined;
}

const kindShape = /^[a-z][a-z0-9-]*(\.[a-z0-9-]+)*(\/[a-z][a-z0-9.-]*){0,2}$/;

/** Why this is not a kind as policy files write it, or undefined when it is one. */
export function kindProblem(text: string): string | undefined {
  if (text.includes("*"))
    return "is refused for its `*`: name each kind, so that a new one is never covered by accident";
  const [first = "", ...rest] = text.split("/");
  const shown = kindShape.test(text) ? text : undefined;
  if (shown === undefined) return "must be a plural resource name such as pods, pods/log or apps/deployments";
  if (first.includes("."))
    return rest.length > 0 ? undefined : "must be GROUP/RESOURCE, for example networking.k8s.io/ingresses";
  if (closed.has(shown)) return undefined;
  return bareGroups.includes(first) && rest.length === 0
    ? "is a group: add the resource, for example apps/deployments"
    : "is not a kind that Kubernetes has (kinds outside the core group are written GROUP/RESOURCE)";
}

/** The built-in kinds that a misspelt one is compared with. */
export const knownKinds: readonly string[] = [...closedKinds, ...clusterScoped];

/** Splits a kind that `kindProblem` found nothing wrong with. */
export function splitKind(text: string): Pick<Access, "group" | "resource" | "subresource"> {
  const parts = text.split("/");
  const first = parts[0] ?? "";
  const group = first.includes(".") || bareGroups.includes(first) ? first : "";
  const [resource = "", subresource = ""] = group === "" ? parts : parts.slice(1);
  return { group, resource, subresource };
}

/**
 * One access as entries and cards write it (domain/access.ts, `describeAccess`): `patch apps/deployments/scale prod/api`,
 * `list pods prod/*`, `get nodes n1`; a trailing `?` makes it optional. Undefined where the text is none of these.
 */
export function parseAccess(text: string, cluster: string): Access | undefined {
  const optional = text.endsWith("?");
  const [verb, kind, place, ...more] = (optional ? text.slice(0, -1) : text).trim().split(/ +/);
  if (verb === undefined || kind === undefined || place === undefined || more.length > 0) return undefined;
  if (!(verbs as readonly string[]).includes(verb) || kindProblem(kind) !== undefined) return undefined;
  const [first = "", second] = place.split("/");
  const namespace = second === undefined ? "" : first;
  const name = second ?? first;
  return {
    cluster,
    verb: verb as Verb,
    version: "",
    kind: "",
    ...splitKind(kind),
    namespace,
    name: name === "*" ? "" : name,
    optional,
  };
}
