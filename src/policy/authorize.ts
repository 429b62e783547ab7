// The only minter of AuthorizedCall: nothing below runs anything else.

import { sameAccess } from "../domain/access.ts";
import type { SpentApproval } from "../domain/approval.ts";
import type { AuthorizedCall, PlannedCall, Precondition } from "../domain/call.ts";
import type { Decision } from "../domain/decision.ts";
import { forbidden } from "./forbid.ts";

/**
 * Authorises a decided call: its accesses without the dropped optional ones, the objects its writes must find, and the
 * approval that was spent for it. A decision that allows nothing here is a mistake of the caller's, not an answer, so it
 * throws: denied, or asking for an approval that was not spent, or holding what is forbidden.
 */
export function authorize(
  call: PlannedCall,
  decision: Decision,
  preconditions: readonly Precondition[],
  spent: SpentApproval | null,
): AuthorizedCall {
  switch (decision.effect) {
    case "deny":
      throw new Error(`A denied call can't be authorised: ${call.id}`);
    case "require-approval":
      if (spent === null) throw new Error(`A call that needs an approval can't be authorised without one: ${call.id}`);
      break;
    case "allow":
      break;
  }
  const accesses = call.accesses.filter(
    (access) => !(access.optional && decision.dropped.some((one) => sameAccess(one, access))),
  );
  for (const access of accesses) {
    const forbid = forbidden(access, call);
    if (forbid !== null)
      throw new Error(`A call with a forbidden access can't be authorised: ${call.id}, ${forbid.id}`);
  }
  return Object.freeze({
    call,
    accesses: Object.freeze(accesses),
    decision,
    approval: spent?.id ?? null,
    preconditions: Object.freeze([...preconditions]),
  }) as AuthorizedCall;
}
