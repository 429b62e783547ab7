// What is there before the first request: the namespaces, node and RBAC that every cluster has, then the seed.

import { randomUUID } from "node:crypto";
import { withDefaults } from "./defaults.ts";
import { at, isJsonObject, put, textAt, timestamp, type Json, type JsonObject } from "./json.ts";
import { groupVersionOf, kindNamed, type Kind } from "./kinds.ts";
import type { Storage } from "./storage.ts";
import { validate } from "./validate.ts";

const rbac = "rbac.authorization.k8s.io/v1";
const subject = (name: string): JsonObject => ({ kind: "Group", apiGroup: "rbac.authorization.k8s.io", name });
const self = ["selfsubjectaccessreviews", "selfsubjectrulesreviews"];
const discoveryPaths = [
  "/api",
  "/api/*",
  "/apis",
  "/apis/*",
  "/healthz",
  "/livez",
  "/openapi",
  "/openapi/*",
  "/readyz",
  "/version",
  "/version/",
];

/** Kubernetes' own roles of the same names, and the groups they are bound to. */
const roles: readonly (readonly [string, string, readonly Json[]])[] = [
  [
    "cluster-admin",
    "system:masters",
    [
      { verbs: ["*"], apiGroups: ["*"], resources: ["*"] },
      { verbs: ["*"], nonResourceURLs: ["*"] },
    ],
  ],
  ["system:discovery", "system:authenticated", [{ verbs: ["get"], nonResourceURLs: discoveryPaths }]],
  [
    "system:basic-user",
    "system:authenticated",
    [
      { verbs: ["create"], apiGroups: ["authorization.k8s.io"], resources: self },
      { verbs: ["create"], apiGroups: ["authentication.k8s.io"], resources: ["selfsubjectreviews"] },
    ],
  ],
];

function base(now: number): readonly JsonObject[] {
  const labels = { "kubernetes.io/bootstrapping": "rbac-defaults" };
  return [
    ...["default", "kube-node-lease", "kube-public", "kube-system"].map((name) => ({
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name },
    })),
    ...roles.flatMap(([name, group, rules]) => [
      { apiVersion: rbac, kind: "ClusterRole", metadata: { name, labels }, rules },
      {
        apiVersion: rbac,
        kind: "ClusterRoleBinding",
        metadata: { name, labels },
        roleRef: { kind: "ClusterRole", name },
        subjects: [subject(group)],
      },
    ]),
    node(now),
  ];
}

const node = (now: number): JsonObject => ({
  apiVersion: "v1",
  kind: "Node",
  metadata: { name: "practice-node-1", labels: { "kubernetes.io/hostname": "practice-node-1" } },
  status: {
    capacity: { cpu: "4", memory: "8Gi", pods: "110" },
    allocatable: { cpu: "4", memory: "8Gi", pods: "110" },
    conditions: [
      {
        type: "Ready",
        status: "True",
        reason: "KubeletReady",
        message: "practice node, no kubelet",
        lastTransitionTime: timestamp(now),
      },
    ],
    addresses: [{ type: "InternalIP", address: "10.0.0.1" }],
    nodeInfo: {
      kubeletVersion: "v1.36.4-sallyport-practice",
      osImage: "none",
      kernelVersion: "none",
      containerRuntimeVersion: "none://0",
    },
  },
});

/** Stores the base and the seed's objects as if made at this moment. A seed that Kubernetes would refuse throws. */
export function plant(storage: Storage, seed: readonly JsonObject[], now: number): void {
  for (const manifest of [...base(now), ...seed]) {
    const kind = kindNamed(textAt(manifest, "apiVersion"), textAt(manifest, "kind"));
    if (kind === undefined)
      throw new TypeError(`the practice cluster does not know ${JSON.stringify(manifest["kind"])}`);
    storage.write(kind, planted(kind, manifest, now));
  }
}

function planted(kind: Kind, manifest: JsonObject, now: number): JsonObject {
  const metadata = {
    ...(isJsonObject(manifest["metadata"]) ? manifest["metadata"] : {}),
    uid: randomUUID(),
    creationTimestamp: timestamp(now),
  };
  const made = {
    kind: kind.kind,
    apiVersion: groupVersionOf(kind),
    ...manifest,
    metadata: kind.counted ? { ...metadata, generation: 1 } : metadata,
  };
  const object = withDefaults(kind, made);
  validate(kind, object);
  if (kind.status === null || at(object, "status") !== undefined) return object;
  return put(object, ["status"], kind.status as JsonObject);
}
