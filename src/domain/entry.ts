// One line of the transcript: what each kind says beyond the common fields (evidence.md).

import type { Effect } from "./call.ts";
import type { Json, JsonObject } from "./json.ts";
import type { PrincipalFields, Session } from "./principal.ts";

/** What does not stand in an entry itself is a body of one of these classes; each session has a key for each. */
export const bodyClasses = ["arguments", "diff", "output"] as const;
export type BodyClass = (typeof bodyClasses)[number];

/** Where a sealed body is, and what it must be. */
export type BodyRef = {
  /** Bytes of the text, before it was cut to what is kept of one. */
  readonly bytes: number;
  /** SHA-256(salt ‖ text), hex. */
  readonly commit: string;
  /** The id of its data key. */
  readonly key: string;
  /** SHA-256 of the sealed line, hex: what anyone can check without a key. */
  readonly seal: string;
};

/** An account as entries name it. */
export type Account = { readonly iss: string; readonly sub: string };

/** The details of each kind. All values are masked; none is ever a credential. */
export interface EntryDetails {
  /** `tools`: SHA-256 over the catalogue's tools, hex. `work`: audit ids of what no single call causes. Both absent in the oldest entries. */
  "gateway.started": {
    version: string;
    config: string;
    policy: string;
    repaired: number;
    tools?: string;
    work?: readonly string[];
  };
  "gateway.stopped": { reason: string };
  "session.opened": { door: string; client: string };
  /** What the session did; a session that made no call has neither entry. */
  "session.closed": { reason: string; calls: number; changes: number; denied: number };
  "identity.refused": { count: number; since: string };
  /** `cluster` here and below: "" where the call named none that it may; absent in the oldest entries. */
  "call.received": {
    cluster?: string;
    tool: string;
    arguments: JsonObject;
    digest: string;
    reason: string | null;
    preview: boolean;
    /** Arguments that the entry leaves out; null where there was a body and no room for it. */
    body?: BodyRef | null;
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
  "call.previewed": {
    tool: string;
    diff: readonly string[];
    diffDigest: string;
    objects: readonly JsonObject[];
    body?: BodyRef | null;
  };
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
    /** The masked answer. */
    body?: BodyRef | null;
  };
  "call.unknown": { reason: string; grant: string };
  /** What a command wrote, masked, in one stretch of its time; written together with the end of its call and before it. */
  "stream.segment": {
    tool: string;
    stream: "stdout" | "stderr";
    /** Milliseconds since the command began. */
    from: number;
    to: number;
    /** Bytes of the masked text. */
    bytes: number;
    masked: readonly { readonly type: string; readonly count: number }[];
    body?: BodyRef | null;
  };
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
  /** `diff` is "" where it changed while no gateway ran. */
  "policy.changed": { from: string; to: string; diff: string };
  /** SHA-256 of the configuration, hex. `diff` says what took over while the gateway ran; without it the change is one since the last start. */
  "config.changed": { from: string; to: string; diff?: string };
  /** Since the last start: SHA-256 over the tools' names, descriptions and schemas, hex. */
  "tool.changed": { from: string; to: string };
  "alert.raised": { alert: string; about: JsonObject };
  /** A receipt was asked for, or a command read the record; `found` is false for another's call and for none alike. The rest is absent of receipts. */
  "evidence.viewed": { call: string; found: boolean; what?: string; query?: string; count?: number; size?: number };
  "evidence.searched": { what: string; query: string; count: number; size: number };
  /** Something of the record was handed out: what, to whom, by which query, how many of it, and why. `size`: entries on record then; absent in the oldest. `digest`: SHA-256 of what was handed out, hex; of a bundle its manifest's. */
  "evidence.exported": {
    what: string;
    to: string;
    query: string;
    count: number;
    why: string;
    size?: number;
    digest?: string;
  };
  /** `entries` and `root`: what was verified; `verdicts`: the answer to each question. */
  "evidence.verified": {
    what: string;
    entries: number;
    root: string;
    ok: boolean;
    verdicts: { readonly [question: string]: string };
    size: number;
  };
  /** An agent's account (NIST SP 800-53, AC-2): `issuer` and `subject` are whom it stands for, and the entry's principal is who made the change. */
  "agent.registered": {
    agent: string;
    issuer: string;
    subject: string;
    owner: string;
    purpose: string;
    expires: string;
    reviewBy: string;
  };
  /** `now`: what it ran was ended with it. */
  "agent.disabled": { agent: string; issuer: string; subject: string; reason: string; now: boolean };
  "agent.enabled": { agent: string; issuer: string; subject: string; expires: string; reviewBy: string };
  "agent.reviewed": {
    agent: string;
    issuer: string;
    subject: string;
    note: string;
    expires: string;
    reviewBy: string;
  };
  /** Calls that were refused because their caller, the entry's principal, had reached a limit: nothing of them ran. */
  "limit.exceeded": { limit: string; count: number; since: string };
  /** Keys of bodies that were destroyed, and with them what they sealed. At most 500 an entry. `due` and `kept` are absent in the oldest. */
  "retention.purged": {
    keys: readonly string[];
    classes: readonly string[];
    before: string;
    session: string;
    why: string;
    due?: boolean;
    kept?: readonly { readonly hold: string; readonly keys: number }[];
    /** Entries that were purged, and stand there as their leaf hashes alone: from the first to the last index of each range. `digest`: SHA-256 over those hashes, hex. */
    entries?: {
      readonly ranges: readonly (readonly [number, number])[];
      readonly count: number;
      readonly digest: string;
      readonly days: number;
    };
  };
  /** No purge destroys what a hold covers. `covers`: a query in the words of `transcript search`; an empty one covers everything. */
  "hold.placed": { hold: string; covers: JsonObject; reason: string };
  /** One person asks; `accounts`: every account that is known to be theirs; `as`: what else than the configuration made them an operator then, their issuer's groups or the state folder. */
  "hold.asked": {
    hold: string;
    reason: string;
    person: string;
    accounts: readonly Account[];
    expires: string;
    as?: readonly string[];
  };
  /** Another person agreed: from here on it holds nothing. `asked`: the index of the entry that asked. */
  "hold.released": { hold: string; reason: string; person: string; accounts: readonly Account[]; asked: number };
  /** A checkpoint of `size` entries and this root (hex) is kept elsewhere; `at` is when it was signed, `receipt` what the anchor gave for it. */
  "checkpoint.anchored": {
    anchor: string;
    destination: string;
    place: string;
    size: number;
    root: string;
    at: string;
    receipt: JsonObject;
  };
  /** The record was compared with a cluster's own audit log. `log` is the SHA-256 of the files that were read, hex. */
  "reconcile.ran": {
    cluster: string;
    from: string;
    to: string;
    log: string;
    events: number;
    namespaces: readonly string[];
    calls: number;
    theft: number;
    bypass: number;
    missing: number;
    differ: number;
    /** Requests of the log from before `purgedBefore`, a day: nothing was said of them. Absent where there were none. */
    notJudged?: number;
    purgedBefore?: string;
  };
  /** A person reviewed the record (NIST SP 800-53, AU-6). `scope`: a query in the words of `transcript search`; `entries`: how many answered it in the tree of this size and root (hex). */
  "review.completed": { scope: JsonObject; findings: string; entries: number; size: number; root: string };
  /** A person's Slack user and their account are one person from now on; the entry's principal is that person. */
  "identity.linked": { team: string; user: string; issuer: string; subject: string; until: string };
  "identity.unlinked": { team: string; user: string; issuer: string; subject: string; why: string };
  /** Our clock was compared with a cluster's (NIST SP 800-53, AU-8). In milliseconds; `offset` is ours minus theirs. */
  "clock.checked": { source: string; offset: number; uncertainty: number; limit: number; within: boolean };
  "audit.degraded": { reason: string };
  /** `bodies`: commitments of bodies that a crash took with it. */
  "audit.recovered": { repaired: number; bodies?: readonly string[] };
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
    /** What is to be sealed beside the entry: masked. */
    readonly body?: { readonly class: BodyClass; readonly text: string };
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
