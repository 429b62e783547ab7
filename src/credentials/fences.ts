// Admission policies that hold whatever RBAC lets through: previews that can't write, grants that can't reach the node or make power.

import type { JsonObject } from "../domain/json.ts";
import {
  accountUser,
  gatewayAccountName,
  grantLabel,
  previewAccountName,
  previewFenceName,
  sessionsNamespace,
  systemNamespace,
} from "./names.ts";

/** An admission policy in the parts that differ from one to the next. */
export interface Fence {
  readonly name: string;
  /** CEL: whom it holds. */
  readonly who: string;
  readonly rules: readonly JsonObject[];
  readonly validations: readonly { readonly expression: string; readonly message: string }[];
}

const previewUser = accountUser(systemNamespace, previewAccountName);
const grantGroup = `system:serviceaccounts:${sessionsNamespace}`;

/** A failed expression refuses the request, whoever sent it: hence `has` before each field that some request may lack. */
const isPreview = `has(request.userInfo.username) && request.userInfo.username == '${previewUser}'`;
/** Rehearsals meet the same fences as the write, or a preview would promise what the write is refused. */
const isGrantOrPreview = `has(request.userInfo.groups) && '${grantGroup}' in request.userInfo.groups || ${isPreview}`;

/** Resources and subresources in one pattern; with `*` beside or instead of it, writes to subresources slip through or the policy is refused. */
const everything: JsonObject = {
  apiGroups: ["*"],
  apiVersions: ["*"],
  operations: ["*"],
  resources: ["*/*"],
  scope: "*",
};
const written = (group: string, resources: readonly string[]): JsonObject => ({
  apiGroups: [group],
  apiVersions: ["*"],
  operations: ["CREATE", "UPDATE"],
  resources,
  scope: "*",
});

/** Real writes, deletes and connections (exec, proxy) of the preview account are refused; dry runs pass. */
export const previewFence: Fence = {
  name: previewFenceName,
  who: isPreview,
  rules: [everything],
  validations: [
    {
      expression: "has(request.dryRun) && request.dryRun == true",
      message: "The preview account may only rehearse: send dryRun=All.",
    },
  ],
};

/** No grant makes power: whatever its Role says, it can't write what hands out rights or credentials. */
const kindsFence: Fence = {
  name: "sallyport-grants-kinds",
  who: isGrantOrPreview,
  rules: [everything],
  validations: [
    {
      expression:
        "request.resource.group != 'rbac.authorization.k8s.io' && request.resource.group != 'certificates.k8s.io'",
      message: "A grant may not write roles, bindings or certificate requests.",
    },
    {
      expression: "request.resource.resource != 'serviceaccounts' && request.resource.resource != 'secrets'",
      message: "A grant may not write service accounts, tokens or Secrets.",
    },
    {
      // Their pod-security labels decide what a pod may do; no tool of ours writes any other part of a namespace.
      expression: "request.resource.resource != 'namespaces'",
      message: "A grant may not write namespaces: their labels decide what pods may do.",
    },
  ],
};

/** Pods and what makes pods, by where their pod spec stands. One policy each: a path that a kind lacks is an error, and an error refuses. */
const podFences: readonly Fence[] = [
  podFence("sallyport-grants-pods", "object.spec", [written("", ["pods", "pods/ephemeralcontainers"])]),
  podFence("sallyport-grants-workloads", "object.spec.template.spec", [
    written("", ["replicationcontrollers"]),
    written("apps", ["daemonsets", "deployments", "replicasets", "statefulsets"]),
    written("batch", ["jobs"]),
  ]),
  podFence("sallyport-grants-cronjobs", "object.spec.jobTemplate.spec.template.spec", [written("batch", ["cronjobs"])]),
];

function podFence(name: string, spec: string, rules: readonly JsonObject[]): Fence {
  const off = (field: string): string => `(!has(${spec}.${field}) || ${spec}.${field} == false)`;
  const plain = (list: string): string =>
    `(!has(${spec}.${list}) || ${spec}.${list}.all(c, !has(c.securityContext) || !has(c.securityContext.privileged) || c.securityContext.privileged == false))`;
  return {
    name,
    who: isGrantOrPreview,
    rules,
    validations: [
      {
        expression: ["hostNetwork", "hostPID", "hostIPC"].map(off).join(" && "),
        message: "A grant may not run pods in the node's network, process or IPC namespace.",
      },
      {
        expression: `!has(${spec}.volumes) || ${spec}.volumes.all(v, !has(v.hostPath))`,
        message: "A grant may not mount the node's files (hostPath).",
      },
      {
        expression: ["containers", "initContainers", "ephemeralContainers"].map(plain).join(" && "),
        message: "A grant may not run privileged containers.",
      },
    ],
  };
}

const gatewayUser = accountUser(systemNamespace, gatewayAccountName);
const isGateway = `has(request.userInfo.username) && request.userInfo.username == '${gatewayUser}'`;
/** Of a deleted object only the old one is there. */
const made = "(request.operation == 'DELETE' ? oldObject : object)";
const sameOf = (field: string): string =>
  `(has(object.${field}) ? object.${field} : null) == (has(oldObject.${field}) ? oldObject.${field} : null)`;

/** Everything of a node that can be written beside `unschedulable` (core/v1 NodeSpec, meta/v1 ObjectMeta). */
const ofNodes = [
  ...["labels", "annotations", "ownerReferences", "finalizers"].map((field) => `metadata.${field}`),
  ...["taints", "podCIDR", "podCIDRs", "providerID", "configSource", "externalID"].map((field) => `spec.${field}`),
];

/** With `--nodes`. RBAC can't say "only those of grants" of ClusterRoles, nor "only whether pods may come" of a node: these do. */
export const nodeFences: readonly Fence[] = [
  {
    name: "sallyport-grants-nodes",
    who: isGrantOrPreview,
    rules: [{ ...written("", ["nodes", "nodes/*"]), operations: ["*"] }],
    validations: [
      {
        expression: "request.operation == 'UPDATE' && !(has(request.subResource) && request.subResource != '')",
        message: "A grant may only cordon and uncordon nodes.",
      },
      {
        expression: `request.operation != 'UPDATE' || ${ofNodes.map(sameOf).join(" && ")}`,
        message:
          "A grant may change nothing of a node but whether pods may come: labels and taints decide what lands on it, owners and finalizers when it is deleted.",
      },
    ],
  },
  {
    name: "sallyport-gateway-cluster-roles",
    who: isGateway,
    rules: [
      {
        ...written("rbac.authorization.k8s.io", ["clusterroles", "clusterrolebindings"]),
        operations: ["CREATE", "UPDATE", "DELETE"],
      },
    ],
    validations: [
      {
        // A grant's id is a UUID of 36 characters: the name is `run-` and that, and nothing beside.
        expression: [
          `has(${made}.metadata.labels) && '${grantLabel}' in ${made}.metadata.labels`,
          `${made}.metadata.name.startsWith('run-') && ${made}.metadata.name.size() == 40`,
          `${made}.metadata.labels['${grantLabel}'].size() == 36`,
          `${made}.metadata.name.endsWith(${made}.metadata.labels['${grantLabel}'])`,
        ].join(" && "),
        message: "The gateway may make and remove no ClusterRole or ClusterRoleBinding but those of its grants.",
      },
      {
        // A label of this prefix adds a role's rules to `view`, `edit` or `admin`.
        expression: `has(${made}.metadata.labels) && ${made}.metadata.labels.all(label, !label.startsWith('rbac.authorization.k8s.io/'))`,
        message: "The ClusterRole of a grant may not be added to another role.",
      },
    ],
  },
  {
    name: "sallyport-gateway-cluster-bindings",
    who: isGateway,
    rules: [written("rbac.authorization.k8s.io", ["clusterrolebindings"])],
    validations: [
      {
        expression: `has(object.subjects) && object.subjects.size() == 1 && object.subjects.all(one, one.kind == 'ServiceAccount' && 'namespace' in one && one['namespace'] == '${sessionsNamespace}' && one.name == object.metadata.name) && object.roleRef.name == object.metadata.name`,
        message: "The ClusterRole of a grant may be bound to that grant's own account alone.",
      },
    ],
  },
];

export const fences: readonly Fence[] = [previewFence, kindsFence, ...podFences];

/** The policy's `spec` with every default written out, so that any edit of it shows as a difference. */
export function fenceSpec(fence: Fence): JsonObject {
  return {
    failurePolicy: "Fail",
    matchConditions: [{ name: "whom-it-holds", expression: fence.who }],
    matchConstraints: {
      matchPolicy: "Equivalent",
      namespaceSelector: {},
      objectSelector: {},
      resourceRules: fence.rules,
    },
    validations: fence.validations,
  };
}
