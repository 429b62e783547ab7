// Finds the fields of a line by its bytes alone, where it is plain: then it needs no parsing to be known for an entry in its canonical form.

import { entryKinds, isGateway, isPrincipalOrNull, largestEntry, type Caller, type GatewayStamp } from "./entry.ts";
import { linkEnd, openNames, openRepeated, openTimes } from "./parts.ts";
import { numberEnd, objectEnd, textEnd, textOrNullEnd, type VisitMember } from "./plain.ts";
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

/**
 * A row is what is known of a line, in numbers: the line's start and end, the number of its kind, then the start and end
 * of each field's value and of each of `toldDetails`, 0 where there is none.
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
  /** Fills the row that begins at `row`; false where this reader can't tell, and then the row holds nothing. */
  find(buffer: Buffer, start: number, end: number, rows: Int32Array, row: number): boolean;
  /** Of the line that was found last. */
  readonly gateway: () => GatewayStamp;
  readonly principal: () => Caller | null;
}

/** A finder, which remembers the parts that line after line repeats. */
export function openFinder(): Finder {
  const [gateways, principals] = [openRepeated(isGateway), openRepeated(isPrincipalOrNull)];
  const isTimeAt = openTimes();
  let bytes: Buffer = Buffer.alloc(0);
  let view = viewOf(bytes);
  let into: Int32Array = new Int32Array(0);
  let first = 0;
  const takeDetail: VisitMember = (name, nameEnd, value, end) => {
    const found = findDetail(bytes, name, nameEnd);
    if (found < 0) return;
    into[first + 2 * found] = value;
    into[first + 2 * found + 1] = end;
  };

  /** Where the value of a field ends that begins here, or -1 where it is not what it must be. */
  function fieldEnd(field: (typeof fields)[number], buffer: Buffer, at: number): number {
    switch (field) {
      case "call":
      case "sid":
        return textOrNullEnd(buffer, at);
      case "client":
      case "kind":
        return textEnd(buffer, at);
      case "details":
        return objectEnd(buffer, at, 1, takeDetail);
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
    find(buffer, start, end, rows, row) {
      if (buffer !== bytes) {
        bytes = buffer;
        view = viewOf(buffer);
      }
      into = rows;
      first = row + firstDetail;
      for (let column = first; column < row + rowLength; column++) rows[column] = 0;
      let at = start;
      for (let field = 0; field < fields.length; field++) {
        const name = names[field] as DataView;
        if (!isSame(view, at, name, 0, name.byteLength)) return false;
        at += name.byteLength;
        rows[row + 3 + 2 * field] = at;
        at = fieldEnd(fields[field] as (typeof fields)[number], buffer, at);
        if (at < 0) return false;
        rows[row + 4 + 2 * field] = at;
      }
      if (buffer[at] !== 0x7d || at + 1 !== end || end - start > largestEntry) return false;
      const sprev = rows[row + columnOf.sprev] as number;
      const isFirst = buffer[rows[row + columnOf.sseq] as number] === 0x30;
      if (isFirst !== (rows[row + columnOf.sprev + 1] === sprev + 2)) return false;
      const kind = rows[row + columnOf.kind] as number;
      const found = findKind(buffer, kind + 1, (rows[row + columnOf.kind + 1] as number) - 1);
      rows[row] = start;
      rows[row + 1] = end;
      rows[row + 2] = found;
      return found >= 0;
    },
    gateway: gateways.value,
    principal: principals.value,
  };
}

const findKind = openNames(entryKinds);
const findDetail = openNames(toldDetails);

/** What stands before each value. */
const names = fields.map((name, field) => viewOf(Buffer.from(`${field === 0 ? "{" : ","}"${name}":`)));
