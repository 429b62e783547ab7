// A gateway that stops or is killed in the middle: what waits goes on waiting, what ran is never run again, nothing usable is left.

import { afterAll, beforeAll, describe, expect } from "vitest";
import { promise } from "../support/promise.ts";
import { killWhileWriting, kindsOf } from "./crash.ts";
import {
  eventually,
  expectVerifies,
  heading,
  leftoversIn,
  openShop,
  scaling,
  told,
  untouched,
  type Shop,
} from "./shop.ts";

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(async () => {
  await shop?.stop();
});

const leftByAnyGrant = ["serviceaccounts", "secrets", "roles", "rolebindings"];

describe("a gateway that is started again", () => {
  promise("faults:restarted", "a request that waited is approved then, and runs", async () => {
    const { world } = shop;
    const asked = await world.call("workloads_scale", scaling("shop-prod", 4));
    await world.restart();
    expect(
      heading(await world.call("approval_wait", { id: asked.facts["approval"] ?? "", wait_seconds: 0 }))[0],
    ).toMatch(/^APPROVAL PENDING/);
    await world.approve();
    expect(heading(await world.call("approval_wait", { id: asked.facts["approval"] ?? "" }))[0]).toBe(
      "DONE workloads_scale Deployment shop-prod/api",
    );
    expect(await shop.standing()).toEqual({ ...untouched, prod: 4 });
  });

  promise("faults:restarted", "the answer of a call that ran before still waits for its caller", async () => {
    const { world } = shop;
    const asked = await world.call("workloads_scale", scaling("shop-prod", 3));
    await world.approve();
    await eventually(() => shop.standing()).toEqual(untouched);
    await world.restart();
    expect(heading(await world.call("workloads_scale", scaling("shop-prod", 3)))[0]).toBe(
      "DONE workloads_scale Deployment shop-prod/api",
    );
    expect(asked.facts["outcome"]).toBe("suspended");
  });
});

describe("a gateway that is killed", () => {
  promise("faults:killed", "between grant and settle: the grant is swept and the end marked unknown", async () => {
    const place = { ...shop, namespace: "shop-dev" };
    const { left, call } = await killWhileWriting(place, (agent) =>
      agent.callTool({ name: "workloads_scale", arguments: scaling("shop-dev", 4) }),
    );
    expect(left).toEqual(leftByAnyGrant);
    await eventually(() => shop.standing()).toEqual(untouched);
    await eventually(async () => kindsOf(await shop.world.entries(), call)).toEqual([
      "call.received",
      "call.previewed",
      "call.decided",
      "grant.issued",
      "call.unknown",
      "grant.swept",
    ]);
  });

  promise(
    "faults:killed",
    "while an approved call ran: it is not run again, and its caller is told that nobody knows",
    async () => {
      const { world } = shop;
      const asked = await world.call("workloads_scale", scaling("shop-prod", 6));
      const { left } = await killWhileWriting({ ...shop, namespace: "shop-prod" }, () => world.approve());
      expect(left).toEqual(leftByAnyGrant);
      await eventually(() => leftoversIn(shop.admin, ["shop-prod"])).toEqual([]);
      expect(told(await world.call("approval_wait", { id: asked.facts["approval"] ?? "" }))).toEqual([
        "ERROR internal: Something broke inside the gateway.",
        "next: read the object first: nobody knows whether the change was made. Do not repeat it blindly.",
        "call - effect unknown - retry never",
        "failed internal unknown never",
      ]);
      expect(await shop.standing()).toEqual(untouched);
    },
  );

  promise("faults:verifies", "after all of this the transcript verifies", async () => {
    await expectVerifies(shop.world);
  });
});
