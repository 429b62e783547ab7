// Regular expressions from agents, in linear time and within a budget: RE2 syntax, no backtracking whatever the pattern.

import { RE2JS } from "re2js";
import { fault, Faulted } from "../domain/fault.ts";

/** Steps of a compiled pattern: each may cost on every character. Repetitions are written out, so 200 characters can ask for thousands. */
const mostSteps = 500;

/** Milliseconds that one pattern may match for in all: nothing else of the gateway runs meanwhile. */
const longest = 1_000;

/**
 * Compiles an agent's pattern of at most 200 characters; `now` in milliseconds. Faults: invalid_input naming the
 * argument, for a pattern that is none or repeats too much; limit_exceeded, from matching, when the time is used up.
 */
export function pattern(source: string, argument: string, now: () => number): (line: string) => boolean {
  const compiled = compile(source, argument);
  if (compiled.programSize() > mostSteps) throw refused(argument, "repeats too much: write smaller counts in { }");
  let spent = 0;
  return (line) => {
    if (spent > longest)
      throw new Faulted(fault("limit_exceeded", { limit: "the time for matching; a simpler pattern takes less" }));
    const begun = now();
    const found = compiled.matcher(line).find();
    spent += now() - begun;
    return found;
  };
}

function compile(source: string, argument: string): RE2JS {
  try {
    return RE2JS.compile(source);
  } catch (thrown) {
    const cause = thrown instanceof Error ? thrown.message : String(thrown);
    throw refused(argument, "must be an RE2 regular expression (no look-around, no back-references)", cause);
  }
}

function refused(path: string, rule: string, cause = ""): Faulted {
  return new Faulted(fault("invalid_input", { problems: [{ path, rule }] }, cause));
}
