// The decision: rules, call and facts in; allow, require-approval or deny out. Pure.

import { isWrite, resourcePath, type Access } from "../domain/access.ts";
import type { Decision, Facts } from "../domain/decision.ts";
import { withPerson } from "./always-ask.ts";
import { openScene, type DecidedCall, type Scene } from "./facts.ts";
import { forbidden, type Forbid } from "./forbid.ts";
import { placeOf } from "./kinds.ts";
import { holds, type Answer, type Question } from "./match.ts";
import { visitCandidates, type Policy } from "./policy.ts";
import type { Rule, RuleEffect } from "./rule.ts";

export type { DecidedCall } from "./facts.ts";

export const noFacts: Facts = { objects: [], namespaces: [], change: null };

/** The answer to one access. No rule that matches means deny. */
interface Verdict {
  readonly effect: RuleEffect;
  /** Every rule that matched or may match, weaker ones too. */
  readonly rules: readonly Rule[];
  /** Those whose expression failed. */
  readonly failed: readonly Rule[];
}

/**
 * Decides a call. Strictest wins: forbid, deny, require-approval, allow, nothing (which denies). The strictest answer to
 * a required access counts; an optional access stays only where it is allowed outright. A call of nothing but optional
 * accesses needs one that stays; a call without accesses is asked about as it is, and only rules that name no verb, kind,
 * namespace or environment can allow it; a call that is no read must declare a write.
 *
 * Before a change was rehearsed (`change` is null, and the call no read) a rule that asks what it does counts as maybe:
 * such a decision denies what is denied anyway, and allows nothing that the rule could still refuse.
 */
export function decide(policy: Policy, call: DecidedCall, facts: Facts): Decision {
  const forbids = forbidsOn(call);
  const [forbid] = forbids;
  if (forbid !== undefined) return forbiddenBy(policy, call, forbid, forbids);

  const scene = openScene(call, facts);
  const binding: Verdict[] = [];
  const offered: Verdict[] = [];
  const dropped: Access[] = [];
  for (const access of call.accesses) {
    const verdict = verdictOn(policy, call, access, facts, scene);
    (access.optional ? offered : binding).push(verdict);
    if (access.optional && verdict.effect !== "allow") dropped.push(access);
  }
  if (call.accesses.length === 0) binding.push(verdictOn(policy, call, null, facts, scene));

  const nothingLeft = binding.length === 0 && dropped.length === offered.length;
  const undeclared = call.effect !== "read" && !call.accesses.some((one) => !one.optional && isWrite(one.verb));
  const effect = nothingLeft || undeclared ? "deny" : strictest(binding);
  const deciding = inOrder(binding);
  const rules = offered.length === 0 ? deciding : inOrder([...binding, ...offered]);
  const decision: Decision = {
    effect,
    rules: rules.map((rule) => rule.id),
    forbid: null,
    requirements: effect === "require-approval" ? requirementsOf(deciding) : [],
    obligations: { maxBytes: leastBytes(rules), mask: masksOf(rules) },
    tell: nothingLeft ? tellOfAll(offered) : tellOf(deciding, effect),
    errors: failedIn([...binding, ...offered]),
    dropped,
    policy: policy.digest,
  };
  return withPerson(decision, facts, call.effect);
}

/** The forbids that the required accesses run into; an optional access is dropped instead. */
function forbidsOn(call: DecidedCall): readonly Forbid[] {
  const found: Forbid[] = [];
  for (const access of call.accesses) {
    const forbid = access.optional ? null : forbidden(access, call);
    if (forbid !== null && !found.includes(forbid)) found.push(forbid);
  }
  return found;
}

function forbiddenBy(policy: Policy, call: DecidedCall, first: Forbid, all: readonly Forbid[]): Decision {
  return {
    effect: "deny",
    rules: all.map(({ id }) => `forbid:${id}`),
    forbid: first.id,
    requirements: [],
    obligations: { maxBytes: null, mask: [] },
    tell: first.sentence,
    errors: [],
    dropped: call.accesses.filter((access) => access.optional),
    policy: policy.digest,
  };
}

/** What the rules are asked about one access, or about a call that has none. */
export function questionOf(call: DecidedCall, access: Access | null, facts: Facts): Question {
  const { tool, effect, principal } = call;
  if (access === null) {
    const { cluster } = call;
    return { tool, effect, principal, cluster, verb: null, kind: null, namespace: null, environment: null };
  }
  const { cluster, verb } = access;
  const namespace = placeOf(access);
  const environment = environmentOf(cluster, namespace, facts);
  return { tool, effect, principal, cluster, verb, kind: resourcePath(access), namespace, environment };
}

/** Known only from the label of a namespace that was looked up and exists: neither a missing label nor a missing namespace says "not production". */
function environmentOf(cluster: string, namespace: string | null | undefined, facts: Facts): string | undefined {
  if (namespace === null || namespace === undefined) return undefined;
  const fact = facts.namespaces.find((one) => one.name === namespace && one.cluster === cluster);
  return fact?.exists === true && fact.environment !== "" ? fact.environment : undefined;
}

function verdictOn(policy: Policy, call: DecidedCall, access: Access | null, facts: Facts, scene: Scene): Verdict {
  if (access?.optional === true && forbidden(access, call) !== null) return { effect: "deny", rules: [], failed: [] };
  const question = questionOf(call, access, facts);
  const rules: Rule[] = [];
  const failed: Rule[] = [];
  let effect: RuleEffect | null = null;
  let deniedLater = false;
  const take = (rule: Rule, as: RuleEffect): void => {
    rules.push(rule);
    effect = effect === null ? as : stricter(effect, as);
  };
  visitCandidates(policy.index, question, (rule) => {
    const answer = holds(rule, question);
    if (answer === "no" || needsPerson(rule, question.kind) || rules.includes(rule) || failed.includes(rule)) return;
    const judged = judge(rule, answer, access, scene);
    if (judged.failed) failed.push(rule);
    if (judged.matches === "yes") take(rule, rule.effect);
    if (judged.matches !== "maybe") return;
    // What may be allowed is worth a preview; what may be denied opens nothing by itself.
    if (rule.effect !== "deny") return take(rule, "require-approval");
    rules.push(rule);
    deniedLater = true;
  });
  // TypeScript does not see that the visit assigned.
  const answered = effect as RuleEffect | null;
  // What may still be denied is not yet allowed.
  const open = answered === "allow" && deniedLater ? "require-approval" : answered;
  return { effect: open ?? "deny", rules, failed };
}

/**
 * Does a rule count whose `match` answered "yes" or "unknown"? What is not known, and an expression that fails, count
 * for its author's safe side: an allow does not match, a deny or approval does.
 */
export function judge(
  rule: Rule,
  answer: Exclude<Answer, "no">,
  access: Access | null,
  scene: Scene,
): { readonly matches: "yes" | "no" | "maybe"; readonly failed: boolean; readonly why: string } {
  const strict = rule.effect !== "allow";
  const open = answer === "yes" || strict ? "yes" : "no";
  if (rule.when === null || open === "no") return { matches: open, failed: false, why: "" };
  const evaluated = rule.when.evaluate(scene.about(access, rule.when.zone), scene.room);
  switch (evaluated.kind) {
    case "answered":
      return { matches: evaluated.answer ? "yes" : "no", failed: false, why: String(evaluated.answer) };
    case "failed": {
      const why = evaluated.message;
      if (scene.pending && rule.when.names.has("change")) return { matches: "maybe", failed: false, why };
      return { matches: strict ? "yes" : "no", failed: true, why };
    }
  }
}

/** A Secret is read only where a rule asked for approval and got it: a broad allow does not reach it (kubernetes.md, "Grants"). */
export function needsPerson(rule: Rule, kind: Question["kind"]): boolean {
  return kind === "secrets" && rule.effect === "allow";
}

function stricter(a: RuleEffect, b: RuleEffect): RuleEffect {
  if (a === "deny" || b === "deny") return "deny";
  return a === "require-approval" || b === "require-approval" ? "require-approval" : "allow";
}

function strictest(verdicts: readonly Verdict[]): RuleEffect {
  return verdicts.reduce<RuleEffect>((effect, verdict) => stricter(effect, verdict.effect), "allow");
}

/** The rules of some verdicts, each once, in the order of their files. */
function inOrder(verdicts: readonly Verdict[]): readonly Rule[] {
  const rules: Rule[] = [];
  for (const verdict of verdicts) for (const rule of verdict.rules) if (!rules.includes(rule)) rules.push(rule);
  return rules.sort((a, b) => a.order - b.order);
}

/** All of them must be met. */
function requirementsOf(rules: readonly Rule[]): Decision["requirements"] {
  return rules.map((rule) => rule.requirement).filter((requirement) => requirement !== null);
}

function leastBytes(rules: readonly Rule[]): number | null {
  return rules.reduce<number | null>(
    (least, { maxBytes }) => (maxBytes === null ? least : Math.min(least ?? maxBytes, maxBytes)),
    null,
  );
}

/** Every profile that a rule asks for: whoever is to be shown less than another rule would show is shown the less. */
function masksOf(rules: readonly Rule[]): readonly string[] {
  const named = rules.map(({ mask }) => mask).filter((mask) => mask !== null);
  return named.length < 2 ? named : [...new Set(named)].sort();
}

/** The words of the first rule that answered as the whole decision did. */
function tellOf(rules: readonly Rule[], effect: RuleEffect): string | null {
  return rules.find((rule) => rule.effect === effect && rule.tell !== null)?.tell ?? null;
}

/** Of optional accesses only words that hold for every one of them are said: what was left out stays unnamed. */
function tellOfAll(verdicts: readonly Verdict[]): string | null {
  const shared = inOrder(verdicts).filter((rule) => verdicts.every((verdict) => verdict.rules.includes(rule)));
  return shared.find((rule) => rule.effect !== "allow" && rule.tell !== null)?.tell ?? null;
}

/** The ids of the rules whose expressions failed, each once, in the order of their files. */
function failedIn(verdicts: readonly Verdict[]): readonly string[] {
  if (verdicts.every((verdict) => verdict.failed.length === 0)) return [];
  return [...new Set(verdicts.flatMap((verdict) => verdict.failed))]
    .sort((a, b) => a.order - b.order)
    .map(({ id }) => id);
}
