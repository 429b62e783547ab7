// Ends sessions in every cluster: the reader's token of each goes, and that it went is on record.

import type { Append } from "../domain/entry.ts";
import type { SessionId } from "../domain/ids.ts";
import { inTime } from "./in-time.ts";
import type { Clusters } from "./clusters.ts";
import { ownEntry } from "./own-entry.ts";
import type { Reach } from "./reach.ts";

/** Milliseconds that ending the sessions' tokens may take: they end by themselves within the hour. */
const lastSessions = 3_000;

export interface SessionEnds {
  /** In each cluster at the same time; one that does not answer is not waited for long. */
  one(session: SessionId): Promise<void>;
  /** Every session's. What a cluster that does not answer keeps is the next start's to sweep. */
  all(): Promise<void>;
}

export function sessionEnds(clusters: Clusters, append: Append): SessionEnds {
  const ending = new Set<Promise<unknown>>();

  /** A removal that failed is the sweep's. */
  async function endIn({ credentials }: Reach, session: SessionId): Promise<void> {
    const grant = credentials.sessions().find((one) => one.session === session)?.grant ?? null;
    const complete = await credentials.endSession(session);
    if (grant !== null && complete !== null) await append([ownEntry("grant.revoked", { grant, complete })]);
  }
  return {
    async one(session) {
      const flight = Promise.all(clusters.all.map((reach) => endIn(reach, session)));
      ending.add(flight);
      await inTime(
        lastSessions,
        flight.finally(() => ending.delete(flight)),
      );
    },
    async all() {
      const tired = setTimeout(() => clusters.all.forEach((reach) => reach.credentials.abandon()), lastSessions);
      try {
        const others = clusters.all.flatMap((reach) =>
          reach.credentials.sessions().map(({ session }) => endIn(reach, session)),
        );
        await Promise.all([...ending, ...others]);
      } finally {
        clearTimeout(tired);
      }
    },
  };
}
