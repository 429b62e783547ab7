// What the rules of all files name: ids of their own, tools and masking profiles that are there.

import { nearest } from "./nearest.ts";
import { ending, type Finding, type Problem, type Step } from "./problems.ts";
import type { WrittenRule } from "./rule-shape.ts";

/** A file's plain content, and the way back from a path in it to a line and column. */
export interface ParsedFile {
  readonly content: unknown;
  readonly problem: (finding: Finding) => Problem;
  readonly valueAt: (path: readonly Step[]) => unknown;
}

/** One rule with the place where it stands. */
export interface Placed {
  readonly file: ParsedFile;
  readonly at: readonly Step[];
  readonly written: WrittenRule;
  /** The zone of its file. */
  readonly zone: string;
}

/** More are not told at once. */
export const mostProblems = 50;

export function checkIds(placed: readonly Placed[], problems: Problem[]): void {
  const seen = new Map<string, Placed>();
  const here = ({ file, at }: Placed, sentence: string): Problem =>
    file.problem({ at: [...at, "id"], key: false, sentence });
  for (const one of placed) {
    const { id } = one.written;
    const first = seen.get(id);
    if (first === undefined) seen.set(id, one);
    else if (problems.length < mostProblems) {
      const { path, line } = here(first, "");
      problems.push(here(one, `The id ${id} is taken at ${path}:${line}.`));
    }
  }
}

/** A deny rule for a tool that does not exist would protect nothing, silently. */
export function checkTools(placed: readonly Placed[], tools: ReadonlySet<string>, problems: Problem[]): void {
  for (const { file, at, written } of placed)
    for (const [index, tool] of (written.match.tools ?? []).entries()) {
      if (tools.has(tool)) continue;
      const sentence = `There is no tool ${tool}${ending(nearest(tool, tools))}`;
      problems.push(file.problem({ at: [...at, "match", "tools", index], key: false, sentence }));
    }
}

/** A profile that is not there would hide nothing of what its rule's author meant to be hidden. */
export function checkMasks(placed: readonly Placed[], masks: readonly string[], problems: Problem[]): void {
  for (const { file, at, written } of placed) {
    const mask = written.obligations?.mask;
    if (mask === undefined || masks.includes(mask)) continue;
    const sentence = `There is no masking profile ${mask}${ending(nearest(mask, masks))}`;
    problems.push(file.problem({ at: [...at, "obligations", "mask"], key: false, sentence }));
  }
}
