// Counts the strangers that were refused, so that none of them can fill the transcript.

/** They never write to the transcript one by one: a count each minute at most. `write` puts one on record. */
export function countStrangers(now: () => number, write: (count: number, since: string) => Promise<unknown>) {
  let [count, since] = [0, ""];
  async function flush(): Promise<void> {
    if (count === 0) return;
    const [counted, from] = [count, since];
    count = 0;
    await write(counted, from);
  }
  const timer = setInterval(() => void flush().catch(() => undefined), 60_000);
  timer.unref();
  return {
    count(): void {
      if (count === 0) since = new Date(now()).toISOString();
      count += 1;
    },
    flush,
    stop: () => clearInterval(timer),
  };
}
