// Base64 inside texts: runs that decode to something readable are opened, and hidden whole when it holds a secret.

import { alphabet, encodedRun, runEnd, runStart, within } from "./alphabet.ts";
import { isHex, plainForm, type MaskType } from "./token.ts";
import { nothing, type Room, type Scan, type Span } from "./spans.ts";

/** What decoded bytes hide, if anything; `value` is the secret when it is the whole content. */
export interface Hidden {
  readonly type: MaskType;
  readonly value: string | undefined;
}

/** Judges decoded bytes at a depth. `work` tells how many characters it looked at. */
export type Opened = (
  bytes: Uint8Array,
  depth: number,
  room: Room,
) => { readonly hidden: Hidden | undefined; readonly work: number };

/** Encodings inside encodings are opened this deep (masking.md). */
export const deepest = 3;

/** Shorter runs hold no name with a value. */
const shortest = 20;
/** Both alphabets of RFC 4648, sections 4 and 5. */
const letters = alphabet("A-Za-z0-9+/_-");
/**
 * A probe for one scan: call it with ascending places; it answers for the run around each. Lines that follow one another as wrapped base64 are
 * judged as one first, and each by itself where that hides nothing: they may be wrapped, or values of their own.
 */
export function base64Probe(scan: Scan, opened: Opened): (at: number) => readonly Span[] {
  const { text } = scan;
  let done = 0;
  let alone = 0;
  return (at) => {
    if (at < done || !within(letters, text.charCodeAt(at))) return nothing;
    const start = startOf(text, at, done);
    const bare = encodedRun(text, at, letters, text.length).end;
    const line = padded(text, bare);
    const end = at < alone ? line : padded(text, wrappedEnd(text, start, bare));
    scan.work += end - start;
    done = end;
    if (end - start < shortest || scan.depth >= deepest) return nothing;
    const found = judged(scan, start, end, opened);
    if (found.length > 0 || end === line) return found;
    alone = end;
    done = line;
    return line - start < shortest ? nothing : judged(scan, start, line, opened);
  };
}

/** To the left across URL escapes and `\/`, which the alphabet's own characters may hide. */
function startOf(text: string, at: number, least: number): number {
  let start = at;
  for (;;) {
    start = runStart(text, start, letters, start - least);
    const escape = text[start - 1] === "%" && /^2[bBfF]/.test(text.slice(start, start + 2)) ? 1 : 0;
    const slash = text[start - 1] === "\\" && text[start] === "/" ? 1 : 0;
    if (escape + slash === 0 || start - 1 <= least) return start;
    start -= 1;
  }
}

const wrapped = /^\r?\n[ \t]{0,32}(?=[A-Za-z0-9+/])/;

/** Past the lines that go on from `start` as wrapped base64 does (RFC 2045, section 6.8: 76 characters a line); `first` is where the first one ends. */
function wrappedEnd(text: string, start: number, first: number): number {
  let end = first;
  for (let line = start; end - line >= 48;) {
    const gap = wrapped.exec(text.slice(end, end + 36))?.[0];
    if (gap === undefined) break;
    line = end + gap.length;
    const next = encodedRun(text, line, letters, text.length).end;
    if (next - line < 4 || /[^\s="'\\%]/.test(text[next] ?? " ")) break;
    end = next;
  }
  return end;
}

/** Past padding. */
function padded(text: string, end: number): number {
  return end + (/^(?:=|%3[dD]|\\u003d){1,2}/.exec(text.slice(end, end + 12))?.[0].length ?? 0);
}

function judged(scan: Scan, start: number, end: number, opened: Opened): readonly Span[] {
  const raw = plainForm(scan.text.slice(start, end)).replace(/\s/g, "");
  if (isReadableHex(raw)) return openedSpan(scan, start, end, raw, Buffer.from(raw, "hex"), opened);
  for (const skip of alignments(raw)) {
    const encoded = raw.slice(skip);
    if (!promising(encoded)) continue;
    const found = openedSpan(scan, start, end, raw, Buffer.from(encoded, "base64"), opened);
    if (found.length > 0) return found;
  }
  return nothing;
}

/** The whole run, if what its bytes say holds a secret. */
function openedSpan(
  scan: Scan,
  start: number,
  end: number,
  raw: string,
  bytes: Buffer,
  opened: Opened,
): readonly Span[] {
  if (scan.room.left <= 0) return [{ start, end, type: "unscanned", value: "", why: "budget" }];
  const { hidden, work } = opened(bytes, scan.depth + 1, scan.room);
  scan.work += work + raw.length;
  scan.room.left -= work;
  if (hidden === undefined) return nothing;
  return [{ start, end, type: hidden.type, value: hidden.value ?? raw, why: `base64 of ${hidden.type}` }];
}

/** Hexadecimal that spells printable ASCII to its end, as a digest does not by chance. */
function isReadableHex(raw: string): boolean {
  return raw.length % 2 === 0 && /^(?:[2-7][0-9a-fA-F]|0[9aAdD])+$/.test(raw);
}

/** Where the encoded text may start: at the run's start, or after a slash or dash that belongs to a path before it. */
function alignments(raw: string): readonly number[] {
  const starts = [0];
  for (let at = 0; at < raw.length - shortest && at < 256 && starts.length < 5; at++) {
    if ("/-_".includes(raw[at] ?? "")) starts.push(at + 1);
  }
  return starts;
}

/** Does the text decode to something that is worth opening: readable text, gzip, zlib, UTF-16, or a key's DER? */
function promising(encoded: string): boolean {
  if (encoded.length < shortest || isHex(encoded)) return false;
  const head = Buffer.from(encoded.slice(0, 24), "base64");
  const [first = 0, second = 0, third = 0] = head;
  if (first === 0x1f && second === 0x8b) return true;
  if (first === 0x78 && (second === 0x01 || second === 0x9c || second === 0xda)) return true;
  if (first === 0x30 && (second === 0x82 || second === 0x81 || second === 0x77 || second === 0x2e)) return true;
  if (first === 0xfe && second === 0xed && third === 0xfe) return true;
  if (second === 0 && head[3] === 0 && head[5] === 0 && first !== 0) return true;
  let readable = 0;
  for (let at = 0; at < head.length;) {
    const length = readableAt(head, at);
    readable += length;
    at += Math.max(1, length);
  }
  return readable >= head.length - 1;
}

/** How many bytes the printable character or white space at `at` takes, or 0: ASCII, or UTF-8 of two or three bytes (RFC 3629), which may be cut off. */
function readableAt(bytes: Buffer, at: number): number {
  const byte = bytes[at] ?? 0;
  if (byte < 0x80) return (byte >= 0x20 && byte <= 0x7e) || byte === 9 || byte === 10 || byte === 13 ? 1 : 0;
  const length = byte >= 0xc3 && byte <= 0xdb ? 2 : byte >= 0xe0 && byte <= 0xed ? 3 : 0;
  for (let next = at + 1; next < at + length && next < bytes.length; next++)
    if (((bytes[next] ?? 0) & 0xc0) !== 0x80) return 0;
  return Math.min(length, bytes.length - at);
}

/** RFC 4648, section 4. */
const standard = alphabet("A-Za-z0-9+/");

/** Is the whole text one base64 run that decodes to itself again? (A Secret's `data` value is.) */
export function isCanonicalBase64(text: string): boolean {
  if (text.length === 0 || text.length % 4 !== 0) return false;
  const body = runEnd(text, 0, standard, text.length);
  return (
    body >= text.length - 2 &&
    /^={0,2}$/.test(text.slice(body)) &&
    Buffer.from(text, "base64").toString("base64") === text
  );
}
