// Time that passes when a test says so, for what rests on it.

import type { Passing } from "../../../src/approval/channels/slack/lanes.ts";
import { eventually } from "./slack-desk.ts";

export interface Turned extends Passing {
  /** Lets so many milliseconds pass, each rest in its turn; what is done in between is real and is waited for. */
  pass(milliseconds: number): Promise<void>;
}

export function turnedTime(): Turned {
  let steady = 0;
  const resting = new Map<() => void, number>();

  /** Everything that could be done before time goes on has been: whoever works rests again. */
  const parked = async (): Promise<void> => await eventually(() => resting.size > 0).toBe(true);

  return {
    steady: () => steady,
    rest: async (milliseconds, signal) =>
      await new Promise<void>((resolve) => {
        if (signal.aborted) return resolve();
        const wake = (): void => {
          resting.delete(wake);
          resolve();
        };
        resting.set(wake, steady + milliseconds);
        signal.addEventListener("abort", wake, { once: true });
      }),
    async pass(milliseconds) {
      const end = steady + milliseconds;
      for (;;) {
        await parked();
        const [next] = [...resting].toSorted(([, a], [, b]) => a - b);
        if (next === undefined || next[1] > end) break;
        steady = Math.max(steady, next[1]);
        next[0]();
      }
      steady = end;
    },
  };
}
