// What a scan finds in a text: stretches to hide, merged and written over.

import { opening, tokenEnd, type MaskType } from "./token.ts";

/** A stretch of text to hide. */
export interface Span {
  readonly start: number;
  readonly end: number;
  readonly type: MaskType;
  /** The secret itself in its plain form: what the tag is made of. */
  readonly value: string;
  /** Which check found it, for people (`sallyport mask`): a format's id or a detector's name. */
  readonly why: string;
}

/** A text under scan. `work` counts the characters that checks have looked at; the budget is held against it. */
export interface Scan {
  readonly text: string;
  /** The text is a file (configuration, script) rather than log lines: a line's whole value belongs to its key. */
  readonly config: boolean;
  /** How many encodings were opened to get here. */
  readonly depth: number;
  work: number;
  readonly seen: Seen;
  readonly room: Room;
}

/** How many more characters of encoded content one call may open. What is beyond is hidden unread: small values inflate to large ones. */
export interface Room {
  left: number;
}

/** The room of one call. */
export function newRoom(): Room {
  return { left: 64 * 1024 * 1024 };
}

/** What checks remember within one scan, so that none walks the same stretch twice and all stay linear. */
export interface Seen {
  /** The last name that was judged, from `nameStart` to `nameEnd`. */
  nameStart: number;
  nameEnd: number;
  /** Where the last bare value started and ended: one that starts inside it ends there too. */
  bareStart: number;
  bareEnd: number;
  /** Up to where Secrets written as manifests were looked for. */
  manifest: number;
  /** Up to where tables were looked for. */
  table: number;
  /** Up to where parts of JSON Web Keys were looked for. */
  webKey: number;
  /** The end of the last JSON Web Token. */
  webToken: number;
  /** The next `@`, and the next one that is encoded for a URL, from where they were last looked for. */
  sign: number;
  encodedSign: number;
  /** No marker that ends an armoured block starts before `armour`, except the one at `armourEnd`. */
  armour: number;
  armourEnd: number;
  /** Letters stand as escapes: the text is read once more without them. */
  escaped: boolean;
  /** Stretches stand in URL encoding: they are read once more in the plain. */
  encoded: boolean;
}

/** A new scan of a text. */
export function newScan(text: string, config: boolean, depth: number, room: Room): Scan {
  const seen: Seen = {
    nameStart: -1,
    nameEnd: -1,
    bareStart: -1,
    bareEnd: -1,
    manifest: 0,
    table: 0,
    webKey: 0,
    webToken: 0,
    sign: -1,
    encodedSign: -1,
    armour: 0,
    armourEnd: -1,
    escaped: false,
    encoded: false,
  };
  return { text, config, depth, work: 0, seen, room };
}

/** An anchored check: a keyword stands at `start` to `end`; is there a secret, and how far does it reach? */
export type Check = (scan: Scan, start: number, end: number) => readonly Span[];

export const nothing: readonly Span[] = [];

/**
 * Spans in order, none touching another's inside. Of overlapping ones the union is hidden under the type of the
 * longest; a well-formed token that is cut by a span is taken in whole, and a span that is just a token is no span.
 */
export function merged(text: string, spans: readonly Span[]): readonly Span[] {
  if (spans.length === 0) return nothing;
  // Most strings of objects are short and hold one secret and no token.
  if (spans.length === 1 && text.length <= shortText && !text.includes(opening)) return spans;
  const rows = spans.flatMap((span) => aroundTokens(text, span)).sort((a, b) => a.start - b.start || b.end - a.end);
  const result: Span[] = [];
  for (const row of rows) {
    const last = result.at(-1);
    if (last === undefined || row.start >= last.end) result.push(row);
    else if (row.end > last.end) {
      const main = row.end - row.start > last.end - last.start ? row : last;
      result[result.length - 1] = { ...main, start: last.start, end: row.end, value: text.slice(last.start, row.end) };
    }
  }
  return result;
}

/** Looked through whole for a token sooner than around each span. */
const shortText = 1024;
/** The longest text of a token with its tag, generously. */
const tokenRoom = 48;

function aroundTokens(text: string, span: Span): readonly Span[] {
  let { start, end } = span;
  const before = lastOpening(text, start);
  if (before !== -1) {
    const close = tokenEnd(text, before);
    if (close > start) {
      if (close >= end) return nothing;
      start = before;
    }
  }
  const inside = lastOpening(text, end - 1);
  if (inside > start) end = Math.max(end, tokenEnd(text, inside));
  return [start === span.start && end === span.end ? span : { ...span, start, end }];
}

/** The last place at or shortly before `at` where a token may open, or -1. */
function lastOpening(text: string, at: number): number {
  const from = Math.max(0, at - tokenRoom);
  const found = text.slice(from, at + tokenRoom).lastIndexOf("[MASKED:", at - from);
  return found === -1 ? -1 : from + found;
}

/** Writes the token of a secret. */
export type Write = (type: MaskType, value: string) => string;

/**
 * The same of a text that came in pieces: as many pieces again, which joined are what is written of the whole. A span
 * that reaches over several stands in the one that it ends in.
 */
export function writtenInPieces(
  pieces: readonly string[],
  whole: string,
  spans: readonly Span[],
  write: Write,
): readonly string[] {
  let [end, from, next] = [0, 0, 0];
  return pieces.map((piece) => {
    end += piece.length;
    let result = "";
    let span = spans[next];
    for (; span !== undefined && span.end <= end; span = spans[++next]) {
      result += whole.slice(from, span.start) + write(span.type, span.value);
      from = span.end;
    }
    const until = Math.min(end, span?.start ?? end);
    if (until <= from) return result;
    result += whole.slice(from, until);
    from = until;
    return result;
  });
}

/** The text with its spans written over. Spans are merged ones. */
export function written(text: string, spans: readonly Span[], write: Write): string {
  if (spans.length === 0) return text;
  let result = "";
  let from = 0;
  for (const span of spans) {
    result += text.slice(from, span.start) + write(span.type, span.value);
    from = span.end;
  }
  return result + text.slice(from);
}
