// The console as `sallyport serve --http` serves it: from an agent's call to its effect, by a person who signed in.

import { connect, createServer, type AddressInfo, type Server } from "node:net";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { openShop, scaling, type Shop } from "../faults/shop.ts";
import { openIssuer, type Issuer } from "../support/issuer.ts";
import { promise } from "../support/promise.ts";

let shop: Shop;
let issuer: Issuer;
/** Stands where the configuration says that the console is, before the gateway has a port. */
let front: Server;
let origin: string;

beforeAll(async () => {
  front = createServer((socket) => {
    const there = connect(Number(new URL(shop.world.url).port), "127.0.0.1");
    socket.pipe(there).pipe(socket);
    socket.on("error", () => there.destroy());
    there.on("error", () => socket.destroy());
  });
  await new Promise<void>((resolve) => front.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${(front.address() as AddressInfo).port}`;
  issuer = await openIssuer({
    resources: [],
    people: { sam: { groups: [] }, eve: { groups: [] }, rita: { groups: [] } },
    clients: [
      {
        client_id: "console",
        grant_types: ["authorization_code"],
        redirect_uris: [`${origin}/console/callback`],
        response_types: ["code"],
        token_endpoint_auth_method: "none",
      },
    ],
  });
  shop = await openShop({
    config: `
hold: 45
issuers:
  - { kind: oidc, name: test, issuer: "${issuer.url}", audience: ["${origin}/mcp"] }
console: { url: "${origin}", issuer: test, clientId: console }
people:
  - { name: Sam, accounts: [{ issuer: "${issuer.url}", subject: sam }], groups: [approvers] }
  - { name: Rita, accounts: [{ issuer: "${issuer.url}", subject: rita }, { issuer: local, subject: agent }], groups: [] }
`,
  });
});
afterAll(async () => {
  front?.close();
  await shop?.stop();
  await issuer?.stop();
});

const cookieOf = (response: Response): string =>
  response.headers
    .getSetCookie()
    .map((one) => one.split(";")[0] ?? "")
    .filter((one) => !one.endsWith("="))
    .join("; ");
const get = async (path: string, cookie = ""): Promise<Response> =>
  await fetch(`${origin}${path}`, { redirect: "manual", headers: { cookie } });
async function signIn(person: string): Promise<string> {
  const begun = await get("/console/sign-in");
  const back = await issuer.signIn(begun.headers.get("location") ?? "", person);
  return cookieOf(await get(`${back.pathname}${back.search}`, cookieOf(begun)));
}

describe("the console of a running gateway", () => {
  promise(
    "console:answer",
    "an agent's held call runs the moment it is approved there, and the record names who, where and how",
    async () => {
      const done = shop.world.call("workloads_scale", scaling("shop-prod", 4));
      const cookie = await signIn("sam");
      let queue = "";
      await expect
        .poll(async () => (queue = await (await get("/console", cookie)).text()), { timeout: 60_000 })
        .toContain("/console/requests/apr_");
      const id = /requests\/(apr_[0-9a-f-]+)/.exec(queue)?.[1] ?? "";
      const page = await (await get(`/console/requests/${id}`, cookie)).text();
      const field = (name: string): string => new RegExp(`name="${name}" value="([^"]+)"`).exec(page)?.[1] ?? "";
      const approved = await fetch(`${origin}/console/requests/${id}/approve`, {
        method: "POST",
        redirect: "manual",
        headers: { cookie, origin },
        body: new URLSearchParams({ csrf: field("csrf"), digest: field("digest"), reason: "go" }),
      });
      expect([approved.status, (await done).text.split(" ")[0], (await shop.standing()).prod]).toEqual([
        303,
        "DONE",
        4,
      ]);
      const decided = (await shop.world.entries()).find((entry) => entry["kind"] === "approval.decided");
      expect(decided).toMatchObject({
        details: {
          approval: id,
          approver: { issuer: issuer.url, subject: "sam", channel: "console", assurance: "chat" },
        },
      });
    },
  );

  promise("console:answer", "the next request on the same object shows what was done to it before", async () => {
    const asked = shop.world.call("workloads_scale", scaling("shop-prod", 5));
    const cookie = await signIn("sam");
    let queue = "";
    await expect
      .poll(async () => (queue = await (await get("/console", cookie)).text()), { timeout: 60_000 })
      .toContain("/console/requests/apr_");
    const id = /requests\/(apr_[0-9a-f-]+)/.exec(queue)?.[1] ?? "";
    const page = await (await get(`/console/requests/${id}`, cookie)).text();
    expect(page).toMatch(/workloads_scale completed, effect applied/);
    await shop.world.sallyport(["approvals", "reject", id, "--reason", "enough"], "approver");
    expect((await asked).isError).toBe(true);
  });

  promise(
    "console:readings",
    "the page of a request and each that an answer leads back to, for who may answer and for who asked, and no other page",
    async () => {
      const asked = shop.world.call("workloads_scale", scaling("shop-prod", 6));
      const cookies = { sam: await signIn("sam"), rita: await signIn("rita"), eve: await signIn("eve") };
      let queue = "";
      await expect
        .poll(async () => (queue = await (await get("/console", cookies.sam)).text()), { timeout: 60_000 })
        .toContain("/console/requests/apr_");
      const id = /requests\/(apr_[0-9a-f-]+)/.exec(queue)?.[1] ?? "";
      const path = `/console/requests/${id}`;
      const seen = async (): Promise<readonly unknown[]> =>
        (await shop.world.entries())
          .filter(
            ({ kind, details }) => kind === "evidence.viewed" && (details as { what?: string }).what === "console",
          )
          .map(({ principal, client, details }) => {
            const { query, found, count, size } = details as Record<string, unknown>;
            return [(principal as { sub: string }).sub, client, query, found, Number(count) > 0, Number(size) > 0];
          });
      const before = (await seen()).length;
      const readings = async (): Promise<readonly unknown[]> => (await seen()).slice(before);
      const row = (sub: string) => [sub, "console", `objects of ${id}`, true, true, true];
      // Whoever may see neither the request nor its past leaves no reading, and neither does the list of what waits.
      await get("/console", cookies.sam);
      expect([(await get(path, cookies.eve)).status, (await get(path)).status, await readings()]).toEqual([
        404,
        401,
        [],
      ]);
      const page = await (await get(path, cookies.sam)).text();
      expect([/workloads_scale completed/.test(page), await readings()]).toEqual([true, [row("sam")]]);
      expect(await (await get(path, cookies.rita)).text()).toMatch(/workloads_scale completed/);
      expect(await readings()).toEqual([row("sam"), row("rita")]);
      const answer = async (who: "sam" | "rita", digest: string): Promise<number> => {
        const own = await (await get(path, cookies[who])).text();
        const csrf = /name="csrf" value="([^"]+)"/.exec(own)?.[1] ?? "";
        const body = new URLSearchParams({ csrf, digest, reason: "no" });
        const headers = { cookie: cookies[who], origin };
        return (await fetch(`${origin}${path}/reject`, { method: "POST", redirect: "manual", headers, body })).status;
      };
      // Each answer is given from a page, and one that does not count shows it once more.
      const digest = /name="digest" value="([^"]+)"/.exec(page)?.[1] ?? "";
      expect([await answer("sam", "0".repeat(64)), await answer("rita", digest)]).toEqual([409, 409]);
      expect((await readings()).slice(2)).toEqual([row("sam"), row("sam"), row("rita"), row("rita")]);
      expect([await answer("sam", digest), (await asked).isError]).toEqual([303, true]);
      expect((await readings()).slice(6)).toEqual([row("sam")]);
    },
  );

  promise(
    "console:who",
    "whoever signed in and is nobody's approver sees nothing, and MCP stays where it was",
    async () => {
      const cookie = await signIn("eve");
      expect(await (await get("/console", cookie)).text()).toContain("Nothing waits for you.");
      expect((await get("/console/requests/../../mcp", cookie)).status).toBe(405);
      expect((await fetch(`${origin}/console?x=1`, { method: "DELETE" })).status).toBe(405);
      expect((await get("/nothing?x=1")).status).toBe(400);
    },
  );
});
