// A gateway that is killed on a real kube-apiserver between its grant and the end of its call.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject } from "vitest";
import { at } from "../../src/domain/json.ts";
import { killWhileWriting, kindsOf } from "../faults/crash.ts";
import { deploymentPath, eventually, expectVerifies, leftoversIn, scaling } from "../faults/shop.ts";
import { promise } from "../support/promise.ts";
import { openWire, type Wire } from "../support/proxy.ts";
import { openWorld, type World } from "../support/world.ts";
import { adminOf, deployment, namespace, type Admin } from "./admin.ts";

const cluster = inject("cluster");
const why = "skip" in cluster ? ` (skipped: ${cluster.skip})` : "";

describe.skipIf("skip" in cluster)(`on a real kube-apiserver${why}`, () => {
  let admin: Admin;
  let wire: Wire;
  let world: World;
  let folder: string;

  beforeAll(async () => {
    if ("skip" in cluster) return;
    admin = adminOf(cluster);
    await admin.create("/api/v1/namespaces", namespace("crash-dev", "dev"));
    await admin.create("/apis/apps/v1/namespaces/crash-dev/deployments", deployment("api", 1, "none"));
    folder = await mkdtemp(join(tmpdir(), "sallyport-crash-"));
    wire = await openWire({ target: cluster, adminToken: cluster.adminToken, folder });
    world = await openWorld({ kubeconfigPath: wire.kubeconfigPath, enroll: ["crash-dev"], config: "hold: 0" });
  });
  afterAll(async () => {
    await world?.stop();
    await wire?.stop();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  promise(
    "faults:killed",
    "between grant and settle: after the next start nothing usable is left, and the call's end is marked unknown",
    async () => {
      const { left, call } = await killWhileWriting({ world, wire, admin, namespace: "crash-dev" }, (agent) =>
        agent.callTool({ name: "workloads_scale", arguments: scaling("crash-dev", 4) }),
      );
      expect(left).toEqual(["serviceaccounts", "secrets", "roles", "rolebindings"]);
      await eventually(() => leftoversIn(admin, ["crash-dev"])).toEqual([]);
      await eventually(async () => kindsOf(await world.entries(), call)).toEqual([
        "call.received",
        "call.previewed",
        "call.decided",
        "grant.issued",
        "call.unknown",
        "grant.swept",
      ]);
      const { body } = await admin.send("GET", deploymentPath("crash-dev"));
      expect(at(body, "spec", "replicas")).toBe(1);
      await expectVerifies(world);
    },
  );
});
