// The clusters that the configuration names, as connections: from kubeconfigs, or from the pod that Sallyport runs in. Nothing is sent to any of them here.

import { access, readFile } from "node:fs/promises";
import { dirname, isAbsolute, join } from "node:path";
import type { ClusterSetting, Config } from "../config/schema.ts";
import { openSeparated } from "../credentials/separate.ts";
import { Faulted } from "../domain/fault.ts";
import { openClient } from "../kubernetes/client.ts";
import type { Connection, KubeClient } from "../kubernetes/contract.ts";
import { inClusterConnection, openContexts, type Contexts } from "../kubernetes/kubeconfig.ts";
import { CommandFailed, type Io } from "./io.ts";
import { kubeconfigPaths, readConfig, splitPaths, type ReadConfig } from "./setting.ts";

/** One cluster of the configuration, or why it can't be used. */
export type ClusterFound =
  | { readonly kind: "found"; readonly name: string; readonly connection: Connection }
  | { readonly kind: "unusable"; readonly name: string; readonly sentence: string };

/** Every cluster of the configuration in its order. Loading kubeconfigs is slow: call it after the handshake. */
export async function findClusters(io: Io, read: ReadConfig): Promise<readonly ClusterFound[]> {
  const { clusters } = read.config;
  const contextsOf = contextsOnce(io);
  if (clusters === undefined) return [await found("", theOne(io, read, contextsOf))];
  return await Promise.all(
    clusters.map(async (cluster, index) => await found(cluster.name, listed(io, read, contextsOf, cluster, index))),
  );
}

/** The connections of all clusters. Throws one sentence for each cluster that can't be used, with the line where it stands. */
export async function readConnections(io: Io, read: ReadConfig): Promise<readonly Connection[]> {
  const clusters = await findClusters(io, read);
  const sentences = clusters.flatMap((one) => (one.kind === "unusable" ? [one.sentence] : []));
  const connections = clusters.flatMap((one) => (one.kind === "found" ? [one.connection] : []));
  for (const { cluster, tls } of connections)
    if (tls.insecure && read.config.mode === "multi-user") sentences.push(unverified(cluster));
  if (sentences.length > 0) throw new CommandFailed(sentences.join("\n"), 3);
  return connections;
}

function unverified(cluster: string): string {
  return `The kubeconfig says insecure-skip-tls-verify for ${cluster}: in mode multi-user that would put others' calls into the hands of whoever is on the way. Name the certificate authority instead.`;
}

/** One cluster by its name in the configuration, else a context of the configuration's kubeconfig. */
export async function findCluster(io: Io, read: ReadConfig, named: string): Promise<ClusterFound> {
  const { clusters = [] } = read.config;
  const index = clusters.findIndex((one) => one.name === named);
  const cluster = clusters[index];
  const contextsOf = contextsOnce(io);
  if (cluster !== undefined) return await found(named, listed(io, read, contextsOf, cluster, index));
  return await found(
    named,
    contextsOf(kubeconfigPaths(io, read.config)).then((contexts) => contexts.open(named)),
  );
}

/** Opens one cluster for the commands that install in it, with a client that the caller closes: by its name, or (null) the configuration's one. */
export function connectWith(io: Io) {
  return async (named: string | null): Promise<{ readonly connection: Connection; readonly client: KubeClient }> => {
    const read = await readConfig(io, undefined);
    const [first, ...others] = named === null ? await findClusters(io, read) : [await findCluster(io, read, named)];
    if (first === undefined || others.length > 0) throw new Error("which of the clusters is not said");
    if (first.kind === "unusable") throw new CommandFailed(first.sentence, 3);
    return { connection: first.connection, client: clientOf(io, first.connection) };
  };
}

/** The names of the clusters that the configuration lists; none where it has no list. */
export function listedIn(io: Io) {
  return async (): Promise<readonly string[]> =>
    ((await readConfig(io, undefined)).config.clusters ?? []).map((cluster) => cluster.name);
}

/** A client of its own, which the caller closes. */
export function clientOf(io: Pick<Io, "version">, connection: Connection): KubeClient {
  return openSeparated(connection, (one) => openClient(one, { version: io.version }));
}

type ContextsOf = (paths: readonly string[]) => Promise<Contexts>;

/** Each kubeconfig is read once, however many clusters stand in it. */
function contextsOnce(io: Io): ContextsOf {
  const reading = new Map<string, Promise<Contexts>>();
  return (paths) => {
    const key = paths.join("\n");
    const contexts = reading.get(key) ?? openContexts({ kubeconfig: paths, ...outside(io) });
    reading.set(key, contexts);
    return contexts;
  };
}

function outside(io: Io) {
  return { env: io.env, readFile: (path: string) => readFile(path, "utf8"), now: io.now };
}

async function found(name: string, opening: Promise<Connection>): Promise<ClusterFound> {
  try {
    const connection = await opening;
    return { kind: "found", name: connection.cluster, connection };
  } catch (thrown) {
    if (thrown instanceof CommandFailed) return { kind: "unusable", name, sentence: thrown.message };
    if (thrown instanceof Faulted) return { kind: "unusable", name, sentence: thrown.fault.cause };
    throw thrown;
  }
}

/** A cluster of the list, under its own name; a problem bears the place where it is asked for. */
async function listed(
  io: Io,
  { path, config, placeOf }: ReadConfig,
  contextsOf: ContextsOf,
  cluster: ClusterSetting,
  index: number,
): Promise<Connection> {
  const at = (field: string): string => {
    const { line, column } = placeOf(["clusters", index, field]);
    return `${path}:${line}:${column}: clusters.${index}`;
  };
  if (cluster.inCluster) {
    const connection = await ofThisPod(io);
    if (connection === null) throw new CommandFailed(`${at("inCluster")}: this is no pod of a cluster.`, 3);
    return { ...connection, cluster: cluster.name };
  }
  const paths =
    cluster.kubeconfig === undefined
      ? kubeconfigPaths(io, config)
      : splitPaths(cluster.kubeconfig).map((one) => (isAbsolute(one) ? one : join(dirname(path), one)));
  try {
    return { ...(await (await contextsOf(paths)).open(cluster.context)), cluster: cluster.name };
  } catch (thrown) {
    if (!(thrown instanceof Faulted)) throw thrown;
    throw new CommandFailed(`${at("context")}: ${thrown.fault.cause}`, 3);
  }
}

/** Without a list: the context that is named, else the kubeconfig's current one; in a pod without any kubeconfig, its own cluster (as kubectl does). */
async function theOne(io: Io, { path, config, placeOf }: ReadConfig, contextsOf: ContextsOf): Promise<Connection> {
  const pod = (await hasNoKubeconfig(io, config)) ? await ofThisPod(io) : null;
  if (pod !== null) return pod;
  const contexts = await contextsOf(kubeconfigPaths(io, config));
  if (config.context === undefined && contexts.current === "")
    throw new CommandFailed(
      "The kubeconfig names no current context: say which with `context:` in sallyport.yaml, or kubectl config use-context.",
      3,
    );
  if (config.context === undefined) return await contexts.open(contexts.current);
  try {
    return await contexts.open(config.context);
  } catch (thrown) {
    if (!(thrown instanceof Faulted)) throw thrown;
    const { line, column } = placeOf(["context"]);
    throw new CommandFailed(`${path}:${line}:${column}: context: ${thrown.fault.cause}`, 3);
  }
}

async function ofThisPod(io: Io): Promise<Connection | null> {
  const { env, readFile: read, now } = outside(io);
  return await inClusterConnection(env, read, now);
}

/** None is named anywhere, and none stands in its usual place. */
async function hasNoKubeconfig(io: Io, config: Config): Promise<boolean> {
  if (config.context !== undefined || config.kubeconfig !== undefined || (io.env["KUBECONFIG"] ?? "") !== "")
    return false;
  const [usual = ""] = kubeconfigPaths(io, config);
  return await access(usual).then(
    () => false,
    () => true,
  );
}
