// The windows that are open: for whom, over which request. One that this process did not open counts for nothing.

import type { ApprovalId } from "../../../domain/ids.ts";
import type { callbacks } from "./modals.ts";

export interface OpenedView {
  readonly id: ApprovalId;
  /** The Slack user that it was opened for: nobody else submits it. */
  readonly user: string;
  readonly kind: (typeof callbacks)[keyof typeof callbacks];
  readonly nonce: string;
  /** The channel of the card under it. */
  readonly from: { readonly channel: string } | undefined;
  /** Milliseconds since 1970. */
  readonly at: number;
}

export interface Views {
  open(view: string, opened: OpenedView): void;
  get(view: string): OpenedView | undefined;
  /** Of its own user alone. */
  close(view: string, user: string): void;
}

const longest = 30 * 60_000;
const most = 2000;

export function openViews(now: () => number): Views {
  const all = new Map<string, OpenedView>();
  return {
    open(view, opened) {
      // In the order of their opening: the oldest stand first.
      for (const [old, { at }] of all) {
        if (now() - at < longest && all.size < most) break;
        all.delete(old);
      }
      all.set(view, opened);
    },
    get(view) {
      const found = all.get(view);
      return found !== undefined && now() - found.at < longest ? found : undefined;
    },
    close(view, user) {
      if (all.get(view)?.user === user) all.delete(view);
    },
  };
}
