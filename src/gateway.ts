// The composition root: configuration and adapters in, a governed gateway out. Everything that varies is chosen here. Long: whatever a gateway is made of is put together in one place.

import { createSecretKey } from "node:crypto";
import { tools } from "../tools/index.ts";
import { approvalMethods } from "./approval/methods.ts";
import type { Mode, Voter } from "./approval/ballot.ts";
import { keepChannelsUpdated } from "./approval/announce.ts";
import { openDesk } from "./approval/desk.ts";
import type { Channel } from "./approval/channels/contract.ts";
import type { People } from "./approval/people.ts";
import { listTools, toolsByName, type ListedTool, type Permitted } from "./catalogue.ts";
import type { Config } from "./config/schema.ts";
import type { CallReceipt } from "./domain/call-receipt.ts";
import type { CallRequest, Effect } from "./domain/call.ts";
import type { Evidence, Identified } from "./domain/evidence.ts";
import { fault, type Fault } from "./domain/fault.ts";
import { idsFrom, type CallId, type SessionId } from "./domain/ids.ts";
import type { Outcome } from "./domain/outcome.ts";
import { roomOf, type Principal, type PrincipalFields, type Session, type Subject } from "./domain/principal.ts";
import type { TaskState } from "./domain/task.ts";
import { identify, renew } from "./identity/identify.ts";
import { refused, rollUp, sentenceOf } from "./identity/refused.ts";
import type { Verifier } from "./identity/verifiers/contract.ts";
import type { Connection } from "./kubernetes/contract.ts";
import type { Log } from "./log.ts";
import { governCall } from "./pipeline.ts";
import { policyDiff } from "./policy/diff.ts";
import type { Policy } from "./policy/policy.ts";
import { possible } from "./policy/possible.ts";
import type { Observed } from "./telemetry/contract.ts";
import { startAnchoring, type Anchoring, type NamedAnchor } from "./transcript/anchoring.ts";
import { realDisk, type Disk } from "./transcript/disk.ts";
import { keepPolicy } from "./transcript/policies.ts";
import { lastEntries } from "./transcript/read.ts";
import { openReceipts } from "./transcript/receipts.ts";
import { openAccounts } from "./wiring/accounts.ts";
import { agentMethods } from "./wiring/agent-methods.ts";
import { callMethods } from "./wiring/call-methods.ts";
import { eachInTurn, whyOf } from "./wiring/closing.ts";
import { inTime } from "./wiring/in-time.ts";
import { hourly, startClockChecks, type ClockTimes } from "./wiring/clock-checks.ts";
import { clustersOf } from "./wiring/clusters.ts";
import { consoleDesk } from "./wiring/console.ts";
import { countRolledUp } from "./wiring/counted.ts";
import { sharedDeadline } from "./wiring/deadline.ts";
import { quietly } from "./wiring/quietly.ts";
import { reachCluster } from "./wiring/reach.ts";
import { listingPods, readableIn, reviewCall, reviewed, standingOf } from "./wiring/review.ts";
import { dependenciesOf, type Dependency } from "./wiring/dependencies.ts";
import { endAll } from "./wiring/kill-switch.ts";
import { limitEntry, openLimits, underLimits, type Exceeded, type LimitName } from "./wiring/limits.ts";
import { openLongCalls } from "./wiring/long-calls.ts";
import { measuredAppend, openWatching } from "./wiring/measured.ts";
import { evidenceMethods, type Keeper } from "./wiring/evidence-methods.ts";
import { ownEntry } from "./wiring/own-entry.ts";
import type { Parts, Waiting } from "./wiring/parts.ts";
import { lastsOf, stagesFor } from "./wiring/stages.ts";
import { sessionEnds } from "./wiring/session-ends.ts";
import { openSessionEntries } from "./wiring/session-entries.ts";
import { openSessions } from "./wiring/sessions.ts";
import { digestOfTools, startEntries } from "./wiring/started.ts";
import { stillOperator } from "./wiring/still-operator.ts";
import { openMaskingInForce, type MaskingInForce, type ProfilesInForce } from "./wiring/masking-in-force.ts";
import { openState } from "./wiring/state.ts";
import { startSweeping } from "./wiring/sweeping.ts";
import { openTakingBack } from "./wiring/taking-back.ts";
import { openUnderWay, type Watched } from "./wiring/under-way.ts";
import { openWaiting } from "./wiring/waiting.ts";

export interface GatewayOptions {
  readonly config: Config;
  /** SHA-256 of the configuration, hex. */
  readonly configDigest: string;
  readonly policy: Policy;
  /** The profile in force, and those that policy may ask for besides. */
  readonly masking: ProfilesInForce;
  /** The state folder; the caller holds its lock. */
  readonly folder: string;
  readonly version: string;
  /** One a cluster, in the order of the configuration; each is named after its cluster. */
  readonly connections: readonly Connection[];
  readonly verifiers: readonly Verifier[];
  /** Whom agents' accounts may stand for: the issuers by name, and the agents that the configuration itself names. */
  readonly agents: {
    readonly issuers: readonly { readonly name: string; readonly issuer: string | null }[];
    readonly configured: readonly Subject[];
  };
  readonly channels: readonly Channel[];
  /** Where a person decides, in words for the agent: an address or a command. */
  readonly where: string;
  /** Whose approvals count as `owner`'s, in single-user mode. */
  readonly owner: Mode;
  readonly log: Log;
  readonly now: () => number;
  readonly random: (count: number) => Uint8Array;
  /** Where the transcript is written; absent: the real disk. */
  readonly disk?: Disk;
  /** Who is told how long what took and how it ended; absent: nobody. */
  readonly observed?: Observed;
  /** When the clock is compared with the clusters'; absent: at the start and once an hour. */
  readonly clockTimes?: ClockTimes;
  /** Where checkpoints are kept beyond this machine; absent: nowhere. */
  readonly anchors?: readonly NamedAnchor[];
}

export interface Gateway {
  identify(evidence: Evidence): Promise<Identified>;
  listTools(principal: Principal): Promise<readonly ListedTool[]>;
  /** Every effect that a call of this tool can have; null for a tool that there is none of. */
  effectsOf(tool: string): readonly Effect[] | null;
  governCall(request: CallRequest): Promise<Outcome>;
  /** The namespaces in which this read would be answered now; empty where it would not. */
  readable(request: CallRequest): Promise<readonly string[]>;
  /** The receipt of the caller's own call; null for another's and for none alike. The reading is on record before it is answered. */
  ownCall(call: CallId, principal: Principal, session: Session): Promise<CallReceipt | null>;
  /** Counts what is answered without a call. Fault: limit_exceeded. */
  look(principal: Principal): void;
  /** The caller has as many requests open at the door as it may: counted, and rolled up. */
  crowded(principal: Principal): void;
  /** How the caller's own call stands that was answered by this id; null for another's and for none alike. */
  task(id: string, request: CallRequest): Promise<TaskState | null>;
  /** Ends a call of the caller's own that runs on; false for another's and for none alike. */
  cancelTask(id: string, request: CallRequest): Promise<boolean>;
  /** What the console shows and takes, for people who signed in. */
  console(people: People): ReturnType<typeof consoleDesk>;
  /** What the local socket answers for one verified person. */
  approvals(voter: Voter): ReturnType<typeof approvalMethods>;
  /** What the local socket answers to the owner alone about calls that run on. */
  calls(): ReturnType<typeof callMethods>;
  /** What the local socket answers to the owner alone about agents' accounts. */
  agents(by: PrincipalFields): ReturnType<typeof agentMethods>;
  /** What the local socket answers to auditors and operators about evidence; the keeper stands in the entries. */
  evidence(keeper: Keeper): ReturnType<typeof evidenceMethods>;
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
  /** Puts other masking profiles in force, whole, for the calls that begin from now on; false where they are those in force. The change is on record before it counts. */
  readonly changeMasking: MaskingInForce["change"];
  /** Puts on record that changed profiles were not taken, and why. */
  readonly maskingRefused: MaskingInForce["refused"];
  readonly maskingDigest: MaskingInForce["digest"];
  /** What this gateway stands on, each with how to try it. */
  dependencies(): readonly Dependency[];
  /** The anchors: how each stands, and to keep what is new at once. */
  readonly anchoring: Pick<Anchoring, "standings" | "now">;
  /** How many requests wait for a person now. */
  approvalsWaiting(): Promise<number>;
  /** For doctor and the tests: the head of the tree. */
  head(): { readonly size: number; readonly root: string };
  /** From now on no answer is held for a person: who waits hears that the request is pending. What runs goes on. */
  holdNobody(): void;
  close(reason: string): Promise<void>;
}

/** Opens the gateway on its state folder. Throws Faulted where the folder, the transcript or the approvals can't be trusted. */
export async function openGateway(options: GatewayOptions): Promise<Gateway> {
  const { config, folder, log, now, random, channels, disk = realDisk } = options;
  // The policy in force: decisions read it anew each time, so that a reload is one assignment.
  let { policy } = options;
  const closing = new AbortController();
  const holding = new AbortController();
  const ids = idsFrom(now, random);
  const { transcript, store, calls, keys, ...state } = await openState({
    folder,
    seal: config.transcript.bodies,
    gateway: {
      version: options.version,
      config: options.configDigest,
      get policy() {
        return policy.digest;
      },
    },
    now,
    random,
    say: (sentence) => log.warn({ cause: sentence }, "the transcript"),
    disk,
  });
  const { observed } = options;
  const append = observed === undefined ? transcript.append : measuredAppend(transcript.append, observed);
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
  const masking = openMaskingInForce(options.masking, { key: keys.masking, append });
  const logFault = ({ code, effect, cause }: Fault, call: string): void =>
    log.warn({ call, code, effect, cause }, "fault");
  const sessions = openSessions(now);
  const takingBack = openTakingBack({
    append,
    lost: (thrown, call) => logFault(fault("credential_unavailable", {}, `its removal: ${whyOf(thrown)}`), call),
  });
  const parts: Parts = {
    tools: toolsByName(tools),
    clusters,
    permitted,
    policy: () => policy,
    sessions,
    masking: () => masking.current(),
    append,
    takingBack,
    store,
    environmentLabel: config.environmentLabel,
    digestKey: createSecretKey(keys.digest),
    cursorKey: keys.cursor,
    deadline: config.deadline * 1000,
    deadlineSignal: sharedDeadline(config.deadline * 1000),
    newGrantId: () => ids.grant(),
    now,
    closing: closing.signal,
    holding: AbortSignal.any([closing.signal, holding.signal]),
    log: logFault,
  };
  const accounts = openAccounts({
    file: state.accounts,
    append,
    now,
    broke: (thrown) => log.warn({ cause: whyOf(thrown) }, "an agent's last use"),
  });
  const keptOut = rollUp(now, (told) => log.warn({ cause: sentenceOf(told) }, "an agent was kept out"));
  const refusedNames = rollUp(now, (told) => log.warn({ cause: sentenceOf(told) }, "a token was refused"));
  const verify = identify(
    options.verifiers,
    (verified, verifier) => {
      const why = accounts.standing(verified, verifier);
      // Whoever registers agents reads here what a refused one is called; the caller itself learns nothing.
      if (why !== "") keptOut(refused(why));
      return why;
    },
    (why, verifier) => refusedNames(refused(`${verifier}: ${why}`)),
  );
  const underWay = openUnderWay((who) => accounts.standing(who, who.verifier));
  const limited = countRolledUp<Exceeded>(now, null, (counted) => append(counted.map(limitEntry)));
  const exceeded = (principal: PrincipalFields, limit: LimitName): void =>
    limited.count(`${limit} ${roomOf(principal)}`, { principal, limit });
  const limits = openLimits({ limits: config.limits, now, exceeded });
  const watching = openWatching(observed, parts.tools);
  const longCalls = openLongCalls({ kept: calls, now, log: logFault });
  const waits = openWaiting({
    parts,
    channels,
    longCalls,
    ids,
    where: options.where,
    renew: renew(options.verifiers, accounts.standing),
    stagesFor: (request) => stagesFor(parts, waiting, request),
    approved: (request, line) =>
      underWay.govern(request, async (own, watched) => {
        const room = limits.enterApproved(own.principal);
        return await watching
          .approved(own, stagesFor(parts, waiting, own), (stages) => line(watched(stages), own))
          .finally(room.leave);
      }),
    onUnreached: (channel, why) => log.warn({ channel, cause: why }, "a channel could not be told"),
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

  const ends = sessionEnds(clusters, append);
  const sessionEntries = openSessionEntries({
    append,
    sessions,
    lost: (thrown) => log.warn({ cause: whyOf(thrown) }, "the transcript"),
  });
  const closeClusters = async (): Promise<void> => {
    await Promise.all(clusters.all.map((reach) => reach.close()));
  };
  const receipts = openReceipts(folder);
  const running = new Set<Promise<Outcome>>();
  const letGo = [closeClusters, () => store.close(), () => transcript.close()];
  try {
    const started = {
      version: options.version,
      config: options.configDigest,
      policy: policy.digest,
      repaired: transcript.repaired,
      tools: digestOfTools(tools),
      work: clusters.all.map((reach) => reach.work),
    };
    await keepPolicy(disk, folder, policy);
    await append(startEntries(started, transcript.lastStart));
    await waits.recover();
  } catch (thrown) {
    limited.stop();
    await eachInTurn([() => waits.close(), () => accounts.close(), ...letGo], log);
    throw thrown;
  }
  const stopUpdating = keepChannelsUpdated(store, channels, (unreached) => {
    for (const { channel, why } of unreached) log.warn({ channel, cause: why }, "a channel could not be told");
  });
  const maskFor =
    (id: SessionId) =>
    (text: string): string =>
      masking.current().forCall({ id, door: "socket" }, {}).text(text);
  const maskWords = maskFor("ses_approvals" as SessionId);
  const desk = openDesk({ store, append, mode: options.owner, mask: maskWords, now });
  const closeChannels = async (): Promise<void> => {
    await Promise.all(channels.map(async (channel) => await channel.close?.()));
  };
  try {
    await Promise.all(channels.map(async (channel) => await channel.open?.(desk)));
  } catch (thrown) {
    stopUpdating();
    limited.stop();
    await eachInTurn([closeChannels, () => waits.close(), () => accounts.close(), ...letGo], log);
    throw thrown;
  }
  const anchoring = startAnchoring({
    anchors: options.anchors ?? [],
    transcript: { ...transcript, append },
    folder,
    now,
    pause: quietly,
    say: (sentence) => log.warn({ cause: sentence }, "an anchor"),
  });
  const sweeping = startSweeping({ clusters, transcript, log, closing: closing.signal });
  const clockChecks = startClockChecks({
    clusters,
    append,
    clocks: { now, steady: () => performance.now() },
    times: options.clockTimes ?? hourly,
    log,
    closing: closing.signal,
  });
  const strangers = countRolledUp(now, null, (counted) =>
    append(counted.map(({ count, since }) => ownEntry("identity.refused", { count, since }))),
  );

  return {
    async identify(evidence) {
      const found = await verify(evidence);
      if (found.kind === "identified") accounts.used(found.principal);
      return found;
    },
    listTools: (principal) => Promise.resolve(listTools(parts.tools, principal, permitted, clusters.names.length > 1)),
    effectsOf: (tool) => parts.tools.get(tool)?.effects ?? null,
    async governCall(request) {
      const lasts = lastsOf(parts.tools.get(request.tool), request.arguments) > 0;
      const flight = watching.asked(request, (onTheLine) =>
        underLimits(limits, request, (room) => {
          const govern = (asked: CallRequest, running_: Watched): Promise<Outcome> =>
            underWay
              .govern(asked, (own, watched) => {
                sessionEntries.called(own.session, own.principal);
                const stages = room.on(watched(running_(stagesFor(parts, waiting, own))));
                return onTheLine(own, stages, (timed) => governCall(timed, own));
              })
              .finally(room.leave);
          return lasts ? longCalls.govern(request, govern) : govern(request, (stages) => stages);
        }),
      );
      running.add(flight);
      try {
        return await flight;
      } finally {
        running.delete(flight);
      }
    },
    look: (principal) => limits.look(principal),
    crowded: (principal) => exceeded(principal, "requests"),
    async task(id, request) {
      const found = await waits.task(id, request);
      if (found?.kind === "ended") limits.answered(request.principal, found.outcome);
      return found;
    },
    cancelTask: (id, request) => waits.cancelTask(id, request),
    async readable(request) {
      const room = limits.room(request.principal);
      if (room === null) return [];
      return await readableIn(stagesFor(parts, waiting, request), request).finally(room.leave);
    },
    async ownCall(call, principal, session) {
      const room = limits.enter(principal);
      const receipt = await receipts.read(call, principal).finally(room.leave);
      const details = { call, found: receipt !== null };
      await append([{ kind: "evidence.viewed", session, call: null, principal, details }]);
      return receipt;
    },
    console: (people) =>
      consoleDesk({
        store,
        desk,
        people,
        mode: options.owner,
        about: (uid) => lastEntries(folder, 40, { uid }),
        async viewed(principal, query, call, count) {
          const told = { what: "console", query, count, size: transcript.head().size };
          const details = { call, found: count > 0, ...told };
          await append([{ kind: "evidence.viewed", session: null, call: null, principal, details }]);
        },
        now,
      }),
    approvals: (voter) =>
      approvalMethods({
        store,
        append,
        mode: options.owner,
        voter,
        mask: maskWords,
        now,
      }),
    calls: () => callMethods(longCalls),
    agents: (by) =>
      agentMethods({
        accounts,
        by,
        end: (identity) => endAll(identity, { underWay, store, append, clusters, ends, now }),
        ...options.agents,
        reviewDays: config.agents.reviewDays,
        mask: maskFor("ses_agents" as SessionId),
        now,
      }),
    evidence: (keeper) =>
      evidenceMethods({
        append,
        keeping: transcript.keeping,
        retention: config.transcript.retention,
        head: () => transcript.head(),
        mask: maskWords,
        keeper,
        stillOperator: (asked) => stillOperator(asked, config),
        anchor: () => anchoring.now(),
      }),
    async endSession(session) {
      // Its counts are read before they are forgotten.
      const closed = sessionEntries.ended(session, "idle, or its connection ended");
      sessions.end(session);
      underWay.forget(session);
      await Promise.all([closed, ends.one(session)]);
    },
    refusedStranger() {
      observed?.observer.stranger();
      strangers.count("stranger", null);
    },
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
      await keepPolicy(disk, folder, next);
      await append([ownEntry("policy.changed", { from, to, diff: policyDiff(policy, next) })]);
      policy = next;
      return true;
    },
    async policyRefused(problems) {
      const about = { kept: policy.digest, problems: problems.slice(0, 20) };
      await append([ownEntry("alert.raised", { alert: "policy refused", about })]);
    },
    policyDigest: () => policy.digest,
    changeMasking: masking.change,
    maskingRefused: masking.refused,
    maskingDigest: masking.digest,
    dependencies: () =>
      dependenciesOf({ transcript, store, clusters, verifiers: options.verifiers, channels, anchoring }),
    anchoring,
    approvalsWaiting: async () => (await store.list(["pending"])).length,
    head: () => transcript.head(),
    holdNobody: () => holding.abort(),
    async close(reason) {
      closing.abort();
      strangers.stop();
      limited.stop();
      stopUpdating();
      const stopped = ownEntry("gateway.stopped", { reason });
      await eachInTurn(
        [
          () => sweeping.stop(),
          () => clockChecks.stop(),
          () => inTime(lastCalls, Promise.all([waits.close(), Promise.allSettled(running), longCalls.close()])),
          () => inTime(lastRemovals, takingBack.settled()),
          closeChannels,
          () => strangers.flush(),
          () => limited.flush(),
          () => accounts.close(),
          () => ends.all(),
          () => sessionEntries.all("the gateway stopped"),
          () => append([stopped]),
          () => anchoring.stop(AbortSignal.timeout(lastAnchors)),
          ...letGo,
        ],
        log,
      );
    },
  };
}

/** Milliseconds that anchors get to keep the last checkpoint. */
const lastAnchors = 5_000;

/** Milliseconds that removals which a slow cluster still owes get on top: the next start sweeps what they leave. */
const lastRemovals = 500;

/** Milliseconds that calls which were cut off get to take their credentials back and to record their end. */
const lastCalls = 3_000;
