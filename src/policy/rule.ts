// One rule of a policy, as it is decided by.

import type { Verb } from "../domain/access.ts";
import type { Effect } from "../domain/call.ts";
import type { Requirement } from "../domain/decision.ts";
import type { WrittenRule } from "./rule-shape.ts";
import type { When } from "./when.ts";

export const ruleEffects = ["allow", "deny", "require-approval"] as const;
export type RuleEffect = (typeof ruleEffects)[number];
export const callEffects = ["read", "change", "destroy", "execute"] as const satisfies readonly Effect[];

/** What a rule is about. A part that is null is not asked for; all parts that are there must hold. */
export interface Match {
  readonly tools: ReadonlySet<string> | null;
  readonly effects: ReadonlySet<Effect> | null;
  readonly verbs: ReadonlySet<Verb> | null;
  /** As `resourcePath` writes them. */
  readonly kinds: ReadonlySet<string> | null;
  readonly namespaces: { readonly names: ReadonlySet<string>; readonly prefixes: readonly string[] } | null;
  readonly clusters: ReadonlySet<string> | null;
  readonly groups: ReadonlySet<string> | null;
  /** A subject at any issuer, or `ISSUER SUBJECT`, the pair that alone identifies an account. */
  readonly subjects: ReadonlySet<string> | null;
  readonly agents: ReadonlySet<string> | null;
  readonly environments: ReadonlySet<string> | null;
}

export interface Rule {
  readonly id: string;
  /** Position among all rules of the policy, in the order of their files. */
  readonly order: number;
  readonly effect: RuleEffect;
  readonly match: Match;
  /** What must hold besides `match`; null where that is all. */
  readonly when: When | null;
  /** For require-approval, and only there. */
  readonly requirement: Requirement | null;
  /** Obligations of an answer that this rule took part in. */
  readonly maxBytes: number | null;
  readonly mask: string | null;
  readonly reason: string;
  readonly tell: string | null;
}
/** The rule as it is decided by. */
export function ruleFrom(written: WrittenRule, order: number, when: When | null): Rule {
  const { id, effect, match, approval, obligations, reason, tell } = written;
  const set = <T>(values: readonly T[] | undefined): ReadonlySet<T> | null =>
    values === undefined ? null : new Set(values);
  return {
    id,
    order,
    effect,
    match: {
      tools: set(match.tools),
      effects: set(match.effects),
      verbs: set(match.verbs),
      kinds: set(match.kinds),
      namespaces: match.namespaces === undefined ? null : namespacesFrom(match.namespaces),
      clusters: set(match.clusters),
      groups: set(match.groups),
      subjects: set(match.subjects),
      agents: set(match.agents),
      environments: set(match.environments),
    },
    when,
    requirement: approval === undefined ? null : requirementOf(id, approval),
    maxBytes: obligations?.maxBytes ?? null,
    mask: obligations?.mask ?? null,
    reason,
    tell: tell ?? null,
  };
}

function requirementOf(rule: string, { escalate, ...asked }: NonNullable<WrittenRule["approval"]>): Requirement {
  return { rule, ...asked, ...(escalate === undefined ? {} : { escalate }) };
}

function namespacesFrom(written: readonly string[]): NonNullable<Match["namespaces"]> {
  return {
    names: new Set(written.filter((name) => !name.endsWith("*"))),
    prefixes: written.filter((name) => name.endsWith("*")).map((name) => name.slice(0, -1)),
  };
}
