// The channels that a request for approval can take to people.

import { slackChannel } from "./slack/index.ts";
import { terminalChannel } from "./terminal.ts";
import { webhookChannel } from "./webhook.ts";

export const channels = { terminal: terminalChannel, slack: slackChannel, webhook: webhookChannel };
export type { Person, SlackChannel, SlackOptions, SlackRequests } from "./slack/index.ts";
