// What the run of a call gives on its way: a rehearsal, what the tool gave back, how it ended.

import type { Precondition } from "./call.ts";
import type { ChangeFact } from "./decision.ts";
import type { EffectLeft, Fault } from "./fault.ts";
import type { Grant } from "./grant.ts";
import type { Change, Masked, MaskedOutput, Output, Sentence } from "./output.ts";

/** What a change would do: made by a server-side dry run under an account that can do nothing else. */
export interface Preview {
  readonly output: Output;
  readonly changes: readonly Change[];
  readonly checks: readonly Sentence[];
  readonly undo: string;
  readonly change: ChangeFact | null;
  readonly preconditions: readonly Precondition[];
  /** SHA-256 over the changes, hex; the same changes give the same digest. */
  readonly digest: string;
}

/** What a tool gave back, not yet masked for the last time; or what broke it off once a write had been answered. */
export type Executed =
  | { readonly kind: "ran"; readonly output: Output; readonly changes: readonly Change[] }
  | { readonly kind: "broke"; readonly thrown: unknown; readonly changes: readonly Change[] };

/** What a command wrote to one of its streams in one stretch of time: whole lines, masked. */
export interface StreamSegment {
  readonly stream: "stdout" | "stderr";
  /** Milliseconds since the command began: when the first of it came, and the last. */
  readonly from: number;
  readonly to: number;
  readonly text: string;
  readonly masked: readonly Masked[];
}

/** How the run of an authorised call ended, before it is recorded. */
export interface Ended {
  readonly grant: Grant | null;
  /** Are all objects of the grant gone? null where there was nothing to remove. */
  readonly revoked: boolean | null;
  readonly effect: EffectLeft;
  readonly changes: readonly Change[];
  /** Those of them that are not what their rehearsal had shown. */
  readonly other: readonly Change[];
  readonly result: { readonly output: MaskedOutput } | { readonly fault: Fault };
}
