// What every command that runs or asks the gateway reads first: state folder, configuration, policies, kubeconfig.

import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { dirname, isAbsolute, join } from "node:path";
import { emptyConfig, loadConfig } from "../config/load.ts";
import type { Config } from "../config/schema.ts";
import { loadConnections } from "../kubernetes/kubeconfig.ts";
import type { Connection, KubeClient } from "../kubernetes/contract.ts";
import { openClient } from "../kubernetes/client.ts";
import { openSeparated } from "../credentials/separate.ts";
import { loadPolicy, type PolicyFile } from "../policy/load.ts";
import type { Policy } from "../policy/policy.ts";
import { tools } from "../../tools/index.ts";
import { CommandFailed, stateFolder, type Io } from "./io.ts";

export interface Setting {
  readonly folder: string;
  readonly config: Config;
  /** SHA-256 over the configuration and what it names, hex: two processes with the same one are the same gateway. */
  readonly digest: string;
  readonly policy: Policy;
  readonly policyFiles: readonly string[];
}

/** sallyport.yaml alone. */
export interface ReadConfig {
  readonly folder: string;
  readonly path: string;
  readonly config: Config;
  /** SHA-256 of its text, hex. */
  readonly digest: string;
}

/** Reads sallyport.yaml, or what stands for none; a mistake is one sentence a problem, with its file, line and column, and exit code 3. */
export async function readConfig(io: Io, configPath: string | undefined): Promise<ReadConfig> {
  const folder = stateFolder(io.env);
  const path = configPath ?? join(folder, "sallyport.yaml");
  const loaded = loadConfig(await textOf(path, configPath === undefined));
  if (loaded.kind === "refused") throw problems(loaded.problems.map((one) => ({ path, ...one })));
  return { folder, path, config: loaded.config, digest: loaded.digest };
}

/** Reads it all, the policies with it; mistakes are told as those of sallyport.yaml are. */
export async function readSetting(io: Io, configPath: string | undefined): Promise<Setting> {
  const { folder, path, config, digest: configDigest } = await readConfig(io, configPath);
  const policyFiles =
    config.policies.length === 0
      ? [join(io.shipped, "access", "default.yaml")]
      : config.policies.map((one) => (isAbsolute(one) ? one : join(dirname(path), one)));
  const files = await Promise.all(
    policyFiles.map(async (one): Promise<PolicyFile> => ({ path: one, text: await textOf(one, false) })),
  );
  const policy = loadPolicy(
    files,
    tools.map((tool) => tool.name),
  );
  if (policy.kind === "refused") throw problems(policy.problems);
  const digest = createHash("sha256")
    .update(JSON.stringify([configDigest, policy.policy.digest, kubeconfigPaths(io, config)]))
    .digest("hex");
  return { folder, config, digest, policy: policy.policy, policyFiles };
}

function problems(
  found: readonly {
    readonly path: string;
    readonly line: number;
    readonly column: number;
    readonly sentence: string;
  }[],
): CommandFailed {
  return new CommandFailed(
    found.map(({ path, line, column, sentence }) => `${path}:${line}:${column}: ${sentence}`).join("\n"),
    3,
  );
}

/** The connection that the configuration names. Loading a kubeconfig is slow: call it after the handshake. */
export async function readConnection(io: Io, config: Config): Promise<Connection> {
  const { connections, current } = await loadConnections({
    kubeconfig: kubeconfigPaths(io, config),
    ...(config.context === undefined ? {} : { context: config.context }),
    env: io.env,
    readFile: (path) => readFile(path, "utf8"),
    now: io.now,
  });
  const wanted = config.context ?? current;
  const found = connections.find((one) => one.cluster === wanted);
  if (found !== undefined) return found;
  const known = connections.map((one) => one.cluster).join(", ");
  throw new CommandFailed(
    wanted === ""
      ? "The kubeconfig names no current context: say which with `context:` in sallyport.yaml, or kubectl config use-context."
      : `The kubeconfig has no context ${wanted}. It has: ${known === "" ? "none" : known}.`,
    3,
  );
}

/** Opens one context for the commands that install in a cluster; null is the configured or the current one. */
export function connectWith(io: Io) {
  return async (context: string | null): Promise<{ connection: Connection; client: KubeClient }> => {
    const { config } = await readConfig(io, undefined);
    return await openCluster(io, context === null ? config : { ...config, context });
  };
}

/** The configuration's cluster with a client of its own, which the caller closes; nothing is sent yet. */
export async function openCluster(
  io: Io,
  config: Config,
): Promise<{ readonly connection: Connection; readonly client: KubeClient }> {
  const connection = await readConnection(io, config);
  return { connection, client: openSeparated(connection, (one) => openClient(one, { version: io.version })) };
}

/** `KUBECONFIG`'s files in their order, else `~/.kube/config`. */
export function kubeconfigPaths(io: Io, config: Config): readonly string[] {
  const listed = config.kubeconfig ?? io.env["KUBECONFIG"] ?? "";
  const paths = listed.split(":").filter((path) => path !== "");
  return paths.length > 0 ? paths : [join(io.home, ".kube", "config")];
}

async function textOf(path: string, mayBeAbsent: boolean): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (thrown) {
    const code = (thrown as NodeJS.ErrnoException).code ?? "unknown";
    if (mayBeAbsent && code === "ENOENT") return emptyConfig;
    throw new CommandFailed(`${path} can't be read (${code}).`, 3);
  }
}
