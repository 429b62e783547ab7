// Answers that had to be cut, kept whole in memory for a while, so that their callers can read the rest of them.

import type { Principal } from "../domain/principal.ts";
import { callerKey } from "./sessions.ts";

export interface KeptAnswers {
  /** `now` here and below in milliseconds since 1970. */
  keep(principal: Principal, call: string, text: string, now: number): void;
  /** The whole answer to the caller's own call, or null. */
  of(principal: Principal, call: string, now: number): string | null;
  /** The caller's calls whose answers are kept, newest first. */
  calls(principal: Principal, now: number): readonly string[];
}

/** An answer is at most 24 KiB, so that all of them take at most 5 MiB with their keys. */
const most = 200;
const longest = 15 * 60_000;

export function keptAnswers(): KeptAnswers {
  // In the order in which they were kept: the first is the oldest.
  const kept = new Map<
    string,
    { readonly caller: string; readonly call: string; readonly text: string; readonly at: number }
  >();
  const keyOf = (principal: Principal, call: string): string => `${call} ${callerKey(principal)}`;
  function dropOld(now: number): void {
    for (const [key, { at }] of kept) {
      if (kept.size <= most && now - at < longest) return;
      kept.delete(key);
    }
  }
  return {
    keep(principal, call, text, now) {
      kept.set(keyOf(principal, call), { caller: callerKey(principal), call, text, at: now });
      dropOld(now);
    },
    of(principal, call, now) {
      dropOld(now);
      return kept.get(keyOf(principal, call))?.text ?? null;
    },
    calls(principal, now) {
      dropOld(now);
      const caller = callerKey(principal);
      return [...kept.values()].flatMap((one) => (one.caller === caller ? [one.call] : [])).toReversed();
    },
  };
}
