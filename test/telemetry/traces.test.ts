// What a collector gets, and what it can do to us: the attack is a secret in everything that a call says, and a collector that is broken.

import { createServer } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { fault } from "../../src/domain/fault.ts";
import type { CallId } from "../../src/domain/ids.ts";
import type { Outcome } from "../../src/domain/outcome.ts";
import { openTraces, type Traces, type TracesOptions } from "../../src/telemetry/traces.ts";
import { asMasked } from "../mcp/door-for-tests.ts";
import { openCollector, type Collector } from "../support/collector.ts";
import { promise } from "../support/promise.ts";

const call = "call_01900000-0000-7000-8000-00000000000a" as CallId;
const other = "call_01900000-0000-7000-8000-00000000000b" as CallId;
const secret = "hunter2-the-secret";
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function collecting(answer: number | null = 200): Promise<Collector> {
  const collector = await openCollector(answer);
  closing.push(() => collector.close());
  return collector;
}
const open = (options: Partial<TracesOptions> & Pick<TracesOptions, "endpoint">): Traces =>
  openTraces({ headers: {}, version: "1.2.3", ...options });

const done: Outcome = {
  kind: "completed",
  call,
  output: asMasked({
    headline: [secret],
    blocks: [{ kind: "data", source: secret, text: secret }],
    facts: { cursor: secret },
    untrusted: false,
  }),
  effect: "none",
  ambient: false,
};
const broken: Outcome = { kind: "failed", call: other, fault: fault("not_found", { name: secret }, secret) };

describe("what the collector gets", () => {
  promise("telemetry:one-span-a-call", "under the call's id, with its stages below it and their times", async () => {
    const collector = await collecting();
    const traces = open({ endpoint: collector.endpoint, headers: { authorization: "Bearer collector-token" } });
    const watch = traces.observer.line(call, "objects_get", 1_700_000_000_000.25);
    watch.stage("plan", 1_700_000_000_000.5, 1_700_000_000_001, null);
    watch.planned("prod");
    watch.stage("execute", 1_700_000_000_001, 1_700_000_000_003.5, "not_found");
    watch.ended(done, 1_700_000_000_004);
    traces.observer.line(other, "logs_read", 1_700_000_000_000).ended(broken, 1_700_000_000_001);
    await traces.close();

    const spans = collector.spans();
    const [root] = spans.filter((one) => one.name === "call objects_get");
    expect(
      spans.map(({ name, traceId, parentSpanId, attributes, error }) => [
        name,
        traceId,
        parentSpanId,
        attributes,
        error,
      ]),
    ).toEqual([
      ["plan", "0190000000007000800000000000000a", root?.spanId, {}, false],
      ["execute", "0190000000007000800000000000000a", root?.spanId, { "sallyport.code": "not_found" }, true],
      [
        "call objects_get",
        "0190000000007000800000000000000a",
        "",
        {
          "sallyport.call": call,
          "sallyport.tool": "objects_get",
          "sallyport.cluster": "prod",
          "sallyport.outcome": "completed",
        },
        false,
      ],
      [
        "call logs_read",
        "0190000000007000800000000000000b",
        "",
        {
          "sallyport.call": other,
          "sallyport.tool": "logs_read",
          "sallyport.outcome": "failed",
          "sallyport.code": "not_found",
        },
        true,
      ],
    ]);
    expect([root?.began, root?.ended]).toEqual([1_700_000_000_000_250_000n, 1_700_000_000_004_000_000n]);
    expect(collector.requests.map(({ headers }) => [headers.authorization, headers["content-type"]])).toEqual([
      ["Bearer collector-token", "application/json"],
    ]);
    expect(collector.resource()).toEqual({ "service.name": "sallyport", "service.version": "1.2.3" });
  });

  promise("telemetry:traces-tell-nothing", "neither output nor causes are in the bytes", async () => {
    const collector = await collecting();
    const traces = open({ endpoint: collector.endpoint });
    for (const outcome of [done, broken]) traces.observer.line(call, "objects_get", 1).ended(outcome, 2);
    traces.observer.answered("objects_get", broken);
    traces.observer.ranLater("objects_get", broken);
    await traces.close();
    expect(collector.spans().length).toBe(2);
    expect(collector.requests.map(({ body }) => body).join("\n")).not.toContain(secret);
  });
});

describe("a collector that is broken", () => {
  const spanned = (traces: Traces, count = 1): void => {
    for (let index = 0; index < count; index++) traces.observer.line(call, "objects_get", 1).ended(done, 2);
  };

  promise("telemetry:traces-hold-nobody-up", "one that never answers delays closing by its bound alone", async () => {
    const collector = await collecting(null);
    const traces = open({ endpoint: collector.endpoint, patience: 2000 });
    spanned(traces);
    await traces.close();
    expect(collector.requests.length).toBe(1);
  });

  promise("telemetry:traces-hold-nobody-up", "one that refuses, or is away, is no failure of ours", async () => {
    const refusing = await collecting(403);
    const away = createServer();
    const port = await new Promise<number>((resolve) =>
      away.listen(0, "127.0.0.1", () => resolve((away.address() as { port: number }).port)),
    );
    await new Promise((resolve) => away.close(resolve));
    for (const endpoint of [refusing.endpoint, `http://127.0.0.1:${port}/v1/traces`]) {
      const traces = open({ endpoint, patience: 2000 });
      spanned(traces);
      await traces.close();
      // After its end it takes whatever still comes, and sends nothing.
      spanned(traces);
    }
    expect(refusing.requests.length).toBe(1);
  });

  test("what waits is bounded: the newest is dropped", async () => {
    const collector = await collecting();
    const traces = open({ endpoint: collector.endpoint, every: 3_600_000 });
    // More at once than the queue holds, before anything could be sent.
    spanned(traces, 10_000);
    await traces.close();
    expect(collector.spans().length).toBeLessThanOrEqual(4096 + 512);
  });
});
