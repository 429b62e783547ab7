// The command line itself: help, wrong words, exit codes, and the words that completion offers.

import { execFile, spawn, type ChildProcessByStdio } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { expect } from "vitest";
import { subWords, words } from "../../src/commands/completion.ts";
import { nodeIsTooOld } from "../../src/commands/io.ts";
import { promise } from "../support/promise.ts";
import { runCommand } from "../support/world.ts";
import { main, runProgram } from "./place.ts";

const noSpan =
  "error: option '--since <time>' argument '2026-99-99' is invalid. Give a span such as 12h or 7d, or a date such as 2026-01-31.";
const env = { PATH: process.env["PATH"] ?? "", SALLYPORT_HOME: join(tmpdir(), "sallyport-never-made") };

/** What a command's own help lists: its sub-commands, else the choices of its argument and its options. */
async function wordsOf(command: string): Promise<string[]> {
  const { out } = await runCommand([...command.split(" "), "--help"], env);
  const section = (title: string): string => new RegExp(`\\n${title}:\\n((?: .*\\n?)*)`).exec(out)?.[1] ?? "";
  const commands = [...section("Commands").matchAll(/^ {2}([a-z][a-z-]*)/gm)].map((match) => match[1] ?? "");
  if (commands.length > 0) return commands.filter((name) => name !== "help");
  const choices = [...section("Arguments").matchAll(/"([a-z][a-z-]*)"/g)].map((match) => match[1] ?? "");
  const options = [...section("Options").matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm)].map((match) => match[1] ?? "");
  return [...choices, ...options.filter((name) => name !== "--help")];
}

async function commandsOf(): Promise<string[]> {
  const { out } = await runCommand(["--help"], env);
  const listed = /\nCommands:\n((?: .*\n?)*)/.exec(out)?.[1] ?? "";
  return [...listed.matchAll(/^ {2}([a-z]+)/gm)].map((match) => match[1] ?? "").filter((name) => name !== "help");
}

promise("commands:completion", "every command of the help, and every word of each command's own help", async () => {
  expect(Object.keys(words).toSorted()).toEqual((await commandsOf()).toSorted());
  for (const [command, after] of Object.entries(words))
    expect([command, ...after.toSorted()]).toEqual([command, ...(await wordsOf(command)).toSorted()]);
});

promise("commands:completion", "every sub-command with its options", async () => {
  const groups = Object.entries(words).filter(([command]) => !["serve", "completion"].includes(command));
  const named = groups.flatMap(([command, after]) =>
    after.filter((word) => !word.startsWith("--")).map((word) => `${command} ${word}`),
  );
  expect(Object.keys(subWords).toSorted()).toEqual(named.toSorted());
  for (const [command, after] of Object.entries(subWords))
    expect([command, ...after.toSorted()]).toEqual([command, ...(await wordsOf(command)).toSorted()]);
});

promise("commands:completion", "as bash offers them, at each place of a line", async () => {
  const script = join(await mkdtemp(join(tmpdir(), "sallyport-completion-")), "completion.bash");
  await writeFile(script, (await runCommand(["completion", "bash"], env)).out);
  const offered = (...typed: readonly string[]): Promise<string> =>
    new Promise((resolve, reject) => {
      const run = `source "$1"; COMP_WORDS=("\${@:2}"); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _sallyport; echo "\${COMPREPLY[*]}"`;
      execFile("bash", ["-c", run, "bash", script, "sallyport", ...typed], (failed, out) =>
        failed === null ? resolve(out.trim()) : reject(failed),
      );
    });
  try {
    expect([
      await offered("en"),
      await offered("approvals", "a"),
      await offered("approvals", "reject", "b4d9850c", "--t"),
      await offered("enroll", "--context", "prod", "--no"),
      await offered("help", "pol"),
      await offered("policy", "check", "policies/mine"),
    ]).toEqual(["enroll", "approve", "--tell-agent", "--nodes", "policy", ""]);
  } finally {
    await rm(dirname(script), { recursive: true, force: true });
  }
});

promise("commands:completion", "the three scripts hold every word, and an unknown shell is refused", async () => {
  for (const shell of ["bash", "zsh", "fish"]) {
    const { code, out } = await runCommand(["completion", shell], env);
    const missing = Object.entries(words)
      .flat(2)
      .filter((word) => !out.includes(word));
    expect({ shell, code, missing }).toEqual({ shell, code: 0, missing: [] });
  }
  expect((await runCommand(["completion", "tcsh"], env)).code).not.toBe(0);
});

promise("commands:usage", "each wrong line as a child process: its exit code and its sentence", async () => {
  const wrong: readonly (readonly [string, number, string])[] = [
    ["doctr", 2, 'There is no command "doctr". Did you mean doctor? sallyport --help lists them.'],
    ["qqqqqq", 2, 'There is no command "qqqqqq". sallyport --help lists them.'],
    ["serve there", 2, 'There is no command "there". sallyport --help lists them.'],
    ["policy chek", 2, "error: unknown command 'chek'\n(Did you mean check?)"],
    ["doctor --jsn", 2, "error: unknown option '--jsn'\n(Did you mean --json?)"],
    ["transcript show", 2, "error: missing required argument 'id'"],
    ["enroll", 2, "--namespace needs at least one name."],
    ["enroll --namespace ../shop --print", 2, '"../shop" is not a namespace\'s name.'],
    ["help enrol", 2, 'There is no command "enrol". Did you mean enroll? sallyport --help lists them.'],
    ["policy simulate --since 2026-99-99", 2, noSpan],
    ["serve --port many", 2, "--port takes a number from 0 to 65535."],
    ["policy check /nonexistent.yaml", 2, "The policy file /nonexistent.yaml can't be read (ENOENT)."],
  ];
  const given = await Promise.all(
    wrong.map(async ([line]) => {
      const { code, out, err } = await runProgram([main, ...line.split(" ")], env);
      return [line, code, `${out}${err}`.trimEnd()];
    }),
  );
  expect(given).toEqual(wrong);
});

promise("commands:usage", "help of a command is the same in both orders", async () => {
  for (const line of [["doctor"], ["approvals", "approve"]]) {
    const [before, after] = [await runCommand(["help", ...line], env), await runCommand([...line, "--help"], env)];
    expect([before.code, before.out]).toEqual([after.code, after.out]);
    expect(before.out).toContain(`Usage: sallyport ${line.join(" ")} [options]`);
  }
});

promise("commands:left", "whoever reads the output may leave first, as `| head -1` does", async () => {
  const leaving = [["--help"], ["enroll", "--namespace", "shop", "--print"]].map(async (line) => {
    const child = spawn(process.execPath, [main, ...line], { env, stdio: ["ignore", "pipe", "pipe"] });
    child.stdout.destroy();
    return [line, await endOf(child)];
  });
  for (const [line, end] of await Promise.all(leaving)) expect([line, end]).toEqual([line, { code: 0, err: "" }]);
});

promise("commands:left", "Ctrl-C ends a command that waits for its input", async () => {
  const child = spawn(process.execPath, [main, "mask"], { env, stdio: ["pipe", "pipe", "pipe"] });
  const ended = endOf(child);
  // More than a pipe holds: once it is all taken, the command reads.
  await new Promise<void>((resolve) => child.stdin.write("x\n".repeat(200_000), () => resolve()));
  child.kill("SIGINT");
  expect(await ended).toEqual({ code: 130, err: "" });
});

async function endOf(child: ChildProcessByStdio<Writable | null, Readable, Readable>) {
  let err = "";
  child.stderr.on("data", (chunk: Buffer) => (err += chunk.toString()));
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, err };
}

promise("commands:usage", "help and version are no failure and go to standard output", async () => {
  const [help, version, ofDoctor] = await Promise.all(
    [["--help"], ["--version"], ["doctor", "--help"]].map((line) => runProgram([main, ...line], env)),
  );
  expect([help?.code, help?.err, help?.out.split("\n")[0]]).toEqual([0, "", "Usage: sallyport [options] [command]"]);
  expect([version?.code, version?.err, version?.out]).toEqual([0, "", expect.stringMatching(/^\d+\.\d+\.\d+\n$/)]);
  expect([ofDoctor?.code, ofDoctor?.err, ofDoctor?.out.split("\n")[0]]).toEqual([
    0,
    "",
    "Usage: sallyport doctor [options]",
  ]);
});

promise(
  "commands:usage",
  "an older Node is told from a new one, and nothing of a newer Node is imported by name before that",
  async () => {
    const versions = ["18.20.0", "20.20.2", "22.18.9", "22.19.0", "23.0.0", "24.21.0"];
    expect(versions.filter(nodeIsTooOld)).toEqual(["18.20.0", "20.20.2", "22.18.9"]);
    const source = await readFile(join(import.meta.dirname, "..", "..", "src", "main.ts"), "utf8");
    expect(source).not.toMatch(/import \{[^}]*enableCompileCache/);
  },
);
