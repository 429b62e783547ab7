// Where enrolment puts things, what it calls them, and how the objects of a grant are told apart.

import type { GrantId } from "../domain/ids.ts";

/** Holds the static accounts, the enrolment and the anchors of session tokens. */
export const systemNamespace = "sallyport-system";
/** Holds one ServiceAccount and one anchor a running grant, and never a pod. */
export const sessionsNamespace = "sallyport-sessions";

export const gatewayAccountName = "gateway";
export const readerAccountName = "reader";
export const previewAccountName = "preview";

/** The ConfigMap that says which namespaces are enrolled, and with what. */
export const enrolmentName = "enrolment";
/** The ConfigMap that the preview account tries to write each minute, and must not be able to. */
export const probeName = "preview-probe";
/** The ValidatingAdmissionPolicy that holds the preview account to dry runs. */
export const previewFenceName = "sallyport-preview";

export const grantLabel = "sallyport.dev/grant";
export const gatewayLabel = "sallyport.dev/gateway";
export const expiresAnnotation = "sallyport.dev/expires";
export const callAnnotation = "sallyport.dev/call";
export const sessionAnnotation = "sallyport.dev/session";
export const managedLabel = "app.kubernetes.io/managed-by";

/** The name that Kubernetes gives a ServiceAccount as a user. */
export function accountUser(namespace: string, name: string): string {
  return `system:serviceaccount:${namespace}:${name}`;
}

/** ServiceAccount, Role and RoleBinding of a grant. */
export function runName(grant: GrantId): string {
  return `run-${grant}`;
}

/** The Secret that a token is bound to: deleting it ends the token. */
export function anchorName(grant: GrantId): string {
  return `anchor-${grant}`;
}

/** A resource as the API server's paths name it. */
export interface ResourceAddress {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
}

const rbac = { group: "rbac.authorization.k8s.io", version: "v1" } as const;
const admission = { group: "admissionregistration.k8s.io", version: "v1" } as const;
const core = { group: "", version: "v1" } as const;

export const namespaces: ResourceAddress = { ...core, resource: "namespaces" };
export const serviceAccounts: ResourceAddress = { ...core, resource: "serviceaccounts" };
export const secrets: ResourceAddress = { ...core, resource: "secrets" };
export const configMaps: ResourceAddress = { ...core, resource: "configmaps" };
export const resourceQuotas: ResourceAddress = { ...core, resource: "resourcequotas" };
export const roles: ResourceAddress = { ...rbac, resource: "roles" };
export const roleBindings: ResourceAddress = { ...rbac, resource: "rolebindings" };
export const clusterRoles: ResourceAddress = { ...rbac, resource: "clusterroles" };
export const clusterRoleBindings: ResourceAddress = { ...rbac, resource: "clusterrolebindings" };
export const admissionPolicies: ResourceAddress = { ...admission, resource: "validatingadmissionpolicies" };
export const admissionPolicyBindings: ResourceAddress = {
  ...admission,
  resource: "validatingadmissionpolicybindings",
};
export const selfReviews: ResourceAddress = {
  group: "authentication.k8s.io",
  version: "v1",
  resource: "selfsubjectreviews",
};
export const selfAccessReviews: ResourceAddress = {
  group: "authorization.k8s.io",
  version: "v1",
  resource: "selfsubjectaccessreviews",
};
