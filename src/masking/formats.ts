// Known shapes of secrets: what a row of the table says, and the anchored check that it makes.

import { alphabet, encodedRun, endsWord, runStart, startsWord, within, type Alphabet } from "./alphabet.ts";
import { nothing, type Check } from "./spans.ts";
import { plainForm, type MaskType } from "./token.ts";
import { looksRandom, shannon } from "./values.ts";

/** A known shape of secret: a literal keyword with a run of known characters and length after it. */
export interface Format {
  /** `vendor-what`, unique. */
  readonly id: string;
  readonly type: MaskType;
  /** Literal texts that start the value (or stand in it, with `lead`), in their own case; three characters or more. */
  readonly keywords: readonly string[];
  /** Characters that follow the keyword, as ranges (`A-Za-z0-9_-`). */
  readonly body: string;
  /** How many of them. A longer run is something else. */
  readonly min: number;
  readonly max: number;
  /** What of the value stands before the keyword. */
  readonly lead?: { readonly body: string; readonly min: number; readonly max: number };
  /** The keyword belongs to the context, not to the value: it stays readable. */
  readonly context?: true;
  /** The keyword also stands in ordinary words: the value must look random besides. */
  readonly random?: true;
  /** The keyword may stand inside a longer word. */
  readonly glued?: true;
  /** What the whole value must satisfy besides. */
  readonly shape?: (value: string) => boolean;
  /** Does the vendor's checksum hold? Where it does not and the body has little variety, it is a placeholder. */
  readonly checksum?: (value: string) => boolean;
  /** A second secret that usually stands near: a run of `body` of exactly `length` characters within `near` characters. */
  readonly companion?: { readonly body: string; readonly length: number; readonly near: number };
  /** The vendor's document that tells the shape. */
  readonly source: string;
  /** Builds a positive example where keyword and run alone don't make one; `pick` gives random characters of ranges. */
  readonly example?: (pick: (body: string, length: number) => string) => string;
  /** Texts that must stay as they are. */
  readonly negatives?: readonly string[];
}

/** Bodies with less variety than this (bits a character) and a wrong checksum are placeholders such as `ghp_xxxx…`. */
const leastVariety = 2.6;
/** Most characters of a value that variety and randomness are judged on. */
const judged = 400;

/** The check of one row, for a hit of one of its keywords. */
export function formatCheck(format: Format): Check {
  const body = alphabet(format.body);
  const lead = format.lead === undefined ? undefined : alphabet(format.lead.body);
  const companion = format.companion === undefined ? undefined : alphabet(format.companion.body);
  return (scan, hit, hitEnd) => {
    const { text } = scan;
    const start = startOf(format, lead, text, hit, hitEnd);
    if (start === -1) return nothing;
    const run = encodedRun(text, hitEnd, body, format.max + 1);
    scan.work += run.end - start;
    if (run.count < format.min || run.count > format.max) return nothing;
    if (!format.glued && !endsWord(text, run.end)) return nothing;
    const value = plainForm(text.slice(start, run.end));
    if (!accepted(format, value, text.slice(hitEnd, run.end))) return nothing;
    const span = { start, end: run.end, type: format.type, value, why: format.id };
    if (format.companion === undefined || companion === undefined) return [span];
    scan.work += format.companion.near;
    const second = companionOf(text, run.end, companion, format.companion);
    if (second === undefined) return [span];
    return [span, { ...second, type: "secret", value: text.slice(second.start, second.end), why: format.id }];
  };
}

function startOf(format: Format, lead: Alphabet | undefined, text: string, hit: number, hitEnd: number): number {
  if (format.context) return hitEnd;
  if (lead === undefined || format.lead === undefined) return format.glued || startsWord(text, hit) ? hit : -1;
  const start = runStart(text, hit, lead, format.lead.max + 1);
  const length = hit - start;
  return length >= format.lead.min && length <= format.lead.max ? start : -1;
}

function accepted(format: Format, value: string, body: string): boolean {
  if (format.shape !== undefined && !format.shape(value)) return false;
  if (format.random && !looksRandom(value.slice(0, judged)) && !mixesCases(body.slice(0, judged))) return false;
  if (format.checksum === undefined || format.checksum(value)) return true;
  return shannon(body.slice(0, judged)) >= leastVariety;
}

/** Capitals and small letters in turns, as no word has them: random text that happens to hold no digit. */
function mixesCases(body: string): boolean {
  return /^[A-Za-z0-9_-]{12,}$/.test(body) && (body.match(/[a-z][A-Z]|[A-Z][a-z]/g)?.length ?? 0) * 3 >= body.length;
}

function companionOf(
  text: string,
  from: number,
  body: Alphabet,
  wanted: NonNullable<Format["companion"]>,
): { start: number; end: number } | undefined {
  const stop = Math.min(text.length, from + wanted.near);
  for (let index = from; index < stop; index++) {
    if (!within(body, text.charCodeAt(index))) continue;
    const run = encodedRun(text, index, body, wanted.near);
    if (run.count === wanted.length && looksRandom(plainForm(text.slice(index, run.end)), 20)) {
      return { start: index, end: run.end };
    }
    index = run.end;
  }
  return undefined;
}
