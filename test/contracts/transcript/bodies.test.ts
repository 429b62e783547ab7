// Sealed bodies: what is kept of them, who can open them, how they are erased, and what verification says of each.

import { randomBytes } from "node:crypto";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as fc from "fast-check";
import { expect } from "vitest";
import type { EntryDraft } from "../../../src/domain/entry.ts";
import { readKeys, visitBodies } from "../../../src/transcript/bodies.ts";
import { realDisk, type Disk } from "../../../src/transcript/disk.ts";
import type { Transcript, TranscriptOptions } from "../../../src/transcript/record.ts";
import {
  auditorWrapping,
  fileWrapping,
  makeAuditorKey,
  openBody,
  recipientWrapping,
  sealBody,
  usable,
  type SealedBody,
  type WrappedKey,
} from "../../../src/transcript/seal.ts";
import { verifyTranscript, type VerifyOptions } from "../../../src/transcript/verify.ts";
import type { Verdict } from "../../../src/transcript/verdict.ts";
import { promise } from "../../support/promise.ts";
import { callId, decided, openIn, received, settled, start, temporaryFolder } from "./support.ts";

const random = (count: number): Uint8Array => randomBytes(count);
const secret = randomBytes(32);
const wrapping = fileWrapping(secret, random);
const sealing: Partial<TranscriptOptions> = {
  bodies: { wrapping: () => Promise.resolve(wrapping), classes: ["arguments", "diff", "output"] },
};
const answer = "3 pods in prod: all well";

const withAnswer = (call: string, text = answer): readonly EntryDraft[] => [
  received(call),
  decided(call),
  { ...(settled(call) as EntryDraft & { kind: "call.settled" }), body: { class: "output", text } },
];

async function written(
  count = 1,
  over: Partial<TranscriptOptions> = {},
): Promise<{ folder: string; transcript: Transcript }> {
  const folder = await temporaryFolder();
  const transcript = await openIn(folder, { ...sealing, ...over });
  for (let number = 1; number <= count; number++)
    await transcript.append(withAnswer(callId(number), `${answer} ${number}`));
  return { folder, transcript };
}

async function verdictIn(folder: string, options: Partial<VerifyOptions> = {}): Promise<Verdict> {
  const { verdicts } = await verifyTranscript(folder, { now: start + 60_000, ...options });
  return verdicts.find((one) => one.question === "BODIES") as Verdict;
}

const bodiesOf = (folder: string, ...names: string[]): string => join(folder, "transcript", "bodies", ...names);
async function sealedIn(folder: string): Promise<readonly SealedBody[]> {
  const found: SealedBody[] = [];
  await visitBodies(bodiesOf(folder), (body) => void found.push(body));
  return found;
}

promise("transcript:sealed", "what an agent was told is beside its entry, and only the key opens it", async () => {
  const { folder, transcript } = await written();
  await transcript.close();
  const files = await readdir(join(folder, "transcript"), { recursive: true, withFileTypes: true });
  for (const file of files.filter((one) => one.isFile())) {
    const path = join(file.parentPath, file.name);
    expect([path, (await readFile(path)).includes("all well")]).toEqual([path, false]);
    if (path.includes("bodies")) expect([path, (await stat(path)).mode & 0o077]).toEqual([path, 0]);
  }
  const [body] = await sealedIn(folder);
  const [key] = await readKeys(bodiesOf(folder));
  const dataKey = usable((await wrapping.unwrap(key as WrappedKey)) as Uint8Array);
  expect(openBody(body as SealedBody, dataKey)).toBe(`${answer} 1`);
  expect(await fileWrapping(randomBytes(32), random).unwrap(key as WrappedKey)).toBe(null);
  expect(await verdictIn(folder)).toMatchObject({
    verdict: "ok",
    says: "1 bodies are there unchanged (sealed; you gave no key to open them).",
  });
  expect(await verdictIn(folder, { unwrap: wrapping.unwrap })).toMatchObject({
    verdict: "ok",
    says: "1 bodies are there unchanged (1 opened with your key).",
  });
});

promise(
  "transcript:sealed",
  "each session and each class has a key of its own, and another one the next day",
  async () => {
    let now = start;
    const { folder, transcript } = await written(3, { now: () => now });
    const diff = { ...withAnswer(callId(9))[2], body: { class: "diff", text: "~ replicas" } } as EntryDraft;
    await transcript.append([received(callId(9)), decided(callId(9)), diff]);
    now += 86_400_000;
    await transcript.append(withAnswer(callId(10)));
    await transcript.close();
    const keys = await readKeys(bodiesOf(folder));
    expect(keys.map((one) => `${one.class} ${one.since}`)).toEqual([
      "output 2026-03-01",
      "diff 2026-03-01",
      "output 2026-03-02",
    ]);
    expect(new Set((await sealedIn(folder)).map((one) => one.key)).size).toBe(3);
  },
);

promise(
  "transcript:sealed",
  "a key or a body that is moved, flipped or given another commitment opens nothing",
  async () => {
    const about = { key: "a".repeat(32), sid: "ses_1", class: "output", since: "2026-03-01" } as const;
    const dataKey = randomBytes(32);
    const wrapped = await wrapping.wrap(dataKey, about);
    const body = sealBody(answer, usable(dataKey), about.key, random);
    for (const changed of [
      { sid: "ses_2" },
      { class: "diff" as const },
      { since: "2027-01-01" },
      { key: "b".repeat(32) },
    ])
      expect(await wrapping.unwrap({ ...wrapped, ...changed })).toBe(null);
    expect(openBody({ ...body, key: "b".repeat(32) }, usable(dataKey))).toBe(null);
    expect(openBody({ ...body, commit: "0".repeat(64) }, usable(dataKey))).toBe(null);
    const bytes = Buffer.from(body.sealed, "base64");
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, bits) => {
        const changed = Buffer.from(bytes);
        changed[at] = (changed[at] ?? 0) ^ bits;
        expect(openBody({ ...body, sealed: changed.toString("base64") }, usable(dataKey))).toBe(null);
      }),
    );
    fc.assert(
      fc.property(
        fc.string(),
        (text) =>
          openBody(sealBody(text, usable(dataKey), about.key, random), usable(dataKey)) ===
          Buffer.from(text).toString("utf8"),
      ),
    );
  },
);

promise("transcript:rewrapped", "an auditor's key opens what was wrapped for it, and nobody else's does", async () => {
  const [mine, other] = [makeAuditorKey(), makeAuditorKey()];
  const about = { key: "a".repeat(32), sid: "ses_1", class: "output", since: "2026-03-01" } as const;
  const dataKey = randomBytes(32);
  const wrapped = (await recipientWrapping(mine.recipient, random)?.wrap(dataKey, about)) as WrappedKey;
  const opened = await auditorWrapping(mine.secret)?.unwrap(wrapped);
  expect(Buffer.from(opened ?? []).equals(dataKey)).toBe(true);
  expect(await auditorWrapping(other.secret)?.unwrap(wrapped)).toBe(null);
  expect(await auditorWrapping(mine.secret)?.unwrap({ ...wrapped, sid: "ses_2" })).toBe(null);
  expect(await wrapping.unwrap(wrapped)).toBe(null);
  expect([recipientWrapping(mine.secret, random), auditorWrapping(mine.recipient), auditorWrapping("")]).toEqual([
    null,
    null,
    null,
  ]);
});

promise(
  "transcript:bodies-verified",
  "missing, altered, swapped and purged without an entry are each found",
  async () => {
    const { folder, transcript } = await written(3);
    await transcript.close();
    const [sealed, keys] = [bodiesOf(folder, "00000000.sealed"), bodiesOf(folder, "keys.ndjson")];
    const [bodies, key] = [await readFile(sealed, "utf8"), await readFile(keys, "utf8")];
    const lines = bodies.split("\n").slice(0, -1);
    const flipped = (line = ""): string =>
      line.replace(/"sealed":"(.)/, (_, first) => `"sealed":"${first === "A" ? "B" : "A"}`);
    const cases: readonly (readonly [what: string, bodies: string, keys: string, place: RegExp])[] = [
      ["missing", `${lines.slice(1).join("\n")}\n`, key, /entry 2 .*its body is missing/],
      ["altered", `${flipped(lines[0])}\n${lines.slice(1).join("\n")}\n`, key, /entry 2 .*not the one that was sealed/],
      ["without its key", bodies, "", /the key of its body is missing, and no entry says that it was purged/],
      ["with another's key", bodies, key.replace(/"wrapped":"..../, '"wrapped":"AAAA'), /^$/],
    ];
    for (const [what, changedBodies, changedKeys, place] of cases) {
      await writeFile(sealed, changedBodies);
      await writeFile(keys, changedKeys);
      const verdict = await verdictIn(folder, { unwrap: wrapping.unwrap });
      if (what === "with another's key")
        expect(verdict).toMatchObject({
          verdict: "ok",
          says: "3 bodies are there unchanged (0 opened with your key, 3 are not for it).",
        });
      else expect([what, verdict.verdict, verdict.places[0]]).toEqual([what, "failed", expect.stringMatching(place)]);
    }
    await writeFile(sealed, bodies);
    await writeFile(keys, key);
    expect(await verdictIn(folder)).toMatchObject({ verdict: "ok" });
  },
);

promise(
  "transcript:sealed",
  "a crash between bodies and entries costs bodies that nobody was told of, and that is on record",
  async () => {
    const { folder, transcript } = await written(1);
    await transcript.checkpoint();
    await transcript.append(withAnswer(callId(2)));
    await transcript.append(withAnswer(callId(3)));
    const sealed = bodiesOf(folder, "00000000.sealed");
    const lines = (await readFile(sealed, "utf8")).split("\n");
    await writeFile(sealed, `${lines.slice(0, 2).join("\n")}\n${lines[2]?.slice(0, 50)}`);
    expect(await verdictIn(folder)).toMatchObject({ verdict: "failed" });
    const again = await openIn(folder, sealing);
    await again.append(withAnswer(callId(4)));
    await again.close();
    expect(await verdictIn(folder, { unwrap: wrapping.unwrap })).toMatchObject({
      verdict: "ok",
      says: "3 bodies are there unchanged (3 opened with your key); 1 were lost when they were written, which is on record.",
    });
  },
);

/** A disk on which the files of bodies are full, or break when they are to be made durable. */
function brokenDisk(how: () => "" | "full" | "sync"): Disk {
  const fail = (code: string): never => {
    throw Object.assign(new Error(`${code}: planted`), { code, syscall: "write" });
  };
  return {
    ...realDisk,
    async open(path) {
      const file = await realDisk.open(path);
      if (!path.includes("bodies")) return file;
      return {
        ...file,
        write: async (bytes, at) => (how() === "full" ? fail("ENOSPC") : await file.write(bytes, at)),
        sync: async () => (how() === "sync" ? fail("EIO") : await file.sync()),
      };
    },
  };
}

promise(
  "transcript:sealed",
  "without room for bodies a call's end is recorded all the same, no call is let in that needs one, and it is on record",
  async () => {
    let how: "" | "full" | "sync" = "";
    const folder = await temporaryFolder();
    const transcript = await openIn(folder, { ...sealing, disk: brokenDisk(() => how) });
    await transcript.append(withAnswer(callId(1)).slice(0, 2));
    how = "full";
    await transcript.append(withAnswer(callId(1)).slice(2));
    const long = {
      ...(received(callId(2)) as EntryDraft & { kind: "call.received" }),
      body: { class: "arguments", text: "x" },
    } as EntryDraft;
    await expect(transcript.append([long])).rejects.toMatchObject({ fault: { code: "transcript_unavailable" } });
    how = "";
    await transcript.append(withAnswer(callId(3)));
    await transcript.close();
    expect(await verdictIn(folder, { unwrap: wrapping.unwrap })).toMatchObject({
      verdict: "ok",
      says: "1 bodies are there unchanged (1 opened with your key); 2 were lost when they were written, which is on record.",
    });
  },
);

promise("transcript:sealed", "a body that may not have reached the medium is on record as lost", async () => {
  let how: "" | "full" | "sync" = "";
  const folder = await temporaryFolder();
  const transcript = await openIn(folder, { ...sealing, disk: brokenDisk(() => how) });
  how = "sync";
  await transcript.append(withAnswer(callId(1)).slice(0, 2));
  await transcript.append(withAnswer(callId(1)).slice(2));
  how = "";
  await transcript.append(withAnswer(callId(2)));
  await transcript.close();
  expect((await verifyTranscript(folder, { now: start + 60_000 })).ok).toBe(true);
});

promise(
  "transcript:sealed",
  "nothing is sealed where the configuration names no class, and what is too long is cut",
  async () => {
    const folder = await temporaryFolder();
    const none = await openIn(folder, {
      bodies: { wrapping: () => Promise.reject(new Error("never asked")), classes: [] },
    });
    await none.append(withAnswer(callId(1)));
    await none.close();
    expect(await readdir(join(folder, "transcript"))).not.toContain("bodies");
    expect(await verdictIn(folder)).toMatchObject({ verdict: "not-checked" });
    const { folder: other, transcript } = await written(0);
    await transcript.append(withAnswer(callId(1), "é".repeat(400_000)));
    await transcript.close();
    const [body] = await sealedIn(other);
    const [key] = await readKeys(bodiesOf(other));
    const text = openBody(body as SealedBody, usable((await wrapping.unwrap(key as WrappedKey)) as Uint8Array)) ?? "";
    expect([text.length, text.at(-1)]).toEqual([262_144, "é"]);
    const { verdicts } = await verifyTranscript(other, { now: start + 60_000, unwrap: wrapping.unwrap });
    expect(verdicts.filter((one) => one.verdict === "failed")).toEqual([]);
  },
);

promise(
  "transcript:erased",
  "what a destroyed key sealed opens for nobody, and verification accepts what an entry names and nothing else",
  async () => {
    let now = start;
    const { folder, transcript } = await written(2, { now: () => now });
    const sealed = await readFile(bodiesOf(folder, "00000000.sealed"));
    const before = await readKeys(bodiesOf(folder));
    const what = { before: "", session: "", classes: ["output"], why: "asked for" } as const;
    // Today's keys are in use.
    expect(await transcript.keeping.purge(what, null)).toEqual({ keys: 0, kept: [], doubt: "" });
    now += 86_400_000;
    await transcript.append(withAnswer(callId(3)));
    expect([
      (await transcript.keeping.purge({ ...what, session: "ses_other" }, null)).keys,
      (await transcript.keeping.purge({ ...what, before: "2026-03-01" }, null)).keys,
      (await transcript.keeping.purge({ ...what, classes: ["diff"] }, null)).keys,
      (await transcript.keeping.purge(what, null)).keys,
      (await transcript.keeping.purge(what, null)).keys,
    ]).toEqual([0, 0, 0, 1, 0]);
    await transcript.append(withAnswer(callId(4)));
    await transcript.close();
    const after = await readFile(bodiesOf(folder, "keys.ndjson"), "utf8");
    expect(after).not.toContain(before[0]?.key);
    expect((await readFile(bodiesOf(folder, "00000000.sealed"))).subarray(0, sealed.length)).toEqual(sealed);
    const later = { unwrap: wrapping.unwrap, now: now + 60_000 };
    expect(await verdictIn(folder, later)).toMatchObject({
      verdict: "ok",
      says: "4 bodies are there unchanged (2 opened with your key); 2 were purged, each by an entry.",
    });
    // Another key destroyed, and no entry; and one that an entry says is gone, put back.
    await writeFile(bodiesOf(folder, "keys.ndjson"), "");
    expect((await verdictIn(folder, later)).places[0]).toMatch(/the key of its body is missing, and no entry/);
    await writeFile(bodiesOf(folder, "keys.ndjson"), `${JSON.stringify(before[0])}\n${after}`);
    expect((await verdictIn(folder, later)).places[0]).toMatch(/was destroyed, and it is still there/);
    // A crash between the entry and the keys' end: the next opening destroys them.
    await (await openIn(folder, { ...sealing, now: () => now })).close();
    expect(await verdictIn(folder, later)).toMatchObject({ verdict: "ok" });
  },
);
