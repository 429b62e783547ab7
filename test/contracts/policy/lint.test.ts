// What the linter says of a policy as a whole, and of its files in an editor.

import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { expect } from "vitest";
import { z } from "zod";
import { tools } from "../../../tools/index.ts";
import { loadPolicy } from "../../../src/policy/load.ts";
import { policyDiff } from "../../../src/policy/diff.ts";
import { policySchema } from "../../../src/policy/schema.ts";
import { promise } from "../../support/promise.ts";
import { allowEverything, policyOf, written, type PlainRule } from "./support.ts";

const known = [
  { name: "objects_get", effects: ["read"] },
  { name: "workloads_scale", effects: ["change", "destroy"] },
] as const;

function warned(...rules: readonly PlainRule[]): readonly string[] {
  const loaded = loadPolicy([{ path: "p", text: written(rules) }], { tools: known });
  if (loaded.kind === "refused") throw new Error(JSON.stringify(loaded.problems));
  return loaded.warnings().map(({ sentence }) => sentence);
}

promise("policy:lints", "rules that no call can reach", () => {
  expect(warned(allowEverything, { id: "never", effect: "deny", match: {}, when: '"a" == "b"' })).toEqual([
    "never never matches: its `when` is false whatever the call.",
  ]);
  expect(
    warned(allowEverything, { id: "mixed", effect: "deny", match: { tools: ["objects_get"], effects: ["destroy"] } }),
  ).toEqual(["mixed never matches: no call of objects_get is a destroy."]);
  const forbidden = {
    effect: "allow",
    match: { verbs: ["create", "delete"], kinds: ["namespaces", "rbac.authorization.k8s.io/roles"] },
  } as const;
  expect(warned({ ...forbidden, id: "vain" }, allowEverything)).toEqual([
    "vain never matches: what it names is forbidden whatever a rule says (sallyport policy forbids).",
  ]);
});

promise("policy:lints", "rules that another one makes pointless", () => {
  const pods: PlainRule = {
    id: "pods",
    effect: "allow",
    match: { kinds: ["pods"], namespaces: ["shop-a"], verbs: ["get"] },
  };
  const denied: PlainRule = { id: "closed", effect: "deny", match: { namespaces: ["shop-*"] } };
  expect(warned(allowEverything, pods, denied)).toEqual([
    "pods is shadowed by closed, which denies all that it is for.",
  ]);
  const asking: PlainRule = { id: "asking", effect: "require-approval", match: { kinds: ["pods", "services"] } };
  expect(warned({ ...allowEverything, match: { verbs: ["list"] } }, pods, asking)).toContain(
    "pods is shadowed by asking, which asks a person for all that it allows.",
  );
  expect(warned(allowEverything, pods)).toEqual([
    "pods adds nothing to allow-everything, which has the same effect for all that it is for.",
  ]);
  // A condition can leave room; other parts do too.
  expect(warned(allowEverything, { ...denied, when: "session.tainted" })).toEqual([]);
  expect(warned(allowEverything, denied)).toEqual([]);
});

promise("policy:lints", "tools that no rule lets through, at the place of the rules", () => {
  const reads: PlainRule = { id: "reads", effect: "allow", match: { effects: ["read"] } };
  const sentence = "No rule lets a call of workloads_scale through: no one is shown it.";
  expect(warned(reads)).toEqual([sentence]);
  // A change declares what it writes: a rule for reading verbs does not let it through.
  expect(warned(reads, { id: "looks", effect: "allow", match: { effects: ["change"], verbs: ["get"] } })).toEqual([
    sentence,
  ]);
});

promise("policy:schema", "the shipped profiles hold it, and it completes what the loader knows", () => {
  const schema = policySchema(tools.map(({ name }) => name));
  const folder = new URL("../../../policies/access/", import.meta.url);
  expect(JSON.parse(readFileSync(new URL("schema.json", folder), "utf8"))).toEqual(schema);
  const check = z.fromJSONSchema(schema);
  for (const name of ["observe", "default", "production"]) {
    const text = readFileSync(new URL(`${name}.yaml`, folder), "utf8");
    expect(text.startsWith("# yaml-language-server: $schema=./schema.json\n")).toBe(true);
    const result = check.safeParse(parse(text));
    expect([name, result.error?.issues ?? []]).toEqual([name, []]);
  }
  const wrong = { version: 1, rules: [{ id: "a", effect: "allow", match: { kind: ["pods"] }, reason: "x" }] };
  expect(check.safeParse(wrong).success).toBe(false);
});

promise("policy:reloads", "the difference tells rules by id, and what of them changed", () => {
  const before = policyOf(
    allowEverything,
    { id: "a", effect: "deny", match: { kinds: ["pods", "nodes"] } },
    { id: "b", effect: "deny", match: {} },
  );
  const after = policyOf(
    allowEverything,
    { id: "c", effect: "allow", match: {}, when: "session.tainted" },
    {
      id: "a",
      effect: "require-approval",
      match: { kinds: ["nodes", "pods"] },
      when: "session.calls > 3",
      tell: "Ask.",
    },
  );
  expect(policyDiff(before, after)).toBe(
    "+ c (allow)\n~ a: effect deny -> require-approval, when, approval, tell\n- b (deny)",
  );
  expect(policyDiff(before, before)).toBe("");
});
