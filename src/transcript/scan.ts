// Reads a line at a third of the cost, where it is plain: ASCII, nothing escaped, whole numbers, in its canonical form. Any other is for `readEntry`.

import type { Json, JsonObject } from "../domain/json.ts";
import { deepest } from "./canonical.ts";
import { isGateway, isKind, isPlace, isPrincipalOrNull, isTime, largestEntry, type Entry } from "./entry.ts";

/**
 * The entry in `buffer[start, end)`, which is then exactly its canonical text; null where this reader can't tell, which
 * says nothing of the line. What it returns is what `readEntry` and `isCanonical` would have said.
 */
export type ScanLine = (buffer: Buffer, start: number, end: number) => Entry | null;

/** A reader that remembers the parts which line after line repeats: its entries share them, and must be let be. */
export function openScanner(): ScanLine {
  const places = new Int32Array(2 * names.length);
  const [gateways, principals] = [openMemory(isGateway), openMemory(isPrincipalOrNull)];
  const isTimeOfMinutes = openMinutes();
  return (buffer, start, end) => {
    if (end - start > largestEntry || !findParts(buffer, start, end, places)) return null;
    const line = buffer.toString("latin1", start, end);
    const text = (part: number): string =>
      line.slice((places[2 * part] as number) - start, (places[2 * part + 1] as number) - start);
    if (text(10) !== "1" || buffer[places[4] as number] !== 0x7b) return null;
    const kind = plain(text(4));
    const ts = plain(text(9));
    if (!isKind(kind) || typeof ts !== "string" || !isTimeOfMinutes(ts)) return null;
    const sseq = Number(text(8));
    const sprev = plain(text(7));
    if (typeof sprev !== "string" || !isPlace(sseq, sprev)) return null;
    const call = plain(text(0));
    const client = plain(text(1));
    const sid = plain(text(6));
    if (call === undefined || typeof client !== "string" || sid === undefined) return null;
    const gateway = gateways(text(3));
    const principal = principals(text(5));
    if (gateway === undefined || principal === undefined) return null;
    const details = JSON.parse(text(2)) as JsonObject;
    return { call, client, details, gateway, kind, principal, sid, sprev, sseq, ts, v: 1 };
  };
}

/** How many values a memory holds before it begins anew: bounds it. */
const mostKept = 1024;

/** Parses a part, once for each text; undefined where it is not what it should be. */
function openMemory<T extends Json>(is: (value: Json) => value is T): (text: string) => T | undefined {
  const kept = new Map<string, T>();
  let last = "";
  let value: T | undefined;
  return (text) => {
    // Most often it is the one of the line before.
    if (text === last) return value;
    last = text;
    value = kept.get(text);
    if (value !== undefined) return value;
    const parsed = JSON.parse(text) as Json;
    if (!is(parsed)) return undefined;
    if (kept.size >= mostKept) kept.clear();
    kept.set(text, parsed);
    return (value = parsed);
  };
}

/** Is this a time? A minute is looked at once; in it only the seconds vary. */
function openMinutes(): (ts: string) => boolean {
  let minute = "";
  return (ts) => {
    if (ts.length === 24 && ts.startsWith(minute) && minute !== "" && second.test(ts)) return true;
    if (!isTime(ts)) return false;
    minute = ts.slice(0, 17);
    return true;
  };
}

const second = /[0-5]\d\.\d{3}Z$/;

/** The text in which nothing is escaped, or null; undefined for any other value. */
function plain(json: string): string | null | undefined {
  if (json.charCodeAt(0) === 0x22) return json.slice(1, -1);
  return json === "null" ? null : undefined;
}

/** The fields of every entry, in the order of their names. */
const names = ["call", "client", "details", "gateway", "kind", "principal", "sid", "sprev", "sseq", "ts", "v"].map(
  (name) => Buffer.from(`"${name}":`),
);

/** Finds where the values of the fields begin and end; false where they are not these, or one is not canonical. */
function findParts(buffer: Buffer, start: number, end: number, places: Int32Array): boolean {
  let at = start;
  for (let part = 0; part < names.length; part++) {
    const name = names[part] as Buffer;
    if (buffer[at] !== (part === 0 ? 0x7b : 0x2c)) return false;
    at++;
    for (let byte = 0; byte < name.length; byte++) if (buffer[at + byte] !== name[byte]) return false;
    at += name.length;
    places[2 * part] = at;
    at = valueEnd(buffer, at, 1);
    if (at < 0) return false;
    places[2 * part + 1] = at;
  }
  return buffer[at] === 0x7d && at + 1 === end;
}

/** Printable ASCII but the quote and the backslash: stands in a text as it is. */
const asItIs = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c ? 1 : 0,
);

/** Where the canonical value that begins here ends, or -1. A newline stands behind the line, which no value contains. */
function valueEnd(buffer: Buffer, at: number, depth: number): number {
  const first = buffer[at] as number;
  if (first === 0x22) return textEnd(buffer, at);
  if (depth >= deepest) return -1;
  if (first === 0x7b) return objectEnd(buffer, at + 1, depth);
  if (first === 0x5b) return listEnd(buffer, at + 1, depth);
  if (first === 0x74) return wordEnd(buffer, at, yes);
  if (first === 0x66) return wordEnd(buffer, at, no);
  if (first === 0x6e) return wordEnd(buffer, at, none);
  return numberEnd(buffer, at);
}

const [yes, no, none] = [Buffer.from("true"), Buffer.from("false"), Buffer.from("null")] as const;

function wordEnd(buffer: Buffer, at: number, wanted: Buffer): number {
  for (let byte = 1; byte < wanted.length; byte++) if (buffer[at + byte] !== wanted[byte]) return -1;
  return at + wanted.length;
}

function textEnd(buffer: Buffer, from: number): number {
  let at = from + 1;
  while (asItIs[buffer[at] as number] === 1) at++;
  return buffer[at] === 0x22 ? at + 1 : -1;
}

/** Whole numbers of at most 15 digits, as ECMAScript writes them: `-0` and leading zeros are not. */
function numberEnd(buffer: Buffer, from: number): number {
  const digits = buffer[from] === 0x2d ? from + 1 : from;
  let at = digits;
  for (let byte = buffer[at] as number; byte >= 0x30 && byte <= 0x39;) byte = buffer[++at] as number;
  const length = at - digits;
  if (length === 0 || length > 15 || (buffer[digits] === 0x30 && (length > 1 || digits > from))) return -1;
  return at;
}

function listEnd(buffer: Buffer, from: number, depth: number): number {
  if (buffer[from] === 0x5d) return from + 1;
  for (let at = from; ; at++) {
    at = valueEnd(buffer, at, depth + 1);
    if (at < 0) return -1;
    if (buffer[at] === 0x5d) return at + 1;
    if (buffer[at] !== 0x2c) return -1;
  }
}

function objectEnd(buffer: Buffer, from: number, depth: number): number {
  if (buffer[from] === 0x7d) return from + 1;
  let before = -1;
  for (let at = from; ; at++) {
    if (buffer[at] !== 0x22) return -1;
    const key = at;
    at = textEnd(buffer, at);
    if (at < 0 || buffer[at] !== 0x3a || (before >= 0 && !isBefore(buffer, before, key))) return -1;
    before = key;
    at = valueEnd(buffer, at + 1, depth + 1);
    if (at < 0) return -1;
    if (buffer[at] === 0x7d) return at + 1;
    if (buffer[at] !== 0x2c) return -1;
  }
}

/** Does the first key order before the second, as RFC 8785 does? In ASCII that is byte by byte; equal keys do not. */
function isBefore(buffer: Buffer, first: number, second: number): boolean {
  for (let byte = 1; ; byte++) {
    const [one, other] = [buffer[first + byte] as number, buffer[second + byte] as number];
    if (one === 0x22) return other !== 0x22;
    if (other === 0x22) return false;
    if (one !== other) return one < other;
  }
}
