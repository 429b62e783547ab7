// What every request of one run goes through: it is declared, no forbid holds it, and the run is not over; and what the run has read and written so far.

import type { Access } from "../domain/access.ts";
import type { Precondition } from "../domain/call.ts";
import { fault, Faulted } from "../domain/fault.ts";
import { textAt, type JsonObject } from "../domain/json.ts";
import type { StreamSegment } from "../domain/run.ts";
import type { KubeClient, KubeRequest } from "../kubernetes/contract.ts";
import type { ObjectRef } from "../tool.ts";
import type { MaskIncoming } from "./contract.ts";
import { covers, describeTarget, guardSent, type Target } from "./guard.ts";
import { refuse, tokenSecrets, tokenType } from "./body-forbids.ts";
import { ownerLine } from "./owners.ts";
import type { Write } from "./write.ts";

export interface GuardOptions {
  readonly client: KubeClient;
  /** Exactly what policy allowed; nothing else is sent. */
  readonly accesses: readonly Access[];
  /** The built-in forbids, asked once more about what is really sent. */
  readonly forbids: (target: Target) => boolean;
  /** How many accesses or namespaces policy left out. */
  readonly leftOut: number;
  readonly authorization: () => string | null;
  readonly masking: MaskIncoming;
  /** In a rehearsal every write is a server-side dry run. */
  readonly rehearse: boolean;
  readonly preconditions: readonly Precondition[];
  readonly nextAuditId: () => string;
  readonly agent: string;
  readonly signal: AbortSignal;
  /** Milliseconds for each request. */
  readonly timeout: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Takes what a command wrote, for the record, however it ended. */
  readonly streamed: (segments: readonly StreamSegment[]) => void;
}

/** One run's way to the cluster: reads and writes alike are made of it. */
export interface Gate {
  readonly options: GuardOptions;
  /** The objects that this run has read, as an owner would be named. */
  readonly met: ReadonlySet<string>;
  /** The writes of this run, in order. */
  readonly writes: Write[];
  /** What the parts that were grafted into them came from: it must be there again, as it was. */
  readonly sources: Precondition[];
  /** The request as it is sent. A request outside the accesses is a fault `internal`: the tool broke its word. Faults: denied. */
  request(access: Target, more?: Partial<KubeRequest>): KubeRequest;
  /** One object as it is stored: nothing of it may leave unmasked. */
  read(ref: ObjectRef, subresource: string): Promise<JsonObject>;
  /** A write was answered with success, a rehearsed one or a real one. */
  answered(): void;
  /** Was a real write answered with success, whatever became of its answer here? */
  wrote(): boolean;
  /** Throws where the run is over. Fault: internal. */
  refuseAfterwards(what: string): void;
  /** From here on nothing is sent: the tool's run is over, and so is what it was allowed. */
  end(): void;
}

export function openGate(options: GuardOptions): Gate {
  const { client } = options;
  const met = new Set<string>();
  let wrote = false;
  let ended = false;

  function refuseAfterwards(what: string): void {
    if (ended) throw new Faulted(fault("internal", {}, `asked for after the run: ${what}`));
  }
  function request(access: Target, more: Partial<KubeRequest> = {}): KubeRequest {
    refuseAfterwards(describeTarget(access));
    if (!options.accesses.some((declared) => covers(declared, client.cluster, access)))
      throw new Faulted(fault("internal", {}, `undeclared access: ${describeTarget(access)}`));
    if (options.forbids(access)) throw new Faulted(fault("denied", {}, `forbidden access: ${describeTarget(access)}`));
    return {
      verb: access.verb,
      group: access.kind.group,
      version: access.kind.version,
      resource: access.kind.resource,
      ...(access.subresource === "" ? {} : { subresource: access.subresource }),
      namespace: access.namespace,
      name: access.name,
      authorization: options.authorization(),
      auditId: options.nextAuditId(),
      agent: options.agent,
      signal: options.signal,
      timeout: options.timeout,
      guard: (sent) => guardSent(sent, options),
      ...more,
    };
  }
  return {
    options,
    met,
    writes: [],
    sources: [],
    request,
    async read(ref, subresource) {
      const { body } = await client.request(request({ verb: "get", ...ref, subresource }));
      // Whatever the call is: to delete one is to have read it.
      if (ref.kind.group === "" && ref.kind.resource === "secrets" && textAt(body, "type") === tokenType)
        refuse(tokenSecrets);
      met.add(ownerLine(body, ref.namespace));
      return body;
    },
    answered() {
      if (!options.rehearse) wrote = true;
    },
    wrote: () => wrote,
    refuseAfterwards,
    end() {
      ended = true;
    },
  };
}
