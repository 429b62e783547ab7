// The read tools on the practice cluster, which serves few kinds and no metrics: they say what is not there instead of failing.

import { afterAll, beforeAll, expect } from "vitest";
import type { JsonObject } from "../../src/domain/json.ts";
import { promise } from "../support/promise.ts";
import { openShop, type Shop } from "../faults/shop.ts";

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(async () => {
  await shop?.stop();
});

promise(
  "tools:not-checked",
  "kinds that the cluster does not serve are named, and the diagnosis goes on without them",
  async () => {
    const scanned = await shop.world.call("problems_diagnose", { namespace: "shop-prod" });
    expect(scanned.isError).toBe(false);
    expect(scanned.text).toMatch(
      /^Not checked: endpointslices \(not served\), nodes \(Kubernetes refuses\), storageclasses \(not served\)\.$/m,
    );
  },
);

promise("tools:not-checked", "half a target, no target and a namespace that is not one's own are refused", async () => {
  const codes = await Promise.all(
    [{}, { kind: "Pod" }, { namespace: "shop-prod", name: "api" }, { kind: "Pod", name: "api" }].map(
      async (arguments_) => (await shop.world.call("problems_diagnose", arguments_)).facts["code"],
    ),
  );
  expect(codes).toEqual(["invalid_input", "invalid_input", "invalid_input", "invalid_input"]);
  const other = await shop.world.call("problems_diagnose", { namespace: "elsewhere" });
  expect(other.facts["code"]).toBe("cluster_denied");
  const system = await shop.world.call("problems_diagnose", { namespace: "kube-system" });
  expect(system.facts["outcome"]).toBe("suspended");
});

promise("tools:top-beside-requests", "without a metrics server the answer says so", async () => {
  const answer = await shop.world.call("metrics_top", { namespace: "shop-prod" });
  expect(answer.facts["code"]).toBe("metrics_unavailable");
});

async function viewed(kind: string, name: string): Promise<string[]> {
  const asked = { kind, name, namespace: "shop-dev", view: "spec" };
  return (await shop.world.call("objects_get", asked)).text.split("\n").map((line) => line.trim());
}

promise("tools:view-as-written", "words that are a default elsewhere stay where they are somebody's", async () => {
  const data = { protocol: "TCP", restartPolicy: "Always", sessionAffinity: "None" };
  const map = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "words" }, data };
  await shop.admin.create("/api/v1/namespaces/shop-dev/configmaps", map);
  expect(await viewed("ConfigMap", "words")).toEqual(
    expect.arrayContaining(["protocol: TCP", "restartPolicy: Always", "sessionAffinity: None"]),
  );
});

promise(
  "tools:view-as-written",
  "a sidecar stays one, and a pull policy that its image does not bring stays",
  async () => {
    const image = "registry.example.com/shop/side:1";
    const filled = { terminationMessagePath: "/dev/termination-log", terminationMessagePolicy: "File", resources: {} };
    const template = (spec: JsonObject): JsonObject => ({ metadata: { labels: { app: "written" } }, spec });
    const deployment: JsonObject = {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "written" },
      spec: {
        replicas: 1,
        selector: { matchLabels: { app: "written" } },
        strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: "25%", maxUnavailable: "25%" } },
        progressDeadlineSeconds: 600,
        template: template({
          restartPolicy: "Always",
          dnsPolicy: "ClusterFirst",
          securityContext: {},
          initContainers: [{ name: "side", image, imagePullPolicy: "Always", restartPolicy: "Always", ...filled }],
          containers: [{ name: "main", image, imagePullPolicy: "IfNotPresent", ...filled }],
        }),
      },
    };
    await shop.admin.create("/apis/apps/v1/namespaces/shop-dev/deployments", deployment);
    const lines = await viewed("Deployment", "written");
    expect(lines.slice(lines.indexOf("spec:"), lines.indexOf("spec:") + 20)).toEqual([
      "spec:",
      "replicas: 1",
      "selector:",
      "matchLabels:",
      "app: written",
      "template:",
      "metadata:",
      "labels:",
      "app: written",
      "spec:",
      "initContainers:",
      "- imagePullPolicy: Always",
      "name: side",
      `image: ${image}`,
      "restartPolicy: Always",
      "containers:",
      "- name: main",
      `image: ${image}`,
      expect.stringMatching(/^call call_/),
    ]);
  },
);
