// Which facts can still change the answer: nothing else is looked up.

import type { Access } from "../domain/access.ts";
import { noFacts, needsPerson, questionOf } from "./decide.ts";
import type { FactName } from "./fact-types.ts";
import { openScene, type DecidedCall, type Scene } from "./facts.ts";
import { forbidden } from "./forbid.ts";
import { placeOf } from "./kinds.ts";
import { holds } from "./match.ts";
import { visitCandidates, type Policy } from "./policy.ts";
import type { Rule } from "./rule.ts";

export interface Needed {
  /** The objects of these accesses. */
  readonly objects: readonly Access[];
  /** The names of their annotations that are asked for: no other is looked at. */
  readonly annotations: readonly string[];
  /** By name. */
  readonly namespaces: readonly string[];
  readonly session: boolean;
  readonly now: boolean;
}

export const nothingNeeded: Needed = { objects: [], annotations: [], namespaces: [], session: false, now: false };

/**
 * Namespaces: where a rule that otherwise matches asks for an environment, or for the namespace itself. Objects: where
 * such a rule asks for one, and for calls that write, whose uids an approval and the write itself are pinned to. Nothing
 * at all where a forbid, a rule that needs no facts or the absence of any rule denies already.
 */
export function neededFacts(policy: Policy, call: DecidedCall): Needed {
  const scene = openScene(call, noFacts);
  const asked = new Set<FactName>();
  const annotations = new Set<string>();
  const namespaces = new Set<string>();
  const writes = call.effect !== "read";
  const objects: Access[] = writes ? call.accesses.filter((access) => !access.optional && canLookAt(access)) : [];
  for (const access of call.accesses.length === 0 ? [null] : call.accesses) {
    const open = openFor(policy, call, access, scene);
    if (open === "settled" && access?.optional !== true) return nothingNeeded;
    if (open === "settled") continue;
    for (const name of open.names) asked.add(name);
    for (const name of open.annotations) annotations.add(name);
    if (access === null) continue;
    const place = placeOf(access);
    if (open.names.has("namespace") && typeof place === "string") namespaces.add(place);
    if (open.names.has("object") && canLookAt(access) && !objects.includes(access)) objects.push(access);
  }
  return {
    objects,
    annotations: [...annotations],
    namespaces: [...namespaces],
    session: asked.has("session"),
    now: asked.has("now"),
  };
}

/** Facts never read a Secret (kubernetes.md, "Grants"). */
function canLookAt(access: Access): boolean {
  return access.name !== "" && access.resource !== "secrets";
}

interface Open {
  readonly names: ReadonlySet<FactName>;
  readonly annotations: ReadonlySet<string>;
}

/** What the rules for one access still ask for; "settled" where they deny it whatever the answer. */
function openFor(policy: Policy, call: DecidedCall, access: Access | null, scene: Scene): Open | "settled" {
  const question = questionOf(call, access, noFacts);
  let denied = access !== null && forbidden(access, call) !== null;
  let hopeful = false;
  const names = new Set<FactName>();
  const annotations = new Set<string>();
  visitCandidates(policy.index, question, (rule) => {
    const answer = holds(rule, question);
    if (answer === "no" || needsPerson(rule, question.kind)) return;
    const said = sayOf(rule, access, scene);
    if (said === "no") return;
    if (rule.effect === "deny") denied ||= answer === "yes" && said === "yes";
    else hopeful = true;
    if (answer === "unknown" && typeof question.namespace === "string") names.add("namespace");
    if (said === "yes" || rule.when === null) return;
    for (const name of rule.when.names) names.add(name);
    for (const name of rule.when.annotations) annotations.add(name);
  });
  return denied || !hopeful ? "settled" : { names, annotations };
}

/** What the rule's expression answers while no fact is known: an answer now is the answer then. */
function sayOf(rule: Rule, access: Access | null, scene: Scene): "yes" | "no" | "unknown" {
  if (rule.when === null) return "yes";
  const evaluated = rule.when.evaluate(scene.about(access, rule.when.zone), scene.room);
  if (evaluated.kind === "failed") return "unknown";
  return evaluated.answer ? "yes" : "no";
}
