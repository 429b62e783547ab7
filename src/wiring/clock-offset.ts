// Measures how far our clock is from a server's, by the time that it says it made an answer.

import type { Offset } from "../domain/clock.ts";

export interface Clocks {
  /** Milliseconds since 1970; may be set at any moment. */
  readonly now: () => number;
  /** Milliseconds since whenever; never set, only goes on. */
  readonly steady: () => number;
}

/** A `Date` is of whole seconds (RFC 9110, section 5.6.7): the moment is somewhere in that second. */
const granularity = 1000;

/**
 * Our clock minus the server's, at the middle of the round trip of `ask`; null where the answer said no time. Rejects as `ask` does.
 *
 * The round trip is taken from the steady clock, and ours is read once, at its end: a clock that is set meanwhile is
 * compared as it stands afterwards.
 */
export async function clockOffset(
  { now, steady }: Clocks,
  ask: (dated: (at: number | null) => void) => Promise<unknown>,
): Promise<Offset | null> {
  let ended: { readonly theirs: number | null; readonly ours: number; readonly half: number } | null = null;
  const begun = steady();
  const dated = (theirs: number | null): void => {
    ended = { theirs, ours: now(), half: (steady() - begun) / 2 };
  };
  await ask(dated);
  return offsetOf(ended);
}

function offsetOf(
  ended: { readonly theirs: number | null; readonly ours: number; readonly half: number } | null,
): Offset | null {
  if (ended === null || ended.theirs === null) return null;
  const { theirs, ours, half } = ended;
  return {
    offset: Math.round(ours - half - (theirs + granularity / 2)),
    uncertainty: Math.ceil(half + granularity / 2),
  };
}
