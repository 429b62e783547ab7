// `sallyport transcript search`: the entries that answer a query.

import { join } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { readText } from "../transcript/files.ts";
import { kindsOfEntries } from "../transcript/schemas.ts";
import { isLike, type Query } from "../transcript/searchable.ts";
import { stateFolder, type Io as WholeIo } from "./io.ts";
import { recorded, type OnRecord } from "./on-record.ts";
import { inOrder, timeBefore, wholeNumber } from "./times.ts";
import { askedText, jsonLine, listLine, reading, tellPurged } from "./transcript-text.ts";

type Io = Pick<WholeIo, "env" | "out" | "err" | "colour" | "now">;

interface Flags extends Query {
  readonly limit: number;
  readonly count?: boolean;
  readonly reindex?: boolean;
  readonly whole?: boolean;
  readonly json?: boolean;
}

const about = `
A * stands for any characters: --name 'web-*'. All that is given must hold of one entry.

The index beside the segments (transcript/index.sqlite) only says where to look: each entry is read from its segment and
compared before it is printed. It is brought up to date when it is used, and made anew where it is broken or not of these
segments. --count is the index's own count; with --reindex it is made anew before anything is asked of it.
Entries leave the index after transcript.retention.index days (180 unless sallyport.yaml says otherwise). Where a search
would reach further back it says so; with --whole it reads the segments.

Examples:
  $ sallyport transcript search --tool workloads_scale --decision deny --since 7d
  $ sallyport transcript search --namespace shop --name web --outcome completed --effect applied
  $ sallyport transcript search --approver grace --json
  $ sallyport transcript search --kind 'grant.*' --count
  $ sallyport transcript search --principal ada --until 2025-01-01 --whole
`;

/** Slower than this, in milliseconds, and a person wonders. */
const patience = 2000;

export function searchCommand(io: Io, onRecord: OnRecord): Command {
  return withQuery(new Command("search"), io)
    .description("find entries by who, what, where, how it was decided and how it ended")
    .option("--limit <n>", "the newest so many", wholeNumber, 50)
    .option("--count", "print how many there are, and none of them")
    .option("--reindex", "make the index anew from the segments first")
    .option("--whole", "read the segments from the beginning, not the index: also what is past the index's term")
    .option("--json", "print the entries as JSON, one a line, with their index")
    .addHelpText("after", about)
    .action((flags: Flags) => reading(() => search(io, onRecord, flags)));
}

/** The options that say which entries are meant. */
export function withQuery(command: Command, io: Pick<Io, "now">): Command {
  const time = timeBefore(io.now);
  return command
    .option("--principal <subject>", "the caller")
    .option("--agent <subject>", "the software that called for them; where none did, the client program's name")
    .option("--session <id>", "the session")
    .option("--tool <name>", "the tool")
    .option("--kind <kind>", "the kind of entry, such as call.settled or 'approval.*'", oneOf(kinds, "docs/entries.md"))
    .option("--cluster <name>", "the cluster")
    .option("--resource <resource>", "deployments, apps/deployments/scale, or a kind such as Deployment")
    .option("--namespace <name>", "the namespace of an object that the entry names")
    .option("--name <name>", "that object's name")
    .option("--decision <decision>", "allow, require-approval or deny", oneOf(decisions))
    .option("--outcome <outcome>", "completed, failed, refused or unknown", oneOf(outcomes))
    .option("--effect <effect>", "none, applied or unknown", oneOf(effects))
    .option("--rule <id>", "a rule or forbid that took part, or asked for an approval")
    .option("--approver <subject>", "who answered")
    .option("--since <time>", "7d, 12h, 2026-01-31 or 2026-01-31T10:00:00Z", time)
    .option("--until <time>", "the same, and not at or after it", time);
}

const kinds = Object.keys(kindsOfEntries);
const decisions = ["allow", "require-approval", "deny"];
const outcomes = ["completed", "failed", "refused", "unknown"];
const effects = ["none", "applied", "unknown"];

/** One of these words, or a pattern that any of them fits: of a word that no entry can have nothing would ever be found, and nobody would wonder. */
function oneOf(words: readonly string[], listed = words.join(", ")): (text: string) => string {
  return (text) => {
    if (words.some((word) => isLike(word, text))) return text;
    throw new InvalidArgumentError(`No entry can have it; see ${listed}.`);
  };
}

/** The query among a command's options. Throws `CommandFailed` where nothing can lie in its time. */
export function queryOf(flags: Query): Query {
  const { session, principal, agent, tool, kind, cluster, decision, outcome, effect, rule, approver } = flags;
  const { resource, namespace, name, since, until } = flags;
  const asked = { session, principal, agent, tool, kind, cluster, decision, outcome, effect, rule, approver };
  const all = { ...asked, resource, namespace, name, since, until };
  return inOrder(Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)));
}

async function search(io: Io, onRecord: OnRecord, flags: Flags): Promise<void> {
  // The database's own code is loaded only here: no other command waits for it.
  const { countFound, indexReach, searchEntries, searchWhole } = await import("../transcript/search.ts");
  const folder = stateFolder(io.env);
  const query = queryOf(flags);
  const anew = flags.reindex === true;
  const whole = flags.whole === true;
  const from = await indexedFrom(io);
  const noted = (asked: string, count: number): Promise<void> =>
    recorded(io, onRecord("evidence.searched", { what: "transcript search", query: asked, count }));
  const waited = setTimeout(() => io.err("Bringing the search index up to date …\n"), patience);
  try {
    if (flags.count === true) {
      const count = whole ? (await searchWhole(folder, query, 0)).count : await countFound(folder, query, anew, from);
      await noted(`${askedText(query)} --count${whole ? " --whole" : ""}`, count);
      if (whole) await tellPurged(io, folder, query.since);
      else tellReach(io, await indexReach(folder, from), query);
      return io.out(flags.json === true ? `${JSON.stringify({ count })}\n` : `${count}\n`);
    }
    const found: string[] = [];
    const all = whole
      ? (await searchWhole(folder, query, flags.limit)).found
      : searchEntries(folder, { query, limit: flags.limit, anew, from });
    for await (const kept of all) {
      clearTimeout(waited);
      found.push(flags.json === true ? jsonLine(kept) : `${listLine(io, kept)}\n`);
    }
    await noted(`${askedText({ ...query, limit: flags.limit })}${whole ? " --whole" : ""}`, found.length);
    // What was asked for is there: nobody need look further back.
    if (whole) await tellPurged(io, folder, query.since);
    else if (found.length < flags.limit) tellReach(io, await indexReach(folder, from), query);
    for (const line of found) io.out(line);
    if (found.length === 0 && flags.json !== true) io.out("No entries.\n");
  } finally {
    clearTimeout(waited);
  }
}

const day = 86_400_000;
const usualDays = 180;

/** The beginning of the first day whose entries are in the index. A copy of a record has no configuration of its own. */
async function indexedFrom(io: Io): Promise<number> {
  const text = await readText(join(stateFolder(io.env), "sallyport.yaml"));
  const loaded = text === null ? null : (await import("../config/load.ts")).loadConfig(text);
  const days = loaded?.kind === "loaded" ? loaded.config.transcript.retention.index : usualDays;
  return Math.max(0, (Math.floor(io.now() / day) - days) * day);
}

function tellReach(
  io: Io,
  { from, older }: { readonly from: number; readonly older: boolean },
  { since }: Query,
): void {
  if (!older || (since !== undefined && since >= from)) return;
  io.err(
    `The index reaches back to ${new Date(from).toISOString().slice(0, 10)}: older entries are found with --whole, which reads the segments.\n`,
  );
}
