// How things end in order: no longer than they may take, and each whatever became of those before it.

import { setTimeout as pause } from "node:timers/promises";
import { Faulted } from "../domain/fault.ts";
import type { Log } from "../log.ts";

/** Waits for the work, and no longer than this. */
export async function within(milliseconds: number, work: Promise<unknown>): Promise<void> {
  const patience = new AbortController();
  const tired = pause(milliseconds, undefined, { signal: patience.signal }).catch(() => undefined);
  await Promise.race([work, tired]).finally(() => patience.abort());
}

/** Each step, whatever became of those before it: a full disk must not keep the rest open. */
export async function eachInTurn(steps: readonly (() => Promise<unknown>)[], log: Log): Promise<void> {
  for (const step of steps) {
    const [ended] = await Promise.allSettled([step()]);
    if (ended.status === "rejected") log.warn({ cause: whyOf(ended.reason) }, "could not be closed");
  }
}

/** For the operator's log. */
export function whyOf(thrown: unknown): string {
  if (thrown instanceof Faulted) return `${thrown.fault.code}: ${thrown.fault.cause}`;
  return thrown instanceof Error ? thrown.message : String(thrown);
}
