// Threads that read for the verification: what they find is what one thread finds, and one that fails passes nothing.

import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as fc from "fast-check";
import { expect } from "vitest";
import type { EntryKind } from "../../../src/domain/entry.ts";
import { entryText, isMalformed, readEntry, type Entry } from "../../../src/transcript/entry.ts";
import {
  isPurgedIn,
  leafIn,
  mostLines,
  oneRoom,
  problemsIn,
  openBlocks,
  type Block,
} from "../../../src/transcript/blocks.ts";
import { checkpointText, signerFrom, signNote } from "../../../src/transcript/note.ts";
import { toldDetails } from "../../../src/transcript/rows.ts";
import { readThoroughly } from "../../../src/transcript/thorough.ts";
import { inThreads, ownThreads } from "../../../src/transcript/threads.ts";
import { isSame, viewOf } from "../../../src/transcript/same-bytes.ts";
import { openTexts } from "../../../src/transcript/texts.ts";
import { askedDetails, linksTo, openTeller } from "../../../src/transcript/told.ts";
import { leafHash, rootOf } from "../../../src/transcript/tree.ts";
import { verifyTranscript, type Report } from "../../../src/transcript/verify.ts";
import {
  checkBodies,
  checkCompleteness,
  checkExtent,
  checkOrder,
  checkSemantics,
  checkTime,
} from "../../../src/transcript/verdicts/index.ts";
import { checkPurged } from "../../../src/transcript/purged-check.ts";
import { checkPurges } from "../../../src/transcript/purges.ts";
import { promise } from "../../support/promise.ts";
import { approvedChange, callId, draft, openIn, plainRead, quickDisk, start, temporaryFolder } from "./support.ts";

const now = start + 60_000;

/** Calls of all sorts over several short segments, under two checkpoints. */
async function recorded(): Promise<string> {
  const folder = await temporaryFolder();
  const transcript = await openIn(folder, { disk: quickDisk, segmentSize: 6000 });
  for (let call = 1; call <= 5; call++) {
    await transcript.append(plainRead(callId(call)));
    await transcript.append(approvedChange(callId(100 + call), `apr_${call}`, `grant-${call}`));
    if (call === 3) await transcript.checkpoint();
  }
  await transcript.append([draft("gateway.stopped", null, { reason: "“restart” – é" })]);
  await transcript.close();
  return folder;
}

/** One thing that is done to the files of the segments, at a line (from 0, over all of them). */
const deed = fc.record({
  what: fc.constantFrom(
    "flip",
    "drop",
    "swap",
    "insert",
    "again",
    "truncate",
    "cut file",
    "other digit",
    "other word",
    "leaf",
  ),
  /** Half of all at the borders of segments. */
  border: fc.boolean(),
  line: fc.nat(1000),
  byte: fc.nat(2000),
  put: fc.constantFrom("", "noise", '{"call":null}', "é", "\u0000", "x".repeat(70_000)),
});
type Deed = typeof deed extends fc.Arbitrary<infer T> ? T : never;

const words: readonly (readonly [string, string])[] = [
  ['"allow"', '"deny"'],
  ['"none"', '"applied"'],
  ['"approve"', '"reject"'],
  ["call.settled", "call.unknown"],
  ["2026-03-01T10:0", "2026-03-02T10:0"],
  ["ada", "ad\u00e4"],
  ['"preview":false', '"preview":true'],
];

function done(segments: string[][], { what, border, line, byte, put }: Deed): void {
  const number = line % segments.length;
  const lines = segments[number] ?? [];
  const at = border ? (byte % 2 === 0 ? 0 : Math.max(0, lines.length - 1)) : byte % Math.max(1, lines.length);
  const text = lines[at] ?? "";
  const place = byte % Math.max(1, text.length);
  const next = segments[(number + 1) % segments.length] ?? [];
  if (what === "flip") lines[at] = `${text.slice(0, place)}${put.slice(0, 5) || "~"}${text.slice(place + 1)}`;
  if (what === "drop") lines.splice(at, 1);
  if (what === "swap") [lines[at], next[0]] = [next[0] ?? "", text];
  if (what === "insert") lines.splice(at, 0, put);
  if (what === "again") next.unshift(text);
  if (what === "truncate") lines[at] = text.slice(0, place);
  if (what === "cut file") lines.length = at;
  if (what === "other digit") lines[at] = text.replace(/\d(?=[^\d]*$)/, (digit) => String((Number(digit) + 1) % 10));
  if (what === "other word") {
    const [from = "", to = ""] = words[byte % words.length] ?? [];
    lines[at] = text.replace(from, to);
  }
  if (what === "leaf") lines[at] = leafHash(Buffer.from(text)).toString("hex");
}

async function segmentsOf(folder: string): Promise<string[][]> {
  const names = (await readdir(join(folder, "transcript", "segments"))).sort();
  const texts = names.map((name) => readFile(join(folder, "transcript", "segments", name), "utf8"));
  return (await Promise.all(texts)).map((text) => text.split("\n").slice(0, -1));
}

/** Writes the segments into a copy; signs them anew with another key where that is asked. */
async function write(copy: string, segments: readonly (readonly string[])[], resign: boolean): Promise<void> {
  const inside = join(copy, "transcript");
  for (const [number, lines] of segments.entries())
    await writeFile(
      join(inside, "segments", `${String(number).padStart(8, "0")}.ndjson`),
      lines.map((line) => `${line}\n`).join(""),
    );
  if (!resign) return;
  const signer = signerFrom("sallyport.dev/forged", Buffer.alloc(32, 7));
  const leaves = segments.flat().map((line) => leafHash(Buffer.from(line)));
  const note = signNote(checkpointText(signer.name, { size: leaves.length, root: rootOf(leaves) }), signer);
  await writeFile(join(inside, "checkpoint"), note);
  await writeFile(join(inside, "checkpoints.log"), note);
  await writeFile(join(inside, "log.vkey"), `${signer.vkey}\n`);
}

const withThreads = (folder: string): Promise<Report> =>
  verifyTranscript(folder, { now, readBy: inThreads(ownThreads(2)) });

promise(
  "transcript:verify-threads",
  "whatever is flipped, dropped, swapped, inserted, cut or signed again, also where segments meet: the whole report is the same",
  async () => {
    const folder = await recorded();
    const sound = await segmentsOf(folder);
    expect(sound.length).toBeGreaterThan(4);
    expect(await withThreads(folder)).toEqual(await verifyTranscript(folder, { now }));
    expect((await withThreads(folder)).ok).toBe(true);
    const copy = join(await temporaryFolder(), "copy");
    await cp(folder, copy, { recursive: true });
    await fc.assert(
      fc.asyncProperty(fc.array(deed, { minLength: 1, maxLength: 3 }), fc.boolean(), async (deeds, resign) => {
        const segments = sound.map((lines) => [...lines]);
        for (const one of deeds) done(segments, one);
        await write(copy, segments, resign);
        expect(await withThreads(copy)).toEqual(await verifyTranscript(copy, { now }));
      }),
      { numRuns: 25 },
    );
  },
  120_000,
);

promise(
  "transcript:verify-threads",
  "lines without number or end, an empty file and one that can't be read: the same blocks, the same refusal",
  async () => {
    const folder = await temporaryFolder();
    const texts = ["\n".repeat(10_000), "", `${"x".repeat(3_500_000)}\nlast`, "a\nb\n", "unfinished"];
    const files = await Promise.all(
      texts.map(async (text, number) => {
        await writeFile(join(folder, `${number}`), text);
        return join(folder, `${number}`);
      }),
    );
    const seen = async (threads: number): Promise<readonly unknown[]> => {
      const found: unknown[] = [];
      await inThreads(ownThreads(threads))(files, {
        block(block, file) {
          expect(block.count).toBeLessThanOrEqual(mostLines);
          found.push([file, block.count, block.problems.size, leafIn(block, block.count - 1).toString("hex")]);
        },
        end: (file, rest) => void found.push([file, rest]),
      });
      return found;
    };
    expect(await seen(2)).toEqual(await seen(1));
    await mkdir(join(folder, "no file"));
    files.push(join(folder, "no file"));
    for (const threads of [1, 2]) await expect(seen(threads)).rejects.toMatchObject({ code: "EISDIR" });
  },
  120_000,
);

/** A thread that runs this in the place of its own. */
const running = (code: string) => ({ count: 2, file: new URL(`data:text/javascript,${encodeURIComponent(code)}`) });
const talk = 'import { workerData, parentPort } from "node:worker_threads"; const { files, counters } = workerData;';
/** It ends when it is made to: what it sent is looked at before its end is. */
const staying = "setInterval(() => {}, 1000);";
const emptyFiles =
  'for (let file = Atomics.add(counters, 0, 1); file < files.length; file = Atomics.add(counters, 0, 1)) parentPort.postMessage({ kind: "end", file, lines: 0, rest: 0 });';

promise(
  "transcript:verify-threads",
  "a thread that never answers, before it begins, within its file or for ever busy: a declared fault and no report",
  async () => {
    const folder = await recorded();
    const hanging = [
      "setInterval(() => {}, 1000);",
      `${talk} Atomics.add(counters, 0, 1); setInterval(() => {}, 1000);`,
      `${talk} Atomics.add(counters, 0, 1); for (;;);`,
      // The other one is done with all files but the first, and only what that one left is waited for.
      `${talk} if (workerData.number === 0) { Atomics.add(counters, 0, 1); for (;;); } while (Atomics.load(counters, 0) === 0); ${emptyFiles} parentPort.postMessage({ kind: "done" });`,
    ];
    for (const code of hanging)
      await expect(verifyTranscript(folder, { now, readBy: inThreads(running(code), 400) })).rejects.toMatchObject({
        fault: {
          code: "transcript_unavailable",
          cause: expect.stringContaining("a thread of the verification was not heard of any more"),
        },
      });
  },
  120_000,
);

promise(
  "transcript:verify-threads",
  "a thread that can't be started, dies, leaves early or leaves lines out: a declared fault and no report",
  async () => {
    const folder = await recorded();
    const wrong = [
      ["failed", { count: 2, file: new URL("file:///nowhere/block-thread.js") }],
      ["failed", running('throw new Error("no")')],
      ["failed", running(`${talk} ${emptyFiles.replace("postMessage", "postMassage")}`)],
      ["ended before its work was done", running("process.exit(0)")],
      ["ended before its work was done", running("")],
      ["ended before its work was done", running(`${talk} if (Atomics.add(counters, 0, 1) === 1) process.exit(7);`)],
      [
        "left lines out",
        running(
          `${talk} parentPort.postMessage({ kind: "end", file: Atomics.add(counters, 0, 1), lines: 1, rest: 0 }); ${staying}`,
        ),
      ],
      [
        "left lines out",
        running(
          `${talk} parentPort.postMessage({ kind: "block", file: Atomics.add(counters, 0, 1), first: 1, count: 0, problems: new Map() }); ${staying}`,
        ),
      ],
    ] as const;
    for (const [how, threads] of wrong)
      await expect(verifyTranscript(folder, { now, readBy: inThreads(threads) })).rejects.toMatchObject({
        fault: {
          code: "transcript_unavailable",
          cause: expect.stringContaining(`a thread of the verification ${how}`),
        },
      });
    // One that says of every file that it is empty passes nothing either: the signed heads are not met.
    const report = await verifyTranscript(folder, {
      now,
      readBy: inThreads(running(`${talk} ${emptyFiles} parentPort.postMessage({ kind: "done" });`)),
    });
    expect([report.ok, report.entries]).toEqual([false, 0]);
  },
  120_000,
);

/** The entry of which the details that are asked for are noted down. */
function watched(entry: Entry, asked: Set<string>): Entry {
  const note = (name: string | symbol): void => void asked.add(String(name));
  const details = new Proxy(entry.details, {
    get: (of, name) => (note(name), Reflect.get(of, name) as unknown),
    has: (of, name) => (note(name), Reflect.has(of, name)),
    getOwnPropertyDescriptor: (of, name) => (note(name), Reflect.getOwnPropertyDescriptor(of, name)),
    ownKeys: (of) => (note("all of them"), Reflect.ownKeys(of)),
  });
  return { ...entry, details };
}

promise(
  "transcript:verify-threads",
  "no question asks a call or a grant for details that a block does not tell",
  async () => {
    const asked = new Map<string, Set<string>>();
    const purges = checkPurges();
    const purged = checkPurged();
    const checks = [checkSemantics(), checkCompleteness(), checkTime(now, []), checkBodies(null)];
    const order = checkOrder();
    const extent = checkExtent([]);
    let index = 0;
    for (const line of (await segmentsOf(await recorded())).flat()) {
      const read = readEntry(line);
      if (isMalformed(read)) throw new Error(read.problem);
      const at = { index: index++, segment: "segments/00000000.ndjson", line: index };
      // Each as every kind of call and grant, whatever it makes of the record.
      const kinds = (Object.keys(askedDetails) as EntryKind[]).filter((kind) => kind !== read.kind);
      const watchedOnes = [...kinds, read.kind].map((kind) => {
        const names = asked.get(kind) ?? new Set();
        asked.set(kind, names);
        return askedDetails[kind] === undefined ? read : watched({ ...read, kind }, names);
      });
      for (const entry of watchedOnes) {
        for (const check of checks) check.take(entry, at, "");
        order.take(entry, at, Buffer.alloc(32), 0);
        extent.take(entry, at);
        purges.take(entry, at);
        purged.take(entry, at);
      }
    }
    for (const [kind, told = []] of Object.entries(askedDetails)) {
      const names = [...(asked.get(kind) ?? [])];
      expect([kind, names.filter((name) => !told.some((one) => one === name))]).toEqual([kind, []]);
    }
    expect(Object.keys(askedDetails).filter((kind) => asked.get(kind)?.size === 0)).toEqual([]);
  },
);

promise("transcript:verify-threads", "a block tells of each line what a reading of the whole line tells", async () => {
  const folder = await recorded();
  const sound = await segmentsOf(folder);
  const file = join(folder, "lines");
  await fc.assert(
    fc.asyncProperty(fc.array(deed, { maxLength: 4 }), async (deeds) => {
      const segments = sound.map((lines) => [...lines]);
      for (const one of deeds) done(segments, one);
      const lines = segments.flat();
      await writeFile(file, lines.map((line) => `${line}\n`).join(""));
      let at = 0;
      const tell = openTeller();
      const look = (block: Block): void => {
        for (let one = 0; one < block.count; one++) compare(block, one, tell(block, one), lines[at++] ?? "");
      };
      expect([await openBlocks(oneRoom())(file, look), at]).toEqual([0, lines.length]);
    }),
    { numRuns: 100 },
  );
  await rm(file);
});

/** Lines of one session that are alike: what one of them tells, begins as what another tells, or stands in its place. */
function alike(line: string): readonly string[] {
  const entry = readEntry(line);
  if (isMalformed(entry)) throw new Error(entry.problem);
  const many = Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`a${10 + at}`, at]));
  const three = { a: 1, b: null, code: "" };
  const details = [three, { ...three, a: 12 }, { a: 1, code: "x" }, { a: 1 }, { ...three, b: {} }, many];
  const lines = details.map((one) => entryText({ ...entry, details: one }));
  const changes = [
    ['"a":1,"b":null', '"b":null,"a":1'],
    ['"a":1', '"a":1,"a":1'],
    ['"code":""', '"code":"","code":""'],
    ['"code":""', '"code":""]'],
    ['"a":1', '"a":01'],
    // As long as what they stand for: in a room that is used again, they come to lie where that lay.
    ['"a":1', '"a";1'],
    ['"b":null,', '"b":null;'],
    ['"b":null,"', '"b":null,\''],
    ['"client":"', '"client":null,"c":"'],
    ['"call":"', '"call":null"'],
    ["call.decided", "call.settled"],
    ['Z","v"', 'Z1","v"'],
    ['"policy":"', '"policy":"é'],
  ] as const;
  return [...lines, ...changes.map(([from, to]) => (lines[0] ?? "").replace(from, to)), "", line];
}

promise(
  "transcript:verify-threads",
  "a line that begins as one before it, or is like it in part, is told by what itself says",
  async () => {
    const folder = await recorded();
    const model = (await segmentsOf(folder)).flat().find((line) => line.includes('"kind":"call.decided"'));
    const lines = alike(model ?? "");
    const file = join(folder, "lines");
    const visitBlocks = openBlocks(oneRoom());
    const tell = openTeller();
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...lines), { minLength: 2, maxLength: 12 }), async (chosen) => {
        await writeFile(file, chosen.map((line) => `${line}\n`).join(""));
        let at = 0;
        await visitBlocks(file, (block) => {
          for (let one = 0; one < block.count; one++) compare(block, one, tell(block, one), chosen[at++] ?? "");
        });
        expect(at).toBe(chosen.length);
      }),
      { numRuns: 200 },
    );
  },
  120_000,
);

function compare(block: Block, one: number, part: Entry | null, line: string): void {
  const bytes = Buffer.from(line);
  const gone = /^[0-9a-f]{64}$/.test(line);
  expect(isPurgedIn(block, one)).toBe(gone);
  expect(leafIn(block, one).toString("hex")).toBe(gone ? line : leafHash(bytes).toString("hex"));
  if (gone) return;
  const whole = readThoroughly(bytes);
  expect(problemsIn(block, one)).toEqual(whole.problems);
  if (part === null || whole.entry === null) return expect(part).toBe(whole.entry);
  const { kind, call, sid, sseq, sprev, ts, client, principal, gateway, v } = part;
  const { details, ...rest } = whole.entry;
  expect({ kind, call, sid, sseq, sprev, ts, client, principal, gateway, v }).toEqual(rest);
  expect(details).toMatchObject(part.details);
  const told = (askedDetails[kind] ?? toldDetails).filter((name) => Object.hasOwn(details, name));
  expect(Object.keys(part.details)).toEqual(expect.arrayContaining(told));
  compareLinks(part, whole.entry.sprev);
}

/** An entry links to the leaf that it names and to no other, not even one of which one digit is another. */
function compareLinks(part: Entry, sprev: string): void {
  const leaves = Buffer.concat([Buffer.alloc(5, 0xff), Buffer.from(sprev, "hex"), Buffer.alloc(32)]);
  expect(linksTo(part, leaves, 5)).toBe(sprev !== "");
  expect(linksTo(part, leaves, 4)).toBe(false);
  for (const byte of [0, 13, 31]) {
    const other = Buffer.from(leaves);
    other[5 + byte] = (other[5 + byte] as number) ^ 0x10;
    expect(linksTo(part, other, 5)).toBe(false);
  }
}

/** Any bytes, the ones between the printable ASCII and its neighbours more often than others. */
const anyBytes = fc
  .array(fc.oneof(fc.constantFrom(0x00, 0x20, 0x30, 0x7e, 0x7f, 0x80, 0xf0, 0xff), fc.nat(255)), { maxLength: 90 })
  .map((bytes) => Buffer.from(bytes));
const ascii = fc.string({ unit: "grapheme-ascii", maxLength: 90 });

promise(
  "transcript:verify-threads",
  "bytes are known again only where they are the same, whatever stands around",
  () => {
    fc.assert(
      fc.property(ascii, anyBytes, anyBytes, fc.nat(90), fc.nat(7), (text, around, behind, place, bit) => {
        const known = viewOf(Buffer.from(text));
        const bytes = Buffer.concat([around, Buffer.from(text), behind]);
        expect(isSame(viewOf(bytes), around.length, known, 0, text.length)).toBe(true);
        const at = place % (bytes.length + 1);
        const same = bytes.subarray(at, at + text.length).equals(Buffer.from(text));
        expect(isSame(viewOf(bytes), at, known, 0, text.length)).toBe(same);
        if (text.length === 0) return;
        const other = Buffer.from(bytes);
        const flipped = around.length + (place % text.length);
        other[flipped] = (other[flipped] as number) ^ (1 << bit);
        expect(isSame(viewOf(other), around.length, known, 0, text.length)).toBe(false);
      }),
      { numRuns: 1000 },
    );
  },
);

promise(
  "transcript:verify-threads",
  "a text that is read again, in another place or in the place of another, is that text",
  () => {
    const read = openTexts();
    // Few of them, alike, and in buffers that are written anew: what is remembered comes up all the time.
    const text = fc.oneof(
      ascii,
      fc.nat(40).map((number) => `call_0195-${number % 4}-${String(number).padStart(4, "0")}`),
    );
    const kept = Buffer.alloc(256);
    fc.assert(
      fc.property(fc.array(fc.tuple(text, fc.nat(100), fc.boolean()), { maxLength: 40 }), (reads) => {
        for (const [wanted, at, anew] of reads) {
          const bytes = anew ? Buffer.alloc(256, 0x7e) : kept;
          bytes.write(wanted, 4 + at);
          expect(read(bytes, 4 + at, 4 + at + wanted.length)).toBe(wanted);
        }
      }),
      { numRuns: 300 },
    );
  },
);
