// What every channel does: it carries a request to people. Answers come back through verdict.ts, never through here.

import type { KeptRequest } from "../stores/contract.ts";

export interface Channel {
  readonly name: string;
  /** Shows a new request. Returns within two seconds; what takes longer is the channel's own to queue. */
  tell(request: KeptRequest): Promise<void>;
  /** Shows how a request that it was told of stands now. */
  update(request: KeptRequest): Promise<void>;
}
