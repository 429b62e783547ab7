// The store that random bytes are given out of: each byte once, and none of them left in it.

import * as fc from "fast-check";
import { expect } from "vitest";
import { randomFrom } from "../../src/random.ts";
import { promise } from "../support/promise.ts";

/** Fills with 32-bit numbers that never come again, and keeps what it filled. */
function counting() {
  const filled: Uint8Array<ArrayBuffer>[] = [];
  let next = 0;
  const fill = (bytes: Uint8Array<ArrayBuffer>): void => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = 0; at + 4 <= bytes.length; at += 4) view.setUint32(at, ++next);
    filled.push(bytes);
  };
  return { fill, filled };
}

promise("commands:random", "whatever is asked for in whatever order, each four bytes come once", () => {
  const counts = fc.array(fc.oneof(fc.integer({ min: 0, max: 80 }), fc.integer({ min: 0, max: 5000 })), {
    maxLength: 60,
  });
  fc.assert(
    fc.property(counts, (asked) => {
      const { fill, filled } = counting();
      const random = randomFrom(fill);
      const seen = new Set<number>();
      for (const count of asked) {
        const bytes = random(count * 4);
        expect(bytes).toHaveLength(count * 4);
        const view = new DataView(bytes.buffer);
        for (let at = 0; at < bytes.length; at += 4) {
          const number = view.getUint32(at);
          expect(number).toBeGreaterThan(0);
          expect(seen).not.toContain(number);
          seen.add(number);
        }
        // What was given out lies in no store any more; what is given out whole was never in one.
        for (const store of filled.filter((one) => one.buffer !== bytes.buffer))
          for (let at = 0; at + 4 <= store.length; at += 4)
            if (seen.has(new DataView(store.buffer).getUint32(at)) && store.length === 8192)
              throw new Error("a byte that was given out is still there");
      }
    }),
    { numRuns: 30 },
  );
});

promise("commands:random", "where no randomness can be had nothing is given out", () => {
  const random = randomFrom(() => {
    throw new Error("no entropy");
  });
  expect(() => random(16)).toThrow("no entropy");
  expect(() => random(16)).toThrow("no entropy");
  expect(() => random(65_536)).toThrow("no entropy");
});
