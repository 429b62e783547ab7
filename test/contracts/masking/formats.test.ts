// The formats table: every row masks its own shape and nothing that only looks like it.

import { describe, expect, test } from "vitest";
import { dice } from "../../corpus/random.ts";
import { exampleOf } from "../../corpus/measure.ts";
import { crcTail, hasCrcTail, isCard, isIban, isSocialSecurity, luhn } from "../../../src/masking/checksums.ts";
import { formats } from "../../../src/masking/formats-table.ts";
import { promise } from "../../support/promise.ts";
import { maskText } from "./support.ts";

describe("the formats table", () => {
  promise("masking:formats", "each row's keyword with a body of its alphabet is masked", () => {
    const random = dice(11);
    const missed: string[] = [];
    for (const format of formats) {
      for (let round = 0; round < 5; round++) {
        const example = exampleOf(format, random);
        if (!maskText(`x ${example} y`).includes("[MASKED:")) missed.push(`${format.id}: ${example}`);
      }
    }
    expect(missed).toEqual([]);
  });

  promise("masking:formats", "each row's negatives stay", () => {
    const negatives = formats.flatMap((format) => format.negatives ?? []);
    expect(negatives.map(maskText)).toEqual(negatives);
    expect(negatives.length).toBeGreaterThan(20);
  });

  promise("masking:formats", "a body that is too short or runs on is something else", () => {
    const random = dice(12);
    for (const format of formats) {
      if (
        format.example !== undefined ||
        format.context ||
        format.glued ||
        format.lead ||
        format.min < 12 ||
        format.max > 300
      )
        continue;
      if (format.id === "sk-key" || format.id === "sk-hex-key" || format.id === "elevenlabs-key") continue;
      const keyword = format.keywords[0] ?? "";
      const pick = format.body.replaceAll("=", "").replaceAll("+", "").replaceAll("/", "");
      const short = `(${keyword}${random.pick(pick, 5)})`;
      expect([format.id, maskText(short)]).toEqual([format.id, short]);
    }
  });

  promise("masking:formats", "the rows are well made: unique ids, keywords of three characters, sources", () => {
    expect(new Set(formats.map((format) => format.id)).size).toBe(formats.length);
    expect(formats.length).toBeGreaterThanOrEqual(60);
    for (const format of formats) {
      expect(format.keywords.every((one) => one.length >= 3)).toBe(true);
      expect(format.source).toMatch(/\w+\.\w+/);
      expect(format.min).toBeLessThanOrEqual(format.max);
    }
  });

  test("checksums agree with published examples", () => {
    const body = "a".repeat(30);
    expect(hasCrcTail(`ghp_${body}${crcTail(body)}`)).toBe(true);
    expect(hasCrcTail(`ghp_${body}000000`)).toBe(false);
    expect(luhn("79927398713")).toBe(true);
    expect(luhn("79927398710")).toBe(false);
    expect(isCard("4111111111111111")).toBe(true);
    expect(isCard("4111111111111112")).toBe(false);
    expect(isCard("9111111111111111")).toBe(false);
    expect(isIban("GB82WEST12345698765432")).toBe(true);
    expect(isIban("GB82WEST12345698765431")).toBe(false);
    expect([isSocialSecurity(666, 1, 1), isSocialSecurity(123, 45, 6789)]).toEqual([false, true]);
  });
});
