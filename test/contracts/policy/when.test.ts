// The `when` of a rule: what it may say, what it answers, and how much work it may cause.

import { expect } from "vitest";
import type { Facts } from "../../../src/domain/decision.ts";
import { decide, noFacts } from "../../../src/policy/decide.ts";
import { openRoom } from "../../../src/policy/expression.ts";
import { openScene } from "../../../src/policy/facts.ts";
import { neededFacts, nothingNeeded } from "../../../src/policy/needed.ts";
import { loadPolicy } from "../../../src/policy/load.ts";
import { possible } from "../../../src/policy/possible.ts";
import { factTypes } from "../../../src/policy/fact-types.ts";
import { openWhen } from "../../../src/policy/when.ts";
import { golden } from "../../support/golden.ts";
import { promise } from "../../support/promise.ts";
import { access, agent, call, policyOf, type PlainRule } from "./support.ts";

const web = access("patch pods shop/web");
const asked = call("change", [web], {
  tool: "workloads_scale",
  arguments: {
    replicas: 3,
    ratio: 0.5,
    names: ["a", "b"],
    many: Array.from({ length: 400 }, (_, index) => index),
    long: "x".repeat(60_000),
    constructor: { name: "Object" },
    unknown: "no marker of ours",
  },
});
const known: Facts = {
  objects: [
    {
      access: web,
      exists: true,
      uid: "u",
      resourceVersion: "1",
      labels: { team: "shop", "example.com/tier": "gold" },
      annotations: { "example.com/owner": "ann" },
    },
  ],
  namespaces: [{ cluster: "practice", name: "shop", exists: true, labels: { zone: "eu" }, environment: "prod" }],
  change: {
    replicas: { from: 1, to: 5 },
    paths: ["spec.replicas"],
    scaled: [{ from: 1, to: 5 }],
    images: [{ from: "web:1", to: "web:2" }],
    envNames: ["LEVEL"],
    securityContext: false,
    serviceAccounts: [],
    volumes: [],
    owners: false,
    finalizers: false,
  },
  session: { age: 60, calls: 3, changes: 1, denied: 0, tainted: true },
  now: Date.parse("2026-12-24T17:05:00Z"),
};

/** true, false, or why it failed. */
function answer(text: string, facts: Facts = known, zone = "Europe/Berlin"): boolean | string {
  const { when, problems } = openWhen(text, zone, factTypes, "it fails");
  if (when === null) return problems.map(({ offset, sentence }) => `${offset}: ${sentence}`).join(" ");
  const evaluated = when.evaluate(openScene(asked, facts).about(web, zone), openRoom());
  return evaluated.kind === "answered" ? evaluated.answer : evaluated.message;
}

promise("policy:when-answers", "every fact, with its type", () => {
  const held = [
    'principal.subject == "robot" && principal.kind == "agent" && "agents" in principal.groups',
    "has(principal.agent) && !has(principal.actingFor)",
    'call.tool == "workloads_scale" && call.effect == "change"',
    "call.arguments.replicas + 1 == 4 && call.arguments.ratio < 1 && call.arguments.names.size() == 2",
    'call.arguments.constructor.name == "Object" && call.arguments.unknown.startsWith("no ")',
    'object.kind == "pods" && object.namespace == "shop" && object.name == "web" && object.exists',
    'object.labels.team == "shop" && object.labels["example.com/tier"] == "gold"',
    'object.annotations["example.com/owner"] == "ann" && !("x" in object.annotations)',
    'namespace.name == "shop" && namespace.exists && namespace.labels.zone == "eu" && namespace.environment == "prod"',
    'namespace.name != "namespace" && r"""namespace""" == "name" + "space"',
    'cluster.name == "practice"',
    "change.replicas.to > change.replicas.from && change.scaled.all(one, one.to < 10)",
    'change.images.exists(image, image.to.matches("^web:[0-9]+$")) && "LEVEL" in change.envNames',
    'change.paths.filter(path, path.contains("image")).size() == 0 && !change.securityContext',
    "session.tainted && session.calls == 3 && session.age < 120",
    'now.weekday == "thursday" && now.date == "2026-12-24" && now.time >= "18:00" && now.hour == 18 && now.minute == 5',
    '!has(object.labels.tier) ? object.name.endsWith("eb") : false',
  ];
  expect(held.filter((text) => answer(text) !== true).map((text) => [text, answer(text)])).toEqual([]);
});

promise("policy:when-answers", "the clock is the named zone's, on both sides of a change to summer time", () => {
  const at = (now: string, zone: string) =>
    answer('now.time == "01:30" && now.weekday == "sunday"', { ...known, now: Date.parse(now) }, zone);
  expect(at("2026-03-29T00:30:00Z", "Europe/Berlin")).toBe(true);
  expect(answer('now.time == "03:00"', { ...known, now: Date.parse("2026-03-29T01:00:00Z") })).toBe(true);
  expect(at("2026-03-29T01:30:00Z", "UTC")).toBe(true);
  expect(
    answer('now.date == "2026-03-30" && now.hour == 0', { ...known, now: Date.parse("2026-03-29T22:00:00Z") }),
  ).toBe(true);
});

promise("policy:when-fails-safe", "what was not looked up is unknown, never empty or absent", () => {
  const unknown = [
    "!has(object.labels.protected)",
    '!("x" in object.annotations)',
    "!object.exists",
    'namespace.environment != "prod"',
    "!has(namespace.environment)",
    "change.images.size() == 0",
    "!session.tainted",
    "now.hour < 25",
  ];
  for (const text of unknown) expect([text, answer(text, noFacts)]).toEqual([text, expect.any(String)]);
  expect(answer('object.name == "web" || object.exists', noFacts)).toBe(true);
  expect(answer('object.exists && object.name == "other"', noFacts)).toBe(false);
});

promise("policy:when-fails-safe", "an error is no match in an allow, and a match in a deny or approval", () => {
  const when = "call.arguments.missing == 1";
  const rules = (effect: PlainRule["effect"]): readonly PlainRule[] => [
    { id: "base", effect: "allow", match: { effects: ["read"] } },
    { id: "odd", effect, match: {}, when },
  ];
  const decided = (effect: PlainRule["effect"]) => {
    const {
      effect: answered,
      rules: took,
      errors,
    } = decide(policyOf(...rules(effect)), call("read", ["get pods shop/web"]), noFacts);
    return { answered, took, errors };
  };
  expect(decided("allow")).toEqual({ answered: "allow", took: ["base"], errors: ["odd"] });
  expect(decided("deny")).toEqual({ answered: "deny", took: ["base", "odd"], errors: ["odd"] });
  expect(decided("require-approval")).toEqual({ answered: "require-approval", took: ["base", "odd"], errors: ["odd"] });
});

promise("policy:when-fails-safe", "a value that is no answer is an error", () => {
  expect(answer("call.arguments.replicas")).toBe("its result is not true or false");
  expect(answer("call.arguments.names")).toBe("its result is not true or false");
});

promise(
  "policy:change-is-maybe",
  "before the rehearsal a rule about the change denies nothing, and allows nothing alone",
  () => {
    const policy = policyOf(
      { id: "base", effect: "allow", match: { effects: ["change"] } },
      {
        id: "big",
        effect: "deny",
        match: { effects: ["change"] },
        when: "has(change.replicas) && change.replicas.to > 50",
      },
    );
    const small = { ...known };
    const big = {
      ...known,
      change: { ...(known.change as NonNullable<Facts["change"]>), replicas: { from: 1, to: 80 } },
    };
    expect([noFacts, small, big].map((facts) => decide(policy, asked, facts).effect)).toEqual([
      "require-approval",
      "allow",
      "deny",
    ]);
    const alone = policyOf({ effect: "allow", match: { effects: ["change"] }, when: '!("LEVEL" in change.envNames)' });
    expect([noFacts, small].map((facts) => decide(alone, asked, facts).effect)).toEqual(["require-approval", "deny"]);
    // What cannot hold whatever the change does is decided at once.
    const other = policyOf({
      effect: "allow",
      match: { effects: ["change"] },
      when: 'object.name == "db" && change.owners',
    });
    expect(decide(other, asked, noFacts).effect).toBe("deny");
  },
);

promise(
  "policy:facts-needed",
  "an expression's facts are looked up only where they can still change the answer",
  () => {
    const read = access("get pods shop/web");
    const needed = (when: string, effect: PlainRule["effect"] = "allow") =>
      neededFacts(policyOf({ effect, match: { verbs: ["get"] }, when }), call("read", [read]));
    expect(needed('object.labels.team == "x"')).toEqual({ ...nothingNeeded, objects: [read] });
    expect(needed('object.annotations["a/b"] == "x" || has(object.annotations.c)')).toEqual({
      ...nothingNeeded,
      objects: [read],
      annotations: ["a/b", "c"],
    });
    expect(needed("namespace.labels.a == namespace.environment")).toEqual({ ...nothingNeeded, namespaces: ["shop"] });
    expect(needed("now.hour > 3 && session.tainted")).toEqual({ ...nothingNeeded, now: true, session: true });
    // Known without a look: the name, the caller; and what they settle needs nothing more.
    expect(needed('object.name == "db" && object.labels.team == "x"')).toEqual(nothingNeeded);
    expect(needed('object.name == "web" || object.labels.team == "x"')).toEqual(nothingNeeded);
    expect(needed('principal.subject == "robot"')).toEqual(nothingNeeded);
    expect(needed("object.labels.a == namespace.labels.b", "deny")).toEqual(nothingNeeded);
    const secret = call("read", ["get secrets shop/db"]);
    const asking = policyOf({ effect: "require-approval", match: {}, when: "object.labels.open == 'yes'" });
    expect(neededFacts(asking, secret).objects).toEqual([]);
  },
);

promise("policy:list-agrees", "a condition neither hides a tool nor promises one", () => {
  const tool = { name: "t", effects: ["read"] } as const;
  const listed = (...rules: PlainRule[]) => possible(policyOf(...rules), agent, tool, ["practice"]);
  expect(listed({ effect: "allow", match: {}, when: "session.calls < 5" })).toBe("allowed");
  const open: PlainRule = { effect: "allow", match: {} };
  expect(listed(open, { id: "d", effect: "deny", match: {}, when: "session.tainted" })).toBe("allowed");
  expect(listed(open, { id: "p", effect: "require-approval", match: {}, when: "session.tainted" })).toBe("allowed");
});

/** Each under the name that the golden file shows it by. */
const mistakes: { readonly [name: string]: string } = {
  "an unknown fact": 'prinzipal.subject == "x"',
  "an unknown field": 'object.label.team == "x"',
  "an unknown field inside has()": "has(object.labls)",
  "an unknown field behind an index": 'change.images[0].name == "x"',
  "an unknown function": 'object.name.startswith("x")',
  "a function of other languages": 'lower(object.name) == "x"',
  "text and number": "principal.subject == 3",
  "a number against text": "call.tool < 3",
  "a weekday that never comes": 'now.weekday == "fri"',
  "a time that never comes": 'now.time >= "9:00"',
  "an effect that is none": 'call.effect in ["read", "write"]',
  "no truth": "principal.subject",
  "a list that is no truth": "principal.groups",
  "lists compared": 'principal.groups == ["a"]',
  "lists added": 'size(principal.groups + ["a"]) == 1',
  "a mixed list": 'object.kind in ["pods", 3]',
  "a mapping": '{"a": 1}.size() == 1',
  "an unsigned number": "1u == 1u",
  "has() of a key": 'has(object.labels["a/b"])',
  "a macro in a macro": "principal.groups.exists(a, principal.groups.exists(b, a == b))",
  "a macro that hides a fact": "principal.groups.exists(object, true)",
  "a macro over text": 'object.name.all(c, c == "x")',
  "a macro without a name": "principal.groups.all(true)",
  "all annotations": "size(object.annotations) == 0",
  "an annotation by a computed name": "object.annotations[object.name] == 'x'",
  "a loop over annotations": "object.annotations.exists(key, true)",
  "a pattern that is none": 'object.name.matches("(")',
  "a pattern that repeats": 'object.name.matches("(a{100}){100}")',
  "a computed pattern": "object.name.matches(call.tool)",
  "an unfinished line": "object.exists &&",
  "another language": "object.exists and principal.kind",
  "a comment": "object.exists // really",
  nothing: "   ",
  "the prototype": '__proto__ == 1 || principal.constructor == "x"',
};

promise("policy:when-checked", "each kind of mistake in an expression gives its own sentence at its place", () => {
  const shown = Object.entries(mistakes).map(([name, text]) => {
    const { problems } = openWhen(text, "UTC", factTypes, "it fails");
    return `${name}: ${text}\n${problems.map(({ offset, sentence }) => `  ${" ".repeat(offset)}^ ${sentence}\n`).join("")}`;
  });
  golden("policy/when-problems.txt", shown.join("\n"));
});

promise("policy:when-checked", "what may be missing is told of, unless the expression asks for it first", () => {
  const warned = (text: string): readonly string[] =>
    openWhen(text, "UTC", factTypes, "this allow rule does not match").warnings.map(
      ({ sentence }) => sentence.split(" ", 1)[0] ?? "",
    );
  expect(openWhen('object.labels.team == "x"', "UTC", factTypes, "this deny rule matches").warnings).toEqual([
    {
      offset: 14,
      sentence:
        "object.labels.team may be missing: the expression then fails, and this deny rule matches. Ask has(object.labels.team) first.",
    },
  ]);
  expect(warned('call.arguments.a.b == 1 || namespace.environment == "x"')).toEqual([
    "call.arguments.a",
    "call.arguments.a.b",
    "namespace.environment",
  ]);
  const guarded = [
    'has(object.labels.team) && object.labels.team == "x"',
    'object.labels.team == "x" && has(object.labels.team)',
    '!has(object.labels.team) || object.labels.team == "x"',
    'has(object.labels.team) ? object.labels.team == "x" : true',
    '!("a/b" in object.labels) ? true : object.labels["a/b"] == "x"',
    "has(change.replicas) && (change.replicas.to > 3 || change.replicas.from > 3)",
    "call.tool in object.labels && object.labels[call.tool] == 'x'",
  ];
  expect(guarded.flatMap(warned)).toEqual([]);
  expect(warned('has(object.labels.team) || object.labels.team == "x"')).toEqual(["object.labels.team"]);
});

promise(
  "policy:load-refuses",
  "a mistake inside an expression is told of at its line and column, however it is quoted",
  () => {
    const place = (when: string): string => {
      const text = `version: 1\nrules:\n- id: one\n  effect: allow\n  match: {}\n  reason: x\n  when: ${when}\n`;
      const loaded = loadPolicy([{ path: "p", text }]);
      return loaded.kind === "loaded"
        ? "loaded"
        : loaded.problems.map(({ line, column }) => `${line}:${column}`).join(" ");
    };
    expect(place("object.exists && object.nam == 'x'")).toBe("7:33");
    expect(place('"object.exists && object.nam == \\"x\\""')).toBe("7:34");
    expect(place("'object.name == ''y'' && object.nam == ''x'''")).toBe("7:41");
    expect(place('|\n    object.exists &&\n    object.nam == "x"')).toBe("9:12");
    expect(place('>-\n    object.exists &&\n    object.nam == "x"')).toBe("9:12");
    expect(place("object.exists &&\n    object.nam == 'x'")).toBe("8:12");
  },
);

promise("policy:when-bounded", "work that grows with what an agent sends ends as an error of the rule", () => {
  const over = "it asks for more work than a rule may";
  expect(answer("call.arguments.many.all(x, x in call.arguments.many)")).toBe(over);
  expect(answer("call.arguments.many.map(x, x).size() == 400 || true")).toBe(over);
  expect(answer('call.arguments.long.matches("^(a|x)*$")')).toBe(over);
  expect(answer("call.arguments.many.exists(x, call.arguments.long.contains(call.arguments.long)) || true")).toBe(over);
  expect(answer("call.arguments.names == call.arguments.names")).toBe("lists and mappings can't be compared");
});

promise("policy:when-bounded", "the expressions of one decision share their room", () => {
  const hungry = "call.arguments.many.exists(x, x in call.arguments.names && x in call.arguments.names)";
  const rules = Array.from({ length: 40 }, (_, index): PlainRule => ({
    id: `hungry-${index}`,
    effect: "allow",
    match: {},
    when: `${hungry} && call.tool != "${index}"`,
  }));
  const { errors } = decide(policyOf(...rules), asked, known);
  expect(errors.length).toBeGreaterThan(20);
  expect(errors).not.toContain("hungry-0");
});

promise("policy:when-bounded", "arguments that are too large to look into are unknown", () => {
  const { when } = openWhen('call.arguments.text == "x" || call.tool == "other"', "UTC", factTypes, "");
  const large = call("read", [], { arguments: { text: "x".repeat(300_000) } });
  expect(when?.evaluate(openScene(large, noFacts).about(null, "UTC"), openRoom())).toEqual({
    kind: "failed",
    message: "the arguments are too large to look into",
  });
});

promise("policy:load-bounded", "hostile expressions end in one sentence", () => {
  const hostile: { readonly [name: string]: string } = {
    long: `object.name == "${"x".repeat(2000)}"`,
    "deep brackets": `${"[".repeat(500)}${"]".repeat(500)}`,
    "deep parentheses": `${"(".repeat(900)}true${")".repeat(900)}`,
    "many nots": `${"!".repeat(1500)}true`,
    "many minus signs": `${"-".repeat(1500)}1 == 1`,
    "many terms": Array.from({ length: 330 }, () => "true").join("&&"),
    "many items": `1 in [${"1,".repeat(900)}1]`,
    "many fields": `object${".a".repeat(900)}`,
    "many ternaries": `${"true?true:".repeat(150)}true`,
    "an open string": `"${"a".repeat(1900)}`,
    "open brackets": "[".repeat(1900),
  };
  const shown = Object.entries(hostile).map(([name, text]) => {
    const [first] = openWhen(text, "UTC", factTypes, "").problems;
    return `${name}: ${first?.sentence ?? "accepted"}`;
  });
  golden("policy/when-hostile.txt", `${shown.join("\n")}\n`);
});

promise("policy:load-bounded", "a policy of nothing but long expressions is refused before they are all parsed", () => {
  const rules = Array.from({ length: 700 }, (_, index) => {
    const terms = Array.from({ length: 25 }, (_one, term) => `object.name != "${index}-${term}"`).join(" && ");
    return `- {id: r-${index}, effect: deny, match: {}, reason: x, when: '${terms}'}`;
  });
  const loaded = loadPolicy([{ path: "p", text: `version: 1\nrules:\n${rules.join("\n")}\n` }]);
  expect(loaded.kind === "refused" && loaded.problems.map(({ sentence }) => sentence)).toEqual([
    "The expressions of all rules together are longer than 65536 characters.",
  ]);
});
