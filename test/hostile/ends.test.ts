// Attacks on the end of a call: broken off, stopped or killed at any moment.

import { cpSync, mkdirSync, readFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { serve } from "../../src/commands/serve.ts";
import type { Io } from "../../src/commands/io.ts";
import type { CallRequest } from "../../src/domain/call.ts";
import type { Fault } from "../../src/domain/fault.ts";
import { at, textAt, type JsonObject } from "../../src/domain/json.ts";
import type { Ended } from "../../src/domain/run.ts";
import { governCall, type Stages } from "../../src/pipeline.ts";
import { entriesOf, expectVerifies, moments, openShop, scaling, type Shop } from "../faults/shop.ts";
import { promise } from "../support/promise.ts";
import type { Passing } from "../support/proxy.ts";
import { runCommand, startServing } from "../support/world.ts";

const { version: ownVersion } = JSON.parse(
  readFileSync(join(import.meta.dirname, "..", "..", "package.json"), "utf8"),
) as { readonly version: string };
let shop: Shop;
let replicas = 10;

beforeAll(async () => {
  shop = await openShop();
});
afterEach(() => {
  shop.wire.rule = () => ({ kind: "pass" });
});
afterAll(async () => {
  await shop?.stop();
});

const isRemoval = (one: Passing): boolean => one.method === "DELETE" && one.url.includes("/run-");

/** The one call that scales to this count, as the record has it. */
async function callOf(count: number): Promise<string> {
  const received = (await shop.world.entries()).filter(
    (one) => one["kind"] === "call.received" && at(one, "details", "arguments", "replicas") === count,
  );
  return textAt(received.at(-1), "call");
}

promise(
  "hostile:cancelled",
  "the client cancels as the rehearsal, the grant, the write or its removal is under way",
  async () => {
    const { world, wire } = shop;
    const when: Record<string, (one: Passing) => boolean> = {
      rehearsal: moments.dryRun,
      anchor: (one) => one.method === "POST" && one.url.endsWith("/sallyport-sessions/secrets"),
      token: (one) => one.method === "POST" && /\/run-[^/]+\/token$/.test(one.url),
      write: moments.write,
      removal: isRemoval,
    };
    const ends: Record<string, unknown> = {};
    for (const [name, is] of Object.entries(when)) {
      const count = ++replicas;
      const stop = new AbortController();
      wire.rule = (one) => {
        if (!is(one)) return { kind: "pass" };
        setTimeout(() => stop.abort(), 20);
        // Longer than the cancellation can take to get here.
        return { kind: "late", milliseconds: isRemoval(one) ? 100 : 60_000 };
      };
      await world.call("workloads_scale", scaling("shop-dev", count), { signal: stop.signal }).catch(() => undefined);
      wire.rule = () => ({ kind: "pass" });
      const call = await callOf(count);
      const ended = (all: readonly string[]): boolean =>
        all.some((one) => one.startsWith("call.settled")) &&
        all.includes("grant.issued") === all.includes("grant.revoked");
      await expect.poll(async () => ended(await entriesOf(world, call)), { timeout: 60_000 }).toBe(true);
      const entries = await entriesOf(world, call);
      ends[name] = entries.find((one) => one.startsWith("call.settled"));
      expect([name, entries.includes("grant.issued"), (await shop.standing()).leftovers]).toEqual([
        name,
        entries.includes("grant.revoked"),
        [],
      ]);
    }
    expect(ends).toEqual({
      rehearsal: "call.settled refused cancelled none",
      anchor: "call.settled failed cancelled none",
      token: "call.settled failed cancelled none",
      write: "call.settled failed cancelled unknown",
      removal: "call.settled completed applied",
    });
    await expectVerifies(world);
  },
);

promise(
  "hostile:close-waits",
  "the owner is stopped while a second client's change is being written, and the cluster is slow",
  async () => {
    const { world, wire } = shop;
    await world.restart();
    const second = secondClient(world.env);
    await second.greet();
    const count = ++replicas;
    wire.passed.length = 0;
    wire.rule = (one) =>
      moments.write(one) ? { kind: "hang" } : isRemoval(one) ? { kind: "late", milliseconds: 300 } : { kind: "pass" };
    second.send({
      id: 1,
      method: "tools/call",
      params: { name: "workloads_scale", arguments: scaling("shop-dev", count) },
    });
    await expect.poll(() => wire.passed.some(moments.write), { timeout: 60_000 }).toBe(true);
    // When its owner has gone it takes over, until its own client leaves.
    await world.restart(async () => {
      second.leave();
      await second.ended;
    });
    expect(await entriesOf(world, await callOf(count))).toEqual([
      "call.received",
      "call.previewed",
      "call.decided allow",
      "grant.issued",
      "call.settled failed cancelled unknown",
      "grant.revoked",
    ]);
    const own = (await world.entries()).filter((one) => !textAt(one, "kind").startsWith("session."));
    const from = own.findLastIndex((one) => one["kind"] === "grant.revoked");
    const [revoked, stopped, started] = own.slice(from, from + 3);
    expect([revoked, stopped, started].map((one) => [textAt(one, "kind"), at(one, "details", "complete")])).toEqual([
      ["grant.revoked", true],
      ["gateway.stopped", undefined],
      ["gateway.started", undefined],
    ]);
    await expectVerifies(world);
  },
);

/** Another `sallyport` on stdio, which relays to the owner. */
function secondClient(env: Record<string, string>) {
  const [input, output] = [new PassThrough(), new PassThrough()];
  let said = "";
  output.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const io: Io = {
    version: ownVersion,
    node: process.versions.node,
    uid: process.getuid?.() ?? -1,
    user: userInfo().username,
    home: env["HOME"] ?? "",
    runtimeFolder: tmpdir(),
    launched: { node: process.execPath, file: join(import.meta.dirname, "..", "..", "src", "main.ts") },
    cores: 2,
    shipped: join(import.meta.dirname, "..", "..", "policies"),
    input,
    output,
    env,
    out: () => undefined,
    err: () => undefined,
    colour: false,
    interactive: false,
    ask: () => Promise.reject(new Error("nobody is at this terminal")),
    now: () => Date.now(),
    pause: (milliseconds) => pause(milliseconds),
    random: (count) => crypto.getRandomValues(new Uint8Array(count)),
    signal: new AbortController().signal,
  };
  const ended = serve(io, { http: false }).catch(() => undefined);
  const send = (message: object): void => void input.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
  return {
    ended,
    send,
    leave: () => void input.end(),
    async greet() {
      const clientInfo = { name: "second", version: "1.0.0" };
      send({ id: 0, method: "initialize", params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo } });
      await expect.poll(() => said.includes("\n"), { timeout: 60_000 }).toBe(true);
      send({ method: "notifications/initialized" });
    },
  };
}

promise(
  "hostile:cancelled",
  "taking the credential back breaks in an unforeseen way after the write was done",
  async () => {
    const ends: unknown[] = [];
    const none = async (): Promise<void> => undefined;
    const call = { effect: "change", previewOnly: false };
    const stages = {
      record: () => ({
        received: none,
        previewed: none,
        running: none,
        granted: none,
        pending: none,
        refused: async (why: Fault) => void ends.push(["refused", why.effect]),
        settled: async ({ effect, revoked }: Ended) => void ends.push(["settled", effect, revoked]),
      }),
      plan: async () => call,
      resolve: async () => ({}),
      decide: () => ({ effect: "allow" }),
      preview: async () => ({ change: null, changes: [] }),
      authorize: () => ({ call }),
      issue: async () => ({
        grant: { id: "g" },
        record: (write: () => Promise<void>) => write(),
        revoke: () => Promise.reject(new TypeError("a defect")),
      }),
      execute: async () => ({ kind: "ran", output: {}, changes: [] }),
      mask: () => ({}),
    } as unknown as Stages;
    await governCall(stages, {} as CallRequest);
    expect(ends).toEqual([["settled", "applied", false]]);
  },
);

promise(
  "hostile:crash",
  "the state folder as it lay at each request of a call that ran at once, and of one that was approved",
  async () => {
    const { world, wire, folder } = shop;
    const images: string[] = [];
    const image = (): void => {
      const path = join(folder, `image-${images.length}`);
      mkdirSync(path, { mode: 0o700 });
      cpSync(world.folder, path, { recursive: true, filter: (source) => !/owner\.(sock|json|lock.*)$/.test(source) });
      images.push(path);
    };
    const seen = new Set<string>();
    wire.rule = (one) => {
      const step = `${one.method} ${one.url.replaceAll(/[0-9a-f-]{36}|\?.*/g, "")} ${one.url.includes("dryRun")}`;
      if (one.method !== "GET" && !seen.has(step)) image();
      seen.add(step);
      return { kind: "pass" };
    };
    const atOnce = await world.call("workloads_scale", scaling("shop-dev", ++replicas));
    seen.clear();
    const asked = await world.call("workloads_scale", scaling("shop-prod", ++replicas));
    expect([atOnce.facts["outcome"], asked.facts["outcome"]]).toEqual(["completed", "suspended"]);
    const id = await world.approve();
    await world.call("approval_wait", { id, wait_seconds: 45 });
    wire.rule = () => ({ kind: "pass" });
    image();
    const standing = await shop.standing();
    expect(images.length).toBeGreaterThan(12);

    for (const path of images) {
      const env = { ...world.env, SALLYPORT_HOME: path, HOME: path };
      const started = await startServing(env);
      await pause(150);
      await started.stop();
      const verified = await runCommand(["transcript", "verify", "--json"], env);
      expect([path, verified.code, verified.code === 0 ? "" : verified.out]).toEqual([path, 0, ""]);
      const open = openCalls(await listed(env));
      expect([path, open]).toEqual([path, []]);
    }
    // What was approved in an image started there once more, saw that its effect is there already, and left it.
    expect(await shop.standing()).toEqual(standing);
  },
  120_000,
);

async function listed(env: Record<string, string>): Promise<JsonObject[]> {
  const { out } = await runCommand(["transcript", "list", "--json", "--limit", "100000"], env);
  const text = out.trim();
  return text.startsWith("[")
    ? (JSON.parse(text) as JsonObject[])
    : text.split("\n").map((line) => JSON.parse(line) as JsonObject);
}

/** Calls that may have run and have no end: those that wait for a person are none. */
function openCalls(entries: readonly JsonObject[]): string[] {
  const open = new Set<string>();
  for (const entry of entries) {
    const [kind, call] = [textAt(entry, "kind"), textAt(entry, "call")];
    if (kind === "call.received" || kind === "approval.spent") open.add(call);
    else if (kind === "call.settled" || kind === "call.unknown" || kind === "approval.requested") open.delete(call);
  }
  return [...open];
}
