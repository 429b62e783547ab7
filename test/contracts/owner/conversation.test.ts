// What the next owner is told of a session, and what is never said again.

import { expect } from "vitest";
import { openConversation } from "../../../src/owner/conversation.ts";
import { promise } from "../../support/promise.ts";

const line = (message: object): string => JSON.stringify({ jsonrpc: "2.0", ...message });
const initialize = line({ id: 0, method: "initialize", params: { protocolVersion: "2025-11-25" } });
const initialized = line({ method: "notifications/initialized" });
const call = (id: number | string): string => line({ id, method: "tools/call", params: { name: "workloads_scale" } });
const list = (id: number): string => line({ id, method: "tools/list" });
const answer = (id: number | string): string => line({ id, result: {} });

promise("clients:takeover", "calls are lost, questions asked again behind the session's own beginning", () => {
  const one = openConversation();
  for (const said of [initialize, initialized, list(1), call(2), call("2"), list(3)]) one.said(said);
  expect([answer(0), answer(1), answer("2")].map((said) => one.answered(said))).toEqual([true, true, true]);
  expect(one.handOver()).toEqual({
    again: [initialize, initialized, list(3)],
    lost: [{ id: 2, method: "tools/call", params: { name: "workloads_scale" } }],
  });
  // The client has had the answer to the handshake; the one to its question it has not.
  expect([answer(0), answer(3), answer(0)].map((said) => one.answered(said))).toEqual([false, true, true]);
  expect(one.handOver()).toEqual({ again: [initialize, initialized], lost: [] });
});

promise("clients:takeover", "a handshake that was not answered is made again, and its answer is the client's", () => {
  const one = openConversation();
  one.said(initialize);
  expect(one.handOver()).toEqual({ again: [initialize], lost: [] });
  expect(one.answered(answer(0))).toBe(true);
});

promise(
  "clients:takeover",
  "whatever is not known to be a question is lost, and what was cancelled waits for nothing",
  () => {
    const one = openConversation();
    one.said(`[${call(1)},${list(2)},${line({ id: 3, method: "tasks/cancel" })}]`);
    one.said(call(4));
    one.said(line({ method: "notifications/cancelled", params: { requestId: 4 } }));
    one.said("no JSON");
    const { again, lost } = one.handOver();
    expect([again, lost.map(({ id }) => id)]).toEqual([[list(2)], [1, 3]]);
    expect(one.answered(`[${answer(1)},${answer(2)}]`)).toBe(true);
  },
);
