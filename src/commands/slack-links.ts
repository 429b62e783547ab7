// Linking people to their Slack users, as the console offers it: Slack's OpenID keys, the app's client, and words for what went otherwise.

import type { SignedIn } from "../approval/links.ts";
import type { SlackChannel } from "../approval/channels/index.ts";
import { gateWords } from "../approval/channels/slack/words.ts";
import type { SlackSetting } from "../config/approvals.ts";
import type { SlackLinks } from "../console/contract.ts";
import type { JsonObject } from "../domain/json.ts";
import { reachOf } from "../identity/addresses.ts";
import { guardedFetch } from "../identity/guarded-fetch.ts";
import { keepFresh } from "../identity/kept.ts";
import { publishedBy } from "../identity/published.ts";
import { proveSignature } from "../identity/signed.ts";
import { readToken } from "../identity/token.ts";
import { readOwnFile } from "../identity/verifiers/index.ts";
import { sameSubject } from "../domain/principal.ts";
import { CommandFailed, sentenceOf, type Io } from "./io.ts";

export interface LinkingMatter {
  readonly slack: SlackSetting;
  readonly channel: SlackChannel;
  /** The console's address, without a path. */
  readonly origin: string;
  /** For the operator's log. */
  readonly say: (sentence: string) => void;
  readonly closing: AbortSignal;
}

type Refused = Extract<
  Awaited<ReturnType<NonNullable<ReturnType<SlackChannel["linking"]>>["finish"]>>,
  { kind: "refused" }
>;

/** null where the configuration names no client. Throws with a sentence where its secret's file can't be used. */
export async function slackLinksOf(io: Io, matter: LinkingMatter): Promise<SlackLinks | null> {
  const { slack, channel, origin, say } = matter;
  if (slack.client === undefined) return null;
  const client = { id: slack.client.id, secret: await slackClientSecret(slack.client.secret, io.uid) };
  const linking = channel.linking({
    client,
    redirectUri: `${origin}/console/slack/cb`,
    verify: verifierOf(io, matter),
  });
  const links = channel.links();
  if (linking === null || links === null) throw new Error("the Slack channel is not open");
  const { now } = io;
  const standing = (account: { readonly issuer: string; readonly subject: string }) => links.ofSubject(account, now());
  return {
    of(person) {
      const [link, second] = standing(person);
      return link === undefined || second !== undefined ? null : { user: link.user, until: link.until };
    },
    waiting(person) {
      const found = links.proposals(now()).find((one) => sameSubject(one, person));
      return found === undefined ? null : { user: found.user, until: found.until };
    },
    standingHours: slack.standingHours,
    async signedIn(person) {
      // A sign-in that can't be kept is one that does not count in Slack; the console itself works on.
      await links
        .prove(accountOf(person))
        .catch((thrown: unknown) => say(`A sign-in was not kept: ${sentenceOf(thrown)}`));
    },
    begin: (session, person) => linking.begin({ session, account: accountOf(person) }).href,
    async finish(session, person, back) {
      const finished = await linking.finish({ session, account: accountOf(person) }, back);
      return finished.kind === "asked" ? { kind: "asked" } : { kind: "refused", says: wordsFor(finished.why) };
    },
    async unlink(person) {
      const waiting = links.proposals(now()).filter((one) => sameSubject(one, person));
      const users = new Map(
        [...standing(person), ...waiting].map(({ team, user }) => [`${team} ${user}`, { team, user }]),
      );
      for (const one of users.values()) await links.unlink(one, "unlinked by its person", now());
    },
  };
}

/** Throws with a sentence: a file that others can read, or an empty one. */
export async function slackClientSecret(file: string, uid: number): Promise<string> {
  const read = await readOwnFile(file, uid);
  if (read.kind === "refused") throw new CommandFailed(`slack: ${read.sentence}`, 3);
  const secret = read.text.trim();
  if (secret === "") throw new CommandFailed(`slack: ${file} is empty: the app's client secret is needed.`, 3);
  return secret;
}

const accountOf = ({ issuer, subject, at, groups }: SignedIn): SignedIn => ({ issuer, subject, at, groups });

/** docs.slack.dev, "Sign in with Slack": RS256, by keys at a place of their own. */
const algorithm = "RS256";
const slackApi = "https://slack.com/api/";

function verifierOf(io: Io, { say, closing }: LinkingMatter): (idToken: string) => Promise<JsonObject | null> {
  const { slackApi: api = slackApi, now } = io;
  const address = new URL("/openid/connect/keys", api).href;
  const fetch = guardedFetch({ reach: reachOf(api, false) });
  const keys = keepFresh({
    load: async () => {
      const found = await fetch(address, closing);
      return found.kind === "failed" ? found : publishedBy("https://slack.com", found.body, found.date);
    },
    now,
    failed: (why) => say(`Slack's keys can't be had: ${why}`),
  });
  return async (idToken) => {
    const read = readToken(idToken);
    if (read.kind !== "token" || read.token.header.alg !== algorithm) return null;
    const signed = await proveSignature(read.token, keys);
    return signed.kind === "signed" ? read.token.payload : null;
  };
}

function wordsFor(why: Refused["why"]): string {
  switch (why) {
    case "state":
      return "That did not begin here, took longer than ten minutes, or was used before. Begin again.";
    case "other_session":
      return "That was begun in another session. Whoever sent you that address wants their account on your Slack user: begin it here yourself.";
    case "exchange":
    case "token":
      return "What Slack answered was not accepted. Begin again.";
    case "unasked":
      return "Slack did not take the message that asks you to confirm, so nothing was begun. Try again in a minute.";
    case "taken":
      return "Your account, or that Slack user, is linked to another one. Unlink that one first; if it is not yours, tell whoever runs Sallyport.";
    case "other_app":
    case "other_team":
    case "outsider":
    case "no_person":
    case "guest":
    case "unconfirmed":
    case "unreachable":
    case "unlinked":
    case "several_links":
    case "signed_out":
    case "unlisted":
      return gateWords(why, null);
  }
}
