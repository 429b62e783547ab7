// Secrets written out as manifests inside texts (YAML or JSON, also escaped): every value of their data is hidden.

import { encodedSecret } from "./opened.ts";
import { nothing, type Check, type Scan, type Span } from "./spans.ts";
import { plainForm, tokenEnd } from "./token.ts";
import { quotedAt } from "./value-runs.ts";
import { indentAt, linesBelow } from "./yaml-block.ts";

export const manifestKeywords: readonly string[] = ["kind"];

/** How far around `kind: Secret` its data may stand; etcd holds objects of 1.5 MB, of which a text rarely has one whole. */
const reach = 256 * 1024;
const secretKind = /^(?:\\{0,8}["'])?\s{0,8}:\s{0,8}(?:\\{0,8}["'])?Secret(?:List)?(?![\w-])/;
const dataKey = /(?:^|[\s{,\\])(\\{0,8}["']?)(data|stringData)\1[ \t]*:[ \t]*/g;

/** `kind: Secret` at a hit: the values of `data` and `stringData` in the same document. */
export const manifestCheck: Check = (scan, start, end) => {
  const { text } = scan;
  if (start < scan.seen.manifest || !secretKind.test(text.slice(end, end + 48))) return nothing;
  const from = Math.max(scan.seen.manifest, documentStart(text, start));
  const to = documentEnd(text, end);
  scan.seen.manifest = to;
  scan.work += to - from;
  const spans: Span[] = [];
  for (const found of text.slice(from, to).matchAll(dataKey)) {
    const at = from + found.index + found[0].length;
    spans.push(...valuesAt(scan, at, from + found.index + found[0].search(/data|stringData/), to, found[2] === "data"));
  }
  return spans;
};

function documentStart(text: string, at: number): number {
  const least = Math.max(0, at - reach);
  const mark = text.slice(least, at).lastIndexOf("\n---");
  return mark === -1 ? least : least + mark + 1;
}

function documentEnd(text: string, at: number): number {
  const most = Math.min(text.length, at + reach);
  const mark = text.slice(at, most).indexOf("\n---");
  return mark === -1 ? most : at + mark + 1;
}

function valuesAt(scan: Scan, at: number, key: number, to: number, encoded: boolean): readonly Span[] {
  const { text } = scan;
  if (text[at] === "{") return flowValues(scan, at + 1, to, encoded);
  if (!/^(?:#.*)?[\r\n]/.test(text.slice(at, at + 200))) return nothing;
  const lines = linesBelow(text, at, indentAt(text, key));
  const level = lines[0] === undefined ? 0 : indentAt(text, lines[0].start);
  return lines.flatMap(({ start, end }) => lineValue(text, start, end, indentAt(text, start) > level, encoded));
}

/** `key: value` on its own line; a deeper line belongs to the value above it as a whole. */
function lineValue(text: string, start: number, end: number, deeper: boolean, encoded: boolean): readonly Span[] {
  const key = deeper
    ? ""
    : (/^(?:"[^"]{1,253}"|'[^']{1,253}'|[\w.-]{1,253})[ \t]*:[ \t]*/.exec(
        text.slice(start, Math.min(end, start + 300)),
      )?.[0] ?? "");
  const rest = text.slice(start + key.length, end);
  if ((key === "" && !deeper) || /^(?:[|>][+-]?[0-9]?|""|'')?\s*$/.test(rest)) return nothing;
  const quote = /^(["']).*\1$/.test(rest) ? 1 : 0;
  return span(text, start + key.length + quote, end - quote, encoded);
}

/** `{"key":"value",…}` at any level of escaping, up to its closing brace. */
function flowValues(scan: Scan, from: number, to: number, encoded: boolean): readonly Span[] {
  const { text } = scan;
  const spans: Span[] = [];
  for (let at = from; at < to;) {
    at += /^(?:\s|,|\\{1,8}n)*/.exec(text.slice(at, at + 256))?.[0].length ?? 0;
    if (text[at] === "}" || at >= to) break;
    const key = /^(\\{0,8}["']?)[^"'{}:,]{1,253}\1\s*:\s*/.exec(text.slice(at, at + 300))?.[0];
    if (key === undefined) break;
    at += key.length;
    const run = quotedAt(scan, at);
    if (run === undefined) {
      const bare = /^[^,}\n]{0,4096}/.exec(text.slice(at, at + 4096))?.[0] ?? "";
      if (!/^\s*(?:null|["']{2})?\s*$/.test(bare)) spans.push(...span(text, at, at + bare.length, encoded));
      at += Math.max(1, bare.length);
      continue;
    }
    spans.push(...span(text, run.start, run.end, encoded));
    at = run.end + /^(?:\\{0,8}["'])?/.exec(text.slice(run.end, run.end + 10))![0].length;
  }
  return spans;
}

function span(text: string, start: number, end: number, encoded: boolean): readonly Span[] {
  if (end <= start || tokenEnd(text, start) === end) return nothing;
  const value = plainForm(text.slice(start, end));
  return [{ start, end, type: "secret", value: encoded ? encodedSecret(value) : value, why: "manifest" }];
}
