// Runs the examples that a rule carries: each a call, the facts about it, and the answer its author expects.

import type { Access } from "../domain/access.ts";
import type { Facts } from "../domain/decision.ts";
import { decide, type DecidedCall } from "./decide.ts";
import { parseAccess } from "./kinds.ts";
import type { Policy } from "./policy.ts";
import type { Example } from "./rule.ts";

/** The accesses of an example, or the text of the first that is not one. */
export function accessesOf(example: Example): readonly Access[] | string {
  const { cluster, accesses } = example.call;
  const parsed: Access[] = [];
  for (const text of accesses) {
    const access = parseAccess(text, cluster);
    if (access === undefined) return text;
    parsed.push(access);
  }
  return parsed;
}

/** What the policy answers to an example, and by which rules. */
export function tryExample(
  policy: Policy,
  example: Example,
  accesses: readonly Access[],
): { readonly holds: boolean; readonly sentence: string; readonly rules: readonly string[] } {
  const decision = decide(policy, callOf(example, accesses), factsOf(example));
  const by = decision.rules.length === 0 ? "no rule" : decision.rules.join(", ");
  return {
    holds: decision.effect === example.expect,
    sentence: `The example expects ${example.expect} and gets ${decision.effect} (by ${by}).`,
    rules: decision.rules,
  };
}

function callOf({ call, principal }: Example, accesses: readonly Access[]): DecidedCall {
  const { issuer, subject, kind, groups, agent } = principal;
  return {
    tool: call.tool,
    effect: call.effect,
    cluster: call.cluster,
    accesses,
    principal: {
      issuer,
      subject,
      kind,
      groups,
      actors: agent === undefined ? [] : [{ issuer, subject: agent }],
      client: "",
      verifier: "example",
    },
  };
}

function factsOf({ call, facts }: Example): Facts {
  const namespaces = Object.entries(facts.namespaces).map(([name, fact]) => ({ cluster: call.cluster, name, ...fact }));
  return { objects: [], namespaces, change: null };
}
