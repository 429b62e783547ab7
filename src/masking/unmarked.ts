// Values that no sign joins to their name: arguments, elements, flags, directives, the `value` beside a `name`. Long because each notation has its own look.

import { alphabet, isSpace, runEnd, within, word as wordSet } from "./alphabet.ts";
import { quoteLength, type Joined, type Name } from "./joints.ts";
import { looksRandom } from "./values.ts";

const blank = alphabet(" \t");
const besideValue =
  /^[\s,;]{1,80}(?:\\{0,8}["'])?(?:value|val|Value|VALUE)(?:\\{0,8}["'])?[ \t]{0,8}(?:[:=]|=>)[ \t]{0,8}/;
/** What code falls back to where a variable is not set, or types into a field of that name. */
const fallback =
  /^\){1,2}\s{0,4}(?:(?:or|\|\||\?\?|\?:)\s{0,4}|\.(?:unwrap_or|unwrap_or_else|orElse|getOrElse|type|fill|val|sendKeys|send_keys|setValue)\((?:\|_\| )?)(?=["'`])/;
const keyed = /^, (?:[\w-]{1,24}=(?:"[^"\n]{0,80}"|[\w.]{1,40}), ){0,4}(?:default|defaultValue)\s?[=:]\s?(?=["'])/;
const given = /^(?: to|, with:) (?=["'])/;

/** How far from behind a quoted name its value stands where code joins the two by more than a sign, or 0. */
function throughCode(text: string, at: number): number {
  const sign = text[at];
  if (sign === ")") return fallback.exec(text.slice(at, at + 48))?.[0].length ?? 0;
  if (sign !== " " && sign !== ",") return 0;
  const found = given.exec(text.slice(at, at + 12)) ?? (sign === "," ? keyed.exec(text.slice(at, at + 240)) : null);
  return found?.[0].length ?? 0;
}
const defaultValue = /^\s{0,8}\{[^{}]{0,160}?\bdefault\s{0,8}=\s{0,8}/;
/** From a key to its value in plists and Hadoop's settings. */
const plistValue = /^<\/(?:key|name)>\s{0,80}(?:<value>\s{0,80})?<(?:string|value)>/;

/** The empty line between a part's head and its body (RFC 7578), real or escaped. */
const partBody = /^(?:\r?\n|(?:\\r)?\\n){2}(?=[^\s-])/;
const lineEnds = alphabet("\r\n\\");
const said = /^(?:is|was|=|:|IS|to be|-{1,2}>?)[ :=]{1,4}/;
const saying = alphabet("iwI=:t-");

/** Joints without a sign of their own. `at` stands behind closing quotes, `spaced` behind the blanks that follow. */
export function unmarked(
  text: string,
  name: Name,
  at: number,
  spaced: number,
  quotedName: boolean,
  config: boolean,
): Joined | undefined {
  const part =
    quotedName &&
    within(lineEnds, text.charCodeAt(at)) &&
    text.slice(Math.max(0, name.start - 8), name.start).includes("name=")
      ? partBody.exec(text.slice(at, at + 24))
      : null;
  if (part !== null) return { joint: "value", at: at + part[0].length, quotedName: false };
  const element = quotedName ? namedElement(text, name.start, at) : typed(text, at);
  if (element !== undefined) return { joint: quotedName ? "tag" : "loose", at: element, quotedName: false };
  const below = complexKey(text, quotedName ? name.start - 1 : name.start, at);
  if (below !== undefined) return { joint: "value", at: below, quotedName: false };
  const beside = valueAfter(text, at);
  if (beside !== undefined)
    return { joint: beside.startsWith("<") ? "tag" : "value", at: at + beside.length, quotedName };
  const further = quotedName ? throughCode(text, at) : 0;
  if (further > 0) return { joint: "call", at: at + further, quotedName };
  if (text[spaced] === ",")
    return quotedName ? afterComma(text, name, spaced + 1) : afterSymbol(text, name, spaced + 1);
  if (text[spaced] === "|") return besideBar(text, name, spaced + 1);
  if (!quotedName && text[at] === "(" && quoteLength(text, at + 1) > 0) return argumentOf(text, name, at);
  if (
    !quotedName &&
    text[at] === "{" &&
    quoteLength(text, at + 1) === 1 &&
    /^.[^"'\n]{1,256}["']\}/.test(text.slice(at + 1, at + 260))
  )
    return { joint: "call", at: at + 1, quotedName: false };
  if (!quotedName && endsLine.test(text.slice(at, at + 2)) && isFlag(text, name.start))
    return belowFlag(text, name, at);
  const before = text.charCodeAt(name.start - 1);
  if (before === 0x3c || (before === 0x3a && /<\w{1,16}:$/.test(text.slice(Math.max(0, name.start - 18), name.start))))
    return insideTag(text, name.end);
  if (spaced === at || quotedName) return undefined;
  if (isFlag(text, name.start)) return { joint: "flag", at: spaced, quotedName };
  const words = within(saying, text.charCodeAt(spaced)) ? said.exec(text.slice(spaced, spaced + 10))?.[0] : undefined;
  if (words !== undefined) return { joint: "said", at: spaced + words.length, quotedName };
  const end = wordEnd(text, spaced);
  const inFile = isDirective(text, name, spaced, end, config) || isStatement(text, name, spaced);
  return inFile || quoteLength(text, spaced) > 0 || isRandomWord(text, spaced, end)
    ? { joint: "said", at: spaced, quotedName, inFile }
    : undefined;
}

const naming = /<[\w:.-]{1,40}(?:\s[^<>]{0,80})?\s(?:name|key|id)=["']$/i;
const restOfTag = /^(?:\s[\w:]{1,32}=["'][^"'<>]{0,64}["']){0,3}>(?=[^<\s]|\s{0,80}<value>)/;

/** The text of `<entry key="password">x</entry>`, or undefined. */
function namedElement(text: string, start: number, at: number): number | undefined {
  const sign = text.charCodeAt(at);
  if (sign !== 0x3e && sign !== 0x20) return undefined;
  const found = restOfTag.exec(text.slice(at, at + 240));
  if (found === null || !naming.test(text.slice(Math.max(0, start - 140), start))) return undefined;
  return at + found[0].length;
}

const type =
  /^[ \t](?:string|\*string|\[\]byte|String|str|As String|\{ get; (?:private )?(?:set|init); \})[ \t]{0,8}=[ \t]{0,8}(?=["'`])/;

/** `var password string = "x"`: a type between a name and its value. */
function typed(text: string, at: number): number | undefined {
  if (!within(typeStarts, text.charCodeAt(at + 1))) return undefined;
  const found = type.exec(text.slice(at, at + 32));
  return found === null ? undefined : at + found[0].length;
}
const typeStarts = alphabet("s*[SA{");

const complexValue = /^[ \t]{0,32}\r?\n[ \t]{0,64}:[ \t]{1,8}(?=\S)/;

/** The value of a key that stands on a line of its own behind a question mark (yaml.org, 1.2.2, section 8.2.2), or undefined. */
function complexKey(text: string, start: number, at: number): number | undefined {
  if (text.charCodeAt(start - 1) !== 0x20 || text.charCodeAt(start - 2) !== 0x3f) return undefined;
  const found = complexValue.exec(text.slice(at, at + 112));
  return found === null ? undefined : at + found[0].length;
}

/** Longer words are followed no further. */
const longestWord = 521;

/** To the next white space. */
function wordEnd(text: string, at: number): number {
  const stop = Math.min(text.length, at + longestWord);
  let end = at;
  while (end < stop && !isSpace(text.charCodeAt(end))) end++;
  return end;
}

/** A word that no sentence has: what follows a password's name then is the password. */
function isRandomWord(text: string, at: number, end: number): boolean {
  return end - at >= 12 && looksRandom(text.slice(at, Math.min(end, at + 256)), 12);
}

/** What joins a value in a member or element of its own, up to that value; most text is told apart by its first character. */
function valueAfter(text: string, at: number): string | undefined {
  let next = at;
  while (next - at <= 80 && (within(gap, text.charCodeAt(next)) || isSpace(text.charCodeAt(next)))) next++;
  const first = text.charCodeAt(next);
  if (!within(valueStarts, first)) return undefined;
  const rest = text.slice(at, at + 120);
  return (besideValue.exec(rest) ?? plistValue.exec(rest) ?? defaultValue.exec(text.slice(at, at + 200)))?.[0];
}
const gap = alphabet(",;");
const valueStarts = alphabet("vV\"'\\<{");

/** `("password", "x")` or `["--password", "x"]`: only as arguments, since lists of names look alike otherwise. */
function afterComma(text: string, name: Name, comma: number): Joined | undefined {
  const at = runEnd(text, comma, blank, 40);
  const before = text.slice(Math.max(0, name.start - 12), name.start);
  if (quoteLength(text, at) === 0 || before.endsWith("`")) return undefined;
  if (/\{\s{0,4}["']$/.test(before) && closedPair.test(text.slice(at, at + 270)))
    return { joint: "call", at, quotedName: true };
  if (!/\(\s{0,4}\\{0,8}["'`][#.]?$|["']--?$/.test(before) && !isLaterArgument(text, name.start, at)) return undefined;
  if (before.endsWith("-") && text[at + quoteLength(text, at)] === "-") return undefined;
  return { joint: "call", at, quotedName: true };
}

const endsLine = /^\r?\n/;
const flagLine = /(?:^|\n)([ \t]{2,32})--?$/;

/** The argument in the line below its flag, as `kubectl describe` lists them. */
function belowFlag(text: string, name: Name, at: number): Joined | undefined {
  const indent = flagLine.exec(text.slice(Math.max(0, name.start - 36), name.start))?.[1];
  if (indent === undefined) return undefined;
  const gap = /^\r?\n/.exec(text.slice(at, at + 2))?.[0].length ?? 0;
  const next = at + gap + indent.length;
  if (text.slice(at + gap, next) !== indent || !/[^\s-]/.test(text[next] ?? " ")) return undefined;
  return { joint: "flag", at: next, quotedName: false };
}

/** A literal with a digit in it, up to its closing mark. */
const mixedLiteral = /^(["'])(?=[^"'\n]*[0-9])[^"'\n]{4,256}\1/;
const closedPair = /^(["'])(?=[^"'\n]*[0-9])[^"'\n]{4,256}\1\s{0,4}\}/;
/** Calls that set what they name, up to that name. */
const setting = /(?:put|set|add|setProperty|define)\((?:[A-Z]\w{0,40}\.)?$/;

/** `set :secret, "x"`, `{password, "x"}`, `put(Context.SECURITY_CREDENTIALS, "x")`: a symbol, an atom or a constant, then its value. */
function afterSymbol(text: string, name: Name, comma: number): Joined | undefined {
  const at = runEnd(text, comma, blank, 8);
  const before = text[name.start - 1];
  const symbol = (before === ":" && text[name.start - 2] !== ":") || before === "{";
  if (!symbol && !setting.test(text.slice(Math.max(0, name.start - 52), name.start))) return undefined;
  return mixedLiteral.test(text.slice(at, at + 260)) ? { joint: "call", at, quotedName: true } : undefined;
}

const cell = /^[ \t]{0,40}(?=\S{0,64}[0-9])(?=\S{0,64}[A-Za-z])\w[\w!@#$%^*.+=~/-]{5,255}[ \t]{0,80}\|/;

/** `| DB_PASSWORD | x |`: a row whose first cell names what stands in the second. */
function besideBar(text: string, name: Name, bar: number): Joined | undefined {
  if (!/(?:^|\n)[ \t]{0,16}\|[ \t*`]{0,8}$/.test(text.slice(Math.max(0, name.start - 28), name.start)))
    return undefined;
  if (!cell.test(text.slice(bar, bar + 380))) return undefined;
  return { joint: "value", at: runEnd(text, bar, blank, 40), quotedName: false };
}

const earlier = /\((?:\s{0,4}(?:["'][^"'\n]{0,40}["']|&?[\w.]{1,40})\s{0,4},){1,2}\s{0,4}["'`]$/;
const last = /^\\?["'](?![a-z_]{1,32}["'])(?:\\["'])?[^"'\n]{1,200}["']{1,2}\s{0,4}\)/;

/** `set("db", "password", "x")`: the value ends the call, and is no further name. */
function isLaterArgument(text: string, start: number, at: number): boolean {
  return last.test(text.slice(at, at + 216)) && earlier.test(text.slice(Math.max(0, start - 112), start));
}

/** `setPassword("x")`, and of two arguments the second: `HTTPBasicAuth("user", "x")`. */
function argumentOf(text: string, name: Name, open: number): Joined {
  const pair = /(?:auth|credentials?)$/i.test(text.slice(name.start, name.end))
    ? secondArgument(text, open)
    : undefined;
  if (pair !== undefined) return { joint: "call", at: pair, quotedName: false, paired: true };
  return { joint: "call", at: open + 1, quotedName: false };
}

/** The second of two quoted arguments or members behind a bracket: `("user", "x")`. */
export function secondArgument(text: string, open: number): number | undefined {
  const first = /^\(\s{0,8}(["'])[^"'\n]{1,120}\1\s{0,8},\s{0,8}(?=["'])/.exec(text.slice(open, open + 144))?.[0];
  return first === undefined ? undefined : open + first.length;
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

const directive =
  /^.{0,80}\bconfig(?:ure)? (?:set|create|add)\b.{0,60}\s$|^\s*(?:#\s?define|ENV|ARG|SetEnv|setx|setenv|set|proxy_set_header|add_header|RequestHeader set|stats|http-request set-header)\s+$/;

/**
 * Places where a bare word after the name is its value: netrc, Dockerfiles, settings of nginx, HAProxy and Redis. In a
 * file, also a line that holds a password's name and one more word.
 */
function isDirective(text: string, name: Name, at: number, end: number, config: boolean): boolean {
  // None of them joins it to what stands before.
  if (name.start > 0 && !isSpace(text.charCodeAt(name.start - 1))) return false;
  const login = loginBefore(text, name.start);
  const ends = endsItsLine(text, at, end);
  if (login === undefined && !ends) return false;
  const before = text.slice(Math.max(0, name.start - 120), name.start);
  const line = before.slice(before.lastIndexOf("\n") + 1);
  // On one line, or the name indented on a line of its own.
  if (
    login !== undefined &&
    (!text.slice(login, name.start).includes("\n") ||
      /^\s+$/.test(line) ||
      netrc.test(text.slice(Math.max(0, login - 120), login)))
  )
    return true;
  if (!ends) return false;
  if (/^\s*$/.test(line))
    return config || standing.test(text.slice(name.start, name.end)) || /machine\s+\S+\s+$/.test(before);
  return directive.test(line);
}

/** `secret "x";` and `set $api_key "x";` on a line of their own (nginx, BIND). */
function isStatement(text: string, name: Name, at: number): boolean {
  if (quoteLength(text, at) !== 1 || !statement.test(text.slice(at, at + 300))) return false;
  const before = text.slice(Math.max(0, name.start - 48), name.start);
  return /^\s*(?:set \$)?$/.test(before.slice(before.lastIndexOf("\n") + 1));
}
const statement = /^(["'])[^"'\n]{1,256}\1;[ \t]{0,16}(?:$|[\r\n#}])/;

/** Directives that stand with their value alone on a line: Redis, OpenLDAP, and names of several words. */
const standing = /^(?:requirepass|masterauth|auth-pass|bindpw|rootpw)$|^[\w.]{1,64}[._](?:password|passwd)$/;

/** Where `login` and one word stand right before `start`, or undefined. */
function loginBefore(text: string, start: number): number | undefined {
  const least = Math.max(0, start - 120);
  const user = backOver(text, start, least, true);
  const gap = backOver(text, user, least, false);
  const word = backOver(text, gap, least, true);
  if (user === start || gap === user || word === gap || word - 5 < least || !text.startsWith("login", word - 5))
    return undefined;
  return word - 5 > least && within(wordSet, text.charCodeAt(word - 6)) ? undefined : word - 5;
}

/** Back from `from` over white space, or over what is none. */
function backOver(text: string, from: number, least: number, space: boolean): number {
  let at = from;
  while (at > least && isSpace(text.charCodeAt(at - 1)) === space) at--;
  return at;
}

/** Is the word from `at` to `end` the last one of its line, 3 to 512 characters long without closing semicolons? */
function endsItsLine(text: string, at: number, end: number): boolean {
  if (end - at < 3) return false;
  const rest = runEnd(text, end, closing, 520);
  if (rest < text.length && text[rest] !== "\n" && text[rest] !== "\r") return false;
  let word = end;
  while (word - at > 3 && text.charCodeAt(word - 1) === 0x3b) word--;
  return word - at <= 512;
}
const closing = alphabet(" \t;");
/** What a netrc file has before a login (gnu.org, Inetutils, "The .netrc file"). */
const netrc = /(?:^|\s)(?:machine\s+\S+|default)\s+$/;
