// Every channel, held to the one contract.

import { mkdirSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { channels } from "../../../src/approval/channels/index.ts";
import { openWorkspace, tokens } from "../../support/slack/workspace.ts";
import { channelSuite } from "./channels.ts";
import { folder, minute, random, start } from "./fixtures.ts";
import { eventually } from "./slack-desk.ts";

channelSuite("terminal", async () => {
  let printed = "";
  const channel = channels.terminal((text) => void (printed += text));
  return { channel, tells: "card", shown: async () => printed, breakDown: async () => undefined };
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
    standsFor: 43_200_000,
    personOf: () => null,
    now: () => start + minute,
    random,
    say: () => undefined,
    apiUrl: workspace.apiUrl,
    pace: { post: 1, edit: 1 },
    patience: { interactive: 2000, outbox: 2000 },
  });
  return {
    channel,
    tells: "card",
    async shown() {
      await eventually(() => channel.idle()).toBe(true);
      await eventually(() => channel.connected()).toBe(2);
      await eventually(() => workspace.answered("bots.info")).toBe(1);
      return workspace.messages.map((one) => workspace.seen(one).text).join("\n");
    },
    async breakDown() {
      workspace.troubleUntilLifted("*", { kind: "hang" });
    },
  };
});

channelSuite("webhook", async () => {
  let there = true;
  const came: string[] = [];
  const server = createServer((asked, response) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of asked as AsyncIterable<Buffer>) chunks.push(chunk);
      // What hears nothing answers nothing.
      if (!there) return void response.socket?.destroy();
      came.push(Buffer.concat(chunks).toString());
      response.writeHead(204).end();
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  const channel = channels.webhook({
    name: "on-call",
    secret: "k".repeat(24),
    where: "sallyport approvals",
    now: () => start + minute,
    lost: () => undefined,
    waits: [1, 60_000],
    async send(headers, body, signal) {
      const sent = await fetch(address, { method: "POST", headers, body, signal }).catch(() => null);
      return { status: sent?.status ?? null, why: "" };
    },
  });
  return {
    channel,
    tells: "notice",
    async shown(tellings) {
      await eventually(() => came.length).toBeGreaterThanOrEqual(tellings);
      return came.join("\n");
    },
    async breakDown() {
      there = false;
    },
  };
});
