// Something fetched and kept: one look at a time, looked for again before it is old, and never believed beyond a bound.

import type { Standing } from "./verifiers/contract.ts";

export type Loaded<T> =
  | { readonly kind: "loaded"; readonly value: T }
  | { readonly kind: "failed"; readonly why: string };

export interface Kept<T> {
  /** What is there, young enough to count; null where nothing is. Looks behind the answer where it should. */
  current(): T | null;
  /** As `current`, but where nothing is it looks. */
  get(): Promise<T | null>;
  /** As `get`, but after a look that failed it waits for none: whoever is away holds a caller up once. */
  soon(): Promise<T | null>;
  /** Looks once more, or joins a look that runs; null where the last one was too short ago, or found nothing. */
  again(): Promise<T | null>;
  /** Is something there that counts? Where not, a look begins. */
  standing(): Standing;
}

export interface KeepOptions<T> {
  /** Never rejects. */
  readonly load: () => Promise<Loaded<T>>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Told of each look that failed. */
  readonly failed: (why: string) => void;
}

/** Milliseconds. */
const times = {
  /** From this age on it is looked for again behind the answers. */
  fresh: 10 * 60_000,
  /** What is older counts for nothing. */
  oldest: 60 * 60_000,
  /** Between two looks that a caller causes. */
  again: 30_000,
  /** After a failed look nobody looks for so long. */
  coolDown: 10_000,
};

/** Keeps what `load` finds. Nothing is looked for before somebody asks. */
export function keepFresh<T>({ load, now, failed }: KeepOptions<T>): Kept<T> {
  let there: { readonly value: T; readonly at: number } | null = null;
  let flight: Promise<T | null> | null = null;
  let last = { began: -Infinity, failedAt: -Infinity, why: "it was not asked yet" };

  async function run(): Promise<T | null> {
    const began = now();
    last = { ...last, began };
    const loaded = await load();
    if (loaded.kind === "failed") {
      last = { began, failedAt: now(), why: loaded.why };
      failed(loaded.why);
      return null;
    }
    // As old as the question, not as the answer: what is withdrawn meanwhile does not live longer for a slow network.
    there = { value: loaded.value, at: began };
    last = { ...last, failedAt: -Infinity };
    return loaded.value;
  }
  const look = (): Promise<T | null> => {
    flight ??= run().finally(() => (flight = null));
    return flight;
  };
  /** A clock that was set back makes things old, never young. */
  const younger = (at: number, than: number): boolean => now() - at >= 0 && now() - at < than;
  const cooling = (): boolean => younger(last.failedAt, times.coolDown);
  const usable = (): { readonly value: T; readonly at: number } | null =>
    there !== null && younger(there.at, times.oldest) ? there : null;

  const current = (): T | null => {
    const found = usable();
    if (found === null) return null;
    if (!younger(found.at, times.fresh) && !cooling()) void look();
    return found.value;
  };

  return {
    current,
    async get() {
      return current() ?? (cooling() ? null : await look());
    },
    async soon() {
      const found = current();
      if (found !== null || cooling()) return found;
      const looking = look();
      return last.failedAt === -Infinity ? await looking : null;
    },
    async again() {
      if (flight === null && younger(last.began, times.again)) return null;
      return await look();
    },
    standing() {
      if (usable() !== null) return { kind: "ready" };
      if (!cooling()) void look();
      return { kind: "waiting", why: last.why };
    },
  };
}
