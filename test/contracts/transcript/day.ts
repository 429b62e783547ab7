// A day of one gateway, with every kind of entry at least once: for the golden transcript. Long: it is a list.

import { createHash } from "node:crypto";
import type { EntryDetails, EntryDraft, EntryKind } from "../../../src/domain/entry.ts";
import type { SessionId } from "../../../src/domain/ids.ts";
import {
  agent,
  approvedChange,
  callId,
  decided,
  digest,
  draft,
  granted,
  plainRead,
  received,
  revoked,
  session,
  settled,
} from "./support.ts";

export const dayStart = Date.parse("2026-03-01T08:00:00.000Z");

/** The same bytes in the same order for the same seed. */
export function seeded(seed: string): (count: number) => Uint8Array {
  let drawn = 0;
  return (count) => {
    const parts = [];
    for (let length = 0; length < count; length += 32)
      parts.push(createHash("sha256").update(`${seed} ${drawn++}`).digest());
    return Buffer.concat(parts).subarray(0, count);
  };
}

const own = <K extends EntryKind>(kind: K, details: EntryDetails[K]): EntryDraft => draft(kind, null, details);
const inSession = <K extends EntryKind>(kind: K, details: EntryDetails[K]): EntryDraft =>
  ({ kind, session: { id: session, door: "http" }, call: null, principal: agent, details }) as EntryDraft;
const owner = { ...agent, subject: "grace", actors: [], client: "terminal" };
const byOwner = <K extends EntryKind>(kind: K, details: EntryDetails[K]): EntryDraft =>
  ({ kind, session: null, call: null, principal: owner, details }) as EntryDraft;

const account = { agent: "coder", issuer: "https://id.example", subject: "coding-agent" };
const started = {
  version: "1.2.3",
  config: digest("c"),
  policy: digest("b"),
  repaired: 0,
  tools: digest("9"),
  work: [callId(0)],
};
const jobs: SessionId = "ses_01950000-0000-7000-8000-000000000002" as SessionId;

/** A request that nobody answers the way its caller hoped, to its end. */
function asked(call: string, approval: string, ...end: readonly EntryDraft[]): readonly EntryDraft[] {
  return [...approvedChange(call, approval, "").slice(0, 4), ...end];
}

/** A command that printed, to its end. */
const exec = { cluster: "shop", tool: "pods_exec" };
const segment = { tool: "pods_exec", stream: "stdout" as const, bytes: 36, masked: [{ type: "password", count: 1 }] };
const printed: readonly (readonly EntryDraft[])[] = [
  [received(callId(20), { ...exec, arguments: { namespace: "shop", name: "api-1", command: ["tail", "app.log"] } })],
  [decided(callId(20), { ...exec, effect: "execute", accesses: ["create pods/exec shop/api-1"], rules: ["run"] })],
  [granted(callId(20), "g20", { cluster: "shop", accesses: ["create pods/exec shop/api-1"] })],
  [
    draft("stream.segment", callId(20), { ...segment, from: 12, to: 900 }),
    draft("stream.segment", callId(20), { ...segment, stream: "stderr", from: 950, to: 950, masked: [], bytes: 8 }),
    settled(callId(20), { ...exec, effect: "applied", grant: "g20" }),
    revoked(callId(20), "g20"),
  ],
];

/** One append each. */
export const day: readonly (readonly EntryDraft[])[] = [
  [own("gateway.started", started)],
  [
    byOwner("agent.registered", {
      ...account,
      owner: "grace",
      purpose: "deploys the shop",
      expires: "2026-09-01T00:00:00.000Z",
      reviewBy: "2026-05-30T00:00:00.000Z",
    }),
  ],
  [own("identity.refused", { count: 3, since: "2026-03-01T08:00:10.000Z" })],
  [inSession("session.opened", { door: "http", client: "editor" })],
  plainRead(callId(1)).slice(0, 2),
  [
    draft("grant.issued", callId(1), {
      ...(granted(callId(1), "reader").details as EntryDetails["grant.issued"]),
      issuer: "reader",
      cluster: "shop",
    }),
  ],
  plainRead(callId(1)).slice(2),
  [received(callId(2), { cluster: "shop", tool: "objects_get", arguments: { kind: "Secret", name: "db" } })],
  [
    decided(callId(2), {
      cluster: "shop",
      tool: "objects_get",
      effect: "read",
      decision: "deny",
      rules: [],
      forbid: "secrets",
      code: "denied",
    }),
    settled(callId(2), { cluster: "shop", tool: "objects_get", outcome: "refused", code: "denied" }),
  ],
  ...approvedChange(callId(3), "apr_3", "g3").map((one) => [one]),
  asked(
    callId(4),
    "apr_4",
    draft("approval.notified", callId(4), { approval: "apr_4", after: 300, to: ["group:leads"] }),
    draft("approval.expired", callId(4), { approval: "apr_4" }),
  ),
  asked(callId(5), "apr_5", draft("approval.withdrawn", callId(5), { approval: "apr_5" })),
  asked(
    callId(6),
    "apr_6",
    draft("approval.stale", callId(6), { approval: "apr_6", changed: "the object was replaced" }),
    decided(callId(6), { code: "approval_stale" }),
    settled(callId(6), { outcome: "refused", code: "approval_stale" }),
  ),
  [
    own("identity.linked", {
      team: "T0SHOP",
      user: "U0GRACE",
      issuer: "https://id.example",
      subject: "grace",
      until: "2026-06-01T00:00:00.000Z",
    }),
  ],
  [
    own("identity.unlinked", {
      team: "T0SHOP",
      user: "U0GRACE",
      issuer: "https://id.example",
      subject: "grace",
      why: "unlinked by an operator",
    }),
  ],
  [own("limit.exceeded", { limit: "calls in a minute", count: 12, since: "2026-03-01T09:00:00.000Z" })],
  [own("policy.changed", { from: digest("b"), to: digest("a"), diff: "~ scale-production" })],
  [
    own("alert.raised", {
      alert: "policy refused",
      about: { kept: digest("a"), problems: ["policy.yaml:4:1: no such key"] },
    }),
  ],
  [inSession("evidence.viewed", { call: callId(3), found: true })],
  [own("audit.degraded", { reason: "entries can't be written: ENOSPC" }), own("audit.recovered", { repaired: 0 })],
  [
    { ...(received(callId(7)) as EntryDraft & { kind: "call.received" }), session: { id: jobs, door: "stdio" } },
    {
      ...(draft("call.unknown", callId(7), {
        reason: "the gateway stopped before it was settled",
        grant: "",
      }) as EntryDraft & { kind: "call.unknown" }),
      session: { id: jobs, door: "stdio" },
    },
  ],
  [draft("grant.swept", callId(7), { cluster: "shop", grant: "g7", objects: ["Role shop/run-g7"], why: "left over" })],
  [byOwner("agent.disabled", { ...account, reason: "lost laptop", now: true })],
  [byOwner("agent.enabled", { ...account, expires: "2026-09-01T00:00:00.000Z", reviewBy: "2026-05-30T00:00:00.000Z" })],
  [
    byOwner("agent.reviewed", {
      ...account,
      note: "still needed",
      expires: "2026-09-01T00:00:00.000Z",
      reviewBy: "2026-08-30T00:00:00.000Z",
    }),
  ],
  [
    byOwner("evidence.exported", {
      what: "keys of bodies",
      to: "x25519:0123456789abcdef",
      query: "session ses_01950000-0000-7000-8000-000000000001, classes output",
      count: 1,
      why: "audit of March",
    }),
  ],
  [byOwner("evidence.searched", { what: "transcript search", query: "--decision deny", count: 2, size: 60 })],
  [
    byOwner("evidence.verified", {
      what: "transcript verify",
      entries: 61,
      root: digest("5"),
      ok: true,
      verdicts: { FORMAT: "ok", EXTENT: "not-checked" },
      size: 61,
    }),
  ],
  [byOwner("hold.placed", { hold: "case-17", covers: { session: jobs }, reason: "incident of 3 March" })],
  [
    byOwner("retention.purged", {
      keys: ["0123456789abcdef0123456789abcdef"],
      classes: ["output"],
      before: "2025-01-01",
      session: "",
      why: "older than 400 days",
      due: true,
      kept: [{ hold: "case-17", keys: 1 }],
    }),
  ],
  [
    byOwner("reconcile.ran", {
      cluster: "shop",
      from: "2026-03-01T08:00:00.000Z",
      to: "2026-03-01T10:00:00.000Z",
      log: digest("7"),
      events: 4711,
      namespaces: ["prod"],
      calls: 7,
      theft: 0,
      bypass: 1,
      missing: 0,
      differ: 0,
    }),
  ],
  [
    own("checkpoint.anchored", {
      anchor: "vault",
      destination: "file",
      place: "/mnt/vault/checkpoints",
      size: 20,
      root: digest("5"),
      at: "2026-03-01T10:00:00.000Z",
      receipt: { path: "/mnt/vault/checkpoints", bytes: 412 },
    }),
  ],
  [
    byOwner("hold.asked", {
      hold: "case-17",
      reason: "case closed",
      person: "grace",
      accounts: [{ iss: "https://id.example", sub: "grace" }],
      expires: "2026-03-08T12:00:00.000Z",
    }),
    {
      ...byOwner("hold.released", {
        hold: "case-17",
        reason: "as agreed",
        person: "",
        accounts: [{ iss: "https://id.example", sub: "lin" }],
        asked: 60,
      }),
      principal: { ...owner, subject: "lin" },
    },
  ],
  [
    byOwner("review.completed", {
      scope: { since: "2026-03-01T00:00:00.000Z", until: "2026-03-02T00:00:00.000Z" },
      findings: "none",
      entries: 57,
      size: 60,
      root: digest("5"),
    }),
  ],
  [own("clock.checked", { source: "shop", offset: -212, uncertainty: 504, limit: 5_000, within: true })],
  ...printed,
  [inSession("session.closed", { reason: "idle, or its connection ended", calls: 6, changes: 1, denied: 1 })],
  [own("gateway.stopped", { reason: "signal" })],
  [
    own("gateway.started", { ...started, config: digest("8"), tools: digest("6") }),
    own("config.changed", { from: digest("c"), to: digest("8") }),
    own("tool.changed", { from: digest("9"), to: digest("6") }),
  ],
];
