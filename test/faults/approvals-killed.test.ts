// A gateway that is killed (SIGKILL) while a request stands in each of its states, and what the next start makes of it.

import { once } from "node:events";
import { Client } from "@modelcontextprotocol/client";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { textAt, type JsonObject } from "../../src/domain/json.ts";
import { promise } from "../support/promise.ts";
import { clientTransport } from "../support/world.ts";
import { startProcess } from "./crash.ts";
import {
  entriesOf,
  eventually,
  expectVerifies,
  heading,
  moments,
  openShop,
  scaling,
  untouched,
  type Shop,
} from "./shop.ts";

/** An approval that could not start at once may start for two minutes. */
const policy = `version: 1
rules:
  - id: ask
    effect: allow
    match: { effects: [read], tools: [approval_wait] }
    reason: Asking is free.
  - id: look-beside
    effect: allow
    match: { effects: [change], verbs: [get, list], kinds: [apps/deployments/scale, resourcequotas, autoscaling/horizontalpodautoscalers] }
    reason: A change looks.
  - id: scale
    effect: require-approval
    match: { effects: [change], verbs: [patch], kinds: [apps/deployments/scale] }
    approval: { approvers: ["group:approvers"], expires: 10m, validFor: 2m }
    reason: A person agrees.
`;

let shop: Shop;
/** The world's own clock can be put forward; the process that is killed has the machine's. */
let ahead = 0;
beforeAll(async () => {
  shop = await openShop({ policy, outside: { now: () => Date.now() + ahead } });
});
afterAll(async () => {
  await shop?.stop();
});

/** Runs the gateway as a process of its own on the world's folder, and kills it when `work` is over. */
async function killAfter(work: (agent: Client) => Promise<void>): Promise<void> {
  const { world, wire } = shop;
  await world.restart(async () => {
    const gateway = await startProcess(world.env);
    const exited = once(gateway.process, "exit");
    try {
      const agent = new Client({ name: "test-agent", version: "1.0.0" });
      await agent.connect(clientTransport(gateway.url, world.tokens.agent));
      await work(agent);
      gateway.process.kill("SIGKILL");
      await agent.close();
    } finally {
      gateway.process.kill("SIGKILL");
      await exited;
      wire.rule = () => ({ kind: "pass" });
    }
  });
}

async function ask(agent: Pick<Client, "callTool">, replicas: number): Promise<{ id: string; call: string }> {
  const answer = await agent.callTool({ name: "workloads_scale", arguments: scaling("shop-prod", replicas) });
  const facts = answer._meta?.["sallyport/facts"] as JsonObject;
  return { id: textAt(facts, "approval"), call: textAt(facts, "call") };
}

/** Approves it, and answers once the call rehearses for the last time: approved, and not yet spent. */
async function approveAndHang(replicas: number, agent: Client): Promise<{ id: string; call: string }> {
  const { world, wire } = shop;
  const asked = await ask(agent, replicas);
  const rehearsing = Promise.withResolvers<void>();
  wire.rule = (passing) => {
    if (!moments.dryRun(passing)) return { kind: "pass" };
    rehearsing.resolve();
    return { kind: "hang" };
  };
  expect((await world.sallyport(["approvals", "approve", asked.id, "--yes"], "approver")).code).toBe(0);
  await rehearsing.promise;
  return asked;
}
const wait = async (id: string): Promise<string[]> =>
  heading(await shop.world.call("approval_wait", { id, wait_seconds: 20 }));
const grants = async (call: string): Promise<number> =>
  (await entriesOf(shop.world, call)).filter((one) => one === "grant.issued").length;
const done = ["DONE workloads_scale Deployment shop-prod/api", "completed  none "];

describe("a gateway that is killed", () => {
  promise(
    "faults:approval-killed",
    "while it waits: it still waits, is joined by the same call, and runs once",
    async () => {
      let asked = { id: "", call: "" };
      await killAfter(async (agent) => {
        asked = await ask(agent, 4);
      });
      expect((await ask(shop.world.agent, 4)).id).toBe(asked.id);
      await shop.world.approve();
      expect([await wait(asked.id), await grants(asked.call)]).toEqual([done, 1]);
      expect((await shop.standing()).prod).toBe(4);
    },
  );

  promise("faults:approval-killed", "when it is approved and not yet spent: the next start runs it, once", async () => {
    let asked = { id: "", call: "" };
    await killAfter(async (agent) => {
      asked = await approveAndHang(5, agent);
    });
    expect([await wait(asked.id), await grants(asked.call)]).toEqual([done, 1]);
    expect(await shop.standing()).toEqual({ ...untouched, prod: 5 });
    const entries = await entriesOf(shop.world, asked.call);
    expect(entries.filter((one) => one.startsWith("approval."))).toEqual([
      "approval.requested",
      "approval.decided approved",
      "approval.spent",
    ]);
  });

  promise("faults:approval-killed", "when it was approved, and the object changed while nobody ran", async () => {
    let asked = { id: "", call: "" };
    await killAfter(async (agent) => {
      asked = await approveAndHang(6, agent);
      const contentType = "application/merge-patch+json";
      const scale = "/apis/apps/v1/namespaces/shop-prod/deployments/api/scale";
      await shop.admin.send("PATCH", scale, { spec: { replicas: 8 } }, { contentType });
    });
    expect(await wait(asked.id)).toEqual([
      "ERROR approval_stale: What was approved is no longer what would happen.",
      "failed approval_stale none same",
    ]);
    expect([await grants(asked.call), (await shop.standing()).prod]).toEqual([0, 8]);
  });

  promise(
    "faults:approval-killed",
    "when it is approved, and nobody starts it again for longer than it is valid",
    async () => {
      let asked = { id: "", call: "" };
      await killAfter(async (agent) => {
        asked = await approveAndHang(7, agent);
        ahead += 121_000;
      });
      expect(await wait(asked.id)).toEqual([
        "ERROR approval_expired: Nobody decided in time.",
        "failed approval_expired none same",
      ]);
      expect([await grants(asked.call), (await shop.standing()).prod]).toEqual([0, 8]);
    },
  );

  promise(
    "faults:approval-killed",
    "when it was rejected, or its time ran out meanwhile: that is what is heard",
    async () => {
      let [no, late] = [
        { id: "", call: "" },
        { id: "", call: "" },
      ];
      await killAfter(async (agent) => {
        no = await ask(agent, 9);
        late = await ask(agent, 10);
        await shop.world.sallyport(["approvals", "reject", no.id, "--reason", "no"], "approver");
        ahead += 601_000;
      });
      expect([(await wait(no.id))[0], (await wait(late.id))[0]]).toEqual([
        "ERROR approval_rejected: A person has refused this call.",
        "ERROR approval_expired: Nobody decided in time.",
      ]);
      await eventually(() => shop.standing()).toEqual({ ...untouched, prod: 8 });
      await expectVerifies(shop.world);
    },
  );
});
