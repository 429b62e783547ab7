// What keeps the transcript from being whole just now, and the entries that say when it began and when it was over.

import type { Unplaced } from "./entry.ts";

/** `disk`: entries can't be written. `checkpoint`: heads can't. `clock`: it stands before what was already signed. */
export type Trouble = "disk" | "checkpoint" | "clock";

export interface Troubles {
  /** Begins a trouble, in a sentence for the operator; one that goes on keeps its first sentence. */
  begin(trouble: Trouble, reason: string): void;
  /** Ends a trouble that may or may not have begun. */
  end(trouble: Trouble): void;
  has(trouble: Trouble): boolean;
  /** The first trouble's sentence, or null when all is well. */
  reason(): string | null;
  /** What goes first in the next write, when that write itself would end the trouble `ending`. */
  owed(ending: Trouble | null): Owed;
}

export interface Owed {
  readonly entries: readonly Unplaced[];
  /** These entries are durable now: what began or ended since they were made is still to be told. */
  told(): void;
}

interface State {
  readonly reason: string;
  announced: boolean;
  over: boolean;
}

/** Keeps troubles; `say` is told of each beginning and end, whatever becomes of the entries. */
export function keepTroubles(say: (sentence: string) => void): Troubles {
  const states = new Map<Trouble, State>();
  const about = { sid: null, call: null, principal: null, client: "" } as const;
  return {
    begin(trouble, reason) {
      const state = states.get(trouble);
      if (state !== undefined) state.over = false;
      else {
        states.set(trouble, { reason, announced: false, over: false });
        say(`transcript degraded: ${reason}`);
      }
    },
    end(trouble) {
      const state = states.get(trouble);
      if (state === undefined || state.over) return;
      state.over = true;
      say(`transcript recovered from: ${state.reason}`);
    },
    has: (trouble) => states.get(trouble)?.over === false,
    reason: () => [...states.values()].find((state) => !state.over)?.reason ?? null,
    owed(ending) {
      const offered = [...states].map(([trouble, state]) => {
        const begun = { ...about, kind: "audit.degraded", details: { reason: state.reason } } as const;
        const ended = { ...about, kind: "audit.recovered", details: { repaired: 0 } } as const;
        const ends = state.over || trouble === ending;
        return { trouble, state, ends, entries: [...(state.announced ? [] : [begun]), ...(ends ? [ended] : [])] };
      });
      return {
        entries: offered.flatMap(({ entries }) => entries),
        told() {
          for (const { trouble, state, ends } of offered) {
            // Where it began again meanwhile, that is a beginning of its own.
            state.announced = !ends;
            if (ends && state.over) states.delete(trouble);
          }
        },
      };
    },
  };
}
