// `sallyport policy`: check policy files, run their examples, explain and simulate calls, and show what is forbidden to all of them.

import { readFile } from "node:fs/promises";
import { Command, InvalidArgumentError } from "commander";
import { tools } from "../../tools/index.ts";
import { bodyForbids } from "../execution/body-forbids.ts";
import { countsOf, explainText, simulationText, type SimulatedCall } from "../policy/describe.ts";
import { openExample } from "../policy/examples.ts";
import { explain } from "../policy/explain.ts";
import { forbids } from "../policy/forbid.ts";
import type { Known } from "../policy/known.ts";
import { loadPolicy, type PolicyFile, type Problem } from "../policy/load.ts";
import { recordedCall, simulate } from "../policy/recorded.ts";
import { readCalls } from "../transcript/calls.ts";
import { CommandFailed, stateFolder, type Io } from "./io.ts";
import type { OnRecord } from "./on-record.ts";
import { maskNames } from "./masking-files.ts";
import { policyPaths, readPolicies } from "./policy-files.ts";
import { readConfig } from "./setting.ts";
import { isDay } from "./times.ts";
import { askedText, reading, viewed } from "./transcript-text.ts";

/** What the command needs of the outside. */
type Outside = Pick<Io, "out" | "err" | "shipped" | "env" | "now">;

interface Flags {
  readonly json?: boolean;
}

const files = "policy files, folders of them, or a profile that ships: observe, default (without any), production";
const asJson = ["--json", "print the result as JSON"] as const;

/** The command with its sub-commands. Throws `CommandFailed`: 2 where a file can't be read, 3 where one has a problem. */
export function policyCommand(io: Outside, onRecord: OnRecord): Command {
  const policy = new Command("policy")
    .description("check, test, explain and try out access policies, and see what is forbidden to all of them")
    .configureOutput({ writeOut: io.out, writeErr: io.err })
    .exitOverride();
  policy
    .command("check")
    .description("load policy files and run their examples: problems by line and column, exit code 3")
    .argument("[files...]", files)
    .option("--strict", "end with exit code 3 for warnings too")
    .option(...asJson)
    .action(async (paths: string[], flags: Flags & { strict?: boolean }) => check(io, await read(io, paths), flags));
  policy
    .command("test")
    .description("run the examples of policy files, and name the rules that none exercises")
    .argument("[files...]", files)
    .option(...asJson)
    .action(async (paths: string[], flags: Flags) => test(io, await read(io, paths), flags));
  policy
    .command("explain")
    .description("every rule that was looked at for a call, why it counts or not, and the decision")
    .argument(
      "<call>",
      "the id of a recorded call, or a JSON file with `call`, `principal` and `facts` as examples have them",
    )
    .argument("[files...]", files)
    .option(...asJson)
    .action(async (call: string, paths: string[], flags: Flags) => explainCall(io, call, await read(io, paths), flags));
  policy
    .command("simulate")
    .description("decide the recorded calls again under a policy, and print what would change")
    .argument("[files...]", files)
    .option("--since <time>", "how far back: 12h, 7d, or a date such as 2026-01-31", sinceText, "7d")
    .option("--limit <n>", "most calls, counted from the newest", wholeNumber, 10_000)
    .option(...asJson)
    .action(async (paths: string[], flags: SimulateFlags) => simulateCalls(io, onRecord, await read(io, paths), flags));
  policy
    .command("forbids")
    .description("list what no rule and no approval can allow")
    .option("--json", "print the list as JSON")
    .action((flags: Flags) => listForbids(io, flags));
  return policy;
}

/** Policy files, and what the gateway of this state folder lets them name. */
interface Read {
  readonly files: readonly PolicyFile[];
  readonly known: Known;
}

async function read(io: Outside, paths: readonly string[]): Promise<Read> {
  const files = await readPolicies(await policyPaths(io, paths, "."));
  const { config } = await readConfig(io, undefined);
  return { files, known: { tools, masks: maskNames(config.masking), claims: config.claims } };
}

const line = ({ path, line, column, sentence }: Problem): string => `${path}:${line}:${column}: ${sentence}\n`;

/** The loaded policy; where there is none, its problems are printed and the command ends. */
function load(io: Outside, { files, known }: Read, flags: Flags) {
  const loaded = loadPolicy(files, known);
  if (loaded.kind === "loaded") return loaded;
  const { problems } = loaded;
  if (flags.json === true) io.out(`${JSON.stringify({ problems }, null, 2)}\n`);
  else for (const problem of problems) io.out(line(problem));
  throw new CommandFailed(`${counted(problems.length, "problem")}: this policy would not start the gateway.`, 3);
}

function check(io: Outside, read: Read, flags: Flags & { strict?: boolean }): void {
  const { policy, warnings: find } = load(io, read, flags);
  const { digest, rules, examples } = policy;
  const warnings = find();
  const counts = `${counted(read.files.length, "file")}, ${counted(rules.length, "rule")}, ${counted(examples, "example")}`;
  if (flags.json === true)
    io.out(`${JSON.stringify({ problems: [], warnings, rules: rules.length, examples, digest }, null, 2)}\n`);
  else {
    for (const warning of warnings) io.out(line({ ...warning, sentence: `warning: ${warning.sentence}` }));
    const found = warnings.length === 0 ? "" : `, ${counted(warnings.length, "warning")}`;
    io.out(`${counts}: no problems${found}.\npolicy digest ${digest}\n`);
  }
  if (flags.strict === true && warnings.length > 0)
    throw new CommandFailed(`${counted(warnings.length, "warning")}, and --strict takes none.`, 3);
}

function test(io: Outside, read: Read, flags: Flags): void {
  const { examples, unexercised, rules } = load(io, read, flags).policy;
  if (flags.json === true) {
    io.out(`${JSON.stringify({ examples, rules: rules.length, unexercised }, null, 2)}\n`);
    return;
  }
  const exercised = rules.length - unexercised.length;
  io.out(`${counted(examples, "example")} passed; ${exercised} of ${counted(rules.length, "rule")} exercised.\n`);
  for (const id of unexercised) io.out(`never exercised: ${id}\n`);
}

async function explainCall(io: Outside, call: string, read: Read, flags: Flags): Promise<void> {
  const { policy } = load(io, read, flags);
  const asked = call.startsWith("call_") ? await recorded(io, call) : await written(call);
  const explained = explain(policy, asked.call, asked.facts);
  if (flags.json === true) io.out(`${JSON.stringify({ ...explained, facts: asked.facts }, null, 2)}\n`);
  else io.out(explainText(explained));
}

/** The call as a file has it: an example without what it expects. */
async function written(path: string): Promise<ReturnType<typeof openExample> & { readonly kind: "opened" }> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, "utf8"));
  } catch (thrown) {
    const why =
      thrown instanceof SyntaxError ? "it is not JSON" : ((thrown as NodeJS.ErrnoException).code ?? "unknown");
    throw new CommandFailed(`The call ${path} can't be read (${why}).`, 2);
  }
  const opened = openExample(value);
  if (opened.kind === "refused") throw new CommandFailed(`The call ${path}: ${opened.sentence}`, 2);
  return opened;
}

async function recorded(io: Outside, id: string) {
  const [kept] = await reading(() => readCalls(stateFolder(io.env), 0, 1, { call: id }));
  if (kept === undefined) throw new CommandFailed(`There is no decided call ${id} on record.`);
  const found = recordedCall(kept);
  if (found === undefined) throw new CommandFailed(`The call ${id} was refused before any policy was asked.`);
  return found;
}

interface SimulateFlags extends Flags {
  readonly since: string;
  readonly limit: number;
}

async function simulateCalls(io: Outside, onRecord: OnRecord, read: Read, flags: SimulateFlags): Promise<void> {
  const { policy } = load(io, read, flags);
  const since = sinceTime(flags.since, io.now());
  const kept = await reading(() => readCalls(stateFolder(io.env), since, flags.limit));
  const query = askedText({ since, limit: flags.limit });
  await viewed(io, onRecord, { what: "policy simulate", query, count: kept.length });
  const calls = kept.flatMap((one): SimulatedCall[] => {
    const found = recordedCall(one);
    if (found === undefined) return [];
    const { tool, principal } = found.call;
    const who = principal.actors[0]?.subject ?? principal.subject;
    return [{ call: one.call, at: one.at, tool, who, result: simulate(policy, found) }];
  });
  if (flags.json === true) io.out(`${JSON.stringify({ ...countsOf(calls), calls }, null, 2)}\n`);
  else io.out(simulationText(calls));
}

const milliseconds: { readonly [unit: string]: number } = { m: 60_000, h: 3_600_000, d: 86_400_000 };

function sinceText(text: string): string {
  if (/^[1-9]\d{0,4}[mhd]$/.test(text)) return text;
  if (isDay(text)) return text;
  throw new InvalidArgumentError("Give a span such as 12h or 7d, or a date such as 2026-01-31.");
}

function sinceTime(text: string, now: number): number {
  const unit = milliseconds[text.slice(-1)];
  return unit === undefined ? Date.parse(text) : now - Number(text.slice(0, -1)) * unit;
}

function wholeNumber(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError("Give a whole number.");
  return Number(text);
}

function listForbids(io: Outside, flags: Flags): void {
  const all = [...forbids, ...bodyForbids];
  if (flags.json === true) {
    const list = all.map(({ id, sentence, reason }) => ({ id, sentence, reason }));
    io.out(`${JSON.stringify(list, null, 2)}\n`);
    return;
  }
  io.out("No rule and no approval lifts these:\n");
  for (const { id, sentence, reason } of all) io.out(`\n${id}\n  ${sentence.replace(/\.?$/, ".")}\n  ${reason}\n`);
}

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;
