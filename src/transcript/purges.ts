// Whether each purge destroyed only what its own entry says, and nothing that a hold covered then.

import type { BodyClass } from "../domain/entry.ts";
import { textAt, type Json } from "../domain/json.ts";
import type { Entry } from "./entry.ts";
import { coverageOf, foldHolds, type Hold } from "./holds.ts";
import type { EntryPlace } from "./verdict.ts";

export interface Wrong {
  readonly problem: string;
  readonly at: EntryPlace;
}

export interface PurgesCheck {
  take(entry: Entry, at: EntryPlace): void;
  /** Up to where entries have to be read once more, with `again`, to know what holds covered; 0: they need not be. */
  until(): number;
  /** Takes the same entries once more. */
  again(entry: Entry, index: number): void;
  /** What was found; after all of that. */
  wrong(): readonly Wrong[];
}

interface Sealed {
  readonly sid: string;
  readonly class: BodyClass;
  /** When the last of its bodies was written. */
  readonly last: string;
}

interface UnderHold {
  readonly at: EntryPlace;
  readonly keys: readonly string[];
  readonly holds: readonly Hold[];
}

/** A body is on record soon after it was sealed: so much later, in milliseconds, may its entry be than the end of its key's day. */
const slack = 3_600_000;

export function checkPurges(): PurgesCheck {
  const found: Wrong[] = [];
  const holds = foldHolds();
  const sealed = new Map<string, Sealed>();
  const held = new Map<number, UnderHold>();
  let coverage: ReturnType<typeof coverageOf> | null = null;
  const idOf = ({ name, index }: Hold): string => `${name} ${index}`;

  function takePurge({ details }: Entry, at: EntryPlace): void {
    const keys = textsIn(details["keys"]);
    const inForce = [...holds.inForce().values()];
    if (inForce.length > 0) held.set(at.index, { at, keys, holds: inForce });
    const asked = {
      classes: textsIn(details["classes"]),
      session: textAt(details, "session"),
      before: textAt(details, "before"),
    };
    for (const key of keys) {
      const of = sealed.get(key);
      if (of !== undefined && !isMeant(of, asked))
        found.push({ problem: `destroyed key ${key}, which is not of what it says it purged`, at });
    }
  }
  return {
    take(entry, at) {
      const { kind, details, sid, ts } = entry;
      const key = textAt(details, "body", "key");
      if (key !== "") sealed.set(key, { sid: sid ?? "", class: classOf(entry), last: ts });
      if (kind === "retention.purged") takePurge(entry, at);
      else holds.take(entry, at.index);
    },
    until: () => Math.max(0, ...held.keys()),
    again(entry, index) {
      coverage ??= coverageOf(
        [...held.values()].flatMap((one) => one.holds.map((hold) => ({ name: idOf(hold), covers: hold.covers }))),
      );
      coverage.take(entry);
      // Judged by what was on record when it was destroyed.
      const purge = held.get(index + 1);
      for (const hold of purge?.holds ?? [])
        for (const key of purge?.keys ?? [])
          if (purge !== undefined && coverage.covers(idOf(hold), key))
            found.push({ problem: `destroyed key ${key} against hold ${hold.name}`, at: purge.at });
    },
    wrong: () => found,
  };
}

function isMeant(
  { sid, class: class_, last }: Sealed,
  { classes, session, before }: { classes: readonly string[]; session: string; before: string },
): boolean {
  const inTime = before === "" || Date.parse(last) < Date.parse(before) + slack;
  return classes.includes(class_) && (session === "" || session === sid) && inTime;
}

function classOf({ kind }: Entry): BodyClass {
  if (kind === "call.received") return "arguments";
  return kind === "call.previewed" ? "diff" : "output";
}

function textsIn(value: Json | undefined): readonly string[] {
  return Array.isArray(value) ? (value as readonly Json[]).filter((one) => typeof one === "string") : [];
}
