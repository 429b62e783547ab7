// One value that is made at first use and made again before it expires, by one flight at a time.

import { fault, Faulted } from "../domain/fault.ts";
import { withoutEffect } from "./send.ts";

export interface Perishable {
  /** Milliseconds since 1970: from here on it is made anew. */
  readonly renewAt: number;
  /** Milliseconds since 1970: from here on it is worth nothing. */
  readonly expiresAt: number;
}

export interface Kept<T extends Perishable> {
  /** The value. A caller that goes away leaves the flight to the others. Faults: those of making it; cancelled. */
  take(signal: AbortSignal): Promise<T>;
  /** The next `take` makes it anew. */
  forget(): void;
  /** Waits until nothing is on its way. */
  idle(): Promise<void>;
}

/** Milliseconds that an old but living value serves on after a renewal failed. */
const retryAfter = 30_000;

export function keep<T extends Perishable>(make: () => Promise<T>, now: () => number): Kept<T> {
  let held: T | null = null;
  let retryAt = 0;
  let flight: Promise<T> | null = null;

  async function fly(): Promise<T> {
    try {
      held = await make();
      return held;
    } catch (thrown) {
      if (held === null || now() >= held.expiresAt) throw withoutEffect(thrown);
      retryAt = now() + retryAfter;
      return held;
    } finally {
      flight = null;
    }
  }
  return {
    async take(signal) {
      if (held !== null && now() < Math.max(held.renewAt, Math.min(retryAt, held.expiresAt))) return held;
      flight ??= fly();
      return await untilAborted(flight, signal);
    },
    forget() {
      held = null;
    },
    async idle() {
      await Promise.allSettled([flight]);
    },
  };
}

/** The shared promise's value, unless this caller goes away first. Faults: cancelled, deadline_exceeded. */
export async function untilAborted<T>(shared: Promise<T>, signal: AbortSignal): Promise<T> {
  let leave = (): void => undefined;
  const left = new Promise<never>((_, reject) => {
    leave = () => reject(leaving(signal));
    if (signal.aborted) leave();
    else signal.addEventListener("abort", leave, { once: true });
  });
  try {
    return await Promise.race([shared, left]);
  } finally {
    signal.removeEventListener("abort", leave);
  }
}

/** The caller's own reason where it gave one. */
function leaving({ reason }: AbortSignal): Faulted {
  if (reason instanceof Faulted) return reason;
  const late = reason instanceof Error && reason.name === "TimeoutError";
  const cause = "the caller left while something that others wait for too was made";
  return new Faulted(late ? fault("deadline_exceeded", { why: "late" }, cause) : fault("cancelled", {}, cause));
}
