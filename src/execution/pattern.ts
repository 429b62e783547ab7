// Regular expressions from agents, in linear time: RE2 syntax, no backtracking whatever the pattern.

import { RE2JS } from "re2js";
import { fault, Faulted } from "../domain/fault.ts";

/** Compiles an agent's pattern of at most 200 characters. Faults: invalid_input naming the argument. */
export function pattern(source: string, argument: string): (line: string) => boolean {
  try {
    const compiled = RE2JS.compile(source);
    return (line) => compiled.matcher(line).find();
  } catch (thrown) {
    const cause = thrown instanceof Error ? thrown.message : String(thrown);
    throw new Faulted(
      fault(
        "invalid_input",
        {
          problems: [
            { path: argument, rule: "must be an RE2 regular expression (no look-around, no back-references)" },
          ],
        },
        cause,
      ),
    );
  }
}
