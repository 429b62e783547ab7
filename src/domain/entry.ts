// One line of the transcript: what each kind says beyond the common fields (evidence.md).

import type { Effect } from "./call.ts";
import type { Json, JsonObject } from "./json.ts";
import type { PrincipalFields, Session } from "./principal.ts";

/** The details of each kind. All values are masked; none is ever a credential. */
export interface EntryDetails {
  "gateway.started": { version: string; config: string; policy: string; repaired: number };
  "gateway.stopped": { reason: string };
  "session.opened": { door: string; client: string };
  "identity.refused": { count: number; since: string };
  /** `cluster` here and below: "" where the call named none that it may; absent in the oldest entries. */
  "call.received": {
    cluster?: string;
    tool: string;
    arguments: JsonObject;
    digest: string;
    reason: string | null;
    preview: boolean;
  };
  "call.decided": {
    cluster?: string;
    tool: string;
    effect: Effect | "unknown";
    decision: "allow" | "require-approval" | "deny";
    accesses: readonly string[];
    rules: readonly string[];
    forbid: string | null;
    errors: readonly string[];
    policy: string;
    facts: JsonObject;
    approval: string | null;
    /** What policy asked of the answer; absent where it asked nothing. */
    obligations?: JsonObject;
    /** Why it was refused before or by policy; "" when it was not. */
    code: string;
  };
  "call.previewed": { tool: string; diff: readonly string[]; diffDigest: string; objects: readonly JsonObject[] };
  "call.settled": {
    cluster?: string;
    tool: string;
    outcome: "completed" | "failed" | "refused";
    code: string;
    effect: "none" | "applied" | "unknown";
    objects: readonly JsonObject[];
    grant: string;
    account: string;
    jti: string;
    ambient: boolean;
    masked: readonly { readonly type: string; readonly count: number; readonly places?: readonly string[] }[];
    bytes: number;
    /** Milliseconds by stage. */
    durations: { readonly [stage: string]: number };
  };
  "call.unknown": { reason: string; grant: string };
  "approval.requested": {
    approval: string;
    callDigest: string;
    approvalDigest: string;
    cardDigest: string;
    diffDigest: string;
    requirements: Json;
    expires: string;
  };
  "approval.decided": {
    approval: string;
    state: "approved" | "rejected" | "pending" | "revoked";
    approvalDigest: string;
    cardDigest: string;
    approver: JsonObject;
    answer: "approve" | "reject";
    reason: string;
  };
  /** Nobody had answered for `after` seconds: these may answer too from now on. */
  "approval.notified": { approval: string; after: number; to: readonly string[] };
  "approval.expired": { approval: string };
  "approval.withdrawn": { approval: string };
  "approval.spent": { approval: string; approvalDigest: string };
  "approval.stale": { approval: string; changed: string };
  "grant.issued": {
    grant: string;
    cluster?: string;
    issuer: string;
    account: string;
    jti: string;
    accesses: readonly string[];
    expires: string;
  };
  "grant.revoked": { grant: string; complete: boolean };
  "grant.swept": { cluster?: string; grant: string; objects: readonly string[]; why: string };
  "policy.changed": { from: string; to: string; diff: string };
  "alert.raised": { alert: string; about: JsonObject };
  /** A receipt was asked for; `found` is false for another's call and for none alike. */
  "evidence.viewed": { call: string; found: boolean };
  "audit.degraded": { reason: string };
  "audit.recovered": { repaired: number };
  "key.rotated": { from: string; to: string };
}

export type EntryKind = keyof EntryDetails;

/** An entry before the transcript gives it its place in order, time and tree. */
export type EntryDraft = {
  [K in EntryKind]: {
    readonly kind: K;
    readonly session: Session | null;
    readonly call: string | null;
    readonly principal: PrincipalFields | null;
    readonly details: EntryDetails[K];
  };
}[EntryKind];

/** Proof of append: the entry is durable at this index. */
export interface Receipt {
  /** 0-based position in the tree. */
  readonly index: number;
  /** SHA-256 leaf hash (RFC 6962, section 2.1), hex. */
  readonly leaf: string;
}

/** Appends in order and returns once all are durable; rejects with a `transcript_unavailable` fault when they are not. */
export type Append = (drafts: readonly EntryDraft[]) => Promise<readonly Receipt[]>;
