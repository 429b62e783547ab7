// A second, deliberately naive evaluator, written from policy.md alone, that must agree with decide on random policies.

import * as fc from "fast-check";
import { expect } from "vitest";
import type { Access } from "../../../src/domain/access.ts";
import type { Effect } from "../../../src/domain/call.ts";
import type { Facts } from "../../../src/domain/decision.ts";
import { decide, type DecidedCall } from "../../../src/policy/decide.ts";
import { neededFacts } from "../../../src/policy/needed.ts";
import type { Policy } from "../../../src/policy/policy.ts";
import { possible } from "../../../src/policy/possible.ts";
import { promise } from "../../support/promise.ts";
import { access, agent, call, environments, quickPolicy, type PlainRule } from "./support.ts";

const strictness = { allow: 0, "require-approval": 1, deny: 2 } as const;

/** A condition as a tree, written out as CEL and evaluated here: true, false, or null where it fails. */
type Condition =
  | { readonly atom: string; readonly holds: (scene: NaiveScene) => boolean | null }
  | { readonly and: readonly Condition[] }
  | { readonly or: readonly Condition[] }
  | { readonly not: Condition }
  | { readonly if: Condition; readonly yes: Condition; readonly no: Condition };
interface NaiveScene {
  readonly asked: DecidedCall;
  readonly one: Access | null;
  readonly facts: Facts;
}

function textOf(condition: Condition): string {
  if ("atom" in condition) return condition.atom;
  if ("and" in condition) return `(${condition.and.map(textOf).join(" && ")})`;
  if ("or" in condition) return `(${condition.or.map(textOf).join(" || ")})`;
  if ("not" in condition) return `!(${textOf(condition.not)})`;
  return `(${textOf(condition.if)} ? ${textOf(condition.yes)} : ${textOf(condition.no)})`;
}

/** CEL's own logic: what is false makes an `&&` false whatever the other side does, and what is true an `||` true. */
function naiveHolds(condition: Condition, scene: NaiveScene): boolean | null {
  if ("atom" in condition) return condition.holds(scene);
  if ("not" in condition) {
    const inner = naiveHolds(condition.not, scene);
    return inner === null ? null : !inner;
  }
  if ("if" in condition) {
    const asked = naiveHolds(condition.if, scene);
    return asked === null ? null : naiveHolds(asked ? condition.yes : condition.no, scene);
  }
  const [parts, wins] = "and" in condition ? [condition.and, false] : [condition.or, true];
  const answers = parts.map((part) => naiveHolds(part, scene));
  if (answers.includes(wins)) return wins;
  return answers.includes(null) ? null : !wins;
}

const objectOf = ({ one, facts }: NaiveScene) =>
  facts.objects.find(
    (fact) => one !== null && fact.access.resource === one.resource && fact.access.namespace === one.namespace,
  );
const namespaceOf = ({ one, facts }: NaiveScene) =>
  facts.namespaces.find((fact) => one !== null && one.namespace !== "" && fact.name === one.namespace);
const replicasOf = ({ asked }: NaiveScene) => asked.arguments["replicas"];
const changeOf = ({ facts }: NaiveScene) => facts.change;

const atoms: readonly Condition[] = [
  { atom: 'principal.subject == "robot"', holds: ({ asked }) => asked.principal.subject === "robot" },
  { atom: '"people" in principal.groups', holds: ({ asked }) => asked.principal.groups.includes("people") },
  {
    atom: 'principal.groups.exists(one, one.startsWith("ag"))',
    holds: ({ asked }) => asked.principal.groups.includes("agents"),
  },
  { atom: "has(call.arguments.replicas)", holds: (scene) => replicasOf(scene) !== undefined },
  {
    atom: "call.arguments.replicas <= 3",
    holds(scene) {
      const replicas = replicasOf(scene);
      return typeof replicas === "number" ? replicas <= 3 : null;
    },
  },
  {
    atom: 'object.kind == "pods"',
    holds: ({ one }) => (one === null ? null : one.resource === "pods" && one.subresource === ""),
  },
  { atom: 'object.name.matches("^x$")', holds: ({ one }) => (one === null ? null : true) },
  { atom: "object.exists", holds: (scene) => objectOf(scene)?.exists ?? null },
  {
    atom: 'object.labels.team == "a"',
    holds: (scene) => (objectOf(scene)?.labels["team"] === undefined ? null : objectOf(scene)?.labels["team"] === "a"),
  },
  {
    atom: "has(object.labels.team)",
    holds: (scene) => (objectOf(scene) === undefined ? null : objectOf(scene)?.labels["team"] !== undefined),
  },
  {
    atom: "has(namespace.environment)",
    holds: (scene) =>
      namespaceOf(scene) === undefined
        ? null
        : namespaceOf(scene)?.exists === true && namespaceOf(scene)?.environment !== "",
  },
  {
    atom: 'namespace.environment == "prod"',
    holds(scene) {
      const found = namespaceOf(scene);
      return found === undefined || !found.exists || found.environment === "" ? null : found.environment === "prod";
    },
  },
  { atom: "session.tainted", holds: ({ facts }) => facts.session?.tainted ?? null },
  {
    atom: "now.hour < 12",
    holds: ({ facts }) => (facts.now === undefined ? null : new Date(facts.now).getUTCHours() < 12),
  },
];
const changeAtoms: readonly Condition[] = [
  {
    atom: "change.replicas.to > 3",
    holds(scene) {
      const replicas = changeOf(scene)?.replicas ?? null;
      return replicas === null ? null : replicas.to > 3;
    },
  },
  { atom: "change.owners", holds: (scene) => changeOf(scene)?.owners ?? null },
];
/** The tree that each `when` was written from. */
const trees = new Map<unknown, Condition>();
function writtenOut(condition: Condition): string {
  const text = textOf(condition);
  trees.set(text, condition);
  return text;
}
const mentionsChange = (condition: Condition): boolean => textOf(condition).includes("change.");

/** Does the rule match the access (null for a call that has none)? Written out part by part, without sets or indexes. */
function naiveMatch(rule: PlainRule, asked: DecidedCall, one: Access | null, facts: Facts): boolean | "maybe" {
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
  if (rule.effect === "allow" && one?.resource === "secrets") return false;
  const condition = trees.get(rule["when"]);
  if (condition === undefined) return true;
  const answer = naiveHolds(condition, { asked, one, facts });
  if (answer !== null) return answer;
  const later = mentionsChange(condition) && facts.change === null && asked.effect !== "read";
  return later ? "maybe" : safe;
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
    const answers = rules.map((rule) => [rule, naiveMatch(rule, asked, one, facts)] as const);
    const matched = answers.filter(([, answer]) => answer !== false).map(([rule]) => rule);
    const found = answers.flatMap(([rule, answer]) => {
      if (answer === true) return [strictness[rule.effect]];
      return answer === "maybe" && rule.effect !== "deny" ? [1] : [];
    });
    const deniedLater = answers.some(([rule, answer]) => answer === "maybe" && rule.effect === "deny");
    if (deniedLater && found.length > 0) found.push(1);
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
const someCondition = (leaves: readonly Condition[]): fc.Arbitrary<Condition> =>
  fc.letrec<{ condition: Condition; leaf: Condition }>((tie) => ({
    leaf: fc.constantFrom(...leaves),
    condition: fc.oneof(
      { maxDepth: 3, depthSize: "small" },
      tie("leaf"),
      fc.array(tie("condition"), { minLength: 2, maxLength: 3 }).map((and) => ({ and })),
      fc.array(tie("condition"), { minLength: 2, maxLength: 3 }).map((or) => ({ or })),
      tie("condition").map((not) => ({ not })),
      fc
        .tuple(tie("condition"), tie("condition"), tie("condition"))
        .map(([asked, yes, no]) => ({ if: asked, yes, no })),
    ),
  })).condition;
/** Other ones in each run of the test; not in each policy, as it is slow to parse them. */
const conditions = fc.sample(someCondition([...atoms, ...changeAtoms]), 200);
const rule: fc.Arbitrary<PlainRule> = fc
  .record({
    condition: fc.option(fc.constantFrom(...conditions), { nil: undefined, freq: 2 }),
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
  .map(({ effect, condition, ...parts }): PlainRule => {
    const match = Object.fromEntries(
      Object.entries(parts).filter((part): part is [string, string[]] => part[1] !== undefined),
    );
    return { effect, match, ...(condition === undefined ? {} : { when: writtenOut(condition) }) };
  })
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
      arguments: fc.constantFrom({}, { replicas: 2 }, { replicas: 5 }, { replicas: "many" }),
    })
    .map(({ tool, groups, subject, accesses, arguments: given }) =>
      call(effect, accesses, { tool, principal: { ...agent, groups, subject }, arguments: given }),
    ),
);
const unchanged: NonNullable<Facts["change"]> = {
  replicas: null,
  paths: [],
  scaled: [],
  images: [],
  envNames: [],
  securityContext: false,
  serviceAccounts: [],
  volumes: [],
  owners: false,
  finalizers: false,
};
/** Of objects: what is known of each kind in each namespace, whatever its name; of Secrets nothing, as they are never looked at. */
const lookedAt = [...kinds, "pods"].filter((kind) => kind !== "secrets");
const someObjects = fc
  .array(
    fc.record({
      at: fc.tuple(fc.constantFrom(...lookedAt), fc.constantFrom(...namespaces, "shop")),
      exists: fc.boolean(),
      labels: fc.constantFrom<Record<string, string>[]>({}, { team: "a" }, { team: "b" }),
    }),
    { maxLength: 6 },
  )
  .map((all) =>
    all.map(({ at: [kind, namespace], exists, labels }) => ({
      access: access(`get ${kind} ${kind === "nodes" ? "" : `${namespace}/`}x`),
      exists,
      uid: "",
      resourceVersion: "",
      labels,
    })),
  );
const someFacts: fc.Arbitrary<Facts> = fc
  .record({
    places: fc.dictionary(fc.constantFrom(...namespaces), fc.constantFrom(...environmentNames, "", null), {
      maxKeys: 4,
    }),
    objects: someObjects,
    change: fc.constantFrom(
      null,
      unchanged,
      { ...unchanged, owners: true },
      { ...unchanged, replicas: { from: 1, to: 5 } },
    ),
    tainted: fc.constantFrom(undefined, true, false),
    hour: fc.constantFrom(undefined, 3, 15),
  })
  .map(({ places, objects, change, tainted, hour }) => ({
    ...environments(places),
    objects,
    change,
    ...(tainted === undefined ? {} : { session: { age: 0, calls: 0, changes: 0, denied: 0, tainted } }),
    ...(hour === undefined ? {} : { now: Date.UTC(2026, 0, 1, hour) }),
  }));
/** A policy is asked four questions: most of the time goes into making it. */
const questions = fc.array(fc.tuple(someCall, someFacts), { minLength: 4, maxLength: 4 });
const runs = { numRuns: 500 };

function each(hold: (made: readonly PlainRule[], policy: Policy, asked: DecidedCall, facts: Facts) => void) {
  return fc.property(rules, questions, (made, tries) => {
    const policy = quickPolicy(made);
    for (const [asked, facts] of tries) hold(made, policy, asked, facts);
  });
}

promise("policy:strictest-wins", "a naive evaluator agrees on random rules, calls and facts", () => {
  fc.assert(
    each((made, policy, asked, facts) => {
      const decision = decide(policy, asked, facts);
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
    fc.property(rules, rule, questions, (made, more, tries) => {
      fc.pre(more.effect !== "allow");
      const [less, stricter] = [quickPolicy(made), quickPolicy([more, ...made])];
      for (const [asked, facts] of tries) {
        const before = decide(less, asked, facts);
        const after = decide(stricter, asked, facts);
        // An approval rule may open what nothing matched: that asks a person, and allows nothing by itself.
        if (after.effect === "allow") expect(before.effect).toBe("allow");
        if (more.effect === "deny") expect(strictness[after.effect]).toBeGreaterThanOrEqual(strictness[before.effect]);
      }
    }),
    runs,
  );
});

promise(
  "policy:list-agrees",
  "on random policies and callers, whatever is not denied was on the list as at least that",
  () => {
    fc.assert(
      each((_made, policy, asked, facts) => {
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
    each((_made, policy, asked, facts) => {
      const needed = neededFacts(policy, asked);
      const { effect, dropped } = decide(policy, asked, facts);
      const { session, now, ...others } = facts;
      const without = decide(policy, asked, {
        ...others,
        namespaces: others.namespaces.filter(({ name }) => needed.namespaces.includes(name)),
        objects: others.objects.filter(({ access: one }) =>
          needed.objects.some((other) => other.resource === one.resource && other.namespace === one.namespace),
        ),
        ...(needed.session && session !== undefined ? { session } : {}),
        ...(needed.now && now !== undefined ? { now } : {}),
      });
      expect(without.effect).toBe(effect);
      if (effect !== "deny") expect(without.dropped).toEqual(dropped);
    }),
    runs,
  );
});
