// Attacks with tokens and with what issuers publish. While each runs, a good token of another issuer is accepted in time.

import { createHash, generateKeyPairSync, sign as signWith } from "node:crypto";
import type { RequestListener } from "node:http";
import { exportSPKI, importJWK, type CryptoKey } from "jose";
import { afterAll, beforeAll, expect } from "vitest";
import { noAccounts } from "../support/accounts.ts";
import { promise } from "../support/promise.ts";
import { identify } from "../../src/identity/identify.ts";
import {
  audience,
  hmac,
  json,
  jwksPath,
  openIssuer,
  rawSigned,
  signed,
  signer,
  type LoopbackIssuer,
  type Signer,
} from "../contracts/identity/loopback-issuer.ts";
import { clockAt, goodClaims, placed, type Clock, type Placed } from "../contracts/identity/place.ts";

let ec: Signer;
let rsa: Signer;
let attacked: LoopbackIssuer;
let other: LoopbackIssuer;
let clock: Clock;
let probe: Placed;
const metadata = "/.well-known/openid-configuration";

beforeAll(async () => {
  [ec, rsa] = await Promise.all([signer("ES256", "ec"), signer("RS256", "rsa")]);
  [attacked, other] = await Promise.all([openIssuer([ec.jwk, rsa.jwk]), openIssuer([ec.jwk])]);
  clock = clockAt();
  probe = placed(other.issuer, clock);
});
afterAll(async () => {
  await Promise.all([attacked.close(), other.close()]);
});

const claims = (more: object = {}): object => goodClaims(attacked.issuer, clock, more);
const fresh = (rules: Parameters<typeof placed>[2] = {}, fetching: Parameters<typeof placed>[3] = {}): Placed =>
  placed(attacked.issuer, clock, rules, fetching);

/** Refused, in the same words as any other, while the probe is let in. */
async function refusedWithProbe(place: Placed, token: string, what: string): Promise<void> {
  const state = { over: false };
  const attack = place.answer(token).finally(() => (state.over = true));
  const probes: string[] = [];
  do probes.push(await probe.answer(signed(ec, goodClaims(other.issuer, clock, { jti: `${what} ${probes.length}` }))));
  while (!state.over && probes.length < 5);
  expect({ what, answer: await attack, probes: [...new Set(probes)] }).toEqual({
    what,
    answer: "refused",
    probes: ["identified"],
  });
}

async function eachRefused(
  cases: { readonly [what: string]: string },
  rules: Parameters<typeof placed>[2] = {},
): Promise<Placed> {
  const place = fresh(rules);
  // Its keys are known and a good token is let in: nothing below fails for another reason.
  expect(await place.answer(signed(ec, claims(rules?.groups === undefined ? {} : { groups: ["a"] })))).toBe(
    "identified",
  );
  for (const [what, token] of Object.entries(cases)) await refusedWithProbe(place, token, what);
  return place;
}

const none = (): Buffer => Buffer.from("");

promise(
  "hostile:token-algorithms",
  "none, the public key as a secret, an algorithm that the key is not for",
  async () => {
    const pem = await exportSPKI((await importJWK(rsa.jwk, "RS256")) as CryptoKey);
    const head = { typ: "at+jwt", kid: "rsa" };
    const bySecret = (secret: string): string => rawSigned({ ...head, alg: "HS256" }, claims(), hmac(secret));
    const place = await eachRefused({
      "alg none without signature": rawSigned({ ...head, alg: "none" }, claims(), none),
      "alg none with one": rawSigned({ ...head, alg: "none" }, claims(), () => Buffer.from("x")),
      "alg None": rawSigned({ ...head, alg: "None" }, claims(), () => Buffer.from("x")),
      "alg is a number": rawSigned({ ...head, alg: 256 }, claims(), () => Buffer.from("x")),
      "alg missing": rawSigned(head, claims(), () => Buffer.from("x")),
      "HS256 with the PEM": bySecret(pem),
      "HS256 with the PEM, trimmed": bySecret(pem.trim()),
      "HS256 with the JWK": bySecret(JSON.stringify(rsa.jwk)),
      "HS256 with the modulus": bySecret(String(rsa.jwk.n)),
      "EC key, RS256 said": signed(ec, claims(), { alg: "RS256" }),
      "RSA key, ES256 said": signed(rsa, claims(), { alg: "ES256" }),
      "RSA key for RS256, PS256 said": signed({ ...rsa, alg: "PS256" }, claims()),
      "RS512 said": rawSigned({ ...head, alg: "RS512" }, claims(), (input) => signWith("sha512", input, rsa.key)),
      "ES256 with a signature of zeros": rawSigned({ ...head, kid: "ec", alg: "ES256" }, claims(), () =>
        Buffer.alloc(64),
      ),
    });
    expect(place.told.map(({ why }) => why)).not.toContain("");
  },
);

promise(
  "hostile:token-signatures",
  "another form, another salt, another spelling, half a signature and none",
  async () => {
    const pss = await signer("PS256", "pss");
    const ed = await signer("EdDSA", "ed");
    attacked.keys = [ec.jwk, rsa.jwk, pss.jwk, ed.jwk];
    const good = signed(ec, claims());
    // The last character holds four bits that no byte takes.
    const next: { readonly [last: string]: string } = { A: "B", Q: "R", g: "h", w: "x" };
    const spelled = good.slice(0, -1) + (next[good.at(-1) ?? ""] ?? "");
    const by = (one: Signer, sign: (input: Buffer) => Buffer): string =>
      rawSigned({ alg: one.alg, typ: "at+jwt", kid: one.kid }, claims(), sign);
    const salted = (saltLength: number): string =>
      by(pss, (input) => signWith("sha256", input, { key: pss.key, padding: 6, saltLength }));
    try {
      await eachRefused({
        "ES256 as DER": by(ec, (input) => signWith("sha256", input, ec.key)),
        "ES256, half of it": by(ec, (input) =>
          signWith("sha256", input, { key: ec.key, dsaEncoding: "ieee-p1363" }).subarray(0, 32),
        ),
        "ES256, spelled differently": spelled,
        "ES256 over SHA-512": by(ec, (input) => signWith("sha512", input, { key: ec.key, dsaEncoding: "ieee-p1363" })),
        "PS256 without salt": salted(0),
        "PS256 with a longer salt": salted(64),
        "PS256 signed as RS256": by(pss, (input) => signWith("sha256", input, pss.key)),
        "RS256 signed as PS256": by(rsa, (input) =>
          signWith("sha256", input, { key: rsa.key, padding: 6, saltLength: 32 }),
        ),
        "EdDSA of another text": by(ed, () => signWith(null, Buffer.from("another text"), ed.key)),
        "EdDSA, a byte too long": by(ed, (input) => Buffer.concat([signWith(null, input, ed.key), Buffer.from([0])])),
      });
      // What stands beside them is what a good one of each looks like.
      const place = fresh();
      for (const one of [ec, rsa, pss, ed]) expect(await place.answer(signed(one, claims()))).toBe("identified");
    } finally {
      attacked.keys = [ec.jwk, rsa.jwk];
    }
  },
);

promise(
  "hostile:token-keys",
  "a kid that is unknown, a path, an address or no text, and headers that bring a key",
  async () => {
    const before = new Map(attacked.asked);
    const named = (kid: unknown): string => signed(ec, claims(), { kid });
    const brought = (header: object): string => signed(ec, claims(), header);
    await eachRefused({
      unknown: named("never-seen"),
      path: named("../../../../etc/passwd"),
      address: named("http://169.254.169.254/latest/meta-data"),
      sql: named("x' UNION SELECT 'key"),
      empty: named(""),
      list: named(["ec"]),
      object: named({ kid: "ec" }),
      number: named(7),
      long: named("k".repeat(201)),
      "control characters": named("ec\n"),
      prototype: named("__proto__"),
      "of another kind": named("rsa"),
      jwk: brought({ jwk: ec.jwk }),
      jku: brought({ jku: `${attacked.issuer}${jwksPath}` }),
      x5u: brought({ x5u: `${attacked.issuer}/chain` }),
      x5c: brought({ x5c: ["MIIB"] }),
      crit: brought({ crit: ["exp"] }),
      "crit empty": brought({ crit: [] }),
      b64: brought({ b64: false }),
      zip: brought({ zip: "DEF" }),
    });
    const asked = [...attacked.asked].filter(([path, count]) => count > (before.get(path) ?? 0)).map(([path]) => path);
    expect(asked.toSorted()).toEqual([metadata, jwksPath].toSorted());
  },
);

promise(
  "hostile:token-claims",
  "another audience or issuer, times that are none, names of the wrong kind",
  async () => {
    const seconds = clock.now() / 1000;
    const one = (more: object): string => signed(ec, claims(more));
    const text = (more: string): string => signed(ec, JSON.stringify(claims()).replace(/\}$/, `,${more}}`));
    await eachRefused({
      "aud wrong": one({ aud: "https://else.example" }),
      "aud missing": one({ aud: undefined }),
      "aud empty": one({ aud: [] }),
      "aud with a slash more": one({ aud: `${audience}/` }),
      "aud begins alike": one({ aud: `${audience}.evil.example` }),
      "aud list of others": one({ aud: ["a", "b"] }),
      "aud list with a number": one({ aud: [audience, 7] }),
      "aud object": one({ aud: { [audience]: true } }),
      "aud null": one({ aud: null }),
      "iss with a slash": one({ iss: `${attacked.issuer}/` }),
      "iss in capitals": one({ iss: attacked.issuer.toUpperCase() }),
      "iss list": one({ iss: [attacked.issuer] }),
      "iss missing": one({ iss: undefined }),
      expired: one({ exp: seconds - 61 }),
      "exp missing": one({ exp: undefined }),
      "exp text": one({ exp: String(seconds + 300) }),
      "exp null": one({ exp: null }),
      "exp beyond all dates": one({ exp: 1e300 }),
      "exp infinite": signed(ec, JSON.stringify(claims()).replace(/"exp":\d+/, '"exp":1e999')),
      "exp negative": one({ exp: -1 }),
      "not valid yet": one({ nbf: seconds + 61 }),
      "nbf text": one({ nbf: "0" }),
      "iat in the future": one({ iat: seconds + 3600 }),
      "iat text": one({ iat: "0" }),
      "sub missing": one({ sub: undefined }),
      "sub number": one({ sub: 7 }),
      "sub list": one({ sub: ["olga"] }),
      "sub object": one({ sub: { sub: "olga" } }),
      "sub empty": one({ sub: "" }),
      "sub of Kubernetes": one({ sub: "system:admin" }),
      "sub of Kubernetes, in capitals": one({ sub: "SYSTEM:masters" }),
      "sub unreadable": one({ sub: "olga\u202e" }),
      "sub too long": one({ sub: "o".repeat(2_000) }),
      "client_id number": one({ client_id: 7 }),
      "client_id list": one({ client_id: ["a"] }),
      "client_id of Kubernetes": one({ client_id: "system:kube-controller-manager" }),
      "a claim twice": text('"sub":"root"'),
      "a claim twice, escaped": text(String.raw`"\u0073ub":"root"`),
      "prototype as sub": signed(
        ec,
        JSON.stringify(claims({ sub: undefined })).replace(/\}$/, ',"__proto__":{"sub":"root"}}'),
      ),
    });
  },
);

promise("hostile:token-groups", "groups of the wrong type, too many, elsewhere, or Kubernetes' own", async () => {
  const one = (groups: unknown, more: object = {}): string => signed(rsa, claims({ groups, ...more }));
  await eachRefused(
    {
      number: one(7),
      object: one({ sre: true }),
      "list with a number": one(["a", 7]),
      "list of lists": one([["a"]]),
      "list with an empty one": one(["a", ""]),
      "Kubernetes' own": one(["a", "system:masters"]),
      "ten thousand, short": one(Array.from({ length: 10_000 }, (_, at) => at.toString(36))),
      "three hundred": one(Array.from({ length: 300 }, (_, at) => `g${at}`)),
      "too many to be told": one(undefined, { hasgroups: true }),
      elsewhere: one(undefined, {
        _claim_names: { groups: "src1" },
        _claim_sources: { src1: { endpoint: "https://x" } },
      }),
    },
    { groups: { path: "groups", prefix: "corp:" } },
  );
});

promise("hostile:token-delegation", "act chains that are deep, malformed or speak for somebody else", async () => {
  const one = (act: unknown): string => signed(ec, claims({ act }));
  const chain = (depth: number): object => (depth === 0 ? { sub: "end" } : { sub: `a${depth}`, act: chain(depth - 1) });
  await eachRefused({
    "four levels": one(chain(3)),
    "a thousand levels": one(chain(900)),
    null: one(null),
    text: one("shopbot"),
    number: one(7),
    list: one([{ sub: "shopbot" }]),
    empty: one({}),
    "sub number": one({ sub: 7 }),
    "sub empty": one({ sub: "" }),
    "sub list": one({ sub: ["a"] }),
    "iss number": one({ sub: "a", iss: 7 }),
    "iss empty": one({ sub: "a", iss: "" }),
    "inner text": one({ sub: "a", act: "b" }),
    "inner null": one({ sub: "a", act: null }),
    "inner list": one({ sub: "a", act: [] }),
    "inner without sub": one({ sub: "a", act: { iss: attacked.issuer } }),
    "like a circle": one({ sub: "a", act: { sub: "b", act: { sub: "a", act: { sub: "b" } } } }),
    "the gateway's own agent": one({ sub: "agent", iss: "local" }),
    "of Kubernetes": one({ sub: "system:node:n1" }),
    unreadable: one({ sub: "bot\u200b" }),
  });
  expect(await fresh().answer(one(chain(2)))).toBe("identified");
});

promise("hostile:token-form", "huge, cut, encrypted, in another coding, with more behind it", async () => {
  const good = signed(ec, claims());
  const [head = "", body = "", signature = ""] = good.split(".");
  const twice = Buffer.from('{"alg":"ES256","alg":"none","typ":"at+jwt","kid":"ec"}').toString("base64url");
  await eachRefused({
    huge: signed(ec, claims({ pad: "x".repeat(20_000) })),
    "a megabyte": `${head}.${"A".repeat(1_048_576)}.${signature}`,
    "megabyte of dots": ".".repeat(1_048_576),
    "four parts": `${good}.x`,
    "five parts (encrypted)": `${head}..${body}.${signature}.${head}`,
    "two parts": `${head}.${body}`,
    "no signature": `${head}.${body}.`,
    padded: `${head}.${body}.${signature}==`,
    "standard base64": `${head}.${body}.${signature.replaceAll("-", "+").replaceAll("_", "/")}=`,
    "a blank": `${head}.${body}. ${signature}`,
    "another payload": `${head}.${Buffer.from(JSON.stringify(claims({ sub: "root" }))).toString("base64url")}.${signature}`,
    "another header": `${Buffer.from('{"alg":"ES256","typ":"at+jwt","kid":"ec","x":1}').toString("base64url")}.${body}.${signature}`,
    "header twice": `${twice}.${body}.${signature}`,
    "payload is a list": signed(ec, []),
    "payload is text": signed(ec, '"olga"'),
    "payload is no UTF-8": `${head}.${Buffer.from([0x7b, 0xff, 0x7d]).toString("base64url")}.${signature}`,
    "payload a hundred deep": signed(ec, `{"a":${"[".repeat(100)}${"]".repeat(100)}}`),
    "JSON of the token": JSON.stringify({ protected: head, payload: body, signature }),
  });
});

promise(
  "hostile:issuer-answers",
  "key sets that are huge, hang, redirect, lie or hold keys that are none",
  async () => {
    const weak = generateKeyPairSync("rsa", { modulusLength: 1024 });
    const short: Signer = {
      alg: "RS256",
      kid: "short",
      key: weak.privateKey,
      jwk: { ...weak.publicKey.export({ format: "jwk" }), kid: "short" },
    };
    // With the exponent 1 a signature is its own padding: whoever knows the modulus signs (RFC 8017, section 9.2).
    const padded = (input: Buffer): Buffer => {
      const head = Buffer.from("3031300d060960864801650304020105000420", "hex");
      const digest = Buffer.concat([head, createHash("sha256").update(input).digest()]);
      const filling = Buffer.alloc(256 - 3 - digest.length, 0xff);
      return Buffer.concat([Buffer.from([0, 1]), filling, Buffer.from([0]), digest]);
    };
    const unsigned = rawSigned({ alg: "RS256", typ: "at+jwt", kid: "rsa" }, claims(), padded);
    const good = signed(ec, claims());
    const set = (listener: RequestListener): RequestListener => listener;
    const keysAre = (keys: readonly object[]): RequestListener => set((_, response) => json(response, { keys }));
    const redirect =
      (to: string): RequestListener =>
      (_, response) =>
        void response.writeHead(302, { location: to }).end();
    const metadataIs =
      (more: object): RequestListener =>
      (_, response) =>
        json(response, { issuer: attacked.issuer, jwks_uri: `${attacked.issuer}${jwksPath}`, ...more });
    const cases: readonly (readonly [string, string, RequestListener, string])[] = [
      ["ten megabytes", jwksPath, (_, response) => void response.end(Buffer.alloc(10 * 1024 * 1024, 32)), good],
      ["hangs", jwksPath, () => undefined, good],
      ["hangs after its head", jwksPath, (_, response) => void response.writeHead(200).write("{"), good],
      ["redirects to metadata", jwksPath, redirect("http://169.254.169.254/latest/"), good],
      ["metadata redirects to metadata", metadata, redirect("http://169.254.169.254/latest/"), good],
      ["metadata of another", metadata, metadataIs({ issuer: other.issuer }), good],
      ["metadata with a slash", metadata, metadataIs({ issuer: `${attacked.issuer}/` }), good],
      ["keys at a file", metadata, metadataIs({ jwks_uri: "file:///etc/passwd" }), good],
      ["keys at a private host", metadata, metadataIs({ jwks_uri: "https://10.0.0.1/keys" }), good],
      ["keys at cloud metadata", metadata, metadataIs({ jwks_uri: "http://169.254.169.254/keys" }), good],
      ["keys without TLS elsewhere", metadata, metadataIs({ jwks_uri: "http://192.0.2.1/keys" }), good],
      ["keys at no address", metadata, metadataIs({ jwks_uri: 7 }), good],
      ["no set", jwksPath, (_, response) => json(response, { keys: ec.jwk }), good],
      ["a list", jwksPath, (_, response) => json(response, [ec.jwk]), good],
      ["no JSON", jwksPath, (_, response) => void response.end("<html>"), good],
      ["empty", jwksPath, keysAre([]), good],
      ["ten thousand keys", jwksPath, keysAre(Array.from({ length: 10_000 }, () => ({ kty: "oct" }))), good],
      ["a key for encryption", jwksPath, keysAre([{ ...ec.jwk, use: "enc" }]), good],
      ["a key for other work", jwksPath, keysAre([{ ...ec.jwk, use: undefined, key_ops: ["sign"] }]), good],
      ["a weak key", jwksPath, keysAre([short.jwk]), signed(short, claims())],
      ["a weak key beside a good one", jwksPath, keysAre([short.jwk, ec.jwk]), signed(short, claims())],
      ["an exponent of 1", jwksPath, keysAre([{ ...rsa.jwk, e: "AQ" }]), unsigned],
      ["an exponent of 1, written longer", jwksPath, keysAre([{ ...rsa.jwk, e: "AAAB" }, ec.jwk]), unsigned],
      [
        "a shared secret",
        jwksPath,
        keysAre([{ kty: "oct", k: "c2VjcmV0", kid: "ec" }]),
        rawSigned({ alg: "HS256", typ: "at+jwt", kid: "ec" }, claims(), hmac("secret")),
      ],
      ["a private key", jwksPath, keysAre([{ ...ec.jwk, d: "AAAA" }]), good],
      ["two keys of one name", jwksPath, keysAre([ec.jwk, ec.jwk]), good],
      ["a point off the curve", jwksPath, keysAre([{ ...ec.jwk, x: ec.jwk.y }]), good],
    ];
    for (const [what, where, listener, token] of cases) {
      attacked.instead.set(where, listener);
      await refusedWithProbe(fresh({}, { timeout: 400 }), token, what);
      attacked.instead.clear();
    }
    expect(await fresh().answer(good)).toBe("identified");
  },
);

promise(
  "hostile:subjects-alike",
  "who exists, who is disabled and who never was can't be told apart by the answer",
  async () => {
    const place = fresh();
    // A registered agent that is disabled, as accounts say it; everybody else is unknown to them.
    const stage = identify([place.verifier], ({ subject }) => (subject === "known-bot" ? "the agent is disabled" : ""));
    const withAccounts = async (token: string): Promise<object> => {
      const { kind } = await stage({ kind: "bearer", token, client: "" });
      return { kind };
    };
    const plain = identify([place.verifier], noAccounts);
    const answers = await Promise.all(
      ["olga", "nobody", "known-bot"].map(async (sub) => ({
        expired: (await plain({ kind: "bearer", token: signed(ec, claims({ sub, exp: 1 })), client: "" })).kind,
        forged: await place.ask(`${signed(ec, claims({ sub })).slice(0, -8)}AAAAAAAA`),
      })),
    );
    expect(answers).toEqual(Array.from({ length: 3 }, () => ({ expired: "refused", forged: null })));
    expect(await withAccounts(signed(ec, claims({ sub: "known-bot" })))).toEqual({ kind: "refused" });
  },
);

promise(
  "hostile:token-words",
  "what the operator is told holds no token and nothing that could steer a terminal",
  async () => {
    const place = fresh();
    const tokens = [
      signed(ec, claims({ aud: 'x\u001b[2J\n"\u202e' })),
      signed(ec, claims(), { kid: "unknown\u007e" }),
      signed(ec, claims({ aud: "a".repeat(5_000) })),
      `${signed(ec, claims()).slice(0, -8)}AAAAAAAA`,
    ];
    for (const token of tokens) await place.answer(token);
    const told = JSON.stringify(place.told);
    expect(place.told.length).toBeGreaterThan(1);
    for (const token of tokens)
      for (const part of token.split(".")) expect(told.includes(part.slice(0, 40))).toBe(false);
    expect(place.told.every(({ found }) => /^[\x20-\x7e]{0,120}$/.test(found))).toBe(true);
  },
);
