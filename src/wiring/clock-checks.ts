// Compares the gateway's clock with that of each cluster, at the start and once an hour, and puts the answer on record (NIST SP 800-53, AU-8).

import { clockLimit, isWithinLimit, type Offset } from "../domain/clock.ts";
import type { Append, EntryDraft } from "../domain/entry.ts";
import type { Log } from "../log.ts";
import { askVersion } from "./ask-version.ts";
import { clockOffset, type Clocks } from "./clock-offset.ts";
import { whyOf } from "./closing.ts";
import type { Clusters } from "./clusters.ts";
import { ownEntry } from "./own-entry.ts";
import { quietly } from "./quietly.ts";
import type { Reach } from "./reach.ts";

/** Milliseconds: before the first check, between two that were answered, and after one that was not. */
export interface ClockTimes {
  readonly first: number;
  readonly every: number;
  readonly again: number;
}
export const hourly: ClockTimes = { first: 0, every: 3_600_000, again: 60_000 };

export interface ClockCheckOptions {
  readonly clusters: Pick<Clusters, "all">;
  readonly append: Append;
  readonly clocks: Clocks;
  readonly times: ClockTimes;
  readonly log: Pick<Log, "warn">;
  readonly closing: AbortSignal;
}

/** Milliseconds that a cluster gets to answer: the longer it takes, the less its time says. */
const patience = 10_000;

/** Each cluster on its own: one that is away, or says no time, keeps no other from being asked. Ends when `closing` is aborted; returns how to wait for that. */
export function startClockChecks({ clusters, ...common }: ClockCheckOptions): { stop(): Promise<void> } {
  const checking = clusters.all.map((reach) => checkOn(reach, common));
  return {
    async stop() {
      await Promise.all(checking);
    },
  };
}

type Common = Omit<ClockCheckOptions, "clusters">;

async function checkOn(reach: Reach, { append, clocks, times, log, closing }: Common): Promise<void> {
  // An alert is raised once, until the clock is right again.
  let told = false;
  await quietly(times.first, closing);
  while (!closing.aborted) {
    const found = await askedOf(reach, clocks, closing);
    let kept = false;
    if (found !== null && !closing.aborted)
      try {
        await append(entriesOf(reach.cluster, found, told));
        [kept, told] = [true, !isWithinLimit(found)];
      } catch (thrown) {
        log.warn({ cluster: reach.cluster, cause: whyOf(thrown) }, "the transcript");
      }
    await quietly(kept ? times.every : times.again, closing);
  }
}

/** null where the cluster does not answer or says no time: the sweep and readiness tell of a cluster that is away, and doctor of one without a time. */
async function askedOf(reach: Reach, clocks: Clocks, closing: AbortSignal): Promise<Offset | null> {
  const signal = AbortSignal.any([closing, AbortSignal.timeout(patience)]);
  return await clockOffset(clocks, (dated) => askVersion(reach, signal, dated)).catch(() => null);
}

function entriesOf(source: string, found: Offset, told: boolean): readonly EntryDraft[] {
  const within = isWithinLimit(found);
  const checked = ownEntry("clock.checked", { source, ...found, limit: clockLimit, within });
  if (within || told) return [checked];
  const about = { cluster: source, ...found, limit: clockLimit };
  return [checked, ownEntry("alert.raised", { alert: "the clock is not the cluster's", about })];
}
