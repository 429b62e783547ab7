// FORMAT: every line is the one canonical text of an entry that this version knows.

import type { Entry } from "../entry.ts";
import { openScanner } from "../scan.ts";
import { readThoroughly } from "../thorough.ts";
import { collectFindings, type EntryPlace, type Verdict } from "../verdict.ts";

export interface FormatCheck {
  /** Takes the next line by what is wrong with its form. */
  take(problems: readonly string[], at: EntryPlace): void;
  /** Reads a line: the entry in `buffer[start, end)`; null where nothing can be read, which is a finding. */
  read(buffer: Buffer, start: number, end: number, at: EntryPlace): Entry | null;
  /** Bytes that stand after the last newline of a segment. */
  unfinished(segment: string, bytes: number, last: boolean): void;
  verdict(): Verdict;
}

export function checkFormat(): FormatCheck {
  const findings = collectFindings();
  const scan = openScanner();
  let entries = 0;
  let tail = "";
  function take(problems: readonly string[], at: EntryPlace): void {
    entries++;
    for (const problem of problems) findings.add(problem, at);
  }
  return {
    take,
    read(buffer, start, end, at) {
      const plain = scan(buffer, start, end);
      const { entry, problems } =
        plain === null ? readThoroughly(buffer.subarray(start, end)) : { entry: plain, problems: [] };
      take(problems, at);
      return entry;
    },
    unfinished(segment, bytes, last) {
      if (!last) findings.add(`${segment} ends in the middle of a line, and more segments follow`);
      else
        tail = ` ${bytes} bytes after the last entry are not one yet: a gateway is writing, or stopped while it wrote.`;
    },
    verdict: () =>
      findings.verdict(
        "FORMAT",
        `${entries} entries, each in its one canonical form.${tail}`,
        (count) => `${count} ${count === 1 ? "line is" : "lines are"} not what an entry must look like.`,
      ),
  };
}
