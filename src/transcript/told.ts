// Entries as a block tells of them: of a call or a grant only those details that verification asks for are read.

import type { EntryKind } from "../domain/entry.ts";
import type { Json, JsonObject } from "../domain/json.ts";
import type { Block } from "./blocks.ts";
import { entryKinds, isMalformed, readEntry, type Caller, type Entry, type GatewayStamp } from "./entry.ts";
import { columnOf, detailColumns, rowLength, type ToldDetail } from "./rows.ts";
import { openTexts, type ReadText } from "./texts.ts";

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
const asked = entryKinds.map((kind) => askedDetails[kind]?.map((name) => ({ name, column: detailColumns[name] })));
type Asked = NonNullable<(typeof asked)[number]>;

/**
 * The entry of a line in a block, or null where it holds none. Of calls and grants `details` has those alone that are
 * asked for, and what else the entry says may be looked at as long as the block is there.
 */
export type Tell = (block: Block, line: number) => Entry | null;

/** Tells of blocks; its entries share what line after line repeats. */
export function openTeller(): Tell {
  const text = openTexts();
  const lastOfKind: (PartOfEntry | undefined)[] = Array.from({ length: entryKinds.length });
  let last: PartOfEntry | undefined;
  let within: Block | null = null;
  return (block, line) => {
    const { bytes, rows } = block;
    const row = line * rowLength;
    const kind = rows[row + 2] as number;
    const parts = asked[kind];
    if (parts === undefined) {
      const read = readEntry(bytes.toString("utf8", rows[row], rows[row + 1]));
      return isMalformed(read) ? null : read;
    }
    if (block !== within) {
      // Places are those of one block.
      within = block;
      last = undefined;
      lastOfKind.fill(undefined);
    }
    const like = lastOfKind[kind];
    const isLike = like !== undefined && like.sharesAll(row, parts);
    const details = isLike ? like.details : detailsIn(block, row, parts, text);
    last = new PartOfEntry(block, row, entryKinds[kind] as EntryKind, details, text, last);
    lastOfKind[kind] = last;
    return last;
  };
}

function detailsIn({ bytes, rows }: Block, row: number, parts: Asked, text: ReadText): JsonObject {
  const details: Record<string, Json> = {};
  for (const { name, column } of parts) {
    const at = row + column;
    if (rows[at] !== 0) details[name] = valueIn(bytes, rows, at, text);
  }
  return details;
}

/** Is this the leaf hash, 32 bytes from `from` on, of the entry that this one links to? */
export function linksTo(entry: Entry, leaves: Buffer, from: number): boolean {
  if (entry instanceof PartOfEntry) return entry.linksTo(leaves, from);
  return entry.sprev === leaves.toString("hex", from, from + 32);
}

class PartOfEntry implements Entry {
  readonly v = 1;
  readonly kind: EntryKind;
  readonly call: string | null;
  readonly sid: string | null;
  readonly sseq: number;
  readonly ts: string;
  readonly details: JsonObject;
  readonly #block: Block;
  readonly #row: number;

  /** `before` is an entry of the same block. */
  constructor(
    block: Block,
    row: number,
    kind: EntryKind,
    details: JsonObject,
    text: ReadText,
    before: PartOfEntry | undefined,
  ) {
    const { bytes, rows } = block;
    this.#block = block;
    this.#row = row;
    this.kind = kind;
    this.details = details;
    this.sseq = numberIn(bytes, rows, row + columnOf.sseq);
    this.call = before?.shares(row, columnOf.call) ? before.call : textOrNullIn(bytes, rows, row + columnOf.call, text);
    this.sid = before?.shares(row, columnOf.sid) ? before.sid : textOrNullIn(bytes, rows, row + columnOf.sid, text);
    this.ts = before?.shares(row, columnOf.ts) ? before.ts : textIn(bytes, rows, row + columnOf.ts, text);
  }

  /** Does another row of the block tell this by the same place? Then it is the same. */
  shares(row: number, column: number): boolean {
    const { rows } = this.#block;
    return rows[row + column] === rows[this.#row + column];
  }

  /** The same of each of them. */
  sharesAll(row: number, parts: Asked): boolean {
    for (let part = 0; part < parts.length; part++)
      if (!this.shares(row, (parts[part] as Asked[number]).column)) return false;
    return true;
  }

  get sprev(): string {
    return this.#json(columnOf.sprev).slice(1, -1);
  }
  get client(): string {
    return this.#json(columnOf.client).slice(1, -1);
  }
  get principal(): Caller | null {
    return JSON.parse(this.#json(columnOf.principal)) as Caller | null;
  }
  get gateway(): GatewayStamp {
    return JSON.parse(this.#json(columnOf.gateway)) as GatewayStamp;
  }

  /** See `linksTo`. Compared without making texts of either. */
  linksTo(leaves: Buffer, from: number): boolean {
    const { bytes, rows } = this.#block;
    const at = this.#row + columnOf.sprev;
    const start = (rows[at] as number) + 1;
    if (rows[at + 1] !== start + 65) return false;
    for (let byte = 0; byte < 32; byte++) {
      const [high, low] = [bytes[start + 2 * byte] as number, bytes[start + 2 * byte + 1] as number];
      if (((hexDigits[high] as number) << 4) + (hexDigits[low] as number) !== leaves[from + byte]) return false;
    }
    return true;
  }

  #json(column: number): string {
    const { bytes, rows } = this.#block;
    const at = this.#row + column;
    return bytes.toString("latin1", rows[at], rows[at + 1]);
  }
}

/** What a small hexadecimal digit stands for; of any other byte so much that no byte is it. */
const hexDigits = Int32Array.from({ length: 256 }, (_, byte) => {
  const digit = "0123456789abcdef".indexOf(String.fromCharCode(byte));
  return digit < 0 ? 256 : digit;
});

/** Of a text in which nothing is escaped. */
function textIn(bytes: Buffer, rows: Int32Array, at: number, text: ReadText): string {
  return text(bytes, (rows[at] as number) + 1, (rows[at + 1] as number) - 1);
}

function textOrNullIn(bytes: Buffer, rows: Int32Array, at: number, text: ReadText): string | null {
  return bytes[rows[at] as number] === 0x22 ? textIn(bytes, rows, at, text) : null;
}

/** Of digits alone. */
function numberIn(bytes: Buffer, rows: Int32Array, at: number): number {
  let number = 0;
  for (let byte = rows[at] as number; byte < (rows[at + 1] as number); byte++)
    number = number * 10 + (bytes[byte] as number) - 0x30;
  return number;
}

function valueIn(bytes: Buffer, rows: Int32Array, at: number, text: ReadText): Json {
  const [start, end] = [rows[at] as number, rows[at + 1] as number];
  const first = bytes[start];
  if (first === 0x22) return text(bytes, start + 1, end - 1);
  if (first === 0x6e) return null;
  if (first === 0x66) return false;
  return JSON.parse(bytes.toString("latin1", start, end)) as Json;
}
