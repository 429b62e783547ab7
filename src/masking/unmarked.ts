// Values that no sign joins to their name: arguments, elements, flags, directives, the `value` beside a `name`.

import { alphabet, runEnd } from "./alphabet.ts";
import { quoteLength, type Joined, type Name } from "./joints.ts";

const blank = alphabet(" \t");
const besideValue =
  /^[\s,;]{1,80}(?:\\{0,8}["'])?(?:value|val|Value|VALUE)(?:\\{0,8}["'])?[ \t]{0,8}(?:[:=]|=>)[ \t]{0,8}/;
const defaultValue = /^\s{0,8}\{[^{}]{0,160}?\bdefault\s{0,8}=\s{0,8}/;
const plistValue = /^<\/key>\s{0,80}<string>/;

/** Joints without a sign of their own. `at` stands behind closing quotes, `spaced` behind the blanks that follow. */
export function unmarked(
  text: string,
  name: Name,
  at: number,
  spaced: number,
  quotedName: boolean,
  config: boolean,
): Joined | undefined {
  const rest = text.slice(at, at + 120);
  const beside = (besideValue.exec(rest) ?? plistValue.exec(rest) ?? defaultValue.exec(text.slice(at, at + 200)))?.[0];
  if (beside !== undefined)
    return { joint: beside.startsWith("<") ? "tag" : "value", at: at + beside.length, quotedName };
  if (quotedName && text[spaced] === ",") return afterComma(text, name, spaced + 1);
  if (!quotedName && text[at] === "(" && quoteLength(text, at + 1) > 0) return argumentOf(text, name, at);
  if (text[name.start - 1] === "<") return insideTag(text, name.end);
  if (spaced === at || quotedName) return undefined;
  if (isFlag(text, name.start)) return { joint: "flag", at: spaced, quotedName };
  const words = /^(?:is|was|=|:|IS|to be)[ :=]{1,4}/.exec(text.slice(spaced, spaced + 10))?.[0];
  if (words !== undefined) return { joint: "said", at: spaced + words.length, quotedName };
  const inFile = isDirective(text, name, spaced, config);
  return inFile || quoteLength(text, spaced) > 0 ? { joint: "said", at: spaced, quotedName, inFile } : undefined;
}

/** `("password", "x")` or `["--password", "x"]`: only as arguments, since lists of names look alike otherwise. */
function afterComma(text: string, name: Name, comma: number): Joined | undefined {
  const at = runEnd(text, comma, blank, 40);
  const before = text.slice(Math.max(0, name.start - 12), name.start);
  if (!/\(\s{0,4}\\{0,8}["'`]$|["']--?$/.test(before) || quoteLength(text, at) === 0) return undefined;
  if (before.endsWith("-") && text[at + quoteLength(text, at)] === "-") return undefined;
  return { joint: "call", at, quotedName: true };
}

/** `setPassword("x")`, and of two arguments the second: `HTTPBasicAuth("user", "x")`. */
function argumentOf(text: string, name: Name, open: number): Joined {
  const pair = /(?:auth|credentials?)$/i.test(name.text) ? secondArgument(text, open) : undefined;
  if (pair !== undefined) return { joint: "call", at: pair, quotedName: false, paired: true };
  return { joint: "call", at: open + 1, quotedName: false };
}

/** The second of two quoted arguments or members behind a bracket: `("user", "x")`. */
export function secondArgument(text: string, open: number): number | undefined {
  const first = /^\(\s{0,8}(["'])[^"'\n]{0,120}\1\s{0,8},\s{0,8}(?=["'])/.exec(text.slice(open, open + 144))?.[0];
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
  /^\s*(?:ENV|ARG|SetEnv|setx|setenv|set|proxy_set_header|add_header|RequestHeader set|stats|http-request set-header)\s+$/;

/**
 * Places where a bare word after the name is its value: netrc, Dockerfiles, settings of nginx, HAProxy and Redis. In a
 * file, also a line that holds a password's name and one more word.
 */
function isDirective(text: string, name: Name, at: number, config: boolean): boolean {
  const before = text.slice(Math.max(0, name.start - 120), name.start);
  const line = before.slice(before.lastIndexOf("\n") + 1);
  if (/\blogin\s+\S+\s+$/.test(line) || (/^\s+$/.test(line) && /\blogin\s+\S+\s+$/.test(before))) return true;
  if (!/^\S{3,512}[ \t;]*(?:[\r\n]|$)/.test(text.slice(at, at + 520))) return false;
  if (/^\s*$/.test(line)) return config || /^(?:requirepass|masterauth|auth-pass)$/.test(name.text);
  return directive.test(line);
}
