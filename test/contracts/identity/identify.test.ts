// Who becomes a principal, and who never does.

import { isDeepStrictEqual } from "node:util";
import * as fc from "fast-check";
import { expect } from "vitest";
import { identify, renew } from "../../../src/identity/identify.ts";
import type { Verified, Verifier } from "../../../src/identity/verifiers/contract.ts";
import { localUser } from "../../../src/identity/verifiers/index.ts";
import { promise } from "../../support/promise.ts";
import { noAccounts } from "../../support/accounts.ts";

const bearer = { kind: "bearer", token: "t", client: "cli/1" } as const;
const person: Verified = { issuer: "https://id.example", subject: "olga", kind: "person", groups: ["dev"], actors: [] };
const says = (name: string, verified: Verified | null): Verifier => ({
  name,
  verify: async () => (verified === null ? null : { verified, scopes: ["sallyport:read"], expires: 1_000 }),
  stillAccepts: async (once) => isDeepStrictEqual(once, verified),
});

promise(
  "identity:local-user",
  "the person who started the process, through an agent, whatever name it claims",
  async () => {
    const found = await identify(
      [localUser("olga")],
      noAccounts,
    )({ kind: "local-user", user: "olga", client: "curl\n\u202e/8" });
    expect(found).toEqual({
      kind: "identified",
      principal: {
        issuer: "local",
        subject: "olga",
        kind: "person",
        groups: [],
        actors: [{ issuer: "local", subject: "agent" }],
        client: "curl??/8",
        verifier: "local-user",
      },
      scopes: ["sallyport:read", "sallyport:change", "sallyport:execute"],
      expires: null,
    });
  },
);

promise("identity:local-user", "and nobody else: not another user, not an empty name, not a token", async () => {
  for (const user of ["eve", "", "Olga"])
    expect((await identify([localUser("olga")], noAccounts)({ kind: "local-user", user, client: "" })).kind).toBe(
      "refused",
    );
  expect((await identify([localUser("")], noAccounts)({ kind: "local-user", user: "", client: "" })).kind).toBe(
    "refused",
  );
  expect((await identify([localUser("olga")], noAccounts)({ ...bearer, token: "olga" })).kind).toBe("refused");
});

promise("identity:first-that-knows", "asks the verifiers in order and records which one accepted", async () => {
  const found = await identify(
    [says("first", null), says("second", person), says("third", person)],
    noAccounts,
  )(bearer);
  expect(found).toEqual({
    kind: "identified",
    principal: { ...person, client: "cli/1", verifier: "second" },
    scopes: ["sallyport:read"],
    expires: 1_000,
  });
});

promise("identity:no-evidence-no-principal", "without a verifier, and where one fails", async () => {
  expect((await identify([], noAccounts)(bearer)).kind).toBe("refused");
  const fails = () => Promise.reject(new Error("no network"));
  const failing: Verifier = { name: "failing", verify: fails, stillAccepts: fails };
  expect(await identify([failing, says("next", person)], noAccounts)(bearer)).toEqual({
    kind: "refused",
    cause: "failing: it failed: Error: no network",
  });
});

promise("identity:reserved-names", "no name of Kubernetes' own is ever a principal's", async () => {
  const taken = fc.constantFrom(
    "system:masters",
    "SYSTEM:admin",
    "system:serviceaccount:kube-system:default",
    "system:",
  );
  const place = fc.constantFrom("issuer", "subject", "group", "actor issuer", "actor subject");
  await fc.assert(
    fc.asyncProperty(taken, place, async (name, where) => {
      const actor = { issuer: where === "actor issuer" ? name : "i", subject: where === "actor subject" ? name : "s" };
      const verified: Verified = {
        issuer: where === "issuer" ? name : "i",
        subject: where === "subject" ? name : "s",
        kind: "person",
        groups: where === "group" ? ["dev", name] : ["dev"],
        actors: where.startsWith("actor") ? [actor] : [],
      };
      expect((await identify([says("any", verified)], noAccounts)(bearer)).kind).toBe("refused");
    }),
  );
});

promise("identity:readable-names", "no empty, endless or invisible name is one", async () => {
  const names = ["", "x".repeat(1_025), "a\u0000b", "a\nb", "ol\u202ega", "ol\u200bga", "\ufeffolga", "a\u2028b"];
  for (const subject of names)
    expect(
      (await identify([says("any", { ...person, subject })], noAccounts)(bearer)).kind,
      JSON.stringify(subject),
    ).toBe("refused");
  const good = ["olga@example.com", "Ольга", "李雷", "system", "https://id.example/u?1"];
  for (const subject of good)
    expect((await identify([says("any", { ...person, subject })], noAccounts)(bearer)).kind, subject).toBe(
      "identified",
    );
});

promise("identity:readable-names", "no chain of more than three actors, no endless list of groups", async () => {
  const actors = Array.from({ length: 4 }, (_, at) => ({ issuer: "i", subject: `a${at}` }));
  expect((await identify([says("any", { ...person, actors })], noAccounts)(bearer)).kind).toBe("refused");
  expect((await identify([says("any", { ...person, actors: actors.slice(1) })], noAccounts)(bearer)).kind).toBe(
    "identified",
  );
  const groups = Array.from({ length: 201 }, (_, at) => `g${at}`);
  expect((await identify([says("any", { ...person, groups })], noAccounts)(bearer)).kind).toBe("refused");
});

promise("identity:principal-is-frozen", "to its leaves, and apart from what the verifier holds", async () => {
  const verified = { ...person, groups: ["dev"], actors: [{ issuer: "i", subject: "a" }] };
  const found = await identify([says("any", verified)], noAccounts)(bearer);
  verified.groups.push("admins");
  if (found.kind === "refused") throw new Error(found.cause);
  expect(found.principal.groups).toEqual(["dev"]);
  expect(() => Object.assign(found.principal, { subject: "eve" })).toThrow(TypeError);
  expect(() => Object.assign(found.principal.actors[0] ?? {}, { subject: "eve" })).toThrow(TypeError);
});

promise(
  "identity:renewed-while-accepted",
  "by the verifier that knew it, under the same names, and by no other",
  async () => {
    const recorded = { ...person, client: "cli/1", verifier: "second" };
    const verifiers = [says("first", null), says("second", person)];
    expect(await renew(verifiers, noAccounts)(recorded)).toEqual(recorded);
    expect(await renew([says("second", { ...person, groups: [] })], noAccounts)(recorded)).toBeNull();
    expect(await renew([says("second", null)], noAccounts)(recorded)).toBeNull();
    expect(await renew([says("first", person)], noAccounts)(recorded)).toBeNull();
    const failing: Verifier = {
      ...says("second", person),
      stillAccepts: () => Promise.reject(new Error("no network")),
    };
    expect(await renew([failing], noAccounts)(recorded)).toBeNull();
    const reserved = { ...person, subject: "system:admin" };
    expect(await renew([says("second", reserved)], noAccounts)({ ...recorded, ...reserved })).toBeNull();
  },
);
