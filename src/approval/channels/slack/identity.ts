// Which app and workspace our token is for: asked of Slack until it answers, and nothing is heard before.

import { setTimeout as pause } from "node:timers/promises";
import { textAt } from "../../../domain/json.ts";
import type { Call } from "./call.ts";
import type { Expected } from "./gate.ts";

export interface WhoWeAre {
  /** null until Slack has said that the token is this workspace's, and whose app it is. */
  expected(): Expected | null;
  /** The other end of a socket says whose app it speaks for. */
  appIs(appId: string): void;
  stop(): Promise<void>;
}

export interface IdentityOptions {
  readonly call: Call;
  readonly team: string;
  readonly enterprise: string | undefined;
  readonly alert: (what: string, about: { readonly [key: string]: string }) => void;
  readonly say: (sentence: string) => void;
  /** Called once it is known. */
  readonly known: () => void;
}

const longestPause = 60_000;

export function learnIdentity({ call, team, enterprise, alert, say, known }: IdentityOptions): WhoWeAre {
  const stopping = new AbortController();
  let ofToken: string | null = null;
  let ofSocket: string | null = null;

  /** "" once it is known, else why not. */
  async function ask(): Promise<string> {
    const tested = await call("auth.test");
    if (tested.kind !== "ok") return tested.kind === "refused" ? tested.error : "it is not reached";
    const there = textAt(tested.reply, "team_id");
    if (there !== team) return `the bot token is of the workspace ${there}, not of ${team}`;
    const bot = await call("bots.info", { bot: textAt(tested.reply, "bot_id") });
    const app = bot.kind === "ok" ? textAt(bot.reply, "bot", "app_id") : "";
    if (app === "") return "it does not say whose the bot token is";
    ofToken = app;
    compare();
    return "";
  }

  function compare(): void {
    if (ofToken === null || ofSocket === null || ofToken === ofSocket) return;
    alert("slack tokens of two apps", { bot: ofToken, socket: ofSocket });
  }

  const asking = (async () => {
    for (let wait = 500, told = ""; !stopping.signal.aborted; wait = Math.min(longestPause, wait * 2)) {
      const why = await ask();
      if (why === "") return known();
      if (why !== told) say(`Slack can't be used yet (${why}): it is tried again.`);
      told = why;
      await pause(wait, undefined, { signal: stopping.signal, ref: false }).catch(() => undefined);
    }
  })();

  return {
    expected: () =>
      ofToken === null || (ofSocket !== null && ofSocket !== ofToken) ? null : { appId: ofToken, team, enterprise },
    appIs(appId) {
      ofSocket = appId;
      compare();
    },
    async stop() {
      stopping.abort();
      await asking;
    },
  };
}
