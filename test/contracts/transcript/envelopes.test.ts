// Entries past their term: what goes, what stays, what verification says of whoever went round it, and what a crash in the midst leaves.

import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { cp, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as fc from "fast-check";
import { expect } from "vitest";
import type { EntryDraft } from "../../../src/domain/entry.ts";
import type { SessionId } from "../../../src/domain/ids.ts";
import type { PrincipalFields } from "../../../src/domain/principal.ts";
import type { Disk } from "../../../src/transcript/disk.ts";
import { cursorHolds, feed, type Cursor } from "../../../src/transcript/feed.ts";
import { parseVkey } from "../../../src/transcript/note.ts";
import { parseProof, provesLine, proveEntries } from "../../../src/transcript/proof.ts";
import { proofText } from "../../../src/transcript/proof.ts";
import { leavesDigest, type Range } from "../../../src/transcript/purged-lines.ts";
import { readEntries } from "../../../src/transcript/read.ts";
import type { Transcript, TranscriptOptions } from "../../../src/transcript/record.ts";
import { fileWrapping } from "../../../src/transcript/seal.ts";
import { leafHash } from "../../../src/transcript/tree.ts";
import { verifyTranscript } from "../../../src/transcript/verify.ts";
import { buildVerifier } from "../../../toolchain/build-verifier.ts";
import { promise } from "../../support/promise.ts";
import { independent, runIndependent } from "./independent.ts";
import {
  approvedChange,
  callId,
  decided,
  draft,
  granted,
  linesIn,
  openIn,
  plainRead,
  quickDisk,
  received,
  revoked,
  settled,
  start,
  temporaryFolder,
} from "./support.ts";

const day = 86_400_000;
const person: PrincipalFields = {
  kind: "person",
  issuer: "https://id.example",
  subject: "ada",
  groups: [],
  actors: [],
  client: "terminal",
  verifier: "oidc",
};
const ada = { by: person, person: "", accounts: [], as: [] };
const due = {
  before: "",
  session: "",
  classes: [],
  why: "older than thirty days",
  due: { arguments: 1, diff: 1, output: 1 },
};
const old = { ...due, envelopes: 30 } as const;
const wrapping = fileWrapping(randomBytes(32), (count) => randomBytes(count));
const bodies = { wrapping: () => Promise.resolve(wrapping), classes: ["output"] } as const;
const inSession = (name: string, drafts: readonly EntryDraft[]): readonly EntryDraft[] =>
  drafts.map((one) => ({ ...one, session: { id: `ses_${name}` as SessionId, door: "http" } }));
const alert = draft("alert.raised", null, { alert: "x", about: {} });

interface Place {
  readonly folder: string;
  readonly transcript: Transcript;
  readonly now: () => number;
  readonly pass: (days: number) => Promise<void>;
  readonly again: (over?: Partial<TranscriptOptions>) => Promise<Transcript>;
}

/** A record whose days pass with an entry in each week, so that no silence is doubtful. */
async function place(): Promise<Place> {
  const folder = await temporaryFolder();
  let now = start;
  const again = (over: Partial<TranscriptOptions> = {}): Promise<Transcript> =>
    openIn(folder, { bodies, disk: quickDisk, now: () => now, ...over });
  const transcript = await again();
  const pass = async (days: number): Promise<void> => {
    for (let left = days; left > 0; left -= 6) {
      now += Math.min(6, left) * day;
      await transcript.append([alert]);
    }
  };
  return { folder, transcript, now: () => now, pass, again };
}

/** Two calls that ended; forty days later a third one. */
async function twoOldCalls(): Promise<Place> {
  const here = await place();
  await here.transcript.append(inSession("a", plainRead(callId(1))));
  await here.transcript.append(inSession("a", approvedChange(callId(2), "apr_2", "grant-2")));
  await here.pass(40);
  await here.transcript.append(inSession("b", plainRead(callId(3))));
  return here;
}

const isGone = (line: string): boolean => /^[0-9a-f]{64}$/.test(line);
const goneIn = async (folder: string): Promise<readonly number[]> =>
  (await linesIn(folder)).flatMap((line, index) => (isGone(line) ? [index] : []));
const kindsIn = async (folder: string): Promise<readonly string[]> =>
  (await linesIn(folder)).filter((line) => !isGone(line)).map((line) => (JSON.parse(line) as { kind: string }).kind);

/** Each question that is not answered well, with where. */
async function failures({ folder, now }: Pick<Place, "folder" | "now">): Promise<readonly string[]> {
  const { verdicts } = await verifyTranscript(folder, { now: now() + 60_000 });
  return verdicts.flatMap(({ question, verdict, places }) =>
    verdict === "failed" ? [`${question}: ${places.join("; ")}`] : [],
  );
}

/** Writes lines anew in whatever file they stand. */
async function change(folder: string, edit: (line: string, index: number) => string): Promise<void> {
  const segments = join(folder, "transcript", "segments");
  let index = 0;
  for (const name of (await readdir(segments)).sort()) {
    const lines = (await readFile(join(segments, name), "utf8")).split("\n").slice(0, -1);
    await writeFile(join(segments, name), lines.map((line) => `${edit(line, index++)}\n`).join(""));
  }
}
const leafOf = (line: string): string => leafHash(Buffer.from(line)).toString("hex");

/** What a purge of these entries would say. */
async function saysOf(folder: string, ranges: readonly Range[]) {
  const digest = leavesDigest();
  let count = 0;
  for (const [index, line] of (await linesIn(folder)).entries()) {
    if (!ranges.some(([first, last]) => first <= index && index <= last)) continue;
    digest.add(isGone(line) ? Buffer.from(line, "hex") : leafHash(Buffer.from(line)));
    count++;
  }
  return { ranges, count, digest: digest.hex(), days: 30 };
}
const purgedDraft = (entries: object, over: object = {}): EntryDraft =>
  ({
    kind: "retention.purged",
    session: null,
    call: null,
    principal: person,
    details: {
      keys: [],
      classes: ["envelopes"],
      before: "2026-03-02",
      session: "",
      why: "old",
      due: true,
      entries,
      ...over,
    },
  }) as EntryDraft;

promise(
  "transcript:envelopes",
  "whole calls past their term go, by an entry; all else and every proof stays",
  async () => {
    const here = await twoOldCalls();
    const { folder, transcript } = here;
    const before = await linesIn(folder);
    await transcript.checkpoint();
    expect(await transcript.keeping.purge(old, person)).toEqual({
      keys: 0,
      kept: [],
      doubt: "",
      envelopes: { entries: 14, held: [] },
    });
    const gone = await goneIn(folder);
    const lines = await linesIn(folder);
    // Two calls of 3 and 10 entries and the first of the alerts: the others are younger.
    expect(gone).toEqual(Array.from({ length: 14 }, (_, index) => index));
    expect(lines.slice(0, before.length).map((line) => (isGone(line) ? line : leafOf(line)))).toEqual(
      before.map(leafOf),
    );
    expect(lines.slice(14, before.length)).toEqual(before.slice(14));
    const [entry] = lines.slice(before.length).map((line) => JSON.parse(line) as { kind: string; details: object });
    expect(entry).toMatchObject({ kind: "retention.purged", details: { entries: await saysOf(folder, [[0, 13]]) } });
    await transcript.close();
    expect(await failures(here)).toEqual([]);
    const { verdicts, entries } = await verifyTranscript(folder, { now: here.now() });
    expect([entries, verdicts.find(({ question }) => question === "EXTENT")?.says]).toEqual([
      lines.length,
      expect.stringContaining("14 entries were purged, each by an entry; their leaves stand."),
    ]);
    const [proof] = await proveEntries(folder, [before.length - 1]);
    const verifier = parseVkey(await readFile(join(folder, "transcript", "log.vkey"), "utf8"));
    const read = proof === undefined ? null : parseProof(proofText(proof));
    expect(read !== null && verifier !== null && provesLine(read, Buffer.from(before.at(-1) ?? ""), verifier)).toBe(
      true,
    );
    await expect(proveEntries(folder, [3])).rejects.toMatchObject({
      fault: { code: "transcript_unavailable", cause: expect.stringContaining("entry 3 was purged") },
    });
    // And the next start takes it as it stands, with what it sums up and without.
    const again = await here.again();
    expect([again.head().size, again.degraded()]).toEqual([lines.length, null]);
    await again.append(inSession("c", plainRead(callId(4))));
    expect(await again.keeping.purge(old, person)).toMatchObject({ envelopes: { entries: 0 } });
    await again.close();
    expect(await failures(here)).toEqual([]);
  },
);

promise(
  "transcript:envelopes",
  "another program with other libraries takes a purged record for what was signed",
  async () => {
    const go = independent("envelopes");
    if ("skip" in go) return;
    const here = await twoOldCalls();
    await here.transcript.checkpoint();
    await here.transcript.keeping.purge(old, person);
    await here.transcript.close();
    const at = join(here.folder, "transcript");
    const vkey = (await readFile(join(at, "log.vkey"), "utf8")).trim();
    const size = (await linesIn(here.folder)).length;
    expect(runIndependent(go, "transcript", at, vkey)).toMatch(new RegExp(`^${size} `));
    await change(here.folder, (line, index) => (index === 3 ? leafOf(line) : line));
    expect(runIndependent(go, "transcript", at, vkey)).toMatch(/^failed: .*not the ones that were signed/);
  },
);

promise(
  "transcript:envelopes",
  "the one-file verifier says of a purged record what the gateway's own says",
  async () => {
    const here = await twoOldCalls();
    await here.transcript.checkpoint();
    await here.transcript.keeping.purge(old, person);
    await here.transcript.close();
    const program = join(await temporaryFolder(), "verify.mjs");
    await buildVerifier(program);
    const said = (): unknown =>
      JSON.parse(
        spawnSync(process.execPath, [program, join(here.folder, "transcript"), "--json"], { encoding: "utf8" }).stdout,
      );
    const ours = async (): Promise<unknown> =>
      JSON.parse(JSON.stringify(await verifyTranscript(here.folder, { now: Date.now() })));
    expect(said()).toEqual(await ours());
    expect(said()).toMatchObject({ verdicts: expect.arrayContaining([expect.objectContaining({ verdict: "ok" })]) });
    const taken = (await kindsIn(here.folder)).length;
    await change(here.folder, (line) => (JSON.stringify(line).includes("retention.purged") ? leafOf(line) : line));
    expect((await kindsIn(here.folder)).length).toBe(taken - 1);
    expect(said()).toEqual(await ours());
    expect(said()).toMatchObject({ ok: false });
  },
);

promise(
  "transcript:envelopes-kept",
  "what has not ended, may still live, or is needed to check the others",
  async () => {
    const here = await place();
    const { transcript } = here;
    await transcript.append([draft("gateway.started", null, { config: "c", policy: "b", tools: "t" } as never)]);
    await transcript.append(inSession("a", [received(callId(1)), decided(callId(1))]));
    await transcript.append(
      inSession("a", [received(callId(2)), decided(callId(2)), granted(callId(2), "grant-2"), settled(callId(2))]),
    );
    await transcript.append(
      inSession("a", [
        received(callId(3)),
        decided(callId(3)),
        { ...(settled(callId(3)) as EntryDraft & { kind: "call.settled" }), body: { class: "output", text: "told" } },
      ]),
    );
    await transcript.append(inSession("a", approvedChange(callId(4), "apr_4", "grant-4").slice(0, 4)));
    await transcript.append(inSession("a", plainRead(callId(5))));
    await transcript.append(inSession("a", plainRead(callId(6)).slice(0, 2)));
    await here.pass(40);
    // The sixth ends only now.
    await transcript.append(inSession("a", plainRead(callId(6)).slice(2)));
    expect((await transcript.keeping.purge({ ...old, classes: [] }, person)).envelopes).toEqual({
      entries: 4,
      held: [],
    });
    // The fifth call and the first alert.
    expect(await goneIn(here.folder)).toEqual([14, 15, 16, 19]);
    await transcript.close();
    expect(await failures(here)).toEqual([]);
    const again = await here.again();
    expect([
      again.unsettled.map(({ call }) => call),
      again.liveGrants().map(({ id }) => id),
      again.lastStart?.config,
    ]).toEqual([[callId(1)], ["grant-2"], "c"]);
    // Now the first has its end, the second's grant goes, and the third's body.
    await again.append(inSession("a", [revoked(callId(2), "grant-2")]));
    expect(await again.keeping.purge({ ...old, classes: ["output"] }, person)).toMatchObject({
      keys: 1,
      envelopes: { entries: 3 },
    });
    expect((await goneIn(here.folder)).slice(0, 3)).toEqual([7, 8, 9]);
    await again.close();
    expect(await failures(here)).toEqual([]);
  },
);

promise(
  "transcript:envelopes-kept",
  "a hold keeps all since its own beginning, and one without a beginning everything",
  async () => {
    for (const [covers, entries, held] of [
      [{ tool: "nobody" }, 0, ["case-17"]],
      [{ since: start }, 0, ["case-17"]],
      [{ since: start + 3 * day, session: "ses_x" }, 13, ["case-17"]],
      [{ since: start + 30 * day }, 14, []],
    ] as const) {
      const here = await twoOldCalls();
      await here.transcript.keeping.place("case-17", covers, "a case", ada);
      expect([covers, (await here.transcript.keeping.purge(old, person)).envelopes]).toEqual([
        covers,
        { entries, held },
      ]);
      expect([covers, (await goneIn(here.folder)).length]).toEqual([covers, entries]);
      await here.transcript.close();
      expect([covers, await failures(here)]).toEqual([covers, []]);
    }
  },
);

promise("transcript:envelopes-kept", "a clock that was set forward has nothing purged", async () => {
  const folder = await temporaryFolder();
  let now = start;
  const transcript = await openIn(folder, { disk: quickDisk, now: () => now });
  await transcript.append(inSession("a", plainRead(callId(1))));
  now += 4000 * day;
  expect(await transcript.keeping.purge(old, person)).toEqual({
    keys: 0,
    kept: [],
    doubt: expect.stringContaining("a clock that was set forward looks the same"),
  });
  expect(await goneIn(folder)).toEqual([]);
});

promise(
  "transcript:envelopes-kept",
  "whatever happened in whatever order: what stays verifies, and what is young or open stays",
  async () => {
    const step = fc.record({
      story: fc.constantFrom("read", "change", "open", "asked", "granted", "late", "rotate", "degraded"),
      hours: fc.integer({ min: 0, max: 140 }),
      session: fc.constantFrom("a", "b"),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 14 }),
        fc.integer({ min: 1, max: 25 }),
        async (steps, days) => {
          const folder = await temporaryFolder();
          let now = start;
          const transcript = await openIn(folder, { disk: quickDisk, now: () => now, segmentSize: 4000 });
          const late: EntryDraft[] = [];
          for (const [number, { story, hours, session }] of steps.entries()) {
            const call = callId(number + 1);
            const expires = new Date(now + 900_000).toISOString();
            const change_ = approvedChange(call, `apr_${number}`, `grant-${number}`).map((one) =>
              one.kind === "approval.requested" ? { ...one, details: { ...one.details, expires } } : one,
            );
            const told = {
              read: plainRead(call),
              change: change_,
              open: change_.slice(0, 1),
              asked: change_.slice(0, 4),
              granted: change_.slice(0, 8),
              late: change_.slice(0, 8),
              rotate: [draft("policy.changed", null, { from: "x", to: "y" } as never)],
              degraded: [alert],
            }[story];
            await transcript.append(
              inSession(
                session,
                told.filter((one) => one.call !== null),
              ),
            );
            await transcript.append(told.filter((one) => one.call === null));
            if (story === "late") late.push(...inSession(session, change_.slice(8)));
            now += hours * 3_600_000;
            await transcript.append([alert]);
          }
          await transcript.append(late);
          const before = await linesIn(folder);
          await transcript.keeping.purge({ ...old, envelopes: days }, null);
          await transcript.close();
          expect(await failures({ folder, now: () => now })).toEqual([]);
          const limit = new Date(now - days * day).toISOString().slice(0, 10);
          for (const [index, line] of (await linesIn(folder)).slice(0, before.length).entries()) {
            if (line === before[index]) continue;
            const { ts } = JSON.parse(before[index] ?? "") as { ts: string };
            expect([line, ts < limit]).toEqual([leafOf(before[index] ?? ""), true]);
          }
          const again = await openIn(folder, { disk: quickDisk, now: () => now, segmentSize: 4000 });
          const [opened, open] = [
            again.unsettled.length,
            steps.filter(({ story }) => story === "open" || story === "granted").length,
          ];
          expect(opened).toBe(open);
          await again.close();
          expect(await failures({ folder, now: () => now })).toEqual([]);
        },
      ),
      { numRuns: 10 },
    );
  },
);

promise("transcript:envelopes-verified", "each other way to lose an entry is found", async () => {
  const none = "is gone, and no entry under a signed head says that it was purged";
  const purged: readonly Range[] = [[0, 12]];
  const cases: readonly (readonly [
    what: string,
    forge: (here: Place) => Promise<void>,
    wrong: (line: string, index: number, before: readonly string[]) => string,
    says: readonly unknown[],
  ])[] = [
    ["nothing", async () => undefined, (line) => line, []],
    [
      "purged as the entry says",
      async ({ transcript, folder }) => void (await transcript.append([purgedDraft(await saysOf(folder, purged))])),
      (line, index) => (index <= 12 ? leafOf(line) : line),
      [],
    ],
    [
      "without an entry",
      async () => undefined,
      (line, index) => (index <= 12 ? leafOf(line) : line),
      [expect.stringContaining(`EXTENT: entry 0 (segments/00000000.ndjson line 1): ${none}`)],
    ],
    [
      "more than the entry says",
      async ({ transcript, folder }) => void (await transcript.append([purgedDraft(await saysOf(folder, [[0, 2]]))])),
      (line, index) => (index <= 12 ? leafOf(line) : line),
      [expect.stringContaining(`EXTENT: entry 3 (segments/00000000.ndjson line 4): ${none}`)],
    ],
    [
      "a leaf that is another",
      async ({ transcript, folder }) => void (await transcript.append([purgedDraft(await saysOf(folder, purged))])),
      (line, index) => (index <= 12 ? leafOf(index === 4 ? `${line} ` : line) : line),
      [
        expect.stringContaining("INTEGRITY: entries 0 to "),
        expect.stringContaining("says of other entries that they were purged than stood there"),
      ],
    ],
    [
      "an entry that was put back altered",
      async ({ transcript, folder }) => void (await transcript.append([purgedDraft(await saysOf(folder, purged))])),
      (line, index) =>
        index === 4 ? line.replace("workloads_scale", "workloads_sc4le") : index <= 12 ? leafOf(line) : line,
      [
        expect.stringContaining("INTEGRITY: entries 0 to "),
        expect.stringMatching(
          /^EXTENT: .*says that entry 4 was purged, and it is still there; .* says of other entries/,
        ),
        expect.stringContaining("SEMANTICS: "),
      ],
    ],
    [
      "an entry of which the purge did not come to pass",
      async ({ transcript, folder }) => void (await transcript.append([purgedDraft(await saysOf(folder, purged))])),
      (line, index) => (index <= 11 ? leafOf(line) : line),
      [expect.stringMatching(/^EXTENT: .*says that entry 12 was purged, and it is still there$/)],
    ],
    [
      "against a hold of a part of it",
      async ({ transcript, folder }) => {
        await transcript.keeping.place("case-17", { since: start, namespace: "prod" }, "a case", ada);
        await transcript.append([purgedDraft(await saysOf(folder, purged))]);
      },
      (line, index) => (index <= 12 ? leafOf(line) : line),
      [expect.stringMatching(/^EXTENT: .*purged entries against hold case-17$/)],
    ],
    [
      "before its time",
      async ({ transcript, folder }) =>
        void (await transcript.append([purgedDraft(await saysOf(folder, purged), { before: "2026-04-09" })])),
      (line, index) => (index <= 12 ? leafOf(line) : line),
      [expect.stringMatching(/^EXTENT: .*purged entries of days before 2026-04-09, which are not 30 days old$/)],
    ],
    [
      "behind what is younger",
      async ({ transcript, folder }) => void (await transcript.append([purgedDraft(await saysOf(folder, [[13, 15]]))])),
      (line, index) => (index >= 14 && index <= 15 ? leafOf(line) : line),
      [expect.stringMatching(/^EXTENT: .*purged entry 15, behind entry 13, which .*says that entry 13 was purged/)],
    ],
    [
      "a part of a call that had not ended",
      async ({ transcript, folder }) => void (await transcript.append([purgedDraft(await saysOf(folder, [[0, 1]]))])),
      (line, index) => (index <= 1 ? leafOf(line) : line),
      [expect.stringMatching(/^SEMANTICS: entry 2 .*call.settled of call_.*, which was not received or had ended/)],
    ],
    [
      "twice",
      async ({ transcript, folder }) => {
        const entries = await saysOf(folder, purged);
        await transcript.append([purgedDraft(entries), purgedDraft(entries)]);
      },
      (line, index) => (index <= 12 ? leafOf(line) : line),
      [expect.stringContaining("says that entry 0 was purged, which an earlier one says")],
    ],
    [
      "by an entry that says nothing",
      async ({ transcript }) =>
        void (await transcript.append([purgedDraft({ ranges: [], count: 0, digest: "", days: 1 })])),
      (line) => line,
      [expect.stringContaining("says that entries were purged, and not which")],
    ],
  ];
  for (const [what, forge, wrong, says] of cases) {
    const here = await twoOldCalls();
    await forge(here);
    await here.transcript.close();
    const before = await linesIn(here.folder);
    await change(here.folder, (line, index) => wrong(line, index, before));
    expect([what, await failures(here)]).toEqual([what, says]);
  }
});

promise("transcript:envelopes-verified", "an entry that no signed head counts accounts for nothing", async () => {
  const here = await twoOldCalls();
  await here.transcript.close();
  const entries = await saysOf(here.folder, [[0, 12]]);
  const copy = await temporaryFolder();
  await cp(here.folder, copy, { recursive: true });
  const forger = await openIn(copy, { bodies, disk: quickDisk, now: here.now });
  await forger.append([purgedDraft(entries)]);
  await forger.close();
  // Its line stands behind the signed ones of the real record, as after a crash.
  const forged = (await linesIn(copy)).at(-1) ?? "";
  const segment = join(here.folder, "transcript", "segments", "00000000.ndjson");
  await writeFile(segment, `${await readFile(segment, "utf8")}${forged}\n`);
  await change(here.folder, (line, index) => (index <= 12 ? leafOf(line) : line));
  expect(await failures(here)).toEqual([
    expect.stringContaining("is gone, and no entry under a signed head says that it was purged"),
  ]);
  await expect(here.again()).rejects.toMatchObject({
    fault: { cause: expect.stringContaining("entry 0 is gone, and no signed entry says that it was purged") },
  });
});

promise("transcript:envelopes-verified", "a hold that was hidden under its own leaf is not over", async () => {
  const here = await twoOldCalls();
  await here.transcript.keeping.place("case-17", {}, "a case", ada);
  const lines = await linesIn(here.folder);
  await change(here.folder, (line, index) => (index === lines.length - 1 ? leafOf(line) : line));
  await expect(here.transcript.keeping.purge(old, person)).rejects.toMatchObject({
    fault: { cause: expect.stringContaining("is gone, and no entry says that it was purged") },
  });
  expect((await goneIn(here.folder)).length).toBe(1);
});

promise("transcript:envelopes-crash", "a purge that was cut short anywhere is finished by the next start", async () => {
  // The entry is there and the first file was not replaced; or it is cut short between two files.
  for (const allowed of [0, 1, 2]) {
    const here = await place();
    await here.transcript.close();
    let [replaced, broken] = [0, false];
    const disk: Disk = {
      ...quickDisk,
      replace(path, bytes) {
        if (path.endsWith(".ndjson") && !path.endsWith("keys.ndjson") && replaced++ >= allowed) broken = true;
        // The power is gone: nothing reaches the disk any more.
        return broken
          ? Promise.reject(Object.assign(new Error("EIO"), { code: "EIO" }))
          : quickDisk.replace(path, bytes);
      },
    };
    let now = start;
    const first = await here.again({ disk, now: () => now, segmentSize: 3000 });
    for (let call = 1; call <= 5; call++) await first.append(inSession("a", plainRead(callId(call))));
    for (let week = 1; week <= 7; week++) {
      now += 6 * day;
      await first.append([alert]);
    }
    await expect(first.keeping.purge(old, person)).rejects.toThrow("EIO");
    const cut = await temporaryFolder();
    await cp(here.folder, cut, { recursive: true });
    const [partly, size] = [await goneIn(cut), (await linesIn(cut)).length];
    expect([allowed, (await failures({ folder: cut, now: () => now })).length]).toEqual([allowed, 1]);
    // The files as they lay when the power went.
    const again = await openIn(cut, { bodies, disk: quickDisk, now: () => now, segmentSize: 3000 });
    const gone = await goneIn(cut);
    expect([allowed, gone.length, partly.every((index) => gone.includes(index)), again.head().size]).toEqual([
      allowed,
      16,
      true,
      size,
    ]);
    expect(partly.length).toBeLessThan(16);
    await again.close();
    expect([allowed, await failures({ folder: cut, now: () => now })]).toEqual([allowed, []]);
    // Where the gateway goes on instead, the next purge finishes it.
    broken = false;
    replaced = -1000;
    await first.append(inSession("b", plainRead(callId(9))));
    expect((await first.keeping.purge(old, person)).envelopes).toEqual({ entries: 0, held: [] });
    expect([allowed, (await goneIn(here.folder)).length]).toEqual([allowed, 16]);
    await first.close();
    expect([allowed, await failures({ folder: here.folder, now: () => now })]).toEqual([allowed, []]);
  }
});

promise("transcript:envelopes-crash", "what was summed up for the next start still counts after a purge", async () => {
  const here = await place();
  await here.transcript.close();
  let now = start;
  const said: string[] = [];
  const open = () => here.again({ now: () => now, segmentSize: 3000, say: (sentence) => void said.push(sentence) });
  const first = await open();
  for (let call = 1; call <= 12; call++) {
    await first.append(inSession("a", plainRead(callId(call))));
    await first.checkpoint();
  }
  for (let week = 1; week <= 7; week++) {
    now += 6 * day;
    await first.append([alert]);
  }
  await first.close();
  expect((await stat(join(here.folder, "transcript", "standing"))).isFile()).toBe(true);
  const second = await open();
  expect((await second.keeping.purge(old, person)).envelopes).toEqual({ entries: 37, held: [] });
  await second.close();
  const third = await open();
  await third.append(inSession("b", plainRead(callId(20))));
  await third.close();
  expect([said, await failures({ folder: here.folder, now: () => now })]).toEqual([[], []]);
});

promise(
  "transcript:envelopes-crash",
  "an export that had stopped within what was purged goes on where it was",
  async () => {
    const here = await twoOldCalls();
    const { folder, transcript } = here;
    const { entries, next } = await feed(folder, { index: 0, segment: 0, offset: 0, leaf: "" }, 1, 5);
    const behind: Cursor = next;
    expect([entries.length > 0, behind.index > 0 && behind.index < 14]).toEqual([true, true]);
    await transcript.checkpoint();
    await transcript.keeping.purge(old, person);
    expect(await cursorHolds(folder, behind)).toBe(false);
    const told: number[] = [];
    for (let cursor = behind; ;) {
      const fed = await feed(folder, cursor, 4096);
      if (fed.next.index === cursor.index) break;
      told.push(...fed.entries.map(({ index }) => index));
      cursor = fed.next;
    }
    const standing: number[] = [];
    for await (const { index } of readEntries(folder)) standing.push(index);
    expect(told).toEqual(standing);
    expect(await kindsIn(folder)).toContain("retention.purged");
  },
);
