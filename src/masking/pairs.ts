// Names with values in any text: `password=…`, YAML, JSON, code, flags, headers and cookies.

import { fieldOf, hides, type Field } from "./fields.ts";
import { joinedTo, nameAround, opensLine, type Joined, type Name } from "./separators.ts";
import { nothing, type Check, type Scan, type Span } from "./spans.ts";
import { plainForm, tokenEnd } from "./token.ts";
import { valueRun, type Run } from "./value-runs.ts";
import { isPlaceholder, isPlainWord, isSentenceWord } from "./values.ts";
import { yamlBlock } from "./yaml-block.ts";

/** Words of names that may promise a secret; each is looked for anywhere and judged with the name around it. */
export const nameKeywords: readonly string[] = [
  ...["pass", "pwd", "psw", "pswd", "secret", "token", "key", "cred", "auth", "dsn", "connectionstring", "connstr"],
  ...["connection_string", "conn_str", "cookie", "signature", "jwt", "otp", "mnemonic", "seed", "salt", "pepper"],
  ...["identified by", "kennwort", "senha", "contrase", "parola", "_pw", "pw=", "pw:", "_pat", "pat=", "bearer"],
  ...["psk", "sessionid", "phpsessid", "jsessionid", "sig=", "sig%3d", "pin=", "cvv", "cvc", "fernet", "sas="],
];

/** Checks the name around a keyword and hides the value that it promises. */
export function pairCheck(remember: (name: string) => Field | undefined): Check {
  return (scan, hit, hitEnd) => {
    const { text } = scan;
    const name = nameAround(text, hit, hitEnd);
    scan.work += name.end - name.start + 8;
    const field = /^identified by$/i.test(text.slice(hit, hitEnd)) ? fieldOf("password") : remember(name.text);
    if (field === undefined) return nothing;
    const joined = joinedTo(text, name);
    if (joined === undefined) return nothing;
    scan.work += joined.at - name.end;
    return valueOf(scan, name, field, joined);
  };
}

function valueOf(scan: Scan, name: Name, field: Field, joined: Joined): readonly Span[] {
  const { text } = scan;
  if (field.type === "authorization") return headerValue(scan, joined);
  if (field.type === "cookie") {
    const cookies = cookieValue(scan, joined);
    if (cookies !== undefined) return cookies;
  }
  const fileLine = opensLine(text, name.start) && joined.joint !== "call" && joined.joint !== "tag";
  if (fileLine && joined.joint !== "flag" && atLineEnd(text, joined.at)) {
    return field.strength === "sure" || scan.config ? yamlBlock(scan, name, joined.at, field.type) : nothing;
  }
  const run = joined.joint === "tag" ? elementRun(text, joined.at) : valueRun(scan, joined.at, scan.config && fileLine);
  if (run === undefined) return nothing;
  scan.work += run.end - run.start;
  const value = text.slice(run.start, run.end);
  if (tokenEnd(text, run.start) === run.end) return nothing;
  if (!believable(scan, field, joined, run, value, fileLine)) return nothing;
  return [{ start: run.start, end: run.end, type: field.type, value: plainForm(value), why: `name:${field.type}` }];
}

function atLineEnd(text: string, at: number): boolean {
  return at >= text.length || /^(?:[\r\n]|[|>][+-]?[0-9]?\s*(?:#.*)?[\r\n])/.test(text.slice(at, at + 80));
}

/** The text of an XML element, to its end tag. */
function elementRun(text: string, from: number): Run | undefined {
  const stop = Math.min(text.length, from + 4096);
  let end = from;
  while (end < stop && text[end] !== "<") end++;
  return end > from && end < stop ? { start: from, end, quoted: true } : undefined;
}

/** Is this value a value at this place, and does the name promise that it is secret? */
function believable(scan: Scan, field: Field, joined: Joined, run: Run, value: string, fileLine: boolean): boolean {
  const variable = scan.config || isVariable(field, joined);
  if (!hides(field, plainForm(value), variable ? "variable" : "text")) return false;
  if (run.quoted) return field.shy || joined.joint !== "said" ? true : field.type === "password";
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
      return field.type === "password" && !isSentenceWord(value) && (scan.config || mixed(value));
    case "call":
    case "tag":
    case "value":
      return true;
  }
}

/** `password: x` in a sentence or a log line: a lone word is more likely a word than a value, unless a file's line ends with it. */
function colonValue(scan: Scan, field: Field, joined: Joined, run: Run, value: string, fileLine: boolean): boolean {
  if (joined.quotedName) return true;
  if (isSentenceWord(value)) return scan.config && fileLine && field.type === "password" && endsLine(scan.text, run.end);
  if (fileLine && endsLine(scan.text, run.end)) return true;
  return mixed(value) && value.length >= 4 && !field.shy;
}

function endsLine(text: string, end: number): boolean {
  return /^[ \t]*(?:#.*)?(?:[\r\n]|\\{1,8}n|["'`]|$)/.test(text.slice(end, end + 80));
}

/** `token=x`; with a colon a word of a sentence is none, and a pointer or short word is no token at all. */
function tightValue(scan: Scan, field: Field, run: Run, value: string): boolean {
  if (scan.text[run.start - 1] === ":" && (field.shy || isSentenceWord(value))) return false;
  return field.type !== "token" || !/^0x[0-9a-fA-F]{1,16}$/.test(value);
}

/** Letters with digits or marks among them: no ordinary word. */
function mixed(value: string): boolean {
  return /[0-9]/.test(value) ? /[A-Za-z]/.test(value) || value.length >= 6 : /[A-Za-z][^A-Za-z\s.,;:'-]+[A-Za-z]|[!@#$%^&*]/.test(value);
}

/** Names that are surely a variable's: `DB_SECRET=…` in capitals, joined tightly. */
function isVariable(field: Field, joined: Joined): boolean {
  return joined.joint === "flag" && field.strength !== "weak";
}

const roots = "self|this|config|settings|os|process|args|opts|options|req|request|env|params|ctx|context|data|props|var|local|module|app|cfg|conf|user|body|event|secrets|steps|inputs|vars|github|Values|viper|flags?";
const rooted = new RegExp(`^(?:${roots})(?:\\.|\\?\\.|\\[)[A-Za-z_]`);

/** An expression that stands for a value: a call, a member, an index, a printed object. */
function isCode(value: string, joined: Joined, ownLine: boolean): boolean {
  const head = value.slice(0, 256);
  if (rooted.test(head) || /^[A-Za-z_$][A-Za-z_$.:]*\((?:.*\)|$)/.test(head)) return true;
  if (ownLine) return false;
  if (/^(?:new|await|func|function|lambda|async|\[\]|\{\})$/.test(head)) return true;
  if (/^[A-Z][A-Za-z.]+(?:\{.*|@[0-9a-f]{4,16})$/.test(head)) return true;
  if (joined.joint === "tight") return false;
  return /^[A-Za-z_$][A-Za-z_$]*(?:\.[A-Za-z_$][A-Za-z_$]*)+$|^[A-Za-z_$][\w$.]*\[|^[&*][A-Za-z_]/.test(head);
}

const scheme = /^(?:\[|\{)?(?:Bearer|Basic|Token|Digest|Negotiate|NTLM|ApiKey|AWS4-HMAC-SHA256|AWS|OAuth|Splunk|GenieKey|Bot|Key|JWT|SSWS|Hawk|DPoP)(?:[ \t+]|%20){1,4}/i;

/** An `Authorization` header's value (RFC 9110, section 11.6.2): the scheme stays, the credentials go. */
function headerValue(scan: Scan, joined: Joined): readonly Span[] {
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
  if (isPlaceholder(value) || isSentenceWord(value) || value.length < 4 || (named === "" && isPlainWord(value))) return nothing;
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
function cookieValue(scan: Scan, joined: Joined): readonly Span[] | undefined {
  const { text } = scan;
  const opening = /^(?:\[(?!MASKED:)|\{)?(?:\\{0,8}["'`]|%22)?/.exec(text.slice(joined.at, joined.at + 16))?.[0].length ?? 0;
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
