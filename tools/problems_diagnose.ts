// Finds why something does not work and ranks causes with evidence and next step; long, since it says for each kind what is read beside it.

import * as z from "zod";
import {
  answer,
  at,
  backendsOf,
  claimFindings,
  countAt,
  defineTool,
  errorLines,
  eventRow,
  fault,
  Faulted,
  findingLines,
  fullKind,
  ingressFindings,
  inputs,
  isAbout,
  isHealthy,
  listAt,
  mergeFindings,
  objectFindings,
  openLooks,
  optionalLists,
  ownedBy,
  ownerOf,
  placeOf,
  podFindings,
  podRow,
  quotaFindings,
  selectorText,
  selects,
  serviceFindings,
  since,
  startOf,
  textAt,
  windowText,
  type Block,
  type EventRow,
  type Finding,
  type FindKind,
  type Json,
  type JsonObject,
  type Kit,
  type Looks,
  type Merged,
  type Need,
  type Output,
  type PodRow,
  type ResourceKind,
} from "../src/tool.ts";

const input = z.strictObject({
  namespace: inputs.namespace().optional(),
  kind: inputs.kind().optional(),
  name: inputs.name().optional(),
  since: since().default("1h").describe("15m, 2h or RFC 3339"),
  logs: z.boolean().default(true).describe("Add error lines"),
});
type Input = z.output<typeof input>;

/** Pods and events that are scanned at most (tools.md, "Token economy"), and findings that are shown. */
const scan = 5000;
const shownFindings = { one: 8, scan: 15 };
/** Logs that are looked into, and what is read and shown of each. */
const log = { reads: 2, lines: 200, bytes: 128 * 1024, shown: 8 };

const nodes = "nodes";
const slices = "endpointslices.discovery.k8s.io";
const scalers = "horizontalpodautoscalers.autoscaling";
const claims = "persistentvolumeclaims";
const classes = "storageclasses.storage.k8s.io";
const ingresses = "ingresses.networking.k8s.io";

/** What everyone calls them. */
const short: { readonly [text: string]: string } = {
  [slices]: "endpoints",
  [scalers]: "HPAs",
  [claims]: "PVCs",
  resourcequotas: "quotas",
};

/** What is looked at beside an object of a kind, where it may be read. */
const besideWorkload = ["replicasets", "services", slices, scalers, "resourcequotas", claims, nodes];
const beside: { readonly [kind: string]: readonly string[] } = {
  Pod: ["replicasets", claims, nodes],
  Deployment: besideWorkload,
  ReplicaSet: besideWorkload,
  StatefulSet: besideWorkload.slice(1),
  DaemonSet: besideWorkload.slice(1),
  Job: ["resourcequotas", claims, nodes],
  CronJob: ["jobs", "resourcequotas", claims, nodes],
  Service: [slices, nodes],
  Ingress: ["services", slices, nodes],
  PersistentVolumeClaim: [classes],
  HorizontalPodAutoscaler: [],
  Node: [],
};
const besideScan = [
  "deployments.apps",
  "statefulsets.apps",
  "daemonsets.apps",
  "replicasets",
  "jobs",
  "services",
  slices,
  ingresses,
  scalers,
  claims,
  classes,
  "resourcequotas",
  nodes,
];
const ofPods = ["Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "CronJob", "Service", "Ingress"];

export default defineTool<Input>({
  name: "problems_diagnose",
  title: "Diagnose problems",
  description:
    "Start here when something is wrong. Finds the root cause for a workload, pod, Service, Ingress, PVC, HPA, Job or Node: checks containers, events, scheduling, quota, probes, endpoints, volumes, rollout and error logs; returns ranked findings with evidence and next step. With only a namespace, scans it.",
  annotations: { readOnlyHint: true, openWorldHint: false },
  effects: ["read"],
  input,
  effect: () => "read",
  reason: () => null,
  previewOnly: () => false,
  async needs(asked, { findKind }) {
    const pods = await findKind("pods");
    const events = await findKind("events");
    const target = await targetOf(asked, findKind);
    const namespace = target === null ? (asked.namespace ?? "") : target.namespace;
    const get: Need[] = target === null ? [] : [{ verb: "get", ...target }];
    if (namespace === "") return get;
    const listed = target === null || ofPods.includes(fullKind(target.kind));
    const required: Need[] = [events, ...(listed ? [pods] : [])].map((kind) => ({
      verb: "list",
      kind,
      namespace,
      name: "",
    }));
    const logged = asked.logs && (listed || fullKind(target.kind) === "Pod");
    const one = target !== null && kindOf(target) === "Pod" ? target.name : "";
    const logs: Need[] = logged
      ? [{ verb: "get", kind: pods, namespace, name: one, subresource: "log", optional: true }]
      : [];
    const others = target === null ? besideScan : (beside[fullKind(target.kind)] ?? []);
    return [...get, ...required, ...logs, ...(await optionalLists(findKind, namespace, others))];
  },
  async run(asked, kit) {
    const target = await targetOf(asked, kit.findKind);
    const looks = openLooks(kit);
    const scene = await read(asked, target, looks, kit);
    const findings = withoutEchoes(mergeFindings(findingsOf(scene, target, kit.now())));
    const shown = findings.slice(0, target === null ? shownFindings.scan : shownFindings.one);
    const logs = asked.logs ? await logsOf(findings, scene.namespace, looks, kit) : { blocks: [], read: [] };
    const blocks = shown.flatMap((finding, index) => {
      // What would be read next stands below already.
      const next = logs.read.includes(finding.name) ? finding.next.replace(/^read logs_read .*$/, "") : finding.next;
      return findingLines({ ...finding, next }, index + 1);
    });
    return told(asked, scene, target, findings, [...blocks, ...logs.blocks], shown.length, looks, kit.now());
  },
});

interface Target {
  readonly kind: ResourceKind;
  readonly namespace: string;
  readonly name: string;
}

/** The object that is asked about; null for a whole namespace. Faults: invalid_input where half of it is missing. */
async function targetOf(asked: Input, findKind: FindKind): Promise<Target | null> {
  if (asked.kind !== undefined && asked.name !== undefined) {
    const kind = await findKind(asked.kind);
    return { kind, namespace: placeOf(kind, asked.namespace), name: asked.name };
  }
  const [path, rule] =
    asked.kind !== undefined
      ? ["name", "goes with kind: name the object, or leave both out to scan the namespace"]
      : asked.name !== undefined
        ? ["kind", "goes with name: say which kind it is"]
        : ["namespace", "name a namespace to scan, or a kind and a name"];
  if (path === "namespace" && asked.namespace !== undefined) return null;
  throw new Faulted(fault("invalid_input", { problems: [{ path, rule }] }));
}

/** Pods that are kept whole: those that are not well, and those that have been restarted and are well now. Together less than a page. */
const mostWhole = { ill: 300, restarted: 100 };

/** What was read. Of pods only the troubled ones are kept whole. */
interface Scene {
  readonly namespace: string;
  readonly object: JsonObject | null;
  readonly pods: readonly PodRow[];
  readonly troubled: readonly JsonObject[];
  /** Troubled pods beyond these. */
  readonly left: number;
  readonly warnings: readonly EventRow[];
  readonly objects: { readonly [text: string]: readonly JsonObject[] | null };
}

async function read(asked: Input, target: Target | null, looks: Looks, kit: Kit): Promise<Scene> {
  const namespace = target === null ? (asked.namespace ?? "") : target.namespace;
  const object = target === null ? null : await kit.cluster.get(target);
  if (namespace === "") return { namespace, object, pods: [], troubled: [], left: 0, warnings: [], objects: {} };
  const others = target === null ? besideScan : (beside[fullKind(target.kind)] ?? []);
  const [lists, warnings] = await Promise.all([
    Promise.all(
      others.map(
        async (text) =>
          [text, await looks.list(text, [nodes, classes].includes(text) ? "" : namespace, {}, scan)] as const,
      ),
    ),
    warningsOf(asked, namespace, looks, kit),
  ]);
  const objects = Object.fromEntries(lists);
  const pods: PodRow[] = [];
  const [ill, restarted]: [JsonObject[], JsonObject[]] = [[], []];
  let left = 0;
  const see = (items: readonly JsonObject[]): void => {
    for (const pod of items) {
      pods.push(podRow(pod));
      const well = isHealthy(pod);
      if (well && listAt(pod, "status", "containerStatuses").every((one) => countAt(one, "restartCount") === 0))
        continue;
      const [kept, most] = well ? [restarted, mostWhole.restarted] : [ill, mostWhole.ill];
      if (kept.length < most) kept.push(pod);
      else left += 1;
    }
  };
  if (kindOf(target) === "Pod" && object !== null) see([object]);
  else if (target === null || ofPods.includes(fullKind(target.kind))) {
    const selector = target === null || object === null ? null : podSelector(target, object, objects["jobs"] ?? []);
    if (selector !== "none") await looks.required("pods", namespace, selector === null ? {} : { selector }, scan, see);
  }
  return { namespace, object, pods, troubled: [...ill, ...restarted], left, warnings, objects };
}

/** Is this pod the target's business? Behind a Service or an Ingress only the pods that it selects are. */
function concerns(
  target: Target | null,
  { object, objects }: Pick<Scene, "object" | "objects">,
  labels: Json,
): boolean {
  if (target === null || object === null) return true;
  const kind = fullKind(target.kind);
  if (kind !== "Service" && kind !== "Ingress") return true;
  const backends = backendsOf(object);
  const behind = (objects["services"] ?? []).filter((one) => backends.has(textAt(one, "metadata", "name")));
  return (kind === "Service" ? [object] : behind).some((one) => selects(at(one, "spec", "selector"), labels));
}

/** The selector of the pods to read: null for all (a Service's near misses are among them), `none` where there can be none. */
function podSelector(target: Target, object: JsonObject, jobs: readonly JsonObject[]): string | null {
  if (fullKind(target.kind) === "Service" || fullKind(target.kind) === "Ingress") return null;
  if (fullKind(target.kind) !== "CronJob") return selectorText(at(object, "spec", "selector")) ?? "none";
  const names = jobs
    .filter((job) => ownedBy(job, "CronJob", target.name))
    .map((job) => textAt(job, "metadata", "name"));
  return names.length === 0 ? "none" : `batch.kubernetes.io/job-name in (${names.slice(-5).join(",")})`;
}

async function warningsOf(asked: Input, namespace: string, looks: Looks, kit: Kit): Promise<readonly EventRow[]> {
  const from = startOf(asked.since, kit.now());
  const rows: EventRow[] = [];
  await looks.required("events", namespace, { fieldSelector: "type=Warning" }, scan, (items) => {
    rows.push(...items.map(eventRow).filter((row) => row.last >= from));
  });
  return rows.sort((a, b) => b.last - a.last);
}

function findingsOf(scene: Scene, target: Target | null, now: number): Finding[] {
  const { objects, warnings } = scene;
  const about = (kind: string, name: string): readonly EventRow[] =>
    warnings.filter((row) => isAbout(row, kind) && row.name === name);
  const inPods = scene.troubled
    .filter((pod) => concerns(target, scene, at(pod, "metadata", "labels") ?? {}))
    .flatMap((pod) =>
      podFindings(pod, { warnings: about("Pod", textAt(pod, "metadata", "name")), nodes: objects[nodes] ?? null, now }),
    );
  const found = inPods.map((one) => ({ ...one, owner: rootOf(one.owner, objects["replicasets"] ?? []) }));
  if (target !== null && scene.object !== null) {
    const kind = fullKind(target.kind);
    return [...found, ...ofObject(scene, kind, scene.object, now), ...besideObject(scene, kind, scene.object, now)];
  }
  const kinds = {
    "deployments.apps": "Deployment",
    "statefulsets.apps": "StatefulSet",
    "daemonsets.apps": "DaemonSet",
    jobs: "Job",
    [scalers]: "HorizontalPodAutoscaler",
    [claims]: "PersistentVolumeClaim",
    services: "Service",
    [ingresses]: "Ingress",
  };
  const others = Object.entries(kinds).flatMap(([text, kind]) =>
    (objects[text] ?? []).flatMap((object) => ofObject(scene, kind, object, now)),
  );
  return [...found, ...others, ...quotaFindings(objects["resourcequotas"] ?? [], now)];
}

/** A quota that stops a workload is told there, with its numbers; that it is used up follows from that. */
function withoutEchoes(findings: readonly Merged[]): Merged[] {
  const texts = (one: Finding): string =>
    one.problem.map((part) => (typeof part === "string" ? part : part.quoted)).join("");
  const told = findings.filter((one) => one.kind !== "ResourceQuota").map(texts);
  return findings.filter(
    (one) => one.kind !== "ResourceQuota" || !told.some((text) => text.startsWith(`quota ${one.name} `)),
  );
}

/** `Deployment/api` for a pod's owner `ReplicaSet/api-7d5b8`. */
function rootOf(owner: string, sets: readonly JsonObject[]): string {
  const set = sets.find((one) => `ReplicaSet/${textAt(one, "metadata", "name")}` === owner);
  return (set === undefined ? "" : ownerOf(set)) || owner;
}

const kindOf = (target: Target | null): string => (target === null ? "" : fullKind(target.kind));

/** What is wrong with one object itself. */
function ofObject(scene: Scene, kind: string, object: JsonObject, now: number): Finding[] {
  const name = textAt(object, "metadata", "name");
  const { objects, pods } = scene;
  const sets = (objects["replicasets"] ?? [])
    .filter((one) => ownedBy(one, kind, name))
    .map((one) => textAt(one, "metadata", "name"));
  const warnings = scene.warnings.filter(
    (row) => (isAbout(row, kind) && row.name === name) || (row.kind === "ReplicaSet" && sets.includes(row.name)),
  );
  switch (kind) {
    case "Service":
      return serviceFindings(object, pods, objects[slices] ?? null);
    case "Ingress":
      return ingressFindings(object, objects["services"] ?? []);
    case "PersistentVolumeClaim":
      return claimFindings({ kind, object, warnings, now }, objects[classes] ?? null);
    case "Pod":
      return [];
    default:
      return objectFindings({ kind, object, warnings, now });
  }
}

/** What stands beside one object and can be its cause. */
function besideObject(scene: Scene, kind: string, object: JsonObject, now: number): Finding[] {
  const { objects } = scene;
  const name = textAt(object, "metadata", "name");
  const of = (text: string, which: (one: JsonObject) => boolean, as: string): Finding[] =>
    (objects[text] ?? []).filter(which).flatMap((one) => ofObject(scene, as, one, now));
  const labels = at(object, "spec", "template", "metadata", "labels");
  const used = claimsOf(kind === "Pod" ? object : (scene.troubled[0] ?? object));
  return [
    ...(kind === "Ingress"
      ? of("services", (one) => backendsOf(object).has(textAt(one, "metadata", "name")), "Service")
      : []),
    ...(labels === undefined ? [] : of("services", (one) => selects(at(one, "spec", "selector"), labels), "Service")),
    ...of(
      scalers,
      (one) =>
        textAt(one, "spec", "scaleTargetRef", "kind") === kind &&
        textAt(one, "spec", "scaleTargetRef", "name") === name,
      "HorizontalPodAutoscaler",
    ),
    ...of(claims, (one) => used.includes(textAt(one, "metadata", "name")), "PersistentVolumeClaim"),
    ...used.flatMap((claim) => missingClaim(claim, objects[claims] ?? null, kind, name)),
    ...quotaFindings(objects["resourcequotas"] ?? [], now),
  ];
}

function claimsOf(pod: JsonObject): string[] {
  return listAt(pod, "spec", "volumes")
    .map((one) => textAt(one, "persistentVolumeClaim", "claimName"))
    .filter((name) => name !== "");
}

function missingClaim(claim: string, known: readonly JsonObject[] | null, kind: string, name: string): Finding[] {
  if (known === null || known.some((one) => textAt(one, "metadata", "name") === claim)) return [];
  const problem = ["its volume claim ", claim, " does not exist"];
  return [
    { weight: 88, problem, evidence: [], next: "create the claim, or correct its name.", kind, name, owner: name },
  ];
}

/** The error lines of the heaviest findings that a log can explain. */
async function logsOf(
  findings: readonly Finding[],
  namespace: string,
  looks: Looks,
  kit: Kit,
): Promise<{ readonly blocks: readonly Block[]; readonly read: readonly string[] }> {
  const pods = await kit.findKind("pods");
  const wanted = findings.filter((one) => one.log !== undefined && one.weight >= 55).slice(0, log.reads);
  const blocks: Block[] = [];
  const read: string[] = [];
  for (const { name, log: of } of wanted) {
    if (of === undefined) continue;
    const ref = { kind: pods, namespace, name };
    const what = `logs of ${name}/${of.container}${of.previous ? ", the run before" : ""}`;
    if (!kit.cluster.may({ verb: "get", ...ref, subresource: "log", optional: true })) {
      await looks.attempt("logs", () => Promise.reject(new Faulted(fault("cluster_denied"))));
      break;
    }
    const newest = { ...of, tailLines: log.lines, limitBytes: log.bytes, timestamps: false };
    const text = await looks.attempt(what, async () => (await kit.cluster.logs(ref, newest)).text);
    const lines = (text ?? "").split("\n").filter((line) => line !== "");
    if (text === "") blocks.push({ kind: "line", line: [`${what}: no lines.`] });
    else if (lines.length > 0) {
      blocks.push({
        kind: "data",
        source: `${what}: of its last ${lines.length} lines`,
        text: errorLines(lines, log.shown),
      });
      read.push(name);
    }
  }
  return { blocks, read };
}

function told(
  asked: Input,
  scene: Scene,
  target: Target | null,
  findings: readonly Finding[],
  blocks: readonly Block[],
  shown: number,
  looks: Looks,
  now: number,
): Output {
  const place = scene.namespace === "" ? "" : `${scene.namespace}/`;
  const title = target === null ? `namespace ${scene.namespace}` : `${fullKind(target.kind)} ${place}${target.name}`;
  const concerned = scene.pods.filter((pod) => concerns(target, scene, pod.labels));
  const ready = concerned.filter((pod) => pod.ready).length;
  const wanted = scene.object === null ? undefined : at(scene.object, "spec", "replicas");
  const more = typeof wanted === "number" && wanted > concerned.length ? `, ${wanted} wanted` : "";
  const pods = scene.pods.length === 0 ? "" : `; ${ready} of ${concerned.length} pods ready or done${more}`;
  const left = findings.length - shown;
  const unread = [
    // The looks end in whatever order the cluster answers.
    ...looks.unread.toSorted(),
    ...(kindOf(target) === "Node" ? ["events of the node (they stand in namespace default)"] : []),
  ];
  const lists = Object.entries(scene.objects).flatMap(([text, list]) =>
    list === null ? [] : [{ name: short[text] ?? text.split(".")[0] ?? text, count: list.length }],
  );
  const none = lists.filter((one) => one.count === 0).map((one) => one.name);
  const checked = [
    `checked ${scene.namespace === "" ? "its status" : `warnings ${windowText(asked.since, now)}: ${scene.warnings.length}`}`,
    ...lists.filter((one) => one.count > 0).map((one) => `${one.name}: ${one.count}`),
    ...(none.length === 0 ? [] : [`no ${none.join(", ")}`]),
    ...looks.more,
    ...(scene.left > 0 ? [`${scene.left} more troubled pods not looked into`] : []),
  ];
  return answer(
    [
      `${title}: ${findings.length === 0 ? "no problem found" : `${findings.length} finding${findings.length === 1 ? "" : "s"}, causes first`}${pods}.`,
    ],
    [
      ...blocks,
      ...(left > 0
        ? [{ kind: "line" as const, line: [`${left} more findings: diagnose one object for its own.`] }]
        : []),
      { kind: "line", line: [`${checked.join("; ")}.`] },
      ...(unread.length === 0 ? [] : [{ kind: "line" as const, line: [`Not checked: ${unread.join(", ")}.`] }]),
    ],
    {
      counts: { findings: findings.length, shown, pods: concerned.length, ready, warnings: scene.warnings.length },
      ...(left > 0 ? { cut: `${left} findings` } : {}),
    },
    true,
  );
}
