// Makes the request for approval: what is approved, digested, and the card that shows it.

import type { ApprovalRequest, RecordedCall } from "../domain/approval.ts";
import type { PlannedCall, Precondition } from "../domain/call.ts";
import type { Decision, Requirement } from "../domain/decision.ts";
import type { ApprovalId } from "../domain/ids.ts";
import { deepFreeze } from "../domain/json.ts";
import type { Change, Sentence } from "../domain/output.ts";
import { makeCard } from "./card.ts";
import { digestOf } from "./digest.ts";
import { shortest } from "./states.ts";

export interface RequestMatter {
  readonly id: ApprovalId;
  /** Random, so that no two requests are approved by one digest. */
  readonly nonce: string;
  /** Its arguments are sealed in the store; its reason arrives masked. */
  readonly call: PlannedCall;
  readonly decision: Decision;
  /** null when the preview failed: the card says that the effect is unknown. */
  readonly preview: {
    readonly changes: readonly Change[];
    readonly checks: readonly Sentence[];
    readonly undo: string;
    readonly preconditions: readonly Precondition[];
    /** SHA-256 over the changes, hex: the same changes give the same digest when they are made again. */
    readonly digest: string;
  } | null;
  readonly environment: string;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** The request, pending and frozen. A decision without requirements asks nobody, and that is a programming error. */
export function makeRequest(matter: RequestMatter): ApprovalRequest {
  const { id, nonce, call, decision, preview, now } = matter;
  const { requirements, rules, policy } = decision;
  if (decision.effect !== "require-approval" || requirements.length === 0)
    throw new Error("only a decision that names its approvers can be put to them");
  const expiresAt = now + shortest(requirements, "expires");
  const preconditions = preview?.preconditions ?? [];
  const diffDigest = preview?.digest ?? digestOf(null);
  const card = makeCard({ call, rules, preview, environment: matter.environment, expiresAt });
  const callDigest = call.digest;
  return deepFreeze<ApprovalRequest>({
    id,
    state: "pending",
    call: recorded(call),
    callDigest,
    approvalDigest: approvalDigest({
      callDigest,
      nonce,
      uids: preconditions.map((one) => one.uid),
      diffDigest,
      requirements,
    }),
    nonce,
    diffDigest,
    cardDigest: digestOf(card),
    preconditions,
    requirements,
    policy,
    card,
    verdicts: [],
    requestedAt: now,
    expiresAt,
    approvedAt: null,
    endedAt: null,
    result: null,
  });
}

/** Field by field: the store refuses what it does not know, and a principal may carry more than belongs on disk. */
function recorded({ id, principal, session, tool, arguments: exact }: PlannedCall): RecordedCall {
  const { issuer, subject, kind, groups, clientId, client, verifier, claims } = principal;
  const actors = principal.actors.map((actor) => ({ issuer: actor.issuer, subject: actor.subject }));
  return {
    id,
    principal: {
      issuer,
      subject,
      kind,
      groups,
      actors,
      ...(clientId === undefined ? {} : { clientId }),
      client,
      verifier,
      ...(claims === undefined ? {} : { claims }),
    },
    session: { id: session.id, door: session.door },
    tool,
    arguments: exact,
  };
}

/** What is approved (approval.md): SHA-256 over canonical JSON of exactly these five. */
export function approvalDigest(approved: {
  readonly callDigest: string;
  readonly nonce: string;
  readonly uids: readonly string[];
  readonly diffDigest: string;
  readonly requirements: readonly Requirement[];
}): string {
  const { callDigest, nonce, uids, diffDigest, requirements } = approved;
  return digestOf({ callDigest, nonce, uids: uids.toSorted(), diffDigest, requirements });
}
