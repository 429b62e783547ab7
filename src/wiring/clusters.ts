// The clusters of one gateway by name: each with its own client, kinds, credentials and sweep, so that one that is dead stands in nobody's way.

import type { Reach } from "./reach.ts";

export interface Clusters {
  /** In the order of the configuration, never empty. */
  readonly names: readonly string[];
  readonly all: readonly Reach[];
  /** The cluster of a planned call. */
  of(name: string): Reach;
}

/** Two clusters of one name would be one for policies and on record. */
export function clustersOf(all: readonly Reach[]): Clusters {
  const byName = new Map(all.map((reach) => [reach.cluster, reach]));
  if (byName.size !== all.length || all.length === 0) throw new Error("no cluster, or two of one name");
  return {
    names: [...byName.keys()],
    all,
    of(name) {
      const found = byName.get(name);
      if (found === undefined) throw new Error(`a call of no cluster: ${name}`);
      return found;
    },
  };
}
