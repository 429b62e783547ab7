// Bolt, with a receiver of ours: what comes in by socket or HTTP goes through it to the one place that answers. Loaded only where Slack is configured.

import type { App, Receiver, ReceiverEvent } from "@slack/bolt";
import type { JsonObject } from "../../../domain/json.ts";
import { callWith, type Call } from "./call.ts";
import type { Envelope, Hear } from "./events.ts";
import { quiet } from "./quiet.ts";

export interface AppOptions {
  readonly botToken: string;
  readonly apiUrl: string;
  /** Presses, submissions and commands. */
  readonly interaction: (envelope: Envelope) => Promise<void>;
  /** An event of one of the kinds that the manifest names. */
  readonly event: (kind: string, event: JsonObject) => Promise<void>;
  readonly say: (sentence: string) => void;
  /** Milliseconds that a call may take: one that a person waits for, and any other. */
  readonly patience: { readonly interactive: number; readonly outbox: number };
}

export interface SlackApp {
  /** Hears an envelope; never rejects. */
  readonly hear: Hear;
  /** For what a person waits for. */
  readonly interactive: Call;
  /** For what may wait. */
  readonly outbox: Call;
  /** Without the bot's token. */
  readonly anonymous: Call;
}

const events = ["user_change", "app_uninstalled", "tokens_revoked"] as const;

export async function openApp({ botToken, apiUrl, interaction, event, say, patience }: AppOptions): Promise<SlackApp> {
  const { App: BoltApp, webApi } = await import("@slack/bolt");
  let bolt: App | null = null;
  const receiver: Receiver = {
    init: (app) => void (bolt = app),
    start: () => Promise.resolve(),
    stop: () => Promise.resolve(),
  };
  // Options are written into by what gets them: each client has an object of its own.
  const client = (timeout: number, token: string | undefined = botToken) =>
    callWith(
      new webApi.WebClient(token, {
        slackApiUrl: apiUrl,
        timeout,
        retryConfig: { retries: 0 },
        rejectRateLimitedCalls: true,
        logger: quiet(),
      }),
    );
  const app = new BoltApp({
    receiver,
    // Whoever it comes from: Bolt's word on that authorises nobody, gate.ts does.
    authorize: () => Promise.resolve({ botToken }),
    clientOptions: { slackApiUrl: apiUrl, timeout: 2000, retryConfig: { retries: 0 }, rejectRateLimitedCalls: true },
    logger: quiet(),
    convoStore: false,
    ignoreSelf: false,
  });
  // Nothing that goes wrong in a listener may end the process: it has had no effect that is not on record.
  app.error((error) => Promise.resolve(say(`Something from Slack could not be answered (${error.message}).`)));
  const hears = async ({ body, ack }: { body: object; ack: (reply?: never) => Promise<void> }): Promise<void> => {
    await interaction({ body: plain(body), ack: async (reply) => await ack(reply as never) });
  };
  app.action(/^/, hears);
  app.view(/^/, hears);
  app.view({ callback_id: /^/, type: "view_closed" }, hears);
  app.command("/sallyport", hears);
  for (const kind of events) app.event(kind, async ({ event: happened }) => await event(kind, plain(happened)));

  return {
    interactive: client(patience.interactive),
    outbox: client(patience.outbox),
    anonymous: client(patience.outbox, ""),
    async hear({ body, ack }) {
      const acknowledge: ReceiverEvent["ack"] = async (reply?: JsonObject | string) => await ack(reply);
      try {
        await bolt?.processEvent({ body: { ...body }, ack: acknowledge });
      } catch (thrown) {
        say(`Something from Slack could not be answered (${thrown instanceof Error ? thrown.message : "unknown"}).`);
      }
    },
  };
}

const plain = (value: object): JsonObject => JSON.parse(JSON.stringify(value)) as JsonObject;
