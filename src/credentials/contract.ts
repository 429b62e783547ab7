// What every issuer of credentials offers, and what it is told.

import type { AuthorizedCall } from "../domain/call.ts";
import { fault, Faulted } from "../domain/fault.ts";
import type { GrantFields } from "../domain/grant.ts";

/** What an issuer needs to know besides the call. */
export interface IssueTerms {
  /** `<call id>.<n>`, the next n at each asking. */
  readonly nextAuditId: () => string;
  /** Milliseconds that the call may take: a grant outlives it by a minute. */
  readonly deadline: number;
  /** Aborted when the caller cancels or goes away; what was made by then is removed. */
  readonly signal: AbortSignal;
}

export interface Issued {
  readonly grant: GrantFields;
  /**
   * Puts it on record by `write`, where no other call of its session has; returns once that is durable, whoever's call
   * wrote it, and rejects as `write` does. Nothing may be asked of the cluster with it before. Without a token of ours
   * there is nothing to write.
   */
  readonly record: (write: () => Promise<void>) => Promise<void>;
  /**
   * Ends the credential: true when every object of it is gone, false when the sweep must finish, null where this call has nothing to remove. Never throws
   * a fault; may be called again.
   */
  readonly revoke: () => Promise<boolean | null>;
}

/** Makes credentials of one kind. Faults: credential_unavailable; cancelled; deadline_exceeded. Nothing it made is left behind by a fault. */
export interface Issuer {
  issue(authorized: AuthorizedCall, terms: IssueTerms): Promise<Issued>;
}

/** No credential: `needs` says what an administrator would have to do, where that is known. */
export function noCredential(cause: string, needs = ""): Faulted {
  return new Faulted(fault("credential_unavailable", needs === "" ? {} : { needs }, cause));
}
