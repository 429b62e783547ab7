// When the next message to a channel, the next edit and the next opening of a conversation may go out: Slack's limits are per method, and for messages per channel too.

import type { Called } from "./call.ts";

/** The passing of time, for what waits. */
export interface Passing {
  /** Milliseconds that only go on, from wherever. */
  readonly steady: () => number;
  /** Resolves after so many milliseconds, or when the signal says so; it never rejects. */
  readonly rest: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

/** chat.postMessage, chat.update, conversations.open. */
export type Kind = "post" | "edit" | "open";

export interface Lanes {
  /** A new look at everything that waits, in its order. */
  begin(): void;
  /** Milliseconds until it may be used; 0 for now. Whoever is told to wait is not overtaken in this look. */
  early(kind: Kind, channel: string): number;
  /** It was used, and this came of it. */
  used(kind: Kind, channel: string, called: Called): void;
}

/** `pace`: milliseconds between two messages to one channel, and two edits (docs.slack.dev, "Rate limits"). */
export function openLanes({ steady }: Passing, pace: { readonly post: number; readonly edit: number }): Lanes {
  const readyAt = new Map<string, number>();
  /** Channels that Slack has limited, and until when. */
  const limited = new Map<string, number>();
  const waited = new Set<string>();
  const laneOf = (kind: Kind, channel: string): string => (kind === "post" ? `post ${channel}` : kind);
  const hold = (lane: string, milliseconds: number): void => {
    readyAt.set(lane, Math.max(readyAt.get(lane) ?? 0, steady() + milliseconds));
  };

  /** What Slack limits may be the channel or the whole method, and it does not say which: two channels at once are the method. */
  function limit(kind: Kind, channel: string, milliseconds: number): void {
    hold(laneOf(kind, channel), milliseconds);
    if (kind !== "post") return;
    for (const [other, until] of limited) if (until <= steady()) limited.delete(other);
    limited.set(channel, steady() + milliseconds);
    if (limited.size > 1) hold("post", milliseconds);
  }

  return {
    begin: () => waited.clear(),
    early(kind, channel) {
      const lane = laneOf(kind, channel);
      const ready = Math.max(readyAt.get(lane) ?? 0, readyAt.get(kind) ?? 0);
      const early = Math.max(ready - steady(), waited.has(lane) ? 1 : 0);
      if (early > 0) waited.add(lane);
      return early;
    },
    used(kind, channel, called) {
      hold(laneOf(kind, channel), kind === "open" ? 0 : pace[kind]);
      if (called.kind === "limited") limit(kind, channel, called.seconds * 1000);
    },
  };
}
