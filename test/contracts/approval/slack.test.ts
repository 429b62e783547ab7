// What an approver sees and does in Slack, through Slack's own libraries on a fake workspace.

import { expect } from "vitest";
import { levelOf } from "../../../src/approval/channels/slack/risk.ts";
import { sizeOf } from "../../../src/approval/channels/slack/blocks.ts";
import { spend, withdraw } from "../../../src/approval/verdict.ts";
import { escalateDue } from "../../../src/approval/escalation.ts";
import type { Change, DiffLine } from "../../../src/domain/output.ts";
import { promise } from "../../support/promise.ts";
import { hour, minute, plannedCall, preview, requirement, result, start, voter, type Given } from "./fixtures.ts";
import { eventually, openSlack } from "./slack-desk.ts";

const [change] = preview.changes as [Change];
const withLines = (lines: readonly DiffLine[], more: Partial<typeof preview> = {}): Given => ({
  preview: { ...preview, checks: [], ...more, changes: [{ ...change, lines }] },
});
const line = (path: string, after = "5", risk = false): DiffLine => ({ sign: "~", risk, path, before: "3", after });
/** A change that nothing speaks against. */
const harmless = withLines([line("spec.replicas")]);

promise("slack:card", "all of it in a few lines, and the digest that the terminal shows", async () => {
  const slack = await openSlack();
  const asked = await slack.ask();
  const { text, taps, markup } = slack.workspace.seen(await slack.card());
  const id = `apr_…${asked.id.slice(-8)} ${asked.approvalDigest.slice(0, 4)} ${asked.approvalDigest.slice(4, 8)}`;
  expect(text.split("\n")).toEqual([
    "# Scale Deployment shop/api 3 -> 5",
    "Object: Deployment shop/api",
    "Cluster: prod-1, environment prod",
    "Effect: change, risk medium; undo: workloads_scale replicas 3",
    "Rules: reads, production-changes",
    "Answer until 2026-11-21 13:00 UTC",
    '! HPA "api" sets this count too',
    "| ~ spec.replicas: 3 -> 5",
    "The agent's words, unverified:",
    "> more load is coming",
    "Asked by jo through scaler",
    "You are asked as one of group:sre",
    "0 of 1 person has agreed",
    "[Approve] [Deny] [Details]",
    id,
  ]);
  expect(taps.map((one) => one.value)).toEqual(Array(3).fill(taps[0]?.value));
  expect(taps[0]?.value).toMatch(new RegExp(`^${asked.id}\\.[0-9a-f]{32}$`));
  expect([markup, JSON.stringify(slack.workspace.messages).includes("arguments")]).toEqual([[], false]);
});

promise("slack:card", "until when is told live, by the reader's own clock, and each edit keeps it", async () => {
  const slack = await openSlack();
  const asked = await slack.ask({ ...harmless, requirements: [requirement({ count: 2 })] });
  const dates = (blocks: unknown): readonly unknown[] =>
    JSON.stringify(blocks).match(/\{"type":"date".*?"fallback":"[^"]*"\}/g) ?? [];
  const until = Math.floor(asked.expiresAt / 1000);
  const live = [
    JSON.stringify({
      type: "date",
      timestamp: until,
      format: "{date_short_pretty} {time} ({ago})",
      fallback: "2026-11-21 13:00 UTC",
    }),
  ];
  const card = await slack.card();
  expect(dates(card.blocks)).toEqual(live);
  slack.clock += minute;
  await slack.workspace.click("UKIM", card, "Approve");
  await eventually(() => card.edits).toBe(1);
  expect([slack.workspace.seen(card).text.includes("1 of 2 people have agreed"), dates(card.blocks)]).toEqual([
    true,
    live,
  ]);
});

promise("slack:levels", "one tap where nothing is risky", async () => {
  const slack = await openSlack();
  const asked = await slack.ask(harmless);
  expect(levelOf(asked)).toBe("low");
  expect(await slack.workspace.click("UKIM", await slack.card(), "Approve")).toEqual({});
  await eventually(() => slack.state(asked)).toBe("approved");
  expect([slack.kinds(), slack.workspace.views.size]).toEqual([["approval.requested", "approval.decided approved"], 0]);
  expect(slack.entries.at(-1)).toMatchObject({
    details: {
      answer: "approve",
      approver: { issuer: "https://id.example", subject: "kim", groups: ["sre"], channel: "slack", assurance: "chat" },
    },
  });
});

promise(
  "slack:levels",
  "a window for what is risky, with all of it from the store whatever the message says",
  async () => {
    const slack = await openSlack();
    const asked = await slack.ask(withLines([line("spec.template.spec.containers[0].image", "evil", true)]));
    const card = await slack.card();
    const shown = JSON.stringify(card.blocks);
    // Somebody with the bot's token edits the card: the window tells the truth.
    card.blocks = JSON.parse(shown.replaceAll("evil", "good").replaceAll("shop/api", "dev/other"));
    await slack.workspace.click("UKIM", card, "Approve");
    await slack.opened(1);
    expect(await slack.state(asked)).toBe("pending");
    const { text } = slack.workspace.seenView(slack.view("UKIM"));
    expect(text).toContain("# Scale Deployment shop/api");
    expect(text).toContain("| !~ spec.template.spec.containers[0].image: 3 -> evil");
    const reply = await slack.workspace.submit("UKIM", slack.view("UKIM"));
    const view = reply?.["view"] as { readonly blocks: unknown } | undefined;
    expect(slack.workspace.seen({ blocks: view?.blocks }).text).toBe("Approved: the call runs now.");
    expect(await slack.state(asked)).toBe("approved");
  },
);

promise("slack:levels", "what asks for a fresh sign-in can't be approved here, and can be denied", async () => {
  const slack = await openSlack();
  const asked = await slack.ask({ ...harmless, requirements: [requirement({ assurance: "step-up" })] });
  const card = await slack.card();
  const { taps, text } = slack.workspace.seen(card);
  expect([levelOf(asked), taps.map((one) => one.label)]).toEqual(["critical", ["Deny", "Details"]]);
  expect(text).toContain("It can't be approved here.");
  const forged = slack.workspace.press("UKIM", card, "Deny") as { actions: { action_id: string }[] };
  await slack.workspace.deliver("interactive", {
    ...forged,
    actions: [{ ...forged.actions[0], action_id: "sp.approve" }],
  });
  await eventually(() => slack.workspace.ephemerals.map((one) => one.text)).toEqual([
    `This request asks for a fresh sign-in, which Slack can't give: use the terminal (sallyport approvals), sallyport approvals show ${asked.id.slice(-8)}.`,
  ]);
  expect(await slack.state(asked)).toBe("pending");
});

promise(
  "slack:honest-cut",
  "ten thousand lines: what is there, how much is not, and Review instead of Approve",
  async () => {
    const slack = await openSlack();
    const lines = Array.from({ length: 10_000 }, (_one, index) =>
      line(`spec.list[${index}]`, "x".repeat(50), index < 60),
    );
    await slack.ask(withLines(lines));
    const card = await slack.card();
    const { text, taps } = slack.workspace.seen(card);
    const shown = text.split("\n").filter((one) => one.startsWith("| ")).length;
    expect(shown).toBeGreaterThan(20);
    expect(text).toContain(`+${2001 - shown} lines not shown here`);
    expect(taps.map((one) => one.label)).toEqual(["Review", "Deny", "Details"]);
    expect((card.blocks as unknown[]).length).toBeLessThanOrEqual(12);
    expect(sizeOf(card.blocks)).toBeLessThanOrEqual(9000);
    await slack.workspace.click("UKIM", card, "Review");
    await slack.opened(1);
    const whole = slack.workspace.seenView(slack.view("UKIM"));
    expect(whole.text.split("\n").filter((one) => one.startsWith("| ")).length).toBeGreaterThan(250);
    // All that is risky fits, but whoever made the card could not fit the rest: the last line says so, and that it is unseen.
    expect(whole.text).toContain("lines not shown here");
    expect(slack.view("UKIM").view["submit"]).toBeUndefined();
  },
);

promise(
  "slack:honest-cut",
  "one endless risky value is cut on the card and in the window, and not approved here",
  async () => {
    const slack = await openSlack();
    const asked = await slack.ask({
      ...withLines(Array.from({ length: 40 }, (_one, index) => line(`spec.image${index}`, "y".repeat(100_000), true))),
      call: { arguments: { text: "z".repeat(1_000_000) }, reason: "r".repeat(100_000) },
    });
    const card = await slack.card();
    const { text, taps } = slack.workspace.seen(card);
    expect(text).toMatch(/… \(\+\d+ characters\)/);
    expect(taps[0]?.label).toBe("Review");
    expect(sizeOf(card.blocks)).toBeLessThanOrEqual(9000);
    await slack.workspace.click("UKIM", card, "Review");
    await slack.opened(1);
    expect(slack.workspace.seenView(slack.view("UKIM")).text).toContain("Too large to be approved here: ");
    // A submission of the window that has no button for it.
    await slack.workspace.submit("UKIM", slack.view("UKIM"));
    expect(await slack.state(asked)).toBe("pending");
  },
);

promise("slack:honest-cut", "what nobody could look into is said on the card and in the window", async () => {
  const slack = await openSlack();
  await slack.ask({ preview: null });
  const card = await slack.card();
  const { text, taps } = slack.workspace.seen(card);
  expect([text.includes("| effect unknown: the preview failed"), taps[0]?.label]).toEqual([true, "Review"]);
  await slack.workspace.click("UKIM", card, "Review");
  await slack.opened(1);
  expect(slack.workspace.seenView(slack.view("UKIM")).text).toContain("Some of this can't be inspected by anyone");
});

promise("slack:deny", "presets and own words reach the record; what destroys needs own words", async () => {
  const slack = await openSlack();
  const asked = await slack.ask({ ...harmless, call: { effect: "destroy", tool: "objects_delete" } });
  const card = await slack.card();
  await slack.workspace.click("UKIM", card, "Deny");
  await slack.opened(1);
  const view = slack.view("UKIM");
  expect(slack.workspace.seenView(view).inputs).toEqual(["preset", "why", "tell"]);
  expect(await slack.workspace.submit("UKIM", view, { preset: ["Wrong target"], why: "  " })).toEqual({
    response_action: "errors",
    errors: { why: "Say why: this call destroys or runs something." },
  });
  expect(await slack.workspace.submit("UKIM", view, { why: "x".repeat(461) })).toMatchObject({
    response_action: "errors",
  });
  await slack.workspace.submit("UKIM", view, {
    preset: ["Wrong target"],
    why: "hunter2 <!channel>",
    tell: ["May read this reason"],
  });
  const kept = await slack.store.get(asked.id);
  expect([kept?.state, kept?.verdicts]).toMatchObject([
    "rejected",
    [{ answer: "reject", reason: "Wrong target: [MASKED] <!channel>", tellAgent: true }],
  ]);
  const final = slack.workspace.seen(await slack.card());
  expect(final.text.split("\n").slice(0, 2)).toEqual([
    "# Denied: Delete Deployment shop/api 3 -> 5",
    'No from kim by slack: "Wrong target: [MASKED] <!channel>"',
  ]);
  expect([final.taps, final.live, final.markup]).toEqual([[], [], []]);
});

promise("slack:deny", "from the window of an approval, over it", async () => {
  const slack = await openSlack();
  const asked = await slack.ask();
  await slack.workspace.click("UKIM", await slack.card(), "Approve");
  await slack.opened(1);
  await slack.workspace.deliver("interactive", slack.workspace.pressInView("UKIM", slack.view("UKIM"), "Deny"));
  await slack.opened(2);
  await slack.workspace.submit("UKIM", slack.view("UKIM"), { preset: ["Too risky"] });
  expect([await slack.state(asked), (await slack.store.get(asked.id))?.verdicts[0]?.tellAgent]).toEqual([
    "rejected",
    false,
  ]);
});

promise("slack:outcome", "approved, running, done: on the card, in its thread, and to whoever asked", async () => {
  const slack = await openSlack();
  const asked = await slack.ask({ ...harmless, requirements: [requirement({ count: 2 })] });
  await slack.workspace.click("UKIM", await slack.card(), "Approve");
  await eventually(async () => (await slack.store.get(asked.id))?.verdicts.length).toBe(1);
  await eventually(async () => slack.workspace.seen(await slack.card()).text).toContain("1 of 2 people have agreed");
  await slack.workspace.click("ULEE", await slack.card(), "Approve");
  await eventually(() => slack.state(asked)).toBe("approved");
  await spend(slack.store, slack.append, asked.id, { approvalDigest: asked.approvalDigest, now: start + 2000 });
  await slack.store.storeResult(asked.id, result, start + 3000);
  await slack.settled();
  const { text, taps } = slack.workspace.seen(await slack.card());
  expect([text.split("\n")[0], taps]).toEqual(["# Done: Scale Deployment shop/api 3 -> 5", []]);
  const notes = slack.workspace.notes().flatMap((one) => slack.workspace.seen(one).text.split("\n"));
  expect(notes).toEqual(["Yes from kim by slack", "Yes from lee by slack", "It runs now.", "Done: It ran."]);
  expect(slack.workspace.cards("DUJO").map((one) => slack.workspace.seen(one).text)).toEqual([
    "Done: Scale Deployment shop/api 3 -> 5\nYes from lee by slack. It ran.",
  ]);
});

promise(
  "slack:outcome",
  "expired, withdrawn and failed each say what was left, and a late press repairs the card",
  async () => {
    const slack = await openSlack();
    const asked = await slack.ask(harmless);
    const card = await slack.card();
    const before = card.blocks;
    await withdraw(slack.store, slack.append, asked.id, voter("jo"), start);
    await slack.settled();
    expect(slack.workspace.seen(await slack.card()).text).toContain("Whoever asked took it back. Nothing ran.");
    // Slack shows somebody the card as it was before.
    card.blocks = before;
    await slack.workspace.click("UKIM", card, "Approve");
    await eventually(() => slack.workspace.ephemerals.map((one) => one.text)).toEqual([
      "Too late: the request is withdrawn. Its card is brought up to date.",
    ]);
    await slack.settled();
    expect(slack.workspace.seen(await slack.card()).taps).toEqual([]);
    const failed = await slack.ask({ ...harmless, call: { digest: "55".repeat(32) } });
    await slack.settled();
    const second = slack.workspace.cards().at(-1);
    await slack.workspace.click("UKIM", second!, "Approve");
    await eventually(() => slack.state(failed)).toBe("approved");
    await spend(slack.store, slack.append, failed.id, { approvalDigest: failed.approvalDigest, now: start + 2000 });
    await slack.store.storeResult(
      failed.id,
      { kind: "failed", code: "cluster_denied", detail: {}, effect: "unknown", delivered: false },
      start,
    );
    await slack.settled();
    expect(slack.workspace.seen(second!).text).toContain("It ran, and nobody knows whether it took effect.");
  },
);

promise("slack:reminds", "once, in the thread, at half its time", async () => {
  const slack = await openSlack();
  await slack.ask(harmless);
  await slack.card();
  slack.clock = hour / 2 + 2000;
  await eventually(() => slack.workspace.notes().length).toBe(1);
  expect(slack.workspace.seen(slack.workspace.notes()[0]!).text).toBe("Still waiting. It expires 2026-11-21 13:00 UTC");
  slack.clock += minute;
  await slack.ask({ ...harmless, call: { digest: "66".repeat(32) } });
  await slack.settled();
  expect(slack.workspace.notes()).toHaveLength(1);
});

promise(
  "slack:reminds",
  "those who may answer after a while are told in their own channel, and the thread hears of it",
  async () => {
    const slack = await openSlack();
    const escalate = [{ after: 600, to: ["group:leads"] }];
    const asked = await slack.ask({ ...harmless, requirements: [requirement({ escalate })] });
    await slack.card();
    expect(slack.workspace.cards("C8")).toEqual([]);
    slack.clock = 11 * minute;
    await escalateDue(slack.store, slack.append, [slack.channel], start + slack.clock);
    const second = await slack.card("C8");
    expect(slack.workspace.seen(second).text).toContain("You are asked as one of group:sre, group:leads");
    expect(slack.workspace.notes().map((one) => slack.workspace.seen(one).text)).toEqual([
      "Nobody has answered yet: group:leads may answer too.",
    ]);
    await slack.workspace.click("UADA", second, "Approve");
    await eventually(() => slack.state(asked)).toBe("approved");
    await slack.settled();
    for (const channel of ["C7", "C8"]) expect(slack.workspace.seen(await slack.card(channel)).taps).toEqual([]);
  },
);

promise(
  "slack:bursts",
  "from the fourth in a minute on they are lines of one message, each with its own window",
  async () => {
    const slack = await openSlack();
    const session = plannedCall().session;
    const asked = [];
    for (let index = 0; index < 40; index++)
      asked.push(await slack.ask({ ...harmless, call: { session, digest: index.toString(16).padStart(64, "0") } }));
    await slack.settled();
    const cards = slack.workspace.cards();
    expect(cards).toHaveLength(4);
    const list = cards[3]!;
    const seen = slack.workspace.seen(list);
    expect([seen.text.split("\n")[0], seen.taps.length]).toEqual(["# 37 calls wait for approval", 8]);
    expect(seen.taps.every((one) => one.label === "Review")).toBe(true);
    expect(slack.workspace.calls.filter((one) => one.method.startsWith("chat.")).length).toBeLessThan(80);
    await slack.workspace.click("UKIM", list, "Review");
    await slack.opened(1);
    await slack.workspace.submit("UKIM", slack.view("UKIM"));
    await slack.settled();
    expect(slack.workspace.seen(list).text.split("\n")[0]).toBe("# 36 calls wait for approval");
    expect(await slack.state(asked[3]!)).toBe("approved");
    expect(slack.workspace.seen(list).taps.map((one) => one.value.split(".")[0])).toEqual(
      asked.slice(4, 12).map((one) => one.id),
    );
  },
);

promise("slack:restart", "the same cards count, and show what happened meanwhile", async () => {
  const slack = await openSlack();
  const [first, second] = [
    await slack.ask(harmless),
    await slack.ask({ ...harmless, call: { digest: "77".repeat(32) } }),
  ];
  await slack.settled();
  const cards = slack.workspace.cards();
  await slack.channel.close();
  await withdraw(slack.store, slack.append, second.id, voter("jo"), start);
  const again = await slack.again();
  await eventually(() => again.channel.connected()).toBe(2);
  await again.settled();
  expect(slack.workspace.cards()).toHaveLength(2);
  expect(cards.map((one) => slack.workspace.seen(one).taps.length)).toEqual([3, 0]);
  await slack.workspace.click("UKIM", cards[0]!, "Approve");
  await eventually(() => again.state(first)).toBe("approved");
});

promise("slack:restart", "what was asked while Slack could not be told is posted afterwards", async () => {
  const slack = await openSlack({
    impatient: true,
    before: (workspace) => workspace.troubleUntilLifted("*", { kind: "status", status: 500 }),
  });
  const asked = await slack.ask(harmless);
  await slack.channel.close();
  slack.workspace.lift();
  const again = await slack.again();
  await eventually(() => slack.workspace.cards().length).toBe(1);
  await eventually(() => again.channel.connected()).toBe(2);
  await slack.workspace.click("UKIM", slack.workspace.cards()[0]!, "Approve");
  await eventually(() => again.state(asked)).toBe("approved");
});
