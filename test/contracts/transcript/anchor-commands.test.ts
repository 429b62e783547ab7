// `transcript anchor`, `anchors` and doctor's checks, on a state folder where no gateway runs.

import { execFile } from "node:child_process";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished } from "vitest";
import { anchorChecks } from "../../../src/commands/anchor-checks.ts";
import { configSchema } from "../../../src/config/schema.ts";
import { findNotes } from "../../../src/transcript/found-notes.ts";
import { promise } from "../../support/promise.ts";
import { runCommand } from "../../support/world.ts";
import { callId, entriesIn, openIn, plainRead } from "./support.ts";

const execute = promisify(execFile);

interface Place {
  readonly folder: string;
  readonly kept: string;
  readonly run: (
    ...words: readonly string[]
  ) => Promise<{ readonly code: number; readonly out: string; readonly err: string }>;
}

/** A state folder with one call, and a file anchor beside it. */
async function place(anchors = "[{ kind: file, name: vault, path: kept, every: 1h }]"): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), "sallyport-anchors-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await chmod(folder, 0o700);
  const transcript = await openIn(folder, { now: () => Date.now() - 60_000 });
  await transcript.append(plainRead(callId(1)));
  await transcript.close();
  await writeFile(join(folder, "sallyport.yaml"), `version: 1\ntranscript: { anchors: ${anchors} }\n`);
  const env = { SALLYPORT_HOME: folder, HOME: folder, PATH: process.env["PATH"] ?? "" };
  return { folder, kept: join(folder, "kept"), run: (...words) => runCommand(["transcript", ...words], env) };
}

promise(
  "anchor:commands",
  "anchor keeps what is new at once, anchors lists it, and a second time there is nothing new",
  async () => {
    const { folder, kept, run } = await place();
    const before = await run("anchors");
    expect([before.code, before.out]).toEqual([0, `vault  file ${kept}  nothing is kept yet; 3 are newer\n`]);
    const done = await run("anchor", "--json");
    expect([done.code, done.err, JSON.parse(done.out)]).toEqual([
      0,
      "",
      [
        {
          name: "vault",
          kind: "file",
          place: kept,
          last: { size: 3, at: expect.stringMatching(/^\d{4}-.*\.000Z$/) as string },
          behind: 0,
          trouble: null,
        },
      ],
    ]);
    const held = await readFile(kept, "utf8");
    expect(findNotes(held)).toHaveLength(1);
    expect((await run("anchors")).out).toMatch(/^vault {2}file \S+ {2}3 entries, .+ ago\n$/);
    expect((await run("anchor")).code).toBe(0);
    expect([await readFile(kept, "utf8"), (await entriesIn(folder)).length]).toEqual([held, 4]);
    const verified = await run("verify", "--anchor", kept);
    expect([verified.code, verified.out]).toEqual([0, expect.stringContaining("EXTENT        ok")]);
  },
);

promise(
  "anchor:commands",
  "an anchor that fails is told with its reason and exit code 1; none is told as none",
  async () => {
    const { run } = await place(
      "[{ kind: file, name: vault, path: none/kept }, { kind: file, name: other, path: kept }]",
    );
    const { code, out, err } = await run("anchor");
    expect([code, out.split("\n")[0], err]).toEqual([
      1,
      expect.stringMatching(/^vault {2}file \S+ {2}nothing is kept yet; \d+ are newer; FAILS: ENOENT/),
      expect.stringContaining("Nothing new is kept at vault."),
    ]);
    expect(out.split("\n")[1]).toMatch(/^other {2}file \S+ {2}\d+ entries/);
    const none = await place("[]");
    expect((await none.run("anchor")).out).toMatch(/^No anchor is configured/);
    expect((await none.run("anchors")).out).toMatch(/^No anchor is configured/);
  },
);

promise(
  "anchor:commands",
  "doctor: a hint where there is none, what is kept, what is overdue, out of reach or contradicts",
  async () => {
    const { folder, kept, run } = await place();
    const repository = join(folder, "repo.git");
    await execute("git", ["init", "-q", "--bare", repository]);
    const checks = async (anchors: readonly object[], later = 0) => {
      const config = configSchema.parse({ version: 1, transcript: { anchors } });
      const env = { PATH: process.env["PATH"] };
      return await anchorChecks({ now: () => Date.now() + later, env, version: "1.2.3" }, folder, config);
    };
    const vault = { kind: "file", name: "vault", path: kept };
    expect(await checks([])).toMatchObject([{ name: "anchors", result: "note" }]);
    expect(await checks([vault])).toMatchObject([
      { name: "anchor vault", result: "note", says: "nothing is kept there yet; 3 are newer, and it is overdue" },
    ]);
    expect((await run("anchor")).code).toBe(0);
    expect(await checks([vault], 100 * 3_600_000)).toMatchObject([
      { result: "ok", says: expect.stringMatching(/^keeps 3 entries of 100 h \d+ min ago$/) as string, next: "" },
    ]);
    const writer = await openIn(folder, { now: () => Date.now() });
    await writer.append(plainRead(callId(2)));
    await writer.close();
    expect(await checks([vault], 60_000)).toMatchObject([
      { result: "ok", says: expect.stringContaining("; 4 are newer") as string },
    ]);
    expect(await checks([vault], 3 * 3_600_000)).toMatchObject([
      { result: "note", says: expect.stringContaining("overdue") as string },
    ]);
    const found = await checks([
      { kind: "git", name: "repo", repository },
      { kind: "git", name: "gone", repository: join(folder, "none.git") },
      { kind: "syslog", name: "siem", address: "tcp://127.0.0.1:1" },
    ]);
    expect(found).toMatchObject([
      { name: "anchor repo", result: "note", says: "nothing is kept there yet; 7 are newer, and it is overdue" },
      { name: "anchor gone", result: "failed", says: expect.stringMatching(/^git rev-list ended with 128/) as string },
      { name: "anchor siem", result: "failed", says: expect.stringContaining("ECONNREFUSED") as string },
    ]);
    const held = await readFile(kept, "utf8");
    await writeFile(kept, held.replace("\n3\n", "\n2\n"));
    expect(await checks([vault])).toMatchObject([
      { result: "failed", says: `${kept} no longer holds the checkpoint of 3 entries that was kept there` },
    ]);
    await writeFile(kept, `${held}\n${held.replace("\n3\n", "\n2\n")}`);
    expect(await checks([vault])).toMatchObject([
      { result: "failed", says: `${kept} holds another checkpoint of 2 entries than these entries give` },
    ]);
  },
);
