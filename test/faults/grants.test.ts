// Credentials that can't be made, or only half: nothing runs, nothing is left behind, and the fence is no option.

import { afterAll, afterEach, beforeAll, describe, expect } from "vitest";
import { at } from "../../src/domain/json.ts";
import { status, type Action, type Passing } from "../support/proxy.ts";
import { promise } from "../support/promise.ts";
import {
  eventually,
  expectVerifies,
  entriesOf,
  heading,
  openShop,
  scaling,
  told,
  untouched,
  type Shop,
} from "./shop.ts";

let shop: Shop;
/** The clock of the gateway can be put forward. */
let ahead = 0;

beforeAll(async () => {
  shop = await openShop({ outside: { now: () => Date.now() + ahead } });
});
afterEach(() => {
  shop.wire.rule = () => ({ kind: "pass" });
});
afterAll(async () => {
  await shop?.stop();
});

/** The requests that make a grant, in their order. */
const steps: Record<string, (one: Passing) => boolean> = {
  "the anchor": (one) => one.method === "POST" && one.url.endsWith("/sallyport-sessions/secrets"),
  "the account": (one) => one.method === "POST" && one.url.endsWith("/sallyport-sessions/serviceaccounts"),
  "the role": (one) => one.method === "POST" && one.url.endsWith("/shop-dev/roles"),
  "the binding": (one) => one.method === "POST" && one.url.endsWith("/shop-dev/rolebindings"),
  "the token": (one) => one.method === "POST" && /\/serviceaccounts\/run-[^/]+\/token$/.test(one.url),
};

const broken: Record<string, Action> = {
  "a refusal": status(403, "Forbidden", "no"),
  "an error": status(500, "InternalError", "no"),
  "an answer that is swallowed": { kind: "swallow" },
};

const noCredential = "ERROR credential_unavailable: No credential could be made for this call.";

describe("a grant that can't be made", () => {
  for (const [step, is] of Object.entries(steps))
    promise("faults:grant-half-made", `${step} meets a refusal, an error, or an answer that is swallowed`, async () => {
      for (const [what, action] of Object.entries(broken)) {
        shop.wire.rule = (passing) => (is(passing) ? action : { kind: "pass" });
        const answer = await shop.world.call("workloads_scale", scaling("shop-dev", 5));
        expect([what, ...heading(answer)]).toEqual([what, noCredential, "failed credential_unavailable none later"]);
        expect([what, await shop.standing()]).toEqual([what, untouched]);
      }
    });

  promise("faults:grant-half-made", "the record has no grant for it, and its end", async () => {
    shop.wire.rule = (one) =>
      steps["the binding"]?.(one) === true ? status(403, "Forbidden", "no") : { kind: "pass" };
    const answer = await shop.world.call("workloads_scale", scaling("shop-dev", 5));
    expect(told(answer)).toEqual([
      noCredential,
      "it would need an enrolled namespace, and a ceiling that holds these accesses",
      "next: tell the user what it would need, which only an administrator of the cluster can add. Until then it ends like this.",
      "call - effect none - retry later",
      "failed credential_unavailable none later",
    ]);
    expect(await entriesOf(shop.world, answer.facts["call"])).toEqual([
      "call.received",
      "call.previewed",
      "call.decided allow",
      "call.settled failed credential_unavailable none",
    ]);
  });

  promise(
    "faults:grant-half-made",
    "a grant whose removal fails too is swept when the gateway starts again",
    async () => {
      shop.wire.rule = (one) =>
        steps["the token"]?.(one) === true || (one.method === "DELETE" && one.url.includes("/run-"))
          ? status(500, "InternalError", "no")
          : { kind: "pass" };
      const answer = await shop.world.call("workloads_scale", scaling("shop-dev", 5));
      expect(heading(answer)).toEqual([noCredential, "failed credential_unavailable none later"]);
      const left = (await shop.standing()).leftovers;
      expect(left.map((one) => one.replace(/-[0-9a-f-]{36}$/, "")).toSorted()).toEqual([
        "rolebindings run",
        "roles run",
        "serviceaccounts run",
      ]);
      shop.wire.rule = () => ({ kind: "pass" });
      await shop.world.restart();
      await eventually(() => shop.standing()).toEqual(untouched);
      const swept = (await shop.world.entries()).filter((entry) => entry["kind"] === "grant.swept");
      expect(swept.map((entry) => entry["call"])).toContain(answer.facts["call"]);
    },
  );
});

describe("a grant that can't be taken back", () => {
  promise("faults:grant-left", "its call is done all the same, and the next sweep removes what is left", async () => {
    shop.wire.rule = (one) =>
      one.method === "DELETE" && one.url.includes("/run-") ? status(500, "InternalError", "no") : { kind: "pass" };
    const answer = await shop.world.call("workloads_scale", scaling("shop-dev", 2));
    expect(heading(answer)).toEqual(["DONE workloads_scale Deployment shop-dev/api", "completed  applied "]);
    // Its token has died with the anchor: what is left can't be used.
    expect((await shop.standing()).leftovers.filter((one) => one.startsWith("secrets"))).toEqual([]);
    const revoked = (await shop.world.entries()).findLast((entry) => entry["kind"] === "grant.revoked");
    expect(at(revoked ?? {}, "details", "complete")).toBe(false);
    shop.wire.rule = () => ({ kind: "pass" });
    await shop.world.restart();
    await eventually(() => shop.standing()).toEqual({ ...untouched, dev: 2 });
    await shop.world.call("workloads_scale", scaling("shop-dev", 1));
  });
});

describe("without the fence of the previews", () => {
  const binding = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings/sallyport-preview";

  promise("faults:fence-gone", "no change is rehearsed, put to a person or run, and reads go on", async () => {
    const found = await shop.admin.send("GET", binding);
    expect((await shop.admin.send("DELETE", binding)).status).toBe(200);
    // An answer of the fence is believed for a minute.
    ahead += 61_000;
    const refusal = [
      "ERROR preview_unavailable: The change could not be rehearsed: nobody knows what it would do. Nothing was run.",
      "next: try once more in a minute; if it stays so, tell the user, who can give the call id to the operator.",
      "call - effect none - retry later",
      "refused preview_unavailable none later",
    ];
    for (const arguments_ of [
      scaling("shop-dev", 5),
      scaling("shop-dev", 5, { preview: true }),
      scaling("shop-prod", 5),
    ])
      expect(told(await shop.world.call("workloads_scale", arguments_))).toEqual(refusal);
    expect(await shop.standing()).toEqual(untouched);
    expect((await shop.world.sallyport(["approvals", "list"], "approver")).out).toBe("Nothing waits for an answer.\n");
    expect((await shop.world.call("objects_list", { kind: "pods", namespace: "shop-dev" })).isError).toBe(false);

    const { metadata: _metadata, ...rest } = found.body;
    await shop.admin.create(binding.replace(/\/[^/]+$/, ""), { ...rest, metadata: { name: "sallyport-preview" } });
    ahead += 61_000;
    expect((await shop.world.call("workloads_scale", scaling("shop-dev", 1))).isError).toBe(false);
  });

  promise("faults:verifies", "after all of this the transcript verifies and nothing of a grant is left", async () => {
    expect(await shop.standing()).toEqual(untouched);
    await expectVerifies(shop.world);
  });
});
