// The line under watch: every stage timed from outside, so that neither the line nor a stage knows of it.

import type { CallRequest } from "../domain/call.ts";
import type { Append } from "../domain/entry.ts";
import { Faulted, type FaultCode } from "../domain/fault.ts";
import type { Outcome } from "../domain/outcome.ts";
import type { CallRecord, Stages } from "../pipeline.ts";
import type { LineWatch, Observed, StageName } from "../telemetry/contract.ts";

/** The same stages, each told to the watch with its times and the code of the fault that ended it. */
export function measured(stages: Stages, watch: LineWatch, clock: () => number): Stages {
  const timed = async <T>(name: StageName, work: () => Promise<T>): Promise<T> => {
    const began = clock();
    try {
      const result = await work();
      watch.stage(name, began, clock(), null);
      return result;
    } catch (thrown) {
      watch.stage(name, began, clock(), codeOf(thrown));
      throw thrown;
    }
  };
  const timedNow = <T>(name: StageName, work: () => T): T => {
    const began = clock();
    try {
      const result = work();
      watch.stage(name, began, clock(), null);
      return result;
    } catch (thrown) {
      watch.stage(name, began, clock(), codeOf(thrown));
      throw thrown;
    }
  };
  const recorded = (record: CallRecord): CallRecord => ({
    received: (...given) => timed("record", () => record.received(...given)),
    previewed: (...given) => timed("record", () => record.previewed(...given)),
    running: (...given) => timed("record", () => record.running(...given)),
    granted: (...given) => timed("record", () => record.granted(...given)),
    pending: (...given) => timed("record", () => record.pending(...given)),
    refused: (...given) => timed("record", () => record.refused(...given)),
    settled: (...given) => timed("record", () => record.settled(...given)),
  });
  return {
    record: (...given) => recorded(stages.record(...given)),
    async plan(request) {
      const call = await timed("plan", () => stages.plan(request));
      watch.planned(call.cluster);
      return call;
    },
    resolve: (...given) => timed("resolve", () => stages.resolve(...given)),
    decide: (...given) => timedNow("decide", () => stages.decide(...given)),
    preview: (...given) => timed("preview", () => stages.preview(...given)),
    seek: (...given) => timed("approve", () => stages.seek(...given)),
    spend: (...given) => timed("spend", () => stages.spend(...given)),
    authorize: (...given) => timedNow("authorize", () => stages.authorize(...given)),
    async issue(...given) {
      const issued = await timed("issue", () => stages.issue(...given));
      return { ...issued, revoke: () => timed("revoke", () => issued.revoke()) };
    },
    execute: (...given) => timed("execute", () => stages.execute(...given)),
    mask: (...given) => timedNow("mask", () => stages.mask(...given)),
  };
}

/** Sends one call down the line. */
type OnTheLine = (request: CallRequest, stages: Stages, line: (stages: Stages) => Promise<Outcome>) => Promise<Outcome>;

export interface Watching {
  /** One call of a caller, told with what it was answered; `govern` sends it down the line. */
  asked(request: CallRequest, govern: (onTheLine: OnTheLine) => Promise<Outcome>): Promise<Outcome>;
  /** The run of a call that a person agreed to: its caller was answered, or hears of it by the call that it holds. */
  approved: OnTheLine;
}

/** `tools`: any other name is told as `unknown`, since it is the agent's own word. Without an observer everything runs as it is. */
export function openWatching(observed: Observed | undefined, tools: ReadonlyMap<string, unknown>): Watching {
  if (observed === undefined)
    return {
      asked: (_request, govern) => govern((_own, stages, line) => line(stages)),
      approved: (_request, stages, line) => line(stages),
    };
  const { observer, clock } = observed;
  const toolOf = ({ tool }: CallRequest): string => (tools.has(tool) ? tool : "unknown");
  const onTheLine: OnTheLine = async (request, stages, line) => {
    const watch = observer.line(request.id, toolOf(request), clock());
    const outcome = await line(measured(stages, watch, clock));
    watch.ended(outcome, clock());
    return outcome;
  };
  return {
    async asked(request, govern) {
      let passage: Promise<Outcome> | null = null as Promise<Outcome> | null;
      const outcome = await govern((...given) => (passage = onTheLine(...given)));
      observer.answered(toolOf(request), outcome);
      // It runs on without its caller; what breaks in there is its own keeper's to tell.
      if (outcome.kind === "running")
        void passage?.then(
          (end) => (end.kind === "running" ? undefined : observer.ranLater(toolOf(request), end)),
          () => undefined,
        );
      return outcome;
    },
    async approved(request, stages, line) {
      const outcome = await onTheLine(request, stages, line);
      observer.ranLater(toolOf(request), outcome);
      return outcome;
    },
  };
}

/** The same appends, with the time until they were durable. */
export function measuredAppend(append: Append, { observer, clock }: Observed): Append {
  return async (drafts) => {
    const began = clock();
    let durable = false;
    try {
      const receipts = await append(drafts);
      durable = true;
      return receipts;
    } finally {
      observer.appended(clock() - began, durable);
    }
  };
}

function codeOf(thrown: unknown): FaultCode {
  return thrown instanceof Faulted ? thrown.fault.code : "internal";
}
