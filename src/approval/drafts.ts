// The entries that approval writes: each stands under the call and the caller that asked.

import type { Verdict } from "../domain/approval.ts";
import type { EntryDetails, EntryDraft, EntryKind } from "../domain/entry.ts";
import type { RecordedCall } from "../domain/approval.ts";
import type { KeptRequest } from "./stores/contract.ts";

/** An entry about a request; it carries the request's own call, session and principal, whoever brings it about. */
export function draft<K extends EntryKind & `approval.${string}`>(
  request: { readonly call: Omit<RecordedCall, "arguments"> },
  kind: K,
  details: EntryDetails[K],
): EntryDraft {
  const { id: call, session, principal } = request.call;
  return { kind, session, call, principal, details } as EntryDraft;
}

/** What each answer's entry says besides the state that it led to. */
export function answered(
  request: KeptRequest,
  { by, answer, reason }: Verdict,
): Omit<EntryDetails["approval.decided"], "state"> {
  const { id: approval, approvalDigest, cardDigest } = request;
  return { approval, approvalDigest, cardDigest, approver: { ...by }, answer, reason };
}
