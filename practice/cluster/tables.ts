// Server-side Tables (meta.k8s.io/v1) with the columns that kubectl shows for each kind.

import { ageText, durationText } from "./age.ts";
import {
  at,
  isJsonObject,
  listAt,
  mapAt,
  numberAt,
  textAt,
  textOf,
  textsAt,
  type Json,
  type JsonObject,
} from "./json.ts";
import type { Kind } from "./kinds.ts";
import { podReady, podRestarts, podStatus } from "./pods.ts";
import { selectorText } from "./selectors.ts";
import { badRequest } from "./status.ts";

type Cell = (object: JsonObject, now: number) => Json;

/**
 * Columns by kind, in Kubernetes' order. `Name=path` is the text at that path, `#` makes a column an integer (0 where
 * absent), `?` shows `<none>` for an empty text, `*` is for `-o wide` only. Without a path the cell is computed, below.
 */
const layouts: { readonly [kind: string]: string } = {
  ConfigMap: "Name, Data, Age",
  Event:
    "Last Seen, Type=type, Reason=reason, Object, *Subobject=involvedObject.fieldPath, *Source=source.component, Message=message, *First Seen, *Count, *Name",
  Namespace: "Name, Status=status.phase, Age",
  Node: "Name, Status, Roles, Age, Version=status.nodeInfo.kubeletVersion, *Internal-IP, *External-IP, *?OS-Image=status.nodeInfo.osImage, *?Kernel-Version=status.nodeInfo.kernelVersion, *?Container-Runtime=status.nodeInfo.containerRuntimeVersion",
  PersistentVolumeClaim:
    "Name, Status=status.phase, Volume=spec.volumeName, Capacity=status.capacity.storage, Access Modes, StorageClass=spec.storageClassName, VolumeAttributesClass, Age, *VolumeMode=spec.volumeMode",
  Pod: "Name, Ready, Status, Restarts, Age, *?IP=status.podIP, *?Node=spec.nodeName, *?Nominated Node=status.nominatedNodeName, *Readiness Gates",
  ResourceQuota: "Name, Request, Limit, Age",
  Secret: "Name, Type=type, Data, Age",
  ServiceAccount: "Name, Age",
  Service: "Name, Type=spec.type, ?Cluster-IP=spec.clusterIP, External-IP, Port(s), Age, *Selector",
  DaemonSet:
    "Name, #Desired=status.desiredNumberScheduled, #Current=status.currentNumberScheduled, #Ready=status.numberReady, #Up-to-date=status.updatedNumberScheduled, #Available=status.numberAvailable, Node Selector, Age, *Containers, *Images, *Selector",
  Deployment: "Name, Ready, Up-to-date, Available, Age, *Containers, *Images, *Selector",
  ReplicaSet:
    "Name, #Desired=spec.replicas, #Current=status.replicas, #Ready=status.readyReplicas, Age, *Containers, *Images, *Selector",
  StatefulSet: "Name, Ready, Age, *Containers, *Images",
  CronJob:
    "Name, Schedule=spec.schedule, ?Timezone=spec.timeZone, Suspend, #Active, Last Schedule, Age, *Containers, *Images, *Selector",
  Job: "Name, Status, Completions, Duration, Age, *Containers, *Images, *Selector",
  HorizontalPodAutoscaler: "Name, Reference, Targets, MinPods, MaxPods, Replicas, Age",
  Ingress: "Name, ?Class=spec.ingressClassName, Hosts, Address, Ports, Age",
  NetworkPolicy: "Name, Pod-Selector, Age",
  PodDisruptionBudget: "Name, Min Available, Max Unavailable, #Allowed Disruptions=status.disruptionsAllowed, Age",
  Role: "Name, Created At",
  ClusterRole: "Name, Created At",
  RoleBinding: "Name, Role, Age, *Users, *Groups, *ServiceAccounts",
  ClusterRoleBinding: "Name, Role, Age, *Users, *Groups, *ServiceAccounts",
  ValidatingAdmissionPolicy: "Name, #Validations, ParamKind, Age",
  ValidatingAdmissionPolicyBinding: "Name, PolicyName=spec.policyName, ParamRef, Age",
};

const or = (text: string): string => (text === "" ? "<none>" : text);

const containers =
  (field: string): Cell =>
  (object) =>
    listAt(
      object["kind"] === "CronJob" ? at(object, "spec", "jobTemplate") : object,
      "spec",
      "template",
      "spec",
      "containers",
    )
      .map((one) => textAt(one, field))
      .join(",");

const subjects =
  (kind: string): Cell =>
  (object) =>
    listAt(object, "subjects")
      .filter((subject) => textAt(subject, "kind") === kind)
      .map((subject) => (kind === "ServiceAccount" ? `${textAt(subject, "namespace")}/` : "") + textAt(subject, "name"))
      .join(", ");

const quota =
  (limits: boolean): Cell =>
  (object) =>
    Object.entries(mapAt(object, "status", "hard"))
      .filter(([name]) => name.startsWith("limits.") === limits)
      .map(([name, hard]) => `${name}: ${textAt(object, "status", "used", name) || "0"}/${textOf(hard)}`)
      .join(", ");

const age =
  (...path: readonly string[]): Cell =>
  (object, now) =>
    ageText(textAt(object, ...path), now);

const ready: Cell = (object) =>
  `${numberAt(object, "status", "readyReplicas")}/${numberAt(object, "spec", "replicas")}`;
const bound =
  (field: string): Cell =>
  (object) =>
    textOf(at(object, "spec", field) ?? "N/A");

/** Computed cells, by column or by kind and column. */
const computed: { readonly [column: string]: Cell } = {
  Name: (object) => textAt(object, "metadata", "name"),
  Age: age("metadata", "creationTimestamp"),
  "Created At": (object) => textAt(object, "metadata", "creationTimestamp"),
  Data: (object) => Object.keys({ ...mapAt(object, "data"), ...mapAt(object, "binaryData") }).length,
  Containers: containers("name"),
  Images: containers("image"),
  Selector: (object) => or(selectorText(at(object, "spec", "selector"))),
  Users: subjects("User"),
  Groups: subjects("Group"),
  ServiceAccounts: subjects("ServiceAccount"),
  Role: (object) => `${textAt(object, "roleRef", "kind")}/${textAt(object, "roleRef", "name")}`,
  Roles: () => "<none>",
  "Node Selector": () => "<none>",
  "Readiness Gates": () => "<none>",
  "External-IP": () => "<none>",
  VolumeAttributesClass: () => "<unset>",
  ParamKind: () => "<unset>",
  ParamRef: () => "<unset>",
  Request: quota(false),
  Limit: quota(true),
  Targets: targets,
  "Last Seen": age("lastTimestamp"),
  "First Seen": age("firstTimestamp"),
  Object: (event) =>
    `${textAt(event, "involvedObject", "kind").toLowerCase()}/${textAt(event, "involvedObject", "name")}`,
  Count: (event) => numberAt(event, "count"),
  "Pod.Ready": podReady,
  "Pod.Status": podStatus,
  "Pod.Restarts": podRestarts,
  "Node.Status": nodeStatus,
  "Internal-IP": (node) => or(textAt(listAt(node, "status", "addresses")[0], "address")),
  "Access Modes": (claim) => textsAt(claim, "status", "accessModes").join(","),
  "Port(s)": (service) =>
    or(
      listAt(service, "spec", "ports")
        .map((port) => `${numberAt(port, "port")}/${textAt(port, "protocol")}`)
        .join(","),
    ),
  "Service.Selector": (service) => or(selectorText({ matchLabels: mapAt(service, "spec", "selector") })),
  Ready: ready,
  "Up-to-date": (object) => numberAt(object, "status", "updatedReplicas"),
  Available: (object) => numberAt(object, "status", "availableReplicas"),
  "Job.Status": (job) =>
    textAt(
      listAt(job, "status", "conditions").find((one) => textAt(one, "status") === "True"),
      "type",
    ) || "Running",
  Completions: (job) => `${numberAt(job, "status", "succeeded")}/${numberAt(job, "spec", "completions")}`,
  Duration: jobDuration,
  Suspend: (job) => (at(job, "spec", "suspend") === true ? "True" : "False"),
  Active: (job) => listAt(job, "status", "active").length,
  "Last Schedule": (job, now) =>
    or(textAt(job, "status", "lastScheduleTime") && ageText(textAt(job, "status", "lastScheduleTime"), now)),
  Reference: (hpa) =>
    `${textAt(hpa, "spec", "scaleTargetRef", "kind")}/${textAt(hpa, "spec", "scaleTargetRef", "name")}`,
  MinPods: (hpa) => String(numberAt(hpa, "spec", "minReplicas")),
  MaxPods: (hpa) => numberAt(hpa, "spec", "maxReplicas"),
  Replicas: (hpa) => numberAt(hpa, "status", "currentReplicas"),
  Hosts: (ingress) =>
    listAt(ingress, "spec", "rules")
      .map((rule) => textAt(rule, "host"))
      .join(",") || "*",
  Address: (ingress) =>
    listAt(ingress, "status", "loadBalancer", "ingress")
      .map((one) => textAt(one, "ip"))
      .join(","),
  Ports: (ingress) => (listAt(ingress, "spec", "tls").length > 0 ? "80, 443" : "80"),
  "Pod-Selector": (policy) => or(selectorText(at(policy, "spec", "podSelector"))),
  "Min Available": bound("minAvailable"),
  "Max Unavailable": bound("maxUnavailable"),
  Validations: (policy) => listAt(policy, "spec", "validations").length,
};

function nodeStatus(node: JsonObject): string {
  const ready = listAt(node, "status", "conditions").find((one) => textAt(one, "type") === "Ready");
  const word = textAt(ready, "status") === "True" ? "Ready" : "NotReady";
  return at(node, "spec", "unschedulable") === true ? `${word},SchedulingDisabled` : word;
}

function targets(hpa: JsonObject): string {
  const metrics = listAt(hpa, "spec", "metrics").map((metric) => {
    const name = textAt(metric, "resource", "name");
    const now = listAt(hpa, "status", "currentMetrics").find((one) => textAt(one, "resource", "name") === name);
    const seen = at(now, "resource", "current", "averageUtilization");
    const wanted = numberAt(metric, "resource", "target", "averageUtilization");
    return `${name}: ${typeof seen === "number" ? `${seen}%` : "<unknown>"}/${wanted}%`;
  });
  return or(metrics.join(", "));
}

function jobDuration(job: JsonObject, now: number): string {
  const start = textAt(job, "status", "startTime");
  const end = textAt(job, "status", "completionTime");
  return start === "" ? "" : durationText((end === "" ? now : Date.parse(end)) - Date.parse(start));
}

interface Column {
  readonly name: string;
  readonly type: string;
  readonly priority: 0 | 1;
  readonly cell: Cell;
}

function columnsOf(kind: string): readonly Column[] {
  return (layouts[kind] ?? "Name, Age").split(", ").map((text) => {
    const [, marks = "", name = "", path] = /^([#?*]*)([^=]+)(?:=(.+))?$/.exec(text) ?? [];
    const types: { readonly [name: string]: string } = { "Created At": "date", Suspend: "boolean" };
    const steps = path?.split(".") ?? [];
    const read: Cell = marks.includes("#")
      ? (object) => numberAt(object, ...steps)
      : (object) => textAt(object, ...steps);
    const soft: Cell = marks.includes("?") ? (object, now) => or(textOf(read(object, now))) : read;
    const cell = path === undefined ? (computed[`${kind}.${name}`] ?? computed[name]) : soft;
    if (cell === undefined) throw new TypeError(`no cell for ${kind}.${name}`);
    const type = marks.includes("#") ? "integer" : (types[name] ?? "string");
    return { name, type, priority: marks.includes("*") ? 1 : 0, cell };
  });
}

/** Objects as a Table; `includeObject` is None, Metadata (what an absent one means) or Object. */
export function tableOf(
  kind: Kind,
  objects: readonly JsonObject[],
  metadata: JsonObject,
  includeObject: string,
  now: number,
): JsonObject {
  if (!["", "None", "Metadata", "Object"].includes(includeObject)) {
    throw badRequest(
      `Unable to convert to Table as requested: includeObject: Invalid value: ${JSON.stringify(includeObject)}: must be 'Metadata', 'Object', 'None', or empty`,
    );
  }
  const columns = columnsOf(kind.kind);
  return {
    kind: "Table",
    apiVersion: "meta.k8s.io/v1",
    metadata,
    columnDefinitions: columns.map(({ name, type, priority }) => {
      return { name, type, format: name === "Name" ? "name" : "", description: "", priority };
    }),
    rows: objects.map((object) => ({
      cells: columns.map(({ cell }) => cell(object, now)),
      object: included(object, includeObject),
    })),
  };
}

function included(object: JsonObject, includeObject: string): Json {
  if (includeObject === "None") return null;
  if (includeObject === "Object") return object;
  const metadata = object["metadata"];
  return {
    kind: "PartialObjectMetadata",
    apiVersion: "meta.k8s.io/v1",
    metadata: isJsonObject(metadata) ? metadata : {},
  };
}
