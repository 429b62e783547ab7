// Patterns that rules search in: RE2 syntax, linear time, compiled once when the policy loads.

import { RE2JS } from "re2js";

export interface Pattern {
  /** Steps of the compiled pattern: each may cost on every character. */
  readonly size: number;
  /** Is it found anywhere in the text? */
  readonly finds: (text: string) => boolean;
}

/** Repetitions are written out, so that a short pattern can ask for thousands of steps. */
const mostSteps = 500;

/** The compiled pattern, or what is wrong with it. */
export function openPattern(source: string): Pattern | { readonly problem: string } {
  if (source.length > 500) return { problem: "has more than 500 characters" };
  try {
    const compiled = RE2JS.compile(source);
    const size = compiled.programSize();
    if (size > mostSteps) return { problem: "repeats too much: write smaller counts in { }" };
    return { size, finds: (text) => compiled.matcher(text).find() };
  } catch {
    return { problem: "is not an RE2 regular expression (no look-around, no back-references)" };
  }
}
