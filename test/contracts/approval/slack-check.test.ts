// `sallyport slack check`: each thing that can be missing in a workspace, by its own sentence.

import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import { promise } from "../../support/promise.ts";
import { openWorkspace, tokens, type Workspace } from "../../support/slack/workspace.ts";
import { runCommand } from "../../support/world.ts";
import { folder } from "./fixtures.ts";

async function place(
  workspace: Workspace,
  given: { readonly bot?: string; readonly app?: string; readonly more?: string } = {},
) {
  const home = folder();
  await mkdir(home, { recursive: true, mode: 0o700 });
  const file = async (name: string, text: string): Promise<string> => {
    await writeFile(join(home, name), `${text}\n`, { mode: 0o600 });
    return name;
  };
  const bot = await file("bot", given.bot ?? tokens.bot);
  const app = await file("app", given.app ?? tokens.app);
  const slack = `slack: { botToken: ${bot}, appToken: ${app}, team: T77, channel: C77, channels: { leads: C88 }${given.more ?? ""} }`;
  await writeFile(join(home, "sallyport.yaml"), `version: 1\n${slack}\n`);
  const env = { SALLYPORT_HOME: home, HOME: home, PATH: "" };
  const check = async (...words: string[]) => {
    const { code, out, err } = await runCommand(["slack", "check", ...words], env, { slackApi: workspace.apiUrl });
    return { code, lines: out.split("\n").filter((one) => one !== ""), err };
  };
  return { home, check };
}

async function fake(): Promise<Workspace> {
  const workspace = await openWorkspace({ team: "T77" });
  onTestFinished(async () => await workspace.stop());
  return workspace;
}

promise("slack:check", "all is well, and a card goes there and back", async () => {
  const workspace = await fake();
  const { check } = await place(workspace);
  expect(await check("--card")).toEqual({
    code: 0,
    err: "",
    lines: [
      "ok      bot token    of UBOTUSER in Fake",
      "ok      workspace    T77",
      "ok      scopes       chat:write, commands, users:read, channels:read, groups:read, im:write",
      "ok      app          A7",
      "ok      channel C77  private, with the app in it",
      "ok      channel C88  private, with the app in it",
      "ok      app token    connects",
      "ok      card         posted to C77 and edited",
    ],
  });
  expect(workspace.seen(workspace.cards("C77")[0]!).text).toBe("Sallyport's cards get here, and can be edited.");
});

promise("slack:check", "what is missing or wrong, each with its next step", async () => {
  const workspace = await fake();
  Object.assign(workspace.channels.get("C77")!, { is_ext_shared: true });
  workspace.channels.get("C88")!.members.length = 0;
  workspace.scopes.list = ["chat:write", "commands", "users:read", "channels:history"];
  workspace.ghosts(4);
  const { check } = await place(workspace, { more: ", enterprise: E99" });
  const { code, lines } = await check();
  expect([code, lines]).toEqual([
    3,
    [
      "ok      bot token    of UBOTUSER in Fake",
      "FAILED  workspace    its organisation is none, sallyport.yaml says E99",
      "                     next: correct slack.enterprise",
      "FAILED  scopes       channels:read, groups:read, im:write are missing",
      "                     next: add them under OAuth & Permissions, then install the app again",
      "note    scopes       the token can do more than Sallyport needs: channels:history",
      "                     next: remove them",
      "ok      app          A7",
      "FAILED  channel C77  is shared with another organisation: outsiders would read requests",
      "                     next: use a private channel of this workspace alone",
      "FAILED  channel C88  does not have the app in it",
      "                     next: /invite @Sallyport",
      "note    app token    connects; the app has more connections than a gateway's 2",
      "                     next: stop other programs that use this app: presses go to any one of them",
    ],
  ]);
});

promise(
  "slack:check",
  "tokens of the wrong kind, that others can read, that Slack refuses; no Slack at all",
  async () => {
    const workspace = await fake();
    const wrong = await place(workspace, { bot: tokens.app });
    expect((await wrong.check()).err).toContain("holds no bot token (xoxb-…): a bot token (xoxb-…) is needed.");
    const { home, check } = await place(workspace);
    await chmod(join(home, "bot"), 0o644);
    expect((await check()).err).toContain("can be read by others: run chmod 600 on it.");
    await chmod(join(home, "bot"), 0o600);
    await writeFile(join(home, "bot"), "xoxb-another-one\n");
    expect((await check()).lines).toEqual([
      "FAILED  bot token  Slack refuses it or is not reached: invalid_auth",
      "                   next: install the app and copy its Bot User OAuth Token (xoxb-…)",
    ]);
    await writeFile(join(home, "sallyport.yaml"), "version: 1\n");
    expect(await check()).toMatchObject({
      code: 3,
      err: "sallyport.yaml has no slack: docs/slack.md says how to set it up.",
    });
  },
);

promise("slack:check", "an app token of another app, and one that Slack refuses", async () => {
  const workspace = await openWorkspace({ team: "T77", appAtSocket: "A8" });
  onTestFinished(async () => await workspace.stop());
  const { check } = await place(workspace);
  expect((await check()).lines.slice(-2)).toEqual([
    "FAILED  app token    is of the app A8, the bot token of A7",
    "                     next: take both from one app",
  ]);
});
