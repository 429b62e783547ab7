// Reads one object: what matters, clean YAML to edit, everything, or what it is tied to. Long: four views of one object.

import * as z from "zod";
import {
  answer,
  asWritten,
  at,
  cellOf,
  countAt,
  defaultsOf,
  defineTool,
  fault,
  Faulted,
  fullKind,
  inputs,
  isCustom,
  isJsonObject,
  jobCounts,
  leavingSays,
  listAt,
  named,
  parsePath,
  placeOf,
  quoted,
  refersTo,
  textAt,
  valuesAt,
  type Block,
  type Json,
  type JsonObject,
  type Kit,
  type Need,
  type ObjectRef,
  type Output,
  type ResourceKind,
  type Sentence,
} from "../src/tool.ts";

const input = z.strictObject({
  kind: inputs.kind().describe("Pod, deployments, Certificate.cert-manager.io"),
  name: inputs.name(),
  namespace: inputs.namespace().optional(),
  view: z.enum(["summary", "spec", "full", "relations"]).default("summary"),
  path: z.string().min(1).max(200).optional().describe("Only this part: .spec.template"),
});

/** What the relations view looks through, where it may be read. */
const related = [
  "deployments.apps",
  "statefulsets.apps",
  "daemonsets.apps",
  "cronjobs.batch",
  "replicasets.apps",
  "jobs.batch",
  "pods",
  "services",
  "ingresses",
  "horizontalpodautoscalers.autoscaling",
  "persistentvolumeclaims",
  "serviceaccounts",
];

export default defineTool({
  name: "objects_get",
  title: "Read one object",
  description:
    "Read one object. summary: what matters, with recent warnings; spec: clean YAML to edit and apply; full: with status; relations: owners, children, and what uses it (Secret, ConfigMap, PVC, ServiceAccount, Service). Secret values are masked.",
  annotations: { readOnlyHint: true, openWorldHint: false },
  effects: ["read"],
  input,
  effect: () => "read",
  reason: () => null,
  previewOnly: () => false,
  async needs({ kind, name, namespace, view, path }, { findKind }) {
    const found = await findKind(kind);
    const place = placeOf(found, namespace);
    // What uses a Secret stands in its users: that can be told where the Secret itself may not be read.
    const optional = view === "relations" && path === undefined && found.group === "" && found.kind === "Secret";
    const needs: Need[] = [{ verb: "get", kind: found, namespace: place, name, ...(optional ? { optional } : {}) }];
    if (place === "" || path !== undefined) return needs;
    if (view === "summary")
      needs.push({ verb: "list", kind: await findKind("events"), namespace: place, name: "", optional: true });
    if (view === "relations")
      for (const other of await Promise.all(related.map(findKind)))
        needs.push({ verb: "list", kind: other, namespace: place, name: "", optional: true });
    return needs;
  },
  async run({ kind, name, namespace, view, path }, kit) {
    const found = await kit.findKind(kind);
    const ref: ObjectRef = { kind: found, namespace: placeOf(found, namespace), name };
    const title = `${found.kind} ${ref.namespace === "" ? "" : `${ref.namespace}/`}${name}`;
    if (!kit.cluster.may({ verb: "get", ...ref })) return await relations(title, ref, null, kit);
    const object = await kit.cluster.get(ref);
    if (path !== undefined) return part(title, object, path);
    switch (view) {
      case "summary":
        return await summary(title, ref, object, kit);
      case "spec":
        return answer(
          [`${title}: the fields to edit.`],
          [{ kind: "object", object: withoutServerFields(object, false) }],
          {},
          hasAnnotations(object),
        );
      case "full":
        return answer(
          [`${title}: with status.`],
          [{ kind: "object", object: withoutServerFields(object, true) }],
          {},
          true,
        );
      case "relations":
        return await relations(title, ref, object, kit);
    }
  },
});

function part(title: string, object: JsonObject, path: string): Output {
  const values = valuesAt(object, parsePath(path, "path"));
  if (values.length === 0)
    throw new Faulted(
      fault("not_found", {
        kind: "field",
        name: path,
        near: keysNear(object, path),
        shows: "view full shows all of it",
      }),
    );
  return answer(
    [`${title} ${path}:`],
    [{ kind: "object", object: values.length === 1 ? (values[0] ?? null) : values }],
    {},
    true,
  );
}

/** The keys that stand where the path leads nowhere any more. */
function keysNear(object: JsonObject, path: string): readonly string[] {
  const steps = parsePath(path, "path");
  for (let count = steps.length - 1; count > 0; count--) {
    const [found] = valuesAt(object, steps.slice(0, count));
    if (found !== undefined) return isJsonObject(found) ? Object.keys(found) : [];
  }
  return Object.keys(object);
}

const hasAnnotations = (object: JsonObject): boolean => at(object, "metadata", "annotations") !== undefined;

/** The object as a person would write it: what the server alone fills in is left out. */
function withoutServerFields(object: JsonObject, status: boolean): JsonObject {
  const metadata = at(object, "metadata");
  const kept = isJsonObject(metadata) ? metadata : {};
  const dropped = ["managedFields", "uid", "resourceVersion", "generation", "creationTimestamp", "selfLink"];
  const own = Object.fromEntries(
    Object.entries(kept).filter(([key]) => !dropped.includes(key) || (status && key === "creationTimestamp")),
  );
  const entries = Object.entries(object).filter(([key]) => key !== "metadata" && (status || key !== "status"));
  const defaults = status ? null : defaultsOf(object);
  const clean = Object.fromEntries(entries.map(([key, value]) => [key, asWritten(value, defaults, key)]));
  const { apiVersion, kind, ...rest } = clean;
  return {
    ...(apiVersion === undefined ? {} : { apiVersion }),
    ...(kind === undefined ? {} : { kind }),
    metadata: status ? own : withoutRevision(own),
    ...rest,
  };
}

/** The controller counts its revisions there; sent back, the count would be refused. */
function withoutRevision(metadata: JsonObject): JsonObject {
  const { annotations, ...rest } = metadata;
  if (!isJsonObject(annotations)) return metadata;
  const kept = Object.entries(annotations).filter(([key]) => key !== "deployment.kubernetes.io/revision");
  return kept.length === 0 ? rest : { ...rest, annotations: Object.fromEntries(kept) };
}

async function summary(title: string, ref: ObjectRef, object: JsonObject, kit: Kit): Promise<Output> {
  const blocks: Block[] = [];
  const line = (label: string, text: string): void => {
    if (text !== "") blocks.push({ kind: "line", line: [`${label}: `, named(text)] });
  };
  line("created", textAt(object, "metadata", "creationTimestamp"));
  line("labels", pairs(at(object, "metadata", "labels")));
  const leaving = leavingSays(object);
  if (leaving !== null) blocks.push({ kind: "line", line: ["deleted: ", ...leaving] });
  line("phase", textAt(object, "status", "phase"));
  line("node", textAt(object, "spec", "nodeName"));
  const replicas = at(object, "spec", "replicas");
  if (typeof replicas === "number") {
    // A custom resource may count otherwise, or not at all: what it does not say is not zero.
    const counts = ["ready", "updated", "available"].flatMap((state) => {
      const count = at(object, "status", `${state}Replicas`) ?? (isCustom(ref.kind.group) ? undefined : 0);
      return count === undefined ? [] : [`${Number(count)} ${state}`];
    });
    blocks.push({ kind: "line", line: [`replicas: ${[`${replicas} wanted`, ...counts].join(", ")}`] });
  } else blocks.push(...statusLines(ref.kind, object));
  blocks.push(...containers(object), ...conditions(object));
  const data = at(object, "data");
  if (isJsonObject(data)) blocks.push({ kind: "object", object: { data } });
  else if (at(object, "spec", "template") === undefined && at(object, "spec", "containers") === undefined) {
    const spec = at(object, "spec");
    if (spec !== undefined)
      blocks.push({ kind: "object", object: { spec: asWritten(spec, defaultsOf(object), "spec") } });
  }
  blocks.push(...(await warnings(ref, kit)));
  return answer([`${title}.`], blocks, {}, true);
}

/** What the status of a kind without a count of replicas comes to, where its conditions do not tell it. */
function statusLines(kind: ResourceKind, object: JsonObject): Block[] {
  const count = (field: string): number => countAt(object, "status", field);
  const told = (text: string): Block[] => [{ kind: "line", line: [text] }];
  switch (fullKind(kind)) {
    case "DaemonSet":
      return told(
        `pods: ${count("desiredNumberScheduled")} wanted, ${count("numberReady")} ready, ${count("updatedNumberScheduled")} updated, ${count("numberAvailable")} available`,
      );
    case "Job":
      return told(`pods: ${jobCounts(object)}${at(object, "spec", "suspend") === true ? "; suspended" : ""}`);
    case "CronJob":
      return told(
        `jobs: ${listAt(object, "status", "active").length} active; last started: ${plainTime(at(object, "status", "lastScheduleTime"))}; last successful: ${plainTime(at(object, "status", "lastSuccessfulTime"))}`,
      );
    case "HorizontalPodAutoscaler":
      return told(`replicas: ${count("currentReplicas")} now, ${count("desiredReplicas")} desired`);
    case "PodDisruptionBudget":
      return told(
        `allows ${count("disruptionsAllowed")} disruptions: ${count("currentHealthy")} of ${count("expectedPods")} pods healthy, ${count("desiredHealthy")} needed`,
      );
  }
  return [];
}

const plainTime = (value: Json | undefined): string =>
  typeof value === "string" && /^[0-9TZ:.-]{10,32}$/.test(value) ? value : "never";

/** Those that run first stand first, by their own word: what they do holds the others up. */
function containers(object: JsonObject): Block[] {
  return [
    ...containersIn(object, "initContainers", "init container"),
    ...containersIn(object, "containers", "container"),
  ];
}

function containersIn(object: JsonObject, field: "initContainers" | "containers", word: string): Block[] {
  const list = at(object, "spec", "template", "spec", field) ?? at(object, "spec", field);
  const statuses = at(object, "status", field === "containers" ? "containerStatuses" : "initContainerStatuses");
  const defaults = defaultsOf(object);
  return (Array.isArray(list) ? list : []).flatMap((one: JsonObject): Block[] => {
    const name = textAt(one, "name");
    const status = (Array.isArray(statuses) ? statuses : []).find(
      (other: JsonObject) => textAt(other, "name") === name,
    ) as JsonObject | undefined;
    const shown: Record<string, Json> = { image: textAt(one, "image") };
    for (const key of ["restartPolicy", "command", "args", "env", "resources", "ports"]) {
      const value = one[key];
      if (value !== undefined && !(isJsonObject(value) && Object.keys(value).length === 0))
        shown[key] = asWritten(value, defaults, `${defaults?.podSpec ?? ""}.${field}[].${key}`);
    }
    if (status !== undefined) {
      shown["ready"] = at(status, "ready") === true;
      shown["restarts"] = Number(at(status, "restartCount") ?? 0);
      shown["state"] = at(status, "state") ?? {};
      const last = at(status, "lastState");
      if (isJsonObject(last) && Object.keys(last).length > 0) shown["lastState"] = last;
    }
    return [{ kind: "object", object: { [`${word} ${name}`]: shown } }];
  });
}

function conditions(object: JsonObject): Block[] {
  const list = at(object, "status", "conditions");
  return (Array.isArray(list) ? list : []).flatMap((one: JsonObject): Block[] => {
    const [type, status, message] = [textAt(one, "type"), textAt(one, "status"), textAt(one, "message")];
    if ((status === "True") !== /(Pressure|Failure|Failed|Degraded|Stalled|Unavailable)$/.test(type)) return [];
    return [
      {
        kind: "line",
        line: [
          "condition ",
          named(type),
          " is ",
          named(status),
          ": ",
          named(textAt(one, "reason") || "no reason"),
          " ",
          ...(message === "" ? [] : [quoted(message)]),
        ],
      },
    ];
  });
}

async function warnings(ref: ObjectRef, kit: Kit): Promise<Block[]> {
  if (ref.namespace === "") return [];
  const events: Need = {
    verb: "list",
    kind: await kit.findKind("events"),
    namespace: ref.namespace,
    name: "",
    optional: true,
  };
  if (!kit.cluster.may(events)) return [{ kind: "line", line: ["Not checked: events (not readable)"] }];
  const fieldSelector = `involvedObject.name=${ref.name},involvedObject.kind=${ref.kind.kind},type=Warning`;
  const { items } = await kit.cluster.list(events.kind, ref.namespace, { limit: 100, fieldSelector });
  const own = items.filter((event) => refersTo(at(event, "involvedObject"), ref.kind, ref.name));
  return own.slice(-5).map((event): Block => {
    const times = Number(at(event, "count") ?? 1);
    const line: Sentence = [
      `warning ${times}× `,
      named(textAt(event, "reason")),
      " ",
      quoted(textAt(event, "message")),
    ];
    return { kind: "line", line };
  });
}

/** `object`: null where it may not be read itself. */
async function relations(title: string, ref: ObjectRef, object: JsonObject | null, kit: Kit): Promise<Output> {
  const found: Related[] = [];
  const owners = at(object ?? {}, "metadata", "ownerReferences");
  for (const owner of (Array.isArray(owners) ? owners : []) as JsonObject[])
    found.push({ relation: "owner", kind: textAt(owner, "kind"), name: textAt(owner, "name"), owners: [] });
  const unread: string[] = object === null ? [`the ${ref.kind.kind} itself, and whether it exists`] : [];
  for (const kind of await Promise.all(related.map(kit.findKind))) {
    const need: Need = { verb: "list", kind, namespace: ref.namespace, name: "", optional: true };
    if (ref.namespace === "" || !kit.cluster.may(need)) {
      unread.push(kind.resource);
      continue;
    }
    const { items } = await kit.cluster.list(kind, ref.namespace, { limit: 500 });
    for (const item of items) {
      const relation = tie(ref, object ?? {}, item);
      if (relation !== "") found.push({ relation, kind: kind.kind, name: nameOf(item), owners: ownersOf(item) });
    }
  }
  // A workload's ReplicaSets and pods use what it uses: told as counts beside it, not one by one.
  const madeBy = (one: Related): boolean =>
    one.relation === "user" && found.some((other) => other.relation === "user" && one.owners.includes(keyOf(other)));
  const rows = found.filter((one) => !madeBy(one));
  const made = found.length - rows.length;
  const left = unread.length === 0 ? "" : ` Not checked: ${unread.join(", ")}.`;
  return answer(
    [`${title}: ${rows.length} relations${made > 0 ? `, and ${made} objects that these have made` : ""}.${left}`],
    rows.length === 0
      ? []
      : [
          {
            kind: "table",
            columns: ["RELATION", "KIND", "NAME"],
            rows: rows.map(({ relation, kind, name }) => [relation, kind, name]),
          },
        ],
    { counts: { relations: rows.length } },
  );
}

interface Related {
  readonly relation: string;
  readonly kind: string;
  readonly name: string;
  /** `Deployment/api` of each owner. */
  readonly owners: readonly string[];
}

const nameOf = (object: JsonObject): string => textAt(object, "metadata", "name");
const keyOf = ({ kind, name }: Related): string => `${kind}/${name}`;

function ownersOf(object: JsonObject): string[] {
  const owners = at(object, "metadata", "ownerReferences");
  return (Array.isArray(owners) ? (owners as JsonObject[]) : []).map(
    (owner) => `${textAt(owner, "kind")}/${textAt(owner, "name")}`,
  );
}

/** What another object is to this one: child, user of its values, scaler, or the Service before it; "" when nothing. */
function tie(ref: ObjectRef, object: JsonObject, other: JsonObject): string {
  const uid = textAt(object, "metadata", "uid");
  const owners = at(other, "metadata", "ownerReferences");
  if (uid !== "" && Array.isArray(owners) && owners.some((owner: JsonObject) => textAt(owner, "uid") === uid))
    return "child";
  const reference = {
    Secret: ["secretName", "secretRef", "secretKeyRef", "secret", "imagePullSecrets"],
    ConfigMap: ["configMapRef", "configMapKeyRef", "configMap"],
    PersistentVolumeClaim: ["claimName"],
    ServiceAccount: ["serviceAccountName"],
    Service: ["service"],
  }[fullKind(ref.kind)];
  if (reference !== undefined && mentions(at(other, "spec"), reference, ref.name)) return "user";
  const target = at(other, "spec", "scaleTargetRef");
  if (refersTo(target, ref.kind, ref.name)) return "scaler";
  const selector = at(other, "spec", "selector");
  const labels = at(object, "spec", "template", "metadata", "labels") ?? at(object, "metadata", "labels");
  const selects =
    textAt(other, "spec", "clusterIP") !== "" &&
    isJsonObject(selector) &&
    isJsonObject(labels) &&
    Object.keys(selector).length > 0 &&
    Object.entries(selector).every(([key, value]) => labels[key] === value);
  return selects ? "service" : "";
}

/** Does a field of one of these names, at any depth, name this object? */
function mentions(value: Json | undefined, fields: readonly string[], name: string): boolean {
  if (Array.isArray(value)) return value.some((item) => mentions(item, fields, name));
  if (!isJsonObject(value)) return false;
  return Object.entries(value).some(
    ([key, inner]) => (fields.includes(key) && names(inner, name)) || mentions(inner, fields, name),
  );
}

/** `name`, `{name: name}`, or a list of these (imagePullSecrets). */
function names(value: Json, name: string): boolean {
  if (Array.isArray(value)) return value.some((one: Json) => names(one, name));
  return value === name || textAt(value, "name") === name;
}

function pairs(value: Json | undefined): string {
  return isJsonObject(value)
    ? Object.entries(value)
        .map(([key, inner]) => `${key}=${cellOf([inner])}`)
        .join(",")
    : "";
}
