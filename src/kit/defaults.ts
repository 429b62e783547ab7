// What Kubernetes fills in where nobody says otherwise: views and diffs leave it out (tools.md, sections 2 and 5).

import { isJsonObject, textAt, type Json, type JsonObject } from "../domain/json.ts";

/** By where it stands and in which kinds: the same word elsewhere (a ConfigMap's key, a custom resource's field) is nobody's default. */
type Fields = Readonly<Record<string, Json>>;
const probe: Fields = { failureThreshold: 3, periodSeconds: 10, successThreshold: 1, timeoutSeconds: 1 };

/** Of a pod's spec (Kubernetes API reference v1.36, PodSpec and Container); lists' members are `[]`. */
const ofPods: Fields = {
  dnsPolicy: "ClusterFirst",
  enableServiceLinks: true,
  preemptionPolicy: "PreemptLowerPriority",
  restartPolicy: "Always",
  schedulerName: "default-scheduler",
  securityContext: {},
  terminationGracePeriodSeconds: 30,
  ...fromEach(["configMap", "secret", "projected", "downwardAPI"], "volumes[].", { defaultMode: 420 }),
  ...fromEach(["containers[]", "initContainers[]"], "", {
    resources: {},
    terminationMessagePath: "/dev/termination-log",
    terminationMessagePolicy: "File",
    "ports[].protocol": "TCP",
    "env[].valueFrom.fieldRef.apiVersion": "v1",
    ...fromEach(["livenessProbe", "readinessProbe", "startupProbe"], "", { ...probe, "httpGet.scheme": "HTTP" }),
  }),
};

/** Where each kind keeps its pod's spec ("" where it has none), and what else of its own spec has a default. */
const ofKinds: Readonly<Record<string, readonly [podSpec: string, own: Fields]>> = {
  "v1 Pod": ["spec", {}],
  "v1 Service": [
    "",
    {
      internalTrafficPolicy: "Cluster",
      ipFamilyPolicy: "SingleStack",
      "ports[].protocol": "TCP",
      sessionAffinity: "None",
    },
  ],
  "apps/v1 Deployment": [
    "spec.template.spec",
    {
      progressDeadlineSeconds: 600,
      revisionHistoryLimit: 10,
      "strategy.type": "RollingUpdate",
      "strategy.rollingUpdate.maxSurge": "25%",
      "strategy.rollingUpdate.maxUnavailable": "25%",
      "template.metadata.creationTimestamp": null,
    },
  ],
  "apps/v1 ReplicaSet": ["spec.template.spec", { "template.metadata.creationTimestamp": null }],
  "apps/v1 StatefulSet": [
    "spec.template.spec",
    { revisionHistoryLimit: 10, "template.metadata.creationTimestamp": null },
  ],
  "apps/v1 DaemonSet": [
    "spec.template.spec",
    { revisionHistoryLimit: 10, "template.metadata.creationTimestamp": null },
  ],
  "batch/v1 Job": ["spec.template.spec", { "template.metadata": {}, "template.metadata.creationTimestamp": null }],
  "batch/v1 CronJob": ["spec.jobTemplate.spec.template.spec", { "jobTemplate.spec.template.metadata": {} }],
  "networking.k8s.io/v1 NetworkPolicy": [
    "",
    { "ingress[].ports[].protocol": "TCP", "egress[].ports[].protocol": "TCP" },
  ],
};

/** The defaults of one kind. */
export interface Defaults {
  /** Where its pod's spec stands; "" where it has none. */
  readonly podSpec: string;
  /** By path from the object's root. */
  readonly fields: Fields;
}

/** Those of the object's kind; null for one that has none that are known, as a custom resource. */
export function defaultsOf(object: JsonObject): Defaults | null {
  const kind = `${textAt(object, "apiVersion")} ${textAt(object, "kind")}`;
  const [podSpec, own] = (Object.hasOwn(ofKinds, kind) ? ofKinds[kind] : undefined) ?? [];
  if (podSpec === undefined || own === undefined) return null;
  return {
    podSpec,
    fields: { ...(podSpec === "" ? {} : fromEach([podSpec], "", ofPods)), ...fromEach(["spec"], "", own) },
  };
}

/**
 * Would Kubernetes have put this value here by itself? `path` from the object's root, list members as `[]`; `text` and `image`, that of the same container, as
 * JSON. A pull policy is only known to be one beside its image.
 */
export function isDefault(
  { podSpec, fields }: Defaults,
  path: string,
  text: string | null,
  image?: string | null,
): boolean {
  if (podSpec !== "" && path.startsWith(`${podSpec}.`) && path.endsWith(".imagePullPolicy") && isPulled(image, text))
    return true;
  return Object.hasOwn(fields, path) && JSON.stringify(fields[path]) === text;
}

/** The value that stands at this path of an object, without what Kubernetes filled in: what somebody would write to get it. */
export function asWritten(value: Json, defaults: Defaults | null, path: string): Json {
  if (defaults === null) return value;
  if (Array.isArray(value)) return value.map((one: Json) => asWritten(one, defaults, `${path}[]`));
  if (!isJsonObject(value)) return value;
  const image = typeof value["image"] === "string" ? JSON.stringify(value["image"]) : null;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]): [string, Json][] => {
      const here = `${path}.${key}`;
      const known = key === "imagePullPolicy" || Object.hasOwn(defaults.fields, here);
      if (known && isDefault(defaults, here, JSON.stringify(inner), image)) return [];
      const left = asWritten(inner, defaults, here);
      return isEmpty(left) && !isEmpty(inner) ? [] : [[key, left]];
    }),
  );
}

const isEmpty = (value: Json): boolean => isJsonObject(value) && Object.keys(value).length === 0;

/** Is it the pull policy that such an image gets by itself? */
function isPulled(image: string | null | undefined, policy: string | null): boolean {
  if (image === undefined || image === null) return false;
  const [, tag] = /:([A-Za-z0-9_.-]+)"$/.exec(image) ?? [];
  const moves = !image.includes("@") && (tag === undefined || tag === "latest");
  return policy === (moves ? '"Always"' : '"IfNotPresent"');
}

function fromEach(places: readonly string[], before: string, fields: Fields): Fields {
  return Object.fromEntries(
    places.flatMap((place) => Object.entries(fields).map(([field, value]) => [`${before}${place}.${field}`, value])),
  );
}
