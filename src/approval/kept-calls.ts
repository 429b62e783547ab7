// Calls that run on after their caller was answered: who asked, and the sealed answer that waits for them, across a restart.

import { mkdir, readFile, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import type { StoredResult } from "../domain/approval.ts";
import { fault, Faulted } from "../domain/fault.ts";
import { parseCallId, type CallId } from "../domain/ids.ts";
import type { Caller } from "../domain/principal.ts";
import { absent, replaceFile, unfinished } from "./durable.ts";
import { firstProblem } from "./stored.ts";
import { openVault, type Vault } from "./vault.ts";

/** Who may hear of a call: the same account through the same software. */
export type { Caller } from "../domain/principal.ts";
export { sameCaller as isCaller } from "../domain/principal.ts";

export interface KeptCall extends Caller {
  readonly id: CallId;
  readonly tool: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly state: "running" | "ended" | "taken";
  /** Since when the answer waits; null while it runs. */
  readonly endedAt: number | null;
}

export interface KeptCalls {
  /** Durable before the call runs: a crash from here on leaves a call that says its effect is unknown. */
  begin(call: Pick<KeptCall, "id" | "tool" | "startedAt"> & Caller): Promise<void>;
  /** Seals the masked answer until its caller takes it, once. */
  end(id: CallId, result: StoredResult, now: number): Promise<void>;
  /** The caller had its answer at once: nothing waits. */
  forget(id: CallId): Promise<void>;
  get(id: CallId): KeptCall | undefined;
  /** The answer, once; null where it was taken before or waited too long. */
  take(id: CallId, now: number): Promise<StoredResult | null>;
}

export interface KeptCallsOptions {
  /** A folder of its own; made, for its owner alone, where it is missing. */
  readonly folder: string;
  readonly random: (count: number) => Uint8Array;
  /** How long an answer waits for its caller, in milliseconds. */
  readonly answerFor: number;
  readonly now: () => number;
  /** The answer of calls that were running when the last process ended. */
  readonly cutOff: StoredResult;
}

const caller = z.strictObject({ issuer: z.string(), subject: z.string() });
const keptCall = z.strictObject({
  ...caller.shape,
  actors: z.array(caller),
  clientId: z.string().exactOptional(),
  id: z.custom<CallId>((value) => typeof value === "string" && parseCallId(value) !== undefined),
  tool: z.string(),
  startedAt: z.number(),
  state: z.enum(["running", "ended", "taken"]),
  endedAt: z.number().nullable(),
}) satisfies z.ZodType<KeptCall>;
const file = z.strictObject({ format: z.literal(1), calls: z.array(keptCall) });

/** Opens it. Only the holder of the state folder's lock may. Fault: internal, where the file is not as it was written. */
export async function openKeptCalls(options: KeptCallsOptions): Promise<KeptCalls> {
  const { folder, random, answerFor, now, cutOff } = options;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, "calls.json");
  for (const name of await readdir(folder))
    if (name.endsWith(unfinished)) await rm(join(folder, name), { force: true });
  const vault = await openVault(folder, random);
  const calls = new Map((await readCalls(path)).map((call) => [call.id, call]));
  let queue: Promise<unknown> = Promise.resolve();

  /** One at a time; what waited too long goes with the next write. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = queue.then(work);
    queue = turn.catch(() => undefined);
    return turn;
  }
  async function write(): Promise<void> {
    for (const call of calls.values())
      if (call.endedAt !== null && now() - call.endedAt >= answerFor) {
        calls.delete(call.id);
        await vault.destroy(call.id, "result");
      }
    const text = JSON.stringify({ format: 1, calls: [...calls.values()] });
    await replaceFile(path, text, Buffer.from(random(8)).toString("hex"));
  }
  const store: KeptCalls = {
    begin: (call) =>
      inTurn(async () => {
        const { id, tool, startedAt, issuer, subject, actors, clientId } = call;
        const through = actors.map((one) => ({ issuer: one.issuer, subject: one.subject }));
        const who = { issuer, subject, actors: through, ...(clientId === undefined ? {} : { clientId }) };
        calls.set(id, { id, tool, startedAt, ...who, state: "running", endedAt: null });
        await write();
      }),
    end: (id, result, at) =>
      inTurn(async () => {
        const call = calls.get(id);
        if (call?.state !== "running") throw new Error(`${id} does not run`);
        await vault.seal(id, "result", JSON.stringify({ ...result, delivered: false }));
        calls.set(id, { ...call, state: "ended", endedAt: at });
        await write();
      }),
    forget: (id) =>
      inTurn(async () => {
        if (calls.delete(id)) await write();
      }),
    get: (id) => calls.get(id),
    take: (id, at) =>
      inTurn(async () => {
        const call = calls.get(id);
        if (call?.state !== "ended" || (call.endedAt !== null && at - call.endedAt >= answerFor)) return null;
        const result = await opened(vault, id);
        // Taken durably before it is given out: an answer is heard once.
        calls.set(id, { ...call, state: "taken" });
        await write();
        await vault.destroy(id, "result");
        return { ...result, delivered: true };
      }),
  };
  await vault.sweep((id, content) => content === "result" && calls.get(id as CallId)?.state === "ended");
  for (const call of calls.values()) if (call.state === "running") await store.end(call.id, cutOff, now());
  return store;
}

async function opened(vault: Vault, id: CallId): Promise<StoredResult> {
  // The box is authenticated, and only this file seals in it.
  return JSON.parse(await vault.open(id, "result")) as StoredResult;
}

async function readCalls(path: string): Promise<readonly KeptCall[]> {
  const text = await readFile(path, "utf8").catch(absent);
  if (text === undefined) return [];
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw damaged(path, "is not JSON");
  }
  const parsed = file.safeParse(value);
  if (!parsed.success) throw damaged(path, firstProblem(parsed.error));
  return parsed.data.calls;
}

function damaged(path: string, why: string): Faulted {
  return new Faulted(fault("internal", {}, `The calls that run on are kept in ${path}, which can't be used: ${why}.`));
}
