// Calls that may last: held as long as any, then answered while they run on, and heard again by approval_wait; the owner can list and cancel them.

import { isCaller, type KeptCalls } from "../approval/kept-calls.ts";
import { untilAborted } from "../credentials/kept.ts";
import type { CallRequest } from "../domain/call.ts";
import { fault, Faulted, type Fault } from "../domain/fault.ts";
import type { StoredResult } from "../domain/approval.ts";
import type { ApprovalId, CallId } from "../domain/ids.ts";
import type { Outcome } from "../domain/outcome.ts";
import { roomOf, type PrincipalFields } from "../domain/principal.ts";
import type { Stages } from "../pipeline.ts";
import type { WaitAnswer } from "../tool.ts";
import { answerOf, resultOf } from "./results.ts";

/** A long call that runs now. */
export interface LiveCall {
  /** What its caller waits by: the approval's id where it runs because it was approved. */
  readonly id: ApprovalId | CallId;
  readonly call: CallId;
  readonly tool: string;
  readonly principal: PrincipalFields;
  /** Milliseconds since 1970. */
  readonly since: number;
  /** The tool's own last word. */
  readonly progress: string;
}

/** Long calls of one caller that run at a time: each holds a credential for as long as it lasts. */
const mostRunning = 8;

export interface LongCallsOptions {
  readonly kept: KeptCalls;
  readonly now: () => number;
  readonly log: (fault: Fault, call: string) => void;
}

interface Entry extends LiveCall {
  progress: string;
  readonly cancel: () => void;
}

export type LongCalls = ReturnType<typeof openLongCalls>;

export function openLongCalls({ kept, now, log }: LongCallsOptions) {
  const live = new Map<CallId, Entry>();
  /** Calls whose caller was answered: their end is still to be kept. */
  const goingOn = new Map<CallId, Promise<void>>();
  const enter = (request: CallRequest, id: Entry["id"], cancel: () => void): Entry => {
    const { id: call, tool, principal } = request;
    const entry: Entry = { id, call, tool, principal, since: now(), progress: "it has just begun", cancel };
    live.set(call, entry);
    return entry;
  };

  /** Fault: limit_exceeded, where the caller has as many under way as it may. */
  function roomFor(principal: PrincipalFields): void {
    const mine = [...live.values()].filter((one) => roomOf(one.principal) === roomOf(principal));
    if (mine.length >= mostRunning)
      throw new Faulted(fault("limit_exceeded", { limit: `${mostRunning} long calls of yours run` }));
  }

  /** The same call may be there once more: asked for, and run because it was approved. */
  function leaveLive(entry: Entry | null): void {
    if (entry !== null && live.get(entry.call) === entry) live.delete(entry.call);
  }

  return {
    /**
     * Governs a call that may last. The caller is held for as long as it asked, and while the call does not run yet; then it hears that the call runs on.
     * As long as it is held its going away cancels the call, afterwards nothing of it does.
     */
    async govern(
      request: CallRequest,
      line: (request: CallRequest, running: (stages: Stages) => Stages) => Promise<Outcome>,
    ): Promise<Outcome> {
      const cancelling = new AbortController();
      const leave = (): void => cancelling.abort(request.signal.reason);
      if (request.signal.aborted) leave();
      request.signal.addEventListener("abort", leave, { once: true });
      const begun = Promise.withResolvers<void>();
      let entry = null as Entry | null;
      const own: CallRequest = {
        ...request,
        signal: cancelling.signal,
        progress(message, part) {
          if (entry !== null) entry.progress = message;
          request.progress(message, part);
        },
      };
      const running = (stages: Stages): Stages => ({
        ...stages,
        async execute(...given) {
          const { id, tool, principal } = request;
          roomFor(principal);
          // It has its place before anything is waited for: calls that come together must not all find the same room.
          entry = enter(request, id, () => cancelling.abort());
          await kept.begin({ ...principal, id, tool, startedAt: now() });
          begun.resolve();
          return await stages.execute(...given);
        },
      });
      const flight = line(own, running).finally(() => leaveLive(entry));
      const held = await firstOf(flight, begun.promise, request.hold);
      request.signal.removeEventListener("abort", leave);
      if (held !== null || entry === null) {
        const outcome = held ?? (await flight);
        if (kept.get(request.id) !== undefined)
          await kept.forget(request.id).catch((thrown) => log(faultOf(thrown), request.id));
        return outcome;
      }
      const end = flight
        .then((outcome) => kept.end(request.id, resultOf(outcome), now()))
        .catch((thrown: unknown) => log(faultOf(thrown), request.id))
        .finally(() => goingOn.delete(request.id));
      goingOn.set(request.id, end);
      return runningOutcome(entry);
    },

    /** Runs the recorded call of an approval so that it can be watched and cancelled; its answer is the approval's to keep. */
    async approved<T>(request: CallRequest, id: ApprovalId, run: (request: CallRequest) => Promise<T>): Promise<T> {
      const cancelling = new AbortController();
      const entry = enter(request, id, () => cancelling.abort());
      const signal = AbortSignal.any([request.signal, cancelling.signal]);
      try {
        return await run({ ...request, signal, progress: (message) => void (entry.progress = message) });
      } finally {
        leaveLive(entry);
      }
    },

    /** The call, if it runs now. */
    running: (call: CallId): LiveCall | null => live.get(call) ?? null,

    /** What `approval_wait` answers for a long call of the caller's own that no approval stands for; null where it is none. */
    async waitFor(id: CallId, milliseconds: number, request: CallRequest): Promise<WaitAnswer | null> {
      const call = kept.get(id);
      if (call === undefined || !isCaller(call, request.principal)) return null;
      const end = goingOn.get(id);
      if (end !== undefined) await settled(end, milliseconds, request.signal);
      const result = await kept.take(id, now());
      if (result !== null) return answerOf(result);
      const entry = live.get(id);
      return entry === undefined ? { kind: "taken", id } : runningAnswer(entry, now());
    },

    /** Is this a long call of this caller's? */
    isOf(id: CallId, principal: PrincipalFields): boolean {
      const call = kept.get(id);
      return call !== undefined && isCaller(call, principal);
    },
    /** How a long call of the caller's own stands, without waiting: its result is told once. null where it is none. */
    async task(
      id: CallId,
      principal: PrincipalFields,
    ): Promise<
      | { readonly kind: "running"; readonly live: LiveCall }
      | { readonly kind: "ended"; readonly tool: string; readonly result: StoredResult | null }
      | null
    > {
      const call = kept.get(id);
      if (call === undefined || !isCaller(call, principal)) return null;
      const entry = live.get(id);
      if (entry !== undefined) return { kind: "running", live: entry };
      await goingOn.get(id);
      return { kind: "ended", tool: call.tool, result: await kept.take(id, now()) };
    },

    /** For the owner alone: every long call that runs now, oldest first. */
    list: (): readonly LiveCall[] => [...live.values()].sort((a, b) => a.since - b.since),
    /** Cancels by id; false where no such call runs. */
    cancel(call: CallId): boolean {
      const entry = live.get(call);
      entry?.cancel();
      return entry !== undefined;
    },
    async close(): Promise<void> {
      await Promise.allSettled(goingOn.values());
    },
  };
}

/** Waits for the end, and no longer than this. */
async function settled(end: Promise<void>, milliseconds: number, signal: AbortSignal): Promise<void> {
  const left = AbortSignal.any([signal, AbortSignal.timeout(milliseconds)]);
  await untilAborted(end, left).catch(() => undefined);
}

/** The outcome, or null once the call runs and its caller was held long enough. */
async function firstOf(flight: Promise<Outcome>, begun: Promise<void>, hold: number): Promise<Outcome | null> {
  const timer = Promise.withResolvers<null>();
  const ticking = setTimeout(() => void begun.then(() => timer.resolve(null)), hold);
  try {
    return await Promise.race([flight, timer.promise]);
  } finally {
    clearTimeout(ticking);
  }
}

export function runningOutcome({ id, call, tool, progress, since }: LiveCall): Outcome {
  return { kind: "running", call, id, tool, progress, since };
}

export function runningAnswer({ id, tool, progress, since }: LiveCall, now: number): WaitAnswer {
  return { kind: "running", id, tool, progress, seconds: Math.round((now - since) / 1000) };
}

function faultOf(thrown: unknown): Fault {
  return thrown instanceof Faulted ? thrown.fault : fault("internal", {}, String(thrown));
}
