// What every command that runs or asks the gateway reads first: state folder, configuration, policies.

import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { dirname, isAbsolute, join } from "node:path";
import { emptyConfig, loadConfig, type ConfigPlace } from "../config/load.ts";
import type { Config } from "../config/schema.ts";
import type { SyslogPlace } from "../config/syslog.ts";
import type { Known } from "../policy/known.ts";
import { loadPolicy, type PolicyFile } from "../policy/load.ts";
import type { Policy } from "../policy/policy.ts";
import { tools } from "../../tools/index.ts";
import { readMasking, type MaskingProfiles } from "./masking-files.ts";
import { policyPaths } from "./policy-files.ts";
import { CommandFailed, stateFolder, type Io } from "./io.ts";

export interface Setting {
  readonly folder: string;
  readonly config: Config;
  readonly read: ReadConfig;
  /** SHA-256 over the configuration and what it names, hex: two processes with the same one are the same gateway. */
  readonly digest: string;
  readonly policy: Policy;
  readonly masking: MaskingProfiles;
  /** What its rules may name. */
  readonly known: Known;
  /** What is odd about it and may be meant; looked for when it is asked for. */
  readonly policyWarnings: () => readonly unknown[];
  /** The digest of the configuration under another policy and other masking profiles. */
  readonly digestWith: (policyDigest: string, maskingDigest: string) => string;
  readonly policyFiles: readonly string[];
}

/** sallyport.yaml alone. */
export interface ReadConfig {
  readonly folder: string;
  readonly path: string;
  readonly config: Config;
  /** SHA-256 of its text, hex. */
  readonly digest: string;
  readonly placeOf: (path: readonly (string | number)[]) => ConfigPlace;
}

/** Reads sallyport.yaml, or what stands for none; a mistake is one sentence a problem, with its file, line and column, and exit code 3. */
export async function readConfig(io: Pick<Io, "env">, configPath: string | undefined): Promise<ReadConfig> {
  const folder = stateFolder(io.env);
  const path = configPath ?? join(folder, "sallyport.yaml");
  const loaded = loadConfig(await textOf(path, configPath === undefined));
  if (loaded.kind === "refused") throw problems(loaded.problems.map((one) => ({ path, ...one })));
  const { config, digest, placeOf } = loaded;
  return { folder, path, config: fromFolder(config, dirname(path)), digest, placeOf };
}

/** Reads it all, the policies with it; mistakes are told as those of sallyport.yaml are. */
export async function readSetting(io: Io, configPath: string | undefined): Promise<Setting> {
  const read = await readConfig(io, configPath);
  const { folder, path, config, digest: configDigest } = read;
  const policyFiles = await policyPaths(io, config.policies, dirname(path));
  const files = await Promise.all(
    policyFiles.map(async (one): Promise<PolicyFile> => ({ path: one, text: await textOf(one, false) })),
  );
  const masking = await readMasking(io, config.masking, dirname(path));
  const known: Known = { tools, masks: [...masking.profiles.keys()], claims: config.claims };
  const policy = loadPolicy(files, known);
  if (policy.kind === "refused") throw problems(policy.problems);
  const digestWith = (policyDigest: string, maskingDigest: string): string =>
    createHash("sha256")
      .update(JSON.stringify([configDigest, policyDigest, maskingDigest, kubeconfigPaths(io, config)]))
      .digest("hex");
  const digest = digestWith(policy.policy.digest, masking.digest);
  return {
    folder,
    config,
    read,
    digest,
    digestWith,
    policy: policy.policy,
    masking,
    known,
    policyWarnings: policy.warnings,
    policyFiles,
  };
}

/** Relative paths count from the folder of sallyport.yaml, wherever a client starts the program. */
function fromFolder(config: Config, folder: string): Config {
  const { kubeconfig, http, issuers, tracing, slack, console: pages, webhooks } = config;
  const absolute = (path: string): string => (isAbsolute(path) ? path : join(folder, path));
  return {
    ...config,
    ...(kubeconfig === undefined ? {} : { kubeconfig: splitPaths(kubeconfig).map(absolute).join(":") }),
    ...(http === undefined
      ? {}
      : {
          http: {
            ...http,
            tokens: http.tokens.map((token) => ({ ...token, file: absolute(token.file) })),
            ...(http.operatorToken === undefined ? {} : { operatorToken: absolute(http.operatorToken) }),
            ...(http.tls === undefined
              ? {}
              : { tls: { certificate: absolute(http.tls.certificate), key: absolute(http.tls.key) } }),
          },
        }),
    issuers: issuers.map((one) =>
      one.kind === "service-account" || one.ca === undefined ? one : { ...one, ca: absolute(one.ca) },
    ),
    ...(slack === undefined
      ? {}
      : {
          slack: {
            ...slack,
            botToken: absolute(slack.botToken),
            ...(slack.appToken === undefined ? {} : { appToken: absolute(slack.appToken) }),
            ...(slack.signingSecret === undefined ? {} : { signingSecret: absolute(slack.signingSecret) }),
            ...(slack.client === undefined
              ? {}
              : { client: { ...slack.client, secret: absolute(slack.client.secret) } }),
          },
        }),
    ...(pages?.clientSecret === undefined ? {} : { console: { ...pages, clientSecret: absolute(pages.clientSecret) } }),
    exporters: config.exporters.map((one) => ({ ...one, ...absoluteFiles(one, absolute) })),
    transcript: {
      ...config.transcript,
      anchors: config.transcript.anchors.map((one) =>
        one.kind === "git"
          ? { ...one, repository: absolute(one.repository) }
          : { ...one, ...absoluteFiles(one, absolute) },
      ),
    },
    webhooks: webhooks.map((one) => ({ ...one, secret: absolute(one.secret) })),
    ...(tracing?.headersFile === undefined
      ? {}
      : { tracing: { ...tracing, headersFile: absolute(tracing.headersFile) } }),
  };
}

/** The settings of an export or an anchor that name files. */
function absoluteFiles(
  setting: { readonly kind: "file"; readonly path: string } | ({ readonly kind: "syslog" } & SyslogPlace),
  absolute: (path: string) => string,
): object {
  if (setting.kind === "file") return { path: absolute(setting.path) };
  const named = Object.entries({ ca: setting.ca, certificate: setting.certificate, key: setting.key });
  return Object.fromEntries(named.flatMap(([key, path]) => (path === undefined ? [] : [[key, absolute(path)]])));
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

/** `KUBECONFIG`'s files in their order, else `~/.kube/config`. */
export function kubeconfigPaths(io: Pick<Io, "env" | "home">, config: Config): readonly string[] {
  const paths = splitPaths(config.kubeconfig ?? io.env["KUBECONFIG"] ?? "");
  return paths.length > 0 ? paths : [join(io.home, ".kube", "config")];
}

export function splitPaths(listed: string): readonly string[] {
  return listed.split(":").filter((path) => path !== "");
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
