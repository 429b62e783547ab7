// Linking one's Slack user in the console of a running gateway: both logins are real protocols, and nobody finishes what another one began.

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect } from "vitest";
import { textAt } from "../../src/domain/json.ts";
import { eventually, openShop, type Shop } from "../faults/shop.ts";
import { openIssuer, type Issuer } from "../support/issuer.ts";
import { promise } from "../support/promise.ts";
import { openWorkspace, tokens, type Workspace } from "../support/slack/workspace.ts";
import { consoleClient, cookieOf, noticeIn, openFront, visit, type Front, type Visitor } from "./visitor.ts";

let front: Front;
let issuer: Issuer;
let workspace: Workspace;
let shop: Shop;
let secrets: string;
let ahead = 0;

beforeAll(async () => {
  front = await openFront();
  issuer = await openIssuer({
    resources: [],
    people: { sam: { groups: [] }, kim: { groups: [] } },
    clients: [consoleClient(front.origin)],
  });
  workspace = await openWorkspace({ team: "T77", now: () => Date.now() + ahead });
  secrets = await mkdtemp(join(tmpdir(), "sallyport-links-"));
  const files = { bot: tokens.bot, app: tokens.app, client: "client-secret\n", hook: "k".repeat(32) };
  for (const [name, text] of Object.entries(files)) await writeFile(join(secrets, name), text, { mode: 0o600 });
  shop = await openShop({
    outside: { slackApi: workspace.apiUrl, now: () => Date.now() + ahead },
    config: `hold: 0
issuers:
  - { kind: oidc, name: test, issuer: "${issuer.url}", audience: ["${front.origin}/mcp"] }
console: { url: "${front.origin}", issuer: test, clientId: console, acr: [phr] }
slack:
  { botToken: ${secrets}/bot, appToken: ${secrets}/app, team: T77, channel: C77, client: { id: client-id, secret: ${secrets}/client } }
webhooks: [{ name: pager, url: "http://127.0.0.1:9/none", secret: ${secrets}/hook }]
people:
  - { name: Sam, accounts: [{ issuer: "${issuer.url}", subject: sam }], groups: [approvers] }
`,
  });
  front.leadTo(() => shop.world.url);
});
afterAll(async () => {
  front?.close();
  await shop?.stop();
  await workspace?.stop();
  await issuer?.stop();
  await rm(secrets, { recursive: true, force: true });
});

const here = "/console/slack";

/** Proves once more who they are, for linking: the console's cookie stays. */
async function freshly(visitor: Visitor, person: string): Promise<Response> {
  const begun = await visitor.get(`${here}/sign-in`);
  const back = await issuer.signIn(begun.headers.get("location") ?? "", person);
  return await fetch(`${front.origin}${back.pathname}${back.search}`, {
    redirect: "manual",
    headers: { cookie: `${visitor.cookie}; ${cookieOf(begun)}` },
  });
}

/** Presses the button: the address at Slack that its page leads to, or null. */
async function begin(visitor: Visitor): Promise<URL | null> {
  const page = await visitor.text(here);
  const answered = await visitor.send(page, `${here}/link`);
  const href = /href="(https:\/\/slack\.com[^"]+)"/.exec(await answered.text())?.[1];
  return href === undefined ? null : new URL(href.replaceAll("&amp;", "&"));
}

/** Signs in at Slack as this user, and answers the path that the browser comes back to. */
function atSlack(url: URL | null, user: string): string {
  const code = workspace.authorize(user, url?.searchParams.get("nonce") ?? "");
  return `${here}/cb?state=${url?.searchParams.get("state") ?? ""}&code=${code}`;
}

/** The Slack user presses the button of the message that asks. */
async function confirm(user: string): Promise<void> {
  const message = workspace.cards(`D${user}`).at(-1);
  if (message === undefined) throw new Error("nobody was asked");
  await workspace.click(user, message, "Confirm");
  await eventually(() => workspace.seen(message).text).toMatch(/^Your Slack user now answers requests as/);
}

async function linked(visitor: Visitor): Promise<string> {
  return /The Slack user <code>([^<]+)<\/code>/.exec(await visitor.text(here))?.[1] ?? "nobody";
}
const notice = async (response: Response): Promise<string> => `${response.status} ${noticeIn(await response.text())}`;

promise(
  "console:slack",
  "begun after a fresh login, finished at Slack, shown, on record, and ended by a button",
  async () => {
    await eventually(() => workspace.answered("bots.info")).toBe(1);
    const sam = await visit(front.origin, issuer, "sam");
    expect(await sam.text("/console")).toContain('href="/console/slack"');
    expect([await linked(sam), await begin(sam)]).toEqual(["nobody", null]);
    expect((await freshly(sam, "sam")).headers.get("location")).toBe(here);
    const url = await begin(sam);
    expect([url?.origin, url?.searchParams.get("redirect_uri"), url?.searchParams.get("team")]).toEqual([
      "https://slack.com",
      `${front.origin}/console/slack/cb`,
      "T77",
    ]);
    // One login, one beginning.
    expect(await begin(sam)).toBe(null);
    const back = await sam.get(atSlack(url, "UKIM"));
    expect([back.status, back.headers.get("location"), await linked(sam)]).toEqual([303, here, "nobody"]);
    expect(noticeIn(await sam.text(here)).trim()).toBe("Slack has asked the user");
    expect((await shop.world.sallyport(["slack", "links"])).out).toMatch(
      /^UKIM of T77 waits to confirm in Slack that it is sam of http:\/\/127\.0\.0\.1:\d+, until \d{4}-\d\d-\d\d \d\d:\d\d UTC\n$/,
    );
    // Taken back before it was confirmed, and begun once more.
    await sam.send(await sam.text(here), `${here}/unlink`);
    const old = workspace.cards("DUKIM").at(-1);
    await workspace.click("UKIM", old!, "Confirm");
    await eventually(() => workspace.ephemerals.at(-1)?.text).toContain("This confirmation is no longer used");
    await freshly(sam, "sam");
    await sam.get(atSlack(await begin(sam), "UKIM"));
    await confirm("UKIM");
    expect(await linked(sam)).toBe("UKIM");
    const listed = await shop.world.sallyport(["slack", "links"]);
    expect(listed.out).toMatch(
      /^UKIM of T77 answers as sam of http:\/\/127\.0\.0\.1:\d+ until \d{4}-\d\d-\d\d, signed in last \d{4}-\d\d-\d\d \d\d:\d\d UTC\n$/,
    );
    // A token names somebody else: neither seen nor ended.
    const others = await shop.world.sallyport(["slack", "unlink", "UKIM"], "approver");
    expect([others.code, await linked(sam)]).toEqual([1, "UKIM"]);
    const unlinked = await sam.send(await sam.text(here), `${here}/unlink`);
    expect([unlinked.status, await linked(sam)]).toEqual([303, "nobody"]);
    // Once more, and ended by whoever runs the gateway.
    await freshly(sam, "sam");
    await sam.get(atSlack(await begin(sam), "UKIM"));
    await confirm("UKIM");
    const ended = await shop.world.sallyport(["slack", "unlink", "UKIM"]);
    expect([ended.code, ended.out.startsWith("Ended: UKIM of T77 answers as sam"), await linked(sam)]).toEqual([
      0,
      true,
      "nobody",
    ]);
    expect((await shop.world.sallyport(["slack", "unlink", "UKIM"])).err).toBe(
      "No such user is linked: sallyport slack links.",
    );
    const kinds = (await shop.world.entries()).map((entry) => [
      textAt(entry, "kind"),
      textAt(entry, "principal", "sub"),
    ]);
    expect(kinds.filter(([kind]) => kind?.startsWith("identity.") === true && kind !== "identity.refused")).toEqual([
      ["identity.linked", "sam"],
      ["identity.unlinked", "sam"],
      ["identity.linked", "sam"],
      ["identity.unlinked", "sam"],
    ]);
  },
);

promise("telemetry:ready-by-name", "Slack, each webhook and the issuer that the console signs in at", async () => {
  const look = async (): Promise<readonly [number, { readonly [name: string]: string }]> => {
    const answered = await fetch(new URL("/readyz", shop.world.url));
    const { dependencies } = (await answered.json()) as { dependencies: { name: string; ok: boolean; why?: string }[] };
    const told = dependencies.map(({ name, ok, why }): [string, string] => [name, ok ? "well" : (why ?? "")]);
    return [answered.status, Object.fromEntries(told)];
  };
  await eventually(() => workspace.connected()).toBe(2);
  // What was seen is told for a quarter of a minute.
  await eventually(look).toEqual([
    200,
    expect.objectContaining({ "issuer oidc:test": "well", "channel slack": "well", "channel webhook pager": "well" }),
  ]);
});

promise(
  "console:slack",
  "an address that was sent to somebody else, another person's login, a forged button, a guest, and what came too late link nobody",
  async () => {
    const [sam, kim] = [await visit(front.origin, issuer, "sam"), await visit(front.origin, issuer, "kim")];
    // Another person's login makes nobody fresh.
    expect((await freshly(sam, "kim")).status).toBe(403);
    expect(await begin(sam)).toBe(null);
    await freshly(kim, "kim");
    const sent = atSlack(await begin(kim), "UKIM");
    expect(await notice(await sam.get(sent))).toMatch(/^403 That was begun in another session\./);
    expect(await notice(await kim.get(sent))).toMatch(/^403 That did not begin here/);
    expect((await fetch(`${front.origin}${sent}`, { redirect: "manual" })).status).toBe(401);
    await freshly(sam, "sam");
    for (const [headers, fields] of [
      [{ origin: front.origin }, { csrf: "" }],
      [{ origin: "https://evil.example" }, { csrf: /csrf" value="([^"]+)/.exec(await sam.text(here))?.[1] ?? "" }],
    ] as const) {
      const forged = { method: "POST", headers: { cookie: sam.cookie, ...headers }, body: new URLSearchParams(fields) };
      for (const path of ["link", "unlink"])
        expect((await fetch(`${front.origin}${here}/${path}`, forged)).status).toBe(403);
    }
    const guest = atSlack(await begin(sam), "UGUEST");
    expect(await notice(await sam.get(guest))).toMatch(/^403 Guests do not answer requests/);
    await freshly(sam, "sam");
    const refused = new URL(`${front.origin}${atSlack(await begin(sam), "UKIM")}`);
    expect(
      await notice(await sam.get(`${here}/cb?state=${refused.searchParams.get("state")}&error=access_denied`)),
    ).toMatch(/^403 What Slack answered was not accepted/);
    await freshly(sam, "sam");
    const late = atSlack(await begin(sam), "UKIM");
    ahead += 10 * 60_000;
    expect(await notice(await sam.get(late))).toMatch(/^403 That did not begin here/);
    ahead -= 10 * 60_000;
    expect([await linked(sam), await linked(kim)]).toEqual(["nobody", "nobody"]);
    const alerts = (await shop.world.entries()).filter((entry) => entry["kind"] === "alert.raised");
    expect(alerts.length).toBeGreaterThanOrEqual(3);
  },
);

promise(
  "console:slack",
  "each sign-in to the console counts on for what is pressed in Slack, and is told to whoever runs the gateway",
  async () => {
    const sam = await visit(front.origin, issuer, "sam");
    await freshly(sam, "sam");
    await sam.get(atSlack(await begin(sam), "UKIM"));
    await confirm("UKIM");
    const told = async (): Promise<string> => (await workspace.type("UKIM", "pending"))?.["text"] as string;
    expect(await told()).toBe("Nothing waits for your answer.");
    // Half a day and an hour go by without a sign-in.
    await shop.world.restart(async () => {
      const file = join(shop.world.folder, "links.json");
      const kept = JSON.parse(await readFile(file, "utf8")) as { links: { proof: { at: number } }[] };
      for (const { proof } of kept.links) proof.at -= 13 * 3_600_000;
      await writeFile(file, JSON.stringify(kept));
    });
    await eventually(() => workspace.connected()).toBe(2);
    await eventually(told).toBe(
      `Your last sign-in is too long ago for your answer to count. Open ${front.origin}, sign in, and press again.`,
    );
    await visit(front.origin, issuer, "kim");
    expect(await told()).toContain("Your last sign-in is too long ago");
    await visit(front.origin, issuer, "sam");
    expect(await told()).toBe("Nothing waits for your answer.");
    await shop.world.sallyport(["slack", "unlink", "UKIM"]);
  },
);
