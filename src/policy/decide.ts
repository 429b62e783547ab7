// The decision: rules, call and facts in; allow, require-approval or deny out. Pure.

import { isWrite, resourcePath, type Access } from "../domain/access.ts";
import type { PlannedCall } from "../domain/call.ts";
import type { Decision, Facts } from "../domain/decision.ts";
import type { PrincipalFields } from "../domain/principal.ts";
import { forbidden, type Forbid } from "./forbid.ts";
import { placeOf } from "./kinds.ts";
import { holds, matches, type Question } from "./match.ts";
import { visitCandidates, type Policy } from "./policy.ts";
import type { Rule, RuleEffect } from "./rule.ts";

/** What a decision reads of a call. */
export type DecidedCall = Pick<PlannedCall, "tool" | "effect" | "cluster" | "accesses"> & {
  readonly principal: PrincipalFields;
};

export const noFacts: Facts = { objects: [], namespaces: [], change: null };

/** The answer to one access. No rule that matches means deny. */
interface Verdict {
  readonly effect: RuleEffect;
  /** Every rule that matched, weaker ones too. */
  readonly rules: readonly Rule[];
}

/**
 * Decides a call. Strictest wins: forbid, deny, require-approval, allow, nothing (which denies). The strictest answer to
 * a required access counts; an optional access stays only where it is allowed outright. A call of nothing but optional
 * accesses needs one that stays; a call without accesses is asked about as it is, and only rules that name no verb, kind,
 * namespace or environment can allow it; a call that is no read must declare a write.
 */
export function decide(policy: Policy, call: DecidedCall, facts: Facts): Decision {
  const forbids = forbidsOn(call);
  const [forbid] = forbids;
  if (forbid !== undefined) return forbiddenBy(policy, call, forbid, forbids);

  const binding: Verdict[] = [];
  const offered: Verdict[] = [];
  const dropped: Access[] = [];
  for (const access of call.accesses) {
    const verdict = verdictOn(policy, call, access, facts);
    (access.optional ? offered : binding).push(verdict);
    if (access.optional && verdict.effect !== "allow") dropped.push(access);
  }
  if (call.accesses.length === 0) binding.push(verdictOn(policy, call, null, facts));

  const nothingLeft = binding.length === 0 && dropped.length === offered.length;
  const undeclared = call.effect !== "read" && !call.accesses.some((one) => !one.optional && isWrite(one.verb));
  const effect = nothingLeft || undeclared ? "deny" : strictest(binding);
  const deciding = inOrder(binding);
  const rules = offered.length === 0 ? deciding : inOrder([...binding, ...offered]);
  return {
    effect,
    rules: rules.map((rule) => rule.id),
    forbid: null,
    requirements: effect === "require-approval" ? requirementsOf(deciding) : [],
    obligations: { maxBytes: leastBytes(rules) },
    tell: nothingLeft ? tellOfAll(offered) : tellOf(deciding, effect),
    errors: [],
    dropped,
    policy: policy.digest,
  };
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
    obligations: { maxBytes: null },
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

function verdictOn(policy: Policy, call: DecidedCall, access: Access | null, facts: Facts): Verdict {
  if (access?.optional === true && forbidden(access, call) !== null) return { effect: "deny", rules: [] };
  const question = questionOf(call, access, facts);
  const rules: Rule[] = [];
  let effect: RuleEffect | null = null;
  visitCandidates(policy.index, question, (rule) => {
    if (!matches(rule, question) || needsPerson(rule, question.kind) || rules.includes(rule)) return;
    rules.push(rule);
    effect = effect === null ? rule.effect : stricter(effect, rule.effect);
  });
  return { effect: effect ?? "deny", rules };
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

/** The words of the first rule that answered as the whole decision did. */
function tellOf(rules: readonly Rule[], effect: RuleEffect): string | null {
  return rules.find((rule) => rule.effect === effect && rule.tell !== null)?.tell ?? null;
}

/** Of optional accesses only words that hold for every one of them are said: what was left out stays unnamed. */
function tellOfAll(verdicts: readonly Verdict[]): string | null {
  const shared = inOrder(verdicts).filter((rule) => verdicts.every((verdict) => verdict.rules.includes(rule)));
  return shared.find((rule) => rule.effect !== "allow" && rule.tell !== null)?.tell ?? null;
}

/**
 * Which facts can still change the answer. Namespaces: where a rule that otherwise matches asks for an environment.
 * Objects: for calls that write, whose uids an approval and the write itself are pinned to. Neither, where a forbid, a
 * rule that needs no facts or the absence of any rule denies already.
 */
export function neededFacts(policy: Policy, call: DecidedCall): { objects: boolean; namespaces: boolean } {
  let namespaces = false;
  for (const access of call.accesses) {
    const question = questionOf(call, access, noFacts);
    let denied = forbidden(access, call) !== null;
    let hopeful = false;
    let open = false;
    visitCandidates(policy.index, question, (rule) => {
      const answer = holds(rule, question);
      if (answer === "no" || needsPerson(rule, question.kind)) return;
      if (rule.effect === "deny") denied ||= answer === "yes";
      else hopeful = true;
      open ||= answer === "unknown" && typeof question.namespace === "string";
    });
    const settled = denied || !hopeful;
    if (settled && !access.optional) return { objects: false, namespaces: false };
    namespaces ||= open && !settled;
  }
  return { objects: call.effect !== "read", namespaces };
}
