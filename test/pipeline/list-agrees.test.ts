// The list and the line on random policies and callers, two clusters, the real catalogue: what the list hides never succeeds.

import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, beforeAll, expect } from "vitest";
import { seedStory, startPracticeCluster, type PracticeCluster } from "../../practice/cluster/index.ts";
import { readConnections } from "../../src/commands/clusters.ts";
import { readSetting, type Setting } from "../../src/commands/setting.ts";
import { everyScope } from "../../src/domain/evidence.ts";
import type { JsonObject } from "../../src/domain/json.ts";
import type { Outcome } from "../../src/domain/outcome.ts";
import type { Principal } from "../../src/domain/principal.ts";
import { openGateway, type Gateway } from "../../src/gateway.ts";
import type { Verifier } from "../../src/identity/verifiers/contract.ts";
import { openLog } from "../../src/log.ts";
import { loadPolicy } from "../../src/policy/load.ts";
import { tools } from "../../tools/index.ts";
import { promise } from "../support/promise.ts";
import { testIo } from "../support/world.ts";

const clusters = ["east", "west"];
const reason = "a test of the list";
const at = { namespace: "shop-dev" };
const api = { kind: "Deployment", name: "api", ...at };
/** Arguments that each tool takes; the cluster is put beside them. */
const taken: { readonly [tool: string]: JsonObject } = {
  access_review: {},
  approval_wait: { id: "call_019ab000-0000-7000-8000-000000000001", wait_seconds: 0 },
  conditions_wait: { ...api, timeout_seconds: 1 },
  events_list: at,
  jobs_run: { ...at, name: "report", reason },
  kinds_explain: { search: "pod" },
  logs_read: { ...at, name: "api" },
  manifests_apply: {
    manifest: '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x","namespace":"shop-dev"},"data":{}}',
    reason,
  },
  metrics_top: { kind: "pods", ...at },
  nodes_cordon: { name: "node-1", reason },
  nodes_drain: { name: "node-1", reason },
  objects_delete: { kind: "Pod", names: ["api-0"], ...at, reason },
  objects_get: api,
  objects_list: { kind: "pods", ...at },
  objects_patch: { ...api, patch: { metadata: { annotations: { a: "b" } } }, reason },
  pods_exec: { ...at, name: "api-0", command: ["ls"], reason },
  problems_diagnose: { ...at },
  rollouts_get: api,
  rollouts_undo: { ...api, reason },
  workloads_restart: { ...api, reason },
  workloads_scale: { ...api, replicas: 3, reason },
  workloads_update: { ...api, image: "registry.example.com/shop/api:2", reason },
};
const names = tools.map(({ name }) => name);

const conditions = [
  'principal.kind == "agent"',
  '"agents" in principal.groups',
  'has(principal.team) && principal.team == "shop"',
  'cluster.name == "east"',
  'call.effect == "read"',
  "session.calls < 5",
  "now.hour >= 12",
  'has(object.labels.app) && object.labels.app == "api"',
  'has(namespace.environment) && namespace.environment == "dev"',
];
const some = (values: readonly string[]) =>
  fc.option(fc.subarray([...values], { minLength: 1, maxLength: Math.min(6, values.length) }), {
    nil: undefined,
    freq: 3,
  });
const rules = fc.array(
  fc.record(
    {
      effect: fc.constantFrom("allow", "allow", "allow", "require-approval", "deny"),
      tools: some(names),
      effects: some(["read", "change", "destroy", "execute"]),
      clusters: some(clusters),
      groups: some(["agents", "people"]),
      namespaces: some(["shop-dev", "shop-prod"]),
      when: fc.option(fc.constantFrom(...conditions), { nil: undefined }),
    },
    { requiredKeys: ["effect"] },
  ),
  { minLength: 1, maxLength: 6 },
);
const caller = fc.record({
  kind: fc.constantFrom("agent", "person"),
  groups: fc.subarray(["agents", "people"]),
  team: fc.constantFrom("", "shop"),
});

const dropped = (match: { readonly [part: string]: unknown }) =>
  Object.fromEntries(Object.entries(match).filter(([, value]) => value !== undefined && value !== null));

/** Accepts whom the token describes. */
const anybody: Verifier = {
  // Whom the configuration itself names needs no account.
  name: "local-token",
  verify: async (evidence) => {
    if (evidence.kind !== "bearer") return null;
    const { kind, groups, team } = JSON.parse(evidence.token) as {
      kind: "agent" | "person";
      groups: string[];
      team: string;
    };
    const claims = team === "" ? {} : { claims: { team } };
    const verified = { issuer: "test", subject: `robot-${kind}`, kind, groups, actors: [], ...claims };
    return { verified, scopes: everyScope, expires: null };
  },
  stillAccepts: async () => true,
};

let folder: string;
let started: PracticeCluster[];
let setting: Setting;
let gateway: Gateway;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sallyport-list-"));
  await chmod(folder, 0o700);
  started = await Promise.all(
    clusters.map(async (name) => {
      await mkdir(join(folder, name));
      return await startPracticeCluster({ folder: join(folder, name), seed: seedStory().manifests });
    }),
  );
  const listed = await Promise.all(
    clusters.map(async (name, index) => {
      const path = join(folder, `${name}.kubeconfig`);
      const text = await readFile(started[index]?.kubeconfigPath ?? "", "utf8");
      await writeFile(path, text, { mode: 0o600 });
      return `  - { name: ${name}, context: practice, kubeconfig: ${JSON.stringify(path)} }`;
    }),
  );
  const config = join(folder, "sallyport.yaml");
  // What a limit refuses says nothing of the list.
  const limits = "limits: { inFlight: 1000, callsPerMinute: 100000, bytesPerMinute: 1073741824 }";
  await writeFile(
    config,
    `version: 1\n${limits}\nmode: multi-user\ncredentials: ambient\nclaims: [team]\ndeadline: 5\nclusters:\n${listed.join("\n")}\n`,
  );
  const home = join(folder, "home");
  await mkdir(home, { mode: 0o700 });
  const io = testIo({ SALLYPORT_HOME: home, HOME: folder }, new AbortController().signal);
  setting = await readSetting(io, config);
  gateway = await openGateway({
    config: setting.config,
    configDigest: setting.digest,
    policy: setting.policy,
    masking: setting.masking,
    folder: home,
    version: io.version,
    connections: await readConnections(io, setting.read),
    verifiers: [anybody],
    agents: { issuers: [], configured: [] },
    channels: [],
    where: "sallyport approvals",
    owner: { kind: "multi-user" },
    log: openLog(
      "silent",
      () => undefined,
      (text) => text,
    ),
    now: io.now,
    random: io.random,
  });
});
afterAll(async () => {
  await gateway?.close("the test is over");
  for (const one of started ?? []) await one.stop();
  await rm(folder, { recursive: true, force: true });
});

async function principalOf(who: object): Promise<Principal> {
  const found = await gateway.identify({ kind: "bearer", token: JSON.stringify(who), client: "test" });
  if (found.kind === "identified") return found.principal;
  throw new Error(found.cause);
}

const session = { id: "ses_list" as never, door: "http" as const };

/** Calls a tool with arguments that it takes. */
async function called(principal: Principal, tool: (typeof tools)[number], cluster: string): Promise<Outcome> {
  return await gateway.governCall({
    id: gateway.newCallId(),
    principal,
    session,
    tool: tool.name,
    arguments: { ...taken[tool.name], ...(tool.clusterless ? {} : { cluster }) },
    receivedAt: gateway.now(),
    signal: new AbortController().signal,
    hold: 0,
    progress: () => undefined,
  });
}

promise(
  "policy:list-agrees",
  "through the catalogue and the line: hidden tools, hidden clusters, each with good arguments",
  async () => {
    expect(Object.keys(taken).sort()).toEqual([...names].sort());
    let hidden = 0;
    await fc.assert(
      fc.asyncProperty(rules, caller, fc.infiniteStream(fc.nat(99)), async (made, who, dice) => {
        const text = JSON.stringify({
          version: 1,
          rules: made.map(({ effect, when, ...match }, index) => ({
            id: `rule-${index}`,
            effect,
            match: dropped(match),
            ...(when === undefined || when === null ? {} : { when }),
            ...(effect === "require-approval" ? { approval: { approvers: ["group:approvers"] } } : {}),
            reason: "A reason.",
          })),
        });
        const loaded = loadPolicy([{ path: "p", text }], setting.known);
        // An argument that only some of a rule's tools take is a mistake that the loader finds: none is made here.
        if (loaded.kind === "refused") throw new Error(loaded.problems.map(({ sentence }) => sentence).join(" "));
        await gateway.changePolicy(loaded.policy);
        const principal = await principalOf(who);
        const shown = new Map((await gateway.listTools(principal)).map((tool) => [tool.name, tool]));
        for (const tool of tools) {
          const cluster = clusters[(dice.next().value ?? 0) % 2] ?? "";
          const listed = shown.get(tool.name);
          const schema = JSON.stringify(listed?.inputSchema ?? {});
          const seen = listed !== undefined && (tool.clusterless || schema.includes(`"${cluster}"`));
          // Of what is listed a few are called too: a list that hid nothing and a line that let nothing through would agree.
          if (seen && (dice.next().value ?? 0) > 20) continue;
          const outcome = await called(principal, tool, cluster);
          if (seen) continue;
          hidden += 1;
          expect([tool.name, cluster, outcome.kind]).toEqual([tool.name, cluster, "refused"]);
        }
      }),
      { numRuns: 40 },
    );
    expect(hidden).toBeGreaterThan(50);
    // The same arguments do go through where policy lets them: none of the refusals above was the arguments' own.
    const open = { id: "all", effect: "allow", match: { effects: ["read"] }, reason: "Everyone reads here." };
    const loaded = loadPolicy([{ path: "p", text: JSON.stringify({ version: 1, rules: [open] }) }], setting.known);
    if (loaded.kind === "refused") throw new Error(loaded.problems.map(({ sentence }) => sentence).join(" "));
    await gateway.changePolicy(loaded.policy);
    const reader = await principalOf({ kind: "person", groups: [], team: "" });
    const listed = (await gateway.listTools(reader)).map(({ name }) => name);
    let completed = 0;
    for (const tool of tools.filter(({ name }) => listed.includes(name)))
      if ((await called(reader, tool, clusters[0] ?? "")).kind === "completed") completed += 1;
    expect([listed.length > 8, completed > 5]).toEqual([true, true]);
  },
  120_000,
);
