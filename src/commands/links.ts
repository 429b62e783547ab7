// `sallyport slack links` and `slack unlink`: who is linked to whom, for whoever runs the gateway.

import { Command } from "commander";
import * as z from "zod";
import type { Links } from "../approval/links.ts";
import { neutralise } from "../approval/neutral.ts";
import { fault, Faulted } from "../domain/fault.ts";
import type { JsonObject } from "../domain/json.ts";
import { CommandFailed, type Io as WholeIo } from "./io.ts";

type Io = Pick<WholeIo, "out" | "err">;

/** The owner process, over its local socket. */
export interface OwnerClient {
  call(method: string, params: JsonObject): Promise<JsonObject>;
}

const link = z.object({
  team: z.string(),
  user: z.string(),
  issuer: z.string(),
  subject: z.string(),
  since: z.number(),
  until: z.number(),
});
/** `provedAt`: the account's last sign-in, in milliseconds since 1970. */
const standing = link.extend({ provedAt: z.number() });
const reply = z.object({ links: z.array(standing), waiting: z.array(link) });
const named = z.strictObject({ user: z.string().regex(/^[UW][A-Z0-9]{2,20}$/, "is none of Slack's user ids") });

/** The owner process's side. Both answer `{links, waiting}`: those that count and those that wait for their confirmation, or those of them that were ended. */
export function linkMethods(links: Links | null, now: () => number) {
  const standing = () => {
    const known = { links: links?.all(now()) ?? [], waiting: links?.proposals(now()) ?? [] };
    return {
      links: known.links.map(({ team, user, issuer, subject, since, until, proof }) => {
        return { team, user, issuer, subject, since, until, provedAt: proof.at };
      }),
      // Not the button's hash, nor where it stands: who may list links may press none.
      waiting: known.waiting.map(({ team, user, issuer, subject, since, until }) => {
        return { team, user, issuer, subject, since, until };
      }),
    };
  };
  return {
    "links.list": () => Promise.resolve(standing()),
    "links.remove": async (params: JsonObject) => {
      const asked = named.safeParse(params);
      if (!asked.success) throw new Faulted(fault("invalid_input", { problem: "user: is none of Slack's user ids" }));
      const theirs = ({ user }: { readonly user: string }): boolean => user === asked.data.user;
      const before = standing();
      const ended = { links: before.links.filter(theirs), waiting: before.waiting.filter(theirs) };
      for (const { team, user } of [...ended.links, ...ended.waiting])
        await links?.unlink({ team, user }, "by whoever runs the gateway", now());
      return ended;
    },
  };
}

/** Adds both to `sallyport slack`. */
export function addLinks(slack: Command, io: Io, owner: OwnerClient): Command {
  const json = ["--json", "print the owner process's reply as JSON"] as const;
  const made = (name: string, says: string): Command =>
    new Command(name)
      .description(says)
      .option(...json)
      .exitOverride()
      .configureOutput({ writeOut: io.out, writeErr: io.err });
  const ask = async (method: string, params: JsonObject) => reply.parse(await owner.call(method, params));
  slack.addCommand(
    made("links", "which Slack user answers as whom, and until when").action(async (flags: { json?: boolean }) => {
      const answered = await ask("links.list", {});
      if (flags.json === true) return io.out(`${JSON.stringify(answered)}\n`);
      const lines = [...answered.links.map(lineOf), ...answered.waiting.map(waitingLine)];
      io.out(lines.length === 0 ? "Nobody is linked.\n" : lines.join(""));
    }),
  );
  slack.addCommand(
    made("unlink", "end a Slack user's link, at once")
      .argument("<user>", "Slack's id of the user")
      .action(async (user: string, flags: { json?: boolean }) => {
        const answered = await ask("links.remove", { user });
        const ended = [...answered.links.map(lineOf), ...answered.waiting.map(waitingLine)];
        if (ended.length === 0) throw new CommandFailed("No such user is linked: sallyport slack links.");
        if (flags.json === true) return io.out(`${JSON.stringify(answered)}\n`);
        io.out(ended.map((one) => `Ended: ${one}`).join(""));
      }),
  );
  return slack;
}

const namesOf = ({ user, team, issuer, subject }: z.output<typeof link>): readonly [string, string] => [
  `${user} of ${team}`,
  `${neutralise(subject, 200)} of ${neutralise(issuer, 200)}`,
];
const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10);
const minuteOf = (at: number): string => `${new Date(at).toISOString().slice(0, 16).replace("T", " ")} UTC`;

function lineOf(one: z.output<typeof standing>): string {
  const [user, account] = namesOf(one);
  return `${user} answers as ${account} until ${dayOf(one.until)}, signed in last ${minuteOf(one.provedAt)}\n`;
}

function waitingLine(one: z.output<typeof link>): string {
  const [user, account] = namesOf(one);
  return `${user} waits to confirm in Slack that it is ${account}, until ${minuteOf(one.until)}\n`;
}
