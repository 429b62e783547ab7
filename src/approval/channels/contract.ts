// What every channel does: it carries a request to people. Answers come back through verdict.ts, never through here.

import type { Desk } from "../desk.ts";
import type { KeptRequest } from "../stores/contract.ts";

export interface Channel {
  readonly name: string;
  /** Shows a new request, or one that others may answer too from now on. Returns within two seconds; what takes longer is the channel's own to queue. */
  tell(request: KeptRequest): Promise<void>;
  /** Shows how a request that it was told of stands now. */
  update(request: KeptRequest): Promise<void>;
  /** Called once, when the gateway can be asked; absent where the channel carries no answers back. It waits for nothing outside. Fault: internal, where what the channel keeps on disk can't be trusted. */
  open?(desk: Desk): Promise<void>;
  /** "" while its other end answers, as far as was tried last, else `channel_unavailable`; asks nobody. Absent where there is no other end. */
  standing?(): "" | "channel_unavailable";
  /** Lets go of connections and timers; what is queued stays on disk. */
  close?(): Promise<void>;
}
