// Values of `Authorization` and `Cookie` headers, wherever one is written: the scheme stays, the credentials go.

import type { Joined } from "./joints.ts";
import { nothing, type Scan, type Span } from "./spans.ts";
import { plainForm, tokenEnd } from "./token.ts";
import { valueRun, type Run } from "./value-runs.ts";
import { isPlaceholder, isPlainWord, isReference, isSentenceWord } from "./values.ts";

const scheme =
  /^(?:\[|\{)?(?:Bearer|Basic|Token|Digest|Negotiate|NTLM|ApiKey|AWS4-HMAC-SHA256|AWS|OAuth|Splunk|GenieKey|Bot|Key|JWT|SSWS|Hawk|DPoP)(?:[ \t+]|%20){1,4}/i;

/** An `Authorization` header's value (RFC 9110, section 11.6.2): the scheme stays, the credentials go. */
export function headerValue(scan: Scan, joined: Joined): readonly Span[] {
  const { text } = scan;
  let at = joined.at;
  const opening = /^(?:\[\]string\{|\[|\{)?(?:\\{0,8}["'`]|%22|&quot;)?/.exec(text.slice(at, at + 24))?.[0].length ?? 0;
  at += opening;
  const named = scheme.exec(text.slice(at, at + 32))?.[0] ?? "";
  const from = at + named.length;
  const many = /^(?:digest|aws4|oauth|hawk)/i.test(named.replace(/^[[{]/, ""));
  const run = many ? headerLine(text, from) : (valueRun(scan, from, false) ?? undefined);
  if (run === undefined || tokenEnd(text, run.start) === run.end) return nothing;
  const value = text.slice(run.start, run.end);
  scan.work += value.length;
  if (
    isPlaceholder(value) ||
    isReference(value) ||
    isSentenceWord(value) ||
    value.length < 4 ||
    /^(?:[A-Za-z_][\w.]{0,63}\(|"\s?\+)/.test(value) ||
    (named === "" && isPlainWord(value))
  )
    return nothing;
  return [{ start: run.start, end: run.end, type: "authorization", value: plainForm(value), why: "header" }];
}

/** The rest of a header's line, to its end or to the quote that holds it. */
function headerLine(text: string, from: number): Run | undefined {
  const stop = Math.min(text.length, from + 4096);
  let end = from;
  while (end < stop && !/[\r\n`]/.test(text[end] ?? "\n")) {
    if (text[end] === "'" || (text[end] === "\\" && /^\\{1,8}(?:n|")/.test(text.slice(end, end + 10)))) break;
    if (text[end] === '"' && !/[=\w]/.test(text[end - 1] ?? "") && !/^"\s*,/.test(text.slice(end, end + 8))) break;
    end++;
  }
  return end > from ? { start: from, end, quoted: true } : undefined;
}

const cookiePair = /^(?:\[MASKED:[a-z_:0-9]{2,34}\]|[\w.!#$%&*+^|~-]{1,80}=[^\s;,"'`\\\]}]*)/;
const cookieGap = /^; ?(?:(?:HttpOnly|Secure|Partitioned)(?![\w-])(?:; ?)?){0,3}/i;

/** `Cookie: a=b; c=d` (RFC 6265, section 4.2.1) and `Set-Cookie`: all pairs of the header; undefined where none stands. */
export function cookieValue(scan: Scan, joined: Joined): readonly Span[] | undefined {
  const { text } = scan;
  const opening =
    /^(?:\[(?!MASKED:)|\{)?(?:\\{0,8}["'`]|%22)?/.exec(text.slice(joined.at, joined.at + 16))?.[0].length ?? 0;
  const start = joined.at + opening;
  let end = start;
  for (let pairs = 0; pairs < 64; pairs++) {
    const pair = cookiePair.exec(text.slice(end, end + 4200))?.[0];
    if (pair === undefined) break;
    end += pair.length;
    const gap = cookieGap.exec(text.slice(end, end + 48))?.[0];
    if (gap === undefined) break;
    end += gap.length;
  }
  if (end === start) return undefined;
  scan.work += end - start;
  if (tokenEnd(text, start) === end) return nothing;
  return [{ start, end, type: "cookie", value: plainForm(text.slice(start, end)), why: "cookie" }];
}
