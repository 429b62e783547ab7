// The read tools on the practice cluster, which serves few kinds and no metrics: they say what is not there instead of failing.

import { afterAll, beforeAll, expect } from "vitest";
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
