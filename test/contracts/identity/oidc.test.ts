// The verifier for OpenID providers: which tokens it accepts as whom, and how it follows its issuer's keys.

import { afterEach, beforeEach, expect } from "vitest";
import { promise } from "../../support/promise.ts";
import {
  json,
  jwksPath,
  openIssuer,
  rawSigned,
  signed,
  signer,
  type LoopbackIssuer,
  type Signer,
} from "./loopback-issuer.ts";
import { clockAt, goodClaims, placed, type Clock } from "./place.ts";

let first: Signer;
let second: Signer;
let issuer: LoopbackIssuer;
let clock: Clock;

beforeEach(async () => {
  [first, second] = await Promise.all([signer("ES256", "first"), signer("ES256", "second")]);
  issuer = await openIssuer([first.jwk], "/realms/shop");
  clock = clockAt();
});
afterEach(() => issuer.close());

const metadata = "/realms/shop/.well-known/openid-configuration";
const keys = `/realms/shop${jwksPath}`;
const token = (more: object = {}, by = first, header: object = {}): string =>
  signed(by, goodClaims(issuer.issuer, clock, more), header);

promise(
  "identity:oidc-accepts",
  "a person with groups, scopes, claims and client, under the issuer's rules",
  async () => {
    const { ask } = placed(issuer.issuer, clock, {
      subject: { claim: "sub", prefix: "corp:" },
      groups: { path: "realm_access.roles", prefix: "corp:" },
      claims: { team: '["https://example.com/team"]', mail: "email" },
      requiredClaims: { "org.id": ["7", "8"], email_verified: "true" },
    });
    const claims = {
      realm_access: { roles: ["sre", "dev", "sre"] },
      "https://example.com/team": "shop",
      email: "olga@example.com",
      email_verified: true,
      org: { id: 7 },
      client_id: "cursor",
      scope: "openid sallyport:read sallyport:execute other",
    };
    expect(await ask(token(claims))).toEqual({
      verified: {
        issuer: issuer.issuer,
        subject: "corp:olga",
        kind: "person",
        groups: ["corp:sre", "corp:dev"],
        actors: [],
        clientId: "cursor",
        claims: { team: "shop", mail: "olga@example.com" },
      },
      scopes: ["sallyport:read", "sallyport:execute"],
      expires: clock.now() + 300_000,
    });
  },
);

promise("identity:oidc-accepts", "each algorithm of the allow-list, and none that the setting leaves out", async () => {
  const all = await Promise.all((["RS256", "PS256", "ES256", "EdDSA"] as const).map((alg) => signer(alg, alg)));
  issuer.keys = all.map(({ jwk }) => jwk);
  const { ask } = placed(issuer.issuer, clock);
  const { ask: narrow } = placed(issuer.issuer, clock, { algorithms: ["ES256"] });
  for (const one of all) {
    expect({ alg: one.alg, accepted: (await ask(token({}, one))) !== null }).toEqual({ alg: one.alg, accepted: true });
    expect({ alg: one.alg, accepted: (await narrow(token({}, one))) !== null }).toEqual({
      alg: one.alg,
      accepted: one.alg === "ES256",
    });
  }
});

promise(
  "identity:oidc-types",
  "at+jwt by default, its other writings, and JWT only where the setting says so",
  async () => {
    const strict = placed(issuer.issuer, clock);
    const loose = placed(issuer.issuer, clock, { types: ["JWT"] });
    const answers = async (typ: string | undefined): Promise<readonly string[]> => {
      const one = token({}, first, { typ });
      return [await strict.answer(one), await loose.answer(one)];
    };
    expect(await answers("AT+jwt")).toEqual(["identified", "refused"]);
    expect(await answers("application/at+jwt")).toEqual(["identified", "refused"]);
    expect(await answers("JWT")).toEqual(["refused", "identified"]);
    expect(await answers(undefined)).toEqual(["refused", "identified"]);
    expect(await answers("secevent+jwt")).toEqual(["refused", "refused"]);
  },
);

promise("identity:oidc-times", "a minute of leeway on either side, not a second more", async () => {
  const { answer } = placed(issuer.issuer, clock);
  const seconds = clock.now() / 1000;
  const kinds = async (claims: readonly object[]): Promise<readonly string[]> =>
    await Promise.all(claims.map((one) => answer(token(one))));
  expect(await kinds([{ exp: seconds - 59 }, { nbf: seconds + 60 }, { iat: seconds + 60 }])).toEqual(
    Array.from({ length: 3 }, () => "identified"),
  );
  expect(await kinds([{ exp: seconds - 60 }, { nbf: seconds + 61 }, { iat: seconds + 61 }])).toEqual(
    Array.from({ length: 3 }, () => "refused"),
  );
});

promise("identity:oidc-times", "a token that was accepted is refused once it has ended", async () => {
  const { answer } = placed(issuer.issuer, clock);
  const one = token();
  expect(await answer(one)).toBe("identified");
  clock.pass(359);
  expect(await answer(one)).toBe("identified");
  clock.pass(1);
  expect(await answer(one)).toBe("refused");
});

promise("identity:email-verified", "an address that nobody checked is no name, no claim and no condition", async () => {
  const rules = [
    { subject: { claim: "email", prefix: "" } },
    { claims: { mail: "email" } },
    { requiredClaims: { email: "olga@example.com" } },
  ];
  const unchecked = [{}, { email_verified: false }, { email_verified: "true" }, { email_verified: 1 }];
  for (const rule of rules) {
    const { ask } = placed(issuer.issuer, clock, rule);
    const mail = { email: "olga@example.com" };
    const good = (await ask(token({ ...mail, email_verified: true })))?.verified;
    expect(good?.claims?.["mail"] ?? good?.subject).toBe("claims" in rule || "subject" in rule ? mail.email : "olga");
    for (const one of unchecked) {
      const found = await ask(token({ ...mail, ...one }));
      expect([found?.verified.subject ?? "olga", found?.verified.claims]).toEqual(["olga", undefined]);
      if (!("claims" in rule)) expect(found).toBe(null);
    }
  }
});

promise(
  "identity:kind-of-caller",
  "software's own token in each way that providers say so, else a person's",
  async () => {
    const { ask } = placed(issuer.issuer, clock, { agentsWhere: { "ext.role": ["bot", "robot"] } });
    const kind = async (claims: object): Promise<string | undefined> => (await ask(token(claims)))?.verified.kind;
    expect(await kind({ client_id: "cursor", azp: "cursor" })).toBe("person");
    const agents = [
      { client_id: "olga" },
      { azp: "olga" },
      { cid: "olga" },
      { oid: "olga" },
      { client_id: "shop", sub: "shop@clients" },
      { gty: "client-credentials" },
      { idtyp: "app" },
      { preferred_username: "service-account-shopbot" },
      { ext: { role: ["human", "robot"] } },
    ];
    for (const one of agents) expect({ one, kind: await kind(one) }).toEqual({ one, kind: "agent" });
  },
);

promise(
  "identity:kind-of-caller",
  "where the setting says who people are, everybody else is software, however little marks it",
  async () => {
    const kindBy = (rules: Parameters<typeof placed>[2]) => {
      const { ask } = placed(issuer.issuer, clock, rules);
      return async (claims: object): Promise<string | undefined> => (await ask(token(claims)))?.verified.kind;
    };
    const kind = kindBy({ peopleWhere: { amr: ["pwd", "mfa"], "acct.type": "human" }, agentsWhere: { bot: "true" } });
    const person = { amr: ["mfa"], acct: { type: "human" } };
    expect(await kind(person)).toBe("person");
    const agents = [
      {},
      { amr: ["mfa"] },
      { acct: { type: "human" } },
      { amr: "api", acct: { type: "human" } },
      { amr: [], acct: { type: "human" } },
      { amr: { mfa: true }, acct: { type: "human" } },
      { amr: ["mfa"], acct: { type: ["robot"] } },
      { amr: ["mfa"], "acct.type": "human" },
      // What marks software goes before what marks people.
      { ...person, bot: true },
      { ...person, client_id: "olga" },
    ];
    for (const one of agents) expect({ one, kind: await kind(one) }).toEqual({ one, kind: "agent" });
    // An address of mail that nobody checked makes nobody a person.
    const byMail = kindBy({ peopleWhere: { email: "olga@example.com" } });
    expect(await byMail({ email: "olga@example.com", email_verified: false })).toBe("agent");
    expect(await byMail({ email: "olga@example.com", email_verified: true })).toBe("person");
  },
);

promise(
  "identity:names-apart",
  "a name that begins with another issuer's prefix is not this one's to give",
  async () => {
    const claims = { sub: "olga", groups: ["sre"], azp: "cursor" };
    const rules = {
      subject: { claim: "sub", prefix: "" },
      groups: { path: "groups", prefix: "" },
      agent: { claim: "azp", prefix: "" },
      others: ["b:", "corp:partner:"],
    };
    const plain = placed(issuer.issuer, clock, rules);
    const prefixed = placed(issuer.issuer, clock, {
      ...rules,
      subject: { claim: "sub", prefix: "corp:" },
      groups: { path: "groups", prefix: "corp:" },
      agent: { claim: "azp", prefix: "corp:" },
    });
    const answers = async (more: object): Promise<readonly string[]> => [
      await plain.answer(token({ ...claims, ...more })),
      await prefixed.answer(token({ ...claims, ...more })),
    ];
    expect(await answers({})).toEqual(["identified", "identified"]);
    for (const field of ["sub", "azp"]) {
      expect([field, await answers({ [field]: "b:olga" })]).toEqual([field, ["refused", "identified"]]);
      expect([field, await answers({ [field]: "partner:olga" })]).toEqual([field, ["identified", "refused"]]);
    }
    expect(await answers({ groups: ["sre", "b:approvers"] })).toEqual(["refused", "identified"]);
    expect(await answers({ groups: ["partner:approvers"] })).toEqual(["identified", "refused"]);
    expect(await answers({ act: { sub: "b:bot" } })).toEqual(["refused", "identified"]);
    // Whose own prefix is the longer one keeps its names.
    const longer = placed(issuer.issuer, clock, { subject: { claim: "sub", prefix: "b:c:" }, others: ["b:"] });
    expect(await longer.answer(token())).toBe("identified");
  },
);

promise(
  "identity:names-apart",
  "without a prefix an issuer names actors of its own alone: another's account stands behind a prefix",
  async () => {
    const act = { sub: "ci-bot", iss: "https://other.example" };
    const plain = placed(issuer.issuer, clock);
    expect(await plain.answer(token({ act }))).toBe("refused");
    expect(await plain.answer(token({ act: { sub: "a", act } }))).toBe("refused");
    expect(await plain.answer(token({ act: { ...act, iss: issuer.issuer } }))).toBe("identified");
    const prefixed = placed(issuer.issuer, clock, { subject: { claim: "sub", prefix: "corp:" } });
    expect((await prefixed.ask(token({ act })))?.verified.actors).toEqual([
      { issuer: "https://other.example", subject: "corp:ci-bot" },
    ]);
  },
);

promise("identity:delegation", "the outermost act is the nearest actor, each under its issuer", async () => {
  const { ask } = placed(issuer.issuer, clock, { subject: { claim: "sub", prefix: "corp:" } });
  const act = { sub: "shopbot", act: { sub: "planner", iss: "https://other.example", act: { sub: "front" } } };
  expect((await ask(token({ act })))?.verified).toEqual({
    issuer: issuer.issuer,
    subject: "corp:olga",
    kind: "person",
    groups: [],
    actors: [
      { issuer: issuer.issuer, subject: "corp:shopbot" },
      { issuer: "https://other.example", subject: "corp:planner" },
      { issuer: issuer.issuer, subject: "corp:front" },
    ],
  });
});

promise(
  "identity:delegation",
  "a pair of claims where there is no act, and never for software's own token",
  async () => {
    const { ask } = placed(issuer.issuer, clock, { agent: { claim: "azp", prefix: "app:" } });
    const actors = async (claims: object): Promise<unknown> => (await ask(token(claims)))?.verified.actors;
    expect(await actors({ azp: "cursor" })).toEqual([{ issuer: issuer.issuer, subject: "app:cursor" }]);
    expect(await actors({ azp: "cursor", act: { sub: "bot" } })).toEqual([{ issuer: issuer.issuer, subject: "bot" }]);
    expect(await actors({})).toEqual([]);
    expect(await actors({ azp: "olga" })).toEqual([]);
  },
);

promise(
  "identity:unknown-client",
  "a person through an unknown client is that person, and says which client",
  async () => {
    const { ask } = placed(issuer.issuer, clock);
    const found = async (claims: object): Promise<unknown> => {
      const { subject, clientId, actors } = (await ask(token(claims)))?.verified ?? {};
      return { subject, clientId, actors };
    };
    expect(await found({ azp: "never-seen" })).toEqual({ subject: "olga", clientId: "never-seen", actors: [] });
    expect(await found({ azp: "b", client_id: "a" })).toEqual({ subject: "olga", clientId: "a", actors: [] });
    expect(await found({})).toEqual({ subject: "olga", clientId: undefined, actors: [] });
  },
);

promise("identity:scopes-from-token", "text or list, only ours, and none where none are said", async () => {
  const { ask } = placed(issuer.issuer, clock, { scopes: { claim: "scp" } });
  const scopes = async (claims: object): Promise<unknown> => (await ask(token(claims)))?.scopes;
  expect(await scopes({ scp: ["sallyport:change", "sallyport:read", "admin"] })).toEqual([
    "sallyport:read",
    "sallyport:change",
  ]);
  expect(await scopes({ scp: "sallyport:read" })).toEqual(["sallyport:read"]);
  for (const scp of [
    undefined,
    "",
    7,
    { "sallyport:read": true },
    "sallyport:readx",
    "sallyport:read,sallyport:change",
  ])
    expect(await scopes({ scp })).toEqual([]);
  expect(await scopes({ scope: "sallyport:read" })).toEqual([]);
});

promise("identity:key-rotation", "a new key is found at its first token, at most every half minute", async () => {
  const { answer } = placed(issuer.issuer, clock);
  expect(await answer(token())).toBe("identified");
  issuer.keys = [first.jwk, second.jwk];
  expect(await answer(token({}, second))).toBe("refused");
  clock.pass(30);
  expect(await answer(token({}, second))).toBe("identified");
  expect(issuer.asked.get(keys)).toBe(2);
});

promise("identity:key-rotation", "a hundred tokens of unknown keys cause one look", async () => {
  const { ask } = placed(issuer.issuer, clock);
  await ask(token());
  clock.pass(31);
  await Promise.all(Array.from({ length: 100 }, (_, at) => ask(token({}, first, { kid: `unknown-${at}` }))));
  expect([issuer.asked.get(metadata), issuer.asked.get(keys)]).toEqual([2, 2]);
});

promise("identity:key-withdrawn", "a key that is gone takes its tokens with it at the next look", async () => {
  const { answer } = placed(issuer.issuer, clock);
  const one = token({ exp: clock.now() / 1000 + 86_400 });
  expect(await answer(one)).toBe("identified");
  issuer.keys = [second.jwk];
  clock.pass(599);
  expect(await answer(one)).toBe("identified");
  expect(issuer.asked.get(keys)).toBe(1);
  clock.pass(1);
  // This answer still stands on the old set, and has the new one looked for.
  expect(await answer(one)).toBe("identified");
  await expect.poll(() => answer(one), { timeout: 60_000 }).toBe("refused");
});

promise(
  "identity:issuer-away",
  "known keys count for an hour without their issuer, and then nobody is let in",
  async () => {
    const { answer, verifier } = placed(issuer.issuer, clock);
    const one = token({ exp: clock.now() / 1000 + 86_400 });
    expect(await answer(one)).toBe("identified");
    issuer.instead.set(metadata, (_, response) => void response.writeHead(503).end());
    clock.pass(3_599);
    expect(await answer(one)).toBe("identified");
    clock.pass(1);
    expect(await answer(one)).toBe("refused");
    expect(verifier.standing?.().kind).toBe("waiting");
    issuer.instead.clear();
    await expect
      .poll(
        () => {
          clock.pass(10);
          return answer(one);
        },
        { timeout: 60_000 },
      )
      .toBe("identified");
    expect(verifier.standing?.()).toEqual({ kind: "ready" });
  },
);

promise("identity:issuer-away", "an issuer that failed is left alone for ten seconds", async () => {
  const { answer, told } = placed(issuer.issuer, clock);
  issuer.instead.set(metadata, (_, response) => void response.writeHead(500).end());
  for (let at = 0; at < 20; at++) expect(await answer(token())).toBe("refused");
  expect(issuer.asked.get(metadata)).toBe(1);
  clock.pass(10);
  await answer(token());
  expect(issuer.asked.get(metadata)).toBe(2);
  expect(told).toEqual([
    { why: "away: its metadata: it answered 500", found: "", times: 1 },
    { why: "the issuer's keys are not there", found: "", times: 1 },
  ]);
});

promise(
  "identity:discovery",
  "metadata behind the path, or before it as RFC 8414 has it; only its own name counts",
  async () => {
    const { answer } = placed(issuer.issuer, clock);
    const before = "/.well-known/oauth-authorization-server/realms/shop";
    issuer.instead.set(metadata, (_, response) => void response.writeHead(404).end());
    issuer.instead.set(before, (_, response) =>
      json(response, { issuer: issuer.issuer, jwks_uri: `${issuer.issuer}${jwksPath}` }),
    );
    expect(await answer(token())).toBe("identified");
    for (const name of [`${issuer.issuer}/`, issuer.issuer.toUpperCase(), "", undefined]) {
      const other = placed(issuer.issuer, clock);
      issuer.instead.set(metadata, (_, response) =>
        json(response, { issuer: name, jwks_uri: `${issuer.issuer}${jwksPath}` }),
      );
      expect(await other.answer(token())).toBe("refused");
    }
  },
);

promise(
  "identity:no-fetch-for-strangers",
  "nothing is asked of the issuer for a token that could not be ours",
  async () => {
    const { answer } = placed(issuer.issuer, clock);
    const strange = [
      token({ aud: "https://else.example" }),
      token({ exp: 1 }),
      token({}, first, { alg: "HS256" }),
      token({}, first, { typ: "JWT" }),
      token({}, first, { jku: `${issuer.issuer}/evil` }),
      signed(first, goodClaims("https://else.example", clock)),
      "opaque",
      "",
    ];
    for (const one of strange) expect(await answer(one)).toBe("refused");
    expect(issuer.asked.size).toBe(0);
  },
);

promise("identity:operator-told", "why tokens are refused, once a minute a reason, and never the token", async () => {
  const { answer, told } = placed(issuer.issuer, clock);
  const one = token({ aud: "https://else.example" });
  for (let at = 0; at < 50; at++) await answer(one);
  clock.pass(60);
  await answer(one);
  const why = "the token is for somebody else (aud)";
  const found = '"https://else.example"';
  expect(told).toEqual([
    { why, found, times: 1 },
    { why, found, times: 50 },
  ]);
  await answer(
    rawSigned({ alg: `${"x".repeat(500)}\u001b[31m` }, goodClaims(issuer.issuer, clock), () => Buffer.from("s")),
  );
  expect(told.at(-1)?.found.length).toBe(120);
});

promise(
  "identity:renewed-while-accepted",
  "a name is accepted again only while the rules could still give it",
  async () => {
    const rules = { subject: { claim: "sub", prefix: "corp:" }, groups: { path: "groups", prefix: "corp:" } };
    const still = async (now: object): Promise<boolean> => {
      const verified = (await placed(issuer.issuer, clock, rules).ask(token({ groups: ["sre"] })))?.verified;
      if (verified === undefined) throw new Error("a good token was refused");
      return await placed(issuer.issuer, clock, { ...rules, ...now }).verifier.stillAccepts(verified);
    };
    expect(await still({})).toBe(true);
    expect(await still({ issuer: `${issuer.issuer}/` })).toBe(false);
    expect(await still({ subject: { claim: "sub", prefix: "org:" } })).toBe(false);
    expect(await still({ groups: undefined })).toBe(false);
  },
);
