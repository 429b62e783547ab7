// Values of files that stand on the lines below their key: block scalars and lists, by indentation.

import type { Name } from "./joints.ts";
import { nothing, type Scan, type Span } from "./spans.ts";
import { plainForm, tokenEnd, type MaskType } from "./token.ts";
import { isPlaceholder } from "./values.ts";

/** Most text that is taken as one block. */
const longest = 32 * 1024;

/** Indentation of the line that holds `at`; a list mark counts as indentation. */
export function indentAt(text: string, at: number): number {
  let start = at;
  while (start > 0 && at - start < 512 && text[start - 1] !== "\n") start--;
  return indentOf(text, start);
}

function indentOf(text: string, lineStart: number): number {
  let at = lineStart;
  while (text[at] === " " || text[at] === "\t" || (text[at] === "-" && text[at + 1] === " ")) at++;
  return at - lineStart;
}

/** The lines below `from` that are indented deeper than `indent`: from the first one's text to the last one's end. */
export function linesBelow(text: string, from: number, indent: number): { start: number; end: number }[] {
  const lines: { start: number; end: number }[] = [];
  const stop = Math.min(text.length, from + longest);
  let line = text.indexOf("\n", from) + 1;
  while (line > 0 && line < stop) {
    const next = text.indexOf("\n", line);
    const end = next === -1 ? text.length : next;
    const inner = indentOf(text, line);
    if (text.slice(line, end).trim() !== "") {
      if (inner <= indent) break;
      lines.push({ start: line + inner, end: text[end - 1] === "\r" ? end - 1 : end });
    }
    line = end + 1;
  }
  return lines;
}

/** A block scalar (`key: |`) or a list of scalars below a key that promises a secret. Mappings below it are left to their own names. */
export function yamlBlock(scan: Scan, name: Name, at: number, type: MaskType): readonly Span[] {
  const { text } = scan;
  const lines = linesBelow(text, at, indentAt(text, name.start));
  const first = lines[0];
  const last = lines.at(-1);
  if (first === undefined || last === undefined) return nothing;
  scan.work += last.end - at;
  const isScalar = /^[|>]/.test(text.slice(at, at + 1));
  if (isScalar) {
    if (lines.length === 1 && tokenEnd(text, first.start) === first.end) return nothing;
    return [
      {
        start: first.start,
        end: last.end,
        type,
        value: plainForm(text.slice(first.start, last.end)),
        why: "yaml-block",
      },
    ];
  }
  return lines.flatMap(({ start, end }) => listItem(text, start + defaultOf(text.slice(start, start + 16)), end, type));
}

/** A parameter's default (AWS CloudFormation, "Parameters"): the value of the name above it. */
function defaultOf(line: string): number {
  return /^Default: (?=\S)/.exec(line)?.[0].length ?? 0;
}

function listItem(text: string, start: number, end: number, type: MaskType): readonly Span[] {
  const value = text.slice(start, end);
  if (!/(?:-\s+|Default: )$/.test(text.slice(Math.max(0, start - 12), start)) || /^[\w.-]+:(?:\s|$)/.test(value))
    return nothing;
  const bare = /^(["']?)(.*)\1$/.exec(value);
  const inner = bare?.[2] ?? value;
  const offset = bare?.[1]?.length ?? 0;
  if (isPlaceholder(inner) || tokenEnd(text, start + offset) === end - offset) return nothing;
  return [{ start: start + offset, end: end - offset, type, value: plainForm(inner), why: "yaml-list" }];
}
