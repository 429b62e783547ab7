// What evidence commands answer to what is easily typed wrong: another folder, a word that no entry has, a day that is none.

import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { openIn, temporaryFolder } from "../contracts/transcript/support.ts";
import { promise } from "../support/promise.ts";
import { runCommand } from "../support/world.ts";

/** A state folder with a record of its start alone, and the command line on it. */
async function place() {
  const folder = await temporaryFolder();
  await (await openIn(folder)).close();
  return { folder, run: runIn(folder) };
}

const runIn =
  (folder: string) =>
  async (...words: readonly string[]): Promise<readonly [number, string]> => {
    const { code, out, err } = await runCommand(words, { SALLYPORT_HOME: folder, HOME: folder });
    // What the parser of the command line refuses ends the program with 2 (src/main.ts), by whatever number it throws.
    return [err.startsWith("error: ") ? 2 : code, `${out}${err}`];
  };

const keeping: readonly (readonly string[])[] = [
  ["transcript", "hold", "place", "case-17", "--everything", "--reason", "incident of 3 March"],
  ["transcript", "hold", "release", "case-17", "--reason", "case closed"],
  ["transcript", "hold", "confirm", "case-17", "--reason", "as agreed"],
  ["transcript", "purge", "--due", "--why", "monthly", "--yes"],
  ["transcript", "rotate-key"],
];

promise(
  "transcript:no-record-by-mistake",
  "holds, purges and keys, in an empty folder and in the record's own",
  async () => {
    for (const words of keeping) {
      const { folder: home } = await place();
      for (const folder of [await temporaryFolder(), join(home, "transcript")]) {
        const before = await readdir(folder, { recursive: true });
        const [code, said] = await runIn(folder)(...words);
        expect([words, code, said]).toEqual([
          words,
          1,
          `There is no transcript in ${folder}: SALLYPORT_HOME or the command line names the folder, and a gateway makes its record at its first start.`,
        ]);
        expect([words, await readdir(folder, { recursive: true })]).toEqual([words, before]);
      }
    }
  },
);

promise("transcript:typed-wrong", "words that no entry can have", async () => {
  const { run } = await place();
  for (const [option, word, see] of [
    ["--decision", "denied", "allow, require-approval, deny"],
    ["--outcome", "ok", "completed, failed, refused, unknown"],
    ["--effect", "app", "none, applied, unknown"],
    ["--kind", "call.setled", "docs/entries.md"],
  ] as const) {
    const [code, said] = await run("transcript", "search", option, word);
    expect([option, code, said.includes(`No entry can have it; see ${see}.`)]).toEqual([option, 2, true]);
    const held = await run("transcript", "hold", "place", "case", option, word, "--reason", "incident");
    expect([option, held[0]]).toEqual([option, 2]);
  }
  for (const [option, word] of [
    ["--decision", "require*"],
    ["--kind", "gateway.*"],
    ["--kind", "*"],
  ] as const)
    expect([word, (await run("transcript", "search", option, word, "--count"))[0]]).toEqual([word, 0]);
});

promise("transcript:typed-wrong", "days that are none, and time that ends before it begins", async () => {
  const { run } = await place();
  for (const words of [
    ["transcript", "search", "--since", "2026-02-31"],
    ["transcript", "search", "--until", "2026-02-30T10:00:00Z"],
    ["transcript", "stats", "--since", "2026-02-29"],
    ["transcript", "purge", "--before", "2026-02-31", "--why", "monthly", "--yes"],
    ["policy", "simulate", "default", "--since", "2026-02-31"],
  ])
    expect([words, (await run(...words))[0]]).toEqual([words, 2]);
  expect((await run("transcript", "search", "--since", "2024-02-29", "--count"))[0]).toBe(0);
  const order = "--until is not after --since: nothing lies between them.";
  for (const words of [
    ["transcript", "search"],
    ["transcript", "stats"],
    ["approvals", "stats"],
    ["transcript", "export", "--format", "csv"],
  ])
    expect([words, await run(...words, "--since", "1d", "--until", "7d")]).toEqual([words, [2, order]]);
});

promise("transcript:typed-wrong", "a reason that is none", async () => {
  const { run } = await place();
  for (const words of [
    ["transcript", "purge", "--due", "--yes", "--why", "x"],
    ["transcript", "hold", "place", "case", "--everything", "--reason", "  x "],
    ["transcript", "hold", "release", "case", "--reason", "x".repeat(301)],
  ]) {
    const [code, said] = await run(...words);
    expect([words, code, said.includes("Give a reason of 3 to 300 characters: it goes on record.")]).toEqual([
      words,
      2,
      true,
    ]);
  }
});

promise("transcript:typed-wrong", "files that are not there, or are another kind", async () => {
  const { folder, run } = await place();
  const other = join(folder, "table.csv");
  await writeFile(other, "index,time\n");
  await mkdir(join(folder, "logs"));
  const none = join(folder, "none");
  const absent = `${none} can't be used: it is not there (ENOENT).`;
  const notKey = `${other} is no verifier key: --key takes a log.vkey.`;
  const period = ["--period", "2026-03-01/2026-04-01"];
  const told: readonly (readonly [readonly string[], number, string])[] = [
    [["transcript", "check-proof", none], 1, absent],
    [["transcript", "reconcile", "--audit-log", none], 1, absent],
    [["transcript", "auditor-key", other], 1, `${other} can't be used: it is there already (EEXIST).`],
    [["transcript", "verify", "--key", other], 2, notKey],
    [["evidence", "report", ...period, "--key", other], 2, notKey],
    [
      ["transcript", "reconcile", "--audit-log", join(folder, "logs")],
      2,
      `Nothing was compared: ${join(folder, "logs")} holds no audit event (0 lines in 0 files are none): name the API server's log, JSON lines, or a folder of its *.log files (--audit-log).`,
    ],
  ];
  for (const [words, code, says] of told) expect([words, await run(...words)]).toEqual([words, [code, says]]);
  expect((await run("transcript", "verify", other))[1]).toContain(`There is no transcript in ${other}: `);
});
