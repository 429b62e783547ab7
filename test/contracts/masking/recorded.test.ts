// What masking finds and writes on seeded texts and objects, against a record: an engine that is made faster may find nothing else.

import { createHash } from "node:crypto";
import { describe } from "vitest";
import { openEngine } from "../../../src/masking/mask.ts";
import { personalKinds } from "../../../src/masking/personal.ts";
import { newRoom } from "../../../src/masking/spans.ts";
import { shapes } from "../../corpus/clean-logs.ts";
import { lookalikes } from "../../corpus/lookalikes.ts";
import { mixedObject, mixture } from "../../corpus/mixtures.ts";
import { dice, type Dice } from "../../corpus/random.ts";
import { golden } from "../../support/golden.ts";
import { promise } from "../../support/promise.ts";
import { masker } from "./support.ts";

const engine = openEngine({ personal: new Set(personalKinds), formats: [] });

/** Sixteen hexadecimal digits over what `each` gives for the makers' texts, and how many of them have a finding. */
function row(count: number, seed: number, each: (random: Dice) => { told: unknown; found: boolean }): string {
  const random = dice(seed);
  const hash = createHash("sha256");
  let found = 0;
  for (let round = 0; round < count; round++) {
    const one = each(random);
    hash.update(`${JSON.stringify(one.told)}\n`);
    if (one.found) found++;
  }
  return `${hash.digest("hex").slice(0, 16)} ${found} of ${count}`;
}

/** Every span with its value and check, as a log and as a file, with all kinds of personal data; and what a call writes. */
function read(text: string): { told: unknown; found: boolean } {
  const spans = [false, true].map((config) => engine.find(text, config, 0, newRoom()).spans);
  const call = masker({}, "recorded");
  const written = call.text(text);
  return { told: [text, spans, written, call.masked()], found: written !== text };
}

/** Longer texts: windows of a stream, lines of all lengths. */
function long(random: Dice): { told: unknown; found: boolean } {
  let text = "";
  while (text.length < 20_000)
    text += random.roll(3) === 0 ? `${mixture(random)}\n` : `${random.one(Object.values(shapes))(random)}\n`;
  return read(text);
}

function walked(random: Dice): { told: unknown; found: boolean } {
  const given = mixedObject(random);
  const call = masker({}, "recorded");
  const masked = call.object(given);
  return { told: [given, masked, call.masked()], found: masked !== given };
}

describe("the record", () => {
  promise("masking:recorded", "mixtures, clean lines, look-alikes, long texts and objects", () => {
    const rows: [string, string][] = Array.from({ length: 3 }, (_, at) => [
      `mixtures ${at}`,
      row(200, 100 + at, (random) => read(mixture(random))),
    ]);
    for (const [name, make] of Object.entries({ ...shapes, ...lookalikes }))
      rows.push([name, row(12, 200, (random) => read(make(random)))]);
    rows.push(["long texts", row(4, 300, long)], ["objects", row(100, 400, walked)]);
    golden("masking.txt", rows.map(([name, told]) => `${told}  ${name}\n`).join(""));
  });
});
