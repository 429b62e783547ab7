// Attacks on the HTTP door itself: framing, slowness, crowds, clients that never read. A probe runs beside each: a good call that must succeed.

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { Agent, request as httpRequest } from "node:http";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeEach, expect } from "vitest";
import { serveHttp, type HttpOptions } from "../../src/mcp/http.ts";
import { about, testDoor, type TestDoor } from "../mcp/door-for-tests.ts";
import { calling, message, modern, rawTo, sendTo } from "../mcp/http-requests.ts";
import { promise } from "../support/promise.ts";

let door: TestDoor;
let url: string;
let port: number;
const closing: (() => unknown)[] = [];

/** Limits that an attack reaches at once; each is far more than an honest request on a busy machine takes. */
const short = { head: 1_000, request: 2_500, idle: 1_000, stall: 1_000 };

async function listening(more: Partial<HttpOptions> = {}): Promise<void> {
  const served = await serveHttp({
    door,
    about,
    host: "127.0.0.1",
    port: 0,
    refused: () => undefined,
    grace: 100,
    limits: short,
    ...more,
  });
  if (served.kind === "refused") throw new Error(served.sentence);
  closing.push(served.close);
  url = served.url;
  port = Number(new URL(url).port);
}

beforeEach(async () => {
  door = testDoor();
  await listening();
});
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

/** A good call beside the attack. */
async function probe(): Promise<void> {
  const reply = await sendTo(url, { body: calling("echo", { probe: true }) });
  expect([reply.status, reply.body.includes("echo for alice-agent")]).toEqual([200, true]);
}

const body = message("tools/list");
const caller = `Host: 127.0.0.1\r\nAuthorization: Bearer alice-agent\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\n`;
const post = (headers: string, content = ""): string => `POST /mcp HTTP/1.1\r\n${caller}${headers}\r\n${content}`;
/** What would be served if the bytes behind a refused request were taken for a request. */
const smuggled = post(`Content-Length: ${calling("echo").length}\r\n`, calling("echo"));
const statuses = (answer: string): readonly string[] =>
  [...answer.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, one]) => one ?? "");

promise(
  "door:not-smuggled",
  "two lengths, two codings, both, folded and misspelt headers: 400, and nothing behind",
  async () => {
    const chunked = "0\r\n\r\n";
    const shapes: Record<string, string> = {
      "length and coding": post(`Content-Length: 5\r\nTransfer-Encoding: chunked\r\n`, chunked),
      "coding and length": post(`Transfer-Encoding: chunked\r\nContent-Length: 5\r\n`, chunked),
      "two lengths": post(`Content-Length: 2\r\nContent-Length: 3\r\n`, "abc"),
      "equal lengths": post(`Content-Length: 2\r\nContent-Length: 2\r\n`, "ab"),
      "list of lengths": post(`Content-Length: 2, 2\r\n`, "ab"),
      "signed length": post(`Content-Length: +2\r\n`, "ab"),
      "negative length": post(`Content-Length: -1\r\n`, "ab"),
      "two codings": post(`Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n`, chunked),
      "unknown coding": post(`Transfer-Encoding: xchunked\r\n`, chunked),
      "listed coding": post(`Transfer-Encoding: gzip, chunked\r\n`, chunked),
      "identity coding": post(`Transfer-Encoding: identity\r\n`, body),
      "folded header": post(`X-Long: a\r\n b\r\nContent-Length: 0\r\n`),
      "folded coding": post(`Transfer-Encoding:\r\n chunked\r\n`, chunked),
      "space before colon": post(`Content-Length : 0\r\n`),
      "bare line feed": post(`X-A: b\nContent-Length: 0\r\n`),
      "bare return": post(`X-A: b\rContent-Length: 0\r\n`),
      nul: post(`X-A: a\0b\r\nContent-Length: 0\r\n`),
      "two tokens": post(`Authorization: Bearer bob-agent\r\nContent-Length: ${body.length}\r\n`, body),
      "two hosts": post(`Host: localhost\r\nContent-Length: ${body.length}\r\n`, body),
      "chunk that is no number": post(`Transfer-Encoding: chunked\r\n`, "zz\r\nab\r\n0\r\n\r\n"),
      "chunk below zero": post(`Transfer-Encoding: chunked\r\n`, "-2\r\nab\r\n0\r\n\r\n"),
      "chunk beyond numbers": post(`Transfer-Encoding: chunked\r\n`, "fffffffffffffffff\r\nab\r\n0\r\n\r\n"),
      "no host": "POST /mcp HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
      "HTTP/0.9": "GET /mcp\r\n\r\n",
      "HTTP/2": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
      "TLS at a plain door": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    };
    for (const [name, bytes] of Object.entries(shapes)) {
      const [answer] = await Promise.all([rawTo(port, bytes + smuggled), probe()]);
      expect([name, statuses(answer)]).toEqual([name, ["400"]]);
      expect(/^(server|x-powered-by):/im.test(answer)).toBe(false);
    }
    expect(door.calls.filter((call) => JSON.stringify(call.arguments) !== '{"probe":true}')).toEqual([]);
  },
);

promise("door:not-smuggled", "addresses and methods that only a proxy would send reach nothing", async () => {
  const heads: readonly [string, readonly string[]][] = [
    [`GET http://127.0.0.1/healthz HTTP/1.1\r\n`, ["404"]],
    [`POST http://127.0.0.1:${port}/mcp HTTP/1.1\r\nContent-Length: 0\r\n`, ["404"]],
    [`OPTIONS * HTTP/1.1\r\n`, ["404"]],
    [`TRACE /mcp HTTP/1.1\r\n`, ["405"]],
    [`GET /mcp HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: websocket\r\n`, ["405"]],
    [`CONNECT 127.0.0.1:1 HTTP/1.1\r\n`, []],
    [`POST /mcp/ HTTP/1.1\r\nContent-Length: 0\r\n`, ["404"]],
    [`POST /%6dcp HTTP/1.1\r\nContent-Length: 0\r\n`, ["404"]],
    [`POST /mcp?access_token=alice-agent HTTP/1.1\r\nContent-Length: 0\r\n`, ["400"]],
    [`POST /mcp#a HTTP/1.1\r\nContent-Length: 0\r\n`, ["404"]],
    [`POST /mcp HTTP/1.1\r\nExpect: a miracle\r\nContent-Length: 0\r\n`, ["417"]],
  ];
  for (const [head, expected] of heads) {
    const [answer] = await Promise.all([rawTo(port, `${head}${caller}\r\n${smuggled}`), probe()]);
    expect([head, statuses(answer)]).toEqual([head, expected]);
  }
  expect(door.calls.filter((call) => JSON.stringify(call.arguments) !== '{"probe":true}')).toEqual([]);
});

promise("door:not-smuggled", "a token in the body, in a trailer or in a cookie is nobody's token", async () => {
  const bare = "Host: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n";
  const form = "access_token=alice-agent";
  const tries = [
    `POST /mcp HTTP/1.1\r\n${bare}Content-Length: ${form.length}\r\n\r\n${form}`,
    `POST /mcp HTTP/1.1\r\n${bare}Cookie: access_token=alice-agent\r\nContent-Length: 0\r\n\r\n`,
    `POST /mcp HTTP/1.1\r\n${bare}X-Forwarded-Authorization: Bearer alice-agent\r\nProxy-Authorization: Bearer alice-agent\r\nContent-Length: 0\r\n\r\n`,
    `POST /mcp HTTP/1.1\r\n${bare}Transfer-Encoding: chunked\r\nTrailer: Authorization\r\n\r\n0\r\nAuthorization: Bearer alice-agent\r\n\r\n`,
  ];
  for (const bytes of tries) {
    const [answer] = await Promise.all([rawTo(port, bytes), probe()]);
    expect(statuses(answer)).toEqual(["401"]);
  }
});

promise("door:slow", "a head that is too long, too late or never there", async () => {
  const long = `GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: ${"a".repeat(20_000)}\r\n\r\n`;
  const many = `GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n${Array.from({ length: 2_000 }, (_, at) => `x-${at}: 12345678\r\n`).join("")}\r\n`;
  expect([statuses(await rawTo(port, long)), statuses(await rawTo(port, many))]).toEqual([["431"], ["431"]]);
  const [silent, half, idle] = await Promise.all([
    rawTo(port, ""),
    rawTo(port, "POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bea"),
    rawTo(port, "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"),
    probe(),
  ]);
  expect([statuses(silent), statuses(half), statuses(idle)]).toEqual([["408"], ["408"], ["200"]]);
  await probe();
});

promise(
  "door:slow",
  "a body that trickles, stops, or is less than was said; a client that leaves in its middle",
  async () => {
    const trickling = new Promise<string>((resolve) => {
      let answer = "";
      const socket = connect(port, "127.0.0.1", () => socket.write(post("Transfer-Encoding: chunked\r\n")));
      const drip = setInterval(() => socket.write("1\r\n \r\n"), 100);
      socket.on("data", (part) => (answer += part.toString()));
      socket.on("error", () => undefined);
      socket.on("close", () => {
        clearInterval(drip);
        resolve(answer);
      });
    });
    const [dripped, stopped, lied] = await Promise.all([
      trickling,
      rawTo(port, post("Transfer-Encoding: chunked\r\n", "5\r\nab")),
      rawTo(port, post(`Content-Length: ${body.length + 10}\r\n`, body)),
      probe(),
    ]);
    expect([statuses(dripped), statuses(stopped), statuses(lied)]).toEqual([["408"], ["408"], ["408"]]);
    for (let count = 0; count < 20; count++) {
      const socket = connect(port, "127.0.0.1");
      await once(socket, "connect");
      socket.write(post(`Content-Length: 500\r\n`, "{"), () => socket.destroy());
      await once(socket, "close");
    }
    await probe();
    expect(door.calls.every((call) => JSON.stringify(call.arguments) === '{"probe":true}')).toBe(true);
    // A client that leaves is no defect of ours.
    expect(door.broken).toEqual([]);
  },
);

promise("door:slow", "a body beyond the limit, said or not, is not held", async () => {
  const big = `{"pad":"${"x".repeat(1_048_576)}"}`;
  const chunks = Array.from({ length: 40 }, () => `10000\r\n${"y".repeat(65_536)}\r\n`);
  const [said, unsaid] = await Promise.all([
    sendTo(url, { body: big }),
    rawTo(port, post("Transfer-Encoding: chunked\r\n"), ...chunks),
    probe(),
  ]);
  expect(said.status).toBe(413);
  // The door may close on what is still being sent, and take its own answer along.
  expect([[], ["413"]]).toContainEqual(statuses(unsaid));
  expect(door.calls.length).toBe(1);
});

promise("door:slow", "no limit on requests cuts an answer that takes longer than all of them", async () => {
  const held = sendTo(url, { body: calling("hold") });
  const { body: modernBody, headers } = modern("tools/call", { name: "hold" });
  const other = sendTo(url, { body: modernBody, headers });
  await door.holding(2);
  // Longer than every limit of this door: an answer that is under way is nobody's slowness.
  await pause(short.request + 1_500);
  door.release();
  expect((await held).body).toContain("held and released");
  expect((await other).body).toContain("held and released");
});

promise("door:comments", "while nothing is said, in both generations", async () => {
  await listening({ limits: { ...short, comment: 30 } });
  const { body: modernBody, headers } = modern("tools/call", { name: "hold" });
  for (const [index, sending] of [{ body: calling("hold") }, { body: modernBody, headers }].entries()) {
    const { hostname } = new URL(url);
    const own = { host: "127.0.0.1", authorization: "Bearer alice-agent", "content-type": "application/json" };
    const accept = "application/json, text/event-stream";
    const sent = httpRequest({
      hostname,
      port,
      path: "/mcp",
      method: "POST",
      headers: { ...own, accept, ...sending.headers },
    });
    sent.end(sending.body);
    const [response] = (await once(sent, "response")) as [NodeJS.ReadableStream];
    let said = "";
    response.on("data", (part: Buffer) => (said += part.toString()));
    await door.holding(index + 1);
    await expect.poll(() => said.split(": keepalive\n\n").length, { timeout: 60_000 }).toBeGreaterThan(2);
    door.release();
    await once(response, "end");
    expect(said).toContain("held and released");
  }
});

promise("door:pipelined", "requests sent ahead are answered in their order", async () => {
  const one = (id: number): string => {
    const asked = message("tools/call", { name: "echo", arguments: { id } }, id);
    return post(`Content-Length: ${asked.length}\r\n`, asked);
  };
  const last = post(`Content-Length: ${body.length}\r\nConnection: close\r\n`, body);
  const [answer] = await Promise.all([rawTo(port, one(1) + one(2) + one(3) + last), probe()]);
  expect(statuses(answer)).toEqual(["200", "200", "200", "200"]);
  const ids = door.calls
    .map((call) => (call.arguments as { readonly id?: number }).id)
    .filter((id) => id !== undefined);
  expect(ids).toEqual([1, 2, 3]);
});

promise(
  "door:pipelined",
  "none is served after a refusal on its connection, and a hundred ahead are too many",
  async () => {
    const stranger = post(`Content-Length: ${body.length}\r\n`, body).replace("alice-agent", "zed");
    const [refused] = await Promise.all([rawTo(port, stranger + smuggled + smuggled), probe()]);
    expect(statuses(refused)).toEqual(["401"]);
    expect(door.calls.length).toBe(1);
    const hold = calling("hold");
    const crowd =
      post(`Content-Length: ${hold.length}\r\n`, hold) + "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".repeat(100);
    const [flooded] = await Promise.all([rawTo(port, crowd), probe()]);
    expect(statuses(flooded).filter((one) => one !== "200")).toEqual([]);
    expect(statuses(flooded).length).toBeLessThan(2);
  },
);

promise("door:never-reads", "an answer that is not taken is cut, and its connection with it", async () => {
  const large = "x".repeat(64 * 1024 * 1024);
  await listening({ operators: async () => ({ status: 200, headers: {}, body: large }) });
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => undefined);
  await once(socket, "connect");
  socket.write("GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
  // Nothing is read here. That the other end has gone shows in what is written.
  await Promise.all([goneWhenWritten(socket), probe()]);
  await probe();
});

promise("door:never-reads", "calls whose answers are not taken do not pile up", async () => {
  const asked = calling("long");
  const one = post(`Content-Length: ${asked.length}\r\n`, asked);
  const [listed] = await door.listTools(await principal());
  if (listed === undefined) throw new Error("no tool is listed");
  const longDoor = testDoor({ more: [{ ...listed, name: "long" }] });
  door = longDoor;
  await listening({ door: longDoor });
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => undefined);
  await once(socket, "connect");
  for (let sent = 1; !socket.destroyed; sent++) {
    socket.write(one);
    // Answered into the void, or not read any more: then this end is told, once it writes, that the other has gone.
    while (!socket.destroyed && longDoor.calls.length < sent) {
      await pause(2);
      if (longDoor.calls.length < sent) socket.write("\r\n");
    }
    expect(sent).toBeLessThan(5_000);
  }
  await probe();
});

async function principal() {
  const found = await door.identify({ kind: "bearer", token: "alice-agent", client: "" });
  if (found.kind === "refused") throw new Error(found.cause);
  return found.principal;
}

/** Settles when the other end has closed this connection, which nobody reads. */
async function goneWhenWritten(socket: Socket): Promise<void> {
  while (!socket.destroyed) {
    socket.write("\r\n");
    await pause(50);
  }
}

/** Descriptors that a process may have open here. */
function descriptors(): number {
  const said = /^Max open files\s+\d+\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
  return said === undefined ? 1_024 : Number(said);
}

promise(
  "door:crowd",
  "who is known keeps its connection and who comes new gets one, while all of them stand there",
  async () => {
    // Each stands for two descriptors on one machine, in two processes.
    const crowd = Math.min(10_000, descriptors() - 1_000);
    const child = spawn(process.execPath, [join(import.meta.dirname, "door-process.ts"), "4096"], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    closing.push(() => end(child));
    url = (await said(child)).trim();
    port = Number(new URL(url).port);
    const known = new Agent({ keepAlive: true, maxSockets: 1 });
    closing.push(() => known.destroy());
    const idle: Socket[] = [];
    closing.push(() => idle.forEach((socket) => socket.destroy()));
    const first = await callThrough(known);
    for (let count = 0; count < crowd; count += 500) {
      idle.push(...(await Promise.all(Array.from({ length: Math.min(500, crowd - count) }, () => opened(port)))));
      // The same connection all along: a stranger makes room before it does.
      expect(await callThrough(known)).toEqual({ ...first, reused: true });
      await probe();
    }
    expect(idle.length).toBe(crowd);
    child.stdin?.write("\n");
    // Each connection costs the door some kilobytes: four thousand of them fit a small machine.
    expect(Number(await said(child))).toBeLessThan(1_000_000_000);
  },
  120_000,
);

promise(
  "door:crowd",
  "large bodies that never end take a bounded room, and small ones come through beside them",
  async () => {
    await listening({ limits: { ...short, request: 600_000, head: 600_000 } });
    const answers: string[] = [];
    const chunk = " ".repeat(60_000);
    for (let count = 0; count < 40; count++) {
      const socket = connect(port, "127.0.0.1");
      socket.on("error", () => undefined);
      closing.push(() => socket.destroy());
      socket.on("data", (part: Buffer) => answers.push(part.toString("latin1")));
      socket.write(post("Content-Length: 1000000\r\n"));
      for (let part = 0; part < 15; part++) socket.write(chunk);
    }
    // Sixteen megabytes are one caller's: of forty bodies of nine tenths of one at least twenty are turned away.
    await expect.poll(() => statuses(answers.join("")).length, { timeout: 60_000 }).toBeGreaterThanOrEqual(20);
    expect(new Set(statuses(answers.join("")))).toEqual(new Set(["429"]));
    const large = message("tools/list", { pad: "x".repeat(100_000) });
    await probe();
    expect((await sendTo(url, { body: large, headers: { authorization: "Bearer bob-agent" } })).status).toBe(200);
  },
);

promise(
  "door:crowd",
  "somebody who is known opens all that there is and ends nothing: another caller is served all the while",
  async () => {
    const slow = { ...short, request: 600_000, head: 600_000, connections: 64 };
    await listening({ limits: slow });
    const open = (): Socket => {
      const socket = connect(port, "127.0.0.1");
      socket.on("error", () => undefined);
      closing.push(() => socket.destroy());
      socket.write(post("Content-Length: 100\r\n", "{"));
      return socket;
    };
    const answers: string[] = [];
    const asked = Array.from({ length: 40 }, () => {
      const socket = open();
      socket.on("data", (chunk: Buffer) => answers.push(chunk.toString("latin1")));
      return socket;
    });
    // An eighth of the connections is one caller's; whoever is beyond hears so, with when to come back.
    await expect.poll(() => statuses(answers.join("")).length, { timeout: 60_000 }).toBe(32);
    expect(new Set(statuses(answers.join("")))).toEqual(new Set(["429"]));
    expect(answers.join("")).toContain("limit_exceeded");
    expect(/^retry-after: 1\r$/im.test(answers[0] ?? "")).toBe(true);
    expect(new Set(door.sentAway)).toEqual(new Set(["alice-agent"]));
    const other = async (): Promise<number> =>
      (await sendTo(url, { body: calling("echo"), headers: { authorization: "Bearer bob-agent" } })).status;
    expect(await other()).toBe(200);
    // Its share is free again when its requests end.
    asked.forEach((socket) => socket.destroy());
    await expect.poll(async () => (await sendTo(url, { body: calling("echo") })).status, { timeout: 60_000 }).toBe(200);
  },
);

async function opened(to: number): Promise<Socket> {
  const socket = connect(to, "127.0.0.1");
  socket.on("error", () => undefined);
  await Promise.race([once(socket, "connect"), once(socket, "close")]);
  return socket;
}

async function callThrough(agent: Agent): Promise<{ readonly status: number | undefined; readonly reused: boolean }> {
  const headers = {
    host: "127.0.0.1",
    authorization: "Bearer alice-agent",
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
  };
  const sent = httpRequest({ hostname: "127.0.0.1", port, path: "/mcp", method: "POST", agent, headers });
  sent.end(body);
  const [response] = (await once(sent, "response")) as [NodeJS.ReadableStream & { statusCode?: number }];
  response.resume();
  await once(response, "end");
  return { status: response.statusCode, reused: sent.reusedSocket };
}

async function said(child: ChildProcess): Promise<string> {
  const [chunk] = (await once(child.stdout!, "data")) as [Buffer];
  return chunk.toString();
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  child.stdin?.end();
  await once(child, "exit");
}
