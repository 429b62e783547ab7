// The last in line for signed tokens: accepts nobody, and tells the operator of those that no configured issuer answers for.

import type { Refused } from "./refused.ts";
import { refused } from "./refused.ts";
import { issuerOf, readToken } from "./token.ts";
import type { Verifier } from "./verifiers/contract.ts";

/** `answers`: does one of the verifiers before it answer for this `iss`, and so tell by itself? */
export function unknownIssuer(answers: (issuer: string) => boolean, told: (why: Refused) => void): Verifier {
  return {
    name: "unknown-issuer",
    async verify(evidence) {
      if (evidence.kind !== "bearer") return null;
      const read = readToken(evidence.token);
      if (read.kind === "refused") told(read);
      if (read.kind !== "token") return null;
      const issuer = issuerOf(read.token.payload);
      // A slash at the end makes another issuer, and is the mistake that most settings begin with.
      if (!answers(issuer)) told(refused("no issuer of the configuration is called so, to the last character", issuer));
      return null;
    },
    stillAccepts: async () => false,
  };
}
