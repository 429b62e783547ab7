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
  "phpsessid jsessionid sig= sig%3d pin= cvv cvc fernet sas= bindpw rootpw y_code up_code pwhash _phrase"
)
  .split(" ")
  .concat("identified by", "pw =", "-pw ");

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
    // In SQL backticks quote names alone; in prose, `identified by` says what tells things apart.
    if (field === undefined || (name.end - name.start > 10 && text[joined.at] === "`" && text[hit + 10] === " "))
      return nothing;
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
    const described = ruled.exec(text.slice(joined.at, joined.at + 1100));
    if (described !== null) return ruledLine(joined.at + described[0].length, described[1] ?? "", field);
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
  if (joined.joint === "call" && isVerb.test(text.slice(name.start, name.end)) && !mixedWord.test(value))
    return nothing;
  if (!run.quoted && !(scan.config && fileLine) && isVariable(text, name, field, joined, value)) return nothing;
  if (!believable(scan, field, joined, run, value, fileLine)) return nothing;
  return [{ start: run.start, end: run.end, type: field.type, value: plainForm(value), why: `name:${field.type}` }];
}

/** A key with a rule below it and its value in the next line, as `kubectl describe configmap` has it. */
const ruled = /^\r?\n-{4}\r?\n([^\r\n]{1,1024})/;

function ruledLine(end: number, value: string, field: Field): readonly Span[] {
  if (!hides(field, plainForm(value), "variable")) return nothing;
  return [{ start: end - value.length, end, type: field.type, value: plainForm(value), why: `name:${field.type}` }];
}

/** `test.pass("it was emitted")`: a verb, unless a password is its argument. */
const isVerb = /(?:^|\.)pass$/i;
const mixedWord = /^(?=.*[0-9])\S{4,}$/;

/** Words of letters, joined by capitals as code does. */
const camelCase = /^[a-z]{2,}(?:[A-Z][a-z]{2,})+$/;

/** Code that hands a variable on: `self.pwd = pwd`, `apiKey: clientKey,`, `tokens = countTokens`. */
function isVariable(text: string, { start, end }: Name, field: Field, { joint }: Joined, value: string): boolean {
  if (joint !== "loose" && joint !== "colon" && joint !== "tight") return false;
  if (camelCase.test(value))
    return (
      (joint !== "tight" && field.type !== "password") || /(?:password|passwd|pwd|token|key|secret)s?$/i.test(value)
    );
  const same = value.length >= 3 && text.slice(start, end).endsWith(value);
  return same && (joint === "loose" || (joint === "tight" && /[),]/.test(text[end + value.length + 1] ?? "")));
}

const levels = /(?:^|[\n\s"])(?:DEBUG|INFO|WARNING|ERROR|CRITICAL):$/;
const resource = /arn:[\w-]{1,16}:[\w-]{1,40}:[\w-]{0,24}:[0-9]{0,12}:$/;
const imageTag = /^[\w.-]{1,128}@sha256:[0-9a-f]{64}$|^v?[0-9]{1,4}(?:\.[0-9]{1,5}){1,3}[\w.-]{0,40}$/;

/** A part of a longer name, to which a colon joins the next: `arn:…:secret:prod/db`, `registry/token-service:v1.2.3`. */
function isSegment(text: string, name: Name, { joint, at }: Joined, value: string): boolean {
  // A pair in its turn, which is judged by its own name: `credentials: source=x`.
  if (["colon", "tight", "said"].includes(joint) && text[at - 1] !== "=" && /^[A-Za-z_]{2,32}=[^=]/.test(value))
    return true;
  if (joint !== "tight" || text[at - 1] !== ":") return false;
  // Python's logging puts level and logger before a message.
  if (text[name.start - 1] === ":" && levels.test(text.slice(Math.max(0, name.start - 12), name.start))) return true;
  const before = text[name.start - 1];
  return before === ":"
    ? resource.test(text.slice(Math.max(0, name.start - 120), name.start))
    : before === "/" && imageTag.test(value);
}

const holder =
  /^\{\s{0,16}(?:\\{0,8}"type\\{0,8}"\s?:\s?\\{0,8}"\w{1,24}\\{0,8}"\s?,\s{0,16})?\\{0,8}["'](?:value|defaultValue|plaintext|plain|text|stringValue|default)\\{0,8}["']\s{0,8}:\s{0,8}/i;

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
/** An element that holds nothing but the value of the one around it. */
const inner = /^\s{0,80}<(?:\w{1,16}:)?(?:value|string|plaintext)>/i;

/** The text of an XML element, to its end tag. */
function elementRun(text: string, outer: number): Run | undefined {
  const from = outer + (inner.exec(text.slice(outer, outer + 120))?.[0].length ?? 0);
  const stop = Math.min(text.length, from + 4096);
  if (text.startsWith(characters, from)) {
    const start = from + characters.length;
    const close = text.slice(start, stop).indexOf("]]>");
    return { start, end: close === -1 ? stop : start + close, quoted: true };
  }
  let end = from;
  while (end < stop && text[end] !== "<") end++;
  return end > from && end < stop && text[end + 1] === "/" ? { start: from, end, quoted: true } : undefined;
}

/** Is this value a value at this place, and does the name promise that it is secret? */
function believable(scan: Scan, given: Field, joined: Joined, run: Run, value: string, fileLine: boolean): boolean {
  const field: Field = joined.paired ? { ...given, strength: "sure" } : given;
  const variable = scan.config || (joined.joint === "flag" && field.strength !== "weak");
  if (!hides(field, plainForm(value), variable ? "variable" : "text")) return false;
  if (run.quoted) return joined.joint !== "said" || (joined.inFile ?? false) || isQuoted(scan.text, field, run, value);
  if (isCode(value, joined, scan.config && fileLine)) return false;
  if (field.type === "token" && /^0x[0-9a-fA-F]{1,16}$/.test(value)) return false;
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
      return (
        !isSentenceWord(value) && !value.startsWith("-") && (scan.config || (joined.inFile ?? false) || mixed(value))
      );
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

/** What stands in quotes right behind a password's name. `pass` is mostly a verb, whose object is quoted as well. */
function isQuoted(text: string, field: Field, run: Run, value: string): boolean {
  if (!field.shy) return field.type === "password";
  return (
    followsUser(text, run.start) ||
    (value.length >= 6 && /[0-9]/.test(value) && mixed(value) && !/^-|[\s=()]/.test(value))
  );
}

/** `user: bob pass: …` on one line. */
function followsUser(text: string, at: number): boolean {
  return /(?:user|login|account|\bid)\w{0,8}\s{0,4}[:=][^\n]{0,80}$/i.test(text.slice(Math.max(0, at - 120), at));
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
  if (scan.text[run.start - 1] === ":" && (field.shy ? !isKeptShort(value) : isSentenceWord(value))) return false;
  return true;
}

/** `pw:x`: letters, digits and marks that people choose, in no notation. */
function isKeptShort(value: string): boolean {
  return (
    value.length >= 6 &&
    value.length <= 32 &&
    /[0-9]/.test(value) &&
    /[A-Za-z]{2}/.test(value) &&
    !/[=:/,()]/.test(value)
  );
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

/** A call whose arguments go on behind a blank or comma: `fn(text`, `func(p`. */
const beginsCall = /^[A-Za-z_$][A-Za-z_$.:]*\([A-Za-z_$.*&[\]]*$/;
/** What code builds in place: `[]string{}`, `&v1.Pod{`, `State{}`, and another package's name: `v1.LabelZone`. */
const composite =
  /^(?:&|\*|\[[\w.]*\]|map\[[\w.]+\])+[A-Za-z_]|^\(\*|^[A-Za-z_][A-Za-z_.]*\{\}?$|^(?:[a-z]{2,}|(?:core)?v[0-9](?:(?:alpha|beta)[0-9])?)\.[A-Z][A-Za-z]{5,}$/;

/** An expression that stands for a value: a call, a member, an index, a printed object. */
function isCode(value: string, joined: Joined, ownLine: boolean): boolean {
  const head = value.slice(0, 256);
  if (rooted.test(head) || /^[A-Za-z_$][\w$.:]*\((?:.*\)|["'][^"']*$|$)/.test(head)) return true;
  if (ownLine) return false;
  if (beginsCall.test(head) || composite.test(head)) return true;
  if (/^(?:new|await|func|function|lambda|async|\[\]|\{\})$/.test(head)) return true;
  if (/^[A-Z][A-Za-z.]+(?:\{.*|@[0-9a-f]{4,16})$/.test(head)) return true;
  if (joined.joint === "tight") return false;
  return /^[A-Za-z_$][A-Za-z_$]*(?:\.[A-Za-z_$][A-Za-z_$]*)+$|^[A-Za-z_$][\w$.]*\[|^[&*][A-Za-z_]/.test(head);
}
