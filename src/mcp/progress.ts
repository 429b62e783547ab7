// Tells a waiting client that its call is alive: soon after it began, then at a steady beat, and when there is news.

import type { Part } from "../domain/call.ts";

export interface Beat {
  /** Milliseconds until the first notification; under a second, so that a client sees at once that it will be told. */
  readonly first: number;
  /** Milliseconds between the following ones. */
  readonly every: number;
}

export const standardBeat: Beat = { first: 700, every: 10_000 };

/** Milliseconds between two notifications at least. */
const shortest = 1_000;

export interface Reporter {
  /** Sends the words at once; where the last notification is under a second old, the newest words as soon as it is not. */
  readonly report: (message: string, part?: Part) => void;
  readonly stop: () => void;
}

export type SendProgress = (notice: {
  readonly progress: number;
  readonly total?: number;
  readonly message: string;
}) => Promise<void>;

/** `progress` rises with each notification and never passes `total` (MCP 2025-11-25, "Progress"). Stops by itself when the client can't be reached. */
export function startProgress(send: SendProgress, now: () => number, beat: Beat): Reporter {
  const counting = risingCounts();
  let lastSent = Number.NEGATIVE_INFINITY;
  let words = "working";
  let part: Part | null = null;
  let stopped = false;
  let timer = setTimeout(tell, beat.first);

  function tell(): void {
    if (stopped) return;
    clearTimeout(timer);
    timer = setTimeout(tell, beat.every);
    lastSent = now();
    send({ ...counting(part), message: words }).catch(stop);
  }
  function stop(): void {
    stopped = true;
    clearTimeout(timer);
  }
  return {
    report(message, given) {
      if (stopped) return;
      words = message;
      if (given !== undefined) part = given;
      const wait = lastSent + shortest - now();
      if (wait <= 0) return tell();
      clearTimeout(timer);
      timer = setTimeout(tell, wait);
    },
    stop,
  };
}

/** The next number, above all before it. A part that is known counts on from where the beats had come to, and a beat without news goes half the way to its next step. */
function risingCounts(): (part: Part | null) => { progress: number; total?: number } {
  let last = 0;
  let base: number | null = null;
  return (part) => {
    if (part === null || !(part.total > 0)) return { progress: (last += 1) };
    base ??= last;
    const total = base + part.total;
    const reached = base + Math.min(Math.max(0, part.done), part.total);
    if (reached > last) last = reached;
    // Whatever still comes after the whole is done has no known end.
    else if (last >= total) return { progress: (last += 1) };
    else {
      const between = (last + Math.floor(last) + 1) / 2;
      // Numbers are not halved for ever.
      if (between <= last || between >= Math.floor(last) + 1) return { progress: (last += 1) };
      last = between;
    }
    return { progress: last, total };
  };
}

/** For a client that asked for no progress. */
export const silent: Reporter = { report: () => {}, stop: () => {} };
