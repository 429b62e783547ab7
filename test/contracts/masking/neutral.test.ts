// Untrusted text cannot move a cursor, hide or reorder words.

import * as fc from "fast-check";
import { describe, expect } from "vitest";
import { cutLines, neutralise } from "../../../src/masking/neutral.ts";
import { promise } from "../../support/promise.ts";
import { masker } from "./support.ts";

describe("neutralising", () => {
  promise("masking:neutral", "terminal sequences go, other unseen characters show themselves", () => {
    const rows: readonly (readonly [string, string, number])[] = [
      ["plain text\twith tab\nand line", "plain text\twith tab\nand line", 0],
      ["a\u001b[31mred\u001b[0m", "ared", 2],
      ["\u001b]0;title\u0007x", "x", 1],
      ["\u001b]8;;https://evil\u001b\\link\u001b]8;;\u001b\\", "link", 2],
      ["\u001bP1$r\u001b\\x", "x", 1],
      ["\u009b31mx", "x", 1],
      ["\u001bcx", "x", 1],
      ["a\u0000b\u0007c", "a\\u{0}b\\u{7}c", 2],
      ["over\rwrite", "over\\u{D}write", 1],
      ["line\r\nline", "line\nline", 0],
      ["a\u202eb\u2066c", "a\\u{202E}b\\u{2066}c", 2],
      ["ze\u200bro\ufeff", "ze\\u{200B}ro\\u{FEFF}", 2],
      ["tag\u{e0041}\u{e007f}", "tag\\u{E0041}\\u{E007F}", 2],
      ["vs\ufe0f\u{e0100}", "vs\\u{FE0F}\\u{E0100}", 2],
      ["pua\ue000\u{f0000}", "pua\\u{E000}\\u{F0000}", 2],
      ["sep\u2028\u2029\u0085", "sep\\u{2028}\\u{2029}\\u{85}", 3],
      ["lone \ud800 surrogate", "lone \ufffd surrogate", 0],
      ["naïve — “quotes” 日本 🔑", "naïve — “quotes” 日本 🔑", 0],
    ];
    for (const [given, text, escaped] of rows) expect([given, neutralise(given)]).toEqual([given, { text, escaped }]);
  });

  promise("masking:neutral", "nothing unseen is left, and neutral text stays as it is", () => {
    const odd = fc.constantFrom(
      "\u001b[",
      "\u001b]",
      "\u0007",
      "\u001b",
      "\u009b",
      "\u200b",
      "\u202e",
      "\ud83d",
      "\udd11",
      "\r",
      "\n",
      "m",
      "0;",
      "\\u{202E}",
      "é",
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(odd, fc.string({ unit: "binary", maxLength: 6 })), { maxLength: 12 }), (parts) => {
        const { text } = neutralise(parts.join(""));
        expect(text).not.toMatch(/[\0-\x08\x0b-\x1f\x7f-\x9f]|\u200b|\u200f|\u202a|\u202e|\u2066|\u2069|\ufe0f|\ue000/);
        expect(neutralise(text)).toEqual({ text, escaped: 0 });
      }),
      { numRuns: 500 },
    );
  });

  promise("masking:neutral", "long lines are cut behind whole tokens and characters", () => {
    expect(cutLines(`${"x".repeat(2500)}\nshort`)).toBe(`${"x".repeat(2000)}… (500 more characters)\nshort`);
    const token = "[MASKED:password:01234567]";
    expect(cutLines(`${"x".repeat(1990)}${token}${"y".repeat(9)}`)).toBe(`${"x".repeat(1990)}… (35 more characters)`);
    expect(cutLines(`${"x".repeat(1999)}🔑${"y".repeat(9)}`)).toBe(`${"x".repeat(1999)}… (11 more characters)`);
  });

  promise("masking:neutral", "every string of an output is neutral", () => {
    const bad = "a\u202eb\u001b[2Jc";
    const output = masker().output({
      headline: ["line ", { quoted: bad }],
      blocks: [
        { kind: "line", line: [bad] },
        { kind: "table", columns: [bad], rows: [[bad]] },
        { kind: "object", object: { [bad]: [bad] } },
        { kind: "data", source: "x", text: bad },
        { kind: "diff", lines: [{ sign: "~", risk: false, path: bad, before: JSON.stringify(bad), after: bad }] },
      ],
      facts: { cut: bad, cursor: "c" },
      untrusted: true,
    });
    expect(JSON.stringify(output)).not.toMatch(/\u202e|\u001b|\\u001b|\\u202e/);
    expect(output.untrusted).toBe(true);
    expect(output.facts).toEqual({ cut: "a\\u{202E}bc", cursor: "c" });
  });
});
