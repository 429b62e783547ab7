// What access_review says, through the door: no more than holds, and nothing of what its caller can't see.

import { afterAll, beforeAll, expect } from "vitest";
import type { JsonObject } from "../../src/domain/json.ts";
import { openShop, scaling, type Shop } from "../faults/shop.ts";
import { promise } from "../support/promise.ts";

const policy = `
version: 1
rules:
  - id: ask
    effect: allow
    match: { effects: [read], tools: [access_review, approval_wait] }
    reason: Everyone may ask.
  - id: look
    effect: allow
    match: { effects: [read], tools: [objects_list, objects_get], namespaces: [shop-dev] }
    reason: The shop's developers look at what is theirs.
  - id: look-asked
    effect: require-approval
    match: { effects: [read], tools: [objects_list], namespaces: [shop-prod] }
    approval: { approvers: [group:approvers] }
    reason: Production is looked at by agreement.
  - id: write
    effect: allow
    match: { effects: [change, execute], tools: [workloads_scale, objects_patch, pods_exec] }
    reason: They run it themselves.
  - id: far
    effect: require-approval
    match: { effects: [change], tools: [workloads_scale] }
    when: change.scaled.exists(count, count.to > 4)
    approval: { approvers: [group:approvers] }
    reason: A person looks at large steps.
`;

let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ policy });
});
afterAll(async () => {
  await shop?.stop();
});
const review = async (arguments_: JsonObject): Promise<string[]> =>
  (await shop.world.call("access_review", arguments_)).text.split("\n").slice(0, -1);

promise(
  "tools:review-says-what-holds",
  "a change is not allowed flatly, and a command answers by its words",
  async () => {
    const reason = "a question about rights";
    const exec = async (command: string[]): Promise<string | undefined> =>
      (
        await review({
          tool: "pods_exec",
          arguments: { namespace: "shop-dev", name: "api-0", command, reason },
        })
      )[0];
    const patch = { kind: "Deployment", namespace: "shop-dev", name: "api", patch: { spec: { paused: true } }, reason };
    const listed = { kind: "pods", namespace: "shop-dev" };
    expect([
      (await review({ tool: "workloads_scale", arguments: scaling("shop-dev", 2) }))[0],
      (await review({ tool: "objects_patch", arguments: patch }))[0],
      (await review({ tool: "objects_list", arguments: listed }))[0],
      await exec(["sh", "-c", "ls"]),
      await exec(["ls", "/tmp"]),
    ]).toEqual([
      "workloads_scale with these arguments: needs approval by the rules so far; what its preview finds decides. Nothing was run.",
      "objects_patch with these arguments: allowed by the rules so far; what its preview finds decides. Nothing was run.",
      "objects_list with these arguments: allowed. Nothing was run.",
      "pods_exec with these arguments: needs approval. Nothing was run. A person is asked: this command could do more than its words say.",
      "pods_exec with these arguments: allowed by the rules so far; what its preview finds decides. Nothing was run.",
    ]);
  },
);

promise("tools:review-standing", "the namespaces and the tools that the caller is shown anyway", async () => {
  const [, namespaces, allowed, asked, denied] = await review({});
  expect([namespaces, allowed, asked]).toEqual([
    "namespaces (1): shop-dev",
    "allowed: access_review, approval_wait, objects_get, objects_list, objects_patch, pods_exec, workloads_scale",
    "needs approval: -",
  ]);
  expect(denied).toMatch(/^denied: \d+ that your list does not show$/);
  const seen = await review({ namespace: "shop-dev" });
  expect(seen[1]).toBe("namespaces (1): shop-dev");
  const others = await Promise.all(["shop-prod", "kube-system", "no-such"].map((namespace) => review({ namespace })));
  expect(new Set(others.map((one) => one.join("\n"))).size).toBe(1);
  expect(others[0]?.[0]).toMatch(/^DENIED/);
});
