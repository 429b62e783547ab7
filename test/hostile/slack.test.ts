// Attacks on approval in Slack, by the table of slack.md section 6: each with its declared outcome, through Slack's own libraries.

import { expect } from "vitest";
import * as fc from "fast-check";
import { decideRequest, spend } from "../../src/approval/verdict.ts";
import { deepFreeze } from "../../src/domain/json.ts";
import type { Change } from "../../src/domain/output.ts";
import { whyNotOurs, whyNotTrusted, type SlackUser } from "../../src/approval/channels/slack/gate.ts";
import { pendingCard } from "../../src/approval/channels/slack/card.ts";
import { wholeModal } from "../../src/approval/channels/slack/modals.ts";
import { promise } from "../support/promise.ts";
import { render } from "../support/slack/render.ts";
import { messageProblem, viewProblem } from "../support/slack/limits.ts";
import {
  day,
  hour,
  kinds,
  minute,
  multiUser,
  preview,
  request,
  requirement,
  start,
  voter,
  type Given,
} from "../contracts/approval/fixtures.ts";
import { account, eventually, everybody, openSlack, type Opened } from "../contracts/approval/slack-desk.ts";

const harmless: Given = { preview: { ...preview, checks: [] } };
type Body = { readonly [key: string]: unknown };

/** Delivers a changed press and waits until the gateway has said what it thinks of it. */
async function refusedPress(slack: Opened, body: Body, said: string): Promise<void> {
  const before = slack.workspace.ephemerals.length;
  await slack.workspace.deliver("interactive", body);
  await eventually(() => slack.workspace.ephemerals.slice(before).map((one) => one.text)).toEqual([said]);
}

const notThisCard =
  "This button belongs to another card, or to one that is no longer used: look for the newest card of the request.";
const members = "Only full members of this workspace answer requests.";

promise(
  "slack:ours",
  "another app, another workspace, none, another organisation, a home elsewhere: refused and on record",
  async () => {
    const slack = await openSlack();
    const asked = await slack.ask(harmless);
    const card = await slack.card();
    const press = (): Body => slack.workspace.press("UKIM", card, "Approve");
    const changed: readonly Body[] = [
      { api_app_id: "AEVIL" },
      { team: { id: "TEVIL" } },
      { team: null },
      { team: null, enterprise: { id: "E7" }, is_enterprise_install: true },
      { is_enterprise_install: true },
      { user: { id: "UKIM", team_id: "TOUT" } },
    ];
    for (const change of changed) await refusedPress(slack, { ...press(), ...change }, members);
    expect([await slack.state(asked), slack.kinds().filter((one) => one === "approval.decided approved")]).toEqual([
      "pending",
      [],
    ]);
    expect(slack.alerts().slice(0, 2)).toEqual([
      { alert: "slack refused", about: { why: "other_app", user: "UKIM", team: "T7" } },
      { alert: "slack refused", about: { why: "other_team", user: "UKIM", team: "TEVIL" } },
    ]);
  },
);

promise(
  "slack:ours",
  "an installation for the organisation is heard where the configuration names it, and there alone",
  () => {
    const expected = { appId: "A7", team: "T7", enterprise: "E7" };
    const origin = {
      appId: "A7",
      team: null,
      enterprise: "E7",
      enterpriseInstall: true,
      user: "W1",
      userTeam: "T8",
      viewTeam: null,
    };
    expect(whyNotOurs(origin, expected)).toBeNull();
    expect(whyNotOurs(origin, { ...expected, enterprise: undefined })).toBe("other_team");
    expect(whyNotOurs({ ...origin, enterprise: "E8" }, expected)).toBe("other_team");
    expect(whyNotOurs({ ...origin, team: "T7", enterprise: null, enterpriseInstall: false }, expected)).toBe(
      "outsider",
    );
    expect(whyNotOurs({ ...origin, viewTeam: "T8" }, expected)).toBe("other_team");
    const user: SlackUser = {
      id: "W1",
      team_id: "T8",
      deleted: false,
      is_bot: false,
      is_restricted: false,
      is_ultra_restricted: false,
    };
    const of = (teams: string[], enterprise_id = "E7") => ({
      ...user,
      enterprise_user: { id: "W1", enterprise_id, teams },
    });
    expect(whyNotTrusted(of(["T7"]), expected)).toBeNull();
    expect([
      whyNotTrusted(of(["T8"]), expected),
      whyNotTrusted(of(["T7"], "E8"), expected),
      whyNotTrusted(user, expected),
    ]).toEqual(["outsider", "outsider", "outsider"]);
  },
);

promise("slack:members", "each kind of user that is not a full member", async () => {
  const strangers = [
    "UGUEST",
    "USINGLE",
    "USTRANGER",
    "UOUTSIDER",
    "UBOT",
    "UFLOW",
    "UGONE",
    "UINVITED",
    "UUNCONFIRMED",
    "USLACKBOT",
    "WORG",
  ];
  // Each of them is even linked to an approver's account of their own.
  const slack = await openSlack({ links: Object.fromEntries(strangers.map((user) => [user, `p-${user}`])) });
  slack.people = strangers.map((user) => ({ name: user, accounts: [account(`p-${user}`)], groups: ["sre"] }));
  const asked = await slack.ask(harmless);
  const card = await slack.card();
  for (const id of slack.workspace.channels.keys()) slack.workspace.channels.get(id)?.members.push(...strangers);
  const guest = "Guests do not answer requests: ask a full member of this workspace.";
  const answers: { [user: string]: string } = {
    UGUEST: guest,
    USINGLE: guest,
    UINVITED: guest,
    USTRANGER: members,
    UOUTSIDER: members,
    WORG: members,
    UUNCONFIRMED: "Confirm your e-mail address in Slack first, then press again.",
  };
  for (const user of strangers) {
    // Of an outsider Slack names our own workspace as the team: the clicker's home is in the user alone.
    const press = { ...slack.workspace.press(user, card, "Approve"), user: { id: user } };
    await refusedPress(slack, press, answers[user] ?? "Only people answer requests.");
  }
  expect(await slack.state(asked)).toBe("pending");
});

promise(
  "slack:fails-closed",
  "users.info limited, broken, silent, about another user, or without the fields that decide",
  async () => {
    const slack = await openSlack();
    const asked = await slack.ask(harmless);
    const card = await slack.card();
    const words =
      "Slack does not tell who you are at the moment. The request still waits: press again, or use the terminal (sallyport approvals).";
    const press = (): Body => slack.workspace.press("UKIM", card, "Approve");
    for (const trouble of [
      { kind: "limited", seconds: 30 },
      { kind: "status", status: 500 },
      { kind: "error", error: "missing_scope" },
      { kind: "hang" },
    ] as const) {
      slack.workspace.trouble("users.info", trouble);
      await refusedPress(slack, press(), words);
    }
    const kim = slack.workspace.users.get("UKIM");
    for (const broken of [
      { ...kim, id: "ULEE" },
      { id: "UKIM", team_id: "T7" },
      { ...kim, deleted: undefined },
    ]) {
      slack.workspace.users.set("UKIM", broken as never);
      await refusedPress(slack, press(), words);
    }
    expect(await slack.state(asked)).toBe("pending");
    slack.workspace.users.set("UKIM", kim as never);
    await slack.workspace.deliver("interactive", press());
    await eventually(() => slack.state(asked)).toBe("approved");
  },
);

promise(
  "slack:fails-closed",
  "what Slack said of a user a minute ago counts no more, and a change counts at once",
  async () => {
    const slack = await openSlack();
    const asked = await slack.ask({ ...harmless, requirements: [requirement({ count: 2, expires: 7200 })] });
    const card = await slack.card();
    await slack.workspace.click("UADA", card, "Details");
    await eventually(() => slack.workspace.ephemerals.length).toBe(0);
    await slack.workspace.click("UKIM", card, "Details");
    await slack.opened(1);
    slack.workspace.users.set("UKIM", { ...slack.workspace.users.get("UKIM"), is_restricted: true } as never);
    slack.clock += minute;
    await refusedPress(
      slack,
      slack.workspace.press("UKIM", card, "Approve"),
      "Guests do not answer requests: ask a full member of this workspace.",
    );
    const lee = { ...slack.workspace.users.get("ULEE"), deleted: true };
    slack.workspace.users.set("ULEE", lee as never);
    await slack.workspace.event({ type: "user_change", user: lee });
    await eventually(
      () => slack.channel.links()?.ofUser({ team: "T7", user: "ULEE" }, start + slack.clock).length,
    ).toBe(0);
    expect(slack.entries.findLast((one) => one.kind === "identity.unlinked")?.details).toMatchObject({
      user: "ULEE",
      why: "the Slack user is no_person",
    });
    expect(await slack.state(asked)).toBe("pending");
  },
);

promise(
  "slack:one-person",
  "unlinked, an ended link, an account that is nobody's now, and a group that was just lost",
  async () => {
    const slack = await openSlack({ links: { UKIM: "kim", UADA: "ada", ULEE: "lee" } });
    const asked = await slack.ask({ ...harmless, requirements: [requirement({ expires: 365 * 86_400 })] });
    const card = await slack.card();
    const press = (user: string): Body => slack.workspace.press(user, card, "Approve");
    await refusedPress(
      slack,
      press("UJO"),
      "Sallyport does not know which account is yours. Linking begins in the console, and none is set up here: ask whoever runs Sallyport.",
    );
    slack.workspace.channels.get("C7")?.members.push("UADA");
    await refusedPress(slack, press("UADA"), "You are not among those who may answer this request.");
    slack.people = everybody.filter((one) => one.name !== "Lee");
    await refusedPress(
      slack,
      press("ULEE"),
      "The account that is linked to you is not one of the people of this gateway: ask whoever runs Sallyport.",
    );
    slack.people = everybody.map((one) => ({ ...one, groups: [] }));
    await refusedPress(slack, press("UKIM"), "You are not among those who may answer this request.");
    slack.people = everybody;
    slack.clock = 91 * day;
    await refusedPress(
      slack,
      press("UKIM"),
      "Sallyport does not know which account is yours. Linking begins in the console, and none is set up here: ask whoever runs Sallyport.",
    );
    expect(await slack.state(asked)).toBe("pending");
  },
);

promise(
  "slack:one-person",
  "not one's own, by neither of one's accounts; and one person with two accounts is one",
  async () => {
    const slack = await openSlack({ links: { UJO: "jo-admin", UKIM: "kim", ULEE: "kim-two" } });
    slack.people = [
      ...everybody.filter((one) => one.name !== "Kim"),
      { name: "Kim", accounts: [account("kim"), account("kim-two")], groups: ["sre"] },
    ];
    const asked = await slack.ask({ ...harmless, requirements: [requirement({ count: 2 })] });
    const card = await slack.card();
    const press = (user: string): Body => slack.workspace.press(user, card, "Approve");
    await refusedPress(slack, press("UJO"), "Nobody answers their own request: somebody else must.");
    await slack.workspace.deliver("interactive", press("UKIM"));
    await eventually(async () => (await slack.store.get(asked.id))?.verdicts.length).toBe(1);
    await refusedPress(slack, press("ULEE"), "You have answered this request before; it needs other people too.");
    expect(await slack.state(asked)).toBe("pending");
  },
);

promise(
  "slack:carrier",
  "another card's value, an old nonce, a made-up id, two actions, another message, an ephemeral one",
  async () => {
    const slack = await openSlack();
    const [first, second] = [
      await slack.ask(harmless),
      await slack.ask({ ...harmless, call: { digest: "99".repeat(32) } }),
    ];
    await slack.settled();
    const [card, other] = slack.workspace.cards();
    if (card === undefined || other === undefined) throw new Error("there are no cards");
    const press = slack.workspace.press("UKIM", card, "Approve") as Body & { actions: Body[]; container: Body };
    const theirs =
      (slack.workspace.press("UKIM", other, "Approve") as unknown as { actions: { value: string }[] }).actions[0]
        ?.value ?? "";
    const own = String(press.actions[0]?.["value"]);
    const withValue = (value: string): Body => ({ ...press, actions: [{ ...press.actions[0], value }] });
    const changed: readonly Body[] = [
      withValue(theirs),
      withValue(`${own.split(".")[0]}.${theirs.split(".")[1]}`),
      withValue(`${own.split(".")[0]}.${"0".repeat(32)}`),
      withValue(`${own} `),
      withValue(first.id),
      { ...press, container: { ...press.container, is_ephemeral: true } },
      { ...press, container: { ...press.container, message_ts: "1.1" } },
      { ...press, container: { ...press.container, channel_id: "C8" }, channel: { id: "C8" } },
    ];
    for (const body of changed) await refusedPress(slack, body, notThisCard);
    // None of these is a shape that Sallyport asked Slack for.
    const silent: readonly Body[] = [
      { ...press, actions: [...press.actions, { ...press.actions[0], action_id: "sp.deny" }] },
      { ...press, channel: { id: "C8" } },
      { ...press, actions: [{ ...press.actions[0], type: "static_select" }] },
      { ...press, actions: [] },
    ];
    const before = slack.workspace.ephemerals.length;
    for (const body of silent) await slack.workspace.deliver("interactive", body);
    await slack.workspace.deliver("interactive", {
      ...press,
      actions: [{ ...press.actions[0], action_id: "sp.run-all" }],
    });
    await eventually(() => slack.alerts().some((one) => JSON.stringify(one).includes("unknown action"))).toBe(true);
    expect([await slack.state(first), await slack.state(second), slack.workspace.ephemerals.length - before]).toEqual([
      "pending",
      "pending",
      0,
    ]);
  },
);

promise(
  "slack:window",
  "submitted by another user, changed, reused, without having been opened: nothing happens",
  async () => {
    const slack = await openSlack();
    const asked = await slack.ask({ requirements: [requirement({ count: 2 })] });
    await slack.workspace.click("UKIM", await slack.card(), "Approve");
    await slack.opened(1);
    const view = slack.view("UKIM");
    const gone = "This window is no longer valid. Nothing was done: open it again from the card.";
    const submit = async (body: Body): Promise<string> => {
      const reply = (await slack.workspace.deliver("interactive", body)) as { view?: { blocks: unknown } } | null;
      return render(reply?.view?.blocks).text;
    };
    const body = slack.workspace.submission("UKIM", view) as Body & { view: Body };
    const withView = (change: Body): Body => ({ ...body, view: { ...body.view, ...change } });
    expect(await submit(slack.workspace.submission("ULEE", view))).toBe(gone);
    for (const change of [
      { private_metadata: "0".repeat(32) },
      { private_metadata: "" },
      { callback_id: "sp.deny" },
      { callback_id: "sp.notice" },
      { id: "V999" },
      { app_id: "AEVIL" },
    ])
      expect(await submit(withView(change))).toBe(gone);
    expect(await submit(withView({ app_installed_team_id: "TEVIL" }))).toBe(members);
    expect((await slack.store.get(asked.id))?.verdicts).toEqual([]);
    expect(await submit(body)).toBe("Recorded: 1 of 2 so far.");
    expect(await submit(body)).toBe(gone);
    expect((await slack.store.get(asked.id))?.verdicts).toHaveLength(1);
  },
);

promise("slack:once", "one envelope twice, two presses in a millisecond, a yes against a no", async () => {
  const slack = await openSlack();
  const asked = await slack.ask({ ...harmless, requirements: [requirement({ count: 2 })] });
  const card = await slack.card();
  await slack.workspace.deliver("interactive", slack.workspace.press("UKIM", card, "Approve"), {
    envelope: "e1",
    times: 2,
  });
  await eventually(async () => (await slack.store.get(asked.id))?.verdicts.length).toBe(1);
  await eventually(() => slack.workspace.acks.filter((one) => one.envelope === "e1").length).toBe(2);
  expect(slack.workspace.ephemerals).toEqual([]);
  await Promise.all([1, 2, 3].map(() => slack.workspace.click("ULEE", card, "Approve")));
  await eventually(() => slack.workspace.ephemerals.length).toBe(2);
  expect([await slack.state(asked), slack.kinds().filter((one) => one === "approval.decided approved").length]).toEqual(
    ["approved", 1],
  );
  const second = await slack.ask({ ...harmless, call: { digest: "98".repeat(32) } });
  await slack.settled();
  const other = slack.workspace.cards().at(-1);
  if (other === undefined) throw new Error("no card");
  await slack.workspace.click("UKIM", other, "Deny");
  await slack.opened(1);
  await Promise.all([
    slack.workspace.submit("UKIM", slack.view("UKIM"), { why: "no" }),
    decideRequest(slack.store, slack.append, {
      id: second.id,
      by: voter("lee"),
      answer: "approve",
      reason: "",
      tellAgent: false,
      mode: multiUser,
      now: start + 2000,
    }),
  ]);
  const decided = kinds(slack.entries)
    .filter((one) => one.startsWith("approval.decided ") && one !== "approval.decided pending")
    .slice(1);
  expect([["rejected"], ["approved"], ["approved", "revoked"]]).toContainEqual(decided.map((one) => one.split(" ")[1]));
});

promise(
  "slack:once",
  "after its time, and with the clock an hour ahead or behind, a press approves nothing",
  async () => {
    for (const clock of [hour + minute, -2 * hour]) {
      const slack = await openSlack();
      const asked = await slack.ask(harmless);
      const card = await slack.card();
      slack.clock = clock;
      await slack.workspace.click("UKIM", card, "Approve");
      await eventually(() => slack.workspace.ephemerals.length).toBe(1);
      expect(["expired", "pending"]).toContain(await slack.state(asked));
      expect(kinds(slack.entries)).not.toContain("approval.decided approved");
    }
  },
);

const tricks = [
  "<!channel> <!here> <@U123> <#C123>",
  "<https://evil.example|Approve here> https://evil.example",
  "```*bold*``` _x_ ~y~ > quote `z`",
  ":rotating_light: &lt;!channel&gt;",
  "scale up\u202e3 ot nwod \u2066x\u2069",
  "a\nApproved by kim\r\n# Done",
  "zero\u200bwidth\u2060 e\u0301\u0301\u0301\u0301\u0301",
];

promise(
  "slack:literal",
  "each trick in names, reasons and values stays text, on the card and in the window",
  async () => {
    const [change] = preview.changes as [Change];
    for (const trick of tricks) {
      const slack = await openSlack();
      const lines = [{ sign: "~" as const, risk: true, path: trick, before: trick, after: trick }];
      const made: Given = {
        call: { reason: trick, cluster: trick },
        environment: trick,
        preview: {
          ...preview,
          undo: trick,
          checks: [[{ quoted: trick }]],
          changes: [{ ...change, name: trick, lines }],
        },
        requirements: [requirement({ rule: trick })],
      };
      await slack.ask(made);
      const card = await slack.card();
      const seen = slack.workspace.seen(card);
      expect([seen.live, seen.markup]).toEqual([[], []]);
      expect(card.text).toBe("A call waits for approval.");
      await slack.workspace.click("UKIM", card, seen.taps[0]?.label ?? "");
      await slack.opened(1);
      const window = slack.workspace.seenView(slack.view("UKIM"));
      expect([window.live, window.markup, /[\u202e\u2066\u200b\r]/.test(seen.text + window.text)]).toEqual([
        [],
        [],
        false,
      ]);
    }
  },
);

promise(
  "slack:literal",
  "whatever the text, Slack takes the card and the window and finds nothing to act on in them",
  () => {
    const [change] = preview.changes as [Change];
    const hostile = fc.oneof(
      fc.string({ unit: "binary", maxLength: 600 }),
      fc.constantFrom(...tricks),
      fc.constant("x".repeat(5000)),
    );
    fc.assert(
      fc.property(
        hostile,
        hostile,
        fc.array(fc.tuple(hostile, hostile, fc.boolean()), { maxLength: 60 }),
        (reason, name, all) => {
          const lines = all.map(([path, after, risk]) => ({ sign: "~" as const, risk, path, before: null, after }));
          const {
            result: _result,
            call,
            ...rest
          } = request({
            call: { reason, cluster: name },
            environment: name,
            preview: {
              ...preview,
              undo: name,
              checks: Array.from({ length: 9 }, () => [name, { quoted: reason }]),
              changes: [{ ...change, name, lines }],
            },
          });
          const kept = deepFreeze({ ...rest, call, why: "", answer: "none" as const, answeredAt: null });
          const card = pendingCard(kept, "0".repeat(32), { have: 0, need: 1 }, null);
          const whole = wholeModal(kept, "0".repeat(32), { have: 0, need: 1 }, true).view;
          expect([messageProblem(card.blocks, card.text), viewProblem(whole), card.blocks.length <= 12]).toEqual([
            "",
            "",
            true,
          ]);
          for (const blocks of [card.blocks, whole["blocks"]]) {
            const seen = render(blocks);
            expect([seen.live, seen.markup]).toEqual([[], []]);
            expect(seen.text).not.toMatch(/[\p{Cf}\p{Co}\p{Cs}\u2028\u2029]|(?!\n)\p{Cc}/u);
          }
          expect(JSON.stringify(card.blocks).length).toBeLessThan(40_000);
        },
      ),
      { numRuns: 150 },
    );
  },
);

promise("slack:away", "a card that Slack takes for malformed is shown with where to answer it", async () => {
  const slack = await openSlack({ slack: { console: "https://sallyport.example" } });
  slack.workspace.trouble("chat.postMessage", { kind: "error", error: "msg_blocks_too_long" });
  const asked = await slack.ask(harmless);
  const { text, taps, live } = slack.workspace.seen(await slack.card());
  expect([text.split("\n")[0], taps, live]).toEqual([
    "This request can't be shown in Slack.",
    [],
    ["https://sallyport.example"],
  ]);
  expect(await slack.state(asked)).toBe("pending");
});

promise(
  "slack:away",
  "a lost answer makes two cards and one decision; the first card is not the one that counts",
  async () => {
    const slack = await openSlack({ slack: { patience: { interactive: 2000, outbox: 3000 } } });
    slack.workspace.trouble("chat.postMessage", { kind: "lose" });
    const asked = await slack.ask(harmless);
    await eventually(() => slack.workspace.cards().length).toBe(2);
    await slack.settled();
    const [first, second] = slack.workspace.cards();
    if (first === undefined || second === undefined) throw new Error("no cards");
    await refusedPress(slack, slack.workspace.press("UKIM", first, "Approve"), notThisCard);
    await eventually(() => slack.workspace.seen(first).text.split("\n")[0]).toBe(
      "This card is not the one that counts: look for the newer one.",
    );
    await slack.workspace.click("UKIM", second, "Approve");
    await eventually(() => slack.state(asked)).toBe("approved");
  },
);

promise(
  "slack:away",
  "a deleted card is posted anew, an archived channel gives way to the one for all, and the request waits",
  async () => {
    const slack = await openSlack();
    const asked = await slack.ask({ ...harmless, requirements: [requirement({ count: 3 })] });
    const card = await slack.card();
    card.deleted = true;
    await slack.workspace.click("UKIM", card, "Approve");
    await eventually(() => slack.workspace.cards().length).toBe(1);
    await slack.workspace.click("ULEE", await slack.card(), "Approve");
    await eventually(async () => (await slack.store.get(asked.id))?.verdicts.length).toBe(2);
    slack.workspace.channels.get("C8")!.archived = true;
    const leads = await slack.ask({
      ...harmless,
      call: { digest: "97".repeat(32) },
      requirements: [requirement({ approvers: ["group:leads"] })],
    });
    await slack.settled();
    const moved = slack.workspace.cards("C7").at(-1);
    if (moved === undefined) throw new Error("no card");
    slack.workspace.channels.get("C7")?.members.push("UADA");
    await slack.workspace.click("UADA", moved, "Approve");
    await eventually(() => slack.state(leads)).toBe("approved");
  },
);

promise(
  "slack:away",
  "revoked tokens, errors and silence for as long as they last: decided elsewhere, and shown once Slack is back",
  async () => {
    for (const trouble of [
      { kind: "error", error: "token_revoked" },
      { kind: "status", status: 503 },
      { kind: "limited", seconds: 1 },
    ] as const) {
      const slack = await openSlack();
      slack.workspace.troubleUntilLifted("*", trouble);
      const asked = await slack.ask(harmless);
      const elsewhere = await slack.ask({ ...harmless, call: { digest: "96".repeat(32) } });
      slack.workspace.drop(0);
      slack.workspace.drop(0);
      await eventually(() => slack.said.length).toBeGreaterThan(0);
      const decided = await decideRequest(slack.store, slack.append, {
        id: elsewhere.id,
        by: voter("lee"),
        answer: "approve",
        reason: "",
        tellAgent: false,
        mode: multiUser,
        now: start + 2000,
      });
      expect([decided.kind, await slack.state(asked), slack.workspace.cards()]).toEqual(["approved", "pending", []]);
      await spend(slack.store, slack.append, elsewhere.id, {
        approvalDigest: elsewhere.approvalDigest,
        now: start + 2000,
      });
      slack.workspace.lift();
      await eventually(() => slack.channel.connected()).toBe(2);
      await eventually(() => slack.workspace.cards().length).toBe(2);
      await eventually(() => slack.state(asked)).toBe("pending");
    }
  },
);

promise(
  "slack:away",
  "while messages are limited a press is answered at once: what a person waits for has a client of its own",
  async () => {
    const slack = await openSlack();
    const asked = await slack.ask();
    const card = await slack.card();
    slack.workspace.troubleUntilLifted("chat.postMessage", { kind: "limited", seconds: 60 });
    slack.workspace.troubleUntilLifted("chat.update", { kind: "limited", seconds: 60 });
    await slack.ask({ ...harmless, call: { digest: "95".repeat(32) } });
    await eventually(() => slack.workspace.calls.filter((one) => one.method === "chat.postMessage").length).toBe(2);
    await slack.workspace.click("UKIM", card, "Approve");
    await slack.opened(1);
    await slack.workspace.submit("UKIM", slack.view("UKIM"));
    expect(await slack.state(asked)).toBe("approved");
  },
);

promise(
  "slack:away",
  "slow: a press counts once Slack has said who it was, and is refused where that takes too long",
  async () => {
    const slack = await openSlack({ slack: { patience: { interactive: 5000, outbox: 10_000 } } });
    slack.workspace.trouble("chat.postMessage", { kind: "slow", milliseconds: 600 });
    const asked = await slack.ask(harmless);
    const card = await slack.card();
    expect(slack.workspace.cards()).toHaveLength(1);
    slack.workspace.trouble("users.info", { kind: "slow", milliseconds: 20_000 });
    await refusedPress(
      slack,
      slack.workspace.press("UKIM", card, "Approve"),
      "Slack does not tell who you are at the moment. The request still waits: press again, or use the terminal (sallyport approvals).",
    );
    expect(await slack.state(asked)).toBe("pending");
    slack.workspace.trouble("users.info", { kind: "slow", milliseconds: 600 });
    expect(await slack.workspace.click("UKIM", card, "Approve")).toEqual({});
    await eventually(() => slack.state(asked)).toBe("approved");
  },
);

promise("slack:away", "where the record can't be written the person is told that nothing was done", async () => {
  const slack = await openSlack();
  const asked = await slack.ask(harmless);
  const card = await slack.card();
  slack.breakDown();
  await refusedPress(
    slack,
    slack.workspace.press("UKIM", card, "Approve"),
    "This can't be put on record at the moment, so nothing was done: try again in a minute.",
  );
  expect(await slack.state(asked)).toBe("pending");
});

promise("slack:away", "a window that Slack opens too late does nothing, and says what to do", async () => {
  const slack = await openSlack();
  const asked = await slack.ask();
  const card = await slack.card();
  slack.workspace.trouble("views.open", { kind: "error", error: "expired_trigger_id" });
  await refusedPress(
    slack,
    slack.workspace.press("UKIM", card, "Approve"),
    "Slack did not open the window in time. Nothing was done: press again, or use the terminal (sallyport approvals).",
  );
  expect(await slack.state(asked)).toBe("pending");
});

promise("slack:connected", "a press during each refresh is heard, and both connections come back", async () => {
  const slack = await openSlack();
  for (let round = 0; round < 4; round++) {
    const asked = await slack.ask({ ...harmless, call: { digest: round.toString(16).padStart(64, "a") } });
    await slack.settled();
    const card = slack.workspace.cards().at(-1);
    if (card === undefined) throw new Error("no card");
    slack.workspace.refresh(round % 2, round % 2 === 0 ? "refresh_requested" : "warning");
    // Slack sends nothing more over a connection that it has announced the end of.
    const body = slack.workspace.press("UKIM", card, "Approve");
    await eventually(async () =>
      (await slack.workspace.deliver("interactive", body, { patience: 300 })) === null ? "lost" : "heard",
    ).toBe("heard");
    await eventually(() => slack.state(asked)).toBe("approved");
    await eventually(() => slack.channel.connected()).toBe(2);
    slack.clock += 2 * minute;
  }
});

promise(
  "slack:connected",
  "refused addresses are asked for again, with pauses; ghosts and a disabled link are reported",
  async () => {
    const slack = await openSlack();
    slack.workspace.ghosts(3);
    slack.workspace.trouble(
      "apps.connections.open",
      { kind: "status", status: 500 },
      { kind: "limited", seconds: 1 },
      { kind: "error", error: "internal_error" },
    );
    slack.workspace.drop(0);
    slack.workspace.drop(0);
    await eventually(() => slack.channel.connected()).toBe(2);
    await eventually(() => slack.alerts()).toContainEqual({
      alert: "slack connections that are not ours",
      about: expect.objectContaining({ ours: 2 }) as unknown,
    });
    slack.workspace.refresh(0, "link_disabled");
    await eventually(() => slack.alerts().some((one) => JSON.stringify(one).includes("slack link disabled"))).toBe(
      true,
    );
    const asked = slack.workspace.calls.filter((one) => one.method === "apps.connections.open").length;
    expect(asked).toBeLessThan(12);
    expect(slack.channel.connected()).toBe(1);
  },
);

promise("slack:connected", "until Slack has said whose the bot's token is, nobody can be told apart", async () => {
  const slack = await openSlack({
    before: (workspace) => workspace.troubleUntilLifted("bots.info", { kind: "error", error: "missing_scope" }),
  });
  const asked = await slack.ask(harmless);
  const card = await slack.card();
  const words =
    "Slack does not tell who you are at the moment. The request still waits: press again, or use the terminal (sallyport approvals).";
  await refusedPress(slack, slack.workspace.press("UKIM", card, "Approve"), words);
  expect(await slack.state(asked)).toBe("pending");
  slack.workspace.lift();
  await eventually(() => slack.workspace.answered("bots.info")).toBe(1);
  const press = slack.workspace.press("UKIM", card, "Approve");
  await eventually(async () => {
    await slack.workspace.deliver("interactive", press);
    return await slack.state(asked);
  }).toBe("approved");
});

promise(
  "slack:connected",
  "an app token of another app than the bot's: nothing is heard, and it is reported",
  async () => {
    const slack = await openSlack({ workspace: { appAtSocket: "AEVIL" } });
    const asked = await slack.ask(harmless);
    await slack.workspace.click("UKIM", await slack.card(), "Approve");
    await eventually(() => slack.workspace.ephemerals.length).toBe(1);
    expect([await slack.state(asked), slack.said]).toEqual([
      "pending",
      ['Slack: slack tokens of two apps {"bot":"A7","socket":"AEVIL"}'],
    ]);
  },
);

promise("slack:connected", "a bot token of another workspace: nothing is heard", async () => {
  const slack = await openSlack({ slack: { team: "T8" } });
  const asked = await slack.ask(harmless);
  await slack.workspace.click("UKIM", await slack.card(), "Approve");
  await eventually(() => slack.workspace.ephemerals.length).toBe(1);
  expect([await slack.state(asked), slack.said[0]]).toEqual([
    "pending",
    "Slack can't be used yet (the bot token is of the workspace T7, not of T8): it is tried again.",
  ]);
});
