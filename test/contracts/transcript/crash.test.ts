// What a crash, a bad disk block or a stranger leaves in the files: cut at every byte, changed, dropped, torn in the middle.

import { readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as fc from "fast-check";
import { expect } from "vitest";
import type { Transcript } from "../../../src/transcript/record.ts";
import { verifyTranscript } from "../../../src/transcript/verify.ts";
import { promise } from "../../support/promise.ts";
import { callId, draft, entriesIn, linesIn, openIn, plainRead, quickDisk, start, temporaryFolder } from "./support.ts";

const segment = (folder: string, number = 0): string =>
  join(folder, "transcript", "segments", `${String(number).padStart(8, "0")}.ndjson`);

async function verdictsOf(folder: string): Promise<readonly string[]> {
  const report = await verifyTranscript(folder, { now: start });
  return report.verdicts.filter((one) => one.verdict === "failed").map((one) => `${one.question} ${one.places.join()}`);
}

const reopen = (folder: string): Promise<Transcript> => openIn(folder, { disk: quickDisk });

async function causeOf(folder: string): Promise<string> {
  const [opened] = await Promise.allSettled([reopen(folder)]);
  return opened.status === "rejected" ? (opened.reason as { fault: { cause: string } }).fault.cause : "";
}

/** A transcript whose process died: entries 0 to 2 are under a checkpoint, 3 to 5 are not. */
async function crashedFolder(): Promise<{ folder: string; whole: Buffer }> {
  const folder = await temporaryFolder();
  const transcript = await openIn(folder, { gateway: { version: "1", config: "c", policy: "b" } });
  await transcript.append(plainRead(callId(1)));
  await transcript.checkpoint();
  await transcript.append(plainRead(callId(2)).slice(0, 2));
  await transcript.append([draft("gateway.stopped", null, { reason: "x" })]);
  return { folder, whole: await readFile(segment(folder)) };
}

/** The files of a folder as they are now, and how to put them back. */
async function keptFiles(folder: string): Promise<() => Promise<void>> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = found.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name));
  const kept = await Promise.all(paths.map(async (path) => ({ path, bytes: await readFile(path) })));
  return async () => void (await Promise.all(kept.map(({ path, bytes }) => writeFile(path, bytes))));
}

promise(
  "transcript:torn-tail",
  "a file that ends at any byte of its last line is repaired, recorded and verifies",
  async () => {
    const { folder, whole } = await crashedFolder();
    const putBack = await keptFiles(folder);
    const lastLine = whole.lastIndexOf("\n", whole.length - 2) + 1;
    for (let length = lastLine; length < whole.length; length++) {
      await putBack();
      await truncate(segment(folder), length);
      const looked = (length - lastLine) % 20 < 2 || length === whole.length - 1;
      if (looked) expect(await verdictsOf(folder)).toEqual([]);
      const transcript = await reopen(folder);
      const torn = length - lastLine;
      expect(transcript.repaired).toBe(torn);
      await transcript.append(plainRead(callId(3)));
      await transcript.close();
      const entries = (await entriesIn(folder)).slice(5);
      const expected = ["call.unknown", "call.received", "call.decided", "call.settled"];
      expect(entries.map((entry) => entry["kind"])).toEqual(torn > 0 ? ["audit.recovered", ...expected] : expected);
      if (torn > 0) expect(entries[0]?.["details"]).toEqual({ repaired: torn });
      if (looked) expect(await verdictsOf(folder)).toEqual([]);
    }
  },
  120_000,
);

promise("transcript:torn-tail", "a last line of zeros, of half a character or of noise is cut off too", async () => {
  for (const tail of [Buffer.alloc(4096), Buffer.from([0xe2, 0x82]), Buffer.from("{]\n"), Buffer.from('{"v":1,\n')]) {
    const { folder, whole } = await crashedFolder();
    await writeFile(segment(folder), Buffer.concat([whole, tail]));
    const transcript = await reopen(folder);
    expect(transcript.repaired).toBe(tail.length);
    await transcript.close();
    expect(await verdictsOf(folder)).toEqual([]);
  }
});

promise(
  "transcript:no-silent-repair",
  "a line that is wrong anywhere else is named and nothing is touched",
  async () => {
    const { folder, whole } = await crashedFolder();
    const lines = whole.toString("utf8").split("\n").slice(0, -1);
    const cases: readonly (readonly [text: string, cause: string])[] = [
      [[...lines.slice(0, 2), "{]", ...lines.slice(3), ""].join("\n"), "segments/00000000.ndjson line 3 is not JSON"],
      [[...lines, "", lines[0], ""].join("\n"), "segments/00000000.ndjson line 7 is not JSON"],
      [[...lines, "{]", "{"].join("\n"), "segments/00000000.ndjson line 7 is not JSON"],
      [
        [...lines, "{}", ""].join("\n"),
        "segments/00000000.ndjson line 7 has a version that this program does not know",
      ],
      [
        [...lines, (lines[5] ?? "").replace("gateway.stopped", "gateway.forgotten"), ""].join("\n"),
        "segments/00000000.ndjson line 7 has an unknown kind",
      ],
      [
        [(lines[0] ?? "").replace("ada", "eve"), ...lines.slice(1), ""].join("\n"),
        "an entry among the first 3 is not what was signed; run: sallyport transcript verify",
      ],
      [`${lines[0]}\n`, "the transcript was cut: 3 entries were signed, 1 are here"],
      [
        `${lines[0]}\n${lines[1]}\n${lines[2]?.slice(0, 40)}`,
        "the transcript was cut: 3 entries were signed, 2 are here",
      ],
      ["", "the transcript was cut: 3 entries were signed, 0 are here"],
    ];
    for (const [text, cause] of cases) {
      await writeFile(segment(folder), text);
      expect([cause, await causeOf(folder)]).toEqual([cause, cause]);
      expect(await readFile(segment(folder), "utf8")).toBe(text);
    }
    await writeFile(segment(folder), whole);
    expect(await causeOf(folder)).toBe("");
  },
);

promise("transcript:no-silent-repair", "a segment that is missing, or torn with more behind it, is named", async () => {
  const folder = await temporaryFolder();
  const transcript = await openIn(folder, { segmentSize: 1000 });
  for (let number = 1; number <= 3; number++) await transcript.append(plainRead(callId(number)));
  await transcript.close();
  expect((await readdir(join(folder, "transcript", "segments"))).length).toBe(3);
  const middle = await readFile(segment(folder, 1));
  await truncate(segment(folder, 1), middle.length - 10);
  expect(await causeOf(folder)).toBe("segments/00000001.ndjson: its last line is cut short, and more follows");
  await rm(segment(folder, 1));
  expect(await causeOf(folder)).toBe("segments/00000001.ndjson is missing between the segments");
  await writeFile(segment(folder, 1), middle);
  await rm(segment(folder, 2));
  expect(await causeOf(folder)).toBe("the transcript was cut: 9 entries were signed, 6 are here");
});

promise("transcript:no-silent-repair", "a changed bit among what was signed never goes unseen", async () => {
  const folder = await temporaryFolder();
  const transcript = await openIn(folder);
  await transcript.append(plainRead(callId(1)));
  await transcript.close();
  const whole = await readFile(segment(folder));
  await fc.assert(
    fc.asyncProperty(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), async (at, bits) => {
      const changed = Buffer.from(whole);
      changed[at] = (changed[at] ?? 0) ^ bits;
      await writeFile(segment(folder), changed);
      expect(await causeOf(folder)).not.toBe("");
      expect(await verdictsOf(folder)).not.toEqual([]);
    }),
    { numRuns: 60 },
  );
  await writeFile(segment(folder), whole);
  expect([await causeOf(folder), await verdictsOf(folder), (await linesIn(folder)).length]).toEqual(["", [], 3]);
});
