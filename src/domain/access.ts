// One verb on one Kubernetes resource that a call needs. Policy, grants and the guard all read these.

/** Kubernetes API request verbs (Kubernetes documentation, "Authorization Overview: request verbs"). */
export const verbs = ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"] as const;
export type Verb = (typeof verbs)[number];

export interface Access {
  readonly cluster: string;
  readonly verb: Verb;
  /** API group; "" is the core group. */
  readonly group: string;
  readonly version: string;
  /** Plural resource name, for example `deployments`. */
  readonly resource: string;
  /** For example `scale`, or "". */
  readonly subresource: string;
  /** The kind that discovery gives this resource, for people. */
  readonly kind: string;
  /** "" for a cluster-scoped resource. */
  readonly namespace: string;
  /** "" for the whole collection. */
  readonly name: string;
  /** An optional access is dropped where it is not allowed; a required one decides the call. */
  readonly optional: boolean;
}

const reading: readonly Verb[] = ["get", "list", "watch"];

/** Does the verb change something? Dry runs count as the write they rehearse. */
export function isWrite(verb: Verb): boolean {
  return !reading.includes(verb);
}

/** `apps/deployments/scale`, `pods/log`: the resource as Kubernetes RBAC writes it, with its group in front. */
export function resourcePath(access: Pick<Access, "group" | "resource" | "subresource">): string {
  const resource = access.subresource === "" ? access.resource : `${access.resource}/${access.subresource}`;
  return access.group === "" ? resource : `${access.group}/${resource}`;
}

/** A group that neither Kubernetes nor one of its projects has (only those end in `.k8s.io`, and only Kubernetes' own have no dot). */
export function isCustom(group: string): boolean {
  return group.includes(".") && !group.endsWith(".k8s.io");
}

/** The name of a kind; of a custom resource with its group, so that a `Deployment.example.com` is never read as the Deployment that Kubernetes itself has. */
export function fullKind({ kind, group }: { readonly kind: string; readonly group: string }): string {
  return isCustom(group) ? `${kind}.${group}` : kind;
}

/** `patch apps/deployments/scale prod/api`: one access as one line for people. */
export function describeAccess(access: Access): string {
  const place = [access.namespace, access.name === "" ? "*" : access.name].filter((part) => part !== "").join("/");
  return `${access.verb} ${resourcePath(access)} ${place}`;
}

/** Do two accesses name the same verb on the same thing? (Optional or not does not matter.) */
export function sameAccess(a: Access, b: Access): boolean {
  return (
    a.cluster === b.cluster &&
    a.verb === b.verb &&
    a.group === b.group &&
    a.resource === b.resource &&
    a.subresource === b.subresource &&
    a.namespace === b.namespace &&
    a.name === b.name
  );
}
