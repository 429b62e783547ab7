// Counts what may come too often for an entry each: one entry a minute and a kind at most, so that nobody can fill the transcript.

/** How often the same thing came since the last entry about it. */
export interface Counted<T> {
  readonly about: T;
  readonly count: number;
  /** RFC 3339. */
  readonly since: string;
}

export interface Counting<T> {
  /** Counts one more of the kind that `key` names; `about` says what it is. */
  count(key: string, about: T): void;
  flush(): Promise<void>;
  stop(): void;
}

/** Kinds that are told apart at a time: beyond that they are counted together. */
const mostKinds = 10_000;

/** `write` puts the counts on record; where it can't, they are kept for the next minute. `others` is what the kinds beyond the most are counted as. */
export function countRolledUp<T>(
  now: () => number,
  others: T,
  write: (counted: readonly Counted<T>[]) => Promise<unknown>,
): Counting<T> {
  let counts = new Map<string, { about: T; count: number; since: string }>();
  function add(given: string, what: T, count: number, since: string): void {
    const isOther = counts.size >= mostKinds && !counts.has(given);
    const [key, about] = isOther ? ["", others] : [given, what];
    const found = counts.get(key);
    if (found === undefined) counts.set(key, { about, count, since });
    else {
      found.count += count;
      // RFC 3339 of one length and zone order as their texts do.
      if (since < found.since) found.since = since;
    }
  }
  async function flush(): Promise<void> {
    if (counts.size === 0) return;
    const written = counts;
    counts = new Map();
    try {
      await write([...written.values()]);
    } catch (thrown) {
      for (const [key, { about, count, since }] of written) add(key, about, count, since);
      throw thrown;
    }
  }
  const timer = setInterval(() => void flush().catch(() => undefined), 60_000);
  timer.unref();
  return {
    count: (key, about) => add(key, about, 1, new Date(now()).toISOString()),
    flush,
    stop: () => clearInterval(timer),
  };
}
