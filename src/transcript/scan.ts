// Reads a line at a third of the cost, where it is plain: ASCII, nothing escaped, whole numbers, in its canonical form. Any other is for `readEntry`.

import type { JsonObject } from "../domain/json.ts";
import { entryKinds, type Entry } from "./entry.ts";
import { columnOf, openFinder, rowLength } from "./rows.ts";

/**
 * The entry in `buffer[start, end)`, which is then exactly its canonical text; null where this reader can't tell, which
 * says nothing of the line. What it returns is what `readEntry` and `isCanonical` would have said.
 */
export type ScanLine = (buffer: Buffer, start: number, end: number) => Entry | null;

/** A reader that remembers the parts which line after line repeats: its entries share them, and must be let be. */
export function openScanner(): ScanLine {
  const finder = openFinder();
  const row = new Int32Array(rowLength);
  return (buffer, start, end) => {
    if (finder.find(buffer, start, row, 0, -1) !== end) return null;
    const line = buffer.toString("latin1", start, end);
    const text = (column: number): string =>
      line.slice((row[column] as number) - start, (row[column + 1] as number) - start);
    const textOrNull = (column: number): string | null => {
      const json = text(column);
      return json === "null" ? null : json.slice(1, -1);
    };
    return {
      call: textOrNull(columnOf.call),
      client: text(columnOf.client).slice(1, -1),
      details: JSON.parse(text(columnOf.details)) as JsonObject,
      gateway: finder.gateway(),
      kind: entryKinds[row[2] as number] as Entry["kind"],
      principal: finder.principal(),
      sid: textOrNull(columnOf.sid),
      sprev: text(columnOf.sprev).slice(1, -1),
      sseq: Number(text(columnOf.sseq)),
      ts: text(columnOf.ts).slice(1, -1),
      v: 1,
    };
  };
}
