// Who acts for the subject of a token: its `act` chain (RFC 8693, section 4.1), or the claim that the configuration names instead.

import { isJsonObject, type Json, type JsonObject } from "../domain/json.ts";
import type { Subject } from "../domain/principal.ts";
import { anothers, claimAt, isAnothers, isReserved, type ClaimRules } from "./claims.ts";
import { refused, type Refused } from "./refused.ts";

/** Longer chains are refused: nobody can say any more who answers for the call. */
const deepest = 3;
/** Names that this gateway itself gives: no issuer's token may speak of an account of theirs. */
const ours = ["local"];

export type Delegation = { readonly kind: "actors"; readonly actors: readonly Subject[] } | Refused;

/** Nearest first: the outermost `act` is who acts now, those inside it acted before. Anything malformed refuses the token. */
export function readActors(
  payload: JsonObject,
  issuer: string,
  rules: ClaimRules,
  kind: "person" | "agent",
): Delegation {
  if (Object.hasOwn(payload, "act")) return readChain(payload["act"], issuer, rules);
  if (rules.agent === undefined || kind === "agent") return { kind: "actors", actors: [] };
  const named = claimAt(payload, rules.agent.claim) ?? null;
  if (named === null) return { kind: "actors", actors: [] };
  if (typeof named !== "string" || named === "" || isReserved(named))
    return refused("the agent's claim is no text, or Kubernetes' own", rules.agent.claim);
  const subject = rules.agent.prefix + named;
  if (isAnothers(subject, rules.agent.prefix, rules)) return refused(anothers, subject);
  return { kind: "actors", actors: [{ issuer, subject }] };
}

/**
 * The prefix says whose word it is, so it goes before every name that the token's issuer gives, another issuer's
 * account too. Without one an issuer speaks of its own accounts alone: another's would be that account itself.
 */
function readChain(outermost: Json | undefined, issuer: string, rules: ClaimRules): Delegation {
  const { prefix } = rules.subject;
  const actors: Subject[] = [];
  let act = outermost;
  while (act !== undefined) {
    if (actors.length === deepest) return refused(`act is deeper than ${deepest}`);
    if (!isJsonObject(act)) return refused(malformed);
    const { sub, iss = issuer } = act;
    if (typeof sub !== "string" || typeof iss !== "string" || sub === "" || iss === "") return refused(malformed);
    if (isReserved(sub) || ours.includes(iss) || (prefix === "" && iss !== issuer))
      return refused("act names an account that is not its issuer's to name", iss);
    if (isAnothers(prefix + sub, prefix, rules)) return refused(anothers, prefix + sub);
    actors.push({ issuer: iss, subject: prefix + sub });
    act = Object.hasOwn(act, "act") ? (act["act"] ?? null) : undefined;
  }
  return { kind: "actors", actors };
}

const malformed = "act is no object with a text sub";
