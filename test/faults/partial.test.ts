// A call of several writes that breaks off between them: what was done is told as done, and nobody claims that nothing happened.

import { afterAll, beforeAll, describe, expect } from "vitest";
import { at, type Json, type JsonObject } from "../../src/domain/json.ts";
import { promise } from "../support/promise.ts";
import { status, type Action } from "../support/proxy.ts";
import { expectVerifies, openShop, told, type Shop } from "./shop.ts";

const policy = `version: 1
rules:
  - id: clean-up
    effect: allow
    match: { effects: [destroy], verbs: [get, list, delete], kinds: [configmaps, pods, batch/jobs, apps/replicasets] }
    reason: A test cleans up.
`;

let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ policy });
});
afterAll(async () => {
  await shop?.stop();
});

const place = "/api/v1/namespaces/shop-dev/configmaps";

/** Makes `one` and `two`, and asks for both to be deleted while the second deletion meets this. */
async function deleteBoth(action: Action) {
  const { admin, wire, world } = shop;
  wire.rule = () => ({ kind: "pass" });
  for (const name of ["one", "two"])
    await admin.send("POST", place, { apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data: { a: "b" } });
  wire.rule = ({ method, url }) =>
    method === "DELETE" && url.startsWith(`${place}/two`) && !url.includes("dryRun") ? action : { kind: "pass" };
  const answer = await world.call("objects_delete", {
    kind: "ConfigMap",
    namespace: "shop-dev",
    names: ["one", "two"],
    reason: "a fault is being tried",
  });
  const { body } = await admin.send("GET", place);
  const items: readonly Json[] = (at(body, "items") ?? []) as readonly Json[];
  const left = items.map((item) => at(item, "metadata", "name")).filter((name) => name === "one" || name === "two");
  const settled = (await world.entries()).findLast((entry) => entry["kind"] === "call.settled");
  const objects = (at(settled ?? {}, "details", "objects") ?? []) as readonly JsonObject[];
  return { answer, left, recorded: [at(settled, "details", "effect"), ...objects.map((one) => one["name"])] };
}

const progress = [
  "done before it broke off: ConfigMap shop-dev/one",
  "not done, or not known to be: ConfigMap shop-dev/two",
];

describe("a call that breaks off between its writes", () => {
  promise("faults:half-done", "one that is refused leaves what was done before, and says so", async () => {
    const { answer, left, recorded } = await deleteBoth(status(403, "Forbidden", "no"));
    expect(told(answer)).toEqual([
      "ERROR cluster_denied: Kubernetes refuses to delete configmaps two in namespace shop-dev, although policy had allowed it.",
      ...progress,
      "next: do not repeat it, it was done; read the object to see how it is now.",
      "call - effect applied - retry never",
      "failed cluster_denied applied never",
    ]);
    expect({ left, recorded }).toEqual({ left: ["two"], recorded: ["applied", "one"] });
  });

  promise("faults:half-done", "one whose answer is lost leaves more than that open", async () => {
    const { answer, left, recorded } = await deleteBoth({ kind: "drop" });
    expect(told(answer)).toEqual([
      "ERROR deadline_exceeded: The cluster's answer was lost while the call ran: the connection broke in the middle of the answer.",
      ...progress,
      "next: read the object first: nobody knows whether the change was made. Do not repeat it blindly.",
      "call - effect unknown - retry later",
      "failed deadline_exceeded unknown later",
    ]);
    expect({ left, recorded }).toEqual({ left: ["two"], recorded: ["unknown", "one"] });
  });

  promise("faults:verifies", "after all of this the transcript verifies and nothing of a grant is left", async () => {
    expect((await shop.standing()).leftovers).toEqual([]);
    await expectVerifies(shop.world);
  });
});
