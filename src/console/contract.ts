// What the console needs of the gateway: reading requests, and one person's answer to one.

import type { ApprovalState, Card, Verdict } from "../domain/approval.ts";
import type { Requirement } from "../domain/decision.ts";
import type { ApprovalId } from "../domain/ids.ts";
import type { SignedIn } from "../domain/sign-in.ts";

/** A request as one person may see it. */
export interface SeenRequest {
  readonly id: ApprovalId;
  readonly state: ApprovalState;
  readonly why: string;
  readonly card: Card;
  readonly requirements: readonly Requirement[];
  readonly verdicts: readonly Verdict[];
  readonly approvalDigest: string;
  /** Milliseconds since 1970. */
  readonly requestedAt: number;
  readonly expiresAt: number;
  /** People who agreed, of those it needs. */
  readonly have: number;
  readonly need: number;
  /** Why this person may not answer; "" when they may. */
  readonly barred: string;
  /** Does a rule that names them ask for a fresh login? */
  readonly stepUp: boolean;
  /** How the call ended that ran for it; "" until then. */
  readonly ran: string;
}

/** One line of what was done to the request's objects before. */
export interface Earlier {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly who: string;
  readonly says: string;
}

export interface ConsoleDesk {
  /** Requests that this person may see, oldest first; those that ended in the last day when `ended`. */
  list(person: SignedIn, ended: boolean): Promise<readonly SeenRequest[]>;
  show(person: SignedIn, id: string): Promise<SeenRequest | null>;
  /** Newest first. */
  history(person: SignedIn, request: SeenRequest): Promise<readonly Earlier[]>;
  answer(
    person: SignedIn,
    answer: {
      readonly id: ApprovalId;
      readonly answer: "approve" | "reject";
      readonly reason: string;
      readonly tellAgent: boolean;
      /** A fresh login was made for exactly this request. */
      readonly fresh: boolean;
    },
  ): Promise<{ readonly kind: "counted" } | { readonly kind: "refused"; readonly says: string }>;
}

export interface LinkedUser {
  readonly user: string;
  readonly until: number;
}

/** Linking a person's account to their Slack user: begun here by whoever signed in just now, finished by the same session, confirmed in Slack. */
export interface SlackLinks {
  /** The Slack user of this account, and until when that counts (milliseconds since 1970); null for none. */
  of(person: SignedIn): LinkedUser | null;
  /** The one that has not confirmed yet, and until when it may; null for none. */
  waiting(person: SignedIn): LinkedUser | null;
  /** Hours that a sign-in counts for what is pressed in Slack. */
  readonly standingHours: number;
  /** The person has signed in: what they press in Slack counts on from there. Never rejects. */
  signedIn(person: SignedIn): Promise<void>;
  /** The address of Slack's own page, for this session alone. */
  begin(session: string, person: SignedIn): string;
  /** What the browser came back with. `says` is for the person. */
  finish(
    session: string,
    person: SignedIn,
    back: { readonly state: string; readonly code: string },
  ): Promise<{ readonly kind: "asked" } | { readonly kind: "refused"; readonly says: string }>;
  unlink(person: SignedIn): Promise<void>;
}
