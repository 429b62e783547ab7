// What Slack sends over HTTP: forged, altered, late, early, twice, too large. Stock Bolt takes a stamp from the future and the same request again.

import { expect } from "vitest";
import { slackRequests } from "../../../src/approval/channels/slack/requests.ts";
import { promise } from "../../support/promise.ts";
import { tokens } from "../../support/slack/workspace.ts";
import { eventually, openSlack } from "./slack-desk.ts";
import { preview, start, type Given } from "./fixtures.ts";

const harmless: Given = { preview: { ...preview, checks: [] } };

async function overHttp() {
  let heard = 0;
  const slack = await openSlack({
    workspace: { now: () => start + 1000 },
    slack: { way: { kind: "http", signingSecret: tokens.signing } },
  });
  const { requests } = slack.channel;
  if (requests === null) throw new Error("there is no way in");
  const status = async (request: Request): Promise<number> => (await requests(request)).status;
  const count = slackRequests({
    signingSecret: tokens.signing,
    now: () => start + 1000,
    hear: async ({ ack }) => (heard++, await ack()),
  });
  return { slack, requests, status, counted: async (request: Request) => [(await count(request)).status, heard] };
}

promise(
  "slack:signed",
  "a press that is signed for this moment is heard, and answered before its work is done",
  async () => {
    const { slack, requests } = await overHttp();
    const asked = await slack.ask(harmless);
    // Over HTTP nothing says beforehand that the token was accepted.
    await eventually(() => slack.workspace.answered("bots.info")).toBe(1);
    const card = await slack.card();
    const response = await requests(
      slack.workspace.signed(slack.workspace.form(slack.workspace.press("UKIM", card, "Approve"))),
    );
    expect([response.status, await response.text()]).toEqual([200, ""]);
    await eventually(() => slack.state(asked)).toBe("approved");
  },
);

promise("slack:signed", "nothing else is", async () => {
  const { slack, status, counted } = await overHttp();
  const { signed, form, press } = slack.workspace;
  await slack.ask(harmless);
  await slack.settled();
  const body = form(press("UKIM", slack.workspace.cards()[0]!, "Approve"));
  const at = start + 1000;
  const bare = (headers: Record<string, string>): Request =>
    new Request("http://x/slack", { method: "POST", body, headers });
  const form_ = { "content-type": "application/x-www-form-urlencoded" };
  const good = signed(body);
  const refused = {
    "another secret": signed(body, { secret: "0".repeat(32) }),
    "an altered body": signed(body, { signedBody: `${body} ` }),
    "version v1": signed(body, { version: "v1" }),
    "no signature": bare({ ...form_, "x-slack-request-timestamp": String(at / 1000) }),
    "no stamp": bare({ ...form_, "x-slack-signature": good.headers.get("x-slack-signature") ?? "" }),
    "301 s late": signed(body, { at: at - 301_000 }),
    "301 s early": signed(body, { at: at + 301_000 }),
    "a stamp that is no number": bare({
      ...form_,
      "x-slack-request-timestamp": "1e9",
      "x-slack-signature": good.headers.get("x-slack-signature") ?? "",
    }),
  };
  const found = Object.fromEntries(
    await Promise.all(Object.entries(refused).map(async ([name, one]) => [name, await counted(one)])),
  );
  expect(found).toEqual(Object.fromEntries(Object.keys(refused).map((name) => [name, [401, 0]])));
  // The same request again, and once more when its stamp is nearly too old.
  expect(await counted(good)).toEqual([200, 1]);
  expect(await counted(signed(body))).toEqual([401, 1]);
  // A suffix on the type is still the type; Bolt's own receiver refuses it.
  expect(await counted(signed(`${body}&`, { type: "application/x-www-form-urlencoded; charset=utf-8" }))).toEqual([
    200, 2,
  ]);
  expect([await status(signed("x=1", { type: "text/plain" })), await status(new Request("http://x/slack"))]).toEqual([
    400, 405,
  ]);
});

promise("slack:signed", "two payloads, half of one, and a quarter of a megabyte are no requests", async () => {
  const { slack, counted } = await overHttp();
  const { signed, form, press } = slack.workspace;
  await slack.ask(harmless);
  await slack.settled();
  const body = form(press("UKIM", slack.workspace.cards()[0]!, "Approve"));
  expect(await counted(signed(`${body}&${body}`))).toEqual([400, 0]);
  expect(await counted(signed(`${body}&user=UADA`))).toEqual([400, 0]);
  expect(await counted(signed(body.slice(0, -20)))).toEqual([400, 0]);
  expect(await counted(signed("[1]", { type: "application/json" }))).toEqual([400, 0]);
  expect(await counted(signed(`payload=${"x".repeat(256 * 1024)}`))).toEqual([413, 0]);
  const streamed = new Request("http://x/slack", {
    method: "POST",
    body: new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(65_536)) }),
    duplex: "half",
  });
  expect(await counted(streamed)).toEqual([413, 0]);
});

promise("slack:signed", "Slack's own question whether we are there is answered, once it is signed", async () => {
  const { slack, requests, status } = await overHttp();
  const body = JSON.stringify({ type: "url_verification", challenge: "abc" });
  const response = await requests(slack.workspace.signed(body, { type: "application/json" }));
  expect(await response.json()).toEqual({ challenge: "abc" });
  expect(await status(slack.workspace.signed(body, { type: "application/json", secret: "0".repeat(32) }))).toBe(401);
});

promise("slack:signed", "a window and a command are answered in the reply itself", async () => {
  const { slack, requests } = await overHttp();
  await eventually(() => slack.workspace.answered("bots.info")).toBe(1);
  const command = new URLSearchParams(slack.workspace.command("UKIM", "pending") as Record<string, string>).toString();
  const response = await requests(slack.workspace.signed(command));
  expect(await response.json()).toEqual({ response_type: "ephemeral", text: "Nothing waits for your answer." });
});
