// The shape of a stored request, for whoever reads one back from a file or a socket: anything else is refused.

import * as z from "zod";
import { approvalStates } from "../domain/approval.ts";
import { assurances } from "../domain/decision.ts";
import { parseApprovalId, parseCallId, type ApprovalId, type CallId, type SessionId } from "../domain/ids.ts";
import type { KeptRequest } from "./stores/contract.ts";

const text = z.string();
const time = z.number();
const digest = z.string().regex(/^[0-9a-f]{64}$/);

const effect = z.enum(["none", "applied", "unknown"]);

const subject = { issuer: text, subject: text };
const actors = z.array(z.strictObject(subject));

const principal = z.strictObject({
  ...subject,
  kind: z.enum(["person", "agent"]),
  groups: z.array(text),
  actors,
  clientId: text.exactOptional(),
  client: text,
  verifier: text,
  claims: z.record(text, text).exactOptional(),
});

const session = z.strictObject({
  id: z.custom<SessionId>((value) => typeof value === "string" && value.startsWith("ses_")),
  door: z.enum(["stdio", "http", "socket"]),
});

const requirement = z.strictObject({
  rule: text,
  approvers: z.array(text),
  count: z.number().int(),
  expires: z.number(),
  validFor: z.number(),
  assurance: z.enum(assurances),
  escalate: z.array(z.strictObject({ after: z.number(), to: z.array(text) })).exactOptional(),
});

const sentence = z.array(z.union([text, z.strictObject({ quoted: text })]));

const card = z.strictObject({
  tool: text,
  effect: z.enum(["read", "change", "destroy", "execute"]),
  cluster: text,
  environment: text,
  object: text,
  requester: text,
  agent: text,
  reason: text,
  rules: z.array(text),
  diff: z.array(text),
  checks: z.array(sentence),
  undo: text,
  expiresAt: time,
});

const verdict = z.strictObject({
  by: z.strictObject({ ...subject, groups: z.array(text), channel: text, assurance: z.enum(assurances) }),
  answer: z.enum(["approve", "reject"]),
  reason: text,
  tellAgent: z.boolean(),
  at: time,
});

const precondition = z.strictObject({
  resource: text,
  namespace: text,
  name: text,
  uid: text,
  resourceVersion: text,
  substance: text,
});

export const keptRequest = z.strictObject({
  id: z.custom<ApprovalId>((value) => typeof value === "string" && parseApprovalId(value) !== undefined),
  state: z.enum(approvalStates),
  call: z.strictObject({
    id: z.custom<CallId>((value) => typeof value === "string" && parseCallId(value) !== undefined),
    principal,
    session,
    tool: text,
  }),
  callDigest: text,
  approvalDigest: digest,
  nonce: text,
  diffDigest: text,
  cardDigest: digest,
  preconditions: z.array(precondition),
  requirements: z.array(requirement).min(1),
  policy: text,
  card,
  verdicts: z.array(verdict),
  requestedAt: time,
  expiresAt: time,
  approvedAt: time.nullable(),
  endedAt: time.nullable(),
  why: text,
  answer: z.enum(["none", "waiting", "taken", "gone"]),
  answeredAt: time.nullable(),
  escalated: z.number().int().exactOptional(),
  ran: z
    .discriminatedUnion("kind", [
      z.strictObject({ kind: z.literal("completed"), effect }),
      z.strictObject({ kind: z.literal("failed"), code: text, effect }),
    ])
    .exactOptional(),
}) satisfies z.ZodType<KeptRequest>;

/** `requests[2].card.tool: Invalid input …`: the first thing that is wrong, without the value. */
export function firstProblem(error: z.ZodError): string {
  const issue = error.issues[0];
  return issue === undefined ? "" : `${issue.path.map(String).join(".")}: ${issue.message}`;
}
