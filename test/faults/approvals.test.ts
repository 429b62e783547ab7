// What can happen between a request and a person's answer: whatever it is, one call runs once, as it was approved, or not at all.

import { join } from "node:path";
import { Client } from "@modelcontextprotocol/client";
import { afterAll, afterEach, beforeAll, describe, expect } from "vitest";
import { isJsonObject, textAt, type JsonObject } from "../../src/domain/json.ts";
import { promise } from "../support/promise.ts";
import { clientTransport, openWorld, runCommand, type Answer, type World } from "../support/world.ts";
import {
  deploymentPath,
  entriesOf,
  eventually,
  expectVerifies,
  heading,
  openShop,
  scaling,
  striking,
  told,
  type Shop,
} from "./shop.ts";

/** People of `approvers` agree within ten minutes, where the namespace says that it is production. */
const policy = `version: 1
rules:
  - id: ask
    effect: allow
    match: { effects: [read], tools: [access_review, approval_wait] }
    reason: Asking is free.
  - id: look-beside
    effect: allow
    match: { effects: [change, destroy], verbs: [get, list], kinds: [apps/deployments/scale, resourcequotas, autoscaling/horizontalpodautoscalers] }
    reason: A change looks.
  - id: scale
    effect: require-approval
    match: { effects: [change, destroy], verbs: [patch], kinds: [apps/deployments/scale], environments: [prod] }
    approval: { approvers: ["group:approvers"], expires: 10m }
    reason: A person agrees.
`;

let shop: Shop;
let world: World;
/** The clock of the gateway can be put forward. */
let ahead = 0;

beforeAll(async () => {
  shop = await openShop({ policy, outside: { now: () => Date.now() + ahead } });
  ({ world } = shop);
});
afterEach(() => {
  shop.wire.rule = () => ({ kind: "pass" });
});
afterAll(async () => {
  await shop?.stop();
});

const ask = (replicas: number): Promise<Answer> => world.call("workloads_scale", scaling("shop-prod", replicas));
const idOf = (answer: Answer): string => textAt(answer.facts, "approval");
const wait = (id: string, seconds = 45): Promise<Answer> => world.call("approval_wait", { id, wait_seconds: seconds });
const replicas = async (): Promise<number> => (await shop.standing()).prod;
const merge = { contentType: "application/merge-patch+json" };
const change = (path: string, patch: JsonObject): Promise<unknown> => shop.admin.send("PATCH", path, patch, merge);

/** The last line that the approver's terminal shows, with the exit code. */
async function approvals(...words: string[]): Promise<string> {
  const { code, out, err } = await world.sallyport(["approvals", ...words], "approver");
  return `${code}: ${`${out}${err}`.trim().split("\n").at(-1) ?? ""}`;
}

const approved = "0: Approved: workloads_scale Deployment shop-prod/api. The call runs now.";
const done = "DONE workloads_scale Deployment shop-prod/api";

describe("a request that waits", () => {
  promise(
    "faults:approval-pending",
    "is answered at once where nothing is held, and joined by the same call",
    async () => {
      const first = await ask(4);
      const id = idOf(first);
      expect(told(first)).toEqual([
        `APPROVAL PENDING ${id} - a person must agree first; nothing has run yet.`,
        `seen and decided at: sallyport approvals; expires ${textAt(first.facts, "expires")}`,
        `next: approval_wait with id ${id}; the call runs by itself once approved. Do not repeat it, split it or look for another way.`,
        "call - effect none - retry same call",
        "suspended  none same",
      ]);
      const again = await ask(4);
      expect([idOf(again), again.facts["call"] === first.facts["call"]]).toEqual([id, false]);
      const listed = JSON.parse((await world.sallyport(["approvals", "list", "--json"], "approver")).out) as JsonObject;
      expect(Array.isArray(listed["requests"]) && listed["requests"].length).toBe(1);
      expect(await entriesOf(world, again.facts["call"])).toEqual([
        "call.received",
        "call.previewed",
        "call.decided require-approval",
        "call.decided deny approval_pending",
        "call.settled refused approval_pending none",
      ]);
      expect(heading(await wait(id, 0))[0]).toMatch(
        new RegExp(
          `^APPROVAL PENDING ${id} - still waiting for a person, (?:9|10) min left; decided at sallyport approvals`,
        ),
      );
    },
  );

  promise("faults:self-approval", "is not answered by its agent, nor by whoever is no approver", async () => {
    const [request] = await pending();
    const id = textAt(request, "id");
    const asAgent = { ...world.env, SALLYPORT_TOKEN_FILE: join(world.folder, "agent.token") };
    for (const [words, says] of [
      [["approve", id, "--yes", "--json"], "Only people answer requests."],
      [["reject", id, "--reason", "mine"], "Only people answer requests."],
      [["withdraw", id], "Only people answer requests."],
    ] as const) {
      const { code, err } = await runCommand(["approvals", ...words], asAgent, { now: () => Date.now() + ahead });
      expect([code, err]).toEqual([1, says]);
    }
    const owner = await world.sallyport(["approvals", "approve", id, "--yes"]);
    expect([owner.code, owner.err]).toEqual([1, "There is no such request, or it is not for you to see."]);
    const stranger = { ...world.env, SALLYPORT_TOKEN_FILE: join(world.folder, "sallyport.yaml") };
    expect((await runCommand(["approvals", "list"], stranger)).err).toBe(
      "The gateway does not take the token of SALLYPORT_TOKEN_FILE for this.",
    );
    expect(await replicas()).toBe(3);
  });

  promise("faults:approval-once", "runs once however often it is approved, and its answer is given once", async () => {
    const [request] = await pending();
    const id = textAt(request, "id");
    expect(await approvals("approve", id, "--yes")).toBe(approved);
    expect(await approvals("approve", id, "--yes")).toMatch(
      /^1: Too late: the request has ended\. It is (approved|spent)\.$/,
    );
    expect(told(await wait(id))).toEqual([
      done,
      "~ spec.replicas: 3 -> 4",
      "! HPA api (2-10) sets this count too and may undo it: change its minReplicas",
      "undo: workloads_scale replicas 3",
      "the approved call has run: effect applied",
      "call - effect none",
      "completed  none ",
    ]);
    expect(heading(await wait(id))[0]).toBe(
      `${id} has ended and its answer was given before; read the object to see how it is now`,
    );
    expect(await replicas()).toBe(4);
    const patches = shop.wire.passed.filter(
      (one) => one.method === "PATCH" && one.url.includes("/shop-prod/") && !one.url.includes("dryRun"),
    );
    expect(patches).toHaveLength(1);
    // The same arguments are a new call from here on.
    expect((await ask(4)).facts["outcome"]).toBe("suspended");
  });

  async function pending(): Promise<readonly JsonObject[]> {
    const listed = JSON.parse((await world.sallyport(["approvals", "list", "--json"], "approver")).out) as JsonObject;
    return Array.isArray(listed["requests"]) ? listed["requests"].filter(isJsonObject) : [];
  }
});

describe("a request that is not approved", () => {
  promise(
    "faults:approval-rejected",
    "says so with the person's words only where they were meant for the agent",
    async () => {
      const open = await ask(5);
      expect(await approvals("reject", idOf(open), "--reason", "not before noon", "--tell-agent")).toBe(
        "0: Rejected: workloads_scale Deployment shop-prod/api. It does not run.",
      );
      expect(told(await wait(idOf(open)))).toEqual([
        "ERROR approval_rejected: A person has refused this call.",
        'they say: "not before noon"',
        "next: tell the user. Do not ask again in another form.",
        "call - effect none - retry never",
        "failed approval_rejected none never",
      ]);
      const closed = await ask(6);
      await approvals("reject", idOf(closed), "--reason", "between us");
      const repeated = await ask(6);
      expect(told(repeated)).toEqual([
        "ERROR approval_rejected: A person has refused this call. Nothing was run.",
        "next: tell the user. Do not ask again in another form.",
        "call - effect none - retry never",
        "refused approval_rejected none never",
      ]);
      expect(JSON.stringify([repeated, await wait(idOf(closed))]).includes("between us")).toBe(false);
      expect(await approvals("approve", idOf(closed), "--yes")).toBe(
        "1: Too late: the request has ended. It is rejected.",
      );
      expect(await replicas()).toBe(4);
    },
  );

  promise("faults:approval-expired", "expires, and can't be approved after that", async () => {
    const asked = await ask(7);
    ahead += 601_000;
    expect(await approvals("approve", idOf(asked), "--yes")).toBe(
      "1: Too late: the request has expired. It is expired.",
    );
    expect(told(await wait(idOf(asked)))).toEqual([
      "ERROR approval_expired: Nobody decided in time.",
      "next: ask the user whether it is still wanted; the same call makes a new request.",
      "call - effect none - retry same call",
      "failed approval_expired none same",
    ]);
    const unseen = await ask(11);
    ahead += 601_000;
    await eventually(async () => (await entriesOf(world, unseen.facts["call"])).at(-1)).toBe("approval.expired");
    expect(await replicas()).toBe(4);
  });

  promise("faults:self-approval", "nor is a person's own approved by them: they may only take it back", async () => {
    const person = new Client({ name: "test-person", version: "1.0.0" });
    await person.connect(clientTransport(world.url, world.tokens.approver));
    const own = await person.callTool({ name: "workloads_scale", arguments: scaling("shop-prod", 9) });
    const id = textAt(own._meta?.["sallyport/facts"] as JsonObject, "approval");
    expect(await approvals("approve", id, "--yes")).toBe(
      "1: Nobody answers their own request, and only who asked can withdraw one.",
    );
    // Another caller's request is none that this agent could wait for.
    expect(heading(await wait(id, 0))[0]).toBe(`ERROR not_found: approval ${id} does not exist.`);
    expect(await approvals("withdraw", id)).toBe(
      "0: Withdrawn: workloads_scale Deployment shop-prod/api. It does not run.",
    );
    const told = await person.callTool({ name: "approval_wait", arguments: { id } });
    expect(textAt(told._meta?.["sallyport/facts"] as JsonObject, "code")).toBe("approval_withdrawn");
    await person.close();
    expect(await replicas()).toBe(4);
  });
});

describe("an approval of what has changed", () => {
  const stale = (changed: string): string[] => [
    "ERROR approval_stale: What was approved is no longer what would happen.",
    `changed since: ${changed}`,
    "next: preview it again; the same call makes a new request for approval.",
    "call - effect none - retry same call",
    "failed approval_stale none same",
  ];

  promise("faults:approval-stale", "the count that would be changed is another now", async () => {
    const asked = await ask(8);
    await change(deploymentPath("shop-prod"), { spec: { replicas: 5 } });
    expect(await approvals("approve", idOf(asked), "--yes")).toBe(approved);
    expect(told(await wait(idOf(asked)))).toEqual(stale("what the call would do"));
    expect(await entriesOf(world, asked.facts["call"])).toEqual([
      "call.received",
      "call.previewed",
      "call.decided require-approval",
      "approval.requested",
      "approval.decided approved",
      "call.decided require-approval approval_stale",
      "call.settled refused approval_stale none",
      "approval.stale",
    ]);
    expect(await replicas()).toBe(5);
  });

  promise("faults:approval-stale", "what the call does not touch may change", async () => {
    const asked = await ask(12);
    await change(deploymentPath("shop-prod"), { metadata: { labels: { other: "changed" } } });
    await approvals("approve", idOf(asked), "--yes");
    expect(heading(await wait(idOf(asked)))[0]).toBe(done);
    expect(await replicas()).toBe(12);
  });

  promise("faults:approval-stale", "the object was deleted and made again under its name", async () => {
    const asked = await ask(13);
    const { body } = await shop.admin.send("GET", deploymentPath("shop-prod"));
    await shop.admin.send("DELETE", deploymentPath("shop-prod"));
    await eventually(async () => (await shop.admin.send("GET", deploymentPath("shop-prod"))).status).toBe(404);
    const { apiVersion, kind, spec } = body;
    const again = { apiVersion: apiVersion ?? "", kind: kind ?? "", spec: spec ?? {}, metadata: { name: "api" } };
    await shop.admin.create(deploymentPath("shop-prod").replace(/\/api$/, ""), again);
    await approvals("approve", idOf(asked), "--yes");
    expect(told(await wait(idOf(asked)))).toEqual(stale("the object was replaced"));
    expect(await replicas()).toBe(12);
  });

  promise("faults:approval-stale", "the cluster is away, or policy forbids by now what it asked for", async () => {
    const lost = await ask(14);
    shop.wire.rule = () => ({ kind: "drop" });
    await approvals("approve", idOf(lost), "--yes");
    await eventually(async () => (await entriesOf(world, lost.facts["call"])).at(-1)).toBe("approval.stale");
    shop.wire.rule = () => ({ kind: "pass" });
    expect(told(await wait(idOf(lost)))).toEqual(stale("the call is now refused: cluster_unavailable"));

    const forbidden = await ask(15);
    await change("/api/v1/namespaces/shop-prod", { metadata: { labels: { "sallyport.dev/environment": "sealed" } } });
    await approvals("approve", idOf(forbidden), "--yes");
    expect(told(await wait(idOf(forbidden)))).toEqual(stale("the call is now refused: denied"));
    await change("/api/v1/namespaces/shop-prod", { metadata: { labels: { "sallyport.dev/environment": "prod" } } });
    expect(await replicas()).toBe(12);
  });
});

describe("an approved call that fails", () => {
  promise("faults:effect-known", "with its answer lost: who waited is told that nobody knows", async () => {
    const asked = await ask(6);
    shop.wire.rule = striking("write", { kind: "swallow" });
    await approvals("approve", idOf(asked), "--yes");
    const waited = await wait(idOf(asked));
    expect(heading(waited)).toEqual([
      "ERROR deadline_exceeded: The cluster's answer was lost while the call ran: the connection broke in the middle of the answer.",
      "failed deadline_exceeded unknown later",
    ]);
    expect((await entriesOf(world, asked.facts["call"])).at(-2)).toBe("call.settled failed deadline_exceeded unknown");
    // The wait itself has left nothing.
    expect((await entriesOf(world, waited.facts["call"])).at(-1)).toBe("call.settled failed deadline_exceeded none");
    expect(await replicas()).toBe(6);
  });

  promise("faults:approval-once", "is not tried again by itself", async () => {
    const asked = await ask(7);
    shop.wire.rule = striking("write", { kind: "answer", status: 403, body: {} });
    await approvals("approve", idOf(asked), "--yes");
    expect(heading(await wait(idOf(asked)))[1]).toBe("failed cluster_denied none never");
    shop.wire.rule = () => ({ kind: "pass" });
    expect(await approvals("approve", idOf(asked), "--yes")).toBe("1: Too late: the request has ended. It is spent.");
    expect(await replicas()).toBe(6);
  });

  promise("faults:verifies", "after all of this the transcript verifies and nothing of a grant is left", async () => {
    expect((await shop.standing()).leftovers).toEqual([]);
    await expectVerifies(world);
  });
});

describe("a caller that is held", () => {
  let held: World;
  beforeAll(async () => {
    held = await openWorld({ kubeconfigPath: shop.wire.kubeconfigPath, enroll: null, policy, config: "hold: 45" });
  });
  afterAll(async () => {
    await held?.stop();
  });

  promise(
    "faults:approval-pending",
    "gets the answer of the run, and so does the equal call that joined: it ran once",
    async () => {
      shop.wire.passed.length = 0;
      const call = (): Promise<Answer> => held.call("workloads_scale", scaling("shop-prod", 2));
      const both = [call(), call()];
      // One of them asked, and the other one ended on record with having joined it.
      await eventually(async () =>
        (await held.entries())
          .map((entry) => textAt(entry, "kind"))
          .filter((kind) => ["approval.requested", "call.settled"].includes(kind)),
      ).toEqual(["approval.requested", "call.settled"]);
      await held.approve();
      const answers = await Promise.all(both);
      expect(answers.map((answer) => heading(answer))).toEqual([
        [done, "completed  applied "],
        [done, "completed  applied "],
      ]);
      const requested = (await held.entries()).filter((entry) => entry["kind"] === "approval.requested");
      const patches = shop.wire.passed.filter(
        (one) => one.method === "PATCH" && one.url.includes("/shop-prod/") && !one.url.includes("dryRun"),
      );
      expect([requested.length, patches.length, await replicas()]).toEqual([1, 1, 2]);
    },
  );

  promise(
    "faults:cancel",
    "may leave: the request waits on, and its answer is there when the caller comes back",
    async () => {
      const leaving = new AbortController();
      const call = held.call("workloads_scale", scaling("shop-prod", 5), { signal: leaving.signal });
      const requests = async (): Promise<number> =>
        (await held.entries()).filter((entry) => entry["kind"] === "approval.requested").length;
      await eventually(requests).toBe(2);
      leaving.abort();
      await expect(call).rejects.toThrow();
      const id = await held.approve();
      await eventually(replicas).toBe(5);
      expect(heading(await held.call("approval_wait", { id }))[0]).toBe(done);
      await expectVerifies(held);
    },
  );
});
