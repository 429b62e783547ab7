// Where the HTTP door may stand and how: addresses, TLS and its files, proxies, the paths for operators.

import { chmod, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { connect as tlsConnect } from "node:tls";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { Agent, request as httpsRequest } from "node:https";
import { connect } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, expect } from "vitest";
import { doorProblem, doorSetting, examineDoor, nobodyCalls } from "../../src/commands/http-setting.ts";
import { loadConfig } from "../../src/config/load.ts";
import type { Config } from "../../src/config/schema.ts";
import { callerAddress, isForwarded, isLoopback, plainAddress, trustedProxies } from "../../src/mcp/forwarded.ts";
import { serveHttp, type HttpOptions, type Listening, type OperatorAsk, type Stranger } from "../../src/mcp/http.ts";
import { readPair } from "../../src/mcp/tls.ts";
import { makeAuthority, type KeyAndCertificate } from "../cluster/pki.ts";
import { main, runProgram } from "../commands/place.ts";
import { promise } from "../support/promise.ts";
import { about, testDoor, type TestDoor } from "./door-for-tests.ts";
import { message, rawTo, sendTo } from "./http-requests.ts";

const uid = process.getuid?.() ?? -1;
const authority = makeAuthority("door-test");
const hosts = ["127.0.0.1", "sally.example"];
/** An address of this machine that is not loopback's; undefined on a machine without a network. */
const outside = Object.values(networkInterfaces())
  .flat()
  .find((one) => one !== undefined && !one.internal && one.family === "IPv4")?.address;
let folder: string;
let door: TestDoor;
let strangers: Stranger[];
const closing: (() => Promise<void>)[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sallyport-door-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));
beforeEach(() => {
  door = testDoor();
  strangers = [];
});
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

async function opened(more: Partial<HttpOptions> = {}): Promise<Listening> {
  const refused = (stranger: Stranger): void => void strangers.push(stranger);
  const served = await serveHttp({ door, about, host: "127.0.0.1", port: 0, refused, grace: 100, ...more });
  if (served.kind === "listening") closing.push(served.close);
  return served;
}

async function listening(more: Partial<HttpOptions> = {}): Promise<string> {
  const served = await opened(more);
  if (served.kind === "refused") throw new Error(served.sentence);
  return served.url;
}

/** Writes a pair into files of its own; `mode` is the key's. */
async function files(name: string, pair: KeyAndCertificate, mode = 0o600) {
  const [certificate, key] = [join(folder, `${name}.crt`), join(folder, `${name}.key`)];
  await writeFile(certificate, pair.certificate);
  await writeFile(key, pair.key, { mode });
  await chmod(key, mode);
  return { certificate, key };
}

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const url = await listening();
  await closing.pop()?.();
  return Number(new URL(url).port);
}

/** Where it listens: a door with a URL of its own does not say which port it took. At another one where somebody was quicker. */
async function listeningAtPort(more: Partial<HttpOptions>): Promise<number> {
  for (let tries = 1; ; tries++) {
    const port = await freePort();
    const served = await opened({ ...more, port });
    if (served.kind === "listening") return port;
    if (tries === 10 || !served.sentence.includes("EADDRINUSE")) throw new Error(served.sentence);
  }
}

const issue = (...names: readonly string[]): KeyAndCertificate =>
  authority.issue({ commonName: "sallyport", hosts: names.length === 0 ? hosts : names });

promise("door:bind", "each thing that an address beyond loopback needs is named where it is missing", async () => {
  const [issuer, seal, address] = ["an issuer that vouches", "TLS (http.tls) or a proxy", "http.url"];
  const cases: readonly [Partial<HttpOptions>, readonly string[]][] = [
    [{ host: "192.0.2.7" }, [issuer, seal]],
    [{ host: "192.0.2.7", trustedProxies: ["10.0.0.1"] }, [issuer]],
    [{ host: "192.0.2.7", vouched: true }, [seal]],
    [{ host: "0.0.0.0", vouched: true, trustedProxies: ["10.0.0.1"] }, [address]],
    [{ host: "::" }, [issuer, seal, address]],
  ];
  for (const [options, named] of cases) {
    const served = await opened(options);
    const sentence = served.kind === "refused" ? served.sentence : "";
    expect([options.host, [issuer, seal, address].filter((one) => sentence.includes(one))]).toEqual([
      options.host,
      named,
    ]);
  }
  for (const host of ["127.0.0.1", "localhost", "127.0.0.53"]) expect((await opened({ host })).kind).toBe("listening");
});

promise(
  "door:bind",
  "beyond loopback only the names of its address are served, and this machine's are none of them",
  async () => {
    const url = "https://sally.example/mcp";
    const port = await listeningAtPort({
      host: "0.0.0.0",
      url,
      vouched: true,
      trustedProxies: ["127.0.0.1"],
      allowedHosts: ["also.example"],
    });
    const local = `http://127.0.0.1:${port}/mcp`;
    const status = async (host: string) => (await sendTo(local, { headers: { host } })).status;
    expect([await status("sally.example"), await status("also.example"), await status("SALLY.example:443")]).toEqual([
      200, 200, 200,
    ]);
    expect([await status("localhost"), await status("127.0.0.1"), await status("0.0.0.0")]).toEqual([403, 403, 403]);
    // A probe calls the address itself.
    expect((await sendTo(local, { path: "/healthz", method: "GET" })).status).toBe(200);
  },
);

promise("door:bind", "without TLS a token is taken from a named proxy or from this machine alone", async () => {
  if (outside === undefined) return;
  const common = { host: outside, vouched: true, allowedHosts: [outside] };
  const direct = await listening({ ...common, trustedProxies: ["192.0.2.1"] });
  expect((await sendTo(direct)).status).toBe(403);
  expect((await sendTo(direct, { headers: { "x-forwarded-for": "192.0.2.1" } })).status).toBe(403);
  expect((await sendTo(direct, { path: "/healthz", method: "GET" })).status).toBe(200);
  expect(door.evidence).toEqual([]);
  const proxied = await listening({ ...common, trustedProxies: [`${outside}/32`] });
  expect((await sendTo(proxied)).status).toBe(200);
});

promise("door:tls", "speaks TLS 1.2 and 1.3, nothing older, and no plain HTTP", async () => {
  const tls = { ...(await files("plain", issue())), uid };
  const url = await listening({ tls });
  expect(url.startsWith("https://127.0.0.1:")).toBe(true);
  const ca = authority.certificate;
  expect((await sendTo(url, { ca })).status).toBe(200);
  const port = Number(new URL(url).port);
  const version = (most: "TLSv1.1" | "TLSv1.2" | "TLSv1.3") =>
    new Promise<string>((resolve) => {
      const socket = tlsConnect(
        { port, host: "127.0.0.1", ca, minVersion: "TLSv1", maxVersion: most, ciphers: "DEFAULT@SECLEVEL=0" },
        () => {
          resolve(socket.getProtocol() ?? "none");
          socket.destroy();
        },
      );
      socket.on("error", () => resolve("refused"));
    });
  expect([await version("TLSv1.1"), await version("TLSv1.2"), await version("TLSv1.3")]).toEqual([
    "refused",
    "TLSv1.2",
    "TLSv1.3",
  ]);
  // Plain HTTP at the TLS port: no answer that a token could have been sent for.
  expect(await rawTo(port, "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")).not.toContain("HTTP/1.1 200");
  expect((await sendTo(url, { ca })).status).toBe(200);
});

promise("door:crowd", "under TLS too, whether they have shaken hands or not", async () => {
  const tls = { ...(await files("crowd", issue())), uid };
  const url = await listening({ tls, limits: { connections: 8, head: 60_000, request: 60_000 } });
  const port = Number(new URL(url).port);
  const ca = authority.certificate;
  const agent = new Agent({ keepAlive: true, maxSockets: 1, ca });
  closing.push(async () => agent.destroy());
  const headers = { host: "127.0.0.1", authorization: "Bearer alice-agent", "content-type": "application/json" };
  const accept = "application/json, text/event-stream";
  const to = { host: "127.0.0.1", port, path: "/mcp", method: "POST", agent, headers: { ...headers, accept } };
  const known = async (): Promise<readonly [number | undefined, boolean]> => {
    const sent = httpsRequest(to);
    sent.end(message("tools/list"));
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    response.resume();
    await once(response, "end");
    return [response.statusCode, sent.reusedSocket];
  };
  expect(await known()).toEqual([200, false]);
  for (let count = 0; count < 20; count++) {
    const silent = connect(port, "127.0.0.1");
    const shaken = tlsConnect({ port, host: "127.0.0.1", ca });
    for (const socket of [silent, shaken]) {
      socket.on("error", () => undefined);
      closing.push(async () => void socket.destroy());
    }
    await Promise.all([once(silent, "connect"), once(shaken, "secureConnect")]);
  }
  expect(await known()).toEqual([200, true]);
  expect((await sendTo(url, { ca })).status).toBe(200);
});

promise(
  "door:tls",
  "a key that others can read, of another certificate, or none at all is refused with its file",
  async () => {
    const own = await files("own", issue());
    const other = await files("other", issue());
    const read = async (certificate: string, key: string, now = Date.now()): Promise<string> => {
      const found = await readPair({ certificate, key }, uid, now);
      return found.kind === "read" ? "read" : found.sentence.replaceAll(`${folder}/`, "");
    };
    expect(await read(own.certificate, own.key)).toBe("read");
    expect(await read(own.certificate, other.key)).toBe("other.key is not the key of the certificate in own.crt.");
    expect(await read(own.key, own.key)).toBe("own.key holds no certificate in PEM.");
    expect(await read(own.certificate, own.certificate)).toMatch(/can be read by others|holds no private key/);
    expect(await read(own.certificate, join(folder, "absent"))).toBe("absent can't be read (ENOENT).");
    expect(await read(own.certificate, folder)).toContain("is no plain file");
    expect(await read(own.certificate, own.key, Date.now() + 40 * 86_400_000)).toContain("was valid until");
    // A mounted Secret is root's, and the group's that the pod runs in: root may hand a key to a group, nobody else may.
    const kept = uid === 0 ? [0o600, 0o640, 0o440, 0o400] : [0o600, 0o400];
    for (const mode of [0o600, 0o640, 0o440, 0o400, 0o604, 0o660, 0o644]) {
      await chmod(own.key, mode);
      expect([mode, (await read(own.certificate, own.key)) === "read"]).toEqual([mode, kept.includes(mode)]);
    }
  },
);

/** Whole at once: whoever looks finds no part of it. */
async function put(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text, { mode: 0o600 });
  await rename(`${path}.new`, path);
}

promise("door:tls-reload", "new connections get the new certificate; a half-written pair changes nothing", async () => {
  const first = issue();
  const paths = await files("reload", first);
  const said: string[] = [];
  const url = await listening({
    tls: { ...paths, uid },
    say: (sentence) => said.push(sentence),
    limits: { reload: 20 },
  });
  const ca = authority.certificate;
  const served = () =>
    new Promise<string>((resolve, reject) => {
      const socket = tlsConnect({ port: Number(new URL(url).port), host: "127.0.0.1", ca }, () => {
        resolve(socket.getPeerX509Certificate()?.serialNumber ?? "");
        socket.destroy();
      });
      socket.on("error", reject);
    });
  const before = await served();
  await put(paths.certificate, issue().certificate);
  await expect.poll(() => said.length, { timeout: 60_000 }).toBe(1);
  expect(said[0]).toContain("is not the key of the certificate");
  expect(said[0]).toContain("stays in use");
  expect(await served()).toBe(before);
  const next = issue();
  await put(paths.key, next.key);
  await put(paths.certificate, next.certificate);
  await expect
    .poll(() => said.some((one) => one.startsWith("The certificate was reloaded")), { timeout: 60_000 })
    .toBe(true);
  expect(await served()).not.toBe(before);
  expect((await sendTo(url, { ca })).status).toBe(200);
});

promise("door:proxies", "the caller's address is the last that no named proxy stands for", () => {
  const trusted = trustedProxies(["10.0.0.0/8", "fd00::/8", "192.0.2.1"]);
  const from = (peer: string, forwarded?: string) =>
    callerAddress(peer, forwarded === undefined ? {} : { "x-forwarded-for": forwarded }, trusted);
  expect(from("203.0.113.9", "198.51.100.1")).toBe("203.0.113.9");
  expect(from("10.1.1.1", "198.51.100.1")).toBe("198.51.100.1");
  expect(from("10.1.1.1", "1.2.3.4, 198.51.100.1, 10.2.2.2")).toBe("198.51.100.1");
  expect(from("10.1.1.1", "198.51.100.1, not an address")).toBe("10.1.1.1");
  expect(from("10.1.1.1", "")).toBe("10.1.1.1");
  expect(from("10.1.1.1")).toBe("10.1.1.1");
  expect(from("fd00::1", "::ffff:198.51.100.1")).toBe("198.51.100.1");
  expect(from("192.0.2.1", "10.9.9.9")).toBe("10.9.9.9");
  expect([plainAddress("::ffff:127.0.0.1"), plainAddress(undefined)]).toEqual(["127.0.0.1", ""]);
  expect(["127.0.0.1", "127.9.9.9", "::1", "128.0.0.1", "localhost", "127.0.0.1.evil"].map(isLoopback)).toEqual([
    true,
    true,
    true,
    false,
    false,
    false,
  ]);
  expect(isForwarded({ "x-forwarded-for": "" })).toBe(true);
  expect(trustedProxies([])("127.0.0.1")).toBe(false);
});

promise(
  "door:proxies",
  "a header changes neither the resource nor who is local, only what a named proxy's log line says",
  async () => {
    const forged = {
      "x-forwarded-for": "198.51.100.1",
      "x-forwarded-host": "evil.example",
      "x-forwarded-proto": "https",
      authorization: "Bearer zed",
    };
    const common = { vouched: true, authorizationServers: ["https://login.example.com"] };
    const url = await listening(common);
    const reply = await sendTo(url, { headers: forged });
    expect(reply.headers["www-authenticate"]).toContain(`resource_metadata="${new URL(url).origin}/.well-known`);
    const behind = await listening({ ...common, trustedProxies: ["127.0.0.0/8"] });
    await sendTo(behind, { headers: forged });
    const why = "no verifier accepts this bearer evidence";
    expect(strangers).toEqual([
      { peer: "127.0.0.1", address: "127.0.0.1", status: 401, why },
      { peer: "127.0.0.1", address: "198.51.100.1", status: 401, why },
    ]);
  },
);

promise("door:operators", "what operators ask is handed over with who asks, and nothing else is", async () => {
  const asked: [string, OperatorAsk][] = [];
  const url = await listening({
    async operators(path, who) {
      asked.push([path, who]);
      if (path !== "/metrics") return null;
      return { status: 200, headers: { "content-type": "text/plain; version=0.0.4" }, body: "up 1\n" };
    },
  });
  const get = (path: string, headers: Record<string, string | undefined> = {}) =>
    sendTo(url, { path, method: "GET", headers: { authorization: undefined, ...headers } });
  const reply = await get("/metrics");
  expect([reply.status, reply.body, reply.headers["content-type"], reply.headers["cache-control"]]).toEqual([
    200,
    "up 1\n",
    "text/plain; version=0.0.4",
    "no-store",
  ]);
  expect((await get("/nothing")).status).toBe(404);
  await get("/metrics", { authorization: "Bearer operator" });
  for (const name of ["x-forwarded-for", "forwarded", "via", "x-real-ip"])
    await get("/metrics", { [name]: "127.0.0.1" });
  expect((await get("/metrics", { host: "evil.example" })).status).toBe(403);
  expect((await get("/metrics?a=b")).status).toBe(400);
  expect((await sendTo(url, { path: "/metrics" })).status).toBe(404);
  expect(asked).toEqual([
    ["/metrics", { local: true, bearer: null }],
    ["/nothing", { local: true, bearer: null }],
    ["/metrics", { local: true, bearer: "operator" }],
    ...Array.from({ length: 4 }, () => ["/metrics", { local: false, bearer: null }]),
  ]);
});

promise("door:operators", "a proxy on this machine is not this machine, even one that says nothing of it", async () => {
  const asked: boolean[] = [];
  const operators = async (_path: string, who: OperatorAsk) => {
    asked.push(who.local);
    return { status: 200, headers: {}, body: "" };
  };
  const metrics = async (port: number, headers: Record<string, string> = {}): Promise<void> => {
    const to = `http://127.0.0.1:${port}`;
    await sendTo(to, { path: "/metrics", method: "GET", headers: { authorization: undefined, ...headers } });
  };
  // Its own name in Host: the proxy passed that on.
  const behind = await listeningAtPort({ operators, url: "https://gate.example.com/mcp" });
  await metrics(behind);
  await metrics(behind, { host: "gate.example.com" });
  for (const name of [
    "x-forwarded-server",
    "x-forwarded-prefix",
    "true-client-ip",
    "cf-connecting-ip",
    "x-client-ip",
    "x-envoy-external-address",
  ])
    await metrics(behind, { [name]: "x" });
  expect(asked.splice(0)).toEqual([true, false, ...Array.from({ length: 6 }, () => false)]);
  // Named as a proxy, it is one, whatever it sends.
  const named = await listeningAtPort({ operators, trustedProxies: ["127.0.0.1"] });
  await metrics(named);
  expect(asked).toEqual([false]);
});

function config(text: string): Config {
  const loaded = loadConfig(`version: 1\n${text}`);
  if (loaded.kind === "refused") throw new Error(JSON.stringify(loaded.problems));
  return loaded.config;
}

const anIssuer = "issuers: [{ kind: oidc, name: corp, issuer: 'https://login.example.com', audience: [x] }]\n";

promise("door:doctor", "the address, the URL and the certificate are looked at before anybody calls", async () => {
  const io = { uid, now: () => Date.now() };
  const { certificate, key } = await files("doctor", issue());
  const tls = `tls: { certificate: ${certificate}, key: ${key} }`;
  const found = async (text: string, now = Date.now()) =>
    (await examineDoor({ ...io, now: () => now }, config(text))).map(({ result, says }) => `${result}: ${says}`);
  expect(await found("")).toEqual([]);
  expect(await found("http: { host: 0.0.0.0 }")).toEqual([
    "failed: Sallyport listens on loopback only, not on 0.0.0.0: that needs an issuer that vouches for callers (issuers:; http.tokens alone are for this machine), and TLS (http.tls) or a proxy that is named (http.trustedProxies), and the address that clients call (http.url).",
    "note: sallyport.yaml names no http.tokens and no issuers: whoever calls at this address is refused.",
  ]);
  const open = `${anIssuer}http: { host: 0.0.0.0, url: 'https://sally.example/mcp', ${tls} }`;
  expect(await found(open)).toEqual([
    "ok: listens on 0.0.0.0, port 7843",
    "ok: the certificate is valid for 29 more days",
  ]);
  expect(await found(open, Date.now() + 20 * 86_400_000)).toEqual([
    "ok: listens on 0.0.0.0, port 7843",
    "note: the certificate is valid for 9 more days",
  ]);
  expect((await found(open, Date.now() + 40 * 86_400_000))[1]).toMatch(
    /^failed: The certificate in .* was valid until/,
  );
  expect((await found(`${anIssuer}http: { url: 'https://other.example/mcp', ${tls} }`))[1]).toBe(
    "failed: the certificate is not for other.example, which http.url names",
  );
  expect((await found(`${anIssuer}http: { url: 'http://sally.example/', ${tls} }`)).slice(1, 4)).toEqual([
    "note: http.url does not end in /mcp, where MCP is served",
    "note: http.url says http, and the door speaks TLS",
    "note: http.url says http beyond this machine: tokens would travel in clear",
  ]);
  expect(await found(`${anIssuer}http: { url: 'https://sally.example/mcp' }`)).toEqual([
    "ok: listens on 127.0.0.1, port 7843",
    "note: http.url says https, and there is neither http.tls nor a proxy in http.trustedProxies",
  ]);
  expect([await doorProblem(io, config(open)), nobodyCalls(config(open))]).toEqual(["", ""]);
  expect(await doorProblem(io, config(open.replace(key, certificate)))).toMatch(/can be read by others|no private key/);
});

promise("door:bind", "the real process ends with exit code 3 and the sentence, and has opened nothing", async () => {
  const home = await mkdtemp(join(folder, "home-"));
  const { certificate, key } = await files("shown", issue(), 0o644);
  const start = async (http: string): Promise<readonly [number, string, readonly string[]]> => {
    await writeFile(join(home, "sallyport.yaml"), `version: 1\nhttp: ${http}\n`);
    const { code, err } = await runProgram([main, "serve", "--http"], { SALLYPORT_HOME: home, HOME: home });
    return [code, err.trim(), (await readdir(home)).filter((one) => one.startsWith("transcript"))];
  };
  expect(await start("{ host: 0.0.0.0, port: 0 }")).toEqual([
    3,
    expect.stringContaining("Sallyport listens on loopback only, not on 0.0.0.0: that needs an issuer"),
    [],
  ]);
  expect(await start(`{ port: 0, tls: { certificate: ${certificate}, key: ${key} } }`)).toEqual([
    3,
    `${key} can be read by others: run chmod 600 on it.`,
    [],
  ]);
});

promise("door:bind", "the configuration reaches the door whole; the command line's port goes before it", () => {
  const told = config(
    `${anIssuer}http: { host: 127.0.0.1, port: 9000, url: 'http://localhost:9000/mcp', allowedHosts: [a.example], allowedOrigins: ['https://b.example'], trustedProxies: [10.0.0.0/8] }`,
  );
  const whole = {
    host: "127.0.0.1",
    port: 9000,
    url: "http://localhost:9000/mcp",
    vouched: true,
    authorizationServers: ["https://login.example.com"],
    trustedProxies: ["10.0.0.0/8"],
    allowedHosts: ["a.example"],
    allowedOrigins: ["https://b.example"],
  };
  expect(doorSetting(told, 1, undefined)).toEqual(whole);
  expect(doorSetting(told, 1, 0)).toEqual({ ...whole, port: 0 });
  expect(doorSetting(config(""), 1, undefined)).toEqual({
    host: "127.0.0.1",
    port: 0,
    vouched: false,
    authorizationServers: [],
  });
});
