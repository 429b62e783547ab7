// Looks at files again and again while the gateway runs: a change counts when two looks in a row find it, so that a half-written file is not read.

import { createHash } from "node:crypto";
import { sentenceOf, type Io } from "./io.ts";

/** Milliseconds between two looks. */
const lookEvery = 2000;

/** Files that are looked at, and what is done about a change. */
export interface Watched<Found> {
  /** What they hold now: plain data. */
  readonly read: () => Promise<Found>;
  /** Acts on what they hold, or on the sentence that says why they can't be read. What throws is tried again. */
  readonly take: (found: Found | string) => Promise<void>;
  /** Tells of what was thrown. */
  readonly failed: (why: string) => void;
}

interface Looker {
  readonly look: (sure: boolean) => Promise<void>;
  readonly failed: (why: string) => void;
}

/** Looks every two seconds, and at SIGHUP without waiting for a second look; returns how to stop. Nothing is read at the same time twice. */
export function watchFiles<One, Other>(
  io: Pick<Io, "onHangup">,
  [one, other]: readonly [Watched<One>, Watched<Other>],
): () => Promise<void> {
  const lookers = [looker(one), looker(other)];
  let working = Promise.resolve();
  const next = (sure: boolean): void => {
    for (const { look, failed } of lookers)
      working = working.then(() => look(sure)).catch((thrown: unknown) => failed(sentenceOf(thrown)));
  };
  const timer = setInterval(() => next(false), lookEvery);
  timer.unref();
  const stopListening = io.onHangup?.(() => next(true));
  return async () => {
    clearInterval(timer);
    stopListening?.();
    await working;
  };
}

function looker<Found>({ read, take, failed }: Watched<Found>): Looker {
  let taken = "";
  let seen = "";
  async function current(): Promise<Found | string> {
    try {
      return await read();
    } catch (thrown) {
      return sentenceOf(thrown);
    }
  }
  return {
    async look(sure) {
      const found = await current();
      const key = createHash("sha256").update(JSON.stringify(found)).digest("hex");
      const steady = sure || key === seen;
      seen = key;
      if (key === taken || !steady) return;
      await take(found);
      // Not before: what could not be put on record is tried again.
      taken = key;
    },
    failed,
  };
}
