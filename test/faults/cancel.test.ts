// Whoever cancels or goes away takes the call's connection to the cluster along: for every kind of request that a tool can wait for. And streams that end badly.

import { Client } from "@modelcontextprotocol/client";
import { afterAll, afterEach, beforeAll, describe, expect } from "vitest";
import { textAt, type JsonObject } from "../../src/domain/json.ts";
import { promise } from "../support/promise.ts";
import { status, type Action, type Passing } from "../support/proxy.ts";
import { clientTransport } from "../support/world.ts";
import { eventually, expectVerifies, heading, leftoversIn, openShop, scaling, type Shop } from "./shop.ts";

let shop: Shop;
let pod = "";
const place = "shop-dev";

const policy = JSON.stringify({
  version: 1,
  rules: [
    {
      id: "look",
      effect: "allow",
      match: {
        effects: ["read", "change", "execute"],
        verbs: ["get", "list", "watch"],
        kinds: [
          "pods",
          "pods/log",
          "apps/deployments",
          "apps/deployments/scale",
          "autoscaling/horizontalpodautoscalers",
          "resourcequotas",
        ],
      },
      reason: "Looking is free here.",
    },
    {
      id: "scale",
      effect: "allow",
      match: { effects: ["change"], verbs: ["patch"], kinds: ["apps/deployments/scale"] },
      reason: "So is scaling.",
    },
    {
      id: "run",
      effect: "allow",
      match: { effects: ["execute"], verbs: ["get", "create"], kinds: ["pods/exec"] },
      reason: "And running.",
    },
  ],
});

beforeAll(async () => {
  shop = await openShop({ policy, enrollFlags: ["--exec"] });
  const pods = await shop.admin.send("GET", `/api/v1/namespaces/${place}/pods?labelSelector=app%3Dapi`);
  pod = textAt(pods.body, "items", 0, "metadata", "name");
});
afterAll(async () => {
  await shop?.stop();
});
afterEach(() => {
  shop.wire.rule = () => ({ kind: "pass" });
});

const why = { reason: "a fault is being tried" };
/** What an agent may wait for: the tool, the request that hangs, and what it leaves. */
const hang: Action = { kind: "hang" };
interface Wait {
  readonly tool: string;
  readonly arguments_: () => JsonObject;
  readonly hangs: (one: Passing) => boolean;
  readonly action?: Action;
  readonly effect: string;
}
const waits: Record<string, Wait> = {
  list: {
    tool: "objects_list",
    arguments_: () => ({ kind: "pods", namespace: place }),
    hangs: ({ url }) => url.includes("includeObject=None"),
    effect: "none",
  },
  get: {
    tool: "objects_get",
    arguments_: () => ({ kind: "Deployment", namespace: place, name: "api", view: "spec" }),
    hangs: ({ method, url }) => method === "GET" && url.endsWith("/deployments/api"),
    effect: "none",
  },
  logs: {
    tool: "logs_read",
    arguments_: () => ({ namespace: place, name: pod }),
    hangs: ({ url }) => url.includes("/log?"),
    action: { kind: "begin", body: "a first line\n", after: "hang" },
    effect: "none",
  },
  watch: {
    tool: "conditions_wait",
    arguments_: () => ({ kind: "Deployment", namespace: place, name: "api", for: "Never=True", wait_seconds: 45 }),
    hangs: ({ url }) => url.includes("watch=true"),
    action: { kind: "begin", body: "", after: "hang" },
    effect: "none",
  },
  "dry run": {
    tool: "workloads_scale",
    arguments_: () => scaling(place, 4),
    hangs: ({ method, url }) => method === "PATCH" && url.includes("dryRun=All"),
    effect: "none",
  },
  patch: {
    tool: "workloads_scale",
    arguments_: () => scaling(place, 5),
    hangs: ({ method, url }) => method === "PATCH" && url.includes("/scale") && !url.includes("dryRun"),
    effect: "unknown",
  },
  exec: {
    tool: "pods_exec",
    arguments_: () => ({ namespace: place, name: pod, command: ["sleep", "50"], ...why }),
    hangs: ({ url }) => url.includes("/exec?"),
    action: { kind: "talk", talk: () => undefined },
    effect: "unknown",
  },
};

describe("down to the socket", () => {
  for (const [name, { tool, arguments_, hangs, action = hang, effect }] of Object.entries(waits))
    for (const way of ["notifications/cancelled", "a client that goes away"] as const)
      promise("faults:cancel-to-the-socket", `${name}: ${way}`, async () => {
        const { world, wire } = shop;
        const reached = Promise.withResolvers<string>();
        wire.rule = (one) => {
          if (!hangs(one)) return { kind: "pass" };
          reached.resolve(`${one.method} ${one.url}`);
          return action;
        };
        wire.left.length = 0;
        const agent = new Client({ name: "leaving-agent", version: "1.0.0" });
        await agent.connect(clientTransport(world.url, world.tokens.agent));
        const leaving = new AbortController();
        const call = agent.callTool(
          { name: tool, arguments: arguments_() },
          { signal: leaving.signal, timeout: 60_000 },
        );
        const ended = call.then(
          ({ content }) => `answered ${JSON.stringify(content)}`,
          () => "left",
        );
        // Where it never hangs, its answer says why.
        const hanging = await Promise.race([reached.promise, ended]);
        expect(wire.left).not.toContain(hanging);
        if (way === "notifications/cancelled") leaving.abort();
        else await agent.close();
        expect(await ended).toBe("left");
        await eventually(() => wire.left).toContain(hanging);
        await eventually(async () => {
          const settled = (await world.entries()).findLast((entry) => entry["kind"] === "call.settled");
          return ["tool", "code", "effect"].map((key) => textAt(settled, "details", key));
        }).toEqual([tool, "cancelled", effect]);
        await eventually(() => leftoversIn(shop.admin, [place])).toEqual([]);
        await agent.close();
      });
});

const dying = "begin" as const;

describe("streams that end badly", () => {
  /** The tool's answer where its stream meets this. */
  async function told(name: keyof typeof waits, action: Action): Promise<string[]> {
    const { tool, arguments_, hangs } = waits[name] ?? {};
    if (tool === undefined || arguments_ === undefined || hangs === undefined) throw new Error("no such wait");
    let struck = false;
    shop.wire.rule = (one) => {
      if (!hangs(one) || (struck && name === "watch")) return { kind: "pass" };
      struck = true;
      return action;
    };
    return heading(await shop.world.call(tool, { ...arguments_(), ...(name === "watch" ? { wait_seconds: 3 } : {}) }));
  }
  const foreign = "message-of-the-server";

  promise("faults:streams", "logs", async () => {
    const cut = [
      "ERROR cluster_unavailable: The cluster can't be reached: the connection broke.",
      "failed cluster_unavailable none later",
    ];
    expect(await told("logs", { kind: dying, body: "half a li", after: "drop" })).toEqual(cut);
    expect(await told("logs", { kind: "drop" })).toEqual(cut);
    expect((await told("logs", status(500, "InternalError", foreign)))[1]).toBe(
      "failed cluster_unavailable none later",
    );
    expect((await told("logs", status(410, "Gone", foreign)))[0]).toBe(
      "ERROR cursor_expired: What was read before is too old by now for the cluster to go on from.",
    );
    const binary = await told("logs", { kind: "raw", body: "\u0000\u001b[31mred\u202e\n" });
    expect(binary[1]).toMatch(/^completed/);
  });

  promise("faults:streams", "a command", async () => {
    const lost = [
      "ERROR deadline_exceeded: The cluster's answer was lost while the call ran: the connection broke in the middle of the answer.",
      "failed deadline_exceeded unknown later",
    ];
    expect(await told("exec", { kind: "drop" })).toEqual(lost);
    expect(await told("exec", { kind: "talk", talk: (_, raw) => raw.destroy() })).toEqual(lost);
    expect(await told("exec", { kind: "talk", talk: (socket) => socket.send(foreign) })).toEqual(lost);
    const failing = (message: string): Action => ({
      kind: "talk",
      talk(socket) {
        const told_ = JSON.stringify({ kind: "Status", status: "Failure", reason: "InternalError", message });
        socket.send(Buffer.concat([Buffer.from([3]), Buffer.from(told_)]), () => socket.close(1000));
      },
    });
    expect(await told("exec", failing(`${foreign} container not found`))).toEqual([
      `ERROR exec_failed: The command could not be run in Pod ${pod}: its container is not running.`,
      "failed exec_failed none change",
    ]);
    expect(await told("exec", failing(foreign))).toEqual([
      `ERROR exec_failed: The command in Pod ${pod} broke off, and how it ended is not known.`,
      "failed exec_failed unknown change",
    ]);
  });

  promise("faults:streams", "a watch", async () => {
    const answer = [
      "ERROR cluster_unavailable: The cluster can't be reached: what answers is no Kubernetes API server.",
      "failed cluster_unavailable none later",
    ];
    expect(await told("watch", { kind: "raw", body: `${foreign}\n` })).toEqual(answer);
    for (const action of [
      { kind: dying, body: '{"type":', after: "drop" },
      { kind: "begin", body: "", after: "hang" },
      { kind: "drop" },
    ] as const)
      expect([action.kind, (await told("watch", action))[1]]).toEqual([
        action.kind,
        action.kind === "drop" ? "failed cluster_unavailable none later" : "completed  none ",
      ]);
  });

  promise(
    "faults:verifies",
    "after all of this the transcript verifies, and the server's words are nowhere",
    async () => {
      shop.wire.rule = () => ({ kind: "pass" });
      const all = JSON.stringify([await shop.world.entries(), shop.world.log()]);
      expect(all.includes(foreign)).toBe(false);
      await expectVerifies(shop.world);
    },
  );
});
