// A pause that ends early where it is told to, and keeps no process alive.

import { setTimeout as pause } from "node:timers/promises";

/** Resolves after so many milliseconds, or at once when `signal` is aborted. */
export async function quietly(milliseconds: number, signal: AbortSignal): Promise<void> {
  await Promise.allSettled([pause(milliseconds, undefined, { signal, ref: false })]);
}
