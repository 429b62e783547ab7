// Entries as a block tells of them: of a call or a grant only those details that verification asks for are read.

import type { EntryKind } from "../domain/entry.ts";
import type { Json, JsonObject } from "../domain/json.ts";
import type { Block } from "./blocks.ts";
import { entryKinds, isMalformed, readEntry, type Caller, type Entry, type GatewayStamp } from "./entry.ts";
import { columnOf, detailColumns, rowLength, type ToldDetail } from "./rows.ts";

/** What is asked of the kinds that nearly every line is one of. All others are read whole. */
export const askedDetails: Partial<Record<EntryKind, readonly ToldDetail[]>> = {
  "call.received": ["body", "digest", "preview"],
  "call.decided": ["approval", "body", "code", "decision", "forbid"],
  "call.previewed": ["body"],
  "call.settled": ["ambient", "body", "effect", "grant", "outcome"],
  "call.unknown": ["body"],
  "stream.segment": ["body"],
  "grant.issued": ["body", "grant", "issuer"],
  "grant.revoked": ["body"],
  "grant.swept": ["body"],
};
const columns = entryKinds.map((kind) => askedDetails[kind]?.map((name) => [name, detailColumns[name]] as const));

/**
 * The entry of a line in a block, or null where it holds none. Of calls and grants `details` has those alone that are
 * asked for, and what else the entry says may be looked at as long as the block is there.
 */
export function entryIn({ bytes, rows }: Block, line: number): Entry | null {
  const row = line * rowLength;
  const kind = rows[row + 2] as number;
  const [start, end] = [rows[row] as number, rows[row + 1] as number];
  const details = columns[kind];
  if (details !== undefined)
    return new PartOfEntry(bytes.toString("latin1", start, end), rows, row, entryKinds[kind] as EntryKind, details);
  const read = readEntry(bytes.toString("utf8", start, end));
  return isMalformed(read) ? null : read;
}

class PartOfEntry implements Entry {
  readonly v = 1;
  readonly kind: EntryKind;
  readonly call: string | null;
  readonly sid: string | null;
  readonly sseq: number;
  readonly sprev: string;
  readonly ts: string;
  readonly details: JsonObject;
  readonly #line: string;
  readonly #rows: Int32Array;
  readonly #row: number;

  constructor(
    line: string,
    rows: Int32Array,
    row: number,
    kind: EntryKind,
    told: readonly (readonly [name: ToldDetail, column: number])[],
  ) {
    this.#line = line;
    this.#rows = rows;
    this.#row = row;
    this.kind = kind;
    this.call = textOrNull(line, rows, row, columnOf.call);
    this.sid = textOrNull(line, rows, row, columnOf.sid);
    this.sseq = Number(jsonOf(line, rows, row, columnOf.sseq));
    this.sprev = textOf(line, rows, row, columnOf.sprev);
    this.ts = textOf(line, rows, row, columnOf.ts);
    const details: Record<string, Json> = {};
    for (const [name, column] of told) if (rows[row + column] !== 0) details[name] = valueOf(line, rows, row, column);
    this.details = details;
  }

  get client(): string {
    return textOf(this.#line, this.#rows, this.#row, columnOf.client);
  }
  get principal(): Caller | null {
    return JSON.parse(jsonOf(this.#line, this.#rows, this.#row, columnOf.principal)) as Caller | null;
  }
  get gateway(): GatewayStamp {
    return JSON.parse(jsonOf(this.#line, this.#rows, this.#row, columnOf.gateway)) as GatewayStamp;
  }
}

function jsonOf(line: string, rows: Int32Array, row: number, column: number): string {
  const start = rows[row] as number;
  return line.slice((rows[row + column] as number) - start, (rows[row + column + 1] as number) - start);
}

/** Of a text in which nothing is escaped. */
function textOf(line: string, rows: Int32Array, row: number, column: number): string {
  const start = rows[row] as number;
  return line.slice((rows[row + column] as number) - start + 1, (rows[row + column + 1] as number) - start - 1);
}

function isText(line: string, rows: Int32Array, row: number, column: number): boolean {
  return line.charCodeAt((rows[row + column] as number) - (rows[row] as number)) === 0x22;
}

function textOrNull(line: string, rows: Int32Array, row: number, column: number): string | null {
  return isText(line, rows, row, column) ? textOf(line, rows, row, column) : null;
}

function valueOf(line: string, rows: Int32Array, row: number, column: number): Json {
  if (isText(line, rows, row, column)) return textOf(line, rows, row, column);
  const json = jsonOf(line, rows, row, column);
  if (json === "null") return null;
  return json === "false" ? false : (JSON.parse(json) as Json);
}
