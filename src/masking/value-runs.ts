// How far a value reaches: quoted to its closing mark, bare to the next thing that can't belong to it.

import { alphabet, identifier, isSpace, runEnd, within, word } from "./alphabet.ts";
import { quoteLength } from "./joints.ts";
import type { Scan } from "./spans.ts";
import { tokenEnd, veiled } from "./token.ts";

/** A value's stretch in the text, without its quotes. */
export interface Run {
  readonly start: number;
  readonly end: number;
  readonly quoted: boolean;
}

/** Longest value that is followed; what is longer is hidden up to here and met again by the next check. */
const longest = 16 * 1024;
const wrappers =
  /^(?:!{1,2}[\w-]{1,24} |string\([0-9]{1,5}\) )?(?:(?:new )?(?:String(?:::from)?|SecretStr|SecretString::new|QString|QStringLiteral|Some|Secret|SecureString|SensitiveString)\(|(?:base64\.)?(?:b64decode|urlsafe_b64decode)\(|atob\(|Buffer\.from\(|\[\]byte\(|\(string\)|[bBrRuUfFLN@$]{1,2})?(?=\\{0,8}["'`])/;

/** What one may start with. */
const wrapping = alphabet("!nsSbuaB[(rRUfFLNQ@$");
/** What stands behind its first word. */
const wrapEnds = alphabet("(\"'`\\[$@:");

function mayWrap(text: string, from: number): boolean {
  const first = text.charCodeAt(from);
  if (!within(wrapping, first)) return false;
  if (!within(word, first) || first === 0x6e) return true;
  return within(wrapEnds, text.charCodeAt(runEnd(text, from, identifier, 24)));
}

/** The value that starts at `from`; `wholeLine` where a file's line belongs to its key. */
export function valueRun(scan: Scan, from: number, wholeLine: boolean): Run | undefined {
  const { text } = scan;
  const wraps = mayWrap(text, from) ? wrappers.exec(text.slice(from, from + 40)) : null;
  const start = from + (wraps?.[0].length ?? 0);
  const mark = quoteLength(text, start);
  if (mark > 0) return quotedRun(scan, start, mark);
  return wholeLine ? lineRun(text, start) : bareRun(scan, start);
}

/** The quoted value that starts with a quotation mark at `open`, or undefined where none does. */
export function quotedAt(scan: Scan, open: number): Run | undefined {
  const mark = quoteLength(scan.text, open);
  return mark === 0 ? undefined : quotedRun(scan, open, mark);
}

/** To the closing mark in the same spelling: as many backslashes as opened it (JSON inside JSON doubles them). */
function quotedRun(scan: Scan, open: number, length: number): Run | undefined {
  const { text } = scan;
  const mark = text.slice(open, open + length);
  const tripled = length === 1 && text.startsWith(mark + mark, open + 1) ? 3 : 1;
  const start = open + length * tripled;
  if (tripled === 3 && text[start] === undefined) return undefined;
  const stop = Math.min(text.length, start + longest);
  const end =
    mark.endsWith('"') || mark.endsWith("'") || mark.endsWith("`")
      ? closing(text, start, stop, mark, tripled === 3 || (scan.config && runsOn(text, start)))
      : indexBefore(scan, mark, start, stop);
  scan.work += end - start;
  if (end === start || isClosing(text, open, start, mark)) return undefined;
  return { start, end, quoted: true };
}

/** Does a file's quoted value go on in indented lines below (YAML's double-quoted style folds them)? */
function runsOn(text: string, start: number): boolean {
  const lines = /^[^"'\n]{0,1024}(?:\n[ \t]+[^"'\n]{0,1024}){1,16}["']/.exec(text.slice(start, start + 4096));
  return lines !== null;
}

function indexBefore(scan: Scan, mark: string, start: number, stop: number): number {
  const at = scan.text.slice(start, stop).toLowerCase().indexOf(mark.toLowerCase());
  return at === -1 ? (bareRun(scan, start)?.end ?? start) : start + at;
}

function closing(text: string, start: number, stop: number, mark: string, tripled: boolean): number {
  const sign = mark.at(-1) ?? '"';
  const level = mark.length - 1;
  for (let index = start; index < stop; index++) {
    const code = text[index];
    if (code === "\n" && !tripled && sign !== "`" && text[index - 1] !== "\\") return index;
    if (code !== sign && code !== "\\") continue;
    const slashes = code === "\\" ? runEnd(text, index, backslash, stop - index) - index : 0;
    if (text[index + slashes] !== sign) {
      index += Math.max(0, slashes - 1);
      continue;
    }
    const closes = level === 0 ? slashes % 2 === 0 : slashes <= level;
    if (closes && !doubled(text, index, slashes, sign, level)) return level === 0 ? index + slashes : index;
    if (closes) index += 1;
    index += slashes;
  }
  return stop;
}
const backslash = alphabet("\\");

/** `''` inside a single-quoted YAML or SQL string stands for one quote. */
function doubled(text: string, index: number, slashes: number, sign: string, level: number): boolean {
  return level === 0 && slashes === 0 && sign === "'" && text[index + 1] === "'" && /[\w]/.test(text[index + 2] ?? "");
}

/** Is the mark rather the end of an earlier string (`prompt("Password: ")`)? */
function isClosing(text: string, open: number, start: number, mark: string): boolean {
  if (mark.length > 1 && !mark.startsWith("\\")) return false;
  if (/^(?:\s|[,;)\]}]|\+[\w$(])/.test(text.slice(start, start + 2)) && closesOnLine(text, open, mark)) return true;
  return text[open - 1] === " " && /^(?:[),;\]}]|\s*$|\s*[+.)]\s)/.test(text.slice(start, start + 4));
}

/** Is the mark at `at` one that closes, by how many of them its line holds before it? */
function closesOnLine(text: string, at: number, mark: string): boolean {
  const before = text.slice(Math.max(0, at - 256), at);
  return before.slice(before.lastIndexOf("\n") + 1).split(mark).length % 2 === 0;
}

function endsLine(text: string, at: number): boolean {
  return text.charCodeAt(at) === 0x0a || text.charCodeAt(at) === 0x0d;
}

/** Does a backslash before the line end join the next line to it (properties files, shells, YAML's double-quoted style)? */
function goesOn(text: string, at: number): boolean {
  const before = text.charCodeAt(at - 1);
  return before === 0x5c || (before === 0x0d && text.charCodeAt(at - 2) === 0x5c);
}

/** The rest of a file's line, without a comment or a closing comma. */
function lineRun(text: string, start: number): Run | undefined {
  const stop = Math.min(text.length, start + longest);
  let end = start;
  while (end < stop && (!endsLine(text, end) || goesOn(text, end))) {
    if (text[end] === "#" && end > start && /\s/.test(text[end - 1] ?? "")) break;
    const token = tokenEnd(text, end);
    end = token === -1 ? end + 1 : token;
  }
  while (end > start && /[\s,;]/.test(text[end - 1] ?? "")) end--;
  return end > start ? { start, end, quoted: false } : undefined;
}

const nextPair =
  /^(?:&amp;|&|%26|\\{1,4}u0026|[,;|])\s?(?:\\{0,8}["'])?(?:[A-Za-z_][\w.\-[\]]{0,60})(?:\\{0,8}["'])?\s?(?:=|:|%3[dD]|\\{1,4}u003d)/;
const escapedBreak = /^\\{1,8}[nrt](?:$|[\s"'\\\]})]|[-\w. ]{1,60}[=:])/;
const openClosers: { readonly [closer: string]: string } = { ")": "(", "]": "[", "}": "{", ">": "<" };

/** The default inside `${NAME:-default}`, or the run itself. */
export function withoutReference(text: string, run: Run): Run {
  if (text[run.start] !== "$") return run;
  const value = text.slice(run.start, run.end);
  const name = /^\$\{(?!(?:vault|secret|env|file|ssm|aws):)[\w.]{1,128}:(?!\?)[-=]?(?=[^}])/.exec(value)?.[0];
  return name === undefined || !value.endsWith("}")
    ? run
    : { ...run, start: run.start + name.length, end: run.end - 1 };
}

/** To white space, a quote that ends something, or the start of the next `name=`; brackets that it did not open are not its own. */
function bareRun(scan: Scan, start: number): Run | undefined {
  const { text, seen } = scan;
  if (start > seen.bareStart && start < seen.bareEnd) return trimmed(text, start, seen.bareEnd);
  const end = bareEnd(text, start);
  scan.work += end - start;
  seen.bareStart = start;
  seen.bareEnd = end;
  return trimmed(text, start, end);
}

function bareEnd(text: string, start: number): number {
  const stop = Math.min(text.length, start + longest);
  let end = start;
  while (end < stop) {
    const code = text.charCodeAt(end);
    if (end > start && endsLine(text, end) && goesOn(text, end)) {
      const next = runEnd(text, end, blanks, 64);
      if (next >= stop || isSpace(text.charCodeAt(next))) break;
      end = next;
      continue;
    }
    if (isSpace(code) || code === 0x3c) break;
    if (within(turning, code)) {
      const token = code === 0x5b ? tokenEnd(text, end) : -1;
      if (token !== -1) {
        end = token;
        continue;
      }
      if (endsBare(text, end, text[end] ?? "")) break;
    }
    end++;
  }
  return end;
}
const blanks = alphabet("\r\n \t");
/** At these a bare value may end, or holds a token. */
const turning = alphabet("[\"'`&%,;|\\");

function endsBare(text: string, at: number, sign: string): boolean {
  switch (sign) {
    case '"':
    case "'":
    case "`":
      return !/[\w$]/.test(text[at + 1] ?? " ");
    case "&":
    case "%":
    case ",":
    case ";":
    case "|":
      return (
        nextPair.test(text.slice(at, at + 80)) ||
        (sign === "%" && /^%(?:22|27|0[aAdD]|20|3[cCeE])/.test(text.slice(at, at + 3)))
      );
    case "\\":
      return (
        /^\\{1,8}["'`]|^\\{1,4}u00(?:2[27]|3[ceCE])/.test(text.slice(at, at + 14)) ||
        nextPair.test(text.slice(at, at + 80)) ||
        escapedBreak.test(text.slice(at, at + 80))
      );
    default:
      return false;
  }
}

function trimmed(text: string, start: number, from: number): Run | undefined {
  const value = veiled(text.slice(start, from));
  let end = from;
  while (end > start && from - end < mostTrimmed) {
    const sign = value[end - 1 - start] ?? "";
    const opener = openClosers[sign];
    if (opener === undefined ? !".,;:".includes(sign) : value.includes(opener)) break;
    end--;
  }
  return end > start ? { start, end, quoted: false } : undefined;
}
const mostTrimmed = 16;
