// Manifests as an attacker would write them: bombs, tags, two meanings, several objects in one.

import { assert, dictionary, jsonValue, property, string } from "fast-check";
import { expect } from "vitest";
import { Faulted } from "../../src/domain/fault.ts";
import type { Json } from "../../src/domain/json.ts";
import { configFirst, manifestsIn } from "../../src/tool.ts";
import { promise } from "../support/promise.ts";

/** The rule that a manifest breaks, or its documents. */
function readAs(text: string): Json {
  try {
    return manifestsIn(text).map(({ object }) => object);
  } catch (thrown) {
    if (thrown instanceof Faulted && thrown.fault.code === "invalid_input")
      return thrown.fault.detail["problems"] ?? null;
    throw thrown;
  }
}
const refused = (path: string, rule: string): Json => [{ path, rule }];

promise("tools:change-manifests", "each trick has its rule, and the rule does not repeat the text", () => {
  const bomb = ["a: &a [x, x]", ...Array.from({ length: 12 }, (_, i) => `b${i}: &b${i} [*a, *a]`)].join("\n");
  const tricks: readonly (readonly [string, Json])[] = [
    [bomb, refused("manifest[0]", "anchors are not taken")],
    ["a: *unknown", refused("manifest[0]", "aliases are not taken: write the value out")],
    ["a: &x 1", refused("manifest[0]", "anchors are not taken")],
    ["a: !!binary aGVsbG8=", refused("manifest[0]", "tags are not taken")],
    ["a: !include /etc/passwd", refused("manifest[0]", "tags are not taken")],
    ["!!map {a: 1}", refused("manifest[0]", "tags are not taken")],
    ["a: 1\na: 2", refused("manifest[0]", "a key stands twice")],
    ["a: {b: 1, b: 2}", refused("manifest[0]", "a key stands twice")],
    [
      "mode: 0644",
      refused("manifest[0]", "a number with a leading zero is ambiguous: write it in decimal, or in quotes"),
    ],
    ["a: .inf", refused("manifest[0]", "numbers must be finite")],
    ["a: .nan", refused("manifest[0]", "numbers must be finite")],
    ["? [a, b]\n: 1", refused("manifest[0]", "keys must be plain text")],
    ["1: one", refused("manifest[0]", "keys must be plain text")],
    ["true: one", refused("manifest[0]", "keys must be plain text")],
    ["- a\n- b", refused("manifest[0]", "must be an object")],
    ["just text", refused("manifest[0]", "must be an object")],
    ["%YAML 1.1\n---\na: yes", refused("manifest[0]", "YAML directives are not taken")],
    ["", refused("manifest", "holds no document")],
    ["---\n---\n# nothing\n", refused("manifest", "holds no document")],
    ["a: 1\n---\nb: *a", refused("manifest[1]", "aliases are not taken: write the value out")],
    ["a: [", refused("manifest[0]", "is not YAML (line 1)")],
    ["apiVersion: v1\nkind: List\nitems: []", refused("manifest[0]", "lists are not taken: one document an object")],
    [
      "apiVersion: v1\nkind: SecretList\nitems: [{}]",
      refused("manifest[0]", "lists are not taken: one document an object"),
    ],
    [`a: ${"[".repeat(70)}${"]".repeat(70)}`, refused("manifest[0]", "must be at most 64 levels deep")],
    ["- ".repeat(100_000), refused("manifest", "holds too many parts: send fewer documents at a time")],
    ["#\n".repeat(100_000), refused("manifest", "holds too many parts: send fewer documents at a time")],
    [
      Array.from({ length: 21 }, (_, i) => `a: ${i}`).join("\n---\n"),
      refused("manifest", "must hold at most 20 documents"),
    ],
    [`a: ${"x".repeat(262_144)}`, refused("manifest", "must be at most 262144 bytes")],
  ];
  for (const [text, answer] of tricks) expect([text.slice(0, 60), readAs(text)]).toEqual([text.slice(0, 60), answer]);
});

promise("tools:change-manifests", "a merge key is a key, and words of YAML 1.1 stay text", () => {
  expect(readAs("on: yes\noff: no\n<<: {a: 1}\ntime: 2001-12-14")).toEqual([
    { on: "yes", off: "no", "<<": { a: 1 }, time: "2001-12-14" },
  ]);
});

promise("tools:change-manifests", "any JSON object comes back as it was, and no text breaks the reader", () => {
  const object = dictionary(
    string({ minLength: 1 }).filter((key) => !["__proto__"].includes(key)),
    jsonValue({ maxDepth: 3 }),
    { maxKeys: 5 },
  );
  assert(
    property(object, (value) => {
      const text = JSON.stringify(value);
      const plain = JSON.parse(text) as Json;
      const read = readAs(text);
      if (Object.keys(value).length > 0 && !/-0\b|__proto__/.test(text) && !holdsInexact(plain))
        expect(read).toEqual([plain]);
    }),
    { numRuns: 30 },
  );
  assert(
    property(string({ unit: "binary" }), (text) => void readAs(text)),
    { numRuns: 30 },
  );
});

const holdsInexact = (value: Json): boolean =>
  typeof value === "number"
    ? Number.isInteger(value) && !Number.isSafeInteger(value)
    : typeof value === "object" && value !== null && Object.values(value).some((one: Json) => holdsInexact(one));

promise("tools:change-manifests", "a number that would lose digits is refused, not rounded", () => {
  const rule = "a number is too large to be exact: write it in quotes if the field takes text";
  for (const text of ["9007199254740993", "-9007199254740993", "12345678901234567890", "1e300"])
    expect(readAs(`a: ${text}`)).toEqual([{ path: "manifest[0]", rule }]);
  expect(readAs("a: 9007199254740991\nb: '12345678901234567890'\nc: 0.1\nd: -1")).toEqual([
    { a: 9007199254740991, b: "12345678901234567890", c: 0.1, d: -1 },
  ]);
});

promise(
  "tools:change-apply",
  "what others need goes first, what points at them last, and a name alone is no kind",
  () => {
    const kinds = [
      ["autoscaling/v2", "HorizontalPodAutoscaler"],
      ["serving.example.com/v1", "Service"],
      ["apps/v1", "Deployment"],
      ["v1", "Service"],
      ["networking.k8s.io/v1", "Ingress"],
      ["v1", "ConfigMap"],
      ["batch/v1", "Job"],
      ["networking.k8s.io/v1", "NetworkPolicy"],
      ["v1", "ServiceAccount"],
      ["v1", "ConfigMap"],
    ] as const;
    const items = kinds.map(([apiVersion, kind], index) => ({ object: { apiVersion, kind, index } }));
    expect(configFirst(items).map(({ object }) => `${object.kind} ${object.index}`)).toEqual([
      "NetworkPolicy 7",
      "ServiceAccount 8",
      "ConfigMap 5",
      "ConfigMap 9",
      "Service 3",
      "Service 1",
      "Deployment 2",
      "Job 6",
      "HorizontalPodAutoscaler 0",
      "Ingress 4",
    ]);
  },
);
