// Cordons, drains, commands, logs and metrics run to success with random valid inputs, on nodes that KWOK plays: what the record says was declared is what the API server's audit log says was sent.

import * as fc from "fast-check";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { at, textAt, type JsonObject } from "../../src/domain/json.ts";
import { openLookUp } from "../../src/execution/look-up.ts";
import { openClient } from "../../src/kubernetes/client.ts";
import type { KubeClient } from "../../src/kubernetes/contract.ts";
import { openDiscovery } from "../../src/kubernetes/discovery.ts";
import { auditLine, isDeclared, needLines, openPolicy, wasSent } from "../support/arena.ts";
import { tools } from "../../tools/index.ts";
import { promise } from "../support/promise.ts";
import { openWorld, type Answer, type World } from "../support/world.ts";
import { adminOf, deployment, namespace, type Admin } from "./admin.ts";
import type { ControlPlane } from "./control-plane.ts";
import { kwokMissing, startKwok, type Kwok } from "./kwok.ts";
import { ownControlPlane } from "./own.ts";
import { definition, scenesIn } from "./read-scenes.ts";

const binaries = process.env["SALLYPORT_TEST_BINARIES"] ?? "";
const missing =
  binaries === "" ? (process.env["SALLYPORT_TEST_SKIP_CLUSTER"] ?? "run npm test") : kwokMissing(binaries);
const place = "declared-nodes";
const reason = "a test of what is declared";
const nodes = ["node-1", "node-2"] as const;
const word = fc.stringMatching(/^[a-z0-9]{1,12}$/);
/** Commands that are harmless on the machine of the test: that is where KWOK runs them. */
const command = fc.oneof(
  fc.constant(["true"]),
  word.map((text) => ["echo", text]),
  fc.tuple(word, word).map((texts) => ["printf", "%s", ...texts]),
);
const preview = fc.boolean();

describe.skipIf(missing !== "")(
  `what is declared and what is sent, on nodes${missing === "" ? "" : ` (skipped: ${missing})`}`,
  () => {
    let plane: ControlPlane;
    let kwok: Kwok;
    let world: World;
    let admin: Admin;
    let client: KubeClient;
    let folder = "";

    beforeAll(async () => {
      plane = await ownControlPlane();
      admin = adminOf(plane);
      client = openClient(
        {
          cluster: "plan",
          server: plane.server,
          tls: { insecure: false, ca: plane.ca },
          proxy: null,
          authorization: async () => null,
          namespace: "",
        },
        { version: "0" },
      );
      folder = await mkdtemp(join(tmpdir(), "sallyport-declared-"));
      const logs = { [place]: ["main"] };
      kwok = await startKwok({ binaries, cluster: plane, folder, nodes: nodes.map((name) => ({ name })), logs });
      await admin.create("/api/v1/namespaces", namespace(place, "dev"));
      await admin.create(`/apis/apps/v1/namespaces/${place}/deployments`, deployment("api", 3, "pw"));
      await admin.create(`/apis/policy/v1/namespaces/${place}/poddisruptionbudgets`, {
        apiVersion: "policy/v1",
        kind: "PodDisruptionBudget",
        metadata: { name: "api" },
        spec: { minAvailable: 1, selector: { matchLabels: { app: "api" } } },
      });
      await kwok.writeLog(place, "main", ["level=info up", "level=error cannot reach db"]);
      await measure(admin);
      world = await openWorld({
        kubeconfigPath: plane.kubeconfigPath,
        enroll: [place],
        enrollFlags: ["--cluster-read", "--nodes", "--exec"],
        policy: openPolicy,
        config: "hold: 40",
      });
      await ready();
    }, 300_000);
    afterAll(async () => {
      await world?.stop();
      await client?.close();
      await kwok?.stop();
      await plane?.stop();
      await rm(folder, { recursive: true, force: true });
    });

    const ready = async (): Promise<readonly string[]> =>
      await scenesIn(admin, place).until(async () => {
        const { body } = await admin.send("GET", `/api/v1/namespaces/${place}/pods?labelSelector=app%3Dapi`);
        const pods = (at(body, "items") as JsonObject[]).filter(
          (pod) => textAt(pod, "metadata", "deletionTimestamp") === "" && textAt(pod, "status", "phase") === "Running",
        );
        return pods.length === 3 ? pods.map((pod) => textAt(pod, "metadata", "name")) : null;
      });

    interface Made {
      readonly tool: string;
      readonly input: JsonObject;
      /** What its tool declared for this input in this cluster, asked right before the call. */
      readonly declared: readonly string[];
      readonly answer: Answer;
    }
    const made: Made[] = [];
    async function plan(name: string, input: JsonObject): Promise<readonly string[]> {
      const opened = tools.find((tool) => tool.name === name)?.open(input);
      if (opened?.kind !== "opened") throw new Error(`${name} does not take ${JSON.stringify(input)}`);
      const signal = AbortSignal.timeout(30_000);
      const asAdmin = async (): Promise<string> => `Bearer ${plane.adminToken}`;
      let asked = 0;
      const lookUp = openLookUp({
        cluster: { client, readIdentity: asAdmin },
        nextAuditId: () => `plan-${Date.now()}.${++asked}`,
        agent: "test",
        signal,
        needs: "",
      });
      const { find } = openDiscovery(client, asAdmin, Date.now);
      const needs = await opened.needs({ findKind: find, calledAt: Date.now(), lookUp });
      return needs.flatMap((need) => needLines(need, need.namespace === "*" ? [place] : [need.namespace]));
    }
    async function make(tool: string, input: object): Promise<void> {
      const plain = JSON.parse(JSON.stringify(input)) as JsonObject;
      const declared = await plan(tool, plain);
      const first = await world.call(tool, plain);
      let ended = first;
      // On a busy machine a drain may take longer than a call is held: it is the same call that goes on.
      while (ended.text.startsWith("RUNNING "))
        ended = await world.call("approval_wait", { id: textAt(first.facts, "id"), wait_seconds: 45 });
      made.push({ tool, input: plain, declared, answer: { ...ended, facts: first.facts } });
    }

    promise(
      "tools:declared-sent",
      "each of them, previewed and run, from the record and from the audit log",
      async () => {
        const seed = Number(process.env["SALLYPORT_TEST_SEED"] ?? Date.now() % 1_000_000);
        const sample = <Value>(of: fc.Arbitrary<Value>, numRuns: number): Value[] => fc.sample(of, { numRuns, seed });
        const maybe = <Value>(of: fc.Arbitrary<Value>) => fc.option(of, { nil: undefined });
        // One node is emptied after the other, so that the pods always have somewhere to go.
        const drains = sample(fc.record({ delete_emptydir_data: preview, force: preview }), 4);
        for (const [index, flags] of drains.entries()) {
          const name = nodes[index % 2];
          const call = { name, ...flags, timeout_seconds: 300, reason };
          await make("nodes_drain", { ...call, preview: true });
          await make("nodes_drain", call);
          await ready();
          await make("nodes_cordon", { name, uncordon: true, reason, preview: index % 2 === 1 });
          await make("nodes_cordon", { name, uncordon: true, reason });
        }
        for (const call of sample(fc.record({ name: fc.constantFrom(...nodes), uncordon: preview, preview }), 6))
          await make("nodes_cordon", { ...call, reason });
        const pods = await ready();
        const run = fc.record({
          name: fc.constantFrom(...pods),
          command,
          // On a busy machine a short time may be over before anything was sent.
          timeout_seconds: fc.integer({ min: 30, max: 60 }),
        });
        for (const call of sample(fc.record({ call: run, preview, container: maybe(fc.constant("main")) }), 8))
          await make("pods_exec", {
            ...call.call,
            container: call.container,
            preview: call.preview,
            namespace: place,
            reason,
          });
        // One that runs for certain: a seed may draw nothing but previews.
        await make("pods_exec", { namespace: place, name: pods[0] ?? "", command: ["true"], reason });
        const logs = fc.record({
          kind: fc.constant("Deployment"),
          name: fc.constant("api"),
          tail: fc.integer({ min: 1, max: 50 }),
          grep: maybe(fc.constantFrom("error", "^level")),
          mode: fc.constantFrom("auto", "raw", "patterns"),
        });
        for (const call of sample(logs, 6)) await make("logs_read", { ...call, namespace: place });
        const top = fc.oneof(
          fc.record({
            namespace: fc.constantFrom(place, "*"),
            sort: fc.constantFrom("cpu", "memory"),
            selector: maybe(fc.constantFrom("app=api", "app!=x")),
            limit: fc.integer({ min: 1, max: 100 }),
          }),
          fc.constant({ of: "nodes" }),
        );
        for (const call of sample(top, 6)) await make("metrics_top", call);

        const succeeded = made.filter((one) => !one.answer.isError);
        const ran = new Set(succeeded.filter((one) => one.input["preview"] !== true).map((one) => one.tool));
        expect([...ran].sort()).toEqual(["logs_read", "metrics_top", "nodes_cordon", "nodes_drain", "pods_exec"]);
        // Every call here has all that it needs.
        expect(made.filter((one) => one.answer.isError).map((one) => one.answer.text)).toEqual([]);
        expect({ seed, wrong: await wrongOf() }).toEqual({ seed, wrong: [] });
      },
      300_000,
    );

    /** What was sent and not declared, or declared as needed and not sent. */
    async function wrongOf(): Promise<string[]> {
      const recordedBy = new Map(
        (await world.entries())
          .filter((entry) => textAt(entry, "kind") === "call.decided")
          .map((entry) => [textAt(entry, "call"), (at(entry, "details", "accesses") ?? []) as readonly string[]]),
      );
      const events = (await admin.audit()).filter(
        (event) =>
          /:(preview|reader|run-[^:]+)$/.test(textAt(event, "user", "username")) &&
          !textAt(event, "objectRef", "resource").startsWith("selfsubject") &&
          textAt(event, "objectRef", "resource") !== "",
      );
      const sentBy = Map.groupBy(events, (event) => textAt(event, "auditID").replace(/\.\d+$/, ""));
      return made.flatMap(({ tool, input, declared, answer }) => {
        const call = textAt(answer.facts, "call");
        const told = `${tool} ${JSON.stringify(input)}`;
        // A preview decides nothing, so the record has no accesses of it.
        const recorded = recordedBy.get(call) ?? declared;
        const plain = (lines: readonly string[]): string =>
          lines
            .map((line) => line.replace(/\?$/, ""))
            .toSorted()
            .join();
        const own = sentBy.get(call) ?? [];
        const sent = new Set(own.map(auditLine));
        const rehearsed = own.filter((event) => textAt(event, "user", "username").endsWith(":preview"));
        return [
          ...(plain(recorded) === plain(declared)
            ? []
            : [`${told}: on record as ${recorded.join()}, planned as ${declared.join()}`]),
          ...(recordedBy.has(call) || input["preview"] === true ? [] : [`${told}: nothing is on record`]),
          ...[...sent]
            .filter((line) => !isDeclared(line, declared))
            .map((line) => `${told}: sent, not declared: ${line}`),
          // A command has no dry run: its preview runs none.
          ...[...sent].filter((line) => isUnsendable(line, input)).map((line) => `${told}: ${line} in a preview`),
          ...rehearsed
            .filter((event) => !["get", "list"].includes(textAt(event, "verb")))
            .filter((event) => !textAt(event, "requestURI").includes("dryRun=All"))
            .map((event) => `${told}: a rehearsal that writes: ${auditLine(event)}`),
          ...declared
            .filter((line) => !line.endsWith("?") && !wasSent(line, sent) && !isUnsendable(line, input))
            .map((line) => `${told}: declared, not sent: ${line}`),
        ];
      });
    }
  },
);

const isUnsendable = (line: string, { preview: previewed }: JsonObject): boolean =>
  previewed === true && line.includes(" pods/exec ");

/** Kinds of metrics.k8s.io stand in for metrics-server, with what it would measure. */
async function measure(admin: Admin): Promise<void> {
  const anything = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
  const definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
  const kinds = [
    [{ plural: "pods", singular: "podmetrics", kind: "PodMetrics" }, "Namespaced"],
    [{ plural: "nodes", singular: "nodemetrics", kind: "NodeMetrics" }, "Cluster"],
  ] as const;
  for (const [names, scope] of kinds)
    await admin.create(definitions, definition("metrics.k8s.io", "v1beta1", names, scope, anything));
  const usage = { cpu: "120m", memory: "64Mi" };
  const head = (kind: string, name: string) => ({
    apiVersion: "metrics.k8s.io/v1beta1",
    kind,
    metadata: { name, labels: { app: "api" } },
    timestamp: new Date().toISOString(),
    window: "15s",
  });
  const put = async (path: string, body: JsonObject): Promise<void> =>
    void (await scenesIn(admin, place).until(async () =>
      (await admin.send("POST", `/apis/metrics.k8s.io/v1beta1/${path}`, body)).status === 201 ? true : null,
    ));
  await put(`namespaces/${place}/pods`, { ...head("PodMetrics", "api-1"), containers: [{ name: "main", usage }] });
  for (const name of nodes) await put("nodes", { ...head("NodeMetrics", name), usage });
}
