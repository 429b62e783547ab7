// Why a call is decided as it is: every rule looked at, why it counts or not, and on which facts.

import { describeAccess, type Access } from "../domain/access.ts";
import type { Decision, Facts } from "../domain/decision.ts";
import { decide, judge, needsPerson, questionOf } from "./decide.ts";
import { openScene, type DecidedCall, type Scene } from "./facts.ts";
import { forbidden } from "./forbid.ts";
import { holds, mismatch, type Question } from "./match.ts";
import type { Policy } from "./policy.ts";
import type { Rule, RuleEffect } from "./rule.ts";

export interface Explained {
  readonly decision: Decision;
  readonly accesses: readonly ExplainedAccess[];
}

export interface ExplainedAccess {
  /** As policies write it; "" for a call that declares none. */
  readonly access: string;
  /** The environment of its namespace, as far as it is known. */
  readonly environment: string;
  readonly forbid: string | null;
  readonly rules: readonly ExplainedRule[];
}

export interface ExplainedRule {
  readonly id: string;
  readonly effect: RuleEffect;
  /** "maybe": the change is known only after the preview. "failed": its expression did, and `counts` says on which side. */
  readonly answer: "matches" | "does not match" | "maybe" | "failed";
  readonly counts: boolean;
  readonly why: string;
}

/** Decides the call, and goes through all rules of the policy in the order of their files. */
export function explain(policy: Policy, call: DecidedCall, facts: Facts): Explained {
  const scene = openScene(call, facts);
  const asked: readonly (Access | null)[] = call.accesses.length === 0 ? [null] : call.accesses;
  return {
    decision: decide(policy, call, facts),
    accesses: asked.map((access): ExplainedAccess => {
      const question = questionOf(call, access, facts);
      return {
        access: access === null ? "" : `${describeAccess(access)}${access.optional ? "?" : ""}`,
        environment: question.environment ?? "",
        forbid: access === null ? null : (forbidden(access, call)?.id ?? null),
        rules: policy.rules.map((rule) => explainRule(rule, question, access, scene)),
      };
    }),
  };
}

function explainRule(rule: Rule, question: Question, access: Access | null, scene: Scene): ExplainedRule {
  const { id, effect } = rule;
  const said = (answer: ExplainedRule["answer"], counts: boolean, why: string): ExplainedRule => ({
    id,
    effect,
    answer,
    counts,
    why,
  });
  const structural = holds(rule, question);
  const parts = mismatch(rule, question);
  if (structural === "no") return said("does not match", false, parts);
  if (needsPerson(rule, question.kind))
    return said("does not match", false, "a Secret is never allowed without a person");
  const judged = judge(rule, structural, access, scene);
  const counts = judged.matches !== "no";
  if (judged.failed) return said("failed", counts, `its expression failed: ${judged.why}`);
  if (judged.matches === "maybe") return said("maybe", true, judged.why);
  const when = rule.when === null || judged.why === "" ? "" : `its expression is ${judged.why}`;
  const why = [parts, when].filter((part) => part !== "").join("; ");
  return said(counts ? "matches" : "does not match", counts, why);
}
