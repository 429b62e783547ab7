// Rows that SQL writes: the values of an `INSERT` whose column names a secret, as servers log their statements.

import { fieldOf, hides, type Field } from "./fields.ts";
import { nothing, type Check, type Span } from "./spans.ts";
import { plainForm, tokenEnd } from "./token.ts";

/** A statement is followed no further. */
const reach = 4096;
const head = /^["'`[]?[\w."'`\]-]{1,130}\s{0,4}\(([^()]{1,1024})\)\s{1,8}values?\s{0,8}/i;
/** One value and what follows it: a string (a doubled quote stands for one), or anything without a comma and brackets. */
const item =
  /\s{0,8}(?:[NEB]?'((?:[^'\\]|''|\\.){0,1024})'(?:::\w{1,16})?|[^',()]{1,128}(?:\([^()]{0,128}\))?)\s{0,8}(,|\))/iy;
/** From one row to the next. */
const nextRow = /\s{0,8},?\s{0,8}\(/y;

/** `INSERT INTO users (name, password) VALUES ('bob', 'x'), (…)` (ISO/IEC 9075-2, insert statement). */
export const insertCheck: Check = (scan, _start, end) => {
  const text = scan.text.slice(end, end + reach);
  const found = head.exec(text);
  scan.work += found === null ? 16 : text.length;
  if (found === null) return nothing;
  const fields = (found[1] ?? "").split(",").map((name) => fieldOf(name.replace(/[\s"'`[\]]/g, "")));
  if (!fields.some((field) => field !== undefined)) return nothing;
  const spans: Span[] = [];
  nextRow.lastIndex = found[0].length;
  while (nextRow.test(text)) {
    item.lastIndex = nextRow.lastIndex;
    for (let column = 0, sign = ","; sign === ","; column++) {
      const start = item.lastIndex;
      const value = item.exec(text);
      if (value === null) return spans;
      sign = value[2] ?? ")";
      const at = end + start + value[0].indexOf("'") + 1;
      spans.push(...spanOf(scan.text, at, value[1], fields[column]));
    }
    nextRow.lastIndex = item.lastIndex;
  }
  return spans;
};

function spanOf(text: string, at: number, value: string | undefined, field: Field | undefined): readonly Span[] {
  if (value === undefined || value === "" || field === undefined) return nothing;
  if (tokenEnd(text, at) === at + value.length || !hides(field, plainForm(value), "variable")) return nothing;
  return [{ start: at, end: at + value.length, type: field.type, value: plainForm(value), why: "insert" }];
}
