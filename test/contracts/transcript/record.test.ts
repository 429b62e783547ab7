// Opening, appending and reopening: order, chains, receipts, keys, checkpoints, and what a restart finds.

import { randomBytes } from "node:crypto";
import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as fc from "fast-check";
import { expect } from "vitest";
import type { EntryDraft } from "../../../src/domain/entry.ts";
import type { SessionId } from "../../../src/domain/ids.ts";
import type { JsonObject } from "../../../src/domain/json.ts";
import { canonical } from "../../../src/transcript/canonical.ts";
import { entryText, placeEntry, unplaced } from "../../../src/transcript/entry.ts";
import { openCheckpoint, parseVkey } from "../../../src/transcript/note.ts";
import { leafHash, rootOf } from "../../../src/transcript/tree.ts";
import { promise } from "../../support/promise.ts";
import {
  approvedChange,
  callId,
  decided,
  digest,
  draft,
  entriesIn,
  granted,
  linesIn,
  openIn,
  plainRead,
  received,
  revoked,
  session,
  settled,
  start,
  temporaryFolder,
} from "./support.ts";

const started = (): EntryDraft =>
  draft("gateway.started", null, { version: "1.2.3", config: digest("c"), policy: digest("b"), repaired: 0 });

promise(
  "transcript:durable-append",
  "an entry is the canonical line of evidence.md's fields, and its receipt its leaf",
  async () => {
    const folder = await temporaryFolder();
    const transcript = await openIn(folder);
    const receipts = await transcript.append([started(), received(callId(1))]);
    const lines = await linesIn(folder);
    const leaves = lines.map((line) => leafHash(Buffer.from(line)));
    expect(receipts).toEqual(leaves.map((leaf, index) => ({ index, leaf: leaf.toString("hex") })));
    expect(transcript.head()).toEqual({ size: 2, root: rootOf(leaves).toString("hex") });
    expect(lines.map((line) => canonical(JSON.parse(line)))).toEqual(lines);
    expect(JSON.parse(lines[1] ?? "")).toEqual({
      v: 1,
      kind: "call.received",
      ts: "2026-03-01T10:00:00.000Z",
      sid: session,
      sseq: 0,
      sprev: "",
      call: callId(1),
      principal: {
        iss: "https://id.example",
        sub: "ada",
        act: [{ iss: "https://id.example", sub: "coding-agent" }],
      },
      client: "editor",
      gateway: { id: transcript.gateway, version: "1.2.3", config: digest("c"), policy: digest("b") },
      details: {
        tool: "workloads_scale",
        arguments: { name: "api", replicas: 5 },
        digest: digest("d"),
        reason: "traffic",
        preview: false,
      },
    });
    await transcript.close();
  },
);

promise(
  "transcript:durable-append",
  "64 callers at once get one order, and each session its own unbroken chain",
  async () => {
    const folder = await temporaryFolder();
    const transcript = await openIn(folder, { segmentSize: 40_000 });
    const receipts = await Promise.all(
      Array.from({ length: 64 }, async (_, caller) => {
        const own = { id: `ses_${caller % 8}` as SessionId, door: "http" } as const;
        const drafts = plainRead(callId(caller)).map((one) => ({ ...one, session: own }));
        return [...(await transcript.append(drafts.slice(0, 2))), ...(await transcript.append(drafts.slice(2)))];
      }),
    );
    const lines = await linesIn(folder);
    const leaves = lines.map((line) => leafHash(Buffer.from(line)).toString("hex"));
    expect(receipts.flat().toSorted((a, b) => a.index - b.index)).toEqual(
      leaves.map((leaf, index) => ({ index, leaf })),
    );
    const ends = new Map<string, { sseq: number; sprev: string }>();
    for (const [index, entry] of (await entriesIn(folder)).entries()) {
      const { sid, sseq, sprev } = entry as { sid: string; sseq: number; sprev: string };
      expect({ sseq, sprev }).toEqual(ends.get(sid) ?? { sseq: 0, sprev: "" });
      ends.set(sid, { sseq: sseq + 1, sprev: leaves[index] ?? "" });
    }
    expect(ends.size).toBe(8);
    expect((await readdir(join(folder, "transcript", "segments"))).length).toBeGreaterThan(1);
    await transcript.close();
  },
);

promise(
  "transcript:durable-append",
  "a reopened transcript goes on where it was, under the same id and key",
  async () => {
    const folder = await temporaryFolder();
    const first = await openIn(folder, { segmentSize: 2000 });
    await first.append(plainRead(callId(1)));
    const head = first.head();
    await first.close();
    await expect(first.append(plainRead(callId(2)))).rejects.toMatchObject({
      fault: { code: "transcript_unavailable" },
    });
    const second = await openIn(folder, { segmentSize: 2000 });
    expect([second.gateway, second.head(), second.repaired, second.unsettled]).toEqual([first.gateway, head, 0, []]);
    await second.append(plainRead(callId(2)));
    const places = (await entriesIn(folder)).map((entry) => entry["sseq"]);
    expect(places).toEqual([0, 1, 2, 3, 4, 5]);
    await second.close();
  },
);

promise("transcript:durable-append", "a draft that is not JSON is refused alone, and leaves no gap", async () => {
  const folder = await temporaryFolder();
  const transcript = await openIn(folder);
  const bad = received(callId(2), { arguments: { at: Number.NaN } });
  const [one, two, three] = await Promise.allSettled([
    transcript.append([received(callId(1))]),
    transcript.append([started(), bad]),
    transcript.append([settled(callId(1))]),
  ]);
  expect([one.status, two.status, three.status]).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect((await entriesIn(folder)).map((entry) => [entry["kind"], entry["sseq"]])).toEqual([
    ["call.received", 0],
    ["call.settled", 1],
  ]);
  await transcript.close();
});

promise("transcript:entry-size", "whatever a caller sends fits, is valid, and says what was cut", async () => {
  const folder = await temporaryFolder();
  const transcript = await openIn(folder);
  let deep: JsonObject = { end: true };
  for (let depth = 0; depth < 3000; depth++) deep = { deep };
  const wide = Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`key${index}`, "😀".repeat(9)]));
  for (const [number, value] of [
    deep,
    wide,
    { text: "😀".repeat(70_000) },
    { list: Array(90_000).fill("x") },
  ].entries())
    await transcript.append([received(callId(number), { arguments: value, reason: "r".repeat(200_000) })]);
  const lines = await linesIn(folder);
  expect(lines.length).toBe(4);
  for (const line of lines) {
    expect(Buffer.byteLength(line)).toBeLessThanOrEqual(65_535);
    expect(canonical(JSON.parse(line))).toBe(line);
    expect(line).toContain("(cut: ");
  }
  await transcript.close();
});

promise("transcript:entry-size", "an entry put together from parts is the canonical text of the whole", () => {
  fc.assert(
    fc.property(fc.string(), fc.jsonValue({ maxDepth: 4 }), fc.nat(), (text, value, sseq) => {
      fc.pre(JSON.stringify(value).isWellFormed() && text.isWellFormed());
      const what = { ...unplaced(received(text, { tool: text })), client: text, details: { value } as JsonObject };
      const gateway = { id: text, version: text, config: text, policy: text };
      const { entry, prefixed } = placeEntry(what, { sseq, sprev: digest("a") }, start, gateway);
      expect(entryText(entry)).toBe(canonical(entry));
      expect(prefixed.toString("utf8")).toBe(`\u0000${canonical(entry)}\n`);
    }),
  );
});

promise(
  "transcript:owner-only",
  "folders are 0700 and files 0600, and a key that is open to others is refused",
  async () => {
    const folder = await temporaryFolder();
    await (await openIn(folder)).close();
    const modes = await Promise.all(
      (await readdir(folder, { recursive: true, withFileTypes: true })).map(async (found) => {
        const { mode } = await stat(join(found.parentPath, found.name));
        return [found.name, (mode & 0o777).toString(8)];
      }),
    );
    expect(Object.fromEntries(modes)).toEqual({
      keys: "700",
      "transcript.key": "600",
      transcript: "700",
      segments: "700",
      "00000000.ndjson": "600",
      checkpoint: "600",
      "checkpoints.log": "600",
      "log.vkey": "600",
      reserve: "600",
    });
    await chmod(join(folder, "keys", "transcript.key"), 0o644);
    await expect(openIn(folder)).rejects.toMatchObject({
      fault: { code: "transcript_unavailable", cause: "keys/transcript.key can be read by others; chmod 600 it" },
    });
  },
);

async function checkpointIn(folder: string) {
  const read = (name: string): Promise<string> => readFile(join(folder, "transcript", name), "utf8");
  const [note, log, vkey] = [await read("checkpoint"), await read("checkpoints.log"), await read("log.vkey")];
  const verifier = parseVkey(vkey);
  if (verifier === null) throw new Error("no key");
  const head = openCheckpoint(note, verifier);
  return { size: head?.size, root: Buffer.from(head?.root ?? []).toString("hex"), note, log, verifier };
}

promise(
  "transcript:one-head",
  "each head is signed once, the newest stands alone, and all of them are kept",
  async () => {
    const folder = await temporaryFolder();
    let now = start;
    const transcript = await openIn(folder, { now: () => now });
    expect((await checkpointIn(folder)).size).toBe(0);
    const heads = [];
    for (let number = 1; number <= 3; number++) {
      now += 1000;
      await transcript.append(plainRead(callId(number)));
      await Promise.all([transcript.checkpoint(), transcript.checkpoint()]);
      heads.push(await checkpointIn(folder));
      expect(heads.at(-1)).toMatchObject(transcript.head());
    }
    const notes = (heads.at(-1)?.log ?? "").split(/(?<=\n)\n(?!—)/);
    expect(notes.length).toBe(4);
    expect(notes.slice(1)).toEqual(heads.map((head) => head.note));
    await transcript.close();
    expect((await checkpointIn(folder)).note).toBe(heads.at(-1)?.note);
  },
);

promise("transcript:one-head", "checkpoints come by themselves while the tree grows", async () => {
  const folder = await temporaryFolder();
  const transcript = await openIn(folder, { checkpointEvery: 5 });
  await transcript.append(plainRead(callId(1)));
  while ((await checkpointIn(folder)).size !== 3) await new Promise((resolve) => setTimeout(resolve, 5));
  expect((await checkpointIn(folder)).root).toBe(transcript.head().root);
  await transcript.close();
});

promise(
  "transcript:one-head",
  "nothing is signed while the clock stands before the last head, and both ends are on record",
  async () => {
    const folder = await temporaryFolder();
    let now = start;
    const said: string[] = [];
    const options = { now: () => now, say: (sentence: string) => said.push(sentence) };
    const transcript = await openIn(folder, options);
    await transcript.append([started()]);
    await transcript.checkpoint();
    now -= 60_000;
    await transcript.append([started()]);
    expect(transcript.degraded()).toBe("the clock stands 60000 ms before what was already recorded");
    await expect(transcript.checkpoint()).rejects.toMatchObject({ fault: { code: "transcript_unavailable" } });
    await transcript.close();
    expect((await checkpointIn(folder)).size).toBe(1);
    const reopened = await openIn(folder, options);
    await reopened.append([started()]);
    await expect(reopened.checkpoint()).rejects.toMatchObject({ fault: { code: "transcript_unavailable" } });
    now += 90_000;
    await reopened.append([started()]);
    await reopened.checkpoint();
    expect([reopened.degraded(), (await checkpointIn(folder)).size]).toEqual([null, reopened.head().size]);
    await reopened.close();
    expect((await entriesIn(folder)).map((entry) => entry["kind"])).toEqual([
      "gateway.started",
      "audit.degraded",
      "gateway.started",
      "audit.degraded",
      "gateway.started",
      "audit.recovered",
      "gateway.started",
    ]);
    expect(said.length).toBe(3);
  },
);

promise(
  "transcript:one-head",
  "two heads of one size can't come from a folder that was put back or emptied",
  async () => {
    const folder = await temporaryFolder();
    const transcript = await openIn(folder);
    await transcript.append(plainRead(callId(1)));
    await transcript.close();
    const file = (name: string): string => join(folder, "transcript", name);
    const old = await readFile(file("checkpoint"), "utf8");
    const again = await openIn(folder);
    await again.append(plainRead(callId(2)));
    await again.close();
    const newest = await readFile(file("checkpoint"), "utf8");
    await writeFile(file("checkpoint"), old);
    await expect(openIn(folder)).rejects.toMatchObject({
      fault: { cause: "checkpoints.log has a checkpoint of 6 entries, the checkpoint file has an older one" },
    });
    await writeFile(file("checkpoint"), newest);
    await rm(join(folder, "transcript"), { recursive: true });
    await expect(openIn(folder)).rejects.toMatchObject({
      fault: {
        cause: "keys/transcript.key has signed a transcript that is not here: put it back, or move the key away",
      },
    });
  },
);

promise("transcript:one-head", "a crash between the two checkpoint files is made good at the next start", async () => {
  const folder = await temporaryFolder();
  const transcript = await openIn(folder);
  await transcript.append(plainRead(callId(1)));
  await transcript.close();
  const log = join(folder, "transcript", "checkpoints.log");
  const whole = await readFile(log);
  const lastStart = whole.lastIndexOf("\n\nsallyport.dev/");
  for (let length = 1; length < whole.length; length += length < lastStart ? 97 : 11) {
    await writeFile(log, whole.subarray(0, length));
    await (await openIn(folder)).close();
    const { log: repaired, note } = await checkpointIn(folder);
    expect(repaired.endsWith(note)).toBe(true);
    if (length >= lastStart) expect(repaired).toBe(whole.toString("utf8"));
  }
});

promise(
  "transcript:unsettled",
  "what had begun is unknown, what waits for a person waits, what ended has ended",
  async () => {
    const folder = await temporaryFolder();
    const crashed = await openIn(folder);
    const change = approvedChange(callId(4), "apr_4", "g4");
    await crashed.append([received(callId(1))]);
    await crashed.append([received(callId(2)), decided(callId(2))]);
    await crashed.append(approvedChange(callId(3), "apr_3", "g3").slice(0, 4));
    await crashed.append(change.slice(0, 8));
    await crashed.append(approvedChange(callId(5), "apr_5", "g5").slice(0, 6));
    await crashed.append(plainRead(callId(6)));
    await crashed.append([received(callId(7)), decided(callId(7), { decision: "deny", code: "denied" })]);
    await crashed.append([
      ...approvedChange(callId(8), "apr_8", "g8").slice(0, 4),
      draft("approval.expired", callId(8), { approval: "apr_8" }),
    ]);
    const before = crashed.head().size;
    // No close: the process is gone, and the next one opens the same files.
    const transcript = await openIn(folder);
    expect(transcript.unsettled.map(({ call, stage, grant }) => [call, stage, grant])).toEqual([
      [callId(1), "received", ""],
      [callId(2), "running", ""],
      [callId(4), "running", "g4"],
      [callId(5), "running", ""],
      [callId(7), "received", ""],
    ]);
    const unknown = (await entriesIn(folder)).slice(before);
    const [hadNot, notKnown] = ["it had not run", "what it left behind is not known"];
    expect(
      unknown.map((entry) => [entry["kind"], entry["call"], entry["sid"], entry["client"], entry["details"]]),
    ).toEqual(
      [
        [1, hadNot, ""],
        [2, notKnown, ""],
        [4, notKnown, "g4"],
        [5, notKnown, ""],
        [7, hadNot, ""],
      ].map(([number, left, grant]) => [
        "call.unknown",
        callId(number as number),
        session,
        "editor",
        { reason: `the gateway stopped before it was settled; ${left}`, grant },
      ]),
    );
    await transcript.close();
    const third = await openIn(folder);
    expect(third.unsettled).toEqual([]);
    // The one that waited goes on, and is unknown if it is cut off now.
    await third.append(approvedChange(callId(3), "apr_3", "g3").slice(4, 7));
    expect((await openIn(folder)).unsettled.map(({ call, tool }) => [call, tool])).toEqual([
      [callId(3), "workloads_scale"],
    ]);
  },
);

promise(
  "transcript:grants",
  "a grant lives until it is completely revoked or swept, and is known for ever",
  async () => {
    const folder = await temporaryFolder();
    const first = await openIn(folder);
    await first.append([received(callId(1)), decided(callId(1)), granted(callId(1), "g1"), granted(callId(1), "g2")]);
    await first.append([granted(callId(1), "g3"), granted(callId(1), "g4"), settled(callId(1))]);
    await first.append([revoked(callId(1), "g1"), revoked(callId(1), "g2", false)]);
    await first.append([draft("grant.swept", null, { grant: "g3", objects: [], why: "left over" })]);
    await first.close();
    const second = await openIn(folder);
    expect(second.liveGrants().map((grant) => grant.id)).toEqual(["g2", "g4"]);
    expect(second.liveGrants()[0]).toEqual({
      id: "g2",
      cluster: "",
      call: callId(1),
      issuer: "token-request",
      account: "system:serviceaccount:sallyport-sessions:run-g2",
      expires: "2026-03-01T10:10:00.000Z",
    });
    expect(["g1", "g2", "g3", "g4", "g5"].map((grant) => second.knowsGrant(grant))).toEqual([
      true,
      true,
      true,
      true,
      false,
    ]);
    await second.close();
  },
);

promise("transcript:no-silent-repair", "without its key, or with another one, a transcript is not opened", async () => {
  const folder = await temporaryFolder();
  const transcript = await openIn(folder);
  await transcript.append(plainRead(callId(1)));
  await transcript.close();
  const key = join(folder, "keys", "transcript.key");
  const whole = await readFile(key, "utf8");
  const causeOf = async (): Promise<string> => {
    const [opened] = await Promise.allSettled([openIn(folder)]);
    return opened.status === "rejected" ? (opened.reason as { fault: { cause: string } }).fault.cause : "";
  };
  await rm(key);
  expect(await causeOf()).toBe("segments/00000000.ndjson line 1 stands there without a key");
  await writeFile(key, "nonsense", { mode: 0o600 });
  expect(await causeOf()).toBe("keys/transcript.key is damaged; put back a copy of it");
  const other = await temporaryFolder();
  await (await openIn(other)).close();
  await writeFile(key, await readFile(join(other, "keys", "transcript.key")));
  expect(await causeOf()).toBe("log.vkey belongs to another key than keys/transcript.key");
  await rm(join(folder, "transcript", "log.vkey"));
  expect(await causeOf()).toBe("the checkpoint is not signed by keys/transcript.key");
  await writeFile(key, whole);
  expect(await causeOf()).toBe("");
});

promise("transcript:durable-append", "a first start that was cut off before its key was kept starts over", async () => {
  const folder = await temporaryFolder();
  const cut = await openIn(folder);
  await cut.close();
  await rm(join(folder, "keys", "transcript.key"));
  const transcript = await openIn(folder, { random: (count) => randomBytes(count) });
  expect(transcript.gateway).not.toBe(cut.gateway);
  await transcript.append(plainRead(callId(1)));
  await transcript.close();
  expect((await checkpointIn(folder)).size).toBe(3);
});

promise(
  "transcript:degraded",
  "a folder that can't be written is told in a sentence, and nothing else is thrown",
  async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, "state"), "a file where a folder is wanted");
    await expect(openIn(join(folder, "state"))).rejects.toMatchObject({
      fault: {
        code: "transcript_unavailable",
        cause: expect.stringMatching(/^The transcript in .*state can't be opened: ENOTDIR: /) as string,
      },
    });
    await mkdir(join(folder, "closed", "transcript"), { recursive: true });
    await mkdir(join(folder, "closed", "transcript", "segments", "00000000.ndjson"), { recursive: true });
    await expect(openIn(join(folder, "closed"))).rejects.toMatchObject({
      fault: { code: "transcript_unavailable", cause: expect.stringContaining("EISDIR") as string },
    });
  },
);
