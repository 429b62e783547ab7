// What every store of approval requests must do; test/contracts/approval/store-suite.ts holds them all to it.

import type { ApprovalRequest, ApprovalState, RecordedCall, StoredResult } from "../../domain/approval.ts";
import type { EffectLeft } from "../../domain/fault.ts";
import type { ApprovalId } from "../../domain/ids.ts";
import type { Change } from "../states.ts";

/** A request as a store shows it: all but the exact arguments and the result, which lie sealed. */
export interface KeptRequest extends Omit<ApprovalRequest, "call" | "result"> {
  readonly call: Omit<RecordedCall, "arguments">;
  /** Why it ended, where the state alone does not say it; else "". */
  readonly why: string;
  /** What the caller is to hear: nothing yet, something that waits, something taken, something that waited too long. */
  readonly answer: "none" | "waiting" | "taken" | "gone";
  /** Since when the answer waits; milliseconds since 1970. */
  readonly answeredAt: number | null;
  /** How many of the steps of `escalationOf` are on record; absent for none. */
  readonly escalated?: number;
  /** How the call ended that ran for it, without its output; absent until then. */
  readonly ran?: Ran;
}

export type Ran =
  | { readonly kind: "completed"; readonly effect: EffectLeft }
  | { readonly kind: "failed"; readonly code: string; readonly effect: EffectLeft };

export type Answer =
  | { readonly kind: "unknown" }
  /** Pending, approved, or running. */
  | { readonly kind: "open"; readonly request: KeptRequest }
  /** Ended without running: the request's state and `why` say how. */
  | { readonly kind: "ended"; readonly request: KeptRequest }
  | { readonly kind: "result"; readonly request: KeptRequest; readonly result: StoredResult }
  /** It ran, and its result was taken before or waited too long. */
  | { readonly kind: "taken"; readonly request: KeptRequest };

/** What a step wants done to the request it was shown; `change: null` leaves it as it is. */
export interface Stepped<R> {
  readonly change: Change | null;
  readonly reply: R;
}

export type Listener = (request: KeptRequest, before: KeptRequest | null) => void;

export interface ApprovalStore {
  /**
   * Answers the newest request of the same call digest that `joins` accepts, or keeps this one. Of two equal calls at
   * once, in one process or two, one is kept. `record` is awaited before the request is durable; when it fails, nothing
   * is kept.
   */
  insert(
    request: ApprovalRequest,
    joins: (kept: KeptRequest) => boolean,
    record: () => Promise<void>,
  ): Promise<{ readonly request: KeptRequest; readonly joined: boolean }>;
  get(id: ApprovalId): Promise<KeptRequest | undefined>;
  /** All requests of one call digest, newest first. */
  findByDigest(callDigest: string): Promise<readonly KeptRequest[]>;
  /** Oldest first; null for all states. */
  list(states: readonly ApprovalState[] | null): Promise<readonly KeptRequest[]>;
  /**
   * The compare-and-swap: shows `step` the request as it is now, with every other writer locked out, and makes its
   * change durable before it answers. A step may write entries; it must not call the store. Undefined: no such request.
   */
  transition<R>(id: ApprovalId, step: (current: KeptRequest) => Promise<Stepped<R>>): Promise<R | undefined>;
  /** The whole request with its exact arguments, while it is pending or approved; undefined before and after. */
  recall(id: ApprovalId): Promise<ApprovalRequest | undefined>;
  /** Keeps the masked answer of a spent request, once. Any other state is a programming error. */
  storeResult(id: ApprovalId, result: StoredResult, now: number): Promise<void>;
  /** Gives out what waits for the caller, once, and durably so before it answers. */
  takeAnswer(id: ApprovalId, now: number): Promise<Answer>;
  /** Forgets answers that waited too long and requests that ended too long ago. */
  prune(now: number): Promise<void>;
  /** Called after each durable change that this process made. Returns how to stop. */
  onChange(listener: Listener): () => void;
  close(): Promise<void>;
}
