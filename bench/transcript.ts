// What the transcript costs: appending alone and with 64 callers, reopening, verifying and searching, each beside its bare floor in the same run.

import { hash, generateKeyPairSync, randomBytes, sign, verify } from "node:crypto";
import { mkdtemp, open, readFile, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { openTranscript } from "../src/transcript/record.ts";
import { countFound, searchEntries } from "../src/transcript/search.ts";
import type { Query } from "../src/transcript/searchable.ts";
import { inThreads, ownThreads } from "../src/transcript/threads.ts";
import { verifyTranscript } from "../src/transcript/verify.ts";
import { builtProgram } from "./built.ts";
import { percentile, timed } from "./clock.ts";
import { tableOf, type Figure } from "./figures.ts";
import { callDrafts, writeRecorded } from "./recorded.ts";

/** Entries of the transcript that is verified, reopened and searched: the first argument, else a million. */
const entries = Number(process.argv[2] ?? 1_000_000);
const figures: Figure[] = [];
const folder = await mkdtemp(join(tmpdir(), "sallyport-bench-"));

function add(
  figure: string,
  measured: number,
  unit: Figure["unit"],
  floor: number | null,
  goal: string,
  reached: boolean | null,
  note = "",
): void {
  figures.push({ figure, measured, unit, floor, goal, reached, note });
}

const openHere = (name: string) =>
  openTranscript({
    folder: join(folder, name),
    gateway: { version: "0.0.0", config: "c".repeat(64), policy: "b".repeat(64) },
    now: () => Date.now(),
    random: (count) => randomBytes(count),
    say: () => undefined,
  });

async function appending(): Promise<void> {
  const transcript = await openHere("alone");
  const file = await open(join(folder, "floor"), "a");
  const bytes = Buffer.alloc(1600, 0x20);
  const [alone, bare]: [number[], number[]] = [[], []];
  const floor = async (): Promise<void> => {
    await file.write(bytes);
    await file.datasync();
  };
  for (let call = 1; call <= 400; call++) {
    // The two appends that a call waits for: what lets it in, and what ends it.
    const drafts = callDrafts(call);
    for (const part of [drafts.slice(0, 2), drafts.slice(2)]) {
      alone.push(await timed(() => transcript.append(part)));
      bare.push(await timed(floor));
    }
  }
  await file.close();
  const [p50, bareP50] = [percentile(alone, 0.5), percentile(bare, 0.5)];
  const above = `${(p50 - bareP50).toFixed(2)} ms above its floor: one write and fdatasync of 1,600 bytes`;
  add("append alone, p50", p50, "ms", bareP50, "< 1 ms", p50 < 1, above);

  let appended = 0;
  const until = performance.now() + 5000;
  const begun = performance.now();
  const before = process.cpuUsage();
  await Promise.all(
    Array.from({ length: 64 }, async (_, caller) => {
      for (let call = caller + 1; performance.now() < until; call += 64) {
        const drafts = callDrafts(call);
        await transcript.append(drafts);
        appended += drafts.length;
      }
    }),
  );
  const rate = (appended / (performance.now() - begun)) * 1000;
  const cost = costOf(before, appended);
  add(
    "append with 64 callers",
    rate,
    "entries/s",
    null,
    "≥ 20000",
    rate >= 20_000,
    `each durable before its caller goes on; ${cost}`,
  );
  await transcript.close();
}

/** What the work since `before` cost, whoever else used the machine meanwhile. */
function costOf(before: NodeJS.CpuUsage, entries: number): string {
  const { user, system } = process.cpuUsage(before);
  return `${((user + system) / entries).toFixed(1)} µs of processor time an entry`;
}

/** A second's work of one core: leaves hashed, signatures checked. */
function floors(line: Buffer): { readonly hashes: number; readonly signatures: number } {
  const rate = (work: () => unknown): number => {
    let count = 0;
    for (const until = performance.now() + 1000; performance.now() < until; count += 100)
      for (let round = 0; round < 100; round++) work();
    return count;
  };
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const note = Buffer.alloc(120, 0x61);
  const signature = sign(null, note, privateKey);
  return {
    hashes: rate(() => hash("sha256", line, "hex")),
    signatures: rate(() => verify(null, note, publicKey, signature)),
  };
}

async function verifying(state: string): Promise<void> {
  const segment = await readFile(join(state, "transcript", "segments", "00000000.ndjson"));
  const line = segment.subarray(0, segment.indexOf(0x0a));
  const bare = floors(line);
  // Threads as they are shipped: from the sources each would first take the types out of what it runs.
  const program = await builtProgram((line) => process.stderr.write(`${line}\n`));
  const file = pathToFileURL(join(dirname(program), "block-thread.js"));
  const threads = { ...ownThreads(availableParallelism()), file };
  for (const [figure, readBy] of [
    ["verify", inThreads(threads)],
    ["verify, one thread", undefined],
  ] as const) {
    const options = { now: Date.now(), ...(readBy === undefined ? {} : { readBy }) };
    const before = process.cpuUsage();
    let checked = 0;
    const took = await timed(async () => (checked = (await verifyTranscript(state, options)).entries));
    const rate = (checked / took) * 1000;
    const how =
      readBy === undefined ? "as verify.mjs does it" : `${threads.count} threads of the built package read, one judges`;
    add(
      figure,
      rate,
      "entries/s",
      bare.hashes,
      readBy === undefined ? "" : "≥ 200000",
      readBy === undefined ? null : rate >= 200_000,
      `floor: bare SHA-256 of such a line, one core; ${how}; ${costOf(before, checked)}`,
    );
  }
  add(
    "a checkpoint's signature checked",
    bare.signatures,
    "per s",
    bare.signatures,
    "",
    null,
    "Ed25519, bare: one a checkpoint",
  );
}

const queries: readonly Query[] = [
  { principal: "person-3", decision: "deny" },
  { tool: "logs_read", namespace: "team-4" },
  { namespace: "team-4", name: "web-77" },
  { name: "web-77*", effect: "applied" },
  { resource: "deployments", rule: "team-7" },
  { agent: "agent-1", outcome: "refused", since: Date.parse("2026-01-05T08:30:00Z") },
  { kind: "grant.*" },
  { name: "nothing-like-it" },
];

async function newest(state: string, query: Query): Promise<number> {
  let found = 0;
  for await (const kept of searchEntries(state, { query, limit: 50 })) found += kept.index > 0 ? 1 : 0;
  return found;
}

async function searching(state: string): Promise<void> {
  const build = await timed(() => countFound(state, {}));
  add(
    "search index made from nothing",
    build,
    "ms",
    null,
    "",
    null,
    "once; then what is new is added when a command runs",
  );
  const slowest = { took: 0, what: "" };
  for (const query of queries)
    for (const [what, ask] of [
      ["the newest 50", () => newest(state, query)],
      ["count", () => countFound(state, query)],
    ] as const) {
      const took = await timed(ask);
      if (took > slowest.took) Object.assign(slowest, { took, what: `${what} of ${JSON.stringify(query)}` });
    }
  add("search, the slowest of 16", slowest.took, "ms", null, "< 1000 ms", slowest.took < 1000, slowest.what);
}

async function reopening(state: string, figure: string, note: string): Promise<void> {
  const options = { folder: state, gateway: { version: "0.0.0", config: "c".repeat(64), policy: "b".repeat(64) } };
  let close = async (): Promise<void> => await Promise.resolve();
  const took = await timed(async () => {
    const transcript = await openTranscript({
      ...options,
      now: () => Date.now(),
      random: (count) => randomBytes(count),
      say: () => undefined,
    });
    close = () => transcript.close();
  });
  await close();
  add(figure, took, "ms", null, "", null, note);
}

try {
  await appending();
  const state = join(folder, "state");
  const wrote = await timed(() => writeRecorded(state, entries));
  process.stdout.write(`${entries} entries of about 875 bytes, written in ${Math.round(wrote / 1000)} s\n\n`);
  await verifying(state);
  await searching(state);
  await reopening(state, "reopen", "the gateway's start after a stop or a crash: the last segment is read");
  await rm(join(state, "transcript", "standing"));
  await reopening(state, "reopen, everything read", "once after an update, or where what was kept does not fit");
  process.stdout.write(tableOf(figures));
} finally {
  await rm(folder, { recursive: true, force: true });
}
