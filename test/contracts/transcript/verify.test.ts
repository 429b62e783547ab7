// Each kind of tampering, and the verdict that tells of it; what is sound stays sound.

import { randomBytes } from "node:crypto";
import { appendFile, cp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import type { EntryDraft } from "../../../src/domain/entry.ts";
import { findNotes } from "../../../src/transcript/found-notes.ts";
import { checkpointText, parseVkey, signerFrom, signNote } from "../../../src/transcript/note.ts";
import { leafHash, rootOf } from "../../../src/transcript/tree.ts";
import type { VerifyOptions } from "../../../src/transcript/verify.ts";
import { verifyTranscript } from "../../../src/transcript/verify.ts";
import { promise } from "../../support/promise.ts";
import { approvedChange, callId, draft, linesIn, openIn, plainRead, start, temporaryFolder } from "./support.ts";

interface Sound {
  readonly folder: string;
  readonly lines: readonly string[];
  readonly file: (name: string) => string;
  readonly segment: string;
  /** The checkpoint of the first five entries, as an auditor may have kept it. */
  readonly early: string;
  readonly vkey: string;
}

/** Eleven entries of two calls and the gateway's own start, under three checkpoints. */
async function sound(): Promise<Sound> {
  const folder = await temporaryFolder();
  let now = start;
  const transcript = await openIn(folder, { now: () => now });
  const file = (name: string): string => join(folder, "transcript", name);
  await transcript.append([draft("gateway.stopped", null, { reason: "restart" }), ...plainRead(callId(1))]);
  now += 2000;
  await transcript.checkpoint();
  const early = await readFile(file("checkpoint"), "utf8");
  await transcript.append([...plainRead(callId(2)), draft("gateway.stopped", null, { reason: "restart" })]);
  await transcript.checkpoint();
  now += 2000;
  await transcript.append(plainRead(callId(3)));
  await transcript.close();
  const vkey = await readFile(file("log.vkey"), "utf8");
  return {
    folder,
    lines: await linesIn(folder),
    file,
    segment: join(folder, "transcript", "segments", "00000000.ndjson"),
    early,
    vkey,
  };
}

async function verdictsIn(folder: string, options: Partial<VerifyOptions> = {}): Promise<Record<string, string>> {
  const report = await verifyTranscript(folder, { now: start + 60_000, ...options });
  expect(report.ok).toBe(report.verdicts.every((one) => one.verdict !== "failed"));
  return Object.fromEntries(report.verdicts.map((one) => [one.question, one.verdict]));
}

const kept = (note: string): VerifyOptions["anchors"] & object => [{ name: "kept", notes: findNotes(note) }];

const failed = (verdicts: Record<string, string>): string[] =>
  Object.keys(verdicts).filter((question) => verdicts[question] === "failed");

const text = (lines: readonly (string | undefined)[]): string => lines.map((line) => `${line}\n`).join("");

promise(
  "transcript:verify",
  "a sound transcript verifies, with the exported files alone and with the auditor's own key",
  async () => {
    const { folder, early, vkey } = await sound();
    const expected = {
      FORMAT: "ok",
      INTEGRITY: "ok",
      ORDER: "ok",
      EXTENT: "not-checked",
      TIME: "ok",
      BODIES: "not-checked",
      SEMANTICS: "ok",
      COMPLETENESS: "not-checked",
    };
    expect(await verdictsIn(folder)).toEqual(expected);
    const copy = join(await temporaryFolder(), "copy");
    await cp(join(folder, "transcript"), copy, { recursive: true });
    await rm(join(copy, "reserve"));
    expect(await verdictsIn(copy, { vkey, anchors: kept(early) })).toEqual({ ...expected, EXTENT: "ok" });
    const report = await verifyTranscript(copy, { now: start + 60_000 });
    expect([report.entries, report.sessions, report.open, report.verdicts[1]?.says]).toEqual([
      11,
      1,
      0,
      expect.stringMatching(
        /^4 signed heads, all given by the entries; signed by key sallyport.dev\/\S+, which came with/,
      ),
    ]);
  },
);

promise("transcript:verify", "flip, drop, swap and insert are each found, by their own verdicts", async () => {
  const { folder, lines, segment } = await sound();
  const swapped = [...lines.slice(0, 2), lines[3], lines[2], ...lines.slice(4)];
  const forged = (lines[2] ?? "").replace('"sseq":1', '"sseq":9');
  const cases: readonly (readonly [
    what: string,
    lines: readonly (string | undefined)[],
    verdicts: readonly string[],
  ])[] = [
    ["flip", [...lines.slice(0, 2), (lines[2] ?? "").replace("ada", "eve"), ...lines.slice(3)], ["INTEGRITY", "ORDER"]],
    ["flip in the last entry", [...lines.slice(0, -1), (lines.at(-1) ?? "").replace("ada", "eve")], ["INTEGRITY"]],
    ["respell", [(lines[0] ?? "").replace(",", ", "), ...lines.slice(1)], ["FORMAT", "INTEGRITY", "ORDER"]],
    ["drop", [...lines.slice(0, 2), ...lines.slice(3)], ["INTEGRITY", "ORDER", "EXTENT", "SEMANTICS"]],
    ["swap", swapped, ["INTEGRITY", "ORDER", "SEMANTICS"]],
    ["insert", [...lines.slice(0, 3), forged, ...lines.slice(3)], ["INTEGRITY", "ORDER"]],
    ["replay an entry", [...lines, lines[3]], ["ORDER", "TIME", "SEMANTICS"]],
    ["noise", [...lines.slice(0, 4), "noise", ...lines.slice(5)], ["FORMAT", "INTEGRITY", "ORDER", "SEMANTICS"]],
  ];
  for (const [what, changed, verdicts] of cases) {
    await writeFile(segment, text(changed));
    expect([what, failed(await verdictsIn(folder))]).toEqual([what, verdicts]);
  }
  await writeFile(segment, text(lines));
  expect(failed(await verdictsIn(folder))).toEqual([]);
});

promise(
  "transcript:verify",
  "the places name the entry, its file and its line, and the stretch that was changed",
  async () => {
    const { folder, lines, segment } = await sound();
    await writeFile(
      segment,
      text([...lines.slice(0, 6), (lines[6] ?? "").replace("completed", "failed"), ...lines.slice(7)]),
    );
    const { verdicts } = await verifyTranscript(folder, { now: start + 60_000 });
    expect(verdicts.flatMap((one) => one.places)).toEqual([
      "entries 4 to 7: not what was signed at 8 entries; something in them was changed, dropped, added or moved",
      `entry 8 (segments/00000000.ndjson line 9): session ses_01950000-0000-7000-8000-000000000001: does not link to the entry before it`,
    ]);
  },
);

promise("transcript:verify", "a cut end is found, and a clean one by a checkpoint kept elsewhere", async () => {
  const { folder, lines, segment, file, early, vkey } = await sound();
  const newest = await readFile(file("checkpoint"), "utf8");
  await writeFile(segment, text(lines.slice(0, 9)));
  expect(failed(await verdictsIn(folder))).toEqual(["EXTENT"]);
  await writeFile(segment, text(lines.slice(0, 4)));
  // An old checkpoint put in the place of the newest: its log still tells.
  await writeFile(file("checkpoint"), early);
  expect(failed(await verdictsIn(folder))).toEqual(["EXTENT"]);
  // The log cut as well: a whole and properly signed earlier state. Only an anchor tells.
  const log = await readFile(file("checkpoints.log"), "utf8");
  await writeFile(file("checkpoints.log"), log.slice(0, log.indexOf(early) + early.length));
  expect(await verdictsIn(folder)).toMatchObject({ INTEGRITY: "ok", ORDER: "ok", EXTENT: "not-checked" });
  expect(failed(await verdictsIn(folder, { anchors: kept(newest) }))).toEqual(["EXTENT"]);
  expect(await verdictsIn(folder, { anchors: kept(early), vkey })).toMatchObject({ EXTENT: "ok" });
  await rm(file("checkpoint"));
  expect(failed(await verdictsIn(folder))).toEqual(["EXTENT"]);
});

promise("transcript:verify", "a segment that was taken away is found", async () => {
  const folder = await temporaryFolder();
  const transcript = await openIn(folder, { segmentSize: 1000 });
  for (let number = 0; number < 3; number++) await transcript.append(plainRead(callId(number)));
  await transcript.close();
  const segment = (number: number): string => join(folder, "transcript", "segments", `0000000${number}.ndjson`);
  await rename(segment(1), `${segment(1)}.away`);
  expect(failed(await verdictsIn(folder))).toEqual(["ORDER", "EXTENT"]);
  await rename(`${segment(1)}.away`, segment(1));
  await rename(segment(2), `${segment(2)}.away`);
  expect(failed(await verdictsIn(folder))).toEqual(["EXTENT"]);
});

promise("transcript:verify", "a transcript rewritten and signed again with another key is found", async () => {
  const { folder, lines, segment, file, early, vkey } = await sound();
  const forged = lines.map((line) => line.replaceAll("objects_list", "logs_read"));
  const name = parseVkey(vkey)?.name ?? "";
  const thief = signerFrom(name, randomBytes(32));
  const root = rootOf(forged.map((line) => leafHash(Buffer.from(line))));
  const note = signNote(checkpointText(name, { size: forged.length, root }), thief);
  await writeFile(segment, text(forged));
  await writeFile(file("checkpoint"), note);
  await writeFile(file("checkpoints.log"), note);
  expect(failed(await verdictsIn(folder))).toEqual(["INTEGRITY", "ORDER", "EXTENT"]);
  // With the key in the folder replaced too, only what the auditor holds can tell.
  await writeFile(file("log.vkey"), `${thief.vkey}\n`);
  expect(failed(await verdictsIn(folder))).not.toContain("INTEGRITY");
  expect(failed(await verdictsIn(folder, { vkey }))).toContain("INTEGRITY");
  expect(failed(await verdictsIn(folder, { anchors: kept(early) }))).toContain("INTEGRITY");
  await writeFile(file("log.vkey"), "nonsense");
  expect(failed(await verdictsIn(folder))).toContain("INTEGRITY");
});

promise("transcript:verify", "two signed heads of one size that differ are found", async () => {
  const { folder, file } = await sound();
  const transcript = await openIn(folder);
  await transcript.close();
  const secret = await readFile(join(folder, "keys", "transcript.key"), "utf8");
  const seed = Buffer.from(secret.trim().split("+").slice(4).join("+"), "base64").subarray(1);
  const signer = signerFrom(`sallyport.dev/${transcript.gateway}`, seed);
  const note = signNote(checkpointText(signer.name, { size: 8, root: randomBytes(32) }), signer);
  const log = await readFile(file("checkpoints.log"), "utf8");
  await writeFile(file("checkpoints.log"), `${note}\n${log}`);
  const { verdicts } = await verifyTranscript(folder, { now: start + 60_000 });
  expect(verdicts[1]?.places).toContain("checkpoint 4 of checkpoints.log: two different heads of 8 entries are signed");
});

promise("transcript:verify", "a line that is being written, and entries not yet signed, are no failure", async () => {
  const { folder, segment } = await sound();
  const transcript = await openIn(folder, { now: () => start + 10_000 });
  await transcript.append(plainRead(callId(4)));
  await appendFile(segment, '{"call":"call_');
  const report = await verifyTranscript(folder, { now: start + 60_000 });
  expect([report.ok, report.entries, report.verdicts[0]?.says, report.verdicts[1]?.says]).toEqual([
    true,
    14,
    expect.stringContaining("14 bytes after the last entry are not one yet"),
    expect.stringContaining("The last 3 are not under a checkpoint yet."),
  ]);
});

promise(
  "transcript:verify",
  "times that go back in secret, or lie ahead, are found; a step that is on record is told",
  async () => {
    const folder = await temporaryFolder();
    let now = start;
    const transcript = await openIn(folder, { now: () => now });
    const stop = (): readonly EntryDraft[] => [draft("gateway.stopped", null, { reason: "restart" })];
    await transcript.append(stop());
    now -= 999;
    await transcript.append(stop());
    now -= 3_600_000;
    await transcript.append(stop());
    await transcript.append(stop());
    now += 7_200_000;
    await transcript.append(stop());
    await transcript.close();
    const timeIn = async (at: number) =>
      (await verifyTranscript(folder, { now: at })).verdicts.find((one) => one.question === "TIME");
    expect(await timeIn(now)).toMatchObject({
      verdict: "ok",
      says: expect.stringContaining("stepped back 1 times") as string,
    });
    expect(await timeIn(start)).toMatchObject({ verdict: "failed" });
    const segment = join(folder, "transcript", "segments", "00000000.ndjson");
    await writeFile(segment, (await readFile(segment, "utf8")).replace('"reason":"the clock', '"reason":"some clock'));
    expect(await timeIn(now)).toMatchObject({ verdict: "failed" });
  },
);

promise("transcript:verify", "an empty folder is no transcript, and a new one is sound", async () => {
  const folder = await temporaryFolder();
  await expect(verifyTranscript(folder, { now: start })).rejects.toMatchObject({
    fault: {
      code: "transcript_unavailable",
      cause: `There is no transcript in ${folder}: SALLYPORT_HOME or the command line names the folder, and a gateway makes its record at its first start.`,
    },
  });
  await (await openIn(folder)).close();
  expect(failed(await verdictsIn(folder))).toEqual([]);
  const transcript = await openIn(folder);
  await transcript.append(approvedChange(callId(1), "apr_1", "g1"));
  await transcript.close();
  expect(failed(await verdictsIn(folder))).toEqual([]);
});
