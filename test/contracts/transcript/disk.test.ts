// A disk that is full, fails or is read-only: what is let in, what is finished, what is said afterwards.

import { randomBytes } from "node:crypto";
import { constants, existsSync } from "node:fs";
import { readdir, readFile, readlink, realpath } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import type { EntryDraft } from "../../../src/domain/entry.ts";
import { at, type JsonObject } from "../../../src/domain/json.ts";
import { most } from "../../../src/execution/heard.ts";
import { fileWrapping } from "../../../src/transcript/seal.ts";
import { share } from "../../../src/transcript/reserve.ts";
import { keepTroubles } from "../../../src/transcript/troubles.ts";
import { verifyTranscript } from "../../../src/transcript/verify.ts";
import { failingDisk, hangingDisk, smallDisk } from "../../support/disks.ts";
import { promise } from "../../support/promise.ts";
import {
  callId,
  decided,
  draft,
  entriesIn,
  openIn,
  plainRead,
  received,
  settled,
  start,
  temporaryFolder,
} from "./support.ts";

const refused = (code: string) => ({
  status: "rejected",
  reason: { fault: { code: "transcript_unavailable", cause: `${code}: the disk says so, write` } },
});

promise(
  "transcript:full-disk",
  "calls in flight are settled, with entries of the largest size, and no new one is let in",
  async () => {
    const folder = await temporaryFolder();
    let capacity = Infinity;
    const disk = smallDisk(() => capacity);
    const transcript = await openIn(folder, { disk });
    const calls = Array.from({ length: 20 }, (_, number) => callId(number));
    await Promise.all(calls.map((call) => transcript.append([received(call), decided(call)])));
    capacity = disk.used();
    const [turnedAway] = await Promise.allSettled([transcript.append(plainRead(callId(99)))]);
    expect(turnedAway).toMatchObject(refused("ENOSPC"));
    expect(transcript.degraded()).toBe("entries can't be written: ENOSPC: the disk says so, write");
    // As large as an entry can be: every one of them is cut to 65,535 bytes.
    const large = { objects: Array.from({ length: 120 }, () => ({ name: "x".repeat(500) })) };
    const ended = await Promise.allSettled(calls.map((call) => transcript.append([settled(call, large)])));
    expect(ended.map((one) => one.status)).toEqual(calls.map(() => "fulfilled"));
    // What their ends did not need lets others in, as long as there is room for each end.
    const tryNext = async (number: number): Promise<boolean> =>
      (await Promise.allSettled([transcript.append([received(callId(number)), decided(callId(number))])]))[0].status ===
      "fulfilled";
    let admitted = 20;
    for (; await tryNext(admitted); admitted++) await transcript.append([settled(callId(admitted), large)]);
    expect(admitted).toBeLessThan(30);
    expect(disk.used()).toBeLessThanOrEqual(capacity);
    capacity = Infinity;
    await transcript.append(plainRead(callId(97)));
    expect(transcript.degraded()).toBeNull();
    await transcript.close();
    const kinds = (await entriesIn(folder)).map((entry) => entry["kind"]);
    expect(kinds.slice(40, 60)).toEqual(calls.map(() => "call.settled"));
    expect(kinds).toContain("audit.degraded");
    expect(kinds.slice(kinds.lastIndexOf("audit.recovered"))).toEqual([
      "audit.recovered",
      "call.received",
      "call.decided",
      "call.settled",
    ]);
    expect((await openIn(folder)).unsettled).toEqual([]);
    expect((await verifyTranscript(folder, { now: start })).ok).toBe(true);
  },
);

promise("transcript:full-disk", "an alert of what a call wrote ends with its call, without its diff", async () => {
  const folder = await temporaryFolder();
  let capacity = Infinity;
  const disk = smallDisk(() => capacity);
  const transcript = await openIn(folder, { disk });
  await transcript.append([received(callId(1)), decided(callId(1))]);
  capacity = disk.used();
  const about = { tool: "workloads_scale", objects: [{ name: "api" }], diff: ["x".repeat(60_000)] };
  const alert = (call: string | null) => draft("alert.raised", call, { alert: "written otherwise than shown", about });
  const [alone, ended] = await Promise.allSettled([
    transcript.append([alert(callId(1))]),
    transcript.append([alert(callId(1)), settled(callId(1))]),
  ]);
  expect([alone, ended.status]).toMatchObject([refused("ENOSPC"), "fulfilled"]);
  capacity = Infinity;
  await transcript.append([]);
  await transcript.close();
  const entries = (await entriesIn(folder)).slice(2, 4);
  expect(entries.map((entry) => [entry["kind"], at(entry["details"] as JsonObject, "about")])).toEqual([
    ["alert.raised", { tool: "workloads_scale", objects: [{ name: "api" }] }],
    ["call.settled", undefined],
  ]);
  expect((await verifyTranscript(folder, { now: start })).ok).toBe(true);
});

promise(
  "transcript:full-disk",
  "a command's output in as many segments as there can be ends with its call",
  async () => {
    const folder = await temporaryFolder();
    let capacity = Infinity;
    const disk = smallDisk(() => capacity);
    const wrapping = fileWrapping(randomBytes(32), (count) => randomBytes(count));
    const bodies = { wrapping: () => Promise.resolve(wrapping), classes: ["output" as const] };
    const transcript = await openIn(folder, { disk, bodies });
    const calls = Array.from({ length: 8 }, (_, number) => callId(number));
    await Promise.all(calls.map((call) => transcript.append([received(call), decided(call)])));
    capacity = disk.used();
    const masked = Array.from({ length: 20 }, (_, number) => ({ type: `type-${number}`, count: 99 }));
    const details = { tool: "pods_exec", stream: "stdout" as const, bytes: 16_384, masked };
    const printed = (call: string): EntryDraft[] =>
      Array.from({ length: most.segments }, (_, second) => ({
        ...(draft("stream.segment", call, { ...details, from: second, to: second }) as EntryDraft & {
          kind: "stream.segment";
        }),
        body: { class: "output", text: "x".repeat(16_384) },
      }));
    const ended = await Promise.allSettled(calls.map((call) => transcript.append([...printed(call), settled(call)])));
    expect(ended.map((one) => one.status)).toEqual(calls.map(() => "fulfilled"));
    expect(disk.used()).toBeLessThanOrEqual(capacity);
    capacity = Infinity;
    await transcript.append([]);
    await transcript.close();
    const segments = (await entriesIn(folder)).filter((entry) => entry["kind"] === "stream.segment");
    expect([segments.length, new Set(segments.map((entry) => at(entry["details"] as JsonObject, "body")))]).toEqual([
      8 * most.segments,
      new Set([null]),
    ]);
    expect((await verifyTranscript(folder, { now: start })).ok).toBe(true);
  },
);

promise("transcript:full-disk", "a call is let in only when the room for its end is there", async () => {
  const folder = await temporaryFolder();
  let capacity = Infinity;
  const disk = smallDisk(() => capacity);
  const transcript = await openIn(folder, { disk });
  capacity = disk.used() + share + 4000;
  const results = [];
  for (let number = 0; number < 3; number++)
    results.push((await Promise.allSettled([transcript.append([received(callId(number))])]))[0].status);
  // One share is held ahead.
  expect(results).toEqual(["fulfilled", "rejected", "rejected"]);
  capacity = disk.used() + 3 * share;
  await transcript.append([received(callId(4))]);
  expect(transcript.degraded()).toBeNull();
});

for (const code of ["EIO", "EROFS", "ESYNC"])
  promise("transcript:degraded", `${code}: what was refused is nowhere, what is said afterwards says it`, async () => {
    const folder = await temporaryFolder();
    let failing = "";
    const said: string[] = [];
    const disk = failingDisk(() => failing);
    const transcript = await openIn(folder, { disk, say: (sentence) => said.push(sentence) });
    await transcript.append([received(callId(1)), decided(callId(1))]);
    const head = transcript.head();
    failing = code;
    const results = await Promise.allSettled([
      transcript.append([settled(callId(1))]),
      transcript.append(plainRead(callId(2))),
      transcript.checkpoint(),
    ]);
    expect(results.map((one) => one.status)).toEqual(["rejected", "rejected", "rejected"]);
    expect(results[1]).toMatchObject(refused(code));
    expect(transcript.head()).toEqual(head);
    failing = "";
    await transcript.append(plainRead(callId(3)));
    await transcript.checkpoint();
    await transcript.append([]);
    expect(transcript.degraded()).toBeNull();
    await transcript.close();
    const entries = (await entriesIn(folder)).map((entry) => [entry["kind"], entry["call"]]);
    expect(entries.slice(0, 3)).toEqual([
      ["call.received", callId(1)],
      ["call.decided", callId(1)],
      ["audit.degraded", null],
    ]);
    // The first call ran, and its end could not be written: it says so itself, as soon as anything can be written.
    expect(entries.slice(3).filter(([, call]) => call !== null)).toEqual([
      ["call.unknown", callId(1)],
      ["call.received", callId(3)],
      ["call.decided", callId(3)],
      ["call.settled", callId(3)],
    ]);
    expect(entries.filter(([kind]) => kind === "audit.degraded").length).toBe(2);
    expect(entries.filter(([kind]) => kind === "audit.recovered").length).toBe(2);
    expect(said.length).toBe(4);
    expect((await verifyTranscript(folder, { now: start })).ok).toBe(true);
  });

promise("transcript:degraded", "it recovers by itself when nobody calls", async () => {
  const folder = await temporaryFolder();
  let failing = "";
  const transcript = await openIn(folder, { disk: failingDisk(() => failing), checkpointEvery: 5 });
  failing = "EIO";
  await Promise.allSettled([transcript.append([received(callId(1))])]);
  expect(transcript.degraded()).not.toBeNull();
  failing = "";
  while (transcript.degraded() !== null) await new Promise((resolve) => setTimeout(resolve, 5));
  await transcript.close();
  const kinds = (await entriesIn(folder)).map((entry) => entry["kind"]);
  expect(kinds.slice(0, 2).toSorted()).toEqual(["audit.degraded", "audit.recovered"]);
});

promise(
  "transcript:hanging-disk",
  "who comes behind a write that is not answered is refused, what was in it is kept, and the record says how it was",
  async () => {
    const folder = await temporaryFolder();
    let [over, answer] = [Promise.resolve(), (): void => undefined];
    const transcript = await openIn(folder, { disk: hangingDisk(() => over), patience: 2_000, checkpointEvery: 5 });
    await transcript.append([received(callId(1)), decided(callId(1))]);
    over = new Promise((resolve) => (answer = resolve));
    const inTheWrite = transcript.append(plainRead(callId(2)));
    while (transcript.degraded() === null) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(transcript.degraded()).toBe("the disk has not answered for 2 s");
    const behind = await Promise.allSettled([
      transcript.append([received(callId(3))]),
      transcript.append([settled(callId(1))]),
    ]);
    const turnedAway = { fault: { code: "transcript_unavailable", cause: "the disk has not answered for 2 s" } };
    expect(behind).toMatchObject(behind.map(() => ({ status: "rejected", reason: turnedAway })));
    answer();
    await inTheWrite;
    while (transcript.degraded() !== null) await new Promise((resolve) => setTimeout(resolve, 5));
    await transcript.append(plainRead(callId(4)));
    await transcript.close();
    const entries = (await entriesIn(folder)).map((entry) => [entry["kind"], entry["call"]]);
    expect(entries.filter(([, call]) => call === callId(3))).toEqual([]);
    expect(entries.filter(([, call]) => call === callId(1)).at(-1)).toEqual(["call.unknown", callId(1)]);
    expect(entries.filter(([, call]) => call === callId(2)).at(-1)).toEqual(["call.settled", callId(2)]);
    expect(entries.filter(([kind]) => String(kind).startsWith("audit."))).toEqual([
      ["audit.degraded", null],
      ["audit.recovered", null],
    ]);
    expect((await verifyTranscript(folder, { now: start })).ok).toBe(true);
  },
);

promise(
  "transcript:degraded",
  "a trouble that begins or ends while another's entries are written is told after",
  () => {
    const troubles = keepTroubles(() => undefined);
    const kinds = (): readonly string[] => troubles.owed("disk").entries.map(({ kind }) => kind);
    troubles.begin("checkpoint", "no checkpoint");
    const first = troubles.owed("disk");
    troubles.begin("disk", "no answer");
    troubles.end("checkpoint");
    first.told();
    expect(kinds()).toEqual(["audit.recovered", "audit.degraded", "audit.recovered"]);
    const second = troubles.owed("disk");
    troubles.end("disk");
    troubles.begin("checkpoint", "again");
    second.told();
    expect(kinds()).toEqual(["audit.degraded"]);
    expect(troubles.reason()).toBe("no checkpoint");
  },
);

/** How the kernel says that this process has the segment open for writing: flags, one text for each time. */
async function flagsOf(path: string): Promise<readonly number[]> {
  const flags: number[] = [];
  for (const number of await readdir("/proc/self/fd")) {
    const isIt = await readlink(`/proc/self/fd/${number}`)
      .then((to) => to === path)
      .catch(() => false);
    if (!isIt) continue;
    const [, octal = ""] = /^flags:\s*([0-7]+)$/m.exec(await readFile(`/proc/self/fdinfo/${number}`, "utf8")) ?? [];
    flags.push(Number.parseInt(octal, 8));
  }
  return flags;
}

promise(
  "transcript:durable-append",
  "on Linux the kernel answers no write to a segment before it is on the medium, nor to the one after it",
  async () => {
    if (!existsSync("/proc/self/fdinfo")) return; // Elsewhere fdatasync follows each write, which nothing here shows.
    const folder = await realpath(await temporaryFolder());
    const transcript = await openIn(folder, { segmentSize: 1000 });
    for (let call = 1; call <= 2; call++) {
      await transcript.append(plainRead(callId(call)));
      const names = (await readdir(join(folder, "transcript", "segments"))).sort();
      expect(names.length).toBe(call);
      const flags = await flagsOf(join(folder, "transcript", "segments", names.at(-1) ?? ""));
      expect(flags.map((one) => (one & constants.O_DSYNC) === constants.O_DSYNC)).toEqual([true]);
    }
  },
);
