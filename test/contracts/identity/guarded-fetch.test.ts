// The way out for identity traffic: addresses, redirects, sizes, times, certificates; against real servers on loopback.

import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { assert, bigInt, constantFrom, oneof, property } from "fast-check";
import { afterEach, expect } from "vitest";
import { kindOf, mayReach, reachOf, type AddressKind, type Reach } from "../../../src/identity/addresses.ts";
import { guardedFetch, type FetchOptions, type LookUp } from "../../../src/identity/guarded-fetch.ts";
import { keepFresh, type Loaded } from "../../../src/identity/kept.ts";
import { promise } from "../../support/promise.ts";
import { ca, otherCa, serverCert, serverKey } from "../kubernetes/certificates.ts";
import { clockAt } from "./place.ts";

const open: Server[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function served(listener: RequestListener, secure = false): Promise<number> {
  const server = secure ? createSecureServer({ cert: serverCert, key: serverKey }, listener) : createServer(listener);
  open.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}
const here: Reach = { loopback: true, plain: true, privateAddresses: false };
const away: Reach = { loopback: false, plain: false, privateAddresses: false };
const never = new AbortController().signal;

async function why(address: string, options: Partial<FetchOptions> = {}): Promise<string> {
  const found = await guardedFetch({ reach: here, ...options })(address, never);
  return found.kind === "failed" ? found.why : JSON.stringify(found.body);
}
const answering =
  (status: number, headers: Record<string, string>, body: string | Buffer): RequestListener =>
  (_, response) =>
    void response.writeHead(status, headers).end(body);
const asJson = { "content-type": "application/json" };
const namesOf =
  (...addresses: readonly string[]): LookUp =>
  (_, done) =>
    done(
      null,
      addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })),
    );

/** What each address is, written down a second time: by arithmetic on its bits. */
function oracle(address: bigint, family: 4 | 6): AddressKind {
  const within = (network: bigint, bits: number): boolean => {
    const rest = BigInt((family === 4 ? 32 : 128) - bits);
    return address >> rest === network >> rest;
  };
  const four = (a: number, b = 0, c = 0, d = 0): bigint =>
    (BigInt(a) << 24n) | (BigInt(b) << 16n) | (BigInt(c) << 8n) | BigInt(d);
  const six = (text: string): bigint => {
    const [head = "", tail = ""] = text.split("::");
    const groups = (part: string): string[] => (part === "" ? [] : part.split(":"));
    const middle = Array.from({ length: 8 - groups(head).length - groups(tail).length }, () => "0");
    return [...groups(head), ...middle, ...groups(tail)].reduce(
      (sum, group) => (sum << 16n) | BigInt(`0x${group}`),
      0n,
    );
  };
  if (family === 4) {
    const dead: [bigint, number][] = [
      [four(0), 8],
      [four(169, 254), 16],
      [four(192), 24],
      [four(192, 0, 2), 24],
      [four(192, 88, 99), 24],
      [four(198, 18), 15],
      [four(198, 51, 100), 24],
      [four(203, 0, 113), 24],
      [four(100, 100, 100, 200), 32],
      [four(168, 63, 129, 16), 32],
    ];
    if (dead.some(([network, bits]) => within(network, bits)) || address >= four(224)) return "never";
    if (within(four(127), 8)) return "loopback";
    const inner: [bigint, number][] = [
      [four(10), 8],
      [four(100, 64), 10],
      [four(172, 16), 12],
      [four(192, 168), 16],
    ];
    return inner.some(([network, bits]) => within(network, bits)) ? "private" : "public";
  }
  if (address === 1n) return "loopback";
  if (["fd00:ec2::254", "fd20:ce::254", "fd00:42::42"].some((one) => address === six(one))) return "never";
  if (within(six("fc00::"), 7)) return "private";
  if (within(six("64:ff9b::"), 96)) {
    const behind = oracle(address & 0xffff_ffffn, 4);
    return behind === "public" || behind === "private" ? "private" : "never";
  }
  const dead = within(six("2001::"), 23) || within(six("2001:db8::"), 32) || within(six("2002::"), 16);
  return within(six("2000::"), 3) && !dead && !within(six("3fff::"), 20) ? "public" : "never";
}

const dotted = (bits: bigint): string => [24n, 16n, 8n, 0n].map((shift) => (bits >> shift) & 255n).join(".");
const grouped = (bits: bigint): string =>
  Array.from({ length: 8 }, (_, at) => ((bits >> BigInt(112 - 16 * at)) & 0xffffn).toString(16)).join(":");

promise("fetch:addresses", "every IPv4 address is what its bits say", () => {
  const edges = [10, 100, 127, 169, 172, 192, 198, 203, 224].flatMap((first) =>
    [0, 64, 127, 254, 255].map((second) => (BigInt(first) << 24n) | (BigInt(second) << 16n)),
  );
  const any = oneof(
    bigInt(0n, 0xffff_ffffn),
    constantFrom(...edges).chain((edge) => bigInt(-3n, 70_000n).map((by) => (edge + by) & 0xffff_ffffn)),
  );
  assert(
    property(any, (bits) => {
      expect(kindOf(dotted(bits))).toBe(oracle(bits, 4));
    }),
    { numRuns: 3_000 },
  );
});

promise("fetch:addresses", "every IPv6 address is what its bits say, and IPv4 in it is never let through", () => {
  const prefixes = ["0", "64ff9b", "fc00", "fd00", "fe80", "fec0", "ff02", "2000", "2001", "2002", "3fff", "fdff"];
  const near = constantFrom(...prefixes).chain((one) =>
    bigInt(0n, (1n << 40n) - 1n).map((low) => (BigInt(`0x${one}`) << (one.length > 4 ? 96n : 112n)) | low),
  );
  const any = oneof(bigInt(0n, (1n << 128n) - 1n), near);
  assert(
    property(any, (bits) => {
      const expected = bits >> 32n === 0xffffn ? "never" : oracle(bits, 6);
      expect({ at: grouped(bits), kind: kindOf(grouped(bits)) }).toEqual({ at: grouped(bits), kind: expected });
    }),
    { numRuns: 3_000 },
  );
  assert(
    property(bigInt(0n, 0xffff_ffffn), (bits) => {
      expect(kindOf(`::ffff:${dotted(bits)}`)).toBe("never");
      expect(kindOf(grouped(0xffff_0000_0000n | bits))).toBe("never");
      expect(mayReach(`64:ff9b::${dotted(bits)}`, here, true)).toBe(false);
    }),
  );
});

promise("fetch:addresses", "what may be reached follows from where the setting's own address is", () => {
  const open_ = { ...away, privateAddresses: true };
  const reached = (address: string): readonly boolean[] =>
    [away, open_, here].map((reach) => mayReach(address, reach, true));
  expect(reached("8.8.8.8")).toEqual([true, true, true]);
  expect(reached("10.1.2.3")).toEqual([false, true, false]);
  expect(reached("fd12::1")).toEqual([false, true, false]);
  expect(reached("127.0.0.1")).toEqual([false, false, true]);
  for (const dead of [
    "169.254.169.254",
    "fe80::1%eth0",
    "0.0.0.0",
    "::",
    "fd00:ec2::254",
    "100.100.100.200",
    "nonsense",
  ])
    expect(reached(dead)).toEqual([false, false, false]);
  expect(reachOf("http://[::1]:8080/x", false)).toEqual(here);
  expect(reachOf("https://localhost", true)).toEqual({ loopback: true, plain: false, privateAddresses: true });
  expect(reachOf("http://127.0.0.1.example.com", false)).toEqual(away);
  // Without TLS there is loopback and nothing else.
  expect(
    ["127.0.0.1", "8.8.8.8", "10.0.0.1"].map((one) => mayReach(one, { ...here, privateAddresses: true }, false)),
  ).toEqual([true, false, false]);
});

const notThere = "its address is one that identity traffic may not go to";

promise("fetch:resolved-address", "a name is judged by all the addresses that it stands for", async () => {
  const port = await served(answering(200, asJson, "{}"));
  const address = `http://issuer.test:${port}/`;
  expect(await why(address, { lookUp: namesOf("127.0.0.1") })).toBe("{}");
  expect(await why(address, { lookUp: namesOf("127.0.0.1", "169.254.169.254") })).toBe(notThere);
  expect(await why(address, { lookUp: namesOf("127.0.0.1", "8.8.8.8") })).toBe(notThere);
  for (const inner of ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1", "fd00::1"])
    expect(await why("https://issuer.test/", { reach: away, lookUp: namesOf(inner) })).toBe(notThere);
});

promise(
  "fetch:resolved-address",
  "a name that changes its address between the check and the connection gains nothing",
  async () => {
    let asked = 0;
    const port = await served(answering(200, asJson, "{}"));
    const turning: LookUp = (hostname, done) =>
      namesOf(asked++ === 0 ? "127.0.0.1" : "169.254.169.254")(hostname, done);
    expect(await why(`http://issuer.test:${port}/`, { lookUp: turning })).toBe("{}");
    expect(asked).toBe(1);
    expect(await why(`http://issuer.test:${port}/`, { lookUp: turning })).toBe(notThere);
  },
);

promise(
  "fetch:resolved-address",
  "addresses that stand for themselves are never looked up, in whatever writing",
  async () => {
    const unused: LookUp = () => expect.unreachable("a look-up");
    for (const host of [
      "169.254.169.254",
      "2130706433",
      "0x7f.1",
      "[::ffff:7f00:1]",
      "[::1]",
      "127.0.0.1",
      "0",
      "[fe80::1]",
    ])
      expect({ host, why: await why(`https://${host}/`, { reach: away, lookUp: unused }) }).toEqual({
        host,
        why: notThere,
      });
  },
);

promise("fetch:https-only", "plain http for an issuer on loopback alone, and nothing but http", async () => {
  const port = await served(answering(200, asJson, "{}"));
  const notSecure = "its address is not https";
  expect(await why(`http://127.0.0.1:${port}/`)).toBe("{}");
  expect(await why(`http://127.0.0.1:${port}/`, { reach: { ...here, plain: false } })).toBe(notSecure);
  expect(await why("http://example.com/", { reach: { ...away, privateAddresses: true } })).toBe(notSecure);
  expect(await why("http://example.com/", { lookUp: namesOf("8.8.8.8") })).toBe(notThere);
  for (const odd of ["file:///etc/passwd", "ftp://127.0.0.1/", "data:application/json,{}", "unix:/run/x"])
    expect(await why(odd)).toBe(notSecure);
  expect(await why(`http://user:word@127.0.0.1:${port}/`)).toBe("its address holds a name or a password");
});

promise("fetch:https-only", "a certificate that the named authority did not sign is refused", async () => {
  const port = await served(answering(200, asJson, '{"ok":true}'), true);
  expect(await why(`https://127.0.0.1:${port}/`, { ca })).toBe('{"ok":true}');
  expect(await why(`https://127.0.0.1:${port}/`, { ca: otherCa })).toMatch(/^it can't be reached \(.*\)$/);
  expect(await why(`https://127.0.0.1:${port}/`)).toMatch(/^it can't be reached \(.*\)$/);
  const lookUp = namesOf("127.0.0.1");
  expect(await why(`https://api.test:${port}/`, { ca, lookUp })).toBe('{"ok":true}');
  expect(await why(`https://other.test:${port}/`, { ca, lookUp })).toBe(
    "it can't be reached (ERR_TLS_CERT_ALTNAME_INVALID)",
  );
});

promise("fetch:no-redirect", "whatever is not 200 ends there", async () => {
  let strayed = 0;
  const target = await served((_, response) => {
    strayed += 1;
    response.end("{}");
  });
  for (const status of [201, 204, 300, 301, 302, 303, 307, 308, 401, 404, 500]) {
    const port = await served(answering(status, { location: `http://127.0.0.1:${target}/` }, ""));
    expect(await why(`http://127.0.0.1:${port}/`)).toBe(`it answered ${status}`);
  }
  expect(strayed).toBe(0);
});

promise("fetch:bounded", "an answer that is too large, however it says so, too deep or none at all", async () => {
  const tooLarge = "its answer is larger than 1048576 bytes";
  const big = Buffer.alloc(10 * 1024 * 1024, 32);
  const cases: [RequestListener, string][] = [
    [answering(200, asJson, big), tooLarge],
    [(_, response) => void response.writeHead(200, asJson).write(big), tooLarge],
    [answering(200, { "content-type": "text/html" }, "{}"), "its answer is no JSON"],
    [answering(200, { ...asJson, "content-encoding": "gzip" }, "{}"), "its answer is compressed"],
    [(_, response) => void response.destroy(), "it can't be reached (ECONNRESET)"],
    [
      (_, response) => {
        response.writeHead(200, { ...asJson, "content-length": "100" }).write("{");
        setImmediate(() => response.destroy());
      },
      "its answer broke off, or took too long",
    ],
  ];
  for (const [listener, expected] of cases)
    expect(await why(`http://127.0.0.1:${await served(listener)}/`)).toBe(expected);
  const texts = ["", "[]", "7", "null", "{", '{"a":1,"a":2}', `{"a":${"[".repeat(40)}${"]".repeat(40)}}`];
  for (const text of [...texts, Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])])
    expect(await why(`http://127.0.0.1:${await served(answering(200, asJson, text))}/`)).toBe(
      "its answer is no JSON object, or holds a key twice",
    );
});

promise("fetch:bounded", "whoever hangs in any stage is given up", async () => {
  const tooLate = "it did not answer in time";
  const hanging = await served(() => undefined);
  expect(await why(`http://127.0.0.1:${hanging}/`, { timeout: 50 })).toBe(tooLate);
  const dripping = await served((_, response) => {
    response.writeHead(200, asJson).write("{");
    const drip = setInterval(() => response.write(" "), 5);
    response.on("close", () => clearInterval(drip));
  });
  expect(await why(`http://127.0.0.1:${dripping}/`, { timeout: 100 })).toMatch(/took too long$|in time$/);
  expect(await why("https://issuer.test/", { timeout: 50, lookUp: () => undefined })).toBe(tooLate);
  const gone = new AbortController();
  const asked = guardedFetch({ reach: here })(`http://127.0.0.1:${hanging}/`, gone.signal);
  gone.abort();
  expect((await asked).kind).toBe("failed");
});

promise(
  "fetch:kept",
  "one look at a time, a bound on age, and a clock that was set back makes nothing young",
  async () => {
    const clock = clockAt();
    let looks = 0;
    let next: Loaded<string> = { kind: "loaded", value: "first" };
    let release: () => void = () => undefined;
    const kept = keepFresh({
      load: async () => {
        looks += 1;
        await new Promise<void>((resolve) => (release = resolve));
        return next;
      },
      now: clock.now,
      failed: () => undefined,
    });
    const many = Array.from({ length: 50 }, () => kept.get());
    release();
    expect([...new Set(await Promise.all(many)), looks]).toEqual(["first", 1]);
    clock.pass(600);
    next = { kind: "failed", why: "away" };
    expect([kept.current(), kept.current(), looks]).toEqual(["first", "first", 2]);
    release();
    await expect.poll(() => (clock.pass(10), kept.current(), looks), { timeout: 60_000 }).toBe(3);
    release();
    clock.pass(3_600);
    expect(kept.current()).toBe(null);
    clock.pass(-8_000);
    expect(kept.current()).toBe(null);
  },
);
