// `sallyport approvals`: the queue of requests, and a person's answer to one.

import { Command } from "commander";
import * as z from "zod";
import { refusals } from "../approval/refusals.ts";
import { requestLine, requestText, shortId } from "../approval/request-text.ts";
import { firstProblem, keptRequest } from "../approval/stored.ts";
import type { KeptRequest } from "../approval/stores/contract.ts";
import type { JsonObject } from "../domain/json.ts";
import { CommandFailed, type Io as WholeIo } from "./io.ts";

/** What these commands touch of the outside. */
export type Io = Pick<WholeIo, "out" | "err" | "colour" | "interactive" | "ask" | "now" | "signal">;

/** The owner process, over its local socket. */
export interface OwnerClient {
  call(method: string, params: JsonObject): Promise<JsonObject>;
}

const reply = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("requests"), requests: z.array(keptRequest), seen: z.string() }),
  z.object({
    kind: z.enum(["request", "approved", "rejected", "revoked", "withdrawn"]),
    request: keptRequest,
  }),
  z.object({ kind: z.literal("recorded"), request: keptRequest, have: z.number(), need: z.number() }),
  z.object({ kind: z.literal("refused"), code: z.string(), state: z.string().nullable() }),
]);
type Reply = z.output<typeof reply>;

/** How long the owner may keep a watcher waiting, in milliseconds. */
const longestWait = 20_000;

interface Options {
  readonly json?: boolean;
  readonly all?: boolean;
  readonly yes?: boolean;
  readonly reason?: string;
  readonly tellAgent?: boolean;
}

/** The command with its sub-commands. Where it can't do what was asked it throws `CommandFailed`. */
export function approvalsCommand(io: Io, owner: OwnerClient): Command {
  const approvals = command("approvals", "see and answer requests for approval");
  const add = (name: string, says: string, run: (id: string, options: Options) => Promise<void>): Command => {
    const added = command(name, says).option("--json", "print the owner process's reply as JSON");
    const takesId = name !== "list" && name !== "watch";
    if (takesId) added.argument("<id>", "the id, or its first or last characters");
    added.action(async (...given: unknown[]) => {
      await run(takesId ? String(given[0]) : "", added.opts<Options>());
    });
    approvals.addCommand(added);
    return added;
  };
  function command(name: string, says: string): Command {
    const made = new Command(name).description(says).exitOverride();
    return made.configureOutput({ writeOut: io.out, writeErr: io.err });
  }
  add("list", "requests that wait for an answer", (_id, options) => list(io, owner, options)).option(
    "--all",
    "those that have ended, too",
  );
  add("show", "one request, whole", (id, options) => show(io, owner, id, options));
  add("approve", "let the call run, at once", (id, options) => approve(io, owner, id, options))
    .option("--reason <text>", "why, for the record")
    .option("--yes", "do not ask again");
  add("reject", "refuse the call; or take an approval back before it runs", (id, options) =>
    answer(io, owner, "reject", id, options),
  )
    .requiredOption("--reason <text>", "why, for the record")
    .option("--tell-agent", "let the agent read the reason");
  add("watch", "requests as they come and end, until interrupted", (_id, options) => watch(io, owner, options));
  add("withdraw", "take your own request back", async (id, options) => {
    say(io, options, await ask(owner, "withdraw", { id }));
  });
  return approvals;
}

async function list(io: Io, owner: OwnerClient, options: Options): Promise<void> {
  const answered = await ask(owner, "list", { all: options.all === true });
  if (options.json === true) return print(io, answered);
  const requests = answered.kind === "requests" ? answered.requests : [];
  if (requests.length === 0) return io.out("Nothing waits for an answer.\n");
  for (const request of requests) io.out(`${painted(io, request)}  ${timeLeft(request, io.now())}`.trimEnd() + "\n");
}

async function show(io: Io, owner: OwnerClient, id: string, options: Options): Promise<void> {
  const request = await find(owner, id);
  if (options.json === true) return print(io, { kind: "request", request });
  io.out(`${requestText(request)}\n`);
}

/** Shows what would be approved, and answers for the id that was shown, whatever else the typed text may match by then. */
async function approve(io: Io, owner: OwnerClient, id: string, options: Options): Promise<void> {
  const request = await find(owner, id);
  if (options.yes !== true) {
    if (!io.interactive) throw new CommandFailed("Nobody is here to ask: add --yes to approve without asking.", 2);
    io.out(`${requestText(request)}\n`);
    const typed = await io.ask(`Approve ${shortId(request.id)}: ${request.card.tool} ${request.card.object}? [y/N] `);
    if (!/^y(es)?$/i.test(typed.trim())) throw new CommandFailed("Not approved; the request still waits.");
  } else if (options.json !== true) {
    io.out(`${requestText(request)}\n`);
  }
  await answer(io, owner, "approve", request.id, options);
}

async function answer(io: Io, owner: OwnerClient, verb: "approve" | "reject", id: string, options: Options) {
  const { reason = "", tellAgent = false } = options;
  say(io, options, await ask(owner, verb, { id, reason, tellAgent }));
}

/** Prints each new request whole and each change as a line. The owner answers when there is something to say. */
async function watch(io: Io, owner: OwnerClient, options: Options): Promise<void> {
  const shown = new Map<string, number>();
  const stopped = new Promise<null>((stop) => io.signal.addEventListener("abort", () => stop(null), { once: true }));
  let seen = "";
  while (!io.signal.aborted) {
    const answered = await Promise.race([ask(owner, "list", { seen, wait: longestWait }), stopped]);
    if (answered?.kind !== "requests") return;
    const open = new Set<string>(answered.requests.map((request) => request.id));
    const ended = await Promise.all([...shown.keys()].filter((id) => !open.has(id)).map((id) => find(owner, id)));
    for (const request of [...ended, ...answered.requests]) {
      const before = shown.get(request.id);
      const stands = request.verdicts.length;
      if (before !== stands || !open.has(request.id)) tell(io, options, request, before === undefined);
      shown.set(request.id, stands);
    }
    for (const { id } of ended) shown.delete(id);
    seen = answered.seen;
  }
}

function tell(io: Io, options: Options, request: KeptRequest, whole: boolean): void {
  if (options.json === true) return print(io, { kind: "request", request });
  io.out(whole ? `${requestText(request)}\n\n` : `${painted(io, request)}\n`);
}

async function find(owner: OwnerClient, id: string): Promise<KeptRequest> {
  const answered = await ask(owner, "show", { id });
  if (answered.kind !== "request") throw new CommandFailed("The owner process did not show the request.");
  return answered.request;
}

/** A refusal ends the command; anything that is no reply at all does, too. */
async function ask(owner: OwnerClient, verb: string, params: JsonObject): Promise<Exclude<Reply, { kind: "refused" }>> {
  const parsed = reply.safeParse(await owner.call(`approvals.${verb}`, params));
  if (!parsed.success)
    throw new CommandFailed(`The owner process answered something else (${firstProblem(parsed.error)}).`);
  if (parsed.data.kind !== "refused") return parsed.data;
  const { code, state } = parsed.data;
  throw new CommandFailed(
    `${(refusals as { readonly [code: string]: string })[code] ?? "Refused."}${state === null ? "" : ` It is ${state}.`}`,
  );
}

function say(io: Io, options: Options, answered: Reply): void {
  if (options.json === true) return print(io, answered);
  if (answered.kind === "requests" || answered.kind === "refused") return;
  const which = `${answered.request.card.tool} ${answered.request.card.object}`;
  const sentences = {
    request: which,
    approved: `Approved: ${which}. The call runs now.`,
    rejected: `Rejected: ${which}. It does not run.`,
    revoked: `Taken back: ${which}. It does not run.`,
    withdrawn: `Withdrawn: ${which}. It does not run.`,
    recorded: `Recorded: ${which}.${answered.kind === "recorded" ? ` ${answered.have} of ${answered.need} so far.` : ""}`,
  };
  io.out(`${sentences[answered.kind]}\n`);
}

const print = (io: Io, value: object): void => io.out(`${JSON.stringify(value)}\n`);

function timeLeft(request: KeptRequest, now: number): string {
  if (request.state !== "pending") return "";
  const minutes = Math.ceil((request.expiresAt - now) / 60_000);
  return minutes <= 0 ? "expires now" : `expires in ${minutes} min`;
}

/** One line, the state in a colour where the terminal shows colours: waiting yellow, yes green, no red. */
function painted(io: Io, request: KeptRequest): string {
  const line = requestLine(request);
  if (!io.colour) return line;
  const colour = request.state === "pending" ? 33 : request.state === "approved" || request.state === "spent" ? 32 : 31;
  return line.replace(` ${request.state} `, ` \u001b[${colour}m${request.state}\u001b[0m `);
}
