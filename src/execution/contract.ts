// What execution needs of the rest: a client a cluster, masking of whatever comes in, and nothing of policy.

import type { JsonObject } from "../domain/json.ts";
import type { Masked } from "../domain/output.ts";
import type { KubeClient } from "../kubernetes/contract.ts";

/** Masks what the cluster sends, the moment it arrives. Faults: output_withheld. */
export interface MaskIncoming {
  object(value: JsonObject): JsonObject;
  /** As an earlier answer of this session showed it, whatever this call's own arguments hold. For comparison alone: it goes into no answer. */
  asRead(value: JsonObject): JsonObject;
  cell(column: string, text: string): string;
  text(text: string): string;
  /** As `text` of all of them joined, piece by piece: what is hidden over several stands in the last of them. */
  pieces(pieces: readonly string[]): readonly { readonly text: string; readonly masked: readonly Masked[] }[];
  /** As `text`, for logs: others run in between. */
  long(text: string): Promise<string>;
}

/** One cluster as execution uses it. */
export interface ReachedCluster {
  readonly client: KubeClient;
  /** The gateway's own read identity, for facts; never runs a call. Faults: credential_unavailable. */
  readonly readIdentity: (signal: AbortSignal) => Promise<string | null>;
}
