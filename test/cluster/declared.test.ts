// Every tool on a real control plane with random valid inputs: what the API server's audit log says was sent is what the tool declared; and tools that are broken on purpose send nothing. Long: each tool has its own inputs.

import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, inject } from "vitest";
import { textAt, type Json, type JsonObject } from "../../src/domain/json.ts";
import { tools } from "../../tools/index.ts";
import { auditLine, isDeclared, openArena, wasSent, type Arena } from "../support/arena.ts";
import { promise } from "../support/promise.ts";
import type { Answer } from "../support/world.ts";

const cluster = inject("cluster");
const why = "skip" in cluster ? ` (skipped: ${cluster.skip})` : "";
const place = "declared";

// ── Inputs ───────────────────────────────────────────────────────────────────────────────────────────────────────────

const reason = "a test of what is declared";
const change = { namespace: fc.constant(place), reason: fc.constant(reason), preview: fc.boolean() };
const maybe = <Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> =>
  fc.option(value, { nil: undefined });
/** Objects that are there, in more than one kind, and some that are not. */
const name = fc.constantFrom("api", "worker", "db", "agent", "report", "settings", "lone", "missing");
const kind = fc.constantFrom(
  "Pod",
  "deploy",
  "statefulsets",
  "DaemonSet",
  "cm",
  "CronJob",
  "svc",
  "events",
  "jobs.batch",
);
const object = fc.oneof(
  fc.constantFrom(
    { kind: "Deployment", name: "api" },
    { kind: "cm", name: "settings" },
    { kind: "Pod", name: "lone" },
    { kind: "CronJob", name: "report" },
    { kind: "svc", name: "api" },
    { kind: "sts", name: "db" },
  ),
  fc.record({ kind, name }),
);
const workload = fc.constantFrom(
  { kind: "Deployment", name: "api" },
  { kind: "StatefulSet", name: "db" },
  { kind: "DaemonSet", name: "agent" },
  { kind: "Deployment", name: "missing" },
);
/** With one that has an earlier revision and that nothing else here changes. */
const revised = fc.oneof(fc.constant({ kind: "Deployment", name: "worker" }), workload);
const places = fc.constantFrom(place, "*");
const selector = fc.constantFrom("app=api", "app in (api,db)", "!app", "app!=x");
const search = fc.constantFrom("a", "set", "zzz");
const map = (more: fc.Arbitrary<string>) =>
  fc.dictionary(fc.constantFrom("A", "B", "C"), more, { minKeys: 1, maxKeys: 2 });
const word = fc.stringMatching(/^[a-z0-9]{1,12}$/);
const since = fc.constantFrom("15m", "2h", "1d", "2024-05-06T07:08:09Z");

function configMap(id: string, data: Json): JsonObject {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name: id, namespace: place }, data };
}
const documents = fc
  .uniqueArray(fc.constantFrom("settings", "made-1", "made-2", "made-3"), { minLength: 1, maxLength: 3 })
  .chain((ids) => fc.tuple(...ids.map((id) => map(word).map((data) => configMap(id, data)))))
  .map((made) => made.map((one) => JSON.stringify(one)).join("\n---\n"));

/** Valid inputs of each tool. A tool without any fails the test by its name. */
const generators: { readonly [tool: string]: fc.Arbitrary<object> } = {
  access_review: fc.oneof(
    fc.constant({}),
    fc.record({ namespace: fc.constantFrom(place, "elsewhere") }),
    name.map((of) => ({ tool: "objects_get", arguments: { kind: "Pod", name: of, namespace: place } })),
  ),
  approval_wait: fc.uuid().map((id) => ({ id: `apr_${id}`, wait_seconds: 0 })),
  conditions_wait: fc
    .record({
      object,
      namespace: fc.constant(place),
      for: fc.constantFrom("ready", "complete", "deleted", "Available=True"),
      wait_seconds: fc.constant(1),
    })
    .map(({ object: one, ...rest }) => ({ ...one, ...rest })),
  events_list: fc.oneof(
    fc.record({ namespace: places, type: fc.constantFrom("Warning", "Normal", "all"), since, search: maybe(search) }),
    fc.record({ namespace: places, kind, limit: fc.integer({ min: 1, max: 200 }) }),
    fc.record({ namespace: places, kind, name, since }),
  ),
  jobs_run: fc.record({
    ...change,
    name: fc.constantFrom("report", "missing"),
    job_name: maybe(word.map((text) => `run-${text}`)),
  }),
  kinds_explain: fc.oneof(
    fc.record({ search: maybe(search) }),
    fc.record({ kind, path: maybe(fc.constantFrom("spec", "metadata.labels", "spec.no-such")), search: maybe(search) }),
  ),
  logs_read: fc.record({
    namespace: fc.constant(place),
    kind: fc.constantFrom("Pod", "Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob"),
    name,
    previous: fc.boolean(),
    since: maybe(since),
    tail: fc.integer({ min: 1, max: 2000 }),
    grep: maybe(fc.constantFrom("error", "^a|b$")),
    mode: fc.constantFrom("auto", "raw", "patterns"),
    max_pods: fc.integer({ min: 1, max: 20 }),
  }),
  manifests_apply: fc.record({
    manifest: documents,
    force_conflicts: fc.boolean(),
    preview: fc.boolean(),
    reason: fc.constant(reason),
  }),
  metrics_top: fc.oneof(
    fc.record({ namespace: places, sort: fc.constantFrom("cpu", "memory"), selector: maybe(selector) }),
    fc.constant({ of: "nodes" }),
  ),
  nodes_cordon: fc.record({
    name: fc.constantFrom("declared-node", "no-such-node"),
    uncordon: fc.boolean(),
    preview: fc.boolean(),
    reason: fc.constant(reason),
  }),
  nodes_drain: fc.record({
    name: fc.constantFrom("declared-node", "no-such-node"),
    delete_emptydir_data: fc.boolean(),
    force: fc.boolean(),
    timeout_seconds: fc.constant(30),
    preview: fc.boolean(),
    reason: fc.constant(reason),
  }),
  objects_delete: fc.record({
    ...change,
    kind: fc.constant("ConfigMap"),
    names: fc.uniqueArray(fc.constantFrom(...Array.from({ length: 12 }, (_, index) => `gone-${index}`), "missing"), {
      minLength: 1,
      maxLength: 3,
    }),
    cascade: fc.constantFrom("background", "foreground", "orphan"),
    grace_seconds: maybe(fc.integer({ min: 0, max: 600 })),
  }),
  objects_get: fc
    .record({
      object,
      namespace: fc.constant(place),
      view: fc.constantFrom("summary", "spec", "full", "relations"),
      path: maybe(fc.constantFrom(".spec", ".metadata.labels", ".data")),
    })
    .map(({ object: one, ...rest }) => ({ ...one, ...rest })),
  objects_list: fc.record({
    kind,
    namespace: places,
    selector: maybe(selector),
    field_selector: maybe(fc.constantFrom("metadata.name=api", "metadata.name!=api")),
    search: maybe(search),
    problems_only: fc.boolean(),
    columns: maybe(fc.constantFrom([".metadata.labels"], ["NAME"], [".spec.containers[*].image", ".status.phase"])),
    limit: fc.integer({ min: 1, max: 200 }),
  }),
  objects_patch: fc.oneof(
    fc.record({
      ...change,
      kind: fc.constantFrom("ConfigMap", "cm"),
      // One that no other tool here writes to: what is changed meanwhile is stale.
      name: fc.constantFrom("patched", "missing"),
      patch: map(word).map((data) => ({ data })),
    }),
    fc.record({
      ...change,
      kind: fc.constant("ConfigMap"),
      name: fc.constant("patched"),
      type: fc.constant("json"),
      patch: word.map((value) => [{ op: "add", path: "/data/STEP", value }]),
    }),
  ),
  pods_exec: fc.record({
    ...change,
    name: fc.constantFrom("lone", "missing"),
    command: fc.array(word, { minLength: 1, maxLength: 3 }),
    timeout_seconds: fc.constant(1),
  }),
  problems_diagnose: fc.oneof(
    fc.record({ namespace: fc.constant(place), since, logs: fc.boolean() }),
    fc.record({ namespace: fc.constant(place), kind, name, logs: fc.boolean() }),
    workload.map((one) => ({ ...one, namespace: place })),
  ),
  rollouts_get: revised.chain((one) =>
    fc.record({
      kind: fc.constant(one.kind),
      name: fc.constant(one.name),
      namespace: fc.constant(place),
      revision: maybe(fc.constantFrom(1, 2, 9)),
    }),
  ),
  rollouts_undo: revised.chain((one) =>
    fc.record({
      ...change,
      kind: fc.constant(one.kind),
      name: fc.constant(one.name),
      to_revision: maybe(fc.constantFrom(1, 2, 9)),
    }),
  ),
  workloads_restart: workload.chain((one) =>
    fc.record({ ...change, kind: fc.constant(one.kind), name: fc.constant(one.name) }),
  ),
  workloads_scale: fc.record({
    ...change,
    kind: fc.constantFrom("Deployment", "rs", "sts"),
    name: fc.constantFrom("api", "worker", "db", "missing"),
    replicas: fc.integer({ min: 0, max: 3 }),
    if_replicas: maybe(fc.integer({ min: 0, max: 3 })),
  }),
  workloads_update: fc.oneof(
    workload.chain((one) =>
      fc.record({
        ...change,
        kind: fc.constant(one.kind),
        name: fc.constant(one.name),
        container: fc.constantFrom("main", "main", "other"),
        env: maybe(map(word)),
        image: word.map((tag) => `registry.example.com/pause:${tag}`),
      }),
    ),
    fc.record({
      ...change,
      kind: fc.constant("Pod"),
      name: fc.constant("lone"),
      container: fc.constant("main"),
      limits: fc.constantFrom({ cpu: "150m" }, { cpu: "200m" }),
      requests: fc.constantFrom({ cpu: "150m" }, { cpu: "200m" }),
    }),
  ),
};
const runs = 16;

/** What a tool declares and does not always send, and why it can't declare less. */
const unsent: { readonly [tool: string]: { readonly lines: RegExp; readonly why: string } } = {};

// ── Tests ────────────────────────────────────────────────────────────────────────────────────────────────────────────

interface Made {
  readonly tool: string;
  readonly input: JsonObject;
  readonly answer: Answer;
}

describe.skipIf("skip" in cluster)(`what is declared and what is sent, on a real kube-apiserver${why}`, () => {
  let arena: Arena;
  beforeAll(async () => {
    if ("skip" in cluster) return;
    arena = await openArena(cluster, place);
    const maps = `/api/v1/namespaces/${place}/configmaps`;
    for (let index = 0; index < 12; index++) await arena.admin.create(maps, configMap(`gone-${index}`, {}));
    await arena.admin.create(maps, configMap("patched", { STEP: "0" }));
  });
  afterAll(async () => {
    await arena?.stop();
  });

  /** What the audit log has of a call's own requests, with the account of each: the gateway's facts and grants are not its tool's. */
  async function auditOf(): Promise<ReadonlyMap<string, readonly JsonObject[]>> {
    const own = (await arena.admin.audit()).filter(
      (event) =>
        /:(preview|reader|run-[^:]+)$/.test(textAt(event, "user", "username")) &&
        !textAt(event, "objectRef", "resource").startsWith("selfsubject") &&
        textAt(event, "objectRef", "resource") !== "",
    );
    return Map.groupBy(own, (event) => textAt(event, "auditID").replace(/\.\d+$/, ""));
  }

  promise(
    "tools:declared-sent",
    "each tool with random valid inputs, read from the API server's audit log",
    async () => {
      const seed = Number(process.env["SALLYPORT_TEST_SEED"] ?? Date.now() % 1_000_000);
      const made: Made[] = [];
      const wanted = tools.flatMap((tool) => {
        const generator = generators[tool.name];
        if (generator === undefined) throw new Error(`${tool.name} has no generator of valid inputs in this file`);
        const inputs = fc.sample(generator, { numRuns: runs, seed });
        return [arena.inputFor(tool.name), ...inputs].map((input) => ({
          tool: tool.name,
          input: JSON.parse(JSON.stringify(input)) as JsonObject,
        }));
      });
      await Promise.all(
        Array.from({ length: 4 }, async () => {
          for (let next = wanted.shift(); next !== undefined; next = wanted.shift())
            made.push({ ...next, answer: await arena.world.call(next.tool, next.input) });
        }),
      );
      const audit = await auditOf();
      const wrong: string[] = [];
      for (const { tool, input, answer } of made) {
        const call = textAt(answer.facts, "call");
        const told = `${tool} ${JSON.stringify(input)} (${textAt(answer.facts, "code") || "done"})`;
        const declared = await arena.declaredBy(tool, input, call);
        const events = audit.get(call) ?? [];
        const sent = new Set(events.map(auditLine));
        for (const line of sent) if (!isDeclared(line, declared)) wrong.push(`${told}: sent and not declared: ${line}`);
        for (const event of events.filter((one) => textAt(one, "user", "username").endsWith(":preview")))
          if (!["get", "list"].includes(textAt(event, "verb")) && !textAt(event, "requestURI").includes("dryRun=All"))
            wrong.push(`${told}: a rehearsal that writes: ${auditLine(event)}`);
        if (
          ["invalid_input", "internal", "denied"].includes(textAt(answer.facts, "code")) &&
          !isKnownRefusal(tool, answer)
        )
          wrong.push(`${told}: a valid input is refused: ${answer.text}`);
        if (!answer.isError)
          for (const line of declared.filter((one) => !one.endsWith("?") && !wasSent(one, sent)))
            if (unsent[tool]?.lines.test(line) !== true) wrong.push(`${told}: declared and not sent: ${line}`);
      }
      expect({ seed, wrong }).toEqual({ seed, wrong: [] });
      const tried = new Set(made.filter(({ answer }) => !answer.isError).map((one) => one.tool));
      const never = tools.map((tool) => tool.name).filter((one) => !tried.has(one) && !needsMore.includes(one));
      // A tool that never succeeds would make this test say nothing of it.
      expect(made.filter((one) => never.includes(one.tool)).map(({ answer }) => answer.text)).toEqual([]);
    },
    300_000,
  );
});

/** Tools that can't succeed here: no metrics server, nobody's approval, no kubelet, no right over nodes. All but the second do in declared-nodes.test.ts. */
const needsMore = ["metrics_top", "approval_wait", "logs_read", "pods_exec", "nodes_cordon", "nodes_drain"];

/** What is valid by its form and refused by what is there. */
function isKnownRefusal(tool: string, answer: Answer): boolean {
  const text = answer.text;
  return (
    (tool === "rollouts_undo" && text.includes("is what runs now")) ||
    (tool === "objects_list" && text.includes("beside a path")) ||
    tool === "access_review"
  );
}
