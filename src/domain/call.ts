// A call on its way: as it was asked, as it was planned, as it was authorised.

import type { Access } from "./access.ts";
import type { ApprovalId, CallId } from "./ids.ts";
import type { Decision } from "./decision.ts";
import type { JsonObject } from "./json.ts";
import type { Principal, Session } from "./principal.ts";

declare const minted: unique symbol;

/** What a tool does to the cluster (words.md). */
export type Effect = "read" | "change" | "destroy" | "execute";

/** How much of a known whole is done. */
export interface Part {
  readonly done: number;
  readonly total: number;
}

/** A call as it came through a door: nothing in `arguments` has been checked. */
export interface CallRequest {
  readonly id: CallId;
  readonly principal: Principal;
  readonly session: Session;
  readonly tool: string;
  readonly arguments: unknown;
  /** Milliseconds since 1970. */
  readonly receivedAt: number;
  /** Aborted when the caller cancels or goes away. */
  readonly signal: AbortSignal;
  /** How long to hold the answer for a person, in milliseconds; 0 answers at once. */
  readonly hold: number;
  /** Tells the caller that the call is alive; does nothing where the client asked for no progress. */
  readonly progress: (message: string, part?: Part) => void;
}

/** A call whose arguments were parsed and whose accesses are known: frozen, with its digest. */
export interface PlannedCall {
  readonly id: CallId;
  readonly principal: Principal;
  readonly session: Session;
  readonly tool: string;
  /** SHA-256 of the tool's name, description and schema, hex. */
  readonly toolDigest: string;
  readonly effect: Effect;
  readonly cluster: string;
  readonly arguments: JsonObject;
  readonly accesses: readonly Access[];
  /** The agent's stated reason, for approvers; null for reads. */
  readonly reason: string | null;
  /** Only a preview was asked for: nothing may be written. */
  readonly previewOnly: boolean;
  /** HMAC-SHA-256 under the gateway's key over principal, actors, client id, cluster, tool digest, arguments, accesses; hex (approval.md). */
  readonly digest: string;
}

/** A planned call that may run now. Minted by `policy/authorize.ts` alone. */
export type AuthorizedCall = {
  readonly call: PlannedCall;
  /** The accesses that were allowed: what the grant holds and the guard lets through. */
  readonly accesses: readonly Access[];
  readonly decision: Decision;
  /** The approval that was spent for it, where one was required. */
  readonly approval: ApprovalId | null;
  /** uid and resourceVersion that the write must find, by `namespace/name`; empty for reads. */
  readonly preconditions: readonly Precondition[];
  readonly [minted]: "AuthorizedCall";
};

export interface Precondition {
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  /** SHA-256 of the object without what the server alone writes (status, versions, times), hex: the same substance, the same effect. */
  readonly substance: string;
}
