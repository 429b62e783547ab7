// How far our clock is from another one, how sure that is, and how far it may be.

/** Both in milliseconds: our clock minus the other one, and how much either way that may be wrong. */
export interface Offset {
  readonly offset: number;
  readonly uncertainty: number;
}

/** Milliseconds that our clock may be away from a cluster's before somebody has to look. */
export const clockLimit = 5_000;

/** Is it so near that what was measured allows the clocks to be within the limit? */
export function isWithinLimit({ offset, uncertainty }: Offset): boolean {
  return Math.abs(offset) <= clockLimit + uncertainty;
}

/** `0.3 s ahead, give or take 0.5 s` */
export function offsetText({ offset, uncertainty }: Offset): string {
  return `${spanOf(Math.abs(offset))} ${offset < 0 ? "behind" : "ahead"}, give or take ${spanOf(uncertainty)}`;
}

const day = 86_400_000;

function spanOf(milliseconds: number): string {
  return milliseconds < 2 * day ? `${(milliseconds / 1000).toFixed(1)} s` : `${Math.round(milliseconds / day)} days`;
}
