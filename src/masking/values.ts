// What a value looks like by itself: a placeholder, a reference, a name, or something random. Long because of its word lists, and each answer asks others.

import { alphabet, alphanumeric, digits, runEnd, within, type Alphabet } from "./alphabet.ts";

const lower = alphabet("a-z");
const upper = alphabet("A-Z");
const letters = alphabet("A-Za-z");

/** Kinds of characters, as bits; what has none of them here counts as `mark`. */
const mark = 8;
const kinds = ((): Uint8Array => {
  const table = new Uint8Array(128).fill(mark);
  for (let code = 0x30; code <= 0x39; code++) table[code] = 1;
  for (let code = 0x61; code <= 0x7a; code++) table[code] = 2;
  for (let code = 0x41; code <= 0x5a; code++) table[code] = 4;
  return table;
})();
const kindAt = (text: string, at: number): number => kinds[text.charCodeAt(at)] ?? mark;
const letter = 2 | 4;
const vowels = alphabet("aeiouyAEIOUY");
/** Shorter runs of letters are no words, and this many consonants in a row stand in none. */
const shortestWord = 4;
const mostConsonants = 4;

/**
 * A cautious estimate of a value's entropy in bits: words, runs and repeats count for little, since people choose
 * them. It is at most Shannon's estimate over the value's own characters. It looks at each character a few times,
 * whatever the value: everything that is hidden is asked for it. Where only `enough` matters, it need not count all that is beyond.
 */
export function bitsOf(value: string, enough = Number.POSITIVE_INFINITY): number {
  const head = value.slice(0, 4096);
  const space = Math.log2(Math.max(2, charactersOf(head)));
  let bits = 0;
  for (let index = 0; index < head.length && bits < enough;) {
    const end = runOf(head, index);
    const word = wordIn(head, index, end);
    for (; index < word; index++) {
      const step = index > 0 ? head.charCodeAt(index) - head.charCodeAt(index - 1) : Number.NaN;
      bits += step === 0 || step === 1 || step === -1 ? 1 : space;
    }
    bits += (end - word) * 2;
    index = end;
  }
  return Math.min(bits, shannon(head) * head.length);
}

/** Past the letters of one case that start at `from`, or past the one other character there. */
function runOf(text: string, from: number): number {
  const kind = kindAt(text, from);
  let end = from + 1;
  if ((kind & letter) !== 0) while (end < text.length && kindAt(text, end) === kind) end++;
  return end;
}

/**
 * Where in a run the word begins that reaches to its end, or `end`. Words mix vowels and consonants: at least one character in five is a
 * vowel, and what can't be said is no word.
 */
function wordIn(text: string, from: number, end: number): number {
  if (end - from < shortestWord) return end;
  let consonants = 0;
  let start = from;
  let spoken = 0;
  for (let at = from; at < end; at++) {
    if (within(vowels, text.charCodeAt(at))) {
      consonants = 0;
      spoken++;
    } else if (++consonants > mostConsonants) {
      start = at - mostConsonants + 1;
      spoken = 0;
    }
  }
  for (; end - start >= shortestWord; start++) {
    if (spoken * 5 >= end - start) return start;
    if (within(vowels, text.charCodeAt(start))) spoken--;
  }
  return end;
}

function charactersOf(text: string): number {
  let seen = 0;
  for (let at = 0; at < text.length; at++) seen |= kindAt(text, at);
  return (
    ((seen & 1) === 0 ? 0 : 10) +
    ((seen & 2) === 0 ? 0 : 26) +
    ((seen & 4) === 0 ? 0 : 26) +
    ((seen & mark) === 0 ? 0 : 16)
  );
}

function some(text: string, set: Alphabet): boolean {
  for (let index = 0; index < text.length; index++) if (within(set, text.charCodeAt(index))) return true;
  return false;
}

/** Shannon's entropy of a text's characters, in bits a character. */
export function shannon(text: string): number {
  const total = text.length;
  for (let at = 0; at < total; at++) {
    const code = text.charCodeAt(at);
    if (code > 0xff) {
      counted.fill(0);
      return wideShannon(text);
    }
    counted[code] = (counted[code] ?? 0) + 1;
  }
  let sum = 0;
  for (let at = 0; at < total; at++) {
    const code = text.charCodeAt(at);
    sum += countTimesLog(counted[code] ?? 0);
    counted[code] = 0;
  }
  return total === 0 ? 0 : Math.log2(total) - sum / total;
}
/** How often each character of Latin-1 stands in the text that is being counted; nothing between two texts. */
const counted = new Uint32Array(256);

/** A count times its logarithm, which few counts are ever asked for. */
function countTimesLog(count: number): number {
  return count < logs.length ? (logs[count] ?? 0) : count * Math.log2(count);
}
const logs = Float64Array.from({ length: 64 }, (_, count) => (count === 0 ? 0 : count * Math.log2(count)));

function wideShannon(text: string): number {
  const counts = new Map<string, number>();
  let total = 0;
  for (const character of text) {
    counts.set(character, (counts.get(character) ?? 0) + 1);
    total++;
  }
  let sum = 0;
  for (const count of counts.values()) sum -= (count / total) * Math.log2(count / total);
  return sum;
}

/** Characters of a value that are judged; what follows changes no answer. */
const judged = 256;

/**
 * Does the value look like key material rather than like words, a name, an id or a number? Random text changes its
 * character class every few characters; `CamelCaseWord2` does not. Digests (hexadecimal) and UUIDs are not key
 * material by their look alone.
 */
export function looksRandom(value: string, least = 16): boolean {
  if (value.length < least) return false;
  const text = value.slice(0, judged);
  if (!some(text, digits) || !some(text, letters)) return false;
  if (isHexDigest(text) || isUuid(text) || looksLikeName(text)) return false;
  if (!/^[A-Za-z0-9+/=_.~!@#$%^&*-]+$/.test(text)) return false;
  if (/^(?:\.{0,2}\/|https?:|[A-Za-z]:\\)/.test(text) && text.split("/").length > 2) return false;
  let changes = 0;
  for (let index = 1; index < text.length; index++) {
    if (classOf(text.charCodeAt(index)) !== classOf(text.charCodeAt(index - 1))) changes++;
  }
  return changes >= (text.length - 1) * 0.28 && shannon(text) >= Math.min(3.4, Math.log2(text.length) - 0.9);
}

function classOf(code: number): number {
  if (within(digits, code)) return 1;
  if (within(lower, code)) return 2;
  return within(upper, code) ? 3 : 4;
}

/** Hexadecimal and nothing else, or after `sha256:` and the like: a digest, not a secret, unless a name says so. */
export function isHexDigest(text: string): boolean {
  return /^(?:[a-z0-9]{2,8}[:-])?[0-9a-fA-F]{7,}$/.test(text);
}

export function isUuid(text: string): boolean {
  return /^[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$/.test(text);
}

/**
 * Could the value be the name of a Kubernetes object or of something alike (`ns/name`, `api-7bbd5678c7-78nqk`,
 * `tls.crt`)? Lower case, in parts that are words, small numbers or short hashes.
 */
export function looksLikeName(value: string): boolean {
  const { length } = value;
  if (length === 0 || length > 253 || !within(nameEnds, value.charCodeAt(0))) return false;
  if (!within(nameEnds, value.charCodeAt(length - 1))) return false;
  let at = 0;
  while (at <= length) {
    const end = runEnd(value, at, nameEnds, length);
    if (!isNamePart(value, at, end) || (end < length && !within(nameSigns, value.charCodeAt(end)))) return false;
    at = end + 1;
  }
  return true;
}
const nameEnds = alphabet("a-z0-9");
const nameSigns = alphabet("._/:-");

/** A word, a small number, a short hash, or a word with a number behind it. */
function isNamePart(value: string, start: number, end: number): boolean {
  const size = end - start;
  if (size <= 10) return true;
  const word = runEnd(value, start, lower, size) - start;
  if (word === size) return word <= 24;
  return word >= 2 && word <= 20 && size - word <= 4 && runEnd(value, start + word, digits, size) === end;
}

/** A file by its name alone: `tls.crt`, `values-prod.yaml`. */
export function isFileName(value: string): boolean {
  return value.length <= 80 && fileName.test(value);
}
const fileName =
  /^[A-Za-z][\w-]{0,40}\.(?:crt|cer|cert|csr|key|pem|pub|ya?ml|json|toml|ini|conf|cfg|properties|env|txt|sh|py|p12|pfx|jks)$/;

/** A version or a range of versions: `^0.7.1`, `~> 2.1`, `v1.30.2-rc.1`. */
export function isVersion(value: string): boolean {
  return (
    value.length <= 40 &&
    /^(?:[\^~]|~>|[<>]=?)?\s?v?[0-9]{1,4}(?:\.(?:[0-9]{1,4}|x)){0,3}(?:-(?:alpha|beta|rc)[\w.]{0,12})?$/.test(value)
  );
}

/** The name of a variable, in capitals, that ends as names of secrets do: `DOCKER_PASSWORD`, `YOUR_API_KEY`. */
export function namesVariable(value: string): boolean {
  return /^(?:[A-Z][A-Z0-9]{0,24}_){1,6}(?:PASSWORD|PASSWD|PASS|TOKEN|SECRET|KEY)$/.test(value);
}

/** A sentence about something: five words or more, among them some that only sentences have. */
export function isDescription(value: string): boolean {
  const words = value.split(" ", 24);
  return words.length >= 5 && words.filter(isSentenceWord).length * 5 >= words.length + 2;
}

/** A file's path: two segments or more, none of which looks random. */
export function isPath(value: string): boolean {
  if (!within(pathStarts, value.charCodeAt(0)) && value[1] !== ":") return false;
  // A segment that was hidden leaves the path one.
  const path = value.replaceAll(/\[MASKED:[a-z_]{2,24}(?::[0-9a-f]{8})?\]/g, "masked");
  if (!/^(?:\.{0,2}|~|[A-Za-z]:)[/\\](?:[\w.@-]{1,64}[/\\]){1,16}[\w.@-]{0,64}$/.test(path)) return false;
  return path.split(/[/\\]/).every((segment) => !looksRandom(segment, 12));
}

const pathStarts = alphabet(".~/\\");

/** Words that stand where a secret would, in any case. */
const fillers = new Set(
  `null nil none undefined true false yes no on off empty unset set redacted masked hidden secret_hidden sensitive
   omitted filtered removed scrubbed placeholder required optional string str text int integer bool boolean number object
   any char varchar bytes optional[str] str|none unknown n/a na tbd todo -`.split(/\s+/),
);

const longestFiller = Math.max(...[...fillers].map((one) => one.length));
const brackets = alphabet("<>()[]");

/** Nothing to hide: empty, a literal such as `null`, a row of stars, `<password>`, `[REDACTED]`, `(sensitive value)`. */
export function isPlaceholder(value: string): boolean {
  const text = value.trim();
  if (text === "" || (text.length <= longestFiller && fillers.has(text.toLowerCase()))) return true;
  if (/^([*xX.#_-])\1*$/.test(text)) return true;
  if (!within(brackets, text.charCodeAt(0)) && !within(brackets, text.charCodeAt(text.length - 1))) return false;
  if (/^<[^<>="']{0,80}>$|^\[[A-Z _-]{0,40}\]$|^\([a-z ]{0,40}\)$/.test(text)) return true;
  const inner = /^[<([]?\s*([A-Za-z_]{2,12})\s*[>)\]]?$/.exec(text)?.[1];
  return inner !== undefined && inner.length < text.length && fillers.has(inner.toLowerCase());
}

/** What a reference starts with. */
const references = alphabet("$`{#<%@!vasgro");

/** Stands for a value kept elsewhere: `$(NAME)`, `${NAME}` (without a default in it), `$NAME`, `{{ … }}`, `%s`, `{name}`, `#{…}`, `@Value`-like. */
export function isReference(value: string): boolean {
  const text = value.trim().slice(0, judged);
  if (!within(references, text.charCodeAt(0))) return false;
  if (
    /^\$(?:\([A-Za-z_][\w.]*\)|\{[\w.]{1,128}(?::?[-=+]?|:?\?[^{}]*)\}|\{(?:vault|secret|env|file|ssm|aws):[^{}]*\}|[A-Z_][A-Z0-9_]*|[a-z][A-Za-z_]*|[1-9][0-9]?)$/.test(
      text,
    )
  )
    return true;
  if (/^\$\{?[A-Za-z_]\w{0,63}\}?\/[\w./-]{1,128}$/.test(text)) return true;
  if (/^\$\(.*\)$|^\$\([\w./-]+$|^`.*`$|^@[\w.-]{1,64}@$/.test(text)) return true;
  if (/^\{\{.*\}\}$|^\{%.*%\}$|^#\{.*\}$|^<%.*%>$|^\$\{\{.*\}\}$/.test(text)) return true;
  if (/^%(?:\([A-Za-z_]\w*\))?-?[0-9]*[sdvqxTp]$|^%[A-Za-z_]\w*%$|^\{[A-Za-z_0-9.:!]*\}$/.test(text)) return true;
  return /^!(?:Ref|GetAtt|Sub|ImportValue|reference|vault|secret|env_var|include)$|^(?:vault|awssm|ssm|gcpsm|azurekv|secretref|ref\+[a-z]+|op|arn):[^\s]+$/.test(
    text,
  );
}

/** Words that follow a name in a sentence about it (`token: expired`, `--password to`), never a value. */
const sentenceWords = new Set(
  `a an the is are was were be been not no never must should shall can cannot could may might will would has have had to
   for of in on at by from with without and or but if then else when while as via per this that these those it its your
   our their invalid valid incorrect correct wrong bad missing required expired expires expiring revoked rotated rotation
   refreshed refresh failed failure fails failing success successful succeeded accepted rejected denied refused granted
   unauthorized unauthorised forbidden unknown unexpected empty blank changed change updated update created create deleted
   delete found exists exist absent present provided supplied given set unset reset disabled enabled ok okay error errors
   mismatch mismatched matched match matches too already auth authentication authorization authorized verified verification
   validation validated validating authenticated using used use uses and/or generated generating received required. stored
   loaded loading reading read write written syntax file path option options flag value values field fields header parameter
   argument string text prompt hash length policy name names type true false null none nil end eof begin start stop new
   old current previous next after before during instead lookup store manager provider service server client user username
   account database db login logon logout session rate limit limits limited exceeded count total more less than between
   default secret secrets token tokens password passwords key keys credential credentials cookie cookies bearer basic
   digest negotiate configured configuration config setting settings entered entry enter typed strong weak short long
   plain plaintext encrypted decrypted hashed only also still just now here there`.split(/\s+/),
);

/** Is the text a word of a sentence rather than a value? */
export function isSentenceWord(text: string): boolean {
  return sentenceWords.has(text.toLowerCase().replace(/[.,;:!?)\]'"]+$/, ""));
}

/** Letters alone, or with digits and marks among them? */
export function isPlainWord(text: string): boolean {
  return text !== "" && runEnd(text, 0, letters, text.length) === text.length;
}

/** At least one letter or digit, so that punctuation alone is never a value. */
export function holdsSomething(text: string): boolean {
  return some(text, alphanumeric);
}

/** Does base64 text hold `user:password` in printable characters? */
export function isBasic(value: string): boolean {
  if (value.length < 4 || !/^[A-Za-z0-9+/_-]+={0,2}$/.test(value)) return false;
  const plain = Buffer.from(value, "base64").toString("utf8");
  return /^[\x20-\x7e\u00a1-\u024f]*:[\x20-\x7e\u00a1-\u024f]+$/.test(plain) && holdsSomething(plain);
}
