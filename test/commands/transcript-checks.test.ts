// doctor on the record: its key, its last checkpoint, the room for it, the key of sealed bodies, and the exports; each as it should be and as an accident leaves it.

import { randomBytes } from "node:crypto";
import { chmod, copyFile, mkdtemp, readFile, rm, stat, truncate, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import { exportChecks } from "../../src/commands/export-checks.ts";
import { transcriptChecks } from "../../src/commands/transcript-checks.ts";
import { configSchema } from "../../src/config/schema.ts";
import { openTranscript } from "../../src/transcript/record.ts";
import { share } from "../../src/transcript/reserve.ts";
import { ownWrapping } from "../../src/wiring/state.ts";
import { callId, plainRead, quickDisk, received } from "../contracts/transcript/support.ts";
import { promise } from "../support/promise.ts";

const config = configSchema.parse({ version: 1 });
const ample = 10_000_000_000;

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "sallyport-doctor-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A state folder whose gateway has stopped: three entries of a call, one with a sealed body. */
async function recorded(): Promise<string> {
  const folder = await temporaryFolder();
  const random = (count: number): Uint8Array => randomBytes(count);
  const transcript = await openTranscript({
    folder,
    gateway: { version: "1.2.3", config: "c", policy: "b" },
    now: Date.now,
    random,
    say: () => undefined,
    checkpointEvery: 3_600_000,
    disk: quickDisk,
    bodies: { wrapping: () => ownWrapping(folder, random), classes: ["arguments"] },
  });
  await transcript.append([{ ...received(callId(1)), body: { class: "arguments", text: "long" } }]);
  await transcript.append(plainRead(callId(1)).slice(1));
  await transcript.close();
  return folder;
}

const looked = async (folder: string, free = ample, now = Date.now): Promise<Record<string, string>> => {
  const found = await transcriptChecks({ folder, config, now, free: () => Promise.resolve(free) });
  // Whatever is not well names the next step.
  expect(found.filter(({ result, next }) => (result === "ok") !== (next === ""))).toEqual([]);
  return Object.fromEntries(found.map(({ name, result, says }) => [name, `${result}: ${says}`]));
};

const well = {
  "record key": expect.stringMatching(/^ok: sallyport\.dev\/\S+\+[0-9a-f]{8} signs, and nobody else can read it$/),
  checkpoint: expect.stringMatching(/^ok: 3 entries are signed, last .* ago$/),
  "record space": "ok: 10000.0 MB are free, 0.1 MB are held back for calls in flight",
  "sealed bodies": "ok: arguments, diff, output are sealed; keys/bodies.key opens what 1 keys have sealed",
};

promise("commands:doctor-record", "a sound record, and a folder without one", async () => {
  expect(await looked(await recorded())).toEqual(well);
  expect(await looked(await temporaryFolder())).toEqual({});
});

promise("commands:doctor-record", "the key: missing, open to others, damaged, another one", async () => {
  const cases: readonly (readonly [change: (key: string, folder: string) => Promise<unknown>, says: RegExp])[] = [
    [(key) => rm(key), /^failed: keys\/transcript\.key is missing, and this record was signed with it$/],
    [(key) => chmod(key, 0o640), /^failed: .*keys\/transcript\.key can be read by others/],
    [(key) => truncate(key, 30), /^failed: .*keys\/transcript\.key is damaged/],
    [
      async (key) => await copyFile(join(await recorded(), "keys", "transcript.key"), key),
      /^failed: transcript\/log\.vkey belongs to another key/,
    ],
    [
      (_, folder) => writeFile(join(folder, "keys", "transcript.retired"), "noise\n"),
      /^failed: .*keys\/transcript\.retired is damaged/,
    ],
  ];
  for (const [change, says] of cases) {
    const folder = await recorded();
    await change(join(folder, "keys", "transcript.key"), folder);
    const { checkpoint, ...found } = await looked(folder);
    expect([found, checkpoint]).toEqual([
      { ...well, checkpoint: undefined, "record key": expect.stringMatching(says) },
      undefined,
    ]);
  }
});

promise("commands:doctor-record", "the checkpoint: gone, another's, and entries that stay unsigned", async () => {
  const folder = await recorded();
  const checkpoint = join(folder, "transcript", "checkpoint");
  const segment = join(folder, "transcript", "segments", "00000000.ndjson");
  const long = new Date(Date.now() - 600_000);
  // The record rests: however long ago it was signed, nothing of it is unsigned.
  await utimes(checkpoint, long, long);
  await utimes(segment, long, long);
  expect(await looked(folder)).toEqual({ ...well, checkpoint: expect.stringMatching(/, last 1\d min \d+ s ago$/) });

  await utimes(segment, new Date(), new Date());
  expect((await looked(folder))["checkpoint"]).toMatch(
    /^failed: 3 entries are signed, last 1\d min \d+ s ago; an entry of (9|10) min \d+ s later is not$/,
  );
  const note = await readFile(checkpoint, "utf8");
  await writeFile(checkpoint, await readFile(join(await recorded(), "transcript", "checkpoint"), "utf8"));
  expect((await looked(folder))["checkpoint"]).toBe("failed: the last one is not signed by this record's key");
  await rm(checkpoint);
  expect((await looked(folder))["checkpoint"]).toBe("failed: there is none");
  await writeFile(checkpoint, note);
  expect(await looked(folder)).toEqual(well);
});

promise("commands:doctor-record", "the room: what is held back, and a disk that runs full", async () => {
  const folder = await recorded();
  const needed = config.limits.inFlight * share;
  const held = (await stat(join(folder, "transcript", "reserve"))).size;
  const space = async (free: number): Promise<string | undefined> =>
    (await looked(folder, free))["record space"]?.split(":")[0];
  expect([
    await space(0),
    await space(needed - held - 1),
    await space(needed - held),
    await space(20 * needed - 1),
    await space(20 * needed),
  ]).toEqual(["failed", "failed", "note", "note", "ok"]);
  const options = { folder, config, now: Date.now, free: () => Promise.reject(new Error("EIO")) };
  expect((await transcriptChecks(options)).find(({ name }) => name === "record space")?.result).toBe("note");
});

promise(
  "commands:doctor-record",
  "the key of sealed bodies: missing, open to others, short, another one, damaged",
  async () => {
    const keys = (folder: string): string => join(folder, "transcript", "bodies", "keys.ndjson");
    const cases: readonly (readonly [change: (key: string, folder: string) => Promise<unknown>, says: string])[] = [
      [(key) => rm(key), "failed: keys/bodies.key is missing, and 1 keys are under it"],
      [(key) => chmod(key, 0o644), "failed: PATH can be read by others: chmod 600 it."],
      [(key) => truncate(key, 31), "failed: PATH is neither keys/bodies.key nor an auditor's secret."],
      [(key) => writeFile(key, randomBytes(32)), "failed: keys/bodies.key is not the one that 1 of 1 keys are under"],
      [
        async (_, folder) => {
          const text = await readFile(keys(folder), "utf8");
          await writeFile(keys(folder), text.replace(/"wrapped":"(.{8})/, '"wrapped":"AAAAAAAA'));
        },
        "failed: transcript/bodies/keys.ndjson is damaged: a key does not open",
      ],
    ];
    for (const [change, says] of cases) {
      const folder = await recorded();
      const key = join(folder, "keys", "bodies.key");
      await change(key, folder);
      expect(await looked(folder)).toEqual({ ...well, "sealed bodies": says.replace("PATH", key) });
    }
  },
);

promise(
  "commands:doctor-record",
  "an export: up to date, behind, long behind, and one whose file is gone",
  async () => {
    const folder = await recorded();
    const path = join(folder, "copy.cef");
    const parsed = configSchema.parse({ version: 1, exporters: [{ kind: "file", name: "copy", path }] });
    const lag = async (now: number): Promise<unknown> => await exportChecks({ now: () => now }, folder, parsed);
    const later = Date.now() + 7_200_000;
    expect(await lag(later)).toEqual([
      {
        name: "export copy",
        result: "note",
        says: expect.stringMatching(/^3 entries behind, the oldest of [12] h \d+ min ago$/),
        next: "see that a gateway runs, and what its log says of this export",
      },
    ]);
    expect(await lag(Date.now())).toMatchObject([{ result: "ok", says: expect.stringMatching(/^3 entries behind/) }]);
    const tls = { kind: "syslog", name: "siem", address: "tls://siem.example:6514", ca: join(folder, "none.pem") };
    expect(
      await exportChecks({ now: () => later }, folder, configSchema.parse({ version: 1, exporters: [tls] })),
    ).toEqual([
      {
        name: "export siem",
        result: "failed",
        says: `${join(folder, "none.pem")} can't be read`,
        next: "put it there, or correct the path",
      },
    ]);
  },
);
