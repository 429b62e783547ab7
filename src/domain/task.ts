// A call that was answered by an id because it waits for a person or lasts, as its caller finds it by that id.

import type { ApprovalId, CallId } from "./ids.ts";
import type { Outcome } from "./outcome.ts";

export type TaskState =
  | {
      readonly kind: "working";
      readonly id: ApprovalId | CallId;
      /** What it waits for, or the tool's own last word. */
      readonly says: string;
      /** When the request for approval expires, in milliseconds since 1970; null where the call runs. */
      readonly until: number | null;
    }
  /** Its end, told once: whoever asks again finds it taken. */
  | { readonly kind: "ended"; readonly id: ApprovalId | CallId; readonly tool: string; readonly outcome: Outcome };
