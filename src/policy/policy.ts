// A loaded policy: its rules, and the index that keeps the cost of a decision from growing with their number.

import type { Match, Rule } from "./rule.ts";
import type { Question } from "./match.ts";

export interface Policy {
  /** SHA-256 over the canonical content of its files, hex. */
  readonly digest: string;
  /** That content itself, as RFC 8785 writes it: its SHA-256 is the digest. */
  readonly text: string;
  /** In the order of their files. */
  readonly rules: readonly Rule[];
  readonly index: RuleIndex;
  /** How many examples held when it was loaded. */
  readonly examples: number;
  /** The rules that took part in no example. */
  readonly unexercised: readonly string[];
}

/** Each rule stands in one shelf only, under each of its values there; a rule that no shelf takes stands in `rest`. */
export interface RuleIndex {
  readonly shelves: readonly Shelf[];
  readonly rest: readonly Rule[];
}

interface Shelf {
  readonly dimension: Dimension;
  readonly by: ReadonlyMap<string, readonly Rule[]>;
  readonly all: readonly Rule[];
}

/** The parts of a match whose values are exact, and where a question has them. Environments and agents are not among them: a rule may match where they are unknown. */
const dimensions = {
  kinds: { of: (match: Match) => match.kinds, in: (question: Question) => question.kind },
  namespaces: { of: exactNamespaces, in: (question: Question) => question.namespace },
  tools: { of: (match: Match) => match.tools, in: (question: Question) => question.tool },
  groups: { of: (match: Match) => match.groups, in: (question: Question) => question.principal.groups },
  verbs: { of: (match: Match) => match.verbs, in: (question: Question) => question.verb },
  clusters: { of: (match: Match) => match.clusters, in: (question: Question) => question.cluster },
  effects: { of: (match: Match) => match.effects, in: (question: Question) => question.effect },
} as const satisfies {
  readonly [name: string]: {
    of(match: Match): ReadonlySet<string> | null;
    in(question: Question): string | readonly string[] | null | undefined;
  };
};
type Dimension = keyof typeof dimensions;
const names = Object.keys(dimensions) as Dimension[];

function exactNamespaces({ namespaces }: Match): ReadonlySet<string> | null {
  return namespaces?.prefixes.length === 0 ? namespaces.names : null;
}

/** Puts each rule where the fewest others stand, so that a question meets few rules that do not concern it. */
export function indexRules(rules: readonly Rule[]): RuleIndex {
  const crowd = new Map<string, number>();
  for (const rule of rules)
    for (const name of names)
      for (const value of dimensions[name].of(rule.match) ?? [])
        crowd.set(`${name} ${value}`, (crowd.get(`${name} ${value}`) ?? 0) + 1);

  const shelves = new Map(names.map((dimension) => [dimension, { by: new Map<string, Rule[]>(), all: [] as Rule[] }]));
  const rest: Rule[] = [];
  for (const rule of rules) {
    const chosen = leastCrowded(rule, crowd);
    const shelf = chosen === undefined ? undefined : shelves.get(chosen);
    if (chosen === undefined || shelf === undefined) {
      rest.push(rule);
      continue;
    }
    shelf.all.push(rule);
    for (const value of dimensions[chosen].of(rule.match) ?? []) {
      const row = shelf.by.get(value);
      if (row === undefined) shelf.by.set(value, [rule]);
      else row.push(rule);
    }
  }
  const used = [...shelves].filter(([, shelf]) => shelf.all.length > 0);
  return { shelves: used.map(([dimension, shelf]) => ({ dimension, ...shelf })), rest };
}

function leastCrowded(rule: Rule, crowd: ReadonlyMap<string, number>): Dimension | undefined {
  let best: Dimension | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const name of names) {
    const values = dimensions[name].of(rule.match);
    if (values === null) continue;
    const most = Math.max(...[...values].map((value) => crowd.get(`${name} ${value}`) ?? 0));
    if (most < least) [best, least] = [name, most];
  }
  return best;
}

/** Calls `visit` with every rule that could match the question, and some that do not; a rule may come twice. */
export function visitCandidates(index: RuleIndex, question: Question, visit: (rule: Rule) => void): void {
  for (const rule of index.rest) visit(rule);
  for (const { dimension, by, all } of index.shelves) {
    const value = dimensions[dimension].in(question);
    if (value === null) continue;
    // Not known: any rule of the shelf may match.
    if (value === undefined) for (const rule of all) visit(rule);
    else if (typeof value === "string") for (const rule of by.get(value) ?? []) visit(rule);
    else for (const one of value) for (const rule of by.get(one) ?? []) visit(rule);
  }
}
