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
  /** Who may answer too once nobody has for so long, in the order of their times; absent where the rule names none. */
  readonly escalate?: readonly Escalation[];
}

export interface Escalation {
  /** Seconds after the request. */
  readonly after: number;
  /** As `approvers`. */
  readonly to: readonly string[];
}

export interface Obligations {
  /** Most bytes of output an answer may hold; null for the tool's own cap. */
  readonly maxBytes: number | null;
  /** Masking profiles, by name, that hide besides the configured one: of several, whatever any of them hides. */
  readonly mask: readonly string[];
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
  /** The caller's session up to this call; absent where no rule asks for it. */
  readonly session?: SessionFact;
  /** Milliseconds since 1970; absent where no rule asks for the time. */
  readonly now?: number;
}

/** What a session has done before this call. */
export interface SessionFact {
  /** Seconds since its first call. */
  readonly age: number;
  readonly calls: number;
  /** Calls that wrote something, or may have. */
  readonly changes: number;
  readonly denied: number;
  /** Has it read text that a stranger may have written (logs, events, annotations)? */
  readonly tainted: boolean;
}

export interface ObjectFact {
  readonly access: Access;
  readonly exists: boolean;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly labels: { readonly [key: string]: string };
  /** Only those that a rule names; absent where none does. */
  readonly annotations?: { readonly [key: string]: string };
}

export interface NamespaceFact {
  readonly cluster: string;
  readonly name: string;
  readonly exists: boolean;
  readonly labels: { readonly [key: string]: string };
  /** From the namespace's environment label; "" where there is none. */
  readonly environment: string;
}

/** What the writes of one call would do together, read from the objects before and after their rehearsal. */
export interface ChangeFact {
  /** The one count that changes; null where none does, and where several do: `scaled` has them all. */
  readonly replicas: { readonly from: number; readonly to: number } | null;
  /** The paths that the diff touches. */
  readonly paths: readonly string[];
  /** Every replica count that changes; 0 on the side where the object is not there. */
  readonly scaled: readonly { readonly from: number; readonly to: number }[];
  /** Every image that changes, at whatever depth; "" where there was none or is none any more. */
  readonly images: readonly { readonly from: string; readonly to: string }[];
  /** Names of the environment variables that are added, changed or removed; "envFrom" where a whole source is. */
  readonly envNames: readonly string[];
  /** Does a securityContext change, of a pod or of a container? */
  readonly securityContext: boolean;
  /** Every ServiceAccount that pods run as and that changes; "" where none was or is named, which is the namespace's default. */
  readonly serviceAccounts: readonly { readonly from: string; readonly to: string }[];
  /** Names of the volumes that are added, changed or removed. */
  readonly volumes: readonly string[];
  /** Are owners written? */
  readonly owners: boolean;
  /** Are finalizers written? */
  readonly finalizers: boolean;
  /** Why it needs a person whatever the rules allow, in our words; absent where nothing asks for one. */
  readonly alwaysAsks?: readonly string[];
}
