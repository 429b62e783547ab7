// What the MCP doors need of the gateway, as types.

import type { CallReceipt } from "../domain/call-receipt.ts";
import type { CallRequest, Effect } from "../domain/call.ts";
import type { Evidence, Identified } from "../domain/evidence.ts";
import type { CallId, SessionId } from "../domain/ids.ts";
import type { JsonObject } from "../domain/json.ts";
import type { Outcome } from "../domain/outcome.ts";
import type { Principal, Session } from "../domain/principal.ts";
import type { TaskState } from "../domain/task.ts";

/** A tool as one caller may see it. */
export interface ListedTool {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  /** JSON Schema (2020-12) of the arguments; its type is `object`. */
  readonly inputSchema: JsonObject;
  readonly annotations: {
    readonly readOnlyHint: boolean;
    readonly destructiveHint?: boolean;
    readonly idempotentHint?: boolean;
    readonly openWorldHint: boolean;
  };
}

export interface Door {
  identify(evidence: Evidence): Promise<Identified>;
  /** The same caller gets the same list in the same order. */
  listTools(principal: Principal): Promise<readonly ListedTool[]>;
  /** Every effect that a call of this tool can have, whether or not anybody may see it; null for a tool that there is none of. */
  effectsOf(tool: string): readonly Effect[] | null;
  governCall(request: CallRequest): Promise<Outcome>;
  /**
   * The namespaces in which this read would be answered now, "" standing for the whole cluster; empty where policy
   * denies it, would ask a person, or knows no such call. Planned and decided as the call itself would be, never run.
   */
  readable(request: CallRequest): Promise<readonly string[]>;
  /** The receipt of the caller's own call, once this reading is on record; null for another's and for none alike. Faults: transcript_unavailable. */
  ownCall(call: CallId, principal: Principal, session: Session): Promise<CallReceipt | null>;
  /** Counts what is answered without a call: lists, prompts, how a task stands. Fault: limit_exceeded. */
  look(principal: Principal): void;
  /** The caller has as many requests open at the HTTP door as it may, and was sent away with one more. */
  crowded(principal: Principal): void;
  /** How the caller's own call stands that was answered by this id; null for another's and for none alike. `request` says who asks. */
  task(id: string, request: CallRequest): Promise<TaskState | null>;
  /** Ends a call of the caller's own that runs on. One that waits for a person is only left alone: its requester withdraws it elsewhere. False for another's and for none alike. */
  cancelTask(id: string, request: CallRequest): Promise<boolean>;
  newCallId(): CallId;
  newSessionId(): SessionId;
  /** No call of this session comes any more: what was kept for it can go. */
  endSession(session: SessionId): Promise<void>;
  /** Milliseconds since 1970. */
  now(): number;
  random(count: number): Uint8Array;
  /** How long an answer is held for a person, in milliseconds; 0 answers at once. */
  readonly hold: number;
  /** Answers as text, or as JSON with one line of text (tools.md, Decisions (2)). */
  readonly output: "text" | "structured";
  /** The operator's log: what broke inside a door, under the id that the agent was told. */
  broke(call: CallId, thrown: unknown): void;
}

/** What a client is told at `initialize`, before anything else is loaded. */
export interface About {
  readonly version: string;
  readonly instructions: string;
}
