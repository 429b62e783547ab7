// One namespace of a real control plane with something of everything in it, a wire that can break before it, and a Sallyport whose policy allows all that is not forbidden.

import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { madeAt, type CallId } from "../../src/domain/ids.ts";
import { at, textAt, type Json, type JsonObject } from "../../src/domain/json.ts";
import { openClient } from "../../src/kubernetes/client.ts";
import type { Connection } from "../../src/kubernetes/contract.ts";
import { openDiscovery } from "../../src/kubernetes/discovery.ts";
import type { Need } from "../../src/tool.ts";
import { tools } from "../../tools/index.ts";
import { adminOf, deployment, namespace, type Admin } from "../cluster/admin.ts";
import type { ControlPlane } from "../cluster/control-plane.ts";
import { containerStatus, definition, podStatus } from "../cluster/read-scenes.ts";
import { openWire, type Passing, type Wire } from "./proxy.ts";
import { openWorld, type World } from "./world.ts";

export interface Arena {
  readonly world: World;
  readonly wire: Wire;
  readonly admin: Admin;
  readonly place: string;
  /** A pod that stays as it is. */
  readonly pod: string;
  /** What stands in the env of its workloads and may not come out. */
  readonly password: string;
  /** One valid call of this tool. Throws for a tool that has none: a new tool needs a line below. */
  inputFor(tool: string): JsonObject;
  /** What this call declares, as its tool plans it: `patch apps/deployments shop/api`, `?` behind what is optional. */
  declaredBy(tool: string, arguments_: JsonObject, call: string): Promise<readonly string[]>;
  /** What a call sent through the wire on its own behalf: neither facts nor what concerns its credential. */
  sentBy(call: string): Passing[];
  stop(): Promise<void>;
}

const group = (name: string, kinds: readonly string[]): string[] => kinds.map((kind) => `${name}${kind}`);
/** Every kind that a tool may meet; a policy knows no wildcard. */
const kinds = [
  ...group("", ["configmaps", "endpoints", "events", "limitranges", "namespaces", "nodes", "persistentvolumeclaims"]),
  ...group("", ["persistentvolumes", "pods", "pods/log", "pods/resize", "pods/exec", "pods/eviction"]),
  ...group("", ["replicationcontrollers", "resourcequotas", "serviceaccounts", "services"]),
  ...group("apps/", ["controllerrevisions", "daemonsets", "deployments", "deployments/scale", "replicasets"]),
  ...group("apps/", ["replicasets/scale", "statefulsets", "statefulsets/scale"]),
  ...group("", ["autoscaling/horizontalpodautoscalers", "batch/cronjobs", "batch/jobs", "events.k8s.io/events"]),
  ...group("", ["discovery.k8s.io/endpointslices", "networking.k8s.io/ingresses", "networking.k8s.io/networkpolicies"]),
  ...group("", ["policy/poddisruptionbudgets", "storage.k8s.io/storageclasses", "metrics.k8s.io/pods"]),
  ...group("", [
    "metrics.k8s.io/nodes",
    "arena.example.com/fleets",
    "arena.example.com/fleets/scale",
    "arena.example.com/pods",
  ]),
];

/** Whatever is not forbidden is allowed at once: here the guard and the cluster are tried, not the policy. */
export const openPolicy = `version: 1
rules:
  - id: ask
    effect: allow
    match: { effects: [read], tools: [access_review, approval_wait, kinds_explain] }
    reason: Asking is free.
  - id: look
    effect: allow
    match: { effects: [read, change, destroy, execute], verbs: [get, list, watch], kinds: [${kinds.join(", ")}] }
    reason: Looking is free here.
  - id: write
    effect: allow
    match: { effects: [change, destroy, execute], verbs: [create, update, patch, delete], kinds: [${kinds.join(", ")}] }
    reason: So is writing.
`;

const merge = { contentType: "application/merge-patch+json" };

/** Opens it on a control plane of the test run; `place` is a namespace of the test file's own. */
export async function openArena(
  cluster: Omit<ControlPlane, "stop">,
  place: string,
  options: {
    readonly config?: string;
    readonly policy?: string;
    readonly flags?: readonly string[];
    readonly customKinds?: boolean;
  } = {},
): Promise<Arena> {
  const folder = await mkdtemp(join(tmpdir(), "sallyport-arena-"));
  const admin = adminOf(cluster);
  const password = `pw-${randomBytes(12).toString("hex")}`;
  await furnish(admin, place, password);
  if (options.customKinds === true) await defineKinds(admin, place);
  const wire = await openWire({ target: cluster, adminToken: cluster.adminToken, folder });
  const world = await patiently(() =>
    openWorld({
      kubeconfigPath: wire.kubeconfigPath,
      enroll: [place],
      policy: options.policy ?? openPolicy,
      config: options.config ?? "hold: 0",
    }),
  );
  await patiently(async () => {
    const flags = ["--namespace", place, "--cluster-read", ...(options.flags ?? [])];
    const { code, out, err } = await world.sallyport(["enroll", ...flags, "--yes"]);
    if (code !== 0) throw new Error(`enroll failed: ${out}${err}`);
  });
  const pod = "lone";
  const discovery = openDiscovery(
    openClient(connectionTo(wire.server, cluster.adminToken), { version: "0" }),
    async () => `Bearer ${cluster.adminToken}`,
    Date.now,
  );
  return {
    world,
    wire,
    admin,
    place,
    pod,
    password,
    inputFor: (tool) => validInput(tool, place, pod),
    async declaredBy(name, arguments_, call) {
      const opened = tools.find((tool) => tool.name === name)?.open(arguments_);
      if (opened?.kind !== "opened") return [];
      const calledAt = madeAt(call as CallId);
      const needs = await opened.needs({ findKind: discovery.find, calledAt, lookUp: async () => [] }).catch(() => []);
      const record = await admin.send("GET", "/api/v1/namespaces/sallyport-system/configmaps/enrolment");
      // Every test file of the run enrolls on the same control plane: `*` stands for all of theirs.
      const enrolled = textAt(record.body, "data", "namespaces").split(",");
      return needs.flatMap((need) => needLines(need, need.namespace === "*" ? enrolled : [need.namespace]));
    },
    sentBy: (call) => wire.passed.filter((one) => isOf(one, call)),
    async stop() {
      wire.rule = () => ({ kind: "pass" });
      await world.stop();
      await wire.stop();
      if (options.customKinds === true) await undefineKinds(admin);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function connectionTo(server: string, token: string): Connection {
  return {
    cluster: "wire",
    server,
    tls: { insecure: false },
    proxy: null,
    authorization: async () => `Bearer ${token}`,
    namespace: "",
  };
}

/** `list pods shop/*?`: what a need declares in these namespaces, as entries write an access. */
export function needLines(need: Need, namespaces: readonly string[]): string[] {
  const { group, resource } = need.kind;
  const kind = [group, resource, need.subresource ?? ""].filter((part) => part !== "").join("/");
  const optional = need.optional === true || need.namespace === "*" ? "?" : "";
  return namespaces.map((namespace) => {
    const where = [namespace, need.name || "*"].filter((part) => part !== "").join("/");
    return `${need.verb} ${kind} ${where}${optional}`;
  });
}

/** Was it sent by this call's tool, rehearsed or real? Facts ask for metadata alone; what makes and removes a credential stands in Sallyport's own namespaces or among the roles. */
function isOf(one: Passing, call: string): boolean {
  const ours = /\/sallyport-(system|sessions)\/|rbac\.authorization\.k8s\.io|selfsubject/.test(one.url);
  const facts = String(one.headers["accept"]).includes("PartialObjectMetadata");
  return String(one.headers["audit-id"]).startsWith(`${call}.`) && !ours && !facts;
}

async function furnish(admin: Admin, place: string, password: string): Promise<void> {
  const [core, apps, batch] = ["/api/v1", "/apis/apps/v1", "/apis/batch/v1"].map(
    (root) => `${root}/namespaces/${place}`,
  );
  await admin.create("/api/v1/namespaces", namespace(place, "dev"));
  for (const name of ["api", "worker"]) await admin.create(`${apps}/deployments`, deployment(name, 1, password));
  const set = deployment("db", 1, password);
  await admin.create(`${apps}/statefulsets`, {
    ...set,
    kind: "StatefulSet",
    spec: { ...(set["spec"] as JsonObject), serviceName: "db" },
  });
  const { replicas: _replicas, ...agent } = deployment("agent", 1, password)["spec"] as JsonObject;
  await admin.create(`${apps}/daemonsets`, {
    apiVersion: "apps/v1",
    kind: "DaemonSet",
    metadata: { name: "agent" },
    spec: agent,
  });
  // A pod of one's own is admitted only once its controller has made the namespace's account.
  await until(async () => (await admin.send("GET", `${core}/serviceaccounts/default`)).status === 200);
  const limits = { cpu: "100m", memory: "64Mi" };
  const container = { name: "main", image: "registry.example.com/pause:1", resources: { limits, requests: limits } };
  await admin.create(`${core}/pods`, {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "lone", labels: { app: "lone" } },
    spec: { containers: [container] },
  });
  // There is no kubelet: what it would report of a pod that runs is written in its place.
  const status = containerStatus({ running: { startedAt: new Date().toISOString() } }, { ready: true });
  await admin.send("PATCH", `${core}/pods/lone/status`, { status: podStatus("Running", status, true) }, merge);
  await admin.create(`${batch}/cronjobs`, {
    apiVersion: "batch/v1",
    kind: "CronJob",
    metadata: { name: "report" },
    spec: {
      schedule: "0 3 1 1 *",
      suspend: true,
      jobTemplate: { spec: { template: { spec: { restartPolicy: "Never", containers: [container] } } } },
    },
  });
  await admin.create(`${core}/configmaps`, {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "settings" },
    data: { LOG_LEVEL: "info" },
  });
  await admin.create(`${core}/services`, {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "api" },
    spec: { selector: { app: "api" }, ports: [{ port: 80, targetPort: 8080 }] },
  });
  await secondRevision(admin, `${apps}/deployments/worker`);
}

/** Kinds that are easily taken for others: one named like a core kind, two of one name, a cluster-scoped one with a count. */
async function defineKinds(admin: Admin, place: string): Promise<void> {
  const anything = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
  const kinds = [
    ["arena.example.com", { plural: "pods", singular: "pod", kind: "Pod" }, "Namespaced"],
    ["one.arena.example.com", { plural: "widgets", singular: "widget", kind: "Widget" }, "Namespaced"],
    ["two.arena.example.com", { plural: "widgets", singular: "widget", kind: "Widget" }, "Namespaced"],
    ["arena.example.com", { plural: "fleets", singular: "fleet", kind: "Fleet" }, "Cluster"],
  ] as const;
  for (const [of, names, scope] of kinds) {
    const made = definition(of, "v1", names, scope, anything) as { spec: { versions: JsonObject[] } } & JsonObject;
    const [version] = made.spec.versions;
    if (version !== undefined && scope === "Cluster")
      Object.assign(version, {
        subresources: { scale: { specReplicasPath: ".spec.replicas", statusReplicasPath: ".status.replicas" } },
      });
    await admin.create("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", made);
  }
  const custom = `/apis/arena.example.com/v1/namespaces/${place}/pods`;
  const impostor = { apiVersion: "arena.example.com/v1", kind: "Pod", metadata: { name: "impostor" }, spec: {} };
  await until(async () => (await admin.send("POST", custom, impostor)).status === 201);
  const fleet = { apiVersion: "arena.example.com/v1", kind: "Fleet", metadata: { name: "one" }, spec: { replicas: 1 } };
  await until(async () => (await admin.send("POST", "/apis/arena.example.com/v1/fleets", fleet)).status === 201);
}

/** Removes the custom kinds again: other test files meet them in discovery. */
async function undefineKinds(admin: Admin): Promise<void> {
  for (const name of ["pods.arena", "fleets.arena", "widgets.one.arena", "widgets.two.arena"])
    await admin.send("DELETE", `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${name}.example.com`);
}

/** Another test file may be enrolling on the same control plane at this moment. */
async function patiently<Value>(run: () => Promise<Value>): Promise<Value> {
  for (let tries = 1; ; tries++)
    try {
      return await run();
    } catch (thrown) {
      if (tries === 60) throw thrown;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
}

/** Changes the template, so that there is a revision to go back to, and waits until the controllers have seen it. */
async function secondRevision(admin: Admin, path: string): Promise<void> {
  await until(async () => revisionOf(await admin.send("GET", path)) === "1");
  const annotations = { changed: "yes" };
  await admin.send("PATCH", path, { spec: { template: { metadata: { annotations } } } }, merge);
  await until(async () => {
    const answer = await admin.send("GET", path);
    const seen = at(answer.body, "status", "observedGeneration") === at(answer.body, "metadata", "generation");
    return seen && revisionOf(answer) === "2";
  });
}

const revisionOf = ({ body }: { readonly body: JsonObject }): string =>
  textAt(body, "metadata", "annotations", "deployment.kubernetes.io/revision");

export async function until(look: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 60_000; Date.now() < end;) {
    if (await look()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("what the test waits for did not come");
}

/** One call of each tool that its policy allows and that its cluster can answer. */
function validInput(tool: string, place: string, pod: string): JsonObject {
  const reason = "a test of every tool";
  const change = { namespace: place, reason };
  const manifest = `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {EXTRA: "yes"}\n`;
  const inputs: { readonly [tool: string]: JsonObject } = {
    access_review: {},
    approval_wait: { id: "apr_01900000-0000-7000-8000-000000000000", wait_seconds: 0 },
    conditions_wait: { kind: "ConfigMap", name: "settings", namespace: place, wait_seconds: 1 },
    events_list: { namespace: place },
    jobs_run: { ...change, name: "report" },
    kinds_explain: { kind: "Deployment" },
    logs_read: { namespace: place, name: pod },
    manifests_apply: { ...change, manifest },
    metrics_top: { namespace: place },
    nodes_cordon: { name: "no-such-node", reason },
    nodes_drain: { name: "no-such-node", reason },
    objects_delete: { ...change, kind: "ConfigMap", names: ["settings"] },
    objects_get: { kind: "Deployment", name: "api", namespace: place },
    objects_list: { kind: "pods", namespace: place },
    objects_patch: { ...change, kind: "ConfigMap", name: "settings", patch: { data: { EXTRA: "1" } } },
    pods_exec: { ...change, name: pod, command: ["true"] },
    problems_diagnose: { namespace: place },
    rollouts_get: { kind: "Deployment", name: "api", namespace: place },
    rollouts_undo: { ...change, kind: "Deployment", name: "worker" },
    workloads_restart: { ...change, kind: "Deployment", name: "api" },
    workloads_scale: { ...change, kind: "Deployment", name: "api", replicas: 2 },
    workloads_update: { ...change, kind: "Deployment", name: "api", container: "main", image: "x:2" },
  };
  const found = inputs[tool];
  if (found === undefined) throw new Error(`no valid input of ${tool} is known: add one in test/support/arena.ts`);
  return found;
}

/** `patch apps/deployments/scale shop/api`: a request as entries write an access; null outside the resource tree. */
export function accessLine({ method, url }: Pick<Passing, "method" | "url">): string | null {
  const [path = "", query = ""] = url.split("?");
  const parts = path.split("/").slice(1).map(decodeURIComponent);
  const [group, ...rest] = parts[0] === "api" ? ["", ...parts.slice(2)] : [parts[1] ?? "", ...parts.slice(3)];
  if (!["api", "apis"].includes(parts[0] ?? "") || rest.length === 0) return null;
  const within = rest[0] === "namespaces" && rest.length > 2;
  const [namespace, resource = "", name = "", subresource = ""] = within ? rest.slice(1) : ["", ...rest];
  const pinned = /(?:^|,)metadata\.name=([^,]+)/.exec(new URLSearchParams(query).get("fieldSelector") ?? "")?.[1];
  const verbs: { readonly [method: string]: string } = {
    POST: "create",
    PUT: "update",
    PATCH: "patch",
    DELETE: "delete",
  };
  const verb = verbs[method] ?? (name === "" ? "list" : "get");
  const kind = [group, resource, subresource].filter((part) => part !== "").join("/");
  const shown = name || pinned || "*";
  return `${verb} ${kind} ${[namespace, shown].filter((part) => part !== "").join("/")}`;
}

/** Was this request declared? A `get` of a whole collection stands for the objects that a list led to, a `list` for one that its selector narrows to a name. */
export function isDeclared(line: string, declared: readonly string[]): boolean {
  const plain = declared.map((one) => one.replace(/\?$/, ""));
  return plain.includes(line) || (/^(get|list) /.test(line) && plain.includes(line.replace(/[^/ ]+$/, "*")));
}

/** A creation by apply is one PATCH, whose `create` the server checks inside; a `get` of a collection stands for what a list led to, which may be nothing. */
export function wasSent(line: string, sent: ReadonlySet<string>): boolean {
  if (line.startsWith("list ")) return [...sent].some((one) => isDeclared(one, [line]));
  return sent.has(line) || line.startsWith("create ") || (line.startsWith("get ") && line.endsWith("/*"));
}

/** An event of the audit log as entries write an access. */
export function auditLine(event: JsonObject): string {
  const [group, resource, subresource, object] = ["apiGroup", "resource", "subresource", "name"].map((key) =>
    textAt(event, "objectRef", key),
  );
  const path = [group, resource, subresource].filter((part) => part !== "").join("/");
  const where = [textAt(event, "objectRef", "namespace"), object || "*"].filter((part) => part !== "").join("/");
  return `${textAt(event, "verb")} ${path} ${where}`;
}

/** The texts at every leaf of some JSON. */
export function leavesOf(value: Json): readonly string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap((inner: Json) => leavesOf(inner));
}
