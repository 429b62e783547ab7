// Makes one policy of the data of its files: shapes, ids and tools checked, every example run.

import { createHash } from "node:crypto";
import canonicalize from "canonicalize";
import { accessesOf, tryExample } from "./examples.ts";
import { indexRules, type Policy } from "./policy.ts";
import { factTypesWith } from "./fact-types.ts";
import { argumentsType, type Known, type KnownTool } from "./known.ts";
import { deniedTools, lintRules } from "./lint.ts";
import { checkIds, checkMasks, checkTools, mostProblems, type ParsedFile, type Placed } from "./named.ts";
import { findingsOf, show, type Problem } from "./problems.ts";
import { ruleFrom, type Rule, type RuleEffect } from "./rule.ts";
import { fileSchema, ruleSchema, type WrittenRule } from "./rule-shape.ts";
import type { Remark } from "./syntax.ts";
import { openWhen, type OpenedWhen, type When } from "./when.ts";

export type LoadedPolicy =
  /** Warnings hold nothing up: what is odd about the policy, and may be meant. They are looked for when they are asked for. */
  | { readonly kind: "loaded"; readonly policy: Policy; readonly warnings: () => readonly Problem[] }
  | { readonly kind: "refused"; readonly problems: readonly Problem[] };

/** `expressions` counts the characters of all different ones together: to parse them takes most of the time that loading has. */
const most = { rules: 5000, problems: mostProblems, expressions: 65_536 };

/** `problems` are those that parsing found: one anywhere refuses the whole, as a policy without one of its rules is another policy. */
export function assemble(files: readonly ParsedFile[], problems: Problem[], known: Known): LoadedPolicy {
  const { tools, masks = [] } = known;
  const placed = files.flatMap((file) => rulesOf(file, problems));
  checkIds(placed, problems);
  if (tools !== undefined) checkTools(placed, new Set(tools.map(({ name }) => name)), problems);
  checkMasks(placed, masks, problems);
  if (problems.length > 0) return refused(problems);

  const warnings: Problem[] = [];
  const rules = rulesFrom(placed, known, problems, warnings);
  if (problems.length > 0) return refused(problems);
  const text = canonicalize(files.map((file) => file.content)) ?? "";
  const digest = createHash("sha256").update(text).digest("hex");
  const policy = { digest, text, rules, index: indexRules(rules), examples: 0, unexercised: [] };
  const tried = tryExamples(policy, placed, problems);
  if (problems.length > 0) return refused(problems);
  const loaded = { ...policy, ...tried };
  return {
    kind: "loaded",
    policy: loaded,
    warnings: () => [...warnings, ...oddRules(loaded, placed, tools)].slice(0, most.problems),
  };
}

/** The rules as they are decided by, each `when` parsed and checked; a text that comes again is opened once. */
function rulesFrom(placed: readonly Placed[], known: Known, problems: Problem[], warnings: Problem[]): Rule[] {
  const opened = new Map<string, OpenedWhen>();
  let characters = 0;
  const rules: Rule[] = [];
  for (const { file, at, written, zone } of placed) {
    const text = written.when;
    if (text === undefined) {
      rules.push(ruleFrom(written, rules.length, null));
      continue;
    }
    const here = [...at, "when"];
    const tools = written.match.tools ?? [];
    const key = JSON.stringify([zone, written.effect, tools, text]);
    const before = opened.get(key);
    if (before === undefined) characters += text.length;
    if (characters > most.expressions) {
      const sentence = `The expressions of all rules together are longer than ${most.expressions} characters.`;
      problems.push(file.problem({ at: here, key: false, sentence }));
      return rules;
    }
    const found = before ?? openWhen(text, zone, factsFor(tools, known), failing[written.effect]);
    opened.set(key, found);
    const tell = (list: Problem[], remarks: readonly Remark[]): void => {
      for (const { offset, sentence } of remarks)
        if (list.length < most.problems) list.push(file.problem({ at: here, key: false, sentence, inside: offset }));
    };
    tell(problems, found.problems);
    tell(warnings, found.warnings);
    if (changeOfReads(written, found.when)) {
      const sentence = "`change` is known only of what writes: name effects in `match`, without read.";
      problems.push(file.problem({ at: here, key: false, sentence }));
    }
    rules.push(ruleFrom(written, rules.length, found.when));
  }
  return rules;
}

/** The facts of a rule for these tools alone, or for any. */
function factsFor(names: readonly string[], { tools, claims = [] }: Known): ReturnType<typeof factTypesWith> {
  const named = names.map((name) => tools?.find((tool) => tool.name === name) ?? { name, effects: [] });
  return factTypesWith(claims, argumentsType(named));
}

/** What the linter says of the rules together, each at the rule it is about. */
function oddRules({ rules }: Policy, placed: readonly Placed[], tools: readonly KnownTool[] | undefined): Problem[] {
  const [first] = placed;
  const remarks = lintRules(rules, tools).flatMap(({ rule, sentence }) => {
    const one = placed[rule.order];
    return one === undefined ? [] : [one.file.problem({ at: [...one.at, "id"], key: false, sentence })];
  });
  const denied = tools === undefined ? [] : deniedTools(rules, tools);
  if (denied.length === 0 || first === undefined) return remarks;
  const sentence = `No rule lets a call of ${denied.join(", ")} through: no one is shown ${denied.length === 1 ? "it" : "them"}.`;
  return [...remarks, first.file.problem({ at: ["rules"], key: true, sentence })];
}

/** What an error does to a rule, as the end of a sentence. */
const failing: { readonly [effect in RuleEffect]: string } = {
  allow: "this allow rule does not match",
  deny: "this deny rule matches",
  "require-approval": "this approval rule matches",
};

/** A rule about changes that also meets reads would fail on each of them: a deny rule would deny them all. */
function changeOfReads({ match }: WrittenRule, when: When | null): boolean {
  return when?.names.has("change") === true && (match.effects === undefined || match.effects.includes("read"));
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
    if (parsed.success) placed.push({ file, at, written: parsed.data, zone: outer.data.zone });
    else if (problems.length < most.problems)
      problems.push(...parsed.error.issues.flatMap((issue) => findingsOf(issue, at, file.valueAt)).map(file.problem));
  }
  return placed;
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
