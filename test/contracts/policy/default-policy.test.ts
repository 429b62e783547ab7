// The policy that ships: what an agent may, may with a person, and may not.

import { readFileSync } from "node:fs";
import { expect } from "vitest";
import { tools } from "../../../tools/index.ts";
import type { Effect } from "../../../src/domain/call.ts";
import { decide } from "../../../src/policy/decide.ts";
import { loadPolicy } from "../../../src/policy/load.ts";
import { possible } from "../../../src/policy/possible.ts";
import { golden } from "../../support/golden.ts";
import { promise } from "../../support/promise.ts";
import { agent, call, environments } from "./support.ts";

const text = readFileSync(new URL("../../../policies/access/default.yaml", import.meta.url), "utf8");
const loaded = loadPolicy([{ path: "default.yaml", text }], { tools });

promise("policy:default-policy", "it loads, and its examples exercise every rule both ways", () => {
  if (loaded.kind === "refused") throw new Error(JSON.stringify(loaded.problems));
  const { policy } = loaded;
  expect(policy.unexercised).toEqual([]);
  // Each rule's own examples hold its answer and another one.
  for (const part of text.split(/\n {2}- id: /).slice(1))
    expect(new Set(part.match(/expect: [a-z-]+/g)).size, part.slice(0, 40)).toBeGreaterThan(1);
});

promise("policy:default-policy", "no rule of it names a kind by a wildcard or allows what needs a person", () => {
  if (loaded.kind === "refused") throw new Error("refused");
  for (const rule of loaded.policy.rules)
    if (rule.effect === "allow") expect([rule.id, rule.match.tools ?? rule.match.kinds]).not.toEqual([rule.id, null]);
});

/** Calls as the tools plan them, one line each. */
const calls: readonly (readonly [string, Effect, string, readonly string[]])[] = [
  ["list pods", "read", "objects_list", ["list pods NS/*"]],
  ["read a log", "read", "logs_read", ["get pods NS/web", "get pods/log NS/web"]],
  ["read a ConfigMap", "read", "objects_get", ["get configmaps NS/web", "list events NS/*?"]],
  ["read a Secret", "read", "objects_get", ["get secrets NS/web"]],
  ["list Secrets", "read", "objects_list", ["list secrets NS/*"]],
  ["read a Role", "read", "objects_get", ["get rbac.authorization.k8s.io/roles NS/web"]],
  ["read a custom resource", "read", "objects_get", ["get example.com/things NS/web"]],
  [
    "scale",
    "change",
    "workloads_scale",
    [
      "get apps/deployments/scale NS/web",
      "patch apps/deployments/scale NS/web",
      "list autoscaling/horizontalpodautoscalers NS/*?",
      "list resourcequotas NS/*?",
    ],
  ],
  [
    "scale to zero",
    "destroy",
    "workloads_scale",
    ["get apps/deployments/scale NS/web", "patch apps/deployments/scale NS/web"],
  ],
  ["patch a Deployment", "change", "objects_patch", ["get apps/deployments NS/web", "patch apps/deployments NS/web"]],
  ["restart", "change", "workloads_restart", ["get apps/deployments NS/web", "patch apps/deployments NS/web"]],
  ["update", "change", "workloads_update", ["get apps/deployments NS/web", "patch apps/deployments NS/web"]],
  ["resize a pod", "change", "workloads_update", ["get pods NS/web", "patch pods/resize NS/web"]],
  [
    "roll back",
    "change",
    "rollouts_undo",
    [
      "get apps/deployments NS/web",
      "patch apps/deployments NS/web",
      "list apps/replicasets NS/*",
      "get apps/replicasets NS/*",
    ],
  ],
  [
    "apply a ConfigMap",
    "change",
    "manifests_apply",
    ["get configmaps NS/web", "patch configmaps NS/web", "create configmaps NS/web"],
  ],
  [
    "apply a Secret",
    "change",
    "manifests_apply",
    ["get secrets NS/web", "patch secrets NS/web", "create secrets NS/web"],
  ],
  [
    "apply a custom resource",
    "change",
    "manifests_apply",
    ["get example.com/things NS/web", "patch example.com/things NS/web", "create example.com/things NS/web"],
  ],
  [
    "run a CronJob",
    "change",
    "jobs_run",
    ["get batch/cronjobs NS/web", "get batch/jobs NS/web-1", "patch batch/jobs NS/web-1", "create batch/jobs NS/web-1"],
  ],
  ["delete a pod", "destroy", "objects_delete", ["get pods NS/web", "delete pods NS/web"]],
  ["run a command", "execute", "pods_exec", ["get pods NS/web", "create pods/exec NS/web"]],
  ["make a token", "change", "objects_patch", ["create serviceaccounts/token NS/default"]],
];

promise("policy:default-policy", "the matrix of calls and places is the one that was reviewed", () => {
  if (loaded.kind === "refused") throw new Error("refused");
  const { policy } = loaded;
  const facts = environments({ dev: "dev", prod: "prod", odd: "moon", plain: "", "kube-system": "prod" });
  const places = ["dev", "prod", "odd", "plain", "kube-system", "sallyport-system"];
  const rows = calls.map(([name, effect, tool, accesses]) => {
    const answers = places.map((place) => {
      const asked = call(
        effect,
        accesses.map((text) => text.replace("NS", place)),
        { tool },
      );
      const decision = decide(policy, asked, facts);
      return `${place} ${decision.effect}${decision.dropped.length > 0 ? ` (${decision.dropped.length} dropped)` : ""}`;
    });
    return `${name}: ${answers.join(", ")}\n`;
  });
  const shown = tools.map((tool) => `${tool.name}: ${possible(policy, agent, tool, ["practice"])}\n`);
  golden("policy/default-matrix.txt", `${rows.join("")}\n${shown.join("")}`);
});
