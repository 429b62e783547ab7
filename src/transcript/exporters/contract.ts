// What every exporter does: entries of the record in, another tool's words out. Pure: where they go is another's business.

import type { Entry } from "../entry.ts";

/** An entry with its place: what a receiver can dedupe by (`index`) and compare with the tree (`leaf`). */
export interface Exported {
  /** 0-based position in the tree. */
  readonly index: number;
  /** The leaf hash, hex. */
  readonly leaf: string;
  readonly entry: Entry;
}

/** What is exported, for formats that say so. */
export interface ExportAbout {
  /** The program's version. */
  readonly version: string;
  /** RFC 3339, when it was made. */
  readonly at: string;
  /** What was asked for, in the command's own words; "" for everything. */
  readonly query: string;
  /** The newest signed head: how many entries it counts, and its root in base64. */
  readonly size: number;
  readonly root: string;
}

export interface Exporter {
  /** What stands before the first record, newline included; "" for nothing. */
  head(about: ExportAbout): string;
  /** One entry as one record, newline included. The same entry gives the same record. */
  record(one: Exported): string;
  /** What stands behind the last record of a file that is whole. */
  tail(about: ExportAbout, records: number): string;
}
