// `npm start`: a practice cluster, a gateway on loopback, and a short story that a real MCP client plays through it.

import { mkdir, rm, writeFile } from "node:fs/promises";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { createInterface } from "node:readline/promises";
import { parseArgs } from "node:util";
import { writeTokenFile } from "../src/identity/verifiers/index.ts";
import { seedStory, startPracticeCluster } from "./cluster/index.ts";
import { startGateway, sallyport } from "./gateway.ts";
import { playStory, type Teller } from "./story.ts";

const { values } = parseArgs({
  options: {
    cluster: { type: "string", default: "practice" },
    kubeconfig: { type: "string" },
    port: { type: "string", default: "7843" },
    help: { type: "boolean", short: "h", default: false },
  },
});
if (values.help) {
  process.stdout.write(`npm start -- [--port NUMBER]

Starts the practice cluster and a gateway on loopback, and plays a short story through a real MCP client.
In a terminal you approve the change yourself and it stays up for your own client; else it ends with exit code 0,
or 1 if any step went otherwise.
`);
  process.exit(0);
}

const interactive = Boolean(process.stdin.isTTY) && Boolean(process.stdout.isTTY);
const colour = Boolean(process.stdout.isTTY) && process.env["NO_COLOR"] === undefined;
const folder = join(import.meta.dirname, "..", ".sallyport", "practice");
const paint = (code: number, text: string): string => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const stopping = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stopping.abort());

await rm(folder, { recursive: true, force: true });
await mkdir(folder, { recursive: true, mode: 0o700 });
const home = join(folder, "home");
await mkdir(home, { mode: 0o700 });

say(paint(1, "Sallyport, tried out on a practice cluster"));
say("The practice cluster is a small API server of our own. It is not Kubernetes; npm test uses the real one.\n");
const story = seedStory();
await mkdir(join(folder, "cluster"), { mode: 0o700 });
const cluster = await startPracticeCluster({ folder: join(folder, "cluster"), seed: story.manifests });
say(`practice cluster  ${cluster.server}`);

const tokens = { agent: join(home, "agent.token"), approver: join(home, "approver.token") };
const agentToken = await writeTokenFile(tokens.agent, (count) => randomBytes(count));
const approverToken = await writeTokenFile(tokens.approver, (count) => randomBytes(count));
await writeFile(
  join(home, "sallyport.yaml"),
  `version: 1
mode: multi-user
kubeconfig: ${JSON.stringify(cluster.kubeconfigPath)}
http:
  port: ${Number(values.port)}
  tokens:
    - { file: ${JSON.stringify(tokens.agent)}, subject: agent, kind: agent, groups: [agents] }
    - { file: ${JSON.stringify(tokens.approver)}, subject: approver, kind: person, groups: [approvers] }
`,
  { mode: 0o600 },
);
const env = { ...process.env, SALLYPORT_HOME: home, KUBECONFIG: cluster.kubeconfigPath };
const enrolled = await sallyport(["enroll", "--namespace", "shop-prod,shop-dev", "--yes"], env);
if (enrolled.code !== 0) {
  say(enrolled.output);
  await cluster.stop();
  process.exit(1);
}
say("enrolled          shop-prod, shop-dev (accounts, roles and fences; sallyport enroll --print shows them)");
const gateway = await startGateway(env);
say(`gateway           ${gateway.url}\n`);

const teller: Teller = {
  say,
  paint,
  ask: interactive
    ? async (question) => {
        const asking = createInterface({ input: process.stdin, output: process.stdout });
        try {
          return await asking.question(question, { signal: stopping.signal });
        } finally {
          asking.close();
        }
      }
    : null,
};
const failed = await playStory({
  url: gateway.url,
  home,
  env,
  agentToken,
  approverToken,
  planted: story.planted,
  teller,
});
if (failed.length > 0) for (const step of failed) say(paint(31, `went otherwise: ${step}`));

if (interactive && failed.length === 0 && !stopping.signal.aborted) {
  say(`
${paint(1, "It stays up for your own client")} (Ctrl-C ends it). In another terminal:

  claude mcp add --transport http sallyport ${gateway.url} --header "Authorization: Bearer $(cat ${tokens.agent})"

  ~/.cursor/mcp.json:
  { "mcpServers": { "sallyport": { "url": "${gateway.url}", "headers": { "Authorization": "Bearer <the text of ${tokens.agent}>" } } } }

To answer its requests as the approver:

  SALLYPORT_HOME=${home} SALLYPORT_TOKEN_FILE=${tokens.approver} node src/main.ts approvals watch
`);
  await new Promise<void>((resolve) => stopping.signal.addEventListener("abort", () => resolve(), { once: true }));
}
await gateway.stop();
await cluster.stop();
process.exitCode = failed.length === 0 ? 0 : 1;
