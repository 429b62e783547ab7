// `sallyport transcript stats`: counts over the record.

import { Command } from "commander";
import type { ApprovalCounts, ApprovalFigures } from "../transcript/approval-figures.ts";
import { plainText } from "../transcript/describe.ts";
import { readStats, type Count, type Period, type Stats } from "../transcript/stats.ts";
import { stateFolder, type Io as WholeIo } from "./io.ts";
import type { OnRecord } from "./on-record.ts";
import { spanText, inOrder, timeBefore } from "./times.ts";
import { askedText, reading, tellPurged, viewed } from "./transcript-text.ts";

type Io = Pick<WholeIo, "env" | "out" | "err" | "now">;

export function statsCommand(io: Io, onRecord: OnRecord): Command {
  const time = timeBefore(io.now);
  return new Command("stats")
    .description("count calls, decisions, outcomes, effects, callers, approvals and what was masked")
    .option("--since <time>", "7d, 12h, 2026-01-31 or 2026-01-31T10:00:00Z", time)
    .option("--until <time>", "the same, and not at or after it", time)
    .option("--json", "print the counts as JSON")
    .action((flags: Period & { json?: boolean }) =>
      reading(async () => {
        const { since, until } = inOrder(flags);
        const period = { ...(since === undefined ? {} : { since }), ...(until === undefined ? {} : { until }) };
        const stats = await readStats(stateFolder(io.env), period);
        await tellPurged(io, stateFolder(io.env), since);
        await viewed(io, onRecord, { what: "transcript stats", query: askedText(period), count: stats.entries });
        io.out(flags.json === true ? `${JSON.stringify(stats)}\n` : statsText(stats));
      }),
    );
}

function statsText(stats: Stats): string {
  const { calls, entries, first, last, days, approvals } = stats;
  if (entries === 0) return "No entries.\n";
  const lists: readonly (readonly [title: string, counts: readonly Count[]])[] = [
    ["tools", stats.tools],
    ["decisions", stats.decisions],
    ["outcomes", stats.outcomes],
    ["effects", stats.effects],
    ["principals", stats.principals],
    ["agents", stats.agents],
    ["masked", stats.masked],
  ];
  const perDay = days.map(
    (one) => `  ${one.day}  ${one.calls} calls, ${one.denied} denied, ${one.effects} with an effect`,
  );
  return [
    `${calls} calls in ${entries} entries, ${first} to ${last}`,
    ...lists.flatMap(([title, counts]) => (counts.length === 0 ? [] : ["", title, ...countLines(counts)])),
    ...(perDay.length === 0 ? [] : ["", "days", ...perDay]),
    ...approvalLines(approvals),
    "",
  ].join("\n");
}

const most = 20;

function countLines(counts: readonly Count[]): readonly string[] {
  const width = String(counts[0]?.count ?? 0).length;
  const lines = counts
    .slice(0, most)
    .map(({ name, count }) => `  ${String(count).padStart(width)}  ${name === "" ? "-" : plainText(name)}`);
  return counts.length > most ? [...lines, `  and ${counts.length - most} more (--json has them all)`] : lines;
}

function approvalLines(figures: ApprovalFigures): readonly string[] {
  return figures.asked === 0 ? [] : ["", "approvals", ...figureLines(figures).map((line) => `  ${line}`)];
}

/** The figures of approvals as lines: all requests, each group that rules ask, each person who answered. */
export function figureLines(figures: ApprovalFigures): readonly string[] {
  const groups = figures.byGroup.map((one) => `${plainText(one.group)}: ${countsText(one)}`);
  const people = figures.byApprover.map(
    ({ approver, approved, rejected }) => `${plainText(approver)} answered: ${approved} approved, ${rejected} rejected`,
  );
  return [countsText(figures), ...groups, ...people];
}

function countsText(counts: ApprovalCounts): string {
  const { asked, medianWait, underFiveSeconds } = counts;
  const ends = (["approved", "rejected", "expired", "withdrawn", "stale", "open"] as const).flatMap((end) =>
    counts[end] === 0 ? [] : [`${counts[end]} ${end}`],
  );
  const waits =
    medianWait === null
      ? []
      : [`median wait ${spanText(medianWait)}`, `${Math.round((underFiveSeconds ?? 0) * 100)} % answered within 5 s`];
  return [`${asked} asked`, ...ends, ...waits].join(", ");
}
