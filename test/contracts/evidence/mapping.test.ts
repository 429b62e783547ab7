// docs/controls.yaml against the code: its promises, kinds and fields exist, its controls are the right ones, and slips are refused.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { z } from "zod";
import { controlsMapping } from "../../../docs/controls-page.ts";
import { isJsonObject, type Json, type JsonObject } from "../../../src/domain/json.ts";
import { isQuestion, loadMapping } from "../../../src/evidence/mapping.ts";
import { commonFields, kindsOfEntries } from "../../../src/transcript/schemas.ts";
import { requirements } from "../../requirements.ts";
import { promise } from "../../support/promise.ts";

const mapping = controlsMapping();
const kinds: readonly string[] = Object.keys(kindsOfEntries);

/** Is there such a field? What a schema leaves open can't be told. */
function hasField(schema: Json | undefined, [name, ...rest]: readonly string[]): boolean {
  if (!isJsonObject(schema)) return false;
  const { anyOf, items, properties, type } = schema;
  if (Array.isArray(anyOf))
    return anyOf.some((one: Json) =>
      hasField(
        one,
        [name ?? "", ...rest].filter((part) => part !== ""),
      ),
    );
  if (name === undefined) return true;
  if (isJsonObject(items)) return hasField(items, [name, ...rest]);
  if (isJsonObject(properties)) return hasField(properties[name], rest);
  return type === "object" || type === undefined;
}

function schemaOf(kind: string): JsonObject {
  const details = kindsOfEntries[kind as keyof typeof kindsOfEntries].details;
  return z.toJSONSchema(z.object({ kind: z.string(), ...commonFields, details })) as JsonObject;
}

promise("evidence:mapping", "every promise that a control names is one that a test cites", () => {
  const unknown = mapping.controls.flatMap(({ id, tests }) =>
    tests.filter((test) => !Object.hasOwn(requirements, test)).map((test) => `${id}: ${test}`),
  );
  expect(unknown).toEqual([]);
});

promise("evidence:mapping", "every kind and field of a query is published, planned ones aside", () => {
  const wrong = Object.entries(mapping.queries).flatMap(([name, { kinds: asked, where, planned }]) => {
    if (planned === true) return [];
    const unknown = asked.filter((kind) => kind !== "*" && !kinds.includes(kind));
    const clauses = where === undefined ? [] : [where].flat();
    const paths = clauses.flatMap((clause) =>
      Object.entries(clause).flatMap(([path, condition]) =>
        typeof condition === "object" && "same" in condition ? [path, condition.same] : [path],
      ),
    );
    const schemas = asked.filter((kind) => kinds.includes(kind)).map(schemaOf);
    const lost = paths.filter((path) => !schemas.some((schema) => hasField(schema, path.split("."))));
    return [...unknown, ...lost].map((one) => `${name}: ${one}`);
  });
  expect(wrong).toEqual([]);
  expect(hasField(schemaOf("call.settled"), ["details", "masked", "count"])).toBe(true);
  expect(hasField(schemaOf("call.settled"), ["details", "maskd"])).toBe(false);
  expect(hasField(schemaOf("call.settled"), ["principal", "subject"])).toBe(false);
});

promise("evidence:mapping", "what is planned waits for a kind of entry that there is not", () => {
  const built = Object.entries(mapping.queries).filter(
    ([, { planned, kinds: asked }]) => planned === true && asked.every((kind) => kinds.includes(kind)),
  );
  expect(built.map(([name]) => `${name} is built: say in docs/controls.yaml what the gateway does`)).toEqual([]);
});

promise("evidence:mapping", "every kind of entry is evidence of something", () => {
  const asked = new Set(
    mapping.controls.flatMap(({ evidence }) => evidence.flatMap((name) => mapping.queries[name]?.kinds ?? [])),
  );
  expect(kinds.filter((kind) => !asked.has(kind))).toEqual([]);
});

promise("evidence:not-mistaken", "the pairs that blog posts get wrong", () => {
  const controlsOf = (name: string): string[] =>
    mapping.controls.filter(({ evidence }) => evidence.includes(name)).map(({ id }) => id);
  const answered = {
    masking: controlsOf("answers-masked"),
    blocking: controlsOf("decisions-deny"),
    approvals: [...new Set(["approvals-answered", "approvals-by-requester"].flatMap(controlsOf))].sort(),
    "kill switch": controlsOf("accounts-stopped"),
    "sealed answers": controlsOf("calls-recorded-whole"),
    tree: controlsOf("INTEGRITY"),
    "agents' list": controlsOf("accounts-reviewed"),
    reviews: controlsOf("record-reviews"),
  };
  expect(answered).toEqual({
    masking: ["AC-4", "SC-7(10)", "SI-15"],
    blocking: ["AC-3", "AC-6(10)", "CM-5(1)", "IR-5", "SI-4", "SI-4(5)"],
    approvals: ["AC-3(2)", "AC-5", "AU-10", "CM-3", "CM-5"],
    "kill switch": ["AC-2(13)", "IR-4"],
    "sealed answers": ["AU-14", "SC-28(1)"],
    tree: ["AU-7", "AU-9", "AU-9(3)", "AU-10"],
    "agents' list": ["AC-2"],
    reviews: ["AU-6"],
  });
});

promise("evidence:mapping", "ids of other catalogues only where there are any", () => {
  const columns = mapping.controls.map(({ r2, r3, tenets, airmf }) => [r2, r3, tenets, airmf].map((one) => one.length));
  const filled = [0, 1, 2, 3].map((column) => columns.filter((row) => (row[column] ?? 0) > 0).length);
  expect(filled.every((count) => count >= 10)).toBe(true);
  // SP 800-171 r3 has no counterpart of these.
  const none = ["AU-9(2)", "AU-9(3)", "AU-10", "AU-14"];
  expect(mapping.controls.filter(({ id }) => none.includes(id)).flatMap(({ r3 }) => r3)).toEqual([]);
});

const whole = `version: 1
updated: 2026-11-21
queries:
  denied: { says: Denied., kinds: [call.decided], where: { details.decision: deny } }
controls:
  - { id: AC-3, title: Access Enforcement, gateway: Denies., customer: Writes., evidence: [denied, SEMANTICS], tests: ["policy:absent-means-no"] }
beyond: [{ controls: AT, why: People. }]
`;

promise(
  "evidence:mapping-refused",
  "a query that is not there, a field too many, a name twice, an alias, no YAML",
  () => {
    const told = (text: string): readonly string[] | string => {
      const loaded = loadMapping(text);
      return loaded.kind === "loaded" ? loaded.mapping.controls.map(({ id }) => id) : loaded.problems;
    };
    const [control = ""] = /^ {2}- .*$/m.exec(whole) ?? [];
    expect({
      whole: told(whole),
      unknown: told(whole.replace("denied, SEMANTICS", "denied, semantics")),
      unused: told(whole.replace("[denied, SEMANTICS]", "[SEMANTICS]")),
      twice: told(whole.replace(control, `${control}\n${control}`)),
      condition: told(whole.replace("details.decision: deny", "details.decision: { is: deny }")).length,
      field: told(whole.replace("customer: Writes.", "customer: Writes., met: true")),
      id: told(whole.replace("id: AC-3", "id: AC3")),
      test: told(whole.replace(', tests: ["policy:absent-means-no"]', "")).length,
      alias: told(whole.replace("why: People.", "why: &a People., more: *a")),
      text: told("version: [1").length,
    }).toEqual({
      whole: ["AC-3"],
      unknown: ["AC-3: there is no query semantics"],
      unused: ["no control uses the query denied"],
      twice: ["AC-3 stands twice"],
      condition: 1,
      field: ['controls.0: Unrecognized key: "met"'],
      id: ["controls.0.id: must be a control's id, for example AC-2(4)"],
      test: 1,
      alias: ["has an alias: write each value out"],
      text: 1,
    });
    expect(isQuestion("SEMANTICS")).toBe(true);
  },
);

promise("evidence:mapping-refused", "what the guide shows as a query of one's own is one", () => {
  const guide = readFileSync(join(import.meta.dirname, "..", "..", "..", "docs", "evidence-pack.md"), "utf8");
  const [, example = ""] = /```yaml\n(queries:\n[\s\S]*?)```/.exec(guide) ?? [];
  const own = whole.replace(/queries:\n.*\n/, example).replace("[denied, SEMANTICS]", "[scaled-to-nothing]");
  const loaded = loadMapping(own);
  expect(loaded.kind === "loaded" ? Object.keys(loaded.mapping.queries) : loaded.problems).toEqual([
    "scaled-to-nothing",
  ]);
});
