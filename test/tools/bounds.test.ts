// The bounds of tools.md, section 1, that clients are not told: what is as large as may be is taken, and one more is refused by its argument's name.

import { expect } from "vitest";
import type { Json, JsonObject } from "../../src/domain/json.ts";
import { tools } from "../../tools/index.ts";
import { promise } from "../support/promise.ts";

const why = { reason: "a test of bounds" };
const text = (length: number): string => "a".repeat(length);
const list = (length: number): string[] => Array.from({ length }, (_, index) => `a${index}`);
const object: JsonObject = { kind: "Pod", name: "a" };
const pod: JsonObject = { name: "a", namespace: "a" };
const workload: JsonObject = { ...pod, kind: "Deployment" };

/** The tool, the rest of its input, and of one argument the last value that is taken and the first that is not. */
const bounds: readonly (readonly [tool: string, rest: JsonObject, argument: string, last: Json, first: Json])[] = [
  ["objects_get", object, "name", text(253), text(254)],
  ["objects_get", object, "namespace", text(63), text(64)],
  ["objects_get", object, "kind", text(160), text(161)],
  ["objects_list", { kind: "Pod" }, "selector", text(500), text(501)],
  ["objects_list", { kind: "Pod" }, "field_selector", text(500), text(501)],
  ["objects_list", { kind: "Pod" }, "columns", list(8), list(9)],
  ["objects_list", { kind: "Pod" }, "limit", 200, 201],
  ["objects_list", { kind: "Pod" }, "limit", 1, 0],
  ["metrics_top", {}, "selector", text(500), text(501)],
  ["metrics_top", {}, "limit", 100, 101],
  ["events_list", { namespace: "a" }, "limit", 200, 201],
  ["logs_read", pod, "grep", text(200), text(201)],
  ["logs_read", pod, "tail", 2000, 2001],
  ["logs_read", pod, "tail", 1, 0],
  ["logs_read", pod, "context", 10, 11],
  ["logs_read", pod, "max_pods", 20, 21],
  ["conditions_wait", object, "wait_seconds", 45, 46],
  ["conditions_wait", object, "wait_seconds", 1, 0],
  ["approval_wait", { id: "apr_01900000-0000-7000-8000-000000000000" }, "wait_seconds", 45, 46],
  ["rollouts_get", workload, "revision", 1, 0],
  ["rollouts_undo", { ...workload, ...why }, "to_revision", 1, 0],
  ["workloads_restart", workload, "reason", text(8), text(7)],
  ["workloads_restart", workload, "reason", text(300), text(301)],
  ["workloads_scale", { ...workload, ...why }, "replicas", 1000, 1001],
  ["workloads_scale", { ...workload, ...why }, "replicas", 0, -1],
  ["workloads_scale", { ...workload, ...why, replicas: 1 }, "if_replicas", 1000, 1001],
  ["objects_delete", { kind: "Pod", ...why }, "names", list(20), list(21)],
  ["objects_delete", { kind: "Pod", ...why }, "names", ["a"], []],
  ["objects_delete", { kind: "Pod", names: ["a"], ...why }, "grace_seconds", 600, 601],
  ["manifests_apply", why, "manifest", text(262_144), text(262_145)],
  ["nodes_drain", { name: "a", ...why }, "timeout_seconds", 900, 901],
  ["nodes_drain", { name: "a", ...why }, "timeout_seconds", 30, 29],
  ["pods_exec", { ...pod, ...why }, "command", list(32), list(33)],
  ["pods_exec", { ...pod, ...why }, "command", [text(1024)], [text(1025)]],
  ["pods_exec", { ...pod, ...why }, "command", ["a"], []],
  ["pods_exec", { ...pod, ...why, command: ["a"] }, "timeout_seconds", 60, 61],
];

/** The first argument that is refused; "" where the input is taken. */
function refusedAt(name: string, input: JsonObject): string {
  const tool = tools.find((one) => one.name === name);
  if (tool === undefined) throw new Error(`there is no ${name}`);
  const opened = tool.open(input);
  return opened.kind === "opened" ? "" : (opened.problems[0]?.path.split(".")[0] ?? "?");
}

promise("tools:bounds", "each at its end, and one beyond", () => {
  const found = bounds.map(([tool, rest, argument, last, first]) => [
    `${tool} ${argument}`,
    refusedAt(tool, { ...rest, [argument]: last }),
    refusedAt(tool, { ...rest, [argument]: first }),
  ]);
  expect(found).toEqual(bounds.map(([tool, , argument]) => [`${tool} ${argument}`, "", argument]));
});
