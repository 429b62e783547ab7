// Two clients on one machine, as processes: one owner, the other relayed, and what becomes of it when the owner is killed.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Client as V2Client } from "@modelcontextprotocol/client";
import { StdioClientTransport as V2Transport } from "@modelcontextprotocol/client/stdio";
import { Client as V1Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport as V1Transport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { textAt, type JsonObject } from "../../src/domain/json.ts";
import { linesIn } from "../contracts/transcript/support.ts";
import { moments } from "../faults/shop.ts";
import { promise } from "../support/promise.ts";
import { openWire, type Wire } from "../support/proxy.ts";
import { runCommand } from "../support/world.ts";
import { main, openPlace, type Place } from "./place.ts";

let place: Place;
let wire: Wire;
const closing: (() => Promise<void>)[] = [];
beforeAll(async () => {
  place = await openPlace();
  const { server, adminToken } = place.practice;
  wire = await openWire({ target: { server }, adminToken, folder: place.folder });
  const enrolled = await runCommand(["enroll", "--namespace", "shop-dev", "--yes"], await home("enrolling"));
  if (enrolled.code !== 0) throw new Error(`enroll failed: ${enrolled.out}${enrolled.err}`);
});
afterEach(async () => {
  wire.rule = () => ({ kind: "pass" });
  for (const close of closing.splice(0).toReversed()) await close();
});
afterAll(async () => {
  await wire.stop();
  await place.stop();
});

const policy = `version: 1
rules:
  - { id: reads, effect: allow, match: { effects: [read] }, reason: Everyone may look. }
  - { id: scales, effect: allow, match: { tools: [workloads_scale], namespaces: [shop-dev] }, reason: Tried here. }
`;

/** A state folder of its own, on the cluster behind the wire. */
async function home(name: string): Promise<Record<string, string>> {
  const env = place.env(name, wire.kubeconfigPath);
  const folder = env["SALLYPORT_HOME"] ?? "";
  await mkdir(folder, { mode: 0o700 });
  await writeFile(join(folder, "policy.yaml"), policy);
  await writeFile(join(folder, "sallyport.yaml"), "version: 1\npolicies: [policy.yaml]\n");
  return env;
}

interface Session {
  readonly pid: number;
  call(name: string, arguments_: JsonObject): Promise<Answer>;
}
interface Answer {
  readonly text: string;
  readonly facts: unknown;
}

const starting = (env: Record<string, string>) => ({
  command: process.execPath,
  args: [main],
  env,
  stderr: "ignore" as const,
});

function asAnswer(given: object): Answer {
  const { content, _meta } = given as { content: [{ text: string }]; _meta?: Record<string, unknown> };
  return { text: content[0].text, facts: _meta?.["sallyport/facts"] };
}

async function v2(env: Record<string, string>, mode: "legacy" | { readonly pin: string }): Promise<Session> {
  const client = new V2Client({ name: "v2", version: "1" }, { versionNegotiation: { mode } });
  const transport = new V2Transport(starting(env));
  await client.connect(transport);
  closing.push(() => client.close());
  return {
    pid: transport.pid ?? 0,
    call: async (name, arguments_) => asAnswer(await client.callTool({ name, arguments: arguments_ })),
  };
}

async function v1(env: Record<string, string>): Promise<Session> {
  const client = new V1Client({ name: "v1", version: "1" });
  const transport = new V1Transport(starting(env));
  await client.connect(transport);
  closing.push(() => client.close());
  return {
    pid: transport.pid ?? 0,
    call: async (name, arguments_) => asAnswer(await client.callTool({ name, arguments: arguments_ })),
  };
}

const listing = { kind: "deployments", namespace: "shop-dev" };
const listed = "1 deployments in shop-dev. Rows 1-1 of 1, problems first.";
const firstLine = ({ text }: Answer): string => text.split("\n")[0] ?? "";

async function entriesOf(env: Record<string, string>): Promise<readonly JsonObject[]> {
  const { code, out, err } = await runCommand(["transcript", "list", "--json", "--limit", "100000"], env);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  return out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as JsonObject);
}

const generations: readonly (readonly [string, (env: Record<string, string>) => Promise<Session>])[] = [
  ["v2, 2026-07-28", (env) => v2(env, { pin: "2026-07-28" })],
  ["v2, 2025", (env) => v2(env, "legacy")],
  ["v1", v1],
];

for (const [generation, connect] of generations)
  promise("clients:takeover", `the owner is killed in the middle of the other's change (${generation})`, async () => {
    const env = await home(`killed-${generation.replaceAll(/\W+/g, "-")}`);
    // Whoever has answered owns the folder. Connected says less: a client of 2026-07-28 asks one process what it speaks, then starts another.
    const owner = await connect(env);
    expect(firstLine(await owner.call("objects_list", listing))).toBe(listed);
    const other = await connect(env);
    expect(firstLine(await other.call("objects_list", listing))).toBe(listed);
    const writing = Promise.withResolvers<void>();
    let writes = 0;
    wire.rule = (passing) => {
      if (!moments.write(passing)) return { kind: "pass" };
      writes += 1;
      writing.resolve();
      return { kind: "hang" };
    };
    const scaling = {
      kind: "Deployment",
      namespace: "shop-dev",
      name: "api",
      replicas: 5,
      reason: "cut off in the middle",
    };
    const begun = other.call("workloads_scale", scaling);
    await writing.promise;
    const before = await linesIn(env["SALLYPORT_HOME"] ?? "");
    process.kill(owner.pid, "SIGKILL");
    expect(await begun).toEqual({
      text: [
        "ERROR internal: The gateway that took this ended before it answered, and another one serves this session now.",
        "next: read the object first: nobody knows whether the change was made. Do not repeat it blindly.",
        "call not known - effect unknown - retry never",
      ].join("\n"),
      facts: { call: "", outcome: "failed", code: "internal", effect: "unknown", retry: "never" },
    });
    // The same session goes on, with a gateway of its own; the client noticed nothing else.
    expect(firstLine(await other.call("objects_list", listing))).toBe(listed);
    expect(writes).toBe(1);
    expect((await linesIn(env["SALLYPORT_HOME"] ?? "")).slice(0, before.length)).toEqual(before);
    const after = await entriesOf(env);
    const count = (kind: string): number => after.filter((entry) => entry["kind"] === kind).length;
    expect([count("gateway.started"), count("call.unknown")]).toEqual([2, 1]);
    const lost = after.find((entry) => entry["kind"] === "call.unknown");
    const received = after.filter((entry) => entry["call"] === lost?.["call"]).map((entry) => textAt(entry, "kind"));
    expect(received).toContain("grant.issued");
    expect(received).not.toContain("call.settled");
    expect((await runCommand(["transcript", "verify"], env)).code).toBe(0);
  });

promise(
  "clients:takeover",
  "an owner whose client leaves in peace: the other goes on, and a third finds the new owner",
  async () => {
    const env = await home("in-peace");
    const owner = new V2Client({ name: "owner", version: "1" });
    await owner.connect(new V2Transport(starting(env)));
    const other = await v1(env);
    expect(firstLine(await other.call("objects_list", listing))).toBe(listed);
    await owner.close();
    expect(firstLine(await other.call("objects_list", listing))).toBe(listed);
    const third = await v2(env, "legacy");
    expect(firstLine(await third.call("objects_list", listing))).toBe(listed);
    const entries = await entriesOf(env);
    expect(entries.filter(({ kind }) => kind === "gateway.started").length).toBe(2);
    expect(entries.filter(({ kind }) => kind === "call.unknown").length).toBe(0);
  },
);

promise(
  "clients:two-at-once",
  "started in the same moment, before either has a state folder: one owns it, both are served",
  async () => {
    const env = await home("same-moment");
    const sessions = await Promise.all([v1(env), v2(env, "legacy"), v2(env, { pin: "2026-07-28" })]);
    const answers = await Promise.all(sessions.map(async (one) => firstLine(await one.call("objects_list", listing))));
    expect(answers).toEqual([listed, listed, listed]);
    const entries = await entriesOf(env);
    const count = (kind: string): number => entries.filter((entry) => entry["kind"] === kind).length;
    expect([count("gateway.started"), count("call.settled")]).toEqual([1, 3]);
  },
);

promise(
  "clients:other-configuration",
  "with another kubeconfig, or another policy: turned away with a sentence, and the owner undisturbed",
  async () => {
    const env = await home("other-configuration");
    const owner = await v1(env);
    expect(firstLine(await owner.call("objects_list", listing))).toBe(listed);
    const strict = join(place.folder, "strict.yaml");
    await writeFile(strict, "version: 1\npolicies: [observe]\n");
    const sentence =
      "The owner of this state folder runs with another configuration or other clusters: use the same ones, or set SALLYPORT_HOME to another folder.\n";
    const other = { ...env, KUBECONFIG: place.practice.kubeconfigPath };
    expect(await turnedAway(other, [])).toEqual({ code: 1, said: sentence });
    expect(await turnedAway(env, ["serve", "--config", strict])).toEqual({ code: 1, said: sentence });
    expect(firstLine(await owner.call("objects_list", listing))).toBe(listed);
  },
);

/** Starts one more `sallyport` whose input stays open, and waits for its end. */
async function turnedAway(env: Record<string, string>, words: readonly string[]) {
  const child = spawn(process.execPath, [main, ...words], { env, stdio: ["pipe", "ignore", "pipe"] });
  let said = "";
  createInterface({ input: child.stderr }).on("line", (line) => (said += `${line}\n`));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, said };
}
