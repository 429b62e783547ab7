// The mechanics of an answer's text: quoting, cutting, tables, frames. It knows no words; render.ts has them all.

/** Characters that can hide, reorder or overwrite text: C0 but tab and newline, C1, fillers, bidi, zero-width, separators, variation selectors, private use, tags. */
export const unseen =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\ue000-\uf8ff\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}\u{f0000}-\u{10ffff}]|[\ufe00-\ufe0f]|\u034f/gu;

/** Shows each such character as `\u{202E}`; the masker has done so before, this is the second line. */
export function neutral(text: string): string {
  return text.toWellFormed().replace(unseen, (one) => `\\u{${one.codePointAt(0)?.toString(16).toUpperCase() ?? ""}}`);
}

/** Neutral text that stays on its line. */
export function oneLine(text: string): string {
  return neutral(text).replace(/\n/g, "\\n").replace(/\t/g, " ");
}

export function bytesOf(text: string): number {
  return Buffer.byteLength(text);
}

/** The longest beginning of whole characters within `max` bytes, with `…` where something was cut. */
export function cutBytes(text: string, max: number): string {
  if (bytesOf(text) <= max) return text;
  let kept = "";
  let size = bytesOf("…");
  for (const point of text) {
    size += bytesOf(point);
    if (size > max) break;
    kept += point;
  }
  return `${kept}…`;
}

/** Foreign text as a JSON string of at most `max` bytes, pure of unseen characters. */
export function quoteText(text: string, max = 300): string {
  let kept = "";
  let size = bytesOf('""…');
  for (const point of text.toWellFormed()) {
    const escaped = JSON.stringify(point).slice(1, -1).replace(unseen, escapePoint);
    size += bytesOf(escaped);
    if (size > max) return `"${kept}…"`;
    kept += escaped;
  }
  return `"${kept}"`;
}

/** One unseen character as JSON escapes it. */
export function escapePoint(point: string): string {
  const units = Array.from({ length: point.length }, (_, at) => point.charCodeAt(at).toString(16).padStart(4, "0"));
  return units.map((unit) => `\\u${unit}`).join("");
}

/** One token, maybe with a parenthesis such as `7 (6m39s ago)`: cannot read as a sentence. */
const plainCell = /^[\w.:/@+,<>()[\]*=%~^$#&;'-]{1,253}( \([\w.]+( ago)?\))?$/;

/** A table's cell: bare where it is one token, quoted where it could say something. */
export function cell(text: string): string {
  if (text === "") return "<none>";
  return plainCell.test(text) ? text : quoteText(text);
}

export interface FoldedTable {
  /** Columns equal in all rows, as `TITLE value`. */
  readonly same: readonly string[];
  readonly header: string;
  readonly rows: readonly string[];
}

/** Folds every column but the first that has one value in all of several rows. */
export function foldTable(columns: readonly string[], rows: readonly (readonly string[])[]): FoldedTable {
  const folded = columns.map(
    (_, at) => at > 0 && rows.length > 1 && new Set(rows.map((row) => row[at] ?? "")).size === 1,
  );
  const pick = (cells: readonly string[]): string =>
    columns.flatMap((_, at) => (folded[at] === true ? [] : [cell(cells[at] ?? "")])).join(" | ");
  return {
    same: columns.flatMap((title, at) => (folded[at] === true ? [`${cell(title)} ${cell(rows[0]?.[at] ?? "")}`] : [])),
    header: pick(columns),
    rows: rows.map(pick),
  };
}

/** As many lines from the front as fit the bytes, newlines counted. */
export function fitFirst(lines: readonly string[], max: number): readonly string[] {
  let size = 0;
  const end = lines.findIndex((line) => (size += bytesOf(line) + 1) > max);
  return end === -1 ? lines : lines.slice(0, end);
}

/** As many lines from the end as fit the bytes: of a log the newest count. */
export function fitLast(lines: readonly string[], max: number): readonly string[] {
  return fitFirst(lines.toReversed(), max).toReversed();
}

/** Free text as lines that each begin with a bar, so that no line of it can pass for ours; lines are cut at 2,000 characters. */
export function barredLines(text: string): readonly string[] {
  const lines = text.replace(/\n$/, "").split("\n");
  return lines.map((line) => {
    const shown = line.endsWith("\r") ? line.slice(0, -1) : line;
    return `|${neutral(shown.length > 2_000 ? `${shown.slice(0, 2_000)}…` : shown)}`;
  });
}

/** Four hexadecimal digits that the text does not hold. */
export function tagAbsentFrom(text: string, random: (count: number) => Uint8Array): string {
  for (;;) {
    const tag = Buffer.from(random(2)).toString("hex");
    if (!text.includes(tag)) return tag;
  }
}
