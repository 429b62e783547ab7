// `sallyport transcript purge`: erases sealed bodies by destroying their keys, and entries past their term, on record.

import { Command, InvalidArgumentError, Option } from "commander";
import { bodyClasses } from "../domain/entry.ts";
import { isJsonObject, textAt, type Json, type JsonObject } from "../domain/json.ts";
import { CommandFailed, type Io } from "./io.ts";
import { askEvidence } from "./on-record.ts";
import { isDay, reasonText } from "./times.ts";
import { reading } from "./transcript-text.ts";

const purgeClasses = [...bodyClasses, "envelopes"] as const;
type PurgeClass = (typeof purgeClasses)[number];

interface Flags {
  readonly before?: string;
  readonly session?: string;
  readonly class?: readonly PurgeClass[];
  readonly due?: boolean;
  readonly why: string;
  readonly yes?: boolean;
}

const help = `
What was sealed under these keys can't be opened by anyone any more. The entry that says so names the keys, and
verification accepts exactly those as gone. Keys of today are in use: they can be destroyed tomorrow. Copies and backups
of transcript/ are yours to destroy.

--due asks for what is past its retention alone (transcript.retention in sallyport.yaml: 400 days for bodies and seven
years for entries, unless it says otherwise). Entries go with --due alone: whole calls that have ended, whose bodies are
gone. The leaf hash of each stays, so that the tree proves all others as before; another entry names them.

What a hold covers stays, and the answer says for which hold (sallyport transcript hold). Of entries each hold keeps all
since its own --since, and one without --since keeps every entry. After a silence of more than
seven days nothing is purged until seven more days are on record: to a clock that was set forward everything is old.

Examples:
  $ sallyport transcript purge --due --why "monthly" --yes
  $ sallyport transcript purge --due --class output diff --why "monthly" --yes
  $ sallyport transcript purge --before 2025-10-01 --why "older than 400 days"
  $ sallyport transcript purge --session ses_0199… --class output --why "asked for by the customer"
`;

export function purgeCommand(io: Io): Command {
  return new Command("purge")
    .exitOverride()
    .configureOutput({ writeOut: io.out, writeErr: io.err })
    .description("destroy what is past its retention, and keys of sealed bodies that are asked for")
    .option("--due", "what is past its retention")
    .option("--before <day>", "keys of days before this one (2026-03-01)", day)
    .option("--session <id>", "keys of this session alone")
    .addOption(new Option("--class <classes...>", "of these classes alone").choices([...purgeClasses]))
    .requiredOption("--why <text>", "why, for the record", reasonText)
    .option("--yes", "do not ask")
    .addHelpText("after", help)
    .action((flags: Flags) => reading(() => purge(io, flags)));
}

async function purge(io: Io, { before = "", session = "", due = false, ...flags }: Flags): Promise<void> {
  const { class: classes, why, yes } = flags;
  if (before === "" && session === "" && !due)
    throw new CommandFailed("Say what: --due, --before a day, or --session an id.", 2);
  const whole = due && before === "" && session === "";
  if (!whole && classes?.includes("envelopes") === true)
    throw new CommandFailed("Entries are purged when they are due alone, and only all of them: --due by itself.", 2);
  if (yes !== true) {
    if (!io.interactive) throw new CommandFailed("This can't be undone: say --yes.", 2);
    const answer = await io.ask("What is destroyed can't be read by anyone afterwards. Destroy it? [y/N] ");
    if (!/^y(es)?$/i.test(answer.trim())) return io.out("Nothing was destroyed.\n");
  }
  const asked = { before, session, classes: [...(classes ?? (whole ? purgeClasses : bodyClasses))], why, due };
  const answered = await askEvidence(io, "evidence.purge", asked);
  if (typeof answered === "string") throw new CommandFailed(answered);
  const { keys } = answered;
  const doubt = textAt(answered, "doubt");
  if (doubt !== "") throw new CommandFailed(doubt);
  const kept = keptIn(answered);
  for (const one of kept) io.out(`${Number(one["keys"])} keys stay: hold ${textAt(one, "hold")} covers them.\n`);
  tellEntries(io, answered["entries"]);
  if (keys !== 0) io.out(`${Number(keys)} keys are destroyed, and an entry names them.\n`);
  else io.out(kept.length === 0 ? noKey : "Nothing was destroyed.\n");
}

const noKey = "There was no such key: keys of today are in use, and stay until tomorrow.\n";

function tellEntries(io: Pick<Io, "out">, entries: Json | undefined): void {
  if (!isJsonObject(entries)) return;
  const { held, entries: count } = entries;
  for (const hold of Array.isArray(held) ? (held as readonly Json[]).filter((one) => typeof one === "string") : [])
    io.out(`Entries past their term stay: hold ${hold} keeps all since its own beginning.\n`);
  if (Number(count) > 0)
    io.out(`${Number(count)} entries are purged: their leaf hashes stand in their place, and an entry names them.\n`);
}

function keptIn({ kept }: JsonObject): readonly JsonObject[] {
  return Array.isArray(kept) ? (kept as readonly Json[]).filter(isJsonObject) : [];
}

function day(text: string): string {
  if (isDay(text)) return text;
  throw new InvalidArgumentError("Give a day such as 2026-03-01.");
}
