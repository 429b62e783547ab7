// The nodes of the test cluster behave as the tests on them assume: pods run, write logs, answer commands, and are evicted.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { at, textAt, type JsonObject } from "../../src/domain/json.ts";
import { promise } from "../support/promise.ts";
import { openWorld, type World } from "../support/world.ts";
import { adminOf, deployment, namespace, type Admin } from "./admin.ts";
import type { ControlPlane } from "./control-plane.ts";
import { kwokMissing, startKwok, type Kwok } from "./kwok.ts";
import { ownControlPlane } from "./own.ts";
import { crashing, scenesIn } from "./read-scenes.ts";

const binaries = process.env["SALLYPORT_TEST_BINARIES"] ?? "";
const missing =
  binaries === "" ? (process.env["SALLYPORT_TEST_SKIP_CLUSTER"] ?? "run npm test") : kwokMissing(binaries);
const place = "kwok-shop";

describe.skipIf(missing !== "")(`nodes of KWOK${missing === "" ? "" : ` (skipped: ${missing})`}`, () => {
  let plane: ControlPlane;
  let kwok: Kwok;
  let world: World;
  let admin: Admin;
  let folder = "";

  beforeAll(async () => {
    plane = await ownControlPlane();
    admin = adminOf(plane);
    folder = await mkdtemp(join(tmpdir(), "sallyport-kwok-"));
    kwok = await startKwok({
      binaries,
      cluster: plane,
      folder,
      nodes: [{ name: "node-1" }, { name: "node-2", taints: [{ key: "gpu", value: "yes", effect: "NoSchedule" }] }],
      logs: { [place]: ["main"] },
    });
    await admin.create("/api/v1/namespaces", namespace(place, "dev"));
    await admin.create(`/apis/apps/v1/namespaces/${place}/deployments`, deployment("api", 3, "pw"));
    world = await openWorld({ kubeconfigPath: plane.kubeconfigPath, enroll: [place] });
  }, 300_000);
  afterAll(async () => {
    await world?.stop();
    await kwok?.stop();
    await plane?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const pods = async (): Promise<JsonObject[]> => {
    const { body } = await admin.send("GET", `/api/v1/namespaces/${place}/pods?labelSelector=app%3Dapi`);
    return at(body, "items") as JsonObject[];
  };
  const ready = async (): Promise<JsonObject> =>
    await scenesIn(admin, place).until(async () => {
      const { body } = await admin.send("GET", `/apis/apps/v1/namespaces/${place}/deployments/api`);
      return at(body, "status", "readyReplicas") === 3 ? body : null;
    });

  promise("evals:nodes", "a Deployment becomes ready on the node that takes its pods", async () => {
    await ready();
    expect((await pods()).map((pod) => textAt(pod, "spec", "nodeName"))).toEqual(["node-1", "node-1", "node-1"]);
    expect(new Set((await pods()).map((pod) => textAt(pod, "status", "podIP"))).size).toBe(3);
  });

  promise("evals:nodes", "what a container wrote comes back through logs_read, with its time", async () => {
    await ready();
    const pod = textAt((await pods())[0], "metadata", "name");
    await kwok.writeLog(place, "main", [
      { time: "2026-03-01T13:39:59.000000000Z", text: "before" },
      { time: "2026-03-01T13:45:00.000000000Z", text: "level=error cannot reach db" },
    ]);
    const answer = await world.call("logs_read", { namespace: place, name: pod, mode: "raw" });
    expect(answer.text.split("\n").filter((line) => line.startsWith("|"))).toEqual([
      "|before",
      "|level=error cannot reach db",
    ]);
  });

  promise("evals:nodes", "an eviction removes the pod, and its owner makes another", async () => {
    await ready();
    const name = textAt((await pods())[0], "metadata", "name");
    const evicted = await admin.send("POST", `/api/v1/namespaces/${place}/pods/${name}/eviction`, {
      apiVersion: "policy/v1",
      kind: "Eviction",
      metadata: { name, namespace: place },
    });
    expect(evicted.status).toBe(201);
    await scenesIn(admin, place).until(async () => {
      const names = (await pods()).map((pod) => textAt(pod, "metadata", "name"));
      return names.length === 3 && !names.includes(name) ? names : null;
    });
  });

  promise("evals:nodes", "a status that a test has written stays", async () => {
    await ready();
    const scenes = scenesIn(admin, place);
    const pod = (await pods())[0] ?? {};
    await scenes.report(pod, crashing("Error", 1));
    await new Promise((resolve) => setTimeout(resolve, 1500));
    const { body } = await admin.send("GET", `/api/v1/namespaces/${place}/pods/${textAt(pod, "metadata", "name")}`);
    const [container] = at(body, "status", "containerStatuses") as JsonObject[];
    expect(textAt(container, "state", "waiting", "reason")).toBe("CrashLoopBackOff");
  });
});
