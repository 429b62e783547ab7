// Canonical JSON: the vectors of RFC 8785, an independent implementation beside ours, and what must be refused.

import reference from "canonicalize";
import * as fc from "fast-check";
import { expect } from "vitest";
import { canonical, isCanonical } from "../../../src/transcript/canonical.ts";
import { promise } from "../../support/promise.ts";

promise("transcript:canonical", "the example of RFC 8785, section 3.2.4, comes out byte for byte", () => {
  const value = {
    numbers: [Number("333333333.33333329"), 1e30, 4.5, 2e-3, 0.000000000000000000000000001, -0],
    string: "\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"/",
    literals: [null, true, false],
  };
  expect(canonical(value)).toBe(
    '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27,0],' +
      '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
  );
});

promise("transcript:canonical", "keys are sorted by UTF-16 code units, as in RFC 8785, section 3.2.3", () => {
  const value = { "\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\u{1f600}": 5, "\u0080": 6, "\u00f6": 7 };
  expect(Object.values(JSON.parse(canonical(value)) as object).length).toBe(7);
  expect(canonical(value)).toBe('{"\\r":2,"1":4,"\u0080":6,"ö":7,"€":1,"😀":5,"\ufb33":3}');
});

const json = fc.jsonValue({ maxDepth: 6 });

promise("transcript:canonical", "an independent implementation agrees on every JSON value", () => {
  fc.assert(
    fc.property(json, (value) => {
      fc.pre(JSON.stringify(value).isWellFormed());
      expect(canonical(value)).toBe(reference(value));
    }),
  );
});

promise("transcript:canonical", "a text is canonical exactly when it is what canonical writes", () => {
  fc.assert(
    fc.property(json, fc.nat(3), (value, indent) => {
      const plain = JSON.stringify(value, null, indent);
      expect(isCanonical(plain, JSON.parse(plain))).toBe(canonical(value) === plain);
    }),
  );
  for (const text of [
    '{"a":1,"a":1}',
    '{"b":1,"a":1}',
    '{"a": 1}',
    '"\\u0041"',
    "1.0",
    "-0",
    '"\\ud800"',
    '{"9":1,"10":1}',
  ])
    expect([text, isCanonical(text, JSON.parse(text))]).toEqual([text, false]);
  for (const text of ['{"10":1,"9":1}', '"\\\\ud800"', '{"__proto__":1}', '"\\u001f"'])
    expect([text, isCanonical(text, JSON.parse(text))]).toEqual([text, true]);
});

class Money {
  amount = 1;
}
const cycle: { self?: unknown } = {};
cycle.self = cycle;

promise("transcript:canonical", "whatever JSON drops or bends is refused at any depth", () => {
  const holes: unknown[] = [1];
  holes.length = 2;
  const refused: readonly unknown[] = [
    undefined,
    () => 1,
    Symbol("s"),
    1n,
    Number.NaN,
    Infinity,
    "\ud800",
    new Date(0),
    new Map([["a", 1]]),
    new Money(),
    Object("boxed"),
    { toJSON: () => 1 },
    { [Symbol("s")]: 1 },
    holes,
    cycle,
    { "\udfff": 1 },
  ];
  for (const value of refused)
    for (const wrapped of [value, [value], { a: { b: value } }]) expect(() => canonical(wrapped)).toThrow(TypeError);
});
