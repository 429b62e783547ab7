// A person's answer to a call, and the request for it.

import type { ApprovalId, CallId } from "./ids.ts";
import type { Assurance, Requirement } from "./decision.ts";
import type { Effect, Precondition } from "./call.ts";
import type { JsonObject } from "./json.ts";
import type { Output, Sentence } from "./output.ts";
import type { EffectLeft, FaultCode } from "./fault.ts";
import type { PrincipalFields, Session, Subject } from "./principal.ts";

declare const minted: unique symbol;

/** pending → approved | rejected | expired | withdrawn | superseded; approved → spent | stale | revoked | lapsed. Ends are final. */
export const approvalStates = [
  "pending",
  "approved",
  "rejected",
  "expired",
  "withdrawn",
  "superseded",
  "spent",
  "stale",
  "revoked",
  "lapsed",
] as const;
export type ApprovalState = (typeof approvalStates)[number];

/** Everything an approver is shown: made by the gateway once, digested, the same for every channel. */
export interface Card {
  readonly tool: string;
  readonly effect: Effect;
  readonly cluster: string;
  readonly environment: string;
  readonly object: string;
  /** Who asks, and through which agent. */
  readonly requester: string;
  readonly agent: string;
  /** The agent's own words: a quotation, neutralised, masked and cut. */
  readonly reason: string;
  readonly rules: readonly string[];
  /** The diff as the agent sees it, one line each. */
  readonly diff: readonly string[];
  readonly checks: readonly Sentence[];
  readonly undo: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

export interface Approver extends Subject {
  readonly groups: readonly string[];
  readonly channel: string;
  readonly assurance: Assurance;
}

/** One person's answer. */
export interface Verdict {
  readonly by: Approver;
  readonly answer: "approve" | "reject";
  readonly reason: string;
  /** May the agent read `reason`? */
  readonly tellAgent: boolean;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** The recorded call, complete enough to be planned and decided again; its arguments are sealed in the store. */
export interface RecordedCall {
  readonly id: CallId;
  readonly principal: PrincipalFields;
  readonly session: Session;
  readonly tool: string;
  readonly arguments: JsonObject;
}

export interface ApprovalRequest {
  readonly id: ApprovalId;
  readonly state: ApprovalState;
  readonly call: RecordedCall;
  /** Joins equal calls. */
  readonly callDigest: string;
  /** SHA-256 over call digest, nonce, uids, diff digest and requirements: what is approved (approval.md). */
  readonly approvalDigest: string;
  readonly nonce: string;
  readonly diffDigest: string;
  readonly cardDigest: string;
  readonly preconditions: readonly Precondition[];
  readonly requirements: readonly Requirement[];
  readonly policy: string;
  readonly card: Card;
  readonly verdicts: readonly Verdict[];
  /** Milliseconds since 1970. */
  readonly requestedAt: number;
  readonly expiresAt: number;
  readonly approvedAt: number | null;
  readonly endedAt: number | null;
  /** The settled call's answer, until one repeat has taken it or an hour has passed. */
  readonly result: StoredResult | null;
}

/** The masked answer of a call that ran after its approval. */
export type StoredResult =
  | { readonly kind: "completed"; readonly output: Output; readonly effect: EffectLeft; readonly delivered: boolean }
  | {
      readonly kind: "failed";
      readonly code: FaultCode;
      readonly detail: JsonObject;
      readonly effect: EffectLeft;
      readonly delivered: boolean;
    };

/** An approval that was spent, once, for exactly what it approved. Minted by `approval/verdict.ts` alone. */
export type SpentApproval = {
  readonly id: ApprovalId;
  readonly approvalDigest: string;
  readonly [minted]: "SpentApproval";
};
