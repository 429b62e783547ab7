// Cordons and drains through the door, on a real control plane whose nodes KWOK plays. Long: one node's life is one story.

import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { at, isJsonObject, textAt, type Json, type JsonObject } from "../../src/domain/json.ts";
import { Client } from "@modelcontextprotocol/client";
import { kindsOf, startProcess } from "../faults/crash.ts";
import { promise } from "../support/promise.ts";
import { clientTransport, openWorld, type Answer, type World } from "../support/world.ts";
import { adminOf, deployment, namespace, type Admin } from "./admin.ts";
import type { ControlPlane } from "./control-plane.ts";
import { kwokMissing, startKwok, type Kwok } from "./kwok.ts";
import { ownControlPlane } from "./own.ts";

const binaries = process.env["SALLYPORT_TEST_BINARIES"] ?? "";
const missing =
  binaries === "" ? (process.env["SALLYPORT_TEST_SKIP_CLUSTER"] ?? "run npm test") : kwokMissing(binaries);
const shop = "nodes-shop";
const outside = "nodes-outside";
const merge = { contentType: "application/merge-patch+json" };
const reason = "its disk is to be replaced today";

describe.skipIf(missing !== "")(
  `nodes on a real control plane${missing === "" ? "" : ` (skipped: ${missing})`}`,
  () => {
    let plane: ControlPlane;
    let kwok: Kwok;
    /** Under the default policy. */
    let world: World;
    /** Where a rule lets agents drain by themselves. */
    let free: World;
    let admin: Admin;
    let folder = "";

    beforeAll(async () => {
      plane = await ownControlPlane();
      admin = adminOf(plane);
      folder = await mkdtemp(join(tmpdir(), "sallyport-nodes-"));
      const nodes = [{ name: "node-1" }, { name: "node-2" }];
      kwok = await startKwok({ binaries, cluster: plane, folder, nodes });
      for (const name of [shop, outside]) await admin.create("/api/v1/namespaces", namespace(name, "dev"));
      const { kubeconfigPath } = plane;
      world = await openWorld({ kubeconfigPath, enroll: [shop], config: "hold: 3" });
      free = await openWorld({ kubeconfigPath, enroll: null, config: "hold: 2", policy: allowing });
    }, 300_000);
    afterAll(async () => {
      await world?.stop();
      await free?.stop();
      await kwok?.stop();
      await plane?.stop();
      await rm(folder, { recursive: true, force: true });
    });

    const read = async (path: string): Promise<JsonObject> => (await admin.send("GET", path)).body;
    const items = async (path: string): Promise<JsonObject[]> => {
      const found = at(await read(path), "items");
      return (Array.isArray(found) ? (found as readonly Json[]) : []).filter(isJsonObject);
    };
    const isClosed = async (node: string): Promise<boolean> =>
      at(await read(`/api/v1/nodes/${node}`), "spec", "unschedulable") === true;
    /** `nodes-shop/api-…`, those that are not on their way out. */
    const podsOn = async (node: string): Promise<string[]> =>
      (await items(`/api/v1/pods?fieldSelector=spec.nodeName%3D${node}`))
        .filter((pod) => textAt(pod, "metadata", "deletionTimestamp") === "")
        .map((pod) => `${textAt(pod, "metadata", "namespace")}/${textAt(pod, "metadata", "name")}`)
        .sort();
    const close = async (node: string, closed: boolean): Promise<void> =>
      void (await admin.send("PATCH", `/api/v1/nodes/${node}`, { spec: { unschedulable: closed || null } }, merge));
    /** Roles of every kind that a grant has now. */
    const grantRoles = async (): Promise<string[]> => {
      const rbac = "/apis/rbac.authorization.k8s.io/v1";
      const lists = ["clusterroles", "clusterrolebindings", "roles", "rolebindings"];
      const found = await Promise.all(lists.map((list) => items(`${rbac}/${list}?labelSelector=sallyport.dev/grant`)));
      return found.flat().map((one) => textAt(one, "metadata", "name"));
    };
    const eventually = <T>(look: () => Promise<T> | T) => expect.poll(look, { timeout: 60_000, interval: 100 });

    /** Runs as many pods of a Deployment on this node as are asked for, ready. */
    async function runOn(node: string, other: string, place: string, name: string, count: number): Promise<void> {
      await close(node, false);
      await close(other, true);
      await admin.create(`/apis/apps/v1/namespaces/${place}/deployments`, deployment(name, count, "pw"));
      await eventually(async () =>
        at(await read(`/apis/apps/v1/namespaces/${place}/deployments/${name}`), "status", "readyReplicas"),
      ).toBe(count);
      await close(other, false);
    }
    const gone = async (place: string, name: string): Promise<void> => {
      await admin.send("DELETE", `/apis/apps/v1/namespaces/${place}/deployments/${name}`);
      await eventually(
        async () => (await items(`/api/v1/namespaces/${place}/pods?labelSelector=app%3D${name}`)).length,
      ).toBe(0);
    };
    const budget = (name: string, minAvailable: number): JsonObject => ({
      apiVersion: "policy/v1",
      kind: "PodDisruptionBudget",
      metadata: { name },
      spec: { minAvailable, selector: { matchLabels: { app: name } } },
    });
    /** Calls as the agent and agrees as the approver. */
    async function agreed(tool: string, arguments_: JsonObject): Promise<Answer> {
      const [answer] = await Promise.all([world.call(tool, { reason, ...arguments_ }), world.approve()]);
      return await after("APPROVAL PENDING ", answer);
    }
    /** The answer once the call is no longer so: on a busy machine a call may be held for less time than it takes. */
    async function after(state: "APPROVAL PENDING " | "RUNNING ", first: Answer): Promise<Answer> {
      let answer = first;
      const id = textAt(first.facts, "approval") || textAt(first.facts, "id");
      while (answer.text.startsWith(state)) answer = await world.call("approval_wait", { id, wait_seconds: 10 });
      return answer;
    }
    const lines = (answer: Answer): string[] => answer.text.split("\n");

    promise(
      "tools:nodes-enrolled",
      "before `enroll --nodes` both say what is missing, and nothing is touched",
      async () => {
        for (const tool of ["nodes_cordon", "nodes_drain"]) {
          const answer = await world.call(tool, { name: "node-1", reason });
          expect([answer.isError, answer.facts["code"], answer.facts["effect"]]).toEqual([
            true,
            "credential_unavailable",
            "none",
          ]);
          expect(lines(answer)[1]).toBe("it would need sallyport enroll --nodes");
        }
        expect(await isClosed("node-1")).toBe(false);
        const enrolled = await world.sallyport(["enroll", "--namespace", shop, "--nodes", "--yes"]);
        expect([enrolled.code, enrolled.out.includes("created      ClusterRole sallyport-ceiling-nodes")]).toEqual([
          0,
          true,
        ]);
        const doctor = await world.sallyport(["doctor"]);
        expect(doctor.out).toContain(`enrolment          ${shop}; nodes`);
        expect(doctor.out).not.toContain("differs");
      },
    );

    promise("tools:nodes-cordon", "after a person agreed, shown first, and taken back", async () => {
      const shown = await world.call("nodes_cordon", { name: "node-2", reason, preview: true });
      expect(lines(shown).slice(0, 3)).toEqual([
        "PREVIEW nodes_cordon Node node-2 - nothing changed",
        "+ spec.unschedulable: true",
        "undo: nodes_cordon uncordon true; policy: needs approval",
      ]);
      expect(await isClosed("node-2")).toBe(false);
      const done = await agreed("nodes_cordon", { name: "node-2" });
      expect([done.isError, lines(done)[0], done.facts["effect"]]).toEqual([
        false,
        "DONE nodes_cordon Node node-2",
        "applied",
      ]);
      expect(await isClosed("node-2")).toBe(true);
      const opened = await agreed("nodes_cordon", { name: "node-2", uncordon: true });
      expect(lines(opened).slice(0, 2)).toEqual(["DONE nodes_cordon Node node-2", "- spec.unschedulable: true"]);
      expect(await isClosed("node-2")).toBe(false);
      expect(await grantRoles()).toEqual([]);
    });

    promise(
      "tools:nodes-drain",
      "a preview lists the pods and changes nothing; the drain moves them and leaves no right behind",
      async () => {
        await runOn("node-1", "node-2", shop, "api", 3);
        await runOn("node-1", "node-2", outside, "web", 1);
        const before = await podsOn("node-1");
        expect(before.length).toBe(4);
        const shown = await world.call("nodes_drain", { name: "node-1", reason, preview: true });
        expect(shown.isError).toBe(false);
        expect(lines(shown).slice(0, -1)).toEqual([
          "PREVIEW nodes_drain Node node-1 and 4 pods - nothing changed",
          "change Node node-1",
          "+ spec.unschedulable: true",
          ...before.map((pod) => `evict Pod ${pod}`),
          "! evicts 4 pods, each as soon as its budget allows",
          expect.stringMatching(/^undo: nodes_cordon uncordon true takes new pods again; .*; policy: needs approval$/),
        ]);
        expect([await podsOn("node-1"), await isClosed("node-1")]).toEqual([before, false]);
        const done = await after("RUNNING ", await agreed("nodes_drain", { name: "node-1" }));
        expect([done.isError, lines(done)[0], done.text.includes("effect applied")]).toEqual([
          false,
          "DONE nodes_drain Node node-1 and 4 pods",
          true,
        ]);
        expect([await podsOn("node-1"), await isClosed("node-1")]).toEqual([[], true]);
        await eventually(async () => (await podsOn("node-2")).length).toBe(4);
        expect(await grantRoles()).toEqual([]);
        const again = await after("RUNNING ", await agreed("nodes_drain", { name: "node-1" }));
        expect([again.isError, lines(again)[0]]).toEqual([false, "DONE nodes_drain Node node-1"]);
        for (const [place, name] of [
          [shop, "api"],
          [outside, "web"],
        ] as const)
          await gone(place, name);
      },
      300_000,
    );

    promise(
      "tools:nodes-spared",
      "DaemonSet, static, lonely and emptyDir pods, in the cluster's own namespace too",
      async () => {
        await close("node-2", true);
        await close("node-1", false);
        const labels = { app: "agent" };
        const containers = [{ name: "main", image: "registry.example.com/pause:1" }];
        await admin.create(`/apis/apps/v1/namespaces/${shop}/daemonsets`, {
          apiVersion: "apps/v1",
          kind: "DaemonSet",
          metadata: { name: "agent" },
          spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers } } },
        });
        const pod = (name: string, metadata: JsonObject, spec: JsonObject): JsonObject => ({
          apiVersion: "v1",
          kind: "Pod",
          metadata: { name, ...metadata },
          spec: { nodeName: "node-1", containers, ...spec },
        });
        const mirrored = { annotations: { "kubernetes.io/config.mirror": "0", "kubernetes.io/config.source": "file" } };
        await admin.create("/api/v1/namespaces/kube-system/pods", pod("static-node-1", mirrored, {}));
        await admin.create(`/api/v1/namespaces/${outside}/pods`, pod("lonely", {}, {}));
        await admin.create(
          `/api/v1/namespaces/${shop}/pods`,
          pod("scratch", {}, { volumes: [{ name: "tmp", emptyDir: {} }] }),
        );
        await runOn("node-1", "node-2", "kube-system", "dns", 1);
        await eventually(async () => (await podsOn("node-1")).filter((one) => one.includes("agent")).length).toBe(1);
        const before = await podsOn("node-1");
        for (const preview of [true, false]) {
          const refused = await world.call("nodes_drain", { name: "node-1", reason, preview });
          expect([refused.isError, refused.facts["code"], refused.facts["effect"]]).toEqual([
            true,
            "invalid_input",
            "none",
          ]);
          expect(lines(refused).slice(1, 3)).toEqual([
            `force: nothing recreates ${outside}/lonely, ${shop}/scratch: force evicts them all the same`,
            `delete_emptydir_data: emptyDir volumes of ${shop}/scratch would be lost: true accepts it`,
          ]);
        }
        expect([await podsOn("node-1"), await isClosed("node-1")]).toEqual([before, false]);
        const forced = { name: "node-1", force: true, delete_emptydir_data: true };
        const done = await after("RUNNING ", await agreed("nodes_drain", forced));
        expect([done.isError, lines(done)[0]]).toEqual([false, "DONE nodes_drain Node node-1 and 3 pods"]);
        const agent = before.find((one) => one.includes("agent")) ?? "";
        expect(await podsOn("node-1")).toEqual(["kube-system/static-node-1", agent]);
        const said = lines(done).filter((line) => line.startsWith("! "));
        expect(said.slice(1)).toEqual([
          `! stay, since their DaemonSets run on every node: ${agent}`,
          "! stay, since the node itself runs them (static pods): kube-system/static-node-1",
          `! data lost, emptyDir volumes: ${shop}/scratch (tmp)`,
          `! gone for good, nothing recreates them: ${outside}/lonely, ${shop}/scratch`,
        ]);
        await admin.send("DELETE", "/api/v1/namespaces/kube-system/pods/static-node-1?gracePeriodSeconds=0");
        await admin.send("DELETE", `/apis/apps/v1/namespaces/${shop}/daemonsets/agent`);
        await gone("kube-system", "dns");
      },
      300_000,
    );

    /** Two pods on node-1 that their budget does not let go. */
    async function heldBack(name: string): Promise<void> {
      await runOn("node-1", "node-2", shop, name, 2);
      await admin.create(`/apis/policy/v1/namespaces/${shop}/poddisruptionbudgets`, budget(name, 2));
      const path = `/apis/policy/v1/namespaces/${shop}/poddisruptionbudgets/${name}`;
      await eventually(async () => at(await read(path), "status", "currentHealthy")).toBe(2);
    }
    const letGo = async (name: string): Promise<void> =>
      void (await admin.send("DELETE", `/apis/policy/v1/namespaces/${shop}/poddisruptionbudgets/${name}`));
    /** The call id of a RUNNING answer, and that it is one. */
    function runningId(answer: Answer): string {
      expect([answer.isError, answer.facts["outcome"], lines(answer)[0]]).toEqual([
        false,
        "running",
        expect.stringMatching(/^RUNNING nodes_drain (call|apr)_[0-9a-f-]{36} (- it goes on|for \d+ s -) /),
      ]);
      return textAt(answer.facts, "id");
    }

    promise(
      "tools:nodes-blocked",
      "approved, blocked, watched, and ended once its budget opens; the end is told once",
      async () => {
        await heldBack("slow");
        const shown = await world.call("nodes_drain", { name: "node-1", reason, preview: true });
        const pods = (await podsOn("node-1")).join(", ");
        expect(lines(shown)).toContain(`! BLOCKED now by their budgets: ${pods}`);
        expect(lines(shown)).toContain(`! BLOCKED now: budget ${shop}/slow lets go 0 of its 2 pods here at a time`);
        const id = runningId(await agreed("nodes_drain", { name: "node-1" }));
        const waits = async () => lines(await world.call("approval_wait", { id, wait_seconds: 0 }))[0];
        await eventually(waits).toMatch(
          new RegExp(
            `^RUNNING nodes_drain ${id} for \\d+ s - Node node-1: evicted 0 of 2, 0 gone, 2 wait for budget slow; \\d+ of 300 s\\. Call approval_wait again`,
          ),
        );
        const listed = await world.sallyport(["calls", "list"]);
        expect(listed.out).toMatch(/^call_\S+ {2}nodes_drain {2}\d+ s {2}agent {2}Node node-1: evicted 0 of 2/);
        const stranger = await free.call("approval_wait", { id, wait_seconds: 0 });
        expect(stranger.facts["code"]).toBe("not_found");
        await letGo("slow");
        const ended = await world.call("approval_wait", { id, wait_seconds: 45 });
        expect([ended.isError, lines(ended)[0]]).toEqual([false, "DONE nodes_drain Node node-1 and 2 pods"]);
        expect([await podsOn("node-1"), await grantRoles()]).toEqual([[], []]);
        const again = await world.call("approval_wait", { id, wait_seconds: 0 });
        expect(lines(again)[0]).toContain("its answer was given before");
        await gone(shop, "slow");
      },
      300_000,
    );

    promise(
      "tools:nodes-blocked",
      "to the end of the time: the budget is named, the node stays cordoned, and what was left is said",
      async () => {
        await heldBack("stuck");
        const id = runningId(await free.call("nodes_drain", { name: "node-1", reason, timeout_seconds: 30 }));
        expect(id).toMatch(/^call_/);
        const left = await podsOn("node-1");
        const ended = await free.call("approval_wait", { id, wait_seconds: 45 });
        expect([ended.isError, ended.facts["code"], ended.facts["effect"]]).toEqual([
          true,
          "eviction_blocked",
          "applied",
        ]);
        expect(lines(ended).slice(0, 4)).toEqual([
          "ERROR eviction_blocked: PodDisruptionBudget stuck allows no eviction now: it needs 2 healthy pods and has 2.",
          "done before it broke off: Node node-1",
          `not done, or not known to be: ${left.map((pod) => `Pod ${pod}`).join(", ")}`,
          "next: the node stays cordoned. Once more pods are healthy send the same call again: it goes on with what is left.",
        ]);
        expect([await podsOn("node-1"), await isClosed("node-1"), await grantRoles()]).toEqual([left, true, []]);
        const settled = (await free.entries()).find(
          (entry) => entry["call"] === id && entry["kind"] === "call.settled",
        );
        expect([at(settled, "details", "code"), at(settled, "details", "effect")]).toEqual([
          "eviction_blocked",
          "applied",
        ]);
        expect(lines(await free.call("approval_wait", { id, wait_seconds: 0 }))[0]).toContain(
          "its answer was given before",
        );
      },
      300_000,
    );

    /** Waits until the call of `free` that runs has cordoned its node: on a busy machine it is let go before. */
    const evicting = async (): Promise<void> =>
      await eventually(async () => (await free.sallyport(["calls", "list"])).out).toContain("evicted 0 of 2");

    promise(
      "calls:cancel",
      "the owner alone, by id; what was done stays and is told, and no right is left",
      async () => {
        await close("node-1", false);
        const id = runningId(await free.call("nodes_drain", { name: "node-1", reason }));
        await evicting();
        const [listed] = JSON.parse((await free.sallyport(["calls", "list", "--json"])).out).calls as JsonObject[];
        expect([listed?.["call"], listed?.["tool"], listed?.["requester"]]).toEqual([id, "nodes_drain", "agent"]);
        expect((await free.sallyport(["calls", "cancel", id], "approver")).code).toBe(1);
        expect((await free.sallyport(["calls", "cancel", "ffff-ffff"])).err).toContain("No such call runs now");
        const cancelled = await free.sallyport(["calls", "cancel", id.slice(-6)]);
        expect([cancelled.code, cancelled.out.startsWith(`Cancelled: nodes_drain ${id}.`)]).toEqual([0, true]);
        const ended = await free.call("approval_wait", { id, wait_seconds: 20 });
        // An eviction that was on its way may have been made or not.
        expect(["applied", "unknown"]).toContain(ended.facts["effect"]);
        expect([ended.facts["code"], lines(ended)[1]]).toEqual(["cancelled", "done before it broke off: Node node-1"]);
        expect([await isClosed("node-1"), await grantRoles()]).toEqual([true, []]);
        expect((await free.sallyport(["calls", "list"])).out).toBe("No long call runs now.\n");
      },
      300_000,
    );

    promise(
      "calls:cancel",
      "a caller that leaves while it is held stops the drain",
      async () => {
        await close("node-1", false);
        // One that holds its calls for long: who leaves after a call was let go stops nothing.
        const { kubeconfigPath } = plane;
        const holding = await openWorld({ kubeconfigPath, enroll: null, config: "hold: 45", policy: allowing });
        try {
          const leaving = new AbortController();
          const asked = holding
            .call("nodes_drain", { name: "node-1", reason }, { signal: leaving.signal })
            .catch(() => undefined);
          await eventually(() => isClosed("node-1")).toBe(true);
          leaving.abort();
          await asked;
          const last = async () => (await holding.entries()).findLast((entry) => entry["kind"] === "call.settled");
          await eventually(async () => {
            const settled = await last();
            return [at(settled, "details", "tool"), at(settled, "details", "code")];
          }).toEqual(["nodes_drain", "cancelled"]);
          // It was cordoned for certain; an eviction that was on its way may have been made or not.
          expect(["applied", "unknown"]).toContain(at(await last(), "details", "effect"));
          await eventually(grantRoles).toEqual([]);
        } finally {
          await holding.stop();
        }
      },
      300_000,
    );

    promise(
      "calls:restart",
      "stopped in the middle: its end is on record, and its caller hears it from the next gateway",
      async () => {
        await close("node-1", false);
        const id = runningId(await free.call("nodes_drain", { name: "node-1", reason }));
        await evicting();
        await free.restart();
        const ended = await free.call("approval_wait", { id, wait_seconds: 0 });
        // It was cordoned for certain; an eviction that was on its way may have been made or not.
        expect(["applied", "unknown"]).toContain(ended.facts["effect"]);
        expect(ended.facts["code"]).toBe("cancelled");
        expect(await grantRoles()).toEqual([]);
      },
      300_000,
    );

    promise(
      "calls:restart",
      "killed in the middle: effect unknown on record and for its caller, and the sweep removes its ClusterRole",
      async () => {
        await close("node-1", false);
        let id = "";
        let left = 0;
        await free.restart(async () => {
          const gateway = await startProcess(free.env);
          try {
            const agent = new Client({ name: "test-agent", version: "1.0.0" });
            await agent.connect(clientTransport(gateway.url, free.tokens.agent));
            const answer = await agent.callTool({ name: "nodes_drain", arguments: { name: "node-1", reason } });
            id = textAt((answer._meta?.["sallyport/facts"] ?? {}) as JsonObject, "id");
            // On a busy machine the call is let go before its grant is whole.
            await eventually(async () => (left = (await grantRoles()).length)).toBe(4);
            gateway.process.kill("SIGKILL");
            await agent.close().catch(() => undefined);
          } finally {
            const exited = once(gateway.process, "exit");
            gateway.process.kill("SIGKILL");
            if (gateway.process.signalCode === null) await exited;
          }
        });
        expect([id.startsWith("call_"), left]).toEqual([true, 4]);
        await eventually(grantRoles).toEqual([]);
        expect(kindsOf(await free.entries(), id)).toContain("call.unknown");
        const ended = await free.call("approval_wait", { id, wait_seconds: 0 });
        expect([ended.isError, ended.facts["effect"]]).toEqual([true, "unknown"]);
        expect((await free.sallyport(["transcript", "verify", "--json"])).code).toBe(0);
        await letGo("stuck");
        await gone(shop, "stuck");
      },
      300_000,
    );

    promise(
      "tools:nodes-stale",
      "a pod that came after the approval makes it stale, and the node stays as it was",
      async () => {
        await runOn("node-1", "node-2", shop, "late", 1);
        await close("node-2", true);
        const asked = world.call("nodes_drain", { name: "node-1", reason });
        await eventually(async () =>
          (await world.sallyport(["approvals", "list", "--json"], "approver")).out.includes("apr_"),
        ).toBe(true);
        await admin.send(
          "PATCH",
          `/apis/apps/v1/namespaces/${shop}/deployments/late`,
          { spec: { replicas: 2 } },
          merge,
        );
        await eventually(async () => (await podsOn("node-1")).length).toBe(2);
        await world.approve();
        const ended = await after("APPROVAL PENDING ", await asked);
        expect([ended.isError, ended.facts["code"]]).toEqual([true, "approval_stale"]);
        expect([(await podsOn("node-1")).length, await isClosed("node-1")]).toEqual([2, false]);
        await gone(shop, "late");
      },
      300_000,
    );

    promise(
      "tools:nodes-denied",
      "an agent whose rules say nothing of nodes sees no such tool",
      async () => {
        const { kubeconfigPath } = plane;
        const reading =
          "version: 1\nrules:\n  - id: wait\n    effect: allow\n    match: { effects: [read], tools: [approval_wait] }\n    reason: nothing else\n    examples: [{ call: { tool: approval_wait, effect: read }, expect: allow }]\n";
        const other = await openWorld({ kubeconfigPath, enroll: null, policy: reading });
        try {
          expect((await other.agent.listTools()).tools.map((tool) => tool.name)).toEqual(["approval_wait"]);
          for (const tool of ["nodes_drain", "nodes_cordon"])
            await expect(other.call(tool, { name: "node-1", reason })).rejects.toThrow("Unknown tool");
        } finally {
          await other.stop();
        }
      },
      300_000,
    );
  },
);

/** Whatever a drain declares, without a person. */
const allowing = `version: 1
rules:
  - id: drain
    effect: allow
    match:
      tools: [nodes_cordon, nodes_drain]
      effects: [change, destroy]
      verbs: [get, list, patch, create]
      kinds: [nodes, pods, pods/eviction, policy/poddisruptionbudgets]
    reason: a test of calls that run on by themselves
    examples:
      - { call: { tool: nodes_drain, effect: destroy, accesses: [patch nodes node-1, list pods *] }, expect: allow }
  - id: wait
    effect: allow
    match: { effects: [read], tools: [approval_wait] }
    reason: everyone may wait for their own calls
    examples:
      - { call: { tool: approval_wait, effect: read }, expect: allow }
`;
