// Proves by its bytes, without parsing it, that JSON is canonical (RFC 8785) where it is plain: ASCII, nothing escaped, whole numbers. What is not plain may be canonical all the same.

import { deepest } from "./canonical.ts";

/** Printable ASCII but the quote and the backslash: stands in a text as it is. */
const asItIs = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c ? 1 : 0,
);

/** Where the canonical value that begins here ends, or -1. A newline stands behind the line, which no value contains. */
export function valueEnd(buffer: Buffer, at: number, depth: number): number {
  const first = buffer[at] as number;
  if (first === 0x22) return textEnd(buffer, at);
  if (depth >= deepest) return -1;
  if (first === 0x7b) return objectEnd(buffer, at, depth);
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

/** Where the text that begins here ends, quotes and all, or -1. */
export function textEnd(buffer: Buffer, from: number): number {
  if (buffer[from] !== 0x22) return -1;
  let at = from + 1;
  while (asItIs[buffer[at] as number] === 1) at++;
  return buffer[at] === 0x22 ? at + 1 : -1;
}

/** The same of a text or null. */
export function textOrNullEnd(buffer: Buffer, from: number): number {
  return buffer[from] === 0x6e ? wordEnd(buffer, from, none) : textEnd(buffer, from);
}

/** Whole numbers of at most 15 digits, as ECMAScript writes them: `-0` and leading zeros are not. */
export function numberEnd(buffer: Buffer, from: number): number {
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
  if (buffer[from + 1] === 0x7d) return from + 2;
  let before = -1;
  for (let at = from + 1; ; at++) {
    const name = at;
    at = textEnd(buffer, at);
    if (at < 0 || buffer[at] !== 0x3a || (before >= 0 && !isBefore(buffer, before, name))) return -1;
    before = name;
    at = valueEnd(buffer, at + 1, depth + 1);
    if (at < 0) return -1;
    if (buffer[at] === 0x7d) return at + 1;
    if (buffer[at] !== 0x2c) return -1;
  }
}

/**
 * Does the first name order before the second, as RFC 8785 does? In ASCII that is byte by byte; equal names do not. The
 * first must be a text; of what is none, as the second, the answer says nothing.
 */
export function isBefore(buffer: Buffer, first: number, second: number): boolean {
  for (let byte = 1; ; byte++) {
    const [one, other] = [buffer[first + byte] as number, buffer[second + byte] as number];
    if (one === 0x22) return other !== 0x22;
    if (other === 0x22) return false;
    if (one !== other) return one < other;
  }
}
