// Names with values in any text: `password=…`, YAML, JSON, code, flags, headers and cookies. Long because what makes a value believable is judged in one place.

import { columnsBelow } from "./columns.ts";
import { fieldOf, hides, type Field } from "./fields.ts";
import { cookieValue, headerValue } from "./headers.ts";
import { quoteLength, type Joined, type Name } from "./joints.ts";
import { joinedTo, nameAround, nameText, opensLine } from "./separators.ts";
import { nothing, type Check, type Scan, type Span } from "./spans.ts";
import { plainForm, tokenEnd } from "./token.ts";
import { quotedAt, valueRun, withoutReference, type Run } from "./value-runs.ts";
import { isPlainWord, isSentenceWord } from "./values.ts";
import { yamlBlock } from "./yaml-block.ts";

/** Words of names that may promise a secret; each is looked for anywhere and judged with the name around it. */
export const nameKeywords: readonly string[] = (
  "pass pwd psw pswd secret token key cred auth dsn connectionstring connstr connection_string conn_str cookie signature " +
  "encrypt jwt otp mnemonic seed salt pepper kennwort senha contrase parola _pw pw= pw: pw\" pw' _pat pat= bearer psk sessionid " +
  "phpsessid jsessionid sig= sig%3d pin= cvv cvc fernet sas= bindpw rootpw"
)
  .split(" ")
  .concat("identified by", "pw =");

/** Checks the name around a keyword and hides the value that it promises. */
export function pairCheck(remember: (name: string) => Field | undefined): Check {
  return (scan, hit, hitEnd) => {
    const { text, seen } = scan;
    if (hit >= seen.nameStart && hitEnd <= seen.nameEnd) return nothing;
    const name = nameAround(text, hit, hitEnd);
    seen.nameStart = name.start;
    seen.nameEnd = name.end;
    scan.work += name.end - name.start + 8;
    // Most names have no value: that is told sooner than what a name promises.
    const joined = joinedTo(text, name, scan.config);
    if (joined === undefined) return columnsBelow(scan, name, remember);
    const field = text[hit] !== "i" && text[hit] !== "I" ? remember(nameText(text, name)) : fieldOf("password");
    if (field === undefined) return nothing;
    scan.work += joined.at - name.end;
    return valueOf(scan, name, field, joined);
  };
}

/** What YAML may put before a value: a tag, an anchor (yaml.org, 1.2.2, section 6.9). */
const properties = /^(?:(?:![!\w-]{0,24}|&[\w-]{1,64})[ \t]{1,8}){1,2}(?=[^\s])/;

/** Tags whose value is the name of something else (docs.aws.amazon.com, CloudFormation; docs.gitlab.com, `!reference`). */
const refers = /^!(?:Ref|GetAtt|ImportValue|reference) /;

function valueOf(scan: Scan, name: Name, field: Field, given: Joined): readonly Span[] {
  const { text } = scan;
  const own = given.joint === "colon" && opensLine(text, name.start);
  const marks = own ? (properties.exec(text.slice(given.at, given.at + 96))?.[0] ?? "") : "";
  if (refers.test(marks)) return nothing;
  const before = marks.length;
  const joined = before === 0 ? given : { ...given, at: given.at + before };
  if (field.type === "authorization") return headerValue(scan, joined);
  if (field.type === "cookie") {
    const cookies = cookieValue(scan, joined);
    if (cookies !== undefined) return cookies;
  }
  const fileLine = opensLine(text, name.start) && joined.joint !== "call" && joined.joint !== "tag";
  if (fileLine && joined.joint !== "flag" && atLineEnd(text, joined.at)) {
    return field.strength === "sure" || scan.config ? yamlBlock(scan, name, joined.at, field.type) : nothing;
  }
  if (joined.quotedName && /[[{]/.test(text[joined.at] ?? "") && tokenEnd(text, joined.at) === -1) {
    return members(scan, field, joined.at);
  }
  const found =
    joined.joint === "tag" ? elementRun(text, joined.at) : valueRun(scan, joined.at, scan.config && fileLine);
  if (found === undefined) return nothing;
  scan.work += found.end - found.start;
  const run = withoutReference(text, found);
  const value = text.slice(run.start, run.end);
  if (tokenEnd(text, run.start) === run.end || isSegment(text, name, joined, value)) return nothing;
  if (joined.joint === "tight" && text[run.start - 1] === "`" && /^[a-z][\w./-]* /.test(value)) return nothing;
  if (!believable(scan, field, joined, run, value, fileLine)) return nothing;
  return [{ start: run.start, end: run.end, type: field.type, value: plainForm(value), why: `name:${field.type}` }];
}

const resource = /arn:[\w-]{1,16}:[\w-]{1,40}:[\w-]{0,24}:[0-9]{0,12}:$/;
const imageTag = /^[\w.-]{1,128}@sha256:[0-9a-f]{64}$|^v?[0-9]{1,4}(?:\.[0-9]{1,5}){1,3}[\w.-]{0,40}$/;

/** A part of a longer name, to which a colon joins the next: `arn:…:secret:prod/db`, `registry/token-service:v1.2.3`. */
function isSegment(text: string, name: Name, { joint, at }: Joined, value: string): boolean {
  if (joint !== "tight" || text[at - 1] !== ":") return false;
  const before = text[name.start - 1];
  return before === ":"
    ? resource.test(text.slice(Math.max(0, name.start - 120), name.start))
    : before === "/" && imageTag.test(value);
}

const holder = /^\{\s{0,16}\\{0,8}["'](?:value|plaintext|plain|text|stringValue|default)\\{0,8}["']\s{0,8}:\s{0,8}/i;

/** JSON below a name: the strings of a list, or the `value` of an object that wraps it. Other objects have names of their own. */
function members(scan: Scan, field: Field, open: number): readonly Span[] {
  const { text } = scan;
  const spans: Span[] = [];
  let at = open + (text[open] === "[" ? 1 : (holder.exec(text.slice(open, open + 80))?.[0].length ?? 0));
  for (let count = 0; count < 64 && at > open; count++) {
    at += /^[\s,]{0,64}/.exec(text.slice(at, at + 64))?.[0].length ?? 0;
    const run = quotedAt(scan, at);
    if (run === undefined) break;
    const value = text.slice(run.start, run.end);
    if (tokenEnd(text, run.start) !== run.end && hides(field, plainForm(value), "text")) {
      spans.push({
        start: run.start,
        end: run.end,
        type: field.type,
        value: plainForm(value),
        why: `name:${field.type}`,
      });
    }
    at = run.end + quoteLength(text, run.end);
  }
  return spans;
}

function atLineEnd(text: string, at: number): boolean {
  return at >= text.length || /^(?:[\r\n]|[|>][+-]?[0-9]?\s*(?:#.*)?[\r\n])/.test(text.slice(at, at + 80));
}

const characters = "<![CDATA[";

/** The text of an XML element, to its end tag. */
function elementRun(text: string, from: number): Run | undefined {
  const stop = Math.min(text.length, from + 4096);
  if (text.startsWith(characters, from)) {
    const start = from + characters.length;
    const close = text.slice(start, stop).indexOf("]]>");
    return { start, end: close === -1 ? stop : start + close, quoted: true };
  }
  let end = from;
  while (end < stop && text[end] !== "<") end++;
  return end > from && end < stop ? { start: from, end, quoted: true } : undefined;
}

/** Is this value a value at this place, and does the name promise that it is secret? */
function believable(scan: Scan, given: Field, joined: Joined, run: Run, value: string, fileLine: boolean): boolean {
  const field: Field = joined.paired ? { ...given, strength: "sure" } : given;
  const variable = scan.config || (joined.joint === "flag" && field.strength !== "weak");
  if (!hides(field, plainForm(value), variable ? "variable" : "text")) return false;
  if (run.quoted) return field.shy || joined.joint !== "said" || joined.inFile ? true : field.type === "password";
  if (isCode(value, joined, scan.config && fileLine)) return false;
  switch (joined.joint) {
    case "tight":
      return tightValue(scan, field, run, value);
    case "loose":
      return fileLine || scan.config ? !isSentenceWord(value) : !isPlainWord(value) || value.length >= 20;
    case "colon":
      return colonValue(scan, field, joined, run, value, fileLine);
    case "flag":
      return !value.startsWith("-") && !isSentenceWord(value);
    case "said":
      if (field.type !== "password" && !(joined.inFile ?? false))
        return field.strength === "sure" && isSaid(scan.text, run.start) && isKeyish(value);
      return !isSentenceWord(value) && (scan.config || (joined.inFile ?? false) || mixed(value));
    case "call":
    case "tag":
    case "value":
      return true;
  }
}

/** `password: x` in a sentence or a log line: a lone word is more likely a word than a value, unless a file's line ends with it. */
function colonValue(scan: Scan, field: Field, joined: Joined, run: Run, value: string, fileLine: boolean): boolean {
  if (joined.quotedName) return true;
  if (isSentenceWord(value))
    return scan.config && fileLine && field.type === "password" && endsLine(scan.text, run.end);
  if (fileLine && endsLine(scan.text, run.end)) return true;
  return mixed(value) && value.length >= 4 && (!field.shy || followsUser(scan.text, run.start));
}

/** `user: bob pass: …` on one line. */
function followsUser(text: string, at: number): boolean {
  return /(?:user|login|account)\w{0,8}\s{0,4}[:=][^\n]{0,80}$/i.test(text.slice(Math.max(0, at - 120), at));
}

function endsLine(text: string, end: number): boolean {
  return /^[ \t]*(?:#.*)?(?:[\r\n]|\\{1,8}n|["'`]|$)/.test(text.slice(end, end + 80));
}

/** `api key is x`, rather than two words side by side. */
function isSaid(text: string, at: number): boolean {
  return /\b(?:is|was)[ :=]{1,4}["'`]?$/i.test(text.slice(Math.max(0, at - 12), at));
}

/** Ten letters and digits or more, mixed, and nothing that joins names. */
function isKeyish(value: string): boolean {
  return value.length >= 10 && /[0-9]/.test(value) && /[A-Za-z]/.test(value) && !/[=:/]/.test(value);
}

/** `token=x`; with a colon a word of a sentence is none, and a pointer or short word is no token at all. */
function tightValue(scan: Scan, field: Field, run: Run, value: string): boolean {
  if (scan.text[run.start - 1] === ":" && (field.shy || isSentenceWord(value))) return false;
  return field.type !== "token" || !/^0x[0-9a-fA-F]{1,16}$/.test(value);
}

/** Letters with digits or marks among them: no ordinary word. */
function mixed(value: string): boolean {
  if ((value.match(/[a-z][A-Z]|[A-Z][a-z]/g)?.length ?? 0) * 3 >= value.length && value.length >= 8) return true;
  return /[0-9]/.test(value)
    ? /[A-Za-z]/.test(value) || value.length >= 6
    : /[A-Za-z][^A-Za-z\s.,;:'-]+[A-Za-z]|[!@#$%^&*]/.test(value);
}

const roots =
  "self|this|config|settings|os|process|args|opts|options|req|request|env|params|ctx|context|data|props|var|local|module|app|cfg|conf|user|body|event|secrets|steps|inputs|vars|github|Values|viper|flags?";
const rooted = new RegExp(`^(?:${roots})(?:\\.|\\?\\.|\\[)[A-Za-z_]`);

/** An expression that stands for a value: a call, a member, an index, a printed object. */
function isCode(value: string, joined: Joined, ownLine: boolean): boolean {
  const head = value.slice(0, 256);
  if (rooted.test(head) || /^[A-Za-z_$][\w$.:]*\((?:.*\)|["'][^"']*$|$)/.test(head)) return true;
  if (ownLine) return false;
  if (/^(?:new|await|func|function|lambda|async|\[\]|\{\})$/.test(head)) return true;
  if (/^[A-Z][A-Za-z.]+(?:\{.*|@[0-9a-f]{4,16})$/.test(head)) return true;
  if (joined.joint === "tight") return false;
  return /^[A-Za-z_$][A-Za-z_$]*(?:\.[A-Za-z_$][A-Za-z_$]*)+$|^[A-Za-z_$][\w$.]*\[|^[&*][A-Za-z_]/.test(head);
}
