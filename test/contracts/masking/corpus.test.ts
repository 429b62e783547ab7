// The corpus: what share of planted values is found and how little else is touched.

import { describe, expect } from "vitest";
import { measureIssued } from "../../corpus/issued.ts";
import { measureClean, measureFormats, measureSettings } from "../../corpus/measure.ts";
import { dice } from "../../corpus/random.ts";
import { promise } from "../../support/promise.ts";
import { maskText } from "./support.ts";

describe("the corpus", () => {
  promise("masking:recall", "vendors' formats without any name beside them", () => {
    const { tried, missed } = measureFormats(maskText, 10);
    expect(missed.length / tried).toBeLessThan(0.01);
  });

  promise("masking:recall", "keys beside the name of their vendor, and those that begin as vendors' keys do", () => {
    const { tried, missed } = measureIssued(maskText, 5, dice(4));
    expect(missed.length / tried).toBeLessThan(0.03);
  });

  promise("masking:recall", "generic credentials in settings, code, commands and logs", () => {
    const { tried, missed } = measureSettings(maskText, 15);
    expect(missed.length / tried).toBeLessThan(0.02);
  });

  promise("masking:readable", "no look-alike is changed, and at most 0.5 % of clean log lines", () => {
    const { lookalikes, logs } = measureClean(maskText, 150);
    expect(lookalikes.missed.map((one) => one.text)).toEqual([]);
    expect(logs.missed.length / logs.tried).toBeLessThanOrEqual(0.005);
  });
});
