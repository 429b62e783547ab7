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

promise("tools:force-controllers", "a manager that Kubernetes names in a way that can't be read", async () => {
  const { wire, world } = shop;
  const manifest = JSON.stringify({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "kept" },
    data: { level: "debug" },
  });
  const writes: string[] = [];
  const forced = async (message: string): Promise<string[]> => {
    wire.rule = ({ method, url }) => {
      if (method !== "PATCH") return { kind: "pass" };
      if (!url.includes("force=false")) writes.push(message);
      const cause = { reason: "FieldManagerConflict", message, field: ".data.level" };
      return status(409, "Conflict", "Apply failed with 1 conflict", { name: "kept", causes: [cause] });
    };
    const arguments_ = { namespace: "shop-dev", manifest, force_conflicts: true, preview: true, reason: "taken over" };
    return (await world.call("manifests_apply", arguments_)).text.split("\n").slice(0, -1);
  };
  for (const unread of ['conflict with "a\\u00adb" using v1', "conflict", 'conflict with ""'])
    expect(await forced(unread)).toEqual([
      "ERROR conflict_fields: Fields of this call are kept by others. Nothing was run.",
      "another manager keeps 1: .data.level",
      "in manifest[0] (ConfigMap shop-dev/kept)",
      'force_conflicts takes no field from a controller, which would take it back: "another manager"',
      'next: leave out what "another manager" keeps, or change it where it is taken from.',
    ]);
  expect(writes).toEqual([]);
  // A person's field is taken: the write that takes it is sent.
  const person = 'conflict with "kubectl-edit" using v1';
  await forced(person);
  expect(writes).toContain(person);
});
