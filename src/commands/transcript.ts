// `sallyport transcript`: list, show and verify the record, straight from its files.

import { Command } from "commander";
import { detailLines, plainText, type Mood } from "../transcript/describe.ts";
import { findEntries, lastEntries, type Wanted } from "../transcript/read.ts";
import { readPurgedPast } from "../transcript/purged-past.ts";
import type { Verdict } from "../transcript/verdict.ts";
import { isBundle } from "../transcript/bundle/look.ts";
import { verifyBundle } from "../transcript/bundle/verify.ts";
import { inThreads, ownThreads } from "../transcript/threads.ts";
import { verifyTranscript, type Report } from "../transcript/verify.ts";
import { CommandFailed, stateFolder, type Io as WholeIo } from "./io.ts";
import { recorded, type OnRecord } from "./on-record.ts";
import { bodiesKey } from "./bodies-key.ts";
import { givenVkey } from "./given-files.ts";
import { anchorSays, givenAnchors, severalTimes } from "./given-anchors.ts";
import { wholeNumber } from "./times.ts";
import { checkProofCommand, proveCommand } from "./transcript-proofs.ts";
import { reconcileCommand } from "./transcript-reconcile.ts";
import type { HandOut } from "./transcript-bundle.ts";
import { exportCommand } from "./transcript-export.ts";
import { replayCommand } from "./transcript-replay.ts";
import { searchCommand } from "./transcript-search.ts";
import { statsCommand } from "./transcript-stats.ts";
import { askedText, jsonLine, listLine, paint, reading, tellPurged, viewed } from "./transcript-text.ts";

/** What these commands touch of the outside. */
export type Io = Pick<WholeIo, "env" | "out" | "err" | "colour" | "now" | "cores" | "shipped" | "version">;

interface ListFlags {
  readonly limit: number;
  readonly session?: string;
  readonly call?: string;
  readonly json?: boolean;
}

interface VerifyFlags {
  readonly anchor: readonly string[];
  readonly key?: string;
  readonly bodiesKey?: string;
  readonly json?: boolean;
}

const examples = `
Examples:
  $ sallyport transcript list --limit 20
  $ sallyport transcript list --session ses_0199… --json
  $ sallyport transcript show 17                    the call that entry 17 belongs to
  $ sallyport transcript show call_0199…
  $ sallyport transcript search --tool workloads_scale --decision deny --since 7d
  $ sallyport transcript replay ses_0199…           a session as it happened
  $ sallyport transcript stats --since 30d
  $ sallyport transcript verify                     the state folder, while the gateway runs
  $ sallyport transcript verify ./bundle --key ./log.vkey
  $ sallyport transcript verify ./copy --anchor ./checkpoint-kept-elsewhere --key ./log.vkey

The files are read directly: no gateway need run. Where one runs, each reading is on record before anything is printed;
where none does, nothing of the record is written, and standard error says so. search keeps an index beside it.
`;

/** The command with its sub-commands. Throws `CommandFailed`: 1 where there is nothing to read, 3 where verification failed. */
export function transcriptCommand(io: Io, onRecord: OnRecord, handOut?: HandOut): Command {
  const transcript = new Command("transcript")
    .description("Read and verify the record of what agents did.")
    .addHelpText("after", examples);
  transcript
    .command("list")
    .description("print entries, newest last, a line each")
    .option("--limit <n>", "how many, counted from the newest", wholeNumber, 50)
    .option("--session <id>", "only this session's")
    .option("--call <id>", "only this call's")
    .option("--json", "print the entries as JSON, one a line, with their index")
    .action((flags: ListFlags) => reading(() => list(io, onRecord, flags)));
  transcript
    .command("show")
    .description("print everything about a call or an approval")
    .argument("<id>", "a call's id, an approval's, or the number of an entry")
    .option("--json", "print the entries as JSON, one a line, with their index")
    .action((id: string, flags: { json?: boolean }) => reading(() => show(io, onRecord, id, flags.json === true)));
  transcript
    .command("verify")
    .description("check offline that nothing was changed, dropped, reordered or cut; exit code 3 when something was")
    .argument("[path]", "a state folder, a copy of its transcript folder or a bundle (default: the state folder)")
    .option("--anchor <path>", anchorSays, severalTimes, [])
    .option("--key <file>", "the verifier key that you hold (log.vkey), instead of the one among the files")
    .option("--bodies-key <file>", "keys/bodies.key or an auditor's secret: opens the sealed bodies to check them too")
    .option("--json", "print the report as JSON")
    .action((path: string | undefined, flags: VerifyFlags) => reading(() => verify(io, onRecord, path, flags)));
  for (const command of [reconcileCommand(io, onRecord), proveCommand(io, onRecord), checkProofCommand(io)])
    transcript.addCommand(command);
  for (const command of [
    searchCommand(io, onRecord),
    replayCommand(io, onRecord),
    statsCommand(io, onRecord),
    exportCommand(io, onRecord, handOut),
  ])
    transcript.addCommand(command);
  for (const sub of transcript.commands) sub.exitOverride().configureOutput({ writeOut: io.out, writeErr: io.err });
  return transcript;
}

async function list(io: Io, onRecord: OnRecord, flags: ListFlags): Promise<void> {
  const { limit, session, call, json } = flags;
  const wanted: Wanted = { ...(session === undefined ? {} : { session }), ...(call === undefined ? {} : { call }) };
  const entries = await lastEntries(stateFolder(io.env), limit, wanted);
  await viewed(io, onRecord, {
    what: "transcript list",
    query: askedText({ ...wanted, limit }),
    count: entries.length,
  });
  // Fewer than were asked for: what there was before them may be gone.
  if (entries.length < limit) await tellPurged(io, stateFolder(io.env));
  if (json === true) return entries.forEach((kept) => io.out(jsonLine(kept)));
  if (entries.length === 0) io.out("No entries.\n");
  for (const kept of entries) io.out(`${listLine(io, kept)}\n`);
}

async function show(io: Io, onRecord: OnRecord, id: string, json: boolean): Promise<void> {
  const entries = await findEntries(stateFolder(io.env), id);
  await viewed(io, onRecord, { what: "transcript show", query: plainText(id), count: entries.length });
  if (entries.length === 0) {
    const past = await readPurgedPast(stateFolder(io.env));
    if (past?.has(Number(id)) === true)
      throw new CommandFailed(
        `Entry ${Number(id)} was purged: its leaf hash alone stands there; entry ${past.told} tells of the newest purge.`,
      );
    await tellPurged(io, stateFolder(io.env));
    throw new CommandFailed(`There is no entry about ${plainText(id)}.`);
  }
  if (json) return entries.forEach((kept) => io.out(jsonLine(kept)));
  for (const kept of entries) {
    io.out(`${listLine(io, kept)}\n`);
    for (const line of detailLines(kept)) io.out(`        ${line}\n`);
    io.out("\n");
  }
}

async function verify(io: Io, onRecord: OnRecord, path: string | undefined, flags: VerifyFlags): Promise<void> {
  const folder = path ?? stateFolder(io.env);
  const opener = flags.bodiesKey === undefined ? null : await bodiesKey(flags.bodiesKey);
  const anchors = await givenAnchors(io, flags.anchor);
  const options = {
    now: io.now(),
    ...(flags.key === undefined ? {} : { vkey: await givenVkey(flags.key) }),
  };
  const report = (await isBundle(folder))
    ? await verifyBundle(folder, {
        ...options,
        anchors,
        ...(opener === null ? {} : { opener }),
      })
    : await verifyTranscript(folder, {
        ...options,
        anchors,
        readBy: inThreads(ownThreads(io.cores)),
        ...(opener === null ? {} : { unwrap: opener.unwrap }),
      });
  // A copy is nobody's record but its own.
  if (path === undefined) await recorded(io, onRecord("evidence.verified", verifiedEntry(report)));
  io.out(flags.json === true ? `${JSON.stringify(report)}\n` : reportText(io, report));
  if (!report.ok) throw new CommandFailed("The transcript does not verify.", 3);
}

function verifiedEntry({ entries, root, ok, verdicts }: Report) {
  const answers = Object.fromEntries(verdicts.map(({ question, verdict: answer }) => [question, answer]));
  return { what: "transcript verify", entries, root, ok, verdicts: answers };
}

function reportText(io: Io, report: Report): string {
  const lines = report.verdicts.flatMap(({ question, verdict, says, places }) => [
    `${question.padEnd(13)} ${paint(io, moods[verdict], verdict.padEnd(11))}  ${says}`,
    ...places.map((place) => `${" ".repeat(27)}${plainText(place)}`),
  ]);
  const { entries, sessions, open, root } = report;
  const head = `${entries} entries in ${sessions} sessions, ${open} calls without an end yet. Root ${root}`;
  return [...lines, head, ""].join("\n");
}

const moods: { readonly [verdict in Verdict["verdict"]]: Mood } = { ok: "good", failed: "bad", "not-checked": "open" };
