// The value that a pattern finds right behind a keyword: what most idioms are made of.

import { alphanumeric, startsWord, within } from "./alphabet.ts";
import { nothing, type Check, type Scan, type Span } from "./spans.ts";
import { plainForm, tokenEnd } from "./token.ts";
import { isPlaceholder, isReference } from "./values.ts";

/** How far a look reaches. */
export const reach = 512;

/** The group that `pattern`, anchored and bounded, finds right behind the keyword; a `glued` one may end a longer word, so that no common word begins it. */
export function behind(pattern: RegExp, glued = false): Check {
  return (scan, start, end) => {
    if (!glued && within(alphanumeric, scan.text.charCodeAt(start)) && !startsWord(scan.text, start)) return nothing;
    const found = pattern.exec(scan.text.slice(end, end + reach));
    scan.work += found?.[0].length ?? 16;
    const value = found?.[1] ?? "";
    return found === null ? nothing : spanOf(scan, end + found[0].length - value.length, value);
  };
}

/** The password that stands at `start`, unless it is a reference, a placeholder or hidden already. */
export function spanOf({ text }: Scan, start: number, value: string): readonly Span[] {
  if (value === "" || isReference(value) || isPlaceholder(value) || tokenEnd(text, start) === start + value.length)
    return nothing;
  return [{ start, end: start + value.length, type: "password", value: plainForm(value), why: "idiom" }];
}
