// What makes masking quick looks away from nothing: each short look against the long one.

import { array, assert, constant, constantFrom, nat, oneof, property, string, tuple } from "fast-check";
import { describe, expect } from "vitest";
import { cardAt } from "../../../src/masking/cards.ts";
import { openEngine } from "../../../src/masking/mask.ts";
import { recent } from "../../../src/masking/memory.ts";
import { narrower } from "../../../src/masking/narrow.ts";
import { mayHoldRuns } from "../../../src/masking/probes.ts";
import { defaultProfile } from "../../../src/masking/profile.ts";
import { newRoom, newScan, type Span } from "../../../src/masking/spans.ts";
import { bitsOf, shannon } from "../../../src/masking/values.ts";
import { shapes } from "../../corpus/clean-logs.ts";
import { lookalikes } from "../../corpus/lookalikes.ts";
import { mixture } from "../../corpus/mixtures.ts";
import { dice, type Dice } from "../../corpus/random.ts";
import { promise } from "../../support/promise.ts";

const { find } = openEngine(defaultProfile);
/** Takes no short look: what it looks for besides has no keyword. */
const thorough = openEngine({ personal: new Set(["card", "ssn"]), formats: [] });
const narrowed = narrower();
const spansOf = (text: string): readonly Span[] => find(text, false, 0, newRoom()).spans;

/** What strings of objects are like: names, images, digests, identifiers, times, addresses, and what may be taken for them. */
const texts: readonly ((random: Dice) => string)[] = [
  ...Object.values(shapes),
  ...Object.values(lookalikes),
  mixture,
  mixture,
  (random) => random.pick("a-f0-9", 1 + random.roll(80)),
  (random) => random.pick("0-9 -", 1 + random.roll(40)),
  (random) => random.pick("A-Za-z0-9+/=_-", 1 + random.roll(80)),
  (random) => `registry.example.com/shop/${random.pick("a-z-", 12)}:${random.pick("0-9.", 5)}`,
  (random) => `api-${random.pick("a-f0-9", 10)}-${random.pick("a-z0-9", 5)}`,
  (random) => Buffer.from(`password=${random.pick("A-Za-z0-9", 12)}`).toString(random.one(["base64", "hex"])),
];

const sixteen = ["4111", "1111", "1111", "1111"];
/** Card numbers as they are printed, and with digits, separators and signs around them that make them something else. */
const aroundCards = array(
  oneof(
    constantFrom("", " ", "-").map((sign) => sixteen.join(sign)),
    constantFrom("3782 822463 10005", "4000 0000 0000 0000 006", "4222222222222"),
    string({ unit: constantFrom(...Array.from("0123456789 -")), maxLength: 24 }),
    constantFrom(" ", "  ", "-", "x", "_", ".", ":", "/", "=", "(", "\n", "é", "中"),
  ),
  { minLength: 1, maxLength: 6 },
).map((parts) => parts.join(""));

describe("short looks", () => {
  promise(
    "masking:quick-looks",
    "a text without a run that is probed holds no card number at any of its places",
    () => {
      let passed = 0;
      assert(
        property(aroundCards, (text) => {
          if (mayHoldRuns(narrowed(text, 0), true)) return;
          passed++;
          const scan = newScan(text, false, 0, newRoom());
          for (let at = 0; at < text.length; at++) expect(cardAt(scan, at)).toEqual([]);
        }),
        { numRuns: 2000 },
      );
      expect(passed).toBeGreaterThan(100);
    },
  );

  promise(
    "masking:quick-looks",
    "the look at short texts and the whole engine find the same, whatever text it is",
    () => {
      const random = dice(91);
      const edges = [
        "\u001b",
        "\u00ad",
        "é",
        "中",
        "\u200b",
        "\n",
        "%",
        "\\",
        "4",
        "=",
        "/",
        "-",
        "+",
        ".",
        ":",
        " ",
        "A",
        "z",
      ];
      const short = (): string => {
        const whole = random.one(texts)(random);
        const from = random.roll(whole.length);
        const text = random.roll(2) === 0 ? whole : whole.slice(from, from + 6 + random.roll(90));
        const at = random.roll(text.length + 1);
        return random.roll(2) === 0 ? text : text.slice(0, at) + random.one(edges) + text.slice(at + random.roll(3));
      };
      for (let count = 0; count < 6000; count++) {
        const text = short();
        const long = thorough.find(text, false, 0, newRoom()).spans;
        // What tells the thorough engine to spare nothing is that it looks for one kind more.
        if (!long.some((span) => span.type === "ssn")) expect([text, spansOf(text)]).toEqual([text, long]);
      }
    },
  );

  promise(
    "masking:quick-looks",
    "users of many URLs in one text, with plain and encoded signs, as of each alone",
    () => {
      const url = tuple(
        constantFrom("https", "postgres", "amqp", "x"),
        constantFrom("a", "user", ":Kx9vQ2mW7p", "bob:Kx9vQ2mW7p", "bob%3AKx9vQ2mW7p", "a/b", "Kx9vQ2mW7pLr4TzB1"),
        constantFrom("@", "%40", "", "/@", " @"),
        nat(1100),
      ).map(([scheme, user, sign, length]) => `${scheme}://${user}${sign}db.internal/${"v".repeat(length)}`);
      assert(
        property(array(url, { minLength: 1, maxLength: 6 }), (urls) => {
          let at = 0;
          const alone = urls.flatMap((one) => {
            const spans = spansOf(one).map(({ start, end, type }) => [at + start, at + end, type]);
            at += one.length + 1;
            return spans;
          });
          const together = spansOf(urls.join("\n")).map(({ start, end, type }) => [start, end, type]);
          expect(together).toEqual(alone);
        }),
        { numRuns: 500 },
      );
    },
  );

  promise(
    "masking:quick-looks",
    "what is remembered of a text is what was last said of it, and of few texts at a time",
    () => {
      const text = oneof(
        string({ maxLength: 6 }),
        string({ unit: constantFrom("a", "b"), minLength: 1, maxLength: 4 }),
      );
      assert(
        property(array(tuple(text, nat()), { maxLength: 400 }), (rows) => {
          const memory = recent<number>(64);
          const last = new Map<string, number>();
          for (const [one, value] of rows) {
            const known = memory.get(one);
            if (known !== undefined) expect(known).toBe(last.get(one));
            memory.set(one, value);
            last.set(one, value);
            expect(memory.get(one)).toBe(value);
          }
          const kept = [...last.keys()].filter((one) => memory.get(one) !== undefined);
          expect(kept.length).toBeLessThanOrEqual(64);
        }),
      );
    },
  );

  promise(
    "masking:quick-looks",
    "a value's variety is that of its definition, and enough bits are as many as all",
    () => {
      const value = oneof(
        string({ unit: "binary", maxLength: 40 }),
        string({ unit: constantFrom(...Array.from("abcdefAB01-/=")), maxLength: 200 }),
        constant("a".repeat(100)),
      );
      assert(
        property(value, nat(200), (one, enough) => {
          expect(shannon(one)).toBeCloseTo(varietyOf(one), 9);
          expect(bitsOf(one, enough) >= enough).toBe(bitsOf(one) >= enough);
        }),
        { numRuns: 2000 },
      );
    },
  );
});

/** Shannon's own formula. A text beyond Latin-1 is counted by its code points. */
function varietyOf(text: string): number {
  const signs = /[\u0100-\uffff]/.test(text) ? Array.from(text) : text.split("");
  const counts = Map.groupBy(signs, (sign) => sign);
  return [...counts.values()].reduce(
    (sum, { length }) => sum - (length / signs.length) * Math.log2(length / signs.length),
    0,
  );
}
