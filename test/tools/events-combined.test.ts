// Events that Kubernetes itself put together are told like those that it did not.

import { expect } from "vitest";
import type { JsonObject } from "../../src/domain/json.ts";
import { eventRow, groupEvents } from "../../src/tool.ts";
import { promise } from "../support/promise.ts";

promise("tools:events-grouped", "the newest of many alike is no event of its own", () => {
  const event = (message: string, count: number): JsonObject => ({
    metadata: { namespace: "shop", creationTimestamp: "2026-11-21T12:00:00Z" },
    involvedObject: { kind: "ReplicaSet", name: "api-5c7d9f8b6d" },
    type: "Warning",
    reason: "FailedCreate",
    message,
    count,
  });
  const said = 'Error creating: pods "api-5c7d9f8b6d-x2x4z" is forbidden: exceeded quota';
  const rows = [event(said, 9), event(`(combined from similar events): ${said}`, 3)].map(eventRow);
  expect(groupEvents(rows).map(({ message, count }) => [message, count])).toEqual([[said, 12]]);
  const other = eventRow(event(`a tool says: (combined from similar events): ${said}`, 1));
  expect(other.message).toBe(`a tool says: (combined from similar events): ${said}`);
});
