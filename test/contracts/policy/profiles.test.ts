// The profiles that ship: who may do what, where, as text that a person can review.

import { readFileSync } from "node:fs";
import { expect } from "vitest";
import { tools } from "../../../tools/index.ts";
import type { Effect } from "../../../src/domain/call.ts";
import type { Facts } from "../../../src/domain/decision.ts";
import type { PrincipalFields } from "../../../src/domain/principal.ts";
import { decide } from "../../../src/policy/decide.ts";
import { loadPolicy } from "../../../src/policy/load.ts";
import { possible } from "../../../src/policy/possible.ts";
import { golden } from "../../support/golden.ts";
import { promise } from "../../support/promise.ts";
import { agent, call, environments } from "./support.ts";

const profiles = ["observe", "default", "production"] as const;
const folder = new URL("../../../policies/access/", import.meta.url);

function loadedProfile(name: string) {
  const text = readFileSync(new URL(`${name}.yaml`, folder), "utf8");
  const loaded = loadPolicy([{ path: `${name}.yaml`, text }], { tools });
  if (loaded.kind === "refused") throw new Error(JSON.stringify(loaded.problems));
  return { text, policy: loaded.policy, warnings: loaded.warnings() };
}

/** What a call of each tool typically declares. */
const calls: { readonly [tool: string]: readonly (readonly [Effect, ...string[]])[] } = {
  access_review: [["read"]],
  approval_wait: [["read"]],
  conditions_wait: [["read", "get apps/deployments NS/web"]],
  events_list: [["read", "list events NS/*"]],
  jobs_run: [
    [
      "change",
      "get batch/cronjobs NS/web",
      "get batch/jobs NS/web-1",
      "patch batch/jobs NS/web-1",
      "create batch/jobs NS/web-1",
    ],
  ],
  kinds_explain: [["read"]],
  logs_read: [["read", "get pods NS/web", "get pods/log NS/web"]],
  manifests_apply: [["change", "get configmaps NS/web", "patch configmaps NS/web", "create configmaps NS/web"]],
  metrics_top: [["read", "list metrics.k8s.io/pods NS/*"]],
  nodes_cordon: [["change", "get nodes one", "patch nodes one"]],
  nodes_drain: [["destroy", "get nodes one", "patch nodes one", "list pods *", "create pods/eviction NS/web"]],
  objects_delete: [["destroy", "get pods NS/web", "delete pods NS/web"]],
  objects_get: [
    ["read", "get configmaps NS/web"],
    ["read", "get secrets NS/web"],
  ],
  objects_list: [["read", "list pods NS/*"]],
  objects_patch: [["change", "get services NS/web", "patch services NS/web"]],
  pods_exec: [["execute", "get pods NS/web", "get pods/exec NS/web", "create pods/exec NS/web"]],
  problems_diagnose: [["read", "list pods NS/*", "list events NS/*?"]],
  rollouts_get: [["read", "get apps/deployments NS/web", "list apps/replicasets NS/*"]],
  rollouts_undo: [
    ["change", "get apps/deployments NS/web", "patch apps/deployments NS/web", "list apps/replicasets NS/*"],
  ],
  workloads_restart: [["change", "get apps/deployments NS/web", "patch apps/deployments NS/web"]],
  workloads_scale: [
    ["change", "get apps/deployments/scale NS/web", "patch apps/deployments/scale NS/web"],
    ["destroy", "get apps/deployments/scale NS/web", "patch apps/deployments/scale NS/web"],
  ],
  workloads_update: [["change", "get apps/deployments NS/web", "patch apps/deployments NS/web"]],
};

const person: PrincipalFields = { ...agent, subject: "ann", kind: "person", groups: ["approvers"] };
const quiet = { age: 60, calls: 3, changes: 0, denied: 0, tainted: false };
const plainChange: NonNullable<Facts["change"]> = {
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
const wednesday = Date.parse("2026-03-11T12:00:00Z");
/** Who calls, in which session, when. */
const callers: readonly (readonly [string, PrincipalFields, Pick<Facts, "session" | "now">])[] = [
  ["agent", agent, { session: quiet, now: wednesday }],
  ["agent that has read strangers' text", agent, { session: { ...quiet, tainted: true }, now: wednesday }],
  ["agent on a Sunday", agent, { session: quiet, now: Date.parse("2026-03-15T12:00:00Z") }],
  ["person", person, { session: quiet, now: wednesday }],
];
/** Each namespace with its environment; one without the label, one of the system. */
const places = { dev: "dev", staging: "staging", prod: "prod", plain: "", "kube-system": "prod" };
const short = { allow: "allow", "require-approval": "ask", deny: "-" } as const;

function matrix(name: string): string {
  const { policy } = loadedProfile(name);
  const lines: string[] = [];
  for (const [who, principal, told] of callers) {
    lines.push(
      `${who}:`,
      `  ${"".padEnd(28)}${Object.entries(places)
        .map(([place, environment]) => `${place}${environment === "" ? "" : `=${environment}`}`.padEnd(19))
        .join("")}listed`,
    );
    for (const tool of tools)
      for (const [effect, ...accesses] of calls[tool.name] ?? []) {
        const facts = { ...environments(places), ...told, change: effect === "read" ? null : plainChange };
        const answers = Object.keys(places).map((place) => {
          const asked = call(
            effect,
            accesses.map((text) => text.replace("NS", place)),
            { tool: tool.name, principal },
          );
          const { effect: answer, requirements } = decide(policy, asked, facts);
          const people = Math.max(0, ...requirements.map(({ count }) => count));
          return `${short[answer]}${people > 1 ? ` ${people}` : ""}${requirements.some(({ assurance }) => assurance === "step-up") ? " step-up" : ""}`;
        });
        const listed = possible(policy, principal, tool, ["practice"]);
        const secret = accesses.some((text) => text.includes("secrets")) ? " Secret" : "";
        lines.push(
          `  ${`${tool.name} ${effect}${secret}`.padEnd(28)}${answers.map((answer) => answer.padEnd(19)).join("")}${listed}`,
        );
      }
    lines.push("");
  }
  return lines.join("\n");
}

promise("policy:profiles", "every tool of the catalogue stands in the access matrix", () => {
  expect(tools.map(({ name }) => name).filter((name) => calls[name] === undefined)).toEqual([]);
});

for (const name of profiles)
  promise("policy:profiles", `the access matrix of ${name} is the one that was reviewed`, () => {
    golden(`policy/matrix-${name}.txt`, matrix(name));
  });

promise(
  "policy:profiles",
  "each loads without warnings but the tools that observe hides, and its examples exercise every rule both ways",
  () => {
    for (const name of profiles) {
      const { text, policy, warnings } = loadedProfile(name);
      expect([name, policy.unexercised]).toEqual([name, []]);
      expect([name, warnings.length]).toEqual([name, name === "observe" ? 1 : 0]);
      for (const part of text.split(/\n {2}- id: /).slice(1))
        expect(new Set(part.match(/expect: [a-z-]+/g)).size, part.slice(0, 40)).toBeGreaterThan(1);
    }
  },
);

promise(
  "policy:profiles",
  "nothing that observe denies is allowed by another way, and production is nowhere laxer than default",
  () => {
    const strictness = { allow: 0, "require-approval": 1, deny: 2 } as const;
    const [observe, plain, production] = profiles.map((name) => loadedProfile(name).policy);
    if (observe === undefined || plain === undefined || production === undefined)
      throw new Error("a profile is missing");
    for (const tool of tools)
      for (const [effect, ...accesses] of calls[tool.name] ?? [])
        for (const place of Object.keys(places)) {
          const asked = call(
            effect,
            accesses.map((text) => text.replace("NS", place)),
            { tool: tool.name },
          );
          const facts: Facts = {
            ...environments(places),
            session: quiet,
            now: wednesday,
            change: effect === "read" ? null : plainChange,
          };
          const answer = (policy: typeof plain) => strictness[decide(policy, asked, facts).effect];
          if (effect !== "read") expect([tool.name, place, answer(observe)]).toEqual([tool.name, place, 2]);
          expect(answer(production)).toBeGreaterThanOrEqual(answer(plain));
        }
  },
);
