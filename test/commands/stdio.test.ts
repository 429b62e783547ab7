// `sallyport` without flags, as an MCP client starts it: single-user, on a cluster that is not enrolled.

import { spawn } from "node:child_process";
import { Client as V2Client } from "@modelcontextprotocol/client";
import { StdioClientTransport as V2Transport } from "@modelcontextprotocol/client/stdio";
import { Client as V1Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport as V1Transport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { afterAll, beforeAll, expect } from "vitest";
import { at } from "../../src/domain/json.ts";
import { promise } from "../support/promise.ts";
import { runCommand } from "../support/world.ts";
import { main, openPlace, type Place } from "./place.ts";

let place: Place;
beforeAll(async () => {
  place = await openPlace();
});
afterAll(async () => {
  await place.stop();
});

const starting = (env: Record<string, string>) => ({
  command: process.execPath,
  args: [main],
  env,
  stderr: "ignore" as const,
});

const linesOf = (answer: object): string[] =>
  (answer as { content: [{ text: string }] }).content[0].text
    .split("\n")
    .map((line) => line.replace(/call_[0-9a-f-]{36}/, "call_…"));

const listing = { name: "objects_list", arguments: { kind: "deployments", namespace: "shop-dev" } };
const scaling = {
  name: "workloads_scale",
  arguments: { kind: "Deployment", namespace: "shop-dev", name: "api", replicas: 2, reason: "trying without a grant" },
};

promise("commands:stdio", "both clients: reads are served and say with whose credential, changes are not", async () => {
  const env = place.env("stdio");
  const older = new V1Client({ name: "v1-test", version: "1" });
  await older.connect(new V1Transport(starting(env)));
  try {
    const answers = [linesOf(await older.callTool(listing)), linesOf(await older.callTool(scaling))];
    await older.close();
    const newer = new V2Client({ name: "v2-test", version: "2" });
    await newer.connect(new V2Transport(starting(env)));
    try {
      expect([linesOf(await newer.callTool(listing)), linesOf(await newer.callTool(scaling))]).toEqual(answers);
      expect((await newer.listTools()).tools.length).toBeGreaterThan(5);
    } finally {
      await newer.close();
    }
    const [read = [], changed = []] = answers;
    expect([read[0], read.at(-1)]).toEqual([
      "1 deployments in shop-dev. Rows 1-1 of 1, problems first.",
      "call call_… - effect none - with the kubeconfig's own credential, none was made for this call",
    ]);
    expect(changed).toEqual([
      "ERROR preview_unavailable: The change could not be rehearsed: nobody knows what it would do. Nothing was run.",
      "it would need sallyport enroll",
      "next: tell the user what it would need, which only an administrator of the cluster can add. Until then it ends like this.",
      "call call_… - effect none - retry later",
    ]);
    const api = await place.admin.send("GET", "/apis/apps/v1/namespaces/shop-dev/deployments/api");
    expect(at(api.body, "spec", "replicas")).toBe(1);
  } finally {
    await older.close();
  }
});

promise("commands:stdio-second", "its calls stand in the same record, under the same gateway", async () => {
  const env = place.env("second");
  const [first, second] = [
    new V2Client({ name: "first", version: "1" }),
    new V2Client({ name: "second", version: "1" }),
  ];
  await first.connect(new V2Transport(starting(env)));
  try {
    await first.callTool(listing);
    await second.connect(new V2Transport(starting(env)));
    expect(linesOf(await second.callTool(listing))[0]).toMatch(/^1 deployments? in shop-dev/);
    const { out } = await runCommand(["transcript", "list", "--json"], env);
    const entries = out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { kind: string; client?: string });
    const count = (kind: string): number => entries.filter((entry) => entry.kind === kind).length;
    expect([count("gateway.started"), count("call.settled")]).toEqual([1, 2]);
  } finally {
    await second.close();
    await first.close();
  }
});

promise("commands:stdio-end", "also where that had ended before, and at SIGTERM, as a relay too", async () => {
  const env = place.env("gone");
  const told = (stdin: "ignore" | "pipe") => {
    const child = spawn(process.execPath, [main], { env, stdio: [stdin, "pipe", "ignore"] });
    return { child, code: new Promise<number | null>((resolve) => child.once("close", resolve)) };
  };
  expect(await told("ignore").code).toBe(0);
  const owner = new V2Client({ name: "owner", version: "1" });
  await owner.connect(new V2Transport(starting(env)));
  try {
    await owner.callTool(listing);
    const second = told("pipe");
    const answered = new Promise((resolve) => second.child.stdout?.once("data", resolve));
    second.child.stdin?.write(`${JSON.stringify({ jsonrpc: "2.0", id: 0, method: "ping" })}\n`);
    await answered;
    second.child.kill("SIGTERM");
    expect(await second.code).toBe(0);
    expect(linesOf(await owner.callTool(listing))[0]).toMatch(/^1 deployments? in shop-dev/);
  } finally {
    await owner.close();
  }
});

promise(
  "commands:stdio-end",
  "with exit code 0, its end on record, and nothing but protocol on standard output",
  async () => {
    const env = place.env("end");
    const child = spawn(process.execPath, [main], { env, stdio: ["pipe", "pipe", "ignore"] });
    const closed = new Promise<number | null>((resolve) => child.once("close", resolve));
    let out = "";
    const answered = new Promise<void>((resolve) =>
      child.stdout.on("data", (chunk: Buffer) => {
        out += chunk.toString();
        if (out.includes("\n")) resolve();
      }),
    );
    const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "raw", version: "1" } };
    child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", id: 0, method: "initialize", params })}\n`);
    await answered;
    child.stdin.end();
    expect(await closed).toBe(0);
    for (const line of out.trim().split("\n")) expect(JSON.parse(line)).toMatchObject({ jsonrpc: "2.0" });
    const { out: kept } = await runCommand(["transcript", "list"], env);
    expect(kept.trim().split("\n").at(-1)).toContain("gateway.stopped");
  },
);
