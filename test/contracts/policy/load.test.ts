// Policy files with mistakes in them, and files that were made to hurt the loader.

import { expect } from "vitest";
import { tools } from "../../../tools/index.ts";
import { loadPolicy } from "../../../src/policy/load.ts";
import { golden } from "../../support/golden.ts";
import { promise } from "../../support/promise.ts";
import { allowEverything, policyOf, written } from "./support.ts";

const rule = (lines: string): string => `version: 1\nrules:\n- id: one\n  reason: A reason.\n${lines}`;
const allow = (match: string): string => rule(`  effect: allow\n  match: ${match}\n`);

/** Each mistake under the name that the golden file shows it by. */
const mistakes: { readonly [name: string]: string } = {
  "an empty file": "",
  "only a comment": "# later\n",
  "a list": "- id: one\n",
  "no version": "rules: []\n",
  "another version": "version: 2\nrules: []\n",
  "no rules": "version: 1\n",
  "rules that are no list": "version: 1\nrules: {id: one}\n",
  "a rule that is text": "version: 1\nrules: [allow]\n",
  "a misspelt outer key": "version: 1\nrulez: []\n",
  "a rule without anything": "version: 1\nrules:\n- {}\n",
  "a misspelt key of a rule": rule("  effect: allow\n  match: {}\n  reasons: x\n"),
  "a misspelt key of match": allow("{namespace: [shop]}"),
  "a misspelt effect": rule("  effect: alow\n  match: {}\n"),
  "an effect of another tongue": rule("  effect: permit\n  match: {}\n"),
  "a condition": rule("  effect: allow\n  match: {}\n  when: object.labels.team == principal.team\n"),
  "a wildcard verb": allow("{verbs: ['*']}"),
  "a wildcard kind": allow("{kinds: ['*']}"),
  "a wildcard subresource": allow("{kinds: [pods/*]}"),
  "a wildcard group": allow("{kinds: ['*/deployments']}"),
  "a wildcard cluster": allow("{clusters: [prod-*]}"),
  "a wildcard environment": allow("{environments: ['*']}"),
  "a wildcard tool": allow("{tools: [objects_*]}"),
  "a wildcard namespace": allow("{namespaces: ['*']}"),
  "a namespace pattern in the middle": allow("{namespaces: [a-*-b]}"),
  "a namespace prefix without a hyphen": allow("{namespaces: [shop*]}"),
  "a namespace in capitals": allow("{namespaces: [Shop]}"),
  "a namespace that is a number": allow("{namespaces: [2024]}"),
  "an empty list": allow("{namespaces: []}"),
  "text in place of a list": allow("{effects: read}"),
  "a misspelt verb": allow("{verbs: [lst]}"),
  "a verb that is not the API's": allow("{verbs: [impersonate]}"),
  "a kind without its group": allow("{kinds: [deployments]}"),
  "a kind by its Kind": allow("{kinds: [Deployment]}"),
  "a kind in the singular": allow("{kinds: [pod]}"),
  "a misspelt subresource": allow("{kinds: [pods/logs]}"),
  "a group alone": allow("{kinds: [apps]}"),
  "a dotted group alone": allow("{kinds: [networking.k8s.io]}"),
  "secrets in an allow": allow("{kinds: [pods, secrets]}"),
  "an approval without approvers": rule("  effect: require-approval\n  match: {}\n"),
  "an approval of nobody": rule("  effect: require-approval\n  match: {}\n  approval: {approvers: []}\n"),
  "an approver of no kind": rule("  effect: require-approval\n  match: {}\n  approval: {approvers: [sre]}\n"),
  "an approval by zero": rule("  effect: require-approval\n  match: {}\n  approval: {approvers: [owner], count: 0}\n"),
  "an approval by half a person": rule(
    "  effect: require-approval\n  match: {}\n  approval: {approvers: [owner], count: 1.5}\n",
  ),
  "an approval for ever": rule(
    "  effect: require-approval\n  match: {}\n  approval: {approvers: [owner], expires: 365d}\n",
  ),
  "a time without a unit": rule(
    "  effect: require-approval\n  match: {}\n  approval: {approvers: [owner], validFor: 10}\n",
  ),
  "an unknown assurance": rule(
    "  effect: require-approval\n  match: {}\n  approval: {approvers: [owner], assurance: chatt}\n",
  ),
  "an escalation after the request is over": rule(
    "  effect: require-approval\n  match: {}\n  approval: {approvers: [owner], expires: 10m, escalate: [{after: 10m, to: [owner]}]}\n",
  ),
  "escalations out of their order": rule(
    "  effect: require-approval\n  match: {}\n  approval: {approvers: [owner], escalate: [{after: 9m, to: [owner]}, {after: 5m, to: ['user:a']}]}\n",
  ),
  "an escalation to nobody": rule(
    "  effect: require-approval\n  match: {}\n  approval: {approvers: [owner], escalate: [{after: 5m, to: []}]}\n",
  ),
  "an escalation to everybody": rule(
    "  effect: require-approval\n  match: {}\n  approval: {approvers: [owner], escalate: [{after: 5m, to: ['*']}]}\n",
  ),
  "approvers of an allow": rule("  effect: allow\n  match: {}\n  approval: {approvers: [owner]}\n"),
  "an obligation of a deny": rule("  effect: deny\n  match: {}\n  obligations: {maxBytes: 2000}\n"),
  "a limit of nothing": rule("  effect: allow\n  match: {}\n  obligations: {maxBytes: 0}\n"),
  "obligations of nothing": rule("  effect: allow\n  match: {}\n  obligations: {}\n"),
  "a masking profile that is not there": rule("  effect: allow\n  match: {}\n  obligations: {mask: stritc}\n"),
  "a masking profile by its path": rule("  effect: allow\n  match: {}\n  obligations: {mask: ./strict.yaml}\n"),
  "a claim that is not allowed": rule("  effect: allow\n  match: {}\n  when: has(principal.units)\n"),
  "an argument that the tool does not take": rule(
    "  effect: allow\n  match: {tools: [workloads_scale], effects: [change]}\n  when: call.arguments.replicsa < 5\n",
  ),
  "an argument of another type": rule(
    "  effect: allow\n  match: {tools: [workloads_scale], effects: [change]}\n  when: call.arguments.replicas == 'five'\n",
  ),
  "a text that an argument can never be": rule(
    "  effect: allow\n  match: {tools: [objects_get]}\n  when: call.arguments.view == 'ful'\n",
  ),
  "an id with capitals": "version: 1\nrules:\n- {id: One, effect: allow, match: {}, reason: x}\n",
  "an id in look-alike letters": "version: 1\nrules:\n- {id: оne, effect: allow, match: {}, reason: x}\n",
  "an id that turns text around": 'version: 1\nrules:\n- {id: "one\\u202e", effect: allow, match: {}, reason: x}\n',
  "a reason that paints the terminal": 'version: 1\nrules:\n- {id: one, effect: allow, match: {}, reason: "\\e[31m"}\n',
  "an id given twice": written([allowEverything, { ...allowEverything, effect: "deny" }]),
  "a key given twice": rule("  effect: deny\n  match: {}\n  effect: allow\n"),
  "a key that JavaScript treats specially": rule("  effect: allow\n  match: {}\n  __proto__: {effect: deny}\n"),
  "half a character": rule('  effect: allow\n  match: {}\n  tell: "\\ud800"\n'),
  "an anchor": rule("  effect: &a allow\n  match: {}\n"),
  "an alias": rule("  effect: allow\n  match: {}\n  tell: *a\n"),
  "a tag": rule("  effect: !!str allow\n  match: {}\n"),
  "a directive": "%YAML 1.1\n---\nversion: 1\nrules: []\n",
  "a second document": "version: 1\nrules: []\n---\nversion: 1\nrules: []\n",
  "a merge key": rule("  effect: allow\n  match: {}\n  <<: {effect: deny}\n"),
  "a complex key": "? {a: b}\n: c\n",
  "a tab": "version: 1\nrules:\n\t- id: one\n",
  "a bracket left open": "version: 1\nrules: [{id: one\n",
  "text after a quote": 'version: 1\nrules: []\n"x" y: 1\n',
  "an example that fails": rule(
    "  effect: allow\n  match: {kinds: [pods]}\n  examples:\n  - {call: {tool: t, effect: read, accesses: [get pods shop/web]}, expect: allow}\n  - {call: {tool: t, effect: read, accesses: [get pods/log shop/web]}, expect: allow}\n",
  ),
  "an example without an answer": rule(
    "  effect: allow\n  match: {}\n  examples:\n  - {call: {tool: t, effect: read}}\n",
  ),
  "an example of no access": rule(
    "  effect: allow\n  match: {}\n  examples:\n  - {call: {tool: t, effect: read, accesses: [read the pods]}, expect: allow}\n",
  ),
  "a misspelt fact of an example": rule(
    "  effect: allow\n  match: {}\n  examples:\n  - {call: {tool: t, effect: read}, facts: {namespace: {}}, expect: allow}\n",
  ),
};

promise("policy:load-refuses", "each kind of mistake gives its own sentence at its place", () => {
  const shown = Object.entries(mistakes).map(([name, text]) => {
    const loaded = loadPolicy([{ path: "p.yaml", text }], { tools, masks: ["default", "strict"], claims: ["unit"] });
    if (loaded.kind === "loaded") return `${name}\n  loaded\n`;
    const lines = loaded.problems.map(
      ({ path, line, column, sentence }) => `  ${path}:${line}:${column}: ${sentence}\n`,
    );
    return `${name}\n${lines.join("")}`;
  });
  golden("policy/problems.txt", shown.join("\n"));
});

promise("policy:load-refuses", "one bad rule refuses the good ones too, in whatever file it stands", () => {
  const good = { path: "a.yaml", text: written([allowEverything]) };
  const bad = { path: "b.yaml", text: written([{ id: "bad", effect: "deny", match: { kinds: ["deployments"] } }]) };
  for (const files of [
    [good, bad],
    [bad, good],
  ])
    expect(loadPolicy(files)).toMatchObject({ kind: "refused", problems: [{ path: "b.yaml", line: 1 }] });
  expect(loadPolicy([good])).toMatchObject({ kind: "loaded" });
});

promise("policy:load-refuses", "an id is taken across files, and a tool must exist where the names are known", () => {
  const first = { path: "a.yaml", text: written([allowEverything]) };
  const again = { path: "b.yaml", text: `\n${written([allowEverything])}` };
  expect(loadPolicy([first, again])).toMatchObject({
    problems: [{ path: "b.yaml", line: 2, sentence: "The id allow-everything is taken at a.yaml:1." }],
  });
  const closed = { path: "c.yaml", text: written([{ effect: "deny", match: { tools: ["workload_scale"] } }]) };
  expect(loadPolicy([closed], { tools: [{ name: "workloads_scale", effects: ["change"] }] })).toMatchObject({
    problems: [{ sentence: "There is no tool workload_scale; did you mean workloads_scale?" }],
  });
  expect(loadPolicy([])).toMatchObject({ kind: "refused", problems: [{ sentence: "No policy file was given." }] });
});

promise("policy:load-refuses", "but text is text, whatever it begins with", () => {
  const text = rule(
    "  effect: deny\n  match: {}\n  tell: >-\n    *not* an alias, %no directive, !no tag & no anchor\n",
  );
  const loaded = loadPolicy([{ path: "p.yaml", text }]);
  expect(loaded).toMatchObject({
    policy: { rules: [{ tell: "*not* an alias, %no directive, !no tag & no anchor" }] },
  });
});

/** Files whose only aim is the loader's time or memory; each would take the parser alone seconds to minutes. */
const hostile: { readonly [name: string]: () => string } = {
  "ten megabytes": () => `version: 1\nrules: []\n# ${"x".repeat(10_000_000)}`,
  "a hundred thousand rules": () => `version: 1\nrules:\n${"- {id: a}\n".repeat(100_000)}`,
  "six thousand small rules": () => `version: 1\nrules:\n${"- {}\n".repeat(6000)}`,
  "an alias bomb": () =>
    `a: &a [x, x]\n${Array.from({ length: 30 }, (_, at) => `b${at}: &b${at} [*a, *a]`).join("\n")}\n`,
  "a deep flow": () => `a: ${"[".repeat(200_000)}`,
  "a deep flow of mappings": () => "{a: ".repeat(100_000),
  "a deep list": () => "- ".repeat(200_000),
  "deep indentation": () => Array.from({ length: 1200 }, (_, depth) => `${" ".repeat(depth)}a:`).join("\n"),
  "many tags": () => `a: [${"!x 1,".repeat(50_000)}]`,
  "many directives": () => "%TAG ! x\n".repeat(50_000),
  "one hundred thousand keys": () => Array.from({ length: 100_000 }, (_, key) => `k${key}: 1`).join("\n"),
  "many documents": () => "--- a\n".repeat(80_000),
  "complex keys": () => "? ".repeat(200_000),
  "the same key again and again": () => "a: 1\n".repeat(90_000),
};

promise("policy:load-bounded", "each hostile file ends in one sentence", () => {
  const sentences = Object.entries(hostile).map(([name, text]) => {
    const loaded = loadPolicy([{ path: "p.yaml", text: text() }]);
    if (loaded.kind === "loaded") return `${name}: loaded`;
    return `${name}: ${loaded.problems.map(({ line, column, sentence }) => `${line}:${column} ${sentence}`).join(" | ")}`;
  });
  golden("policy/hostile.txt", `${sentences.join("\n")}\n`);
});

promise("policy:load-bounded", "several files share what one may hold", () => {
  const text = `version: 1\nrules: []\n${"#\n".repeat(120_000)}`;
  const load = (...paths: string[]) => loadPolicy(paths.map((path) => ({ path, text })));
  expect(load("a").kind).toBe("loaded");
  const both = load("a", "b");
  expect(both.kind === "refused" ? both.problems.map(({ path, sentence }) => [path, sentence]) : []).toEqual([
    ["b", "The file holds more parts than a policy may."],
  ]);
});

promise("policy:load-bounded", "a file of nothing but mistakes reports a screenful of them", () => {
  const loaded = loadPolicy([{ path: "p.yaml", text: `version: 1\nrules:\n${"- {id: A}\n".repeat(4000)}` }]);
  expect(loaded.kind === "refused" && loaded.problems.length).toBe(50);
});

promise("policy:digest", "the same for another layout, another for any other rule", () => {
  const digest = (text: string): string => {
    const loaded = loadPolicy([{ path: "p.yaml", text }]);
    return loaded.kind === "loaded" ? loaded.policy.digest : "";
  };
  const plain = "version: 1\nrules:\n- {id: one, effect: allow, match: {kinds: [pods]}, reason: x}\n";
  const airy =
    "# why\nrules:\n- reason: 'x'\n  match:\n    kinds:\n    - pods\n  effect: allow\n  id: one\nversion: 1\n";
  expect(digest(plain)).toMatch(/^[0-9a-f]{64}$/);
  expect(digest(airy)).toBe(digest(plain));
  expect(digest(plain.replace("pods", "nodes"))).not.toBe(digest(plain));
  expect(digest(plain.replace("reason: x", "reason: y"))).not.toBe(digest(plain));
});

promise("policy:examples-run", "across files, with what exercises no rule told", () => {
  const example = {
    call: { tool: "t", effect: "read", accesses: ["get pods shop/web", "list events shop/*?"] },
    principal: { groups: ["agents"], agent: "robot" },
    facts: { namespaces: { shop: { environment: "dev" } } },
    expect: "allow",
  };
  const policy = policyOf(
    { id: "dev", effect: "allow", match: { environments: ["dev"], agents: ["robot"] }, examples: [example] },
    { id: "idle", effect: "deny", match: { groups: ["nobody"] } },
  );
  expect([policy.examples, policy.unexercised]).toEqual([1, ["idle"]]);
  const closing = { path: "b.yaml", text: written([{ id: "closes", effect: "deny", match: { verbs: ["get"] } }]) };
  const opening = { path: "a.yaml", text: written([{ ...allowEverything, examples: [example] }]) };
  expect(loadPolicy([opening, closing])).toMatchObject({
    kind: "refused",
    problems: [{ path: "a.yaml", sentence: "The example expects allow and gets deny (by allow-everything, closes)." }],
  });
});
