// A diff without what Kubernetes fills in by itself: what is left out is that alone, wherever the same words stand.

import * as fc from "fast-check";
import { expect } from "vitest";
import type { Json, JsonObject } from "../../src/domain/json.ts";
import { diffObjects } from "../../src/execution/diff.ts";
import { promise } from "../support/promise.ts";

const shown = (before: JsonObject | null, after: JsonObject): string[] =>
  diffObjects(before, after).map(({ sign, path, after: value }) => `${sign} ${path}: ${value}`);

const filledIn: JsonObject = {
  dnsPolicy: "ClusterFirst",
  schedulerName: "default-scheduler",
  securityContext: {},
  terminationGracePeriodSeconds: 30,
};
const container = (more: JsonObject = {}): JsonObject => ({
  name: "main",
  image: "registry.example.com/report:3",
  imagePullPolicy: "IfNotPresent",
  resources: {},
  terminationMessagePath: "/dev/termination-log",
  terminationMessagePolicy: "File",
  ...more,
});
const job = (spec: JsonObject): JsonObject => ({
  apiVersion: "batch/v1",
  kind: "Job",
  metadata: { name: "report" },
  spec: { template: { metadata: {}, spec: { ...filledIn, ...spec } } },
});

promise("tools:change-defaults", "a created Job tells its image and what was chosen", () => {
  expect(shown(null, job({ restartPolicy: "Never", containers: [container()] }))).toEqual([
    '+ spec.template.spec.containers[main].image: "registry.example.com/report:3"',
    '+ metadata.name: "report"',
    '+ spec.template.spec.restartPolicy: "Never"',
  ]);
});

promise("tools:change-defaults", "also of a container that is added to what runs", () => {
  const deployment = (containers: readonly Json[]): JsonObject => ({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "api" },
    spec: { template: { spec: { containers } } },
  });
  const readinessProbe = {
    httpGet: { path: "/", port: 80, scheme: "HTTP" },
    failureThreshold: 3,
    periodSeconds: 10,
    successThreshold: 1,
    timeoutSeconds: 5,
  };
  const side = container({ name: "side", ports: [{ containerPort: 80, protocol: "TCP" }], readinessProbe });
  expect(shown(deployment([container()]), deployment([container(), side]))).toEqual([
    '+ spec.template.spec.containers[side].image: "registry.example.com/report:3"',
    '+ spec.template.spec.containers[side].readinessProbe.httpGet.path: "/"',
    "+ spec.template.spec.containers[side].readinessProbe.httpGet.port: 80",
    "+ spec.template.spec.containers[side].readinessProbe.timeoutSeconds: 5",
  ]);
});

promise("tools:change-defaults", "the same words where they are nobody's default stay", () => {
  const kept = (after: JsonObject, path: string): void => expect(shown(null, after).join("\n")).toContain(path);
  const data = { restartPolicy: "Always", "spec.dnsPolicy": "ClusterFirst" };
  const map: JsonObject = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "m" }, data };
  kept(map, "+ data.restartPolicy");
  kept(map, "+ data.spec.dnsPolicy");
  const custom = { ...job({}), apiVersion: "example.com/v1" };
  kept(custom, "+ spec.template.spec.dnsPolicy");
  // An init container that restarts is a sidecar.
  const sidecar = job({ initContainers: [container({ restartPolicy: "Always" })] });
  kept(sidecar, "+ spec.template.spec.initContainers[main].restartPolicy");
  const always = job({ containers: [container({ imagePullPolicy: "Always" })] });
  kept(always, "+ spec.template.spec.containers[main].imagePullPolicy");
  const latest = job({ containers: [container({ image: "registry.example.com/report" })] });
  kept(latest, "+ spec.template.spec.containers[main].imagePullPolicy");
  kept(job({ containers: [container({ securityContext: {} })] }), "containers[main].securityContext");
});

promise("tools:change-defaults", "what changes from one value to a default, or goes, is always told", () => {
  const values = fc.constantFrom<Json>("ClusterFirst", "None", 30, {}, null, "Always");
  const fields = fc.constantFrom(...Object.keys(filledIn));
  fc.assert(
    fc.property(fields, values, (field, value) => {
      const lines = diffObjects(job({ [field]: value }), job({}));
      expect(lines.length === 0).toBe(JSON.stringify(value) === JSON.stringify(filledIn[field]));
      const gone = Object.fromEntries(Object.entries(filledIn).filter(([name]) => name !== field));
      const left: JsonObject = { ...job({}), spec: { template: { metadata: {}, spec: gone } } };
      expect(diffObjects(job({}), left).map(({ sign }) => sign)).toEqual(["-"]);
    }),
  );
});
