// What makes masking objects quick changes no answer: memories of keys and strings, shared subtrees, tags and estimates by shorter ways.

import { createHmac } from "node:crypto";
import { array, assert, constant, constantFrom, letrec, oneof, option, property, string, tuple } from "fast-check";
import { describe, expect } from "vitest";
import type { Json, JsonObject } from "../../../src/domain/json.ts";
import { keyRules } from "../../../src/masking/keys.ts";
import { openEngine } from "../../../src/masking/mask.ts";
import { remembering } from "../../../src/masking/memory.ts";
import { walker, type Walk } from "../../../src/masking/objects.ts";
import { defaultProfile } from "../../../src/masking/profile.ts";
import { newRoom, type Write } from "../../../src/masking/spans.ts";
import { tagger } from "../../../src/masking/tags.ts";
import { bitsOf, shannon } from "../../../src/masking/values.ts";
import { promise } from "../../support/promise.ts";

const engine = openEngine(defaultProfile);
const { find, remember } = engine;
/** Shows of every value where it went, so that two ways can be held against each other. */
const write: Write = (type, value) => `<${type} ${value.length}>`;
/** A walker that remembers no key and has seen no string. */
function forgetful(): Walk {
  return walker({ find, remember, keys: (key) => keyRules(find, remember)(key), write, room: newRoom() });
}
function remindful(): Walk {
  return engine.walkWith(write, newRoom());
}

const planted = "Kx9vQ2mW7pLr4TzB";
const base64 = Buffer.from(`password=${planted} user=bob`).toString("base64");
const dull: readonly Json[] = [
  "",
  "api",
  "true",
  "v1",
  "2026-01-01T00:00:00Z",
  "8f9b1c52-1d7a-4c1e-8b6f-0123456789ab",
  "100m",
  "--token",
  "a.b.c/d:1.2.3",
  "registry.example.com/shop/api:1.4.0",
  `sha256:${"0a".repeat(32)}`,
  "--port=8080",
  "-p",
];
const hidden: readonly Json[] = [
  planted,
  `password=${planted}`,
  `postgres://shop:${planted}@db:5432/shop`,
  base64,
  `--password=${planted}`,
  JSON.stringify({ kind: "Secret", data: { a: planted } }),
  `password: ${planted}\nport: 1`,
  "[MASKED:password]",
  "4111111111111111",
  4111111111111111,
  7,
  true,
  null,
];
const values = oneof(constantFrom(...dull), constantFrom(...hidden));
const keys = oneof(
  {
    weight: 4,
    arbitrary: constantFrom(..."name value kind type key path data stringData binaryData items env".split(" ")),
  },
  {
    weight: 4,
    arbitrary: constantFrom(..."args command metadata labels password token kty d k secretRef auth pgpass".split(" ")),
  },
  {
    weight: 1,
    arbitrary: constantFrom(
      "managedFields",
      "kubectl.kubernetes.io/last-applied-configuration",
      "__proto__",
      "toString",
    ),
  },
  {
    weight: 1,
    arbitrary: constantFrom(`postgres://u:${planted}@h`, `glpat-${planted}0123`, `{"password":"${planted}"}`),
  },
  { weight: 1, arbitrary: string({ maxLength: 40 }) },
);
const kinds = constantFrom("Secret", "ConfigMap", "Pod", "SecretList", "PodList", "List", "Table");
const { value: objects } = letrec<{ value: JsonObject; any: Json }>((tie) => ({
  any: oneof({ maxDepth: 5 }, values, array(tie("any"), { maxLength: 4 }), tie("value")),
  value: tuple(array(tuple(keys, tie("any")), { maxLength: 5 }), option(kinds)).map(
    ([rows, kind]) => JSON.parse(textOf(kind === null ? rows : [["kind", kind], ...rows])) as JsonObject,
  ),
}));

/** Written by hand, so that `__proto__` is a key like any other. */
function textOf(rows: readonly (readonly [string, Json])[]): string {
  return `{${rows.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(",")}}`;
}

describe("objects, quickly", () => {
  promise("masking:objects-same", "among others and again, by the same memory, as alone without any", () => {
    const long = remindful();
    assert(
      property(array(objects, { minLength: 1, maxLength: 4 }), (all) => {
        const alone = all.map((one) => JSON.stringify(forgetful()(one)));
        const together = remindful()([...all, ...all]) as readonly Json[];
        expect(together.map((one) => JSON.stringify(one))).toEqual([...alone, ...alone]);
        expect(all.map((one) => JSON.stringify(long(one)))).toEqual(alone);
      }),
      { numRuns: 400 },
    );
  });

  promise("masking:objects-same", "no object that was given is changed, and what hides nothing is shared", () => {
    assert(
      property(objects, (one) => {
        const before = JSON.stringify(one);
        const masked = remindful()(one);
        expect(JSON.stringify(one)).toBe(before);
        if (JSON.stringify(masked) === before) expect(masked).toBe(one);
      }),
      { numRuns: 300 },
    );
  });

  promise("masking:objects-same", "a key that names the prototype is a key like any other", () => {
    const given = JSON.parse(
      `{"a":1,"__proto__":{"password":"${planted}"},"constructor":{"token":"${planted}"}}`,
    ) as JsonObject;
    const masked = remindful()(given) as JsonObject;
    expect(JSON.stringify(masked)).toBe(
      '{"a":1,"__proto__":{"password":"<password 16>"},"constructor":{"token":"<token 16>"}}',
    );
    expect(Object.getPrototypeOf(masked)).toBe(Object.prototype);
  });

  promise("masking:objects-same", "ever new and endless keys push nothing out that is in use, and take no room", () => {
    let made = 0;
    const known = remembering((name) => ({ name, at: ++made }), 100, 10);
    const usual = known("password");
    for (let count = 0; count < 10_000; count++) {
      known(`key-${count}`);
      known("x".repeat(11));
      expect(known("password")).toBe(usual);
    }
    expect(made).toBe(20_001);
    expect(known("key-1").at).toBeGreaterThan(20_000);
  });

  promise("masking:objects-same", "tags are those of HMAC-SHA-256, whatever was tagged before", () => {
    const tag = tagger(new Uint8Array(32).fill(7));
    assert(
      property(oneof(string({ unit: "binary", maxLength: 700 }), constant("\ud800x")), (value) => {
        const whole = createHmac("sha256", new Uint8Array(32).fill(7)).update(value, "utf8").digest("hex");
        expect(tag(value)).toBe(whole.slice(0, 8));
      }),
    );
  });

  promise(
    "masking:objects-same",
    "a value's bits are those of its definition, in a time that grows with its length alone",
    () => {
      const pools = [
        "abcdefghijklmnopqrstuvwxyz",
        "aeiouxk",
        "xkbcdfAEX",
        "AbC0-9",
        "0123456789",
        "aeé€ü ",
        "XXxxa/_+=",
      ];
      const value = constantFrom(...pools).chain((pool) =>
        string({ unit: constantFrom(...Array.from(pool)), minLength: 1, maxLength: 40 }),
      );
      assert(
        property(value, (one) => {
          expect(bitsOf(one)).toBeCloseTo(bitsByDefinition(one), 9);
        }),
        { numRuns: 2000 },
      );
      // By the definition's own way 4,096 consonants take seconds.
      for (let count = 0; count < 200; count++) expect(bitsOf("bcdfghjk".repeat(512))).toBeGreaterThan(9000);
    },
  );
});

/** Word for word: from each place on, a run of letters that can be said counts two bits a letter, and anything else its character. */
function bitsByDefinition(value: string): number {
  const space = [/[0-9]/, /[a-z]/, /[A-Z]/, /[^A-Za-z0-9]/].reduce(
    (sum, kind, at) => sum + (kind.test(value) ? ([10, 26, 26, 16][at] ?? 0) : 0),
    0,
  );
  let bits = 0;
  for (let at = 0; at < value.length;) {
    const run = /^(?:[a-z]+|[A-Z]+)/.exec(value.slice(at))?.[0] ?? "";
    const vowels = run.replace(/[^aeiouy]/gi, "").length;
    if (run.length >= 4 && vowels * 5 >= run.length && !/[bcdfghjklmnpqrstvwxz]{5}/i.test(run)) {
      bits += run.length * 2;
      at += run.length;
      continue;
    }
    const step = value.charCodeAt(at) - value.charCodeAt(at - 1);
    bits += at > 0 && Math.abs(step) <= 1 ? 1 : Math.log2(Math.max(2, space));
    at++;
  }
  return Math.min(bits, shannon(value) * value.length);
}
