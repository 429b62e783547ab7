// `sallyport slack check`: what is missing in the Slack workspace's set-up, with the next step for each.

import { Command } from "commander";
import { checkSlack, type SlackCheck } from "../approval/channels/slack/check.ts";
import { CommandFailed, type Io } from "./io.ts";
import { readConfig } from "./setting.ts";
import { slackSecrets } from "./slack-setting.ts";

export function slackCommand(io: Io): Command {
  const slack = new Command("slack").description("look at the Slack workspace's set-up").exitOverride();
  slack.configureOutput({ writeOut: io.out, writeErr: io.err });
  slack
    .command("check")
    .description("Say what is missing in Slack: tokens, scopes, workspace, channels, connection.")
    .option("--card", "post a card to the channel and edit it")
    .option("--config <path>", "sallyport.yaml (default: in the state folder)")
    .option("--json", "print the checks as JSON")
    .addHelpText("after", "\nExit code 0 when nothing failed, 3 when something did.\n")
    .action(async (options: { card?: boolean; config?: string; json?: boolean }) => {
      const checks = await examine(io, options.config, options.card === true);
      io.out(options.json === true ? `${JSON.stringify(checks, null, 2)}\n` : textOf(checks));
      const failed = checks.filter((check) => check.result === "failed").length;
      if (failed > 0) throw new CommandFailed(`${failed} of ${checks.length} checks failed.`, 3);
    });
  return slack;
}

async function examine(io: Io, configPath: string | undefined, card: boolean): Promise<readonly SlackCheck[]> {
  const { config } = await readConfig(io, configPath);
  const { slack } = config;
  if (slack === undefined)
    throw new CommandFailed("sallyport.yaml has no slack: docs/slack.md says how to set it up.", 3);
  const { botToken, way } = await slackSecrets(slack, io.uid);
  return await checkSlack({
    botToken,
    appToken: way.kind === "socket" ? way.appToken : null,
    team: slack.team,
    enterprise: slack.enterprise,
    channels: [...new Set([slack.channel, ...Object.values(slack.channels)])],
    card,
    chance: () => Buffer.from(io.random(4)).readUInt32BE(0) / 2 ** 32,
    ...(io.slackApi === undefined ? {} : { apiUrl: io.slackApi }),
  });
}

function textOf(checks: readonly SlackCheck[]): string {
  const marks = { ok: "ok    ", note: "note  ", failed: "FAILED" };
  const width = Math.max(...checks.map((check) => check.name.length));
  return checks
    .map(({ name, result, says, next }) => {
      const step = next === "" ? "" : `\n${" ".repeat(width + 10)}next: ${next}`;
      return `${marks[result]}  ${name.padEnd(width)}  ${says}${step}\n`;
    })
    .join("");
}
