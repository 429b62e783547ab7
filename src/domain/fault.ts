// Why a call did not give what was asked: a code for the agent, a cause for the operator. The words are in mcp/render.ts.

import type { Json } from "./json.ts";

/** What the call left behind in the cluster. */
export type EffectLeft = "none" | "applied" | "unknown";

/** When the same call may be sent again: never, as it is, after a change, or later. */
export type Retry = "never" | "same" | "change" | "later";

/** Each code with its standing retry. The codes that the cluster causes follow tools.md, section 4. */
export const faultCodes = {
  invalid_input: "change",
  denied: "never",
  approval_pending: "same",
  approval_rejected: "never",
  approval_expired: "same",
  approval_withdrawn: "never",
  approval_stale: "same",
  limit_exceeded: "later",
  transcript_unavailable: "later",
  credential_unavailable: "later",
  preview_unavailable: "later",
  cluster_denied: "never",
  quota_exceeded: "change",
  admission_denied: "change",
  admission_unavailable: "later",
  namespace_terminating: "later",
  not_found: "change",
  unknown_kind: "change",
  already_exists: "change",
  conflict_fields: "change",
  stale: "same",
  cursor_expired: "same",
  invalid_object: "change",
  immutable_field: "change",
  no_logs: "later",
  metrics_unavailable: "later",
  exec_failed: "change",
  resize_unsupported: "change",
  eviction_blocked: "later",
  cluster_busy: "later",
  cluster_unavailable: "later",
  deadline_exceeded: "later",
  cancelled: "same",
  output_withheld: "never",
  internal: "never",
} as const satisfies Record<string, Retry>;

export type FaultCode = keyof typeof faultCodes;

export interface Fault {
  readonly code: FaultCode;
  readonly retry: Retry;
  readonly effect: EffectLeft;
  /** Facts for the renderer's sentence (kind, name, field, limit, seconds …). Cluster text among them is quoted and masked. */
  readonly detail: { readonly [key: string]: Json };
  /** For the operator's log, under the call id; never for the agent, never a secret. */
  readonly cause: string;
}

/** A fault with its code's standing retry; `effect` is `none` unless said. */
export function fault(code: FaultCode, detail: Fault["detail"] = {}, cause = "", effect: EffectLeft = "none"): Fault {
  return { code, retry: faultCodes[code], effect, detail, cause };
}

/** Carries a fault up from an adapter's edge to the pipeline, which alone catches it. */
export class Faulted extends Error {
  override readonly name = "Faulted";
  readonly fault: Fault;
  constructor(carried: Fault) {
    super(carried.code);
    this.fault = carried;
  }
}
