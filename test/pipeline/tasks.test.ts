// The Tasks extension over the wire: a call that waits for a person is answered by a handle, and only its caller finds its result by it.

import { afterAll, beforeAll, describe, expect } from "vitest";
import { at, isJsonObject, textAt, type Json, type JsonObject } from "../../src/domain/json.ts";
import { openShop, scaling, untouched, type Shop } from "../faults/shop.ts";
import { promise } from "../support/promise.ts";

const extension = "io.modelcontextprotocol/tasks";
const never = "apr_01a1ff62-baa3-7655-80c9-79cfe40239dc";

let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ config: "hold: 45" });
});
afterAll(async () => {
  await shop?.stop();
});

let sent = 0;
/** One request of the 2026-07-28 revision, as any client could send it. */
async function ask(
  method: string,
  params: JsonObject,
  { token = shop.world.tokens.agent, tasks = true } = {},
): Promise<JsonObject> {
  const capabilities = tasks ? { extensions: { [extension]: {} } } : {};
  const _meta = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": { name: "raw", version: "1" },
    "io.modelcontextprotocol/clientCapabilities": capabilities,
  };
  sent += 1;
  const name = textAt(params, "name") || textAt(params, "taskId");
  const response = await fetch(shop.world.url, {
    method: "POST",
    headers: {
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      "mcp-protocol-version": "2026-07-28",
      "mcp-method": method,
      ...(name === "" ? {} : { "mcp-name": name }),
    },
    body: JSON.stringify({ jsonrpc: "2.0", id: sent, method, params: { ...params, _meta } }),
  });
  const text = await response.text();
  const line =
    text
      .split("\n")
      .findLast((one) => one.startsWith("data:"))
      ?.slice(5) ?? text;
  return JSON.parse(line) as JsonObject;
}
const resultOf = (answer: JsonObject): JsonObject => {
  const { result } = answer;
  if (!isJsonObject(result ?? null)) throw new Error(JSON.stringify(answer));
  return result as JsonObject;
};
const errorOf = (answer: JsonObject): readonly (Json | undefined)[] => [
  at(answer, "error", "code"),
  at(answer, "error", "message"),
];
const get = async (taskId: string, more: Parameters<typeof ask>[2] = {}): Promise<JsonObject> =>
  await ask("tasks/get", { taskId }, more);
const asked = async (replicas: number): Promise<JsonObject> =>
  resultOf(await ask("tools/call", { name: "workloads_scale", arguments: scaling("shop-prod", replicas) }));
/** Polls until the task is over. */
async function ended(taskId: string): Promise<JsonObject> {
  let state = resultOf(await get(taskId));
  await expect
    .poll(
      async () => {
        state = resultOf(await get(taskId));
        return state["status"];
      },
      { timeout: 60_000 },
    )
    .toBe("completed");
  return state;
}
const saidBy = (state: JsonObject): string => textAt(state, "result", "content", 0, "text");

describe("tasks", () => {
  promise(
    "mcp:tasks",
    "answered at once by a handle; once approved the task completes with the call's result, as often as it is asked",
    async () => {
      const handle = await asked(4);
      const id = textAt(handle, "taskId");
      const made = Date.parse(textAt(handle, "createdAt"));
      expect(handle).toMatchObject({ resultType: "task", status: "working", pollIntervalMs: 5_000 });
      expect([id.startsWith("apr_"), textAt(handle, "statusMessage").includes(id)]).toEqual([true, true]);
      const waiting = resultOf(await get(id));
      const requests = JSON.parse(
        (await shop.world.sallyport(["approvals", "list", "--json"], "approver")).out,
      ) as Json;
      const expires = at(requests, 0, "expiresAt") ?? at(requests, "requests", 0, "expiresAt");
      expect(waiting).toMatchObject({ resultType: "complete", taskId: id, status: "working" });
      expect(Number(handle["ttlMs"])).toBeGreaterThan(0);
      expect([typeof expires === "string" ? Date.parse(expires) : expires]).toEqual([made + Number(waiting["ttlMs"])]);

      await shop.world.approve();
      const state = await ended(id);
      expect(saidBy(state).split("\n")[0]).toMatch(/^DONE workloads_scale /);
      expect([at(state, "result", "isError"), (await shop.standing()).prod]).toEqual([false, 4]);
      expect(resultOf(await get(id))).toEqual(state);
    },
  );

  promise("mcp:tasks", "rejected is completed with an error that says so, never failed", async () => {
    const id = textAt(await asked(5), "taskId");
    await shop.world.sallyport(["approvals", "reject", id, "--reason", "not now", "--tell-agent"], "approver");
    const state = await ended(id);
    expect([at(state, "result", "isError"), saidBy(state).split("\n")[0]]).toEqual([
      true,
      "ERROR approval_rejected: A person has refused this call. Nothing was run.",
    ]);
    expect((await shop.standing()).prod).toBe(4);
  });

  promise(
    "mcp:tasks",
    "a call that needs nobody is answered as ever, and so is a client that did not declare them",
    async () => {
      const read = resultOf(
        await ask("tools/call", { name: "objects_list", arguments: { kind: "pods", namespace: "shop-dev" } }),
      );
      expect([read["resultType"], read["isError"]]).toEqual(["complete", false]);
      const held = ask("tools/call", { name: "workloads_scale", arguments: scaling("shop-prod", 6) }, { tasks: false });
      await shop.world.approve();
      expect([
        textAt(await held, "result", "content", 0, "text").split(" ")[0],
        at(await held, "result", "taskId"),
      ]).toEqual(["DONE", undefined]);
      for (const method of ["tasks/get", "tasks/update", "tasks/cancel"])
        expect([method, at(await ask(method, { taskId: never }, { tasks: false }), "error", "code")]).toEqual([
          method,
          -32_021,
        ]);
    },
  );

  promise(
    "mcp:tasks-own",
    "another caller's task, none at all and a malformed id are told alike, by every method",
    async () => {
      const id = textAt(await asked(7), "taskId");
      const token = shop.world.tokens.approver;
      for (const method of ["tasks/get", "tasks/update", "tasks/cancel"]) {
        const told = await Promise.all([
          ask(method, { taskId: id }, { token }),
          ask(method, { taskId: never }),
          ask(method, { taskId: "../../etc" }),
          ask(method, { taskId: id.toUpperCase() }),
        ]);
        expect([
          method,
          new Set(told.map((one) => JSON.stringify(errorOf(one)))).size,
          at(told[0], "error", "code"),
        ]).toEqual([method, 1, -32_602]);
      }
      // And a cancel of its own caller leaves the request to its requester: a person can still answer it.
      expect(resultOf(await ask("tasks/cancel", { taskId: id }))).toMatchObject({ resultType: "complete" });
      expect(resultOf(await get(id))).toMatchObject({ status: "working" });
      expect(
        resultOf(await ask("tasks/update", { taskId: id, inputResponses: { approve: { action: "accept" } } })),
      ).toMatchObject({
        resultType: "complete",
      });
      expect(resultOf(await get(id))).toMatchObject({ status: "working" });
      expect((await shop.standing()).prod).toBe(6);
      await shop.world.sallyport(["approvals", "reject", id, "--reason", "over"], "approver");
      await ended(id);
    },
  );

  promise("mcp:tasks", "and survives a restart of the gateway while it waits", async () => {
    const id = textAt(await asked(8), "taskId");
    await shop.world.restart();
    expect(resultOf(await get(id))).toMatchObject({ status: "working", taskId: id });
    await shop.world.approve();
    expect(saidBy(await ended(id)).split(" ")[0]).toBe("DONE");
    expect(await shop.standing()).toEqual({ ...untouched, prod: 8 });
  });
});
