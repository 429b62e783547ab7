// `npm start`: a cluster to try things out on, a gateway on loopback, and a short story that a real MCP client plays through it. Long because it is a program of its own: options, both kinds of start, and their end.

import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { randomBytes } from "node:crypto";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline/promises";
import { isatty } from "node:tty";
import { parseArgs } from "node:util";
import { writeTokenFile } from "../src/identity/verifiers/index.ts";
import { sallyport, startGateway } from "./gateway.ts";
import { enrollOwn, leaveOwn, openOwn, playOwn } from "./own.ts";
import { openPractice, openReal, type Place } from "./places.ts";
import { playShop, type StoryOptions, type Teller } from "./story.ts";

const help = `npm start -- [--cluster practice|real | --kubeconfig PATH] [--port NUMBER]

Starts a cluster and a gateway on loopback, and plays a short story through a real MCP client.

  --cluster practice  a small API server of our own, loudly not Kubernetes (the default)
  --cluster real      a real kube-apiserver, built once with Go (about five minutes) or from KUBEBUILDER_ASSETS
  --kubeconfig PATH   your own cluster: asks at this terminal before it installs or changes anything
  --port NUMBER       the gateway's port (default: 7843, or a free one where that is taken)

In a terminal you approve the change yourself and it stays up for your own client; else it ends with exit code 0,
or 1 if any step went otherwise.
`;
const defaultPort = 7843;

/** Ends the start with a sentence. */
class Ended extends Error {
  override readonly name = "Ended";
  readonly code: number;
  constructor(sentence: string, code: number) {
    super(sentence);
    this.code = code;
  }
}

const colour = isatty(1) && process.env["NO_COLOR"] === undefined;
const interactive = isatty(0) && isatty(1);
const paint = (code: number, text: string): string => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const stopping = new AbortController();
// Not once: a terminal's Ctrl-C comes a second time from the program that started this one.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => stopping.abort());
/** What has to be ended, last begun first. */
const endings: (() => Promise<unknown>)[] = [];
const root = join(import.meta.dirname, "..");
const folder = join(root, ".sallyport", `practice-${process.pid}`);
const teller: Teller = { say, paint, ask: interactive ? ask : null };

let [code, played] = [1, false];
/** Said at the end, however it came: what this start has left in a cluster that is not ours. */
let leftBehind = "";
try {
  const interrupted = new Promise<never>((_, reject) =>
    stopping.signal.addEventListener("abort", () => reject(new Ended("Stopped.", 130)), { once: true }),
  );
  code = await Promise.race([start(), interrupted]);
} catch (thrown) {
  // Once the story is over, Ctrl-C is how it ends.
  code = played ? 0 : thrown instanceof Ended ? thrown.code : 1;
  process.stderr.write(`${thrown instanceof Error ? thrown.message : String(thrown)}\n`);
}
if (leftBehind !== "") say(leftBehind);
// Whatever hangs while it is ended must not keep the terminal.
setTimeout(() => process.exit(code), 15_000).unref();
for (const end of endings.toReversed()) await Promise.allSettled([end()]);
process.exit(code);

async function start(): Promise<number> {
  const asked = options();
  if (asked.kubeconfig !== undefined && !interactive)
    throw new Ended(
      `npm start -- --kubeconfig asks before it installs or changes anything in your cluster, and nobody is at this terminal.
Run it in a terminal, or these one by one:
  KUBECONFIG=${asked.kubeconfig} node dist/main.js doctor
  KUBECONFIG=${asked.kubeconfig} node dist/main.js enroll --namespace NAME --print
  KUBECONFIG=${asked.kubeconfig} node dist/main.js enroll --namespace NAME`,
      2,
    );
  await removeLeftovers();
  const home = join(folder, "home");
  await mkdir(home, { recursive: true, mode: 0o700 });
  endings.push(() => rm(folder, { recursive: true, force: true }));
  return asked.kubeconfig === undefined
    ? await onAShop(asked.cluster, home, asked.port)
    : await onTheirOwn(resolve(asked.kubeconfig), home, asked.port);
}

function options() {
  try {
    const { values } = parseArgs({
      options: {
        cluster: { type: "string" },
        kubeconfig: { type: "string" },
        port: { type: "string" },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    if (values.help) {
      process.stdout.write(help);
      process.exit(0);
    }
    const { cluster = "practice", port } = values;
    if (cluster !== "practice" && cluster !== "real") throw new TypeError("--cluster takes practice or real.");
    if (values.cluster !== undefined && values.kubeconfig !== undefined)
      throw new TypeError("--cluster and --kubeconfig exclude each other.");
    if (port !== undefined && !(/^\d{1,5}$/.test(port) && Number(port) <= 65_535))
      throw new TypeError("--port takes a number from 0 to 65535.");
    return { cluster, kubeconfig: values.kubeconfig, port: port === undefined ? null : Number(port) } as const;
  } catch (thrown) {
    throw new Ended(`${thrown instanceof Error ? thrown.message : String(thrown)}\n\n${help}`, 2);
  }
}

/** The shop's story, on the practice cluster or on a real control plane. */
async function onAShop(cluster: "practice" | "real", home: string, port: number | null): Promise<number> {
  say(paint(1, "Sallyport, tried out"));
  const opening = cluster === "real" ? openReal(folder, say) : opened(openPractice(folder));
  endings.push(async () => {
    const found = await opening;
    if (found.kind === "opened") await found.place.stop();
  });
  const found = await opening;
  if (found.kind === "impossible")
    throw new Ended(
      `A real kube-apiserver can't be started here: ${found.why}. Install Go 1.26 or later, or set KUBEBUILDER_ASSETS to a folder with etcd and kube-apiserver; npm start alone uses the practice cluster.`,
      1,
    );
  const { place } = found;
  say(
    place.kind === "practice"
      ? "The practice cluster is a small API server of our own. It is not Kubernetes; npm start -- --cluster real and npm test use the real one.\n"
      : "A real kube-apiserver without nodes: pods stay Pending and have no logs.\n",
  );
  say(`cluster   ${place.server}`);
  const { env, agentToken } = await configure(home, place.kubeconfigPath, port);
  say("Enrolling …");
  const enrolled = await sallyport(["enroll", "--namespace", "shop-prod,shop-dev", "--yes"], env);
  if (enrolled.code !== 0) throw new Ended(`enroll failed:\n${enrolled.output}`, 1);
  say("enrolled  shop-prod, shop-dev (accounts, roles and fences; sallyport enroll --print shows them)");
  const url = await openGateway(env);
  const look = async (path: string): Promise<number> => (await place.admin.send("GET", path)).status;
  const story: StoryOptions = { url, home, env, agentToken, planted: place.planted, look, teller };
  return await after(await playShop(story), story);
}

async function opened(place: Promise<Place>): Promise<{ kind: "opened"; place: Place }> {
  return { kind: "opened", place: await place };
}

async function onTheirOwn(kubeconfig: string, home: string, port: number | null): Promise<number> {
  say(paint(1, "Sallyport, tried out on your own cluster"));
  say("Nothing is installed or changed there before you say so here.\n");
  const cluster = await openOwn(kubeconfig);
  endings.push(() => cluster.close());
  const { env, agentToken } = await configure(home, kubeconfig, port);
  const enrolled = await enrollOwn(cluster, ask, env);
  if (enrolled === null) throw new Ended("Not enrolled, so there is nothing to play; nothing was started.", 0);
  const { namespace, before } = enrolled;
  leftBehind = `${namespace} stays enrolled: KUBECONFIG=${kubeconfig} node dist/main.js unenroll${before ? ` --namespace ${namespace}` : ""} takes it away.`;
  const url = await openGateway(env);
  const story: StoryOptions = { url, home, env, agentToken, planted: [], look: (path) => cluster.look(path), teller };
  const ended = await after(await playOwn(story, namespace), story);
  const left = before ? null : await leaveOwn(ask, env);
  if (left !== null) leftBehind = left;
  return ended;
}

/** Two local bearer tokens and the configuration that names them; the gateway's settings come from here alone. */
async function configure(
  home: string,
  kubeconfig: string,
  port: number | null,
): Promise<{ env: NodeJS.ProcessEnv; agentToken: string }> {
  const random = (count: number): Uint8Array => randomBytes(count);
  const files = { agent: join(home, "agent.token"), approver: join(home, "approver.token") };
  const agentToken = await writeTokenFile(files.agent, random);
  await writeTokenFile(files.approver, random);
  await writeFile(
    join(home, "sallyport.yaml"),
    `version: 1
mode: multi-user
kubeconfig: ${JSON.stringify(kubeconfig)}
http:
  port: ${port ?? ((await isFree(defaultPort)) ? defaultPort : 0)}
  tokens:
    - { file: ${JSON.stringify(files.agent)}, subject: agent, kind: agent, groups: [agents] }
    - { file: ${JSON.stringify(files.approver)}, subject: approver, kind: person, groups: [approvers] }
`,
    { mode: 0o600 },
  );
  const { SALLYPORT_TOKEN_FILE: _, ...env } = process.env;
  return { env: { ...env, SALLYPORT_HOME: home, KUBECONFIG: kubeconfig }, agentToken };
}

async function openGateway(env: NodeJS.ProcessEnv): Promise<string> {
  const starting = startGateway(env, stopping.signal);
  endings.push(async () => await (await starting).stop());
  const { url } = await starting;
  say(`gateway   ${url}`);
  say(`state     ${env["SALLYPORT_HOME"] ?? ""}\n`);
  return url;
}

/** Says what went otherwise; in a terminal and without that, stays up until it is interrupted. */
async function after(failed: readonly string[], { url, home }: StoryOptions): Promise<number> {
  for (const step of failed) say(paint(31, `went otherwise: ${step}`));
  if (failed.length > 0) return 1;
  say("\nAll steps went as they should.");
  if (!interactive) return 0;
  played = true;
  const token = join(home, "agent.token");
  say(`
${paint(1, "It stays up for your own client")} until you press Enter or Ctrl-C. In another terminal:

  claude mcp add --transport http sallyport ${url} --header "Authorization: Bearer $(cat ${token})"

  ~/.cursor/mcp.json:
  { "mcpServers": { "sallyport": { "url": "${url}", "headers": { "Authorization": "Bearer <the text of ${token}>" } } } }

To answer its requests as the approver:

  cd ${root}
  SALLYPORT_HOME=${home} SALLYPORT_TOKEN_FILE=${join(home, "approver.token")} ${process.execPath} src/main.ts approvals watch
`);
  await ask("");
  return 0;
}

async function ask(question: string): Promise<string> {
  const asking = createInterface({ input: process.stdin, output: process.stdout });
  // A readline takes Ctrl-C for itself.
  asking.on("SIGINT", () => stopping.abort());
  try {
    return await asking.question(question, { signal: stopping.signal });
  } finally {
    asking.close();
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((tell) => {
    const server = createServer();
    server.once("error", () => tell(false));
    server.listen(port, "127.0.0.1", () => server.close(() => tell(true)));
  });
}

/** Folders of starts that were killed: their processes are no more. */
async function removeLeftovers(): Promise<void> {
  const parent = join(root, ".sallyport");
  await mkdir(parent, { recursive: true, mode: 0o700 });
  for (const name of await readdir(parent)) {
    const pid = /^(?:practice|bench)-(\d+)$/.exec(name)?.[1];
    if (pid !== undefined && !isRunning(Number(pid))) await rm(join(parent, name), { recursive: true, force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === "EPERM";
  }
}
