// Does a rule match? One answer for deciding, for listing tools and for choosing which facts to look up.

import type { Verb } from "../domain/access.ts";
import type { Effect } from "../domain/call.ts";
import type { PrincipalFields } from "../domain/principal.ts";
import type { Match, Rule } from "./rule.ts";

/** What a rule is asked about. In the four parts of an access, null means that the call has none and undefined that it is not known. */
export interface Question {
  readonly tool: string;
  readonly effect: Effect;
  readonly cluster: string;
  readonly principal: PrincipalFields;
  readonly verb: Verb | null | undefined;
  /** As `resourcePath` writes it. */
  readonly kind: string | null | undefined;
  readonly namespace: string | null | undefined;
  readonly environment: string | null | undefined;
}

export type Answer = "yes" | "no" | "unknown";

/**
 * "unknown" when every part that is known holds and a part that is not known was asked for.
 * Who calls is always known but for the agent of a person whose software proved nothing: that counts against the
 * caller at once, as it will not be known later either.
 */
export function holds(rule: Rule, question: Question): Answer {
  const { match } = rule;
  if (match.tools !== null && !match.tools.has(question.tool)) return "no";
  if (match.effects !== null && !match.effects.has(question.effect)) return "no";
  if (match.clusters !== null && !match.clusters.has(question.cluster)) return "no";
  const verb = member(match.verbs, question.verb);
  if (verb === "no") return "no";
  const kind = member(match.kinds, question.kind);
  if (kind === "no") return "no";
  const namespace = inNamespaces(match.namespaces, question.namespace);
  if (namespace === "no") return "no";
  const environment = member(match.environments, question.environment);
  if (environment === "no") return "no";
  if (!holdsCaller(match, question.principal, rule.effect !== "allow")) return "no";
  return verb === "yes" && kind === "yes" && namespace === "yes" && environment === "yes" ? "yes" : "unknown";
}

/** The first part of `match` that does not hold, in words; else those that are not known. "" where all hold. */
export function mismatch(rule: Rule, question: Question): string {
  const { match } = rule;
  const { tool, effect, cluster, principal, verb, kind, namespace, environment } = question;
  const parts: readonly (readonly [name: string, answer: Answer, value: string | null | undefined])[] = [
    ["tools", member(match.tools, tool), tool],
    ["effects", member(match.effects, effect), effect],
    ["clusters", member(match.clusters, cluster), cluster],
    ["verbs", member(match.verbs, verb), verb],
    ["kinds", member(match.kinds, kind), kind],
    ["namespaces", inNamespaces(match.namespaces, namespace), namespace],
    ["environments", member(match.environments, environment), environment],
  ];
  const wrong = parts.find(([, answer]) => answer === "no");
  if (wrong !== undefined) return `${wrong[0]}: ${wrong[2] ?? "the call has none"}`;
  if (!holdsCaller(match, principal, rule.effect !== "allow")) return "groups, subjects or agents: not this caller";
  const open = parts.filter(([, answer]) => answer === "unknown").map(([name]) => name);
  return open.length === 0 ? "" : `not known: ${open.join(", ")}`;
}

function member<T>(set: ReadonlySet<T> | null, value: T | null | undefined): Answer {
  if (set === null) return "yes";
  if (value === undefined) return "unknown";
  return value !== null && set.has(value) ? "yes" : "no";
}

function inNamespaces(asked: Match["namespaces"], namespace: string | null | undefined): Answer {
  if (asked === null) return "yes";
  if (namespace === undefined) return "unknown";
  if (namespace === null) return "no";
  return asked.names.has(namespace) || asked.prefixes.some((prefix) => namespace.startsWith(prefix)) ? "yes" : "no";
}

function holdsCaller(match: Match, principal: PrincipalFields, unknownHolds: boolean): boolean {
  if (match.groups !== null && !principal.groups.some((group) => match.groups?.has(group))) return false;
  if (match.subjects !== null && !hasSubject(match.subjects, principal)) return false;
  if (match.agents === null) return true;
  const agent = provenAgent(principal);
  return agent === undefined ? unknownHolds : match.agents.has(agent);
}

/** A subject with a space in it could pass for a pair of another issuer: it is compared as a pair only. */
function hasSubject(subjects: ReadonlySet<string>, { issuer, subject }: PrincipalFields): boolean {
  return (!subject.includes(" ") && subjects.has(subject)) || subjects.has(`${issuer} ${subject}`);
}

/** The nearest actor (RFC 8693, section 4.1: further ones are not considered in access decisions), never a claimed client name. */
export function provenAgent(principal: PrincipalFields): string | undefined {
  return principal.actors[0]?.subject ?? (principal.kind === "agent" ? principal.subject : undefined);
}
