// The owner's socket: real clients over it, relays, and those who should not get in.

import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chmod, link, mkdtemp, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, expect } from "vitest";
import { fault, Faulted } from "../../../src/domain/fault.ts";
import { isJsonObject } from "../../../src/domain/json.ts";
import { serveStdio } from "../../../src/mcp/stdio.ts";
import { connectOwner, type OwnerClient } from "../../../src/owner/client.ts";
import { takeLock, type OwnerLock } from "../../../src/owner/lock.ts";
import { openConversation } from "../../../src/owner/conversation.ts";
import { relay, type RelayOptions } from "../../../src/owner/relay.ts";
import { openOwnerSocket, type OwnerSocketOptions } from "../../../src/owner/socket.ts";
import { about, testDoor, type TestDoor } from "../../mcp/door-for-tests.ts";
import { promise } from "../../support/promise.ts";

const uid = process.getuid?.() ?? 0;
const version = "1.0.0";
const closing: (() => unknown)[] = [];
let folder: string;
let door: TestDoor;
let lock: OwnerLock;
let broken: unknown[];
let abortions: PromiseWithResolvers<void>;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sallyport-owner-"));
  door = testDoor();
  broken = [];
  abortions = Promise.withResolvers();
  const taken = await takeLock(folder, uid);
  if (taken.kind !== "taken") throw new Error(taken.kind);
  lock = taken.lock;
});
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
  lock.release();
  await rm(folder, { recursive: true, force: true });
});

/** Opens the owner's end, with a few methods. */
async function owning(more: Partial<OwnerSocketOptions> = {}): Promise<string> {
  const opened = await openOwnerSocket({
    lock,
    uid,
    version,
    config: "digest-1",
    runtimeFolder: tmpdir(),
    random: (count) => randomBytes(count),
    async methods(method, params, signal) {
      switch (method) {
        case "echo":
          return params;
        case "refuse":
          throw new Faulted(fault("denied", { tell: "not now" }, "the operator's cause"));
        case "break":
          throw new Error("password=hunter2");
        case "hang":
          await once(signal, "abort");
          abortions.resolve();
          return null;
        default:
          throw new Faulted(fault("invalid_input"));
      }
    },
    async mcp(stream) {
      const served = serveStdio({
        about,
        door,
        evidence: (client) => ({ kind: "local-user", user: "olga", client }),
        input: stream,
        output: stream,
        via: "socket",
        complain: (sentence) => void broken.push(sentence),
      });
      await served.closed;
    },
    broke: (what, thrown) => void broken.push([what, thrown]),
    ...more,
  });
  if (opened.kind === "refused") throw new Error(opened.sentence);
  closing.push(opened.close);
  return opened.path;
}

async function client(more: { version?: string; uid?: number } = {}): Promise<OwnerClient | string> {
  const connected = await connectOwner({ folder, uid, version, ...more });
  if (connected.kind !== "connected") return connected.sentence;
  closing.push(() => connected.to.close());
  return connected.to;
}

async function letIn(): Promise<OwnerClient> {
  const found = await client();
  if (typeof found === "string") throw new Error(found);
  return found;
}

promise("mcp:owner-methods", "with results, faults and their order, for two clients at once", async () => {
  await owning();
  const [first, second] = [await letIn(), await letIn()];
  const answers = await Promise.all([
    first.call("echo", { a: 1 }),
    second.call("echo", [2]),
    first.call("refuse", null),
    first.call("echo", null),
  ]);
  expect(answers).toEqual([
    { kind: "result", result: { a: 1 } },
    { kind: "result", result: [2] },
    { kind: "fault", fault: fault("denied", { tell: "not now" }, "") },
    { kind: "result", result: null },
  ]);
});

promise("mcp:owner-methods", "and when there is no owner, or it ends before it answers", async () => {
  expect(await client()).toBe(`No Sallyport is running on ${folder}: start one first.`);
  await owning();
  const asking = await letIn();
  const answer = asking.call("hang", null);
  await asking.call("echo", null);
  await closing.shift()?.();
  expect(await answer).toEqual({ kind: "gone", sentence: "The running Sallyport ended before it answered." });
  expect((await asking.call("echo", null)).kind).toBe("gone");
  expect(await client()).toBe(`No Sallyport is running on ${folder}: start one first.`);
});

promise("mcp:owner-methods", "a method that breaks tells its client nothing but that it is gone", async () => {
  await owning();
  expect(await (await letIn()).call("break", null)).toMatchObject({ kind: "gone" });
  expect(broken).toEqual([["the owner's method break", new Error("password=hunter2")]]);
  expect(await (await letIn()).call("echo", 1)).toEqual({ kind: "result", result: 1 });
});

promise("mcp:owner-methods", "a client that goes away aborts what it asked", async () => {
  await owning();
  const leaving = await letIn();
  void leaving.call("hang", null);
  await leaving.call("echo", null);
  leaving.close();
  await abortions.promise;
  expect(await (await letIn()).call("echo", 1)).toEqual({ kind: "result", result: 1 });
});

promise("mcp:owner-methods", "clients that die with answers on their way take nothing down", async () => {
  const path = await owning();
  const { token } = JSON.parse(await readFile(join(folder, "owner.json"), "utf8")) as { token: string };
  const uncaught: unknown[] = [];
  const hear = (thrown: unknown): void => void uncaught.push(thrown);
  process.on("uncaughtException", hear);
  for (let round = 0; round < 30; round++) {
    const socket = connect(path);
    socket.on("error", () => undefined);
    const hello = { token, version, config: "", purpose: "methods" };
    const asked = Array.from({ length: 30 }, (_, id) =>
      JSON.stringify({ id, method: "echo", params: "x".repeat(4_000) }),
    );
    await once(socket, "connect");
    socket.write(`${[JSON.stringify(hello), ...asked].join("\n")}\n`);
    await once(socket, "data");
    socket.destroy();
  }
  await new Promise((resolve) => setTimeout(resolve, 50));
  process.off("uncaughtException", hear);
  expect(uncaught).toEqual([]);
  expect(await (await letIn()).call("echo", 1)).toEqual({ kind: "result", result: 1 });
});

promise("mcp:owner-token", "socket and token file are readable by their owner only, and new each time", async () => {
  const path = await owning();
  const file = join(folder, "owner.json");
  expect([(await stat(path)).mode & 0o777, (await stat(file)).mode & 0o777]).toEqual([0o600, 0o600]);
  const first = await readFile(file, "utf8");
  await closing.pop()?.();
  await expect(stat(path)).rejects.toMatchObject({ code: "ENOENT" });
  await expect(stat(file)).rejects.toMatchObject({ code: "ENOENT" });
  await owning();
  expect(await readFile(file, "utf8")).not.toBe(first);
});

promise("mcp:owner-token", "any other first line is turned away, and nothing is asked", async () => {
  const path = await owning();
  const { token } = JSON.parse(await readFile(join(folder, "owner.json"), "utf8")) as { token: string };
  const hello = { token, version, config: "", purpose: "methods" };
  const bad = [
    "",
    "GET / HTTP/1.1",
    "{",
    "[]",
    JSON.stringify({ ...hello, token: "" }),
    JSON.stringify({ ...hello, token: token.slice(0, -1) }),
    JSON.stringify({ ...hello, token: [token] }),
    JSON.stringify({ ...hello, purpose: "admin" }),
    JSON.stringify({ ...hello, pad: "x".repeat(10_000) }),
  ];
  for (const line of bad) {
    const socket = connect(path);
    const replies = createInterface({ input: socket })[Symbol.asyncIterator]();
    socket.write(`${line}\n${JSON.stringify({ id: 1, method: "echo", params: "in" })}\n`);
    const { value } = await replies.next();
    expect(JSON.parse(String(value)), line.slice(0, 40)).toEqual({
      ok: false,
      sentence: "The owner does not know this client.",
    });
    expect((await replies.next()).done).toBe(true);
  }
});

promise(
  "mcp:owner-token",
  "a token file that others can read is not used, nor is one in a folder that others can write in",
  async () => {
    await owning();
    const file = join(folder, "owner.json");
    await chmod(file, 0o644);
    expect(await client()).toContain("can be read by others");
    await chmod(file, 0o600);
    await chmod(folder, 0o777);
    expect(await client()).toContain("can be written by others");
    await chmod(folder, 0o700);
    expect(await client({ uid: uid + 1 })).toContain("belongs to another user");
    expect(typeof (await client())).toBe("object");
  },
);

promise("mcp:relay-same-configuration", "and turns away another version, in a sentence", async () => {
  await owning();
  expect(await client({ version: "0.9.0" })).toContain("runs Sallyport 1.0.0 and this is 0.9.0");
  const { ended } = relaying({ config: "digest-2" });
  expect(await ended).toMatchObject({ kind: "refused", sentence: expect.stringContaining("another configuration") });
  expect(door.calls).toEqual([]);
});

/** A relay whose client writes and reads lines here. */
function relaying(more: Partial<RelayOptions> = {}) {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const { signal } = new AbortController();
  const conversation = openConversation();
  const options = { folder, uid, version, config: "digest-1", input, output, signal, conversation, again: [], ...more };
  const ended = relay(options);
  const lines = createInterface({ input: output })[Symbol.asyncIterator]();
  return {
    ended,
    input,
    async ask(message: object): Promise<unknown> {
      input.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
      const reply: unknown = JSON.parse(String((await lines.next()).value));
      return isJsonObject(reply) ? (reply["result"] ?? reply["error"]) : reply;
    },
  };
}
const initialize = {
  id: 0,
  method: "initialize",
  params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "second", version: "2" } },
};

promise("mcp:relay", "as a session of its own, from the first line to the end of its input", async () => {
  await owning();
  const [first, second] = [relaying(), relaying()];
  for (const one of [first, second])
    expect(await one.ask(initialize)).toMatchObject({ instructions: about.instructions });
  for (const one of [first, second, first])
    expect(await one.ask({ id: 1, method: "tools/call", params: { name: "echo" } })).toMatchObject({ isError: false });
  const [a, b, c] = door.calls.map((call) => call.session);
  expect([a?.door, a?.id === c?.id, a?.id === b?.id]).toEqual(["socket", true, false]);
  expect(door.calls[0]?.principal).toMatchObject({ subject: "olga", client: "second/2" });
  first.input.end();
  expect(await first.ended).toEqual({ kind: "ended" });
  expect(await second.ask({ id: 2, method: "ping" })).toEqual({});
});

promise("mcp:relay", "until it is told to stop, as if its client had left", async () => {
  await owning();
  const stopping = new AbortController();
  const one = relaying({ signal: stopping.signal });
  await one.ask(initialize);
  stopping.abort();
  expect(await one.ended).toEqual({ kind: "ended" });
  expect(await relaying({ signal: stopping.signal }).ended).toEqual({ kind: "ended" });
});

promise("mcp:relay", "and learns when the owner has gone, or was never there", async () => {
  expect(await relaying().ended).toMatchObject({ kind: "absent" });
  await owning();
  const left = relaying();
  await left.ask(initialize);
  await closing.pop()?.();
  expect(await left.ended).toEqual({
    kind: "owner-gone",
    sentence: "The Sallyport that served this session has ended.",
  });
});

promise("mcp:stale-socket", "what a killed owner left does not keep the next one from opening", async () => {
  const path = join(folder, "owner.sock");
  const dead = createServer().listen(path);
  await once(dead, "listening");
  await writeFile(join(folder, "owner.json"), JSON.stringify({ socket: path, token: "old" }), { mode: 0o600 });
  // As kill -9 leaves it: the file of the socket stays, nobody listens.
  const kept = `${path}.kept`;
  await link(path, kept);
  dead.close();
  await once(dead, "close");
  await rename(kept, path);
  expect(await client()).toBe(`No Sallyport is running on ${folder}: start one first.`);
  expect(await owning()).toBe(path);
  expect(typeof (await client())).toBe("object");
});

promise("mcp:stale-socket", "a file in the socket's place is left alone, with a sentence", async () => {
  const path = join(folder, "owner.sock");
  await writeFile(path, "notes");
  await expect(owning()).rejects.toThrow(`${path} is in the way and is no socket of ours: move it.`);
  expect(await readFile(path, "utf8")).toBe("notes");
});

promise("mcp:owner-methods", "from a state folder whose path is too long for a socket, too", async () => {
  const runtimeFolder = folder;
  const long = join(folder, "s".repeat(120));
  const taken = await takeLock(long, uid);
  if (taken.kind !== "taken") throw new Error(taken.kind);
  closing.push(() => taken.lock.release());
  const path = await owning({ lock: taken.lock, runtimeFolder });
  expect(path.startsWith(join(runtimeFolder, `sallyport-${uid}-`))).toBe(true);
  expect((await stat(join(path, ".."))).mode & 0o777).toBe(0o700);
  const connected = await connectOwner({ folder: long, uid, version });
  if (connected.kind !== "connected") throw new Error(connected.sentence);
  expect(await connected.to.call("echo", 1)).toEqual({ kind: "result", result: 1 });
  connected.to.close();
});
