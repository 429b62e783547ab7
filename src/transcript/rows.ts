// Finds the fields of a line by its bytes alone, where it is plain: then it needs no parsing to be known for an entry in its canonical form.

import { entryKinds, isGateway, isPrincipalOrNull, largestEntry, type Caller, type GatewayStamp } from "./entry.ts";
import { linkEnd, openNames, openRepeated, openTimes } from "./parts.ts";
import { openMembers } from "./members.ts";
import { numberEnd, textEnd, textOrNullEnd } from "./plain.ts";
import { isSame, viewOf } from "./same-bytes.ts";

/** The details that verification asks calls and grants for. */
export const toldDetails = [
  "ambient",
  "approval",
  "body",
  "code",
  "decision",
  "digest",
  "effect",
  "forbid",
  "grant",
  "issuer",
  "outcome",
  "preview",
] as const;

/** The fields of every entry, in the order of their names. */
const fields = [
  "call",
  "client",
  "details",
  "gateway",
  "kind",
  "principal",
  "sid",
  "sprev",
  "sseq",
  "ts",
  "v",
] as const;

/** Of these most are what they were in the line before. Where such a value ends, is told by its own bytes. */
const repeated = fields.map((name) => ["call", "client", "gateway", "principal", "sid", "ts"].includes(name));

/**
 * A row is what is known of a line, in numbers: the line's start and end, the number of its kind, then the start and end
 * of each field's value and of each of `toldDetails`, 0 where there is none. A value that an earlier line has too may be
 * told by its place there.
 */
export const rowLength = 3 + 2 * fields.length + 2 * toldDetails.length;
const firstDetail = 3 + 2 * fields.length;

/** Where in a row the start of a field's value stands; its end stands behind it. */
export const columnOf = Object.fromEntries(fields.map((name, at) => [name, 3 + 2 * at])) as Record<
  (typeof fields)[number],
  number
>;
export type ToldDetail = (typeof toldDetails)[number];

/** The same of the details. */
export const detailColumns = Object.fromEntries(toldDetails.map((name, at) => [name, firstDetail + 2 * at])) as Record<
  ToldDetail,
  number
>;

export interface Finder {
  /**
   * Fills the row that begins at `row` and returns where the entry ends that begins at `start`; -1 where this reader can't
   * tell, and then the row holds nothing. `before` is the row of a line before it in the same buffer, which stands there
   * as it was found; -1 for none.
   */
  find(buffer: Buffer, start: number, rows: Int32Array, row: number, before: number): number;
  /** Of the line that was found last, where none was given before it. */
  readonly gateway: () => GatewayStamp;
  readonly principal: () => Caller | null;
}

/** A finder, which remembers the parts that line after line repeats. */
export function openFinder(): Finder {
  const [gateways, principals] = [openRepeated(isGateway), openRepeated(isPrincipalOrNull)];
  const isTimeAt = openTimes();
  const members = openMembers(findDetail, 1);
  let bytes: Buffer = Buffer.alloc(0);
  let view = viewOf(bytes);

  /** Where the value of a field ends that begins here, or -1 where it is not what it must be. */
  function fieldEnd(field: (typeof fields)[number], buffer: Buffer, at: number, rows: Int32Array, row: number): number {
    switch (field) {
      case "call":
      case "sid":
        return textOrNullEnd(buffer, at);
      case "client":
      case "kind":
        return textEnd(buffer, at);
      case "details":
        return members.end(buffer, at, view, rows, row + firstDetail);
      case "gateway":
        return gateways.end(buffer, at);
      case "principal":
        return principals.end(buffer, at);
      case "sprev":
        return linkEnd(buffer, at);
      case "sseq":
        return buffer[at] === 0x2d ? -1 : numberEnd(buffer, at);
      case "ts":
        return isTimeAt(buffer, at) ? at + 26 : -1;
      case "v":
        return buffer[at] === 0x31 ? at + 1 : -1;
    }
  }

  return {
    find(buffer, start, rows, row, before) {
      if (buffer !== bytes) {
        bytes = buffer;
        view = viewOf(buffer);
      }
      if (before < 0) members.forget();
      rows.fill(0, row + firstDetail, row + rowLength);
      let at = start;
      for (let field = 0; field < fields.length; field++) {
        const name = names[field] as DataView;
        if (!isSame(view, at, name, 0, name.byteLength)) return -1;
        at += name.byteLength;
        const column = 3 + 2 * field;
        if (before >= 0 && repeated[field] === true) {
          const from = rows[before + column] as number;
          const to = rows[before + column + 1] as number;
          if (isSame(view, at, view, from, to - from)) {
            rows[row + column] = from;
            rows[row + column + 1] = to;
            at += to - from;
            continue;
          }
        }
        rows[row + column] = at;
        at = fieldEnd(fields[field] as (typeof fields)[number], buffer, at, rows, row);
        if (at < 0) return -1;
        rows[row + column + 1] = at;
      }
      if (buffer[at] !== 0x7d || at + 1 - start > largestEntry) return -1;
      const sprev = rows[row + columnOf.sprev] as number;
      const isFirst = buffer[rows[row + columnOf.sseq] as number] === 0x30;
      if (isFirst !== (rows[row + columnOf.sprev + 1] === sprev + 2)) return -1;
      const kind = rows[row + columnOf.kind] as number;
      const found = findKind(buffer, kind + 1, (rows[row + columnOf.kind + 1] as number) - 1);
      rows[row] = start;
      rows[row + 1] = at + 1;
      rows[row + 2] = found;
      return found >= 0 ? at + 1 : -1;
    },
    gateway: gateways.value,
    principal: principals.value,
  };
}

const findKind = openNames(entryKinds);
const findDetail = openNames(toldDetails);

/** What stands before each value. */
const names = fields.map((name, field) => viewOf(Buffer.from(`${field === 0 ? "{" : ","}"${name}":`)));
