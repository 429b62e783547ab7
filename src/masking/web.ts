// Secrets of the web: JSON Web Tokens, userinfo in URLs, and words of authorisation in headers.

import {
  alphabet,
  base64url,
  encodedRun,
  isSpace,
  runEnd,
  runStart,
  startsWord,
  within,
  type Alphabet,
} from "./alphabet.ts";
import { nothing, type Check, type Scan, type Span } from "./spans.ts";
import { plainForm, tokenEnd, veiled } from "./token.ts";
import { isBasic, isPlaceholder, isReference, looksRandom } from "./values.ts";

const dot = 0x2e;

/** `eyJ…`: three (JWS, RFC 7515) or five (JWE, RFC 7516) base64url parts whose first is a JSON header with `alg` or `enc`. */
export const jwtCheck: Check = (scan, start) => {
  const { text, seen } = scan;
  if (start < seen.webToken) return nothing;
  if (start > 0 && within(base64url, text.charCodeAt(start - 1)) && !startsWord(text, start)) return nothing;
  const header = runEnd(text, start, base64url, 4096);
  scan.work += header - start;
  if (text.charCodeAt(header) !== dot || !isHeader(text.slice(start, header))) return nothing;
  let end = header;
  for (let part = 0; part < 4 && text.charCodeAt(end) === dot; part++) {
    const next = runEnd(text, end + 1, base64url, 64 * 1024);
    if (next === end + 1 && part === 0) return nothing;
    end = next;
  }
  scan.work += end - header;
  seen.webToken = end;
  return [{ start, end, type: "jwt", value: text.slice(start, end), why: "jwt" }];
};

function isHeader(part: string): boolean {
  const json = Buffer.from(part, "base64url").toString("utf8");
  return json.startsWith("{") && /"(?:alg|enc|typ)"\s*:/.test(json.slice(0, 2048));
}

const looseStop = alphabet("\"'`<>");
const authorityStop = alphabet("\"'`<>/?#\\");
/** Schemes whose passwords often hold an unescaped `/` or `#`. */
const loose =
  /^(?:postgres(?:ql)?|mysql|mariadb|mongodb(?:\+srv)?|rediss?|amqps?|mssql|sqlserver|clickhouse|cockroachdb|nats|ldaps?|smtps?|ftps?|sftp)(?:\+[a-z0-9]+)?$/i;
const longestAuthority = 1024;
const schemeSet = alphabet("A-Za-z0-9+.-");

/** `scheme://user:password@host` (RFC 3986, section 3.2.1): the password, or a token that stands as the user. */
export const urlCheck: Check = (scan, start, end) => {
  const { text } = scan;
  if (!mayHoldUser(scan, end)) return nothing;
  let stop = stopOf(text, end, authorityStop);
  let at = lastAt(text, end, stop);
  if (at === -1 && loose.test(text.slice(runStart(text, start, schemeSet, 24), start))) {
    stop = stopOf(text, end, looseStop);
    at = lastAt(text, end, stop);
  }
  scan.work += stop - end;
  return at === -1 ? nothing : userinfo(scan, end, text.slice(end, at));
};

/** May a user stand in the authority that starts at `from`? Most URLs have none: the next sign that ends one is looked for once for all that stand before it. */
function mayHoldUser({ text, seen }: Scan, from: number): boolean {
  if (seen.sign < from) seen.sign = placeOf(text, "@", from);
  if (seen.encodedSign < from) seen.encodedSign = placeOf(text, "%40", from);
  return Math.min(seen.sign, seen.encodedSign) < from + longestAuthority;
}

function placeOf(text: string, sign: string, from: number): number {
  const found = text.indexOf(sign, from);
  return found === -1 ? Number.POSITIVE_INFINITY : found;
}

/** Where the authority that starts at `from` ends: at white space, one of `stops`, a quote in URL encoding or a slash if that is a stop. */
function stopOf(text: string, from: number, stops: Alphabet): number {
  const most = Math.min(text.length, from + longestAuthority);
  for (let at = from; at < most; at++) {
    const code = text.charCodeAt(at);
    if (within(stops, code) || isSpace(code)) return at;
    if (code !== percent || text.charCodeAt(at + 1) !== 0x32 || at + 2 >= most) continue;
    const second = text.charCodeAt(at + 2);
    if (second === 0x32 || (within(stops, 0x2f) && (second | 0x20) === 0x66)) return at;
  }
  return most;
}
const percent = 0x25;

/** The last `@` or `%40` from `from` to `to`, or -1. */
function lastAt(text: string, from: number, to: number): number {
  for (let at = to - 1; at >= from; at--) {
    const code = text.charCodeAt(at);
    if (code === 0x40 || (code === percent && at + 3 <= to && text.startsWith("%40", at))) return at;
  }
  return -1;
}

function userinfo(scan: Scan, from: number, text: string): readonly Span[] {
  const plain = veiled(text);
  const encoded = plain.includes(":") ? -1 : plain.toLowerCase().indexOf("%3a");
  const colon = encoded === -1 ? plain.indexOf(":") : encoded;
  const gap = encoded === -1 ? 1 : 3;
  const user = colon === -1 ? text : text.slice(0, colon);
  const password = colon === -1 ? "" : text.slice(colon + gap);
  if (password === "" || password === "x-oauth-basic") return tokenAsUser(from, user);
  if (!isHidable(scan.text, from + colon + gap, password)) return nothing;
  const start = from + colon + gap;
  return [{ start, end: start + password.length, type: "password", value: plainForm(password), why: "url-userinfo" }];
}

function tokenAsUser(from: number, user: string): readonly Span[] {
  if (user.length < 16 || !(looksRandom(user) || /^[0-9a-f]{32,64}$/.test(user))) return nothing;
  return [{ start: from, end: from + user.length, type: "token", value: plainForm(user), why: "url-userinfo" }];
}

function isHidable(text: string, start: number, value: string): boolean {
  return !isReference(value) && !isPlaceholder(value) && tokenEnd(text, start) !== start + value.length;
}

const goAddress = /^(?:tcp|udp|unix|cloudsql|tcp4|tcp6)\(/;

/** `user:password@tcp(host:3306)/db`, the form of Go's MySQL driver: the hit is `@tcp(` and the like. */
export const goDsnCheck: Check = (scan, start, end) => {
  const { text } = scan;
  if (!goAddress.test(text.slice(start + 1, end + 1))) return nothing;
  const left = veiled(text.slice(Math.max(0, start - 256), start));
  scan.work += left.length;
  const begin = left.search(/[^\s"'`=]+$/);
  const colon = begin === -1 ? -1 : left.indexOf(":", begin);
  if (colon === -1) return nothing;
  const from = start - left.length + colon + 1;
  const value = text.slice(from, start);
  if (value === "" || !isHidable(text, from, value)) return nothing;
  return [{ start: from, end: start, type: "password", value: plainForm(value), why: "dsn" }];
};

const credentials = alphabet("A-Za-z0-9+/=_.~-");

/** `Bearer <token>` (RFC 6750) outside a header line. A word of a sentence after it is no token. */
export const bearerCheck: Check = (scan, start, end) => {
  const { text } = scan;
  if (!startsWord(text, start)) return nothing;
  const run = encodedRun(text, end, credentials, 8192);
  scan.work += run.end - end;
  const value = text.slice(end, run.end).replace(/[.=-]+$/, "");
  const key = value.length >= 12 && /[0-9]/.test(value) && /^[A-Za-z0-9]/.test(value);
  if (!(key && (value.length >= 20 || looksRandom(value, 12))) || isHost(value) || value.includes("=")) return nothing;
  return [{ start: end, end: run.end, type: "token", value: plainForm(text.slice(end, run.end)), why: "bearer" }];
};

function isHost(value: string): boolean {
  return /^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/.test(value) && !/[0-9a-z]{20,}/.test(value);
}

const basicSet = alphabet("A-Za-z0-9+/=_-");

/** `Basic <base64>` (RFC 7617): decodes to `user:password`. */
export const basicCheck: Check = (scan, start, end) => {
  const { text } = scan;
  if (!startsWord(text, start)) return nothing;
  const run = encodedRun(text, end, basicSet, 4096);
  scan.work += run.end - end;
  const value = plainForm(text.slice(end, run.end));
  if (!isBasic(value)) return nothing;
  return [{ start: end, end: run.end, type: "authorization", value, why: "basic" }];
};

/** How far from its `kty` the parts of a JSON Web Key may stand. */
const keyReach = 8 * 1024;
const keyPart = /(\\{0,8}")(?:d|p|q|dp|dq|qi|k)\1\s{0,4}:\s{0,4}\1([A-Za-z0-9_-]{16,2048})/g;

/** The private parts of a JSON Web Key (RFC 7518, section 6) around its `kty`. */
export const jwkCheck: Check = (scan, start, end) => {
  const { text } = scan;
  const kind = /^\\{0,8}"\s{0,4}:\s{0,4}\\{0,8}"(?:RSA|EC|OKP|oct)\\{0,8}"/;
  if (!kind.test(text.slice(end, end + 48)) || start < scan.seen.webKey) return nothing;
  const from = Math.max(scan.seen.webKey, start - keyReach);
  scan.seen.webKey = end + keyReach;
  scan.work += keyReach * 2;
  return [...text.slice(from, end + keyReach).matchAll(keyPart)].map((found) => {
    const value = found[2] ?? "";
    const at = from + found.index + found[0].length - value.length;
    return { start: at, end: at + value.length, type: "private_key", value, why: "jwk" };
  });
};
