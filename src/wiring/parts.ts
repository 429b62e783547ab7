// What the stages of every call are made of: it lives as long as the gateway.

import type { KeyObject } from "node:crypto";
import type { ApprovalStore } from "../approval/stores/contract.ts";
import type { Permitted } from "../catalogue.ts";
import type { CallRequest } from "../domain/call.ts";
import type { Append } from "../domain/entry.ts";
import type { Fault } from "../domain/fault.ts";
import type { GrantId } from "../domain/ids.ts";
import type { Masking } from "../masking/mask.ts";
import type { Stages } from "../pipeline.ts";
import type { Policy } from "../policy/policy.ts";
import type { Gateway as KitGateway, Tool } from "../tool.ts";
import type { Clusters } from "./clusters.ts";
import type { Sessions } from "./sessions.ts";
import type { TakingBack } from "./taking-back.ts";

export interface Parts {
  readonly tools: ReadonlyMap<string, Tool>;
  readonly clusters: Clusters;
  /** The clusters in which some call of the tool could succeed for the caller. */
  readonly permitted: Permitted;
  readonly policy: () => Policy;
  readonly sessions: Sessions;
  /** In force now: a call holds on to what this answers when it begins. */
  readonly masking: () => Masking;
  readonly append: Append;
  readonly takingBack: Pick<TakingBack, "soon">;
  readonly store: ApprovalStore;
  readonly environmentLabel: string;
  /** The gateway's own keys: for call digests and for cursors. */
  readonly digestKey: KeyObject;
  readonly cursorKey: Uint8Array;
  readonly newGrantId: () => GrantId;
  readonly now: () => number;
  readonly closing: AbortSignal;
  /** Aborted once no answer is held for a person any more, at the latest with `closing`. */
  readonly holding: AbortSignal;
  /** Milliseconds that a call may take; each of its requests half of that. */
  readonly deadline: number;
  /** Aborts at the deadline of a call that begins now. */
  readonly deadlineSignal: () => AbortSignal;
  readonly log: (fault: Fault, call: string) => void;
}

/** What the approval stage adds: it needs the line itself, so it is given after it. */
export interface Waiting {
  readonly seek: Stages["seek"];
  readonly gatewayFor: (request: CallRequest, cluster: string) => KitGateway;
}
