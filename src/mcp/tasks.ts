// The Tasks extension (io.modelcontextprotocol/tasks, 2026-07-28): a call that waits for a person, or lasts, is answered by a handle, and its result is read by polling.

import {
  CLIENT_CAPABILITIES_META_KEY,
  ProtocolError,
  ProtocolErrorCode,
  type Result,
} from "@modelcontextprotocol/server";
import { madeAt } from "../domain/ids.ts";
import { at, isJsonObject } from "../domain/json.ts";
import type { Outcome } from "../domain/outcome.ts";
import type { TaskState } from "../domain/task.ts";

export const tasksExtension = "io.modelcontextprotocol/tasks";

export const taskMethods = ["tasks/get", "tasks/update", "tasks/cancel"] as const;

/** Milliseconds that a client should let pass between two looks. */
const pollIntervalMs = 5_000;
/** How long an ended task's result is kept for its caller, in milliseconds. */
const resultKept = 3_600_000;
/** Missing Required Client Capability (extension, "Protocol Errors"). */
const missingCapability = -32_021;

/** Did the client declare the extension on this very request? An earlier declaration does not count. */
export function declaresTasks(envelope: unknown): boolean {
  if (!isJsonObject(envelope)) return false;
  return isJsonObject(at(envelope, CLIENT_CAPABILITIES_META_KEY, "extensions", tasksExtension) ?? null);
}

/** Throws where the client has not: nothing of tasks is for it. */
export function requireTasks(envelope: unknown): void {
  if (declaresTasks(envelope)) return;
  throw new ProtocolError(
    missingCapability,
    `This needs the extension ${tasksExtension} among the client's capabilities.`,
    {
      requiredCapabilities: { extensions: { [tasksExtension]: {} } },
    },
  );
}

/** `CreateTaskResult` for a call that is not over; null for one that is. The id is found by `tasks/get` from this moment on, also after a restart. */
export function taskHandle(outcome: Outcome, now: number): Result | null {
  switch (outcome.kind) {
    case "suspended": {
      const says = `Approval ${outcome.approval} waits for a person at ${outcome.where}; the call runs by itself once it is given.`;
      return {
        resultType: "task",
        ...working({ kind: "working", id: outcome.approval, says, until: outcome.expiresAt }, now),
      };
    }
    case "running":
      return {
        resultType: "task",
        ...working({ kind: "working", id: outcome.id, says: outcome.progress, until: null }, now),
      };
    case "completed":
    case "refused":
    case "failed":
      return null;
  }
}

/** What `tasks/get` answers. `render` makes the call's own result of its outcome: refusals and faults are results with `isError` too. */
export async function taskResult(
  state: TaskState,
  now: number,
  render: (outcome: Outcome, tool: string) => Promise<Result>,
): Promise<Result> {
  if (state.kind === "working") return { resultType: "complete", ...working(state, now) };
  const result = await render(state.outcome, state.tool);
  const ttlMs = now - madeAt(state.id) + resultKept;
  return { resultType: "complete", ...stamps(state.id, now), status: "completed", ttlMs, pollIntervalMs, result };
}

function working({ id, says, until }: Extract<TaskState, { kind: "working" }>, now: number): Result {
  const ttlMs = until === null ? null : Math.max(0, until - madeAt(id));
  return { ...stamps(id, now), status: "working", statusMessage: says, ttlMs, pollIntervalMs };
}

function stamps(id: TaskState["id"], now: number) {
  return { taskId: id, createdAt: new Date(madeAt(id)).toISOString(), lastUpdatedAt: new Date(now).toISOString() };
}

/** Another's task and none at all are told alike. */
export const noSuchTask = new ProtocolError(
  ProtocolErrorCode.InvalidParams,
  "There is no such task of yours: it may be over and its result forgotten. Read the object to see how it is now.",
);
