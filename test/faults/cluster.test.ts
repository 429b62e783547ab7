// What a cluster can answer, at each moment of a call: a code and a sentence, nothing half-done, everything on record.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { status, type Action } from "../support/proxy.ts";
import { expectVerifies, heading, listing, openShop, scaling, striking, told, untouched, moments, type Shop } from "./shop.ts";

let shop: Shop;
beforeAll(async () => { shop = await openShop({ config: "hold: 0\ndeadline: 2" }); });
afterAll(async () => { await shop?.stop(); });

const answers: Record<string, Action> = {
  "401": status(401, "Unauthorized", "Unauthorized"),
  "403": status(403, "Forbidden", "it is forbidden: User \"x\" cannot do it"),
  "404 of the object": status(404, "NotFound", "not found", { name: "api", kind: "deployments", group: "apps" }),
  "404 of the kind": status(404, "NotFound", "the server could not find the requested resource"),
  "409": status(409, "Conflict", "the object has been modified"),
  "410": status(410, "Expired", "too old resource version"),
  "422": status(422, "Invalid", "Deployment is invalid: secret-value-in-message", { causes: [{ reason: "FieldValueInvalid", message: "Invalid value: \"secret-value\": no", field: "spec.replicas" }] }),
  "429": { ...status(429, "TooManyRequests", "slow down"), headers: { "retry-after": "7" } } as Action,
  "500": status(500, "InternalError", "Internal error occurred: secret-detail"),
  "503": status(503, "ServiceUnavailable", "no"),
  "504": status(504, "Timeout", "timed out"),
  half: { kind: "half" },
  notJson: { kind: "raw", body: "<html>hello" },
  dropped: { kind: "drop" },
  hang: { kind: "hang" },
  swallow: { kind: "swallow" },
};
for (const moment of ["read", "dryRun", "write"] as const)
test(moment, async () => {
  for (const [name, action] of Object.entries(answers)) {
    shop.wire.rule = striking(moment, action);
    const answer = moment === "read" ? await shop.world.call("objects_list", listing) : await shop.world.call("workloads_scale", scaling("shop-dev", 5));
    console.log(moment, name, JSON.stringify(told(answer), null, 1));
    shop.wire.rule = () => ({ kind: "pass" });
    const s = await shop.standing();
    if (JSON.stringify(s) !== JSON.stringify(untouched)) console.log("STANDING", s);
    if (s.dev !== 1) await shop.admin.send("PATCH", "/apis/apps/v1/namespaces/shop-dev/deployments/api", { spec: { replicas: 1 } }, { contentType: "application/merge-patch+json" });
  }
  await expectVerifies(shop.world);
  console.log(shop.world.log());
}, 60000);
