// The command line itself: help, wrong words, exit codes, and the words that completion offers.

import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { words } from "../../src/commands/completion.ts";
import { nodeIsTooOld } from "../../src/commands/io.ts";
import { promise } from "../support/promise.ts";
import { runCommand } from "../support/world.ts";
import { main, runProgram } from "./place.ts";

const env = { PATH: process.env["PATH"] ?? "", SALLYPORT_HOME: join(tmpdir(), "sallyport-never-made") };

/** What a command's own help lists: its sub-commands, else the choices of its argument and its options. */
async function wordsOf(command: string): Promise<string[]> {
  const { out } = await runCommand([command, "--help"], env);
  const section = (title: string): string => new RegExp(`\\n${title}:\\n((?: .*\\n?)*)`).exec(out)?.[1] ?? "";
  const commands = [...section("Commands").matchAll(/^ {2}([a-z][a-z-]*)/gm)].map((match) => match[1] ?? "");
  if (commands.length > 0) return commands.filter((name) => name !== "help");
  const choices = [...section("Arguments").matchAll(/"([a-z]+)"/g)].map((match) => match[1] ?? "");
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
    ["enroll", 2, "error: required option '--namespace <names>' not specified"],
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
