// Turns evidence into a principal: the only place where one is minted.

import type { Evidence, Identified } from "../domain/evidence.ts";
import { deepFreeze } from "../domain/json.ts";
import type { Principal, PrincipalFields, Subject } from "../domain/principal.ts";
import type { AccountStanding } from "./accounts.ts";
import type { Accepted, Verified, Verifier } from "./verifiers/contract.ts";

/** RFC 8693 chains longer than this are refused: nobody can say any more who answers for the call. */
const maxActors = 3;
const maxGroups = 200;
const maxClaims = 20;
/** What would let one name look like another to a person who approves. */
const unreadable = /[\p{C}\p{Zl}\p{Zp}]/u;

/**
 * Asks the verifiers in their order; the first that knows the evidence answers for it. Never throws: a verifier that
 * fails accepts nobody. Then holds every name to what it may be, and every agent to how its account stands now.
 * `told` hears of a verifier that failed and of names that may be nobody's, for the operator.
 */
export function identify(
  verifiers: readonly Verifier[],
  standing: AccountStanding,
  told: (why: string, verifier: string) => void = () => undefined,
): (evidence: Evidence) => Promise<Identified> {
  const refuse = (why: string, verifier: string): Identified => {
    told(why, verifier);
    return { kind: "refused", cause: `${verifier}: ${why}` };
  };
  return async (evidence) => {
    for (const verifier of verifiers) {
      let accepted: Accepted | null;
      try {
        accepted = await verifier.verify(evidence);
      } catch (thrown) {
        return refuse(`it failed: ${String(thrown)}`, verifier.name);
      }
      if (accepted === null) continue;
      const { verified, scopes, expires } = accepted;
      const wrong = whatIsWrong(verified);
      if (wrong !== "") return refuse(wrong, verifier.name);
      const barred = standing(verified, verifier.name);
      if (barred !== "") return { kind: "refused", cause: `${verifier.name}: ${barred}` };
      const principal = mint(verified, shortName(evidence.client), verifier.name);
      return { kind: "identified", principal, scopes, expires };
    }
    return { kind: "refused", cause: `no verifier accepts this ${evidence.kind} evidence` };
  };
}

/** The only minter of `Principal`. */
function mint(
  { issuer, subject, kind, groups, actors, clientId, claims }: Verified,
  client: string,
  verifier: string,
): Principal {
  const copies = { groups: [...groups], actors: actors.map((actor) => ({ ...actor })) };
  const proven = claims === undefined ? {} : { claims: { ...claims } };
  const through = clientId === undefined ? {} : { clientId };
  const fields: PrincipalFields = { issuer, subject, kind, ...copies, ...through, client, verifier, ...proven };
  return deepFreeze(fields) as Principal;
}

/** Mints the principal of a recorded call once more, if the verifier that knew it would still accept it and its agent is still enabled; else null. */
export function renew(
  verifiers: readonly Verifier[],
  standing: AccountStanding,
): (recorded: PrincipalFields) => Promise<Principal | null> {
  return async (recorded) => {
    const { client, verifier: name, ...verified } = recorded;
    const verifier = verifiers.find((one) => one.name === name);
    if (verifier === undefined || whatIsWrong(verified) !== "") return null;
    // A verifier that fails accepts nobody, here as in identify.
    const accepted = await verifier.stillAccepts(verified).catch(() => false);
    // Asked last: the verifier may take its time, and whoever was disabled meanwhile does not run.
    return accepted && standing(verified, name) === "" ? mint(verified, client, name) : null;
  };
}

/** Why these names may not be a principal's; "" when they may. */
function whatIsWrong({ issuer, subject, groups, actors, clientId, claims = {} }: Verified): string {
  if (actors.length > maxActors) return `more than ${maxActors} actors`;
  if (groups.length > maxGroups) return `more than ${maxGroups} groups`;
  if (Object.keys(claims).length > maxClaims) return `more than ${maxClaims} claims`;
  const subjects: readonly Subject[] = [{ issuer, subject }, ...actors];
  const through = clientId === undefined ? [] : [clientId];
  const names = [
    ...subjects.flatMap((one) => [one.issuer, one.subject]),
    ...groups,
    ...through,
    ...Object.values(claims),
  ];
  if (names.some((name) => name === "" || name.length > 1_024 || unreadable.test(name)))
    return "a name is empty, too long or holds characters that can't be seen";
  // Kubernetes reserves `system:` for its own identities (Kubernetes documentation, "Authenticating: subjects").
  if (names.some((name) => name.toLowerCase().startsWith("system:"))) return "a name begins with system:";
  return "";
}

/** The client's own name for itself, fit for a record. */
function shortName(claimed: string): string {
  return claimed.replace(/[^\x20-\x7e]/g, "?").slice(0, 100);
}
