// What an agent can send that is not a call as it should be: named by path and rule, never by value, and nothing runs.

import { Client } from "@modelcontextprotocol/client";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { at, type Json, type JsonObject } from "../../src/domain/json.ts";
import { promise } from "../support/promise.ts";
import { clientTransport } from "../support/world.ts";
import { expectVerifies, openShop, scaling, told, untouched, type Shop } from "./shop.ts";

/** Agents may scale, nobody else; each may look, and ask the gateway about themselves. */
const policy = `version: 1
rules:
  - id: look
    effect: allow
    match: { effects: [read] , verbs: [get, list], kinds: [pods, apps/deployments] }
    reason: Looking is free.
  - id: ask
    effect: allow
    match: { effects: [read], tools: [access_review, approval_wait] }
    reason: Asking is free.
  - id: look-beside
    effect: allow
    match: { effects: [change, destroy], verbs: [get, list], kinds: [apps/deployments/scale, resourcequotas, autoscaling/horizontalpodautoscalers] }
    reason: A change looks.
  - id: scale
    effect: allow
    match: { effects: [change, destroy], verbs: [patch], kinds: [apps/deployments/scale], groups: [agents] }
    reason: Agents scale.
`;

let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ policy });
});
afterAll(async () => {
  await shop?.stop();
});

const looking = { kind: "Deployment", namespace: "shop-dev", name: "api" };
const long = "x".repeat(10_000);

/** What the agent reads of arguments that break rules. */
function refusedFor(...rules: readonly string[]): string[] {
  return [
    "ERROR invalid_input: The arguments are not valid. Nothing was run.",
    ...rules,
    "next: correct what is named and call again.",
    "call - effect none - retry after change",
    "refused invalid_input none change",
  ];
}

/** The answer of the door to a message of these very bytes. */
async function post(body: string): Promise<{ readonly status: number; readonly answer: Json }> {
  const response = await fetch(shop.world.url, {
    method: "POST",
    headers: {
      authorization: `Bearer ${shop.world.tokens.agent}`,
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
    },
    body,
  });
  const text = (await response.text()).replace(/^event: message\ndata: /, "");
  return { status: response.status, answer: JSON.parse(text) as Json };
}

/** A call of `workloads_scale` whose arguments are these very bytes. */
function callWith(arguments_: string): string {
  return `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"workloads_scale","arguments":${arguments_}}}`;
}

describe("tools", () => {
  promise("faults:unknown-tool", "under no name that is not listed, whatever its shape", async () => {
    for (const name of ["no_such_tool", "kubectl", "../objects_list", "objects_list\u0000", "OBJECTS_LIST", long])
      await expect(shop.world.call(name, {})).rejects.toMatchObject(unknown);
  });

  promise(
    "faults:unknown-tool",
    "one that policy hides from this caller answers as one that does not exist",
    async () => {
      const approver = new Client({ name: "test-approver", version: "1.0.0" });
      await approver.connect(clientTransport(shop.world.url, shop.world.tokens.approver));
      const names = async (client: Client): Promise<string[]> =>
        (await client.listTools()).tools.map((tool) => tool.name);
      expect(await names(shop.world.agent)).toContain("workloads_scale");
      expect(await names(approver)).not.toContain("workloads_scale");
      const calls = ["workloads_scale", "no_such_tool"].map((name) =>
        approver.callTool({ name, arguments: scaling("shop-dev", 2) }).then(String, String),
      );
      const [hidden, absent] = await Promise.all(calls);
      expect(hidden).toBe(absent);
      await approver.close();
    },
  );

  const unknown = { code: -32602, message: "Unknown tool: tools/list names the ones there are." };
});

describe("messages", () => {
  promise("faults:not-a-message", "a key that stands twice, however it is spelt", async () => {
    for (const [arguments_, key] of [
      ['{"kind":"Deployment","kind":"Pod"}', "kind"],
      ['{"kind":"Deployment","\\u006bind":"Pod"}', "kind"],
      ['{"reason":{"a":{"b":1,"b":2}}}', "b"],
    ] as const)
      expect(await post(callWith(arguments_))).toEqual({
        status: 400,
        answer: refusal(-32600, `invalid_input: the key "${key}" stands twice in one object.`),
      });
  });

  promise("faults:not-a-message", "values that no record could hold", async () => {
    for (const [arguments_, why] of [
      ['{"name":"\\ud800"}', "a text holds half of a surrogate pair"],
      ['{"\\udfff":1}', "a text holds half of a surrogate pair"],
      ['{"replicas":1e400}', "a number is too large"],
      [`{"x":${"[".repeat(200)}${"]".repeat(200)}}`, "the message is nested deeper than 100 levels"],
    ] as const)
      expect(await post(callWith(arguments_))).toEqual({
        status: 400,
        answer: refusal(-32600, `invalid_input: ${why}.`),
      });
  });

  promise("faults:not-a-message", "bytes that are no JSON, and more of them than the door takes", async () => {
    expect(await post(callWith('{"replicas":01}'))).toEqual({
      status: 400,
      answer: refusal(-32700, "The message is not valid JSON in UTF-8.", null),
    });
    expect(await post(callWith(`{"x":"${"y".repeat(1_200_000)}"}`))).toEqual({
      status: 413,
      answer: refusal(-32000, "The body is larger than 1048576 bytes.", null),
    });
  });

  function refusal(code: number, message: string, id: number | null = 7): JsonObject {
    return { jsonrpc: "2.0", id, error: { code, message } };
  }
});

describe("arguments", () => {
  promise(
    "faults:arguments",
    "keys that the tool does not have, also those that JavaScript treats specially",
    async () => {
      const answer = await shop.world.call("objects_get", { ...looking, all: true, "x\u202e\u0000": 1 });
      expect(told(answer)).toEqual(
        refusedFor("all: is not an argument of this tool", '"x??": is not an argument of this tool'),
      );
      const special = await post(
        callWith(`{"__proto__":{"replicas":1},"constructor":1,${JSON.stringify(scaling("shop-dev", 2)).slice(1)}`),
      );
      expect(at(special.answer, "result", "_meta", "sallyport/facts", "code")).toBe("invalid_input");
    },
  );

  promise("faults:arguments", "wrong types, and no arguments at all", async () => {
    const all = [
      "kind: must be string",
      "name: must be string",
      "namespace: must be string",
      "replicas: must be number",
      "reason: must be string",
    ];
    expect(told(await shop.world.call("workloads_scale", {}))).toEqual(refusedFor(...all));
    const wrong = { kind: 1, name: {}, namespace: null, replicas: "5", reason: true };
    expect(told(await shop.world.call("workloads_scale", wrong))).toEqual(refusedFor(...all));
    for (const none of ["text", ["list"], null])
      expect(told(await shop.world.call("workloads_scale", none as unknown as JsonObject))).toEqual(
        refusedFor("arguments: must be object"),
      );
  });

  promise("faults:arguments", "numbers out of bounds and reasons of the wrong size", async () => {
    for (const [more, rule] of [
      [{ replicas: -1 }, "replicas: must be at least 0"],
      [{ replicas: 1001 }, "replicas: must be at most 1000"],
      [{ replicas: 1.5 }, "replicas: must be int"],
      [{ reason: "short" }, "reason: must be at least 8 characters"],
      [{ reason: long }, "reason: must be at most 300 characters"],
      [{ if_replicas: "1" }, "if_replicas: must be number"],
    ] as const)
      expect(told(await shop.world.call("workloads_scale", scaling("shop-dev", 2, more)))).toEqual(refusedFor(rule));
  });

  const hostile = [
    "a/b",
    "a%2fb",
    "%2e%2e",
    "../api",
    "..",
    "api\u0000",
    "\u202eipa",
    "api\n",
    " api",
    "ａｐｉ",
    "a?b",
    "a#b",
    "a\\b",
    "-api",
    "API",
  ];

  promise(
    "faults:arguments",
    "names of objects, namespaces and kinds that could be read as anything else",
    async () => {
      for (const value of hostile) {
        const name = await shop.world.call("objects_get", { ...looking, name: value });
        expect([value, ...told(name)]).toEqual([value, ...refusedFor("name: must be a Kubernetes object name")]);
        const namespace = await shop.world.call("objects_get", { ...looking, namespace: value });
        expect([value, ...told(namespace)]).toEqual([value, ...refusedFor("namespace: must be a namespace name")]);
      }
      for (const value of hostile.filter((one) => one !== "API")) {
        const kind = await shop.world.call("objects_get", { ...looking, kind: value });
        expect([value, ...told(kind)]).toEqual([value, ...refusedFor("kind: must be a kind, for example Pod")]);
      }
      for (const [key, most] of [
        ["name", 253],
        ["namespace", 63],
        ["kind", 160],
      ] as const)
        expect(told(await shop.world.call("objects_get", { ...looking, [key]: long }))).toEqual(
          refusedFor(`${key}: must be at most ${most} characters`),
        );
    },
  );

  promise("faults:arguments", "kinds and subresources that this cluster does not serve", async () => {
    for (const kind of ["nosuchkind", "constructor", "API"]) {
      const answer = await shop.world.call("objects_get", { ...looking, kind });
      expect([kind, ...told(answer)]).toEqual([
        kind,
        "ERROR unknown_kind: This cluster serves no such kind. Nothing was run.",
        "next: kinds_explain with search finds kinds; write them as Pod, deployments or Certificate.cert-manager.io.",
        "call - effect none - retry after change",
        "refused unknown_kind none change",
      ]);
    }
    for (const kind of ["pods/exec", "deployments/scale"])
      expect(told(await shop.world.call("objects_get", { ...looking, kind }))).toEqual(
        refusedFor("kind: must be a kind, for example Pod"),
      );
  });

  promise("faults:arguments", "selectors, cursors and ids that are not the gateway's own", async () => {
    const listed = { kind: "pods", namespace: "shop-dev" };
    const cursor = "cursor: is of another call: take the cursor of the last answer, with the same arguments";
    for (const [tool, arguments_, rule] of [
      ["objects_list", { ...listed, selector: "a in (" }, "selector: not a label selector"],
      ["objects_list", { ...listed, cursor: "forged" }, cursor],
      ["objects_list", { ...listed, cursor: "Zm9yZ2VkIGFnYWluLCBhbmQgbG9uZ2VyIHRoaXMgdGltZQ" }, cursor],
    ] as const) {
      const [, found, , , facts] = told(await shop.world.call(tool, arguments_));
      expect([rule, found, facts]).toEqual([rule, rule, "failed invalid_input none change"]);
    }
    for (const id of ["apr_../../keys", "apr_01a1fe42", "APR_01A1FE42-0939-794C-AAAA-A061C685E7FC"])
      expect(told(await shop.world.call("approval_wait", { id }))).toEqual(
        refusedFor("id: must be an apr_… or call_… id"),
      );
  });
});

describe("afterwards", () => {
  promise(
    "faults:arguments",
    "nothing of this reached the cluster, and each call is on record with its end",
    async () => {
      expect(shop.wire.passed.filter((one) => one.method === "PATCH" && !one.url.includes("preview-probe"))).toEqual(
        [],
      );
      expect(await shop.standing()).toEqual(untouched);
      const entries = await shop.world.entries();
      const received = entries.filter((entry) => entry["kind"] === "call.received").map((entry) => entry["call"]);
      const settled = entries.filter((entry) => entry["kind"] === "call.settled").map((entry) => entry["call"]);
      expect(received.length).toBeGreaterThan(60);
      expect(settled).toEqual(received);
    },
  );

  promise("faults:arguments", "what was sent stands in the record by size where it is large", async () => {
    await post(callWith(`{"x":"${"y".repeat(500_000)}"}`));
    const last = (await shop.world.entries()).findLast((entry) => entry["kind"] === "call.received");
    expect(at(last, "details", "arguments")).toEqual({
      "sallyport/left_out": expect.stringMatching(/^500008 /) as string,
    });
  });

  promise("faults:verifies", "the transcript verifies", async () => {
    await expectVerifies(shop.world);
  });
});
