// Is this gateway ready? Each dependency is tried by itself, at most once in a while, and what was seen last is what is told.

/** Something that the gateway stands on. */
export interface Dependency {
  /** Words of ours, and the operator's own name of it: `transcript`, `cluster prod`. */
  readonly name: string;
  /** `each`: without it nothing works. `told`: something else stands in for it, so that it is said and decides nothing. Of all others of one kind one is enough, so that one dead cluster takes no other's calls away. */
  readonly kind: "each" | "told" | "cluster" | "issuer";
  /** "" where it answers as it should, else why not in a word of ours: a fault's code, never an address and nobody else's words. May take its time; told to stop by the signal. */
  readonly probe: (signal: AbortSignal) => Promise<string>;
}

/** What was seen of one when it was last tried. */
export interface Seen {
  readonly name: string;
  readonly ok: boolean;
  /** "" where it is well. */
  readonly why: string;
  /** When that was seen: milliseconds since 1970; null where it has not been tried to an end yet. */
  readonly at: number | null;
}

export interface Readiness {
  /** What was seen last; a look that is older than it may be starts the next one, and is waited for a moment only where there is none. */
  look(): Promise<{ readonly ready: boolean; readonly dependencies: readonly Seen[] }>;
  close(): Promise<void>;
}

export interface ReadinessOptions {
  readonly dependencies: readonly Dependency[];
  readonly now: () => number;
  /** Milliseconds that a look is good for. Default 15 s. */
  readonly every?: number;
  /** Milliseconds that one dependency may take. Default 5 s. */
  readonly patience?: number;
}

/** Opens it; nothing is tried before the first look is asked for. */
export function openReadiness(options: ReadinessOptions): Readiness {
  const { dependencies, now, every = 15_000, patience = 5_000 } = options;
  const closing = new AbortController();
  const seen = new Map<Dependency, Seen>();
  let [flight, begun]: [Promise<unknown> | null, number] = [null, Number.NEGATIVE_INFINITY];

  async function tryOne(dependency: Dependency): Promise<void> {
    const { name } = dependency;
    const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(patience)]);
    const why = await endedBy(dependency.probe(signal), signal);
    seen.set(dependency, { name, ok: why === "", why, at: now() });
  }
  function start(): Promise<unknown> {
    begun = now();
    flight = Promise.all(dependencies.map(tryOne)).finally(() => (flight = null));
    return flight;
  }
  return {
    async look() {
      // A clock that was set back must not keep an old look alive.
      const due = now() - begun >= every || now() < begun;
      const trying = flight ?? (due && !closing.signal.aborted ? start() : null);
      const stale = dependencies.some((one) => now() - (seen.get(one)?.at ?? Number.NEGATIVE_INFINITY) >= 4 * every);
      if (trying !== null && stale) await trying;
      const found = dependencies.map((one) => seen.get(one) ?? { name: one.name, ok: false, why: "untried", at: null });
      return { ready: isReady(dependencies, found), dependencies: found };
    },
    async close() {
      closing.abort();
      await flight;
    },
  };
}

/** What the probe said, or that it said nothing in time; a probe that breaks has failed. */
async function endedBy(probe: Promise<string>, signal: AbortSignal): Promise<string> {
  const over = new AbortController();
  const late = new Promise<string>((resolve) => {
    signal.addEventListener("abort", () => resolve("deadline_exceeded"), { once: true, signal: over.signal });
  });
  try {
    return await Promise.race([probe.catch(() => "internal"), late]);
  } finally {
    over.abort();
  }
}

function isReady(dependencies: readonly Dependency[], found: readonly Seen[]): boolean {
  const okOf = (kind: Dependency["kind"]): readonly boolean[] =>
    found.filter((_, index) => dependencies[index]?.kind === kind).map((one) => one.ok);
  const one = (all: readonly boolean[]): boolean => all.length === 0 || all.includes(true);
  return !okOf("each").includes(false) && one(okOf("cluster")) && one(okOf("issuer"));
}
