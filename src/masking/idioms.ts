// Passwords that only an idiom of a program or protocol tells, with no name or flag before them. Each is a keyword and one bounded look around it.

import { startsWord } from "./alphabet.ts";
import { behind, reach, spanOf } from "./behind.ts";
import { calls } from "./calls.ts";
import { compared } from "./compared.ts";
import { commands } from "./commands.ts";
import { insertCheck } from "./inserts.ts";
import { passwordListCheck, promptCheck } from "./scripts.ts";
import { nothing, type Check, type Scan, type Span } from "./spans.ts";
import { isHexDigest, isSentenceWord, isUuid, looksLikeName } from "./values.ts";

/** `user/password` behind a client of Oracle's or in its JDBC URL (docs.oracle.com, SQL*Plus, "Easy Connect"). */
const slashed = /^(?:[A-Za-z-]{1,16} ){0,2}["']?[\w$#.]{1,64}\/"?([^\s@"'/]{1,128})/;
/** The last word of `htpasswd -b [file] user password` (httpd.apache.org, htpasswd). */
const batch =
  /^-[A-Za-z]{0,6}b[A-Za-z]{0,6}(?:[ \t]{1,8}[^\s"']{1,128}){1,2}[ \t]{1,8}["']?([^\s"']{1,128})(?=["']?[ \t]{0,8}(?:$|[\n;&|>]))/;
/** `AUTH PLAIN <base64>` (RFC 4954, RFC 4616): an authorisation identity, a user and a password. */
const plain = /^(?:\\r\\n|\r?\n|334 |[ \t]){0,4}([A-Za-z0-9+/]{8,400}={0,2})/;
/** The answer to base64 of `Password:` (draft-murchison-sasl-login). */
const answered = /^(?:[\r\n]|\\r|\\n|[^\n]{0,40}[>:] ){1,4}([A-Za-z0-9+/]{4,400}={0,2})/;
/** `>password` and `#digest` of a rule (redis.io, ACL SETUSER). */
const rules = /[ "'][>#]([^\s"']{1,256})/g;
/** A login as its protocol has it, and as `MONITOR` shows it (redis.io, AUTH): the last word, with a user before it or none. */
const monitored = /^(?:[^"\s]{1,64}" ")?([^"\s]{1,256})(?=")/;
/** `a1 LOGIN user password` (RFC 9051, section 6.2.3), to the end of the line. */
const login =
  /^(?:"([^"\n]{1,128})"|([^\s"]{1,128})) (?:"([^"\n]{1,256})"|([^\s"]{1,256}))(?=[ \t]*(?:$|[\r\n]|\\r|\\n|["']))/;
const tag = /(?:^|[\s"'>])[A-Za-z]{0,4}[0-9]{1,6}$/;
/** `user:password` right behind a word that says that they are. */
const said =
  /^s?(?: (?:are|is|was|were|as|with|using))?[\s:="'`(]{1,4}[A-Za-z][\w.-]{0,31}:([^\s"'`,;:/()<>[\]]{8,64})/;
/** What a trap for attackers writes of each login (docs.cowrie.org, output). */
const attempt = /^(?: for)?[: ]{1,2}\[?(?:b?["'])?[\w.-]{1,32}["']?[/:](?:b?["'])?([^\s\]"']{1,64})/;
/** What the password of somebody is, or was set to. */
const ofWhom =
  /^(?:(?:the )?(?:user |account |role )?["'`]?[\w.@-]{1,64}["'`]? (?:is|was|has been|changed|reset|set)(?: now| set| changed| reset)?(?: to)?[:=]?|(?=\S{1,256} to )) ?["'`]?([^\s"'`,;]{6,256})/;
/** What `echo` or `printf` gives to the program behind the pipe. */
const piped =
  /\b(?:echo|printf)[ \t]+(?:-[neE]{1,3}[ \t]+)?(?:["']?%s(?:\\n)?["']?[ \t]+)?(\\?["']?)([^"'|\n\\]{1,200})\1[ \t]*\|[ \t]*[^|\n]{0,80}$/;

/** Keywords with the check that each starts. */
export const idioms: readonly (readonly [keywords: readonly string[], check: Check])[] = [
  [
    ["sqlplus ", "sqlldr ", "expdp ", "impdp ", "rman target ", "jdbc:oracle:thin:", "jdbc:oracle:oci:"],
    behind(slashed),
  ],
  [["htpasswd "], behind(batch)],
  [["auth plain"], behind(plain)],
  [["334 UGFzc3dvcmQ6"], behind(answered)],
  [['"auth" "'], behind(monitored)],
  [["auth default "], behind(/^([^\s"']{1,256})/)],
  [["acl setuser "], (scan, _start, end) => onLine(scan, end, rules)],
  [["--password-stdin", "sudo -s", "passwd --stdin"], (scan, start) => before(scan, start, false)],
  [["docker secret create", "cryptsetup ", "kinit "], (scan, start) => before(scan, start, false)],
  [["jfrog-art-api"], behind(/^["']?\s?[:=]\s?["']?([^\s"']{8,256})/, true)],
  [["tpassword"], behind(/^["']?(?: \/t \w{1,16})? \/d ["']?([^\s"']{1,256})/i, true)],
  [["m_password"], behind(/^"[^]{0,400}?"?result"?\s?[:=]\s?"([^"\n]{3,256})/, true)],
  [['"securestring"'], behind(/^\s{1,40}value\s{0,8}=\s{0,4}"([^"\n]{3,256})/)],
  [["| password_hash"], (scan, start) => filtered(scan, start)],
  [[":*:"], behind(/^[^:\s]{1,64}:([^\s:]{3,256})(?=$|[\r\n]|\\n)/, true)],
  [["chpasswd"], (scan, start, end) => [...before(scan, start, true), ...passwordListCheck(scan, start, end)]],
  [["expect "], promptCheck],
  [["expect("], promptCheck],
  [["expect{"], promptCheck],
  [[" login "], imapLogin],
  [["credential", "login"], saidPair],
  [["login attempt"], behind(attempt)],
  [["rary password is generated for "], behind(/^[^\s:]{1,80}: ([^\s]{1,256})/, true)],
  [["password for ", "password of ", "pwd for ", "pwd of ", "passwd for ", "password changed from "], saidFor],
  [["password to ", "passwd to ", "passphrase to "], setTo],
  [["password for "], behind(/^[^\s=]{1,130} ?= ?(?:PASSWORD\()?["']([^"'\n]{1,256})/i)],
  [[":5432:", ":5433:", ":6432:"], behind(/^[^:\s]{1,64}:[^:\s/@]{1,64}:([^\s:]{1,256})(?=$|[\r\n]|\\n)/)],
  [["insert into "], insertCheck],
  // SQL: of a statement about a user the word behind `IDENTIFIED BY`, quoted or not, and what it replaces.
  [
    ["identified by "],
    behind(
      /^(?:values? )?["']?([^\s"'`;]{3,256})(?=["']?\s{0,4}(?:;|\b(?:REPLACE|DEFAULT|USING|ACCOUNT|PROFILE|PASSWORD|QUOTA|TEMPORARY|CONTAINER|WITH|REQUIRE)\b))/i,
    ),
  ],
  [["identified by "], behind(/^["']?[^\s"'`;]{3,256}["']? replace ["']?([^\s"'`;]{3,256})/i)],
  [["identified with "], behind(/^["']?\w{1,48}["']? (?:by|as) ["']([^"'\n]{1,256})/i)],
  [["sp_addlogin ", "sp_addremotelogin "], behind(/^N?'[^'\n]{1,128}', N?'([^'\n]{1,256})/i)],
  [["sp_password "], behind(/^(?:NULL|N?'[^'\n]{0,128}'), N?'([^'\n]{1,256})/i)],
  [["ity.createuser("], behind(/^'[^'\n]{1,128}', '([^'\n]{1,256})/i, true)],
  [["password from "], behind(/^'[^'\n]{1,256}' to '([^'\n]{1,256})/i)],
  [["password from "], behind(/^'([^'\n]{1,256})/i)],
  [["attach database "], behind(/^["'][^"'\n]{1,256}["'] as \w{1,64} key ["']{1,2}([^"'\n]{1,256})/i)],
  // FTP's and POP3's own command, as it is sent (RFC 959, RFC 1939).
  [["pass "], sentPassword],
  [["login incorrect: [", "login ok: ["], behind(/^[^\]/\n]{1,128}\/([^\]\n]{1,256})(?=\])/i)],
  [
    ["auth login"],
    behind(/^[^\n]{0,16}\n[^\n]{0,6}[A-Za-z0-9+/]{2,120}={0,2}\r?\n[^\nA-Za-z0-9]{0,6}([A-Za-z0-9+/]{4,400}={0,2})/),
  ],
  [["following password to proceed"], behind(/^[^\n]{0,40}(?:\s|\\n){1,8}([0-9a-f]{16,64})(?![0-9a-z])/i)],
  [["password elastic", "password kibana"], behind(/^(?:_system)? = ([^\s]{1,256})/i)],
  [
    ["rary password", "one-time code"],
    behind(/^(?: (?:is|for \S{1,64} is))?:? ["'`]?((?=\S{0,64}[0-9])[^\s"'`]{4,64}?)(?=[.,"'`]{0,2}(?:\s|$))/i, true),
  ],
  ...calls,
  ...compared,
  ...commands,
];

/** Ansible's `'x' | password_hash`. */
function filtered(scan: Scan, start: number): readonly Span[] {
  const literal = /(["'])([^"'\n]{3,256})\1 $/.exec(scan.text.slice(Math.max(0, start - 260), start));
  const value = literal?.[2] ?? "";
  return spanOf(scan, start - 2 - value.length, value);
}

/** What a password is set to: letters with digits among them. */
function setTo(scan: Scan, start: number, end: number): readonly Span[] {
  const before = scan.text.slice(Math.max(0, start - 48), start);
  if (!/(?:set|sets|setting|chang\w{1,3}|reset|updated?)(?: [\w.'-]{1,24}){0,3} $/i.test(before)) return nothing;
  return behind(/^["'`]?([^\s"'`,;]{6,128})/)(scan, start, end).filter(
    ({ value }) => /[0-9]/.test(value) && /[A-Za-z]/.test(value),
  );
}

/** In capitals and alone on its line, or behind what a log of such a session puts before it: otherwise a word like any other. */
function sentPassword(scan: Scan, start: number, end: number): readonly Span[] {
  const { text } = scan;
  if (!text.startsWith("PASS ", start) || !/(?:^|[\n\r]|[>]\s?|C:\s)$/.test(text.slice(Math.max(0, start - 4), start)))
    return nothing;
  return behind(/^(?!\S{0,200}\.\w{2,4}(?:\s|$))([^\s:]{4,256})(?=[ \t]*(?:$|[\r\n]|\\r|\\n))/)(scan, start, end);
}

/** Each group that `pattern` finds up to the line's end. */
function onLine(scan: Scan, end: number, pattern: RegExp): readonly Span[] {
  const line = scan.text.slice(end, end + reach).split("\n", 1)[0] ?? "";
  scan.work += line.length;
  return [...line.matchAll(pattern)].flatMap((found) => {
    const value = found[1] ?? "";
    return spanOf(scan, end + found.index + found[0].length - value.length, value);
  });
}

/** The password of an IMAP login: capitals behind a tag, as clients write it. */
function imapLogin(scan: Scan, start: number, end: number): readonly Span[] {
  const { text } = scan;
  scan.work += 32;
  if (!text.startsWith("LOGIN", start + 1) || !tag.test(text.slice(Math.max(0, start - 16), start))) return nothing;
  const found = login.exec(text.slice(end, end + reach));
  if (found === null) return nothing;
  const [whole, quotedUser, user = quotedUser ?? "", quoted, bare = quoted ?? ""] = found;
  if (isSentenceWord(user) || isSentenceWord(bare)) return nothing;
  return spanOf(scan, end + whole.length - bare.length - (quoted === undefined ? 0 : 1), bare);
}

/** The password behind a sentence about whose it is: letters with digits among them, since a word tells how it is. */
function saidFor(scan: Scan, start: number, end: number): readonly Span[] {
  return behind(ofWhom)(scan, start, end).filter(({ value }) => /[0-9]/.test(value) && /[A-Za-z]/.test(value));
}

/** Letters with digits among them that are no name, address or digest: only then a pair in a sentence is one of user and password. */
function saidPair(scan: Scan, start: number, end: number): readonly Span[] {
  if (!startsWord(scan.text, start) || /[-/_.]/.test(scan.text[start - 1] ?? " ")) return nothing;
  const found = said.exec(scan.text.slice(end, end + 128));
  scan.work += 16;
  const value = found?.[1] ?? "";
  if (found === null || !/[0-9]/.test(value) || !/[A-Za-z]/.test(value)) return nothing;
  if (looksLikeName(value) || isHexDigest(value) || isUuid(value)) return nothing;
  return spanOf(scan, end + found[0].length - value.length, value);
}

/** What is piped into the program at `start`; of `user:password` the password. */
function before(scan: Scan, start: number, pair: boolean): readonly Span[] {
  const from = Math.max(0, start - reach);
  const line = scan.text.slice(from, start);
  scan.work += line.length;
  const found = piped.exec(line.slice(line.lastIndexOf("\n") + 1));
  if (found === null) return nothing;
  const whole = (found[2] ?? "").trimEnd();
  const value = pair ? whole.slice(whole.indexOf(":") + 1) : whole;
  return spanOf(scan, from + line.lastIndexOf(value), value);
}
