// Calls that run on: sealed answers that are told once, to nobody else, and across a restart.

import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect } from "vitest";
import { isCaller, openKeptCalls, type KeptCalls } from "../../../src/approval/kept-calls.ts";
import type { StoredResult } from "../../../src/domain/approval.ts";
import { idsFrom } from "../../../src/domain/ids.ts";
import { promise } from "../../support/promise.ts";

const random = (count: number): Uint8Array => randomBytes(count);
const ids = idsFrom(Date.now, random);
const caller = { issuer: "local", subject: "agent", actors: [{ issuer: "local", subject: "bot" }] };
const cutOff: StoredResult = { kind: "failed", code: "internal", detail: {}, effect: "unknown", delivered: false };
const secret = "the answer, sealed";
const result: StoredResult = {
  kind: "completed",
  output: { headline: [secret], blocks: [], facts: {}, untrusted: false },
  effect: "applied",
  delivered: false,
};

let folder: string;
let clock = 1_000;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sallyport-calls-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});
const open = (): Promise<KeptCalls> =>
  openKeptCalls({ folder, random, answerFor: 3_600_000, now: () => clock, cutOff });
async function begin(calls: KeptCalls) {
  const id = ids.call();
  await calls.begin({ id, tool: "nodes_drain", startedAt: clock, ...caller });
  return id;
}
/** Everything that lies in the folder, as text. */
async function onDisk(): Promise<string> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = names.filter((one) => one.isFile()).map((one) => readFile(join(one.parentPath, one.name), "latin1"));
  return (await Promise.all(files)).join("\n");
}

promise("calls:kept", "sealed while it waits, given out once, and then gone", async () => {
  const calls = await open();
  const id = await begin(calls);
  expect(await calls.take(id, clock)).toBe(null);
  await calls.end(id, result, clock);
  expect((await onDisk()).includes(secret)).toBe(false);
  expect(await calls.take(id, clock)).toEqual({ ...result, delivered: true });
  expect(await calls.take(id, clock)).toBe(null);
  expect(await readdir(join(folder, "sealed"))).toEqual([]);
  expect(await readdir(join(folder, "keys"))).toEqual([]);
});

promise("calls:kept", "for an hour, also for a later process", async () => {
  const first = await open();
  const [heard, late] = [await begin(first), await begin(first)];
  await first.end(heard, result, clock);
  await first.end(late, result, clock);
  const second = await open();
  clock += 3_599_999;
  expect(await second.take(heard, clock)).toEqual({ ...result, delivered: true });
  clock += 1;
  expect(await second.take(late, clock)).toBe(null);
  await begin(second);
  expect(second.get(late)).toBe(undefined);
  expect(await readdir(join(folder, "sealed"))).toEqual([]);
});

promise("calls:kept", "a call that was running when its process died says that its effect is unknown", async () => {
  const id = await begin(await open());
  const next = await open();
  expect(next.get(id)?.state).toBe("ended");
  expect(await next.take(id, clock)).toEqual({ ...cutOff, delivered: true });
});

promise("calls:kept", "one that was answered at once leaves nothing", async () => {
  const calls = await open();
  const id = await begin(calls);
  await calls.forget(id);
  expect([calls.get(id), (await open()).get(id)]).toEqual([undefined, undefined]);
});

promise("calls:kept", "a file that is not as it was written is refused, not begun anew", async () => {
  await begin(await open());
  const path = join(folder, "calls.json");
  for (const text of ["", "{", '{"format":1,"calls":[{"id":"call_x"}]}', '{"format":2,"calls":[]}']) {
    await writeFile(path, text);
    await expect(open()).rejects.toThrow("internal");
  }
});

promise("calls:kept", "another account, or the same through other software, is another caller", () => {
  const others = [
    { ...caller, subject: "another" },
    { ...caller, issuer: "elsewhere" },
    { ...caller, actors: [] },
    { ...caller, actors: [{ issuer: "local", subject: "other-bot" }] },
    { ...caller, actors: [...caller.actors, ...caller.actors] },
  ];
  expect(isCaller(caller, { ...caller, actors: [...caller.actors] })).toBe(true);
  expect(others.map((other) => isCaller(caller, other))).toEqual(others.map(() => false));
});
