// A queue that others have filled: nobody's approvers are buried by it, and nobody else's work stops.

import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect } from "vitest";
import { textAt, type JsonObject } from "../../src/domain/json.ts";
import { entriesOf, expectVerifies, heading, openShop, scaling, type Shop } from "../faults/shop.ts";
import { promise } from "../support/promise.ts";

const rule = (id: string, namespace: string, group: string): string => `  - id: ${id}
    effect: require-approval
    match: { effects: [change], verbs: [patch], kinds: [apps/deployments/scale], namespaces: [${namespace}] }
    approval: { approvers: ["group:${group}"], escalate: [{ after: 10m, to: ["group:leads"] }] }
    reason: A person agrees.
`;
const policy = `version: 1
rules:
  - id: look
    effect: allow
    match: { effects: [read, change], verbs: [get, list] }
    reason: Looking is free.
${rule("production", "shop-prod", "approvers")}${rule("development", "shop-dev", "others").replace(/, escalate: .*\]/, "")}`;

let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ policy });
});
afterAll(async () => {
  await shop?.stop();
});

/** The file with its last request so many times more, of other callers and under ids of their own. */
function crowded(text: string, more: number): string {
  const file = JSON.parse(text) as { readonly requests: readonly JsonObject[] };
  const last = file.requests.at(-1) ?? {};
  const call = last["call"] as JsonObject;
  const principal = { ...(call["principal"] as JsonObject), subject: "somebody-else" };
  const copies = Array.from({ length: more }, (_, index) => ({
    ...last,
    id: `${textAt(last, "id").slice(0, -8)}${(0x10000000 + index).toString(16)}`,
    call: { ...call, principal },
    callDigest: randomBytes(32).toString("hex"),
    approvalDigest: randomBytes(32).toString("hex"),
  }));
  const stamp = randomBytes(16).toString("hex");
  const requests = [...file.requests, ...copies].map((one) => JSON.stringify(one)).join(",\n");
  return `{"format":1,"stamp":"${stamp}","requests":[\n${requests}\n]}\n`;
}

promise(
  "hostile:flood",
  "a thousand requests wait for the same people: one more is refused, the same one joins, and other people are asked as ever",
  async () => {
    const { world } = shop;
    const asked = await world.call("workloads_scale", scaling("shop-prod", 4));
    const path = join(world.folder, "approvals", "requests.json");
    await world.restart(async () => await writeFile(path, crowded(await readFile(path, "utf8"), 999)));
    const more = await world.call("workloads_scale", scaling("shop-prod", 5));
    expect(heading(more)).toEqual([
      "ERROR limit_exceeded: A limit was reached: 1000 requests wait for the same people. Nothing was run.",
      "refused limit_exceeded none later",
    ]);
    expect((await entriesOf(world, more.facts["call"])).at(-1)).toBe("call.settled refused limit_exceeded none");
    const again = await world.call("workloads_scale", scaling("shop-prod", 4));
    expect(textAt(again.facts, "approval")).toBe(textAt(asked.facts, "approval"));
    const others = await world.call("workloads_scale", scaling("shop-dev", 5));
    expect(others.facts["outcome"]).toBe("suspended");
    await world.sallyport(["approvals", "reject", textAt(asked.facts, "approval"), "--reason", "enough"], "approver");
    expect((await world.call("workloads_scale", scaling("shop-prod", 6))).facts["outcome"]).toBe("suspended");
    await expectVerifies(world);
  },
);
