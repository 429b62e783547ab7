// What goes out to Slack when Slack limits, fails and is away for an hour: in its order, bounded, and nothing lost.

import { expect } from "vitest";
import { decideRequest } from "../../../src/approval/verdict.ts";
import type { KeptRequest } from "../../../src/approval/stores/contract.ts";
import { openLanes } from "../../../src/approval/channels/slack/lanes.ts";
import { promise } from "../../support/promise.ts";
import { hour, minute, multiUser, preview, requirement, start, voter, type Given } from "./fixtures.ts";
import { turnedTime } from "./passing.ts";
import { eventually, openSlack, type Opened } from "./slack-desk.ts";

const harmless: Given = { preview: { ...preview, checks: [] } };
const pace = { post: 1000, edit: 1200 };
let count = 0;
const another = (given: Given = {}): Given => ({
  ...harmless,
  ...given,
  call: { digest: (++count).toString(16).padStart(64, "0") },
});
const forLeads = (): Given => another({ requirements: [requirement({ approvers: ["group:leads"] })] });

async function paced() {
  const time = turnedTime();
  const slack = await openSlack({ slack: { passing: time, pace, channels: { leads: "C8", crew: "C77" } } });
  /** Both clocks go on: the one that deadlines are read from, and the one that rests are measured by. */
  const pass = async (milliseconds: number): Promise<void> => {
    slack.clock += milliseconds;
    await time.pass(milliseconds);
  };
  return { slack, time, pass };
}
const sent = ({ workspace }: Opened, method: string, from = 0) =>
  workspace.calls.slice(from).filter((one) => one.method === method);
const channelsOf = (slack: Opened, from = 0) =>
  sent(slack, "chat.postMessage", from).map((one) => String(one.fields["channel"]));
/** The short ids that the cards of a channel carry, in the order of their posting. */
const shownIn = ({ workspace }: Opened, channel = "C7") =>
  workspace.cards(channel).map((one) => workspace.seen(one).text.split("\n").at(-1)?.slice(0, 13));
const shortOf = ({ id }: KeptRequest): string => `apr_…${id.slice(-8)}`;

promise("slack:limited", "a channel that is limited waits alone, in its order; others are told at once", async () => {
  const { slack, pass } = await paced();
  slack.workspace.troubleUntilLifted("chat.postMessage C7", { kind: "limited", seconds: 30 });
  const first = await slack.ask(another());
  await pass(0);
  const second = await slack.ask(another());
  const leads = await slack.ask(forLeads());
  await pass(0);
  expect([channelsOf(slack), shownIn(slack, "C8")]).toEqual([["C7", "C8"], [shortOf(leads)]]);
  // An edit is another method.
  await decideRequest(slack.store, slack.append, {
    id: leads.id,
    by: voter("ada", { groups: ["leads"] }),
    answer: "reject",
    reason: "",
    tellAgent: false,
    mode: multiUser,
    now: start + slack.clock,
  });
  await pass(2000);
  expect(slack.workspace.seen(slack.workspace.cards("C8")[0]!).text).toContain("# Denied");
  slack.workspace.lift();
  await pass(27_000);
  expect(channelsOf(slack).filter((one) => one === "C7")).toEqual(["C7"]);
  await pass(3000);
  await pass(1000);
  expect(shownIn(slack)).toEqual([shortOf(first), shortOf(second)]);
});

promise(
  "slack:limited",
  "two channels limited at once are the method: no third one is tried before its time",
  async () => {
    const { slack, pass } = await paced();
    slack.workspace.troubleUntilLifted("chat.postMessage", { kind: "limited", seconds: 60 });
    for (const given of [
      another(),
      forLeads(),
      another({ requirements: [requirement({ approvers: ["group:crew"] })] }),
    ])
      await slack.ask(given);
    await pass(0);
    await pass(59_000);
    expect(channelsOf(slack)).toEqual(["C7", "C8"]);
    slack.workspace.lift();
    await pass(2000);
    expect(channelsOf(slack).slice(2).toSorted()).toEqual(["C7", "C77", "C8"]);
  },
);

promise("slack:limited", "whoever came later does not go first because time went by in between", () => {
  let steady = 0;
  const rest = (): Promise<void> => Promise.resolve();
  const lanes = openLanes({ steady: () => steady, rest }, pace);
  lanes.used("post", "C7", { kind: "ok", reply: {}, scopes: [] });
  lanes.begin();
  const first = lanes.early("post", "C7");
  steady = 1000;
  expect([first, lanes.early("post", "C7") > 0, lanes.early("post", "C8")]).toEqual([1000, true, 0]);
  lanes.begin();
  expect(lanes.early("post", "C7")).toBe(0);
});

promise("slack:limited", "limited edits keep no new card waiting", async () => {
  const { slack, pass } = await paced();
  const one = await slack.ask(another());
  await pass(0);
  slack.workspace.troubleUntilLifted("chat.update", { kind: "limited", seconds: 600 });
  await slack.store.transition(one.id, (current) =>
    Promise.resolve({ change: { to: "withdrawn", at: start, verdict: null, why: "" }, reply: current }),
  );
  await pass(2000);
  await slack.ask(another());
  await pass(2000);
  expect([slack.workspace.cards().length, sent(slack, "chat.update").length]).toEqual([2, 1]);
  slack.workspace.lift();
  await pass(600_000);
  expect(slack.workspace.seen(slack.workspace.cards()[0]!).text).toContain("Withdrawn");
});

promise("slack:limited", "a thread that was told is not told again because another channel's waits", async () => {
  const { slack, pass } = await paced();
  const both = another({ requirements: [requirement({ count: 2 }), requirement({ approvers: ["group:leads"] })] });
  const asked = await slack.ask(both);
  await pass(3000);
  slack.workspace.troubleUntilLifted("chat.postMessage C8", { kind: "limited", seconds: 10 });
  await decideRequest(slack.store, slack.append, {
    id: asked.id,
    by: voter("kim"),
    answer: "approve",
    reason: "",
    tellAgent: false,
    mode: multiUser,
    now: start + slack.clock,
  });
  await pass(9000);
  slack.workspace.lift();
  await pass(20_000);
  const notes = (channel: string) => slack.workspace.notes(channel).map((one) => slack.workspace.seen(one).text);
  expect([notes("C7"), notes("C8")]).toEqual([["Yes from kim by terminal"], ["Yes from kim by terminal"]]);
});

promise(
  "slack:away",
  "for an hour: one question now and then, then every card once, in order, at Slack's pace, and what expired meanwhile is shown as expired",
  async () => {
    const { slack, pass } = await paced();
    const before = await slack.ask(another({ requirements: [requirement({ expires: 4 * 3600 })] }));
    await pass(0);
    slack.workspace.troubleUntilLifted("*", { kind: "status", status: 503 });
    const begun = slack.workspace.calls.length;
    const asked: KeptRequest[] = [];
    const inTheHour = async (): Promise<void> => {
      for (let step = 0; step < 12; step++) {
        // Of the first six the time is over before Slack is back; nobody has put that on record yet.
        const expires = step < 6 ? 1200 : 7200;
        asked.push(await slack.ask(another({ requirements: [requirement({ expires })] })));
        await pass(5 * minute);
      }
    };
    await inTheHour();
    // Decided elsewhere meanwhile.
    await decideRequest(slack.store, slack.append, {
      id: before.id,
      by: voter("lee"),
      answer: "approve",
      reason: "",
      tellAgent: false,
      mode: multiUser,
      now: start + slack.clock,
    });
    const during = slack.workspace.calls.slice(begun);
    expect(during.filter((one) => one.method.startsWith("chat.")).length).toBeLessThanOrEqual(2);
    // Half a minute at least between two questions, once it is clear that Slack is away.
    expect(during.filter((one) => one.method === "auth.test").length).toBeLessThan(140);
    expect(await Promise.all(asked.map((one) => slack.state(one)))).toEqual(asked.map(() => "pending"));
    const back = slack.workspace.calls.length;
    slack.workspace.lift();
    await pass(61_000);
    await pass(2 * minute);
    // Ten cards wait at a time; what came after them are lines of a list. Each once, in the order of their coming.
    expect(shownIn(slack).slice(0, 11)).toEqual([before, ...asked.slice(0, 10)].map(shortOf));
    const cards = slack.workspace.cards();
    expect(cards.length).toBe(12);
    const list = slack.workspace.seen(cards[11]!);
    expect([list.text.split("\n")[0], asked.slice(10).every((one) => list.text.includes(shortOf(one)))]).toEqual([
      "# 2 calls wait for approval",
      true,
    ]);
    const open = (index: number): boolean => slack.workspace.seen(cards[index]!).taps.length > 0;
    expect(cards.map((_one, index) => open(index))).toEqual(cards.map((_one, index) => index > 6));
    expect(slack.workspace.seen(cards[1]!).text).toContain("# Expired: Scale Deployment shop/api");
    expect(slack.workspace.seen(cards[0]!).text).toContain("# Approved: Scale Deployment shop/api");
    const after = slack.workspace.calls.slice(back).filter((one) => one.method.startsWith("chat."));
    // A card each and one edit, and what the threads and the requester are told: nothing twice.
    expect(after.length).toBeLessThanOrEqual(24);
    const posts = after.filter((one) => one.method === "chat.postMessage" && one.fields["thread_ts"] === undefined);
    expect(posts.length).toBe(11);
    await slack.workspace.click("UKIM", cards[7]!, "Approve");
    await eventually(() => slack.state(asked[6]!)).toBe("approved");
  },
);

promise(
  "slack:away",
  "one message that Slack breaks on keeps the others for three tries, and then nobody; nothing is asked in a storm",
  async () => {
    const { slack, pass } = await paced();
    slack.workspace.troubleUntilLifted("chat.postMessage C8", { kind: "error", error: "internal_error" });
    const broken = await slack.ask(forLeads());
    const fine = await slack.ask(another());
    await pass(10_000);
    expect(shownIn(slack)).toEqual([shortOf(fine)]);
    const tries = (): number => channelsOf(slack).filter((one) => one === "C8").length;
    expect(tries()).toBeLessThanOrEqual(5);
    await pass(hour / 6);
    expect(tries()).toBeLessThan(30);
    slack.workspace.lift();
    await pass(61_000);
    expect(shownIn(slack, "C8")).toEqual([shortOf(broken)]);
  },
);

promise(
  "slack:away",
  "what is closed while Slack is away stops at once, and is shown by the next process",
  async () => {
    const { slack, pass } = await paced();
    slack.workspace.troubleUntilLifted("*", { kind: "status", status: 500 });
    const asked = await slack.ask(another());
    await pass(10 * minute);
    await slack.channel.close();
    slack.workspace.lift();
    const again = await slack.again();
    await pass(5000);
    expect([shownIn(again), again.channel.idle()]).toEqual([[shortOf(asked)], true]);
  },
);
