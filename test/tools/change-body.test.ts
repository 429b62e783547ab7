// What only the body of a write shows: attacks on the node by each way of writing, and what they may not be mistaken for.

import { assert, jsonValue, property } from "fast-check";
import { expect } from "vitest";
import type { Json, JsonObject } from "../../src/domain/json.ts";
import { broughtBy, shownIn } from "../../src/execution/body.ts";
import { promise } from "../support/promise.ts";

/** [forbid, part of a pod spec]: each takes something of the node. */
const powers: readonly (readonly [string, JsonObject])[] = [
  ["host-namespaces", { hostNetwork: true }],
  ["host-namespaces", { hostPID: true }],
  ["host-namespaces", { hostIPC: true }],
  [
    "host-path",
    {
      volumes: [
        { name: "ok", emptyDir: {} },
        { name: "root", hostPath: { path: "/" } },
      ],
    },
  ],
  ["host-path", { volumes: [{ name: "root", hostPath: {} }] }],
  ["privileged", { containers: [{ name: "a" }, { name: "b", securityContext: { privileged: true } }] }],
  ["privileged", { initContainers: [{ name: "a", securityContext: { privileged: true } }] }],
  ["privileged", { ephemeralContainers: [{ name: "a", securityContext: { privileged: true } }] }],
  ["privileged", { securityContext: { windowsOptions: { hostProcess: true } } }],
];

/** The ways to a pod spec. */
const places: readonly (readonly string[])[] = [
  ["spec"],
  ["spec", "template", "spec"],
  ["spec", "jobTemplate", "spec", "template", "spec"],
  ["spec", "workload", "podTemplate", "spec"],
];
const put = (place: readonly string[], part: Json): Json =>
  place.reduceRight<Json>((inner, key) => ({ [key]: inner }), part);

promise(
  "tools:change-node-power",
  "in a manifest, a merge patch and each step of a JSON Patch, wherever the pod spec stands",
  () => {
    for (const [id, part] of powers)
      for (const place of places) {
        const whole = put(place, part);
        expect([id, place, shownIn(whole)?.id]).toEqual([id, place, id]);
        expect([id, place, shownIn({ apiVersion: "v1", kind: "List", items: [whole] })?.id]).toEqual([id, place, id]);
        expect([id, place, broughtBy(null, whole as JsonObject)?.id]).toEqual([id, place, id]);
        for (const [key, value] of Object.entries(part))
          for (const op of ["add", "replace"]) {
            const step = { op, path: `/${[...place, key].join("/")}`, value };
            expect([step, shownIn([{ op: "add", path: "/metadata/labels/a", value: "b" }, step])?.id]).toEqual([
              step,
              id,
            ]);
          }
      }
  },
);

promise("tools:change-node-power", "by a path that ends inside the field", () => {
  const steps: readonly JsonObject[] = [
    { op: "add", path: "/spec/volumes/-", value: { name: "root", hostPath: { path: "/" } } },
    { op: "replace", path: "/spec/containers/0/securityContext/privileged", value: true },
    { op: "add", path: "/spec/containers/0/securityContext", value: { privileged: true } },
    { op: "add", path: "/spec/volumes/0/hostPath", value: { path: "/etc" } },
    { op: "add", path: "/spec", value: { hostPID: true } },
  ];
  for (const step of steps) expect([step, shownIn([step]) === null]).toEqual([step, false]);
});

promise("tools:change-node-power", "what was there before is not brought, what changes is", () => {
  const daemon = (path: string): JsonObject => ({ spec: { volumes: [{ name: "logs", hostPath: { path } }] } });
  expect(broughtBy(daemon("/var/log"), { ...daemon("/var/log"), metadata: { labels: { a: "b" } } })).toBe(null);
  expect(broughtBy(daemon("/var/log"), daemon("/"))?.id).toBe("host-path");
  expect(broughtBy({ spec: {} }, { spec: { hostNetwork: true } })?.id).toBe("host-namespaces");
});

promise("tools:change-node-power", "plain bodies pass, whatever they hold", () => {
  const plain: readonly Json[] = [
    { spec: { hostNetwork: false, containers: [{ name: "a", securityContext: { privileged: false } }] } },
    { data: { hostPath: "/etc", privileged: "true" } },
    { spec: { rules: [{ http: { paths: [{ path: "/", pathType: "Prefix" }] } }] } },
    [{ op: "remove", path: "/spec/hostNetwork" }],
    null,
  ];
  for (const body of plain) expect([body, shownIn(body)]).toEqual([body, null]);
  assert(
    property(jsonValue(), (value) => {
      const text = JSON.stringify(value);
      const harmless = !/hostNetwork|hostPID|hostIPC|hostPath|privileged|hostProcess/.test(text);
      expect(!harmless || shownIn(value as Json) === null).toBe(true);
    }),
  );
});
