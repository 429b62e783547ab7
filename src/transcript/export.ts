// One export: the entries that answer a query, in a format, as text in pieces.

import { exporters, type Format } from "./exporters/index.ts";
import { beginning, feed, signedHead } from "./feed.ts";
import { answers, searchableOf, type Query } from "./searchable.ts";

export interface ExportOptions {
  readonly format: Format;
  readonly query: Query;
  /** The query in the command's own words, for formats that say it. */
  readonly asked: string;
  readonly version: string;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Only entries before this index; absent: all that are there. */
  readonly until?: number;
}

/** Bytes of lines that are read at once. */
const atOnce = 1 << 20;

/** How many entries an export would have, and the index after the last one that it looked at. */
export async function countExported(
  folder: string,
  query: Query,
): Promise<{ readonly count: number; readonly until: number }> {
  let count = 0;
  for (let cursor = beginning; ;) {
    const { entries, next } = await feed(folder, cursor, atOnce);
    if (next.index === cursor.index) return { count, until: cursor.index };
    cursor = next;
    count += entries.filter(({ entry }) => answers(query, searchableOf(entry))).length;
  }
}

/** The export's text in pieces, and how many entries each brings. Faults as `feed`. */
export async function* exportEntries(
  folder: string,
  { format, query, asked, version, now, until = Infinity }: ExportOptions,
): AsyncGenerator<{ readonly text: string; readonly entries: number }> {
  const exporter = exporters[format];
  const about = { version, at: new Date(now).toISOString(), query: asked, ...(await signedHead(folder)) };
  yield { text: exporter.head(about), entries: 0 };
  let count = 0;
  for (let cursor = beginning; ;) {
    const { entries, next } = await feed(folder, cursor, atOnce, until);
    if (next.index === cursor.index) break;
    cursor = next;
    const wanted = entries.filter(({ entry }) => answers(query, searchableOf(entry)));
    count += wanted.length;
    yield { text: wanted.map((one) => exporter.record(one)).join(""), entries: wanted.length };
  }
  yield { text: exporter.tail(about, count), entries: 0 };
}
