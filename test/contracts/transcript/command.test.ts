// `sallyport transcript` as a person uses it: what it prints, in text and JSON, and how it ends.

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { CommandFailed } from "../../../src/commands/io.ts";
import { transcriptCommand, type Io } from "../../../src/commands/transcript.ts";
import { promise } from "../../support/promise.ts";
import {
  approvedChange,
  callId,
  draft,
  openIn,
  plainRead,
  received,
  session,
  start,
  temporaryFolder,
} from "./support.ts";

interface Ran {
  readonly exit: number;
  readonly out: string;
  readonly says: string;
}

async function run(folder: string, words: readonly string[], colour = false): Promise<Ran> {
  let out = "";
  const io: Io = {
    env: { SALLYPORT_HOME: folder },
    out: (text) => void (out += text),
    err: (text) => void (out += text),
    colour,
    now: () => start + 60_000,
    cores: 2,
    shipped: "policies",
    version: "1.2.3",
  };
  const command = transcriptCommand(io, () => Promise.resolve("")).exitOverride();
  try {
    await command.parseAsync(words, { from: "user" });
    return { exit: 0, out, says: "" };
  } catch (thrown) {
    if (!(thrown instanceof CommandFailed)) throw thrown;
    return { exit: thrown.exitCode, out, says: thrown.message };
  }
}

async function recorded(): Promise<string> {
  const folder = await temporaryFolder();
  const transcript = await openIn(folder);
  await transcript.append([draft("gateway.stopped", null, { reason: "restart" })]);
  await transcript.append(plainRead(callId(1)));
  await transcript.append(approvedChange(callId(2), "apr_2", "g2"));
  await transcript.close();
  return folder;
}

promise("transcript:read", "list prints a line an entry, newest last", async () => {
  const folder = await recorded();
  const { exit, out } = await run(folder, ["list", "--limit", "13"]);
  expect([exit, out.split("\n")]).toEqual([
    0,
    [
      '     1  2026-03-01 10:00:00  call.received       objects_list {"name":"api","replicas":5}  (ada via coding-agent)',
      "     2  2026-03-01 10:00:00  call.decided        allow  objects_list  patch apps/deployments/scale prod/api  scale-production  (ada via coding-agent)",
      "     3  2026-03-01 10:00:00  call.settled        completed  objects_list  effect none  (ada via coding-agent)",
      '     4  2026-03-01 10:00:00  call.received       workloads_scale {"name":"api","replicas":5}  (ada via coding-agent)',
      "     5  2026-03-01 10:00:00  call.previewed      workloads_scale  ~ spec.replicas: 3 -> 5  (ada via coding-agent)",
      "     6  2026-03-01 10:00:00  call.decided        require-approval  workloads_scale  patch apps/deployments/scale prod/api  scale-production  (ada via coding-agent)",
      "     7  2026-03-01 10:00:00  approval.requested  apr_2  until 2026-03-01T10:15:00.000Z  (ada via coding-agent)",
      "     8  2026-03-01 10:00:00  approval.decided    apr_2  approve  by grace, slack, chat  fine  (ada via coding-agent)",
      "     9  2026-03-01 10:00:00  approval.spent      apr_2  (ada via coding-agent)",
      "    10  2026-03-01 10:00:00  call.decided        allow  workloads_scale  patch apps/deployments/scale prod/api  scale-production  (ada via coding-agent)",
      "    11  2026-03-01 10:00:00  grant.issued        system:serviceaccount:sallyport-sessions:run-g2  patch apps/deployments/scale prod/api  2026-03-01T10:10:00.000Z  (ada via coding-agent)",
      "    12  2026-03-01 10:00:00  call.settled        completed  workloads_scale  effect applied  (ada via coding-agent)",
      "    13  2026-03-01 10:00:00  grant.revoked       g2  (ada via coding-agent)",
      "",
    ],
  ]);
});

const indexes = ({ out }: Ran): unknown[] =>
  out
    .split("\n")
    .slice(0, -1)
    .map((line) => (JSON.parse(line) as { index: number }).index);

promise("transcript:read", "list and show find by number, call, approval and session, also as JSON", async () => {
  const folder = await recorded();
  const asked: readonly (readonly [words: readonly string[], indexes: readonly number[]])[] = [
    [
      ["list", "--json", "--limit", "2"],
      [12, 13],
    ],
    [["list", "--json", "--limit", "0"], []],
    [
      ["list", "--json", "--call", callId(1)],
      [1, 2, 3],
    ],
    [["list", "--json", "--session", session, "--limit", "1"], [13]],
    [["list", "--json", "--session", "ses_none"], []],
    [["show", "--json", "0"], [0]],
    [
      ["show", "--json", "2"],
      [1, 2, 3],
    ],
    [
      ["show", "--json", callId(1)],
      [1, 2, 3],
    ],
    [
      ["show", "--json", "apr_2"],
      [7, 8, 9, 10],
    ],
  ];
  for (const [words, found] of asked) expect([words, indexes(await run(folder, words))]).toEqual([words, found]);
  expect((await run(folder, ["list", "--session", "ses_none"])).out).toBe("No entries.\n");
  expect(await run(folder, ["show", "call_\u001b[2J"])).toEqual({
    exit: 1,
    out: "",
    says: "There is no entry about call_\\u{1b}[2J.",
  });
  const shown = (await run(folder, ["show", "3"])).out;
  expect(shown).toContain('        arguments  {"name":"api","replicas":5}\n');
  expect(shown).toContain("        effect     none\n");
});

promise("transcript:read", "nothing that an agent wrote can reach the terminal as a command", async () => {
  const folder = await temporaryFolder();
  const transcript = await openIn(folder);
  const hostile = "\u001b]0;owned\u0007\r\nALLOW \u202e evil\u2028\u0085\u200b";
  await transcript.append([received(callId(1), { tool: hostile, arguments: { [hostile]: hostile }, reason: hostile })]);
  await transcript.close();
  for (const words of [["list"], ["show", "0"]]) {
    const { out } = await run(folder, words);
    expect(out).toContain("owned");
    expect(out.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
  }
  expect((await run(folder, ["list"])).out.split("\n").length).toBe(2);
});

promise("transcript:read", "verify prints a line a verdict, and ends with 3 where one failed", async () => {
  const folder = await recorded();
  const sound = await run(folder, ["verify"]);
  expect([sound.exit, sound.out.split("\n").map((line) => line.slice(0, 25).trimEnd())]).toEqual([
    0,
    [
      "FORMAT        ok",
      "INTEGRITY     ok",
      "ORDER         ok",
      "EXTENT        not-checked",
      "TIME          ok",
      "BODIES        not-checked",
      "SEMANTICS     ok",
      "COMPLETENESS  not-checked",
      "14 entries in 1 sessions,",
      "",
    ],
  ]);
  const anchor = join(folder, "transcript", "checkpoint");
  const key = join(folder, "transcript", "log.vkey");
  const checked = await run(folder, ["verify", join(folder, "transcript"), "--anchor", anchor, "--key", key, "--json"]);
  const report = JSON.parse(checked.out) as { ok: boolean; verdicts: { question: string; verdict: string }[] };
  expect([checked.exit, report.ok, report.verdicts[3]]).toMatchObject([0, true, { question: "EXTENT", verdict: "ok" }]);

  const segment = join(folder, "transcript", "segments", "00000000.ndjson");
  await writeFile(segment, (await readFile(segment, "utf8")).replace("grace", "ada"));
  const broken = await run(folder, ["verify"], true);
  expect([broken.exit, broken.says]).toEqual([3, "The transcript does not verify."]);
  expect(broken.out).toContain("INTEGRITY     \u001b[31mfailed     \u001b[0m  These entries are not the ones");
  const asJson = await run(folder, ["verify", "--json"]);
  expect([asJson.exit, (JSON.parse(asJson.out) as { ok: boolean }).ok]).toEqual([3, false]);
});

promise("transcript:read", "where there is nothing to read, a sentence says so", async () => {
  const folder = await temporaryFolder();
  const says = `There is no transcript in ${folder}: SALLYPORT_HOME or the command line names the folder, and a gateway makes its record at its first start.`;
  for (const words of [["list"], ["show", "1"], ["verify"]])
    expect(await run(folder, words)).toEqual({ exit: 1, out: "", says });
  const absent = await run(await recorded(), ["verify", "--anchor", join(folder, "nothing")]);
  expect([absent.exit, absent.says]).toEqual([2, `${join(folder, "nothing")} can't be read (ENOENT).`]);
});
