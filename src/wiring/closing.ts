// How things end in order: each whatever became of those before it.

import { Faulted } from "../domain/fault.ts";
import type { Log } from "../log.ts";

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
