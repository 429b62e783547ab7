// Own calls and completions through a whole gateway: what stands on record is what is read back, and what was read is on record.

import { Client } from "@modelcontextprotocol/client";
import { afterAll, beforeAll, expect } from "vitest";
import { at, textAt, type JsonObject } from "../../src/domain/json.ts";
import { openShop, type Shop } from "../faults/shop.ts";
import { promise } from "../support/promise.ts";
import { clientTransport } from "../support/world.ts";

let shop: Shop;
let approver: Client;
beforeAll(async () => {
  shop = await openShop();
  approver = new Client({ name: "approver", version: "1" });
  await approver.connect(clientTransport(shop.world.url, shop.world.tokens.approver));
});
afterAll(async () => {
  await approver?.close();
  await shop?.stop();
});

const read = async (client: Client, call: string): Promise<string> => {
  const { contents } = await client.readResource({ uri: `sallyport://calls/${call}` });
  return (contents[0] as { text: string }).text;
};
const refusedTo = async (client: Client, call: string): Promise<unknown> =>
  await read(client, call).catch((error: unknown) => (error instanceof Error ? error.message : error));
const of = async (kind: string): Promise<readonly JsonObject[]> =>
  (await shop.world.entries()).filter((entry) => textAt(entry, "kind") === kind);

promise("mcp:own-calls", "the receipt, the diff and the places of a preview are those of the transcript", async () => {
  const arguments_ = {
    kind: "Deployment",
    name: "api",
    namespace: "shop-dev",
    replicas: 2,
    preview: true,
    reason: "more traffic",
  };
  const { facts, text: answer } = await shop.world.call("workloads_scale", arguments_);
  const call = textAt(facts, "call");
  const text = await read(shop.world.agent, call);
  expect(answer).toContain("~ spec.replicas: 1 -> 2");
  expect(text).toMatch(new RegExp(`^call ${call} - workloads_scale, preview only`));
  expect(text).toContain("\noutcome: completed - effect none\n");
  expect(text).toContain("\ndiff:\n~ spec.replicas: 1 -> 2");
  const entries = await shop.world.entries();
  const places = [...(/^on record: (.*)$/m.exec(text)?.[1] ?? "").matchAll(/(\S+) (\d+)/g)];
  expect(places.length).toBeGreaterThanOrEqual(3);
  for (const [, kind, index] of places)
    expect([textAt(entries[Number(index)], "kind"), textAt(entries[Number(index)], "call")]).toEqual([kind, call]);
});

promise(
  "mcp:own-calls",
  "another caller's reading finds nothing, as one of a call that never was, and both are recorded",
  async () => {
    const { facts } = await shop.world.call("objects_list", { kind: "Pod", namespace: "shop-dev" });
    const call = textAt(facts, "call");
    const never = "call_019ab000-0000-7000-8000-000000000001";
    const before = (await of("evidence.viewed")).length;
    expect(await refusedTo(approver, call)).toEqual(await refusedTo(approver, never));
    expect(await read(shop.world.agent, call)).toContain("objects_list");
    const viewed = (await of("evidence.viewed")).slice(before);
    expect(
      viewed.map((entry) => [
        at(entry, "principal", "sub"),
        at(entry, "details", "call"),
        at(entry, "details", "found"),
      ]),
    ).toEqual([
      ["approver", call, false],
      ["approver", never, false],
      ["agent", call, true],
    ]);
    const { code, out } = await shop.world.sallyport(["transcript", "verify"]);
    expect([code, out.includes("INTEGRITY")]).toEqual([0, true]);
  },
);

promise(
  "mcp:completions",
  "of names are calls on record; of namespaces are what policy leaves; nobody is asked",
  async () => {
    const complete = async (
      name: string,
      value: string,
      given: Record<string, string> = {},
    ): Promise<readonly string[]> => {
      const ref = { type: "ref/prompt", name: "diagnose" } as const;
      return (await shop.world.agent.complete({ ref, argument: { name, value }, context: { arguments: given } }))
        .completion.values;
    };
    const before = (await of("call.settled")).length;
    expect(await complete("namespace", "shop")).toEqual(["shop-dev", "shop-prod"]);
    expect(await complete("namespace", "kube")).toEqual([]);
    expect((await of("call.settled")).length).toBe(before);
    expect(await complete("name", "ap", { kind: "Deployment", namespace: "shop-dev" })).toEqual(["api"]);
    const settled = (await of("call.settled")).slice(before);
    expect(settled.map((entry) => [at(entry, "details", "tool"), at(entry, "details", "outcome")])).toEqual([
      ["objects_list", "completed"],
    ]);
    // Denied, in need of a person, not enrolled: nothing is begun.
    expect(await complete("name", "d", { kind: "Secret", namespace: "shop-dev" })).toEqual([]);
    expect(await complete("name", "a", { kind: "Pod", namespace: "kube-system" })).toEqual([]);
    expect(await complete("name", "a", { kind: "NoSuchKind", namespace: "shop-dev" })).toEqual([]);
    expect((await of("call.settled")).length).toBe(before + 1);
    expect(await of("approval.requested")).toEqual([]);
  },
);

promise("mcp:prompts", "are listed by a whole gateway as its policy lets the tools be seen", async () => {
  const { prompts } = await shop.world.agent.listPrompts();
  expect(prompts.map((one) => one.name).slice(0, 2)).toEqual(["diagnose", "safe_change"]);
});
