// Tables in a text: the values of a column whose header names a secret, between commas and their like or between bars.

import { alphabet, runEnd, runStart, within } from "./alphabet.ts";
import { hides, type Field } from "./fields.ts";
import type { Name } from "./joints.ts";
import { nothing, type Scan, type Span } from "./spans.ts";
import { plainForm, tokenEnd } from "./token.ts";
import { isSentenceWord } from "./values.ts";

/** A line with column names is no longer. */
const widest = 1024;
/** Rows that belong to one header are looked for this far. */
const reach = 256 * 1024;

const blank = alphabet(" \t");
const quotes = alphabet("\"'");
const separators = alphabet(",;|\t");

interface Line {
  readonly start: number;
  readonly end: number;
}

/** The name's line as a header, and what stands in the rows below it under names that promise a secret. */
export function columnsBelow(scan: Scan, name: Name, remember: (name: string) => Field | undefined): readonly Span[] {
  const { text, seen } = scan;
  if (name.start < seen.table || !mayHead(text, name)) return nothing;
  const header = lineOf(text, name.start);
  seen.table = header.end;
  scan.work += Math.min(widest, header.end - header.start);
  if (header.end - header.start > widest) return nothing;
  const sign = signOf(text, header);
  const heads = cellsOf(text, header, sign);
  if (!areNames(heads.map((cell) => text.slice(cell.start, cell.end)))) return nothing;
  const fields = heads.map((cell) => remember(text.slice(cell.start, cell.end)));
  return fields.some((field) => field !== undefined) ? rowsBelow(scan, header.end, sign, fields) : nothing;
}

/** May the name end a cell: nothing but a quotation mark and blanks up to a separator or the line's end, and before it only what names hold? */
function mayHead(text: string, name: Name): boolean {
  const end = name.end + (within(quotes, text.charCodeAt(name.end)) ? 1 : 0);
  const right = runEnd(text, end, blank, 64);
  if (right < text.length && !within(separators, text.charCodeAt(right)) && !isBreak(text, right))
    if (!text.slice(end, right).includes("\t")) return false;
  const words = runStart(text, name.start, named, 96);
  const left = runStart(text, words - (within(quotes, text.charCodeAt(words - 1)) ? 1 : 0), blank, 64);
  return left === 0 || within(separators, text.charCodeAt(left - 1)) || isBreak(text, left - 1);
}
/** What the names of columns are made of. */
const named = alphabet("A-Za-z0-9_ \t./()-");

function isBreak(text: string, at: number): boolean {
  return text.charCodeAt(at) === 0x0a || text.charCodeAt(at) === 0x0d;
}

/** The line around `at`; of one that begins too far before, only where it ends counts. */
function lineOf(text: string, at: number): Line {
  let start = at;
  while (start > 0 && at - start <= widest && !isBreak(text, start - 1)) start--;
  return { start, end: lineEnd(text, at) };
}

function lineEnd(text: string, at: number): number {
  const found = text.indexOf("\n", at);
  const end = found === -1 ? text.length : found;
  return end > at && text[end - 1] === "\r" ? end - 1 : end;
}

/** What parts the header's cells. */
function signOf(text: string, header: Line): string {
  const line = text.slice(header.start, header.end);
  return ["|", "\t", ";"].find((sign) => line.includes(sign)) ?? ",";
}

/** The cells of a line, without quotation marks and blanks around them. Bars may frame the line. */
function cellsOf(text: string, line: Line, sign: string): readonly Line[] {
  const cells: Line[] = [];
  let at = line.start;
  let last = line.end;
  if (sign === "|") {
    at = runEnd(text, at, blank, 64);
    if (text[at] === "|") at++;
    last = runStart(text, last, blank, 64);
    if (last > at && text[last - 1] === "|") last--;
  }
  while (at <= last) {
    const start = sign === "\t" ? at : runEnd(text, at, blank, last - at);
    const quoted = within(quotes, text.charCodeAt(start)) ? closing(text, start, last) : -1;
    const found = text.indexOf(sign, quoted === -1 ? at : quoted);
    const end = found === -1 || found > last ? last : found;
    cells.push(
      quoted === -1
        ? { start: Math.min(start, end), end: Math.max(start, runStart(text, end, blank, end - start)) }
        : { start: start + 1, end: quoted },
    );
    at = end + 1;
  }
  return cells;
}

/** The mark that closes the one at `open` (RFC 4180, section 2: one that is doubled stands for itself), or -1. */
function closing(text: string, open: number, stop: number): number {
  const mark = text[open] ?? '"';
  for (let at = text.indexOf(mark, open + 1); at !== -1 && at < stop; at = text.indexOf(mark, at + 2))
    if (text[at + 1] !== mark) return at;
  return -1;
}

/** Are these the names of columns? Two that hold several words are rather the halves of a sentence. */
function areNames(cells: readonly string[]): boolean {
  if (cells.length < 2 || !cells.every((cell) => /^[A-Za-z_][\w.()/-]{0,39}(?: [\w.()/-]{1,24}){0,3}$/.test(cell)))
    return false;
  return cells.length > 2 || cells.every((cell) => !cell.includes(" "));
}

/** The line that Markdown and clients of databases draw below a header. */
function isRule(line: string): boolean {
  return line.includes("-") && /^[\s|:+-]+$/.test(line);
}

function rowsBelow(scan: Scan, from: number, sign: string, fields: readonly (Field | undefined)[]): readonly Span[] {
  const { text, seen } = scan;
  const spans: Span[] = [];
  const stop = Math.min(text.length, from + reach);
  let ruled = sign !== "|";
  for (let at = text.indexOf("\n", from) + 1; at > 0 && at < stop; at = text.indexOf("\n", at) + 1) {
    const line = { start: at, end: Math.min(lineEnd(text, at), at + 4 * widest) };
    scan.work += line.end - at;
    if (sign === "|" && isRule(text.slice(line.start, line.end))) ruled = true;
    else {
      const cells = ruled ? cellsOf(text, line, sign) : [];
      if (cells.length !== fields.length) break;
      for (const [column, cell] of cells.entries()) spans.push(...valueIn(text, cell, fields[column], sign));
    }
    seen.table = line.end;
  }
  return spans;
}

function valueIn(text: string, cell: Line, field: Field | undefined, sign: string): readonly Span[] {
  if (field === undefined || cell.end <= cell.start || tokenEnd(text, cell.start) === cell.end) return nothing;
  const value = plainForm(text.slice(cell.start, cell.end));
  if (sign === "|" && value.includes(" ") && value.split(" ", 32).some(isSentenceWord)) return nothing;
  if (!hides(field, value, "text")) return nothing;
  return [{ start: cell.start, end: cell.end, type: field.type, value, why: "column" }];
}
