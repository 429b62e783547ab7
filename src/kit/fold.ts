// Folds a log into counted patterns with its errors and newest lines kept, in one pass (tools.md, section 2).

interface Pattern {
  count: number;
  readonly first: string;
  example: string;
  readonly error: boolean;
  readonly at: number;
  newest: number;
}

const shown = 20;
/** Fewer repeats than these stay as they are. */
const leastRun = 4;
const errorWord =
  /\b(error|fatal|panic|exception|traceback|fail(ed|ure)?|critical|severe|crit|emerg|oom|killed|refused|denied|timed? ?out)\b/i;
const continuation = /^(\s+at |\s{2,}|\t|Caused by:|\.\.\. \d+ more)/;

/** Lines that are looked at before others have their turn: some milliseconds' worth. */
const stretch = 500;

/**
 * A log as an agent needs it. Up to 100 lines stay as they are, but for runs of repeats; beyond that `auto` prints counted patterns, errors first,
 * then the newest 20 lines; `patterns` prints patterns alone. `others` resolves once everything else had its turn: a long log must not hold it up.
 */
export async function foldLog(
  lines: readonly string[],
  mode: "auto" | "patterns",
  tail: number,
  others: () => Promise<void>,
): Promise<string> {
  if (mode === "auto" && lines.length <= Math.min(100, tail)) return foldRuns(lines).join("\n");
  const joined = joinStacks(lines);
  const patterns: Patterns = new Map();
  for (let from = 0; from < joined.length; from += stretch) {
    if (from > 0) await others();
    addPatterns(patterns, joined.slice(from, from + stretch), from);
  }
  const ranked = [...patterns.values()].sort((a, b) => Number(b.error) - Number(a.error) || b.newest - a.newest);
  const room = mode === "auto" ? 40 : 100;
  const listed = ranked.slice(0, room).map(patternLine);
  const left = ranked.length - listed.length;
  const rest =
    left > 0 ? [`(${left} more patterns, ${ranked.slice(room).reduce((sum, one) => sum + one.count, 0)} lines)`] : [];
  const head = [`${lines.length} lines in ${patterns.size} patterns, errors first:`, ...listed, ...rest];
  if (mode === "patterns") return head.join("\n");
  const newest = lines.slice(-Math.min(shown, tail));
  return [...head, `newest ${newest.length} lines:`, ...foldRuns(newest)].join("\n");
}

/** Lines that repeat one after the other, times aside, become one: how often, since when, and the last of them whole. */
function foldRuns(lines: readonly string[]): string[] {
  const folded: string[] = [];
  for (let from = 0; from < lines.length;) {
    const same = withoutTimes(lines[from] ?? "");
    let to = from + 1;
    while (to < lines.length && withoutTimes(lines[to] ?? "") === same) to += 1;
    const since = timeOf(lines[from] ?? "");
    if (to - from < leastRun) folded.push(...lines.slice(from, to));
    else folded.push(`${to - from}× ${since === "" ? "" : `since ${since} `}${lines[to - 1] ?? ""}`);
    from = to;
  }
  return folded;
}

const withoutTimes = (line: string): string =>
  line.replaceAll(/(\d{4}-\d\d-\d\d[T ])?\d\d:\d\d:\d\d([.,]\d+)?(Z|[+-]\d\d:?\d\d)?/g, "<time>");

/** The few lines that a diagnosis shows: counted patterns that speak of errors, else the newest lines. */
export function errorLines(lines: readonly string[], most: number): string {
  const errors = [...addPatterns(new Map(), joinStacks(lines), 0).values()]
    .filter((one) => one.error)
    .sort((a, b) => b.newest - a.newest);
  if (errors.length === 0) return lines.slice(-most).join("\n");
  const left = errors.length - Math.min(errors.length, most);
  return [...errors.slice(0, most).map(patternLine), ...(left > 0 ? [`(${left} more error patterns)`] : [])].join("\n");
}

type Patterns = Map<string, Pattern>;

/** Counts these lines too; the first of them stands at `from` in the log. */
function addPatterns(patterns: Patterns, lines: readonly string[], from: number): Patterns {
  lines.forEach((line, here) => {
    const index = from + here;
    const key = shapeOf(line);
    const known = patterns.get(key);
    if (known === undefined)
      patterns.set(key, {
        count: 1,
        first: timeOf(line),
        example: line,
        error: errorWord.test(line),
        at: index,
        newest: index,
      });
    else {
      known.count += 1;
      known.example = line;
      known.newest = index;
    }
  });
  return patterns;
}

/** `12× ! 10:01:02–10:09:58 newest example` */
function patternLine(one: Pattern): string {
  const last = timeOf(one.example);
  const times =
    one.first === "" ? "" : one.count === 1 || one.first === last ? `${one.first} ` : `${one.first}–${last} `;
  return `${one.count}× ${one.error ? "! " : ""}${times}${one.example.slice(0, 300)}`;
}

/** A stack's frames stay with their head line: the first three, then how many there were. */
function joinStacks(lines: readonly string[]): string[] {
  const joined: string[] = [];
  let frames = 0;
  for (const line of lines) {
    const head = joined.at(-1);
    if (head === undefined || !continuation.test(line)) {
      joined.push(line);
      frames = 0;
    } else if (++frames <= 3) joined[joined.length - 1] = `${head} ⏎ ${line.trim()}`;
  }
  return joined;
}

/** The line with times, numbers and ids replaced: equal shapes are one pattern. Masks stay whole, so that equal secrets stay equal. */
function shapeOf(line: string): string {
  return line
    .slice(0, 500)
    .replaceAll(/\[MASKED:[a-z0-9-]+(:[0-9a-f]{8})?\]/g, "<masked>")
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi, "<id>")
    .replaceAll(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.,\d]*(Z|[+-]\d\d:?\d\d)?/g, "<time>")
    .replaceAll(/\b[0-9a-f]*\d[0-9a-f]{7,}\b/gi, "<id>")
    .replaceAll(/\d+/g, "#");
}

function timeOf(line: string): string {
  return /\d\d:\d\d:\d\d/.exec(line.slice(0, 60))?.[0] ?? "";
}
