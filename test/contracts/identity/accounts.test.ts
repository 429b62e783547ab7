// Whom an account lets in, and whom it keeps out.

import * as fc from "fast-check";
import { expect } from "vitest";
import type { Subject } from "../../../src/domain/principal.ts";
import { refusalOf, stateOf, type Account } from "../../../src/identity/accounts.ts";
import { identify, renew } from "../../../src/identity/identify.ts";
import type { Verified, Verifier } from "../../../src/identity/verifiers/contract.ts";
import { promise } from "../../support/promise.ts";

const now = Date.parse("2027-03-01T12:00:00Z");
const day = 86_400_000;
const corp = "https://id.example.com";
const at = (subject: string): Subject => ({ issuer: corp, subject });
const account = (subject: string, more: Partial<Account> = {}): Account => ({
  name: subject,
  ...at(subject),
  owner: "olga@example.com",
  purpose: "Deploys the shop.",
  registeredAt: now - 10 * day,
  expiresAt: now + day,
  reviewDays: 90,
  reviewedAt: now - 10 * day,
  reviewedBy: "local:olga",
  disabled: null,
  lastUsedAt: null,
  ...more,
});
const off = { at: now - day, by: "local:olga", reason: "" };
const verified = (kind: "person" | "agent", subject: string, ...actors: readonly string[]): Verified => ({
  ...at(subject),
  kind,
  groups: [],
  actors: actors.map(at),
});
const asked = (accounts: readonly Account[], who: Verified, verifier = "oidc:corp", when = now): string =>
  refusalOf(
    ({ issuer, subject }) => accounts.find((one) => one.issuer === issuer && one.subject === subject),
    who,
    verifier,
    when,
  );

promise("accounts:registered", "software of its own, and software that acts for a person", () => {
  const known = [account("ci")];
  expect(asked(known, verified("agent", "ci"))).toBe("");
  expect(asked(known, verified("person", "olga", "ci"))).toBe("");
  expect(asked([], verified("agent", "ci"))).toBe(`no agent is registered for "ci" of "${corp}"`);
  expect(asked([], verified("person", "olga", "ci"))).toBe(`no agent is registered for "ci" of "${corp}"`);
  // Behind the nearest actor chains only inform; a subject that is software needs its own all the same.
  expect(asked(known, verified("person", "olga", "ci", "shell"))).toBe("");
  expect(asked(known, verified("agent", "bot", "ci"))).toBe(`no agent is registered for "bot" of "${corp}"`);
  expect(asked([], verified("person", "olga"))).toBe("");
});

promise(
  "accounts:registered",
  "the same name at another issuer is somebody else, and so is another verifier's agent",
  () => {
    const other: Verified = { ...verified("agent", "ci"), issuer: "https://other.example.com" };
    expect(asked([account("ci")], other)).toBe('no agent is registered for "ci" of "https://other.example.com"');
    for (const verifier of ["service-account:lab", "", "local-user2", "LOCAL-TOKEN"])
      expect(asked([], verified("agent", "ci"), verifier)).toBe(`no agent is registered for "ci" of "${corp}"`);
  },
);

promise(
  "accounts:registered",
  "to the millisecond; and a clock from before it was registered can't say that it lasts",
  () => {
    const known = [account("ci")];
    const who = verified("agent", "ci");
    const { expiresAt, registeredAt } = account("ci");
    expect(asked(known, who, "oidc:corp", expiresAt - 1)).toBe("");
    expect(asked(known, who, "oidc:corp", expiresAt)).toBe("the account of the agent ci has expired");
    expect(asked(known, who, "oidc:corp", registeredAt - 60_000)).toBe("");
    expect(asked(known, who, "oidc:corp", registeredAt - 60_001)).toBe("the account of the agent ci has expired");
  },
);

promise("accounts:local", "by token or from this terminal: no account is needed, and one that is there counts", () => {
  for (const verifier of ["local-token", "local-user"]) {
    expect(asked([], verified("agent", "ci"), verifier)).toBe("");
    expect(asked([account("ci")], verified("person", "olga", "ci"), verifier)).toBe("");
    expect(asked([account("ci", { disabled: off })], verified("agent", "ci"), verifier)).toBe(
      "the agent ci is disabled",
    );
    expect(asked([account("ci", { expiresAt: now })], verified("agent", "ci"), verifier)).toBe(
      "the account of the agent ci has expired",
    );
  }
});

promise("accounts:chain", "wherever it stands, whoever vouches, whatever else is registered", () => {
  const names = ["a", "b", "c", "d"] as const;
  const chain = fc.shuffledSubarray([...names], { minLength: 1 });
  fc.assert(
    fc.property(
      chain,
      fc.constantFrom(...names),
      fc.constantFrom("person", "agent"),
      fc.boolean(),
      (who, bad, kind, local) => {
        const [subject = "a", ...actors] = who;
        const known = names.map((name) => account(name, name === bad ? { disabled: off } : {}));
        const refused = asked(known, verified(kind, subject, ...actors), local ? "local-token" : "oidc:corp");
        expect(refused).toBe(who.includes(bad) ? `the agent ${bad} is disabled` : "");
      },
    ),
  );
});

promise(
  "accounts:next-request",
  "what a verifier accepts is asked each time, and so is whoever made an approved call",
  async () => {
    const who = verified("person", "olga", "ci");
    const verifier: Verifier = {
      name: "oidc:corp",
      verify: async () => ({ verified: who, scopes: ["sallyport:read"], expires: null }),
      stillAccepts: async () => true,
    };
    let known: readonly Account[] = [account("ci")];
    const standing = (one: Verified, name: string): string => asked(known, one, name);
    const asks = identify([verifier], standing);
    const evidence = { kind: "bearer", token: "t", client: "" } as const;
    const found = await asks(evidence);
    if (found.kind !== "identified") throw new Error(found.cause);
    expect(await renew([verifier], standing)(found.principal)).toEqual(found.principal);
    known = [account("ci", { disabled: off })];
    expect(await asks(evidence)).toEqual({ kind: "refused", cause: "oidc:corp: the agent ci is disabled" });
    expect(await renew([verifier], standing)(found.principal)).toBeNull();
    known = [];
    expect((await asks(evidence)).kind).toBe("refused");
    expect(await renew([verifier], standing)(found.principal)).toBeNull();
  },
);

promise("accounts:reviewed", "a missed review is a mark for people; only disabled and expired keep it out", () => {
  const states = [
    account("ci"),
    account("ci", { reviewedAt: now - 90 * day }),
    account("ci", { reviewedAt: now - 90 * day, expiresAt: now }),
    account("ci", { reviewedAt: now - 90 * day, expiresAt: now, disabled: off }),
  ];
  expect(states.map((one) => stateOf(one, now))).toEqual(["active", "review overdue", "expired", "disabled"]);
  expect(states.map((one) => asked([one], verified("agent", "ci")) === "")).toEqual([true, true, false, false]);
});
