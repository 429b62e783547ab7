// The webhooks of the configuration as channels: each with its key from its file, over the guarded way out.

import { channels } from "../approval/channels/index.ts";
import { keyOf } from "../approval/channels/webhook.ts";
import type { Channel } from "../approval/channels/contract.ts";
import type { WebhookSetting } from "../config/approvals.ts";
import { reachOf } from "../identity/addresses.ts";
import { guardedPost } from "../identity/guarded-fetch.ts";
import { readOwnFile } from "../identity/verifiers/index.ts";
import type { Log } from "../log.ts";
import { CommandFailed, type Io } from "./io.ts";
import { whereToDecide } from "./pages.ts";
import type { Setting } from "./setting.ts";

/** Throws with a sentence where a key's file can't be used. */
export async function webhooksOf(io: Io, { config }: Setting, log: Log): Promise<readonly Channel[]> {
  const opened: Channel[] = [];
  for (const one of config.webhooks) {
    const { name, url, privateAddresses } = one;
    const secret = await webhookSecret(one, io.uid);
    const post = guardedPost({ reach: reachOf(url, privateAddresses) });
    const lost = (why: string): void => log.warn({ channel: name, cause: why }, "a channel could not be told");
    const channel = channels.webhook({
      name,
      secret,
      async send(headers, body, signal) {
        const answered = await post(url, headers, body, signal);
        return answered.kind === "answered"
          ? { status: answered.status, why: "" }
          : { status: null, why: answered.why };
      },
      where: whereToDecide(config),
      now: io.now,
      lost,
    });
    opened.push(channel);
  }
  return opened;
}

/** The key that signs, as its file has it. Throws with a sentence: a file that others can read, or a key that proves nothing. */
export async function webhookSecret({ name, secret }: WebhookSetting, uid: number): Promise<string> {
  const read = await readOwnFile(secret, uid);
  if (read.kind === "refused") throw new CommandFailed(`webhooks ${name}: ${read.sentence}`, 3);
  try {
    keyOf(read.text);
  } catch (thrown) {
    if (!(thrown instanceof RangeError)) throw thrown;
    throw new CommandFailed(`webhooks ${name}: ${thrown.message}.`, 3);
  }
  return read.text;
}
