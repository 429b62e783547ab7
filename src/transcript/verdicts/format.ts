// FORMAT: every line is the one canonical text of an entry that this version knows.

import { isUtf8 } from "node:buffer";
import { isCanonical } from "../canonical.ts";
import { isMalformed, largestEntry, readEntry, type Entry } from "../entry.ts";
import { openScanner } from "../scan.ts";
import { collectFindings, type EntryPlace, type Verdict } from "../verdict.ts";

export interface FormatCheck {
  /** The entry in `buffer[start, end)`; null where nothing can be read, which is a finding. */
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
  return {
    read(buffer, start, end, at) {
      entries++;
      const plain = scan(buffer, start, end);
      if (plain !== null) return plain;
      const line = buffer.subarray(start, end);
      if (line.length > largestEntry) findings.add(`is longer than ${largestEntry} bytes`, at);
      if (!isUtf8(line)) findings.add("is not UTF-8", at);
      const text = line.toString("utf8");
      const entry = readEntry(text);
      if (isMalformed(entry)) {
        findings.add(entry.problem, at);
        return null;
      }
      if (!isCanonical(text, entry)) findings.add("is not canonical JSON", at);
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
