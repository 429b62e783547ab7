// `sallyport calls`: the calls that run on after their caller was answered, and how their owner stops one.

import { Command } from "commander";
import * as z from "zod";
import type { JsonObject } from "../domain/json.ts";
import { CommandFailed, type Io as WholeIo } from "./io.ts";

/** What these commands touch of the outside. */
export type Io = Pick<WholeIo, "out" | "err" | "now">;

/** The owner process, over its local socket. */
export interface OwnerClient {
  call(method: string, params: JsonObject): Promise<JsonObject>;
}

const liveCall = z.object({
  call: z.string(),
  id: z.string(),
  tool: z.string(),
  requester: z.string(),
  agent: z.string(),
  since: z.number(),
  progress: z.string(),
});
type LiveCall = z.output<typeof liveCall>;

const reply = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("calls"), calls: z.array(liveCall) }),
  z.object({ kind: z.literal("cancelled"), call: liveCall }),
  z.object({ kind: z.literal("refused"), code: z.string() }),
]);
type Reply = Exclude<z.output<typeof reply>, { kind: "refused" }>;

const refusals: { readonly [code: string]: string } = {
  not_found: "No such call runs now: sallyport calls list shows those that do.",
  ambiguous: "Several calls match: type more of the id.",
};

interface Options {
  readonly json?: boolean;
}

/** The command with its sub-commands. Where it can't do what was asked it throws `CommandFailed`. */
export function callsCommand(io: Io, owner: OwnerClient): Command {
  const calls = command("calls", "see and cancel calls that run on, such as drains");
  calls.addHelpText(
    "after",
    "\nOnly whoever runs the gateway may: what an agent's or an approver's token says does not count here.\n",
  );
  function command(name: string, says: string): Command {
    const made = new Command(name).description(says).exitOverride();
    return made.configureOutput({ writeOut: io.out, writeErr: io.err });
  }
  const list = command("list", "long calls that run now").option("--json", "print the owner process's reply as JSON");
  list.action(async () => {
    const answered = await ask(owner, "list", {});
    if (list.opts<Options>().json === true) return print(io, answered);
    const running = answered.kind === "calls" ? answered.calls : [];
    if (running.length === 0) return io.out("No long call runs now.\n");
    for (const one of running) io.out(`${lineOf(one, io.now())}\n`);
  });
  const cancel = command("cancel", "stop one: what it has done stays, and is on record")
    .argument("<id>", "the id, or its first or last characters")
    .option("--json", "print the owner process's reply as JSON");
  cancel.action(async (id: string) => {
    const answered = await ask(owner, "cancel", { id });
    if (cancel.opts<Options>().json === true) return print(io, answered);
    if (answered.kind === "cancelled")
      io.out(
        `Cancelled: ${answered.call.tool} ${answered.call.call}. What it has done stays; the transcript says what.\n`,
      );
  });
  calls.addCommand(list).addCommand(cancel);
  return calls;
}

/** A refusal ends the command; anything that is no reply at all does, too. */
async function ask(owner: OwnerClient, verb: string, params: JsonObject): Promise<Reply> {
  const parsed = reply.safeParse(await owner.call(`calls.${verb}`, params));
  if (!parsed.success) throw new CommandFailed("The owner process answered something else.");
  if (parsed.data.kind !== "refused") return parsed.data;
  throw new CommandFailed(refusals[parsed.data.code] ?? "Refused.");
}

/** `call_…  nodes_drain  72 s  agent  Node worker-1: evicted 3 of 7, …` */
function lineOf({ call, tool, agent, since, progress }: LiveCall, now: number): string {
  return `${call}  ${tool}  ${Math.max(0, Math.round((now - since) / 1000))} s  ${agent}  ${progress}`;
}

const print = (io: Io, value: object): void => io.out(`${JSON.stringify(value)}\n`);
