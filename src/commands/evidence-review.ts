// `sallyport evidence review`: a person puts on record what of it they reviewed, and what they found.

import { Command } from "commander";
import { coversOf } from "../transcript/holds.ts";
import { readScope } from "../transcript/scope.ts";
import type { Query } from "../transcript/searchable.ts";
import { CommandFailed, stateFolder, type Io } from "./io.ts";
import type { OnRecord } from "./on-record.ts";
import { queryOf, withQuery } from "./transcript-search.ts";
import { askedText, reading, tellPurged } from "./transcript-text.ts";

interface Flags extends Query {
  readonly findings: string;
  readonly json?: boolean;
}

const about = `
The entry (review.completed) has your name, what you reviewed, how many entries that were, what you found, and the size
and root of the tree that they were counted in. Look first: sallyport transcript search takes the same options, and
transcript replay tells a session. The findings are masked like everything else; where you found nothing, say none.
A review needs the role of an auditor or an operator, or the state folder itself.

Examples:
  $ sallyport evidence review --since 2026-11-01 --until 2026-12-01 --findings none
  $ sallyport evidence review --session ses_0199… --findings "scaled web twice without a ticket: asked ada"
  $ sallyport evidence review --decision deny --since 7d --findings "one agent tries secrets: its account is closed"
`;

/** The longest findings, in characters: what is longer has its own place, and is named here. */
const longest = 2000;

/** `onRecord` leaves the entry. Throws `CommandFailed`: 1 where it could not be left, 2 for a review of nothing or without findings. */
export function reviewCommand(io: Io, onRecord: OnRecord): Command {
  return withQuery(new Command("review"), io)
    .description("put on record that you reviewed entries, and what you found")
    .requiredOption("--findings <text>", 'what you found, 3 to 2000 characters; "none" where it was nothing')
    .option("--json", "print what was put on record as JSON")
    .addHelpText("after", about)
    .action((flags: Flags) => reading(() => review(io, onRecord, flags)));
}

async function review(io: Io, onRecord: OnRecord, { findings: words, json, ...flags }: Flags): Promise<void> {
  const query = queryOf(flags);
  const findings = words.trim();
  if (Object.keys(query).length === 0)
    throw new CommandFailed("Say what you reviewed, such as --since and --until, or --session.", 2);
  if (findings.length < 3 || findings.length > longest)
    throw new CommandFailed(
      `Say in 3 to ${longest} characters what you found, and none where it was nothing; longer findings are named by where they are kept.`,
      2,
    );
  const folder = stateFolder(io.env);
  const { entries, size, root } = await readScope(folder, query);
  await tellPurged(io, folder, query.since);
  if (entries === 0)
    throw new CommandFailed(
      `No entry answers ${askedText({ ...query })}: a review of nothing is none. sallyport transcript search with the same options shows what there is.`,
      2,
    );
  const scope = coversOf(query);
  const why = await onRecord("review.completed", { scope, findings, entries, size, root });
  if (why !== "") throw new CommandFailed(`The review is not on record: ${why}`);
  if (json === true) return io.out(`${JSON.stringify({ scope, entries, size, root })}\n`);
  io.out(
    `Your review of ${entries} ${entries === 1 ? "entry" : "entries"} is on record. Tree of ${size}, root ${root}\n`,
  );
}
