// `sallyport policy` as a script sees it: what it prints and how it ends.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect } from "vitest";
import { policyCommand } from "../../../src/commands/policy.ts";
import { CommandFailed } from "../../../src/commands/io.ts";
import { bodyForbids } from "../../../src/execution/body-forbids.ts";
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
  const io = {
    shipped,
    env: { SALLYPORT_HOME: folder },
    now: () => Date.now(),
    out: (text: string) => void (out += text),
    err: (text: string) => void (out += text),
  };
  try {
    await policyCommand(io, () => Promise.resolve("")).parseAsync(argv, { from: "user" });
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
  const all = [...forbids, ...bodyForbids];
  for (const forbid of all)
    expect(text.out).toContain(`\n${forbid.id}\n  ${forbid.sentence.replace(/\.?$/, ".")}\n  ${forbid.reason}\n`);
  const json = await run("forbids", "--json");
  expect(JSON.parse(json.out)).toEqual(all.map(({ id, sentence, reason }) => ({ id, sentence, reason })));
});

promise("policy:explains", "a call that is given as JSON, as text and as JSON", async () => {
  const policy = await file(
    "explain.yaml",
    written([
      { id: "gold", effect: "allow", match: { kinds: ["pods"] }, when: 'object.labels.tier == "gold"' },
      { id: "nodes", effect: "deny", match: { kinds: ["nodes"], environments: ["prod"] } },
      { id: "odd", effect: "require-approval", match: {}, when: "now.hour > 20" },
    ]),
  );
  const asked = (labels: object, now?: string) => ({
    call: { tool: "objects_get", effect: "read", accesses: ["get pods shop/web"] },
    facts: { objects: { "shop/web": { labels } }, ...(now === undefined ? {} : { now }) },
  });
  const plain = await file("call.json", JSON.stringify(asked({ tier: "gold" }, "2026-01-01T10:00:00Z")));
  expect(await run("explain", plain, policy)).toEqual({
    out: `${[
      "decision: allow",
      "by: gold",
      "",
      "get pods shop/web",
      "  * gold (allow) matches: its expression is true",
      "    nodes (deny) does not match: kinds: pods",
      "    odd (require-approval) does not match: its expression is false",
    ].join("\n")}\n`,
    failed: "",
    exitCode: 0,
  });
  const open = await file("open.json", JSON.stringify(asked({})));
  const explained = JSON.parse((await run("explain", "--json", open, policy)).out) as {
    decision: object;
    accesses: object[];
  };
  expect(explained.decision).toMatchObject({ effect: "require-approval", rules: ["odd"], errors: ["gold", "odd"] });
  expect(explained.accesses).toMatchObject([
    {
      access: "get pods shop/web",
      rules: [
        { id: "gold", answer: "failed", counts: false, why: "its expression failed: field not found: tier" },
        { id: "nodes", answer: "does not match", counts: false },
        { id: "odd", answer: "failed", counts: true, why: "its expression failed: the time was not looked at" },
      ],
    },
  ]);
  const broken = await file("broken.json", '{"call": {"tool": "objects_get"}}');
  expect(await run("explain", broken, policy)).toMatchObject({
    exitCode: 2,
    failed: expect.stringContaining("call.effect"),
  });
});

promise("policy:command", "check: warnings are told, and --strict takes none; profiles go by name", async () => {
  const path = await file(
    "odd.yaml",
    `version: 1\nrules:\n- {id: a, effect: deny, match: {}, reason: x, when: 'object.labels.team == "x"'}\n`,
  );
  const told = await run("check", path);
  expect([told.exitCode, told.out.split("\n")[0]]).toEqual([
    0,
    `${path}:3:68: warning: object.labels.team may be missing: the expression then fails, and this deny rule matches. Ask has(object.labels.team) first.`,
  ]);
  expect((await run("check", "--strict", path)).exitCode).toBe(3);
  expect((await run("check", "--strict", "production")).exitCode).toBe(0);
});

promise("policy:simulates", "without a transcript there is nothing to simulate", async () => {
  expect(await run("simulate", "default")).toMatchObject({ out: "", exitCode: 1 });
});
