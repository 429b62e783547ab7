// A cluster that does to a write what it did not do to its dry run, as a mutating webhook can: it can't be kept from it, and it does not stay unseen.

import { afterAll, beforeAll, expect } from "vitest";
import { at, textAt, type JsonObject } from "../../src/domain/json.ts";
import { promise } from "../support/promise.ts";
import { entriesOf, expectVerifies, openShop, scaling, striking, type Shop } from "./shop.ts";

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(async () => {
  await shop?.stop();
});

/** What the cluster answers to a scale, with another count than was asked for. */
const otherwise = (replicas: number) => (body: string) => {
  const answer = JSON.parse(body) as JsonObject;
  return JSON.stringify({ ...answer, spec: { ...(answer["spec"] as JsonObject), replicas } });
};

promise("approval:as-shown", "the agent is told, and the record has an alert with what was written", async () => {
  const { world, wire } = shop;
  wire.rule = striking("write", { kind: "edited", edit: otherwise(40) });
  const answer = await world.call("workloads_scale", scaling("shop-dev", 2));
  wire.rule = () => ({ kind: "pass" });
  expect(answer.isError).toBe(false);
  expect(answer.text).toContain("~ spec.replicas: 1 -> 40");
  expect(answer.text).toContain(
    '! written otherwise than its preview showed, by something in the cluster (an alert was raised): "Deployment shop-dev/api"',
  );
  const alerts = (await world.entries()).filter((entry) => entry["kind"] === "alert.raised");
  expect(alerts.map((entry) => [textAt(entry, "call"), entry["details"]])).toEqual([
    [
      textAt(answer.facts, "call"),
      {
        alert: "written otherwise than shown",
        about: {
          tool: "workloads_scale",
          objects: [expect.objectContaining({ kind: "Deployment", namespace: "shop-dev", name: "api" })],
          diff: ["~ spec.replicas: 1 -> 40"],
        },
      },
    ],
  ]);
  expect((await entriesOf(world, answer.facts["call"])).slice(-3).map((one) => one.split(" ")[0])).toEqual([
    "alert.raised",
    "call.settled",
    "grant.revoked",
  ]);
  await expectVerifies(world);
});

promise("approval:as-shown", "what was written as it was shown raises nothing", async () => {
  const { world } = shop;
  const before = (await world.entries()).length;
  const answer = await world.call("workloads_scale", scaling("shop-dev", 3));
  expect([answer.isError, answer.text.includes("written otherwise")]).toEqual([false, false]);
  const kinds = (await world.entries()).slice(before).map((entry) => entry["kind"]);
  expect([kinds.includes("call.settled"), kinds.includes("alert.raised")]).toEqual([true, false]);
  expect(
    Number(
      at((await shop.admin.send("GET", "/apis/apps/v1/namespaces/shop-dev/deployments/api")).body, "spec", "replicas"),
    ),
  ).toBe(3);
});
