// What stands between a name and its value: the many ways in which files, code, logs and URLs join the two.

import { alphabet, identifier, runEnd, runStart } from "./alphabet.ts";

/**
 * How a value is joined to its name. `tight` is `=` or `:` without a space around it, `loose` one with spaces,
 * `colon` a colon and a space, `flag` a command-line flag and a space, `said` words (`password is x`, SQL's
 * `PASSWORD 'x'`), `call` an argument, `tag` an element of XML, `value` the `value` beside a `name`.
 */
export type Joint = "tight" | "loose" | "colon" | "flag" | "said" | "call" | "tag" | "value";

export interface Joined {
  readonly joint: Joint;
  /** Where the value starts, spaces skipped. */
  readonly at: number;
  /** The name itself stood in quotes (JSON, code). */
  readonly quotedName: boolean;
}

/** A name around a keyword, as far as an identifier reaches. */
export interface Name {
  readonly start: number;
  readonly end: number;
  /** With the path segment before a slash, for `checksum/secret`. */
  readonly text: string;
}

const longestName = 96;
const blank = alphabet(" \t");

/** The identifier around a hit, without escapes and dashes that belong to its surroundings. */
export function nameAround(text: string, hit: number, hitEnd: number): Name {
  let start = runStart(text, hit, identifier, longestName);
  let end = runEnd(text, hitEnd, identifier, longestName);
  start = Math.min(hit, afterEscape(text, start));
  while (start < hit && ".-".includes(text[start] ?? "")) start++;
  while (end > hitEnd && ".-".includes(text[end - 1] ?? "")) end--;
  let from = start;
  if (text[start - 1] === "/" && text[start - 2] !== "/") from = runStart(text, start - 1, identifier, 64);
  return { start, end, text: text.slice(from, end) };
}

/** Past the rest of an escape that ends right before the identifier's first letters (`%3F`, `\n`, `\u0026`). */
function afterEscape(text: string, start: number): number {
  if (text[start - 1] === "%" && /^[0-9A-Fa-f]{2}/.test(text.slice(start, start + 2))) return start + 2;
  if (text[start - 1] !== "\\") return start;
  if (/^u[0-9A-Fa-f]{4}/.test(text.slice(start, start + 5))) return start + 5;
  return "nrt".includes(text[start] ?? " ") ? start + 1 : start;
}

const quote = /^(?:\\{0,8}["'`]|%22|%27|&quot;|&#3[49];|\\{1,4}u002[27])/;

/** The length of a quotation mark in any spelling at `at`, or 0. */
export function quoteLength(text: string, at: number): number {
  const code = text.charCodeAt(at);
  if (code !== 0x22 && code !== 0x27 && code !== 0x60 && code !== 0x5c && code !== 0x25 && code !== 0x26) return 0;
  return quote.exec(text.slice(at, at + 16))?.[0].length ?? 0;
}

const separator = /^(?::=|=>|<-|\?=|\+=|\|\||\?\?|={1,3}(?![=~>])|:(?!:)|%3[dDaA]|\\{1,4}u003[daDA]|&#61;)/;
const annotation = /^[A-Za-z_][\w<>.?[\]| ]{0,40}? ?= ?(?=\\{0,8}["'`])/;
const besideValue = /^[\s,;]{1,80}(?:\\{0,8}["'])?(?:value|val|Value|VALUE)(?:\\{0,8}["'])?[ \t]{0,8}(?:[:=]|=>)[ \t]{0,8}/;
const defaultValue = /^\s{0,8}\{[^{}]{0,160}?\bdefault\s{0,8}=\s{0,8}/;
const plistValue = /^<\/key>\s{0,80}<string>/;

/** Finds the value that belongs to a name, or undefined where nothing joins one to it. */
export function joinedTo(text: string, name: Name): Joined | undefined {
  let at = name.end;
  let quotedName = false;
  for (let closers = 0; closers < 4; closers++) {
    const length = quoteLength(text, at) || (text[at] === "]" || text[at] === "*" ? 1 : 0);
    if (length === 0) break;
    if (text[at] !== "*" && text[at] !== "]") quotedName = true;
    at += length;
  }
  const spaced = runEnd(text, at, blank, 40);
  const mark = separator.exec(text.slice(spaced, spaced + 8))?.[0];
  if (mark !== undefined) return afterMark(text, spaced, mark, spaced > at, quotedName);
  return unmarked(text, name, at, spaced, quotedName);
}

function afterMark(text: string, mark: number, sign: string, spaced: boolean, quotedName: boolean): Joined | undefined {
  const end = mark + sign.length;
  let at = runEnd(text, end, blank, 40);
  if (sign === ":" && text.startsWith("//", end)) return undefined;
  if ((sign === "||" || sign === "??") && quoteLength(text, at) === 0) return undefined;
  if (sign === ":" && at > end) {
    const typed = annotation.exec(text.slice(at, at + 64))?.[0];
    if (typed !== undefined) return { joint: "loose", at: at + typed.length, quotedName };
  }
  if (at > end && sign === ":" && !spaced) return { joint: "colon", at, quotedName };
  return { joint: spaced || at > end ? "loose" : "tight", at, quotedName };
}

/** Joints without a sign of their own. `at` stands behind closing quotes, `spaced` behind the blanks that follow. */
function unmarked(text: string, name: Name, at: number, spaced: number, quotedName: boolean): Joined | undefined {
  const rest = text.slice(at, at + 120);
  const beside = (besideValue.exec(rest) ?? plistValue.exec(rest) ?? defaultValue.exec(text.slice(at, at + 200)))?.[0];
  if (beside !== undefined) return { joint: beside.startsWith("<") ? "tag" : "value", at: at + beside.length, quotedName };
  if (quotedName && text[spaced] === ",") return afterComma(text, name, spaced + 1);
  if (!quotedName && text[at] === "(" && quoteLength(text, at + 1) > 0) return { joint: "call", at: at + 1, quotedName };
  if (text[name.start - 1] === "<") return insideTag(text, name.end);
  if (spaced === at || quotedName) return undefined;
  if (isFlag(text, name.start)) return { joint: "flag", at: spaced, quotedName };
  const words = /^(?:is|was|=|:|IS|to be)[ :=]{1,4}/.exec(text.slice(spaced, spaced + 10))?.[0];
  if (words !== undefined) return { joint: "said", at: spaced + words.length, quotedName };
  return quoteLength(text, spaced) > 0 || isCommand(text, name) ? { joint: "said", at: spaced, quotedName } : undefined;
}

/** `("password", "x")`: only as arguments of a call, since lists of names look alike otherwise. */
function afterComma(text: string, name: Name, comma: number): Joined | undefined {
  const at = runEnd(text, comma, blank, 40);
  const before = text.slice(Math.max(0, name.start - 12), name.start);
  if (!/\(\s{0,4}\\{0,8}["'`]$/.test(before) || quoteLength(text, at) === 0) return undefined;
  return { joint: "call", at, quotedName: true };
}

/** `<password attr="…">x</password>`; an attribute's own value is found by its own name. */
function insideTag(text: string, end: number): Joined | undefined {
  const attributes = /^(?:\s[^<>]{0,160})?>/.exec(text.slice(end, end + 164))?.[0];
  if (attributes === undefined || attributes.endsWith("/>")) return undefined;
  return { joint: "tag", at: end + attributes.length, quotedName: false };
}

function isFlag(text: string, start: number): boolean {
  if (text[start - 1] !== "-") return false;
  const dashes = text[start - 2] === "-" ? start - 2 : start - 1;
  return dashes === 0 || /[\s"'`[,(=]/.test(text[dashes - 1] ?? "");
}

/** Places where a bare word after the name is its value: netrc, Dockerfile, redis.conf and the like. */
function isCommand(text: string, name: Name): boolean {
  const before = text.slice(Math.max(0, name.start - 120), name.start);
  const line = before.slice(before.lastIndexOf("\n") + 1);
  if (/^\s*(?:ENV|ARG|SetEnv|setx|setenv|set)\s+(?:\w+\s+)?$/.test(line)) return true;
  if (/\blogin\s+\S+\s+$/.test(line) || (/^\s+$/.test(line) && /\blogin\s+\S+\s+$/.test(before))) return true;
  return /^\s*$/.test(line) && /^(?:requirepass|masterauth|sentinel|auth-pass|ldap_bind_password)$/.test(name.text);
}

/** Is there nothing but indentation, list and export marks between the line's start and `start`? */
export function opensLine(text: string, start: number): boolean {
  const from = runStart(text, start, openers, 48);
  const before = text.slice(Math.max(0, from - 8), from);
  if (from === 0 || /[\n\r]$|\\n$/.test(before)) return true;
  return /(?:^|[\n\r])(?:\s*)(?:export|set|ENV|ARG|env|-e|local)$/.test(before);
}
const openers = alphabet(" \t\"'-");

