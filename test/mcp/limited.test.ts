// The bytes that policy lets an answer take: held whatever the answer is, as text, as JSON and as what is kept of it, and said.

import { randomBytes } from "node:crypto";
import * as fc from "fast-check";
import { expect } from "vitest";
import type { CallId } from "../../src/domain/ids.ts";
import { quoted, type Block, type Output } from "../../src/domain/output.ts";
import { bytesOf } from "../../src/mcp/layout.ts";
import { renderOutcome } from "../../src/mcp/render.ts";
import { structured } from "../../src/mcp/structured.ts";
import { promise } from "../support/promise.ts";
import { asMasked } from "./door-for-tests.ts";

const call = "call_019ab000-0000-7000-8000-000000000001" as CallId;
const door = { random: (count: number) => randomBytes(count) };
const masked = ["password", "jwt", "private-key", "token"].map((type) => ({ type, count: 12_345 }));

function completed(blocks: readonly Block[], more: Partial<Output>) {
  const output = asMasked({ headline: ["7 pods."], blocks, facts: {}, untrusted: false, ...more }, masked);
  return { kind: "completed", call, output, effect: "none", ambient: true } as const;
}

const long = fc.string({ unit: "grapheme", maxLength: 3000 });
const block: fc.Arbitrary<Block> = fc.oneof(
  long.map((text): Block => ({ kind: "line", line: [quoted(text), text] })),
  fc
    .array(fc.array(fc.string({ maxLength: 200 }), { minLength: 2, maxLength: 2 }), { maxLength: 60 })
    .map((rows): Block => ({ kind: "table", columns: ["NAME", "STATUS"], rows })),
  long.map((text): Block => ({ kind: "object", object: { a: text, b: [text, { c: text }] } })),
  fc
    .array(long, { maxLength: 5 })
    .map((lines): Block => ({ kind: "data", source: "logs of a pod", text: lines.join("\n") })),
  fc.array(long, { maxLength: 5 }).map((paths): Block => ({
    kind: "diff",
    lines: paths.map((path) => ({ sign: "~", risk: false, path, before: path, after: path })),
  })),
);

promise(
  "policy:obligations",
  "no answer takes more bytes than policy lets it, and one that is cut says whose limit it was",
  () => {
    fc.assert(
      fc.property(
        fc.array(block, { maxLength: 12 }),
        long,
        fc.integer({ min: 1024, max: 9000 }),
        (blocks, first, maxBytes) => {
          const outcome = completed(blocks, { headline: [first], maxBytes });
          const extents = [{ answer: 10_240 }, { answer: 24_576, whole: true }];
          for (const extent of extents) {
            const answer = renderOutcome(outcome, door, extent);
            const { text } = answer.content[0];
            expect(bytesOf(text)).toBeLessThanOrEqual(maxBytes);
            expect(text.split("\n").at(-1)).toMatch(/^call call_/);
            const cut = answer._meta["sallyport/facts"]["cut"];
            if (cut !== undefined)
              expect(text).toContain(`cut: policy lets ${maxBytes} bytes of this answer through\n`);
          }
        },
      ),
      { numRuns: 150 },
    );
  },
);

promise("policy:obligations", "as JSON too", () => {
  const rows = Array.from({ length: 400 }, (_, index) => [`pod-${index}`, "Running"]);
  const outcome = completed([{ kind: "table", columns: ["NAME", "STATUS"], rows }], { maxBytes: 2048 });
  const text = renderOutcome(outcome, door, { answer: 8192 });
  const answer = structured(outcome, text, 8192);
  expect(bytesOf(JSON.stringify(answer.structuredContent))).toBeLessThanOrEqual(2048);
  expect(answer.structuredContent["cut"]).toMatch(/policy lets 2048 bytes of this answer through$/);
});

promise(
  "policy:obligations",
  "a limit that the tool's own is below, or that nothing comes near, changes nothing",
  () => {
    const rows = Array.from({ length: 400 }, (_, index) => [`pod-${index}`, "Running"]);
    const blocks: readonly Block[] = [{ kind: "table", columns: ["NAME", "STATUS"], rows }];
    const said = (maxBytes: number | undefined) =>
      renderOutcome(completed(blocks, maxBytes === undefined ? {} : { maxBytes }), door, { answer: 8192 });
    expect(said(65_536)).toEqual(said(undefined));
    const small = (maxBytes?: number) =>
      renderOutcome(completed([], maxBytes === undefined ? {} : { maxBytes }), door, { answer: 8192 });
    expect(small(1024)).toEqual(small());
  },
);
