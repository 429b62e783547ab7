// `sallyport policy` as a script sees it: what it prints and how it ends.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect } from "vitest";
import { policyCommand } from "../../../src/commands/policy.ts";
import { CommandFailed } from "../../../src/commands/io.ts";
import { forbids } from "../../../src/policy/forbid.ts";
import { promise } from "../../support/promise.ts";
import { allowEverything, written } from "./support.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "policy-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

async function run(...argv: string[]): Promise<{ out: string; failed: string; exitCode: number }> {
  let out = "";
  const shipped = fileURLToPath(new URL("../../../policies", import.meta.url));
  const io = { shipped, out: (text: string) => void (out += text), err: (text: string) => void (out += text) };
  try {
    await policyCommand(io).parseAsync(argv, { from: "user" });
    return { out, failed: "", exitCode: 0 };
  } catch (thrown) {
    if (thrown instanceof CommandFailed) return { out, failed: thrown.message, exitCode: thrown.exitCode };
    throw thrown;
  }
}

const file = async (name: string, text: string): Promise<string> => {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
};

promise("policy:command", "check: the shipped policy has no problem, a broken one has them by line", async () => {
  const shipped = await run("check");
  expect(shipped).toMatchObject({ failed: "", exitCode: 0 });
  expect(shipped.out).toMatch(/^1 file, \d+ rules, \d+ examples: no problems\.\npolicy digest [0-9a-f]{64}\n$/);
  const path = await file(
    "bad.yaml",
    "version: 1\nrules:\n- {id: a, effect: allow, match: {kind: [pods]}, reason: x}\n",
  );
  expect(await run("check", path)).toEqual({
    out: `${path}:3:34: Unknown key "kind" in \`match\`; did you mean kinds?\n`,
    failed: "1 problem: this policy would not start the gateway.",
    exitCode: 3,
  });
});

promise("policy:command", "check --json: the same for machines", async () => {
  const path = await file("worse.yaml", "version: 2\nrules: []\n");
  const { out, exitCode } = await run("check", "--json", path);
  expect([exitCode, JSON.parse(out)]).toEqual([
    3,
    { problems: [{ path, line: 1, column: 10, sentence: "`version` must be 1, the only version there is." }] },
  ]);
});

promise("policy:command", "a file that is not there is wrong usage", async () => {
  const path = join(folder, "missing.yaml");
  expect(await run("check", path)).toEqual({
    out: "",
    failed: `The policy file ${path} can't be read (ENOENT).`,
    exitCode: 2,
  });
});

promise("policy:command", "test: counts examples and names rules that none exercises", async () => {
  const example = { call: { tool: "t", effect: "read" }, expect: "allow" };
  const path = await file(
    "idle.yaml",
    written([
      { ...allowEverything, examples: [example] },
      { id: "idle", effect: "deny", match: { effects: ["destroy"] } },
    ]),
  );
  expect(await run("test", path)).toEqual({
    out: "1 example passed; 1 of 2 rules exercised.\nnever exercised: idle\n",
    failed: "",
    exitCode: 0,
  });
});

promise("policy:command", "forbids: every one with its reason, as text and as JSON", async () => {
  const text = await run("forbids");
  for (const forbid of forbids)
    expect(text.out).toContain(`\n${forbid.id}\n  ${forbid.sentence}\n  ${forbid.reason}\n`);
  const json = await run("forbids", "--json");
  expect(JSON.parse(json.out)).toEqual(forbids.map(({ id, sentence, reason }) => ({ id, sentence, reason })));
});
