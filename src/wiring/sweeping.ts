// Sweeps leftovers of grants at start and each minute, and puts what it found on record.

import type { GrantId } from "../domain/ids.ts";
import type { Log } from "../log.ts";
import type { Transcript } from "../transcript/record.ts";
import type { Clusters } from "./clusters.ts";
import type { Reach } from "./reach.ts";

export interface SweepingOptions {
  readonly reach: Reach;
  /** Is a grant whose entry names no cluster taken for one of this cluster? */
  readonly oldest: boolean;
  readonly transcript: Transcript;
  readonly log: Log;
  readonly closing: AbortSignal;
  /** Unknown objects that an alert told of already: what is left for a person comes back in every sweep. */
  readonly told: Set<string>;
}

const every = 60_000;

/** Starts at once, each cluster on its own, and returns how to stop; a cluster that is away is tried again at the next minute. */
export function startSweeping({
  clusters,
  ...common
}: Omit<SweepingOptions, "reach" | "oldest" | "told"> & { readonly clusters: Clusters }): { stop(): Promise<void> } {
  const sweeps = clusters.all.map((reach, index) =>
    sweepEach({ ...common, reach, oldest: index === 0, told: new Set() }),
  );
  return {
    async stop() {
      await Promise.all(sweeps.map((one) => one.stop()));
    },
  };
}

function sweepEach(options: SweepingOptions): { stop(): Promise<void> } {
  let flight = sweepOnce(options);
  const timer = setInterval(() => {
    flight = flight.then(() => sweepOnce(options));
  }, every);
  timer.unref();
  return {
    async stop() {
      clearInterval(timer);
      await flight;
    },
  };
}

async function sweepOnce({ reach, oldest, transcript, log, closing, told }: SweepingOptions): Promise<void> {
  const { cluster, credentials } = reach;
  const begun = new Set(transcript.unsettled.map((call) => call.call));
  const isHere = (named: string): boolean => named === cluster || (named === "" && oldest);
  const sessionGrants = transcript
    .liveGrants()
    .flatMap((grant) => (grant.issuer === "reader" && isHere(grant.cluster) ? [grant.id as GrantId] : []));
  try {
    const found = await credentials.sweep(
      { knows: (grant, call) => transcript.knowsGrant(grant) || begun.has(call), sessionGrants },
      AbortSignal.any([closing, AbortSignal.timeout(30_000)]),
    );
    if (found === null) return;
    const common = { session: null, principal: null } as const;
    const swept = found.swept
      .filter((one) => one.complete)
      .map(({ grant, call, objects }) => ({
        ...common,
        kind: "grant.swept" as const,
        call: call === "" ? null : call,
        details: { cluster, grant, objects, why: "left over" },
      }));
    const alerts = found.unknown
      .filter((one) => !told.has(one.grant))
      .map((one) => ({
        ...common,
        kind: "alert.raised" as const,
        call: null,
        details: {
          alert: "unknown grant object",
          about: { cluster, grant: one.grant, objects: one.objects, removed: one.removed },
        },
      }));
    if (swept.length + alerts.length > 0) await transcript.append([...swept, ...alerts]);
    for (const { grant } of found.unknown) told.add(grant);
    if (!closing.aborted)
      for (const unread of found.unread) log.warn({ cluster, cause: unread }, "the sweep could not read everything");
  } catch (thrown) {
    if (!closing.aborted)
      log.warn(
        { cluster, cause: thrown instanceof Error ? thrown.message : String(thrown) },
        "the sweep will be tried again",
      );
  }
}
