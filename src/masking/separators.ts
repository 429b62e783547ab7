// What stands between a name and its value: the many ways in which files, code, logs and URLs join the two.

import { alphabet, digits, identifier, isSpace, runEnd, runStart, within } from "./alphabet.ts";
import { quoteLength, type Joined, type Name } from "./joints.ts";
import { secondArgument, unmarked } from "./unmarked.ts";

const longestName = 96;
const blank = alphabet(" \t");

/** The identifier around a hit, without escapes and dashes that belong to its surroundings. */
export function nameAround(text: string, hit: number, hitEnd: number): Name {
  let start = runStart(text, hit, identifier, longestName);
  let end = Math.max(runEnd(text, hit, identifier, longestName + hitEnd - hit), text[hit + 10] === " " ? hitEnd : 0);
  start = Math.min(hit, afterEscape(text, start));
  while (start < hit && within(dashes, text.charCodeAt(start))) start++;
  while (end > hit && within(dashes, text.charCodeAt(end - 1))) end--;
  return { start, end };
}
const dashes = alphabet(".-");

/** What is judged as the name: with the path segment before a slash, for `checksum/secret`, and the words that belong to it. */
export function nameText(text: string, { start, end }: Name): string {
  return text.slice(wordsBefore(text, start, end), end);
}

/** Words before the name that are part of what it says: a path segment (`checksum/secret`), or `API Key`, `Secret Access Key`. */
function wordsBefore(text: string, start: number, end: number): number {
  const before = text.charCodeAt(start - 1);
  if (before === 0x2f && text[start - 2] !== "/") return runStart(text, start - 1, identifier, 64);
  if (before !== 0x20 || end - start > 6 || !within(tails, text.charCodeAt(start))) return start;
  if (!/^(?:keys?|token|secret)$/i.test(text.slice(start, end))) return start;
  const word = wordBefore(text, start - 1);
  if (word === -1) return start;
  const second = text.charCodeAt(word - 1) === 0x20 ? wordBefore(text, word - 1) : -1;
  if (second !== -1 && opensWord(text, second)) return second;
  return opensWord(text, word) ? word : start;
}

/** The start of the word of 2 to 16 letters that ends before `end`, or -1. */
function wordBefore(text: string, end: number): number {
  const start = runStart(text, end, letters, 17);
  return end - start >= 2 && end - start <= 16 ? start : -1;
}
const letters = alphabet("A-Za-z");
/** What such a name starts with. */
const tails = alphabet("ktsKTS");
const openings = alphabet("\"'([");

function opensWord(text: string, at: number): boolean {
  return at === 0 || within(openings, text.charCodeAt(at - 1)) || isSpace(text.charCodeAt(at - 1));
}

/** Past the rest of an escape that ends right before the identifier's first letters (`%3F`, `\n`, `\u0026`). */
function afterEscape(text: string, start: number): number {
  const before = text.charCodeAt(start - 1);
  if (before === 0x25 && /^[0-9A-Fa-f]{2}/.test(text.slice(start, start + 2))) return start + 2;
  if (before !== 0x5c) return start;
  if (/^u[0-9A-Fa-f]{4}/.test(text.slice(start, start + 5))) return start + 5;
  return "nrt".includes(text[start] ?? " ") ? start + 1 : start;
}

const separator =
  /^(?:!={1,2}|<=|\?:|\|\|=|\?\?=|:=|=>|->|<-|\?=|\+=|\|\||\?\?|\\{0,2}={1,3}(?![=~>])|\\{0,2}:(?!:)|%3[dDaA]|\\{1,4}u003[daDA]|&#(?:61|58|x3[daDA]);|[\uff1a\uff1d])/;
/** What a separator may start with. */
const signs = alphabet(":=!<?+|%\\&-");
const annotation =
  /^(?:&(?:'\w{1,16} )?(?:mut )?)?(?:\[u8(?:; ?[0-9]{1,4})?\]|[A-Za-z_][\w<>.?[\]| ]{0,40}?) ?= ?(?=b?\\{0,8}["'`])/;

/** Finds the value that belongs to a name, or undefined where nothing joins one to it. */
export function joinedTo(text: string, name: Name, config: boolean): Joined | undefined {
  let at = name.end;
  let quotedName = false;
  for (let closers = 0; closers < 4; closers++) {
    const code = text.charCodeAt(at);
    const closer = code === 0x5d || code === 0x2a || (code === 0x7d && opensBrace(text, name.start));
    const length = closer ? 1 : quoteLength(text, at);
    if (length === 0) break;
    if (!closer) quotedName = true;
    at += length;
  }
  if (text.charCodeAt(at) === 0x5b) at += /^\[[0-9]{0,5}\]/.exec(text.slice(at, at + 8))?.[0].length ?? 0;
  if (!quotedName && text.charCodeAt(at) === 0x20 && within(digits, text.charCodeAt(at + 1)))
    at += /^ [0-9]{1,2}(?=[ \t]?[:=])/.exec(text.slice(at, at + 6))?.[0].length ?? 0;
  if (text.charCodeAt(at) === 0x2e && text.charCodeAt(at + 1) === 0x2e) at = runEnd(text, at, dots, 40);
  const spaced = runEnd(text, at, blank, 40);
  const first = text.charCodeAt(spaced);
  const mark = within(signs, first) || first > 0xff00 ? separator.exec(text.slice(spaced, spaced + 8))?.[0] : undefined;
  if (mark !== undefined) return afterMark(text, name, spaced, mark, spaced > at, quotedName);
  return unmarked(text, name, at, spaced, quotedName, config);
}

/** Names whose value may be a pair of a user and a password. */
const paired = /auth|cred|login|account|pass|pw/i;

const dots = alphabet(".");

/** `$config{password}` */
function opensBrace(text: string, start: number): boolean {
  const quoted = /["']/.test(text[start - 1] ?? " ") ? start - 1 : start;
  return text[quoted - 1] === "{" && /\w/.test(text[quoted - 2] ?? " ");
}

function afterMark(
  text: string,
  name: Name,
  mark: number,
  sign: string,
  spaced: boolean,
  quotedName: boolean,
): Joined | undefined {
  const end = mark + sign.length;
  let at = afterBlanks(text, end);
  if (sign === ":" && (text.startsWith("//", end) || (text[end] === "?" && text[name.start - 1] === "{")))
    return undefined;
  const second =
    text[at] === "(" && paired.test(text.slice(name.start, name.end)) ? secondArgument(text, at) : undefined;
  if (second !== undefined) return { joint: "call", at: second, quotedName, paired: true };
  if (quoteLength(text, at) === 0 && quotedOnly.has(sign)) return undefined;
  // A member of an object: `$token->text`.
  if (sign === "->" && at === end && !spaced) return undefined;
  if (compares.has(sign)) return { joint: "said", at, quotedName };
  if (sign === "?:" && !annotation.test(text.slice(at, at + 64))) return undefined;
  if ((sign === ":" || sign === "?:") && at > end) {
    const typed = annotation.exec(text.slice(at, at + 64))?.[0];
    if (typed !== undefined) return { joint: "loose", at: at + typed.length, quotedName };
  }
  if (at > end && sign === ":" && !spaced) return { joint: "colon", at, quotedName };
  return { joint: spaced || at > end ? "loose" : "tight", at, quotedName };
}

/** Signs of code, which joins a literal by them and no bare word. */
const quotedOnly = new Set(["||", "??", "!=", "!==", "<="]);
const compares = new Set(["!=", "!==", "<="]);

/** Past blanks, encoded ones and the stars that close bold print. */
function afterBlanks(text: string, from: number): number {
  const at = runEnd(text, from, blank, 40);
  return at + (/^(?:%20|\*\*[ \t]{0,4})(?=[^\s])/.exec(text.slice(at, at + 8))?.[0].length ?? 0);
}

/** Is there nothing but indentation, list and export marks between the line's start and `start`? */
export function opensLine(text: string, start: number): boolean {
  const from = runStart(text, start, openers, 48);
  if (from > 0 && !within(opening, text.charCodeAt(from - 1))) return false;
  const before = text.slice(Math.max(0, from - 8), from);
  if (from === 0 || /[\n\r]$|\\n$/.test(before)) return true;
  return /(?:^|[\n\r])(?:\s*)(?:export|set|ENV|ARG|env|-e|local)$/.test(before);
}
const openers = alphabet(" \t\"'-");
/** What may stand before them: a line end, or the last letter of a word that exports. */
const opening = alphabet("\n\rntVGvel");
