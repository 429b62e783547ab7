// Finds secrets in any text: one keyword pass, anchored checks at its hits, probes for what has no keyword.

import { base64Probe, type Opened } from "./base64.ts";
import { cardAt } from "./cards.ts";
import type { Field } from "./fields.ts";
import { formatCheck } from "./formats.ts";
import { hidesCharacters, isWide, visible } from "./invisible.ts";
import { automaton, eachHit, type Narrow } from "./keywords.ts";
import { manifestCheck, manifestKeywords } from "./manifests.ts";
import { nameKeywords, pairCheck } from "./pairs.ts";
import { personalIn } from "./personal.ts";
import { mayBeBase64, mayBeCard } from "./probes.ts";
import { pemCheck, pemKeywords } from "./pem.ts";
import type { Profile } from "./profile.ts";
import { programCheck, programKeywords } from "./programs.ts";
import { merged, newScan, nothing, type Check, type Room, type Scan, type Span } from "./spans.ts";
import { tokenEnd } from "./token.ts";
import { basicCheck, bearerCheck, goDsnCheck, jwkCheck, jwtCheck, urlCheck } from "./web.ts";

export interface Found {
  readonly spans: readonly Span[];
  /** Characters looked at by pass and checks: grows in step with the text. */
  readonly work: number;
}

/** Finds what to hide. `config`: the text is a file rather than log lines. `depth`: how many encodings were opened before. */
export type FindSecrets = (text: string, config: boolean, depth: number, room: Room) => Found;

/** Most checks' work for each character of a stretch before the rest of it is given up and hidden. */
const workPerCharacter = 48;
/** A stretch has its own budget; longer lines are cut into such slices (masking.md). */
const slice = 64 * 1024;
/** Nothing shorter holds a name with a value or a known format. */
const shortest = 6;

/** Builds the finder: the profile's formats and the built-in checks behind one automaton. `opened` judges decoded text. */
export function secretFinder(
  profile: Profile,
  remember: (name: string) => Field | undefined,
  opened: Opened,
): FindSecrets {
  const pairs = pairCheck(remember);
  const rows = checksOf(profile, pairs);
  const keywords = [...rows.values()].map(({ text, exact }) => ({ text, exact }));
  const checks = [...rows.values()].map((row) => row.checks);
  const machine = automaton(keywords);
  const narrowed = narrower();
  const find: FindSecrets = (whole, config, depth, room) => {
    if (whole.length < shortest) return { spans: nothing, work: 0 };
    const narrow = narrowed(whole, depth);
    const scan = newScan(whole, config, depth, room);
    const spans: Span[] = [];
    const budget = budgetOf(scan, spans);
    let tokenStop = 0;
    const odd = eachHit(machine, narrow, (word, end) => {
      const { text, exact } = keywords[word] ?? { text: "", exact: false };
      const start = end - text.length;
      if (start < tokenStop || budget.skips(start)) return;
      if (exact && !whole.startsWith(text, start)) return;
      for (const check of checks[word] ?? []) {
        if (check === pairs && isDeepInside(start, spans.at(-1))) continue;
        const found = check(scan, start, end);
        if (check === tokenCheck) tokenStop = found[0]?.end ?? tokenStop;
        else for (const span of found) spans.push(span);
      }
      budget.spend(start);
    });
    if ((odd || isWide(whole)) && hidesCharacters(whole))
      return throughVisible((text) => find(text, config, depth, room), whole);
    const byKeyword = merged(whole, spans);
    const cards = profile.personal.has("card");
    const probed = [...probe(scan, narrow, byKeyword, opened, cards), ...personalIn(scan, profile.personal)];
    return {
      spans: probed.length === 0 ? byKeyword : merged(whole, [...byKeyword, ...probed]),
      work: scan.work + whole.length,
    };
  };
  return find;
}

/** Names far inside a value that is hidden already need no look: nothing that they join reaches past its end. */
function isDeepInside(at: number, last: Span | undefined): boolean {
  return last !== undefined && at >= last.start && at < last.end - 512;
}

/** Scans the text as it is seen, without control and invisible characters, and maps the findings back. */
function throughVisible(find: (text: string) => Found, whole: string): Found {
  const { text, places } = visible(whole);
  const { spans, work } = find(text);
  const back = spans.map((span) => ({
    ...span,
    start: places[span.start] ?? whole.length,
    end: (places[span.end - 1] ?? whole.length - 1) + 1,
  }));
  return { spans: merged(whole, back), work: work + whole.length };
}

/** Holds the work of the checks against the length of each slice; a slice that costs more is hidden from there on. */
function budgetOf(scan: Scan, spans: Span[]): { skips: (at: number) => boolean; spend: (at: number) => void } {
  let sliceEnd = 0;
  let limit = 0;
  let skipTo = 0;
  return {
    skips: (at) => at < skipTo,
    spend: (at) => {
      if (at >= sliceEnd) {
        const length = Math.min(slice, scan.text.length - at);
        sliceEnd = at + length;
        limit = scan.work + length * workPerCharacter + slice;
      }
      if (scan.work <= limit) return;
      skipTo = sliceEnd;
      spans.push({ start: at, end: sliceEnd, type: "unscanned", value: "", why: "budget" });
    },
  };
}

interface Row {
  readonly text: string;
  readonly exact: boolean;
  readonly checks: Check[];
}

function checksOf({ formats }: Profile, pairs: Check): Map<string, Row> {
  const rows = new Map<string, Row>();
  const add = (words: readonly string[], exact: boolean, check: Check): void => {
    for (const text of words) {
      const id = exact ? `=${text}` : text.toLowerCase();
      const row = rows.get(id) ?? { text: exact ? text : text.toLowerCase(), exact, checks: [] };
      row.checks.push(check);
      rows.set(id, row);
    }
  };
  add(["[MASKED:"], true, tokenCheck);
  for (const format of formats) add(format.keywords, true, formatCheck(format));
  add(pemKeywords, false, pemCheck);
  add(["eyJ"], true, jwtCheck);
  add(["kty"], true, jwkCheck);
  add(["://", "%3a%2f%2f", ":\\/\\/"], false, urlCheck);
  add(["@tcp(", "@unix(", "@udp(", "@cloudsql("], false, goDsnCheck);
  add(["bearer ", "bearer%20", "bearer+"], false, bearerCheck);
  add(["basic ", "basic%20"], false, basicCheck);
  add(manifestKeywords, false, manifestCheck);
  add(programKeywords, false, programCheck);
  add(nameKeywords, false, pairs);
  return rows;
}

/** A well-formed token: what stands inside is not looked at. */
const tokenCheck: Check = ({ text }, start) => {
  const end = tokenEnd(text, start);
  return end === -1 ? nothing : [{ start, end, type: "custom", value: "", why: "token" }];
};

/** Larger texts get a buffer of their own, which is not kept. */
const mostKept = 4 * 1024 * 1024;

/**
 * Makes byte views of texts in scratch buffers that grow with the longest text so far: one for each depth, since a text
 * is still being probed while what is encoded in it is scanned one depth further.
 */
function narrower(): (text: string, depth: number) => Narrow {
  const kept = new Map<number, { buffer: Buffer; pairs: Uint16Array }>();
  return (text, depth) => {
    let views = kept.get(depth);
    if (views === undefined || views.buffer.length < text.length) {
      const memory = new ArrayBuffer(Math.max(4096, 1 << Math.ceil(Math.log2(text.length + 1))));
      views = { buffer: Buffer.from(memory), pairs: new Uint16Array(memory) };
      if (text.length <= mostKept) kept.set(depth, views);
    }
    views.buffer.write(text, 0, "latin1");
    return { bytes: views.buffer, pairs: views.pairs, length: text.length };
  };
}

/** Every card number and every base64 run that is opened is longer: one of every twelfth characters stands in it. */
const probeStep = 12;

/** Looks for what has no keyword, outside of what is hidden already: card numbers and base64. */
function probe(scan: Scan, narrow: Narrow, hidden: readonly Span[], opened: Opened, cards: boolean): readonly Span[] {
  const { length } = narrow;
  const tryBase64 = base64Probe(scan, opened);
  const found: Span[] = [];
  let next = 0;
  for (let at = probeStep - 1; at < length; at += probeStep) {
    while (next < hidden.length && (hidden[next]?.end ?? 0) <= at) next++;
    if ((hidden[next]?.start ?? length) <= at) {
      at = Math.max(at, (hidden[next]?.end ?? at) - 1);
      continue;
    }
    if (cards && mayBeCard(narrow, at)) found.push(...cardAt(scan, at));
    if (mayBeBase64(narrow, at)) found.push(...tryBase64(at));
  }
  return found;
}
