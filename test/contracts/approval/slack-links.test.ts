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
import { day, folder, random, start, transcript } from "./fixtures.ts";
import { account, eventually, openSlack, type Opened } from "./slack-desk.ts";

const client = { id: "client-id", secret: "client-secret" };
const redirectUri = "https://sallyport.example/slack/linked";
const kim = { session: "s1", account: account("kim") };

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

promise("slack:links", "begun in the console, finished at Slack, on record, told in Slack, for 90 days", async () => {
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
  const link = {
    team: "T7",
    user: "UKIM",
    issuer: "https://id.example",
    subject: "kim",
    since: start + 1000,
    until: start + 1000 + 90 * day,
  };
  expect(await linking.finish(kim, { state, code })).toEqual({ kind: "linked", link });
  expect(slack.entries).toMatchObject([
    {
      kind: "identity.linked",
      principal: { issuer: "https://id.example", subject: "kim" },
      details: { team: "T7", user: "UKIM", issuer: "https://id.example", subject: "kim" },
    },
  ]);
  await eventually(() =>
    slack.workspace.cards("DUKIM").map((one) => slack.workspace.seen(one).text.split("\n")[0]),
  ).toEqual(["Your Slack user now answers requests as kim of https://id.example."]);
});

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
    expect(why(await linking.finish({ ...kim, account: account("mallory") }, back(began())))).toBe("other_session");
    const once = began();
    const both = await Promise.all([linking.finish(kim, back(once)), linking.finish(kim, back(once))]);
    expect(both.map(why).sort()).toEqual(["linked", "state"]);
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
      const by = { session: subject, account: account(subject) };
      const { state, nonce } = began(by);
      return why(await linking.finish(by, { state, code: slack.workspace.authorize(user, nonce) }));
    };
    expect(await finish("UGUEST", "kim")).toBe("guest");
    expect(await finish("UBOT", "kim")).toBe("no_person");
    expect(await finish("UOUTSIDER", "kim")).toBe("outsider");
    expect(await finish("UKIM", "kim")).toBe("linked");
    expect(await finish("UKIM", "lee")).toBe("taken");
    expect(await finish("ULEE", "kim")).toBe("taken");
    expect(await finish("UKIM", "kim")).toBe("linked");
    await slack.channel.links()?.unlink({ team: "T7", user: "UKIM" }, "asked for", start);
    expect(await finish("ULEE", "kim")).toBe("linked");
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
    const slack = { team: "T7", user: "UKIM" };
    expect((await links.link(slack, account("kim"), start)).kind).toBe("linked");
    expect([(await stat(path)).mode & 0o777, entries.length]).toEqual([0o600, 1]);
    breakDown();
    await expect(links.link({ team: "T7", user: "ULEE" }, account("lee"), start)).rejects.toThrow(
      "transcript_unavailable",
    );
    expect(links.ofUser({ team: "T7", user: "ULEE" }, start)).toEqual([]);
    // Who left can't answer, whatever becomes of the record.
    await expect(links.unlink(slack, "left", start)).rejects.toThrow("transcript_unavailable");
    const again = await openLinks({ path, append, random });
    expect(again.ofUser(slack, start)).toEqual([]);
    for (const damage of ["", "{", '{"format":1,"links":[{}]}', '{"format":2,"links":[]}']) {
      await writeFile(path, damage);
      await expect(openLinks({ path, append, random })).rejects.toThrow("internal");
      expect(await readFile(path, "utf8")).toBe(damage);
    }
  },
);

promise("slack:one-person", "two links of one user in the file are nobody", async () => {
  const slack = await openSlack({ links: {} });
  const link = { team: "T7", user: "UKIM", issuer: "https://id.example", since: start, until: start + day };
  const place = folder();
  mkdirSync(place, { recursive: true });
  const path = join(place, "links.json");
  await writeFile(
    path,
    JSON.stringify({
      format: 1,
      links: [
        { ...link, subject: "kim" },
        { ...link, subject: "lee" },
      ],
    }),
  );
  const links = await openLinks({ path, append: slack.append, random });
  expect(links.ofUser({ team: "T7", user: "UKIM" }, start)).toHaveLength(2);
});
