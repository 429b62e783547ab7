// Calls that run on: how many of them one caller may have under way.

import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect } from "vitest";
import { openKeptCalls } from "../../src/approval/kept-calls.ts";
import type { CallRequest } from "../../src/domain/call.ts";
import { Faulted } from "../../src/domain/fault.ts";
import { idsFrom } from "../../src/domain/ids.ts";
import type { Outcome } from "../../src/domain/outcome.ts";
import type { Stages } from "../../src/pipeline.ts";
import { openLongCalls } from "../../src/wiring/long-calls.ts";
import { cutOff } from "../../src/wiring/results.ts";
import { promise } from "../support/promise.ts";

const random = (count: number): Uint8Array => randomBytes(count);
const ids = idsFrom(Date.now, random);
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sallyport-long-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

promise("calls:bounded", "a ninth one does not begin before another has ended, and another caller's does", async () => {
  const { ask, ending, long } = await opened();
  const first = [];
  for (let count = 0; count < 8; count++) first.push(await ask("agent"));
  expect(first).toEqual(Array.from({ length: 8 }, () => "running"));
  expect([await ask("agent"), await ask("other")]).toEqual(["limit_exceeded", "running"]);
  ending[0]?.();
  await expect.poll(() => long.list().length, { timeout: 60_000 }).toBe(8);
  expect(await ask("agent")).toBe("running");
  for (const end of ending) end();
  await long.close();
});

promise("calls:bounded", "also where they come all at once", async () => {
  const { ask, ending, long } = await opened();
  const answers = await Promise.all(Array.from({ length: 20 }, () => ask("agent")));
  expect(answers.filter((one) => one === "running")).toHaveLength(8);
  expect(answers.filter((one) => one === "limit_exceeded")).toHaveLength(12);
  for (const end of ending) end();
  await long.close();
});

/** Long calls on a state folder of their own, whose runs end when they are told to. */
async function opened() {
  const now = Date.now;
  const kept = await openKeptCalls({ folder, random, answerFor: 1000, now, cutOff });
  const long = openLongCalls({ kept, now, log: () => undefined });
  const ending: (() => void)[] = [];
  const stages = {
    execute: () => new Promise<void>((resolve) => ending.push(resolve)),
  } as Partial<Record<keyof Stages, unknown>> as Stages;
  /** What a call's line says of it: that it ended, or the fault that kept it from beginning. */
  const ask = async (subject: string): Promise<string> => {
    const principal = { issuer: "local", subject, kind: "person", groups: [], actors: [] };
    const request = { id: ids.call(), tool: "nodes_drain", principal, hold: 20, progress: () => undefined };
    const signal = new AbortController().signal;
    const outcome = await long.govern({ ...request, signal } as unknown as CallRequest, async (own, running) => {
      try {
        await running(stages).execute(...([] as unknown as Parameters<Stages["execute"]>));
        return { kind: "completed", call: own.id } as Outcome;
      } catch (thrown) {
        if (!(thrown instanceof Faulted)) throw thrown;
        return { kind: "failed", call: own.id, fault: thrown.fault };
      }
    });
    return outcome.kind === "failed" ? outcome.fault.code : outcome.kind;
  };
  return { ask, ending, long };
}
