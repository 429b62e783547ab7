// Approval in Slack through a whole gateway: an agent's call, a person's tap, and exactly that in the cluster, once.

import { afterAll, beforeAll, describe, expect } from "vitest";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually, entriesOf, expectVerifies, openShop, scaling, untouched, type Shop } from "../faults/shop.ts";
import { promise } from "../support/promise.ts";
import { openWorkspace, tokens, type Workspace } from "../support/slack/workspace.ts";
import type { World } from "../support/world.ts";

const config = (secrets: string): string => `hold: 0
slack: { botToken: ${secrets}/bot, appToken: ${secrets}/app, team: T77, channel: C77 }
people:
  - { name: Kim, accounts: [{ issuer: local, subject: approver }], groups: [approvers] }
  - { name: Lee, accounts: [{ issuer: local, subject: lee }], groups: [approvers] }
  - { name: Agent, accounts: [{ issuer: local, subject: agent }], groups: [approvers] }
`;

let secrets: string;
let workspace: Workspace;
let shop: Shop;
let world: World;

/** Who is linked, as the console would have made it; read when the gateway starts. */
async function linked(folder: string, links: { readonly [user: string]: string }): Promise<void> {
  const since = Date.now();
  const all = Object.entries(links).map(([user, subject]) => ({
    team: "T77",
    user,
    issuer: "local",
    subject,
    since,
    until: since + 3_600_000,
    proof: { at: since, groups: [] },
  }));
  await writeFile(join(folder, "links.json"), JSON.stringify({ format: 2, links: all, proposals: [] }), {
    mode: 0o600,
  });
}

beforeAll(async () => {
  workspace = await openWorkspace({ team: "T77" });
  secrets = await mkdtemp(join(tmpdir(), "sallyport-slack-"));
  await writeFile(join(secrets, "bot"), tokens.bot, { mode: 0o600 });
  await writeFile(join(secrets, "app"), tokens.app, { mode: 0o600 });
  shop = await openShop({ config: config(secrets), outside: { slackApi: workspace.apiUrl } });
  world = shop.world;
  await world.restart(async () => await linked(world.folder, { UKIM: "approver", ULEE: "lee", UJO: "agent" }));
});

afterAll(async () => {
  await shop.stop();
  await workspace.stop();
  await rm(secrets, { recursive: true, force: true });
});

const scale = (replicas: number) => world.call("workloads_scale", scaling("shop-prod", replicas));
const lastCard = async () => {
  await eventually(() => workspace.seen(workspace.cards("C77").at(-1) ?? { blocks: [] }).taps.length).toBeGreaterThan(
    1,
  );
  const card = workspace.cards("C77").at(-1);
  if (card === undefined) throw new Error("no card");
  return card;
};

/** Approves as a person does: with one tap, or in the window that opens. */
async function approve(user: string): Promise<void> {
  const card = await lastCard();
  const label = workspace.seen(card).taps[0]?.label ?? "";
  const before = workspace.answered("views.open");
  await workspace.click(user, card, label);
  await eventually(() => workspace.answered("views.open") > before || workspace.seen(card).taps.length === 0).toBe(
    true,
  );
  if (workspace.answered("views.open") === before) return;
  await eventually(async () => {
    const view = [...workspace.views.values()].findLast((one) => one.user === user && one.open);
    if (view === undefined) return "no window";
    await workspace.submit(user, view);
    return workspace.seenView(view).text;
  }).toBe("Approved: the call runs now.");
}

describe("through a whole gateway", () => {
  promise("slack:whole", "asked, tapped, run once, on record under the person's account", async () => {
    await eventually(() => workspace.connected()).toBe(2);
    const answer = await scale(2);
    expect(answer.facts["outcome"]).toBe("suspended");
    expect(await shop.standing()).toEqual(untouched);
    const card = await lastCard();
    expect(workspace.seen(card).text).toContain("Deployment shop-prod/api");
    await approve("UKIM");
    await eventually(async () => (await shop.standing()).prod).toBe(2);
    await eventually(() => workspace.seen(card).text.split("\n")[0]).toContain("Done: Scale Deployment shop-prod/api");
    await eventually(async () => (await shop.standing()).leftovers).toEqual([]);
    expect(await entriesOf(world, answer.facts["call"])).toContain("approval.decided approved");
    const decided = (await world.entries()).findLast((one) => one["kind"] === "approval.decided");
    expect(decided).toMatchObject({
      details: {
        approver: { issuer: "local", subject: "approver", groups: ["approvers"], channel: "slack", assurance: "chat" },
      },
    });
    await expectVerifies(world);
  });

  promise(
    "slack:whole",
    "the agent's own user, if anybody linked one, approves nothing; and what was denied does not run",
    async () => {
      const answer = await scale(4);
      const card = await lastCard();
      const said = workspace.ephemerals.length;
      await workspace.click("UJO", card, workspace.seen(card).taps[0]?.label ?? "");
      await eventually(() => workspace.ephemerals.slice(said).map((one) => one.text)).toEqual([
        "Nobody answers their own request: somebody else must.",
      ]);
      const opened = workspace.answered("views.open");
      await workspace.click("ULEE", card, "Deny");
      await eventually(() => workspace.answered("views.open")).toBe(opened + 1);
      await eventually(async () => {
        const view = [...workspace.views.values()].findLast((one) => one.user === "ULEE" && one.open);
        if (view === undefined) return "";
        await workspace.submit("ULEE", view, { preset: ["Wrong target"], tell: ["May read this reason"] });
        return workspace.seenView(view).text;
      }).toBe("Denied: the call does not run.");
      const wait = await world.call("approval_wait", { id: answer.facts["approval"] ?? answer.facts["call"] ?? "" });
      expect([wait.facts["code"], wait.text.includes("Wrong target")]).toEqual(["approval_rejected", true]);
      expect((await shop.standing()).prod).toBe(2);
    },
  );

  promise(
    "slack:away",
    "with Slack gone the gateway starts, asks, and is answered in the terminal; then the card is shown as decided",
    async () => {
      await world.restart(async () => workspace.troubleUntilLifted("*", { kind: "status", status: 500 }));
      const ready = async () => {
        const answered = await fetch(new URL("/readyz", world.url));
        const { dependencies } = (await answered.json()) as { dependencies: { name: string; why?: string }[] };
        return [answered.status, dependencies.find((one) => one.name === "channel slack")?.why];
      };
      // Said by its name, and no reason to send anybody elsewhere.
      expect(await ready()).toEqual([200, "channel_unavailable"]);
      await scale(5);
      await world.approve();
      await eventually(async () => (await shop.standing()).prod).toBe(5);
      const cards = workspace.cards("C77").length;
      workspace.lift();
      await eventually(() => workspace.cards("C77").length).toBe(cards + 1);
      await eventually(() => workspace.seen(workspace.cards("C77").at(-1) ?? { blocks: [] }).text).toContain(
        "Done: Scale",
      );
      await eventually(() => workspace.connected()).toBe(2);
    },
  );

  promise("slack:restart", "asked before a restart, tapped after it, run once", async () => {
    await scale(6);
    await lastCard();
    await world.restart();
    await eventually(() => workspace.connected()).toBe(2);
    const cards = workspace.cards("C77").length;
    await approve("ULEE");
    await eventually(async () => (await shop.standing()).prod).toBe(6);
    expect(workspace.cards("C77").length).toBe(cards);
    const spent = (await world.entries()).filter((one) => one["kind"] === "approval.spent");
    expect(spent).toHaveLength(3);
    await expectVerifies(world);
  });
});
