// Reads a line at a third of the cost, where it is plain: ASCII, nothing escaped, whole numbers, in its canonical form. Any other is for `readEntry`.

import { isAscii } from "node:buffer";
import type { Json, JsonObject } from "../domain/json.ts";
import { deepest } from "./canonical.ts";
import { largestEntry, problemWith, type Entry } from "./entry.ts";

/**
 * The entry in `buffer[start, end)`, which is then exactly its canonical text; null where this reader can't tell, which
 * says nothing of the line. What it returns is what `readEntry` and `isCanonical` would have said.
 */
export type ScanLine = (buffer: Buffer, start: number, end: number) => Entry | null;

/** A reader that remembers the parts which line after line repeats: its entries share them, and must be let be. */
export function openScanner(): ScanLine {
  const places = new Int32Array(2 * names.length);
  const [gateway, principal] = [openMemory(), openMemory()];
  return (buffer, start, end) => {
    if (end - start > largestEntry || !isAscii(buffer.subarray(start, end))) return null;
    const line = buffer.toString("latin1", start, end);
    if (line.includes("\\") || !findParts(buffer, start, end, places)) return null;
    const text = (part: number): string =>
      line.slice((places[2 * part] as number) - start, (places[2 * part + 1] as number) - start);
    const entry: JsonObject = {
      call: plain(text(0)),
      client: plain(text(1)),
      details: JSON.parse(text(2)) as Json,
      gateway: gateway(text(3)),
      kind: plain(text(4)),
      principal: principal(text(5)),
      sid: plain(text(6)),
      sprev: plain(text(7)),
      sseq: plain(text(8)),
      ts: plain(text(9)),
      v: plain(text(10)),
    };
    return problemWith(entry) === null ? (entry as JsonObject & Entry) : null;
  };
}

/** Parses a part, and again only when its text is another than the last one. */
function openMemory(): (text: string) => Json {
  let last = "null";
  let value: Json = null;
  return (text) => {
    if (text === last) return value;
    last = text;
    value = JSON.parse(text) as Json;
    return value;
  };
}

/** A value that most often is a text, in which nothing is escaped, or null, or a whole number. */
function plain(json: string): Json {
  const first = json.charCodeAt(0);
  if (first === 0x22) return json.slice(1, -1);
  if (json === "null") return null;
  return first >= 0x30 && first <= 0x39 ? Number(json) : (JSON.parse(json) as Json);
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

/** Where the canonical value that begins here ends, or -1. The line is ASCII without a backslash, and a newline stands behind it. */
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
  let byte = buffer[at] as number;
  while (byte !== 0x22 && byte >= 0x20) byte = buffer[++at] as number;
  return byte === 0x22 ? at + 1 : -1;
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
