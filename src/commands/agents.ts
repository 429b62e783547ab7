// `sallyport agents`: the accounts of agents: who answers for each, until when, when somebody looks again, and the switch that ends one at once. Long: its six sub-commands and the shape of their replies.

import { Command } from "commander";
import * as z from "zod";
import type { JsonObject } from "../domain/json.ts";
import { CommandFailed, type Io as WholeIo } from "./io.ts";

/** What these commands touch of the outside. */
export type Io = Pick<WholeIo, "out" | "err" | "now">;

/** The owner process over its local socket, or the state folder itself where none runs. */
export interface OwnerClient {
  call(method: string, params: JsonObject): Promise<JsonObject>;
}

const agent = z.object({
  name: z.string(),
  issuer: z.string(),
  subject: z.string(),
  owner: z.string(),
  purpose: z.string(),
  state: z.string(),
  reviewOverdue: z.boolean(),
  reviewDays: z.number(),
  registered: z.string(),
  expires: z.string(),
  reviewed: z.string(),
  reviewedBy: z.string(),
  reviewBy: z.string(),
  lastUsed: z.string().nullable(),
  disabled: z.object({ at: z.string(), by: z.string(), reason: z.string() }).nullable(),
});
type Agent = z.output<typeof agent>;

const ended = z.object({
  calls: z.array(
    z.object({
      call: z.string(),
      tool: z.string(),
      end: z.string(),
      effect: z.string(),
      grants: z.array(z.object({ grant: z.string(), gone: z.boolean() })),
    }),
  ),
  approvals: z.array(z.object({ approval: z.string(), tool: z.string(), object: z.string() })),
  sessions: z.number(),
  milliseconds: z.number(),
});
type Ended = z.output<typeof ended>;

const reply = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("agents"),
    agents: z.array(agent),
    byConfiguration: z.array(z.object({ issuer: z.string(), subject: z.string() })),
  }),
  z.object({ kind: z.literal("agent"), agent }),
  z.object({ kind: z.literal("changed"), agent, recorded: z.boolean(), ended: ended.optional() }),
  z.object({ kind: z.literal("refused"), code: z.string() }),
]);
type Reply = Exclude<z.output<typeof reply>, { kind: "refused" }>;

const refusals: { readonly [code: string]: string } = {
  not_found: "There is no agent of that name: sallyport agents list shows those there are.",
  name_taken: "There is an agent of that name already.",
  identity_taken: "That identity has an account already: one identity, one account.",
  disabled_already: "It is disabled already; --now ends what it may still run.",
  not_disabled: "It is not disabled, and its expiry is the same.",
  expired: "It has expired: give it another date with --expires.",
};

interface Options {
  readonly json?: boolean;
  readonly due?: boolean;
  readonly issuer?: string;
  readonly subject?: string;
  readonly owner?: string;
  readonly purpose?: string;
  readonly expires?: string;
  readonly reviewDays?: string;
  readonly now?: boolean;
  readonly reason?: string;
  readonly note?: string;
}

const notes = `
An agent that an outside issuer vouches for is refused until it is registered. Only whoever runs the gateway may
change accounts, and every change is an entry of the transcript.

Examples:
  $ sallyport agents register ci --issuer corp --subject ci-bot --owner olga@example.com --purpose "Deploys the shop"
  $ sallyport agents list --due
  $ sallyport agents disable ci --now --reason "token leaked"
`;

/** The command with its sub-commands. Where it can't do what was asked it throws `CommandFailed`. */
export function agentsCommand(io: Io, owner: OwnerClient): Command {
  const command = (name: string, says: string): Command => {
    const made = new Command(name).description(says).exitOverride();
    return made.configureOutput({ writeOut: io.out, writeErr: io.err });
  };
  const agents = command("agents", "register, review and disable agents, and see how each stands");
  agents.addHelpText("after", notes);
  const add = (name: string, says: string, run: (agent: string, options: Options) => Promise<void>): Command => {
    const added = command(name, says).option("--json", "print the reply as JSON");
    if (name !== "list") added.argument("<name>", "the account's name");
    added.action(async (...given: unknown[]) => {
      await run(name === "list" ? "" : String(given[0]), added.opts<Options>());
    });
    agents.addCommand(added);
    return added;
  };
  const until = "when it ends: days (90d), a date (2027-01-31) or a time";
  add("list", "every agent: its account, or that the configuration names it", (_, options) =>
    list(io, owner, options),
  ).option("--due", "only those that somebody has to look at: expired, or not reviewed in time");
  add("show", "one account, whole", (name, options) => show(io, owner, name, options));
  add("register", "give an agent an account", (name, options) => register(io, owner, name, options))
    .requiredOption("--issuer <name>", "who vouches for it: a name of `issuers`, its address, or local")
    .requiredOption("--subject <text>", "who it is there, as entries show it, prefix and all")
    .requiredOption("--owner <person>", "who answers for it")
    .requiredOption("--purpose <text>", "what it is for")
    .option("--expires <when>", `${until} (default: a year from now)`)
    .option("--review-days <number>", "after how many days somebody has to look again");
  add("disable", "refuse it from its next request on", (name, options) => disable(io, owner, name, options))
    .option("--now", "end all that it runs: calls, requests for approval, credentials")
    .option("--reason <text>", "why, for the record");
  add("enable", "let it in again", (name, options) =>
    change(io, options, ask(owner, "enable", { name, ...given(options, "expires") }), "Enabled"),
  ).option("--expires <when>", until);
  add("review", "record that somebody looked and that it is still needed", (name, options) =>
    change(io, options, ask(owner, "review", { name, ...given(options, "note", "expires") }), "Reviewed"),
  )
    .option("--note <text>", "what was found, for the record")
    .option("--expires <when>", until);
  return agents;
}

async function list(io: Io, owner: OwnerClient, options: Options): Promise<void> {
  const answered = await ask(owner, "list", {});
  if (answered.kind !== "agents") return;
  const isDue = (one: Agent): boolean => one.state === "expired" || (one.state !== "disabled" && one.reviewOverdue);
  const due = options.due === true;
  const agents = due ? answered.agents.filter(isDue) : answered.agents;
  const byConfiguration = due ? [] : answered.byConfiguration;
  if (options.json === true) return print(io, { ...answered, agents, byConfiguration });
  if (due && agents.length === 0) return io.out("Nothing is due.\n");
  const rows = agents.map((one) => [
    one.name,
    one.state,
    `${one.subject} of ${one.issuer}`,
    one.owner,
    `expires ${dayOf(one.expires)}`,
    `review ${dayOf(one.reviewBy)}`,
    one.lastUsed === null ? "never used" : `used ${dayOf(one.lastUsed)}`,
  ]);
  for (const line of aligned(rows)) io.out(`${line}\n`);
  for (const { issuer, subject } of byConfiguration)
    io.out(`-  by configuration  ${plain(subject)} of ${plain(issuer)}\n`);
}

async function show(io: Io, owner: OwnerClient, name: string, options: Options): Promise<void> {
  const answered = await ask(owner, "show", { name });
  if (options.json === true) return print(io, answered);
  if (answered.kind !== "agent") return;
  const { agent: one } = answered;
  const lines: readonly (readonly [string, string])[] = [
    ["agent", one.name],
    ["state", one.state],
    ["identity", `${one.subject} of ${one.issuer}`],
    ["owner", one.owner],
    ["purpose", one.purpose],
    ["registered", one.registered],
    ["expires", one.expires],
    ["reviewed", `${one.reviewed} by ${one.reviewedBy}`],
    ["review by", one.reviewBy],
    ["last used", one.lastUsed ?? "never"],
  ];
  for (const [key, value] of lines) io.out(`${key.padEnd(11)} ${plain(value)}\n`);
  const { disabled } = one;
  if (disabled !== null)
    io.out(
      `disabled    ${disabled.at} by ${plain(disabled.by)}${disabled.reason === "" ? "" : `: ${plain(disabled.reason)}`}\n`,
    );
}

async function register(io: Io, owner: OwnerClient, name: string, options: Options): Promise<void> {
  const { issuer = "", subject = "", owner: person = "", purpose = "", reviewDays } = options;
  const days = reviewDays === undefined ? {} : { reviewDays: Number(reviewDays) };
  const asked = { name, issuer, subject, owner: person, purpose, ...days, ...given(options, "expires") };
  await change(io, options, ask(owner, "register", asked), "Registered");
  if (options.expires === undefined && options.json !== true) io.out("That is a year, since --expires said nothing.\n");
}

async function disable(io: Io, owner: OwnerClient, name: string, options: Options): Promise<void> {
  const asked = { name, now: options.now === true, ...given(options, "reason") };
  const answered = await ask(owner, "disable", asked);
  if (answered.kind !== "changed") return;
  if (options.json === true) print(io, answered);
  else {
    io.out(`Disabled: ${answered.agent.name}. Its next request is refused.\n`);
    if (answered.ended !== undefined) for (const line of endedLines(answered.ended)) io.out(`${line}\n`);
  }
  if (!answered.recorded) throw new CommandFailed(notRecorded);
}

/** What was ended is ended; what is missing is the proof of it, and that it lasts beyond a restart. */
const notRecorded =
  "Not all of it could be put on record: what is missing is tried again each minute. Look at the disk, then throw the switch again.";

/** What went with it, a line each. */
function endedLines({ calls, approvals, sessions, milliseconds }: Ended): readonly string[] {
  if (calls.length + approvals.length + sessions === 0) return ["Nothing of it was running."];
  const grants = calls.flatMap((one) => one.grants);
  return [
    `Ended in ${milliseconds} ms: ${counted(calls.length, "call")}, ${counted(approvals.length, "request")} for approval, ${counted(grants.length, "grant")}, ${counted(sessions, "reading token")}.`,
    ...calls.map(({ call, tool, end, effect }) => `  ${tool} ${call}: ${end}, effect ${effect}`),
    ...approvals.map(({ approval, tool, object }) => `  ${tool} ${plain(object)} ${approval}: withdrawn`),
    ...grants.map(({ grant, gone }) => `  grant ${grant}: ${gone ? "revoked" : "not whole: the sweep goes on"}`),
  ];
}

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? "" : "s"}`;

async function change(io: Io, options: Options, asking: Promise<Reply>, done: string): Promise<void> {
  const answered = await asking;
  if (options.json === true) return print(io, answered);
  if (answered.kind !== "changed") return;
  const { name, expires, reviewBy, state } = answered.agent;
  const still = state === "disabled" ? " It stays disabled." : "";
  io.out(`${done}: ${name}. It expires ${dayOf(expires)}; somebody has to look again by ${dayOf(reviewBy)}.${still}\n`);
}

/** A refusal ends the command; anything that is no reply at all does, too. */
async function ask(owner: OwnerClient, verb: string, params: JsonObject): Promise<Reply> {
  const parsed = reply.safeParse(await owner.call(`agents.${verb}`, params));
  if (!parsed.success) throw new CommandFailed("The owner process answered something else.");
  if (parsed.data.kind !== "refused") return parsed.data;
  throw new CommandFailed(refusals[parsed.data.code] ?? "Refused.");
}

function given(options: Options, ...keys: readonly ("expires" | "note" | "reason")[]): JsonObject {
  return Object.fromEntries(keys.flatMap((key) => (options[key] === undefined ? [] : [[key, options[key]]])));
}

/** `2027-01-31`; a date's own end, which is the next day's midnight, is told as that date. */
function dayOf(time: string): string {
  return time.endsWith("T00:00:00.000Z")
    ? new Date(Date.parse(time) - 1).toISOString().slice(0, 10)
    : time.slice(0, 10);
}

/** Columns, two spaces between. */
function aligned(rows: readonly (readonly string[])[]): readonly string[] {
  const shown = rows.map((row) => row.map(plain));
  const widths = (shown[0] ?? []).map((_, at) => Math.max(...shown.map((row) => row[at]?.length ?? 0)));
  return shown.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

/** A subject comes from outside: nothing in it moves the cursor. */
const plain = (text: string): string => text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "?");

const print = (io: Io, value: object): void => io.out(`${JSON.stringify(value)}\n`);
