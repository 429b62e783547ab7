// What a client and its owner have said so far, as far as the next owner has to know it: how the session began, and what waits for an answer.

import { isJsonObject, textAt, type Json, type JsonObject } from "../domain/json.ts";
import { parseLine } from "./greeting.ts";

/** A request of the client's that nobody has answered. */
export interface Waiting {
  readonly id: string | number;
  readonly method: string;
  readonly params: Json;
}

export interface HandOver {
  /** What the next owner hears first, a line each: how the session began, and questions that change nothing. */
  readonly again: readonly string[];
  /** What may have had an effect: never said again from here. */
  readonly lost: readonly Waiting[];
}

export interface Conversation {
  /** Notes a line of the client's; called before it is sent on, so that what was on its way counts as begun. */
  said(line: string): void;
  /** Notes a line of the owner's. False: it answers what was only said again, and the client has had that answer. */
  answered(line: string): boolean;
  /** The owner has ended: what becomes of what waits. */
  handOver(): HandOver;
}

/** Questions, all of them: asked twice they do what they do asked once. */
const harmless: ReadonlySet<string> = new Set([
  "completion/complete",
  "initialize",
  "ping",
  "prompts/get",
  "prompts/list",
  "resources/list",
  "resources/templates/list",
  "server/discover",
  "tasks/get",
  "tools/list",
]);

interface Open extends Waiting {
  readonly line: string;
}

/** One session of one client; nothing of it is kept but what is open and how it began. */
export function openConversation(): Conversation {
  const waiting = new Map<string, Open>();
  /** Ids whose next answer is not the client's any more. */
  const silent = new Set<string>();
  let beginning: Open | null = null;
  let confirmed: string | null = null;

  function note(message: JsonObject): void {
    const { id, method, params = null } = message;
    if (typeof method !== "string") return;
    const line = JSON.stringify(message);
    if (method === "notifications/initialized") confirmed = line;
    // Nobody waits for the answer of what was cancelled.
    const cancelled = method === "notifications/cancelled" && isJsonObject(params) ? params["requestId"] : undefined;
    if (cancelled !== undefined) waiting.delete(JSON.stringify(cancelled));
    if (typeof id !== "string" && typeof id !== "number") return;
    const open = { id, method, params, line };
    waiting.set(JSON.stringify(id), open);
    if (method === "initialize") beginning = open;
  }
  return {
    said: (line) => messagesOf(line).forEach(note),
    answered(line) {
      const ids = messagesOf(line).flatMap((one) => (one["method"] === undefined ? [JSON.stringify(one["id"])] : []));
      for (const id of ids) waiting.delete(id);
      // Answered each on a line of its own: what is said again is said one by one.
      const [only, ...others] = ids;
      return only === undefined || others.length > 0 || !silent.delete(only);
    },
    handOver() {
      const open = [...waiting.values()];
      const lost = open
        .filter(({ method }) => !harmless.has(method))
        .map(({ id, method, params }) => ({ id, method, params }));
      for (const { id } of lost) waiting.delete(JSON.stringify(id));
      const opening: string[] = [];
      if (beginning !== null && !waiting.has(JSON.stringify(beginning.id))) {
        silent.add(JSON.stringify(beginning.id));
        opening.push(beginning.line, ...(confirmed === null ? [] : [confirmed]));
      }
      const asked = open.filter(({ method }) => harmless.has(method)).map(({ line }) => line);
      return { again: [...opening, ...asked], lost };
    },
  };
}

/** A line's messages: one, or those of a batch (MCP 2025-03-26); none where it is no JSON. */
function messagesOf(line: string): readonly JsonObject[] {
  const value = parseLine(line);
  return (Array.isArray(value) ? (value as readonly unknown[]) : [value]).filter(isJsonObject);
}

/** Does the request belong to the 2026-07-28 revision, which says so in each? */
export function isModern({ params }: Waiting): boolean {
  return textAt(params, "_meta", "io.modelcontextprotocol/protocolVersion") !== "";
}
