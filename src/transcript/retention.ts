// Erases sealed bodies by destroying their keys: an entry says which before they are gone, and verification accepts exactly those.

import type { Append, BodyClass } from "../domain/entry.ts";
import type { PrincipalFields } from "../domain/principal.ts";
import { readKeys } from "./bodies.ts";

export interface Purge {
  /** A day, `2026-03-01`: keys of earlier days; "" for any. */
  readonly before: string;
  /** Keys of this session; "" for any. */
  readonly session: string;
  readonly classes: readonly BodyClass[];
  readonly why: string;
}

export interface PurgeParts {
  readonly append: Append;
  /** `transcript/bodies`. */
  readonly folder: string;
  readonly destroy: (keys: ReadonlySet<string>) => Promise<void>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Keys of one entry. */
const most = 500;

/**
 * Destroys the keys that are meant and returns how many there were. A crash leaves at most the keys of the last entry,
 * which the next opening destroys. Faults: transcript_unavailable; rejects with the disk's error.
 */
export async function purgeKeys(
  { before, session, classes, why }: Purge,
  by: PrincipalFields | null,
  { append, folder, destroy, now }: PurgeParts,
): Promise<number> {
  // What is written just now is under a key of today: those stay until the day is over.
  const today = new Date(now()).toISOString().slice(0, 10);
  const until = before === "" || before > today ? today : before;
  const meant = (await readKeys(folder)).filter(
    (key) => key.since < until && classes.includes(key.class) && (session === "" || key.sid === session),
  );
  for (let from = 0; from < meant.length; from += most) {
    const keys = meant.slice(from, from + most).map(({ key }) => key);
    const details = { keys, classes, before, session, why };
    await append([{ kind: "retention.purged", session: null, call: null, principal: by, details }]);
    await destroy(new Set(keys));
  }
  return meant.length;
}
