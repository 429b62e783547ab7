// Attacks on what a person agrees to: other people's answers, one's own approval, changed objects, replays, joins, floods.

import { readFileSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Client } from "@modelcontextprotocol/client";
import { afterAll, beforeAll, expect } from "vitest";
import { connectOwner } from "../../src/owner/client.ts";
import { textAt, type JsonObject } from "../../src/domain/json.ts";
import { entriesOf, expectVerifies, heading, openShop, scaling, told, untouched, type Shop } from "../faults/shop.ts";
import { promise } from "../support/promise.ts";
import { clientTransport, type Answer } from "../support/world.ts";

const { version } = JSON.parse(readFileSync(join(import.meta.dirname, "..", "..", "package.json"), "utf8")) as {
  readonly version: string;
};
const secret = "S3cr3tPassw0rdx9Qq7";
let shop: Shop;
let replicas = 10;

beforeAll(async () => {
  shop = await openShop({ config: "hold: 1" });
});
afterAll(async () => {
  await shop?.stop();
});

/** A scale that nobody has asked for yet. */
const fresh = (more: JsonObject = {}): JsonObject => scaling("shop-prod", ++replicas, more);

/** Asks and is told to wait. */
async function ask(arguments_: JsonObject): Promise<{ call: string; approval: string }> {
  const answer = await shop.world.call("workloads_scale", arguments_);
  expect(answer.text).toMatch(/^APPROVAL PENDING /);
  return { call: textAt(answer.facts, "call"), approval: textAt(answer.facts, "approval") };
}

async function asApprover<T>(work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ name: "other", version: "1.0.0" });
  await client.connect(clientTransport(shop.world.url, shop.world.tokens.approver));
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}

const approve = (id: string, as: "owner" | "approver" = "approver") =>
  shop.world.sallyport(["approvals", "approve", id, "--yes"], as);

const wait = (id: string, seconds = 45): Promise<Answer> =>
  shop.world.call("approval_wait", { id, wait_seconds: seconds });

promise("hostile:secret-in-reason", "a password in the reason of a call that a person must agree to", async () => {
  const { world } = shop;
  const { approval } = await ask(fresh({ reason: `the login is password=${secret} since noon` }));
  const listed = await world.sallyport(["approvals", "list", "--json"], "approver");
  const shown = await world.sallyport(["approvals", "show", approval], "approver");
  const kept = await readFile(join(world.folder, "approvals", "requests.json"), "utf8");
  const all = {
    listed: listed.out,
    shown: shown.out,
    kept,
    entries: JSON.stringify(await world.entries()),
    log: world.log(),
  };
  expect(
    Object.entries(all)
      .filter(([, text]) => text.includes(secret))
      .map(([where]) => where),
  ).toEqual([]);
  expect(shown.out).toContain("the login is password=[MASKED:password] since noon");
});

promise(
  "hostile:answers-own",
  "another caller asks for the result by approval id, by call id, and by asking the same",
  async () => {
    const { world } = shop;
    const asked = fresh();
    const { call, approval } = await ask(asked);
    const unknown = "apr_0190aaaa-aaaa-7aaa-8aaa-aaaaaaaaaaaa";
    await asApprover(async (other) => {
      for (const id of [approval, call, unknown]) {
        const answer = await other.callTool({ name: "approval_wait", arguments: { id, wait_seconds: 0 } });
        const [part] = answer.content as readonly { readonly text?: string }[];
        expect(part?.text?.split("\n")[0]).toBe(`ERROR not_found: approval ${id} does not exist.`);
      }
      const same = await other.callTool({ name: "workloads_scale", arguments: asked });
      const facts = (same._meta?.["sallyport/facts"] ?? {}) as JsonObject;
      expect(facts["outcome"]).toBe("suspended");
      expect(facts["approval"]).not.toBe(approval);
    });
    expect((await approve(approval)).code).toBe(0);
    expect(heading(await wait(approval))[0]).toBe("DONE workloads_scale Deployment shop-prod/api");
    expect((await entriesOf(world, call)).at(-1)).toBe("grant.revoked");
  },
);

promise(
  "hostile:nobody-own",
  "the agent's own token over the socket, the socket's holder, and an approver who asked",
  async () => {
    const { world } = shop;
    const { approval } = await ask(fresh());
    const owner = await connectOwner({ folder: world.folder, uid: process.getuid?.() ?? -1, version });
    if (owner.kind !== "connected") throw new Error(owner.sentence);
    try {
      const answers = await Promise.all(
        [{ token: world.tokens.agent }, {}, { token: "a-token-that-nobody-has-ever-seen-before-now-0" }].map((proof) =>
          owner.to.call("approvals.approve", { id: approval, ...proof }),
        ),
      );
      expect(
        answers.map((one) => (one.kind === "result" ? textAt(one.result as JsonObject, "code") : one.kind)),
      ).toEqual(["is_agent", "not_found", "fault"]);
    } finally {
      owner.to.close();
    }
    const own = await asApprover((other) => other.callTool({ name: "workloads_scale", arguments: fresh() }));
    const asked = textAt(own._meta?.["sallyport/facts"] as JsonObject, "approval");
    expect((await approve(asked)).err).toContain("Nobody answers their own request");
  },
);

promise("hostile:seen-is-run", "the count is changed by someone else between the look and the yes", async () => {
  const { world, admin } = shop;
  const { call, approval } = await ask(fresh());
  const before = (await shop.standing()).prod;
  const scale = "/apis/apps/v1/namespaces/shop-prod/deployments/api/scale";
  const contentType = "application/merge-patch+json";
  const scaled = await admin.send("PATCH", scale, { spec: { replicas: before + 1 } }, { contentType });
  expect(scaled.status).toBe(200);
  expect((await approve(approval)).code).toBe(0);
  expect(heading(await wait(approval))).toEqual([
    "ERROR approval_stale: What was approved is no longer what would happen.",
    "failed approval_stale none same",
  ]);
  expect((await shop.standing()).prod).toBe(before + 1);
  expect((await entriesOf(world, call)).filter((one) => one.startsWith("grant."))).toEqual([]);
});

promise(
  "hostile:seen-is-run",
  "an approval is given twice at once, and asked for again when it was spent",
  async () => {
    const { world } = shop;
    const { call, approval } = await ask(fresh());
    const codes = await Promise.all([approve(approval), approve(approval), approve(approval)]);
    expect(codes.filter((one) => one.code === 0)).toHaveLength(1);
    expect(heading(await wait(approval))[0]).toBe("DONE workloads_scale Deployment shop-prod/api");
    const again = await approve(approval);
    expect([again.code === 0, again.err.includes("has ended")]).toEqual([false, true]);
    const entries = await entriesOf(world, call);
    expect(entries.filter((one) => one === "approval.spent" || one === "grant.issued")).toHaveLength(2);
  },
);

promise(
  "hostile:seen-is-run",
  "while it waits, the policy asks for more people, or the agent is dismissed",
  async () => {
    const policy = (count: number): string => `version: 1
rules:
  - id: ask
    effect: require-approval
    match: { effects: [change, destroy, read] }
    approval: { approvers: ["group:approvers"], count: ${count} }
    reason: Somebody looks at everything.
`;
    const strict = await openShop({ policy: policy(1) });
    try {
      const { world } = strict;
      const states = async (): Promise<string[]> => {
        const { out } = await world.sallyport(["approvals", "list", "--all", "--json"], "approver");
        return [...out.matchAll(/"why":\s*"([^"]*)"/g)].map((found) => found[1] ?? "");
      };
      await world.call("workloads_scale", scaling("shop-prod", 5));
      await world.restart(() => writeFile(join(world.folder, "policy.yaml"), policy(2)));
      await world.approve();
      await expect.poll(states, { timeout: 60_000 }).toEqual(["the policy asks for more"]);
      await world.restart(() => writeFile(join(world.folder, "policy.yaml"), policy(1)));
      await world.call("workloads_scale", scaling("shop-prod", 6));
      const config = join(world.folder, "sallyport.yaml");
      const text = await readFile(config, "utf8");
      await world.restart(() => writeFile(config, text.replace("groups: [agents]", "groups: [former]")));
      await world.approve();
      await expect
        .poll(states, { timeout: 60_000 })
        .toEqual(["the policy asks for more", "the caller is no longer accepted"]);
      expect((await strict.standing()).prod).toBe(untouched.prod);
      await expectVerifies(world);
    } finally {
      await strict.stop();
    }
  },
);

promise(
  "hostile:joined-verifies",
  "three equal calls at once, and a fourth that comes after the answer was taken",
  async () => {
    const { world } = shop;
    const asked = fresh();
    const calls = [1, 2, 3].map(() => world.call("workloads_scale", asked));
    await expect.poll(async () => (await pending()).length, { timeout: 60_000 }).toBeGreaterThan(0);
    const held = await Promise.all(calls);
    const approval = textAt(held[0]?.facts, "approval");
    expect(new Set(held.map((one) => one.facts["approval"]))).toEqual(new Set([approval]));
    const joining = world.call("workloads_scale", asked);
    await approve(approval);
    const joined = await joining;
    const done = joined.facts["outcome"] === "suspended" ? await wait(approval) : joined;
    expect(told(done)[0]).toBe("DONE workloads_scale Deployment shop-prod/api");
    await expectVerifies(world);
  },
);

async function pending(): Promise<readonly string[]> {
  const { out } = await shop.world.sallyport(["approvals", "list", "--json"], "approver");
  return [...out.matchAll(/"id":\s*"(apr_[^"]+)"/g)].map((found) => found[1] ?? "");
}

promise(
  "hostile:broken-hold",
  "the approvals file is damaged while a call is held, and good again when a person says yes",
  async () => {
    const { world } = shop;
    const [path, config] = [join(world.folder, "approvals", "requests.json"), join(world.folder, "sallyport.yaml")];
    const before = new Set(await pending());
    const text = await readFile(config, "utf8");
    // Held for long enough that the file is damaged meanwhile.
    await world.restart(() => writeFile(config, text.replace("hold: 1\n", "hold: 10\n")));
    const asking = world.call("workloads_scale", fresh());
    let approval: string | undefined;
    await expect
      .poll(async () => (approval = (await pending()).find((id) => !before.has(id))), { timeout: 60_000, interval: 20 })
      .toBeDefined();
    const good = await readFile(path, "utf8");
    await writeFile(path, "damaged");
    const answer = await asking;
    await writeFile(path, good);
    expect(heading(answer)).toEqual([
      `APPROVAL PENDING ${approval} - a person must agree first; nothing has run yet.`,
      "suspended  none same",
    ]);
    expect(world.log()).toContain("is not JSON");
    await approve(String(approval));
    expect(heading(await wait(String(approval)))[0]).toBe("DONE workloads_scale Deployment shop-prod/api");
    await expectVerifies(world);
    await world.restart(() => writeFile(config, text));
  },
);

promise("hostile:flood", "more requests than a person could read, and another caller after them", async () => {
  const { world } = shop;
  const answers = await Promise.all(Array.from({ length: 70 }, () => world.call("workloads_scale", fresh())));
  const refused = answers.filter((one) => one.facts["code"] === "limit_exceeded");
  expect(answers.length - refused.length).toBeLessThanOrEqual(50);
  expect(refused.length).toBeGreaterThanOrEqual(20);
  expect(told(refused[0] as Answer)).toEqual([
    "ERROR limit_exceeded: A limit was reached: 50 requests of yours wait for a person. Nothing was run.",
    "next: ask for less at a time, or wait a little.",
    "call - effect none - retry later",
    "refused limit_exceeded none later",
  ]);
  const other = await asApprover((one) => one.callTool({ name: "workloads_scale", arguments: fresh() }));
  expect(((other._meta?.["sallyport/facts"] ?? {}) as JsonObject)["outcome"]).toBe("suspended");
  await expectVerifies(world);
});
