// Requests that Slack makes over HTTP: whether Slack made them, and not before. Nothing of one is read or looked up until its signature holds.

import { createHmac, timingSafeEqual } from "node:crypto";
import { isJsonObject, textAt, type Json, type JsonObject } from "../../../domain/json.ts";
import type { Hear } from "./events.ts";

export interface RequestOptions {
  readonly signingSecret: string;
  readonly hear: Hear;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Answers one request under /slack; it never rejects. */
export type SlackRequests = (request: Request) => Promise<Response>;

const largest = 256 * 1024;
/** Seconds that clocks may differ, either way. */
const skew = 300;
/** How long a signature is remembered, in milliseconds: longer than it could be used again. */
const remembered = 600_000;
const mostRemembered = 100_000;
/** Slack waits three seconds. */
const longestAnswer = 2800;

/**
 * Checks what docs.slack.dev, "Verifying requests from Slack", asks for, and two things more: a stamp from the future is
 * refused, and so is a request that came before. 401 for all of these alike.
 */
export function slackRequests({ signingSecret, hear, now }: RequestOptions): SlackRequests {
  const seen = new Map<string, number>();

  /** Is this signature new? Kept in the order of their coming, so the oldest stand first. */
  function firstTime(key: string): boolean {
    const at = now();
    for (const [old, when] of seen) {
      if (at - when < remembered && seen.size <= mostRemembered) break;
      seen.delete(old);
    }
    if (seen.has(key)) return false;
    seen.set(key, at);
    return true;
  }

  return async (request) => {
    if (request.method !== "POST") return empty(405);
    const body = await bodyOf(request);
    if (body === null) return empty(413);
    const signature = request.headers.get("x-slack-signature") ?? "";
    const stamp = request.headers.get("x-slack-request-timestamp") ?? "";
    if (!/^v0=[0-9a-f]{64}$/.test(signature) || !/^[0-9]{1,12}$/.test(stamp)) return empty(401);
    if (Math.abs(now() / 1000 - Number(stamp)) > skew) return empty(401);
    const expected = createHmac("sha256", signingSecret).update(`v0:${stamp}:`).update(body).digest();
    if (!timingSafeEqual(expected, Buffer.from(signature.slice(3), "hex"))) return empty(401);
    if (!firstTime(`${stamp}:${signature}`)) return empty(401);
    const read = readBody(body.toString("utf8"), request.headers.get("content-type") ?? "");
    if (read === null) return empty(400);
    if (textAt(read, "type") === "url_verification") return Response.json({ challenge: textAt(read, "challenge") });
    return await answered(read, hear);
  };
}

/** The body as it was signed; null where it is too large. */
async function bodyOf(request: Request): Promise<Buffer | null> {
  if (Number(request.headers.get("content-length") ?? 0) > largest) return null;
  const parts: Uint8Array[] = [];
  let size = 0;
  if (request.body === null) return Buffer.alloc(0);
  for await (const part of request.body) {
    size += part.length;
    if (size > largest) return null;
    parts.push(part);
  }
  return Buffer.concat(parts);
}

/** JSON for events; a form whose one field `payload` holds JSON for interactions; a plain form for commands. A field that stands twice is refused. */
function readBody(text: string, contentType: string): JsonObject | null {
  const type = contentType.split(";")[0]?.trim().toLowerCase() ?? "";
  if (type === "application/json") return json(text);
  if (type !== "application/x-www-form-urlencoded") return null;
  const form = new URLSearchParams(text);
  const names = [...form.keys()];
  if (new Set(names).size !== names.length) return null;
  const payload = form.get("payload");
  if (payload === null) return Object.fromEntries(form);
  return names.length === 1 ? json(payload) : null;
}

function json(text: string): JsonObject | null {
  try {
    const value = JSON.parse(text) as Json;
    return isJsonObject(value) ? value : null;
  } catch {
    return null;
  }
}

async function answered(body: JsonObject, hear: Hear): Promise<Response> {
  const reply = Promise.withResolvers<JsonObject | string | undefined>();
  const timer = setTimeout(() => reply.resolve(undefined), longestAnswer);
  void hear({ body, ack: (given) => Promise.resolve(reply.resolve(given)) }).finally(() => reply.resolve(undefined));
  const given = await reply.promise;
  clearTimeout(timer);
  return given === undefined || typeof given === "string" ? empty(200) : Response.json(given);
}

const empty = (status: number): Response => new Response(null, { status });
