// Where a name stands in a token, and what the rules of its issuer make of it.

import { at, isJsonObject, type Json, type JsonObject } from "../domain/json.ts";
import { everyScope, type Scope } from "../domain/evidence.ts";
import { refused, type Refused } from "./refused.ts";

export type ClaimPath = readonly string[];
type Wanted = string | readonly string[];

/** An issuer's rules, as the configuration has them: every text a claim path. */
export interface ClaimRules {
  readonly requiredClaims: { readonly [path: string]: Wanted };
  readonly subject: { readonly claim: string; readonly prefix: string };
  readonly groups?: { readonly path: string; readonly prefix: string } | undefined;
  readonly claims: { readonly [name: string]: string };
  readonly agent?: { readonly claim: string; readonly prefix: string } | undefined;
  readonly agentsWhere: { readonly [path: string]: Wanted };
  /** Where it is there, whoever does not show all of it is software. */
  readonly peopleWhere?: { readonly [path: string]: Wanted } | undefined;
  /** The prefixes of all other issuers: what begins with one is theirs to say. */
  readonly others: readonly string[];
  readonly scopes: { readonly claim: string };
}

const path = /^(?:[^.[\]"/]+|\["[^"\\]+"\])(?:\.[^.[\]"/]+|\.?\["[^"\\]+"\])*$/;

/** `realm_access.roles`, `["https://example.com/roles"]`: the steps of a path, or null where it is none. */
export function readPath(text: string): ClaimPath | null {
  if (!path.test(text)) return null;
  return [...text.matchAll(/\["([^"\\]+)"\]|[^.[\]"]+/g)].map((match) => match[1] ?? match[0]);
}

/**
 * The value at a path, or undefined. An address of mail that the issuer has not checked belongs to whoever typed it,
 * so `email` is there only beside `email_verified: true` (OpenID Connect Core 1.0, section 5.7).
 */
export function claimAt(payload: JsonObject, text: string): Json | undefined {
  const steps = readPath(text);
  if (steps === null) throw new Error(`${text} is no claim path`);
  if (steps.length === 1 && steps[0] === "email" && payload["email_verified"] !== true) return undefined;
  return at(payload, ...steps);
}

/** Is the claim, or one of its list, one of these texts? Numbers and truth values count as JSON writes them. */
export function holds(value: Json | undefined, wanted: Wanted): boolean {
  const wants = typeof wanted === "string" ? [wanted] : wanted;
  const values: readonly Json[] = Array.isArray(value) ? value : [value ?? null];
  return values.some((one) => {
    const text = plainText(one);
    return text !== null && wants.includes(text);
  });
}

function plainText(value: Json): string | null {
  if (typeof value === "string") return value;
  return typeof value === "boolean" || (typeof value === "number" && Number.isSafeInteger(value)) ? `${value}` : null;
}

/** The first required claim that is not as it must be, or null. */
export function refuseRequired(payload: JsonObject, { requiredClaims }: ClaimRules): Refused | null {
  const missing = Object.entries(requiredClaims).find(([where, wanted]) => !holds(claimAt(payload, where), wanted));
  return missing === undefined ? null : refused("a required claim is missing or another", missing[0]);
}

/** Does the name, with its prefix before it, look like one that another issuer gives? Rules and approvers know names alone. */
export function isAnothers(name: string, prefix: string, { others }: Pick<ClaimRules, "others">): boolean {
  return others.some((other) => name.startsWith(other) && !prefix.startsWith(other));
}

export interface Names {
  readonly kind: "names";
  readonly subject: string;
  readonly groups: readonly string[];
  /** Only those that the configuration lets rules see; empty where nothing was said. */
  readonly claims: { readonly [name: string]: string };
  readonly clientId: string | null;
}

/** Kubernetes' own names; no issuer may give one, prefixed or not. */
export function isReserved(name: string): boolean {
  return name.toLowerCase().startsWith("system:");
}

/** The names of a token by the rules of its issuer. A claim of the wrong type refuses the token: left out, a deny rule would miss it. */
export function readNames(payload: JsonObject, rules: ClaimRules): Names | Refused {
  const subject = claimAt(payload, rules.subject.claim);
  if (typeof subject !== "string" || subject === "" || isReserved(subject))
    return refused("the subject's claim is missing, no text, or Kubernetes' own", rules.subject.claim);
  const groups = readGroups(payload, rules.groups);
  if (groups === null) return refused("groups are no list of texts, stand elsewhere, or are Kubernetes' own");
  const name = rules.subject.prefix + subject;
  const foreign =
    [name].find((one) => isAnothers(one, rules.subject.prefix, rules)) ??
    groups.find((one) => isAnothers(one, rules.groups?.prefix ?? "", rules));
  if (foreign !== undefined) return refused(anothers, foreign);
  const claims: [string, string][] = [];
  for (const [called, where] of Object.entries(rules.claims)) {
    const value = claimAt(payload, where) ?? null;
    const text = plainText(value);
    if ((text === null && value !== null) || isReserved(text ?? ""))
      return refused("a claim is no plain value", called);
    if (text !== null && text !== "") claims.push([called, text]);
  }
  const clientId = payload["client_id"] ?? payload["azp"] ?? null;
  if (clientId !== null && (typeof clientId !== "string" || clientId === "")) return refused("client_id is no text");
  return {
    kind: "names",
    subject: name,
    groups,
    claims: Object.fromEntries(claims),
    clientId,
  };
}

/** For the operator: two issuers of the configuration would give the same name. */
export const anothers = "a name begins with another issuer's prefix";

/** null where they can't be believed to be all: not a list of texts, or only named here and to be fetched elsewhere (OpenID Connect Core 1.0, section 5.6.2; Entra's `hasgroups` says no more than that there are some). */
function readGroups(payload: JsonObject, rule: ClaimRules["groups"]): readonly string[] | null {
  if (rule === undefined) return [];
  const elsewhere = payload["_claim_names"];
  const [first = ""] = readPath(rule.path) ?? [];
  if (isJsonObject(elsewhere) && Object.hasOwn(elsewhere, first)) return null;
  const found = claimAt(payload, rule.path) ?? null;
  if (found === null && payload["hasgroups"] === true) return null;
  const value = found ?? [];
  const listed: readonly Json[] = Array.isArray(value) ? value : [value];
  const names = listed.filter((one): one is string => typeof one === "string" && one !== "" && !isReserved(one));
  return names.length === listed.length ? [...new Set(names)].map((one) => rule.prefix + one) : null;
}

/**
 * Whose token it is: software's own where the issuer says so in one of the ways that are known. Else a person's, or,
 * where the setting says who people are, theirs alone.
 */
export function kindOfSubject(payload: JsonObject, { agentsWhere, peopleWhere = {} }: ClaimRules): "person" | "agent" {
  const { sub, client_id: client, azp, cid, oid, gty, idtyp, preferred_username: username } = payload;
  // Its client under one of the names that providers have for it; Entra's `oid` is the subject only of an application.
  const own = typeof sub === "string" && [client, azp, cid, oid].includes(sub);
  const auth0 = [client, azp].some((one) => typeof one === "string" && sub === `${one}@clients`);
  const said = gty === "client-credentials" || idtyp === "app" || auth0;
  const keycloak = typeof username === "string" && username.startsWith("service-account-");
  const shows = ([where, wanted]: readonly [string, Wanted]): boolean => holds(claimAt(payload, where), wanted);
  const ruled = Object.entries(agentsWhere).some(shows) || !Object.entries(peopleWhere).every(shows);
  return own || said || keycloak || ruled ? "agent" : "person";
}

/** The scopes that are ours; none where the claim is missing or something else. */
export function readScopes(payload: JsonObject, { scopes }: ClaimRules): readonly Scope[] {
  const value = claimAt(payload, scopes.claim);
  const given = typeof value === "string" ? value.split(" ") : Array.isArray(value) ? (value as readonly Json[]) : [];
  return everyScope.filter((one) => given.includes(one));
}
