// The stdio door: real clients on a real process, and bare streams that mean harm.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { PassThrough } from "node:stream";
import { fileURLToPath } from "node:url";
import { Client as V2Client } from "@modelcontextprotocol/client";
import { StdioClientTransport as V2Transport } from "@modelcontextprotocol/client/stdio";
import { Client as V1Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport as V1Transport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { afterEach, expect } from "vitest";
import type { Door } from "../../src/mcp/door.ts";
import { serveStdio } from "../../src/mcp/stdio.ts";
import { promise } from "../support/promise.ts";
import { about, testDoor, type TestDoor } from "./door-for-tests.ts";

const program = fileURLToPath(new URL("./stdio-process.ts", import.meta.url));
const command = { command: process.execPath, args: [program], stderr: "ignore" as const };
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const textOf = (answer: object): string => (answer as { content: [{ text: string }] }).content[0].text;

promise("mcp:both-eras", "serves both SDKs and both eras on a real process's standard streams", async () => {
  for (const mode of [{ pin: "2026-07-28" }, "legacy"] as const) {
    const client = new V2Client({ name: "v2-test", version: "2" }, { versionNegotiation: { mode } });
    closing.push(() => client.close());
    await client.connect(new V2Transport(command));
    expect((await client.listTools()).tools.map((tool) => tool.name)).toEqual(["echo", "hold", "broken", "report"]);
    expect(textOf(await client.callTool({ name: "echo", arguments: {} }))).toContain('echo for olga: "{}"');
    expect(client.getInstructions()).toBe(about.instructions);
  }
  const older = new V1Client({ name: "v1-test", version: "1" });
  closing.push(() => older.close());
  await older.connect(new V1Transport(command));
  expect(textOf(await older.callTool({ name: "echo", arguments: { b: 2 } }))).toContain('echo for olga: "{\\"b\\":2}"');
});

promise("mcp:stdin-end", "ends the process with its standard input", async () => {
  const child = spawn(process.execPath, [program], { stdio: ["pipe", "pipe", "pipe"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  child.stdin.write(`${initialize}\n`);
  expect(JSON.parse(String((await lines.next()).value))).toMatchObject({
    id: 0,
    result: { serverInfo: { name: "sallyport" } },
  });
  const exited = new Promise((resolve) => child.once("exit", resolve));
  child.stdin.end();
  expect(await exited).toBe(0);
});

const initialize = JSON.stringify({
  jsonrpc: "2.0",
  id: 0,
  method: "initialize",
  params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "raw", version: "1" } },
});

/** A connection of bare lines, in this process. */
function connection(door: Door | Promise<Door>) {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const complaints: string[] = [];
  const served = serveStdio({
    about,
    door,
    evidence: (client) => ({ kind: "local-user", user: "olga", client }),
    input,
    output,
    via: "stdio",
    complain: (sentence) => void complaints.push(sentence),
    beat: { first: 20, every: 20 },
  });
  closing.push(() => served.close());
  const replies = createInterface({ input: output })[Symbol.asyncIterator]();
  return {
    served,
    input,
    complaints,
    send: (message: unknown) => input.write(`${typeof message === "string" ? message : JSON.stringify(message)}\n`),
    /** The next line, which has to be a JSON-RPC message. */
    async next(): Promise<Record<string, unknown>> {
      const message = JSON.parse(String((await replies.next()).value)) as Record<string, unknown>;
      expect(message["jsonrpc"]).toBe("2.0");
      return message;
    },
  };
}

async function opened(door: TestDoor) {
  const line = connection(door);
  line.send(initialize);
  await line.next();
  line.send({ jsonrpc: "2.0", method: "notifications/initialized" });
  return line;
}

promise("mcp:early-initialize", "answers initialize first and the calls once the gateway is there", async () => {
  const late = Promise.withResolvers<Door>();
  const line = connection(late.promise);
  line.send(initialize);
  expect(await line.next()).toMatchObject({ id: 0, result: { instructions: about.instructions } });
  line.send({ jsonrpc: "2.0", id: 1, method: "tools/list" });
  line.send({ jsonrpc: "2.0", id: 2, method: "ping" });
  expect(await line.next()).toEqual({ jsonrpc: "2.0", id: 2, result: {} });
  late.resolve(testDoor());
  expect(await line.next()).toMatchObject({ id: 1, result: { tools: [{ name: "echo" }, {}, {}, {}] } });
});

promise("mcp:early-initialize", "tells each call that the gateway could not start, and not why", async () => {
  const line = connection(Promise.reject(new Error("bad key in /home/olga/.kube/config")));
  line.send(initialize);
  expect(await line.next()).toMatchObject({ id: 0, result: {} });
  line.send({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "echo" } });
  expect(await line.next()).toEqual({
    jsonrpc: "2.0",
    id: 1,
    error: { code: -32603, message: "The gateway could not start; its own output says why." },
  });
  expect(line.complaints).toEqual(["The gateway could not start; calls are refused."]);
});

const _meta = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientInfo": { name: "raw", version: "2" },
  "io.modelcontextprotocol/clientCapabilities": {},
};

promise("mcp:cancel", "aborts the call on stdio and sends no response to it, in both eras", async () => {
  for (const [era, meta] of [["legacy", {}] as const, ["modern", { _meta }] as const]) {
    const door = testDoor();
    const line = era === "legacy" ? await opened(door) : connection(door);
    line.send({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "hold", ...meta } });
    await door.holding(1);
    line.send({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 1, ...meta } });
    await door.aborted(1);
    line.send({ jsonrpc: "2.0", id: 2, method: "tools/list", params: meta });
    expect(await line.next(), era).toMatchObject({ id: 2, result: { tools: [{ name: "echo" }, {}, {}, {}] } });
    expect(door.calls[0]?.principal.client).toBe(era === "legacy" ? "raw/1" : "raw/2");
  }
});

promise("mcp:list-deterministic", "is private to its caller for whoever caches (2026-07-28)", async () => {
  const line = connection(testDoor());
  line.send({ jsonrpc: "2.0", id: 1, method: "tools/list", params: { _meta } });
  expect(await line.next()).toMatchObject({ id: 1, result: { cacheScope: "private", ttlMs: 0 } });
});

promise("mcp:stdin-end", "aborts what still runs when the client closes its end", async () => {
  const door = testDoor();
  const line = await opened(door);
  line.send({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "hold" } });
  await door.holding(1);
  line.input.end();
  await line.served.closed;
  expect((await door.aborted(1)).length).toBe(1);
  expect(door.endedSessions).toEqual([door.calls[0]?.session.id]);
});

promise("mcp:stdin-end", "begins nothing that was asked before the gateway was there", async () => {
  const late = Promise.withResolvers<Door>();
  const line = connection(late.promise);
  line.send(initialize);
  await line.next();
  line.send({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "echo" } });
  line.input.end();
  await line.served.closed;
  const door = testDoor();
  late.resolve(door);
  await new Promise((resolve) => setImmediate(resolve));
  expect([door.evidence.length, door.calls]).toEqual([1, []]);
});

promise("mcp:progress", "beats on stdio only for who asked for it", async () => {
  const door = testDoor();
  const line = await opened(door);
  const call = (id: number, meta: object) => ({
    jsonrpc: "2.0",
    id,
    method: "tools/call",
    params: { name: "hold", ...meta },
  });
  line.send(call(1, {}));
  line.send(call(2, { _meta: { progressToken: "t" } }));
  const beat = (progress: number) => ({
    jsonrpc: "2.0",
    method: "notifications/progress",
    params: { progressToken: "t", progress, message: "working" },
  });
  expect(await line.next()).toEqual(beat(1));
  expect(await line.next()).toEqual(beat(2));
  door.release();
});

promise("mcp:stdout-is-protocol", "answers every kind of bad line with a JSON-RPC error and lives on", async () => {
  const line = await opened(testDoor());
  const bad: readonly (readonly [string, number, unknown])[] = [
    ["{not json", -32700, null],
    ["[]", -32600, null],
    ["7", -32600, null],
    ['{"jsonrpc":"1.0","id":1,"method":"ping"}', -32600, null],
    ['{"jsonrpc":"2.0","id":9,"method":"ping","method":"ping"}', -32600, 9],
    [`{"jsonrpc":"2.0","id":9,"method":"ping","params":${"[".repeat(200)}${"]".repeat(200)}}`, -32600, 9],
    [`{"jsonrpc":"2.0","id":9,"method":"ping","params":{"pad":"${"x".repeat(1_048_576)}"}}`, -32600, null],
  ];
  for (const [text, code, id] of bad) {
    line.send(text);
    expect(await line.next(), text.slice(0, 60)).toMatchObject({ id, error: { code } });
  }
  line.input.write(Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from("\n")]));
  expect(await line.next()).toMatchObject({ error: { code: -32700 } });
  line.send("\r");
  line.send("");
  line.send({ jsonrpc: "2.0", id: 3, method: "no/such/method" });
  expect(await line.next()).toMatchObject({ id: 3, error: { code: -32601 } });
  line.send({ jsonrpc: "2.0", id: 4, method: "ping" });
  expect(await line.next()).toEqual({ jsonrpc: "2.0", id: 4, result: {} });
});

promise("mcp:two-clients", "keeps one session a connection and says which client claims to call", async () => {
  const door = testDoor();
  const [first, second] = [await opened(door), await opened(door)];
  for (const line of [first, second, first]) {
    line.send({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "echo" } });
    await line.next();
  }
  const [a, b, again] = door.calls;
  expect(a?.session).toEqual({ id: again?.session.id, door: "stdio" });
  expect(b?.session.id).not.toBe(a?.session.id);
  expect(a?.principal).toMatchObject({ subject: "olga", client: "raw/1" });
});
