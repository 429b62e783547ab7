// The HTTP door against real clients of both SDK generations, and against bare requests that mean harm.

import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { Client as V2Client, StreamableHTTPClientTransport as V2Transport } from "@modelcontextprotocol/client";
import { Client as V1Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as V1Transport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { afterEach, beforeEach, expect } from "vitest";
import { serveHttp, type HttpOptions } from "../../src/mcp/http.ts";
import { promise } from "../support/promise.ts";
import { about, brokenMessage, testDoor, type TestDoor } from "./door-for-tests.ts";

let door: TestDoor;
let url: string;
let strangers: number;
const closing: (() => Promise<void>)[] = [];

async function listening(more: Partial<HttpOptions> = {}): Promise<string> {
  const refused = (): void => void strangers++;
  const beat = { first: 20, every: 20 };
  const served = await serveHttp({ door, about, host: "127.0.0.1", port: 0, refused, beat, grace: 100, ...more });
  if (served.kind === "refused") throw new Error(served.sentence);
  closing.push(served.close);
  return served.url;
}

beforeEach(async () => {
  door = testDoor();
  strangers = 0;
  url = await listening();
});
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

/** What the tests ask of a client, whatever SDK and revision it speaks. */
interface Caller {
  readonly name: string;
  list(): Promise<readonly string[]>;
  call(
    tool: string,
    args: Record<string, unknown>,
    signal?: AbortSignal,
    onprogress?: (words: string) => void,
  ): Promise<Answer>;
}
interface Answer {
  readonly isError?: unknown;
  readonly content?: unknown;
  readonly _meta?: { readonly [key: string]: unknown } | undefined;
}
type Heard = { readonly message?: string | undefined };

async function v2(token: string, mode: "legacy" | { readonly pin: string }): Promise<Caller> {
  const client = new V2Client({ name: "v2-test", version: "2.4.0" }, { versionNegotiation: { mode } });
  const headers = { authorization: `Bearer ${token}` };
  await client.connect(new V2Transport(new URL(url), { requestInit: { headers } }));
  closing.push(() => client.close());
  return {
    name: client.getNegotiatedProtocolVersion() ?? "",
    list: async () => (await client.listTools()).tools.map((tool) => tool.name),
    call: (name, args, signal, onprogress) =>
      client.callTool(
        { name, arguments: args },
        {
          ...(signal === undefined ? {} : { signal }),
          ...(onprogress === undefined ? {} : { onprogress: ({ message }: Heard) => onprogress(message ?? "") }),
        },
      ),
  };
}

async function v1(token: string): Promise<Caller> {
  const client = new V1Client({ name: "v1-test", version: "1.32.2" });
  const headers = { authorization: `Bearer ${token}` };
  await client.connect(new V1Transport(new URL(url), { requestInit: { headers } }));
  closing.push(() => client.close());
  return {
    name: "v1",
    list: async () => (await client.listTools()).tools.map((tool) => tool.name),
    call: async (name, args, signal, onprogress) =>
      await client.callTool({ name, arguments: args }, undefined, {
        ...(signal === undefined ? {} : { signal }),
        ...(onprogress === undefined ? {} : { onprogress: ({ message }: Heard) => onprogress(message ?? "") }),
      }),
  };
}

const eachCaller = (token: string): Promise<Caller[]> =>
  Promise.all([v2(token, { pin: "2026-07-28" }), v2(token, "legacy"), v1(token)]);

const textOf = (answer: Answer): string => (answer.content as [{ text: string }])[0].text;

promise("mcp:both-eras", "lists and calls over HTTP with both SDKs and both eras", async () => {
  for (const caller of await eachCaller("alice-agent")) {
    expect(await caller.list(), caller.name).toEqual(["echo", "hold", "broken", "report"]);
    const answer = await caller.call("echo", { a: 1 });
    const id = door.calls.at(-1)?.id;
    expect(answer.isError, caller.name).toBe(false);
    expect(textOf(answer)).toBe(`echo for alice-agent: "{\\"a\\":1}"\ncall ${id} - effect none`);
    expect(answer._meta?.["sallyport/facts"]).toEqual({ call: id, outcome: "completed", effect: "none" });
  }
});

promise("mcp:hidden-is-unknown", "answers a hidden and a nonexistent tool with the same bytes", async () => {
  for (const caller of await eachCaller("bob-agent")) {
    const hidden = await caller.call("admin_only", {}).catch((error: unknown) => error);
    const absent = await caller.call("no_such_tool", {}).catch((error: unknown) => error);
    expect(hidden).toMatchObject({ code: -32602 });
    expect(absent).toEqual(hidden);
  }
  expect(door.calls).toEqual([]);
  const [admin] = await eachCaller("cluster-admin");
  expect((await admin?.call("admin_only", {}))?.isError).toBe(false);
});

promise("mcp:no-foreign-message", "tells a call that broke by its id alone, to both eras", async () => {
  for (const caller of await eachCaller("alice-agent")) {
    const error = await caller.call("broken", {}).catch((thrown: unknown) => thrown);
    const id = door.calls.at(-1)?.id;
    expect(String(error), caller.name).not.toContain("hunter2");
    expect(error).toMatchObject({ code: -32603, message: expect.stringMatching(new RegExp(`internal: ${id}$`)) });
    expect(door.broken.at(-1)).toEqual({ call: id, thrown: new Error(brokenMessage) });
  }
});

promise("mcp:progress", "beats while a call is held, over HTTP", async () => {
  for (const caller of await eachCaller("alice-agent")) {
    const heard: string[] = [];
    const twice = Promise.withResolvers<void>();
    const answer = caller.call("hold", {}, undefined, (words) => {
      heard.push(words);
      if (heard.length === 2) twice.resolve();
    });
    await twice.promise;
    door.release();
    expect((await answer).isError, caller.name).toBe(false);
    expect(heard.slice(0, 2)).toEqual(["working", "working"]);
  }
});

promise("mcp:progress", "passes the line's own words on at once", async () => {
  // No beat comes before them.
  url = await listening({ beat: { first: 60_000, every: 60_000 } });
  for (const caller of await eachCaller("alice-agent")) {
    const heard: string[] = [];
    await caller.call("report", {}, undefined, (words) => heard.push(words));
    expect(heard[0], caller.name).toBe("dry run is done");
  }
});

promise("mcp:cancel", "aborts the call down to its signal over HTTP, in both eras", async () => {
  let count = 0;
  for (const caller of await eachCaller("alice-agent")) {
    const gone = new AbortController();
    const answer = caller.call("hold", {}, gone.signal).catch((error: unknown) => error);
    await door.holding(++count);
    gone.abort();
    expect((await door.aborted(count)).length, caller.name).toBe(count);
    expect(await answer).toBeInstanceOf(Error);
  }
});

promise("mcp:cancel", "aborts a call whose connection is cut, in both eras", async () => {
  const legacy = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "hold", arguments: {} } };
  const meta = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": { name: "raw", version: "1" },
    "io.modelcontextprotocol/clientCapabilities": {},
  };
  const modern = { ...legacy, params: { ...legacy.params, _meta: meta } };
  const modernHeaders = { "mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call", "mcp-name": "hold" };
  for (const [index, [body, headers]] of [[legacy, {}] as const, [modern, modernHeaders] as const].entries()) {
    const gone = new AbortController();
    const sent = post(JSON.stringify(body), headers, gone.signal).catch((error: unknown) => error);
    await door.holding(index + 1);
    gone.abort();
    expect((await door.aborted(index + 1)).length).toBe(index + 1);
    await sent;
  }
});

promise(
  "mcp:cancel-own-only",
  "does nothing for a notice of another caller, or for an id that two calls share",
  async () => {
    const call = JSON.stringify({ jsonrpc: "2.0", id: 7, method: "tools/call", params: { name: "hold" } });
    const notice = JSON.stringify({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 7 } });
    const first = post(call);
    await door.holding(1);
    expect((await post(notice, { authorization: "Bearer bob-agent" })).status).toBe(202);
    const second = post(call);
    await door.holding(2);
    expect((await post(notice)).status).toBe(202);
    // Notices are acted on in their own time: a call that follows them on the same line shows that they were looked at.
    await post(JSON.stringify({ jsonrpc: "2.0", id: 8, method: "tools/list" }));
    door.release();
    expect((await first).body).toContain("held and released");
    expect((await second).body).toContain("held and released");
  },
);

promise("mcp:two-clients", "serves two clients of different callers at once, each with its own session", async () => {
  const [alice, bob] = await Promise.all([v2("alice-agent", "legacy"), v1("bob-agent")]);
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, at) => (at % 2 === 0 ? alice : bob).call("echo", { at })),
  );
  expect(answers.map(textOf).map((text) => text.split(" ")[2])).toEqual(
    Array.from({ length: 20 }, (_, at) => (at % 2 === 0 ? "alice-agent:" : "bob-agent:")),
  );
  const sessions = Map.groupBy(door.calls, (call) => call.principal.subject);
  const idsOf = (who: string) => new Set(sessions.get(who)?.map((call) => call.session.id));
  expect([idsOf("alice-agent").size, idsOf("bob-agent").size]).toEqual([1, 1]);
  expect(idsOf("alice-agent")).not.toEqual(idsOf("bob-agent"));
  expect(new Set(door.calls.map((call) => call.session.door))).toEqual(new Set(["http"]));
});

promise("mcp:bad-arguments-reach-the-line", "hands arguments of any shape to the line as they are", async () => {
  for (const given of [[1, 2], "text", null, 7, { nested: { a: [] } }]) {
    const body = JSON.stringify({
      jsonrpc: "2.0",
      id: 1,
      method: "tools/call",
      params: { name: "echo", arguments: given },
    });
    expect((await post(body)).status).toBe(200);
    expect(door.calls.at(-1)?.arguments).toEqual(given);
  }
  await post(JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "echo" } }));
  expect(door.calls.at(-1)?.arguments).toEqual({});
});

const listBody = JSON.stringify({ jsonrpc: "2.0", id: 5, method: "tools/list" });

promise(
  "mcp:http-token-in-header-only",
  "challenges who shows no token or a wrong one, and learns nothing else",
  async () => {
    const none = await post(listBody, { authorization: undefined });
    expect([none.status, none.headers["www-authenticate"]]).toEqual([401, 'Bearer realm="sallyport"']);
    const wrong = await post(listBody, { authorization: "Bearer alice-agenx" });
    expect([wrong.status, wrong.headers["www-authenticate"]]).toEqual([
      401,
      'Bearer realm="sallyport", error="invalid_token"',
    ]);
    const unknown = await post(listBody, { authorization: "Bearer zed" });
    expect(unknown.body).toBe(wrong.body);
    for (const odd of ["Basic YTpi", "Bearer", "Bearer a b", "alice-agent", `Bearer ${"x".repeat(20_000)}`])
      expect([401, 431]).toContain((await post(listBody, { authorization: odd })).status);
    const inQuery = await post(listBody, { authorization: undefined }, undefined, "/mcp?access_token=alice-agent");
    expect(inQuery.status).toBe(400);
    expect(door.calls).toEqual([]);
  },
);

promise("mcp:strangers-counted", "counts each stranger once and lets none into the line", async () => {
  await post(listBody, { authorization: undefined });
  await post(listBody, { authorization: "Bearer zed" });
  await post(listBody, { host: "evil.example" });
  await post(listBody);
  expect(strangers).toBe(3);
});

promise("mcp:http-host-origin", "serves only known names and origins", async () => {
  const port = new URL(url).port;
  for (const host of ["evil.example", `evil.example:${port}`, "127.0.0.1.evil.example", "127.0.0.1@evil.example"])
    expect((await post(listBody, { host })).status, host).toBe(403);
  for (const host of ["localhost", `LOCALHOST:${port}`, `[::1]:${port}`, "127.0.0.1"])
    expect((await post(listBody, { host })).status, host).toBe(200);
  for (const origin of [
    "https://evil.example",
    "null",
    "http://localhost.evil.example",
    "file://",
    "http://127.0.0.1:1/x",
  ])
    expect((await post(listBody, { origin })).status, origin).toBe(403);
  for (const origin of ["http://localhost:6274", "http://127.0.0.1"])
    expect((await post(listBody, { origin })).status, origin).toBe(200);
});

promise("mcp:http-host-origin", "adds the names that the configuration allows", async () => {
  url = await listening({ allowedHosts: ["sally.example"], allowedOrigins: ["https://console.example"] });
  expect((await post(listBody, { host: "sally.example" })).status).toBe(200);
  expect((await post(listBody, { origin: "https://console.example" })).status).toBe(200);
  expect((await post(listBody, { origin: "https://console.example:8443" })).status).toBe(403);
});

promise("mcp:http-single-headers", "refuses a request whose deciding header stands twice", async () => {
  const { hostname, port } = new URL(url);
  for (const twice of [
    "Authorization: Bearer bob-agent",
    `Host: ${hostname}`,
    "Origin: http://localhost",
    "Content-Type: text/plain",
  ]) {
    const head = [
      "POST /mcp HTTP/1.1",
      `Host: ${hostname}:${port}`,
      "Authorization: Bearer alice-agent",
      "Origin: http://localhost",
      "Content-Type: application/json",
      `Content-Length: ${listBody.length}`,
      twice,
    ];
    const answer = await raw(Number(port), `${head.join("\r\n")}\r\n\r\n${listBody}`);
    expect(answer.slice(0, 12), twice).toBe("HTTP/1.1 400");
  }
});

promise("mcp:http-body-limit", "refuses a body beyond 1 MiB, announced or not, and holds none of it", async () => {
  const big = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list", params: { pad: "x".repeat(1_048_576) } });
  expect((await post(big)).status).toBe(413);
  expect((await post(big, { "transfer-encoding": "chunked" })).status).toBe(413);
  expect((await post(listBody)).status).toBe(200);
});

promise("mcp:duplicate-keys", "refuses a message that holds a key twice, under the message's own id", async () => {
  const call =
    '{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"echo","arguments":{"a":1,"\\u0061":2}}}';
  const answer = await post(call);
  expect([answer.status, JSON.parse(answer.body)]).toEqual([
    400,
    {
      jsonrpc: "2.0",
      id: 3,
      error: { code: -32600, message: 'invalid_input: the key "a" stands twice in one object.' },
    },
  ]);
  expect((await post('{"jsonrpc":"2.0","id":1,"id":2,"method":"tools/list"}')).body).toContain('"id":null');
  expect((await post("{not json")).status).toBe(400);
  expect(door.calls).toEqual([]);
});

promise("mcp:http-loopback-only", "opens on no other address, and says why", async () => {
  for (const host of ["0.0.0.0", "::", "192.168.1.5", "example.com"]) {
    const served = await serveHttp({ door, about, host, port: 0, refused: () => {} });
    expect(served).toEqual({ kind: "refused", sentence: expect.stringContaining("loopback only") });
  }
  const taken = await serveHttp({ door, about, host: "127.0.0.1", port: Number(new URL(url).port), refused: () => {} });
  expect(taken).toEqual({ kind: "refused", sentence: expect.stringContaining("EADDRINUSE") });
});

promise("mcp:http-loopback-only", "serves nothing but /mcp by POST and /healthz by GET", async () => {
  const get = async (path: string, method = "GET") => (await send({ path, method, body: "" })).status;
  expect(await get("/healthz")).toBe(200);
  expect(await get("/healthz", "POST")).toBe(405);
  expect(await get("/mcp")).toBe(405);
  expect(await get("/mcp", "DELETE")).toBe(405);
  expect(await get("/metrics")).toBe(404);
  expect(await get("/mcp/../healthz")).toBe(404);
});

promise("mcp:sessions-end", "when the door closes, after the calls that were cut off have ended", async () => {
  const call = post(JSON.stringify({ jsonrpc: "2.0", id: 4, method: "tools/call", params: { name: "hold" } }));
  await door.holding(1);
  await closing.pop()?.();
  expect((await door.aborted(1)).length).toBe(1);
  expect(door.endedSessions).toEqual([door.calls[0]?.session.id]);
  // Its connection was cut: whether our client sees that as an error or as silence does not matter here.
  void call.catch(() => undefined);
});

interface Reply {
  readonly status: number;
  readonly headers: { readonly [name: string]: unknown };
  readonly body: string;
}

function post(
  body: string,
  headers: Record<string, string | undefined> = {},
  signal?: AbortSignal,
  path = "/mcp",
): Promise<Reply> {
  return send({ path, method: "POST", body, headers, ...(signal === undefined ? {} : { signal }) });
}

/** A bare request, so that headers go out as given. */
function send(asked: {
  path: string;
  method: string;
  body: string;
  headers?: Record<string, string | undefined>;
  signal?: AbortSignal;
}): Promise<Reply> {
  const { hostname, port } = new URL(url);
  const standard = {
    host: `${hostname}:${port}`,
    authorization: "Bearer alice-agent",
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
  };
  const headers = Object.fromEntries(
    Object.entries({ ...standard, ...asked.headers }).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    ),
  );
  const { path, method, signal } = asked;
  return new Promise((resolve, reject) => {
    const sent = httpRequest({ hostname, port, path, method, headers, ...(signal ? { signal } : {}) }, (response) => {
      const parts: Buffer[] = [];
      response.on("data", (part: Buffer) => parts.push(part));
      response.on("error", reject);
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts).toString() }),
      );
    });
    sent.on("error", (error: NodeJS.ErrnoException) => {
      // A door that answers before the whole body came may close while we still write.
      if (error.code !== "EPIPE" && error.code !== "ECONNRESET") reject(error);
    });
    sent.end(asked.body);
  });
}

function raw(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(text));
    socket.on("data", (part) => (answer += part.toString()));
    socket.on("error", reject);
    socket.on("close", () => resolve(answer));
  });
}
