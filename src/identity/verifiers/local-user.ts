// The person at this machine, through a program that they started themselves: on stdio the operating system has checked who that is.

import { everyScope } from "../../domain/evidence.ts";
import type { Verifier } from "./contract.ts";

/**
 * Accepts the user who owns this process, and nobody else. What speaks over stdio is software, so the person acts
 * through the actor `agent`; the name that the software gives itself is only recorded.
 */
export function localUser(owner: string): Verifier {
  return {
    name: "local-user",
    async verify(evidence) {
      if (evidence.kind !== "local-user" || owner === "" || evidence.user !== owner) return null;
      return {
        verified: {
          issuer: "local",
          subject: owner,
          kind: "person",
          groups: [],
          actors: [{ issuer: "local", subject: "agent" }],
        },
        scopes: everyScope,
        expires: null,
      };
    },
    stillAccepts: async ({ issuer, subject }) => owner !== "" && issuer === "local" && subject === owner,
  };
}
