// Tokens of a real identity provider at the door: agents alone, agents for people, clients nobody knows, keys that change in the middle of a run.

import { afterAll, beforeAll, expect } from "vitest";
import type { JsonObject } from "../../src/domain/json.ts";
import { promise } from "../support/promise.ts";
import { openVouched, type Vouched } from "./gateway.ts";

let vouched: Vouched;
beforeAll(async () => {
  vouched = await openVouched();
});
afterAll(async () => {
  await vouched.stop();
});

const read = "sallyport:read";
const change = "sallyport:read sallyport:change";

async function send(token: string, method: string, params: object = {}): Promise<Response> {
  return await fetch(vouched.url, {
    method: "POST",
    headers: {
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
    },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
  });
}

const listing = { name: "objects_list", arguments: { kind: "deployments", namespace: "shop-dev" } };

/** The call's answer as text, whatever the transport wraps it in. */
async function called(token: string, call: object = listing): Promise<string> {
  const answered = await send(token, "tools/call", call);
  return `${answered.status} ${/"text":"((?:[^"\\]|\\.)*)"/.exec(await answered.text())?.[1]?.split("\\n")[0] ?? ""}`;
}

async function statusOf(token: string): Promise<number> {
  const answered = await send(token, "tools/list");
  await answered.body?.cancel();
  return answered.status;
}

/** What the record says of the newest settled call: its caller, and the kind that policy saw. */
async function lastCaller(): Promise<{ readonly principal: JsonObject; readonly kind: unknown }> {
  const entries = await vouched.entries();
  const settled = entries.findLast((entry) => entry["kind"] === "call.settled");
  const decided = entries.find((entry) => entry["kind"] === "call.decided" && entry["call"] === settled?.["call"]);
  const { facts } = (decided?.["details"] ?? {}) as {
    readonly facts?: { readonly principal?: { readonly kind?: string } };
  };
  return { principal: (settled?.["principal"] ?? {}) as JsonObject, kind: facts?.principal?.kind };
}

const served = "200 1 deployments in shop-dev. Rows 1-1 of 1, problems first.";

promise("clients:agent-alone", "client credentials with private_key_jwt: an agent, nobody beside it", async () => {
  const { access_token: token } = await vouched.issuer.agentToken("deploy-bot", read, vouched.url);
  expect(await called(token)).toBe(served);
  expect(await lastCaller()).toEqual({
    kind: "agent",
    principal: { act: [], client_id: "deploy-bot", iss: vouched.issuer.url, sub: "deploy-bot" },
  });
});

promise("clients:delegation", "token exchange: alice with the agent as actor, in policy and on record", async () => {
  const hers = await vouched.issuer.code("alice", change, vouched.url);
  const { access_token: token } = await vouched.issuer.exchange("deploy-bot", hers.access_token, change, vouched.url);
  const scaling = {
    kind: "Deployment",
    namespace: "shop-dev",
    name: "api",
    replicas: 7,
    reason: "for the exchange test",
  };
  expect(await called(token, { name: "workloads_scale", arguments: scaling })).toBe(
    "200 DONE workloads_scale Deployment shop-dev/api",
  );
  expect(await lastCaller()).toEqual({
    kind: "person",
    principal: {
      act: [{ iss: vouched.issuer.url, sub: "deploy-bot" }],
      client_id: "deploy-bot",
      iss: vouched.issuer.url,
      sub: "alice",
    },
  });
});

promise(
  "clients:unknown-client",
  "a client that registered itself a moment ago, under a name of its choice",
  async () => {
    const { access_token: token } = await vouched.issuer.code("mallory", read, vouched.url);
    expect(await called(token)).toBe(served);
    expect(await lastCaller()).toEqual({
      kind: "person",
      principal: { act: [], client_id: vouched.issuer.publicClient.id, iss: vouched.issuer.url, sub: "mallory" },
    });
  },
);

promise(
  "clients:other-resource",
  "for another resource, for the provider itself, and without any scope of ours",
  async () => {
    const elsewhere = await vouched.issuer.code("alice", read, "http://127.0.0.1:1/other");
    expect(await statusOf(elsewhere.access_token)).toBe(401);
    const hers = await vouched.issuer.code("alice", read, vouched.url);
    const idToken = (hers as { readonly id_token?: string }).id_token ?? "";
    expect([idToken.split(".").length, await statusOf(idToken)]).toEqual([3, 401]);
    const bare = await vouched.issuer.exchange("deploy-bot", hers.access_token, "", vouched.url);
    expect(await statusOf(bare.access_token)).toBe(403);
  },
);

/** After a look at the keys the gateway takes so long for the next that a caller causes. */
const betweenLooks = 31_000;

promise(
  "clients:key-rotation",
  "beside the old keys both count, without them only the new, and nothing restarts",
  async () => {
    const before = await vouched.issuer.code("alice", read, vouched.url);
    expect(await called(before.access_token)).toBe(served);
    await vouched.issuer.rotate("published");
    const between = await vouched.issuer.refresh(before.refresh_token ?? "");
    vouched.advance(betweenLooks);
    expect([await statusOf(between.access_token), await statusOf(before.access_token)]).toEqual([200, 200]);
    await vouched.issuer.rotate("gone");
    const after = await vouched.issuer.refresh(between.refresh_token ?? before.refresh_token ?? "");
    vouched.advance(betweenLooks);
    // A key that nobody has seen makes the gateway look again; then the keys that left are known to be gone.
    expect(await called(after.access_token)).toBe(served);
    expect([await statusOf(before.access_token), await statusOf(between.access_token)]).toEqual([401, 401]);
    expect((await vouched.entries()).filter((entry) => entry["kind"] === "gateway.started").length).toBe(1);
  },
);
