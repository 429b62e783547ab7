// What a caller may read back of its own call: what was decided, what came of it, and where that stands on record.

import type { EffectLeft } from "./fault.ts";
import type { Masked } from "./output.ts";

export interface CallReceipt {
  readonly call: string;
  readonly tool: string;
  /** "" where the call named none that it may, or where the record does not say. */
  readonly cluster: string;
  readonly preview: boolean;
  /** The last answer of policy, without its rules; "" where the call was refused before it was asked. */
  readonly decision: "allow" | "require-approval" | "deny" | "";
  readonly approval: string | null;
  /** `open`: it runs or waits for a person. */
  readonly outcome: "completed" | "failed" | "refused" | "unknown" | "open";
  readonly code: string;
  readonly effect: EffectLeft;
  /** RFC 3339, UTC. */
  readonly receivedAt: string;
  readonly endedAt: string | null;
  readonly objects: readonly { readonly kind: string; readonly namespace: string; readonly name: string }[];
  readonly masked: readonly Masked[];
  /** What it did or would do, a line each, as it was recorded: masked. */
  readonly diff: readonly string[];
  /** Its entries: kind, and 0-based position in the tree. */
  readonly entries: readonly { readonly kind: string; readonly index: number }[];
  /** The newest signed head, as the checkpoint's file has it: entries below `size` are under it. */
  readonly checkpoint: { readonly origin: string; readonly size: number; readonly root: string } | null;
}
