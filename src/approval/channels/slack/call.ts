// One call to Slack's Web API and what came of it: as data, whatever the client library throws.

import type { WebClient } from "@slack/web-api";
import { isJsonObject, type JsonObject } from "../../../domain/json.ts";

export type Called =
  | { readonly kind: "ok"; readonly reply: JsonObject; readonly scopes: readonly string[] }
  /** Slack's own word for it, for example `channel_not_found`, and what it says of the fields. */
  | { readonly kind: "refused"; readonly error: string; readonly messages: readonly string[] }
  | { readonly kind: "limited"; readonly seconds: number }
  /** Nobody knows whether it took effect. */
  | { readonly kind: "failed"; readonly why: string };

/** Calls a method; blocks, views and metadata are sent as JSON. */
export type Call = (method: string, fields?: { readonly [field: string]: unknown }) => Promise<Called>;

export function callWith(client: WebClient): Call {
  return async (method, fields = {}) => {
    try {
      const reply = plain(await client.apiCall(method, { ...fields }));
      return { kind: "ok", reply, scopes: wordsIn(reply, "scopes") };
    } catch (thrown) {
      return whatHappened(thrown);
    }
  };
}

/** By what the error carries, not by its class: the library is loaded late, and its classes are not here. */
function whatHappened(thrown: unknown): Called {
  if (!(thrown instanceof Error)) return { kind: "failed", why: String(thrown) };
  const retryAfter = "retryAfter" in thrown ? thrown.retryAfter : undefined;
  if (typeof retryAfter === "number") return { kind: "limited", seconds: Math.max(1, retryAfter) };
  const data = "data" in thrown ? plain(thrown.data) : {};
  const error = data["error"];
  // What is no JSON at all comes back as such an error too, with the page as its word.
  if (typeof error === "string" && /^[a-z0-9_:.-]{1,80}$/i.test(error))
    return { kind: "refused", error, messages: wordsIn(data, "messages") };
  if ("statusCode" in thrown) return { kind: "failed", why: `Slack answered ${String(thrown.statusCode)}` };
  if (error !== undefined) return { kind: "failed", why: "Slack answered something that is not JSON" };
  const { cause } = thrown;
  const inner = cause instanceof Error && cause.message !== thrown.message ? `: ${cause.message}` : "";
  return { kind: "failed", why: `${thrown.message}${inner}`.slice(0, 300) };
}

function wordsIn(reply: JsonObject, key: string): readonly string[] {
  const metadata = reply["response_metadata"];
  const words = isJsonObject(metadata) ? metadata[key] : undefined;
  return Array.isArray(words) ? words.filter((one) => typeof one === "string") : [];
}

function plain(value: unknown): JsonObject {
  const copy: unknown = JSON.parse(JSON.stringify(value ?? null));
  return isJsonObject(copy) ? copy : {};
}
