// Progress as a client hears it: rising, within its whole, not too often, and never after the end.

import * as fc from "fast-check";
import { afterEach, beforeEach, expect, vi } from "vitest";
import { startProgress } from "../../src/mcp/progress.ts";
import { promise } from "../support/promise.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

interface Notice {
  readonly at: number;
  readonly progress: number;
  readonly total?: number;
  readonly message: string;
}

function started(fails = false) {
  const heard: Notice[] = [];
  const begun = Date.now();
  const reporter = startProgress(
    async (notice) => {
      heard.push({ at: Date.now() - begun, ...notice });
      if (fails) throw new Error("the client is gone");
    },
    () => Date.now(),
    { first: 700, every: 10_000 },
  );
  return { heard, reporter };
}

promise("mcp:progress", "first within a second, then at its beat, with the newest words", async () => {
  const { heard, reporter } = started();
  await vi.advanceTimersByTimeAsync(700);
  reporter.report("one");
  reporter.report("two");
  await vi.advanceTimersByTimeAsync(12_000);
  reporter.stop();
  expect(heard).toEqual([
    { at: 700, progress: 1, message: "working" },
    { at: 1_700, progress: 2, message: "two" },
    { at: 11_700, progress: 3, message: "two" },
  ]);
});

promise("mcp:progress", "with its total where that is known, going on from the beats before it", async () => {
  const { heard, reporter } = started();
  await vi.advanceTimersByTimeAsync(700);
  for (const done of [0, 1, 1, 4]) {
    reporter.report(`${done} of 4`, { done, total: 4 });
    await vi.advanceTimersByTimeAsync(1_000);
  }
  reporter.report("cleaning up");
  await vi.advanceTimersByTimeAsync(1_000);
  reporter.stop();
  expect(heard.map(({ progress, total }) => [progress, total])).toEqual([
    [1, undefined],
    [1.5, 5],
    [2, 5],
    [2.5, 5],
    [5, 5],
    [6, undefined],
  ]);
});

promise("mcp:progress", "rises, stays within its whole and under one a second, whatever a tool reports", async () => {
  const step = fc.record({
    wait: fc.integer({ min: 0, max: 15_000 }),
    part: fc.option(fc.record({ done: fc.integer({ min: -5, max: 50 }), total: fc.integer({ min: -1, max: 40 }) })),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const { heard, reporter } = started();
      for (const { wait, part } of steps) {
        reporter.report("news", part ?? undefined);
        await vi.advanceTimersByTimeAsync(wait);
      }
      reporter.stop();
      const sent = heard.length;
      reporter.report("too late");
      await vi.advanceTimersByTimeAsync(60_000);
      expect(heard.length).toBe(sent);
      for (const [at, { progress, total = Infinity }] of heard.entries()) {
        const before = heard[at - 1] ?? { progress: 0, at: -1_000 };
        expect(progress).toBeGreaterThan(before.progress);
        expect(progress).toBeLessThanOrEqual(total);
        expect(heard[at]!.at - before.at).toBeGreaterThanOrEqual(1_000);
      }
    }),
    { numRuns: 60 },
  );
});

promise("mcp:progress", "ends quietly when the client can't be reached", async () => {
  const { heard } = started(true);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(heard.length).toBe(1);
});
