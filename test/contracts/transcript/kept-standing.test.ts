// A start that reads the last segment alone: it comes to what reading everything comes to, and believes nothing that it can't check.

import { createHmac, randomBytes } from "node:crypto";
import { appendFile, copyFile, cp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { rotateKey } from "../../../src/transcript/rotate.ts";
import type { Transcript, TranscriptOptions } from "../../../src/transcript/record.ts";
import { verifyTranscript } from "../../../src/transcript/verify.ts";
import { promise } from "../../support/promise.ts";
import {
  agent,
  callId,
  decided,
  granted,
  openIn,
  plainRead,
  quickDisk,
  received,
  start,
  temporaryFolder,
} from "./support.ts";

const segmentSize = 2000;
const segment = (folder: string, number: number): string =>
  join(folder, "transcript", "segments", `${String(number).padStart(8, "0")}.ndjson`);
const kept = (folder: string): string => join(folder, "transcript", "standing");

interface Opened {
  readonly transcript: Transcript;
  readonly said: readonly string[];
}

async function reopen(folder: string, over: Partial<TranscriptOptions> = {}): Promise<Opened> {
  const said: string[] = [];
  const transcript = await openIn(folder, { segmentSize, disk: quickDisk, say: (one) => void said.push(one), ...over });
  return { transcript, said };
}

/** Thirty calls over many segments; one that is open and one with a live grant stand in the first of them. */
async function longRecord(): Promise<string> {
  const folder = await temporaryFolder();
  const { transcript } = await reopen(folder);
  await transcript.append([received(callId(1)), decided(callId(1)), granted(callId(1), "grant-1")]);
  await transcript.append([received(callId(2))]);
  for (let call = 3; call <= 32; call++) await transcript.append(plainRead(callId(call)));
  await transcript.close();
  return folder;
}

/** All that a start finds out. */
function foundBy({ transcript }: Opened): unknown {
  return {
    head: transcript.head(),
    unsettled: transcript.unsettled,
    grants: transcript.liveGrants(),
    known: [transcript.knowsGrant("grant-1"), transcript.knowsGrant("grant-2")],
    started: transcript.lastStart,
    repaired: transcript.repaired,
  };
}

/** Another first subtree. */
const otherTree = (text: string): string =>
  text.replace(/"peaks":\["./, (found) => found.slice(0, -1) + (found.endsWith("0") ? "1" : "0"));

async function failedIn(folder: string): Promise<readonly string[]> {
  const { verdicts } = await verifyTranscript(folder, { now: start + 60_000 });
  return verdicts.filter((one) => one.verdict === "failed").map((one) => one.question);
}

promise(
  "transcript:quick-start",
  "it finds what reading everything finds, and what it writes then verifies",
  async () => {
    const folder = await longRecord();
    const copy = join(await temporaryFolder(), "copy");
    await cp(folder, copy, { recursive: true });
    await rm(kept(copy));
    const [quick, whole] = [await reopen(folder), await reopen(copy)];
    expect(foundBy(quick)).toEqual(foundBy(whole));
    expect(foundBy(whole)).toMatchObject({
      unsettled: [{ call: callId(1), grant: "grant-1" }, { call: callId(2) }],
      grants: [{ id: "grant-1" }],
      known: [true, false],
    });
    for (const { transcript } of [quick, whole]) {
      await transcript.append(plainRead(callId(40)));
      await transcript.close();
    }
    expect(quick.transcript.head()).toEqual(whole.transcript.head());
    expect([quick.said, whole.said, await failedIn(folder)]).toEqual([[], [], []]);
  },
);

promise(
  "transcript:quick-start",
  "full segments are not read again, and verification still finds what was done to them",
  async () => {
    const folder = await longRecord();
    const first = await readFile(segment(folder, 0), "utf8");
    await writeFile(segment(folder, 0), first.replace('"sub":"ada"', '"sub":"eve"'));
    const { transcript, said } = await reopen(folder);
    await transcript.close();
    expect([said, await failedIn(folder)]).toEqual([[], ["INTEGRITY", "ORDER"]]);
    await rm(kept(folder));
    await expect(reopen(folder)).rejects.toMatchObject({
      fault: { cause: expect.stringMatching(/^an entry among the first \d+ is not what was signed/) },
    });
  },
);

promise(
  "transcript:quick-start",
  "what was kept and then changed, by a byte or by another's key, is refused and said",
  async () => {
    const whole = await readFile(kept(await longRecord()), "latin1");
    const changes: readonly (readonly [what: string, change: (text: string) => string, why: RegExp])[] = [
      ["an open call is gone", (text) => text.replace(callId(2), callId(9)), /^was changed$/],
      ["another tree", otherTree, /^was changed$/],
      ["cut", (text) => text.slice(0, -10), /^was changed$/],
      ["more behind it", (text) => `${text} `, /^was changed$/],
      ["no bytes", () => "", /^is damaged$/],
      ["noise", () => "{}\n", /^is damaged$/],
      ["another transcript's", (text) => text.slice(0, 28) + whole.slice(28), /^was changed$/],
    ];
    for (const [what, change, why] of changes) {
      const folder = await longRecord();
      await writeFile(kept(folder), change(await readFile(kept(folder), "latin1")));
      const { transcript, said } = await reopen(folder);
      expect([what, transcript.unsettled.map((one) => one.call)]).toEqual([what, [callId(1), callId(2)]]);
      expect(said).toEqual([expect.stringMatching(/^transcript\/standing .*: all entries are read instead$/)]);
      expect(said[0]?.slice("transcript/standing ".length).split(":")[0]).toMatch(why);
      await transcript.close();
      expect([what, await failedIn(folder)]).toEqual([what, []]);
    }
  },
);

promise(
  "transcript:quick-start",
  "even under the right key its tree is held against the newest signed head",
  async () => {
    const folder = await longRecord();
    const secret = (await readFile(join(folder, "keys", "transcript.key"), "utf8")).trim();
    const [first = "", body = ""] = otherTree(await readFile(kept(folder), "latin1")).split("\n");
    const mac = createHmac("sha256", secret).update("sallyport-standing\n").update(body).digest("hex");
    await writeFile(kept(folder), `${first.slice(0, 28)}${mac}\n${body}`);
    const { transcript, said } = await reopen(folder);
    expect(said).toEqual([
      expect.stringMatching(/^transcript\/standing does not fit \(.*\): all entries are read instead$/),
    ]);
    await transcript.close();
    expect(await failedIn(folder)).toEqual([]);
  },
);

promise("transcript:quick-start", "one that counts more than was signed is refused", async () => {
  const folder = await longRecord();
  const [note, log] = [join(folder, "transcript", "checkpoint"), join(folder, "transcript", "checkpoints.log")];
  const [first = ""] = (await readFile(log, "utf8")).split("\n\n— ");
  const whole = await readFile(log, "utf8");
  const older = whole.slice(0, whole.indexOf("\n", first.length + 2) + 1);
  await writeFile(note, older);
  await writeFile(log, older);
  const { said } = await reopen(folder);
  expect(said).toEqual([expect.stringMatching(/^transcript\/standing counts \d+ entries, and 0 are signed: all/)]);
});

promise("transcript:quick-start", "segments that are not as they were then are found, and named as ever", async () => {
  const cases: readonly (readonly [change: (folder: string) => Promise<void>, said: RegExp, cause: RegExp])[] = [
    [
      async (folder) => await truncate(segment(folder, 1), 100),
      /counts \d+ bytes in segments\/00000001.ndjson/,
      /^segments\/00000001.ndjson: its last line is cut short, and more follows$/,
    ],
    [
      async (folder) => await appendFile(segment(folder, 1), "{}\n"),
      /counts \d+ bytes in segments\/00000001.ndjson/,
      /^segments\/00000001.ndjson line \d+ has a version/,
    ],
    [
      async (folder) => await rm(segment(folder, await lastOf(folder))),
      /counts \d+ segments/,
      /^the transcript was cut: \d+ entries were signed, \d+ are here$/,
    ],
    [
      async (folder) => {
        const last = segment(folder, await lastOf(folder));
        await writeFile(last, (await readFile(last, "utf8")).replace("ada", "eve"));
      },
      /does not fit \(.*\)/,
      /^an entry among the first \d+ is not what was signed/,
    ],
  ];
  for (const [change, why, cause] of cases) {
    const folder = await longRecord();
    await change(folder);
    const said: string[] = [];
    await expect(reopen(folder, { say: (one) => void said.push(one) })).rejects.toMatchObject({
      fault: { cause: expect.stringMatching(cause) },
    });
    expect(said).toEqual([expect.stringMatching(why)]);
  }
});

/** The number of the segment behind those that were summed up. */
async function lastOf(folder: string): Promise<number> {
  const [, lengths = ""] = /"lengths":\[([0-9,]*)\]/.exec(await readFile(kept(folder), "utf8")) ?? [];
  return lengths.split(",").length;
}

promise(
  "transcript:quick-start",
  "an older one of this gateway's own is only slower, and after a rotation there is none",
  async () => {
    const folder = await longRecord();
    const older = `${kept(folder)}.older`;
    await copyFile(kept(folder), older);
    const first = await reopen(folder);
    for (let call = 50; call <= 90; call++) await first.transcript.append(plainRead(callId(call)));
    await first.transcript.close();
    const head = first.transcript.head();
    expect(await readFile(kept(folder), "utf8")).not.toBe(await readFile(older, "utf8"));
    await copyFile(older, kept(folder));
    const again = await reopen(folder);
    expect([again.said, again.transcript.head()]).toEqual([[], head]);
    await again.transcript.close();

    const gateway = { version: "1.2.3", config: "c", policy: "b" };
    const options = { folder, gateway, now: () => start, random: randomBytes, say: () => undefined, segmentSize };
    await rotateKey(options, agent);
    const rotated = await reopen(folder);
    expect(rotated.said).toEqual([]);
    await rotated.transcript.append(plainRead(callId(91)));
    await rotated.transcript.close();
    expect(await failedIn(folder)).toEqual([]);
  },
);

promise(
  "transcript:quick-start",
  "another version's is not used, and a record from before it is read whole once",
  async () => {
    const folder = await longRecord();
    const other = await reopen(folder, { gateway: { version: "1.2.4", config: "c", policy: "b" } });
    expect(other.said).toEqual([]);
    await other.transcript.close();
    expect(await readFile(kept(folder), "utf8")).toContain('"version":"1.2.4"');
  },
);

promise(
  "transcript:quick-start",
  "a disk that can't take it takes nothing else away, and it is kept when there is room",
  async () => {
    const folder = await temporaryFolder();
    let failing = true;
    const disk = {
      ...quickDisk,
      replace: async (path: string, bytes: Uint8Array): Promise<void> => {
        if (failing && path.endsWith("standing"))
          throw Object.assign(new Error("ENOSPC: no space"), { code: "ENOSPC" });
        await quickDisk.replace(path, bytes);
      },
    };
    const { transcript, said } = await reopen(folder, { disk });
    for (let call = 1; call <= 20; call++) await transcript.append(plainRead(callId(call)));
    await transcript.close();
    expect([said, await readFile(kept(folder)).catch(() => null)]).toEqual([[], null]);
    failing = false;
    const again = await reopen(folder, { disk });
    expect(again.said).toEqual([]);
    await again.transcript.close();
    expect((await readFile(kept(folder), "utf8")).slice(0, 18)).toBe("sallyport-standing");
  },
);
