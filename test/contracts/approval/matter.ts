// What the approval tests are about: a call, the people around it, its request. For tests and the processes that they start.

import { randomBytes } from "node:crypto";
import type { Mode, Voter } from "../../../src/approval/ballot.ts";
import { makeRequest, type RequestMatter } from "../../../src/approval/request.ts";
import type { ApprovalRequest, StoredResult } from "../../../src/domain/approval.ts";
import type { PlannedCall } from "../../../src/domain/call.ts";
import type { Decision, Requirement } from "../../../src/domain/decision.ts";
import { idsFrom } from "../../../src/domain/ids.ts";
import type { Principal, PrincipalFields } from "../../../src/domain/principal.ts";

export const start = Date.UTC(2026, 10, 21, 12, 0, 0);
export const minute = 60_000;
export const hour = 60 * minute;
export const day = 24 * hour;

export const random = (count: number): Uint8Array => randomBytes(count);
export const ids = idsFrom(() => start, random);

export const multiUser: Mode = { kind: "multi-user" };

/** Jo, whose agent asks. */
export const jo: PrincipalFields = {
  issuer: "https://id.example",
  subject: "jo",
  kind: "person",
  groups: ["developers"],
  actors: [{ issuer: "https://id.example", subject: "scaler" }],
  client: "claude-code",
  verifier: "local-user",
};

export function voter(subject: string, given: Partial<Voter> = {}): Voter {
  return {
    issuer: "https://id.example",
    subject,
    kind: "person",
    actors: [],
    groups: ["sre"],
    channel: "terminal",
    assurance: "chat",
    ...given,
  };
}

export function requirement(given: Partial<Requirement> = {}): Requirement {
  const usual = { rule: "production-changes", approvers: ["group:sre"], count: 1, expires: 3600, validFor: 600 };
  return { ...usual, assurance: "same-device", ...given };
}

export function plannedCall(given: Partial<PlannedCall> = {}): PlannedCall {
  return {
    id: ids.call(),
    principal: jo as Principal,
    session: { id: ids.session(), door: "stdio" },
    tool: "workloads_scale",
    toolDigest: "11".repeat(32),
    effect: "change",
    cluster: "prod-1",
    arguments: { kind: "Deployment", name: "api", namespace: "shop", replicas: 5, reason: "more load" },
    accesses: [],
    reason: "more load is coming",
    previewOnly: false,
    digest: "22".repeat(32),
    ...given,
  };
}

export function decision(requirements: readonly Requirement[]): Decision {
  return {
    effect: "require-approval",
    rules: ["reads", "production-changes"],
    forbid: null,
    requirements,
    obligations: { maxBytes: null, mask: [] },
    tell: null,
    errors: [],
    dropped: [],
    policy: "33".repeat(32),
  };
}

export const preview: NonNullable<RequestMatter["preview"]> = {
  changes: [
    {
      cluster: "prod-1",
      kind: "Deployment",
      namespace: "shop",
      name: "api",
      uid: "uid-1",
      before: { spec: { replicas: 3 } },
      after: { spec: { replicas: 5 } },
      lines: [{ sign: "~", risk: false, path: "spec.replicas", before: "3", after: "5" }],
    },
  ],
  checks: [["HPA ", { quoted: "api" }, " sets this count too"]],
  undo: "workloads_scale replicas 3",
  preconditions: [
    {
      resource: "apps/deployments/scale",
      namespace: "shop",
      name: "api",
      uid: "uid-1",
      resourceVersion: "7",
      substance: "",
    },
  ],
  digest: "44".repeat(32),
};

export interface Given extends Partial<Omit<RequestMatter, "call" | "decision">> {
  readonly call?: Partial<PlannedCall>;
  readonly requirements?: readonly Requirement[];
}

export function request(given: Given = {}): ApprovalRequest {
  const { call, requirements = [requirement()], ...rest } = given;
  return makeRequest({
    id: ids.approval(),
    nonce: Buffer.from(random(16)).toString("hex"),
    call: plannedCall(call),
    decision: decision(requirements),
    preview,
    environment: "prod",
    now: start,
    ...rest,
  });
}

export const result: StoredResult = {
  kind: "completed",
  output: { headline: ["DONE scaled to 5"], blocks: [], facts: {}, untrusted: false },
  effect: "applied",
  delivered: false,
};
