// Reads one JSON-RPC message from a client's bytes, or says why it is none (JSON-RPC 2.0, section 5.1).

import { isJsonObject } from "../domain/json.ts";
import { findDuplicateKey } from "../domain/duplicate-keys.ts";

export type ReadMessage =
  | { readonly kind: "message"; readonly value: unknown }
  | { readonly kind: "refused"; readonly reply: ErrorReply };

/** A JSON-RPC error response. `id` is null where the message's own id could not be read. */
export interface ErrorReply {
  readonly jsonrpc: "2.0";
  readonly id: string | number | null;
  readonly error: { readonly code: number; readonly message: string };
}

export const parseError = -32700;
export const invalidRequest = -32600;

const maxDepth = 100;
const strictUtf8 = new TextDecoder("utf-8", { fatal: true });

export function errorReply(code: number, message: string, id: ErrorReply["id"] = null): ErrorReply {
  return { jsonrpc: "2.0", id, error: { code, message } };
}

/** Refuses bad UTF-8, bad JSON, an object that holds a key twice, nesting beyond 100 levels, and values that could not be written down again. */
export function readMessage(bytes: Uint8Array): ReadMessage {
  let text: string;
  let value: unknown;
  try {
    text = strictUtf8.decode(bytes);
    value = JSON.parse(text);
  } catch {
    return { kind: "refused", reply: errorReply(parseError, "The message is not valid JSON in UTF-8.") };
  }
  const found = findDuplicateKey(text, maxDepth);
  switch (found.kind) {
    case "unique": {
      const odd = oddIn(value);
      return odd === null ? { kind: "message", value } : refused(`invalid_input: ${odd}.`, idOf(value));
    }
    case "deep":
      return refused(`invalid_input: the message is nested deeper than ${maxDepth} levels.`, idOf(value));
    case "duplicate": {
      const ambiguousId = found.depth === 1 && found.key === "id";
      const key = JSON.stringify(found.key.slice(0, 80));
      return refused(`invalid_input: the key ${key} stands twice in one object.`, ambiguousId ? null : idOf(value));
    }
  }
}

function refused(message: string, id: ErrorReply["id"]): ReadMessage {
  return { kind: "refused", reply: errorReply(invalidRequest, message, id) };
}

/**
 * What I-JSON has no room for (RFC 7493, sections 2.1 and 2.2), or null: canonical JSON can't hold it, so a call with
 * it could be neither digested nor recorded. The nesting was bounded before.
 */
function oddIn(value: unknown): string | null {
  if (typeof value === "string") return value.isWellFormed() ? null : "a text holds half of a surrogate pair";
  if (typeof value === "number") return Number.isFinite(value) ? null : "a number is too large";
  if (typeof value !== "object" || value === null) return null;
  const inside: unknown[] = Array.isArray(value) ? value : [...Object.keys(value), ...Object.values(value)];
  for (const one of inside) {
    const odd = oddIn(one);
    if (odd !== null) return odd;
  }
  return null;
}

/** So that a client which waits for this id learns of the refusal. */
function idOf(value: unknown): ErrorReply["id"] {
  const id = isJsonObject(value) ? value["id"] : undefined;
  return typeof id === "string" || typeof id === "number" ? id : null;
}
