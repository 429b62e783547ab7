// What the metrics count, and what never gets into them: the attack is an agent that puts its own words where labels are made.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { tools } from "../../tools/index.ts";
import { fault, faultCodes, type FaultCode } from "../../src/domain/fault.ts";
import type { CallId } from "../../src/domain/ids.ts";
import type { Outcome } from "../../src/domain/outcome.ts";
import { maskTypes } from "../../src/masking/token.ts";
import { stageNames } from "../../src/telemetry/contract.ts";
import { openMetrics, type Metrics } from "../../src/telemetry/metrics.ts";
import { asMasked } from "../mcp/door-for-tests.ts";
import { promise } from "../support/promise.ts";
import { samplesOf, valueOf } from "../support/prometheus.ts";

const names = tools.map((tool) => tool.name);
const call = "call_01900000-0000-7000-8000-000000000001" as CallId;
const open = (): Metrics => openMetrics({ tools: names, maskTypes, ofProcess: false });
const nothing = { approvalsWaiting: null, dependencies: [], exports: [] };
const textOf = async (metrics: Metrics): Promise<string> => (await metrics.text(nothing)).body;

const completed = (masked: readonly { type: string; count: number }[] = []): Outcome => ({
  kind: "completed",
  call,
  output: asMasked({ headline: ["done"], blocks: [], facts: {}, untrusted: false }, masked),
  effect: "none",
  ambient: false,
});
const refused = (code: FaultCode, cause = ""): Outcome => ({ kind: "refused", call, fault: fault(code, {}, cause) });

describe("counting", () => {
  promise("telemetry:calls-are-counted", "by tool, outcome and the fault's code", async () => {
    const metrics = open();
    metrics.observer.answered("objects_get", completed([{ type: "password", count: 3 }]));
    metrics.observer.answered("objects_get", completed([{ type: "password", count: 1 }]));
    metrics.observer.answered("objects_get", refused("denied"));
    metrics.observer.answered("logs_read", refused("limit_exceeded"));
    metrics.observer.ranLater("workloads_scale", completed());
    metrics.observer.stranger();
    const text = await textOf(metrics);
    expect(valueOf(text, "sallyport_calls_total", { tool: "objects_get", outcome: "completed", code: "" })).toBe(2);
    expect(valueOf(text, "sallyport_calls_total", { tool: "objects_get", outcome: "refused", code: "denied" })).toBe(1);
    const later = { tool: "workloads_scale", outcome: "completed", code: "" };
    expect(valueOf(text, "sallyport_calls_later_total", later)).toBe(1);
    expect(valueOf(text, "sallyport_calls_total", later)).toBe(0);
    expect(valueOf(text, "sallyport_masked_total", { type: "password" })).toBe(4);
    expect(valueOf(text, "sallyport_limit_exceeded_total", {})).toBe(1);
    expect(valueOf(text, "sallyport_strangers_total", {})).toBe(1);
  });

  promise("telemetry:stages-are-timed", "every stage has its histogram from the start", async () => {
    const metrics = open();
    const watch = metrics.observer.line(call, "objects_get", 1000);
    watch.stage("plan", 1000, 1000.25, null);
    watch.stage("plan", 1000, 1002, "invalid_input");
    const text = await textOf(metrics);
    const counts = samplesOf(text).filter((one) => one.name === "sallyport_stage_seconds_count");
    expect(counts.map((one) => [one.labels["stage"], one.value])).toEqual(
      stageNames.map((stage) => [stage, stage === "plan" ? 2 : 0]),
    );
    expect(valueOf(text, "sallyport_stage_seconds_bucket", { stage: "plan", le: "0.0005" })).toBe(1);
    expect(valueOf(text, "sallyport_stage_seconds_sum", { stage: "plan" })).toBeCloseTo(0.00225, 9);
  });

  promise("telemetry:own-registry", "what one counts the other does not have", async () => {
    const [one, other] = [open(), open()];
    one.observer.stranger();
    const counted = await Promise.all([one, other].map(textOf));
    expect(counted.map((text) => valueOf(text, "sallyport_strangers_total", {}))).toEqual([1, 0]);
  });

  test("what waits for a person is left out while nobody can tell", async () => {
    const metrics = open();
    const told = async (approvalsWaiting: number | null): Promise<number | undefined> =>
      valueOf((await metrics.text({ ...nothing, approvalsWaiting })).body, "sallyport_approvals_waiting", {});
    expect([await told(2), await told(null), await told(0)]).toEqual([2, undefined, 0]);
  });

  promise(
    "telemetry:export-lag",
    "each export by its name, in entries and seconds, and nothing while nobody can tell",
    async () => {
      const metrics = open();
      const told = async (exports: Parameters<Metrics["text"]>[0]["exports"]): Promise<unknown> => {
        const text = (await metrics.text({ ...nothing, exports })).body;
        const of = (name: string): unknown =>
          ["entries", "seconds"].map((unit) => valueOf(text, `sallyport_export_lag_${unit}`, { export: name }));
        return [of("siem"), of("copy")];
      };
      const behind = { name: "siem", entries: 1500, age: 60_250 };
      expect(await told([behind, { name: "copy", entries: 0, age: 0 }])).toEqual([
        [1500, 60.25],
        [0, 0],
      ]);
      expect(await told(null)).toEqual([
        [undefined, undefined],
        [undefined, undefined],
      ]);
      expect(await told([{ ...behind, entries: 0, age: 0 }])).toEqual([
        [0, 0],
        [undefined, undefined],
      ]);
    },
  );
});

describe("nothing that is said becomes a label", () => {
  const said = fc.oneof(fc.string(), fc.constantFrom("hunter2", 'x"} 1\nevil{a="', "__proto__", "constructor", "a\\"));
  const outcome = fc.oneof(
    fc.record({ type: said, count: fc.nat(5) }).map((row) => completed([row])),
    fc
      .record({ code: fc.constantFrom(...(Object.keys(faultCodes) as FaultCode[])), cause: said })
      .map(({ code, cause }) => refused(code, cause)),
  );
  const all = [...names, ...maskTypes, ...stageNames, ...Object.keys(faultCodes)];
  const known = new Set([...all, "unknown", "other", "", "completed", "refused", "failed", "suspended", "running"]);

  promise("telemetry:nothing-said-is-a-label", "every label is one of our own words", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(said, outcome), { maxLength: 20 }), async (calls) => {
        const metrics = open();
        for (const [tool, ended] of calls) {
          metrics.observer.line(call, tool, 0).planned(tool);
          metrics.observer.answered(tool, ended);
          metrics.observer.ranLater(tool, ended);
        }
        const labels = samplesOf(await textOf(metrics)).flatMap(({ labels: { le: _le, ...rest } }) =>
          Object.values(rest),
        );
        expect(labels.filter((one) => !known.has(one))).toEqual([]);
      }),
      { numRuns: 50 },
    );
  });

  promise("telemetry:bounded", "ten thousand made-up tools are one", async () => {
    const metrics = open();
    const before = samplesOf(await textOf(metrics)).length;
    for (let index = 0; index < 10_000; index++) metrics.observer.answered(`tool_${index}`, refused("denied"));
    const text = await textOf(metrics);
    expect(valueOf(text, "sallyport_calls_total", { tool: "unknown", outcome: "refused", code: "denied" })).toBe(
      10_000,
    );
    expect(samplesOf(text).length).toBe(before + 1);
  });
});

test("the guide lists every metric there is with its labels, and every stage", async () => {
  const guide = await readFile(join(import.meta.dirname, "..", "..", "docs", "operating.md"), "utf8");
  const { body } = await open().text({ ...nothing, approvalsWaiting: 0 });
  const named = [...body.matchAll(/^# TYPE (sallyport_\w+) /gm)].map(([, name = ""]) => name);
  const rows = guide.split("\n").filter((line) => /^\| `sallyport_\w+` \|/.test(line));
  const listed = rows.map((row) => /`(sallyport_\w+)`/.exec(row)?.[1] ?? "");
  expect(listed.toSorted()).toEqual(named.toSorted());
  const stageRow = rows.find((row) => row.includes("sallyport_stage_seconds")) ?? "";
  expect(stageNames.filter((stage) => !stageRow.includes(`\`${stage}\``))).toEqual([]);
});
