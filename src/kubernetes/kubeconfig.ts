// From kubeconfigs, or from the pod that we run in, to connections: what a context says, with nothing assumed that it does not say.

import { Faulted } from "../domain/fault.ts";
import type { Connection } from "./contract.ts";
import { clusterFault } from "./faults.ts";
import {
  errorCode,
  fieldProblem,
  flagField,
  kubeconfigProblem,
  pemField,
  readKubeconfig,
  stringField,
  type Entry,
  type Kubeconfig,
  type ReadFile,
} from "./kubeconfig-file.ts";
import { bearer, showingOf, type UserOptions } from "./kubeconfig-user.ts";
import { isProxyUrl, proxyFromEnvironment } from "./proxy-environment.ts";
import { fileToken } from "./tokens.ts";

export interface LoadOptions extends UserOptions {
  /** Paths, first wins; missing files are passed over as long as one is there. */
  readonly kubeconfig: readonly string[];
  /** The context to use instead of the kubeconfig's current one. */
  readonly context?: string;
}

export interface Loaded {
  /** One for each usable context, named after it. */
  readonly connections: readonly Connection[];
  /** The context that was asked for, or the kubeconfig's current one; "" where it names none. */
  readonly current: string;
  /** Contexts that can't be used, each with a sentence for the operator. Never the current one: its problem is thrown. */
  readonly leftOut: readonly { readonly context: string; readonly why: string }[];
}

/** Loads the connections of kubeconfig files. Faults: cluster_unavailable, whose cause is a sentence that names the file and the field. */
export async function loadConnections(options: LoadOptions): Promise<Loaded> {
  const config = await readKubeconfig(options.kubeconfig, options.readFile);
  const current = options.context ?? config.current;
  if (current !== "" && !config.contexts.has(current)) throw unknownContext(current, config);
  const connections: Connection[] = [];
  const leftOut: { context: string; why: string }[] = [];
  for (const [name, context] of config.contexts) {
    try {
      connections.push(await connectionOf(name, context, config, options));
    } catch (thrown) {
      if (!(thrown instanceof Faulted) || name === current) throw thrown;
      leftOut.push({ context: name, why: thrown.fault.cause });
    }
  }
  return { connections, current, leftOut };
}

/** The contexts of kubeconfig files, by name and not opened yet: one that can't be used says so when it is asked for. */
export interface Contexts {
  readonly names: readonly string[];
  /** The kubeconfig's current one; "" where it names none. */
  readonly current: string;
  /** Faults: cluster_unavailable, whose cause is a sentence that names the file and the field. */
  open(context: string): Promise<Connection>;
}

export async function openContexts(options: Omit<LoadOptions, "context">): Promise<Contexts> {
  const config = await readKubeconfig(options.kubeconfig, options.readFile);
  return {
    names: [...config.contexts.keys()],
    current: config.current,
    async open(name) {
      const context = config.contexts.get(name);
      if (context === undefined) throw unknownContext(name, config);
      return await connectionOf(name, context, config, options);
    },
  };
}

function unknownContext(name: string, { contexts, files: [file = ""] }: Kubeconfig): Faulted {
  const known = [...contexts.keys()].join(", ") || "none";
  return kubeconfigProblem(file, `it has no context "${name}"; its contexts are ${known}`);
}

async function connectionOf(
  name: string,
  context: Entry,
  config: Kubeconfig,
  options: LoadOptions,
): Promise<Connection> {
  const clusterName = stringField(context, "cluster");
  const cluster = clusterName === undefined ? undefined : config.clusters.get(clusterName);
  if (cluster === undefined) throw fieldProblem(context, "cluster", "names no cluster that is there");
  const userName = stringField(context, "user");
  const user = userName === undefined ? undefined : config.users.get(userName);
  if (userName !== undefined && user === undefined) throw fieldProblem(context, "user", "names no user that is there");
  const server = serverOf(cluster);
  const insecure = flagField(cluster, "insecure-skip-tls-verify");
  const ca = await pemField(cluster, "certificate-authority", "CERTIFICATE", options.readFile);
  if (insecure && ca !== undefined)
    throw fieldProblem(cluster, "insecure-skip-tls-verify", "stands beside a certificate authority: one of them");
  const cert = user && (await pemField(user, "client-certificate", "CERTIFICATE", options.readFile));
  const key = user && (await pemField(user, "client-key", "PRIVATE KEY", options.readFile));
  if (user && (cert === undefined) !== (key === undefined))
    throw fieldProblem(user, "client-certificate", "and client-key belong together");
  const serverName = stringField(cluster, "tls-server-name");
  return {
    cluster: name,
    server,
    tls: {
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
      ...(serverName === undefined ? {} : { serverName }),
      insecure,
    },
    proxy: proxyOf(cluster) ?? proxyAround(server, options.env),
    ...(user === undefined ? { authorization: nobody } : showingOf(user, cluster, ca, options)),
    namespace: stringField(context, "namespace") ?? "default",
  };
}
const nobody = (): Promise<null> => Promise.resolve(null);

/** The server's URL. Plain http only on this machine: elsewhere tokens and answers would be open to all between. */
function serverOf(cluster: Entry): string {
  const server = stringField(cluster, "server");
  if (server === undefined) throw fieldProblem(cluster, "server", "is missing");
  const url = URL.canParse(server) ? new URL(server) : null;
  if (url === null || !["https:", "http:"].includes(url.protocol) || url.hostname === "")
    throw fieldProblem(cluster, "server", "is no http or https URL");
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "")
    throw fieldProblem(cluster, "server", "holds more than a scheme, a host, a port and a path");
  if (url.protocol === "http:" && !/^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(url.hostname))
    throw fieldProblem(cluster, "server", "is plain http to another machine");
  return server;
}

function proxyOf(cluster: Entry): string | null {
  const proxy = stringField(cluster, "proxy-url");
  if (proxy === undefined) return null;
  if (!isProxyUrl(proxy)) throw fieldProblem(cluster, "proxy-url", "is no http or https URL");
  return proxy;
}

function proxyAround(server: string, env: UserOptions["env"]): string | null {
  try {
    return proxyFromEnvironment(server, env);
  } catch (thrown) {
    const why = thrown instanceof TypeError ? thrown.message : "the proxy of the environment can't be used";
    throw new Faulted(clusterFault("cluster_unavailable", { why: "configuration" }, `The environment's ${why}.`));
  }
}

/**
 * The connection of the pod that we run in, or null outside of a pod: its ServiceAccount's token (read again as kubelet rotates it) and the cluster's CA.
 * Faults: cluster_unavailable where the pod's files are missing.
 */
export async function inClusterConnection(
  env: UserOptions["env"],
  readFile: ReadFile,
  now: () => number,
): Promise<Connection | null> {
  const { KUBERNETES_SERVICE_HOST: host = "", KUBERNETES_SERVICE_PORT: port = "" } = env;
  if (host === "" || port === "") return null;
  const folder = "/var/run/secrets/kubernetes.io/serviceaccount";
  const ca = await podFile(`${folder}/ca.crt`, readFile);
  const namespace = await podFile(`${folder}/namespace`, readFile);
  const server = `https://${host.includes(":") ? `[${host}]` : host}:${port}`;
  return {
    cluster: "in-cluster",
    server,
    tls: { ca, insecure: false },
    proxy: proxyAround(server, env),
    authorization: bearer(fileToken(`${folder}/token`, readFile, now)),
    namespace: namespace.trim(),
  };
}

async function podFile(path: string, readFile: ReadFile): Promise<string> {
  try {
    return await readFile(path);
  } catch (thrown) {
    const cause = `The pod's file ${path} can't be read (${errorCode(thrown)}).`;
    throw new Faulted(clusterFault("cluster_unavailable", { why: "configuration" }, cause));
  }
}
