// The HTTP door as an OAuth resource server: metadata, challenges, scopes in both protocol generations, pages in browsers.

import { afterEach, beforeEach, expect } from "vitest";
import type { Identified } from "../../src/domain/evidence.ts";
import { serveHttp, type HttpOptions } from "../../src/mcp/http.ts";
import { metadataPaths, metadataUrl } from "../../src/mcp/resource-metadata.ts";
import { promise } from "../support/promise.ts";
import { tools as catalogue } from "../../tools/index.ts";
import { about, shown, testDoor, type TestDoor } from "./door-for-tests.ts";
import { calling, message, modern, sendTo, type Reply, type Sending } from "./http-requests.ts";

const issuer = "https://login.example.com/tenant";
const inserted = "/.well-known/oauth-protected-resource/mcp";
const tool = (name: string) => ({
  name,
  title: name,
  description: name,
  inputSchema: { type: "object" },
  annotations: { readOnlyHint: false, openWorldHint: false },
});
let door: TestDoor;
let url: string;
const closing: (() => Promise<void>)[] = [];

async function listening(more: Partial<HttpOptions> = {}): Promise<string> {
  const served = await serveHttp({
    door,
    about,
    host: "127.0.0.1",
    port: 0,
    refused: () => undefined,
    grace: 100,
    vouched: true,
    authorizationServers: [issuer],
    ...more,
  });
  if (served.kind === "refused") throw new Error(served.sentence);
  closing.push(served.close);
  return served.url;
}

beforeEach(async () => {
  door = testDoor({ more: [tool("change_it"), tool("run_it")] });
  url = await listening();
});
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

const send = (sending: Sending = {}): Promise<Reply> => sendTo(url, sending);
const metadataAt = (): string => `resource_metadata="${new URL(inserted, url).href}"`;

promise(
  "door:metadata",
  "the exact resource, its issuers and its scopes, at the root and at the inserted path",
  async () => {
    for (const path of ["/.well-known/oauth-protected-resource", inserted]) {
      const reply = await send({ path, method: "GET", headers: { authorization: undefined } });
      expect([reply.status, reply.headers["content-type"], reply.headers["cache-control"]]).toEqual([
        200,
        "application/json",
        "public, max-age=300",
      ]);
      expect(JSON.parse(reply.body)).toEqual({
        resource: url,
        authorization_servers: [issuer],
        scopes_supported: ["sallyport:read", "sallyport:change", "sallyport:execute"],
        bearer_methods_supported: ["header"],
        resource_name: "Sallyport",
      });
      expect((await send({ path })).status).toBe(405);
    }
  },
);

promise(
  "door:metadata",
  "by the address that clients call, to the last character, also under a path of its own",
  async () => {
    const resource = "https://gate.example.com/team-a/mcp";
    const local = await listening({ url: resource, allowedHosts: ["127.0.0.1"] });
    expect(local).toBe(resource);
    expect(metadataUrl(resource)).toBe("https://gate.example.com/.well-known/oauth-protected-resource/team-a/mcp");
    expect(metadataUrl("https://gate.example.com")).toBe(
      "https://gate.example.com/.well-known/oauth-protected-resource",
    );
    expect(metadataPaths({ url: resource, authorizationServers: [issuer] })).toEqual([
      "/.well-known/oauth-protected-resource",
      inserted,
      `${inserted.slice(0, -"/mcp".length)}/team-a/mcp`,
    ]);
  },
);

promise("door:metadata", "where no issuer is named there is none, and no challenge speaks of it", async () => {
  url = await listening({ vouched: false, authorizationServers: [] });
  expect((await send({ path: inserted, method: "GET" })).status).toBe(404);
  const reply = await send({ headers: { authorization: undefined } });
  expect(reply.headers["www-authenticate"]).toBe('Bearer realm="sallyport"');
});

promise(
  "door:challenge",
  "401 without a token, with one that is not accepted, and with what is no bearer token",
  async () => {
    const none = await send({ headers: { authorization: undefined } });
    expect([none.status, none.headers["www-authenticate"]]).toEqual([
      401,
      `Bearer ${metadataAt()}, scope="sallyport:read"`,
    ]);
    const wrong = await send({ headers: { authorization: "Bearer zed" } });
    expect([wrong.status, wrong.headers["www-authenticate"]]).toEqual([
      401,
      `Bearer error="invalid_token", ${metadataAt()}, scope="sallyport:read"`,
    ]);
    const basic = await send({ headers: { authorization: "Basic YTpi" } });
    expect([basic.status, basic.headers["www-authenticate"]]).toEqual([401, none.headers["www-authenticate"]]);
  },
);

/** The same request in the 2025 and in the 2026 generation. */
async function eachEra(
  token: string,
  method: string,
  params: { readonly name?: string; readonly [key: string]: unknown } = {},
) {
  const headers = { authorization: `Bearer ${token}` };
  const { body, headers: own } = modern(method, params);
  return [
    await send({ body: message(method, params), headers }),
    await send({ body, headers: { ...headers, ...own } }),
  ];
}

promise("door:scopes", "a call without its scope is refused before it begins, in both generations", async () => {
  const cases = [
    ["only-reads", "change_it", "sallyport:read sallyport:change"],
    ["only-reads", "run_it", "sallyport:read sallyport:execute"],
    ["only-changes", "echo", "sallyport:read sallyport:change"],
    ["only-changes", "run_it", "sallyport:change sallyport:execute"],
  ] as const;
  for (const [token, name, needed] of cases)
    for (const reply of await eachEra(token, "tools/call", { name })) {
      expect([token, name, reply.status, reply.headers["www-authenticate"]]).toEqual([
        token,
        name,
        403,
        `Bearer error="insufficient_scope", scope="${needed}", ${metadataAt()}`,
      ]);
      expect(JSON.parse(reply.body)).toEqual({
        jsonrpc: "2.0",
        id: 1,
        error: { code: -32001, message: `insufficient_scope: this needs a token with ${needed}.` },
      });
    }
  expect(door.calls).toEqual([]);
});

promise("door:scopes", "a call with its scope runs, and any scope lets its bearer list", async () => {
  for (const [token, name] of [
    ["only-reads", "echo"],
    ["only-changes", "change_it"],
    ["alice-agent", "run_it"],
  ] as const)
    for (const reply of await eachEra(token, "tools/call", { name })) expect([name, reply.status]).toEqual([name, 200]);
  expect(door.calls.map((call) => call.tool)).toEqual(["echo", "echo", "change_it", "change_it", "run_it", "run_it"]);
  for (const token of ["only-reads", "only-changes"])
    for (const method of ["tools/list", "prompts/list", "resources/templates/list"])
      for (const reply of await eachEra(token, method)) expect([method, reply.status]).toEqual([method, 200]);
});

promise("door:scopes", "a token without any scope of ours gets nothing, not even a handshake", async () => {
  const handshake = message("initialize", {
    protocolVersion: "2025-11-25",
    capabilities: {},
    clientInfo: { name: "x", version: "1" },
  });
  const notice = JSON.stringify({ jsonrpc: "2.0", method: "notifications/initialized" });
  for (const body of [handshake, notice, message("ping"), message("tools/list"), calling("echo"), "[]", "7"]) {
    const reply = await send({ body, headers: { authorization: "Bearer no-scope" } });
    expect([body, reply.status, /scope="([^"]*)"/.exec(String(reply.headers["www-authenticate"]))?.[1]]).toEqual([
      body,
      403,
      "sallyport:read",
    ]);
  }
  expect(door.calls).toEqual([]);
});

promise("door:scopes", "a batch needs what all of its calls need", async () => {
  const batch = `[${calling("echo")},${calling("change_it")},${calling("run_it")}]`;
  const reply = await send({ body: batch, headers: { authorization: "Bearer only-reads" } });
  expect([reply.status, (JSON.parse(reply.body) as { id: unknown }).id]).toEqual([403, null]);
  expect(reply.headers["www-authenticate"]).toContain('scope="sallyport:read sallyport:change sallyport:execute"');
  expect(door.calls).toEqual([]);
});

promise("door:scopes-hide", "a hidden tool answers as one that does not exist, whatever the token may", async () => {
  for (const token of ["only-reads", "only-changes", "alice-agent"]) {
    const hidden = await eachEra(token, "tools/call", { name: "admin_only" });
    const absent = await eachEra(token, "tools/call", { name: "no_such" });
    expect(hidden.map(({ status, body, headers }) => [status, body, headers["www-authenticate"]])).toEqual(
      absent.map(({ status, body }) => [status, body, undefined]),
    );
  }
  for (const odd of ["constructor", "__proto__", "toString", ""])
    expect((await send({ body: calling(odd), headers: { authorization: "Bearer only-reads" } })).status).toBe(200);
});

promise(
  "door:scopes",
  "what is offered while a person types is read from the cluster, and needs the scope to read",
  async () => {
    const named: TestDoor = testDoor({ more: catalogue.map(shown), names: ["web-1", "web-2"] });
    url = await listening({ door: named });
    const typing = {
      ref: { type: "ref/prompt", name: "diagnose" },
      context: { arguments: { kind: "Pod", namespace: "shop-dev" } },
    };
    const offered = async (token: string, name: string): Promise<unknown[]> =>
      (await eachEra(token, "completion/complete", { ...typing, argument: { name, value: "" } })).map(
        ({ body }) => /"values":(\[[^\]]*\])/.exec(body)?.[1] ?? "",
      );
    expect([await offered("only-reads", "name"), await offered("only-reads", "namespace")]).toEqual([
      ['["web-1","web-2"]', '["web-1","web-2"]'],
      ['["shop-dev","shop-prod"]', '["shop-dev","shop-prod"]'],
    ]);
    const before = [named.calls.length, named.decidedReads.length];
    expect([await offered("only-changes", "name"), await offered("only-changes", "namespace")]).toEqual([
      ["[]", "[]"],
      ["[]", "[]"],
    ]);
    expect([named.calls.length, named.decidedReads.length]).toEqual(before);
    // Words of ours are no reading.
    expect(await offered("only-changes", "kind")).toEqual(await offered("only-reads", "kind"));
  },
);

promise("door:scopes", "a batch of thousands costs no more looks than it names tools", async () => {
  let listed = 0;
  const counting: TestDoor = { ...door, listTools: (who) => ((listed += 1), door.listTools(who)) };
  url = await listening({ door: counting });
  const batch = `[${Array.from({ length: 5_000 }, () => calling("change_it")).join(",")}]`;
  const reply = await send({ body: batch, headers: { authorization: "Bearer only-reads" } });
  expect([reply.status, listed]).toEqual([403, 1]);
});

promise("door:scopes", "whoever gets past the first look meets a second one behind the door", async () => {
  // The evidence changes between the two looks: what the token may was taken back meanwhile.
  const looks: Identified[] = [];
  const identify = door.identify.bind(door);
  const reader = await identify({ kind: "bearer", token: "only-reads", client: "" });
  const all = await identify({ kind: "bearer", token: "alice-agent", client: "" });
  const changing: TestDoor = {
    ...door,
    async identify() {
      const found = looks.length === 0 ? all : reader;
      looks.push(found);
      return found;
    },
  };
  url = await listening({ door: changing });
  const reply = await send({ body: calling("change_it") });
  expect(looks.length).toBe(2);
  expect(reply.body).toContain("insufficient_scope: this needs a token with sallyport:read sallyport:change.");
  expect(door.calls).toEqual([]);
});

promise("door:each-request", "a token that ends while its call streams begins no other", async () => {
  let valid = true;
  const ending: TestDoor = {
    ...door,
    identify: async (evidence) =>
      valid ? await door.identify(evidence) : { kind: "refused", cause: "it has expired" },
  };
  url = await listening({ door: ending });
  const held = send({ body: calling("hold") });
  await door.holding(1);
  valid = false;
  expect((await send()).status).toBe(401);
  expect((await send({ body: calling("echo") })).status).toBe(401);
  door.release();
  expect((await held).body).toContain("held and released");
  expect(door.calls.map((call) => call.tool)).toEqual(["hold"]);
});

promise(
  "door:subjects-alike",
  "unknown, expired, of another audience, of another issuer: one answer to the byte",
  async () => {
    const causes = new Map([
      ["expired", "alice's token has expired"],
      ["audience", "alice's token is for another audience"],
      ["issuer", "nobody knows its issuer"],
      ["disabled", "the agent is disabled"],
    ]);
    const telling: TestDoor = {
      ...door,
      async identify(evidence) {
        const cause = evidence.kind === "bearer" ? causes.get(evidence.token) : undefined;
        return cause === undefined ? await door.identify(evidence) : { kind: "refused", cause };
      },
    };
    url = await listening({ door: telling });
    const answers = await Promise.all(
      [...causes.keys(), "zed", "a.b.c", "x".repeat(9000)].map(async (token) => {
        const { status, headers, body } = await send({ headers: { authorization: `Bearer ${token}` } });
        return JSON.stringify([status, { ...headers, date: "" }, body]);
      }),
    );
    expect(new Set(answers).size).toBe(1);
    expect((await send()).status).toBe(200);
  },
);

const inspector = "http://localhost:6274";

promise(
  "door:browsers",
  "the preflight of an inspector's page is answered, without a token, with what clients send",
  async () => {
    for (const path of ["/mcp", inserted]) {
      const reply = await send({
        path,
        method: "OPTIONS",
        headers: {
          authorization: undefined,
          origin: inspector,
          "access-control-request-method": "POST",
          "access-control-request-headers": "authorization,content-type,mcp-protocol-version",
        },
      });
      const { status, headers, body } = reply;
      expect([status, headers["access-control-allow-origin"], headers["access-control-allow-methods"], body]).toEqual([
        204,
        inspector,
        "GET, POST",
        "",
      ]);
      expect(headers["access-control-allow-headers"]).toBe(
        "accept, authorization, content-type, last-event-id, mcp-method, mcp-name, mcp-protocol-version, mcp-session-id",
      );
      expect([headers["vary"], headers["access-control-allow-credentials"]]).toEqual(["Origin", undefined]);
    }
  },
);

promise("door:browsers", "the page reads its answers and its refusals, also the challenge", async () => {
  const asked: readonly [Sending, number][] = [
    [{}, 200],
    [{ headers: { authorization: undefined } }, 401],
    [{ body: calling("run_it"), headers: { authorization: "Bearer only-reads" } }, 403],
    [{ body: calling("echo") }, 200],
    [{ method: "GET" }, 405],
    [{ path: inserted, method: "GET" }, 200],
  ];
  for (const [sending, status] of asked) {
    const reply = await send({ ...sending, headers: { ...sending.headers, origin: inspector } });
    expect([reply.status, reply.headers["access-control-allow-origin"]]).toEqual([status, inspector]);
    expect(reply.headers["access-control-expose-headers"]).toContain("www-authenticate");
    expect(reply.headers["vary"]).toContain("Origin");
  }
});

promise("door:browsers", "a page of another origin gets 403 and no permission, preflight or not", async () => {
  for (const sending of [
    {},
    { method: "OPTIONS" },
    { path: inserted, method: "GET" },
    { path: "/healthz", method: "GET" },
  ]) {
    const reply = await send({ ...sending, headers: { origin: "https://evil.example" } });
    expect([reply.status, reply.headers["access-control-allow-origin"]]).toEqual([403, undefined]);
  }
  expect((await send({ method: "OPTIONS" })).status).toBe(405);
});

promise(
  "door:browsers",
  "a page of the gateway's own can be opened from anywhere and be read from nowhere",
  async () => {
    const answer = async (): Promise<Response> => new Response("a page");
    url = await listening({ pages: [{ path: "/console", origin: "https://gate.example.com", answer }] });
    for (const origin of ["https://evil.example", inspector]) {
      const reply = await send({ path: "/console", method: "GET", headers: { origin } });
      expect([reply.status, reply.body, reply.headers["access-control-allow-origin"]]).toEqual([
        200,
        "a page",
        undefined,
      ]);
    }
  },
);
