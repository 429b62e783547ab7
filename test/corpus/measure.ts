// What masking reaches on the corpus: recall on planted values, changes on what must stay.

import { formats } from "../../src/masking/formats-table.ts";
import type { Format } from "../../src/masking/formats.ts";
import { shapes } from "./clean-logs.ts";
import { lookalikes } from "./lookalikes.ts";
import { dice, type Dice } from "./random.ts";
import { bareSettings, quotedSettings, secretValue } from "./settings.ts";

export interface Missed {
  readonly from: string;
  readonly text: string;
  readonly after: string;
}

export interface Measured {
  readonly tried: number;
  readonly missed: readonly Missed[];
}

export type MaskText = (text: string) => string;

/** A value of a format's true shape. */
export function exampleOf(format: Format, random: Dice): string {
  if (format.example !== undefined) return format.example((body, length) => random.pick(body, length));
  const lead = format.lead === undefined ? "" : random.pick(format.lead.body, format.lead.min);
  return lead + random.one(format.keywords) + random.pick(format.body.replaceAll("=", ""), format.min);
}

const carriers: readonly string[] = [
  "using § for the upload",
  `value: "§"`,
  `{"x":"§","n":1}`,
  "https://example.com/?x=§&y=2",
  "§",
  "args: [--x, §]",
  "failed with (§).",
];

/** Vendor formats in neutral surroundings, no name to help. */
export function measureFormats(mask: MaskText, rounds: number, seed = 1): Measured {
  const random = dice(seed);
  const missed: Missed[] = [];
  let tried = 0;
  for (let round = 0; round < rounds; round++) {
    for (const format of formats) {
      const value = exampleOf(format, random);
      const secret = format.context
        ? value.slice((format.keywords.find((one) => value.startsWith(one)) ?? "").length)
        : value;
      const text = random.one(carriers).replace("§", () => value);
      const after = mask(text);
      tried++;
      if (after.includes(secret)) missed.push({ from: format.id, text, after });
    }
  }
  return { tried, missed };
}

/** Generic credentials in settings, code, commands and logs. */
export function measureSettings(mask: MaskText, rounds: number, seed = 2): Measured {
  const random = dice(seed);
  const missed: Missed[] = [];
  let tried = 0;
  for (let round = 0; round < rounds; round++) {
    for (const [bare, list] of [
      [false, quotedSettings],
      [true, bareSettings],
    ] as const) {
      for (const template of list) {
        const value = secretValue(random, bare);
        const text = template.replace("§", () => value);
        const after = mask(text);
        tried++;
        if (leaks(after, value)) missed.push({ from: template, text, after });
      }
    }
  }
  return { tried, missed };
}

/** Any stretch of six characters of the value that is still there. */
function leaks(after: string, value: string): boolean {
  const outside = after.replace(/\[MASKED:[a-z_]+(?::[0-9a-f]{8})?\]/g, " ");
  const size = Math.min(6, value.length);
  for (let at = 0; at + size <= value.length; at++) if (outside.includes(value.slice(at, at + size))) return true;
  return false;
}

/** Look-alikes and clean log lines: `missed` are those that were changed. */
export function measureClean(mask: MaskText, rounds: number, seed = 3): { lookalikes: Measured; logs: Measured } {
  const random = dice(seed);
  const changed = (makers: { readonly [name: string]: (dice: Dice) => string }): Measured => {
    const missed: Missed[] = [];
    let tried = 0;
    for (let round = 0; round < rounds; round++) {
      for (const [from, make] of Object.entries(makers)) {
        const text = make(random);
        const after = mask(text);
        tried++;
        if (after !== text) missed.push({ from, text, after });
      }
    }
    return { tried, missed };
  };
  return { lookalikes: changed(lookalikes), logs: changed(shapes) };
}
