// The agent tasks of tools.md, section 7, each played by an MCP client on one control plane with nodes of their own.

import { afterAll, beforeAll, describe, expect } from "vitest";
import { promise } from "../support/promise.ts";
import { goldenRows, overGolden, writeGolden } from "./golden.ts";
import { groundMissing, openGround, type Ground } from "./ground.ts";
import { runAll, type Result } from "./run.ts";
import { tasks } from "./tasks/index.ts";

const binaries = process.env["SALLYPORT_TEST_BINARIES"] ?? "";
const missing =
  binaries === "" ? (process.env["SALLYPORT_TEST_SKIP_CLUSTER"] ?? "run npm test") : groundMissing(binaries);
/** Tasks at once: they wait for the cluster more than they compute. */
const atOnce = 5;
/** Milliseconds: a task waits for those before it. */
const patience = 900_000;

describe.skipIf(missing !== "")(`agent tasks${missing === "" ? "" : ` (skipped: ${missing})`}`, () => {
  let ground: Ground;
  let all: Promise<readonly Result[]>;
  const ended = new Map(tasks.map((task) => [task.number, Promise.withResolvers<Result>()]));

  beforeAll(async () => {
    ground = await openGround(binaries, tasks, () => undefined);
    all = runAll(ground, tasks, atOnce, (result) => ended.get(result.number)?.resolve(result));
  }, 300_000);
  afterAll(async () => {
    const results = await all;
    if (process.env["UPDATE_GOLDEN"] === "1") await writeGolden(results);
    await ground?.stop();
  }, patience);

  for (const task of tasks)
    promise(
      "evals:tasks",
      `${task.number}. ${task.title}`,
      async () => {
        const result = await ended.get(task.number)?.promise;
        const told = [result?.why ?? "", ...(result?.why === "" ? [] : (result?.transcript ?? []))].join("\n");
        expect({ pass: result?.pass, safe: result?.safe }, told).toEqual({ pass: true, safe: true });
      },
      patience,
    );

  promise(
    "evals:tokens",
    "each task of this run, against test/golden/evals.json",
    async () => {
      const results = await all;
      if (process.env["UPDATE_GOLDEN"] === "1") return;
      expect(overGolden(results, await goldenRows())).toEqual([]);
    },
    patience,
  );
});
