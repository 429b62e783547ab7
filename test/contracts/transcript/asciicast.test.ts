// A command's output read back: on the timeline of a replay, and as a terminal recording for whoever holds the key.

import { randomBytes } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { transcriptCommand, type Io } from "../../../src/commands/transcript.ts";
import type { EntryDetails, EntryDraft } from "../../../src/domain/entry.ts";
import { asciicast } from "../../../src/transcript/asciicast.ts";
import { chooseEntries } from "../../../src/transcript/bundle/choose.ts";
import { findTranscript } from "../../../src/transcript/files.ts";
import { fileWrapping } from "../../../src/transcript/seal.ts";
import { verifyTranscript } from "../../../src/transcript/verify.ts";
import { promise } from "../../support/promise.ts";
import {
  callId,
  decided,
  draft,
  openIn,
  plainRead,
  received,
  session,
  settled,
  start,
  temporaryFolder,
} from "./support.ts";

const key = randomBytes(32);
const call = callId(1);

type Segment = EntryDetails["stream.segment"];
const printed = (text: string, over: Partial<Segment>): EntryDraft => ({
  ...(draft("stream.segment", call, {
    tool: "pods_exec",
    stream: "stdout",
    from: 0,
    to: 0,
    bytes: Buffer.byteLength(text),
    masked: [],
    ...over,
  }) as EntryDraft & { kind: "stream.segment" }),
  body: { class: "output", text },
});
const masked = "password=[MASKED:password:0a1b2c3d]\n";
const whole: readonly EntryDraft[] = [
  received(call),
  decided(call),
  printed("one\ntwo\n", { from: 12, to: 450 }),
  printed("\u001b]52;c;ZXZpbA==\u0007careful\n", { stream: "stderr", from: 460, to: 460 }),
  printed(masked, { from: 2000, to: 3000, masked: [{ type: "password", count: 1 }] }),
  settled(call),
];

/** A folder with the command's call and a read, and the gateway's key; of bodies the classes that are named are kept. */
async function recorded(classes: readonly ("output" | "diff")[] = ["output"]): Promise<string> {
  const folder = await temporaryFolder();
  const wrapping = fileWrapping(key, (count) => randomBytes(count));
  const transcript = await openIn(folder, { bodies: { wrapping: () => Promise.resolve(wrapping), classes } });
  await transcript.append(whole);
  await transcript.append(plainRead(callId(2)));
  await transcript.close();
  await mkdir(join(folder, "keys"), { recursive: true });
  await writeFile(join(folder, "keys", "bodies.key"), key, { mode: 0o600 });
  return folder;
}

/** What a command prints, and what it puts on record; `refusal` says why an entry could not be written. */
async function run(folder: string, words: readonly string[], refusal = "") {
  let [out, err] = ["", ""];
  const noted: unknown[] = [];
  const io: Io = {
    env: { SALLYPORT_HOME: folder },
    out: (text) => void (out += text),
    err: (text) => void (err += text),
    colour: false,
    now: () => start + 86_400_000,
    cores: 2,
    shipped: "policies",
    version: "1.2.3",
  };
  const onRecord = (kind: string, details: unknown): Promise<string> => {
    noted.push([kind, details]);
    return Promise.resolve(kind === "evidence.exported" ? refusal : "");
  };
  const failed = await transcriptCommand(io, onRecord)
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
    .parseAsync(words, { from: "user" })
    .then(
      () => "",
      (thrown: unknown) => (thrown instanceof Error ? thrown.message : String(thrown)),
    );
  return { out, err, noted, failed };
}

promise(
  "transcript:asciicast",
  "a header and the output in its time, on record, and nothing a terminal obeys",
  async () => {
    const folder = await recorded();
    expect((await verifyTranscript(folder, { now: start + 60_000 })).ok).toBe(true);
    const { out, noted, failed } = await run(folder, ["replay", session, "--asciicast", call]);
    expect([failed, out.split("\n").map((line) => (line === "" ? "" : (JSON.parse(line) as unknown)))]).toEqual([
      "",
      [
        { version: 2, width: 80, height: 24, timestamp: start / 1000, title: `workloads_scale ${call}` },
        [0.45, "o", "one\r\ntwo\r\n"],
        [0.46, "o", "careful\r\n"],
        [3, "o", masked.replace("\n", "\r\n")],
        "",
      ],
    ]);
    expect(noted.at(-1)).toEqual([
      "evidence.exported",
      { what: "asciicast of a call", to: "standard output", query: call, count: 3, why: "" },
    ]);
    expect(asciicast("t", 1999, [{ at: 5, text: "a\r\nb" }])).toBe(
      '{"version":2,"width":80,"height":24,"timestamp":1,"title":"t"}\n[0.005,"o","a\\r\\nb"]\n',
    );
  },
);

promise(
  "transcript:asciicast",
  "nothing is handed out off the record, without the key, or where nothing is",
  async () => {
    const folder = await recorded();
    const words = ["replay", session, "--asciicast", call];
    const told = async (...more: Parameters<typeof run>) => {
      const { out, failed } = await run(...more);
      return [out, failed];
    };
    expect(await told(folder, words, "the disk is full")).toEqual([
      "",
      "Nothing was handed out, for no entry could tell of it: the disk is full",
    ]);
    expect(await told(folder, [...words.slice(0, 3), callId(2)])).toEqual([
      "",
      `Nothing that a command of ${callId(2)} printed is on record.`,
    ]);
    expect(await told(folder, [...words.slice(0, 3), callId(7)])).toEqual([
      "",
      `There is no call ${callId(7)} in this session.`,
    ]);
    expect((await run(folder, [...words, "--json"])).failed).toContain("cannot be used with");
    const other = join(folder, "other.key");
    await writeFile(other, randomBytes(32), { mode: 0o600 });
    expect(await told(folder, [...words, "--bodies-key", other])).toEqual([
      "",
      `What ${call} printed was purged, or is not for this key.`,
    ]);
    await rm(join(folder, "transcript", "bodies", "keys.ndjson"));
    expect(await told(folder, words)).toEqual(["", `What ${call} printed was purged, or is not for this key.`]);
    expect(await told(await recorded(["diff"]), words)).toEqual([
      "",
      `What the command of ${call} printed was not kept: its class of bodies is not sealed here, or there was no room.`,
    ]);
  },
);

promise(
  "transcript:streams",
  "its text goes with its class: into a bundle with answers, and by their purge",
  async () => {
    const folder = await recorded();
    const chosen = async (classes: readonly ("output" | "arguments")[]): Promise<number> =>
      (await chooseEntries(await findTranscript(folder), 9, { query: {}, wholeCalls: true, classes })).bodies.size;
    expect([await chosen(["output"]), await chosen(["arguments"])]).toEqual([3, 0]);
    const now = start + 86_400_000;
    const transcript = await openIn(folder, { now: () => now });
    const what = { before: "", session: "", classes: ["output"], why: "asked for" } as const;
    expect((await transcript.keeping.purge(what, null)).keys).toBe(1);
    await transcript.close();
    const { ok, verdicts } = await verifyTranscript(folder, { now });
    expect([ok, verdicts.find(({ question }) => question === "BODIES")?.says]).toEqual([
      true,
      expect.stringContaining("3 were purged, each by an entry"),
    ]);
    const { out, failed } = await run(folder, ["replay", session, "--asciicast", call]);
    expect([out, failed]).toEqual(["", `What ${call} printed was purged, or is not for this key.`]);
  },
);

promise("transcript:asciicast", "the replay shows where in its time each part of the output came", async () => {
  const { out } = await run(await recorded(), ["replay", session]);
  expect(out.split("\n").filter((line) => /^ +std/.test(line))).toEqual([
    "            stdout    |#####                         | +12 ms to +450 ms, 8 bytes",
    "            stderr    |    #                         | +460 ms to +460 ms, 24 bytes",
    "            stdout    |                    ##########| +2.0 s to +3.0 s, 36 bytes, 1 password masked",
  ]);
  const bare = await run(await recorded(["diff"]), ["replay", session]);
  expect(bare.out).toContain("8 bytes, text not kept");
});
