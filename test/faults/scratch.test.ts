// scratch
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "vitest";
import { startPracticeCluster, seedStory } from "../../practice/cluster/index.ts";
import { openWire } from "../support/proxy.ts";
import { openWorld } from "../support/world.ts";

test("look", async () => {
  const t0 = Date.now();
  const lap = (s: string) => console.log(s, Date.now() - t0);
  const folder = await mkdtemp(join(tmpdir(), "sp-"));
  const practice = await startPracticeCluster({ folder, seed: seedStory().manifests });
  lap("practice");
  const wire = await openWire({ target: practice, adminToken: practice.adminToken, folder });
  const world = await openWorld({ kubeconfigPath: wire.kubeconfigPath, enroll: ["shop-prod", "shop-dev"], config: "hold: 0" });
  lap("world");
  const w2 = await openWorld({ kubeconfigPath: wire.kubeconfigPath, enroll: ["shop-prod", "shop-dev"], config: "hold: 0" });
  lap("world2");
  await w2.stop(); lap("stopped");
  wire.passed.length = 0;
  const answer = await world.call("workloads_scale", { kind: "Deployment", namespace: "shop-dev", name: "api", replicas: 4, reason: "a load test of mine" });
  lap("scaled");
  console.log(answer.text, JSON.stringify(answer.facts));
  console.log(wire.passed.map((p) => `${p.method} ${p.url} ${p.headers["audit-id"]} ${(p.headers.authorization ?? "").slice(-8)}`).join("\n"));
  wire.passed.length = 0;
  const read = await world.call("objects_list", { kind: "pods", namespace: "shop-dev" });
  console.log(read.text);
  console.log(wire.passed.map((p) => `${p.method} ${p.url} ${p.headers["audit-id"]}`).join("\n"));
  const p = await world.call("workloads_scale", { kind: "Deployment", namespace: "shop-prod", name: "api", replicas: 4, reason: "a load test of mine" });
  console.log(p.text, JSON.stringify(p.facts));
  console.log((await world.sallyport(["transcript", "verify"])).out);
  console.log(world.log());
  lap("calls");
  await world.stop(); await wire.stop(); await practice.stop();
  lap("stop");
});
