// A running gateway loses what it stands on, one after the other, while an operator asks whether it is ready.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { startPracticeCluster, type PracticeCluster } from "../../practice/cluster/index.ts";
import { openIssuer, signer, type LoopbackIssuer } from "../contracts/identity/loopback-issuer.ts";
import { failingDisk } from "../support/disks.ts";
import { valueOf } from "../support/prometheus.ts";
import { promise } from "../support/promise.ts";
import { freshFolder, openWorld, type World } from "../support/world.ts";

describe("what a gateway stands on", () => {
  let world: World;
  let cluster: PracticeCluster;
  let issuer: LoopbackIssuer;
  const issuers = { "issuer oidc:live": "ok", "issuer oidc:gone": "issuer_unavailable" };
  let [failing, stopped] = ["", false];
  /** Beyond what was seen before counts for nothing, so that each look is a new one. */
  let ahead = 0;
  const look = async (): Promise<{ status: number; ready: boolean; seen: Record<string, string> }> => {
    ahead += 61_000;
    const answer = await fetch(new URL("/readyz", world.url));
    const told = (await answer.json()) as {
      ready: boolean;
      dependencies: { name: string; ok: boolean; why?: string }[];
    };
    const seen = Object.fromEntries(told.dependencies.map(({ name, ok, why = "" }) => [name, ok ? "ok" : why]));
    return { status: answer.status, ready: told.ready, seen };
  };

  beforeAll(async () => {
    const folder = await freshFolder();
    issuer = await openIssuer([(await signer("ES256", "one")).jwk]);
    cluster = await startPracticeCluster({ folder });
    const kubeconfig = join(folder, "two.kubeconfig");
    const context = (name: string) => ({ name, context: { cluster: name, user: "admin" } });
    await writeFile(
      kubeconfig,
      JSON.stringify({
        apiVersion: "v1",
        kind: "Config",
        clusters: [
          { name: "live", cluster: { server: cluster.server } },
          { name: "dead", cluster: { server: "http://127.0.0.1:1" } },
        ],
        users: [{ name: "admin", user: { token: cluster.adminToken } }],
        contexts: [context("live"), context("dead")],
      }),
      { mode: 0o600 },
    );
    world = await openWorld({
      kubeconfigPath: kubeconfig,
      enroll: null,
      config: `hold: 0
clusters: [live, dead]
issuers:
  - { kind: oidc, name: live, issuer: ${JSON.stringify(issuer.issuer)}, audience: [sallyport] }
  - { kind: oidc, name: gone, issuer: "http://127.0.0.1:1", audience: [sallyport], subject: { prefix: "gone:" } }
exporters:
  - { kind: file, name: copy, path: ${JSON.stringify(join(folder, "copy.cef"))} }
  - { kind: syslog, name: siem, address: "tcp://127.0.0.1:1" }`,
      outside: { disk: failingDisk(() => failing), now: () => Date.now() + ahead },
    });
  });
  afterAll(async () => {
    await world?.stop();
    await issuer?.close();
    if (!stopped) await cluster?.stop();
  });

  promise(
    "telemetry:ready-by-name",
    "one dead cluster and one dead issuer of two are named, and change nothing",
    async () => {
      expect(await look()).toEqual({
        status: 200,
        ready: true,
        seen: {
          transcript: "ok",
          approvals: "ok",
          "cluster live": "ok",
          "cluster dead": "cluster_unavailable",
          ...issuers,
        },
      });
      const text = await (await fetch(new URL("/metrics", world.url))).text();
      expect(valueOf(text, "sallyport_dependency_up", { dependency: "cluster live" })).toBe(1);
      expect(valueOf(text, "sallyport_dependency_up", { dependency: "cluster dead" })).toBe(0);
    },
  );

  promise("telemetry:export-lag", "one that arrives and one whose destination is away", async () => {
    ahead += 61_000;
    const lags = async (): Promise<unknown> => {
      const text = await (await fetch(new URL("/metrics", world.url))).text();
      const of = (name: string): number[] =>
        ["entries", "seconds"].map((unit) => valueOf(text, `sallyport_export_lag_${unit}`, { export: name }) ?? -1);
      const [entries = 0, seconds = 0] = of("siem");
      return { copy: of("copy"), siem: [entries > 0, seconds > 60] };
    };
    await expect.poll(lags, { timeout: 60_000, interval: 200 }).toEqual({ copy: [0, 0], siem: [true, true] });
  });

  promise(
    "telemetry:ready-by-name",
    "without the record nothing runs, and it is not ready; with it again it is",
    async () => {
      failing = "EIO";
      await world.call("objects_list", { kind: "pods", namespace: "default", cluster: "live" });
      const without = await look();
      expect([without.status, without.seen["transcript"], without.seen["cluster live"]]).toEqual([
        503,
        "transcript_unavailable",
        "ok",
      ]);
      const text = await (await fetch(new URL("/metrics", world.url))).text();
      expect(valueOf(text, "sallyport_append_failures_total", {})).toBeGreaterThan(0);
      failing = "";
      await expect.poll(async () => (await look()).status, { timeout: 60_000, interval: 200 }).toBe(200);
    },
  );

  promise("telemetry:ready-by-name", "with no cluster left it is not ready", async () => {
    await cluster.stop();
    stopped = true;
    expect(await look()).toEqual({
      status: 503,
      ready: false,
      seen: {
        transcript: "ok",
        approvals: "ok",
        "cluster live": "cluster_unavailable",
        "cluster dead": "cluster_unavailable",
        ...issuers,
      },
    });
  });
});
