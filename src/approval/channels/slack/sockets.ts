// Two connections to Slack in Socket Mode, each kept up by a loop of ours: while one is exchanged, a press comes through the other. Long: one connection from its opening to its end is one story.

import type { SocketModeClient } from "@slack/socket-mode";
import { isJsonObject, textAt, type Json, type JsonObject } from "../../../domain/json.ts";
import type { Hear } from "./events.ts";
import { quiet } from "./quiet.ts";

export interface SocketOptions {
  readonly appToken: string;
  /** Slack's Web API, with the slash at its end. */
  readonly apiUrl: string;
  readonly hear: Hear;
  /** Which app answered at the other end. */
  readonly appIs: (appId: string) => void;
  /** Something that a person should look at: it goes to the log and on record. */
  readonly alert: (what: string, about: JsonObject) => void;
  readonly say: (sentence: string) => void;
  /** From 0 to 1. */
  readonly chance: () => number;
  /** How many connections; absent: those of a gateway. */
  readonly count?: number;
}

export interface Sockets {
  /** How many are connected now. */
  connected(): number;
  stop(): Promise<void>;
}

/** Slack routes each press to any one of an app's connections: more than ours means that some go elsewhere. */
export const ownSockets = 2;

const longestStart = 10_000;
const longestBackoff = 30_000;
/** Presses that came twice are told by their envelope for so many envelopes. */
const remembered = 2000;

export async function openSockets(options: SocketOptions): Promise<Sockets> {
  const { SocketModeClient } = await import("@slack/socket-mode");
  const stopping = new AbortController();
  const live = new Set<SocketModeClient>();
  const heard = new Map<string, Promise<Json | undefined>>();
  let up = 0;

  /** The answer to an envelope that came before is the answer that it got. */
  function hearOnce(id: string, body: JsonObject): Promise<Json | undefined> {
    const before = heard.get(id);
    if (before !== undefined) return before;
    const answered = Promise.withResolvers<Json | undefined>();
    heard.set(id, answered.promise);
    const [oldest] = heard.keys();
    if (heard.size > remembered && oldest !== undefined) heard.delete(oldest);
    const ack = (reply?: JsonObject | string): Promise<void> => Promise.resolve(answered.resolve(reply));
    void options.hear({ body, ack }).finally(() => answered.resolve(undefined));
    return answered.promise;
  }

  /** One connection from its opening to its end; answers why it ended, or could not begin. */
  async function once(index: number): Promise<Ended> {
    // The client writes its own retries into these options: they are an object of this one alone.
    const client = new SocketModeClient({
      appToken: options.appToken,
      autoReconnectEnabled: false,
      logger: quiet(),
      clientOptions: {
        slackApiUrl: options.apiUrl,
        retryConfig: { retries: 0 },
        rejectRateLimitedCalls: true,
        timeout: longestStart,
      },
    });
    const ended = Promise.withResolvers<Ended>();
    let reason = "";
    client.on("ws_message", (data: unknown) => {
      const frame = frameOf(data);
      switch (textAt(frame, "type")) {
        case "hello":
          options.appIs(textAt(frame, "connection_info", "app_id"));
          count(Number(frame["num_connections"]));
          break;
        case "disconnect":
          reason = textAt(frame, "reason");
          break;
      }
    });
    client.on("slack_event", ({ envelope_id: id, body, ack }: SlackEvent) => {
      if (typeof id !== "string" || !isJsonObject(body)) return;
      void hearOnce(id, body).then(
        // A socket that closed meanwhile can't be answered on; Slack tells the person, and what was done stays done.
        (reply) =>
          ack(reply).catch(() =>
            options.say("A press in Slack was heard, and its connection closed before the answer."),
          ),
        () => undefined,
      );
    });
    client.on("disconnected", () => ended.resolve({ kind: "closed", reason }));
    live.add(client);
    const began = await begin(client);
    if (began !== null) {
      live.delete(client);
      return began;
    }
    up += 1;
    const gone = await ended.promise;
    up -= 1;
    live.delete(client);
    if (gone.kind === "closed" && gone.reason === "link_disabled")
      options.alert("slack link disabled", { connection: index });
    return gone;
  }

  /** null once it is connected and greeted. */
  async function begin(client: SocketModeClient): Promise<Ended | null> {
    const late = Promise.withResolvers<Ended>();
    const timer = setTimeout(
      () => late.resolve({ kind: "failed", why: "no greeting in time", unusable: false }),
      longestStart,
    );
    const starting = client.start().then(
      () => null,
      (thrown: unknown): Ended => failureOf(thrown),
    );
    const began = await Promise.race([starting, late.promise]);
    clearTimeout(timer);
    if (began !== null) letGo(client);
    return began;
  }

  function count(there: number): void {
    if (there > ownSockets)
      options.alert("slack connections that are not ours", { connections: there, ours: ownSockets });
  }

  async function keepUp(index: number): Promise<void> {
    let failures = 0;
    while (!stopping.signal.aborted) {
      const ended = await once(index);
      if (stopping.signal.aborted) return;
      const calm = ended.kind === "closed" && ["", "refresh_requested", "warning"].includes(ended.reason);
      failures = calm ? 0 : failures + 1;
      if (ended.kind === "failed") tellFailure(ended, failures);
      if (ended.kind === "closed" && ended.reason === "too_many_websockets")
        options.alert("slack connections that are not ours", { reason: ended.reason });
      await rest(calm ? 0 : waitAfter(ended, failures));
    }
  }

  function tellFailure({ why, unusable }: Extract<Ended, { kind: "failed" }>, failures: number): void {
    if (failures === 1) options.say(`Slack can't be connected to (${why}): it is tried again.`);
    if (unusable && failures === 1) options.alert("slack refuses the app token", { why });
  }

  /** With jitter, so that many gateways do not come back at the same moment. */
  function waitAfter(ended: Ended, failures: number): number {
    // Socket Mode was switched off: nothing but a person changes that.
    const hopeless = ended.kind === "closed" && ended.reason === "link_disabled";
    const longest = hopeless ? longestBackoff : Math.min(longestBackoff, 200 * 2 ** Math.min(failures - 1, 8));
    return Math.max(ended.kind === "failed" ? (ended.after ?? 0) : 0, longest / 2 + (longest / 2) * options.chance());
  }

  async function rest(milliseconds: number): Promise<void> {
    if (milliseconds === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      timer.unref();
      stopping.signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
    });
  }

  const loops = Array.from({ length: options.count ?? ownSockets }, (_one, index) => keepUp(index));
  return {
    connected: () => up,
    async stop() {
      stopping.abort();
      for (const client of live) letGo(client);
      await Promise.race([Promise.allSettled(loops), new Promise((resolve) => setTimeout(resolve, 2000).unref())]);
    },
  };
}

interface SlackEvent {
  readonly envelope_id?: unknown;
  readonly body?: unknown;
  readonly ack: (reply?: unknown) => Promise<void>;
}

type Ended =
  | { readonly kind: "closed"; readonly reason: string }
  /** `unusable`: the token itself; `after`: not before so many milliseconds. */
  | { readonly kind: "failed"; readonly why: string; readonly unusable: boolean; readonly after?: number };

/** Asked twice: the second time it does not wait half a minute for the other side's goodbye. */
function letGo(client: SocketModeClient): void {
  const ask = (): void => void client.disconnect().catch(() => undefined);
  ask();
  setTimeout(ask, 300);
}

function failureOf(thrown: unknown): Ended {
  const why = thrown instanceof Error ? thrown.message : "it closed at once";
  const after = thrown instanceof Error && "retryAfter" in thrown ? Number(thrown.retryAfter) * 1000 : 0;
  const data = thrown instanceof Error && "data" in thrown ? (thrown.data as Json) : null;
  const unusable = /auth|token|account_inactive|team_disabled|user_removed/.test(textAt(data, "error"));
  return { kind: "failed", why: why.slice(0, 200), unusable, after };
}

function frameOf(data: unknown): JsonObject {
  if (typeof data !== "string") return {};
  try {
    const frame = JSON.parse(data) as Json;
    return isJsonObject(frame) ? frame : {};
  } catch {
    return {};
  }
}
