// The time limit of calls: one signal for all that begin close together, so that a call that has ended leaves no timer behind.

/** A timer of its own would keep each call's signals for the whole limit: at a thousand calls a second more memory than all else. */
const shares = 60;

/** Each answer is a signal that aborts after `milliseconds`, or up to a sixtieth later. */
export function sharedDeadline(milliseconds: number): () => AbortSignal {
  const step = milliseconds / shares;
  let shared: AbortSignal | null = null;
  return () => {
    if (shared === null) {
      shared = AbortSignal.timeout(Math.ceil(milliseconds + step));
      setTimeout(() => (shared = null), step).unref();
    }
    return shared;
  };
}
