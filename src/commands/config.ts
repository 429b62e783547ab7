// `sallyport config`: the block that an MCP client needs, what is wrong with sallyport.yaml before anything starts, and its JSON Schema.

import { realpath } from "node:fs/promises";
import { delimiter, dirname, isAbsolute, join, resolve } from "node:path";
import { Argument, Command } from "commander";
import { blockFor, clients, type ClientName, type Way } from "../config/clients.ts";
import { configJsonSchema } from "../config/json-schema.ts";
import type { Config } from "../config/schema.ts";
import { checkConfig, textOfFindings } from "./config-check.ts";
import { CommandFailed, stateFolder, type Io } from "./io.ts";
import { readConfig } from "./setting.ts";

interface PrintFlags {
  readonly config?: string;
  readonly http?: string | true;
  readonly tokenEnv?: string;
}

/** The command with its sub-commands. Throws `CommandFailed`: 2 for what can't be printed, 3 where the configuration has a problem. */
export function configCommand(io: Io): Command {
  const config = new Command("config")
    .description("print what an MCP client needs, check sallyport.yaml, print its JSON Schema")
    .configureOutput({ writeOut: io.out, writeErr: io.err })
    .exitOverride();
  config
    .command("print")
    .description("print the configuration block of one MCP client; where it goes is said on standard error")
    .addArgument(new Argument("<client>", "which client").choices(clients))
    .option(
      "--http [url]",
      "over HTTP, at this address (default: that of sallyport.yaml), instead of starting a program",
    )
    .option("--token-env <name>", "with --http: the environment variable that will hold the bearer token")
    .option("--config <path>", "sallyport.yaml (default: in the state folder)")
    .action(async (client: ClientName, flags: PrintFlags) => {
      const { text, notes } = blockFor(client, await wayOf(io, client, flags));
      io.out(text);
      io.err(notes.map((note) => `${note}\n`).join(""));
    });
  config
    .command("check")
    .description("read sallyport.yaml and every file that it names, start nothing, call nobody")
    .option("--config <path>", "sallyport.yaml (default: in the state folder)")
    .option("--json", "print the findings as JSON")
    .addHelpText("after", "\nExit code 0 when nothing is wrong, 3 when something is.\n")
    .action(async (flags: { config?: string; json?: boolean }) => {
      const findings = await checkConfig(io, flags.config);
      io.out(flags.json === true ? `${JSON.stringify(findings, null, 2)}\n` : textOfFindings(findings));
      const wrong = findings.filter(({ result }) => result === "failed").length;
      if (wrong > 0) throw new CommandFailed(`${wrong} of ${findings.length} checks failed.`, 3);
    });
  config
    .command("schema")
    .description("print the JSON Schema of sallyport.yaml, for editors")
    .action(() => io.out(`${JSON.stringify(configJsonSchema(), null, 2)}\n`));
  return config;
}

async function wayOf(io: Io, client: ClientName, flags: PrintFlags): Promise<Way> {
  const { config } = await readConfig(io, flags.config);
  const patience = (config.hold + config.deadline + 15) * 1000;
  if (flags.http === undefined) {
    if (flags.tokenEnv !== undefined) throw new CommandFailed("--token-env goes with --http.", 2);
    const { command, args } = await startOf(io, client);
    const more = flags.config === undefined ? [] : ["serve", "--config", resolve(flags.config)];
    return { kind: "stdio", command, args: [...args, ...more], env: environmentOf(io, client, config), patience };
  }
  const url = flags.http === true ? ownUrl(config) : givenUrl(flags.http);
  if (client === "claude-desktop" && isLoopback(url))
    throw new CommandFailed(
      "Claude Desktop calls addresses from Anthropic's network, never one of this machine. Leave --http out: the program that it starts relays to the gateway that runs on the same state folder.",
      2,
    );
  return { kind: "http", url: url.href, tokenEnv: tokenEnvOf(config, flags.tokenEnv), patience };
}

/** The variable that holds the token: where nobody issues tokens by OAuth, a client can't fetch one. */
function tokenEnvOf({ issuers, http }: Config, named: string | undefined): string | null {
  if (named !== undefined && !/^[A-Za-z_][A-Za-z0-9_]{0,99}$/.test(named))
    throw new CommandFailed("--token-env takes the name of an environment variable, never a token.", 2);
  if (named !== undefined) return named;
  const byOAuth = issuers.some(({ kind }) => kind === "oidc");
  return !byOAuth && (issuers.length > 0 || (http?.tokens ?? []).length > 0) ? "SALLYPORT_TOKEN" : null;
}

function ownUrl({ http }: Config): URL {
  const told = "say which: --http http://127.0.0.1:7843/mcp";
  if (http === undefined) throw new CommandFailed(`sallyport.yaml has no http: ${told}`, 2);
  if (http.url !== undefined) return givenUrl(http.url);
  if (http.port === 0) throw new CommandFailed(`http.port is 0, another one at each start: ${told}`, 2);
  if (["0.0.0.0", "::"].includes(http.host)) throw new CommandFailed("http.host is every address: set http.url.", 2);
  const host = http.host.includes(":") ? `[${http.host}]` : http.host;
  return givenUrl(`${http.tls === undefined ? "http" : "https"}://${host}:${http.port}/mcp`);
}

function givenUrl(text: string): URL {
  const url = URL.parse(text);
  if (url === null || !["http:", "https:"].includes(url.protocol))
    throw new CommandFailed("--http takes an address that begins with http:// or https://.", 2);
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "")
    throw new CommandFailed("The address must have no user, password, parameters or fragment: they end up in logs.", 2);
  if (url.protocol === "http:" && !isLoopback(url))
    throw new CommandFailed(`Over http to ${url.hostname} everybody on the way could read the token: use https.`, 2);
  return url;
}

function isLoopback({ hostname }: URL): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127(\.\d+){3}$/.test(hostname);
}

/**
 * How the client can start this same program again. Run by npx the file lies in a cache that npm may empty, so npx is
 * said once more; else the very interpreter and file, absolute: programs with a window of their own have no PATH of a shell.
 */
async function startOf(
  io: Io,
  client: ClientName,
): Promise<{ readonly command: string; readonly args: readonly string[] }> {
  const { node, file } = io.launched;
  if (!isFleeting(file)) return { command: await nameOfNode(io, node), args: [file] };
  const args = ["-y", `sallyport@${io.version}`];
  return { command: client === "claude-desktop" ? join(dirname(await nameOfNode(io, node)), "npx") : "npx", args };
}

const isFleeting = (file: string): boolean => /[\\/](_npx|dlx-[^\\/]*|dlx)[\\/]/.test(file);

/** The name in PATH that leads to this interpreter outlives its next upgrade; the path behind it often has a version in it. */
async function nameOfNode(io: Io, node: string): Promise<string> {
  const real = async (path: string): Promise<string | null> => await realpath(path).catch(() => null);
  const own = await real(node);
  for (const folder of pathOf(io))
    if (own !== null && (await real(join(folder, "node"))) === own) return join(folder, "node");
  return node;
}

const pathOf = ({ env }: Io): readonly string[] =>
  (env["PATH"] ?? "").split(delimiter).filter((one) => isAbsolute(one));

/** What the program reads of this shell's environment, so that it is the same gateway where the client starts it. */
function environmentOf(io: Io, client: ClientName, config: Config): { readonly [name: string]: string } {
  const { env } = io;
  const kubeconfig = (env["KUBECONFIG"] ?? "").split(delimiter).filter((one) => one !== "");
  return {
    ...(env["SALLYPORT_HOME"] || env["XDG_STATE_HOME"] ? { SALLYPORT_HOME: resolve(stateFolder(env)) } : {}),
    ...(config.kubeconfig === undefined && kubeconfig.length > 0
      ? { KUBECONFIG: kubeconfig.map((one) => resolve(one)).join(delimiter) }
      : {}),
    // npx needs node, and credential plugins of kubeconfigs are looked for by name.
    ...(client === "claude-desktop" && pathOf(io).length > 0 ? { PATH: pathOf(io).join(delimiter) } : {}),
  };
}
