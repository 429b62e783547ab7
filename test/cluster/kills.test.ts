// A gateway under load that is killed at random moments, again and again, on a real kube-apiserver: its record against the cluster's own audit log. Three times in npm test, as often as SALLYPORT_KILLS says in `npm run test:kills`.

import { randomInt } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { Client } from "@modelcontextprotocol/client";
import { afterAll, beforeAll, describe, expect, inject } from "vitest";
import { textAt, type JsonObject } from "../../src/domain/json.ts";
import { startProcess } from "../faults/crash.ts";
import { eventually, expectVerifies, leftoversIn } from "../faults/shop.ts";
import { promise } from "../support/promise.ts";
import { clientTransport, openWorld, type World } from "../support/world.ts";
import { adminOf, deployment, namespace, type Admin } from "./admin.ts";
import type { ControlPlane } from "./control-plane.ts";
import { ownControlPlane } from "./own.ts";

const shared = inject("cluster");
const why = "skip" in shared ? ` (skipped: ${shared.skip})` : "";
const place = "killed";
const kills = Number(process.env["SALLYPORT_KILLS"] ?? 3);
const names = ["a", "b", "c", "d"];

const policy = `version: 1
rules:
  - id: scale
    effect: allow
    match:
      effects: [read, change]
      verbs: [get, list, watch, patch]
      kinds: [pods, apps/deployments, apps/deployments/scale, resourcequotas, autoscaling/horizontalpodautoscalers]
      namespaces: [${place}]
    reason: It is theirs.
`;

describe.skipIf("skip" in shared)(`on a real kube-apiserver${why}`, () => {
  let plane: ControlPlane;
  let admin: Admin;
  let world: World;
  let folder: string;
  let begun = 0;

  beforeAll(async () => {
    if ("skip" in shared) return;
    plane = await ownControlPlane();
    admin = adminOf(plane);
    await admin.create("/api/v1/namespaces", namespace(place, "dev"));
    for (const name of names)
      await admin.create(`/apis/apps/v1/namespaces/${place}/deployments`, deployment(name, 0, "none"));
    folder = await mkdtemp(join(tmpdir(), "sallyport-kills-"));
    const limits = "limits: { inFlight: 100, callsPerMinute: 100000 }";
    world = await openWorld({ kubeconfigPath: plane.kubeconfigPath, enroll: [place], policy, config: limits });
    begun = (await admin.audit()).length;
  });
  afterAll(async () => {
    await world?.stop();
    await plane?.stop();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  /**
   * One gateway from its start to its death, with four callers that never rest; returns how many calls were answered:
   * one for certain where it lives to its `first` answer.
   */
  async function oneLife(until: "any" | "first"): Promise<number> {
    const gateway = await startProcess(world.env);
    let answered = 0;
    const over = new AbortController();
    const exited = once(gateway.process, "exit");
    const first = Promise.withResolvers<void>();
    try {
      const agent = new Client({ name: "test-agent", version: "1.0.0" });
      await agent.connect(clientTransport(gateway.url, world.tokens.agent));
      const callers = names.map(async (name) => {
        while (!over.signal.aborted) {
          const scale = { kind: "Deployment", namespace: place, name, replicas: randomInt(3), reason: "as agreed" };
          const read = { kind: "Deployment", namespace: place, name };
          const call =
            randomInt(3) === 0
              ? { name: "objects_get", arguments: read }
              : { name: "workloads_scale", arguments: scale };
          await agent.callTool(call).then(
            () => {
              answered++;
              first.resolve();
            },
            () => undefined,
          );
        }
      });
      if (until === "first") await first.promise;
      await pause(randomInt(50, 1500));
      gateway.process.kill("SIGKILL");
      over.abort();
      await exited;
      await agent.close();
      await Promise.all(callers);
    } finally {
      over.abort();
      if (gateway.process.exitCode === null && gateway.process.signalCode === null) gateway.process.kill("SIGKILL");
      await exited;
    }
    return answered;
  }

  promise(
    "transcript:killed",
    `${kills} times under load: no effect in the audit log without its entry, and every unfinished call marked`,
    async () => {
      let answered = 0;
      await world.restart(async () => {
        for (let life = 0; life < kills; life++) answered += await oneLife(life === 0 ? "first" : "any");
      });
      await eventually(() => leftoversIn(admin, [place])).toEqual([]);
      await expectVerifies(world);
      const log = join(folder, "audit.log");
      const events = (await admin.audit()).slice(begun);
      await writeFile(log, events.map((event) => `${JSON.stringify(event)}\n`).join(""));
      const words = ["transcript", "reconcile", "--audit-log", log, "--namespace", place, "--json"];
      const { theft, bypass, missing, differ } = JSON.parse((await world.sallyport(words)).out) as JsonObject;
      expect({ theft, bypass, missing, differ }).toEqual({ theft: [], bypass: [], missing: [], differ: [] });
      const entries = await world.entries();
      const ended = new Set(
        entries.flatMap((one) =>
          ["call.settled", "call.unknown"].includes(textAt(one, "kind")) ? [textAt(one, "call")] : [],
        ),
      );
      const received = entries
        .filter((one) => textAt(one, "kind") === "call.received")
        .map((one) => textAt(one, "call"));
      expect(received.filter((call) => !ended.has(call))).toEqual([]);
      expect(received.length).toBeGreaterThanOrEqual(answered);
      expect(answered).toBeGreaterThan(0);
    },
    240_000 + kills * 20_000,
  );
});
