// What is odd about a policy as a whole, and may be meant: rules that can never count, tools that no rule allows.

import { isWrite, verbs, type Access } from "../domain/access.ts";
import type { Effect } from "../domain/call.ts";
import { noFacts } from "./decide.ts";
import { openScene } from "./facts.ts";
import { forbidden } from "./forbid.ts";
import { splitKind } from "./kinds.ts";
import type { KnownTool } from "./known.ts";
import type { Match, Rule, RuleEffect } from "./rule.ts";

export interface RuleRemark {
  readonly rule: Rule;
  readonly sentence: string;
}

/** Pairs of rules that are compared with each other: beyond that the answer would take seconds. */
const mostPairs = 1_000_000;

/** Rules that no call can reach, or that another rule makes pointless; in the order of their files. */
export function lintRules(rules: readonly Rule[], tools: readonly KnownTool[] | undefined): readonly RuleRemark[] {
  const remarks: RuleRemark[] = [];
  const broad = rules.filter((rule) => rule.when === null && rule.effect !== "allow");
  const allows = rules.filter((rule) => rule.when === null && rule.effect === "allow");
  const compared = rules.length * (broad.length + allows.length) <= mostPairs;
  for (const rule of rules) {
    const never = neverMatches(rule, tools);
    if (never !== undefined) remarks.push({ rule, sentence: `${rule.id} never matches: ${never}.` });
    else if (compared) {
      const sentence = pointless(rule, broad, allows);
      if (sentence !== undefined) remarks.push({ rule, sentence: `${rule.id} ${sentence}.` });
    }
  }
  return remarks;
}

/** The tools whose every call is denied, whoever calls: no rule that lets calls through is for them. */
export function deniedTools(rules: readonly Rule[], tools: readonly KnownTool[]): readonly string[] {
  const open = rules.filter((rule) => rule.effect !== "deny" && neverMatches(rule, tools) === undefined);
  return tools
    .filter(({ name, effects }) => !open.some(({ match }) => holdsTool(match, name, effects)))
    .map(({ name }) => name);
}

function holdsTool(match: Match, name: string, effects: readonly Effect[]): boolean {
  const some = effects.filter((effect) => match.effects === null || match.effects.has(effect));
  if (some.length === 0 || (match.tools !== null && !match.tools.has(name))) return false;
  // A call that is no read declares a write: a rule for reading verbs alone does not let it through.
  return some.includes("read") || match.verbs === null || [...match.verbs].some(isWrite);
}

/** Why no call can match the rule, or undefined. */
function neverMatches(rule: Rule, tools: readonly KnownTool[] | undefined): string | undefined {
  const { match } = rule;
  if (rule.when !== null && alwaysFalse(rule)) return "its `when` is false whatever the call";
  if (tools !== undefined && match.tools !== null && match.effects !== null) {
    const named = tools.filter(({ name }) => match.tools?.has(name));
    const none = named.every(({ effects }) => !effects.some((effect) => match.effects?.has(effect)));
    if (named.length > 0 && none)
      return `no call of ${named.map(({ name }) => name).join(", ")} is a ${[...match.effects].join(" or ")}`;
  }
  return rule.effect !== "deny" && alwaysForbidden(match)
    ? "what it names is forbidden whatever a rule says (sallyport policy forbids)"
    : undefined;
}

/** False while no fact is known is false for good. */
function alwaysFalse({ when }: Rule): boolean {
  if (when === null || when.names.size > 0) return false;
  const nobody = { issuer: "", subject: "", kind: "agent", groups: [], actors: [], client: "", verifier: "" } as const;
  const call = { tool: "", effect: "read", cluster: "", accesses: [], arguments: {}, principal: nobody } as const;
  const scene = openScene(call, noFacts);
  const evaluated = when.evaluate(scene.about(null, when.zone), scene.room);
  return evaluated.kind === "answered" && !evaluated.answer;
}

/** Combinations of kind, verb and effect that are tried. */
const mostTries = 2000;

function alwaysForbidden({ kinds, verbs: asked, effects, tools, namespaces }: Match): boolean {
  if (kinds === null || asked === null) return false;
  const tried: readonly Effect[] = effects === null ? ["read", "change", "destroy", "execute"] : [...effects];
  if (kinds.size * asked.size * tried.length > mostTries) return false;
  const namespace =
    namespaces?.names.size === 1 && namespaces.prefixes.length === 0 ? [...namespaces.names][0] : "example";
  return [...kinds].every((kind) =>
    verbs
      .filter((verb) => asked.has(verb))
      .every((verb) => {
        const access: Access = {
          ...splitKind(kind),
          cluster: "",
          verb,
          version: "",
          kind: "",
          namespace: namespace ?? "example",
          name: "example",
          optional: false,
        };
        const names = tools === null ? ["", "nodes_cordon", "nodes_drain"] : [...tools];
        return tried.every((effect) => names.every((tool) => forbidden(access, { tool, effect }) !== null));
      }),
  );
}

/** What another rule does to this one, or undefined. */
function pointless(rule: Rule, broad: readonly Rule[], allows: readonly Rule[]): string | undefined {
  if (rule.effect !== "deny") {
    const over = broad.find(
      (other) =>
        other !== rule && strictness[other.effect] > strictness[rule.effect] && covers(other.match, rule.match),
    );
    if (over?.effect === "deny") return `is shadowed by ${over.id}, which denies all that it is for`;
    if (over !== undefined) return `is shadowed by ${over.id}, which asks a person for all that it allows`;
  }
  const same = rule.effect === "allow" ? allows : rule.effect === "deny" ? broad : [];
  const twin = same.find(
    (other) =>
      other !== rule &&
      other.effect === rule.effect &&
      rule.maxBytes === null &&
      rule.mask === null &&
      covers(other.match, rule.match) &&
      // Of two that are equal, the later one is told of.
      (other.order < rule.order || rule.when !== null || !covers(rule.match, other.match)),
  );
  return twin === undefined
    ? undefined
    : `adds nothing to ${twin.id}, which has the same effect for all that it is for`;
}

const strictness: { readonly [effect in RuleEffect]: number } = { allow: 0, "require-approval": 1, deny: 2 };

/** Does every question that `inner` matches match `outer` too? */
function covers(outer: Match, inner: Match): boolean {
  return (
    within(inner.tools, outer.tools) &&
    within(inner.effects, outer.effects) &&
    within(inner.verbs, outer.verbs) &&
    within(inner.kinds, outer.kinds) &&
    within(inner.clusters, outer.clusters) &&
    within(inner.groups, outer.groups) &&
    within(inner.subjects, outer.subjects) &&
    within(inner.agents, outer.agents) &&
    within(inner.environments, outer.environments) &&
    withinNamespaces(inner.namespaces, outer.namespaces)
  );
}

function within<T>(inner: ReadonlySet<T> | null, outer: ReadonlySet<T> | null): boolean {
  if (outer === null) return true;
  if (inner === null || inner.size > outer.size) return false;
  for (const one of inner) if (!outer.has(one)) return false;
  return true;
}

function withinNamespaces(inner: Match["namespaces"], outer: Match["namespaces"]): boolean {
  if (outer === null) return true;
  if (inner === null) return false;
  const starts = (name: string): boolean => outer.prefixes.some((prefix) => name.startsWith(prefix));
  return [...inner.names].every((name) => outer.names.has(name) || starts(name)) && inner.prefixes.every(starts);
}
