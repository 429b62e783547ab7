// `sallyport evidence report`: what the record shows for controls in a period, for whoever audits.

import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { mkdir, rename, stat, writeFile } from "node:fs/promises";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { collect, type Collected, type CollectOptions, type Period, type Row } from "../evidence/collect.ts";
import { reportFormatNames, reportFormats, type ReportFormat } from "../evidence/formats/index.ts";
import { isQuestion, loadMapping, type Mapping } from "../evidence/mapping.ts";
import { isShown, reportOf, warning } from "../evidence/report.ts";
import { csv } from "../transcript/exporters/csv.ts";
import { inThreads, ownThreads } from "../transcript/threads.ts";
import { verifyTranscript, type Report as Verification } from "../transcript/verify.ts";
import { given, givenVkey } from "./given-files.ts";
import { anchorSays, givenAnchors, severalTimes } from "./given-anchors.ts";
import { CommandFailed, stateFolder, type Io } from "./io.ts";
import { admitted, type OnRecord } from "./on-record.ts";
import { reading } from "./transcript-text.ts";
import { reviewCommand } from "./evidence-review.ts";

interface Flags {
  readonly period: Period;
  readonly controls: readonly string[];
  readonly format: ReportFormat;
  readonly out?: string;
  readonly seed: string;
  readonly anchor: readonly string[];
  readonly key?: string;
  readonly mapping?: string;
}

const about = `
A report on the state folder's own transcript leaves an entry, which is not in that report. The transcript is verified first, and the report says how that went; where it does not verify the report says so at its
top and the exit code is 3. The same entries and options give the same bytes, but for a log that has grown: then its size
and root are others, and those of the period's end are not.

md     a page for people
csv    a line for each piece of evidence, RFC 4180
oscal  assessment results of OSCAL 1.2.1, as JSON

With a folder as --out the rows themselves stand beside the report, a file a query (rows/QUERY.ndjson), each line as the
log has it: sha256sum gives the digest of the report. With csv also as rows/QUERY.csv.

Examples:
  $ sallyport evidence report --period 2026-10-01/2026-11-01
  $ sallyport evidence report --period 2026-10-01/2026-11-01 --controls AC-2,AU-12 --format csv --out october.csv
  $ sallyport evidence report --period 2026-07-01/2026-10-01 --format oscal --out ./q3/ --seed "the auditor's own words"
  $ sallyport evidence report ./copy --period 2026-10-01/2026-11-01 --anchor ./checkpoint --key ./log.vkey
`;

/** `onRecord` leaves an entry about each report on the state folder's own transcript. Throws `CommandFailed`: 1 where there is nothing to read, 2 for a wrong question, 3 where the transcript does not verify. */
export function evidenceCommand(io: Io, onRecord: OnRecord): Command {
  const evidence = new Command("evidence").description(
    "Report what the record shows for controls of NIST SP 800-53, and put reviews on record.",
  );
  evidence
    .command("report")
    .description("run the queries of controls over a period, and say what no gateway can evidence")
    .argument("[path]", "a state folder or a copy of its transcript folder (default: the state folder)")
    .addOption(
      new Option("--period <from/to>", "two dates or times (UTC), the second not included: 2026-10-01/2026-11-01")
        .argParser(periodOf)
        .makeOptionMandatory(),
    )
    .option("--controls <ids>", "these controls alone, for example AC-2,AU-9(3)", controlsOf, [])
    .addOption(new Option("--format <format>", "the format").choices(reportFormatNames).default("md"))
    .option("--out <path>", "a file, or a folder for the report with its rows (default: standard output)")
    .option("--seed <text>", "what samples are drawn by: a text that only the auditor knew before", "")
    .option("--anchor <path>", anchorSays, severalTimes, [])
    .option("--key <file>", "the verifier key that you hold (log.vkey), instead of the one among the files")
    .option("--mapping <file>", "another mapping of controls than docs/controls.yaml, in the same form")
    .addHelpText("after", about)
    .action((path: string | undefined, flags: Flags) => reading(() => run(io, onRecord, path, flags)));
  evidence.addCommand(reviewCommand(io, onRecord));
  for (const sub of evidence.commands) sub.exitOverride().configureOutput({ writeOut: io.out, writeErr: io.err });
  return evidence;
}

async function run(io: Io, onRecord: OnRecord, path: string | undefined, flags: Flags): Promise<void> {
  const { period, controls: wanted, format, seed } = flags;
  if (path === undefined) await admitted(io);
  const mapping = await mappingOf(io, flags.mapping);
  const queries = queriesOf(mapping, wanted);
  const folder = path ?? stateFolder(io.env);
  const verification = await verifyTranscript(folder, {
    now: io.now(),
    anchors: await givenAnchors(io, flags.anchor),
    readBy: inThreads(ownThreads(io.cores)),
    ...(flags.key === undefined ? {} : { vkey: await givenVkey(flags.key) }),
  });
  const out = await targetOf(flags.out);
  const writer = out.kind === "folder" ? rowsIn(out.path, Object.keys(queries), format === "csv") : null;
  const collected = await read(folder, verification, {
    period,
    queries,
    size: verification.entries,
    seed,
    ...(writer === null ? {} : { onRow: writer.onRow }),
  }).finally(() => writer?.close());
  const { version } = io;
  const command = commandOf(flags);
  const report = reportOf({ version, period, mapping, wanted, seed, command, verification, collected });
  if (format === "oscal" && !report.controls.some(isShown))
    throw new CommandFailed("None of these controls is shown by entries yet: OSCAL has nothing to say of them.", 2);
  const { file, text } = reportFormats[format];
  const written = text(report, { rowsFile: (name) => (writer === null ? null : `rows/${name}.ndjson`) });
  if (path === undefined) {
    const count = Object.values(collected.rows).reduce((sum, { count: rows }) => sum + rows, 0);
    const to = out.kind === "output" ? "standard output" : out.path;
    const why = await onRecord("evidence.exported", { what: "evidence report", to, query: command, count, why: "" });
    if (why !== "") io.err(`No entry tells of this report: ${why}\n`);
  }
  if (out.kind === "output") io.out(written);
  else await writeWhole(io, out.kind === "folder" ? join(out.path, file) : out.path, written);
  const warned = warning(report);
  if (warned !== null) throw new CommandFailed(warned, 3);
}

async function read(folder: string, verification: Verification, options: CollectOptions): Promise<Collected> {
  const collected = await collect(folder, options);
  if (collected.root !== verification.root)
    throw new CommandFailed("The segments changed while they were read; sallyport transcript verify says more.", 3);
  return collected;
}

/** The queries of the wanted controls. Throws `CommandFailed` for a control that the mapping does not have. */
function queriesOf(mapping: Mapping, wanted: readonly string[]): Mapping["queries"] {
  const known = mapping.controls.map(({ id }) => id);
  const unknown = wanted.filter((id) => !known.includes(id));
  if (unknown.length > 0)
    throw new CommandFailed(`The mapping has no control ${unknown.join(", ")}. It has ${known.join(", ")}.`, 2);
  const used = mapping.controls
    .filter(({ id }) => wanted.length === 0 || wanted.includes(id))
    .flatMap(({ evidence }) => evidence.filter((name) => !isQuestion(name)));
  return Object.fromEntries(Object.entries(mapping.queries).filter(([name]) => used.includes(name)));
}

async function mappingOf(io: Io, path: string | undefined): Promise<Mapping> {
  const file = path ?? join(io.shipped, "..", "docs", "controls.yaml");
  const loaded = loadMapping(await given(file));
  if (loaded.kind === "loaded") return loaded.mapping;
  throw new CommandFailed(loaded.problems.map((problem) => `${file}: ${problem}`).join("\n"), 3);
}

/** The line that gives the same report again, wherever the files lie. */
function commandOf({ period, controls, format, seed, anchor, key, mapping }: Flags): string {
  const file = (option: string, given: string | undefined): readonly string[] =>
    given === undefined ? [] : [`${option} FILE`];
  const time = (at: number): string => new Date(at).toISOString().replace("T00:00:00.000Z", "");
  const quoted = (text: string): string =>
    /^[\w.,:/@-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
  return [
    `sallyport evidence report --period ${time(period.from)}/${time(period.to)}`,
    ...(controls.length === 0 ? [] : [`--controls ${quoted(controls.join(","))}`]),
    `--format ${format}`,
    ...(seed === "" ? [] : [`--seed ${quoted(seed)}`]),
    ...anchor.flatMap((one) => file("--anchor", one)),
    ...file("--key", key),
    ...file("--mapping", mapping),
  ].join(" ");
}

type Target =
  | { readonly kind: "output" }
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "folder"; readonly path: string };

async function targetOf(out: string | undefined): Promise<Target> {
  if (out === undefined) return { kind: "output" };
  const [found] = await Promise.allSettled([stat(out)]);
  const folder = found.status === "fulfilled" ? found.value.isDirectory() : out.endsWith("/");
  if (folder) await mkdir(join(out, "rows"), { recursive: true, mode: 0o700 });
  return { kind: folder ? "folder" : "file", path: out };
}

const newline = Buffer.of(0x0a);

/** A file a query; each is there even where the query has no rows. */
function rowsIn(folder: string, queries: readonly string[], table: boolean) {
  mkdirSync(join(folder, "rows"), { recursive: true, mode: 0o700 });
  const open = (name: string, ending: string): number =>
    openSync(join(folder, "rows", `${name}.${ending}`), "w", 0o600);
  const files = new Map(queries.map((name) => [name, open(name, "ndjson")]));
  const tables = new Map(table ? queries.map((name) => [name, open(name, "csv")]) : []);
  for (const file of tables.values()) writeSync(file, csv.head({ version: "", at: "", query: "", size: 0, root: "" }));
  const onRow = (name: string, line: Buffer, row: Row): void => {
    const file = files.get(name);
    if (file !== undefined) writeSync(file, Buffer.concat([line, newline]));
    const sheet = tables.get(name);
    if (sheet !== undefined) writeSync(sheet, csv.record(row));
  };
  const close = (): void => {
    for (const file of [...files.values(), ...tables.values()]) closeSync(file);
  };
  return { onRow, close };
}

/** Writes beside the file and puts it in place at the end: a report that is there is whole. */
async function writeWhole(io: Io, path: string, text: string): Promise<void> {
  await writeFile(`${path}.part`, text, { mode: 0o600 });
  await rename(`${path}.part`, path);
  io.err(`${path}, SHA-256 ${createHash("sha256").update(text).digest("hex")}\n`);
}

function periodOf(text: string): Period {
  const moment = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?Z)?$/;
  const [from = "", to = "", more] = text.split("/");
  const period = { from: Date.parse(from), to: Date.parse(to) };
  if (more !== undefined || !moment.test(from) || !moment.test(to) || !(period.from < period.to))
    throw new InvalidArgumentError("Give two dates or UTC times in their order, such as 2026-10-01/2026-11-01.");
  return period;
}

function controlsOf(text: string): readonly string[] {
  return text
    .split(",")
    .map((id) => id.trim().toUpperCase())
    .filter((id) => id !== "");
}
