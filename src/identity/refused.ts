// Why a token was refused, for the operator alone: rolled up, so that no stranger can fill the log, and without the token.

export interface Refused {
  readonly kind: "refused";
  /** One of a fixed set of sentences. */
  readonly why: string;
  /** What stood there instead: from the token, so anybody's words, quoted and cut. */
  readonly found: string;
}

/** `found` is shown as JSON, 120 characters of printable ASCII at most. */
export function refused(why: string, found?: unknown): Refused {
  const shown = found === undefined ? "" : (JSON.stringify(found) ?? "").replace(/[^\x20-\x7e]/g, "?").slice(0, 120);
  return { kind: "refused", why, found: shown };
}

/** What the operator is told: how often since it was told last, this time included. */
export interface Told {
  readonly why: string;
  readonly found: string;
  readonly times: number;
}

/** Tells each sentence at once and then once a minute at most, with how often it was. Beyond `most` different ones in a minute all others are told as one. */
export function rollUp(now: () => number, tell: (told: Told) => void, most = 100): (why: Refused) => void {
  const since = new Map<string, { readonly at: number; times: number }>();
  /** A clock that was set back makes things old, never young. */
  const isFresh = ({ at }: { readonly at: number }): boolean => now() - at >= 0 && now() - at < 60_000;
  return (refused_) => {
    if (since.size >= most && !since.has(refused_.why))
      for (const [key, one] of since) if (!isFresh(one)) since.delete(key);
    const { why, found } = since.size < most || since.has(refused_.why) ? refused_ : others;
    const last = since.get(why);
    const times = (last?.times ?? 0) + 1;
    if (last !== undefined && isFresh(last)) {
      last.times = times;
      return;
    }
    since.set(why, { at: now(), times: 0 });
    tell({ why, found, times });
  };
}

const others: Refused = { kind: "refused", why: "more reasons than are told apart in a minute", found: "" };

/** As one sentence for the log. */
export function sentenceOf({ why, found, times }: Told): string {
  const more = times > 1 ? `, ${times} times since it was told last` : "";
  return `${why}${found === "" ? "" : `: ${found}`}${more}`;
}
