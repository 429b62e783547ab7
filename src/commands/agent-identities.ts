// Whom agents' accounts may stand for, and who changes them: read off the configuration, for a gateway that runs and for a command without one.

import type { Config } from "../config/schema.ts";
import type { PrincipalFields, Subject } from "../domain/principal.ts";

export interface Identities {
  /** Whoever vouches for agents: by the configuration's name, and as principals have it; null where only a cluster knows that. */
  readonly issuers: readonly { readonly name: string; readonly issuer: string | null }[];
  /** Agents that the configuration or the operating system names. */
  readonly configured: readonly Subject[];
}

export function identitiesOf({ issuers, http }: Config): Identities {
  const tokens = (http?.tokens ?? []).filter(({ kind }) => kind === "agent");
  return {
    issuers: [
      { name: "local", issuer: "local" },
      ...issuers.map((one) => ({ name: one.name, issuer: one.kind === "oidc" ? one.issuer : null })),
    ],
    configured: [
      { issuer: "local", subject: "agent" },
      ...tokens.flatMap(({ subject }) => (subject === "agent" ? [] : [{ issuer: "local", subject }])),
    ],
  };
}

/** Whoever runs the gateway: the operating system's word, at this terminal. */
export function operatorOf(user: string): PrincipalFields {
  return {
    issuer: "local",
    subject: user,
    kind: "person",
    groups: [],
    actors: [],
    client: "terminal",
    verifier: "local-user",
  };
}
