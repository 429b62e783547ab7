// Starts a real control plane on loopback: etcd, kube-apiserver, kube-controller-manager, each from an upstream build.

import { spawn, type ChildProcess } from "node:child_process";
import { generateKeyPairSync, randomBytes, randomInt } from "node:crypto";
import { createWriteStream, existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { createServer } from "node:net";
import { join } from "node:path";
import { makeAuthority } from "./pki.ts";

export interface ControlPlane {
  readonly server: string;
  readonly ca: string;
  readonly adminToken: string;
  readonly kubeconfigPath: string;
  readonly auditLogPath: string;
  stop(): Promise<void>;
}

/** Starts it in an empty folder and returns once /readyz answers. The folder keeps logs and the audit log. */
export async function startControlPlane(options: {
  readonly binaries: string;
  readonly folder: string;
}): Promise<ControlPlane> {
  const { binaries, folder } = options;
  await mkdir(join(folder, "etcd"), { recursive: true, mode: 0o700 });
  const [etcdPort, peerPort, port, managerPort] = await freePorts(4);
  const path = (name: string): string => join(folder, name);
  const adminToken = randomBytes(24).toString("hex");
  const authority = makeAuthority("sallyport test authority");
  const serving = authority.issue({
    commonName: "kube-apiserver",
    hosts: ["127.0.0.1", "localhost", "10.96.0.1", "kubernetes.default.svc"],
  });
  const client = authority.issue({ commonName: "kube-apiserver-client", organization: "system:masters" });
  const accounts = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const server = `https://127.0.0.1:${port}`;
  await Promise.all([
    writeFile(path("ca.crt"), authority.certificate),
    writeFile(path("apiserver.crt"), serving.certificate),
    writeFile(path("apiserver.key"), serving.key, { mode: 0o600 }),
    writeFile(path("client.crt"), client.certificate),
    writeFile(path("client.key"), client.key, { mode: 0o600 }),
    writeFile(path("accounts.key"), accounts.privateKey.export({ type: "pkcs1", format: "pem" }), { mode: 0o600 }),
    writeFile(path("accounts.pub"), accounts.publicKey.export({ type: "spki", format: "pem" })),
    writeFile(path("tokens.csv"), `${adminToken},admin,admin,"system:masters"\n`, { mode: 0o600 }),
    writeFile(path("audit.yaml"), auditPolicy),
    writeFile(path("kubeconfig.yaml"), kubeconfig(server, authority.certificate, adminToken), { mode: 0o600 }),
  ]);

  const processes: ChildProcess[] = [];
  const start = (name: string, ...flags: string[]): ChildProcess => {
    const log = createWriteStream(path(`${name}.log`));
    const child = spawn(join(binaries, name), flags, { stdio: ["ignore", "pipe", "pipe"], cwd: folder });
    child.stdout?.pipe(log, { end: false });
    child.stderr?.pipe(log, { end: false });
    processes.push(child);
    return child;
  };
  const stop = async (): Promise<void> => {
    await Promise.all(processes.toReversed().map(end));
  };
  start(
    "etcd",
    "--data-dir=etcd",
    "--unsafe-no-fsync",
    `--listen-client-urls=http://127.0.0.1:${etcdPort}`,
    `--advertise-client-urls=http://127.0.0.1:${etcdPort}`,
    `--listen-peer-urls=http://127.0.0.1:${peerPort}`,
    `--initial-advertise-peer-urls=http://127.0.0.1:${peerPort}`,
    `--initial-cluster=default=http://127.0.0.1:${peerPort}`,
    "--log-level=warn",
  );
  const apiserver = start(
    "kube-apiserver",
    `--etcd-servers=http://127.0.0.1:${etcdPort}`,
    "--bind-address=127.0.0.1",
    "--advertise-address=127.0.0.1",
    `--secure-port=${port}`,
    "--tls-cert-file=apiserver.crt",
    "--tls-private-key-file=apiserver.key",
    "--client-ca-file=ca.crt",
    "--kubelet-client-certificate=client.crt",
    "--kubelet-client-key=client.key",
    "--requestheader-client-ca-file=ca.crt",
    "--requestheader-allowed-names=none",
    "--requestheader-username-headers=X-Remote-User",
    "--requestheader-group-headers=X-Remote-Group",
    "--requestheader-extra-headers-prefix=X-Remote-Extra-",
    "--proxy-client-cert-file=client.crt",
    "--proxy-client-key-file=client.key",
    "--token-auth-file=tokens.csv",
    "--authorization-mode=Node,RBAC",
    // So that it is never the API server that refuses a privileged pod.
    "--allow-privileged=true",
    "--service-account-issuer=https://kubernetes.default.svc",
    "--service-account-key-file=accounts.pub",
    "--service-account-signing-key-file=accounts.key",
    "--service-cluster-ip-range=10.96.0.0/16",
    "--endpoint-reconciler-type=none",
    "--audit-policy-file=audit.yaml",
    "--audit-log-path=audit.log",
    "--audit-log-mode=blocking",
    // Megabytes: one that is put aside for a new one would take what a test looks for along.
    "--audit-log-maxsize=4096",
  );
  try {
    await ready(server, authority.certificate, apiserver, path("kube-apiserver.log"));
  } catch (thrown) {
    await stop();
    throw thrown;
  }
  if (existsSync(join(binaries, "kube-controller-manager"))) {
    const manager = start(
      "kube-controller-manager",
      "--kubeconfig=kubeconfig.yaml",
      "--use-service-account-credentials",
      "--service-account-private-key-file=accounts.key",
      "--root-ca-file=ca.crt",
      "--leader-elect=false",
      "--bind-address=127.0.0.1",
      `--secure-port=${managerPort}`,
    );
    manager.once("exit", (code) => {
      if (code !== null && code !== 0)
        process.stderr.write(
          `kube-controller-manager ended with ${code}; see ${path("kube-controller-manager.log")}\n`,
        );
    });
  }
  return {
    server,
    ca: authority.certificate,
    adminToken,
    kubeconfigPath: path("kubeconfig.yaml"),
    auditLogPath: path("audit.log"),
    stop,
  };
}

async function ready(server: string, ca: string, apiserver: ChildProcess, log: string): Promise<void> {
  for (const until = Date.now() + 240_000; Date.now() < until;) {
    if (apiserver.exitCode !== null) throw new Error(`kube-apiserver ended with ${apiserver.exitCode}; see ${log}`);
    if (await answers(`${server}/readyz`, ca)) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`kube-apiserver was not ready within 240 s; see ${log}`);
}

function answers(url: string, ca: string): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = request(url, { ca, timeout: 10_000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    asked.on("error", () => resolve(false));
    asked.on("timeout", () => asked.destroy());
    asked.end();
  });
}

/** Ends a process that a test started; one that does not listen is killed after five seconds. */
export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), 5000);
  await gone;
  clearTimeout(timer);
}

/**
 * Ports that nobody listens on now. None of those that a system gives to whoever asks for any (from 32768 on): another
 * test's server would get one of them before the program does that it is meant for.
 */
export async function freePorts(count: number): Promise<number[]> {
  const found = new Set<number>();
  for (let tries = 0; found.size < count; tries++) {
    if (tries === 1000) throw new Error("there are no free ports");
    const port = randomInt(20_000, 32_000);
    if (await isFree(port)) found.add(port);
  }
  return [...found];
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const free = await new Promise<boolean>((resolve) => {
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => resolve(true));
  });
  if (free) await new Promise((resolve) => server.close(resolve));
  return free;
}

/** Metadata of every request but the noise of the control plane itself. */
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: None
  users: ["system:apiserver", "system:kube-controller-manager", "system:kube-scheduler"]
- level: None
  nonResourceURLs: ["/readyz*", "/livez*", "/healthz*"]
- level: Metadata
`;

function kubeconfig(server: string, ca: string, token: string): string {
  return `apiVersion: v1
kind: Config
current-context: real
clusters:
- name: real
  cluster:
    server: ${server}
    certificate-authority-data: ${Buffer.from(ca).toString("base64")}
users:
- name: admin
  user:
    token: ${token}
contexts:
- name: real
  context: {cluster: real, user: admin}
`;
}
