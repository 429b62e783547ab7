// What verification answers: one verdict a question, never one green tick for all.

import type { Entry } from "./entry.ts";

export const questions = [
  "FORMAT",
  "INTEGRITY",
  "ORDER",
  "EXTENT",
  "TIME",
  "BODIES",
  "SEMANTICS",
  "COMPLETENESS",
] as const;
export type Question = (typeof questions)[number];

export interface Verdict {
  readonly question: Question;
  /** `not-checked` where these files alone can't answer. */
  readonly verdict: "ok" | "failed" | "not-checked";
  /** One sentence. */
  readonly says: string;
  /** Where it failed, a sentence each: the first twenty. */
  readonly places: readonly string[];
}

/** Where an entry stands: its index in the tree, and its file and line (from 1). */
export interface EntryPlace {
  readonly index: number;
  readonly segment: string;
  readonly line: number;
}

/** One question that is answered entry by entry. */
export interface Check {
  /** Takes the next entry that could be read. `leaf` is its leaf hash, hex. */
  take(entry: Entry, at: EntryPlace, leaf: string): void;
  verdict(): Verdict;
}

/** Collects what was found wrong. */
export interface Findings {
  add(problem: string, at?: EntryPlace): void;
  count(): number;
  /** Failed with `failed` when anything was found, ok with `ok` when nothing was. */
  verdict(question: Question, ok: string, failed: (count: number) => string): Verdict;
}

const most = 20;

export function collectFindings(): Findings {
  const places: string[] = [];
  let count = 0;
  return {
    add(problem, at) {
      count++;
      if (places.length < most) places.push(at === undefined ? problem : `${describePlace(at)}: ${problem}`);
    },
    count: () => count,
    verdict(question, ok, failed) {
      if (count === 0) return { question, verdict: "ok", says: ok, places: [] };
      const more = count > most ? [`and ${count - most} more`] : [];
      return { question, verdict: "failed", says: failed(count), places: [...places, ...more] };
    },
  };
}

function describePlace({ index, segment, line }: EntryPlace): string {
  return `entry ${index} (${segment} line ${line})`;
}
