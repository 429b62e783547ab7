// One write of a run, as it was sent and answered: what the diff, the card and the entry are made from.

import type { JsonObject } from "../domain/json.ts";
import type { ObjectRef } from "../tool.ts";
import type { ExecMatter } from "./exec.ts";

/** A field that another manager kept until this write. Both are the cluster's words. */
export interface Taken {
  readonly field: string;
  readonly manager: string;
}

/** One write as it was sent and answered: both sides masked. */
export interface Write {
  readonly ref: ObjectRef;
  readonly subresource: string;
  /** null where it was created. */
  readonly before: JsonObject | null;
  /** null where it was deleted. */
  readonly after: JsonObject | null;
  /** What it took from other field managers. */
  readonly taken: readonly Taken[];
  /** The fields that the body named, masked like the answer; null where it named none. */
  readonly sent: JsonObject | null;
  readonly warnings: readonly string[];
  /** Of a command: what was agreed, instead of what a diff would show. */
  readonly exec?: ExecMatter;
  /** A pod that went by eviction. */
  readonly evicted?: boolean;
}
