// Proofs of single entries and the rotation of the key, with ours and with other people's libraries.

import { randomBytes } from "node:crypto";
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect } from "vitest";
import { keepKey, makeKey, nextKeyPath, retiredPath } from "../../../src/transcript/key.ts";
import {
  checkpointText,
  parseSecret,
  parseVkey,
  signerFrom,
  signNote,
  type Signer,
  type Verifier,
} from "../../../src/transcript/note.ts";
import { realDisk } from "../../../src/transcript/disk.ts";
import { parseProof, proofText, proveEntries, provesLine, type Proof } from "../../../src/transcript/proof.ts";
import { rotateKey } from "../../../src/transcript/rotate.ts";
import { leafHash, rootOf } from "../../../src/transcript/tree.ts";
import { verifyTranscript, type Report, type VerifyOptions } from "../../../src/transcript/verify.ts";
import { promise } from "../../support/promise.ts";
import { independent, runIndependent } from "./independent.ts";
import { agent, callId, digest, draft, linesIn, openIn, plainRead, start, temporaryFolder } from "./support.ts";

const file = (folder: string, name: string): string => join(folder, "transcript", name);

async function written(count: number): Promise<string> {
  const folder = await temporaryFolder();
  const transcript = await openIn(folder);
  for (let number = 1; number <= count; number++) await transcript.append(plainRead(callId(number)));
  await transcript.close();
  return folder;
}

async function keyOf(folder: string): Promise<Verifier> {
  return parseVkey(await readFile(file(folder, "log.vkey"), "utf8")) as Verifier;
}

promise(
  "transcript:proof",
  "every entry's proof holds, survives its text, and no other line or index passes for it",
  async () => {
    const folder = await written(7);
    const lines = (await linesIn(folder)).map((line) => Buffer.from(line));
    const verifier = await keyOf(folder);
    const proofs = await proveEntries(folder, [...lines.keys()]);
    for (const [index, proof] of proofs.entries()) {
      const again = parseProof(proofText(proof)) as Proof;
      expect([again.index, Buffer.from(again.extra ?? []).toString()]).toEqual([index, lines[index]?.toString()]);
      expect(lines.map((line) => provesLine(again, line, verifier))).toEqual(lines.map((_, at) => at === index));
      expect(provesLine({ ...again, index: (index + 1) % lines.length }, lines[index] as Buffer, verifier)).toBe(false);
    }
    const thief = makeKey(start, randomBytes);
    const [proof] = proofs as [Proof];
    expect(provesLine(proof, lines[0] as Buffer, thief)).toBe(false);
    const note = signNote(checkpointText(thief.name, { size: 1, root: leafHash(Buffer.from("x")) }), thief);
    expect(provesLine({ index: 0, hashes: [], checkpoint: note, extra: null }, Buffer.from("x"), verifier)).toBe(false);
    await expect(proveEntries(folder, [99])).rejects.toMatchObject({ fault: { code: "transcript_unavailable" } });
  },
);

promise("transcript:proof", "the form is the one of c2sp.org/tlog-proof, and what is not is no proof", async () => {
  const text = [
    "c2sp.org/tlog-proof@v1",
    "extra aGVsbG8=",
    "index 73894",
    "gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=",
    "B95lDa8R83lS8n0eG+o0buTxRKQTYFi//1U8anccXmA=",
    "",
    "example.com/fancylog\n109482\nsFodV/vSp5O8n9a8QpW6PRY97tfOSW5bsc2Xl/EQi08=\n\n— example.com/fancylog hI2DJw==\n",
  ].join("\n");
  const proof = parseProof(text) as Proof;
  expect([proof.index, proof.hashes.length, Buffer.from(proof.extra ?? []).toString(), proofText(proof)]).toEqual([
    73894,
    2,
    "hello",
    text,
  ]);
  const bare = text.replace("extra aGVsbG8=\n", "");
  expect([parseProof(bare)?.extra, proofText(parseProof(bare) as Proof)]).toEqual([null, bare]);
  for (const [from, to] of [
    ["@v1", "@v2"],
    ["index 73894", "index 073894"],
    ["index 73894", "index -1"],
    ["gSKy", "gSK"],
    ["cdPlQ=", "cdPlR="],
    ["\n\n", "\n"],
  ] as const)
    expect([from, parseProof(text.replaceAll(from, to))]).toEqual([from, null]);
  fc.assert(fc.property(fc.string(), (noise) => parseProof(noise) === null));
});

const gateway = { version: "1.2.3", config: digest("c"), policy: digest("b") };

/** Entries under the first key, a rotation, and entries under the second; again for each further one. */
async function rotated(
  times = 1,
): Promise<{ folder: string; keys: readonly string[]; notes: readonly string[]; first: Signer }> {
  const folder = await written(2);
  let time = start;
  const now = (): number => (time += 10);
  const keys = [await readFile(file(folder, "log.vkey"), "utf8")];
  const notes = [await readFile(file(folder, "checkpoint"), "utf8")];
  const first = await signerIn(folder);
  for (let number = 1; number <= times; number++) {
    await rotateKey({ folder, gateway, now, random: (count) => randomBytes(count), say: () => undefined }, agent);
    const transcript = await openIn(folder, { now });
    await transcript.append(plainRead(callId(10 + number)));
    await transcript.close();
    keys.push(await readFile(file(folder, "log.vkey"), "utf8"));
    notes.push(await readFile(file(folder, "checkpoint"), "utf8"));
  }
  return { folder, keys, notes, first };
}

async function signerIn(folder: string): Promise<Signer> {
  return parseSecret(await readFile(join(folder, "keys", "transcript.key"), "utf8")) as Signer;
}

const verified = (folder: string, over: Partial<VerifyOptions> = {}): Promise<Report> =>
  verifyTranscript(folder, { now: start + 60_000, ...over });
const failed = (report: Report): readonly string[] =>
  report.verdicts.flatMap((one) => (one.verdict === "failed" ? [one.question] : []));

promise(
  "transcript:rotation",
  "from any of its keys, and with an anchor of any of them, the whole record verifies",
  async () => {
    const { folder, keys, notes } = await rotated(3);
    expect(new Set(keys).size).toBe(4);
    for (const vkey of keys)
      for (const note of notes) {
        const anchors = [{ name: "kept", notes: [{ note, seen: null }] }];
        expect(failed(await verified(folder, { vkey, anchors }))).toEqual([]);
      }
    const report = await verified(folder);
    expect([failed(report), report.verdicts[1]?.says]).toEqual([
      [],
      expect.stringContaining("after 3 rotations of the key"),
    ]);
    const other = makeKey(start, randomBytes).vkey;
    expect(failed(await verified(folder, { vkey: other }))).toContain("INTEGRITY");
  },
);

promise(
  "transcript:rotation",
  "a head of the old key after the rotation, and of the new one before it, are found",
  async () => {
    const { folder, keys, first } = await rotated();
    const log = await readFile(file(folder, "checkpoints.log"), "utf8");
    const lines = (await linesIn(folder)).map((line) => leafHash(Buffer.from(line)));
    const planted = (signer: Signer, size: number): string =>
      signNote(checkpointText(signer.name, { size, root: rootOf(lines.slice(0, size)) }), signer);
    // The new key in the old one's time; and the old one, stolen, in the new one's: true heads, both of them.
    for (const note of [planted(await signerIn(folder), 3), planted(first, lines.length)]) {
      await writeFile(file(folder, "checkpoints.log"), `${log}\n${note}`);
      for (const vkey of keys) expect(failed(await verified(folder, { vkey }))).toEqual(["INTEGRITY"]);
    }
    // A key that is retired can't be used by mistake: only its verifier is kept.
    const kept = await readFile(join(folder, "keys", "transcript.retired"), "utf8");
    expect(kept).toBe(keys[0]);
  },
);

promise("transcript:rotation", "a crash at any step of it is completed by the next opening", async () => {
  const folder = await written(1);
  const old = await signerIn(folder);
  const fresh = signerFrom(old.name, randomBytes(32));
  // Made and not announced: of no account.
  await keepKey(realDisk, nextKeyPath(folder), fresh);
  const transcript = await openIn(folder);
  expect((await keyOf(folder)).vkey).toBe(old.vkey);
  // Announced, and not yet in its place.
  await transcript.append([draft("key.rotated", null, { from: old.vkey, to: fresh.vkey })]);
  await transcript.close();
  const without = join(await temporaryFolder(), "without");
  await cp(folder, without, { recursive: true });
  await rm(nextKeyPath(without));
  await expect(openIn(without)).rejects.toMatchObject({
    fault: { cause: expect.stringContaining("the key was rotated") },
  });
  // In its place, and the published one is still the old.
  const half = join(await temporaryFolder(), "half");
  await cp(folder, half, { recursive: true });
  await writeFile(retiredPath(half), `${old.vkey}\n`);
  await keepKey(realDisk, join(half, "keys", "transcript.key"), fresh);
  for (const one of [folder, half]) {
    const again = await openIn(one);
    await again.append(plainRead(callId(5)));
    await again.close();
    expect([(await keyOf(one)).vkey, failed(await verified(one))]).toEqual([fresh.vkey, []]);
  }
});

const program = independent("proofs");

describe.skipIf("skip" in program)(
  `with golang.org/x/mod/sumdb${"skip" in program ? ` (skipped: ${program.skip})` : ""}`,
  () => {
    const run = (...words: readonly string[]): string => runIndependent(program, ...words);

    promise(
      "transcript:independent",
      "heads, tree and proofs of a record, before and after its key was rotated",
      async () => {
        const { folder, keys } = await rotated(2);
        const vkeys = keys.map((one) => one.trim());
        const { entries, root } = await verified(folder);
        expect(run("transcript", join(folder, "transcript"), ...vkeys)).toBe(
          `${entries} ${Buffer.from(root, "hex").toString("base64")}`,
        );
        const path = join(folder, "one.tlog-proof");
        for (const proof of await proveEntries(folder, [0, 3, entries - 1])) {
          await writeFile(path, proofText(proof));
          expect(run("proof", path, ...vkeys)).toBe(`${proof.index} of ${entries}`);
          const other = Buffer.from(proof.extra ?? [])
            .toString()
            .replace("objects_list", "objects_gist");
          await writeFile(path, proofText({ ...proof, extra: Buffer.from(`${other} `) }));
          expect(run("proof", path, ...vkeys)).toMatch(/^failed: /);
        }
        expect(run("transcript", join(folder, "transcript"), vkeys[0] ?? "")).toMatch(/^failed: /);
        const segment = join(folder, "transcript", "segments", "00000000.ndjson");
        await writeFile(segment, (await readFile(segment, "utf8")).replace("objects_list", "objects_gist"));
        expect(run("transcript", join(folder, "transcript"), ...vkeys)).toMatch(
          /^failed: the first \d+ entries are not the ones/,
        );
      },
    );

    promise("transcript:independent", "the golden day", async () => {
      const golden = join(import.meta.dirname, "..", "..", "golden");
      const folder = await temporaryFolder();
      await mkdir(join(folder, "segments"));
      const note = await readFile(join(golden, "day.checkpoint"), "utf8");
      await cp(join(golden, "day.ndjson"), join(folder, "segments", "00000000.ndjson"));
      await writeFile(join(folder, "checkpoints.log"), note);
      const vkey = (await readFile(join(golden, "day.log.vkey"), "utf8")).trim();
      const [, size, root] = note.split("\n");
      expect(run("transcript", folder, vkey)).toBe(`${size} ${root}`);
    });
  },
);
