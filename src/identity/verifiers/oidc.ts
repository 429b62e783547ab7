// Tokens of an OpenID provider, as RFC 9068 has them: signature, issuer, audience, times and the issuer's own rules.

import type { JsonObject } from "../../domain/json.ts";
import { kindOfSubject, readNames, readScopes, refuseRequired, type ClaimRules } from "../claims.ts";
import { readActors } from "../delegation.ts";
import type { GuardedFetch } from "../guarded-fetch.ts";
import { keepFresh, type Kept } from "../kept.ts";
import { fetchPublished, type Published } from "../published.ts";
import { refused, type Refused } from "../refused.ts";
import { remember } from "../remembered.ts";
import { proveSignature } from "../signed.ts";
import { issuerOf, plainType, readTimes, readToken, refuseAudience, type Token } from "../token.ts";
import type { Accepted, Verified, Verifier } from "./contract.ts";

/** One issuer and its rules: what its part of the configuration says, the audience filled in. */
export interface OidcRules extends ClaimRules {
  readonly name: string;
  /** As the token's `iss` has it, to the last character. */
  readonly issuer: string;
  readonly audience: readonly string[];
  readonly algorithms: readonly string[];
  readonly types: readonly string[];
}

export interface OidcOptions {
  readonly rules: OidcRules;
  readonly fetch: GuardedFetch;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** For the operator: why a token that names this issuer was refused; never the token. */
  readonly told: (why: Refused) => void;
  /** For the operator: its metadata or keys can't be had. */
  readonly away: (why: string) => void;
  /** Aborted when the gateway closes. */
  readonly closing: AbortSignal;
}

/** Accepts the tokens of one issuer. Nothing is fetched before the first that names it, or before its standing is asked for. */
export function oidc(options: OidcOptions): Verifier {
  const { rules, fetch, now, told, away, closing } = options;
  const keys = keepFresh<Published>({
    load: () => fetchPublished(rules.issuer, fetch, closing),
    now,
    failed: away,
  });
  const remembered = remember();
  return {
    name: `oidc:${rules.name}`,
    async verify(evidence) {
      if (evidence.kind !== "bearer") return null;
      // Known under the keys that count now: a key that was withdrawn takes its tokens with it.
      const counting = keys.current();
      const known = counting === null ? null : remembered.find(evidence.token, counting, now());
      if (known !== null) return known;
      const read = readToken(evidence.token);
      if (read.kind !== "token" || issuerOf(read.token.payload) !== rules.issuer) return null;
      const found = await examine(read.token, rules, keys, now());
      if (found.kind === "refused") {
        told(found);
        return null;
      }
      remembered.keep(evidence.token, found.by, found.accepted.expires, found.accepted);
      return found.accepted;
    },
    stillAccepts: async (verified) => couldBe(verified, rules),
    standing: () => keys.standing(),
  };
}

interface Ending extends Accepted {
  readonly expires: number;
}
type Examined = { readonly kind: "accepted"; readonly accepted: Ending; readonly by: Published } | Refused;

/** What costs nothing is asked first; no key is fetched for a token that could not be ours whoever signed it. */
async function examine(token: Token, rules: OidcRules, keys: Kept<Published>, now: number): Promise<Examined> {
  const wrong = refuseHeader(token, rules) ?? refuseAudience(token.payload, rules.audience);
  if (wrong !== null) return wrong;
  const times = readTimes(token.payload, now);
  if (times.kind === "refused") return times;
  const signed = await proveSignature(token, keys);
  if (signed.kind === "refused") return signed;
  const verified = verifiedBy(token.payload, rules);
  if (verified.kind === "refused") return verified;
  const scopes = readScopes(token.payload, rules);
  const accepted = { verified: verified.verified, scopes, expires: times.expires };
  return { kind: "accepted", accepted, by: signed.by };
}

/** An allow-list, never the token's own word (RFC 8725, section 3.1); the type keeps other kinds of token out (section 3.11). */
function refuseHeader({ header }: Token, { algorithms, types }: OidcRules): Refused | null {
  if (!algorithms.includes(header.alg)) return refused("the algorithm is not one of the issuer's", header.alg);
  const allowed = types.map(plainType);
  // `JWT` says no more than nothing does: whoever allows it allows a token without a type.
  if (allowed.includes(header.typ) || (header.typ === "" && allowed.includes("jwt"))) return null;
  return refused("the typ is not one of the issuer's types", header.typ);
}

/** Whom a proven token speaks for, by the issuer's rules. */
function verifiedBy(payload: JsonObject, rules: OidcRules): { kind: "verified"; verified: Verified } | Refused {
  const missing = refuseRequired(payload, rules);
  if (missing !== null) return missing;
  const names = readNames(payload, rules);
  if (names.kind === "refused") return names;
  const kind = kindOfSubject(payload, rules);
  const delegation = readActors(payload, rules.issuer, rules, kind);
  if (delegation.kind === "refused") return delegation;
  const { subject, groups, claims, clientId } = names;
  const verified = {
    issuer: rules.issuer,
    subject,
    kind,
    groups,
    actors: delegation.actors,
    ...(clientId === null ? {} : { clientId }),
    ...(Object.keys(claims).length === 0 ? {} : { claims }),
  };
  return { kind: "verified", verified };
}

/** Could these rules still give these names? The token itself is gone. */
function couldBe({ issuer, subject, groups, actors, claims = {} }: Verified, rules: OidcRules): boolean {
  const prefixes = [rules.subject.prefix, ...(rules.agent === undefined ? [] : [rules.agent.prefix])];
  return (
    issuer === rules.issuer &&
    subject.startsWith(rules.subject.prefix) &&
    groups.every((one) => rules.groups !== undefined && one.startsWith(rules.groups.prefix)) &&
    actors.every((one) => prefixes.some((prefix) => one.subject.startsWith(prefix))) &&
    Object.keys(claims).every((name) => Object.hasOwn(rules.claims, name))
  );
}
