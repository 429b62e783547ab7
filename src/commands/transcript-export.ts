// `sallyport transcript export`: the record in the words of another tool, to a file or standard output.

import { createHash } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { Command, Option } from "commander";
import { exportEntries } from "../transcript/export.ts";
import { formats, type Format } from "../transcript/exporters/index.ts";
import type { Query } from "../transcript/searchable.ts";
import { CommandFailed, stateFolder, type Io as WholeIo } from "./io.ts";
import { queryOf, withQuery } from "./transcript-search.ts";
import { reading } from "./transcript-text.ts";

type Io = Pick<WholeIo, "env" | "out" | "err" | "now" | "version">;

interface Flags extends Query {
  readonly format: Format;
  readonly out?: string;
}

const about = `
ocsf  one event of the Open Cybersecurity Schema Framework 1.8 a line, as JSON
csv   RFC 4180, always the same columns, safe to open in a spreadsheet
cef   Common Event Format, one event a line, as syslog receivers take it
html  a report that opens and prints in any browser

The same options always give the same records. With --out the file is put in place when it is whole, and a line on
standard error tells its entries and its SHA-256.

Examples:
  $ sallyport transcript export --format csv --since 2026-01-01 --until 2026-04-01 --out quarter.csv
  $ sallyport transcript export --format ocsf --decision deny > denied.ndjson
`;

export function exportCommand(io: Io): Command {
  return withQuery(new Command("export"), io)
    .description("write the record, or a part of it, as OCSF, CSV, CEF or HTML")
    .addOption(new Option("--format <format>", "the format").choices(formats).makeOptionMandatory())
    .option("--out <file>", "the file to write (default: standard output)")
    .addHelpText("after", about)
    .action((flags: Flags) => reading(() => run(io, flags)));
}

async function run(io: Io, flags: Flags): Promise<void> {
  const { format, out } = flags;
  const query = queryOf(flags);
  const pieces = exportEntries(stateFolder(io.env), {
    format,
    query,
    asked: askedText(query),
    version: io.version,
    now: io.now(),
  });
  if (out === undefined) {
    for await (const { text } of pieces) io.out(text);
    return;
  }
  const { entries, digest } = await writing(out, pieces);
  io.err(`${entries} entries to ${out}, SHA-256 ${digest}\n`);
}

/** The query as the command line would ask it again, times written out. */
function askedText(query: Query): string {
  const time = (at: number): string => new Date(at).toISOString();
  return Object.entries(query)
    .map(([name, value]) => `--${name} ${typeof value === "number" ? time(value) : quoted(value)}`)
    .join(" ");
}

const quoted = (text: string): string =>
  /^[\w.:/@-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;

/** Writes beside the file and puts it in place at the end: a file that is there is whole. */
async function writing(
  path: string,
  pieces: AsyncIterable<{ readonly text: string; readonly entries: number }>,
): Promise<{ readonly entries: number; readonly digest: string }> {
  const fresh = `${path}.part`;
  const digest = createHash("sha256");
  let entries = 0;
  try {
    const file = await open(fresh, "w", 0o600);
    try {
      for await (const { text, entries: more } of pieces) {
        await file.write(text);
        digest.update(text);
        entries += more;
      }
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(fresh, path);
  } catch (thrown) {
    await rm(fresh, { force: true });
    if (thrown instanceof Error && "syscall" in thrown)
      throw new CommandFailed(`${path} can't be written (${String("code" in thrown ? thrown.code : "unknown")}).`, 2);
    throw thrown;
  }
  return { entries, digest: digest.digest("hex") };
}
