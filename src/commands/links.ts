// `sallyport slack links` and `slack unlink`: who is linked to whom, for whoever runs the gateway.

import { Command } from "commander";
import { z } from "zod";
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
const reply = z.object({ links: z.array(link) });
const named = z.strictObject({ user: z.string().regex(/^[UW][A-Z0-9]{2,20}$/, "is none of Slack's user ids") });

/** The owner process's side. Both answer `{links}`: those that count, or those that were ended. */
export function linkMethods(links: Links | null, now: () => number) {
  const all = () => (links === null ? [] : links.all(now()));
  return {
    "links.list": () => Promise.resolve({ links: all().map((one) => ({ ...one })) }),
    "links.remove": async (params: JsonObject) => {
      const asked = named.safeParse(params);
      if (!asked.success) throw new Faulted(fault("invalid_input", { problem: "user: is none of Slack's user ids" }));
      const ended = all().filter(({ user }) => user === asked.data.user);
      for (const { team, user } of ended) await links?.unlink({ team, user }, "by whoever runs the gateway", now());
      return { links: ended.map((one) => ({ ...one })) };
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
      io.out(answered.links.length === 0 ? "Nobody is linked.\n" : answered.links.map(lineOf).join(""));
    }),
  );
  slack.addCommand(
    made("unlink", "end a Slack user's link, at once")
      .argument("<user>", "Slack's id of the user")
      .action(async (user: string, flags: { json?: boolean }) => {
        const answered = await ask("links.remove", { user });
        if (answered.links.length === 0) throw new CommandFailed("No such user is linked: sallyport slack links.");
        if (flags.json === true) return io.out(`${JSON.stringify(answered)}\n`);
        io.out(answered.links.map((one) => `Ended: ${lineOf(one)}`).join(""));
      }),
  );
  return slack;
}

function lineOf({ user, team, issuer, subject, until }: z.output<typeof link>): string {
  const day = new Date(until).toISOString().slice(0, 10);
  return `${user} of ${team} answers as ${neutralise(subject, 200)} of ${neutralise(issuer, 200)} until ${day}\n`;
}
