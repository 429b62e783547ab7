// Calls that wait for a person: asked, held, joined, run at once when approved, and answered once. Long, because these are the stations of one request.

import { randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import type { Channel } from "../approval/channels/contract.ts";
import { makeRequest } from "../approval/request.ts";
import { seek, unheard } from "../approval/seek.ts";
import type { Answer, KeptRequest } from "../approval/stores/contract.ts";
import { escalateDue } from "../approval/escalation.ts";
import { expireDue, markStale } from "../approval/verdict.ts";
import { openWatch } from "../approval/watch.ts";
import { recover } from "../approval/recover.ts";
import type { ApprovalRequest, StoredResult } from "../domain/approval.ts";
import type { CallRequest, PlannedCall } from "../domain/call.ts";
import type { Decision, Facts } from "../domain/decision.ts";
import { fault, Faulted, type Fault } from "../domain/fault.ts";
import { parseApprovalId, parseCallId, type ApprovalId, type CallId, type Ids } from "../domain/ids.ts";
import type { Outcome } from "../domain/outcome.ts";
import { roomOf, sameCaller, type Principal, type PrincipalFields } from "../domain/principal.ts";
import type { Preview } from "../domain/run.ts";
import type { TaskState } from "../domain/task.ts";
import { runApproved, type Stages } from "../pipeline.ts";
import { argumentsOf } from "../policy/plan.ts";
import type { WaitAnswer } from "../tool.ts";
import { runningAnswer, runningOutcome, type LiveCall, type LongCalls } from "./long-calls.ts";
import { answerOf, cutOff, resultOf } from "./results.ts";
import type { Parts } from "./parts.ts";
import { lastsOf } from "./stages.ts";

export interface WaitingOptions {
  readonly parts: Parts;
  readonly channels: readonly Channel[];
  readonly longCalls: LongCalls;
  readonly ids: Ids;
  /** Where a person decides, in words for the agent. */
  readonly where: string;
  /** Turns the principal of a recorded call into one again: only while its evidence still holds. */
  readonly renew: (recorded: PrincipalFields) => Promise<Principal | null>;
  readonly stagesFor: (request: CallRequest) => Stages;
  /** Sends a call that a person agreed to down the line, under whoever watches it. */
  readonly approved: (
    request: CallRequest,
    line: (stages: Stages, own: CallRequest) => Promise<Outcome>,
  ) => Promise<Outcome>;
  /** A channel that could not be told, for the operator's log. */
  readonly onUnreached: (channel: string, why: string) => void;
}

export type Waits = ReturnType<typeof openWaiting>;

const sweepEvery = 1000;
/** Requests of one caller that wait for a person at a time: more is nothing that a person could read. */
const mostPending = 50;
/** Requests that wait for the same people at a time, whoever asks: a queue that is longer is read by nobody. */
const mostForPeople = 1_000;
const progressEvery = 10_000;

/** Whom its rules ask, at once or after a while. */
function approversOf({ requirements }: Pick<KeptRequest, "requirements">): ReadonlySet<string> {
  return new Set(
    requirements.flatMap(({ approvers, escalate = [] }) => [...approvers, ...escalate.flatMap(({ to }) => to)]),
  );
}

export function openWaiting(options: WaitingOptions) {
  const { parts, where } = options;
  const { store, append, now } = parts;
  const watch = openWatch(store, now);
  const running = new Set<Promise<unknown>>();
  /** Requests on their way to the store, by caller. */
  const asking = new Map<string, Set<ApprovalId>>();

  /** The last stage before a person: makes or joins the request and holds the caller for as long as it asked. */
  async function seekApproval(
    call: PlannedCall,
    decision: Decision,
    facts: Facts,
    preview: Preview,
    request: CallRequest,
  ): Promise<Outcome> {
    const earlier = await unheard(store, call.digest, call.principal);
    if (earlier !== undefined) return await joined(earlier, call, { ...request, hold: 0 });
    const environment = environmentsOf(facts);
    const nonce = randomBytes(16).toString("hex");
    const made = makeRequest({ id: options.ids.approval(), nonce, call, decision, preview, environment, now: now() });
    const sought = await ifThereIsRoom(made, () => seek(store, append, options.channels, made));
    for (const { channel, why } of sought.unreached) options.onUnreached(channel, why);
    if (sought.joined) return await joined(sought.request, call, request);
    return await heldFor(sought.request, call, request);
  }

  /** Does the work unless its caller has filled the queue already; joining adds nothing to it. Fault: limit_exceeded. */
  async function ifThereIsRoom<T>(made: ApprovalRequest, work: () => Promise<T>): Promise<T> {
    const { id, call, callDigest } = made;
    const caller = roomOf(call.principal);
    const mine = asking.get(caller) ?? new Set();
    const before = [...mine];
    asking.set(caller, mine.add(id));
    try {
      const all = await store.list(["pending"]);
      const joins = (kept: KeptRequest): boolean =>
        kept.callDigest === callDigest && sameCaller(kept.call.principal, call.principal);
      if (all.some(joins)) return await work();
      const pending = all.filter((kept) => roomOf(kept.call.principal) === caller);
      if (new Set([...before, ...pending.map((kept) => kept.id)]).size >= mostPending)
        throw new Faulted(fault("limit_exceeded", { limit: `${mostPending} requests of yours wait for a person` }));
      if (
        [...approversOf(made)].some((one) => all.filter((kept) => approversOf(kept).has(one)).length >= mostForPeople)
      )
        throw new Faulted(fault("limit_exceeded", { limit: `${mostForPeople} requests wait for the same people` }));
      return await work();
    } finally {
      mine.delete(id);
      if (mine.size === 0) asking.delete(caller);
    }
  }

  /** From here on the call may run at any moment, or is on record as joined, so nothing that breaks here may end it there: the caller is sent to wait. */
  async function heldFor(asked: KeptRequest, call: PlannedCall, request: CallRequest): Promise<Outcome> {
    try {
      return outcomeOf(await hold(asked.id, request), call, request);
    } catch (thrown) {
      parts.log(faultOf(thrown), call.id);
      return outcomeOf({ kind: "open", request: asked }, call, request);
    }
  }

  /** An equal call was there first: this one is on record as not run, and hears the other's answer. */
  async function joined(first: KeptRequest, call: PlannedCall, request: CallRequest): Promise<Outcome> {
    const record = options.stagesFor(request).record(request, true);
    const why = fault("approval_pending", { approval: first.id }, `joined ${first.id}`);
    const ended = await record.refused(why, null);
    if (ended.kind !== "refused" || ended.fault.code !== why.code) return ended;
    return await heldFor(first, call, request);
  }

  /** The held caller's outcome: the record of its call is written by whoever ran or ended it. */
  function outcomeOf(answer: Answer, call: Pick<PlannedCall, "id">, request: CallRequest): Outcome {
    switch (answer.kind) {
      case "open": {
        const live = liveOf(answer.request);
        if (live !== null) return runningOutcome({ ...live, call: call.id });
        return {
          kind: "suspended",
          call: call.id,
          approval: answer.request.id,
          expiresAt: answer.request.expiresAt,
          where,
        };
      }
      case "result":
        return outcomeOfResult(answer.result, call.id, request);
      case "ended":
        return { kind: "refused", call: call.id, fault: endOf(answer.request) };
      case "taken":
      case "unknown":
        return { kind: "refused", call: call.id, fault: fault("approval_stale", { changed: "the request is over" }) };
    }
  }

  /** A kept answer as its call's own outcome, masked once more on its way out. */
  function outcomeOfResult(result: StoredResult, call: CallId, request: CallRequest): Outcome {
    if (result.kind === "failed")
      return { kind: "failed", call, fault: fault(result.code, result.detail, "", result.effect) };
    const output = options.stagesFor(request).mask(result.output);
    return { kind: "completed", call, output, effect: result.effect, ambient: false };
  }

  /** Waits for the end of a request, telling a client that asked for it that the call is alive. */
  async function hold(id: ApprovalId, request: CallRequest): Promise<Answer> {
    const done = new AbortController();
    const words = (live: LiveCall | null): string => live?.progress ?? "waiting for a person to approve";
    // A store that can't be read now says nothing of the call; nobody awaits this before the hold ends, so a fault here would end the process.
    const kept = (): Promise<KeptRequest | undefined> => store.get(id).catch(() => undefined);
    const telling = tell(request, done.signal, async () => words(liveOf(await kept())));
    try {
      return await watch.awaitEnd(id, request.hold, AbortSignal.any([request.signal, parts.holding]));
    } finally {
      done.abort();
      await telling;
    }
  }

  /** Runs an approved request at once; whoever waits for it gets its outcome. */
  async function run(id: ApprovalId): Promise<void> {
    const approved = await store.recall(id);
    if (approved === undefined || approved.state !== "approved") return;
    const principal = await options.renew(approved.call.principal);
    if (principal === null) return void (await markStale(store, append, id, "the caller is no longer accepted", now()));
    const request = recalled(approved, principal);
    const run_ = (own: CallRequest): Promise<Outcome> =>
      options.approved(own, (stages, watched) => runApproved(stages, approved, watched));
    const lasts = lastsOf(parts.tools.get(request.tool), request.arguments) > 0;
    const outcome = await (lasts ? options.longCalls.approved(request, id, run_) : run_(request));
    const kept = await store.get(id);
    if (kept?.state === "approved") await markStale(store, append, id, changedIn(outcome), now());
    else if (kept?.state === "spent") await store.storeResult(id, resultOf(outcome), now());
  }

  /** The recorded call as a request of its own: nobody's connection ends it. */
  function recalled(approved: ApprovalRequest, principal: Principal): CallRequest {
    const { id, session, tool } = approved.call;
    // The cluster is the one that the approver saw; if it is another than the call's, the digest tells.
    const exact = argumentsOf(
      { ...approved.call, cluster: approved.card.cluster },
      { tools: parts.tools, clusters: parts.clusters.names },
    );
    const progress = (): void => undefined;
    return {
      id,
      principal,
      session,
      tool,
      arguments: exact,
      receivedAt: now(),
      signal: parts.closing,
      hold: 0,
      progress,
    };
  }

  function start(id: ApprovalId): void {
    const flight = run(id)
      .catch((thrown: unknown) => parts.log(faultOf(thrown), id))
      .finally(() => running.delete(flight));
    running.add(flight);
  }
  const stopWatching = store.onChange((request, before) => {
    if (request.state === "approved" && before?.state !== "approved") start(request.id);
  });
  async function onTime(): Promise<void> {
    await expireDue(store, append, now());
    for (const { channel, why } of await escalateDue(store, append, options.channels, now()))
      options.onUnreached(channel, why);
  }
  const expiring = setInterval(() => {
    void onTime().catch((thrown: unknown) => parts.log(faultOf(thrown), ""));
  }, sweepEvery);
  expiring.unref();

  return {
    seek: seekApproval,
    /** After a restart: ends what is over, and starts what was approved and may still start. */
    async recover(): Promise<void> {
      const { startable } = await recover(store, append, now(), cutOff);
      for (const { id } of startable) start(id);
    },
    /** What `approval_wait` answers: of the caller's own requests alone. */
    async waitFor(text: string, milliseconds: number, request: CallRequest): Promise<WaitAnswer> {
      const id = parseApprovalId(text) ?? (await byCall(text));
      const kept = id === undefined ? undefined : await store.get(id);
      if (kept === undefined) return (await ofLongCall(text, milliseconds, request)) ?? { kind: "unknown" };
      if (!sameCaller(kept.call.principal, request.principal)) return { kind: "unknown" };
      const answer = await hold(kept.id, { ...request, hold: milliseconds });
      switch (answer.kind) {
        case "unknown":
          return { kind: "unknown" };
        case "open": {
          const live = liveOf(kept);
          if (live !== null) return runningAnswer(live, now());
          return { kind: "pending", id: kept.id, expiresAt: kept.expiresAt, where };
        }
        case "taken":
          return { kind: "taken", id: kept.id };
        case "ended":
          throw new Faulted(endOf(answer.request));
        case "result":
          return answerOf(answer.result);
      }
    },
    /** How a call of the caller's own stands that was answered by its id: nobody is held. null for another's and for none alike. */
    async task(text: string, asked: CallRequest): Promise<TaskState | null> {
      const id = parseApprovalId(text) ?? (await byCall(text));
      const kept = id === undefined ? undefined : await store.get(id);
      if (kept === undefined) return await longTask(text, asked);
      if (!sameCaller(kept.call.principal, asked.principal)) return null;
      const request = { ...asked, id: kept.call.id, tool: kept.call.tool, hold: 0 };
      const answer = await hold(kept.id, request);
      if (answer.kind === "unknown") return null;
      if (answer.kind !== "open")
        return { kind: "ended", id: kept.id, tool: kept.call.tool, outcome: outcomeOf(answer, kept.call, request) };
      const says = liveOf(kept)?.progress ?? `approval ${kept.id} waits for a person, decided at ${where}`;
      return { kind: "working", id: kept.id, says, until: kept.state === "pending" ? kept.expiresAt : null };
    },
    /** Ends a call of the caller's own that runs on. A request that waits is only left alone: its requester withdraws it elsewhere. */
    async cancelTask(text: string, { principal }: CallRequest): Promise<boolean> {
      const id = parseApprovalId(text) ?? (await byCall(text));
      const kept = id === undefined ? undefined : await store.get(id);
      const call = kept?.call.id ?? parseCallId(text);
      if (kept !== undefined) {
        if (!sameCaller(kept.call.principal, principal)) return false;
      } else if (call === undefined || !options.longCalls.isOf(call, principal)) return false;
      if (call !== undefined) options.longCalls.cancel(call);
      return true;
    },
    async close(): Promise<void> {
      clearInterval(expiring);
      stopWatching();
      await Promise.allSettled(running);
      watch.close();
    },
  };

  /** The call of a request, where it is one that lasts and runs now. */
  function liveOf(kept: KeptRequest | undefined): LiveCall | null {
    return kept === undefined ? null : options.longCalls.running(kept.call.id);
  }

  /** A long call that ran without an approval. */
  async function ofLongCall(text: string, milliseconds: number, request: CallRequest): Promise<WaitAnswer | null> {
    const call = parseCallId(text);
    if (call === undefined) return null;
    const done = new AbortController();
    const words = (): string => options.longCalls.running(call)?.progress ?? "waiting for the call's end";
    const telling = tell({ ...request, hold: milliseconds }, done.signal, () => Promise.resolve(words()));
    try {
      return await options.longCalls.waitFor(call, milliseconds, request);
    } finally {
      done.abort();
      await telling;
    }
  }

  /** A long call that no approval stands for, as a task. */
  async function longTask(text: string, asked: CallRequest): Promise<TaskState | null> {
    const call = parseCallId(text);
    if (call === undefined) return null;
    const found = await options.longCalls.task(call, asked.principal);
    if (found === null || found.kind === "running") {
      const says = found?.live.progress ?? "";
      return found === null ? null : { kind: "working", id: call, says, until: null };
    }
    const request = { ...asked, id: call, tool: found.tool };
    const outcome =
      found.result === null
        ? outcomeOf({ kind: "unknown" }, { id: call }, request)
        : outcomeOfResult(found.result, call, request);
    return { kind: "ended", id: call, tool: found.tool, outcome };
  }

  async function byCall(text: string): Promise<ApprovalId | undefined> {
    const call = parseCallId(text);
    return call === undefined ? undefined : (await store.list(null)).find((kept) => kept.call.id === call)?.id;
  }
}

/** Every environment that the call touches, for the card: one of several would be taken for all of them. "" where none is named. */
function environmentsOf({ namespaces }: Facts): string {
  const named = new Set(namespaces.map(({ environment }) => environment));
  if (named.size === 1) return [...named].join();
  return [...named].map((environment) => (environment === "" ? "one that is not named" : environment)).join(", ");
}

async function tell(request: CallRequest, done: AbortSignal, words: () => Promise<string>): Promise<void> {
  if (request.hold === 0) return;
  for (let wait = 500; ; wait = progressEvery) {
    try {
      await pause(wait, undefined, { signal: done });
    } catch {
      return;
    }
    request.progress(await words());
  }
}

function endOf(request: KeptRequest): Fault {
  switch (request.state) {
    case "rejected":
    case "revoked": {
      const words = request.verdicts.findLast((one) => one.answer === "reject" && one.tellAgent)?.reason ?? "";
      return fault("approval_rejected", words === "" ? {} : { quote: words });
    }
    case "expired":
    case "lapsed":
      return fault("approval_expired");
    case "withdrawn":
      return fault("approval_withdrawn");
    case "stale":
    case "superseded":
      return fault("approval_stale", request.why === "" ? {} : { changed: request.why });
    case "pending":
    case "approved":
    case "spent":
      return fault("internal", {}, `a request in state ${request.state} has not ended`);
  }
}

function faultOf(thrown: unknown): Fault {
  return thrown instanceof Faulted ? thrown.fault : fault("internal", {}, String(thrown));
}

function faultIn(outcome: Outcome): Fault {
  return outcome.kind === "refused" || outcome.kind === "failed" ? outcome.fault : fault("internal");
}

function changedIn(outcome: Outcome): string {
  const found = faultIn(outcome);
  return found.code === "approval_stale" && typeof found.detail["changed"] === "string"
    ? found.detail["changed"]
    : `the call is now refused: ${found.code}`;
}
