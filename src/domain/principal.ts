// Who calls: the verified caller, and whom it acts for.

import type { SessionId } from "./ids.ts";

declare const minted: unique symbol;

/** One account at one issuer; only the pair identifies it (OpenID Connect Core 1.0, section 5.7). */
export interface Subject {
  readonly issuer: string;
  readonly subject: string;
}

export interface PrincipalFields extends Subject {
  /** A person, or software with an account of its own. */
  readonly kind: "person" | "agent";
  readonly groups: readonly string[];
  /** The software that acts for the subject, nearest first (RFC 8693, section 4.1); empty when the subject itself calls. */
  readonly actors: readonly Subject[];
  /** The client that the token was issued to (RFC 9068, section 2.2: `client_id`), as its issuer says; absent where it says none. */
  readonly clientId?: string;
  /** The client program's own name for itself: recorded as claimed, never decided on. */
  readonly client: string;
  /** Which verifier accepted the evidence, for example `local-user`. */
  readonly verifier: string;
  /** What else was proven of the subject, of the claims that the configuration allows rules to see; absent where nothing was. */
  readonly claims?: { readonly [claim: string]: string };
}

/** A verified caller. Minted by `identity/identify.ts` alone. */
export type Principal = PrincipalFields & { readonly [minted]: "Principal" };

/** The calls of one principal through one door until it is idle (HTTP) or its process ends (stdio). */
export interface Session {
  readonly id: SessionId;
  readonly door: "stdio" | "http" | "socket";
}

/** The same account? Issuer and subject both count. */
export function sameSubject(a: Subject, b: Subject): boolean {
  return a.issuer === b.issuer && a.subject === b.subject;
}

/** What makes one caller: the account, the software that acts for it, and the client that its token was issued to. */
export type Caller = Pick<PrincipalFields, "issuer" | "subject" | "actors" | "clientId">;

/** The same account through the same software? What one of them asked for or is to hear is not the other's. */
export function sameCaller(a: Caller, b: Caller): boolean {
  return (
    sameSubject(a, b) &&
    a.clientId === b.clientId &&
    a.actors.length === b.actors.length &&
    a.actors.every((actor, index) => {
      const twin = b.actors[index];
      return twin !== undefined && sameSubject(actor, twin);
    })
  );
}

/** Whose room a request takes: the account and the software that acts nearest for it. Not the client, the session or the chain behind: a new one would bring new room. */
export function roomOf({ issuer, subject, actors }: Pick<Caller, "issuer" | "subject" | "actors">): string {
  const [nearest] = actors;
  return JSON.stringify([issuer, subject, nearest?.issuer ?? "", nearest?.subject ?? ""]);
}

/** The agent's name: the nearest actor, or the subject itself when it is software. */
export function agentOf(principal: PrincipalFields): string {
  return principal.actors[0]?.subject ?? (principal.kind === "agent" ? principal.subject : principal.client);
}
