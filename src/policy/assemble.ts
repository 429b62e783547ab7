// Makes one policy of the data of its files: shapes, ids and tools checked, every example run.

import { createHash } from "node:crypto";
import canonicalize from "canonicalize";
import { accessesOf, tryExample } from "./examples.ts";
import { indexRules, type Policy } from "./policy.ts";
import { nearest } from "./nearest.ts";
import { ending, findingsOf, show, type Finding, type Problem, type Step } from "./problems.ts";
import { fileSchema, ruleFrom, ruleSchema, type WrittenRule } from "./rule.ts";

export type LoadedPolicy =
  | { readonly kind: "loaded"; readonly policy: Policy }
  | { readonly kind: "refused"; readonly problems: readonly Problem[] };

/** A file's plain content, and the way back from a path in it to a line and column. */
export interface ParsedFile {
  readonly content: unknown;
  readonly problem: (finding: Finding) => Problem;
  readonly valueAt: (path: readonly Step[]) => unknown;
}

/** One rule with the place where it stands. */
interface Placed {
  readonly file: ParsedFile;
  readonly at: readonly Step[];
  readonly written: WrittenRule;
}

const most = { rules: 5000, problems: 50 };

/** `problems` are those that parsing found: one anywhere refuses the whole, as a policy without one of its rules is another policy. */
export function assemble(
  files: readonly ParsedFile[],
  problems: Problem[],
  tools: readonly string[] | undefined,
): LoadedPolicy {
  const placed = files.flatMap((file) => rulesOf(file, problems));
  checkIds(placed, problems);
  if (tools !== undefined) checkTools(placed, new Set(tools), problems);
  if (problems.length > 0) return refused(problems);

  const rules = placed.map(({ written }, order) => ruleFrom(written, order));
  const digest = createHash("sha256")
    .update(canonicalize(files.map((file) => file.content)) ?? "")
    .digest("hex");
  const policy = { digest, rules, index: indexRules(rules), examples: 0, unexercised: [] };
  const tried = tryExamples(policy, placed, problems);
  return problems.length > 0 ? refused(problems) : { kind: "loaded", policy: { ...policy, ...tried } };
}

export function refused(problems: readonly Problem[]): LoadedPolicy {
  return { kind: "refused", problems: problems.slice(0, most.problems) };
}

/** The file's rules that have the right shape; a problem for each part that has not. */
function rulesOf(file: ParsedFile, problems: Problem[]): Placed[] {
  const outer = fileSchema.safeParse(file.content);
  if (!outer.success) {
    problems.push(...outer.error.issues.flatMap((issue) => findingsOf(issue, [], file.valueAt)).map(file.problem));
    return [];
  }
  if (outer.data.rules.length > most.rules) {
    const sentence = `There are ${outer.data.rules.length} rules; a file may hold ${most.rules}.`;
    problems.push(file.problem({ at: ["rules", most.rules], key: false, sentence }));
    return [];
  }
  const placed: Placed[] = [];
  for (const [index, rule] of outer.data.rules.entries()) {
    const at = ["rules", index];
    const parsed = ruleSchema.safeParse(rule);
    if (parsed.success) placed.push({ file, at, written: parsed.data });
    else if (problems.length < most.problems)
      problems.push(...parsed.error.issues.flatMap((issue) => findingsOf(issue, at, file.valueAt)).map(file.problem));
  }
  return placed;
}

function checkIds(placed: readonly Placed[], problems: Problem[]): void {
  const seen = new Map<string, Problem>();
  for (const { file, at, written } of placed) {
    const here = file.problem({ at: [...at, "id"], key: false, sentence: "" });
    const first = seen.get(written.id);
    if (first === undefined) seen.set(written.id, here);
    else problems.push({ ...here, sentence: `The id ${written.id} is taken at ${first.path}:${first.line}.` });
  }
}

/** A deny rule for a tool that does not exist would protect nothing, silently. */
function checkTools(placed: readonly Placed[], tools: ReadonlySet<string>, problems: Problem[]): void {
  for (const { file, at, written } of placed)
    for (const [index, tool] of (written.match.tools ?? []).entries()) {
      if (tools.has(tool)) continue;
      const sentence = `There is no tool ${tool}${ending(nearest(tool, tools))}`;
      problems.push(file.problem({ at: [...at, "match", "tools", index], key: false, sentence }));
    }
}

function tryExamples(
  policy: Policy,
  placed: readonly Placed[],
  problems: Problem[],
): Pick<Policy, "examples" | "unexercised"> {
  let examples = 0;
  const exercised = new Set<string>();
  for (const { file, at, written } of placed) {
    for (const [index, example] of written.examples.entries()) {
      const here = [...at, "examples", index];
      const accesses = accessesOf(example);
      if (typeof accesses === "string") {
        const sentence = `${show(accesses)} is not an access: write VERB KIND NAMESPACE/NAME, for example \`get pods shop/web-1\` or \`list nodes *\`.`;
        problems.push(file.problem({ at: [...here, "call", "accesses"], key: false, sentence }));
        continue;
      }
      const tried = tryExample(policy, example, accesses);
      examples += 1;
      for (const rule of tried.rules) exercised.add(rule);
      if (!tried.holds) problems.push(file.problem({ at: here, key: false, sentence: tried.sentence }));
    }
  }
  return { examples, unexercised: policy.rules.map(({ id }) => id).filter((id) => !exercised.has(id)) };
}
