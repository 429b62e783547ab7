// Nodes without machines for one real control plane: a scheduler, and KWOK as the kubelet of every node, with logs and exec; long, since its stages stand here.

import { spawn, type ChildProcess } from "node:child_process";
import { createWriteStream, existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { at, textAt, type JsonObject } from "../../src/domain/json.ts";
import { adminOf, type Admin } from "./admin.ts";
import { end, freePorts, type ControlPlane } from "./control-plane.ts";

export interface FakeNode {
  readonly name: string;
  readonly labels?: { readonly [key: string]: string };
  /** core/v1 Taint. */
  readonly taints?: readonly JsonObject[];
  /** Kubernetes quantities; else 8 CPUs, 32 GiB and 2,500 pods. */
  readonly capacity?: { readonly cpu: string; readonly memory: string; readonly pods: string };
}

/** What happens to a new pod on a node instead of becoming ready, for as long as its specification says so. */
export interface PodStage {
  /** RFC 1123. */
  readonly name: string;
  /** A jq expression on the pod; the stage plays where it yields true. */
  readonly when: string;
  /** The pod's status as the kubelet would write it (core/v1 PodStatus); a Go template with KWOK's functions. */
  readonly status: string;
  readonly event?: { readonly type: "Normal" | "Warning"; readonly reason: string; readonly message: string };
}

export interface KwokOptions {
  readonly binaries: string;
  readonly cluster: Pick<ControlPlane, "server" | "ca" | "adminToken" | "kubeconfigPath" | "auditLogPath">;
  /** An empty folder of its own: configuration, logs of the programs, logs of the containers, the commands' work directory. */
  readonly folder: string;
  readonly nodes: readonly FakeNode[];
  readonly stages?: readonly PodStage[];
  /** Containers whose log `writeLog` writes, by namespace. */
  readonly logs?: { readonly [namespace: string]: readonly string[] };
}

export interface Kwok {
  /** The log of this container in every pod of the namespace; a line without a time was written now. */
  writeLog(
    namespace: string,
    container: string,
    lines: readonly (string | { readonly time: string; readonly text: string })[],
    run?: "current" | "previous",
  ): Promise<void>;
  /** Where commands of pods/exec run: on this machine, so only harmless ones may be sent. */
  readonly execFolder: string;
  stop(): Promise<void>;
}

/** Why there can be no nodes with these programs; "" where there can. */
export function kwokMissing(binaries: string): string {
  const missing = ["kwok", "kube-scheduler", "kube-controller-manager"].filter(
    (name) => !existsSync(join(binaries, name)),
  );
  return missing.length === 0 ? "" : `there is no ${missing.join(", no ")} beside kube-apiserver`;
}

/** Makes the nodes and returns once all are ready. */
export async function startKwok(options: KwokOptions): Promise<Kwok> {
  const { binaries, cluster, folder } = options;
  const missing = kwokMissing(binaries);
  if (missing !== "") throw new Error(missing);
  const path = (...names: string[]): string => join(folder, ...names);
  await Promise.all([mkdir(path("logs"), { recursive: true }), mkdir(path("exec"), { recursive: true })]);
  const [port = 0, schedulerPort = 0] = await freePorts(2);
  await writeFile(path("kwok.yaml"), configuration(options, folder));

  const running: { readonly name: string; readonly child: ChildProcess }[] = [];
  const start = (name: string, ...flags: string[]): void => {
    const log = createWriteStream(path(`${name}.log`));
    const child = spawn(join(binaries, name), flags, {
      stdio: ["ignore", "pipe", "pipe"],
      cwd: folder,
      // KWOK's commands inherit what it has: no more than where programs are.
      env: { PATH: process.env["PATH"] ?? "", HOME: folder },
    });
    child.stdout.pipe(log, { end: false });
    child.stderr.pipe(log, { end: false });
    running.push({ name, child });
  };
  const stop = async (): Promise<void> => {
    await Promise.all(running.map(({ child }) => end(child)));
  };
  start(
    "kube-scheduler",
    `--kubeconfig=${cluster.kubeconfigPath}`,
    "--leader-elect=false",
    "--bind-address=127.0.0.1",
    `--secure-port=${schedulerPort}`,
    "--kube-api-qps=500",
    "--kube-api-burst=1000",
  );
  start(
    "kwok",
    `--kubeconfig=${cluster.kubeconfigPath}`,
    `--config=${path("kwok.yaml")}`,
    "--manage-all-nodes=true",
    "--node-ip=127.0.0.1",
    `--node-port=${port}`,
    `--server-address=127.0.0.1:${port}`,
    // Renewed leases are what keeps the node controller from calling the nodes lost.
    "--node-lease-duration-seconds=40",
  );
  try {
    const admin = adminOf(cluster);
    await Promise.all(options.nodes.map((node) => admin.create("/api/v1/nodes", nodeObject(node))));
    await nodesReady(admin, options.nodes.length, async () => await endedEarly(running, path));
  } catch (thrown) {
    await stop();
    throw thrown;
  }
  return {
    execFolder: path("exec"),
    stop,
    async writeLog(namespace, container, lines, run = "current") {
      const file = path("logs", logFile(namespace, container, run));
      await writeFile(file, lines.map((line) => criLine(line)).join(""));
    },
  };
}

const logFile = (namespace: string, container: string, run: string): string => `${namespace}.${container}.${run}.log`;

/** A line as the container runtime writes it (KEP-2411 CRI log format: time, stream, full line, text). */
function criLine(line: string | { readonly time: string; readonly text: string }): string {
  const { time, text } = typeof line === "string" ? { time: new Date().toISOString(), text: line } : line;
  return `${time} stdout F ${text}\n`;
}

function nodeObject({ name, labels = {}, taints = [], capacity }: FakeNode): JsonObject {
  const size = capacity ?? { cpu: "8", memory: "32Gi", pods: "2500" };
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name, labels: { "kubernetes.io/hostname": name, "kubernetes.io/os": "linux", ...labels } },
    spec: { taints },
    status: { capacity: size, allocatable: size },
  };
}

async function nodesReady(admin: Admin, count: number, ended: () => Promise<string>): Promise<void> {
  for (const until = Date.now() + 120_000; Date.now() < until;) {
    const { body } = await admin.send("GET", "/api/v1/nodes");
    const items = at(body, "items");
    const ready = (Array.isArray(items) ? items : []).filter((node) => {
      const conditions = at(node, "status", "conditions");
      const taints = JSON.stringify(at(node, "spec", "taints") ?? []);
      return (
        Array.isArray(conditions) &&
        conditions.some((one) => textAt(one, "type") === "Ready" && textAt(one, "status") === "True") &&
        !taints.includes("node.kubernetes.io/not-ready")
      );
    });
    if (ready.length >= count) return;
    const why = await ended();
    if (why !== "") throw new Error(why);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${count} nodes were not ready within 120 s`);
}

/** What ended although it should run, with the last that it said. */
async function endedEarly(
  running: readonly { readonly name: string; readonly child: ChildProcess }[],
  path: (...names: string[]) => string,
): Promise<string> {
  const ended = running.find(({ child }) => child.exitCode !== null);
  if (ended === undefined) return "";
  const said = await readFile(path(`${ended.name}.log`), "utf8");
  return `${ended.name} ended with ${ended.child.exitCode}: ${said.slice(-2000)}`;
}

/** KWOK's configuration: one YAML document each for stages, logs and exec (kwok.x-k8s.io/v1alpha1). */
function configuration(options: KwokOptions, folder: string): string {
  const document = (kind: string, name: string, spec: JsonObject): string =>
    stringify({ apiVersion: "kwok.x-k8s.io/v1alpha1", kind, metadata: { name }, spec });
  const stages = [nodeReady, podReady, podDone, podGone, ...(options.stages ?? []).map(podStage)];
  return [
    ...stages.map(({ name, spec }) => document("Stage", name, spec)),
    ...Object.entries(options.logs ?? {}).map(([namespace, containers]) =>
      document("ClusterLogs", `logs-${namespace}`, {
        selector: { matchNamespaces: [namespace] },
        logs: containers.map((container) => ({
          containers: [container],
          logsFile: join(folder, "logs", logFile(namespace, container, "current")),
          previousLogsFile: join(folder, "logs", logFile(namespace, container, "previous")),
        })),
      }),
    ),
    document("ClusterExec", "exec", { execs: [{ local: { workDir: join(folder, "exec") } }] }),
  ].join("---\n");
}

interface Stage {
  readonly name: string;
  readonly spec: JsonObject;
}

const where = (key: string, operator: string, ...values: string[]): JsonObject => ({
  key,
  operator,
  ...(values.length === 0 ? {} : { values }),
});
const status = (template: string): JsonObject => ({
  patch: { subresource: "status", root: "status", type: "strategic", template },
});
const living = where(".metadata.deletionTimestamp", "DoesNotExist");
/** A pod that no kubelet has reported on: what a test has written into its status stays. */
const fresh = [living, where(".status.phase", "In", "Pending"), where(".status.containerStatuses", "DoesNotExist")];

const nodeReady: Stage = {
  name: "node-ready",
  spec: {
    resourceRef: { apiGroup: "v1", kind: "Node" },
    selector: {
      matchExpressions: [where('.status.conditions.[] | select(.type == "Ready") | .status', "NotIn", "True")],
    },
    steps: [
      status(`addresses:
- {type: InternalIP, address: {{ NodeIP | Quote }}}
daemonEndpoints:
  kubeletEndpoint: {Port: {{ NodePort }}}
conditions:
{{ range NodeConditions }}
- type: {{ .type | Quote }}
  status: {{ .status | Quote }}
  reason: {{ .reason | Quote }}
  message: {{ .message | Quote }}
  lastHeartbeatTime: {{ Now | Quote }}
  lastTransitionTime: {{ Now | Quote }}
{{ end }}
nodeInfo:
  architecture: amd64
  operatingSystem: linux
  bootID: ""
  containerRuntimeVersion: kwok
  kernelVersion: kwok
  kubeProxyVersion: ""
  kubeletVersion: kwok
  machineID: ""
  osImage: ""
  systemUUID: ""
`),
    ],
  },
};

/** The addresses of a pod that runs, for the templates of pods. */
export const podAddresses = `hostIP: {{ NodeIPWith .spec.nodeName | Quote }}
{{ $ip := PodIPWith .spec.nodeName (or .spec.hostNetwork false) .metadata.uid .metadata.name .metadata.namespace }}
podIP: {{ $ip | Quote }}
podIPs:
- ip: {{ $ip | Quote }}
startTime: {{ Now | Quote }}
`;

const podReady: Stage = {
  name: "pod-ready",
  spec: {
    resourceRef: { apiGroup: "v1", kind: "Pod" },
    selector: { matchExpressions: fresh },
    steps: [
      status(`phase: Running
${podAddresses}
conditions:
{{ range $type := list "Initialized" "ContainersReady" "Ready" }}
- {type: {{ $type }}, status: "True", lastTransitionTime: {{ Now | Quote }}}
{{ end }}
{{ range .spec.readinessGates }}
- {type: {{ .conditionType | Quote }}, status: "True", lastTransitionTime: {{ Now | Quote }}}
{{ end }}
containerStatuses:
{{ range .spec.containers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  imageID: ""
  ready: true
  started: true
  restartCount: 0
  resources: {{ or .resources dict | toJson }}
  state: {running: {startedAt: {{ Now | Quote }}}}
{{ end }}
{{ with .spec.initContainers }}
initContainerStatuses:
{{ range . }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  imageID: ""
  ready: true
  restartCount: 0
  state: {terminated: {exitCode: 0, reason: Completed, startedAt: {{ Now | Quote }}, finishedAt: {{ Now | Quote }}}}
{{ end }}
{{ end }}
`),
    ],
  },
};

const podDone: Stage = {
  name: "job-pod-done",
  spec: {
    resourceRef: { apiGroup: "v1", kind: "Pod" },
    selector: {
      matchExpressions: [
        living,
        where(".status.phase", "In", "Running"),
        where(".metadata.ownerReferences.[].kind", "In", "Job"),
        where('.status.conditions.[] | select(.type == "Ready") | .status', "In", "True"),
      ],
    },
    steps: [
      status(`phase: Succeeded
conditions:
- {type: Ready, status: "False", reason: PodCompleted, lastTransitionTime: {{ Now | Quote }}}
- {type: ContainersReady, status: "False", reason: PodCompleted, lastTransitionTime: {{ Now | Quote }}}
containerStatuses:
{{ range .spec.containers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  imageID: ""
  ready: false
  started: false
  restartCount: 0
  state: {terminated: {exitCode: 0, reason: Completed, startedAt: {{ Now | Quote }}, finishedAt: {{ Now | Quote }}}}
{{ end }}
`),
    ],
  },
};

const podGone: Stage = {
  name: "pod-gone",
  spec: {
    resourceRef: { apiGroup: "v1", kind: "Pod" },
    selector: { matchExpressions: [where(".metadata.deletionTimestamp", "Exists")] },
    steps: [{ delete: true }],
  },
};

/** Its weight is what makes it win over becoming ready. */
function podStage({ name, when, status: template, event }: PodStage): Stage {
  return {
    name,
    spec: {
      resourceRef: { apiGroup: "v1", kind: "Pod" },
      selector: { matchExpressions: [...fresh, where(when, "In", "true")] },
      weight: 100,
      steps: [...(event === undefined ? [] : [{ event: { ...event } }]), status(template)],
    },
  };
}
