// The scanner for keys that stand twice, over any JSON there is.

import * as fc from "fast-check";
import { expect } from "vitest";
import { findDuplicateKey } from "../../src/domain/duplicate-keys.ts";
import { promise } from "../support/promise.ts";

const spaced = fc.constantFrom(undefined, 1, 4, "\t");
const key = fc.string({ unit: "binary", maxLength: 8 }).filter((text) => text.isWellFormed());

promise("mcp:duplicate-keys", "finds none in what a serialiser writes", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), spaced, (value, space) => {
      expect(findDuplicateKey(JSON.stringify(value, null, space), 100)).toEqual({ kind: "unique" });
    }),
  );
});

promise("mcp:duplicate-keys", "finds a key at any depth, however its second writing is escaped", () => {
  const escaped = (text: string): string =>
    `"${Array.from({ length: text.length }, (_, at) => `\\u${text.charCodeAt(at).toString(16).padStart(4, "0")}`).join("")}"`;
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), key, fc.nat(20), fc.boolean(), (a, b, name, depth, escape) => {
      const plain = JSON.stringify(name);
      const again = escape && name !== "" ? escaped(name) : plain;
      const inner = `{${plain}: ${JSON.stringify(a)} , ${again} \n: ${JSON.stringify(b)}}`;
      const text = `${"[".repeat(depth)}${inner}${"]".repeat(depth)}`;
      expect(JSON.parse(text)).toBeDefined();
      expect(findDuplicateKey(text, 100)).toEqual({ kind: "duplicate", key: name, depth: depth + 1 });
    }),
  );
});

promise(
  "mcp:duplicate-keys",
  "tells equal keys of different objects, and strings that look like keys, from a key that stands twice",
  () => {
    const fine = [
      '{"a":{"a":{"a":1}},"b":[{"a":1},{"a":2}]}',
      '["a","a",{"b":"a","a":"a"}]',
      '{"a":"\\"a\\":","b":"{\\"a\\":1,\\"a\\":2}"}',
      '{"a":"\\\\","b":":"}',
      '"a"',
    ];
    for (const text of fine) expect(findDuplicateKey(text, 100), text).toEqual({ kind: "unique" });
  },
);

promise("mcp:duplicate-keys", "stops at the nesting limit without recursion", () => {
  expect(findDuplicateKey("[".repeat(100) + "]".repeat(100), 100)).toEqual({ kind: "unique" });
  expect(findDuplicateKey("[".repeat(500_000) + "]".repeat(500_000), 100)).toEqual({ kind: "deep" });
});
