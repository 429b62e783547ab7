// Texts that arrive in pieces: any cut gives the same output, and nothing slips through between two windows.

import * as fc from "fast-check";
import { describe, expect } from "vitest";
import { promise } from "../../support/promise.ts";
import { window } from "../../../src/masking/stream.ts";
import { masker } from "./support.ts";

const secret = "Xk29fLqPz7RtVw83";
const pem = `-----BEGIN EC PRIVATE KEY-----\n${"MHcCAQEEIBase64Base64Base64Base64Base64Base64Base64Base64Base64Ba\n".repeat(30)}-----END EC PRIVATE KEY-----\n`;
const lines = [
  "GET /healthz 200 3ms",
  `password=${secret} user=bob`,
  `{"token":"${secret}","n":1}`,
  "ünïcode ✓ 🙂 line",
  pem,
];

/** A log of about `length` characters with a secret in every few lines. */
function log(length: number, seed: number): string {
  let text = "";
  for (let at = seed; text.length < length; at++) text += `2026-01-01T00:00:00Z ${lines[(at * 7) % lines.length]}\n`;
  return text;
}

/** What comes out when the text's bytes arrive cut as `sizes` say, over and over. */
function streamed(text: string, sizes: readonly number[]): string {
  const stream = masker({}, "stream").stream();
  const bytes = Buffer.from(text);
  let out = "";
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const next = Math.min(bytes.length, at + (sizes[turn % sizes.length] ?? 1));
    out += stream.push(bytes.subarray(at, next));
    at = next;
  }
  return out + stream.end();
}

describe("streams", () => {
  promise("masking:stream", "any chunking gives the same output", () => {
    const text = log(2 * window + 99_999, 1);
    const whole = streamed(text, [text.length]);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 360_000 }), { minLength: 1, maxLength: 8 }), (sizes) => {
        expect(streamed(text, sizes)).toBe(whole);
      }),
      { numRuns: 8 },
    );
    expect(streamed(text.slice(0, 4000), [1])).toBe(streamed(text.slice(0, 4000), [4000]));
  });

  promise("masking:stream", "a text of lines comes out as it does whole", async () => {
    const text = log(2 * window + 99_999, 3);
    expect(streamed(text, [100_000])).toBe(masker({}, "stream").text(text));
    expect(await masker({}, "stream").long(text)).toBe(masker({}, "stream").text(text));
  });

  promise("masking:stream", "a secret on the bound of a window goes, wherever it lies, also in a line of 10 MB", () => {
    const filler = "lorem ipsum dolor ".repeat(15_000).slice(0, window);
    for (let shift = 0; shift < 64; shift += 5) {
      const text = `${filler.slice(shift)} password=${secret} ${filler} token=${secret}${filler}`;
      expect(streamed(text, [7919])).not.toContain(secret.slice(0, 8));
    }
    const endless = `${filler.repeat(40)}password=${secret}`;
    expect(endless.length).toBeGreaterThan(10_000_000);
    expect(streamed(endless, [1 << 20]).slice(-40)).toMatch(/password=\[MASKED:password:[0-9a-f]{8}\]$/);
  });

  promise("masking:stream", "a private key over the bound of a window goes as one", () => {
    const before = "x".repeat(window - 700).replaceAll(/(.{79})x/g, "$1\n");
    const out = streamed(`${before}\n${pem}after\n`, [1000]);
    expect(out).not.toContain("Base64Base64");
    expect(out.match(/MASKED:private_key/g)).toHaveLength(1);
    expect(out.endsWith("\nafter\n")).toBe(true);
  });
});
