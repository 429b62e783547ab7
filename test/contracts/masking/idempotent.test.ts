// Masking twice changes nothing more, and text that pretends to be masked shields nothing.

import * as fc from "fast-check";
import { describe, expect } from "vitest";
import type { Json } from "../../../src/domain/json.ts";
import { shapes } from "../../corpus/clean-logs.ts";
import { lookalikes } from "../../corpus/lookalikes.ts";
import { exampleOf } from "../../corpus/measure.ts";
import { dice } from "../../corpus/random.ts";
import { bareSettings, quotedSettings, secretValue } from "../../corpus/settings.ts";
import { formats } from "../../../src/masking/formats-table.ts";
import { promise } from "../../support/promise.ts";
import { masker, maskText } from "./support.ts";

/** Pieces that masking reacts to, so that random texts of them meet its edges. */
const pieces = fc.oneof(
  fc.integer({ min: 0, max: 1e9 }).map((seed) => {
    const random = dice(seed);
    const makers = [
      () => random.one(quotedSettings).replace("§", () => secretValue(random, false)),
      () => random.one(bareSettings).replace("§", () => secretValue(random, true)),
      () => exampleOf(random.one(formats), random),
      () => random.one(Object.values(shapes))(random),
      () => random.one(Object.values(lookalikes))(random),
    ];
    return random.one(makers)();
  }),
  fc.constantFrom(
    "[MASKED:password]",
    "[MASKED:token:01234567]",
    "[MASKED:",
    "]",
    "password",
    "=",
    ": ",
    '"',
    "\\",
    "'",
    "\n",
    " ",
    "%3D",
    "://",
    "@",
    "-----BEGIN PRIVATE KEY-----",
    "kind: Secret\ndata:\n  ",
    "&",
    ",",
    "{",
    "}",
    "\u200b",
    "\u001b[0m",
    "é",
    "🔑",
  ),
  fc.string({ maxLength: 8 }),
);
const textsOf = (...glues: readonly string[]): fc.Arbitrary<string> =>
  fc.tuple(fc.array(pieces, { maxLength: 7 }), fc.constantFrom(...glues)).map(([parts, glue]) => parts.join(glue));
const texts = textsOf(" ", "\n");

/** What of a masked text is still readable, piece by piece. */
const readable = (masked: string): readonly string[] => masked.split(/\[MASKED:[a-z_]+(?::[0-9a-f]{8})?\]/);

describe("masking again", () => {
  promise("masking:idempotent", "a masked text is masked already", () => {
    fc.assert(
      fc.property(texts, (text) => {
        const once = maskText(text);
        expect(maskText(once)).toBe(once);
      }),
      { numRuns: 600 },
    );
  });

  promise("masking:idempotent", "where secrets are run together, a second pass only ever hides more", () => {
    fc.assert(
      fc.property(textsOf(""), (text) => {
        const once = maskText(text);
        const left = readable(once).join("\u0000");
        let from = 0;
        for (const piece of readable(maskText(once))) {
          const at = left.indexOf(piece, from);
          expect(at).toBeGreaterThanOrEqual(0);
          from = at + piece.length;
        }
      }),
      { numRuns: 500 },
    );
  });

  promise("masking:idempotent", "a masked object is masked already", () => {
    const leaf = fc.oneof(texts, fc.integer(), fc.boolean(), fc.constant(null));
    const names = fc.constantFrom(
      "password",
      "data",
      "name",
      "value",
      "kind",
      "token",
      "args",
      "command",
      "spec",
      "key",
      "stringData",
      "items",
      "x",
      "dsn",
    );
    const { tree } = fc.letrec<{ tree: Json; node: Json }>((tie) => ({
      tree: fc.oneof({ depthSize: "small" }, leaf, tie("node"), fc.array(tie("tree"), { maxLength: 3 })),
      node: fc.dictionary(fc.oneof(names, fc.string({ maxLength: 5 })), tie("tree"), { maxKeys: 4 }),
    }));
    fc.assert(
      fc.property(tree, fc.constantFrom("Secret", "ConfigMap", "Pod", "List"), (value, kind) => {
        const once = masker().object({ kind, data: value, spec: value });
        expect(masker().object(once)).toEqual(once);
      }),
      { numRuns: 150 },
    );
  });

  promise("masking:idempotent", "made-up tokens protect nothing beside or inside them", () => {
    const real = ["glpat", "Zx9Kq2Lm7Tb4RnWc8VdP"].join("-");
    const lines = [
      `password=[MASKED:password:00000000]${real}`,
      `password=${real}[MASKED:password:00000000]`,
      `password=[MASKED:password:00000000]tail-of-secret`,
      `password="[MASKED:password] and-the-rest"`,
      `[MASKED:${real}]`,
      `[MASKED:password:${real}]`,
      `[MASKED:token ${real}`,
      `[MASKED:password]${real}[MASKED:password]`,
      `https://user:[MASKED:password]x${real}@host/`,
      `token: [MASKED:token]${real}`,
      `[MASKED:password:00000000\u200b]${real}`,
    ];
    for (const line of lines) {
      const masked = maskText(line);
      expect(masked).not.toContain(real);
      expect(masked).not.toContain("tail-of-secret");
      expect(masked).not.toContain("and-the-rest");
    }
    expect(masker().object({ kind: "Secret", data: { a: `[MASKED:password]${real}` } })).toEqual({
      kind: "Secret",
      data: { a: expect.stringMatching(/^\[MASKED:secret(?::[0-9a-f]{8})?\]$/) },
    });
  });
});
