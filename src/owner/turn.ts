// The lock of a state folder for whoever can wait a moment: commands hold it for some hundredths of a second.

import { takeLock, type TakenLock } from "./lock.ts";
import { findMeeting } from "./meeting.ts";

export interface TurnOptions {
  readonly folder: string;
  readonly uid: number;
  readonly pause: (milliseconds: number) => Promise<void>;
  readonly signal: AbortSignal;
}

/** Milliseconds between two looks, and how many. */
const between = 100;
const looks = 50;

/** Takes the lock, after whoever has it now if that is nobody who can be spoken to; `busy` where somebody can, or where five seconds did not do. */
export async function takeLockInTurn({ folder, uid, pause, signal }: TurnOptions): Promise<TakenLock> {
  for (let look = 0; ; look++) {
    const taken = await takeLock(folder, uid);
    if (taken.kind !== "busy" || look === looks || signal.aborted) return taken;
    if ((await findMeeting(folder, uid)).kind !== "absent") return taken;
    await pause(between);
  }
}
