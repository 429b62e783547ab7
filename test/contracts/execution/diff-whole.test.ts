// What a diff may not keep quiet about: where a new member of a list stands, and fields whose names pass for Kubernetes' own.

import * as fc from "fast-check";
import { expect } from "vitest";
import canonicalize from "canonicalize";
import type { Json, JsonObject } from "../../../src/domain/json.ts";
import { diffObjects, substanceOf } from "../../../src/execution/diff.ts";
import { promise } from "../../support/promise.ts";

const list = "spec.template.spec.initContainers";
const starting = (names: readonly string[]): JsonObject => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "a" },
  spec: { template: { spec: { initContainers: names.map((name) => ({ name, image: "x:1" })) } } },
});
const told = (before: readonly string[] | null, after: readonly string[]): string[] =>
  diffObjects(before === null ? null : starting(before), starting(after))
    .filter((line) => line.path === list)
    .map((line) => `${line.sign} ${line.before} -> ${line.after}`);

promise("tools:change-shows-all", "where a new container starts among the others", () => {
  expect(told(["check", "warm"], ["new", "check", "warm"])).toEqual(['~ ["check","warm"] -> ["new","check","warm"]']);
  expect(told(["check", "warm"], ["new", "warm", "check"])).toEqual(['~ ["check","warm"] -> ["new","warm","check"]']);
  expect(told(["check"], ["check", "z", "new"])).toEqual(['~ ["check"] -> ["check","z","new"]']);
  expect(told(null, ["z", "new"])).toEqual(['+ null -> ["z","new"]']);
  // Read from the other lines: after those that stay, and by name.
  expect([told(["check"], ["check", "new"]), told(["check", "warm"], ["warm"]), told(null, ["a", "b"])]).toEqual([
    [],
    [],
    [],
  ]);
});

promise(
  "tools:change-shows-all",
  "where a step of a custom resource comes, which nobody here knows the meaning of",
  () => {
    const steps = (names: readonly string[]): JsonObject => ({
      apiVersion: "flows.example.com/v1",
      kind: "Flow",
      metadata: { name: "a" },
      spec: { steps: names.map((name) => ({ name })) },
    });
    const [line] = diffObjects(steps(["build", "ship"]), steps(["build", "own", "ship"])).filter(
      ({ path }) => path === "spec.steps",
    );
    expect(line).toMatchObject({ before: '["build","ship"]', after: '["build","own","ship"]' });
  },
);

promise("tools:change-shows-all", "no two orders of the same containers read alike", () => {
  const names = fc.uniqueArray(fc.constantFrom("a", "b", "c", "d", "e"), { maxLength: 5 });
  fc.assert(
    fc.property(names, names, fc.func(fc.integer()), (before, after, rank) => {
      const other = after.toSorted((one, two) => rank(one) - rank(two));
      const lines = (to: readonly string[]): unknown => diffObjects(starting(before), starting(to));
      if (after.every((name, index) => name === other[index])) expect(lines(after)).toEqual(lines(other));
      else expect(lines(after)).not.toEqual(lines(other));
    }),
    { numRuns: 1000 },
  );
});

promise("tools:change-shows-all", "fields of an object's root whose names read as fields that are left out", () => {
  const odd = (more: JsonObject): JsonObject => ({
    apiVersion: "shop.example.com/v1",
    kind: "Odd",
    metadata: { name: "a" },
    spec: { size: 1 },
    ...more,
  });
  for (const name of ["status.phase", "metadata.uid", "metadata.name", "metadata.managedFields.x"]) {
    const [before, after] = [odd({}), odd({ [name]: "new" })];
    expect(diffObjects(before, after)).toEqual([
      { sign: "+", risk: false, path: JSON.stringify(name), before: null, after: '"new"' },
    ]);
    expect(substanceOf(after)).not.toBe(substanceOf(before));
  }
});

const said = (kind: JsonObject, before: Json, after: Json): string[] =>
  diffObjects(
    { ...kind, metadata: { name: "a" }, spec: before },
    { ...kind, metadata: { name: "a" }, spec: after },
  ).map((line) => `${line.risk ? "!" : ""}${line.sign} ${line.path}: ${line.before ?? line.after}`);

promise("tools:change-shows-all", "what was emptied is not what is gone", () => {
  const policy = { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy" };
  const from = (namespaceSelector?: JsonObject): JsonObject => ({
    ingress: [
      { from: [{ podSelector: { matchLabels: { app: "b" } }, ...(namespaceSelector && { namespaceSelector }) }] },
    ],
  });
  const gone = '!- spec.ingress[0].from[0].namespaceSelector.matchLabels.team: "a"';
  const team = { matchLabels: { team: "a" } };
  expect(said(policy, from(team), from())).toEqual([gone]);
  // Every namespace, where only that of the policy was left above.
  expect(said(policy, from(team), from({}))).toEqual(["!+ spec.ingress[0].from[0].namespaceSelector: {}", gone]);
  expect(said(policy, { ingress: [{}] }, { ingress: [] })).toEqual(["!+ spec.ingress: []", "!- spec.ingress[0]: {}"]);
  const pod = { apiVersion: "v1", kind: "Pod" };
  const env = (...all: readonly JsonObject[]): JsonObject => ({ containers: [{ name: "m", env: [...all] }] });
  const [first, value] = [{ name: "A", value: "1" }, '!- spec.containers[m].env[A].value: "1"'];
  expect(said(pod, env(first, { name: "B" }), env({ name: "B" }))).toEqual([value]);
  expect(said(pod, env(first, { name: "B" }), env({ name: "A" }, { name: "B" }))).toEqual([
    '!+ spec.containers[m].env[A].name: "A"',
    value,
  ]);
});

promise("tools:change-shows-all", "no name of a custom resource's field reads as a field inside another", () => {
  const own = { apiVersion: "shop.example.com/v1", kind: "Odd" };
  expect(said(own, {}, { values: { tls: { on: true } } })).toEqual(["!+ spec.values.tls.on: true"]);
  expect(said(own, {}, { values: { "tls.on": true } })).toEqual(['!+ spec.values."tls.on": true']);
  expect(said(own, {}, { "list[0]": 1 })).toEqual(['+ spec."list[0]": 1']);
  // Where Kubernetes says which fields there are, names with dots are keys of labels and data.
  expect(said({ apiVersion: "v1", kind: "Pod" }, {}, { nodeSelector: { "a.b/c": "d" } })).toEqual([
    '+ spec.nodeSelector.a.b/c: "d"',
  ]);
});

/** Two states of a custom resource that differ read differently after the same state before; the order of names is none. */
promise("tools:change-shows-all", "no two states read alike", () => {
  const name = fc.constantFrom("a", "b", "a.b", "x", "a[0]");
  const named = fc.array(
    fc.record({ name: fc.constantFrom("a", "b"), v: fc.constantFrom(1, 2) }, { requiredKeys: ["name"] }),
    {
      maxLength: 3,
    },
  );
  const { tree } = fc.letrec<{ tree: Json }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 3, depthSize: "small" },
      fc.constantFrom<Json>(1, "1", "", true, "a"),
      fc.dictionary(name, tie("tree"), { maxKeys: 2, noNullPrototype: true }),
      fc.array(tie("tree"), { maxLength: 2 }),
      named,
    ),
  }));
  const spec = fc.dictionary(name, tree, { maxKeys: 2, noNullPrototype: true });
  const own = { apiVersion: "shop.example.com/v1", kind: "Odd" };
  fc.assert(
    fc.property(spec, spec, spec, (before, one, other) => {
      fc.pre(canonicalize(one) !== canonicalize(other));
      const [first, second] = [one, other].map((after) =>
        diffObjects(
          { ...own, metadata: { name: "a" }, spec: before },
          { ...own, metadata: { name: "a" }, spec: after },
        ),
      );
      expect(first).not.toEqual(second);
    }),
    { numRuns: 2000 },
  );
});

promise(
  "tools:diff-members",
  "two mounts of one volume are told by their paths, and a Scale of none by its count",
  () => {
    const pod = (...mountPaths: string[]): JsonObject => ({
      apiVersion: "v1",
      kind: "Pod",
      spec: { containers: [{ name: "main", volumeMounts: mountPaths.map((mountPath) => ({ name: "v", mountPath })) }] },
    });
    const scale = (spec: JsonObject): JsonObject => ({ apiVersion: "autoscaling/v1", kind: "Scale", spec });
    const lines = (before: JsonObject, after: JsonObject): string[] =>
      diffObjects(before, after).map(
        (line) => `${line.risk ? "!" : ""}${line.sign} ${line.path}: ${line.before} -> ${line.after}`,
      );
    const mounts = "spec.containers[main].volumeMounts";
    expect([
      lines(pod("/a", "/b"), pod("/b")),
      lines(pod("/a"), pod("/a", "/b")),
      lines(scale({ replicas: 2 }), scale({})),
      lines(scale({}), scale({ replicas: 2 })),
    ]).toEqual([
      [`!- ${mounts}[/a].name: "v" -> null`],
      [`!+ ${mounts}[/b].name: null -> "v"`],
      ["!~ spec.replicas: 2 -> 0"],
      ["~ spec.replicas: 0 -> 2"],
    ]);
  },
);
