// The policy's answer in a preview: the one that holds once it is known what the change would do, through the door.

import { afterAll, beforeAll, expect } from "vitest";
import { openShop, scaling, type Shop } from "../faults/shop.ts";
import { promise } from "../support/promise.ts";

const policy = `
version: 1
rules:
  - id: read
    effect: allow
    match: { effects: [read] }
    reason: Everyone reads here.
  - id: scale
    effect: allow
    match: { effects: [change], tools: [workloads_scale], verbs: [get, patch], kinds: [apps/deployments, apps/deployments/scale] }
    reason: Small steps need nobody.
  - id: far
    effect: require-approval
    match: { effects: [change], tools: [workloads_scale], verbs: [patch], kinds: [apps/deployments/scale] }
    when: change.scaled.exists(count, count.to > 4)
    approval: { approvers: [group:approvers], expires: 10m, validFor: 1m }
    reason: A person looks at large steps.
  - id: too-far
    effect: deny
    match: { effects: [change], tools: [workloads_scale], verbs: [patch], kinds: [apps/deployments/scale] }
    when: change.scaled.exists(count, count.to > 50)
    reason: Nobody runs so many here.
`;

let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ policy });
});
afterAll(async () => {
  await shop?.stop();
});

promise("pipeline:last-word", "rules that ask what the change does are told in its preview", async () => {
  const lastWord = async (replicas: number): Promise<string> => {
    const answer = await shop.world.call("workloads_scale", scaling("shop-dev", replicas, { preview: true }));
    const [first = ""] = answer.text.split("\n");
    return /policy: [a-z ]+/.exec(answer.text)?.[0] ?? first;
  };
  expect([await lastWord(2), await lastWord(5), await lastWord(51)]).toEqual([
    "policy: allowed",
    "policy: needs approval",
    "DENIED: Policy does not allow this call. Nothing was run.",
  ]);
});
