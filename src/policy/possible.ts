// Could any call of a tool succeed for this caller? What tools/list shows, by the same matching as the decision.

import { isWrite } from "../domain/access.ts";
import type { Effect } from "../domain/call.ts";
import type { PrincipalFields } from "../domain/principal.ts";
import { holds, type Question } from "./match.ts";
import type { Policy } from "./policy.ts";
import type { Rule } from "./rule.ts";

export type Possible = "allowed" | "needs approval" | "denied";

/** The best answer that some call of the tool could get. What is not known yet counts as maybe, so a tool that could be called is never hidden. */
export function possible(
  policy: Policy,
  principal: PrincipalFields,
  tool: { readonly name: string; readonly effects: readonly Effect[] },
  clusters: readonly string[],
): Possible {
  const unknown = { verb: undefined, kind: undefined, namespace: undefined, environment: undefined };
  const answers = tool.effects.flatMap((effect) =>
    clusters.map((cluster) => bestAnswer(policy, { tool: tool.name, effect, cluster, principal, ...unknown })),
  );
  if (answers.includes("allowed")) return "allowed";
  return answers.includes("needs approval") ? "needs approval" : "denied";
}

function bestAnswer(policy: Policy, question: Question): Possible {
  let best: Possible = "denied";
  let alwaysAsks = false;
  for (const rule of policy.rules) {
    const answer = holds(rule, question);
    if (answer === "no") continue;
    switch (rule.effect) {
      case "deny":
        if (answer === "yes" && rule.when === null) return "denied";
        break;
      case "require-approval":
        alwaysAsks ||= answer === "yes" && rule.when === null;
        if (best === "denied" && canCarry(rule, question.effect)) best = "needs approval";
        break;
      case "allow":
        if (canCarry(rule, question.effect)) best = "allowed";
        break;
    }
  }
  return best === "allowed" && alwaysAsks ? "needs approval" : best;
}

/** A call that is no read declares a write (decide.ts): a rule for reading verbs alone does not make it possible. */
function canCarry(rule: Rule, effect: Effect): boolean {
  return effect === "read" || rule.match.verbs === null || [...rule.match.verbs].some(isWrite);
}
