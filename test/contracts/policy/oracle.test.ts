// A second, deliberately naive evaluator, written from policy.md alone, that must agree with decide on random policies.

import * as fc from "fast-check";
import { expect } from "vitest";
import type { Access } from "../../../src/domain/access.ts";
import type { Effect } from "../../../src/domain/call.ts";
import type { Facts } from "../../../src/domain/decision.ts";
import { decide, neededFacts, noFacts, type DecidedCall } from "../../../src/policy/decide.ts";
import { possible } from "../../../src/policy/possible.ts";
import { promise } from "../../support/promise.ts";
import { access, agent, call, environments, quickPolicy, type PlainRule } from "./support.ts";

const strictness = { allow: 0, "require-approval": 1, deny: 2 } as const;

/** Does the rule match the access (null for a call that has none)? Written out part by part, without sets or indexes. */
function naiveMatch(rule: PlainRule, asked: DecidedCall, one: Access | null, facts: Facts): boolean {
  const safe = rule.effect !== "allow";
  for (const [part, values] of Object.entries(rule.match)) {
    const has = (value: string): boolean => values.includes(value);
    let fits = false;
    if (part === "tools") fits = has(asked.tool);
    if (part === "effects") fits = has(asked.effect);
    if (part === "clusters") fits = has(one === null ? asked.cluster : one.cluster);
    if (part === "groups") fits = asked.principal.groups.some(has);
    if (part === "subjects") fits = has(asked.principal.subject);
    if (part === "verbs") fits = one !== null && has(one.verb);
    if (part === "kinds" && one !== null) {
      const path = [one.group, one.resource, one.subresource].filter((text) => text !== "").join("/");
      fits = has(path);
    }
    if (part === "namespaces" && one !== null) {
      const unknown = one.namespace === "" && one.resource !== "nodes";
      const named = values.some((value) =>
        value.endsWith("*") ? one.namespace.startsWith(value.slice(0, -1)) : value === one.namespace,
      );
      fits = unknown ? safe : one.namespace !== "" && named;
    }
    if (part === "environments" && one !== null) {
      const fact = facts.namespaces.find((found) => found.name === one.namespace && found.exists);
      fits = fact === undefined || fact.environment === "" ? safe : has(fact.environment);
    }
    if (!fits) return false;
  }
  return !(rule.effect === "allow" && one?.resource === "secrets");
}

/** The forbids that the generator below can run into. */
function naiveForbid(asked: DecidedCall, one: Access): boolean {
  const writes = ["create", "update", "patch", "delete", "deletecollection"].includes(one.verb);
  if (one.verb === "deletecollection") return true;
  if (writes && (asked.effect === "read" || one.namespace === "kube-system")) return true;
  if (one.subresource === "exec" && (asked.effect === "read" || one.namespace === "kube-system")) return true;
  return writes && one.resource === "nodes" && !(one.verb === "patch" && asked.tool === "nodes_cordon");
}

function naiveDecide(rules: readonly PlainRule[], asked: DecidedCall, facts: Facts) {
  const id = (rule: PlainRule): string => `rule-${rules.indexOf(rule)}`;
  const judge = (one: Access | null) => {
    const matched = rules.filter((rule) => naiveMatch(rule, asked, one, facts));
    const found = matched.map((rule) => strictness[rule.effect]);
    return { matched, level: found.length === 0 ? 2 : Math.max(...found) };
  };
  const required = asked.accesses.filter((one) => !one.optional);
  const optional = asked.accesses.filter((one) => one.optional);
  if (required.some((one) => naiveForbid(asked, one))) return { effect: "deny", forbidden: true, dropped: optional };
  const judged = required.map(judge);
  if (asked.accesses.length === 0) judged.push(judge(null));
  const offered = optional.map((one) =>
    naiveForbid(asked, one) ? { one, matched: [], level: 2 } : { one, ...judge(one) },
  );
  const dropped = offered.filter(({ level }) => level > 0).map(({ one }) => one);
  let level = Math.max(0, ...judged.map((verdict) => verdict.level));
  if (judged.length === 0 && dropped.length === optional.length) level = 2;
  const writes = required.some((one) => !["get", "list", "watch"].includes(one.verb));
  if (asked.effect !== "read" && !writes) level = 2;
  const took = new Set([...judged, ...offered].flatMap(({ matched }) => matched.map(id)));
  const asking = new Set(
    judged.flatMap(({ matched }) => matched.filter((rule) => rule.effect === "require-approval").map(id)),
  );
  return {
    effect: Object.keys(strictness)[level],
    forbidden: false,
    dropped,
    rules: rules.map(id).filter((one) => took.has(one)),
    requirements: level === 1 ? rules.map(id).filter((one) => asking.has(one)) : [],
  };
}

const effects: readonly Effect[] = ["read", "change", "destroy", "execute"];
const tools = ["objects_get", "workloads_scale", "nodes_cordon"];
const verbs = ["get", "list", "patch", "delete", "create", "deletecollection"];
const kinds = ["pods", "pods/log", "pods/exec", "apps/deployments/scale", "secrets", "nodes"];
const namespaces = ["shop", "shop-test", "bank", "kube-system"];
const environmentNames = ["dev", "prod"];

/** Mostly not asked for, so that rules of one or two parts, which match now and then, are the most. */
const anyOf = (values: readonly string[]) =>
  fc.oneof(
    { weight: 9, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.subarray([...values], { minLength: 1 }) },
  );
const rule: fc.Arbitrary<PlainRule> = fc
  .record({
    effect: fc.constantFrom("allow", "allow", "allow", "allow", "require-approval", "deny" as const),
    tools: anyOf(tools),
    effects: anyOf(effects),
    verbs: anyOf(verbs),
    kinds: anyOf(kinds),
    namespaces: anyOf([...namespaces, "shop-*", "kube-*"]),
    clusters: anyOf(["practice", "elsewhere"]),
    groups: anyOf(["agents", "people"]),
    subjects: anyOf(["robot", "ann"]),
    environments: anyOf(environmentNames),
  })
  .map(({ effect, ...parts }) => ({
    effect,
    match: Object.fromEntries(
      Object.entries(parts).filter((part): part is [string, string[]] => part[1] !== undefined),
    ),
  }))
  .filter((made) => !(made.effect === "allow" && made.match["kinds"]?.includes("secrets") === true));
const rules = fc.array(rule, { maxLength: 10 });
const oneAccess = (verbs: readonly string[], needed: boolean) =>
  fc
    .record({
      verb: fc.constantFrom(...verbs),
      kind: fc.constantFrom(...kinds, "pods", "apps/deployments/scale"),
      namespace: fc.constantFrom(...namespaces, "shop", "shop-test", "bank", ""),
      optional: needed ? fc.constant(false) : fc.boolean(),
    })
    .map(({ verb, kind, namespace, optional }) =>
      access(`${verb} ${kind} ${namespace === "" || kind === "nodes" ? "" : `${namespace}/`}x${optional ? "?" : ""}`),
    );
const reads = ["get", "list"];
/** Mostly calls that make sense: reads that read, changes that write something and look around. */
const someAccesses = (effect: Effect) =>
  fc.oneof(
    { weight: 1, arbitrary: fc.array(oneAccess(verbs, false), { maxLength: 3 }) },
    {
      weight: 4,
      arbitrary: fc
        .tuple(
          oneAccess(effect === "read" ? reads : ["patch", "delete", "create"], true),
          fc.array(oneAccess(reads, false), { maxLength: 3 }),
        )
        .map(([first, others]) => [first, ...others]),
    },
  );
const someCall = fc.constantFrom(...effects).chain((effect) =>
  fc
    .record({
      tool: fc.constantFrom(...tools),
      groups: fc.subarray(["agents", "people"]),
      subject: fc.constantFrom("robot", "ann"),
      accesses: someAccesses(effect),
    })
    .map(({ tool, groups, subject, accesses }) =>
      call(effect, accesses, { tool, principal: { ...agent, groups, subject } }),
    ),
);
const someFacts = fc
  .dictionary(fc.constantFrom(...namespaces), fc.constantFrom(...environmentNames, "", null), { maxKeys: 4 })
  .map(environments);
const runs = { numRuns: 3000 };

promise("policy:strictest-wins", "a naive evaluator agrees on random rules, calls and facts", () => {
  fc.assert(
    fc.property(rules, someCall, someFacts, (made, asked, facts) => {
      const decision = decide(quickPolicy(made), asked, facts);
      const expected = naiveDecide(made, asked, facts);
      expect({ effect: decision.effect, dropped: decision.dropped, forbidden: decision.forbid !== null }).toEqual({
        effect: expected.effect,
        dropped: expected.dropped,
        forbidden: expected.forbidden,
      });
      if (expected.forbidden) return;
      expect(decision.rules).toEqual(expected.rules);
      expect(decision.requirements.map((requirement) => requirement.rule)).toEqual(expected.requirements);
    }),
    runs,
  );
});

promise("policy:strictest-wins", "one more deny or approval rule never makes an answer laxer", () => {
  fc.assert(
    fc.property(rules, rule, someCall, someFacts, (made, more, asked, facts) => {
      fc.pre(more.effect !== "allow");
      const before = decide(quickPolicy(made), asked, facts);
      const after = decide(quickPolicy([more, ...made]), asked, facts);
      // An approval rule may open what nothing matched: that asks a person, and allows nothing by itself.
      if (after.effect === "allow") expect(before.effect).toBe("allow");
      if (more.effect === "deny") expect(strictness[after.effect]).toBeGreaterThanOrEqual(strictness[before.effect]);
    }),
    runs,
  );
});

promise(
  "policy:list-agrees",
  "on random policies and callers, whatever is not denied was on the list as at least that",
  () => {
    fc.assert(
      fc.property(rules, someCall, someFacts, (made, asked, facts) => {
        const policy = quickPolicy(made);
        const { effect } = decide(policy, asked, facts);
        const listed = possible(policy, asked.principal, { name: asked.tool, effects: [asked.effect] }, ["practice"]);
        if (effect === "allow") expect(listed).toBe("allowed");
        if (effect === "require-approval") expect(listed).not.toBe("denied");
      }),
      runs,
    );
  },
);

promise("policy:facts-needed", "on random policies, leaving out what is not needed gives the same answer", () => {
  fc.assert(
    fc.property(rules, someCall, someFacts, (made, asked, facts) => {
      const policy = quickPolicy(made);
      if (neededFacts(policy, asked).namespaces) return;
      const { effect, dropped } = decide(policy, asked, facts);
      const without = decide(policy, asked, noFacts);
      expect(without.effect).toBe(effect);
      if (effect !== "deny") expect(without.dropped).toEqual(dropped);
    }),
    runs,
  );
});
