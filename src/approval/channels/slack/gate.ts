// Whether an interaction may have any effect: whose app and workspace it came through, who pressed, and which one person that is. What can't be known is a no.

import * as z from "zod";
import type { Subject } from "../../../domain/principal.ts";
import type { Voter } from "../../ballot.ts";
import type { Proof } from "../../links.ts";
import { isStale, voterOf, type Person } from "../../people.ts";
import type { Called } from "./call.ts";
import type { Origin } from "./wire.ts";

export type Refusal =
  | "other_app"
  | "other_team"
  | "outsider"
  | "no_person"
  | "guest"
  | "unconfirmed"
  | "unreachable"
  | "unlinked"
  | "several_links"
  | "signed_out"
  | "unlisted";

/** Refusals that nobody gets by mistake. */
export const suspicious: readonly Refusal[] = [
  "other_app",
  "other_team",
  "outsider",
  "guest",
  "no_person",
  "several_links",
];

/** What this gateway is set up for. */
export interface Expected {
  readonly appId: string;
  readonly team: string;
  /** The organisation around the workspace; undefined: none is heard. */
  readonly enterprise: string | undefined;
}

/** Did it come through our app, from our workspace? Slack vouches for these fields, not for who may answer. */
export function whyNotOurs(origin: Origin, { appId, team, enterprise }: Expected): Refusal | null {
  if (origin.appId !== appId) return "other_app";
  const ourOrganisation = enterprise !== undefined && origin.enterprise === enterprise;
  if (origin.enterpriseInstall && !ourOrganisation) return "other_team";
  if (origin.enterprise !== null && enterprise !== undefined && !ourOrganisation) return "other_team";
  // In Slack Connect `team` is the app's own workspace whoever presses: the person's is looked at too.
  if (origin.team === null ? !ourOrganisation : origin.team !== team) return "other_team";
  if (origin.viewTeam !== null && origin.viewTeam !== team) return "other_team";
  if (origin.userTeam !== null && origin.userTeam !== team && !ourOrganisation) return "outsider";
  return null;
}

const flag = z.boolean().optional();

/** Of `users.info` what the gate asks for; whatever else Slack says of a user is not believed to be anything. */
export const slackUser = z.object({
  id: z.string(),
  team_id: z.string(),
  deleted: z.boolean(),
  is_bot: z.boolean(),
  is_workflow_bot: flag,
  is_connector_bot: flag,
  is_restricted: z.boolean(),
  is_ultra_restricted: z.boolean(),
  is_invited_user: flag,
  is_stranger: flag,
  is_email_confirmed: flag,
  enterprise_user: z
    .object({ id: z.string(), enterprise_id: z.string(), teams: z.array(z.string()) })
    .partial()
    .optional(),
});
export type SlackUser = z.output<typeof slackUser>;

/** Slackbot says of itself that it is no bot. */
const slackbot = "USLACKBOT";

/** Is this a full member of our workspace, and a person? A field that Slack leaves out where it should stand is no proof. */
export function whyNotTrusted(user: SlackUser, { team, enterprise }: Expected): Refusal | null {
  if (user.deleted || user.is_bot || user.id === slackbot) return "no_person";
  if (user.is_workflow_bot === true || user.is_connector_bot === true) return "no_person";
  const { enterprise_id: organisation, teams = [] } = user.enterprise_user ?? {};
  const ofOrganisation = enterprise !== undefined && organisation === enterprise && teams.includes(team);
  if (user.team_id !== team && !ofOrganisation) return "outsider";
  if (user.is_stranger === true) return "outsider";
  if (user.is_restricted || user.is_ultra_restricted || user.is_invited_user === true) return "guest";
  return user.is_email_confirmed === false ? "unconfirmed" : null;
}

export interface GateOptions {
  readonly expected: () => Expected | null;
  /** `users.info`, within two seconds. */
  readonly usersInfo: (user: string) => Promise<Called>;
  /** Every account that this Slack user is linked to now; anything but one is refused. */
  readonly linkedTo: (team: string, user: string) => readonly (Subject & { readonly proof: Proof })[];
  /** Milliseconds that the account's last sign-in counts: whom the identity provider lets in no more answers no longer than that. */
  readonly standsFor: number;
  /** Whom the configuration knows by this account; null: nobody. */
  readonly personOf: (account: Subject) => Person | null;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export type Admitted =
  /** `stale`: a new sign-in would tell groups that do not count any more. */
  | { readonly kind: "admitted"; readonly voter: Voter; readonly stale: boolean }
  | { readonly kind: "refused"; readonly why: Refusal };

export interface Gate {
  /** Everything but the last question, for whoever is not linked yet. */
  member(origin: Origin): Promise<Refusal | null>;
  admit(origin: Origin): Promise<Admitted>;
  /** What is known of this user is asked anew. */
  forget(user: string): void;
}

/** Clocks are corrected by seconds. */
const clockTolerance = 60_000;
/** How old the word of Slack on a user may be, in milliseconds. */
const oldest = 60_000;

export function openGate({ expected, usersInfo, linkedTo, standsFor, personOf, now }: GateOptions): Gate {
  const known = new Map<string, { readonly user: SlackUser; readonly at: number }>();

  async function userOf(id: string): Promise<SlackUser | null> {
    const kept = known.get(id);
    const age = kept === undefined ? Infinity : now() - kept.at;
    if (kept !== undefined && age >= 0 && age < oldest) return kept.user;
    known.delete(id);
    const at = now();
    const called = await usersInfo(id);
    const read = called.kind === "ok" ? slackUser.safeParse(called.reply["user"]) : null;
    if (read?.success !== true || read.data.id !== id) return null;
    if (known.size >= 5000) known.clear();
    known.set(id, { user: read.data, at });
    return read.data;
  }

  async function member(origin: Origin): Promise<Refusal | null> {
    const ours = expected();
    if (ours === null) return "unreachable";
    const foreign = whyNotOurs(origin, ours);
    if (foreign !== null) return foreign;
    const user = await userOf(origin.user);
    return user === null ? "unreachable" : whyNotTrusted(user, ours);
  }

  return {
    member,
    async admit(origin) {
      const why = await member(origin);
      if (why !== null) return { kind: "refused", why };
      const team = expected()?.team;
      if (team === undefined) return { kind: "refused", why: "unreachable" };
      const [account, second] = linkedTo(team, origin.user);
      if (account === undefined) return { kind: "refused", why: "unlinked" };
      if (second !== undefined) return { kind: "refused", why: "several_links" };
      const { issuer, subject, proof } = account;
      const age = now() - proof.at;
      // A clock that was set back can't measure it, and what can't be measured is over.
      if (!(age >= -clockTolerance && age < standsFor)) return { kind: "refused", why: "signed_out" };
      const person = personOf(account);
      if (person === null && proof.groups.length === 0) return { kind: "refused", why: "unlisted" };
      if (person === null && isStale(proof, now())) return { kind: "refused", why: "signed_out" };
      // As in the console: whatever account they came with, the record has the one that stands for the person.
      const voter = voterOf(person, { issuer, subject, ...proof, channel: "slack", assurance: "chat" }, now());
      return { kind: "admitted", voter, stale: isStale(proof, now()) };
    },
    forget: (user) => void known.delete(user),
  };
}
