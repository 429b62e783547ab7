// Prometheus metrics of one gateway, in a registry of their own. Labels are words of ours and the operator's alone: nothing that an agent says becomes one.

import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Outcome } from "../domain/outcome.ts";
import { stageNames, type Observer, type StageName } from "./contract.ts";

/** What is looked up at the moment of a scrape. */
export interface Standing {
  /** Requests that wait for a person; null where that can't be read now. */
  readonly approvalsWaiting: number | null;
  /** Dependencies by name, as /readyz has them. */
  readonly dependencies: readonly { readonly name: string; readonly ok: boolean }[];
  /** How far each continuous export is behind; null where that can't be read now. */
  readonly exports: readonly ExportLag[] | null;
}

/** `name` is the operator's own. */
export interface ExportLag {
  readonly name: string;
  /** Signed entries that have not arrived there. */
  readonly entries: number;
  /** Milliseconds since the oldest of them was written. */
  readonly age: number;
}

export interface Metrics {
  readonly observer: Observer;
  /** The Prometheus text of this moment, and its content type. */
  text(standing: Standing): Promise<{ readonly type: string; readonly body: string }>;
}

export interface MetricsOptions {
  /** The catalogue's tool names: any other is counted as `unknown`. */
  readonly tools: readonly string[];
  /** The masker's own words for what a secret was: any other is counted as `other`. */
  readonly maskTypes: readonly string[];
  /** Memory, garbage collection and event loop of this process, too: once a process. */
  readonly ofProcess: boolean;
}

/** Seconds: from a decision's microseconds to a minute of waiting for a person. */
const stageBuckets = [0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const appendBuckets = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5];

/** Opens them; every series of a bounded label is there from the start with 0, so that a rate never begins with a gap. */
export function openMetrics({ tools, maskTypes, ofProcess }: MetricsOptions): Metrics {
  const registry = new Registry();
  if (ofProcess) collectDefaultMetrics({ register: registry });
  const made = instruments(registry);
  const toolLabel = oneOf(tools, "unknown");
  const typeLabel = oneOf(maskTypes, "other");
  // Looked up once: a stage is observed a dozen times a call.
  const stages = new Map(stageNames.map((stage) => [stage, made.stages.labels({ stage })]));
  for (const stage of stageNames) made.stages.zero({ stage });
  for (const type of maskTypes) made.masked.inc({ type }, 0);
  for (const tool of tools) made.calls.inc({ tool, outcome: "completed", code: "" }, 0);

  const observer: Observer = {
    line: () => ({
      planned: () => undefined,
      stage: (name: StageName, began, ended) => stages.get(name)?.observe(Math.max(0, ended - began) / 1000),
      ended: () => undefined,
    }),
    answered(tool, outcome) {
      made.calls.inc({ tool: toolLabel(tool), ...endOf(outcome) });
      countMasked(outcome);
      if (codeOf(outcome) === "limit_exceeded") made.limits.inc();
    },
    ranLater(tool, outcome) {
      made.later.inc({ tool: toolLabel(tool), ...endOf(outcome) });
    },
    appended(took, durable) {
      made.append.observe(took / 1000);
      if (!durable) made.appendFailures.inc();
    },
    stranger: () => made.strangers.inc(),
  };
  function countMasked(outcome: Outcome): void {
    if (outcome.kind !== "completed") return;
    for (const { type, count } of outcome.output.masked) made.masked.inc({ type: typeLabel(type) }, count);
  }

  return {
    observer,
    async text({ approvalsWaiting, dependencies, exports }) {
      // What can't be read is left out: 0 would say that nobody waits.
      if (approvalsWaiting === null) made.waiting.remove();
      else made.waiting.set(approvalsWaiting);
      for (const { name, ok } of dependencies) made.dependencies.set({ dependency: name }, ok ? 1 : 0);
      if (exports === null) for (const lag of [made.behind, made.behindFor]) lag.reset();
      for (const { name, entries, age } of exports ?? []) {
        made.behind.set({ export: name }, entries);
        made.behindFor.set({ export: name }, age / 1000);
      }
      return { type: registry.contentType, body: await registry.metrics() };
    },
  };
}

function instruments(registry: Registry) {
  const registers = [registry];
  const ends = ["tool", "outcome", "code"] as const;
  return {
    calls: new Counter({
      name: "sallyport_calls_total",
      help: "Calls by tool and by what their callers were answered; code is the fault's, empty where there was none.",
      labelNames: ends,
      registers,
    }),
    later: new Counter({
      name: "sallyport_calls_later_total",
      help: "Ends of calls that ran because a person agreed, or that ran on after their callers were answered.",
      labelNames: ends,
      registers,
    }),
    stages: new Histogram({
      name: "sallyport_stage_seconds",
      help: "Seconds that each stage of a call took; approve waits for a person.",
      labelNames: ["stage"] as const,
      buckets: stageBuckets,
      registers,
    }),
    append: new Histogram({
      name: "sallyport_append_seconds",
      help: "Seconds until entries of the transcript were durable.",
      buckets: appendBuckets,
      registers,
    }),
    appendFailures: new Counter({
      name: "sallyport_append_failures_total",
      help: "Appends to the transcript that did not become durable.",
      registers,
    }),
    masked: new Counter({
      name: "sallyport_masked_total",
      help: "Values hidden in answers, by what they were.",
      labelNames: ["type"] as const,
      registers,
    }),
    waiting: new Gauge({
      name: "sallyport_approvals_waiting",
      help: "Requests that wait for a person; absent while the store can't be read.",
      registers,
    }),
    strangers: new Counter({
      name: "sallyport_strangers_total",
      help: "Requests turned away at the door because nobody vouched for their caller.",
      registers,
    }),
    limits: new Counter({
      name: "sallyport_limit_exceeded_total",
      help: "Calls that were answered limit_exceeded.",
      registers,
    }),
    dependencies: new Gauge({
      name: "sallyport_dependency_up",
      help: "1 where the dependency of that name answered when it was last tried, else 0.",
      labelNames: ["dependency"] as const,
      registers,
    }),
    behind: new Gauge({
      name: "sallyport_export_lag_entries",
      help: "Signed entries that have not arrived at the export of that name; absent while that can't be read.",
      labelNames: ["export"] as const,
      registers,
    }),
    behindFor: new Gauge({
      name: "sallyport_export_lag_seconds",
      help: "Seconds since the oldest entry was written that has not arrived at the export of that name; 0 where none is missing.",
      labelNames: ["export"] as const,
      registers,
    }),
  };
}

function endOf(outcome: Outcome): { readonly outcome: Outcome["kind"]; readonly code: string } {
  return { outcome: outcome.kind, code: codeOf(outcome) };
}

function codeOf(outcome: Outcome): string {
  return outcome.kind === "refused" || outcome.kind === "failed" ? outcome.fault.code : "";
}

/** The word where it is one of the known ones, else the other. */
function oneOf(words: readonly string[], other: string): (word: string) => string {
  const known = new Set(words);
  return (word) => (known.has(word) ? word : other);
}
