// What is missing in a workspace's set-up: tokens, scopes, channels, the connection, and a card that goes there and back. Long: one check after the other.

import { isJsonObject, textAt, type JsonObject } from "../../../domain/json.ts";
import { callWith, type Call, type Called } from "./call.ts";
import * as blocks from "./blocks.ts";
import { ours } from "./blocks.ts";
import { quiet } from "./quiet.ts";
import { openSockets, ownSockets } from "./sockets.ts";

export interface SlackCheck {
  readonly name: string;
  /** `note` is worth knowing and stops nothing. */
  readonly result: "ok" | "note" | "failed";
  readonly says: string;
  /** What to do about it; "" where nothing is to be done. */
  readonly next: string;
}

export interface CheckOptions {
  readonly botToken: string;
  /** null in HTTP mode. */
  readonly appToken: string | null;
  readonly team: string;
  readonly enterprise: string | undefined;
  /** Each channel that is named, once. */
  readonly channels: readonly string[];
  /** Post a card to the first channel, and edit it. */
  readonly card: boolean;
  /** From 0 to 1. */
  readonly chance: () => number;
  readonly apiUrl?: string;
}

const needed = ["chat:write", "commands", "users:read", "channels:read", "groups:read", "im:write"];
/** What no token of Sallyport's should be able to do. */
const tooMuch = /history|files:|admin|chat:write\.public|chat:write\.customize|users:read\.email|:manage/;
const slackApi = "https://slack.com/api/";
const longestGreeting = 10_000;

/** Every check, in the order in which they depend on one another. Nothing of Slack's answers is printed but names and ids. */
export async function checkSlack(options: CheckOptions): Promise<readonly SlackCheck[]> {
  const { webApi } = await import("@slack/bolt");
  const apiUrl = options.apiUrl ?? slackApi;
  const call = callWith(
    new webApi.WebClient(options.botToken, {
      slackApiUrl: apiUrl,
      timeout: 10_000,
      retryConfig: { retries: 0 },
      rejectRateLimitedCalls: true,
      logger: quiet(),
    }),
  );
  const tested = await call("auth.test");
  if (tested.kind !== "ok")
    return [
      failed(
        "bot token",
        `Slack refuses it or is not reached: ${why(tested)}`,
        "install the app and copy its Bot User OAuth Token (xoxb-…)",
      ),
    ];
  const bot = await call("bots.info", { bot: textAt(tested.reply, "bot_id") });
  const app = bot.kind === "ok" ? textAt(bot.reply, "bot", "app_id") : "";
  return [
    ok("bot token", `of ${textAt(tested.reply, "user_id")} in ${textAt(tested.reply, "team")}`),
    workspaceCheck(tested.reply, options),
    ...scopeChecks(tested.scopes),
    app === ""
      ? failed(
          "app",
          `Slack does not say whose the token is: ${why(bot)}`,
          "add the scope users:read and install the app again",
        )
      : ok("app", app),
    ...(await Promise.all(options.channels.map((channel) => channelCheck(call, channel)))),
    ...(options.appToken === null ? [] : [await socketCheck(options.appToken, apiUrl, app, options.chance)]),
    ...(options.card ? [await cardCheck(call, options.channels[0] ?? "")] : []),
  ];
}

function workspaceCheck(tested: JsonObject, { team, enterprise }: CheckOptions): SlackCheck {
  const there = textAt(tested, "team_id");
  const organisation = textAt(tested, "enterprise_id");
  if (there !== team)
    return failed(
      "workspace",
      `the token is of ${there}, sallyport.yaml says ${team}`,
      `set slack.team to ${there}, if that is the one`,
    );
  if (enterprise !== undefined && enterprise !== organisation)
    return failed(
      "workspace",
      `its organisation is ${organisation || "none"}, sallyport.yaml says ${enterprise}`,
      "correct slack.enterprise",
    );
  if (enterprise === undefined && organisation !== "")
    return note(
      "workspace",
      `${there}, of the organisation ${organisation}`,
      "set slack.enterprise where people of other workspaces of it answer, too",
    );
  return ok("workspace", there);
}

function scopeChecks(scopes: readonly string[]): readonly SlackCheck[] {
  if (scopes.length === 0)
    return [note("scopes", "Slack did not say which the token has", "compare them with deploy/slack/manifest.yaml")];
  const missing = needed.filter((one) => !scopes.includes(one));
  const wide = scopes.filter((one) => tooMuch.test(one));
  return [
    missing.length === 0
      ? ok("scopes", needed.join(", "))
      : failed(
          "scopes",
          `${missing.join(", ")} ${missing.length === 1 ? "is" : "are"} missing`,
          "add them under OAuth & Permissions, then install the app again",
        ),
    ...(wide.length === 0
      ? []
      : [note("scopes", `the token can do more than Sallyport needs: ${wide.join(", ")}`, "remove them")]),
  ];
}

async function channelCheck(call: Call, id: string): Promise<SlackCheck> {
  const name = `channel ${id}`;
  const called = await call("conversations.info", { channel: id });
  if (called.kind !== "ok")
    return failed(
      name,
      `can't be looked at: ${why(called)}`,
      "name it by its id, and invite the app: /invite @Sallyport",
    );
  const channel = isJsonObject(called.reply["channel"]) ? called.reply["channel"] : {};
  if (channel["is_archived"] === true) return failed(name, "is archived", "name another one");
  if (
    channel["is_ext_shared"] === true ||
    channel["is_pending_ext_shared"] === true ||
    channel["is_org_shared"] === true
  )
    return failed(
      name,
      "is shared with another organisation: outsiders would read requests",
      "use a private channel of this workspace alone",
    );
  if (channel["is_member"] !== true) return failed(name, "does not have the app in it", "/invite @Sallyport");
  if (channel["is_private"] !== true)
    return note(name, "is public: everybody in the workspace reads requests there", "use a private channel");
  return ok(name, "private, with the app in it");
}

async function socketCheck(appToken: string, apiUrl: string, app: string, chance: () => number): Promise<SlackCheck> {
  const found = Promise.withResolvers<string>();
  const said: string[] = [];
  const told: string[] = [];
  const sockets = await openSockets({
    appToken,
    apiUrl,
    hear: async ({ ack }) => await ack(),
    appIs: (id) => found.resolve(id),
    alert: (what) => void told.push(what),
    say: (sentence) => void said.push(sentence),
    chance,
    count: 1,
  });
  const timer = setTimeout(() => found.resolve(""), longestGreeting);
  const id = await found.promise;
  clearTimeout(timer);
  await sockets.stop();
  if (id === "")
    return failed(
      "app token",
      said[0] ?? "Slack does not greet it",
      "an app-level token (xapp-…) with connections:write, and Socket Mode switched on",
    );
  if (app !== "" && id !== app)
    return failed("app token", `is of the app ${id}, the bot token of ${app}`, "take both from one app");
  if (told.length > 0)
    return note(
      "app token",
      `connects; the app has more connections than a gateway's ${ownSockets}`,
      "stop other programs that use this app: presses go to any one of them",
    );
  return ok("app token", "connects");
}

async function cardCheck(call: Call, channel: string): Promise<SlackCheck> {
  const body = (words: string) => ({ channel, text: words, blocks: [blocks.lines([[ours(words)]])] });
  const posted = await call("chat.postMessage", body("Sallyport tries whether cards get here."));
  if (posted.kind !== "ok")
    return failed(
      "card",
      `can't be posted to ${channel}: ${why(posted)}`,
      "/invite @Sallyport, and see who may post there",
    );
  const edited = await call("chat.update", {
    ...body("Sallyport's cards get here, and can be edited."),
    ts: textAt(posted.reply, "ts"),
  });
  return edited.kind === "ok"
    ? ok("card", `posted to ${channel} and edited`)
    : failed("card", `can't be edited: ${why(edited)}`, "see the workspace's settings on editing messages");
}

function why(called: Called): string {
  switch (called.kind) {
    case "refused":
      return called.error;
    case "limited":
      return `it asks to wait ${called.seconds} s`;
    case "failed":
      return called.why;
    case "ok":
      return "it answers something else";
  }
}

const ok = (name: string, says: string): SlackCheck => ({ name, result: "ok", says, next: "" });
const note = (name: string, says: string, next: string): SlackCheck => ({ name, result: "note", says, next });
const failed = (name: string, says: string, next: string): SlackCheck => ({ name, result: "failed", says, next });
