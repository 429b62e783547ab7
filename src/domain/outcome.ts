// How a call ended.

import type { ApprovalId, CallId } from "./ids.ts";
import type { EffectLeft, Fault } from "./fault.ts";
import type { MaskedOutput } from "./output.ts";

export type Outcome =
  | {
      readonly kind: "completed";
      readonly call: CallId;
      readonly output: MaskedOutput;
      readonly effect: EffectLeft;
      /** Served with the kubeconfig's own credential, not with a grant: said on the answer. */
      readonly ambient: boolean;
    }
  /** Waits for a person; the call runs by itself once approved. */
  | {
      readonly kind: "suspended";
      readonly call: CallId;
      readonly approval: ApprovalId;
      /** Milliseconds since 1970. */
      readonly expiresAt: number;
      /** Where it can be seen and decided. */
      readonly where: string;
    }
  /** It runs on, longer than its caller is held: what comes of it is heard by `approval_wait` with `id`. */
  | {
      readonly kind: "running";
      readonly call: CallId;
      readonly id: ApprovalId | CallId;
      readonly tool: string;
      /** The tool's own last word, ours but for names. */
      readonly progress: string;
      /** Milliseconds since 1970. */
      readonly since: number;
    }
  /** It did not run. */
  | { readonly kind: "refused"; readonly call: CallId; readonly fault: Fault }
  /** It ran, or tried to. */
  | { readonly kind: "failed"; readonly call: CallId; readonly fault: Fault };
