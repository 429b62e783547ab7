// What policy answers, and what it answered on.

import type { Access } from "./access.ts";

/** How strongly an approver was known to be themselves, weakest first (approval.md). */
export const assurances = ["same-device", "chat", "step-up"] as const;
export type Assurance = (typeof assurances)[number];

/** Who must agree, how many of them, by when. Times in seconds. */
export interface Requirement {
  readonly rule: string;
  /** `group:NAME`, `user:SUBJECT`, or `owner` for the person who runs a single-user gateway. */
  readonly approvers: readonly string[];
  readonly count: number;
  readonly expires: number;
  readonly validFor: number;
  readonly assurance: Assurance;
}

export interface Obligations {
  /** Most bytes of output an answer may hold; null for the tool's own cap. */
  readonly maxBytes: number | null;
}

export interface Decision {
  readonly effect: "allow" | "require-approval" | "deny";
  /** Every rule and forbid that took part, in the order of their files. */
  readonly rules: readonly string[];
  /** The forbid that answered, when one did: no rule and no approval lifts it. */
  readonly forbid: string | null;
  /** All requirements must be met; empty unless the effect is require-approval. */
  readonly requirements: readonly Requirement[];
  readonly obligations: Obligations;
  /** The rule author's words for the agent, or null. */
  readonly tell: string | null;
  /** Rules whose expression failed: in an allow it did not match, in a deny or approval it did. */
  readonly errors: readonly string[];
  /** Optional accesses that were not allowed: left out of the grant, counted, unnamed. */
  readonly dropped: readonly Access[];
  /** SHA-256 of the policy that answered, hex. */
  readonly policy: string;
}

/** What was looked up in the cluster for the decision. A fact that was not looked up is absent. */
export interface Facts {
  /** The objects that the accesses name, by `cluster/resource/namespace/name`. */
  readonly objects: readonly ObjectFact[];
  readonly namespaces: readonly NamespaceFact[];
  /** Only after the preview: what the write would do. */
  readonly change: ChangeFact | null;
}

export interface ObjectFact {
  readonly access: Access;
  readonly exists: boolean;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly labels: { readonly [key: string]: string };
}

export interface NamespaceFact {
  readonly cluster: string;
  readonly name: string;
  readonly exists: boolean;
  readonly labels: { readonly [key: string]: string };
  /** From the namespace's environment label; "" where there is none. */
  readonly environment: string;
}

export interface ChangeFact {
  readonly replicas: { readonly from: number; readonly to: number } | null;
  /** The paths that the diff touches. */
  readonly paths: readonly string[];
}
