// EXTENT: nothing was cut off. Only a head kept elsewhere can show that of the end.

import type { Head } from "../tree.ts";
import { collectFindings, type Verdict } from "../verdict.ts";

export interface Extent {
  readonly size: number;
  /** The head in `checkpoint`, the newest in `checkpoints.log` and the one that the auditor kept. */
  readonly checkpoint: Head | null;
  readonly logged: Head | null;
  readonly anchor: Head | null;
  /** An anchor was given, be it one or not. */
  readonly anchored: boolean;
  /** The name of the first segment that is missing, or null. */
  readonly missing: string | null;
}

export function judgeExtent({ size, checkpoint, logged, anchor, anchored, missing }: Extent): Verdict {
  const findings = collectFindings();
  const here = `${size} ${size === 1 ? "is" : "are"} here`;
  if (missing !== null) findings.add(`segments/${missing} is missing`);
  if (checkpoint === null) findings.add("there is no checkpoint that the key signed");
  else if (checkpoint.size > size) findings.add(`the checkpoint counts ${checkpoint.size} entries, ${here}`);
  if (logged !== null && logged.size > (checkpoint?.size ?? 0))
    findings.add(
      `the checkpoint counts ${checkpoint?.size ?? 0} entries, an earlier one in checkpoints.log ${logged.size}`,
    );
  if (logged !== null && logged.size > size) findings.add(`checkpoints.log counts ${logged.size} entries, ${here}`);
  if (anchor !== null && anchor.size > size) findings.add(`your anchor counts ${anchor.size} entries, ${here}`);
  if (anchored && anchor === null)
    findings.add("your anchor is not signed by this key: nothing can be said of the end");
  const verdict = findings.verdict(
    "EXTENT",
    `Nothing is missing up to the ${anchor?.size ?? 0} entries of your anchor.`,
    () => "Entries are missing, or can't be shown to be all there.",
  );
  if (verdict.verdict === "failed" || anchor !== null) return verdict;
  const says = "Nothing contradicts it; only a checkpoint that you keep elsewhere shows that the end was not cut.";
  return { ...verdict, verdict: "not-checked", says };
}
