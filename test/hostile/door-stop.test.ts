// The real process is told to stop while calls are under way at its HTTP door.

import { once } from "node:events";
import type { ChildProcess } from "node:child_process";
import { afterAll, beforeAll, expect } from "vitest";
import { textAt } from "../../src/domain/json.ts";
import { startProcess } from "../faults/crash.ts";
import {
  entriesOf,
  eventually,
  expectVerifies,
  listing,
  moments,
  openShop,
  scaling,
  type Shop,
} from "../faults/shop.ts";
import { calling, sendTo, type Reply } from "../mcp/http-requests.ts";
import { promise } from "../support/promise.ts";

let shop: Shop;

beforeAll(async () => {
  shop = await openShop({ config: "hold: 45" });
});
afterAll(async () => {
  await shop?.stop();
});

interface Stopped {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly replies: readonly (Reply | null)[];
  /** How the process answers, or does not, once it was told. */
  readonly after: number | null;
}

/** Runs the gateway as a process of its own, makes the calls, tells it to stop once `underWay` holds, and waits until it has gone by itself. */
async function stopDuring(calls: readonly string[], underWay: () => Promise<boolean>): Promise<Stopped> {
  const { world, wire } = shop;
  let stopped: Stopped | undefined;
  await world.restart(async () => {
    const gateway = await startProcess(world.env);
    const exited = once(gateway.process, "exit") as Promise<[number | null, NodeJS.Signals | null]>;
    try {
      const headers = { authorization: `Bearer ${world.tokens.agent}` };
      const asked = calls.map((body) => sendTo(gateway.url, { body, headers }).catch(() => null));
      await eventually(underWay).toBe(true);
      gateway.process.kill("SIGTERM");
      const [code, signal] = await exited;
      const replies = await Promise.all(asked);
      const after = await sendTo(gateway.url, { headers }).then(
        ({ status }) => status,
        () => null,
      );
      stopped = { code, signal, replies, after };
    } finally {
      await end(gateway.process, exited);
      wire.rule = () => ({ kind: "pass" });
    }
  });
  if (stopped === undefined) throw new Error("the process was not stopped");
  return stopped;
}

async function end(child: ChildProcess, exited: Promise<unknown>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGKILL");
  await exited;
}

async function lastCall(tool: string): Promise<string> {
  const received = (await shop.world.entries()).filter(
    (one) => one["kind"] === "call.received" && JSON.stringify(one).includes(tool),
  );
  return textAt(received.at(-1), "call");
}

promise("door:clean-stop", "a caller that is held for a person hears that its request is pending", async () => {
  const waiting = async (): Promise<boolean> => {
    const listed = await shop.world.sallyport(["approvals", "list", "--json"], "approver");
    return listed.out.includes("apr_");
  };
  const stopped = await stopDuring([calling("workloads_scale", scaling("shop-prod", 4))], waiting);
  expect([stopped.code, stopped.signal, stopped.after]).toEqual([0, null, null]);
  expect(stopped.replies[0]?.body).toContain("APPROVAL PENDING");
  await expectVerifies(shop.world);
});

promise(
  "door:clean-stop",
  "a call that ends in time is answered, one that does not is marked, and both are on record",
  async () => {
    const { world, wire } = shop;
    wire.passed.length = 0;
    wire.rule = (one) => {
      if (moments.write(one)) return { kind: "hang" };
      return moments.read(one) ? { kind: "late", milliseconds: 1_000 } : { kind: "pass" };
    };
    const underWay = async (): Promise<boolean> => wire.passed.some(moments.write) && wire.passed.some(moments.read);
    const stopped = await stopDuring(
      [calling("workloads_scale", scaling("shop-dev", 2)), calling("objects_list", listing)],
      underWay,
    );
    expect([stopped.code, stopped.signal, stopped.after]).toEqual([0, null, null]);
    expect(stopped.replies[1]?.body).toContain("1 pods in shop-dev");
    const scaled = await entriesOf(world, await lastCall("workloads_scale"));
    expect(scaled.filter((one) => one.startsWith("call.settled"))).toEqual(["call.settled failed cancelled unknown"]);
    expect(scaled).toContain("grant.revoked");
    expect((await entriesOf(world, await lastCall("objects_list"))).at(-1)).toBe("call.settled completed none");
    expect((await shop.standing()).leftovers).toEqual([]);
    await expectVerifies(world);
  },
);

promise("door:clean-stop", "a cluster that answers nothing any more keeps it from nothing", async () => {
  const { world, wire } = shop;
  wire.passed.length = 0;
  let dead = false;
  wire.rule = (one) => {
    dead ||= moments.write(one);
    return dead ? { kind: "hang" } : { kind: "pass" };
  };
  const stopped = await stopDuring([calling("workloads_scale", scaling("shop-dev", 3))], async () => dead);
  expect([stopped.code, stopped.signal]).toEqual([0, null]);
  // What was known when it was cut off is on record, though its credential could not be taken back by then.
  const scaled = await entriesOf(world, await lastCall("workloads_scale"));
  expect(scaled.filter((one) => /^call\.(settled|unknown)/.test(one))).toEqual([
    "call.settled failed cancelled unknown",
  ]);
  await eventually(async () => (await shop.standing()).leftovers).toEqual([]);
  await expectVerifies(world);
});
