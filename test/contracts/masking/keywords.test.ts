// The pass over a text that steps over most of it finds what looking for one word after the other finds.

import * as fc from "fast-check";
import { describe, expect } from "vitest";
import { automaton, newCursor, nextHits, type Keyword } from "../../../src/masking/keywords.ts";
import { narrower } from "../../../src/masking/narrow.ts";
import { promise } from "../../support/promise.ts";

interface Hit {
  readonly word: number;
  readonly start: number;
  readonly end: number;
}

/** The plain form: each word looked for from each place; in the order of their ends, longest first. */
function plainly(words: readonly Keyword[], text: string): readonly Hit[] {
  const hits: Hit[] = [];
  for (const [word, { text: sought, exact }] of words.entries()) {
    const [within, one] = exact ? [text, sought] : [lower(text), lower(sought)];
    for (let start = within.indexOf(one); start !== -1; start = within.indexOf(one, start + 1))
      hits.push({ word, start, end: start + one.length });
  }
  return hits.sort((a, b) => a.end - b.end || a.start - b.start || a.word - b.word);
}

/** ASCII's capitals alone. */
function lower(text: string): string {
  return text.replace(/[A-Z]/g, (one) => one.toLowerCase());
}

const narrowed = narrower();

/** What the automaton finds. A word that is exact may be met in another case; whoever asks looks at it again. */
function byAutomaton(words: readonly Keyword[], text: string): readonly Hit[] {
  const machine = automaton(words);
  const narrow = narrowed(text, 0);
  const cursor = newCursor();
  const hits: Hit[] = [];
  for (let ended = nextHits(machine, narrow, cursor); ended !== undefined; ended = nextHits(machine, narrow, cursor)) {
    for (const word of ended) {
      const one = words[word];
      if (one === undefined) continue;
      const start = cursor.at - one.text.length;
      if (!one.exact || text.startsWith(one.text, start)) hits.push({ word, start, end: cursor.at });
    }
  }
  return hits.sort((a, b) => a.end - b.end || a.start - b.start || a.word - b.word);
}

const signs = ["a", "b", "c", "A", "B", "C", ":", "=", "-", "."];
const piece = fc.string({ unit: fc.constantFrom(...signs, "\u0001", "\u00e9", "\u4e2d", " "), maxLength: 12 });
const word = fc.record({
  text: fc.string({ unit: fc.constantFrom(...signs), minLength: 3, maxLength: 9 }),
  exact: fc.boolean(),
});

describe("the pass for keywords", () => {
  promise("masking:keywords", "any words in any text of theirs, their beginnings and other characters", () => {
    const given = fc
      .uniqueArray(word, { minLength: 1, maxLength: 24, selector: (one) => `${lower(one.text)}${String(one.exact)}` })
      .chain((words) => {
        const part = fc
          .constantFrom(...words)
          .chain((one) => fc.nat(one.text.length).map((cut) => one.text.slice(0, cut === 0 ? undefined : cut)));
        return fc.tuple(
          fc.constant(words),
          fc.array(
            fc.oneof(
              piece,
              part,
              part.map((one) => one.toUpperCase()),
            ),
            { maxLength: 40 },
          ),
        );
      });
    fc.assert(
      fc.property(given, ([words, parts]) => {
        const text = parts.join("");
        expect(byAutomaton(words, text)).toEqual(plainly(words, text));
      }),
      { numRuns: 200 },
    );
  });

  promise("masking:keywords", "a control character is told of wherever it stands", () => {
    const machine = automaton([{ text: "password", exact: false }]);
    const told = (text: string): boolean => {
      const narrow = narrowed(text, 0);
      const cursor = newCursor();
      let odd = false;
      for (
        let ended = nextHits(machine, narrow, cursor);
        ended !== undefined;
        ended = nextHits(machine, narrow, cursor)
      )
        odd ||= ended.includes(-1);
      return odd;
    };
    for (let at = 0; at < 12; at++)
      for (let rest = 0; rest < 12; rest++) {
        expect([at, rest, told(`${"x".repeat(at)}\u001b${"y".repeat(rest)}`)]).toEqual([at, rest, true]);
        expect(told(`${"x".repeat(at)}\t${"y".repeat(rest)}\r\n`)).toBe(false);
      }
  });
});
