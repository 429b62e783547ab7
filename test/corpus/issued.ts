// Keys that only the name of their vendor tells, and keys of vendors that nobody knows: generated values in true formats.

import type { Dice } from "./random.ts";
import type { MaskText, Measured, Missed } from "./measure.ts";

const hex = "0-9a-f";
const alnum = "A-Za-z0-9";

/** A vendor with the characters and the length of its keys, as scanners of repositories look for them. */
const vendors: readonly (readonly [string, string, number])[] = [
  ["datadog", hex, 32],
  ["mixpanel", hex, 32],
  ["algolia", hex, 32],
  ["twilio", hex, 32],
  ["logzio", hex, 32],
  ["jumpcloud", alnum, 40],
  ["cohere", alnum, 40],
  ["clockify", alnum, 48],
  ["helpscout", alnum, 56],
  ["plivo", alnum, 40],
  ["shodan", alnum, 32],
  ["typeform", alnum, 44],
];
const places: readonly string[] = [
  "@: §",
  '@ = "§"',
  '{"@":{"api":"§"}}',
  "@:\n  api: §\n",
  'client = @.Client("§")',
  "./run --@ §",
  'curl -H "X-@: §" https://api.example.com',
];
const beginnings: readonly string[] = ["acme_", "newco_live_", "zz9_api_", "orbit-pat-"];

/** Found by the vendor's name beside them, or by how they begin. */
export function measureIssued(mask: MaskText, rounds: number, random: Dice): Measured {
  const missed: Missed[] = [];
  let tried = 0;
  const look = (from: string, text: string, value: string): void => {
    const after = mask(text);
    tried++;
    if (after.includes(value)) missed.push({ from, text, after });
  };
  for (let round = 0; round < rounds; round++) {
    for (const [name, body, length] of vendors)
      for (const place of places) {
        const value = random.pick(body, length);
        look(
          place,
          place.replaceAll("@", name).replace("§", () => value),
          value,
        );
      }
    for (const begins of beginnings) {
      const value = random.pick(alnum, 40);
      look(begins, `using ${begins}${value} for the upload`, value);
    }
  }
  return { tried, missed };
}
