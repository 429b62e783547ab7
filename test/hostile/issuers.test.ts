// Two identity providers at one gateway, and callers of one who reach for what is another's: names, groups, accounts, calls, places in the queue.

import { randomUUID } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { at, isJsonObject, textAt, type Json, type JsonObject } from "../../src/domain/json.ts";
import { openIssuer, signed, signer, type LoopbackIssuer, type Signer } from "../contracts/identity/loopback-issuer.ts";
import { eventually, expectVerifies, listing, openShop, scaling, type Shop } from "../faults/shop.ts";
import { promise } from "../support/promise.ts";
import { runCommand } from "../support/world.ts";

let shop: Shop;
let corp: LoopbackIssuer;
let partner: LoopbackIssuer;
let [keyA, keyB]: Signer[] = [];
const audience = "sallyport";

beforeAll(async () => {
  [keyA, keyB] = await Promise.all([signer("ES256", "corp"), signer("ES256", "partner")]);
  [corp, partner] = await Promise.all([openIssuer([keyA.jwk]), openIssuer([keyB.jwk])]);
  const config = `hold: 0
issuers:
  - { kind: oidc, name: corp, issuer: "${corp.issuer}", audience: [${audience}], groups: { path: groups } }
  - kind: oidc
    name: partner
    issuer: "${partner.issuer}"
    audience: [${audience}]
    subject: { prefix: "p:" }
    groups: { path: groups, prefix: "p:" }
    peopleWhere: { acct: human }`;
  shop = await openShop({ config });
});
afterEach(() => {
  shop.wire.rule = () => ({ kind: "pass" });
});
afterAll(async () => {
  await shop?.stop();
  await Promise.all([corp?.close(), partner?.close()]);
});

const scope = "sallyport:read sallyport:change";
function token(of: LoopbackIssuer, by: Signer | undefined, claims: object): string {
  if (by === undefined) throw new Error("no key");
  const seconds = Math.floor(Date.now() / 1000);
  return signed(by, {
    iss: of.issuer,
    aud: audience,
    iat: seconds,
    exp: seconds + 300,
    scope,
    jti: randomUUID(),
    ...claims,
  });
}
const ofCorp = (claims: object): string => token(corp, keyA, claims);
const ofPartner = (claims: object): string => token(partner, keyB, claims);

async function send(
  bearer: string,
  message: object,
  more: Record<string, string> = {},
  signal?: AbortSignal,
): Promise<{ readonly status: number; readonly body: JsonObject; readonly head: string }> {
  const answered = await fetch(shop.world.url, {
    method: "POST",
    headers: {
      authorization: `Bearer ${bearer}`,
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      ...more,
    },
    body: JSON.stringify({ jsonrpc: "2.0", ...message }),
    ...(signal === undefined ? {} : { signal }),
  });
  const text = await answered.text();
  const json = (/^data: (.*)$/m.exec(text)?.[1] ?? text) || "{}";
  const head = JSON.stringify([...answered.headers].filter(([name]) => name !== "date"));
  return { status: answered.status, body: JSON.parse(json) as JsonObject, head };
}
const calling = (name: string, arguments_: JsonObject, id: number | string = 1): object => ({
  id,
  method: "tools/call",
  params: { name, arguments: arguments_ },
});
const facts = ({ body }: { readonly body: JsonObject }): JsonObject => {
  const found = at(body, "result", "_meta", "sallyport/facts") ?? null;
  return isJsonObject(found) ? found : {};
};

/** `sallyport approvals …` with a token of an issuer: exit code and what it said. */
async function approving(bearer: string, ...words: readonly string[]): Promise<string> {
  const file = join(shop.folder, `${randomUUID()}.token`);
  await writeFile(file, bearer, { mode: 0o600 });
  const { code, out, err } = await runCommand(["approvals", ...words], {
    ...shop.world.env,
    SALLYPORT_TOKEN_FILE: file,
  });
  return `${code}: ${out}${err}`;
}

promise(
  "identity:names-apart",
  "a token signed by one issuer that names another, and names that begin as another's do",
  async () => {
    const status = async (bearer: string): Promise<number> =>
      (await send(bearer, { id: 1, method: "tools/list" })).status;
    expect(await status(ofCorp({ sub: "olga" }))).toBe(200);
    const refused = [
      token(corp, keyB, { sub: "olga" }),
      token(partner, keyA, { sub: "olga", acct: "human" }),
      ofCorp({ sub: "p:olga" }),
      ofCorp({ sub: "olga", groups: ["sre", "p:approvers"] }),
      ofCorp({ sub: "olga", act: { sub: "p:bot" } }),
      ofCorp({ sub: "olga", act: { sub: "agent", iss: "local" } }),
      ofCorp({ sub: "olga", act: { sub: "bot", iss: partner.issuer } }),
    ];
    expect(await Promise.all(refused.map(status))).toEqual(refused.map(() => 401));
  },
);

promise(
  "identity:names-apart",
  "a group of the same name at another issuer approves nothing, nor does software, nor the requester elsewhere",
  async () => {
    const asked = await send(ofCorp({ sub: "olga" }), calling("workloads_scale", scaling("shop-prod", 7)));
    const id = textAt(facts(asked), "approval");
    expect(id).toMatch(/^apr_/);
    const approvers = { groups: ["approvers"], acct: "human" };
    const yes = ["approve", id, "--yes"];
    // Whoever may not answer it is not told that it is there.
    const none = expect.stringMatching(/^1: There is no such request/);
    expect([
      await approving(ofPartner({ sub: "eve", ...approvers }), ...yes),
      await approving(ofPartner({ sub: "eve", ...approvers, groups: ["approvers", "p:approvers"] }), ...yes),
    ]).toEqual([none, none]);
    const kept = "1: The gateway does not take the token of SALLYPORT_TOKEN_FILE for this.";
    // Software at the partner, as nothing says that it is a person: unknown, and so nobody at all.
    expect(await approving(ofPartner({ sub: "eve", groups: ["approvers"] }), ...yes)).toBe(kept);
    expect(await approving(ofCorp({ sub: "bot", client_id: "bot", groups: ["approvers"] }), ...yes)).toBe(kept);
    expect(await approving(ofCorp({ sub: "ann", groups: ["approvers"] }), ...yes)).toMatch(/^0: /);
    await eventually(
      async () =>
        facts(await send(ofCorp({ sub: "olga" }), calling("approval_wait", { id, wait_seconds: 0 })))["outcome"],
    ).toBe("completed");
  },
);

promise(
  "accounts:told",
  "forty requests of two agents that nobody registered: two lines at the default level, and one answer for all",
  async () => {
    const before = shop.world.log();
    const bots = ["shopbot", "cobot"].map((sub) => ofCorp({ sub, client_id: sub }));
    const forged = `${bots[0]?.slice(0, -8)}AAAAAAAA`;
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, count) => send(bots[count % 2] ?? "", { id: 1, method: "tools/list" })),
    );
    const stranger = await send(forged, { id: 1, method: "tools/list" });
    expect(new Set(answers.map((one) => JSON.stringify(one)))).toEqual(new Set([JSON.stringify(stranger)]));
    const lines = shop.world.log().slice(before.length).split("\n");
    const kept = lines
      .filter((line) => line.includes("an agent was kept out"))
      .map((line) => JSON.parse(line) as JsonObject);
    expect(kept.map((line) => [line["level"], line["cause"]]).toSorted()).toEqual(
      ["cobot", "shopbot"].map((sub) => [
        40,
        `no agent is registered for ${JSON.stringify(sub)} of ${JSON.stringify(corp.issuer)}`,
      ]),
    );
  },
);

promise(
  "hostile:flood",
  "one account through eighty clients has no more of the queue than through one, and keeps its own answers apart",
  async () => {
    const through = (client: string): string => ofCorp({ sub: "flood", client_id: client });
    const answers = [];
    for (let count = 0; count < 60; count++)
      answers.push(
        await send(through(`client-${count}`), calling("workloads_scale", scaling("shop-prod", 100 + count))),
      );
    const codes = answers.map((one) => facts(one)["outcome"]);
    expect(codes.filter((one) => one === "suspended").length).toBeLessThanOrEqual(50);
    expect(textAt(facts(answers.at(-1) ?? { body: {} }), "code")).toBe("limit_exceeded");
    const other = await send(ofCorp({ sub: "ann" }), calling("workloads_scale", scaling("shop-prod", 99)));
    expect(facts(other)["outcome"]).toBe("suspended");
    const id = textAt(facts(answers[0] ?? { body: {} }), "approval");
    const waiting = async (client: string): Promise<string> => {
      const told = await send(through(client), calling("approval_wait", { id, wait_seconds: 0 }));
      return textAt(facts(told), "code") || textAt(facts(told), "outcome");
    };
    const [own, others] = [await waiting("client-0"), await waiting("client-1")];
    expect(own).not.toBe(others);
    expect(await waiting("client-of-nobody")).toBe(others);
  },
);

promise(
  "hostile:answers-own",
  "another client's cancel notice and session id change nothing; the caller's own end the call",
  async () => {
    const through = (client: string): string => ofCorp({ sub: "olga", client_id: client });
    const reached = Promise.withResolvers<void>();
    let hung = 0;
    shop.wire.rule = (one) => {
      if (!one.url.includes("includeObject=None")) return { kind: "pass" };
      hung += 1;
      reached.resolve();
      return { kind: "hang" };
    };
    const session = { "mcp-session-id": "11111111-1111-4111-8111-111111111111" };
    const leaving = new AbortController();
    const call = send(through("cursor"), calling("objects_list", listing, 7), session, leaving.signal).then(
      () => "ended",
      () => "left",
    );
    await reached.promise;
    const cancel = { method: "notifications/cancelled", params: { requestId: 7, reason: "x" } };
    for (const bearer of [
      through("vscode"),
      ofCorp({ sub: "olga" }),
      ofCorp({ sub: "ann", client_id: "cursor" }),
      ofPartner({ sub: "olga", acct: "human", client_id: "cursor" }),
    ])
      expect((await send(bearer, cancel, session)).status).toBe(202);
    const ends = async (): Promise<readonly Json[]> =>
      (await shop.world.entries())
        .filter((entry) => entry["kind"] === "call.settled" && textAt(entry, "principal", "client_id") === "cursor")
        .map((entry) => textAt(entry, "details", "code"));
    expect([await ends(), hung]).toEqual([[], 1]);
    // Its own notice reaches it, under whatever session id that comes.
    expect((await send(through("cursor"), cancel, { "mcp-session-id": "another" })).status).toBe(202);
    await eventually(ends).toEqual(["cancelled"]);
    leaving.abort();
    await call;
    const sids = (client: string) => async (): Promise<string> => {
      shop.wire.rule = () => ({ kind: "pass" });
      const before = (await shop.world.entries()).length;
      await send(through(client), calling("objects_list", listing), session);
      return textAt(
        (await shop.world.entries()).slice(before).find((entry) => entry["kind"] === "call.settled"),
        "sid",
      );
    };
    expect(await sids("cursor")()).not.toBe(await sids("vscode")());
    await expectVerifies(shop.world);
  },
);
