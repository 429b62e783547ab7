// The composition root: configuration and adapters in, a governed gateway out. Everything that varies is chosen here. Long: whatever a gateway is made of is put together in one place.

import { tools } from "../tools/index.ts";
import { approvalMethods } from "./approval/methods.ts";
import type { Mode, Voter } from "./approval/ballot.ts";
import { keepChannelsUpdated } from "./approval/announce.ts";
import type { Channel } from "./approval/channels/contract.ts";
import { listTools, toolsByName, type ListedTool, type Permitted } from "./catalogue.ts";
import type { Config } from "./config/schema.ts";
import type { CallReceipt } from "./domain/call-receipt.ts";
import type { CallRequest } from "./domain/call.ts";
import type { Evidence, Identified } from "./domain/evidence.ts";
import { fault, type Fault } from "./domain/fault.ts";
import { idsFrom, type CallId, type SessionId } from "./domain/ids.ts";
import type { Outcome } from "./domain/outcome.ts";
import type { Principal, Session } from "./domain/principal.ts";
import { identify, renew } from "./identity/identify.ts";
import type { Verifier } from "./identity/verifiers/contract.ts";
import type { Connection } from "./kubernetes/contract.ts";
import type { Log } from "./log.ts";
import { openMasking, type CallMasker, type MaskingOptions } from "./masking/mask.ts";
import { governCall } from "./pipeline.ts";
import { policyDiff } from "./policy/diff.ts";
import type { Policy } from "./policy/policy.ts";
import { possible } from "./policy/possible.ts";
import type { Disk } from "./transcript/disk.ts";
import { openReceipts } from "./transcript/receipts.ts";
import { callMethods } from "./wiring/call-methods.ts";
import { eachInTurn, whyOf, within } from "./wiring/closing.ts";
import { clustersOf } from "./wiring/clusters.ts";
import { sharedDeadline } from "./wiring/deadline.ts";
import { reachCluster } from "./wiring/reach.ts";
import { listingPods, readableIn, reviewCall, reviewed, standingOf } from "./wiring/review.ts";
import { openLongCalls } from "./wiring/long-calls.ts";
import { ownEntry } from "./wiring/own-entry.ts";
import type { Parts, Waiting } from "./wiring/parts.ts";
import { lastsOf, stagesFor } from "./wiring/stages.ts";
import { sessionEnds } from "./wiring/session-ends.ts";
import { openSessions } from "./wiring/sessions.ts";
import { openState } from "./wiring/state.ts";
import { countStrangers } from "./wiring/strangers.ts";
import { startSweeping } from "./wiring/sweeping.ts";
import { openWaiting } from "./wiring/waiting.ts";

export interface GatewayOptions {
  readonly config: Config;
  /** SHA-256 of the configuration, hex. */
  readonly configDigest: string;
  readonly policy: Policy;
  /** The profile in force, and those that policy may ask for besides. */
  readonly masking: Pick<MaskingOptions, "profile" | "profiles">;
  /** The state folder; the caller holds its lock. */
  readonly folder: string;
  readonly version: string;
  /** One a cluster, in the order of the configuration; each is named after its cluster. */
  readonly connections: readonly Connection[];
  readonly verifiers: readonly Verifier[];
  readonly channels: readonly Channel[];
  /** Whose approvals count as `owner`'s, in single-user mode. */
  readonly owner: Mode;
  readonly log: Log;
  readonly now: () => number;
  readonly random: (count: number) => Uint8Array;
  /** Where the transcript is written; absent: the real disk. */
  readonly disk?: Disk;
}

export interface Gateway {
  identify(evidence: Evidence): Promise<Identified>;
  listTools(principal: Principal): Promise<readonly ListedTool[]>;
  governCall(request: CallRequest): Promise<Outcome>;
  /** The namespaces in which this read would be answered now; empty where it would not. */
  readable(request: CallRequest): Promise<readonly string[]>;
  /** The receipt of the caller's own call; null for another's and for none alike. The reading is on record before it is answered. */
  ownCall(call: CallId, principal: Principal, session: Session): Promise<CallReceipt | null>;
  /** What the local socket answers for one verified person. */
  approvals(voter: Voter): ReturnType<typeof approvalMethods>;
  /** What the local socket answers to the owner alone about calls that run on. */
  calls(): ReturnType<typeof callMethods>;
  /** Ends a session: its reader token goes with it. */
  endSession(session: SessionId): Promise<void>;
  /** Refused strangers since the last entry are rolled up into one. */
  refusedStranger(): void;
  broke(call: CallId, thrown: unknown): void;
  newCallId(): CallId;
  newSessionId(): SessionId;
  now(): number;
  random(count: number): Uint8Array;
  readonly hold: number;
  readonly output: Config["output"];
  /** Puts another policy in force, from the next decision on; false where it is the one in force. The change is on record before it counts. */
  changePolicy(next: Policy): Promise<boolean>;
  /** Puts on record that a changed policy was not taken, and why. */
  policyRefused(problems: readonly string[]): Promise<void>;
  policyDigest(): string;
  /** For doctor and the tests: the head of the tree. */
  head(): { readonly size: number; readonly root: string };
  close(reason: string): Promise<void>;
}

/** Opens the gateway on its state folder. Throws Faulted where the folder, the transcript or the approvals can't be trusted. */
export async function openGateway(options: GatewayOptions): Promise<Gateway> {
  const { config, folder, log, now, random, channels } = options;
  // The policy in force: decisions read it anew each time, so that a reload is one assignment.
  let { policy } = options;
  const closing = new AbortController();
  const ids = idsFrom(now, random);
  const { transcript, store, calls, keys } = await openState({
    folder,
    gateway: {
      version: options.version,
      config: options.configDigest,
      get policy() {
        return policy.digest;
      },
    },
    now,
    random,
    say: (sentence) => log.warn(sentence),
    ...(options.disk === undefined ? {} : { disk: options.disk }),
  });
  const clusters = clustersOf(
    options.connections.map((connection) =>
      reachCluster({
        connection,
        version: options.version,
        mode: config.credentials === "ambient" ? "ambient" : "grants",
        gatewayId: transcript.gateway,
        ids,
        now,
      }),
    ),
  );
  const permitted: Permitted = (who, tool) =>
    clusters.names.filter((cluster) => possible(policy, who, tool, [cluster]) !== "denied");
  const masking = openMasking({ key: keys.masking, ...options.masking });
  const forLog = masking.forCall({ id: "ses_log" as SessionId, door: "socket" }, {});
  const logFault = ({ code, effect, cause }: Fault, call: string): void =>
    log.warn({ call, code, effect, cause: loggable(cause, forLog) }, "fault");
  const sessions = openSessions(now);
  const parts: Parts = {
    tools: toolsByName(tools),
    clusters,
    permitted,
    policy: () => policy,
    sessions,
    masking,
    append: transcript.append,
    store,
    environmentLabel: config.environmentLabel,
    digestKey: keys.digest,
    cursorKey: keys.cursor,
    deadline: config.deadline * 1000,
    deadlineSignal: sharedDeadline(config.deadline * 1000),
    newGrantId: () => ids.grant(),
    now,
    closing: closing.signal,
    log: logFault,
  };
  const verify = identify(options.verifiers);
  const longCalls = openLongCalls({ kept: calls, now, log: logFault });
  const waits = openWaiting({
    parts,
    channels,
    longCalls,
    ids,
    where: "sallyport approvals",
    renew: renew(options.verifiers),
    stagesFor: (request) => stagesFor(parts, waiting, request),
    onUnreached: (channel, why) => log.warn({ channel, why }, "a channel could not be told"),
  });
  const waiting: Waiting = {
    seek: waits.seek,
    gatewayFor: (request, cluster) => ({
      review(tool, arguments_) {
        const asked = reviewed(parts, request, cluster, { tool, arguments: arguments_ });
        return reviewCall(parts, stagesFor(parts, waiting, asked), asked);
      },
      standing(namespace) {
        const listing = reviewed(parts, request, cluster, listingPods);
        return standingOf(parts, stagesFor(parts, waiting, listing), listing, cluster, namespace);
      },
      waitFor: (id, milliseconds) => waits.waitFor(id, milliseconds, request),
    }),
  };

  const ends = sessionEnds(clusters, transcript.append);
  const closeClusters = async (): Promise<void> => {
    await Promise.all(clusters.all.map((reach) => reach.close()));
  };
  const receipts = openReceipts(folder);
  const running = new Set<Promise<Outcome>>();
  const letGo = [closeClusters, () => store.close(), () => transcript.close()];
  try {
    await transcript.append([
      ownEntry("gateway.started", {
        version: options.version,
        config: options.configDigest,
        policy: policy.digest,
        repaired: transcript.repaired,
      }),
    ]);
    await waits.recover();
  } catch (thrown) {
    await eachInTurn([() => waits.close(), ...letGo], log);
    throw thrown;
  }
  const stopUpdating = keepChannelsUpdated(store, channels, (unreached) => {
    for (const { channel, why } of unreached) log.warn({ channel, why }, "a channel could not be told");
  });
  const sweeping = startSweeping({ clusters, transcript, log, closing: closing.signal });
  const strangers = countStrangers(now, (count, since) =>
    transcript.append([ownEntry("identity.refused", { count, since })]),
  );

  return {
    identify: verify,
    listTools: (principal) => Promise.resolve(listTools(parts.tools, principal, permitted, clusters.names.length > 1)),
    async governCall(request) {
      const lasts = lastsOf(parts.tools.get(request.tool), request.arguments) > 0;
      const flight = lasts
        ? longCalls.govern(request, (own, running_) => governCall(running_(stagesFor(parts, waiting, own)), own))
        : governCall(stagesFor(parts, waiting, request), request);
      running.add(flight);
      try {
        return await flight;
      } finally {
        running.delete(flight);
      }
    },
    readable: (request) => readableIn(stagesFor(parts, waiting, request), request),
    async ownCall(call, principal, session) {
      const receipt = await receipts.read(call, principal);
      const details = { call, found: receipt !== null };
      await transcript.append([{ kind: "evidence.viewed", session, call: null, principal, details }]);
      return receipt;
    },
    approvals: (voter) =>
      approvalMethods({
        store,
        append: transcript.append,
        mode: options.owner,
        voter,
        mask: (text) => masking.forCall({ id: "ses_approvals" as SessionId, door: "socket" }, {}).text(text),
        now,
      }),
    calls: () => callMethods(longCalls),
    async endSession(session) {
      sessions.end(session);
      await ends.one(session);
    },
    refusedStranger: () => strangers.count(),
    broke: (call, thrown) =>
      logFault(
        fault("internal", {}, thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)),
        call,
      ),
    newCallId: () => ids.call(),
    newSessionId: () => ids.session(),
    now,
    random,
    hold: config.hold * 1000,
    output: config.output,
    async changePolicy(next) {
      if (next.digest === policy.digest) return false;
      const [from, to] = [policy.digest, next.digest];
      await transcript.append([ownEntry("policy.changed", { from, to, diff: policyDiff(policy, next) })]);
      policy = next;
      return true;
    },
    async policyRefused(problems) {
      const about = { kept: policy.digest, problems: problems.slice(0, 20) };
      await transcript.append([ownEntry("alert.raised", { alert: "policy refused", about })]);
    },
    policyDigest: () => policy.digest,
    head: () => transcript.head(),
    async close(reason) {
      closing.abort();
      strangers.stop();
      stopUpdating();
      const stopped = ownEntry("gateway.stopped", { reason });
      await eachInTurn(
        [
          () => sweeping.stop(),
          () => within(lastCalls, Promise.all([waits.close(), Promise.allSettled(running), longCalls.close()])),
          () => strangers.flush(),
          () => ends.all(),
          () => transcript.append([stopped]),
          ...letGo,
        ],
        log,
      );
    },
  };
}

/** The cause can hold words of others, and a stack; what can't be masked is not logged. */
function loggable(cause: string, masker: CallMasker): string {
  try {
    return masker.text(cause);
  } catch (thrown) {
    return whyOf(thrown);
  }
}

/** Milliseconds that calls which were cut off get to take their credentials back and to record their end. */
const lastCalls = 10_000;
