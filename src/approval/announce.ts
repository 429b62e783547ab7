// Tells the channels, each by itself: one that is down or slow keeps neither the others nor the call.

import { setTimeout as pause } from "node:timers/promises";
import type { Channel } from "./channels/contract.ts";
import type { ApprovalStore } from "./stores/contract.ts";

export interface Unreached {
  readonly channel: string;
  readonly why: string;
}

const longestTelling = 2000;

/** Tells all channels at once and answers those that failed, or took longer than two seconds. */
export async function announce(
  channels: readonly Channel[],
  say: (channel: Channel) => Promise<void>,
): Promise<readonly Unreached[]> {
  const told = await Promise.allSettled(channels.map(async (channel) => await inTime(say(channel))));
  return told.flatMap((one, index) => {
    if (one.status === "fulfilled") return [];
    const why = one.reason instanceof Error ? one.reason.message : String(one.reason);
    return [{ channel: channels[index]?.name ?? "", why }];
  });
}

/** Brings each change of a request to the channels, so that a card shows how it ended. Returns how to stop. */
export function keepChannelsUpdated(
  store: ApprovalStore,
  channels: readonly Channel[],
  onUnreached: (unreached: readonly Unreached[]) => void,
): () => void {
  return store.onChange((request, before) => {
    if (before === null) return;
    const ran = before.ran === undefined && request.ran !== undefined;
    if (before.state === request.state && before.verdicts.length === request.verdicts.length && !ran) return;
    void announce(channels, (channel) => channel.update(request)).then(onUnreached);
  });
}

async function inTime(telling: Promise<void>): Promise<void> {
  const waiting = new AbortController();
  const tooLate = pause(longestTelling, undefined, { signal: waiting.signal, ref: false }).then(
    () => Promise.reject(new Error("took longer than two seconds")),
    () => undefined,
  );
  try {
    await Promise.race([telling, tooLate]);
  } finally {
    waiting.abort();
  }
}
