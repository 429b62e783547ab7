// Sweeps leftovers of grants at start and each minute, and puts what it found on record.

import type { ClusterCredentials } from "../credentials/open.ts";
import type { GrantId } from "../domain/ids.ts";
import type { Log } from "../log.ts";
import type { Transcript } from "../transcript/record.ts";

export interface SweepingOptions {
  readonly credentials: ClusterCredentials;
  readonly transcript: Transcript;
  readonly log: Log;
  readonly closing: AbortSignal;
  /** Unknown objects that an alert told of already: what is left for a person comes back in every sweep. */
  readonly told: Set<string>;
}

const every = 60_000;

/** Starts at once and returns how to stop; a cluster that is away is tried again at the next minute. */
export function startSweeping(given: Omit<SweepingOptions, "told">): { stop(): Promise<void> } {
  const options = { ...given, told: new Set<string>() };
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

async function sweepOnce({ credentials, transcript, log, closing, told }: SweepingOptions): Promise<void> {
  const begun = new Set(transcript.unsettled.map((call) => call.call));
  const sessionGrants = transcript
    .liveGrants()
    .flatMap((grant) => (grant.issuer === "reader" ? [grant.id as GrantId] : []));
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
        details: { grant, objects, why: "left over" },
      }));
    const alerts = found.unknown
      .filter((one) => !told.has(one.grant))
      .map((one) => ({
        ...common,
        kind: "alert.raised" as const,
        call: null,
        details: {
          alert: "unknown grant object",
          about: { grant: one.grant, objects: one.objects, removed: one.removed },
        },
      }));
    if (swept.length + alerts.length > 0) await transcript.append([...swept, ...alerts]);
    for (const { grant } of found.unknown) told.add(grant);
    if (!closing.aborted)
      for (const unread of found.unread) log.warn({ unread }, "the sweep could not read everything");
  } catch (thrown) {
    if (!closing.aborted)
      log.warn({ cause: thrown instanceof Error ? thrown.message : String(thrown) }, "the sweep will be tried again");
  }
}
