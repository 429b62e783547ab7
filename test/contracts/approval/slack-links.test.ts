// Linking a Slack user to a person: whoever finishes must be who began, and one user is one account.

import { createHmac } from "node:crypto";
import { readFile, stat, writeFile } from "node:fs/promises";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { createRemoteJWKSet, jwtVerify } from "jose";
import { expect } from "vitest";
import { openLinks } from "../../../src/approval/links.ts";
import type { JsonObject } from "../../../src/domain/json.ts";
import { promise } from "../../support/promise.ts";
import { day, folder, hour, minute, preview, random, requirement, start, transcript, type Given } from "./fixtures.ts";
import { account, eventually, everybody, linkUp, openSlack, signedIn, type Opened } from "./slack-desk.ts";

const client = { id: "client-id", secret: "client-secret" };
const redirectUri = "https://sallyport.example/slack/linked";
const kim = { session: "s1", account: signedIn("kim") };

async function linkable() {
  const slack = await openSlack({ links: {}, workspace: { now: () => start + 1000 } });
  await eventually(() => slack.workspace.answered("bots.info")).toBe(1);
  return { slack, ...linkingOf(slack) };
}

function linkingOf(slack: Opened) {
  const keys = createRemoteJWKSet(new URL(slack.workspace.keysUrl));
  const verify = async (token: string): Promise<JsonObject | null> => {
    const { payload } = await jwtVerify(token, keys, { algorithms: ["RS256"], currentDate: new Date(start) });
    return JSON.parse(JSON.stringify(payload)) as JsonObject;
  };
  const linking = slack.channel.linking({ client, redirectUri, verify });
  if (linking === null) throw new Error("the channel is not open");
  const began = (by = kim) => {
    const url = linking.begin(by);
    return { url, state: url.searchParams.get("state") ?? "", nonce: url.searchParams.get("nonce") ?? "" };
  };
  return { linking, began };
}

const why = (finished: { kind: string; why?: string }): string =>
  finished.kind === "refused" ? String(finished.why) : finished.kind;

/** Begins and finishes: the message with the button that is there then. */
async function askedFor(slack: Opened, linking: ReturnType<typeof linkingOf>, user = "UKIM", by = kim) {
  const { state, nonce } = linking.began(by);
  const finished = await linking.linking.finish(by, { state, code: slack.workspace.authorize(user, nonce) });
  expect(why(finished)).toBe("asked");
  const message = slack.workspace.cards(`D${user}`).at(-1);
  if (message === undefined) throw new Error("nobody was asked");
  return message;
}
const linkedTo = (slack: Opened, user = "UKIM") =>
  slack.channel
    .links()
    ?.ofUser({ team: "T7", user }, start + slack.clock)
    .map((one) => one.subject);
const firstLine = (slack: Opened, message: { readonly blocks: unknown }) =>
  slack.workspace.seen(message).text.split("\n")[0];
const harmless: Given = { preview: { ...preview, checks: [] } };

promise(
  "slack:links",
  "begun in the console, finished at Slack, confirmed by the user's own press, on record, told in Slack, for 90 days",
  async () => {
    const { slack, linking, began } = await linkable();
    const { url, state, nonce } = began();
    expect([url.origin + url.pathname, Object.fromEntries(url.searchParams)]).toEqual([
      "https://slack.com/openid/connect/authorize",
      {
        response_type: "code",
        scope: "openid",
        client_id: "client-id",
        redirect_uri: redirectUri,
        state,
        nonce,
        team: "T7",
      },
    ]);
    expect([state.length, nonce.length]).toEqual([43, 43]);
    const code = slack.workspace.authorize("UKIM", nonce);
    expect(await linking.finish(kim, { state, code })).toMatchObject({
      kind: "asked",
      proposal: { user: "UKIM", subject: "kim", since: start + 1000, until: start + 1000 + 15 * minute },
    });
    // Until the press it counts for nothing, and nothing of it is on record.
    expect([linkedTo(slack), slack.entries]).toEqual([[], []]);
    const asked = await slack.ask(harmless);
    await slack.workspace.click("UKIM", await slack.card(), "Approve");
    await eventually(() => slack.workspace.ephemerals.at(-1)?.text).toContain("does not know which account is yours");
    const [message] = slack.workspace.cards("DUKIM");
    const seen = slack.workspace.seen(message!);
    expect([seen.text.split("\n"), seen.live, seen.markup]).toEqual([
      [
        "Somebody who signed in to Slack as you wants this Slack user to answer requests for approval as kim of https://id.example.",
        "Confirm only if that was you, just now, and that account is yours. It can be confirmed until 2026-11-21 12:15 UTC",
        "[Confirm] [That was not me]",
      ],
      [],
      [],
    ]);
    await slack.workspace.click("UKIM", message!, "Confirm");
    await eventually(() => linkedTo(slack)).toEqual(["kim"]);
    expect(slack.channel.links()?.all(start + 1000)).toEqual([
      {
        team: "T7",
        user: "UKIM",
        issuer: "https://id.example",
        subject: "kim",
        since: start + 1000,
        until: start + 1000 + 90 * day,
        proof: { at: start, groups: [] },
      },
    ]);
    expect(slack.entries.filter((one) => one.kind.startsWith("identity."))).toMatchObject([
      {
        kind: "identity.linked",
        principal: { issuer: "https://id.example", subject: "kim" },
        details: { team: "T7", user: "UKIM", issuer: "https://id.example", subject: "kim" },
      },
    ]);
    await eventually(() => firstLine(slack, message!)).toBe(
      "Your Slack user now answers requests as kim of https://id.example.",
    );
    expect(slack.workspace.seen(message!).taps).toEqual([]);
    await slack.workspace.click("UKIM", await slack.card(), "Approve");
    await eventually(() => slack.state(asked)).toBe("approved");
  },
);

promise(
  "slack:confirmed",
  "another user's press, an old message, a changed or copied button, another app's and a guest's press link nobody",
  async () => {
    const { slack, ...linking } = await linkable();
    const old = await askedFor(slack, linking);
    const message = await askedFor(slack, linking);
    const press = (user = "UKIM", on = message) => slack.workspace.press(user, on, "Confirm");
    const action = (press() as { actions: { value: string }[] }).actions[0];
    const container = (more: object) => ({
      container: { type: "message", channel_id: "DUKIM", message_ts: message.ts, is_ephemeral: false, ...more },
    });
    const said = async (body: object): Promise<string | undefined> => {
      const before = slack.workspace.ephemerals.length;
      await slack.workspace.deliver("interactive", body as never);
      await eventually(() => slack.workspace.ephemerals.length).toBe(before + 1);
      return slack.workspace.ephemerals.at(-1)?.text;
    };
    const unknown =
      "This confirmation is no longer used, so nothing was done. To link your Slack user, begin again in the console.";
    const members = "Only full members of this workspace answer requests.";
    expect(await said(press("UKIM", old))).toBe(unknown);
    expect(await said({ ...press(), actions: [{ ...action, value: "0".repeat(32) }] })).toBe(unknown);
    expect(await said({ ...press(), ...container({ is_ephemeral: true }) })).toBe(unknown);
    // The right button under another message.
    expect(await said({ ...press(), ...container({ message_ts: old.ts }) })).toBe(unknown);
    expect(await said({ ...press(), api_app_id: "AEVIL" })).toBe(members);
    expect(await said({ ...press(), team: { id: "TEVIL" } })).toBe(members);
    // Another member, whom Slack lets press there: heard, told nothing but in the log, and on record.
    await slack.workspace.deliver("interactive", press("ULEE"));
    await eventually(() => slack.alerts()).toContainEqual({
      alert: "slack refused",
      about: { why: "another user's confirmation", user: "ULEE" },
    });
    await slack.workspace.deliver("interactive", {
      ...press(),
      channel: undefined,
      container: { type: "view", view_id: "V1" },
    });
    await eventually(() => slack.alerts()).toContainEqual({
      alert: "slack refused",
      about: { why: "not the message that asks", user: "UKIM" },
    });
    slack.workspace.users.set("UKIM", { ...slack.workspace.users.get("UKIM"), is_restricted: true } as never);
    expect(await said(press())).toBe("Guests do not answer requests: ask a full member of this workspace.");
    expect([linkedTo(slack), linkedTo(slack, "ULEE")]).toEqual([[], []]);
    slack.workspace.users.set("UKIM", { ...slack.workspace.users.get("UKIM"), is_restricted: false } as never);
    // None of that has used it up.
    await slack.workspace.deliver("interactive", press());
    await eventually(() => linkedTo(slack)).toEqual(["kim"]);
  },
);

promise(
  "slack:confirmed",
  "pressed twice at once, and again: linked once; too late: not at all, and said",
  async () => {
    const { slack, ...linking } = await linkable();
    const message = await askedFor(slack, linking);
    const press = slack.workspace.press("UKIM", message, "Confirm");
    await Promise.all([1, 2, 3].map(async () => await slack.workspace.deliver("interactive", press)));
    await eventually(() => slack.workspace.ephemerals.length).toBe(2);
    await eventually(() => firstLine(slack, message)).toContain("Your Slack user now answers requests as kim");
    expect(slack.kinds().filter((one) => one.startsWith("identity."))).toEqual(["identity.linked"]);
    await slack.channel.links()?.unlink({ team: "T7", user: "UKIM" }, "asked for", start);
    // The old button links nobody anew.
    await slack.workspace.deliver("interactive", press);
    await eventually(() => slack.workspace.ephemerals.length).toBe(3);
    expect(linkedTo(slack)).toEqual([]);
    for (const late of [15 * minute, -2 * minute]) {
      slack.clock = 1000;
      const again = await askedFor(slack, linking);
      slack.clock += late;
      await slack.workspace.click("UKIM", again, "Confirm");
      await eventually(() => firstLine(slack, again)).toBe(
        "That took longer than 15 minutes, so nothing was linked. Begin again in the console.",
      );
      expect([linkedTo(slack), slack.channel.links()?.proposals(start + slack.clock)]).toEqual([[], []]);
    }
  },
);

promise(
  "slack:confirmed",
  "the person's no is on record, and the button is used up; so it is by an unlinking",
  async () => {
    const { slack, ...linking } = await linkable();
    const message = await askedFor(slack, linking);
    const yes = slack.workspace.press("UKIM", message, "Confirm");
    await slack.workspace.click("UKIM", message, "That was not me");
    await eventually(() => firstLine(slack, message)).toBe("Nothing was linked. Whoever runs Sallyport has been told.");
    expect(slack.alerts()).toContainEqual({
      alert: "slack link refused",
      about: {
        why: "its Slack user says that it was not them",
        issuer: "https://id.example",
        subject: "kim",
        user: "UKIM",
      },
    });
    await slack.workspace.deliver("interactive", yes);
    await eventually(() => slack.workspace.ephemerals.length).toBe(1);
    const again = await askedFor(slack, linking);
    await slack.channel.links()?.unlink({ team: "T7", user: "UKIM" }, "the Slack user is no_person", start);
    await slack.workspace.click("UKIM", again, "Confirm");
    await eventually(() => slack.workspace.ephemerals.length).toBe(2);
    expect([linkedTo(slack), slack.kinds().includes("identity.unlinked")]).toEqual([[], false]);
  },
);

promise(
  "slack:confirmed",
  "waits over a restart; nothing counts where the record or the message fails; and what was taken meanwhile stays",
  async () => {
    const { slack, ...linking } = await linkable();
    slack.workspace.trouble("chat.postMessage", { kind: "error", error: "cannot_dm_bot" });
    const { state, nonce } = linking.began();
    const code = slack.workspace.authorize("UKIM", nonce);
    expect(why(await linking.linking.finish(kim, { state, code }))).toBe("unasked");
    expect(slack.channel.links()?.proposals(start + slack.clock)).toEqual([]);
    const message = await askedFor(slack, linking);
    const again = await slack.again();
    await eventually(() => again.channel.connected()).toBe(2);
    await eventually(() => slack.workspace.answered("bots.info")).toBe(2);
    again.breakDown();
    await slack.workspace.click("UKIM", message, "Confirm");
    await eventually(() => slack.workspace.ephemerals.map((one) => one.text)).toEqual([
      "This can't be put on record at the moment, so nothing was done: try again in a minute.",
    ]);
    expect(linkedTo(again)).toEqual([]);
    const third = await again.again();
    await eventually(() => third.channel.connected()).toBe(2);
    await eventually(() => slack.workspace.answered("bots.info")).toBe(3);
    // Somebody else's account was linked to the user in between.
    const lee = { ...kim, session: "s2", account: signedIn("lee") };
    const second = await askedFor(third, linkingOf(third), "ULEE", lee);
    await slack.workspace.click("ULEE", second, "Confirm");
    await eventually(() => linkedTo(third, "ULEE")).toEqual(["lee"]);
    await slack.workspace.click("UKIM", message, "Confirm");
    await eventually(() => linkedTo(third)).toEqual(["kim"]);
  },
);

promise("slack:confirmed", "links from before there was a confirmation count for nothing", async () => {
  const place = folder();
  mkdirSync(place, { recursive: true });
  const path = join(place, "links.json");
  const link = {
    team: "T7",
    user: "UKIM",
    issuer: "https://id.example",
    subject: "kim",
    since: start,
    until: start + day,
  };
  await writeFile(path, JSON.stringify({ format: 1, links: [link] }));
  const links = await openLinks({ path, append: transcript().append, random });
  expect([links.all(start), links.proposals(start)]).toEqual([[], []]);
});

const stale =
  "Your last sign-in is too long ago for your answer to count. Open https://sallyport.example, sign in, and press again.";

promise(
  "slack:standing",
  "whoever has not signed in for twelve hours answers, sees and is listed nothing until they do; a clock that went back makes nobody younger",
  async () => {
    const slack = await openSlack({ slack: { console: "https://sallyport.example" } });
    const asked = await slack.ask({ ...harmless, requirements: [requirement({ expires: 30 * 86_400 })] });
    const card = await slack.card();
    const refused = async (label: string): Promise<void> => {
      const before = slack.workspace.ephemerals.length;
      await slack.workspace.click("UKIM", card, label);
      await eventually(() => slack.workspace.ephemerals.slice(before).map((one) => one.text)).toEqual([stale]);
    };
    const links = slack.channel.links();
    // The identity provider has disabled Kim at noon: no sign-in comes any more.
    slack.clock = 12 * hour - 1;
    expect(await slack.workspace.type("UKIM", "pending")).toMatchObject({ text: "1 wait for your answer." });
    slack.clock = 12 * hour;
    for (const label of ["Approve", "Deny", "Details"]) await refused(label);
    expect(await slack.workspace.type("UKIM", "pending")).toEqual({ response_type: "ephemeral", text: stale });
    expect([await slack.state(asked), slack.workspace.views.size, linkedTo(slack)]).toEqual(["pending", 0, ["kim"]]);
    // Another account's sign-in is none of Kim's.
    slack.clock = 13 * hour;
    await links?.prove(signedIn("lee", { at: start + slack.clock }));
    await refused("Approve");
    await links?.prove(signedIn("kim", { at: start + slack.clock }));
    slack.clock -= 2 * minute;
    await refused("Approve");
    await links?.prove(signedIn("kim", { at: start + slack.clock }));
    await slack.workspace.click("UKIM", card, "Approve");
    await eventually(() => slack.state(asked)).toBe("approved");
  },
);

promise(
  "slack:standing",
  "a window that was opened in time is not answered after it; the last sign-in outlives a restart",
  async () => {
    const slack = await openSlack();
    const asked = await slack.ask({ requirements: [requirement({ expires: 30 * 86_400 })] });
    slack.clock = 12 * hour - minute;
    await slack.workspace.click("UKIM", await slack.card(), "Approve");
    await slack.opened(1);
    slack.clock = 12 * hour;
    const view = slack.view("UKIM");
    await slack.workspace.submit("UKIM", view);
    expect([slack.workspace.seenView(view).text, await slack.state(asked)]).toEqual([
      "Your last sign-in is too long ago for your answer to count. Ask whoever runs Sallyport.",
      "pending",
    ]);
    await slack.channel.links()?.prove(signedIn("kim", { at: start + slack.clock }));
    const again = await slack.again();
    again.clock = 23 * hour;
    await eventually(() => again.channel.connected()).toBe(2);
    await eventually(() => slack.workspace.answered("bots.info")).toBe(2);
    await slack.workspace.click("UKIM", await again.card(), "Approve");
    await slack.opened(2);
    await slack.workspace.submit("UKIM", again.view("UKIM"));
    expect(await again.state(asked)).toBe("approved");
  },
);

promise(
  "slack:standing",
  "groups that the identity provider told count for a quarter of an hour, those of the configuration at any time",
  async () => {
    const slack = await openSlack({ links: {}, slack: { console: "https://sallyport.example" } });
    slack.people = everybody.filter((one) => one.name !== "Kim");
    await linkUp(slack, { team: "T7", user: "UKIM" }, "kim", { groups: ["sre"] });
    await linkUp(slack, { team: "T7", user: "ULEE" }, "lee", { groups: ["sre"] });
    slack.people = slack.people.map((one) => (one.name === "Lee" ? { ...one, groups: [] } : one));
    const asked = await slack.ask({ ...harmless, requirements: [requirement({ count: 3, expires: 7200 })] });
    const card = await slack.card();
    const press = async (user: string): Promise<string | undefined> => {
      const before = slack.workspace.ephemerals.length;
      await slack.workspace.click(user, card, "Approve");
      await eventually(() => slack.workspace.ephemerals.length).toBe(before + 1);
      return slack.workspace.ephemerals.at(-1)?.text;
    };
    slack.clock = 15 * minute + 1;
    // One is nobody but by those groups, the other a person of the configuration who is in none of its own.
    expect([await press("UKIM"), await press("ULEE")]).toEqual([stale, stale]);
    slack.clock = 15 * minute;
    await slack.workspace.click("UKIM", card, "Approve");
    await eventually(async () => (await slack.store.get(asked.id))?.verdicts.length).toBe(1);
    await slack.workspace.click("ULEE", card, "Approve");
    await eventually(async () => (await slack.store.get(asked.id))?.verdicts.map((one) => one.by.subject)).toEqual([
      "kim",
      "lee",
    ]);
  },
);

promise(
  "slack:links",
  "a state that is reused, made up, too old, of another session or of another account",
  async () => {
    const { slack, linking, began } = await linkable();
    const back = (one: ReturnType<typeof began>, user = "UKIM") => ({
      state: one.state,
      code: slack.workspace.authorize(user, one.nonce),
    });
    expect(why(await linking.finish(kim, { state: "x".repeat(43), code: "c" }))).toBe("state");
    // A link that was sent to a victim: their session did not begin it, and it is burnt.
    const sent = began();
    expect(why(await linking.finish({ ...kim, session: "s2" }, back(sent)))).toBe("other_session");
    expect(why(await linking.finish(kim, back(sent)))).toBe("state");
    expect(why(await linking.finish({ ...kim, account: signedIn("mallory") }, back(began())))).toBe("other_session");
    const once = began();
    const both = await Promise.all([linking.finish(kim, back(once)), linking.finish(kim, back(once))]);
    expect(both.map(why).sort()).toEqual(["asked", "state"]);
    const old = began();
    slack.clock += 10 * 60_000;
    expect(why(await linking.finish(kim, back(old)))).toBe("state");
    expect(slack.alerts().length).toBeGreaterThanOrEqual(3);
  },
);

promise(
  "slack:links",
  "an ID token for another client, of another issuer or workspace, with another nonce, over, or not signed by Slack",
  async () => {
    const slack = await openSlack({ links: {}, workspace: { now: () => start + 1000 } });
    await eventually(() => slack.workspace.answered("bots.info")).toBe(1);
    const { idToken } = slack.workspace;
    const [head = "", body = ""] = idToken({ nonce: "n", user: "UKIM" }).split(".");
    const none = Buffer.from(JSON.stringify({ alg: "none" })).toString("base64url");
    const hs = Buffer.from(JSON.stringify({ alg: "HS256", kid: "k1" })).toString("base64url");
    const hmac = createHmac("sha256", "k").update(`${hs}.${body}`).digest("base64url");
    const tokens: { readonly [name: string]: (nonce: string) => string } = {
      "another client": (nonce) => idToken({ nonce, user: "UKIM", aud: "other" }),
      "several clients": (nonce) => idToken({ nonce, user: "UKIM", aud: ["client-id", "other"] }),
      "another issuer": (nonce) => idToken({ nonce, user: "UKIM", iss: "https://evil.example" }),
      "another nonce": () => idToken({ nonce: "other", user: "UKIM" }),
      over: (nonce) => idToken({ nonce, user: "UKIM", exp: Math.floor(start / 1000) }),
      "without an end": (nonce) => idToken({ nonce, user: "UKIM", exp: "never" }),
      "no signature": () => `${none}.${body}.`,
      "another signature": () => `${head}.${body}.${"A".repeat(342)}`,
      "a symmetric one": () => `${hs}.${body}.${hmac}`,
      "no token": () => "x",
    };
    const { linking, began } = linkingOf(slack);
    for (const [name, make] of Object.entries(tokens)) {
      const { state, nonce } = began();
      slack.workspace.nextIdToken(make(nonce));
      expect([name, why(await linking.finish(kim, { state, code: slack.workspace.authorize("UKIM", nonce) }))]).toEqual(
        [name, "token"],
      );
    }
    const elsewhere = began();
    slack.workspace.nextIdToken(idToken({ nonce: elsewhere.nonce, user: "UKIM", "https://slack.com/team_id": "T8" }));
    expect(
      why(
        await linking.finish(kim, { state: elsewhere.state, code: slack.workspace.authorize("UKIM", elsewhere.nonce) }),
      ),
    ).toBe("other_team");
    const refused = began();
    expect(why(await linking.finish(kim, { state: refused.state, code: "made-up" }))).toBe("exchange");
    expect(slack.channel.links()?.ofSubject(account("kim"), start)).toEqual([]);
  },
);

promise(
  "slack:links",
  "guests and bots are not linked, and nobody takes a user or an account that is linked already",
  async () => {
    const { slack, linking, began } = await linkable();
    const finish = async (user: string, subject: string): Promise<string> => {
      const by = { session: subject, account: signedIn(subject) };
      const { state, nonce } = began(by);
      const finished = await linking.finish(by, { state, code: slack.workspace.authorize(user, nonce) });
      if (finished.kind === "refused") return finished.why;
      const message = slack.workspace.cards(`D${user}`).at(-1);
      await slack.workspace.click(user, message!, "Confirm");
      await eventually(() => slack.workspace.seen(message!).taps).toEqual([]);
      return firstLine(slack, message!)?.split(" ").slice(0, 3).join(" ") ?? "";
    };
    expect(await finish("UGUEST", "kim")).toBe("guest");
    expect(await finish("UBOT", "kim")).toBe("no_person");
    expect(await finish("UOUTSIDER", "kim")).toBe("outsider");
    expect(await finish("UKIM", "kim")).toBe("Your Slack user");
    expect(await finish("UKIM", "lee")).toBe("taken");
    expect(await finish("ULEE", "kim")).toBe("taken");
    expect(await finish("UKIM", "kim")).toBe("Your Slack user");
    await slack.channel.links()?.unlink({ team: "T7", user: "UKIM" }, "asked for", start);
    // Begun while the account was free, and confirmed when it was not.
    const late = await askedFor(slack, { linking, began }, "UJO", { session: "jo", account: signedIn("jo") });
    await linkUp(slack, { team: "T7", user: "UADA" }, "jo");
    expect(slack.workspace.seen(late).taps.length).toBe(2);
    expect(await finish("ULEE", "kim")).toBe("Your Slack user");
    expect(slack.entries.findLast((one) => one.kind === "identity.unlinked")?.details).toMatchObject({
      user: "UKIM",
      why: "asked for",
    });
  },
);

promise("slack:links", "the command gives the console's address alone, and only to members", async () => {
  const slack = await openSlack({ slack: { console: "https://sallyport.example" }, links: {} });
  await eventually(() => slack.workspace.answered("bots.info")).toBe(1);
  expect(await slack.workspace.type("UKIM", "link")).toEqual({
    response_type: "ephemeral",
    text: "Open https://sallyport.example yourself, sign in, and link your Slack user there.",
  });
  expect(await slack.workspace.type("UGUEST", "link")).toMatchObject({
    text: "Guests do not answer requests: ask a full member of this workspace.",
  });
  expect(await slack.workspace.type("UKIM", "pending")).toMatchObject({
    text: expect.stringContaining("does not know which account is yours") as unknown,
  });
});

promise(
  "slack:links",
  "the file is the owner's alone, written after the entry, and refused where it is damaged",
  async () => {
    const place = folder();
    mkdirSync(place, { recursive: true });
    const path = join(place, "links.json");
    const { append, breakDown, entries } = transcript();
    const links = await openLinks({ path, append, random });
    const [slack, at] = [
      { team: "T7", user: "UKIM" },
      { channel: "D1", ts: "1.1" },
    ];
    const confirm = async (of: typeof slack, subject: string) => {
      const proposed = await links.propose(of, signedIn(subject), start);
      if (proposed.kind !== "proposed") throw new Error("taken");
      await links.asked(proposed.proposal, at);
      return await links.confirm(of, proposed.nonce, at, start);
    };
    expect((await confirm(slack, "kim")).kind).toBe("linked");
    expect([(await stat(path)).mode & 0o777, entries.length]).toEqual([0o600, 1]);
    const lee = { team: "T7", user: "ULEE" };
    const waiting = await links.propose(lee, signedIn("lee"), start);
    // What lies there presses no button.
    if (waiting.kind === "proposed") expect(await readFile(path, "utf8")).not.toContain(waiting.nonce);
    breakDown();
    await expect(confirm(lee, "lee")).rejects.toThrow("transcript_unavailable");
    expect(links.ofUser(lee, start)).toEqual([]);
    // Who left can't answer, whatever becomes of the record.
    await expect(links.unlink(slack, "left", start)).rejects.toThrow("transcript_unavailable");
    const again = await openLinks({ path, append, random });
    expect(again.ofUser(slack, start)).toEqual([]);
    for (const damage of [
      "",
      "{",
      '{"format":1,"links":[{}]}',
      '{"format":2,"links":[]}',
      '{"format":3,"links":[],"proposals":[]}',
    ]) {
      await writeFile(path, damage);
      await expect(openLinks({ path, append, random })).rejects.toThrow("internal");
      expect(await readFile(path, "utf8")).toBe(damage);
    }
  },
);

promise(
  "slack:one-person",
  "two links of one user in the file are nobody, and a press of theirs is refused",
  async () => {
    const slack = await openSlack({ links: { UKIM: "kim" } });
    const asked = await slack.ask(harmless);
    const card = await slack.card();
    await slack.channel.close();
    const path = join(slack.folder, "links.json");
    const kept = JSON.parse(await readFile(path, "utf8")) as { links: object[] };
    await writeFile(path, JSON.stringify({ ...kept, links: [...kept.links, { ...kept.links[0], subject: "lee" }] }));
    const again = await slack.again();
    await eventually(() => again.channel.connected()).toBe(2);
    await eventually(() => slack.workspace.answered("bots.info")).toBe(2);
    await slack.workspace.click("UKIM", card, "Approve");
    await eventually(() => slack.workspace.ephemerals.map((one) => one.text)).toEqual([
      "This Slack user is linked to several accounts, so it is nobody's: ask whoever runs Sallyport.",
    ]);
    expect([await again.state(asked), again.alerts()]).toEqual([
      "pending",
      [{ alert: "slack refused", about: { why: "several_links", user: "UKIM", team: "T7" } }],
    ]);
  },
);
