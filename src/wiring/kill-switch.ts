// Disabling an agent at once: its calls end down to their connections, what it asked of people is withdrawn, its credentials go.

import { setTimeout as pause } from "node:timers/promises";
import type { ApprovalStore, KeptRequest } from "../approval/stores/contract.ts";
import { withdrawFor } from "../approval/verdict.ts";
import type { Append } from "../domain/entry.ts";
import type { FaultCode } from "../domain/fault.ts";
import type { Subject } from "../domain/principal.ts";
import { hasPart } from "../identity/accounts.ts";
import type { Clusters } from "./clusters.ts";
import type { SessionEnds } from "./session-ends.ts";
import type { EndedCall, UnderWay } from "./under-way.ts";

export interface KillSwitchOptions {
  readonly underWay: UnderWay;
  readonly store: ApprovalStore;
  readonly append: Append;
  readonly clusters: Clusters;
  readonly ends: SessionEnds;
  readonly now: () => number;
}

/** All that went with the agent. */
export interface Killed {
  readonly calls: readonly EndedCall[];
  readonly withdrawn: readonly KeptRequest[];
  /** Sessions whose reading tokens were taken back. */
  readonly sessions: number;
  readonly milliseconds: number;
  /** False where an entry about any of it could not be written. */
  readonly recorded: boolean;
}

const unrecorded: FaultCode = "transcript_unavailable";
/** Milliseconds that the ends are waited for: a cluster that does not answer keeps its objects for the sweep. */
const patience = 10_000;

/**
 * Ends all in which the identity has a part. Its account must be disabled before, so that nothing of it begins anew.
 * A record that can't be written keeps none of it from ending: a request that could not be withdrawn is found stale
 * when somebody agrees to it.
 */
export async function endAll(identity: Subject, options: KillSwitchOptions): Promise<Killed> {
  const { underWay, store, append, clusters, ends, now } = options;
  const since = now();
  let recorded = true;
  const tried = async <T>(work: Promise<T>, otherwise: T): Promise<T> =>
    await work.catch(() => {
      recorded = false;
      return otherwise;
    });
  const tired = new AbortController();
  const most = pause(patience, undefined, { signal: tired.signal }).catch(() => undefined);
  try {
    const running = underWay.end(identity);
    const withdraw = async (): Promise<readonly KeptRequest[]> =>
      await tried(
        withdrawFor(store, append, (request) => hasPart(identity, request.call.principal), now()),
        [],
      );
    const [calls, first] = await Promise.all([Promise.all(running.map((one) => one.ended(most))), withdraw()]);
    // A call that was on its way to a person when it was ended may have asked after the first look.
    const withdrawn = [...first, ...(await withdraw())];
    const tokens = new Set(clusters.all.flatMap((reach) => reach.credentials.sessions().map(({ session }) => session)));
    const reading = underWay.sessionsOf(identity).filter((session) => tokens.has(session));
    await Promise.all(reading.map((session) => tried(ends.one(session), undefined)));
    const lost = calls.some(({ outcome }) => outcome?.kind === "failed" && outcome.fault.code === unrecorded);
    return { calls, withdrawn, sessions: reading.length, milliseconds: now() - since, recorded: recorded && !lost };
  } finally {
    tired.abort();
  }
}
