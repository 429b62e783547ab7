// Literals that code compares with or copies to a name that promises a secret: `"x" == password`, `strcmp(password, "x")`.

import { fieldOf, hides } from "./fields.ts";
import { nothing, type Check, type Span } from "./spans.ts";
import { plainForm, tokenEnd } from "./token.ts";

/** How far such a look reaches to either side. */
const reach = 256;
const nameBehind = /^={0,2}\s{0,4}(?:\[\]byte\()?\$?([\w.]{1,64})/;
const literalBefore = /(["'])([^"'\n\\]{3,128})\1?$/;
const both =
  /^\s{0,4}(?:\[\]byte\()?[&*$]?([\w.>[\]-]{1,64}?)\)?,\s{0,4}(?:\[\]byte\()?(?:[bL@]?)(["'])([^"'\n\\]{3,256})\2/;
const reversed = /^\s{0,4}(["'])([^"'\n\\]{3,256})\1,\s{0,4}([\w.]{1,64})/;

/** The keyword ends the literal (`" ==`, `".equals(`); the name stands behind it. */
const before: Check = (scan, start, end) => {
  const { text } = scan;
  scan.work += 32;
  const name = nameBehind.exec(text.slice(end, end + 96))?.[1];
  if (name === undefined) return nothing;
  const found = literalBefore.exec(text.slice(Math.max(0, start - reach), start + 1));
  return found === null ? nothing : spanOf(text, start - (found[2] ?? "").length, found[2] ?? "", name);
};

/** The keyword opens a call that compares or copies its two arguments. */
const within: Check = (scan, _start, end) => {
  const { text } = scan;
  scan.work += 32;
  const rest = text.slice(end, end + 2 * reach);
  const found = both.exec(rest);
  if (found !== null) {
    const value = found[3] ?? "";
    return spanOf(text, end + found[0].length - 1 - value.length, value, found[1] ?? "");
  }
  const other = reversed.exec(rest);
  return other === null
    ? nothing
    : spanOf(text, end + other[0].indexOf(other[1] ?? "") + 1, other[2] ?? "", other[3] ?? "");
};

/** Tokens of a language are compared all day with words of it: of those, only what holds a digit counts. */
function spanOf(text: string, start: number, value: string, name: string): readonly Span[] {
  const field = fieldOf(name.slice(Math.max(name.lastIndexOf("."), name.lastIndexOf(">")) + 1));
  if (field === undefined || field.strength !== "sure" || !hides(field, plainForm(value), "text")) return nothing;
  if (field.type !== "password" && !/[0-9]/.test(value)) return nothing;
  if (tokenEnd(text, start) === start + value.length) return nothing;
  return [{ start, end: start + value.length, type: field.type, value: plainForm(value), why: "compared" }];
}

/** The keyword names what the literal before it is kept under (Swift, Objective-C). */
const keptUnder: Check = (scan, start, end) => {
  const { text } = scan;
  scan.work += 32;
  const name = /^[\w.-]{1,64}/.exec(text.slice(end, end + 64))?.[0];
  const found = name === undefined ? null : /"([^"\n]{3,256})",? $/.exec(text.slice(Math.max(0, start - reach), start));
  const value = found?.[1] ?? "";
  const at = start - (found?.[0].length ?? 0) + 1;
  return value === "" ? nothing : spanOf(text, at, value, name ?? "");
};

/** Keywords with their checks. */
export const compared: readonly (readonly [keywords: readonly string[], check: Check])[] = [
  [[`" ==`, `' ==`, `".equals(`], before],
  [[`forkey: "`, `forhttpheaderfield: "`, `forkey:@"`, `forhttpheaderfield:@"`], keptUnder],
  [
    ["strcmp(", "strncmp(", "strcpy(", "strncpy(", "assert_eq!(", "assertequals(", "assertequal(", "ttimecompare("],
    within,
  ],
];
