// What the commands say of what they can't find any more: past the index's term, or purged.

import { chmod, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect } from "vitest";
import type { EntryDraft } from "../../../src/domain/entry.ts";
import type { SessionId } from "../../../src/domain/ids.ts";
import { severityOf } from "../../../src/transcript/severity.ts";
import { searchEntries } from "../../../src/transcript/search.ts";
import { promise } from "../../support/promise.ts";
import { runCommand } from "../../support/world.ts";
import { callId, draft, openIn, plainRead, quickDisk, start, temporaryFolder } from "./support.ts";

const day = 86_400_000;
const inSession = (name: string, drafts: readonly EntryDraft[]): readonly EntryDraft[] =>
  drafts.map((one) => ({ ...one, session: { id: `ses_${name}` as SessionId, door: "http" } }));

interface Place {
  readonly folder: string;
  readonly now: () => number;
  readonly run: (...words: readonly string[]) => Promise<{ code: number; out: string; err: string }>;
}

/** A call of its first day (0 to 2), an entry in each week, and forty days later another call (10 to 12); `purge`: the first is gone. */
async function place(purge: boolean): Promise<Place> {
  const folder = await temporaryFolder();
  let now = start;
  const transcript = await openIn(folder, { disk: quickDisk, now: () => now });
  await transcript.append(inSession("old", plainRead(callId(1))));
  for (let week = 0; week < 7; week++) {
    now += 6 * day;
    await transcript.append([draft("alert.raised", null, { alert: "x", about: {} })]);
  }
  await transcript.append(inSession("new", plainRead(callId(2))));
  const bodies = { arguments: 1, diff: 1, output: 1 };
  const what = { before: "", session: "", classes: [], why: "old", due: bodies, envelopes: 30 };
  if (purge) expect((await transcript.keeping.purge(what, null)).envelopes).toEqual({ entries: 4, held: [] });
  await transcript.close();
  await chmod(folder, 0o700);
  const env = { SALLYPORT_HOME: folder, HOME: folder };
  return { folder, now: () => now, run: (...words) => runCommand(["transcript", ...words], env, { now: () => now }) };
}

const config = async ({ folder }: Place, days: number): Promise<void> =>
  await writeFile(join(folder, "sallyport.yaml"), `version: 1\ntranscript: { retention: { index: ${days} } }\n`, {
    mode: 0o600,
  });
const numbers = (out: string): readonly number[] =>
  out
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => (JSON.parse(line) as { index: number }).index);

promise(
  "transcript:index-term",
  "entries leave it after their days; a search says so, and how to search them all",
  async () => {
    const here = await place(false);
    const search = ["search", "--kind", "call.*", "--json"];
    const all = await here.run(...search);
    expect([numbers(all.out), all.err.includes("reaches back")]).toEqual([[0, 1, 2, 10, 11, 12], false]);
    await config(here, 20);
    const reach =
      "The index reaches back to 2026-03-23: older entries are found with --whole, which reads the segments.\n";
    const [short, recent, count, whole, wholeCount, few] = [
      await here.run(...search),
      await here.run(...search, "--since", "2026-03-23"),
      await here.run("search", "--kind", "call.*", "--count"),
      await here.run(...search, "--whole"),
      await here.run("search", "--kind", "call.*", "--count", "--whole"),
      await here.run(...search, "--limit", "3"),
    ];
    expect([numbers(short.out), short.err.endsWith(reach)]).toEqual([[10, 11, 12], true]);
    expect([numbers(recent.out), recent.err.includes("reaches back")]).toEqual([[10, 11, 12], false]);
    expect([count.out, count.err.endsWith(reach)]).toEqual(["3\n", true]);
    expect([numbers(whole.out), whole.err.includes("reaches back"), wholeCount.out]).toEqual([
      [0, 1, 2, 10, 11, 12],
      false,
      "6\n",
    ]);
    expect([numbers(few.out), few.err.includes("reaches back")]).toEqual([[10, 11, 12], false]);
    // A longer term makes the index anew; and so does whoever loses it.
    await config(here, 400);
    expect(numbers((await here.run(...search)).out)).toEqual([0, 1, 2, 10, 11, 12]);
  },
);

promise("transcript:index-term", "no word of what left it stays behind in its file", async () => {
  const here = await place(false);
  const index = join(here.folder, "transcript", "index.sqlite");
  const find = async (from: number): Promise<readonly number[]> => {
    const found: number[] = [];
    for await (const one of searchEntries(here.folder, { query: { kind: "call.*" }, limit: 99, from }))
      found.push(one.index);
    return found;
  };
  const holds = async (word: string): Promise<boolean> => {
    const files = await Promise.all([index, `${index}-wal`].map((path) => readFile(path).catch(() => Buffer.alloc(0))));
    return files.some((bytes) => bytes.includes(word));
  };
  expect([await find(0), await holds("ses_old"), await holds("ses_new")]).toEqual([[0, 1, 2, 10, 11, 12], true, true]);
  expect([await find(start + 20 * day), await holds("ses_old"), await holds("ses_new")]).toEqual([
    [10, 11, 12],
    false,
    true,
  ]);
  // Nor does what is covered later bring it back, and one that is made anew has never had it.
  const db = new DatabaseSync(index);
  expect(db.prepare("SELECT count(*) AS rows FROM lines").get()).toEqual({ rows: 7 });
  db.close();
  for await (const _ of searchEntries(here.folder, { query: {}, limit: 1, anew: true, from: start + 20 * day }));
  expect([await holds("ses_old"), await find(start + 20 * day)]).toEqual([false, [10, 11, 12]]);
});

promise("transcript:purged-said", "list, show, search, replay, stats and export say what is gone", async () => {
  const here = await place(true);
  const says =
    "4 entries of days before 2026-03-13 were purged, and of them the leaf hashes alone stand: entry 13 says which.\n";
  const cases: readonly (readonly [words: readonly string[], code: number, told: boolean])[] = [
    [["list"], 0, true],
    [["list", "--limit", "3"], 0, false],
    [["show", callId(1)], 1, true],
    [["show", callId(2)], 0, false],
    [["replay", "ses_old"], 1, true],
    [["replay", "ses_new"], 0, false],
    [["stats"], 0, true],
    [["stats", "--since", "2026-04-01"], 0, false],
    [["search", "--kind", "call.*", "--whole"], 0, true],
    [["export", "--format", "csv"], 0, true],
    [["export", "--format", "csv", "--since", "2026-03-13"], 0, false],
  ];
  for (const [words, code, told] of cases) {
    const ran = await here.run(...words);
    expect([words, ran.code, ran.err.includes(says)]).toEqual([words, code, told]);
  }
  const gone = await here.run("show", "1");
  expect([gone.code, gone.err]).toEqual([
    1,
    expect.stringContaining(
      "Entry 1 was purged: its leaf hash alone stands there; entry 13 tells of the newest purge.",
    ),
  ]);
  const proof = await here.run("prove", "1");
  expect([proof.code, proof.out]).toEqual([1, ""]);
  const found = await here.run("search", "--kind", "call.*", "--json");
  expect(numbers(found.out)).toEqual([10, 11, 12]);
});

const run = "system:serviceaccount:sallyport-sessions:run-0";
const event = (at: number, user: string): string =>
  JSON.stringify({
    kind: "Event",
    auditID: `${callId(1)}.1`,
    stage: "ResponseComplete",
    requestURI: "/api/v1/namespaces/prod/pods/web",
    verb: "delete",
    user: { username: user },
    sourceIPs: ["10.0.0.1"],
    userAgent: "sallyport/1.2.3",
    objectRef: { resource: "pods", namespace: "prod", name: "web" },
    responseStatus: { code: 200 },
    requestReceivedTimestamp: new Date(at).toISOString(),
    stageTimestamp: new Date(at).toISOString(),
  });

promise("transcript:purged-said", "a comparison judges nothing of a time whose entries are gone", async () => {
  const here = await place(true);
  const log = join(here.folder, "audit.log");
  const compare = async (...events: readonly string[]) => {
    await writeFile(log, events.map((one) => `${one}\n`).join(""));
    const { code, out } = await here.run("reconcile", "--audit-log", log, "--namespace", "prod", "--json");
    const { purgedBefore, notJudged, theft } = JSON.parse(out) as Record<string, unknown>;
    return [code, purgedBefore, notJudged, (theft as readonly unknown[]).length];
  };
  expect([
    await compare(event(start + 1000, run)),
    await compare(event(start + 1000, run), event(start + 13 * day, run)),
  ]).toEqual([
    [3, "2026-03-13", 1, 0],
    [3, "2026-03-13", 1, 1],
  ]);
  const { out } = await here.run("reconcile", "--audit-log", log, "--namespace", "prod");
  expect(out).toContain("1 requests before 2026-03-13 were not judged: entries of that time were purged");
  // A log that begins on that day has nothing unjudged, and nothing is to be looked at.
  expect(await compare(event(start + 13 * day, "system:kube-scheduler"))).toEqual([0, "2026-03-13", 0, 0]);
});

promise("transcript:unjudged-is-not-well", "a forged purge hides no theft behind an exit code of 0", async () => {
  const here = await place(false);
  const log = join(here.folder, "audit.log");
  await writeFile(log, `${event(start + 13 * day, run)}\n`);
  const compare = async () => await here.run("reconcile", "--audit-log", log, "--namespace", "prod");
  const honest = await compare();
  expect([honest.code, honest.out]).toEqual([3, expect.stringContaining("THEFT    found  1")]);
  // What a thief with the state folder would add: by the sound of it all that was there has been purged.
  const segments = join(here.folder, "transcript", "segments");
  const [segment = ""] = await readdir(segments);
  const lines = (await readFile(join(segments, segment), "latin1")).replace(/\0+$/, "").trimEnd().split("\n");
  const forged = JSON.stringify({
    ...(JSON.parse(lines.at(-1) ?? "") as object),
    kind: "retention.purged",
    details: {
      before: "2999-01-01",
      session: "",
      classes: [],
      keys: 0,
      bodies: 0,
      why: "old",
      entries: { ranges: [[0, 0]], count: 1, digest: "0".repeat(64), days: 2555 },
    },
  });
  await writeFile(join(segments, segment), `${[...lines, forged].join("\n")}\n`, "latin1");
  const deceived = await compare();
  expect([deceived.code, deceived.out, deceived.err]).toEqual([
    3,
    expect.stringContaining("1 requests before 2999-01-01 were not judged"),
    expect.stringContaining("Nothing was found, and 1 requests were not judged"),
  ]);
  const verified = await here.run("verify");
  expect([verified.code !== 0, verified.out]).toEqual([true, expect.stringContaining("EXTENT")]);
});

promise(
  "transcript:unjudged-is-not-well",
  "and what was not judged stands on record and in each reading of it",
  async () => {
    const compared = {
      cluster: "shop",
      from: "2026-03-01T08:00:00.000Z",
      to: "2026-03-20T10:00:00.000Z",
      log: "7".repeat(64),
      events: 9,
      namespaces: ["prod"],
      calls: 2,
      theft: 0,
      bypass: 0,
      missing: 0,
      differ: 0,
    };
    const whole = draft("reconcile.ran", null, compared);
    const half = draft("reconcile.ran", null, { ...compared, notJudged: 4, purgedBefore: "2026-03-13" });
    expect([severityOf(whole), severityOf(half)]).toEqual([1, 3]);
    const folder = await temporaryFolder();
    const transcript = await openIn(folder, { disk: quickDisk, now: () => start });
    await transcript.append([whole, half]);
    await transcript.close();
    await chmod(folder, 0o700);
    const run = (...words: readonly string[]) =>
      runCommand(["transcript", ...words], { SALLYPORT_HOME: folder, HOME: folder });
    const listed = (await run("list")).out.trimEnd().split("\n").slice(-2);
    expect(listed.map((line) => / nothing differs.*$/.exec(line)?.[0])).toEqual([
      " nothing differs",
      " nothing differs  4 not judged, before 2026-03-13",
    ]);
    expect((await run("verify")).out).toContain("Not judged: 4 requests of days whose entries were purged.");
  },
);

promise(
  "transcript:envelopes",
  "from the command line: all that is due, and never a choice among entries",
  async () => {
    const here = await place(false);
    await writeFile(join(here.folder, "sallyport.yaml"), "version: 1\ntranscript: { retention: { envelopes: 30 } }\n", {
      mode: 0o600,
    });
    const chosen = ["--class", "envelopes", "--why", "old", "--yes"];
    for (const words of [
      ["--before", "2026-03-13", ...chosen],
      ["--session", "ses_old", ...chosen],
      ["--due", "--session", "ses_old", ...chosen],
      ["--due", "--before", "2026-03-02", ...chosen],
    ])
      expect([words, (await here.run("purge", ...words)).err]).toEqual([
        words,
        expect.stringContaining("Entries are purged when they are due alone, and only all of them: --due by itself."),
      ]);
    const due = ["purge", "--due", "--why", "monthly", "--yes"];
    const [first, second] = [await here.run(...due), await here.run(...due)];
    expect([first.out, second.out]).toEqual([
      "4 entries are purged: their leaf hashes stand in their place, and an entry names them.\nThere was no such key: keys of today are in use, and stay until tomorrow.\n",
      "There was no such key: keys of today are in use, and stay until tomorrow.\n",
    ]);
    expect((await here.run("verify")).code).toBe(0);
    expect((await here.run("show", "1")).err).toContain("Entry 1 was purged");
    expect((await here.run("list", "--limit", "1")).out).toMatch(/retention\.purged .*4 entries, whose leaves stand/);
  },
);
