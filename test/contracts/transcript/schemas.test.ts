// The published form of entries: a golden day that has every kind, what is refused, and what the gateway itself writes.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { entrySchema, kindsOfEntries } from "../../../src/transcript/schemas.ts";
import { verifyTranscript } from "../../../src/transcript/verify.ts";
import { golden } from "../../support/golden.ts";
import { promise } from "../../support/promise.ts";
import { day, dayStart, seeded } from "./day.ts";
import { entriesIn, linesIn, openIn, temporaryFolder } from "./support.ts";

/** The day as its files have it: each append a minute after the one before, a checkpoint behind every fifth. */
async function writtenDay(): Promise<string> {
  const folder = await temporaryFolder();
  let now = dayStart;
  const transcript = await openIn(folder, { now: () => now, random: seeded("a golden day") });
  for (const [number, drafts] of day.entries()) {
    now = dayStart + number * 60_000;
    await transcript.append(drafts);
    if (number % 5 === 4) await transcript.checkpoint();
  }
  await transcript.close();
  return folder;
}

promise(
  "transcript:published",
  "a day with every kind is byte for byte the golden one, verifies, and is as published",
  async () => {
    const folder = await writtenDay();
    golden("day.ndjson", `${(await linesIn(folder)).join("\n")}\n`);
    for (const name of ["checkpoint", "log.vkey"])
      golden(`day.${name}`, await readFile(join(folder, "transcript", name), "utf8"));
    const entries = await entriesIn(folder);
    expect(entries.flatMap((one) => entrySchema.safeParse(one).error?.message ?? [])).toEqual([]);
    const written = new Set(entries.map((one) => one["kind"]));
    // A rotation is more than its entry: it has a test of its own.
    expect(Object.keys(kindsOfEntries).filter((kind) => !written.has(kind))).toEqual(["key.rotated"]);
    const report = await verifyTranscript(folder, { now: dayStart + 86_400_000 });
    expect(report.verdicts.flatMap((one) => one.places)).toEqual([]);
  },
);

promise("transcript:published", "a field too many, one too few and one of another type are refused", async () => {
  const [entry] = await entriesIn(await writtenDay());
  const refused = (changed: object): boolean => !entrySchema.safeParse({ ...entry, ...changed }).success;
  const details = entry?.["details"] as object;
  expect([
    refused({}),
    refused({ more: 1 }),
    refused({ v: 2 }),
    refused({ kind: "gateway.forgotten" }),
    refused({ ts: "2026-03-01 08:00" }),
    refused({ details: { ...details, more: 1 } }),
    refused({ details: { ...details, policy: "b" } }),
    refused({ details: {} }),
  ]).toEqual([false, true, true, true, true, true, true, true]);
});
