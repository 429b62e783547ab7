// Keys in any text that no keyword of their own tells: those beside the name of the vendor who issued them, and those that begin as vendors' keys do.

import { alphabet, alphanumeric, runEnd, startsWord, within } from "./alphabet.ts";
import { besideIssuers, issuers, looksIssued, type Issuer } from "./issuers.ts";
import { nothing, type Check, type Scan, type Span } from "./spans.ts";
import { looksRandom } from "./values.ts";

/** Longer values are followed no further. */
const longest = 1024;
/** Shorter ones need a name that promises a secret. */
const shortest = 20;
/** Keys of unknown vendors are that long with their beginning. */
const shortestPrefixed = 32;
/** A vendor's name is looked for so far before a value, as scanners of repositories do. */
const reach = 56;

const body = alphabet("A-Za-z0-9_.+/~-");
/** What a value begins behind. */
const before = alphabet("=:\"'` \t\n>({");

/**
 * A probe of runs that hold capitals and small letters, beside another one of the same runs: call it with ascending places; of what the other finds
 * nothing in, it answers once for the run around each.
 */
export function issuedProbe(scan: Scan, other: (at: number) => readonly Span[]): (at: number) => readonly Span[] {
  let done = 0;
  return (at) => {
    const opened = other(at);
    if (opened.length > 0 || at < done) return opened;
    const found = issuedAt(scan, at, true);
    done = found.end;
    return found.spans;
  };
}

/**
 * Vendors whose keys are digits, or digits and small letters of hexadecimal, as ids are: only their name leads to them. Those
 * that programs in clusters use most and whose names begin as little else does: with all of them every text would take a
 * tenth longer.
 */
export const issuerKeywords: readonly string[] =
  `algolia bugsnag datadog heroku logdna logzio mixpanel opsgenie splunk twilio`
    .split(/\s+/)
    .filter((name) => issuers.has(name));

/** The first value behind such a name. */
export const issuerCheck: Check = (scan, start, end) => {
  const { text } = scan;
  if (!startsWord(text, start) && !/[a-z][A-Z]/.test(text.slice(start - 1, start + 1))) return nothing;
  const stop = Math.min(text.length, end + reach);
  let at = end;
  while (at < stop) {
    const last = runEnd(text, at, body, longest);
    if (last - at >= shortest && within(before, text.charCodeAt(at - 1))) return issuedAt(scan, at, false).spans;
    at = last + 1;
  }
  scan.work += reach;
  return nothing;
};

/** Is a key of a vendor what stands from `at` on, and where does it end? */
function issuedAt(scan: Scan, at: number, alone: boolean): { readonly spans: readonly Span[]; readonly end: number } {
  const { text } = scan;
  const end = padded(text, at, runEnd(text, at, body, longest));
  scan.work += end - at + reach;
  const value = text.slice(at, end);
  const found =
    end - at >= shortest &&
    within(alphanumeric, text.charCodeAt(at)) &&
    ((alone && isPrefixed(value)) || isBeside(text, at, value, alone));
  return {
    spans: found ? [{ start: at, end, type: "api_key", value, why: "issued" }] : nothing,
    end: Math.max(end, at + 1),
  };
}

/** With its padding, or without the full stops and dashes that end a sentence. */
function padded(text: string, from: number, end: number): number {
  if (text[end] === "=") return text[end + 1] === "=" ? end + 2 : end + 1;
  let last = end;
  while (last > from && /[.~-]/.test(text[last - 1] ?? "")) last--;
  return last;
}

/** Beginnings of one to four words, as `acme_live_` and `sgp_v2_`, before at least 30 random characters. */
const prefixed =
  /^(?!(?:sha[0-9]{1,3}|md5|nonce|pub|public|publishable|node)[_-])(?:[a-z][a-z0-9]{1,15}|[A-Z]{3,10})(?:[_-](?:[a-z]{1,12}[0-9]?|v?[0-9]{1,2}|[A-Z]{2,8})){0,3}[_-]([A-Za-z0-9]{30,256})$|^(?!(?:sha[0-9]{1,3}|nonce|public|publishable|node)[_-])[a-z][a-z0-9]{3,15}(?:[_-][a-z]{1,12}[0-9]?){0,3}[_-]([A-Za-z0-9_-]{36,256})$/;

/** Does the value begin as vendors' keys do, whoever the vendor, and go on at random in both cases? */
function isPrefixed(value: string): boolean {
  if (value.length < shortestPrefixed || value.length > 300) return false;
  const found = prefixed.exec(value);
  const tail = found?.[1] ?? found?.[2];
  if (tail === undefined || !/[a-z]/.test(tail) || !/[A-Z]/.test(tail)) return false;
  const digits = tail.match(/[0-9]/g)?.length ?? 0;
  const turns = tail.match(/[a-z][A-Z]|[A-Z][a-z]/g)?.length ?? 0;
  return digits >= 2 && turns * 8 >= tail.length && looksRandom(tail, 30);
}

interface Word {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

const wordsOf = /[A-Z]?[a-z0-9]+|[A-Z0-9]+/g;
/** What stands beside such values and tells that they are ids, digests or names. */
const telling = new Set(
  `id ids uid uids uuid guid trace span request req correlation commit sha sha1 sha256 sha384 sha512 md5 h1 digest hash checksum etag version
   ver revision rev image img pod container build org organization site project zone tag ref refs branch fingerprint
   thumbprint serial cursor page next event job run deploy deployment release resource object user customer order invoice message channel issue
   session node instance cluster host hostname uri url path file dir volume snapshot backup layer public publishable pub cert
   certificate integrity resolved tgz store cache dist index group tenant workspace team environment folder bucket queue topic stream
   shard partition offset sequence transaction txn tx block charge payment subscription plan product item ticket task monitor
   alert incident dashboard report watch list playlist asset media upload uploaded lease uses merge source src argo synced created tar
   commits into checkout fetch pulled digested signature nonce kid`.split(/\s+/),
);
/** Words right before a value that promise a secret. */
const promising = new Set("key token secret password passwd credential credentials apikey auth".split(" "));

/** Does the name of whoever issues such keys stand before the value, with nothing between that says otherwise? */
function isBeside(text: string, at: number, value: string, alone: boolean): boolean {
  if (at > 0 && !within(before, text.charCodeAt(at - 1))) return false;
  if (alone && !looksRandom(value)) return false;
  const window = text.slice(Math.max(0, at - reach), at);
  const words = [...window.matchAll(wordsOf)].map((found): Word => ({
    text: found[0].toLowerCase(),
    start: found.index,
    end: found.index + found[0].length,
  }));
  for (let last = words.length - 1; last >= 0; last--) {
    const word = words[last];
    if (word === undefined || telling.has(word.text)) return false;
    const issuer =
      (word.text.length < 3 ? undefined : issuers.get(word.text)) ??
      issuers.get((words[last - 1]?.text ?? " ") + word.text);
    if (issuer === undefined) continue;
    return believed(window, words, last, issuer, value);
  }
  return false;
}

function believed(window: string, words: readonly Word[], last: number, issuer: Issuer, value: string): boolean {
  const own = words[last];
  const left = words[last - 1];
  if (own === undefined || !looksIssued(value, issuer)) return false;
  // `checksum/datadog: …` is no key, either.
  if (left !== undefined && own.start - left.end <= 1 && telling.has(left.text)) return false;
  const gap = window.slice(own.end);
  const between = words.slice(last + 1);
  if (isJoined(gap, between, window.slice(0, own.start)) || asked.test(gap)) return true;
  // A value that was hidden between them is the one that the name is about.
  if (gap.length > 40 || /[\n/@<]|\[MASKED:/.test(gap)) return false;
  if (
    promising.has(between.at(-1)?.text ?? "") &&
    /^[a-z]*[\s"'`=:]{1,5}$/i.test(gap.slice((between.at(-1)?.start ?? 0) - own.end))
  )
    return true;
  const cases = /[a-z]/.test(value) && /[A-Z]/.test(value);
  return (cases || (/^ $/.test(gap) && /[a-z]/.test(value))) && value.length >= 20 && /^[^,;|]*$/.test(gap);
}

/** `.com/v1/data?appid=` behind the name: the last parameter of an address that the vendor serves. */
const asked = /^(?:\.[a-z]{2,8}){1,2}(?:\/[\w.-]{0,32}){0,4}\?(?:[^&\s]{1,32}&){0,3}(?:appid|api|auth|access|k)=$/;

/** `DATADOG_API=`, `datadog: {api: `, `--datadog `: signs that join, and no words but those that stand beside such names. */
function isJoined(gap: string, between: readonly Word[], ahead: string): boolean {
  if (!between.every((word) => besideIssuers.has(word.text))) return false;
  const signs = gap.replace(/[A-Za-z0-9]+/g, "");
  if (!/^[\s"'`\\:=>?+({._-]*$/.test(signs) || (signs.match(/\n/g)?.length ?? 0) > 1) return false;
  return /[:=>({]/.test(signs) || (ahead.endsWith("--") && /\s$/.test(gap));
}
