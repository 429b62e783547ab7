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

function numbersIn({ buffer, byteOffset, byteLength }: Uint8Array): readonly number[] {
  const view = new DataView(buffer, byteOffset, byteLength);
  return Array.from({ length: byteLength / 4 }, (_, index) => view.getUint32(4 * index));
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
      let given = 0;
      for (const count of asked) {
        const bytes = random(count * 4);
        expect(bytes).toHaveLength(count * 4);
        const numbers = numbersIn(bytes);
        for (const number of numbers) seen.add(number);
        given += count;
        expect([seen.size, seen.has(0)]).toEqual([given, false]);
        // What was given out lies in the store no more; what is given out whole was never in it.
        const store = filled.find((one) => one.length === 8192 && one.buffer !== bytes.buffer);
        expect(store === undefined ? [] : numbersIn(store).filter((number) => seen.has(number))).toEqual([]);
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
