// Proofs, keys, auditors and erasure from the command line, where no gateway runs.

import { randomBytes } from "node:crypto";
import { chmod, cp, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import { textAt, type JsonObject } from "../../src/domain/json.ts";
import type { EntryDraft } from "../../src/domain/entry.ts";
import { ownWrapping } from "../../src/wiring/state.ts";
import { callId, openIn, plainRead, session, settled } from "../contracts/transcript/support.ts";
import { promise } from "../support/promise.ts";
import { runCommand } from "../support/world.ts";

interface Place {
  readonly folder: string;
  /** `sallyport transcript …` on its state folder. */
  readonly run: (
    ...words: readonly string[]
  ) => Promise<{ readonly code: number; readonly out: string; readonly err: string }>;
}

/** A state folder with one call of two days ago, whose answer is sealed. */
async function place(): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), "sallyport-evidence-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await chmod(folder, 0o700);
  const random = (count: number): Uint8Array => randomBytes(count);
  const now = Date.now() - 2 * 86_400_000;
  const transcript = await openIn(folder, {
    now: () => now,
    bodies: { wrapping: () => ownWrapping(folder, random), classes: ["output"] },
  });
  const told = {
    ...(settled(callId(1)) as EntryDraft & { kind: "call.settled" }),
    body: { class: "output", text: "told" },
  } as const;
  await transcript.append([...plainRead(callId(1)).slice(0, 2), told]);
  await transcript.close();
  const env = { SALLYPORT_HOME: folder, HOME: folder, PATH: process.env["PATH"] ?? "" };
  return { folder, run: (...words) => runCommand(["transcript", ...words], env) };
}

const bodiesOf = async ({ run }: Place, ...words: readonly string[]): Promise<string> => {
  const { verdicts } = JSON.parse((await run("verify", "--json", ...words)).out) as { verdicts: JsonObject[] };
  const found = verdicts.find((one) => one["question"] === "BODIES");
  return `${textAt(found, "verdict")}: ${textAt(found, "says")}`;
};

promise("transcript:proof", "from the command line, over a rotation of the key", async () => {
  const { folder, run } = await place();
  const file = join(folder, "one.tlog-proof");
  const proof = await run("prove", callId(1));
  await writeFile(file, proof.out);
  const checked = await run("check-proof", file);
  expect([proof.code, checked.code, checked.out.split("\n")[0]]).toEqual([
    0,
    0,
    expect.stringMatching(/^Proved: entry 2 of sallyport.dev\//),
  ]);
  await cp(join(folder, "transcript", "log.vkey"), join(folder, "first.vkey"));
  const rotated = await run("rotate-key");
  expect([rotated.code, rotated.out]).toEqual([
    0,
    expect.stringMatching(/^Old key {2}sallyport\S+\nNew key {2}sallyport\S+\n/),
  ]);
  expect((await run("check-proof", file)).code).toBe(3);
  expect((await run("check-proof", file, "--key", join(folder, "first.vkey"))).code).toBe(0);
  expect((await run("verify", "--key", join(folder, "first.vkey"))).code).toBe(0);
  await writeFile(file, proof.out.replace("index 2", "index 1"));
  expect((await run("check-proof", file, "--key", join(folder, "first.vkey"))).code).toBe(3);
  expect([(await run("prove", "call_none")).code, (await run("check-proof", join(folder, "first.vkey"))).code]).toEqual(
    [1, 2],
  );
  const all = await run("prove", callId(1), "--out", join(folder, "proofs"));
  expect([all.code, all.out.trim().split("\n").length]).toEqual([0, 3]);
});

promise(
  "transcript:rewrapped",
  "from the command line: on record before it is handed out, and good in a copy alone",
  async () => {
    const here = await place();
    const { folder, run } = here;
    const secret = join(folder, "auditor.secret");
    const made = await run("auditor-key", secret);
    expect([made.code, (await stat(secret)).mode & 0o777]).toEqual([0, 0o600]);
    expect((await run("auditor-key", secret)).code).toBe(1);
    const words = ["--recipient", made.out.trim(), "--why", "audit of March", "--out", join(folder, "handed.ndjson")];
    const opened = await run("open-for", ...words, "--session", session);
    expect([opened.code, opened.out]).toEqual([0, expect.stringMatching(/^1 keys for x25519:/)]);
    const { out } = await run("list", "--json", "--limit", "1");
    expect(JSON.parse(out)).toMatchObject({
      kind: "evidence.exported",
      principal: { iss: "local" },
      details: {
        what: "keys of bodies",
        query: `session ${session}; classes arguments, diff, output`,
        count: 1,
        why: "audit of March",
      },
    });
    expect(await bodiesOf(here, "--bodies-key", secret)).toContain("0 opened with your key, 1 are not for it");
    const copy = join(folder, "copy");
    await cp(join(folder, "transcript"), copy, { recursive: true, filter: (path) => !path.endsWith(".new") });
    await cp(join(folder, "handed.ndjson"), join(copy, "bodies", "keys.ndjson"));
    const verified = await run("verify", copy, "--bodies-key", secret);
    expect([verified.code, verified.out]).toEqual([0, expect.stringContaining("(1 opened with your key)")]);
    const own = await run("verify", copy, "--bodies-key", join(folder, "keys", "bodies.key"));
    expect(own.out).toContain("0 opened with your key, 1 are not for it");
    await chmod(secret, 0o644);
    expect((await run("verify", copy, "--bodies-key", secret)).code).toBe(2);
    expect((await run("open-for", "--recipient", "nobody", ...words.slice(2))).code).toBe(2);
    // The key of all keys is never made anew in the place of a lost one.
    await rm(join(folder, "keys", "bodies.key"));
    const lost = await run("open-for", ...words);
    expect([lost.code, lost.err]).toEqual([
      1,
      expect.stringContaining("bodies.key is missing, and bodies are sealed under it"),
    ]);
  },
);

promise("transcript:erased", "from the command line, with a reason and never unasked", async () => {
  const here = await place();
  const { folder, run } = here;
  expect((await run("purge", "--session", session, "--why", "asked for")).code).toBe(2);
  expect((await run("purge", "--why", "asked for", "--yes")).code).toBe(2);
  expect(await bodiesOf(here)).toContain("1 bodies are there unchanged");
  const purged = await run("purge", "--session", session, "--why", "asked for", "--yes");
  expect([purged.code, purged.out]).toEqual([0, "1 keys are destroyed, and an entry names them.\n"]);
  expect(await bodiesOf(here, "--bodies-key", join(folder, "keys", "bodies.key"))).toBe(
    "ok: 1 bodies are there unchanged (0 opened with your key); 1 were purged, each by an entry.",
  );
  expect(await readFile(join(folder, "transcript", "bodies", "keys.ndjson"), "utf8")).toBe("");
});

promise(
  "transcript:reconciled",
  "without a state that can be written no entry tells of it, and that is said",
  async () => {
    const { folder, run } = await place();
    const log = join(folder, "audit.log");
    await writeFile(
      log,
      `${JSON.stringify({ kind: "Event", auditID: "4711", stage: "ResponseComplete", verb: "list", user: { username: "system:kube-scheduler" }, objectRef: { resource: "pods" }, responseStatus: { code: 200 }, requestReceivedTimestamp: "2020-01-01T00:00:00Z" })}\n`,
    );
    const compared = await run("reconcile", "--audit-log", log);
    expect([compared.code, compared.err]).toEqual([0, ""]);
    await writeFile(join(folder, "sallyport.yaml"), "version: 1\nnonsense: true\n");
    const unrecorded = await run("reconcile", "--audit-log", log);
    expect([unrecorded.code, unrecorded.err.split(":")[0]]).toEqual([0, "No entry tells of this comparison"]);
    expect((await run("reconcile", "--audit-log", join(folder, "none"))).code).toBe(1);
  },
);
