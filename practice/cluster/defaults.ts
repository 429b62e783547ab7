// The values that Kubernetes fills in where a client leaves them out, for the fields that people look at.

import { createHash } from "node:crypto";
import { at, isJsonObject, listAt, mapAt, put, textAt, textOf, type Json, type JsonObject } from "./json.ts";
import type { Kind } from "./kinds.ts";

const fill = (defaults: JsonObject, value: Json | undefined): JsonObject => ({
  ...defaults,
  ...(isJsonObject(value) ? value : {}),
});

function defaultContainer(container: Json): Json {
  const image = textAt(container, "image");
  const latest = !/[:@][^/]*$/.test(image) || image.endsWith(":latest");
  return fill(
    {
      resources: {},
      terminationMessagePath: "/dev/termination-log",
      terminationMessagePolicy: "File",
      imagePullPolicy: latest ? "Always" : "IfNotPresent",
    },
    container,
  );
}

function defaultPodSpec(spec: Json | undefined, restartPolicy: string): JsonObject {
  const filled = fill(
    {
      restartPolicy,
      terminationGracePeriodSeconds: 30,
      dnsPolicy: "ClusterFirst",
      securityContext: {},
      schedulerName: "default-scheduler",
      // The old name of serviceAccountName still goes along with it.
      ...(textAt(spec, "serviceAccountName") === "" ? {} : { serviceAccount: textAt(spec, "serviceAccountName") }),
    },
    spec,
  );
  const lists = ["containers", "initContainers"].filter((list) => Array.isArray(at(filled, list)));
  return lists.reduce((made, list) => put(made, [list], listAt(made, list).map(defaultContainer)), filled);
}

const withTemplate = (spec: Json | undefined, defaults: JsonObject, restartPolicy = "Always"): JsonObject =>
  put(fill(defaults, spec), ["template", "spec"], defaultPodSpec(at(spec, "template", "spec"), restartPolicy));

/** An address in the service range, from the name: the same Service keeps it over a restart. */
function serviceAddress(object: JsonObject): string {
  const bytes = createHash("sha256")
    .update(JSON.stringify(object["metadata"] ?? null))
    .digest();
  return `10.96.${bytes[0] ?? 0}.${(bytes[1] ?? 0) || 1}`;
}

function defaultServiceSpec(object: JsonObject, spec: Json | undefined): JsonObject {
  const address = textAt(spec, "clusterIP") || serviceAddress(object);
  const ports = listAt(spec, "ports").map((port) => fill({ protocol: "TCP", targetPort: at(port, "port") ?? 0 }, port));
  const family = { ipFamilies: ["IPv4"], ipFamilyPolicy: "SingleStack", internalTrafficPolicy: "Cluster" };
  const own = { type: "ClusterIP", sessionAffinity: "None", clusterIP: address, clusterIPs: [address] };
  return put(fill({ ...own, ...family }, spec), ["ports"], ports);
}

const cpuAt80 = {
  type: "Resource",
  resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 80 } },
};

function defaultSpec(kind: Kind, object: JsonObject): JsonObject | undefined {
  const spec = at(object, "spec");
  const rolling = { type: "RollingUpdate", rollingUpdate: { maxUnavailable: "25%", maxSurge: "25%" } };
  switch (kind.kind) {
    case "Namespace":
      return { finalizers: ["kubernetes"] };
    case "Pod":
      return fill({ serviceAccountName: "default", enableServiceLinks: true }, defaultPodSpec(spec, "Always"));
    case "Deployment":
      return withTemplate(spec, {
        replicas: 1,
        strategy: rolling,
        revisionHistoryLimit: 10,
        progressDeadlineSeconds: 600,
      });
    case "ReplicaSet":
      return withTemplate(spec, { replicas: 1 });
    case "StatefulSet":
      return withTemplate(spec, {
        replicas: 1,
        podManagementPolicy: "OrderedReady",
        revisionHistoryLimit: 10,
        serviceName: "",
      });
    case "DaemonSet":
      return withTemplate(spec, { revisionHistoryLimit: 10 });
    case "Job":
      return withTemplate(spec, { parallelism: 1, completions: 1, backoffLimit: 6, suspend: false }, "Never");
    case "CronJob":
      return fill({ concurrencyPolicy: "Allow", suspend: false, successfulJobsHistoryLimit: 3 }, spec);
    case "HorizontalPodAutoscaler":
      return fill({ minReplicas: 1, metrics: [cpuAt80] }, spec);
    case "PersistentVolumeClaim":
      return fill({ volumeMode: "Filesystem" }, spec);
    case "Service":
      return defaultServiceSpec(object, spec);
    case "ValidatingAdmissionPolicy": {
      const rules = listAt(spec, "matchConstraints", "resourceRules").map((rule) => fill({ scope: "*" }, rule));
      const match = fill(
        { namespaceSelector: {}, objectSelector: {}, matchPolicy: "Equivalent" },
        at(spec, "matchConstraints"),
      );
      return put(fill({ failurePolicy: "Fail" }, spec), ["matchConstraints"], put(match, ["resourceRules"], rules));
    }
    default:
      return undefined;
  }
}

/** Secret's write-only `stringData` becomes `data`. */
function foldStringData(object: JsonObject): JsonObject {
  const texts = Object.entries(mapAt(object, "stringData"));
  const data = { ...mapAt(object, "data") };
  for (const [key, text] of texts) data[key] = Buffer.from(textOf(text)).toString("base64");
  const typed = fill({ type: "Opaque" }, object);
  return texts.length === 0 ? typed : put(put(typed, ["stringData"], undefined), ["data"], data);
}

function defaultRoleRef(object: JsonObject): JsonObject {
  const group = "rbac.authorization.k8s.io";
  const subjects = listAt(object, "subjects").map((subject) =>
    textAt(subject, "kind") === "ServiceAccount" ? subject : fill({ apiGroup: group }, subject),
  );
  const bound = put(object, ["roleRef"], fill({ apiGroup: group }, at(object, "roleRef")));
  return subjects.length === 0 ? bound : put(bound, ["subjects"], subjects);
}

/** The object with its defaults. Its shape has been checked before. */
export function withDefaults(kind: Kind, object: JsonObject): JsonObject {
  const spec = defaultSpec(kind, object);
  if (spec !== undefined) object = put(object, ["spec"], spec);
  if (kind.kind === "Secret") return foldStringData(object);
  if (kind.kind.endsWith("RoleBinding")) return defaultRoleRef(object);
  if (kind.kind !== "Namespace") return object;
  return put(object, ["metadata", "labels", "kubernetes.io/metadata.name"], textAt(object, "metadata", "name"));
}
