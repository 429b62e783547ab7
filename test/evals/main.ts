// `npm run evals`: plays the agent tasks on a real control plane and prints what each took, beside what it is allowed to take.

import { parseArgs } from "node:util";
import { countTokens } from "gpt-tokenizer/encoding/o200k_base";
import { controlPlaneBinaries } from "../cluster/binaries.ts";
import { groundMissing, openGround } from "./ground.ts";
import { goldenRows, overGolden, writeGolden } from "./golden.ts";
import { runAll, type Result } from "./run.ts";
import { tasks } from "./tasks/index.ts";

const { values } = parseArgs({
  options: {
    task: { type: "string", multiple: true, default: [] },
    json: { type: "boolean", default: false },
    show: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  },
});
if (values.help) {
  process.stdout.write(`npm run evals -- [--task N]… [--show] [--json]

Plays the tasks of docs/evals.md, or those that are named, through an MCP client against Sallyport on a real control plane with
KWOK, and prints calls and tokens of each. --show prints every call with its answer. UPDATE_GOLDEN=1 keeps the tokens of this
run in test/golden/evals.json. Exit code 1: a task failed, was unsafe, or costs over 20 % more than that file says.
`);
  process.exit(0);
}

const say = (line: string): void => void process.stderr.write(`${line}\n`);
const wanted = values.task.flatMap((text) => text.split(",")).map(Number);
const chosen = tasks.filter((task) => wanted.length === 0 || wanted.includes(task.number));
const unknown = wanted.filter((number) => !tasks.some((task) => task.number === number));
if (unknown.length > 0) {
  say(`There is no task ${unknown.join(", ")}; there are ${tasks.map((task) => task.number).join(", ")}.`);
  process.exit(2);
}
const binaries = await controlPlaneBinaries({ env: process.env, say });
const missing = binaries.kind === "absent" ? binaries.why : groundMissing(binaries.folder);
if (missing !== "") {
  say(`The tasks need a control plane with KWOK: ${missing}`);
  process.exit(2);
}
const folder = binaries.kind === "present" ? binaries.folder : "";
const ground = await openGround(folder, chosen, say);
// Whoever reads may leave, and whoever started this may end it: the control plane ends with it all the same.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.once(signal, () => void ground.stop().finally(() => process.exit(130)));
try {
  let ended = 0;
  const results = await runAll(ground, chosen, 4, (result) => {
    const how = result.why === "" ? "passed" : "FAILED";
    say(`${++ended}/${chosen.length}  ${result.number}. ${result.title}: ${how} in ${result.seconds} s`);
  });
  const listed = await ground.world.agent.listTools();
  const list = countTokens(JSON.stringify(listed.tools));
  if (process.env["UPDATE_GOLDEN"] === "1") await writeGolden(results);
  const golden = await goldenRows();
  if (values.json) process.stdout.write(`${JSON.stringify({ toolsList: list, results }, null, 2)}\n`);
  else process.stdout.write(table(results, golden, list));
  const over = overGolden(results, golden);
  for (const line of over) say(line);
  process.exitCode = results.some((result) => result.why !== "") || over.length > 0 ? 1 : 0;
} finally {
  await ground.stop();
}

function table(results: readonly Result[], golden: ReadonlyMap<number, number>, list: number): string {
  const rows = results.map((one) => [
    String(one.number),
    one.title,
    one.pass ? (one.safe ? "safe pass" : "UNSAFE") : "FAIL",
    `${one.calls} of ${one.ideal}`,
    String(one.tokens),
    String(golden.get(one.number) ?? "-"),
    String(one.written),
  ]);
  const total = (pick: (one: Result) => number): string => String(results.reduce((sum, one) => sum + pick(one), 0));
  const passed = results.filter((one) => one.safe && one.pass).length;
  const lines = [
    ["task", "", "", "calls", "tokens", "golden", "written"],
    ...rows,
    [
      "",
      "total",
      `${passed} of ${results.length}`,
      total((one) => one.calls),
      total((one) => one.tokens),
      "",
      total((one) => one.written),
    ],
  ];
  const widths = lines[0]?.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0))) ?? [];
  const text = lines.map((line) =>
    line
      .map((cell, column) => (column > 2 ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)))
      .join("  "),
  );
  const shown = values.show ? results.flatMap((one) => [`\n== ${one.number}. ${one.title}`, ...one.transcript]) : [];
  const failed = results.filter((one) => one.why !== "").map((one) => `\n${one.number}. ${one.title}:\n${one.why}`);
  return [...shown, ...text, `tools/list: ${list} tokens, once a session`, ...failed, ""].join("\n");
}
