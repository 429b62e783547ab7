// Does something again and again, one round at a time, without keeping the process alive for it.

export interface Rounds {
  /** No round begins after this; returns when the one that runs has ended. */
  stop(): Promise<void>;
}

/** Runs `round`, which must not reject, every so many milliseconds; a round that takes longer delays the next. */
export function everySoOften(milliseconds: number, round: () => Promise<void>): Rounds {
  let running: Promise<void> | null = null;
  const timer = setInterval(() => {
    running ??= round().finally(() => (running = null));
  }, milliseconds);
  timer.unref();
  return {
    async stop() {
      clearInterval(timer);
      await running;
    },
  };
}
