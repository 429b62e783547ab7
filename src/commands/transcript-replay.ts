// `sallyport transcript replay`: a session as a timeline, and what another policy would have answered.

import { Command, Option } from "commander";
import type { Simulated } from "../policy/recorded.ts";
import { canonical } from "../transcript/canonical.ts";
import { plainText, type Mood } from "../transcript/describe.ts";
import { readReplay, type Replay, type ReplayedApproval, type ReplayedCall } from "../transcript/replay.ts";
import { CommandFailed, stateFolder, type Io as WholeIo } from "./io.ts";
import type { OnRecord } from "./on-record.ts";
import { spanText } from "./times.ts";
import { printAsciicast } from "./transcript-asciicast.ts";
import { listLine, paint, reading, tellPurged, viewed } from "./transcript-text.ts";

type Io = Pick<WholeIo, "env" | "out" | "err" | "colour" | "shipped">;

const about = `
Each bar stands for a call's own time: "." until it was decided, "~" while it waited for a person, "#" while it ran.

Examples:
  $ sallyport transcript replay ses_0199…
  $ sallyport transcript replay ses_0199… --policy ./stricter.yaml
  $ sallyport transcript replay ses_0199… --asciicast call_0199… > command.cast
  $ sallyport transcript replay ses_0199… --json
`;

export function replayCommand(io: Io, onRecord: OnRecord): Command {
  return new Command("replay")
    .description("print a session as it happened: asked, decided, agreed, run, masked, and where the time went")
    .argument("<session>", "the session's id")
    .option("--policy <file...>", "decide each call again under these policy files, or a profile that ships")
    .addOption(
      new Option(
        "--asciicast <call>",
        "print what this call's command printed, in its time, as an asciicast v2 recording",
      ).conflicts(["policy", "json"]),
    )
    .option("--bodies-key <file>", "asciicast: keys/bodies.key of the gateway, or an auditor's secret")
    .option("--json", "print the replay as JSON")
    .addHelpText("after", about)
    .action((session: string, flags: Flags) =>
      reading(async () => {
        const replay = await readReplay(stateFolder(io.env), session);
        const what = "transcript replay";
        await viewed(io, onRecord, { what, query: plainText(session), count: replay?.entries ?? 0 });
        // The calls of a session that went on for so long can have gone before it.
        await tellPurged(io, stateFolder(io.env), replay === null ? undefined : Date.parse(replay.first));
        if (replay === null) throw new CommandFailed(`There is no entry of ${plainText(session)}.`);
        if (flags.asciicast !== undefined) {
          const { asciicast, bodiesKey } = flags;
          return await printAsciicast(io, onRecord, replay, { asciicast, ...(bodiesKey && { bodiesKey }) });
        }
        const again = flags.policy === undefined ? null : await underPolicy(io, session, flags.policy);
        if (flags.json !== true) return io.out(replayText(io, replay, again));
        const calls = replay.calls.map((call) => ({ ...call, again: again?.get(call.call) ?? null }));
        io.out(`${JSON.stringify(again === null ? replay : { ...replay, calls })}\n`);
      }),
    );
}

interface Flags {
  readonly policy?: string[];
  readonly asciicast?: string;
  readonly bodiesKey?: string;
  readonly json?: boolean;
}

/** Policy's own code is loaded only here. */
async function underPolicy(io: Io, session: string, files: readonly string[]): Promise<ReadonlyMap<string, Simulated>> {
  const { decideAgain } = await import("./transcript-again.ts");
  return await decideAgain(io, session, files);
}

function replayText(io: Io, replay: Replay, again: ReadonlyMap<string, Simulated> | null): string {
  const { session, door, client, principal, first, last, entries, calls, besides } = replay;
  const who = principal === null ? [] : [[principal.sub, ...principal.act.map(({ sub }) => sub)].join(" via ")];
  const longest = Math.max(0, ...calls.map(({ lag }) => lag.deciding + lag.waiting + lag.running));
  const head = [
    plainText([`Session ${session}`, door, client, ...who].filter((part) => part !== "").join("  ")),
    `${first} to ${last}: ${calls.length} calls, ${entries} entries`,
  ];
  const told = calls.flatMap((call) => ["", ...callLines(io, call, first, longest, again)]);
  const rest = besides.length === 0 ? [] : ["", ...besides.map((kept) => listLine(io, kept))];
  return [...head, ...told, ...rest, ""].join("\n");
}

const moods: { readonly [outcome: string]: Mood } = { completed: "good", open: "open" };

function callLines(
  io: Io,
  call: ReplayedCall,
  first: string,
  longest: number,
  again: ReadonlyMap<string, Simulated> | null,
): readonly string[] {
  const { lag, outcome, effect, code, tool, cluster, preview } = call;
  const whole = lag.deciding + lag.waiting + lag.running;
  const ended = paint(io, moods[outcome] ?? "bad", [outcome, code].filter((part) => part !== "").join(" "));
  const left = effect === "none" ? "" : `, effect ${effect}`;
  const what = `${tool}${preview ? " (preview)" : ""}${cluster === "" ? "" : ` in ${cluster}`}`;
  const after = `+${spanText(Date.parse(call.at) - Date.parse(first))}`;
  return [
    `${after.padEnd(12)}${plainText(what)}  ${ended}${left}`,
    row("", `${bar(lag, longest)} ${lagText(call)} of ${spanText(whole)}`),
    row(
      "asked",
      `${call.arguments === null ? "-" : canonical(call.arguments)}${call.reason === null ? "" : `  because: ${call.reason}`}`,
    ),
    ...call.decisions.map(({ effect: decided, rules, forbid, code: why, accesses }) =>
      row(
        "decided",
        [decided, by(forbid === null ? rules : [forbid]), why, accesses.slice(0, 3).join(", ")]
          .filter((part) => part !== "")
          .join("  "),
      ),
    ),
    ...call.diff.map((line, number) => row(number === 0 ? "preview" : "", line)),
    ...call.approvals.flatMap(approvalLines),
    ...call.grants.map(({ account, issuer, accesses, expires, ended: end }) =>
      row("grant", `${account || issuer}  ${accesses.join(", ")}  until ${expires}, ${end}`),
    ),
    ...call.objects.map((object) => row("changed", object)),
    ...call.masked.map(({ type, count, places }) =>
      row("masked", `${count} ${type}${places.length === 0 ? "" : ` in ${places.join(", ")}`}`),
    ),
    ...streamLines(call),
    ...againLines(io, call, again),
    row("", `${call.call}, entries ${call.entries[0]} to ${call.entries.at(-1)}`),
  ];
}

const row = (title: string, text: string): string => `${" ".repeat(12)}${title.padEnd(10)}${plainText(text)}`;
const by = (rules: readonly string[]): string => (rules.length === 0 ? "" : `by ${rules.join(", ")}`);

function approvalLines({ asked, answers, ended, changed, id }: ReplayedApproval): readonly string[] {
  const said = answers.map(({ answer, by: who, channel, assurance, reason, after }) =>
    row(
      "answered",
      `${answer} by ${who} (${channel}, ${assurance}) after ${spanText(after)}${reason === "" ? "" : `: ${reason}`}`,
    ),
  );
  const last =
    ended === "spent" || ended === "rejected" ? [] : [row("", `${ended}${changed === "" ? "" : `: ${changed}`}`)];
  return [row("waited", `${id} for ${asked.join(", ")}`), ...said, ...last];
}

function againLines(io: Io, call: ReplayedCall, again: ReadonlyMap<string, Simulated> | null): readonly string[] {
  if (again === null) return [];
  const answer = again.get(call.call);
  if (answer === undefined) return [row("again", "it was refused before any policy was asked")];
  if (answer.kind === "can't tell") return [row("again", `can't tell: not on record: ${answer.why}`)];
  const { before, after, rules } = answer;
  const text = before === after ? `${after} as before` : `${before} -> ${after}`;
  const line = row("again", `${text}  ${by(rules)}`);
  return [answer.kind === "changed" ? paint(io, "open", line) : line];
}

/** Each segment where it lies in the time from the command's beginning to its last word. */
function streamLines({ streams }: ReplayedCall): readonly string[] {
  const longest = Math.max(1, ...streams.map(({ to }) => to));
  const place = (time: number): number => Math.min(barWidth - 1, Math.floor((time / longest) * barWidth));
  return streams.map(({ stream, from, to, bytes, masked, body }) => {
    const sign = "#".repeat(place(to) - place(from) + 1);
    const lag = `|${(" ".repeat(place(from)) + sign).padEnd(barWidth)}|`;
    const hidden = masked.map(({ type, count }) => `, ${count} ${type} masked`).join("");
    const when = `+${spanText(from)} to +${spanText(to)}`;
    return row(stream, `${lag} ${when}, ${bytes} bytes${hidden}${body === null ? ", text not kept" : ""}`);
  });
}

const barWidth = 30;

/** Each stretch of time gets its share of the longest call's bar, and at least one sign where it took any. */
function bar({ deciding, waiting, running }: ReplayedCall["lag"], longest: number): string {
  const signs = (time: number, sign: string): string =>
    time <= 0 ? "" : sign.repeat(Math.max(1, Math.round((time / Math.max(1, longest)) * barWidth)));
  return `|${(signs(deciding, ".") + signs(waiting, "~") + signs(running, "#")).slice(0, barWidth + 2).padEnd(barWidth)}|`;
}

function lagText({ lag: { deciding, waiting, running } }: ReplayedCall): string {
  const parts = [
    ["deciding", deciding],
    ["waiting", waiting],
    ["running", running],
  ] as const;
  const told = parts.flatMap(([what, time]) => (time > 0 ? [`${what} ${spanText(time)}`] : []));
  return told.length === 0 ? "0 ms" : told.join(", ");
}
