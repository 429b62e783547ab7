// Text of others on its way into a diff: nothing in it is unseen, and nothing of it is lost.

import * as fc from "fast-check";
import { expect } from "vitest";
import { shownJson, writtenOut } from "../../../src/domain/unseen.ts";
import { neutralise } from "../../../src/approval/neutral.ts";
import { neutralise as neutral } from "../../../src/masking/neutral.ts";
import { promise } from "../../support/promise.ts";

const readBack = (text: string): string =>
  text.replaceAll(/\\u\{([0-9A-F]+)\}/g, (_, code: string) => String.fromCodePoint(Number.parseInt(code, 16)));
const odd = fc.constantFrom(
  "\u202e",
  "\u200b",
  "\u00a0",
  "\u001b",
  "\r",
  "\n",
  "\t",
  "\ud800",
  "\u{e0041}",
  "\u0301",
  "\u0303",
  "\u1100",
  "\u1161",
  "\u11a8",
  "\u{2f800}",
  "\u212b",
  "\\u{202E}",
  "\\u{5C}",
  "\\",
  "e\u0301",
  "[MASKED:",
);
const text = fc.array(fc.oneof(odd, fc.string({ unit: "binary", maxLength: 5 })), { maxLength: 10 });

promise("tools:change-one-diff", "of any text each reader makes the same, and it can be read back exactly", () => {
  fc.assert(
    fc.property(text, (parts) => {
      const given = parts.join("");
      const shown = shownJson(given);
      expect(readBack(JSON.parse(shown) as string)).toBe(given);
      expect([writtenOut(shown), neutral(shown).text, neutralise(shown, 10_000), shown.normalize("NFC")]).toEqual(
        Array.from({ length: 4 }, () => shown),
      );
    }),
    { numRuns: 2_000 },
  );
});

promise("tools:change-one-diff", "characters that hide, join or look alike are written out", () => {
  const rows: readonly (readonly [string, string])[] = [
    ["plain — 日本 é", '"plain — 日本 é"'],
    ["a\u202eb\u200b", '"a\\\\u{202E}b\\\\u{200B}"'],
    ["two\nlines\tand a tab\r", '"two\\nlines\\tand a tab\\\\u{D}"'],
    ["e\u0301 is not é", '"e\\\\u{301} is not é"'],
    ["丽 is not \u{2f800}", '"丽 is not \\\\u{2F800}"'],
    ["a\\u{202E}b", '"a\\\\u{5C}u{202E}b"'],
  ];
  for (const [given, shown] of rows) expect(shownJson(given)).toBe(shown);
});
