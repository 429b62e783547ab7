// The second line: a cluster that sends nothing outside the call's accesses, and that masks whatever comes back.

import type { Precondition } from "../domain/call.ts";
import type { Cluster, Need } from "../tool.ts";
import { evict } from "./evict.ts";
import { openGate, type GuardOptions } from "./gate.ts";
import { covers } from "./guard.ts";
import { readsOf } from "./reads.ts";
import { runCommand } from "./run-command.ts";
import type { Write } from "./write.ts";
import { writesOf } from "./writes.ts";

export interface GuardedCluster extends Cluster {
  /** The writes of this run, in order. */
  readonly writes: readonly Write[];
  /** What the parts that were grafted into them came from: it must be there again, as it was. */
  readonly sources: readonly Precondition[];
  /** Is every write a dry run? */
  readonly rehearses: boolean;
  /** Was a real write answered with success, whatever became of its answer here? */
  wrote(): boolean;
  /** From here on it sends nothing: the tool's run is over, and so is what it was allowed. */
  end(): void;
}

/** Opens a cluster for one run of one call. A request outside `accesses` is a fault `internal`: the tool broke its word. */
export function guardCluster(options: GuardOptions): GuardedCluster {
  const gate = openGate(options);
  const { cluster } = options.client;
  return {
    name: cluster,
    namespaces: [...new Set(options.accesses.filter((one) => one.name === "").map((one) => one.namespace))],
    leftOut: options.leftOut,
    writes: gate.writes,
    sources: gate.sources,
    rehearses: options.rehearse,
    wrote: () => gate.wrote(),
    end: () => gate.end(),
    ...readsOf(gate),
    ...writesOf(gate),
    exec: runCommand(gate),
    evict: evict(gate),
    may: (need: Need) =>
      options.accesses.some((declared) => covers(declared, cluster, { ...need, subresource: need.subresource ?? "" })),
  };
}
