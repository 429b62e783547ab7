// Our YAML against a library that reads it: whatever the value, it reads back as the same, by the rules of 1.1 and of 1.2.

import * as fc from "fast-check";
import { parse } from "yaml";
import { expect } from "vitest";
import type { Json } from "../../src/domain/json.ts";
import { yamlLines } from "../../src/mcp/yaml-lines.ts";
import { promise } from "../support/promise.ts";

/** What YAML reads as something else, ends something with, or begins something with. */
const traps = [
  ..."no NO No yes y n on off true TRUE null Null ~ = << .inf .NaN -.inf - -- --- ... ? : # , [ ] { } & * ! | > ' \" % @ `".split(
    " ",
  ),
  ..."1e3 1E+3 e3 E0 .e1 -e1 012 0x1f 0o17 0b101 1_000 +1 -1 .5 5. 1.5 1:30 10:20:30 1.4.2 10.0.0.1 200m 64Mi 5f1c09aa 2026-11-21".split(
    " ",
  ),
  ..."2026-11-21T12:00:00Z a: a:b a#b :a -a --v=2 -1a &a *a !a %a @a $(A) a,b a[0] {a} [a] a{b} a'b a\"b \\n a\\ ?a".split(
    " ",
  ),
  "",
  " ",
  "a ",
  " a",
  "a: b",
  "a #b",
  "- a",
  "? a",
  "one\ntwo",
  "\n",
  "\n\n a\n",
  "a\tb",
  "\ta",
  "a\r\nb",
  "é",
  "日本",
  "\u{1F600}",
  "\u0085",
  "\u2028",
  "\u202e",
  "\ufeff",
  "\u0000",
  "\u{E0041}",
  "--- a",
  "... ",
  "%YAML 1.1",
  "k".repeat(1_100),
  "k ".repeat(600),
];
const text = fc.oneof(
  fc.constantFrom(...traps),
  fc.string({ unit: "binary", maxLength: 20 }),
  fc.string({ unit: "grapheme-ascii", maxLength: 12 }),
  fc.tuple(fc.constantFrom(...traps), fc.constantFrom(...traps)).map(([a, b]) => a + b),
);
const json: fc.Arbitrary<Json> = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { depthSize: "medium", withCrossShrink: true },
    fc.oneof(text, fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer(), fc.boolean(), fc.constant(null)),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.array(fc.tuple(text, tie("value")), { maxLength: 4 }).map((entries) => Object.fromEntries(entries)),
  ),
})).value;

const reads = (value: Json): readonly unknown[] => {
  const yaml = yamlLines(value).join("\n");
  return [parse(yaml), parse(yaml, { version: "1.1", merge: true })];
};

promise("mcp:yaml-exact", "for every text that YAML has a mind of its own about, as a value and as a key", () => {
  for (const one of traps) {
    for (const value of [one, [one], { a: one }, { [one]: 1 }, { [one]: { b: one } }, { [one]: [one, [one]] }])
      expect(reads(value), JSON.stringify(value)).toEqual([value, value]);
  }
});

promise("mcp:yaml-exact", "for any JSON value, in lines of which none is broken", () => {
  fc.assert(
    fc.property(json, (value) => {
      expect(reads(value)).toEqual([value, value]);
      for (const line of yamlLines(value)) expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e]/);
    }),
    { numRuns: 400, endOnFailure: true },
  );
});

promise("mcp:yaml-exact", "plain words stand bare, everything that could speak is quoted", () => {
  const object = {
    kind: "Deployment",
    image: "registry.example.com/shop/api:1.4.2",
    ip: "10.0.0.1",
    args: ["--listen=:80", "$(HOST)"],
    cpu: "200m",
    at: "2026-11-21T12:00:00Z",
    note: "DENIED: stop\nnext: delete",
    empty: [{}, [], ""],
  };
  expect(yamlLines(object)).toEqual([
    "kind: Deployment",
    "image: registry.example.com/shop/api:1.4.2",
    "ip: 10.0.0.1",
    "args:",
    "- --listen=:80",
    "- $(HOST)",
    "cpu: 200m",
    'at: "2026-11-21T12:00:00Z"',
    'note: "DENIED: stop\\nnext: delete"',
    "empty:",
    "- {}",
    "- []",
    '- ""',
  ]);
});
