// The identity stage on issuers of loopback, with a clock that the test turns: what the verifier tests stand on.

import { reachOf } from "../../../src/identity/addresses.ts";
import { guardedFetch, type FetchOptions } from "../../../src/identity/guarded-fetch.ts";
import { identify } from "../../../src/identity/identify.ts";
import { refused, rollUp, type Told } from "../../../src/identity/refused.ts";
import type { Accepted, Verifier } from "../../../src/identity/verifiers/contract.ts";
import { oidc, type OidcRules } from "../../../src/identity/verifiers/oidc.ts";
import { noAccounts } from "../../support/accounts.ts";
import { audience } from "./loopback-issuer.ts";

/** A clock in milliseconds since 1970, turned by hand. */
export interface Clock {
  readonly now: () => number;
  readonly pass: (seconds: number) => void;
}

export function clockAt(start = Date.UTC(2026, 10, 21)): Clock {
  let time = start;
  return { now: () => time, pass: (seconds) => void (time += seconds * 1000) };
}

export const plainRules: Omit<OidcRules, "issuer"> = {
  name: "test",
  audience: [audience],
  algorithms: ["RS256", "PS256", "ES256", "EdDSA"],
  types: ["at+jwt"],
  requiredClaims: {},
  subject: { claim: "sub", prefix: "" },
  claims: {},
  agentsWhere: {},
  others: [],
  scopes: { claim: "scope" },
};

export interface Placed {
  readonly verifier: Verifier;
  readonly told: Told[];
  /** What the verifier makes of a token. */
  readonly ask: (token: string) => Promise<Accepted | null>;
  /** What the whole stage answers. */
  readonly answer: (token: string) => Promise<string>;
}

/** A verifier of one issuer, as the gateway builds it. */
export function placed(
  issuer: string,
  clock: Clock,
  rules: Partial<OidcRules> = {},
  fetching: Partial<FetchOptions> = {},
): Placed {
  const told: Told[] = [];
  const tell = rollUp(clock.now, (one) => told.push(one));
  const verifier = oidc({
    rules: { ...plainRules, issuer, ...rules },
    fetch: guardedFetch({ reach: reachOf(issuer, false), ...fetching }),
    now: clock.now,
    told: tell,
    away: (why) => tell(refused(`away: ${why}`)),
    closing: new AbortController().signal,
  });
  const stage = identify([verifier], noAccounts);
  return {
    verifier,
    told,
    ask: (token) => verifier.verify({ kind: "bearer", token, client: "" }),
    answer: async (token) => (await stage({ kind: "bearer", token, client: "" })).kind,
  };
}

/** The claims of a good token at this time. */
export function goodClaims(issuer: string, clock: Clock, more: object = {}): object {
  const seconds = Math.floor(clock.now() / 1000);
  return { iss: issuer, sub: "olga", aud: audience, iat: seconds, exp: seconds + 300, ...more };
}
