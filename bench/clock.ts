// How the benchmarks take times: in milliseconds, the measured and its floor by turns, so that a busy machine slows both.

export const round = (value: number, digits = 2): number => Number(value.toFixed(digits));

/** The value below which this share of the values lies. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export const median = (values: readonly number[]): number => percentile(values, 0.5);

export async function timed(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}

/** A busy machine gets fewer rounds, not a longer run: milliseconds for the rounds of one comparison. */
const patience = 20_000;

/** Times of each work, taken by turns: at most `rounds` of them, after a tenth as many that do not count. */
export async function byTurns(
  rounds: number,
  works: readonly (() => Promise<unknown>)[],
): Promise<readonly (readonly number[])[]> {
  const times = works.map((): number[] => []);
  const warmUp = Math.ceil(rounds / 10);
  const begun = performance.now();
  for (let turn = 0; turn < warmUp + rounds && performance.now() - begun < patience; turn++)
    for (const [index, work] of works.entries()) {
      const took = await timed(work);
      if (turn >= warmUp) times[index]?.push(took);
    }
  return times;
}

/** All at once. */
export async function atOnce(count: number, work: () => Promise<unknown>): Promise<void> {
  await Promise.all(Array.from({ length: count }, () => work()));
}

/** How often `work` ended within the time, with `workers` of them always under way. */
export async function perSecond(
  milliseconds: number,
  workers: number,
  work: () => Promise<unknown>,
): Promise<{ readonly rate: number; readonly calls: number; readonly took: number }> {
  const begun = performance.now();
  let done = 0;
  await atOnce(workers, async () => {
    while (performance.now() - begun < milliseconds) {
      await work();
      done += 1;
    }
  });
  const took = performance.now() - begun;
  return { rate: (done * 1000) / took, calls: done, took };
}

/** At most `count` times and for about that many milliseconds, `workers` of them always under way; returns how many. */
export async function times(
  count: number,
  milliseconds: number,
  workers: number,
  work: () => Promise<unknown>,
): Promise<number> {
  const started = performance.now();
  let begun = 0;
  await atOnce(workers, async () => {
    while (begun < count && performance.now() - started < milliseconds) {
      begun += 1;
      await work();
    }
  });
  return begun;
}
