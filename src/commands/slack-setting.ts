// Slack as the configuration has it: its secrets from their files, its people from theirs.

import { channels, type SlackChannel } from "../approval/channels/index.ts";
import { personOf } from "../approval/people.ts";
import type { SlackSetting } from "../config/approvals.ts";
import { readOwnFile } from "../identity/verifiers/index.ts";
import type { Log } from "../log.ts";
import { CommandFailed, type Io } from "./io.ts";
import type { Setting } from "./setting.ts";

export interface SlackSecrets {
  readonly botToken: string;
  readonly way:
    | { readonly kind: "socket"; readonly appToken: string }
    | { readonly kind: "http"; readonly signingSecret: string };
}

/** The channel, where the configuration names one. Throws with a sentence where a secret's file can't be used. */
export async function slackOf(io: Io, { config, folder }: Setting, log: Log): Promise<readonly SlackChannel[]> {
  const { slack, people, console } = config;
  if (slack === undefined) return [];
  const { team, enterprise, channel, channels: ofGroups, standingHours } = slack;
  return [
    channels.slack({
      ...(await slackSecrets(slack, io.uid)),
      team,
      enterprise,
      channel,
      channels: ofGroups,
      console: console?.url ?? null,
      standsFor: standingHours * 3_600_000,
      folder,
      personOf: (account) => personOf(people, account),
      now: io.now,
      random: io.random,
      say: (sentence) => log.warn({ cause: sentence }, "Slack"),
      ...(io.slackApi === undefined ? {} : { apiUrl: io.slackApi }),
    }),
  ];
}

/** Reads the secrets that the setting names. Throws with a sentence: a file that others can read, or that holds another kind of secret. */
export async function slackSecrets(slack: SlackSetting, uid: number): Promise<SlackSecrets> {
  const botToken = await secretIn(slack.botToken, /^xoxb-\S{5,500}$/, "a bot token (xoxb-…)", uid);
  if (slack.mode === "http") {
    const signingSecret = await secretIn(slack.signingSecret ?? "", /^[0-9a-f]{32,128}$/, "a signing secret", uid);
    return { botToken, way: { kind: "http", signingSecret } };
  }
  const appToken = await secretIn(slack.appToken ?? "", /^xapp-\S{5,500}$/, "an app-level token (xapp-…)", uid);
  return { botToken, way: { kind: "socket", appToken } };
}

async function secretIn(file: string, form: RegExp, what: string, uid: number): Promise<string> {
  const read = await readOwnFile(file, uid);
  if (read.kind === "refused") throw new CommandFailed(`slack: ${read.sentence}`, 3);
  const secret = read.text.trim();
  if (!form.test(secret))
    throw new CommandFailed(`slack: ${file} holds no ${what.replace(/^an? /, "")}: ${what} is needed.`, 3);
  return secret;
}
