// Erases sealed bodies by destroying their keys, and then entries past their term: an entry says which before they are gone, and verification accepts exactly those. What a hold covers stays.

import type { Append, BodyClass } from "../domain/entry.ts";
import type { PrincipalFields } from "../domain/principal.ts";
import { readKeys } from "./bodies.ts";
import { purgeEnvelopes, type EnvelopeParts, type PurgedEnvelopes } from "./envelopes.ts";
import type { TranscriptPaths } from "./files.ts";
import { coverageOf } from "./holds.ts";
import type { WrappedKey } from "./seal.ts";
import { longestSilence, readSigned, visitEntries, type Silence } from "./signed.ts";
import type { Head } from "./tree.ts";

/** Days that bodies of each class are kept at least, unless somebody asks for them by day or session. */
export type Retention = { readonly [C in BodyClass]: number };

export interface Purge {
  /** A day, `2026-03-01`: keys of earlier days; "" for any. */
  readonly before: string;
  /** Keys of this session; "" for any. */
  readonly session: string;
  readonly classes: readonly BodyClass[];
  readonly why: string;
  /** Only what is past its retention; absent: whatever its age. */
  readonly due?: Retention;
  /** Entries that are older than so many days; absent: none. */
  readonly envelopes?: number;
}

export interface Purged {
  /** Keys that were destroyed. */
  readonly keys: number;
  /** Keys that were asked for and stay, by the hold that covers them. */
  readonly kept: readonly { readonly hold: string; readonly keys: number }[];
  /** Why nothing was destroyed, for the clock can't be believed; "" where it can. */
  readonly doubt: string;
  /** Absent where none were asked for. */
  readonly envelopes?: PurgedEnvelopes;
}

export interface PurgeParts {
  readonly append: Append;
  readonly paths: Pick<TranscriptPaths, "segments" | "bodies">;
  readonly destroy: (keys: ReadonlySet<string>) => Promise<void>;
  /** Signs the head now and returns it. Faults: transcript_unavailable. */
  readonly head: () => Promise<Head>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly turn: EnvelopeParts["turn"];
  readonly erase: EnvelopeParts["erase"];
  /** Erases what a purge before this one named and could not erase. Faults: transcript_unavailable; rejects with the disk's error. */
  readonly finish: () => Promise<void>;
  /** From its opening until when this writer has seen time pass, by a clock that nobody sets, in milliseconds since 1970. */
  readonly watched: () => Silence;
}

/** Keys of one entry. */
const most = 500;
const day = 86_400_000;

/**
 * Destroys the keys that are meant and that no hold covers. A crash leaves at most the keys of the last entry, which the
 * next opening destroys. Faults: transcript_unavailable, also where the entries on the disk are not what was written;
 * rejects with the disk's error.
 */
export async function purgeKeys(purge: Purge, by: PrincipalFields | null, parts: PurgeParts): Promise<Purged> {
  const { append, paths, destroy, now } = parts;
  await parts.finish();
  const head = await parts.head();
  const record = await readSigned(paths, head, { now: now(), watched: parts.watched() });
  const doubt = clockDoubt(record.silence, now());
  if (doubt !== "") return { keys: 0, kept: [], doubt };
  const meant = (await readKeys(paths.bodies)).filter((key) => isMeant(purge, key, now()));
  const holds = [...record.holds.values()];
  const coverage = coverageOf(holds);
  if (holds.length > 0 && meant.length > 0) await visitEntries(paths, head.size, (entry) => coverage.take(entry));
  const kept = holds
    .map(({ name: hold }) => ({ hold, keys: meant.filter(({ key }) => coverage.covers(hold, key)).length }))
    .filter(({ keys }) => keys > 0);
  const free = meant.filter(({ key }) => !holds.some(({ name }) => coverage.covers(name, key)));
  const { classes, before, session, why, due } = purge;
  for (let from = 0; from < free.length; from += most) {
    const keys = free.slice(from, from + most).map(({ key }) => key);
    const details = { keys, classes, before, session, why, due: due !== undefined, kept };
    await append([{ kind: "retention.purged", session: null, call: null, principal: by, details }]);
    await destroy(new Set(keys));
  }
  if (purge.envelopes === undefined) return { keys: free.length, kept, doubt };
  // After the keys: an entry outlives what it seals.
  const envelopes = await purgeEnvelopes({ days: purge.envelopes, why, by }, holds, head.size, parts);
  return { keys: free.length, kept, doubt, envelopes };
}

/** What is written just now is under a key of today: those stay until the day is over. */
function isMeant({ before, session, classes, due }: Purge, key: WrappedKey, now: number): boolean {
  const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10);
  const today = dayOf(now);
  const class_ = classes.find((one) => one === key.class);
  if (class_ === undefined || (session !== "" && key.sid !== session)) return false;
  const until = [before === "" ? today : before, due === undefined ? today : dayOf(now - due[class_] * day), today];
  return until.every((one) => key.since < one);
}

/**
 * Why the clock can't be believed where it decides what is old; "" when it can. To a clock that was set forward
 * everything is old: after a long silence so much time has to be on record as would show it. Nothing lifts this.
 */
function clockDoubt(silence: Silence | null, now: number): string {
  if (silence === null || now - silence.to >= longestSilence) return "";
  const text = (at: number): string => new Date(at).toISOString();
  return `Nothing is purged before ${text(silence.to + longestSilence)}: the record is silent from ${text(silence.from)} to ${text(silence.to)}, and a clock that was set forward looks the same. Let the gateway run until then.`;
}
