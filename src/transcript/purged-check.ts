// Whether entries are gone exactly as purges on record say: no others, not against a hold, not before their time.

import { textAt } from "../domain/json.ts";
import type { Entry } from "./entry.ts";
import { foldHolds } from "./holds.ts";
import { foldPurged, isWithin, leavesDigest, purgedEntriesIn, type PurgedEntries } from "./purged-lines.ts";
import type { Wrong } from "./purges.ts";
import type { EntryPlace } from "./verdict.ts";

export interface PurgedCheck {
  /** A purged line stands here. */
  line(at: EntryPlace): void;
  take(entry: Entry, at: EntryPlace): void;
  /** A session goes on here behind entries that are not there: may purged ones be those? `again` finds out. */
  bridges(sprev: string, missing: number, at: EntryPlace): boolean;
  /** Up to where lines have to be read once more, with `again`. */
  until(): number;
  again(index: number, leaf: Uint8Array, purged: boolean): void;
  /** What was found; after all of that. `signed`: entries under the newest signed head. */
  verdict(signed: number): PurgedFound;
}

export interface PurgedFound {
  readonly count: number;
  readonly wrong: readonly Wrong[];
  /** Sessions that do not link to what was purged of them. */
  readonly unlinked: readonly Wrong[];
}

interface Told {
  readonly said: PurgedEntries;
  readonly at: EntryPlace;
  readonly digest: ReturnType<typeof leavesDigest>;
  /** The first of them that still stands there; -1: none. */
  there: number;
  /** The first that an earlier purge had named; -1: none. */
  twice: number;
}

export function checkPurged(): PurgedCheck {
  const wrong: Wrong[] = [];
  const told: Told[] = [];
  const purged = foldPurged();
  const holds = foldHolds();
  const links = new Map<string, EntryPlace>();
  const days = firstOfDays();
  /** Where the first line of each run stands. */
  const runs: EntryPlace[] = [];
  let [count, latest] = [0, null as EntryPlace | null];

  function takePurge(entry: Entry, at: EntryPlace): void {
    if (entry.details["entries"] === undefined) return;
    const said = purgedEntriesIn(entry);
    const last = said?.ranges.at(-1)?.[1] ?? -1;
    const add = (problem: string): void => void wrong.push({ problem, at });
    if (said === null) return add("says that entries were purged, and not which");
    if (last >= at.index) return add(`says that entry ${last} was purged, which was not there yet`);
    const before = textAt(entry.details, "before");
    if (!isDay(before) || Date.parse(before) + said.days * 86_400_000 > Date.parse(entry.ts))
      add(`purged entries of days before ${before || "none"}, which are not ${said.days} days old`);
    const young = days.first(before);
    if (last >= young) add(`purged entry ${last}, behind entry ${young}, which is not of days before ${before}`);
    // What is gone can't show what it was: a hold keeps all that was written from its own beginning on.
    for (const { name, covers } of holds.inForce().values())
      if (covers.since === undefined || Date.parse(before) > covers.since) add(`purged entries against hold ${name}`);
    told.push({ said, at, digest: leavesDigest(), there: -1, twice: -1 });
  }
  return {
    line(at) {
      count++;
      purged.line(at.index);
      if (latest?.index !== at.index - 1 || latest.segment !== at.segment) runs.push(at);
      latest = at;
    },
    take(entry, at) {
      days.take(entry.ts, at.index);
      holds.take(entry, at.index);
      purged.take(entry, at.index);
      if (entry.kind === "retention.purged") takePurge(entry, at);
    },
    bridges(sprev, missing, at) {
      if (missing > count || links.has(sprev)) return false;
      links.set(sprev, at);
      return true;
    },
    until: () => {
      const ends = told.map(({ said }) => (said.ranges.at(-1)?.[1] ?? -1) + 1);
      return Math.max(0, ...ends, ...[...links.values()].map(({ index }) => index));
    },
    again(index, leaf, gone) {
      if (gone && links.size > 0) {
        const name = Buffer.from(leaf).toString("hex");
        if ((links.get(name)?.index ?? -1) > index) links.delete(name);
      }
      let before = false;
      for (const one of told) {
        if (!isWithin(one.said.ranges, index)) continue;
        one.digest.add(leaf);
        if (!gone && one.there < 0) one.there = index;
        if (before && one.twice < 0) one.twice = index;
        before = true;
      }
    },
    verdict(signed) {
      for (const { said, at, digest, there, twice } of told) {
        if (there >= 0) wrong.push({ problem: `says that entry ${there} was purged, and it is still there`, at });
        if (twice >= 0) wrong.push({ problem: `says that entry ${twice} was purged, which an earlier one says`, at });
        if (digest.hex() !== said.digest)
          wrong.push({ problem: "says of other entries that they were purged than stood there", at });
      }
      const first = purged.unexplained(signed);
      const run = first === null ? undefined : runs.findLast(({ index }) => index <= first);
      if (first !== null && run !== undefined) {
        const at = { ...run, index: first, line: run.line + first - run.index };
        wrong.push({ problem: "is gone, and no entry under a signed head says that it was purged", at });
      }
      const unlinked = [...links.values()].map((place) => ({
        problem: "does not link to the entry before it, nor to one that was purged",
        at: place,
      }));
      return { count, wrong, unlinked };
    },
  };
}

const isDay = (text: string): boolean => /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text));

/** The first entry that is not of days before a given one, by what still stands there. */
function firstOfDays() {
  const firsts: { readonly day: string; readonly index: number }[] = [];
  return {
    take(ts: string, index: number): void {
      const last = firsts.at(-1)?.day ?? "";
      if (ts > last && ts.slice(0, 10) !== last) firsts.push({ day: ts.slice(0, 10), index });
    },
    first: (day: string): number => firsts.find((one) => one.day >= day)?.index ?? Infinity,
  };
}
