// `npm run bench`: the figures of one run, each against a floor of the same run and its goal; on a real kube-apiserver where its
// programs are there, else on the practice cluster, saying so.

import { mkdir, rm, writeFile } from "node:fs/promises";
import { loadavg } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { sallyport } from "../practice/gateway.ts";
import { openPractice, openReal, type Place } from "../practice/places.ts";
import { builtProgram } from "./built.ts";
import { ratioOf, tableOf, type Figure } from "./figures.ts";
import { listed, longLists } from "./lists.ts";
import { overHttp } from "./over-http.ts";
import { onTheLine } from "./on-the-line.ts";
import { startingUp } from "./starting-up.ts";

const { values } = parseArgs({
  options: {
    cluster: { type: "string", default: "real" },
    json: { type: "boolean", default: false },
    only: { type: "string" },
    help: { type: "boolean", short: "h", default: false },
  },
});
if (values.help) {
  process.stdout.write(`npm run bench -- [--cluster real|practice] [--only lists] [--json]

Measures reads, changes, long lists, start-up and memory against floors of the same run, in about two minutes. Uses a real
kube-apiserver where Go or KUBEBUILDER_ASSETS is there (its first build takes about five minutes more), else the practice cluster,
which has no long lists. --only lists measures these alone.
`);
  process.exit(0);
}

const say = (line: string): void => void process.stderr.write(`${line}\n`);
const begun = performance.now();
const folder = join(import.meta.dirname, "..", ".sallyport", `bench-${process.pid}`);
await mkdir(folder, { recursive: true, mode: 0o700 });
const loadBefore = loadavg();
try {
  const program = values.only === "lists" ? "" : await builtProgram(say);
  const { place, why } = await openPlace();
  try {
    const figures = await measure(place, program);
    report(place, why, figures);
  } finally {
    await place.stop();
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function openPlace(): Promise<{ place: Place; why: string }> {
  if (values.cluster === "practice") return { place: await openPractice(folder), why: "as asked" };
  const opened = await openReal(folder, say);
  if (opened.kind === "opened") return { place: opened.place, why: "" };
  return { place: await openPractice(folder), why: opened.why };
}

async function measure(place: Place, program: string): Promise<readonly Figure[]> {
  const env = { ...process.env, KUBECONFIG: place.kubeconfigPath };
  const homeOf = async (name: string): Promise<NodeJS.ProcessEnv> => {
    const home = join(folder, name);
    await mkdir(home, { mode: 0o700 });
    const most = "limits: { inFlight: 1000, callsPerMinute: 100000, bytesPerMinute: 1073741824 }";
    const lines = ["version: 1", `kubeconfig: ${JSON.stringify(place.kubeconfigPath)}`, most, ""];
    await writeFile(join(home, "sallyport.yaml"), lines.join("\n"));
    return { ...env, SALLYPORT_HOME: home };
  };
  say("Enrolling …");
  const own = await homeOf("line");
  const real = place.kind === "real";
  const namespaceObject = { apiVersion: "v1", kind: "Namespace", metadata: { name: listed } };
  if (real) await place.admin.create("/api/v1/namespaces", namespaceObject);
  const namespaces = ["shop-prod", "shop-dev", ...(real ? [listed] : [])].join(",");
  const enrolled = await sallyport(["enroll", "--namespace", namespaces, "--yes"], own);
  if (enrolled.code !== 0) throw new Error(`enroll failed: ${enrolled.output}`);
  const lists = async (): Promise<readonly Figure[]> => {
    if (!real) return [];
    say("Lists of 500 and of 5,000 pods, in this process …");
    return await longLists(await homeOf("lists"), place);
  };
  if (values.only === "lists") return await lists();
  say("Reads and changes, in this process …");
  const line = await onTheLine(own, place, folder);
  say("Start-up …");
  const startUp = await startingUp(program, await homeOf("start-up"));
  say("Reads and memory, through MCP over HTTP to a child …");
  const http = await overHttp(program, await homeOf("http"), line.bare);
  // Last: thousands of pods would lie in the way of the others.
  return [...line.figures, ...http, ...startUp, ...(await lists())];
}
function report(place: Place, why: string, figures: readonly Figure[]): void {
  const seconds = Math.round((performance.now() - begun) / 1000);
  const where =
    place.kind === "real"
      ? "a real kube-apiserver on loopback"
      : `the practice cluster, which is not Kubernetes (${why}): ratios to its bare GET mean little`;
  const load = { before: loadBefore.map(oneDigit), after: loadavg().map(oneDigit) };
  if (values.json) {
    const rows = figures.map((one) => ({ ...one, ratio: ratioOf(one) }));
    process.stdout.write(`${JSON.stringify({ cluster: place.kind, why, load, seconds, figures: rows }, null, 2)}\n`);
    return;
  }
  process.stdout.write(`
Measured on ${where}, which shares this machine's cores with what is measured.
Node ${process.versions.node}; load average ${load.before.join(" ")} before, ${load.after.join(" ")} after; ${seconds} s.

${tableOf(figures)}
Where NO stands: absolute times rise with the load above; look at the ratio and the note first, and run it again when the machine is idle.
`);
}

function oneDigit(value: number): number {
  return Number(value.toFixed(1));
}
