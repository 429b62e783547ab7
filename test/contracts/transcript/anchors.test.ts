// Checkpoints kept elsewhere: in a file, in a real git repository and with a syslog receiver; over faults, outages and forgeries.

import { execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { appendFile, chmod, mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { configSchema } from "../../../src/config/schema.ts";
import { startAnchoring, type Anchoring, type NamedAnchor } from "../../../src/transcript/anchoring.ts";
import type { Anchor } from "../../../src/transcript/anchors/contract.ts";
import { fileAnchor, gitAnchor, syslogAnchor, type GitPlace } from "../../../src/transcript/anchors/index.ts";
import { cosign, openCosigned } from "../../../src/transcript/cosignature.ts";
import { syslogDestination } from "../../../src/transcript/destinations.ts";
import { findNotes, findNotesIn, noteWord } from "../../../src/transcript/found-notes.ts";
import { checkpointText, parseVkey, signerFrom, signNote } from "../../../src/transcript/note.ts";
import type { Transcript } from "../../../src/transcript/record.ts";
import { promise } from "../../support/promise.ts";
import { callId, entriesIn, openIn, plainRead, quickDisk, start, temporaryFolder } from "./support.ts";

const execute = promisify(execFile);
const env = { PATH: process.env["PATH"], HOME: "/nonexistent" };

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 6000; tries++) {
    if (await holds()) return;
    await wait(10);
  }
  throw new Error("it never came to hold");
}

interface Run {
  readonly folder: string;
  readonly transcript: Transcript;
  /** Turned by hand. */
  readonly clock: { now: number };
  readonly write: (reads: number) => Promise<void>;
  readonly kinds: () => Promise<readonly string[]>;
}

async function opened(over: { readonly folder?: string; readonly checkpointEvery?: number } = {}): Promise<Run> {
  const folder = over.folder ?? (await temporaryFolder());
  const clock = { now: start };
  const every = over.checkpointEvery === undefined ? {} : { checkpointEvery: over.checkpointEvery };
  const transcript = await openIn(folder, { disk: quickDisk, now: () => clock.now, ...every });
  let calls = 0;
  return {
    folder,
    transcript,
    clock,
    async write(reads) {
      for (let read = 0; read < reads; read++) await transcript.append(plainRead(callId(++calls)));
    },
    kinds: async () => (await entriesIn(folder)).map((one) => String(one["kind"])),
  };
}

interface Anchors extends Anchoring {
  readonly said: readonly string[];
  readonly pauses: readonly number[];
}

function anchoring({ folder, transcript, clock }: Run, anchor: Anchor, about: Partial<NamedAnchor> = {}): Anchors {
  const said: string[] = [];
  const pauses: number[] = [];
  const running = startAnchoring({
    anchors: [{ name: "vault", every: 3_600_000, anchor, ...about }],
    transcript,
    folder,
    now: () => clock.now,
    pause: async (milliseconds, signal) => {
      pauses.push(milliseconds);
      await wait(2, undefined, { signal }).catch(() => undefined);
    },
    say: (sentence) => void said.push(sentence),
  });
  onTestFinished(() => running.stop(AbortSignal.timeout(30_000)));
  return { ...running, said, pauses };
}

const receiptsIn = async (folder: string): Promise<readonly { readonly [field: string]: unknown }[]> =>
  (await entriesIn(folder))
    .filter((one) => one["kind"] === "checkpoint.anchored")
    .map((one) => one["details"] as { readonly [field: string]: unknown });

/** Looks so often that anything which is due has been seen to. */
async function rounds(running: Anchors, count = 10): Promise<void> {
  const before = running.pauses.length;
  await until(() => running.pauses.length >= before + count);
}

promise("anchor:kept", "at once, then every hour while it grows, and at a clean stop", async () => {
  const run = await opened();
  const path = join(await temporaryFolder(), "kept");
  await run.write(2);
  const running = anchoring(run, fileAnchor(path));
  const sizes = async (): Promise<readonly unknown[]> => (await receiptsIn(run.folder)).map((one) => one["size"]);
  await until(async () => (await sizes()).length === 1);
  run.clock.now += 3_599_000;
  await run.write(1);
  await rounds(running);
  expect(await sizes()).toEqual([6]);
  run.clock.now += 1000;
  await until(async () => (await sizes()).length === 2);
  await run.write(1);
  await running.stop(AbortSignal.timeout(30_000));
  expect(await sizes()).toEqual([6, 10, 14]);

  const notes = findNotes(await readFile(path, "utf8"));
  const verifier = parseVkey(await readFile(join(run.folder, "transcript", "log.vkey"), "utf8"));
  if (verifier === null) throw new Error("no key");
  expect(notes.map(({ note }) => openCosigned(note, verifier))).toEqual([
    { head: { size: 6, root: expect.anything() as Uint8Array }, at: start },
    { head: { size: 10, root: expect.anything() as Uint8Array }, at: start + 3_600_000 },
    { head: { size: 14, root: expect.anything() as Uint8Array }, at: start + 3_600_000 },
  ]);
  const [receipt] = await receiptsIn(run.folder);
  expect(receipt).toEqual({
    anchor: "vault",
    destination: "file",
    place: path,
    size: 6,
    root: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
    at: "2026-03-01T10:00:00.000Z",
    receipt: { path, bytes: expect.any(Number) as number },
  });
  expect([running.said, (await stat(path)).mode & 0o777]).toEqual([[], 0o644]);
});

promise(
  "anchor:kept",
  "a restart goes on where the last receipt left off, and a moved anchor begins anew",
  async () => {
    const run = await opened();
    const [first, second] = [join(run.folder, "one"), join(run.folder, "two")];
    await run.write(1);
    const before = anchoring(run, fileAnchor(first));
    await until(() => before.standings()[0]?.last?.size === 3);
    await before.stop(AbortSignal.timeout(30_000));
    await run.transcript.close();
    const again = await opened({ folder: run.folder });
    again.clock.now += 60_000;
    await again.write(1);
    const running = anchoring(again, fileAnchor(first));
    await rounds(running);
    expect(running.standings()).toEqual([
      {
        name: "vault",
        kind: "file",
        place: first,
        every: 3_600_000,
        last: { size: 3, root: expect.any(String) as string, at: start, place: first },
        behind: 4,
        trouble: null,
      },
    ]);
    await running.stop(AbortSignal.timeout(30_000));
    const moved = anchoring(again, fileAnchor(second));
    await until(() => moved.standings()[0]?.behind === 0);
    expect(findNotes(await readFile(second, "utf8"))).toHaveLength(1);
  },
);

promise(
  "anchor:idle",
  "a gateway with nothing to do signs nothing and anchors nothing, whatever time passes",
  async () => {
    const run = await opened({ checkpointEvery: 5 });
    await run.write(2);
    const path = join(run.folder, "kept");
    const running = anchoring(run, fileAnchor(path), { every: 10_000 });
    await until(async () => (await receiptsIn(run.folder)).length === 1);
    const log = join(run.folder, "transcript", "checkpoints.log");
    const [signed, kept, kinds] = [await readFile(log, "utf8"), await readFile(path, "utf8"), await run.kinds()];
    for (let hour = 0; hour < 5; hour++) {
      run.clock.now += 3_600_000;
      await rounds(running);
    }
    await running.now();
    expect([await readFile(log, "utf8"), await readFile(path, "utf8"), await run.kinds()]).toEqual([
      signed,
      kept,
      kinds,
    ]);
    expect(running.standings()[0]).toMatchObject({ behind: 0, trouble: null });
    // A real entry ends the idleness, and the receipt comes under the next head with it.
    await run.write(1);
    await until(async () => (await receiptsIn(run.folder)).length === 2);
    expect((await receiptsIn(run.folder))[1]).toMatchObject({ size: 10 });
  },
);

promise(
  "anchor:contradicts",
  "more entries, another root or a missing last checkpoint: a fault, and the file stays",
  async () => {
    const run = await opened();
    await run.write(3);
    const path = join(run.folder, "kept");
    const first = anchoring(run, fileAnchor(path));
    await until(() => first.standings()[0]?.last !== null);
    await first.stop(AbortSignal.timeout(30_000));
    const sound = await readFile(path, "utf8");
    const secret = await readFile(join(run.folder, "keys", "transcript.key"), "utf8");
    const seed = Buffer.from(secret.trim().split("+").slice(4).join("+"), "base64").subarray(1);
    const signer = signerFrom(`sallyport.dev/${run.transcript.gateway}`, seed);
    const note = (size: number): string =>
      signNote(checkpointText(signer.name, { size, root: randomBytes(32) }), signer);
    const cases: readonly (readonly [held: string, why: string])[] = [
      [`${sound}\n${note(500)}`, "holds a checkpoint of 500 entries, and"],
      [`${sound}\n${note(9)}`, "holds another checkpoint of 9 entries than these entries give"],
      [`${sound}\n${note(11)}`, "holds another checkpoint of 11 entries than these entries give"],
      ["", "no longer holds the checkpoint of 9 entries that was kept there"],
      [note(4), "no longer holds the checkpoint of 9 entries that was kept there"],
    ];
    for (const [held, why] of cases) {
      await writeFile(path, held);
      await run.write(1);
      const running = anchoring(run, fileAnchor(path));
      await running.now();
      await running.now();
      expect([why, running.standings()[0]?.trouble]).toEqual([why, expect.stringContaining(why)]);
      await running.stop(AbortSignal.timeout(30_000));
      expect(await readFile(path, "utf8")).toBe(held);
      const alerts = (await entriesIn(run.folder)).filter((one) => one["kind"] === "alert.raised");
      expect(alerts.at(-1)?.["details"]).toEqual({
        alert: "an anchor contradicts the record",
        about: { anchor: "vault", destination: "file", place: path, why: expect.stringContaining(why) as string },
      });
      expect(running.said).toHaveLength(1);
    }
    expect((await run.kinds()).filter((kind) => kind === "alert.raised")).toHaveLength(cases.length);
    // Put back, it goes on; what other logs keep in the same file is theirs.
    const other = signerFrom("sallyport.dev/another", randomBytes(32));
    const theirs = signNote(checkpointText(other.name, { size: 9000, root: randomBytes(32) }), other);
    await writeFile(path, `${theirs}\n${sound}`);
    const running = anchoring(run, fileAnchor(path));
    expect(await running.now()).toMatchObject([{ behind: 0, trouble: null }]);
    expect((await readFile(path, "utf8")).startsWith(`${theirs}\n${sound}\n`)).toBe(true);
  },
);

/** Fails while there is a reason to, after it has kept where that is "late". */
function troubled(): { why: string; kept: number; anchor: Anchor } {
  const state: ReturnType<typeof troubled> = {
    why: "",
    kept: 0,
    anchor: {
      kind: "syslog",
      place: "tls://siem.example:6514",
      held: () => Promise.resolve(null),
      keep() {
        if (state.why !== "") return Promise.reject(new Error(state.why));
        state.kept++;
        return Promise.resolve({ sent: "now" });
      },
    },
  };
  return state;
}

promise(
  "anchor:fails",
  "over an outage it waits ever longer, raises one alert, and catches up with the newest",
  async () => {
    const run = await opened();
    const siem = troubled();
    siem.why = "connection refused";
    await run.write(1);
    const running = anchoring(run, siem.anchor);
    await until(() => running.pauses.filter((one) => one === 60_000).length > 2);
    expect(running.pauses.slice(0, 8)).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
    expect(running.standings()[0]).toMatchObject({ last: null, trouble: "connection refused" });
    // The record itself goes on meanwhile.
    await run.write(5);
    // What was under way when it was written knows nothing of it yet.
    await rounds(running);
    const alert = (kinds: readonly string[]): number => kinds.filter((kind) => kind === "alert.raised").length;
    expect([alert(await run.kinds()), siem.kept]).toEqual([1, 0]);
    siem.why = "";
    await until(() => running.standings()[0]?.behind === 0);
    const [receipt] = await receiptsIn(run.folder);
    expect(receipt).toMatchObject({ size: 19, destination: "syslog" });
    expect(running.said).toEqual([
      "The anchor vault keeps no checkpoint, and is tried again: an anchor fails: connection refused",
      "The anchor vault keeps checkpoints again.",
    ]);
    siem.why = "reset";
    run.clock.now += 3_600_000;
    await run.write(1);
    await until(() => running.standings()[0]?.trouble === "reset");
    await until(async () => alert(await run.kinds()) === 2);
  },
);

promise(
  "anchor:fails",
  "a file that can't be written, a full disk, a missing folder: nothing of it is lost or run together",
  async () => {
    const run = await opened();
    const folder = await temporaryFolder();
    const gone = anchoring(run, fileAnchor(join(folder, "none", "kept")));
    await run.write(1);
    await gone.now();
    expect(gone.standings()[0]?.trouble).toMatch(/^ENOENT/);
    await gone.stop(AbortSignal.timeout(30_000));

    const path = join(folder, "kept");
    let full = true;
    const anchor = fileAnchor(path, async (file, text) => {
      if (!full) return await file.appendFile(text);
      await file.appendFile(text.slice(0, 70));
      throw Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
    });
    const running = anchoring(run, anchor);
    await running.now();
    expect(running.standings()[0]?.trouble).toMatch(/^ENOSPC/);
    full = false;
    await until(() => running.standings()[0]?.behind === 0);
    const text = await readFile(path, "utf8");
    expect([text.startsWith("sallyport.dev/"), findNotes(text).length]).toEqual([true, 1]);
    await running.stop(AbortSignal.timeout(30_000));

    // A folder, a link to elsewhere, and (where the test is not root's) a file that may only be read.
    await mkdir(join(folder, "as-folder"));
    const folderAnchor = anchoring(run, fileAnchor(join(folder, "as-folder")));
    await run.write(1);
    await folderAnchor.now();
    expect(folderAnchor.standings()[0]?.trouble).toMatch(/^EISDIR/);
    await folderAnchor.stop(AbortSignal.timeout(30_000));
    if (process.getuid?.() === 0) return;
    await chmod(path, 0o444);
    const readOnly = anchoring(run, fileAnchor(path));
    await readOnly.now();
    expect(readOnly.standings()[0]?.trouble).toMatch(/^EACCES/);
  },
);

const hasGit = (process.env["PATH"] ?? "").split(":").some((folder) => existsSync(join(folder, "git")));

async function repository(): Promise<{ readonly path: string; readonly remote: string; readonly place: GitPlace }> {
  const folder = await temporaryFolder();
  const [path, remote] = [join(folder, "clone"), join(folder, "remote.git")];
  await execute("git", ["init", "-q", "--bare", remote], { env });
  await execute("git", ["init", "-q", path], { env });
  await execute("git", ["-C", path, "remote", "add", "origin", remote], { env });
  const author = { name: "Sallyport", email: "sallyport@shop.example" };
  return { path, remote, place: { repository: path, branch: "checkpoints", author, remote: "origin" } };
}

const gitIn = async (folder: string, ...words: readonly string[]): Promise<string> =>
  (await execute("git", ["-C", folder, ...words], { env })).stdout.trim();

if (!hasGit) test.skip("git anchors: git is missing on this machine", () => undefined);
else {
  promise("anchor:git", "each checkpoint is a commit on its branch, pushed, and the receipt names it", async () => {
    const run = await opened();
    const { path, remote, place } = await repository();
    await writeFile(join(path, "mine"), "a working tree of somebody's");
    await run.write(1);
    const running = anchoring(run, gitAnchor(place, env));
    await until(() => running.standings()[0]?.last?.size === 3);
    await run.write(1);
    run.clock.now += 3_600_000;
    await until(() => running.standings()[0]?.last?.size === 7);
    const commits = (await gitIn(remote, "log", "--format=%H", "checkpoints")).split("\n");
    const receipts = await receiptsIn(run.folder);
    expect(receipts.map((one) => one["receipt"])).toEqual(
      commits.toReversed().map((commit) => ({
        repository: path,
        commit,
        ref: "refs/heads/checkpoints",
        remote: "origin",
      })),
    );
    expect(await gitIn(remote, "log", "-1", "--format=%an %ae %ct %s", "checkpoints")).toBe(
      `Sallyport sallyport@shop.example ${(start + 3_600_000) / 1000} Checkpoint of 7 entries of sallyport.dev/${run.transcript.gateway}`,
    );
    const note = await gitIn(remote, "show", `checkpoints:checkpoints/${run.transcript.gateway}`);
    expect(findNotes(`${note}\n`)).toHaveLength(1);
    expect(await gitIn(path, "status", "--porcelain")).toBe("?? mine");
  });

  promise("anchor:git", "a push that fails is tried again without another commit; nothing is forced", async () => {
    const run = await opened();
    const { path, remote, place } = await repository();
    const away = `${remote}.away`;
    await execute("mv", [remote, away]);
    await run.write(1);
    const running = anchoring(run, gitAnchor(place, env));
    await until(() => running.standings()[0]?.trouble !== null);
    expect(running.standings()[0]?.trouble).toMatch(/^git push ended with 128: /);
    await rounds(running, 3);
    // Alerts are entries: the first commit may have come before the alert's.
    expect(Number(await gitIn(path, "rev-list", "--count", "checkpoints"))).toBeLessThan(3);
    await execute("mv", [away, remote]);
    await until(() => running.standings()[0]?.behind === 0);
    await running.stop(AbortSignal.timeout(30_000));
    // Somebody else's commit on the branch there.
    const stream = "commit refs/heads/checkpoints\ncommitter a <b@c> 1700000000 +0000\ndata 2\nhi\ndeleteall\n\ndone\n";
    const foreign = spawn("git", ["-C", remote, "fast-import", "--quiet", "--done", "--force"], { env });
    foreign.stdin.end(stream);
    await new Promise((done) => foreign.once("close", done));
    const there = await gitIn(remote, "rev-parse", "checkpoints");
    await run.write(1);
    const again = anchoring(run, gitAnchor(place, env));
    await again.now();
    expect(again.standings()[0]?.trouble).toMatch(/^git push ended with 1/);
    expect(await gitIn(remote, "rev-parse", "checkpoints")).toBe(there);
  });

  promise("anchor:git", "no program of the repository runs, and no question is asked", async () => {
    const run = await opened();
    const { path, remote, place } = await repository();
    const ran = join(path, "ran");
    const program = join(path, "program");
    await writeFile(program, `#!/bin/sh\necho "$0" >> ${ran}\n`);
    await chmod(program, 0o755);
    for (const hook of ["reference-transaction", "pre-push", "post-commit", "post-index-change"]) {
      await execute("cp", [program, join(path, ".git", "hooks", hook)]);
    }
    for (const [key, value] of [
      ["core.hooksPath", join(path, ".git", "hooks")],
      ["core.fsmonitor", program],
      ["core.askPass", program],
      ["core.pager", program],
      ["log.showSignature", "true"],
      ["commit.gpgSign", "true"],
      ["gpg.program", program],
    ] as const)
      await gitIn(path, "config", key, value);
    await run.write(1);
    const anchor = gitAnchor(place, env);
    const running = anchoring(run, anchor);
    await until(() => running.standings()[0]?.behind === 0);
    await running.stop(AbortSignal.timeout(30_000));
    expect([existsSync(ran), (await gitIn(remote, "log", "--oneline", "checkpoints")).split("\n").length]).toEqual([
      false,
      1,
    ]);
    // A remote that asks for a password gets none, and its address is told without what it holds of one.
    await gitIn(path, "remote", "set-url", "origin", "https://ada:s3cret@127.0.0.1:1/x.git");
    await run.write(1);
    const asked = anchoring(run, anchor);
    await asked.now();
    const trouble = asked.standings()[0]?.trouble ?? "";
    expect([trouble.startsWith("git push ended with 128"), trouble.includes("s3cret")]).toEqual([true, false]);
    expect((await entriesIn(run.folder)).some((one) => JSON.stringify(one).includes("s3cret"))).toBe(false);
  });

  promise(
    "anchor:git",
    "a git that is missing or hangs is a failed anchor, and a stop does not wait for it",
    async () => {
      const run = await opened();
      const { place } = await repository();
      const programs = await temporaryFolder();
      await run.write(1);
      const missing = anchoring(run, gitAnchor(place, { ...env, PATH: programs }));
      await missing.now();
      expect(missing.standings()[0]?.trouble).toMatch(/^git rev-list can't be run: there is no git on this machine/);
      await missing.stop(AbortSignal.timeout(30_000));

      // It leaves a child behind that keeps its outputs open.
      await writeFile(join(programs, "git"), "#!/bin/sh\n/bin/sleep 5 &\nexec /bin/sleep 5\n");
      await chmod(join(programs, "git"), 0o755);
      const hanging = anchoring(run, gitAnchor(place, { ...env, PATH: programs }, { here: 50, away: 50 }));
      await hanging.now();
      expect(hanging.standings()[0]?.trouble).toBe("git rev-list did not end within 0.05 s");
      await hanging.stop(AbortSignal.timeout(30_000));
      const stopped = anchoring(run, gitAnchor(place, { ...env, PATH: programs }));
      await stopped.stop(AbortSignal.timeout(1));
      await until(() => stopped.standings()[0]?.trouble === "git rev-list was stopped");
    },
  );
}

/** Keeps the messages of connections that were read to their end. */
async function receiver(): Promise<{
  readonly port: number;
  readonly got: string[];
  readonly close: () => Promise<void>;
}> {
  const got: string[] = [];
  const server = createServer((socket) => {
    const chunks: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => void chunks.push(chunk));
    socket.on("end", () => got.push(Buffer.concat(chunks).toString("utf8")));
    socket.on("error", () => undefined);
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const close = async (): Promise<void> => {
    await new Promise((done) => server.close(done));
  };
  onTestFinished(() => close());
  return { port: (server.address() as AddressInfo).port, got, close };
}

promise("anchor:kept", "a syslog receiver gets one message a checkpoint, in which it can be found again", async () => {
  const run = await opened();
  const { port, got } = await receiver();
  await run.write(1);
  const address = `tcp://127.0.0.1:${port}`;
  const destination = syslogDestination({ host: "127.0.0.1", port }, 5000);
  const running = anchoring(
    run,
    syslogAnchor({ address, destination, version: "1.2.3" }, () => run.clock.now),
  );
  await until(() => running.standings()[0]?.last?.size === 3);
  expect(got).toHaveLength(1);
  expect(got[0]).toMatch(
    /^\d{3} <110>1 2026-03-01T10:00:00\.000Z \S+ sallyport - checkpoint \[origin [^\]]+\] checkpoint of 3 entries of sallyport\.dev\/\S+ checkpoint=\S+$/,
  );
  expect(Buffer.byteLength(got[0] ?? "")).toBeLessThan(1024);
  const [found] = findNotes(got[0] ?? "");
  expect([found?.seen, found?.note.split("\n")[1]]).toEqual([start, "3"]);
  expect((await receiptsIn(run.folder))[0]?.["receipt"]).toEqual({ address, sent: "2026-03-01T10:00:00.000Z" });
});

const rsyslogd = ["/usr/sbin/rsyslogd", "/sbin/rsyslogd", "/usr/bin/rsyslogd"].find((path) => existsSync(path));
if (rsyslogd === undefined) test.skip("a real rsyslog daemon: rsyslogd is missing on this machine", () => undefined);
else
  promise(
    "anchor:kept",
    "a real rsyslog daemon writes it down as it writes everything down, over its own outage",
    async () => {
      const run = await opened();
      const folder = await temporaryFolder();
      const { port, close } = await receiver();
      await close();
      const out = join(folder, "syslog.out");
      const config = join(folder, "rsyslog.conf");
      await writeFile(
        config,
        `global(workDirectory="${folder}")\nmodule(load="imtcp")\nruleset(name="keep") { action(type="omfile" file="${out}" template="RSYSLOG_FileFormat") }\ninput(type="imtcp" port="${port}" address="127.0.0.1" ruleset="keep")\n`,
      );
      await run.write(1);
      const destination = syslogDestination({ host: "127.0.0.1", port }, 10_000);
      const address = `tcp://127.0.0.1:${port}`;
      const running = anchoring(
        run,
        syslogAnchor({ address, destination, version: "1" }, () => run.clock.now),
      );
      await until(() => running.standings()[0]?.trouble !== null);
      const daemon = spawn(rsyslogd, ["-n", "-f", config, "-i", join(folder, "pid")], { stdio: "ignore" });
      const gone = new Promise((done) => daemon.once("exit", done));
      onTestFinished(async () => {
        daemon.kill("SIGTERM");
        await gone;
      });
      await until(() => running.standings()[0]?.behind === 0);
      await until(async () => (await findNotesIn(out).catch(() => [])).length > 0);
      const [found] = await findNotesIn(out);
      expect([found?.seen, found?.note.split("\n")[0]]).toEqual([start, `sallyport.dev/${run.transcript.gateway}`]);
    },
  );

promise("anchor:cosigned", "as the specification has it: key id, time and message; any change is refused", () => {
  const signer = signerFrom("sallyport.dev/x", Buffer.alloc(32, 7));
  const note = signNote(checkpointText(signer.name, { size: 5, root: Buffer.alloc(32, 1) }), signer);
  const cosigned = cosign(note, signer, 1_679_315_147_999);
  expect(openCosigned(cosigned, signer)).toEqual({
    head: { size: 5, root: Buffer.alloc(32, 1) },
    at: 1_679_315_147_000,
  });
  expect(openCosigned(note, signer)).toMatchObject({ at: null });
  const line = cosigned.slice(note.length);
  const bytes = Buffer.from(line.trim().split(" ")[2] ?? "", "base64");
  expect([bytes.length, bytes.readBigUInt64BE(4)]).toEqual([76, 1_679_315_147n]);
  for (let at = 4; at < bytes.length; at++) {
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] ?? 0) ^ 1;
    expect(openCosigned(`${note}— ${signer.name} ${changed.toString("base64")}\n`, signer)).toBe(null);
  }
  // Another's line is not ours to judge.
  const witness = signerFrom("witness.example/w", Buffer.alloc(32, 9));
  expect(openCosigned(cosign(note, witness, 1000), signer)).toMatchObject({ at: null });
  // The signature of a cosignature is none of a checkpoint, nor the other way round.
  const key = Buffer.from(signer.hash, "hex");
  const moved = Buffer.concat([key, bytes.subarray(12)]).toString("base64");
  expect(openCosigned(`${note.slice(0, note.indexOf("\n\n") + 2)}— ${signer.name} ${moved}\n`, signer)).toBe(null);
});

promise("anchor:extent", "checkpoints are found in files of any length and whatever stands around them", async () => {
  const folder = await temporaryFolder();
  const path = join(folder, "log");
  const signer = signerFrom("sallyport.dev/x", randomBytes(32));
  const note = (size: number): string =>
    cosign(signNote(checkpointText(signer.name, { size, root: randomBytes(32) }), signer), signer, start);
  const notes = Array.from({ length: 40 }, (_, size) => note(size));
  for (const [index, one] of notes.entries()) {
    const noise = `${"x".repeat(70_000)}\nMar  1 a b: checkpoint=short\n`;
    const line = `2026-03-01T10:00:0${index % 10}+00:00 host sallyport ${noteWord(one)}\n`;
    await appendFile(path, `${noise}${index % 2 === 0 ? line : `\n${one}\n`}`);
  }
  const found = await findNotesIn(path);
  expect(found.map((one) => one.note).toSorted()).toEqual(expect.arrayContaining(notes.toSorted()));
  const times = found.filter((one) => one.note === notes[4]).map((one) => one.seen);
  expect(times).toEqual([start + 4000]);
});

promise("anchor:kept", "the configuration says where, how often and as whom, and nothing that it does not know", () => {
  const parsed = (anchors: readonly object[]) => configSchema.safeParse({ version: 1, transcript: { anchors } });
  const problems = (...anchors: readonly object[]): readonly string[] =>
    parsed(anchors).error?.issues.map((one) => `${one.path.slice(2).join(".")}: ${one.message}`) ?? [];
  const [file, git] = [
    { kind: "file", name: "vault", path: "x" },
    { kind: "git", name: "repo", repository: "y" },
  ];
  expect(parsed([file, { ...git, every: "10m", push: true }]).data?.transcript.anchors).toEqual([
    { ...file, every: 3600 },
    {
      ...git,
      every: 600,
      push: true,
      branch: "checkpoints",
      remote: "origin",
      author: { name: "Sallyport", email: "sallyport@localhost" },
    },
  ]);
  expect(problems(file, { ...git, name: "vault" })).toEqual(["1.name: vault stands twice"]);
  for (const wrong of [
    { ...file, every: "5s" },
    { ...file, every: "8d" },
    { ...file, every: "often" },
    { ...file, name: "a b" },
    { ...file, colour: 1 },
    { ...git, branch: "--force" },
    { ...git, branch: "a..b" },
    { ...git, remote: "-x" },
    { ...git, remote: "https://u:p@h/x" },
    { ...git, author: { name: "a <b>", email: "c@d" } },
    { ...git, author: { name: "a\nb", email: "c@d" } },
    { kind: "syslog", name: "s", address: "https://x:1" },
    { kind: "syslog", name: "s", address: "tcp://x:1", ca: "c" },
    { kind: "witness", name: "w" },
  ])
    expect([wrong, problems(wrong).length > 0]).toEqual([wrong, true]);
});
