// Somebody else's write between two requests of one call: it is looked at again, whichever of them met it.

import { afterAll, beforeAll, expect } from "vitest";
import { status } from "../support/proxy.ts";
import { promise } from "../support/promise.ts";
import { openShop, type Shop } from "./shop.ts";

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(async () => {
  await shop?.stop();
});

promise("faults:conflict-again", "also the dry run that looks whose fields would be taken", async () => {
  const { wire, world } = shop;
  const conflict = status(409, "Conflict", "the object has been modified", {
    name: "api",
    kind: "deployments",
    group: "apps",
  });
  const settings = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "settings" } };
  await shop.admin.create("/api/v1/namespaces/shop-dev/configmaps", { ...settings, data: { level: "info" } });
  const manifest = JSON.stringify({ ...settings, data: { level: "debug" } });
  let met = 0;
  wire.rule = ({ method, url }) =>
    method === "PATCH" && url.includes("dryRun=All") && url.includes("force=false") && met++ === 0
      ? conflict
      : { kind: "pass" };
  const { text } = await world.call("manifests_apply", {
    namespace: "shop-dev",
    manifest,
    force_conflicts: true,
    preview: true,
    reason: "a conflict is being tried",
  });
  // The practice cluster knows no apply: what it says of the second one is its own; that there was one is ours.
  expect([met, text.startsWith("ERROR stale")]).toEqual([2, false]);
});
