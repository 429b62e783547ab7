// Runs the examples that a rule carries: each a call, the facts about it, and the answer its author expects.

import type { Access } from "../domain/access.ts";
import type { Facts, ObjectFact } from "../domain/decision.ts";
import { decide } from "./decide.ts";
import type { DecidedCall } from "./facts.ts";
import { parseAccess } from "./kinds.ts";
import type { Policy } from "./policy.ts";
import { show } from "./problems.ts";
import { exampleSchema, type Example } from "./example-shape.ts";

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
  const decision = decide(policy, callOf(example, accesses), factsOf(example, accesses));
  const by = decision.rules.length === 0 ? "no rule" : decision.rules.join(", ");
  return {
    holds: decision.effect === example.expect,
    sentence: `The example expects ${example.expect} and gets ${decision.effect} (by ${by}).`,
    rules: decision.rules,
  };
}

function callOf({ call, principal }: Example, accesses: readonly Access[]): DecidedCall {
  const { issuer, subject, kind, groups, agent, clientId, claims } = principal;
  return {
    tool: call.tool,
    effect: call.effect,
    cluster: call.cluster,
    arguments: call.arguments,
    accesses,
    principal: {
      issuer,
      subject,
      kind,
      groups,
      actors: agent === undefined ? [] : [{ issuer, subject: agent }],
      ...(clientId === undefined ? {} : { clientId }),
      client: "",
      verifier: "example",
      claims,
    },
  };
}

function factsOf({ call, facts }: Example, accesses: readonly Access[]): Facts {
  const namespaces = Object.entries(facts.namespaces).map(([name, fact]) => ({ cluster: call.cluster, name, ...fact }));
  const objects = accesses.flatMap((access): ObjectFact[] => {
    const name = access.namespace === "" ? access.name : `${access.namespace}/${access.name}`;
    const fact = Object.hasOwn(facts.objects, name) ? facts.objects[name] : undefined;
    return fact === undefined ? [] : [{ access, uid: "", resourceVersion: "", ...fact }];
  });
  return {
    objects,
    namespaces,
    change: facts.change === undefined ? null : { ...facts.change, replicas: facts.change.replicas ?? null },
    ...(facts.session === undefined ? {} : { session: facts.session }),
    ...(facts.now === undefined ? {} : { now: Date.parse(facts.now) }),
  };
}

/** A call to explain, as JSON: an example without what it expects. */
export function openExample(
  value: unknown,
):
  | { readonly kind: "opened"; readonly call: DecidedCall; readonly facts: Facts }
  | { readonly kind: "refused"; readonly sentence: string } {
  const parsed = exampleSchema.omit({ expect: true }).safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const path = issue?.path.map(String).join(".") ?? "";
    return {
      kind: "refused",
      sentence: `${path === "" ? "it" : path} is not as examples have it (${issue?.message ?? ""})`,
    };
  }
  const example: Example = { ...parsed.data, expect: "deny" };
  const accesses = accessesOf(example);
  if (typeof accesses === "string") return { kind: "refused", sentence: `${show(accesses)} is not an access` };
  return { kind: "opened", call: callOf(example, accesses), facts: factsOf(example, accesses) };
}
