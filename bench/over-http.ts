// What a client on loopback HTTP sees of the built program as a child, what it lists, and what memory that takes.

import { spawnSync } from "node:child_process";
import { appendFile, readFile } from "node:fs/promises";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { startGateway } from "../practice/gateway.ts";
import { writeTokenFile } from "../src/identity/verifiers/index.ts";
import { atOnce, byTurns, median, percentile, round, timed, times } from "./clock.ts";
import type { Figure } from "./figures.ts";
import type { BareTimes } from "./on-the-line.ts";

const reads = 10_000;
/** Milliseconds for all of them: a busy machine makes fewer, and says how many. */
const longest = 180_000;

export async function overHttp(program: string, env: NodeJS.ProcessEnv, bare: BareTimes): Promise<readonly Figure[]> {
  const home = env["SALLYPORT_HOME"] ?? "";
  const file = join(home, "agent.token");
  const token = await writeTokenFile(file, (count) => randomBytes(count));
  await appendFile(
    join(home, "sallyport.yaml"),
    `http:\n  port: 0\n  tokens:\n    - { file: ${JSON.stringify(file)}, subject: bench, kind: agent }\n`,
  );
  const gateway = await startGateway(env, new AbortController().signal, program);
  try {
    const client = new Client({ name: "bench", version: "1.0.0" });
    const headers = { Authorization: `Bearer ${token}` };
    await client.connect(new StreamableHTTPClientTransport(new URL(gateway.url), { requestInit: { headers } }));
    const { tools } = await client.listTools();
    await pause(1000);
    const idle = await residentOf(gateway.pid);
    const read = async (): Promise<void> => {
      const answer = await client.callTool({
        name: "objects_get",
        arguments: { kind: "Deployment", namespace: "shop-prod", name: "api", view: "full" },
      });
      if (answer.isError === true) throw new Error(`a read failed: ${JSON.stringify(answer.content)}`);
    };
    const [readTimes = []] = await byTurns(200, [read]);
    const [crowd = []] = await byTurns(4, [() => atOnce(100, read)]);
    // Memory is compared with itself: the first half is the second one's warm-up.
    let first = 0;
    const half = await timed(async () => (first = await times(reads / 2, longest / 2, 16, read)));
    const middle = await residentOf(gateway.pid);
    const made = first + (await times(reads / 2, longest / 2, 16, read));
    const end = await residentOf(gateway.pid);
    await client.close();
    const bytes = Buffer.byteLength(JSON.stringify({ tools }));
    const ms = { unit: "ms", goal: "", reached: null } as const;
    return [
      {
        ...ms,
        figure: "governed read through MCP over HTTP, p50",
        measured: median(readTimes),
        floor: bare.get,
        note: `the client's own work among it; p95 ${round(percentile(readTimes, 0.95))} ms`,
      },
      {
        ...ms,
        figure: "100 parallel governed reads through MCP over HTTP",
        measured: median(crowd),
        floor: bare.parallel,
        note: `sustained with 16 under way: ${round((first / half) * 1000, 0)} calls/s, client and gateway on the same cores`,
      },
      {
        figure: "memory idle (resident)",
        measured: idle,
        unit: "MiB",
        floor: null,
        goal: "<= 110 MiB",
        reached: idle <= 110,
        note: "",
      },
      {
        figure: `memory after ${made} calls (resident)`,
        measured: end,
        unit: "MiB",
        floor: null,
        goal: "<= 160 MiB",
        reached: end <= 160,
        note: `${round(middle, 0)} MiB after the first half of them; the process holds V8's young generation at 16 MiB`,
      },
      {
        figure: `tools/list, ${tools.length} tools`,
        measured: bytes,
        unit: "bytes",
        floor: null,
        goal: "<= 16 kB",
        reached: bytes <= 16_000,
        note: "",
      },
    ];
  } finally {
    await gateway.stop();
  }
}

/** MiB of memory that the process holds (proc(5), VmRSS; elsewhere ps). */
async function residentOf(pid: number): Promise<number> {
  if (process.platform === "linux") {
    const kilobytes = /VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, "utf8"))?.[1];
    return Number(kilobytes) / 1024;
  }
  return Number(spawnSync("ps", ["-o", "rss=", "-p", String(pid)], { encoding: "utf8" }).stdout) / 1024;
}
