// Tells a waiting client that its call is alive: soon after it began, then at a steady beat.

export interface Beat {
  /** Milliseconds until the first notification; under a second, so that a client sees at once that it will be told. */
  readonly first: number;
  /** Milliseconds between the following ones. */
  readonly every: number;
}

export const standardBeat: Beat = { first: 700, every: 10_000 };

export interface Reporter {
  /** Sends the words at once, unless the last notification is under a second old; then the next beat carries them. */
  readonly report: (message: string) => void;
  readonly stop: () => void;
}

/** `progress` rises with each notification (MCP 2025-11-25, "Progress"). Stops by itself when the client can't be reached. */
export function startProgress(
  send: (progress: number, message: string) => Promise<void>,
  now: () => number,
  beat: Beat,
): Reporter {
  let sent = 0;
  let lastSent = Number.NEGATIVE_INFINITY;
  let words = "working";
  let stopped = false;
  let timer = setTimeout(tick, beat.first);

  function tell(): void {
    if (stopped) return;
    sent += 1;
    lastSent = now();
    send(sent, words).catch(stop);
  }
  function tick(): void {
    tell();
    timer = setTimeout(tick, beat.every);
  }
  function stop(): void {
    stopped = true;
    clearTimeout(timer);
  }
  return {
    report(message) {
      words = message;
      if (now() - lastSent >= 1_000) tell();
    },
    stop,
  };
}

/** For a client that asked for no progress. */
export const silent: Reporter = { report: () => {}, stop: () => {} };
