// `sallyport policy`: check policy files, run their examples, and show what is forbidden to all of them.

import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { Command } from "commander";
import { tools } from "../../tools/index.ts";
import { forbids } from "../policy/forbid.ts";
import { loadPolicy, type PolicyFile } from "../policy/load.ts";
import type { Policy } from "../policy/policy.ts";
import { CommandFailed, type Io } from "./io.ts";

/** What the command needs of the outside. */
type Outside = Pick<Io, "out" | "err" | "shipped">;

interface Flags {
  readonly json?: boolean;
}

/** The command with its sub-commands. Throws `CommandFailed`: 2 where a file can't be read, 3 where one has a problem. */
export function policyCommand(io: Outside): Command {
  const policy = new Command("policy")
    .description("check access policies and see what is forbidden to all of them")
    .configureOutput({ writeOut: io.out, writeErr: io.err })
    .exitOverride();
  const files = "policy files or folders of them; without any, the policy that ships with Sallyport";
  policy
    .command("check")
    .description("load policy files and run their examples: problems by line and column, exit code 3")
    .argument("[files...]", files)
    .option("--json", "print the result as JSON")
    .action(async (paths: string[], flags: Flags) => check(io, await read(io, paths), flags));
  policy
    .command("test")
    .description("run the examples of policy files, and name the rules that none exercises")
    .argument("[files...]", files)
    .option("--json", "print the result as JSON")
    .action(async (paths: string[], flags: Flags) => test(io, await read(io, paths), flags));
  policy
    .command("forbids")
    .description("list what no rule and no approval can allow")
    .option("--json", "print the list as JSON")
    .action((flags: Flags) => listForbids(io, flags));
  return policy;
}

async function read(io: Outside, paths: readonly string[]): Promise<readonly PolicyFile[]> {
  try {
    const named = await Promise.all((paths.length === 0 ? [join(io.shipped, "access")] : paths).map(filesAt));
    return await Promise.all(named.flat().map(async (path) => ({ path, text: await readFile(path, "utf8") })));
  } catch (thrown) {
    const { path = "", code = "unknown" } = thrown as NodeJS.ErrnoException;
    throw new CommandFailed(`The policy file ${path} can't be read (${code}).`, 2);
  }
}

/** A folder stands for its YAML files in the order of their names. */
async function filesAt(path: string): Promise<string[]> {
  if (!(await stat(path)).isDirectory()) return [path];
  const names = (await readdir(path)).filter((name) => /\.ya?ml$/.test(name)).sort();
  return names.map((name) => join(path, name));
}

/** The loaded policy; where there is none, its problems are printed and the command ends. */
function load(io: Outside, files: readonly PolicyFile[], flags: Flags): Policy {
  const loaded = loadPolicy(
    files,
    tools.map((tool) => tool.name),
  );
  if (loaded.kind === "loaded") return loaded.policy;
  const { problems } = loaded;
  if (flags.json === true) io.out(`${JSON.stringify({ problems }, null, 2)}\n`);
  else for (const { path, line, column, sentence } of problems) io.out(`${path}:${line}:${column}: ${sentence}\n`);
  throw new CommandFailed(`${counted(problems.length, "problem")}: this policy would not start the gateway.`, 3);
}

function check(io: Outside, files: readonly PolicyFile[], flags: Flags): void {
  const { digest, rules, examples } = load(io, files, flags);
  const counts = `${counted(files.length, "file")}, ${counted(rules.length, "rule")}, ${counted(examples, "example")}`;
  if (flags.json === true)
    io.out(`${JSON.stringify({ problems: [], rules: rules.length, examples, digest }, null, 2)}\n`);
  else io.out(`${counts}: no problems.\npolicy digest ${digest}\n`);
}

function test(io: Outside, files: readonly PolicyFile[], flags: Flags): void {
  const { examples, unexercised, rules } = load(io, files, flags);
  if (flags.json === true) {
    io.out(`${JSON.stringify({ examples, rules: rules.length, unexercised }, null, 2)}\n`);
    return;
  }
  const exercised = rules.length - unexercised.length;
  io.out(`${counted(examples, "example")} passed; ${exercised} of ${counted(rules.length, "rule")} exercised.\n`);
  for (const id of unexercised) io.out(`never exercised: ${id}\n`);
}

function listForbids(io: Outside, flags: Flags): void {
  if (flags.json === true) {
    const list = forbids.map(({ id, sentence, reason }) => ({ id, sentence, reason }));
    io.out(`${JSON.stringify(list, null, 2)}\n`);
    return;
  }
  io.out("No rule and no approval lifts these:\n");
  for (const { id, sentence, reason } of forbids) io.out(`\n${id}\n  ${sentence}\n  ${reason}\n`);
}

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;
