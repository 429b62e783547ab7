// The calls that are running, so that a cancel notice finds them: in the 2025 revisions over HTTP it arrives at a server instance that never saw the call.

import { setTimeout as after } from "node:timers/promises";
import type { Principal } from "../domain/principal.ts";
import { callerKey } from "./sessions.ts";

export interface RunningCall {
  /** Aborted by a cancel notice. */
  readonly signal: AbortSignal;
  end(): void;
}

export interface Running {
  begin(principal: Principal, requestId: string | number): RunningCall;
  /**
   * Aborts the caller's call of that id. Two clients of one caller count their ids alike, so an id that
   * stands for several running calls aborts none of them.
   */
  cancel(principal: Principal, requestId: string | number): void;
  /** Settles once no call runs, or after `most` milliseconds: an aborted call still has its end to record. */
  settled(most: number): Promise<void>;
}

export function runningCalls(): Running {
  const calls = new Map<string, Set<AbortController>>();
  let idle = Promise.withResolvers<void>();
  idle.resolve();
  const keyOf = (principal: Principal, requestId: string | number): string =>
    `${callerKey(principal)} ${JSON.stringify(requestId)}`;
  return {
    begin(principal, requestId) {
      const key = keyOf(principal, requestId);
      const mine = new AbortController();
      if (calls.size === 0) idle = Promise.withResolvers();
      const same = calls.get(key) ?? new Set();
      calls.set(key, same.add(mine));
      return {
        signal: mine.signal,
        end() {
          same.delete(mine);
          if (same.size === 0 && calls.get(key) === same) calls.delete(key);
          if (calls.size === 0) idle.resolve();
        },
      };
    },
    cancel(principal, requestId) {
      const [only, ...others] = calls.get(keyOf(principal, requestId)) ?? [];
      if (others.length === 0) only?.abort();
    },
    async settled(most) {
      const patience = new AbortController();
      const tired = after(most, undefined, { signal: patience.signal }).catch(() => undefined);
      await Promise.race([idle.promise, tired]);
      patience.abort();
    },
  };
}
