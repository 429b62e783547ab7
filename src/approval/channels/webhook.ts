// The channel to on-call systems: a signed notice of each request and of its end. It notifies and nothing else: no answer of the other side is read.

import { createHmac } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import type { Channel } from "./contract.ts";
import type { KeptRequest } from "../stores/contract.ts";

/** One POST of a notice. Never throws: `status` is null where no answer came, `why` is for the operator. */
export type SendNotice = (
  headers: { readonly [name: string]: string },
  body: string,
  signal: AbortSignal,
) => Promise<{ readonly status: number | null; readonly why: string }>;

export interface WebhookOptions {
  /** As the configuration names it. */
  readonly name: string;
  /** The key that signs, as it stands in its file: `whsec_` and base64, or any text of 24 bytes or more. */
  readonly secret: string;
  readonly send: SendNotice;
  /** Where a person decides, for whoever reads the notice: an address or a command. */
  readonly where: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** A notice that was given up, or could not be kept. */
  readonly lost: (why: string) => void;
  /** Milliseconds between the tries of one notice; each notice is tried once more than this is long. */
  readonly waits?: readonly number[];
}

const standardWaits = [1_000, 5_000, 30_000, 120_000, 600_000];
/** Notices that wait at a time: beyond that the oldest is given up. */
const mostWaiting = 1_000;

interface Notice {
  /** The same on every try, so that the other side can tell a repeat (Standard Webhooks, "webhook-id"). */
  readonly id: string;
  readonly body: string;
}

/** Opens the channel. `close` gives up what still waits; the requests themselves stand in the store. */
export function webhookChannel(options: WebhookOptions): Channel & Required<Pick<Channel, "close">> {
  const { send, now, lost, waits = standardWaits } = options;
  const key = keyOf(options.secret);
  const closing = new AbortController();
  const waiting: Notice[] = [];
  let sending: Promise<void> | null = null;
  let arrived = true;

  /** In their order, one at a time: an end must not overtake its beginning. */
  async function sendAll(): Promise<void> {
    for (let next = waiting[0]; next !== undefined && !closing.signal.aborted; next = waiting[0]) {
      const why = await sendOne(next);
      if (waiting[0] === next) waiting.shift();
      if (why !== "" && !closing.signal.aborted) lost(`notice ${next.id} was given up: ${why}`);
    }
    sending = null;
  }

  /** Why the notice did not arrive; "" once it did. */
  async function sendOne(notice: Notice): Promise<string> {
    for (let tries = 0; ; tries++) {
      const timestamp = String(Math.floor(now() / 1000));
      const headers = {
        "content-type": "application/json",
        "webhook-id": notice.id,
        "webhook-timestamp": timestamp,
        "webhook-signature": signature(key, notice.id, timestamp, notice.body),
      };
      const { status, why } = await send(headers, notice.body, closing.signal);
      arrived = status !== null && status >= 200 && status < 300;
      if (arrived) return "";
      const wait = waits[tries];
      // Told that it never wants this one, or that nobody is there any more (410): a repeat would be no other.
      if (wait === undefined || closing.signal.aborted || !mayRepeat(status))
        return why || `it answered ${status ?? "nothing"}`;
      await pause(wait, undefined, { signal: closing.signal, ref: false }).catch(() => undefined);
    }
  }

  function enqueue(kind: "approval.requested" | "approval.updated", request: KeptRequest): Promise<void> {
    if (waiting.length >= mostWaiting) {
      const dropped = waiting.splice(sending === null ? 0 : 1, 1)[0];
      lost(`notice ${dropped?.id ?? ""} was given up: too many wait`);
    }
    const { state, verdicts, escalated = 0, ran } = request;
    // Another word on the same request is another notice: who was told that it runs is to hear how that ended.
    const id = [request.id, state, verdicts.length, escalated, ...(ran === undefined ? [] : [ran.kind])].join(".");
    waiting.push({ id, body: JSON.stringify(noticeOf(kind, request, options.where, now())) });
    sending ??= sendAll();
    return Promise.resolve();
  }

  return {
    name: `webhook ${options.name}`,
    tell: (request) => enqueue("approval.requested", request),
    update: (request) => enqueue("approval.updated", request),
    standing: () => (arrived ? "" : "channel_unavailable"),
    async close() {
      closing.abort();
      await sending;
    },
  };
}

/** `v1,` and the base64 of HMAC-SHA-256 over id, seconds and body, joined by dots (Standard Webhooks, "Verifying webhook authenticity"). */
export function signature(key: Uint8Array, id: string, timestamp: string, body: string): string {
  return `v1,${createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64")}`;
}

/** The bytes of the key: of `whsec_…` those that its base64 stands for. Shorter than 24 bytes it proves nothing, and is refused. */
export function keyOf(secret: string): Uint8Array {
  const text = secret.trim();
  const key = text.startsWith("whsec_") ? Buffer.from(text.slice(6), "base64") : Buffer.from(text);
  if (key.length < 24) throw new RangeError("a webhook's secret needs 24 bytes at least");
  return key;
}

const mayRepeat = (status: number | null): boolean =>
  status === null || status >= 500 || status === 408 || status === 425 || status === 429;

/** What the other side learns: what is asked of whom, never arguments, diffs or the agent's words. */
function noticeOf(type: string, request: KeptRequest, where: string, now: number) {
  const { tool, effect, cluster, environment, object, requester, agent, rules } = request.card;
  const time = (at: number): string => new Date(at).toISOString();
  return {
    type,
    timestamp: time(now),
    data: {
      approval: request.id,
      state: request.state,
      tool,
      effect,
      cluster,
      environment,
      object,
      requester,
      agent,
      rules,
      approvers: [...new Set(request.requirements.flatMap((one) => one.approvers))],
      answers: request.verdicts.length,
      ...(request.ran === undefined ? {} : { ran: request.ran }),
      requestedAt: time(request.requestedAt),
      expiresAt: time(request.expiresAt),
      digest: request.approvalDigest.slice(0, 8),
      where,
    },
  };
}
