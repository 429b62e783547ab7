// Evicts one pod through its budgets: the very pod that was read.

import { resourcePath } from "../domain/access.ts";
import { fault, Faulted } from "../domain/fault.ts";
import { textAt } from "../domain/json.ts";
import type { Cluster } from "../tool.ts";
import { sameObject } from "./agreed.ts";
import type { Gate } from "./gate.ts";
import { writeQuery } from "./write-body.ts";

/** Faults: eviction_blocked; stale, where another pod has the name by now. */
export function evict(gate: Gate): Cluster["evict"] {
  const { options } = gate;
  return async (pod, read) => {
    const { namespace, name } = pod;
    const uid = textAt(read, "metadata", "uid");
    // The uid again, for the server: another pod may take the name before it looks (policy/v1 Eviction, `deleteOptions`).
    const deleteOptions = { apiVersion: "v1", kind: "DeleteOptions", preconditions: { uid } };
    const body = { apiVersion: "policy/v1", kind: "Eviction", metadata: { name, namespace }, deleteOptions };
    const sent = gate.request(
      { verb: "create", ...pod, subresource: "eviction" },
      { body, query: writeQuery(options) },
    );
    const agreedOn = options.preconditions.find((one) =>
      sameObject(one, resourcePath({ ...pod.kind, subresource: "" }), pod),
    );
    // One that no rehearsal showed was agreed to by nobody.
    if (!options.rehearse && agreedOn?.uid !== uid)
      throw new Faulted(fault("stale", { kind: pod.kind.kind, name }, `pod ${name} is not the one that was agreed`));
    const gone = { ref: pod, subresource: "", before: read, after: null, taken: [], sent: null, evicted: true };
    try {
      const { warnings } = await options.client.request(sent);
      gate.answered();
      gate.writes.push({ ...gone, warnings });
    } catch (thrown) {
      // What a budget holds back now is what the call would do all the same: it waits for the budget.
      const waits = thrown instanceof Faulted && ["eviction_blocked", "cluster_busy"].includes(thrown.fault.code);
      if (options.rehearse && waits) gate.writes.push({ ...gone, warnings: [] });
      throw thrown;
    }
  };
}
