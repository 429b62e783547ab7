// Attacks on who agrees, through every door at once: one person under two names, the requester's other account, two answers in the same moment, and late ones.

import { afterAll, beforeAll, describe, expect } from "vitest";
import { Client } from "@modelcontextprotocol/client";
import { textAt, type JsonObject } from "../../src/domain/json.ts";
import { openFront, consoleClient, noticeIn, visit, type Front } from "../console/visitor.ts";
import { entriesOf, eventually, openShop, scaling, type Shop } from "../faults/shop.ts";
import { openIssuer, type Issuer } from "../support/issuer.ts";
import { promise } from "../support/promise.ts";
import { clientTransport } from "../support/world.ts";

let shop: Shop;
let issuer: Issuer;
let front: Front;
/** The gateway's clock can be put forward; the provider's stays. */
let ahead = 0;

/** In shop-dev two people of either group, in shop-prod one of `sre`. */
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
    match: { effects: [change, destroy], verbs: [patch], kinds: [apps/deployments/scale], namespaces: [shop-dev] }
    approval: { approvers: ["group:sre", "group:ops"], count: 2, expires: 5m }
    reason: Two people agree.
  - id: one
    effect: require-approval
    match: { effects: [change, destroy], verbs: [patch], kinds: [apps/deployments/scale], namespaces: [shop-prod] }
    approval: { approvers: ["group:sre"], expires: 5m }
    reason: One person agrees.
`;

beforeAll(async () => {
  front = await openFront();
  issuer = await openIssuer({
    resources: [`${front.origin}/mcp`],
    people: { sam: { groups: [] }, kim: { groups: [] } },
    agents: ["deploy-bot"],
    clients: [consoleClient(front.origin)],
  });
  shop = await openShop({
    policy,
    outside: { now: () => Date.now() + ahead },
    config: `
hold: 0
issuers:
  - { kind: oidc, name: test, issuer: "${issuer.url}", audience: ["${front.origin}/mcp"] }
console: { url: "${front.origin}", issuer: test, clientId: console }
people:
  - name: Sam
    accounts: [{ issuer: "${issuer.url}", subject: sam }, { issuer: local, subject: approver }]
    groups: [sre, ops]
  - { name: Kim, accounts: [{ issuer: "${issuer.url}", subject: kim }], groups: [sre] }
`,
  });
  front.leadTo(() => shop.world.url);
  const bot = ["--issuer", "test", "--subject", "deploy-bot", "--owner", "sam", "--purpose", "Deploys the shop"];
  const registered = await shop.world.sallyport(["agents", "register", "deploy-bot", ...bot]);
  if (registered.code !== 0) throw new Error(registered.err);
});
afterAll(async () => {
  front?.close();
  await shop?.stop();
  await issuer?.stop();
});

let replicas = 20;
async function ask(namespace: string, more: JsonObject = {}): Promise<{ id: string; call: string }> {
  const answer = await shop.world.call("workloads_scale", scaling(namespace, ++replicas, more));
  expect(answer.text).toMatch(/^APPROVAL PENDING /);
  return { id: textAt(answer.facts, "approval"), call: textAt(answer.facts, "call") };
}
const terminal = async (...words: string[]): Promise<string> => {
  const { code, out, err } = await shop.world.sallyport(["approvals", ...words], "approver");
  return `${code}: ${`${out}${err}`.trim().split("\n").at(-1) ?? ""}`;
};
const shownOf = async (id: string, field: string): Promise<string> => {
  const { out } = await shop.world.sallyport(["approvals", "show", id, "--json"], "approver");
  return textAt(JSON.parse(out) as JsonObject, "request", field);
};
const stateOf = (id: string): Promise<string> => shownOf(id, "state");
const digestOf = (id: string): Promise<string> => shownOf(id, "approvalDigest");
const twice = "You have answered this request before; it needs other people too.";
const own = "Nobody answers their own request, and only who asked can withdraw one.";

describe("one person", () => {
  promise(
    "hostile:one-person",
    "in two groups, with an account in the terminal and another in the console",
    async () => {
      const { id, call } = await ask("shop-dev");
      expect(await terminal("approve", id, "--yes")).toMatch(/^0: Recorded: .*1 of 2 so far\.$/);
      expect(await terminal("approve", id, "--yes")).toBe(`1: ${twice} It is pending.`);
      const sam = await visit(front.origin, issuer, "sam");
      // A stronger proof of the same person is kept, and makes nobody a second one.
      expect(await sam.answer(id, "approve")).toEqual({ status: 303, says: "" });
      expect(await sam.answer(id, "approve")).toEqual({ status: 409, says: twice });
      expect(await terminal("approve", id, "--yes")).toBe(`1: ${twice} It is pending.`);
      expect(await stateOf(id)).toBe("pending");
      const kim = await visit(front.origin, issuer, "kim");
      expect(await kim.answer(id, "approve")).toEqual({ status: 303, says: "" });
      await eventually(async () => (await entriesOf(shop.world, call)).at(-1)).toBe("grant.revoked");
      const decided = (await shop.world.entries()).filter(
        (entry) => entry["call"] === call && entry["kind"] === "approval.decided",
      );
      expect(
        decided.map((entry) => [textAt(entry, "details", "approver", "subject"), textAt(entry, "details", "state")]),
      ).toEqual([
        ["approver", "pending"],
        ["approver", "pending"],
        ["kim", "approved"],
      ]);
    },
  );

  promise(
    "hostile:one-person",
    "asks with one account and answers with the other; or their agent asks for them",
    async () => {
      const asking = new Client({ name: "test-person", version: "1.0.0" });
      await asking.connect(clientTransport(shop.world.url, shop.world.tokens.approver));
      const mine = await asking.callTool({ name: "workloads_scale", arguments: scaling("shop-prod", ++replicas) });
      const id = textAt(mine._meta?.["sallyport/facts"] as JsonObject, "approval");
      await asking.close();
      const sam = await visit(front.origin, issuer, "sam");
      const page = await sam.text(`/console/requests/${id}`);
      expect([noticeIn(page), page.includes(`${id}/approve`)]).toEqual([own, false]);
      for (const answer of ["approve", "reject"] as const)
        expect(await sam.answer(id, answer, { digest: await digestOf(id) })).toEqual({ status: 409, says: own });

      const hers = await issuer.code("sam", "sallyport:read sallyport:change", `${front.origin}/mcp`);
      const delegated = await issuer.exchange(
        "deploy-bot",
        hers.access_token,
        "sallyport:read sallyport:change",
        `${front.origin}/mcp`,
      );
      const agent = new Client({ name: "deploy-bot", version: "1.0.0" });
      await agent.connect(clientTransport(shop.world.url, delegated.access_token));
      const theirs = await agent.callTool({ name: "workloads_scale", arguments: scaling("shop-prod", ++replicas) });
      const asked = textAt(theirs._meta?.["sallyport/facts"] as JsonObject, "approval");
      await agent.close();
      expect(await terminal("approve", asked, "--yes")).toBe(`1: ${own}`);
      expect(noticeIn(await sam.text(`/console/requests/${asked}`))).toBe(own);
      expect([await stateOf(id), await stateOf(asked)]).toEqual(["pending", "pending"]);
    },
  );
});

describe("answers in the same moment", () => {
  promise(
    "hostile:seen-is-run",
    "yes in the console and in the terminal at once: one counts, one call runs",
    async () => {
      const { id, call } = await ask("shop-prod");
      const kim = await visit(front.origin, issuer, "kim");
      const [there, here] = await Promise.all([kim.answer(id, "approve"), terminal("approve", id, "--yes")]);
      const late = "Too late: the request has ended.";
      expect([there.status === 303, here.startsWith("0: Approved")].filter(Boolean)).toHaveLength(1);
      expect([there.status === 303 ? here.includes(late) : there.says.startsWith(late)]).toEqual([true]);
      await eventually(async () => (await entriesOf(shop.world, call)).at(-1)).toBe("grant.revoked");
      const entries = await entriesOf(shop.world, call);
      expect(
        ["approval.decided approved", "approval.spent", "grant.issued"].map(
          (one) => entries.filter((kind) => kind === one).length,
        ),
      ).toEqual([1, 1, 1]);
    },
  );

  promise("hostile:seen-is-run", "yes against no: whichever was first stands, and the other is told", async () => {
    const { id, call } = await ask("shop-prod");
    const kim = await visit(front.origin, issuer, "kim");
    const [no, yes] = await Promise.all([
      kim.answer(id, "reject", { reason: "not now" }),
      terminal("approve", id, "--yes"),
    ]);
    const state = await stateOf(id);
    if (state === "rejected") expect([no.status, yes.slice(0, 2)]).toEqual([303, "1:"]);
    // A no that came after the yes takes it back where it has not run, and is told that it is too late where it has.
    else expect([yes.slice(0, 2), no.status === (state === "revoked" ? 303 : 409)]).toEqual(["0:", true]);
    // What is spent runs after that.
    await expect
      .poll(async () => (await entriesOf(shop.world, call)).filter((one) => one === "grant.issued").length, {
        timeout: 60_000,
      })
      .toBe(state === "spent" ? 1 : 0);
  });

  promise(
    "hostile:seen-is-run",
    "after its time, from a page that was open before, and with the clock put back",
    async () => {
      const kim = await visit(front.origin, issuer, "kim");
      const late = await ask("shop-prod");
      const digest = await digestOf(late.id);
      ahead += 301_000;
      expect(await kim.answer(late.id, "approve", { digest })).toEqual({
        status: 409,
        says: "Too late: the request has expired.",
      });
      expect(await terminal("approve", late.id, "--yes")).toMatch(/^1: Too late: the request has expired\./);
      ahead -= 301_000;
      expect(await terminal("approve", late.id, "--yes")).toMatch(/^1: Too late: the request has expired\./);
      const early = await ask("shop-prod");
      ahead -= 3_600_000;
      // Whatever the clock measures now, it is not this request's time.
      expect(await terminal("approve", early.id, "--yes")).toMatch(/^1: /);
      ahead += 3_600_000;
      expect(await stateOf(early.id)).toBe("expired");
      for (const { call } of [late, early])
        expect((await entriesOf(shop.world, call)).filter((one) => one.startsWith("grant."))).toEqual([]);
    },
  );
});
