// What a decision costs at 20, 200 and 2,000 rules, one in ten with an expression; how long a policy loads; whether reloading leaves anything.

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { parse as parseYaml } from "yaml";
import type { Access } from "../src/domain/access.ts";
import type { Facts } from "../src/domain/decision.ts";
import { decide, type DecidedCall } from "../src/policy/decide.ts";
import { loadPolicy } from "../src/policy/load.ts";
import type { Policy } from "../src/policy/policy.ts";

const kinds = ["apps/deployments", "apps/statefulsets", "pods", "services", "configmaps", "batch/jobs"] as const;
const effects = ["allow", "require-approval", "deny"] as const;

/** Rules as operators write them: per team a few kinds in a namespace, for a group; one in ten with an expression. */
function ruleText(index: number): string {
  const effect = effects[index % 3] ?? "deny";
  const kind = kinds[index % kinds.length] ?? "pods";
  const when = `has(object.labels.team) && object.labels.team == "team-${index}" && call.arguments.replicas < 50`;
  return [
    `- id: rule-${index}`,
    `  effect: ${effect}`,
    `  match: {effects: [change], verbs: [patch], kinds: [${kind}], namespaces: [team-${index >> 1}]}`,
    ...(index % 10 === 0 ? [`  when: ${when}`] : []),
    ...(effect === "require-approval" ? ["  approval: {approvers: [group:sre]}"] : []),
    `  reason: Because of ${index}.`,
  ].join("\n");
}

function policyText(count: number): string {
  return `version: 1\nrules:\n${Array.from({ length: count }, (_, index) => ruleText(index)).join("\n")}\n`;
}

function load(text: string): Policy {
  const loaded = loadPolicy([{ path: "bench.yaml", text }]);
  if (loaded.kind === "refused") throw new Error(loaded.problems.map(({ sentence }) => sentence).join("\n"));
  return loaded.policy;
}

/** A call that some rule of the policy is about, with the facts that it may ask for. */
function callAbout(index: number): { call: DecidedCall; facts: Facts } {
  const [group = "", resource = ""] = (kinds[index % kinds.length] ?? "pods").split("/").slice(-2);
  const bare = resource === "";
  const access: Access = {
    cluster: "bench",
    verb: "patch",
    group: bare ? "" : group,
    version: "v1",
    resource: bare ? group : resource,
    subresource: "",
    kind: "",
    namespace: `team-${index >> 1}`,
    name: "web",
    optional: false,
  };
  const principal = {
    issuer: "i",
    subject: "robot",
    kind: "agent",
    groups: ["agents"],
    actors: [],
    client: "",
    verifier: "",
  } as const;
  const call: DecidedCall = {
    tool: "workloads_scale",
    effect: "change",
    cluster: "bench",
    principal,
    arguments: { replicas: 3, name: "web", namespace: access.namespace },
    accesses: [access],
  };
  const object = {
    access,
    exists: true,
    uid: "u",
    resourceVersion: "1",
    labels: { team: `team-${index}`, app: "web" },
  };
  const namespace = { cluster: "bench", name: access.namespace, exists: true, labels: {}, environment: "prod" };
  return { call, facts: { objects: [object], namespaces: [namespace], change: null } };
}

/** Microseconds of each decision, sorted. */
function times(policy: Policy, rounds: number): Float64Array {
  const asked = Array.from({ length: 997 }, (_, index) => callAbout((index * 7919) % policy.rules.length));
  const taken = new Float64Array(rounds);
  for (let round = -rounds; round < rounds; round++) {
    const one = asked[Math.abs(round) % asked.length];
    if (one === undefined) continue;
    const begun = process.hrtime.bigint();
    decide(policy, one.call, one.facts);
    if (round >= 0) taken[round] = Number(process.hrtime.bigint() - begun) / 1000;
  }
  return taken.sort();
}

const at = (sorted: Float64Array, share: number): number => sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
const told = (value: number): string => value.toFixed(value < 10 ? 1 : 0);
const milliseconds = (run: () => unknown): number => {
  const begun = performance.now();
  run();
  return performance.now() - begun;
};

process.stdout.write("a decision, one rule in ten with an expression\n");
const medians = new Map<number, number>();
for (const count of [20, 200, 2000]) {
  const sorted = times(load(policyText(count)), 60_000);
  medians.set(count, at(sorted, 0.5));
  process.stdout.write(
    `  ${String(count).padStart(5)} rules: p50 ${told(at(sorted, 0.5))} µs, p99 ${told(at(sorted, 0.99))} µs\n`,
  );
}
const ratio = (medians.get(2000) ?? Number.NaN) / (medians.get(20) ?? Number.NaN);
process.stdout.write(`  p50 at 2,000 rules is ${ratio.toFixed(2)} times that at 20 (goal: near 1)\n\n`);

const text = policyText(2000);
const first = milliseconds(() => load(text));
const floor = Math.min(...Array.from({ length: 3 }, () => milliseconds(() => parseYaml(text) as unknown)));
const again = Math.min(...Array.from({ length: 3 }, () => milliseconds(() => load(text))));
process.stdout.write(`loading 2,000 rules (${Math.round(text.length / 1000)} kB)\n`);
process.stdout.write(
  `  ${told(again)} ms warm, ${told(first)} ms the first time; floor: the YAML library alone, ${told(floor)} ms\n`,
);
process.stdout.write(`  ${(again / floor).toFixed(2)} times the floor\n\n`);

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;
const small = policyText(40);
const kept = (): number => {
  collect();
  return process.memoryUsage().heapUsed / 1_048_576;
};
for (let round = 0; round < 100; round++) load(small);
const before = kept();
for (let round = 0; round < 1000; round++) load(small);
process.stdout.write(`1,000 reloads of 40 rules: ${(kept() - before).toFixed(2)} MiB more on the heap\n`);
