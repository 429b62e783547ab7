// What sallyport.yaml may say of who answers requests for approval, and of the ways that carry them there.

import * as z from "zod";
import { webAddress } from "./addresses.ts";

const path = z.string().min(1).max(4096);
const word = z.string().min(1).max(200);

/** One person, by the accounts that are theirs; their groups count whatever account they answer with. */
const person = z.strictObject({
  name: word,
  accounts: z
    .array(z.strictObject({ issuer: z.string().min(1).max(2000), subject: word }))
    .min(1)
    .max(20),
  groups: z.array(word).max(50).default([]),
});

/** `C0123ABC` of a channel, `T0123ABC` of a workspace, `E0123ABC` of an organisation. */
const slackId = (first: string) => z.string().regex(new RegExp(`^[${first}][A-Z0-9]{2,20}$`), "is none of Slack's ids");

const slack = z.strictObject({
  /** `socket`: Sallyport connects to Slack. `http`: Slack calls `console.url` (or `http.url`'s host) under /slack. */
  mode: z.enum(["socket", "http"]).default("socket"),
  /** Files, each with one secret, that only their owner reads: `xoxb-…`, `xapp-…` (socket), the signing secret (http). */
  botToken: path,
  appToken: path.optional(),
  signingSecret: path.optional(),
  /** The workspace that people answer from, and the organisation around it where there is one; no other is heard. */
  team: slackId("T"),
  enterprise: slackId("E").optional(),
  /** Where requests are shown: a channel for the group that may answer, or for all others. */
  channel: slackId("CG"),
  channels: z.record(word, slackId("CG")).default({}),
  /** Hours that a linked person's last sign-in to the console counts: whoever the identity provider lets in no more answers no longer than that. */
  standingHours: z.number().int().min(1).max(168).default(12),
  /** For linking people: the app's OpenID client. */
  client: z.strictObject({ id: word, secret: path }).optional(),
});

const pages = z.strictObject({
  /** Under which address people open it, without a path: `https://sallyport.example.com`. */
  url: webAddress,
  /** The name of one of `issuers`, and Sallyport's own client there. */
  issuer: word,
  clientId: word,
  /** A file with the client's secret; without it the client is public and proves itself by PKCE alone. */
  clientSecret: path.optional(),
  scopes: z.array(word).max(10).default(["openid", "profile"]),
  /** What a step-up must answer in `acr`; without it the fresh login's time alone is checked. */
  acr: z.array(word).max(10).default([]),
  /** Minutes until a sign-in is over. */
  sessionMinutes: z.number().int().min(5).max(1440).default(480),
});

const webhook = z.strictObject({
  name: word,
  url: webAddress,
  /** A file with the key that signs each notice, 24 bytes at least. */
  secret: path,
  /** The address is a private one. */
  privateAddresses: z.boolean().default(false),
});

export const approvalSettings = {
  people: z.array(person).max(1000).default([]),
  slack: slack.optional(),
  console: pages.optional(),
  webhooks: z.array(webhook).max(10).default([]),
};
export type PersonSetting = z.output<typeof person>;
export type SlackSetting = z.output<typeof slack>;
export type ConsoleSetting = z.output<typeof pages>;
export type WebhookSetting = z.output<typeof webhook>;
