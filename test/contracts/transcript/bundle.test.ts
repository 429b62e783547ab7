// Bundles as they are made and checked: through the command line, and by the one-file verifier in a place where nothing else is.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cp, mkdir, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { promise } from "../../support/promise.ts";
import { answersOf, bundled, failed, linesOf, oldestNode, other, place, saysOf, verified } from "./bundles.ts";
import { linesIn, openIn, session, temporaryFolder, plainRead, callId } from "./support.ts";

promise(
  "bundle:alone",
  "for a session with its bodies, by the one file and by the command, in JSON and text",
  async () => {
    const here = await place();
    const secret = join(here.beside, "auditor.secret");
    const recipient = (await here.run("auditor-key", secret)).out.trim();
    const bundle = await bundled(here, "--session", session, "--bodies", "all", "--recipient", recipient);
    const kept = join(here.beside, "log.vkey");
    await cp(join(here.folder, "transcript", "log.vkey"), kept);
    // Another place, and the record is gone.
    const alone = await temporaryFolder();
    await cp(bundle, join(alone, "bundle"), { recursive: true });
    for (const name of ["auditor.secret", "log.vkey"]) await cp(join(here.beside, name), join(alone, name));
    await rm(here.folder, { recursive: true });
    const run = (...words: readonly string[]) =>
      spawnSync(oldestNode(), [join(alone, "bundle", "verify.mjs"), ...words], {
        cwd: alone,
        encoding: "utf8",
        env: { PATH: "/usr/local/bin:/usr/bin:/bin", HOME: alone },
      });
    const words = ["bundle", "--key", "log.vkey", "--bodies-key", "auditor.secret"];
    const theirs = run(...words, "--json");
    const ours = await here.run("verify", join(alone, "bundle"), "--key", kept, "--bodies-key", secret, "--json");
    expect([theirs.status, theirs.stderr, JSON.parse(theirs.stdout)]).toEqual([ours.code, "", JSON.parse(ours.out)]);
    expect(answersOf(JSON.parse(ours.out))).toEqual({
      FORMAT: "ok",
      INTEGRITY: "ok",
      ORDER: "ok",
      EXTENT: "not-checked",
      TIME: "ok",
      BODIES: "ok",
      SEMANTICS: "ok",
      COMPLETENESS: "ok",
    });
    const text = run(...words);
    const ourText = await here.run("verify", join(alone, "bundle"), "--key", kept, "--bodies-key", secret);
    expect([text.status, text.stdout]).toEqual([0, ourText.out]);
    expect(text.stdout).toContain("2 bodies are there unchanged (2 opened with your key)");
    // Another log's key is not this one's; a wrong folder is no bundle.
    const elsewhere = await temporaryFolder();
    await (await openIn(elsewhere)).close();
    await cp(join(elsewhere, "transcript", "log.vkey"), join(alone, "other.vkey"));
    expect([run("bundle", "--key", "other.vkey").status, run("nothing").status]).toEqual([3, 1]);
  },
);

promise(
  "bundle:selection",
  "a session that has ended, one that has not, a period, everything, and a part",
  async () => {
    const here = await place();
    const ended = await verified(here, await bundled(here, "--session", session));
    expect([ended.code, saysOf(ended, "COMPLETENESS")]).toEqual([
      0,
      expect.stringContaining(`Session ${session} is here from its first entry to number 14, its end.`),
    ]);
    const going = await verified(here, await bundled(here, "--session", other));
    expect([going.code, answersOf(going)["COMPLETENESS"], saysOf(going, "COMPLETENESS")]).toEqual([
      0,
      "not-checked",
      expect.stringContaining("to number 3; it had not ended, and nothing here shows that no more followed"),
    ]);
    const everything = await bundled(here);
    const all = await verified(here, everything);
    const lines = await linesIn(here.folder);
    const head = await readFile(join(everything, "checkpoint"), "utf8");
    const size = Number(head.split("\n")[1]);
    expect([failed(all), answersOf(all)["COMPLETENESS"], all.entries]).toEqual([[], "ok", size]);
    expect(await linesOf(everything, "entries.ndjson")).toEqual(lines.slice(0, size));
    const times = lines.map((line) => (JSON.parse(line) as { ts: string }).ts);
    const period = await verified(here, await bundled(here, "--since", times[4] ?? "", "--until", times[9] ?? ""));
    expect([failed(period), answersOf(period)["COMPLETENESS"], saysOf(period, "COMPLETENESS")]).toEqual([
      [],
      "ok",
      expect.stringMatching(/^Every entry of the log from \d+ to \d+ is here/),
    ]);
    const part = await verified(here, await bundled(here, "--decision", "require-approval"));
    expect([part.code, part.entries, answersOf(part)]).toEqual([
      0,
      1,
      expect.objectContaining({ SEMANTICS: "not-checked", COMPLETENESS: "not-checked", BODIES: "not-checked" }),
    ]);
    const whole = await verified(here, await bundled(here, "--decision", "require-approval", "--whole-calls"));
    expect([whole.code, whole.entries, answersOf(whole)["SEMANTICS"]]).toEqual([0, 10, "ok"]);
    const none = await here.run("export", "--bundle", join(here.beside, "none"), "--tool", "none", "--why", "audit");
    expect([none.code, none.err]).toEqual([1, expect.stringContaining("no entry under a signed head answers")]);
  },
);

promise(
  "bundle:on-record",
  "the entry names query, count, reason and digest, and its proof is in the bundle",
  async () => {
    const here = await place();
    const before = await linesIn(here.folder);
    const bundle = await bundled(here, "--session", session);
    const manifest = await readFile(join(bundle, "manifest.json"));
    const told = (await linesIn(here.folder))
      .slice(before.length)
      .map((line) => JSON.parse(line) as { kind: string; details: object })
      .filter(({ kind }) => kind === "evidence.exported");
    expect(told).toEqual([
      expect.objectContaining({
        details: expect.objectContaining({
          what: "a bundle of entries",
          query: `--session ${session} --whole-calls`,
          count: 15,
          why: "audit of March",
          digest: createHash("sha256").update(manifest).digest("hex"),
        }) as unknown,
      }),
    ]);
    expect((await readdir(bundle)).sort()).toEqual([
      "README.md",
      "checkpoint",
      "entries.ndjson",
      "handed-out.consistency",
      "handed-out.tlog-proof",
      "log.vkey",
      "manifest.json",
      "policies",
      "proofs.txt",
      "trust.txt",
      "verify.mjs",
    ]);
    for (const name of await readdir(bundle)) expect((await stat(join(bundle, name))).mode & 0o077).toBe(0);
    const checked = await here.run("check-proof", join(bundle, "handed-out.tlog-proof"));
    expect([checked.code, checked.out]).toEqual([0, expect.stringContaining("evidence.exported")]);
    // Wrong usage leaves nothing behind, neither a folder nor an entry.
    const taken = join(here.beside, "taken");
    await mkdir(taken);
    const lines = (await linesIn(here.folder)).length;
    for (const [code, ...words] of [
      [2, "--bundle", taken, "--why", "audit"],
      [2, "--bundle", join(here.beside, "x")],
      [2, "--bundle", join(here.beside, "x"), "--why", "audit", "--format", "csv"],
      [2, "--bundle", join(here.beside, "x"), "--why", "audit", "--bodies", "all"],
      [2, "--bundle", join(here.beside, "x"), "--why", "audit", "--bodies", "output", "--recipient", "someone"],
      [2, "--bundle", join(here.beside, "none", "x"), "--why", "audit"],
      [2],
    ] as const)
      expect([words, (await here.run("export", ...words)).code]).toEqual([words, code]);
    expect([(await linesIn(here.folder)).length, (await readdir(here.beside)).sort()]).toEqual([
      lines,
      expect.not.arrayContaining(["x", ".x.part"]) as unknown,
    ]);
  },
);

promise("bundle:on-record", "nothing is handed out where the record can't tell of it", async () => {
  const here = await place();
  // A configuration that can't be read: no command may write the record.
  await writeFile(join(here.folder, "sallyport.yaml"), "nonsense: [", { mode: 0o600 });
  const out = join(here.beside, "bundle");
  const made = await here.run("export", "--bundle", out, "--why", "audit of March");
  expect([made.code, made.err]).toEqual([1, expect.stringContaining("Nothing was handed out")]);
  expect((await readdir(here.beside)).sort()).toEqual(["dist", "state"]);
});

promise("bundle:keys", "over rotations of the key, with each key and each head that was kept", async () => {
  const here = await place();
  const [keys, anchors]: [string[], string[]] = [[], []];
  const keep = async (): Promise<void> => {
    const number = keys.length;
    for (const [name, list] of [
      ["log.vkey", keys],
      ["checkpoint", anchors],
    ] as const) {
      const path = join(here.beside, `${name}.${number}`);
      await cp(join(here.folder, "transcript", name), path);
      list.push(path);
    }
  };
  await keep();
  for (let number = 0; number < 2; number++) {
    const rotated = await here.run("rotate-key");
    if (rotated.code !== 0) throw new Error(rotated.err);
    const transcript = await openIn(here.folder, { now: () => Date.now() });
    await transcript.append(plainRead(callId(20 + number)));
    await transcript.close();
    await keep();
  }
  const [first = "", second = ""] = anchors;
  const bundle = await bundled(here, "--session", session, "--anchor", first, "--anchor", second);
  expect((await readdir(join(bundle, "rotations"))).sort()).toEqual(["0001.tlog-proof", "0002.tlog-proof"]);
  for (const key of keys)
    for (const anchor of [first, second]) {
      const report = await verified(here, bundle, "--key", key, "--anchor", anchor);
      expect([failed(report), answersOf(report)["EXTENT"]]).toEqual([[], "ok"]);
      expect(saysOf(report, "INTEGRITY")).toContain("after 2 rotations of the key");
    }
  // Without the head of the anchor nothing connects the two; without the rotations an old key says nothing.
  const bare = await bundled(here, "--session", session);
  expect(answersOf(await verified(here, bare, "--anchor", first))["EXTENT"]).toBe("not-checked");
  await rm(join(bare, "rotations"), { recursive: true });
  expect(failed(await verified(here, bare, "--key", keys[0] ?? ""))).toEqual(["INTEGRITY", "EXTENT"].slice(0, 1));
});
