// Lets a held caller wait for what becomes of its request, without asking again and again.

import type { ApprovalId } from "../domain/ids.ts";
import type { Answer, ApprovalStore } from "./stores/contract.ts";

export interface Watch {
  /**
   * Answers as soon as the request has an answer for its caller, and takes it; `open` when the time (milliseconds) is
   * over or the signal aborts first. All who wait at that moment get the same answer, whoever comes later finds it taken.
   */
  awaitEnd(id: ApprovalId, milliseconds: number, signal: AbortSignal): Promise<Answer>;
  close(): void;
}

/** A longer timer would fire at once (Node.js, `setTimeout`). */
const longestTimer = 2 ** 31 - 1;

/** Watches one store; `now` in milliseconds since 1970. */
export function openWatch(store: ApprovalStore, now: () => number): Watch {
  const waiting = new Map<ApprovalId, Set<() => void>>();
  const taking = new Map<ApprovalId, Promise<Answer>>();

  function take(id: ApprovalId): Promise<Answer> {
    const under = taking.get(id);
    if (under !== undefined) return under;
    const taken = store.takeAnswer(id, now()).finally(() => taking.delete(id));
    taking.set(id, taken);
    return taken;
  }

  const stop = store.onChange((request) => {
    if (request.answer !== "waiting") return;
    for (const wake of waiting.get(request.id) ?? []) wake();
  });

  return {
    async awaitEnd(id, milliseconds, signal) {
      const woken = Promise.withResolvers<void>();
      const wake = (): void => woken.resolve();
      // Listening begins before looking, so that no end falls between the two.
      waiting.set(id, (waiting.get(id) ?? new Set()).add(wake));
      const timer = setTimeout(wake, Math.min(milliseconds, longestTimer));
      signal.addEventListener("abort", wake, { once: true });
      try {
        const early = await store.get(id);
        if (early?.answer === "none" && !signal.aborted) await woken.promise;
        const request = await store.get(id);
        if (request === undefined) return { kind: "unknown" };
        // Who has gone away takes nothing with them: the answer waits for the repeat.
        if (request.answer === "none" || signal.aborted) return { kind: "open", request };
        return await take(id);
      } finally {
        clearTimeout(timer);
        signal.removeEventListener("abort", wake);
        waiting.get(id)?.delete(wake);
        if (waiting.get(id)?.size === 0) waiting.delete(id);
      }
    },
    close: stop,
  };
}
