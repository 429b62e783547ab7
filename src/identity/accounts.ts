// Agents as accounts: what each stands for, how it stands at a moment, and why a caller may not be let in. Pure.

import { sameSubject, type Subject } from "../domain/principal.ts";
import type { Verified } from "./verifiers/contract.ts";

/** One agent's account (NIST SP 800-53, AC-2). The identity is issuer and subject as a principal has them. All times in milliseconds since 1970. */
export interface Account extends Subject {
  readonly name: string;
  /** The person who answers for it. */
  readonly owner: string;
  readonly purpose: string;
  readonly registeredAt: number;
  readonly expiresAt: number;
  readonly reviewDays: number;
  /** When somebody last looked whether it is still needed; registering counts as looking. */
  readonly reviewedAt: number;
  readonly reviewedBy: string;
  readonly disabled: { readonly at: number; readonly by: string; readonly reason: string } | null;
  readonly lastUsedAt: number | null;
}

export type AccountState = "active" | "disabled" | "expired" | "review overdue";

/** An account's name: what people type, and what entries say. */
export const accountName = /^[a-z0-9][a-z0-9-]{0,39}$/;

const day = 86_400_000;
/** Clocks are corrected by seconds; one that went back behind the registration can't measure the expiry. */
const clockTolerance = 60_000;

/** `review overdue` is a mark for people: of the four only disabled and expired keep an agent out. */
export function stateOf(account: Account, now: number): AccountState {
  if (account.disabled !== null) return "disabled";
  if (isExpired(account, now)) return "expired";
  return now >= reviewDue(account) ? "review overdue" : "active";
}

/** When somebody has to look at it again. */
export function reviewDue({ reviewedAt, reviewDays }: Account): number {
  return reviewedAt + reviewDays * day;
}

function isExpired({ expiresAt, registeredAt }: Account, now: number): boolean {
  return now >= expiresAt || now < registeredAt - clockTolerance;
}

export type FindAccount = (subject: Subject) => Account | undefined;

/** Why whoever was verified may not be let in as things stand, for the operator's log; "" when they may. Asked at every identification. */
export type AccountStanding = (verified: Verified, verifier: string) => string;

/** Their agents are named by the configuration or the operating system, which is their registration. */
const local: ReadonlySet<string> = new Set(["local-user", "local-token"]);

/**
 * Accounts against one verified caller. An agent that an outside issuer vouches for must be registered: absent means
 * no. Whoever stands anywhere in the chain and has an account must neither be disabled nor expired.
 */
export function refusalOf(find: FindAccount, verified: Verified, verifier: string, now: number): string {
  for (const one of chainOf(verified)) {
    const account = find(one);
    if (account?.disabled) return `the agent ${account.name} is disabled`;
    if (account !== undefined && isExpired(account, now)) return `the account of the agent ${account.name} has expired`;
  }
  if (local.has(verifier)) return "";
  const stranger = agentsOf(verified).find((one) => find(one) === undefined);
  // The names came from outside and are not repeated as they are: the operator reads them escaped.
  return stranger === undefined
    ? ""
    : `no agent is registered for ${JSON.stringify(stranger.subject)} of ${JSON.stringify(stranger.issuer)}`;
}

/** Everyone who has a part in a call: the subject, and whoever acts for it. */
export function chainOf({ issuer, subject, actors }: Pick<Verified, "issuer" | "subject" | "actors">): Subject[] {
  return [{ issuer, subject }, ...actors];
}

/** Does the identity have a part in this caller's calls? */
export function hasPart(identity: Subject, caller: Pick<Verified, "issuer" | "subject" | "actors">): boolean {
  return chainOf(caller).some((one) => sameSubject(one, identity));
}

/** Who needs an account of its own: the nearest actor (RFC 8693, section 4.1: those behind it only inform), and a subject that is software. */
function agentsOf({ issuer, subject, kind, actors }: Verified): Subject[] {
  return [...actors.slice(0, 1), ...(kind === "agent" ? [{ issuer, subject }] : [])];
}
