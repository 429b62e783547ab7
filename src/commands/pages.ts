// The pages of the HTTP door as the configuration has them: the console, and what Slack sends.

import { readFile } from "node:fs/promises";
import { openPeople } from "../approval/people.ts";
import type { ConsoleSetting } from "../config/approvals.ts";
import { prefixesBeside } from "../config/issuers.ts";
import type { Config } from "../config/schema.ts";
import { reachOf } from "../identity/addresses.ts";
import { guardedFetch, guardedPost } from "../identity/guarded-fetch.ts";
import { keepFresh } from "../identity/kept.ts";
import { refused, rollUp } from "../identity/refused.ts";
import { readOwnFile } from "../identity/verifiers/index.ts";
import type { Pages } from "../mcp/pages.ts";
import { shown } from "../wiring/console.ts";
import { sentenceOf, CommandFailed, type Io } from "./io.ts";
import type { Owning } from "./owning.ts";
import { slackLinksOf } from "./slack-links.ts";

type Matter = Pick<Owning, "gateway" | "setting" | "log" | "slack">;

/** Opens them; none where none is configured. `closing` ends what they fetch. Throws with a sentence where a secret's file can't be used. */
export async function openPages(io: Io, owning: Matter, closing: AbortSignal): Promise<readonly Pages[]> {
  const { config } = owning.setting;
  const console = config.console === undefined ? [] : [await consolePages(io, owning, config.console, closing)];
  const requests = owning.slack?.requests ?? null;
  const slack = requests === null ? [] : [{ path: "/slack", origin: originOf(config), answer: requests }];
  return [...console, ...slack];
}

/** Where a person decides, for whoever reads of a request: the console's address, else the terminal's command. */
export function whereToDecide({ console }: { readonly console?: Config["console"] }): string {
  return console === undefined ? "sallyport approvals" : `${new URL(console.url).origin}/console`;
}

/** Where browsers and Slack find this gateway. */
function originOf({ console, http }: Config): string {
  return new URL(console?.url ?? http?.url ?? "http://localhost").origin;
}

async function consolePages(
  io: Io,
  { gateway, setting, log, slack: channel }: Matter,
  console: ConsoleSetting,
  closing: AbortSignal,
): Promise<Pages> {
  const { config } = setting;
  const [{ consoleApp }, { openSignIn }, { fetchPublished }] = await Promise.all([
    import("../console/app.ts"),
    import("../identity/sign-in.ts"),
    import("../identity/published.ts"),
  ]);
  const issuer = config.issuers.find((one) => one.kind === "oidc" && one.name === console.issuer);
  if (issuer?.kind !== "oidc") throw new CommandFailed(`console: there is no oidc issuer ${console.issuer}.`, 3);
  const rules = { ...issuer, others: prefixesBeside(config.issuers, issuer.name) };
  const { origin } = new URL(console.url);
  const ca = rules.ca === undefined ? {} : { ca: await readFile(rules.ca, "utf8") };
  const way = { reach: reachOf(rules.issuer, rules.privateAddresses), ...ca };
  const fetch = guardedFetch(way);
  const told = rollUp(io.now, ({ why, found }) =>
    log.warn(
      { issuer: console.issuer, cause: `${why}${found === "" ? "" : `: ${found}`}` },
      "somebody was not signed in",
    ),
  );
  const { now, random } = io;
  const signIn = openSignIn({
    rules,
    clientId: console.clientId,
    clientSecret: await consoleSecret(console, io.uid),
    redirect: `${origin}/console/callback`,
    scopes: console.scopes,
    acr: console.acr,
    fetch,
    post: guardedPost(way),
    keys: keepFresh({
      load: () => fetchPublished(rules.issuer, fetch, closing),
      now,
      failed: (why) => told(refused(why)),
    }),
    now,
    random,
    told,
    closing,
  });
  const people = openPeople(config.people);
  const say = (cause: string): void => log.warn({ cause }, "Slack");
  const { slack } = config;
  const links =
    slack === undefined || channel === null ? null : await slackLinksOf(io, { slack, channel, origin, say, closing });
  return {
    path: "/console",
    origin,
    answer: consoleApp({
      origin,
      signIn: {
        begin: async (wish) => await signIn.begin(wish),
        async finish(answer, kept) {
          const finished = await signIn.finish(answer, kept);
          if (finished.kind === "refused") return finished;
          const { person } = finished;
          return { kind: "signed-in", person: { ...person, name: shown(person.name) } };
        },
      },
      desk: gateway.console(people),
      ...(links === null ? {} : { slack: links }),
      lasts: console.sessionMinutes * 60_000,
      now,
      random,
      broke: (thrown) => log.warn({ cause: sentenceOf(thrown) }, "the console"),
    }),
  };
}

/** The client's secret; null for a public client. Throws with a sentence where its file can't be used. */
export async function consoleSecret({ clientSecret }: ConsoleSetting, uid: number): Promise<string | null> {
  if (clientSecret === undefined) return null;
  const read = await readOwnFile(clientSecret, uid);
  if (read.kind === "refused") throw new CommandFailed(`console: ${read.sentence}`, 3);
  return read.text.trim();
}
