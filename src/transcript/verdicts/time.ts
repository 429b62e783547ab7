// TIME: entries are dated in the order they were written, no step of the clock is hidden, none lies in the future, and none contradicts what was kept elsewhere at its time.

import { textAt } from "../../domain/json.ts";
import { clockTolerance, type Entry } from "../entry.ts";
import type { AnchorHead } from "../given-anchors.ts";
import { collectFindings, type Check, type EntryPlace } from "../verdict.ts";

/** How far an auditor's clock may differ from the gateway's, in milliseconds. */
const ahead = 300_000;

/**
 * How far an entry may be dated from what an anchor holds, in milliseconds: both are of the gateway's own clock, and a
 * slow disk can keep an entry back.
 */
const beside = 60_000;

/** `now`: the auditor's clock, in milliseconds since 1970. `anchored`: heads that were kept elsewhere. */
export function checkTime(now: number, anchored: readonly AnchorHead[]): Check {
  const findings = collectFindings();
  const bounds = boundsOf(anchored);
  let passed = 0;
  let latest = "";
  let floor = "";
  let first = "";
  let steps = 0;
  let announced = false;
  /** Is the latest still to come? */
  let isAhead = false;
  const horizon = new Date(now + ahead).toISOString();
  function takeBounds(ts: string, at: EntryPlace): void {
    while ((bounds[passed]?.size ?? Infinity) <= at.index) passed++;
    const [before, after] = [bounds[passed], bounds[passed - 1]];
    if (before !== undefined && ts > before.latest.ts)
      findings.add(`is dated ${ts}, and ${before.latest.anchor} had it by ${before.latest.says}`, at);
    if (after !== undefined && ts < after.earliest.ts)
      findings.add(`is dated ${ts}, and ${after.earliest.anchor} did not have it yet at ${after.earliest.says}`, at);
  }
  return {
    take({ ts, kind, details }, at) {
      if (first === "") first = ts;
      const isSame = ts === latest;
      if (bounds.length > 0) takeBounds(ts, at);
      const toCome = isSame ? isAhead : ts > horizon;
      if (toCome) findings.add(`is dated ${ts}, which is still to come`, at);
      if (isSame || ts > latest) {
        if (!isSame) floor = "";
        isAhead = toCome;
        latest = ts;
        announced = false;
        return;
      }
      floor ||= new Date(Date.parse(latest) - clockTolerance).toISOString();
      if (ts >= floor || announced) return;
      if (tellsOfClock({ kind, details })) {
        announced = true;
        steps++;
      } else
        findings.add(
          `is dated ${ts}, before an earlier entry of ${latest}, and no entry says that the clock stepped back`,
          at,
        );
    },
    verdict() {
      const span = first === "" ? "There are no entries" : `From ${first} to ${latest}, in order`;
      const held = `; ${bounds.length === 0 ? "by the gateway's own clock alone" : `${bounds.length} times that were kept elsewhere agree`}`;
      const stepped = steps === 0 ? "" : `; the clock stepped back ${steps} times, each time recorded`;
      return findings.verdict(
        "TIME",
        `${span}${stepped}${held}.`,
        (count) => `${count} entries bear a time that can't be right.`,
      );
    },
  };
}

/** Does the entry say that the clock stands before what was already recorded? */
export function tellsOfClock({ kind, details }: Pick<Entry, "kind" | "details">): boolean {
  return kind === "audit.degraded" && textAt(details, "reason").startsWith("the clock");
}

interface Limit {
  readonly anchor: string;
  /** RFC 3339: with what clocks may differ by, and as it was said. */
  readonly ts: string;
  readonly says: string;
}

/** What anchors say of entries around one size. */
interface Bound {
  readonly size: number;
  /** No entry before `size` is dated later than this. */
  readonly latest: Limit;
  /** No entry from `size` on is dated earlier than this. */
  readonly earliest: Limit;
}

/** In the order of their sizes, each with the strictest of those behind it and before it. */
function boundsOf(anchored: readonly AnchorHead[]): readonly Bound[] {
  const timed = anchored.filter(({ at, seen }) => at !== null || seen !== null);
  const sorted = timed.toSorted((one, other) => one.head.size - other.head.size);
  const none = { anchor: "", says: "" };
  let latest: Limit = { ...none, ts: "~" };
  const from = sorted.toReversed().map((one) => {
    for (const limit of latestOf(one)) if (limit.ts < latest.ts) latest = limit;
    return latest;
  });
  let earliest: Limit = { ...none, ts: "" };
  return sorted.map((one, index): Bound => {
    if (one.at !== null) {
      const limit = limitOf(one.anchor, one.at, -beside);
      if (limit.ts > earliest.ts) earliest = limit;
    }
    return { size: one.head.size, latest: from[sorted.length - 1 - index] ?? latest, earliest };
  });
}

/** The time that was signed, and the one that the receiver wrote before it by a clock of its own. */
function latestOf({ anchor, at, seen }: AnchorHead): readonly Limit[] {
  return [
    ...(at === null ? [] : [limitOf(anchor, at, beside)]),
    ...(seen === null ? [] : [limitOf(anchor, seen, ahead)]),
  ];
}

function limitOf(anchor: string, at: number, slack: number): Limit {
  return { anchor, ts: new Date(at + slack).toISOString(), says: new Date(at).toISOString() };
}
