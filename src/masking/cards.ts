// Payment card numbers, found from any character inside them.

import { alphabet, digits, within } from "./alphabet.ts";
import { isCard } from "./checksums.ts";
import { nothing, type Scan, type Span } from "./spans.ts";

/** 19 digits with four separators. */
const longest = 23;
const grouped = /^[0-9]{4}([ -])[0-9]{4}\1[0-9]{4}\1[0-9]{4}(?:\1[0-9]{1,3})?$|^[0-9]{4}([ -])[0-9]{6}\2[0-9]{4,5}$/;

/** No number begins right behind one of these. */
export const joining = alphabet("A-Za-z0-9_.+/:-");

/** The card number around `at`: digits in one run, or in the groups that cards print, with nothing of a word around it. */
export function cardAt(scan: Scan, at: number): readonly Span[] {
  const { text } = scan;
  const start = stretch(text, at, -1);
  const end = stretch(text, at, 1);
  scan.work += end - start;
  if (end - start < 13 || end - start > longest || !stands(text, start, end)) return nothing;
  const written = text.slice(start, end);
  const number = written.replace(/[ -]/g, "");
  if (number.length < 13 || (number.length !== written.length && !grouped.test(written)) || !isCard(number))
    return nothing;
  return [{ start, end, type: "card", value: number, why: "card" }];
}

/** As far as digits with single separators between them reach, at most one card's length. */
function stretch(text: string, at: number, step: -1 | 1): number {
  let edge = step === 1 ? at : at + 1;
  let place = at;
  for (let count = 0; count <= longest; count++) {
    const code = text.charCodeAt(place);
    if (within(digits, code)) edge = step === 1 ? place + 1 : place;
    else if (!(code === 0x20 || code === 0x2d) || !within(digits, text.charCodeAt(place + step))) break;
    place += step;
  }
  return edge;
}

function stands(text: string, start: number, end: number): boolean {
  return !within(joining, text.charCodeAt(start - 1)) && !/^(?:\w|[.:/-]\w)/.test(text.slice(end, end + 2));
}
