// Reads any line, and says all that is wrong with its form: what the finder of rows can't tell is read here.

import { isUtf8 } from "node:buffer";
import { isCanonical } from "./canonical.ts";
import { isMalformed, largestEntry, readEntry, type Entry } from "./entry.ts";

export interface Thorough {
  /** null where the line holds none. */
  readonly entry: Entry | null;
  /** A phrase each; none where the line is an entry's one canonical text. */
  readonly problems: readonly string[];
}

export function readThoroughly(line: Buffer): Thorough {
  const problems: string[] = [];
  if (line.length > largestEntry) problems.push(`is longer than ${largestEntry} bytes`);
  if (!isUtf8(line)) problems.push("is not UTF-8");
  const text = line.toString("utf8");
  const entry = readEntry(text);
  if (isMalformed(entry)) return { entry: null, problems: [...problems, entry.problem] };
  if (!isCanonical(text, entry)) problems.push("is not canonical JSON");
  return { entry, problems };
}
