// Every channel, held to the one contract.

import { mkdirSync } from "node:fs";
import { onTestFinished } from "vitest";
import { channels } from "../../../src/approval/channels/index.ts";
import { openWorkspace, tokens } from "../../support/slack/workspace.ts";
import { channelSuite } from "./channels.ts";
import { folder, minute, random, start } from "./fixtures.ts";
import { eventually } from "./slack-desk.ts";

channelSuite("terminal", async () => {
  let printed = "";
  const channel = channels.terminal((text) => void (printed += text));
  return { channel, shown: async () => printed, breakDown: async () => undefined };
});

channelSuite("Slack", async () => {
  const workspace = await openWorkspace();
  onTestFinished(async () => await workspace.stop());
  const place = folder();
  mkdirSync(place, { recursive: true });
  const channel = channels.slack({
    way: { kind: "socket", appToken: tokens.app },
    botToken: tokens.bot,
    team: workspace.team,
    enterprise: undefined,
    channel: "C7",
    channels: {},
    console: null,
    folder: place,
    personOf: () => null,
    now: () => start + minute,
    random,
    say: () => undefined,
    apiUrl: workspace.apiUrl,
    pace: { post: 1, edit: 1 },
    patience: { interactive: 300, outbox: 300 },
  });
  return {
    channel,
    async shown() {
      await eventually(() => channel.idle()).toBe(true);
      return workspace.messages.map((one) => workspace.seen(one).text).join("\n");
    },
    async breakDown() {
      workspace.troubleUntilLifted("*", { kind: "hang" });
    },
  };
});
