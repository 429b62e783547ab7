// `sallyport approvals stats`: how requests ended, how long people took, and whether they still read what they approve, group by group.

import { Command } from "commander";
import { readStats, type Period } from "../transcript/stats.ts";
import { stateFolder, type Io as WholeIo } from "./io.ts";
import type { OnRecord } from "./on-record.ts";
import { inOrder, timeBefore } from "./times.ts";
import { figureLines } from "./transcript-stats.ts";
import { askedText, reading, viewed } from "./transcript-text.ts";

type Io = Pick<WholeIo, "env" | "out" | "err" | "now">;

/** Counts from the record, not from the store: the store forgets what has ended, the record does not. */
export function approvalStatsCommand(io: Io, onRecord: OnRecord): Command {
  const time = timeBefore(io.now);
  return new Command("stats")
    .description("count requests, how they ended and how long people took, by group and approver")
    .option("--since <time>", "7d, 12h, 2026-01-31 or 2026-01-31T10:00:00Z", time)
    .option("--until <time>", "the same, and not at or after it", time)
    .option("--json", "print the counts as JSON")
    .exitOverride()
    .configureOutput({ writeOut: io.out, writeErr: io.err })
    .action((flags: Period & { json?: boolean }) =>
      reading(async () => {
        const { since, until } = inOrder(flags);
        const period = { ...(since === undefined ? {} : { since }), ...(until === undefined ? {} : { until }) };
        const { approvals } = await readStats(stateFolder(io.env), period);
        await viewed(io, onRecord, { what: "approvals stats", query: askedText(period), count: approvals.asked });
        if (flags.json === true) return io.out(`${JSON.stringify(approvals)}\n`);
        io.out(approvals.asked === 0 ? "No request for approval.\n" : `${figureLines(approvals).join("\n")}\n`);
      }),
    );
}
