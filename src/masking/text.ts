// Finds secrets in any text: one keyword pass, anchored checks at its hits, probes for what has no keyword.

import { base64Probe, deepest, type Opened } from "./base64.ts";
import { cardAt } from "./cards.ts";
import {
  decodedStretches,
  encodedCheck,
  encodedKeywords,
  escapeCheck,
  escapeKeywords,
  unescapedLetters,
  type Plain,
} from "./escapes.ts";
import type { Field } from "./fields.ts";
import { formatCheck } from "./formats.ts";
import { idioms } from "./idioms.ts";
import { hidesCharacters, visible } from "./invisible.ts";
import { issuedProbe, issuerCheck, issuerKeywords } from "./issued.ts";
import { latinNameCheck, latinNames, spokenNames } from "./languages.ts";
import { automaton, controlWord, newCursor, nextHits, type Automaton, type Cursor, type Narrow } from "./keywords.ts";
import { manifestCheck, manifestKeywords } from "./manifests.ts";
import { narrower } from "./narrow.ts";
import { nameKeywords, pairCheck } from "./pairs.ts";
import { personalIn } from "./personal.ts";
import { base64Runs, cardRuns, mayBeBase64, mayBeCard, mayHoldRuns, probeRuns } from "./probes.ts";
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
export const shortestSecret = 6;
/** Most strings of objects are no longer, and most of them hold no keyword and no run that could be a number or base64: that is told before a scan is set up. */
const short = 1024;

/** Builds the finder: the profile's formats and the built-in checks behind one automaton. `opened` judges decoded text. */
export function secretFinder(
  profile: Profile,
  remember: (name: string) => Field | undefined,
  opened: Opened,
): FindSecrets {
  const pairs = pairCheck(remember);
  const rows = [...checksOf(profile, pairs).values()];
  const machine = automaton(rows);
  const narrowed = narrower();
  const cards = profile.personal.has("card");
  const byPasses = [...profile.personal].some((kind) => kind !== "card");
  const find: FindSecrets = (whole, config, depth, room) => {
    if (whole.length < shortestSecret) return { spans: nothing, work: 0 };
    const narrow = narrowed(whole, depth);
    const cursor = newCursor();
    const first = nextHits(machine, narrow, cursor);
    if (first === undefined && whole.length <= short && !byPasses && !narrow.wide && !mayHoldRuns(narrow, cards))
      return { spans: nothing, work: whole.length };
    const scan = newScan(whole, config, depth, room);
    const spans: Span[] = [];
    const odd = checkHits(scan, machine, narrow, cursor, first, rows, pairs, spans);
    if ((odd || narrow.wide) && hidesCharacters(whole))
      return throughVisible((text) => find(text, config, depth, room), whole);
    const byKeyword = merged(whole, spans);
    const probed: Span[] = [];
    if (cards) probeRuns(narrow, cardRuns, mayBeCard, byKeyword, (at) => cardAt(scan, at), probed);
    const encodedOrIssued = issuedProbe(scan, base64Probe(scan, opened));
    probeRuns(narrow, base64Runs, mayBeBase64, byKeyword, encodedOrIssued, probed);
    for (const span of personalIn(scan, profile.personal)) probed.push(span);
    if (narrow.wide) for (const span of spokenNames(scan)) probed.push(span);
    if (scan.seen.escaped && depth < deepest) throughPlain(scan, find, unescapedLetters(whole), probed);
    if (scan.seen.encoded && depth < deepest) throughPlain(scan, find, decodedStretches(whole), probed);
    return {
      spans: probed.length === 0 ? byKeyword : merged(whole, [...byKeyword, ...probed]),
      work: scan.work + whole.length,
    };
  };
  return find;
}

/** Runs the checks at every hit of a keyword, of which `first` was found already. Returns whether the text holds a control character. */
function checkHits(
  scan: Scan,
  machine: Automaton,
  narrow: Narrow,
  cursor: Cursor,
  first: readonly number[] | undefined,
  rows: readonly Row[],
  pairs: Check,
  spans: Span[],
): boolean {
  const budget: Budget = { sliceEnd: 0, limit: 0, skipTo: 0 };
  let odd = false;
  let tokenStop = 0;
  for (let words = first; words !== undefined; words = nextHits(machine, narrow, cursor)) {
    for (const word of words) {
      const row = rows[word];
      if (row === undefined) {
        odd ||= word === controlWord;
        continue;
      }
      const start = cursor.at - row.text.length;
      if (start < tokenStop || start < budget.skipTo) continue;
      if (row.exact && !scan.text.startsWith(row.text, start)) continue;
      for (const check of row.checks) {
        if (check === pairs && isDeepInside(start, spans.at(-1))) continue;
        const found = check(scan, start, cursor.at);
        if (check === tokenCheck) tokenStop = found[0]?.end ?? tokenStop;
        else for (const span of found) spans.push(span);
      }
      spend(budget, scan, start, spans);
    }
  }
  return odd;
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

/** What the checks may still cost in the slice under scan. */
interface Budget {
  sliceEnd: number;
  limit: number;
  skipTo: number;
}

/** Scans the text without its escapes, as another encoding, and adds what only that shows. */
function throughPlain(scan: Scan, find: FindSecrets, { text, places }: Plain, found: Span[]): void {
  const { spans, work } = find(text, scan.config, scan.depth + 1, scan.room);
  scan.work += work;
  for (const span of spans)
    found.push({ ...span, start: places[span.start] ?? 0, end: places[span.end] ?? scan.text.length });
}

/** Holds the work of the checks against the length of each slice; a slice that costs more is hidden from there on. */
function spend(budget: Budget, scan: Scan, at: number, spans: Span[]): void {
  if (at >= budget.sliceEnd) {
    const length = Math.min(slice, scan.text.length - at);
    budget.sliceEnd = at + length;
    budget.limit = scan.work + length * workPerCharacter + slice;
  }
  if (scan.work <= budget.limit) return;
  budget.skipTo = budget.sliceEnd;
  spans.push({ start: at, end: budget.sliceEnd, type: "unscanned", value: "", why: "budget" });
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
  add(escapeKeywords, false, escapeCheck);
  add(encodedKeywords, false, encodedCheck);
  for (const [words, check] of idioms) add(words, false, check);
  add(issuerKeywords, false, issuerCheck);
  add(latinNames, false, latinNameCheck);
  add(nameKeywords, false, pairs);
  return rows;
}

/** A well-formed token: what stands inside is not looked at. */
const tokenCheck: Check = ({ text }, start) => {
  const end = tokenEnd(text, start);
  return end === -1 ? nothing : [{ start, end, type: "custom", value: "", why: "token" }];
};
