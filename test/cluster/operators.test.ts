// What an operator sees of a gateway on a real kube-apiserver: counted calls, ready dependencies, traces; and that none of it tells what agents and objects say.

import { randomBytes } from "node:crypto";
import { appendFile } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject } from "vitest";
import { textAt } from "../../src/domain/json.ts";
import { writeTokenFile } from "../../src/identity/verifiers/index.ts";
import { openCollector, type Collector } from "../support/collector.ts";
import { promise } from "../support/promise.ts";
import { samplesOf, valueOf } from "../support/prometheus.ts";
import { openWorld, type World } from "../support/world.ts";
import { adminOf, deployment, namespace } from "./admin.ts";

const cluster = inject("cluster");
const why = "skip" in cluster ? ` (skipped: ${cluster.skip})` : "";

interface Got {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

describe.skipIf("skip" in cluster)(`operators, on a real kube-apiserver${why}`, () => {
  let world: World;
  let collector: Collector;
  let operatorToken = "";
  const place = `watched-${randomBytes(4).toString("hex")}`;
  const object = `planted-${randomBytes(4).toString("hex")}`;
  const password = `pw-${randomBytes(12).toString("hex")}`;
  const said = `reason-${randomBytes(6).toString("hex")}`;

  /** As this machine asks, or as a proxy on it does for somebody else. */
  async function get(path: string, { token = "", elsewhere = false } = {}): Promise<Got> {
    const headers = {
      ...(token === "" ? {} : { authorization: `Bearer ${token}` }),
      ...(elsewhere ? { "x-forwarded-for": "203.0.113.9" } : {}),
    };
    return await new Promise((resolve, reject) => {
      const asking = httpRequest(new URL(path, world.url), { headers }, (response) => {
        let body = "";
        response.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
        response.on("end", () => {
          resolve({ status: response.statusCode ?? 0, type: response.headers["content-type"] ?? "", body });
        });
      });
      asking.on("error", reject).end();
    });
  }
  const scale = (reason: string) =>
    world.call("workloads_scale", { kind: "Deployment", namespace: place, name: object, replicas: 5, reason });

  beforeAll(async () => {
    if ("skip" in cluster) return;
    const admin = adminOf(cluster);
    await admin.create("/api/v1/namespaces", namespace(place, "prod"));
    await admin.create(`/apis/apps/v1/namespaces/${place}/deployments`, deployment(object, 3, password));
    collector = await openCollector();
    world = await openWorld({
      kubeconfigPath: cluster.kubeconfigPath,
      enroll: [place],
      config: `hold: 45\ntracing: { endpoint: ${JSON.stringify(collector.endpoint)} }`,
    });
    operatorToken = await writeTokenFile(join(world.folder, "operator.token"), (count) => randomBytes(count));
    await world.restart(() => appendFile(join(world.folder, "sallyport.yaml"), "  operatorToken: operator.token\n"));
  }, 300_000);
  afterAll(async () => {
    await world?.stop();
    await collector?.close();
  });

  promise("telemetry:calls-are-counted", "a read, a change that a person agreed to, and a refusal", async () => {
    const read = { kind: "Deployment", namespace: place, name: object, view: "full" };
    expect((await world.call("objects_get", read)).isError).toBe(false);
    expect((await world.call("objects_get", { ...read, [`x-${said}`]: password })).isError).toBe(true);
    const [changed] = await Promise.all([scale(said), world.approve()]);
    expect(changed.isError).toBe(false);
    const { body, type } = await get("/metrics");
    expect(type).toBe("text/plain; version=0.0.4; charset=utf-8");
    const calls = samplesOf(body).filter(({ name, value }) => name.startsWith("sallyport_calls") && value > 0);
    expect(
      calls.map(({ name, labels, value }) => [name, labels["tool"], labels["outcome"], labels["code"], value]),
    ).toEqual([
      ["sallyport_calls_total", "objects_get", "completed", "", 1],
      ["sallyport_calls_total", "workloads_scale", "completed", "", 1],
      ["sallyport_calls_total", "objects_get", "refused", "invalid_input", 1],
      ["sallyport_calls_later_total", "workloads_scale", "completed", "", 1],
    ]);
    expect(valueOf(body, "sallyport_masked_total", { type: "password" })).toBeGreaterThan(0);
    expect(valueOf(body, "sallyport_approvals_waiting", {})).toBe(0);
    expect(valueOf(body, "sallyport_append_failures_total", {})).toBe(0);
    expect(valueOf(body, "process_resident_memory_bytes", {})).toBeGreaterThan(0);
  });

  promise("telemetry:stages-are-timed", "each stage that the three calls went through, and no other", async () => {
    const { body } = await get("/metrics");
    const count = (stage: string): number => valueOf(body, "sallyport_stage_seconds_count", { stage }) ?? 0;
    expect({
      plan: count("plan"),
      approve: count("approve"),
      spend: count("spend"),
      execute: count("execute"),
      issue: count("issue"),
      revoke: count("revoke"),
      mask: count("mask"),
    }).toEqual({ plan: 4, approve: 1, spend: 1, execute: 2, issue: 2, revoke: 2, mask: 2 });
    expect(count("record")).toBeGreaterThanOrEqual(6);
  });

  promise("telemetry:ready-by-name", "what it stands on answers, each by its name", async () => {
    const answer = await get("/readyz");
    const told = JSON.parse(answer.body) as { ready: boolean; dependencies: { name: string; ok: boolean }[] };
    expect(answer.status).toBe(200);
    expect(told.ready).toBe(true);
    expect(told.dependencies.map(({ name, ok }) => [name.split(" ")[0], ok])).toEqual([
      ["transcript", true],
      ["approvals", true],
      ["cluster", true],
    ]);
  });

  promise(
    "telemetry:operators-only",
    "whoever comes from elsewhere needs the operator token, and an agent's is none",
    async () => {
      const strangers = async (): Promise<number> =>
        valueOf((await get("/metrics")).body, "sallyport_strangers_total", {}) ?? Number.NaN;
      const before = await strangers();
      const bare = { status: 200, type: "application/json", body: '{"ready":true}\n' };
      for (const token of ["", world.tokens.agent, world.tokens.approver, "x".repeat(43)]) {
        expect(await get("/readyz", { elsewhere: true, token })).toEqual(bare);
        expect((await get("/metrics", { elsewhere: true, token })).status).toBe(401);
      }
      expect(await strangers()).toBe(before + 4);
      const known = { elsewhere: true, token: operatorToken };
      expect((await get("/metrics", known)).status).toBe(200);
      expect(JSON.parse((await get("/readyz", known)).body)).toHaveProperty("dependencies");
      // The operator is no caller.
      expect((await get("/mcp", known)).status).not.toBe(200);
    },
  );

  promise(
    "telemetry:one-span-a-call",
    "the collector has each call under its own id, the agreed one twice: asked and run",
    async () => {
      const entries = await world.entries();
      const scaled = textAt(
        entries.find((one) => one["kind"] === "call.received" && textAt(one, "details", "tool") === "workloads_scale"),
        "call",
      );
      await expect
        .poll(() => collector.spans().filter((one) => one.name === "call workloads_scale").length, { timeout: 60_000 })
        .toBe(2);
      const spans = collector.spans();
      const roots = spans.filter((one) => one.parentSpanId === "");
      expect(roots.map((one) => one.name).toSorted()).toEqual([
        "call objects_get",
        "call objects_get",
        "call workloads_scale",
        "call workloads_scale",
      ]);
      const own = roots.filter((one) => one.name === "call workloads_scale");
      expect(
        own.map((one) => [one.traceId, one.attributes["sallyport.call"], one.attributes["sallyport.outcome"]]),
      ).toEqual([0, 1].map(() => [scaled.slice(5).replaceAll("-", ""), scaled, "completed"]));
      // Every stage lies within the passage that it belongs to.
      for (const span of spans.filter((one) => one.parentSpanId !== "")) {
        const parent = roots.find((one) => one.spanId === span.parentSpanId);
        expect(parent !== undefined && span.began >= parent.began && span.ended <= parent.ended).toBe(true);
      }
    },
  );

  promise(
    "telemetry:nothing-said-is-a-label",
    "no word of the calls, their objects or their callers is in the text",
    async () => {
      const { body } = await get("/metrics");
      const { body: ready } = await get("/readyz");
      for (const word of [
        place,
        object,
        password,
        said,
        world.tokens.agent,
        "test-agent",
        "approver",

        "127.0.0.1",
      ])
        expect({ word, found: [body, ready].some((text) => text.includes(word)) }).toEqual({ word, found: false });
    },
  );

  promise("telemetry:traces-tell-nothing", "nor in any byte that was exported", async () => {
    const sent = JSON.stringify(collector.requests);
    for (const word of [
      place,
      object,
      password,
      said,
      world.tokens.agent,
      world.tokens.approver,
      operatorToken,
      "test-agent",
    ])
      expect({ word, found: sent.includes(word) }).toEqual({ word, found: false });
  });
});
