// What doctor says of the ways that carry requests to people: the console's address and client, Slack's secrets, each webhook's key and address.

import type { Config } from "../config/schema.ts";
import { isLoopbackHost } from "../identity/addresses.ts";
import { sentenceOf, type Io } from "./io.ts";
import { consoleSecret } from "./pages.ts";
import { slackClientSecret } from "./slack-links.ts";
import { slackSecrets } from "./slack-setting.ts";
import { webhookSecret } from "./webhooks.ts";

interface Found {
  readonly name: "console" | "slack" | "webhooks";
  readonly result: "ok" | "note" | "failed";
  readonly says: string;
  readonly next: string;
}

/** Nothing where nothing is set. */
export async function approvalChecks(io: Pick<Io, "uid">, config: Config): Promise<readonly Found[]> {
  return [
    ...(await consoleChecks(io, config)),
    ...(await slackChecks(io, config)),
    ...(await Promise.all(config.webhooks.map(async (one) => await webhookCheck(io, one)))),
  ];
}

async function consoleChecks(io: Pick<Io, "uid">, { console, http }: Config): Promise<readonly Found[]> {
  if (console === undefined) return [];
  const name = "console";
  const { origin, protocol, hostname, pathname, search } = new URL(console.url);
  const why = await whyNot(consoleSecret(console, io.uid));
  if (why !== "")
    return [
      { name, result: "failed", says: why, next: "put the client's secret, alone, into a file of yours: chmod 600" },
    ];
  const remarks = [
    ...(http === undefined
      ? ["there is no http: it is served with serve --http alone, on a port of this machine"]
      : []),
    ...(protocol === "http:" && !isLoopbackHost(hostname)
      ? ["its url says http beyond this machine: sign-ins would travel in clear"]
      : []),
    ...(pathname !== "/" || search !== "" ? [`its url names a path, and the console is at ${origin}/console`] : []),
  ];
  if (remarks.length > 0)
    return remarks.map((says) => ({ name, result: "note", says, next: "docs/approvals.md, Console" }));
  const levels = console.acr.length === 0 ? "a fresh login's time alone" : `acr ${console.acr.join(" or ")}`;
  const says = `${origin}/console, sign-in at ${console.issuer} back to ${origin}/console/callback; step-up checks ${levels}`;
  return [{ name, result: "ok", says, next: "" }];
}

/** Only what lies here: sallyport slack check asks Slack itself. */
async function slackChecks({ uid }: Pick<Io, "uid">, { slack, console }: Config): Promise<readonly Found[]> {
  if (slack === undefined) return [];
  const name = "slack";
  const { client } = slack;
  const why =
    (await whyNot(slackSecrets(slack, uid))) ||
    (client === undefined ? "" : await whyNot(slackClientSecret(client.secret, uid)));
  if (why !== "") return [{ name, result: "failed", says: why, next: "docs/slack.md, Setting it up" }];
  const linked = client !== undefined && console !== undefined;
  const says = linked
    ? `people link their Slack users in the console; each sign-in there counts ${slack.standingHours} h in Slack`
    : "nobody can be linked: that takes slack.client and console";
  return [
    {
      name,
      result: "ok",
      says: `secrets of workspace ${slack.team} are there; sallyport slack check asks Slack`,
      next: "",
    },
    { name, result: linked ? "ok" : "note", says, next: linked ? "" : "docs/slack.md, Link people" },
  ];
}

async function webhookCheck(io: Pick<Io, "uid">, one: Config["webhooks"][number]): Promise<Found> {
  const name = "webhooks";
  const why = await whyNot(webhookSecret(one, io.uid));
  if (why !== "")
    return { name, result: "failed", says: why, next: "openssl rand -hex 32 into a file of yours: chmod 600" };
  const { protocol, host, hostname } = new URL(one.url);
  if (protocol === "http:" && !isLoopbackHost(hostname))
    return {
      name,
      result: "failed",
      says: `${one.name} has an http address: notices are sent over TLS alone`,
      next: "use https",
    };
  return { name, result: "ok", says: `${one.name} is told at ${host}`, next: "" };
}

/** "" where the work is done without a complaint. */
async function whyNot(work: Promise<unknown>): Promise<string> {
  return await work.then(
    () => "",
    (thrown: unknown) => sentenceOf(thrown),
  );
}
