// Each misuse of a branded type, planted: the compiler must refuse every one (test/types.test.ts counts them).

import type { AuthorizedCall, PlannedCall } from "../../src/domain/call.ts";
import type { ApprovalId } from "../../src/domain/ids.ts";
import type { Grant, GrantFields } from "../../src/domain/grant.ts";
import type { MaskedOutput, Output } from "../../src/domain/output.ts";
import type { Outcome } from "../../src/domain/outcome.ts";
import type { Principal, PrincipalFields } from "../../src/domain/principal.ts";
import type { SpentApproval } from "../../src/domain/approval.ts";
import type { Stages } from "../../src/pipeline.ts";

declare const fields: PrincipalFields;
declare const planned: PlannedCall;
declare const authorized: AuthorizedCall;
declare const grantFields: GrantFields;
declare const grant: Grant;
declare const output: Output;
declare const masked: MaskedOutput;
declare const stages: Stages;
declare const id: ApprovalId;

// @ts-expect-error a caller that nobody verified is no principal
export const principal: Principal = fields;

// @ts-expect-error a planned call that nobody authorised can't be executed
export const unauthorised = stages.execute(planned, grant, undefined as never);

// @ts-expect-error a credential that the issuer did not mint is no grant
export const unissued = stages.execute(authorized, grantFields, undefined as never);

// @ts-expect-error a planned call that nobody authorised gets no credential
export const ungranted = stages.issue(planned, new AbortController().signal);

// @ts-expect-error a completed outcome holds masked output and nothing else
export const unmasked: Outcome = { kind: "completed", call: planned.id, output, effect: "none", ambient: false };

// @ts-expect-error output is masked by the masker, not by a claim
export const claimed: MaskedOutput = { ...output, masked: [] };

// @ts-expect-error an approval that was not spent authorises nothing
export const unspent: SpentApproval = { id, approvalDigest: "" };

// @ts-expect-error any text is no approval id
export const text: ApprovalId = "apr_1";

export const right: Outcome = { kind: "completed", call: planned.id, output: masked, effect: "none", ambient: false };
