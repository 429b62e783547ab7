// The practice cluster: a small API server of our own for trying things out, on loopback, in memory, loudly not Kubernetes.
//
// Whatever it serves it serves as Kubernetes 1.36 does; test/contracts/practice/suite.ts runs against both. Stored but
// without effect are what needs a network or a node: quotas, network policies, pod-security labels, Jobs, DaemonSets.

import { randomBytes } from "node:crypto";
import { rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { join } from "node:path";
import { openAuditLog } from "./audit.ts";
import { authenticator } from "./authn.ts";
import { reconcileFully, startControllers } from "./controllers.ts";
import { answer, type Cluster } from "./door.ts";
import type { JsonObject } from "./json.ts";
import { logSource } from "./logs.ts";
import { plant } from "./plant.ts";
import { Storage } from "./storage.ts";
import { Refused } from "./status.ts";
import { makeSigningKey } from "./tokens.ts";
import type { Watch } from "./watches.ts";

export { seedStory, type Story } from "./story.ts";

/** A Kubernetes object, or a `PodLog` of practice.sallyport.dev/v1 that says what the pods of some labels have logged. */
export type Manifest = JsonObject;

export interface PracticeOptions {
  /** An existing folder of the caller's: the kubeconfig and the audit log go there. */
  readonly folder: string;
  /** 0 or absent: a free one. */
  readonly port?: number;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  readonly seed?: readonly Manifest[];
}

export interface PracticeCluster {
  /** `http://127.0.0.1:PORT`. */
  readonly server: string;
  readonly adminToken: string;
  /** Context `practice`, mode 0600. */
  readonly kubeconfigPath: string;
  /** JSON lines (audit.k8s.io/v1), one a request. */
  readonly auditLogPath: string;
  stop(): Promise<void>;
}

const mostBodyBytes = 3 * 1024 * 1024;
/** The seed is this old when the cluster starts, so that ages and logs have something to show. */
const seedAge = 15 * 60 * 1000;

export async function startPracticeCluster(options: PracticeOptions): Promise<PracticeCluster> {
  const now = options.now ?? Date.now;
  const storage = new Storage();
  const key = makeSigningKey();
  const adminToken = randomBytes(32).toString("base64url");
  const auditLogPath = join(options.folder, "audit.log");
  const kubeconfigPath = join(options.folder, "kubeconfig");
  const audit = openAuditLog(auditLogPath);
  const seed = options.seed ?? [];
  plant(
    storage,
    seed.filter((one) => one["kind"] !== "PodLog"),
    now() - seedAge,
  );
  reconcileFully(storage, now() - seedAge);
  const stopControllers = startControllers(storage, now);
  const cluster: Cluster = {
    storage,
    key,
    logs: seed.filter((one) => one["kind"] === "PodLog").map(logSource),
    authenticate: authenticator(storage, key, adminToken, now),
    audit: audit.write,
    now,
  };
  const server = createServer((request, response) => void serve(cluster, request, response));
  const stop = async (): Promise<void> => {
    stopControllers();
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
    audit.close();
  };
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => void stop().then(() => reject(error), reject));
    server.listen(options.port ?? 0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("a TCP server without a port");
  const url = `http://127.0.0.1:${address.port}`;
  rmSync(kubeconfigPath, { force: true });
  writeFileSync(kubeconfigPath, kubeconfig(url, adminToken), { mode: 0o600, flag: "wx" });
  return {
    server: url,
    adminToken,
    kubeconfigPath,
    auditLogPath,
    stop,
  };
}

async function serve(cluster: Cluster, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size <= mostBodyBytes) chunks.push(chunk);
    }
  } catch {
    // The caller went away while it was sending: there is nobody to answer.
    response.destroy();
    return;
  }
  if (size > mostBodyBytes) {
    const refused = new Refused(413, "RequestEntityTooLarge", `limit is ${mostBodyBytes}`);
    response.writeHead(413, { "content-type": "application/json" }).end(JSON.stringify(refused.status));
    return;
  }
  const headers: { [name: string]: string | undefined } = {};
  for (const [name, value] of Object.entries(request.headers)) headers[name] = Array.isArray(value) ? value[0] : value;
  const given = answer(cluster, {
    method: request.method ?? "GET",
    url: request.url ?? "/",
    headers,
    body: Buffer.concat(chunks).toString("utf8"),
    sourceIp: request.socket.remoteAddress ?? "",
  });
  if (given.watch !== undefined) return follow(cluster, given.watch, response.writeHead(given.code, given.headers));
  response.writeHead(given.code, given.headers).end(request.method === "HEAD" ? "" : given.body);
}

/** Writes a watch's events as they come, until its time is over or nobody listens. */
function follow({ storage }: Cluster, watch: Watch, response: ServerResponse): void {
  const tell = (): void => {
    for (const event of watch.next()) response.write(`${JSON.stringify(event)}\n`);
  };
  const stop = storage.onChange(tell);
  const over = setTimeout(() => response.end(), watch.seconds * 1000);
  response.on("close", () => {
    clearTimeout(over);
    stop();
  });
  response.flushHeaders();
  tell();
}

function kubeconfig(server: string, token: string): string {
  return `# The practice cluster of Sallyport: not Kubernetes, gone when it stops.
apiVersion: v1
kind: Config
current-context: practice
clusters:
  - name: practice
    cluster: { server: "${server}" }
users:
  - name: practice-admin
    user: { token: "${token}" }
contexts:
  - name: practice
    context: { cluster: practice, user: practice-admin, namespace: default }
`;
}
