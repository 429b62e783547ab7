// `npm run bench:door`: what the HTTP door costs: checking a token, listing the tools, and governed reads a core against the same reads over stdio.

import { randomBytes } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { loadavg } from "node:os";
import { join } from "node:path";
import { sallyport, startGateway } from "../practice/gateway.ts";
import { openPractice, type Place } from "../practice/places.ts";
import { writeTokenFile } from "../src/identity/verifiers/index.ts";
import { builtProgram } from "./built.ts";
import { byTurns, median, percentile, perSecond, round } from "./clock.ts";
import { ratioOf, tableOf, type Figure } from "./figures.ts";
import { tokenChecks } from "./tokens.ts";
import { coreSeconds, httpWire, openEcho, poster, stdioWire, type Wire } from "./wires.ts";

const atATime = 16;
/** Milliseconds of one turn, and turns of each wire. */
const [turn, turns] = [3_000, 3];

const say = (line: string): void => void process.stderr.write(`${line}\n`);
const folder = join(import.meta.dirname, "..", ".sallyport", `bench-door-${process.pid}`);
await mkdir(folder, { recursive: true, mode: 0o700 });
const before = loadavg();
try {
  say("Token checks …");
  const tokens = await tokenChecks();
  const program = await builtProgram(say);
  const place = await openPractice(folder);
  try {
    report([...tokens, ...(await throughTheDoor(program, place))]);
  } finally {
    await place.stop();
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function throughTheDoor(program: string, place: Place): Promise<readonly Figure[]> {
  const [overHttp, overStdio] = [await homeOf("http", place), await homeOf("stdio", place)];
  say("Enrolling …");
  const enrolled = await sallyport(["enroll", "--namespace", "shop-prod,shop-dev", "--yes"], overHttp.env);
  if (enrolled.code !== 0) throw new Error(`enroll failed: ${enrolled.output}`);
  const gateway = await startGateway(overHttp.env, new AbortController().signal, program);
  const http = httpWire(gateway.url, overHttp.token, atATime);
  try {
    say("tools/list …");
    const listing = await listFigure(http);
    say("Governed reads, over stdio and over HTTP by turns …");
    const stdio = await stdioWire(program, overStdio.env);
    try {
      return [listing, ...(await readFigures({ wire: stdio, pid: stdio.pid }, { wire: http, pid: gateway.pid }))];
    } finally {
      await stdio.stop();
    }
  } finally {
    await http.stop();
    await gateway.stop();
  }
}

/** A state folder of its own, whose caller may ask as much as it can. */
async function homeOf(
  name: string,
  place: Place,
): Promise<{ readonly env: NodeJS.ProcessEnv; readonly token: string }> {
  const home = join(folder, name);
  await mkdir(home, { mode: 0o700 });
  const file = join(home, "agent.token");
  const token = await writeTokenFile(file, (count) => randomBytes(count));
  const lines = [
    "version: 1",
    `kubeconfig: ${JSON.stringify(place.kubeconfigPath)}`,
    "limits: { inFlight: 1000, callsPerMinute: 100000, bytesPerMinute: 1073741824 }",
    `http: { port: 0, tokens: [{ file: ${JSON.stringify(file)}, subject: bench, kind: agent }] }`,
  ];
  await writeFile(join(home, "sallyport.yaml"), `${lines.join("\n")}\n`);
  return { env: { ...process.env, KUBECONFIG: place.kubeconfigPath, SALLYPORT_HOME: home }, token };
}

async function listFigure(http: Wire): Promise<Figure> {
  const answer = await http.ask("tools/list", {});
  const echo = await openEcho(Buffer.byteLength(answer));
  const bare = poster(echo.url, 1);
  try {
    const asked = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list", params: {} });
    const [own = [], floor = []] = await byTurns(3_000, [() => http.ask("tools/list", {}), () => bare.send(asked)]);
    return {
      figure: "tools/list over HTTP, p50",
      measured: median(own),
      unit: "ms",
      floor: median(floor),
      goal: "< 3 ms",
      reached: median(own) < 3,
      note: `p95 ${round(percentile(own, 0.95))} ms; ${Buffer.byteLength(answer)} bytes; the floor is a bare POST to another node:http process that answers as many`,
    };
  } finally {
    bare.stop();
    echo.stop();
  }
}

interface Measured {
  readonly wire: Wire;
  readonly pid: number;
}

/** The same read over both wires by turns; what a core does is told by the gateway's own time on it, whoever else is busy. */
async function readFigures(stdio: Measured, http: Measured): Promise<readonly Figure[]> {
  const read = {
    name: "objects_get",
    arguments: { kind: "Deployment", namespace: "shop-prod", name: "api", view: "full" },
  };
  const sums = [stdio, http].map((one) => ({ ...one, calls: 0, took: 0, core: 0 }));
  for (let at = -1; at < turns; at++)
    for (const one of sums) {
      const begun = await coreSeconds(one.pid);
      const { calls, took } = await perSecond(at < 0 ? turn / 2 : turn, atATime, () =>
        one.wire.ask("tools/call", read),
      );
      const ended = await coreSeconds(one.pid);
      // The first turn is the warm-up.
      if (at < 0) continue;
      one.calls += calls;
      one.took += took / 1000;
      one.core += (ended ?? Number.NaN) - (begun ?? Number.NaN);
    }
  const [line, door] = sums.map((one) => ({ rate: one.calls / one.took, aCore: one.calls / one.core, of: one }));
  if (line === undefined || door === undefined) throw new Error("nothing was measured");
  const shared = { unit: "calls/s", goal: "", reached: null } as const;
  return [
    {
      ...shared,
      figure: `governed reads a core over HTTP, ${atATime} under way`,
      measured: door.aCore,
      floor: line.aCore,
      note: `the floor is the same over stdio; ${round(1000 / door.aCore)} ms of a core a read over HTTP, ${round(1000 / line.aCore)} ms over stdio`,
    },
    {
      ...shared,
      figure: "governed reads a second over HTTP, as the machine was",
      measured: door.rate,
      floor: line.rate,
      note: `${door.of.calls} and ${line.of.calls} reads; client, practice cluster and gateway share the cores`,
    },
  ];
}

function report(figures: readonly Figure[]): void {
  const after = loadavg();
  const told = (load: readonly number[]): string => load.map((one) => one.toFixed(1)).join(" ");
  if (process.argv.includes("--json")) {
    const rows = figures.map((one) => ({ ...one, ratio: ratioOf(one) }));
    process.stdout.write(`${JSON.stringify({ load: { before, after }, figures: rows }, null, 2)}\n`);
    return;
  }
  process.stdout.write(`
Measured against the practice cluster, on loopback. Node ${process.versions.node}; load average ${told(before)} before, ${told(after)} after.

${tableOf(figures)}
Where NO stands: absolute times rise with the load above; look at the ratio first, and run it again when the machine is idle.
`);
}
