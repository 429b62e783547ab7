// `sallyport transcript export`: the record in the words of another tool, to a file or standard output.

import { createHash } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { Command, Option } from "commander";
import { countExported, exportEntries } from "../transcript/export.ts";
import { formats, type Format } from "../transcript/exporters/index.ts";
import { bodyClasses } from "../domain/entry.ts";
import type { Query } from "../transcript/searchable.ts";
import { CommandFailed, stateFolder, type Io as WholeIo } from "./io.ts";
import { recorded, type OnRecord } from "./on-record.ts";
import { severalTimes } from "./given-anchors.ts";
import type { BundleFlags, HandOut } from "./transcript-bundle.ts";
import { queryOf, withQuery } from "./transcript-search.ts";
import { askedText, reading, tellPurged } from "./transcript-text.ts";

type Io = Pick<WholeIo, "env" | "out" | "err" | "now" | "version">;

interface Flags extends Query, BundleFlags {
  readonly format?: Format;
  readonly out?: string;
}

const about = `
ocsf  one event of the Open Cybersecurity Schema Framework 1.8 a line, as JSON
csv   RFC 4180, always the same columns, safe to open in a spreadsheet
cef   Common Event Format, one event a line, as syslog receivers take it
html  a report that opens and prints in any browser

bundle  a folder of entries with their proofs, signed heads, policies, and bodies if asked for: evidence that an auditor
        checks offline with one file, sallyport transcript verify or other programs; on record before it is there

The same options always give the same records. With --out the file is put in place when it is whole, and a line on
standard error tells its entries and its SHA-256.

Examples:
  $ sallyport transcript export --format csv --since 2026-01-01 --until 2026-04-01 --out quarter.csv
  $ sallyport transcript export --format ocsf --decision deny > denied.ndjson
  $ sallyport transcript export --bundle ./for-audit --session ses_0199… --why "audit of March"
  $ sallyport transcript export --bundle ./for-audit --since 2026-01-01 --until 2026-04-01 --bodies output --recipient sallyport-auditor:… --why "audit of Q1"
`;

/** Where nothing can write the record, nothing that must be on it is handed out. */
const nobody: HandOut = async () =>
  await Promise.reject(new CommandFailed("Nothing here can write the record: no bundle is handed out."));

/** `handOut` makes bundles. */
export function exportCommand(io: Io, onRecord: OnRecord, handOut: HandOut = nobody): Command {
  return withQuery(new Command("export"), io)
    .description("write the record, or a part of it, as OCSF, CSV, CEF or HTML, or as a bundle with its proofs")
    .addOption(new Option("--format <format>", "the format").choices(formats))
    .option("--out <file>", "the file to write (default: standard output)")
    .option("--bundle <folder>", "make a bundle there instead; the folder must not be there yet")
    .option("--whole-calls", "bundle: with all entries of the calls that an answering entry belongs to")
    .addOption(
      new Option("--bodies <classes...>", "bundle: sealed bodies of these classes too").choices([
        "none",
        "all",
        ...bodyClasses,
      ]),
    )
    .option("--recipient <line>", "bundle: what auditor-key printed; the bodies open with that key alone")
    .option("--anchor <path>", "bundle: checkpoints that the auditor keeps; shown to be continued", severalTimes)
    .option("--why <text>", "bundle: why, for the record")
    .addHelpText("after", about)
    .action((flags: Flags) => reading(() => run(io, flags, onRecord, handOut)));
}

async function run(io: Io, flags: Flags, onRecord: OnRecord, handOut: HandOut): Promise<void> {
  const { format, out, bundle } = flags;
  const query = queryOf(flags);
  if (bundle !== undefined) {
    if (format !== undefined || out !== undefined)
      throw new CommandFailed("--bundle has neither --format nor --out.", 2);
    return await handOut(flags, query, askedText(query));
  }
  if (format === undefined) throw new CommandFailed("Say --format, or --bundle.", 2);
  const folder = stateFolder(io.env);
  const asked = askedText(query);
  const { count, until } = await countExported(folder, query);
  const told = { what: `export as ${format}`, to: out ?? "standard output", query: asked, count, why: "" };
  await recorded(io, onRecord("evidence.exported", told));
  await tellPurged(io, folder, query.since);
  // What the export itself left on record is not in it.
  const pieces = exportEntries(folder, { format, query, asked, version: io.version, now: io.now(), until });
  if (out === undefined) {
    for await (const { text } of pieces) io.out(text);
    return;
  }
  const { entries, digest } = await writing(out, pieces);
  io.err(`${entries} entries to ${out}, SHA-256 ${digest}\n`);
}

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
