// `*` where policy allows one kind in more namespaces than another: each list goes where it may, and no further.

import { expect } from "vitest";
import { textAt } from "../../src/domain/json.ts";
import { openShop } from "../faults/shop.ts";
import { promise } from "../support/promise.ts";

/** Pods everywhere, events in one place. */
const policy = `version: 1
rules:
  - id: pods
    effect: allow
    match: { effects: [read], verbs: [get, list], kinds: [pods, apps/replicasets, apps/deployments] }
    reason: Pods may be seen.
  - id: events
    effect: allow
    match: { effects: [read], verbs: [get, list], kinds: [events], namespaces: [shop-dev] }
    reason: Events may be seen in one place.
`;

promise("hostile:tool-places", "events of what an object owns, where its pods may be seen in more places", async () => {
  const shop = await openShop({ policy });
  try {
    const answer = await shop.world.call("events_list", {
      namespace: "*",
      kind: "Deployment",
      name: "api",
      type: "all",
    });
    expect([answer.facts["code"], / in 1 namespaces,/.test(answer.text)]).toEqual([undefined, true]);
    const call = textAt(answer.facts, "call");
    const events = shop.wire.passed.filter(
      (one) => String(one.headers["audit-id"]).startsWith(call) && one.url.includes("/events"),
    );
    expect(events.map((one) => one.url.split("?")[0])).toEqual(["/api/v1/namespaces/shop-dev/events"]);
  } finally {
    await shop.stop();
  }
});
