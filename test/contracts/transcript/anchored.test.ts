// What an auditor's anchors show of a record that its owner, with the signing key in hand, has cut, forked or dated anew.

import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { cp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { fileAnchor, gitAnchor } from "../../../src/transcript/anchors/index.ts";
import type { Anchor } from "../../../src/transcript/anchors/contract.ts";
import { cosign } from "../../../src/transcript/cosignature.ts";
import { noteWord } from "../../../src/transcript/found-notes.ts";
import { readAnchor } from "../../../src/transcript/given-anchors.ts";
import { checkpointText, parseSecret, signNote, type Signer } from "../../../src/transcript/note.ts";
import { rotateKey } from "../../../src/transcript/rotate.ts";
import { leafHash, rootOf } from "../../../src/transcript/tree.ts";
import { verifyTranscript, type Report } from "../../../src/transcript/verify.ts";
import { promise } from "../../support/promise.ts";
import { runCommand } from "../../support/world.ts";
import {
  agent,
  callId,
  digest,
  draft,
  linesIn,
  openIn,
  plainRead,
  quickDisk,
  start,
  temporaryFolder,
} from "./support.ts";

const execute = promisify(execFile);
const env = { PATH: process.env["PATH"], HOME: "/nonexistent" };
const minute = 60_000;

interface Kept {
  readonly folder: string;
  /** The file anchor: heads of 4, 8 and 12 entries, an hour apart. */
  readonly file: string;
  readonly lines: readonly string[];
}

/** Three hours of a gateway; each ends with a receipt that comes under the next head. */
async function keptIn(anchor: (folder: string) => Anchor): Promise<Omit<Kept, "file">> {
  const folder = await temporaryFolder();
  let now = start;
  const transcript = await openIn(folder, { now: () => now, disk: quickDisk });
  const one = anchor(folder);
  for (let hour = 0; hour < 3; hour++) {
    await transcript.append(plainRead(callId(hour + 1)));
    if (hour === 0) await transcript.append([draft("gateway.stopped", null, { reason: "restart" })]);
    const checkpoint = await transcript.anchorable();
    const receipt = await one.keep(checkpoint, new AbortController().signal);
    const { size, root } = checkpoint;
    await transcript.append([
      draft("checkpoint.anchored", null, {
        anchor: "vault",
        destination: one.kind,
        place: one.place,
        size,
        root,
        at: new Date(checkpoint.at).toISOString(),
        receipt,
      }),
    ]);
    now += 60 * minute;
  }
  await transcript.append(plainRead(callId(9)));
  await transcript.close();
  return { folder, lines: await linesIn(folder) };
}

async function kept(): Promise<Kept> {
  const file = join(await temporaryFolder(), "kept");
  return { ...(await keptIn(() => fileAnchor(file))), file };
}

async function verified(folder: string, ...anchors: readonly string[]): Promise<Report> {
  const read = await Promise.all(anchors.map((one) => readAnchor(one, env)));
  return await verifyTranscript(folder, { now: start + 600 * minute, anchors: read });
}

const failed = ({ verdicts }: Report): readonly string[] =>
  verdicts.flatMap((one) => (one.verdict === "failed" ? [one.question] : []));
const verdict = (report: Report, question: string) => report.verdicts.find((one) => one.question === question);

/** Rewrites the whole record with the owner's own key: nothing among the files contradicts itself. */
async function rewrite(folder: string, lines: readonly string[]): Promise<Signer> {
  const signer = parseSecret(await readFile(join(folder, "keys", "transcript.key"), "utf8"));
  if (signer === null) throw new Error("no key");
  const root = rootOf(lines.map((line) => leafHash(Buffer.from(line))));
  const note = signNote(checkpointText(signer.name, { size: lines.length, root }), signer);
  const file = (name: string): string => join(folder, "transcript", name);
  await writeFile(file("segments/00000000.ndjson"), lines.map((line) => `${line}\n`).join(""));
  await writeFile(file("checkpoint"), note);
  await writeFile(file("checkpoints.log"), note);
  return signer;
}

/** The entries of a call in another place, chained anew: as whoever has the key and the program would write them. */
async function forked(folder: string, from: number, at: (index: number) => number): Promise<readonly string[]> {
  const other = await temporaryFolder();
  await cp(folder, other, { recursive: true });
  const lines = (await linesIn(other)).slice(0, from);
  await rewrite(other, lines);
  await rm(join(other, "transcript", "standing"), { force: true });
  let written = from;
  const transcript = await openIn(other, { now: () => at(written), disk: quickDisk });
  for (let call = 50; written < 20; call++) {
    await transcript.append(plainRead(callId(call)));
    written += 3;
  }
  await transcript.close();
  return await linesIn(other);
}

promise("anchor:extent", "a sound record agrees with its anchor, and says without one where to look", async () => {
  const { folder, file } = await kept();
  const sound = await verified(folder, file);
  expect([failed(sound), verdict(sound, "EXTENT"), verdict(sound, "TIME")]).toEqual([
    [],
    {
      question: "EXTENT",
      verdict: "ok",
      says: `Nothing is missing, and nothing is another: 3 kept heads, the newest of 12 entries in ${file}.`,
      places: [],
    },
    {
      question: "TIME",
      verdict: "ok",
      says: "From 2026-03-01T10:00:00.000Z to 2026-03-01T13:00:00.000Z, in order; 3 times that were kept elsewhere agree.",
      places: [],
    },
  ]);
  const alone = await verified(folder);
  expect(verdict(alone, "EXTENT")).toEqual({
    question: "EXTENT",
    verdict: "not-checked",
    says: `Nothing contradicts it; only a checkpoint that you keep elsewhere (--anchor) shows that the end was not cut. By its own word such are kept in vault (file, ${file}: 12 entries at 2026-03-01T12:00:00.000Z).`,
    places: [],
  });
  expect(verdict(alone, "TIME")?.says).toMatch(/in order; by the gateway's own clock alone\.$/);
});

promise(
  "anchor:extent",
  "a tail that was cut and signed again with the stolen key is named with its anchor",
  async () => {
    const { folder, file, lines } = await kept();
    await rewrite(folder, lines.slice(0, 9));
    expect(failed(await verified(folder))).toEqual([]);
    const report = await verified(folder, file);
    expect([failed(report), verdict(report, "EXTENT")?.places]).toEqual([
      ["EXTENT"],
      [`${file}: counts 12 entries at 2026-03-01T12:00:00.000Z, 9 are here`],
    ]);
  },
);

promise(
  "anchor:extent",
  "two histories of one size, each signed by the same key, are told apart by the anchor",
  async () => {
    const { folder, file } = await kept();
    const other = await forked(folder, 5, () => start + 130 * minute);
    await rewrite(folder, other);
    expect(failed(await verified(folder))).toEqual([]);
    const report = await verified(folder, file);
    expect(failed(report)).toEqual(["INTEGRITY", "EXTENT", "TIME"]);
    expect(verdict(report, "EXTENT")?.places).toEqual([
      `${file}: holds another history of 8 entries than stands here`,
      `${file}: holds another history of 12 entries than stands here`,
    ]);
  },
);

promise("anchor:time", "a tail that is dated back, its step of the clock on record and all, is found", async () => {
  const { folder, file } = await kept();
  // After the last kept head, as if it had been an hour and a half earlier: an entry admits to the step.
  const backdated = await forked(folder, 12, () => start + 30 * minute);
  await rewrite(folder, backdated);
  expect(failed(await verified(folder))).toEqual([]);
  const report = await verified(folder, file);
  expect([failed(report), verdict(report, "TIME")?.places[0]]).toEqual([
    ["TIME"],
    `entry 12 (segments/00000000.ndjson line 13): is dated 2026-03-01T10:30:00.000Z, and ${file} did not have it yet at 2026-03-01T12:00:00.000Z`,
  ]);
});

promise("anchor:time", "entries that are dated later than an anchor, or its receiver, had them are found", async () => {
  const folder = await temporaryFolder();
  const held = join(await temporaryFolder(), "syslog");
  let now = start + 90 * minute;
  const transcript = await openIn(folder, { now: () => now, disk: quickDisk });
  await transcript.append(plainRead(callId(1)));
  const { note } = await transcript.anchorable();
  await transcript.close();
  // The receiver's own clock says that it came an hour and a half before the gateway says it was.
  await writeFile(held, `2026-03-01T10:00:00+00:00 gw sallyport - - - ${noteWord(note)}\n`);
  const report = await verified(folder, held);
  expect([failed(report), verdict(report, "TIME")?.places[0]]).toEqual([
    ["TIME"],
    `entry 0 (segments/00000000.ndjson line 1): is dated 2026-03-01T11:30:00.000Z, and ${held} had it by 2026-03-01T10:00:00.000Z`,
  ]);
  // Four minutes apart is what clocks may differ by.
  await writeFile(held, `2026-03-01T12:26:00+01:00 gw sallyport - - - ${noteWord(note)}\n`);
  expect(failed(await verified(folder, held))).toEqual([]);
  // A head that was cosigned an hour before its entries are dated.
  now = start;
  const signer = parseSecret(await readFile(join(folder, "keys", "transcript.key"), "utf8"));
  if (signer === null) throw new Error("no key");
  await writeFile(held, cosign(note.split("\n").slice(0, 5).join("\n") + "\n", signer, start + 30 * minute));
  expect(failed(await verified(folder, held))).toEqual(["TIME"]);
});

promise(
  "anchor:extent",
  "an anchor that was changed, that is empty, or that is another log's shows nothing",
  async () => {
    const [one, another] = [await kept(), await kept()];
    const text = await readFile(one.file, "utf8");
    const says = async (changed: string): Promise<readonly string[]> => {
      await writeFile(one.file, changed);
      const report = await verified(one.folder, one.file);
      expect(failed(report)).toContain("EXTENT");
      return verdict(report, "EXTENT")?.places ?? [];
    };
    expect(await says(text.replace("\n8\n", "\n9\n"))).toEqual([
      `${one.file}: 1 of its checkpoints is not signed by this log's key`,
    ]);
    const unheld = "holds no checkpoint of this log";
    expect(await says("")).toEqual([`${one.file}: ${unheld}: nothing can be said of the end`]);
    expect(await says("nothing of the kind\n")).toEqual([`${one.file}: ${unheld}: nothing can be said of the end`]);
    expect(await says(await readFile(another.file, "utf8"))).toEqual([
      `${one.file}: ${unheld}, and 3 of other logs: nothing can be said of the end`,
    ]);
    // Several logs may share one file.
    await writeFile(one.file, `${await readFile(another.file, "utf8")}\n${text}`);
    expect(failed(await verified(one.folder, one.file))).toEqual([]);
  },
);

promise(
  "anchor:extent",
  "heads from before and after a rotation of the key are each held against their own key",
  async () => {
    const file = join(await temporaryFolder(), "kept");
    const { folder } = await keptIn(() => fileAnchor(file));
    let now = start + 200 * minute;
    const options = {
      folder,
      gateway: { version: "1.2.3", config: digest("c"), policy: digest("b") },
      now: () => now,
      random: (count: number) => randomBytes(count),
      say: () => undefined,
      disk: quickDisk,
    };
    const oldKey = await readFile(join(folder, "transcript", "log.vkey"), "utf8");
    await rotateKey(options, agent);
    now += minute;
    const transcript = await openIn(folder, { now: () => now, disk: quickDisk });
    await transcript.append(plainRead(callId(20)));
    await fileAnchor(file).keep(await transcript.anchorable(), new AbortController().signal);
    await transcript.close();
    const report = await verified(folder, file);
    expect([failed(report), verdict(report, "EXTENT")?.says]).toEqual([
      [],
      expect.stringContaining("4 kept heads, the newest of 20 entries"),
    ]);
    // From the old key as well; and a stolen old key signs nothing that counts after its end.
    const held = await readAnchor(file, env);
    const byOld = await verifyTranscript(folder, { now, anchors: [held], vkey: oldKey });
    expect(failed(byOld)).toEqual([]);
  },
);

if (!(process.env["PATH"] ?? "").split(":").some((folder) => existsSync(join(folder, "git"))))
  test.skip("a git repository as an auditor's anchor: git is missing on this machine", () => undefined);
else
  promise(
    "anchor:extent",
    "a git repository counts with all its history, whatever its branches say today",
    async () => {
      const repository = join(await temporaryFolder(), "anchors.git");
      await execute("git", ["init", "-q", "--bare", repository], { env });
      const author = { name: "Sallyport", email: "sallyport@localhost" };
      const { folder, lines } = await keptIn(() =>
        gitAnchor({ repository, branch: "checkpoints", author, remote: "" }, env),
      );
      const sound = await verified(folder, repository);
      expect([failed(sound), verdict(sound, "EXTENT")?.says]).toEqual([
        [],
        expect.stringContaining("3 kept heads, the newest of 12 entries"),
      ]);
      // An auditor's copy of the branch, from before somebody set it back.
      const copy = join(await temporaryFolder(), "copy");
      await execute("git", ["clone", "-q", "--mirror", repository, copy], { env });
      await execute("git", ["-C", repository, "update-ref", "refs/heads/checkpoints", "checkpoints~2"], { env });
      await rewrite(folder, lines.slice(0, 5));
      expect(failed(await verified(folder, repository))).toEqual([]);
      const report = await verified(folder, copy);
      expect([failed(report), verdict(report, "EXTENT")?.places]).toEqual([
        ["EXTENT"],
        [`${copy}: counts 12 entries at 2026-03-01T12:00:00.000Z, 5 are here`],
      ]);
    },
  );

promise("anchor:commands", "verify takes any number of anchors, and names one that can't be read", async () => {
  const [one, two] = [await kept(), await temporaryFolder()];
  const run = (...words: readonly string[]) =>
    runCommand(["transcript", "verify", ...words], { ...env, PATH: env.PATH ?? "", SALLYPORT_HOME: one.folder });
  await writeFile(join(two, "empty"), "");
  const sound = await run("--anchor", one.file, "--anchor", one.file);
  expect([sound.code, sound.out]).toEqual([0, expect.stringContaining("6 kept heads, the newest of 12 entries")]);
  expect((await run("--anchor", one.file, "--anchor", join(two, "empty"))).code).toBe(3);
  const none = await run("--anchor", join(two, "none"));
  expect([none.code, none.err]).toEqual([2, expect.stringContaining(`${join(two, "none")} can't be read (ENOENT).`)]);
  expect((await run("--anchor", two)).code).toBe(2);
});
