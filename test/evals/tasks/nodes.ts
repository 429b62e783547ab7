// Nodes to empty, and a pod from the inside: 22, 23 and 40 of tools.md.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { at, textAt, type JsonObject } from "../../../src/domain/json.ts";
import { deployments, pods, type Place } from "../place.ts";
import { holds, says, saysNot, type Task } from "../task.ts";

/** A Deployment on the nodes of one pool, so many pods on each, with a budget of so many pods that must stay. */
async function pooled(place: Place, name: string, pool: string, on: { [node: string]: number }, stay: number) {
  await place.deploy(name, {
    replicas: 0,
    pod: {
      nodeSelector: { pool },
      tolerations: [{ key: "pool", operator: "Equal", value: pool, effect: "NoSchedule" }],
    },
  });
  let replicas = 0;
  for (const [node, count] of Object.entries(on)) {
    // The scheduler may put a pod on either: it is left no choice.
    for (const other of Object.keys(on)) await cordon(place, other, other !== node);
    replicas += count;
    await place.merge(deployments, name, { spec: { replicas } });
    await place.pods(name, replicas, "Ready");
  }
  for (const node of Object.keys(on)) await cordon(place, node, false);
  await place.make(budgets, {
    apiVersion: "policy/v1",
    kind: "PodDisruptionBudget",
    metadata: { name: `${name}-budget` },
    spec: { minAvailable: stay, selector: { matchLabels: { app: name } } },
  });
  await place.until("the budget counts its pods", async () => {
    const budget = await place.read(budgets, `${name}-budget`);
    return at(budget, "status", "currentHealthy") === replicas;
  });
}

const budgets = "apis/policy/v1/poddisruptionbudgets";

async function cordon(place: Place, node: string, closed: boolean): Promise<void> {
  const path = `/api/v1/nodes/${node}`;
  const patch = { spec: { unschedulable: closed ? true : null } };
  await place.admin.send("PATCH", path, patch, { contentType: "application/merge-patch+json" });
  await place.until(`${node} is ${closed ? "cordoned" : "open"}`, async () => {
    const { body } = await place.admin.send("GET", path);
    return JSON.stringify(at(body, "spec", "taints") ?? []).includes("node.kubernetes.io/unschedulable") === closed;
  });
}

export const nodes: readonly Task[] = [
  {
    number: 22,
    title: "Drain one of two nodes",
    prompt: "Empty node drain-1 for maintenance; the shop must stay up.",
    ideal: 3,
    person: "when told",
    about: "drain-1",
    beside: ["/api/v1/nodes/drain-1", "/api/v1/nodes/drain-2"],
    async setUp(place) {
      await pooled(place, "cart", "drain", { "drain-1": 2, "drain-2": 1 }, 2);
    },
    async play(agent) {
      const drain = { name: "drain-1", reason: "the user empties the node for maintenance" };
      const shown = await agent.call("nodes_drain", { ...drain, preview: true });
      says(shown, /^PREVIEW nodes_drain .*nothing changed/);
      says(shown, /eval-22\/cart-/);
      const asked = await agent.call("nodes_drain", drain);
      const id = says(asked, /^APPROVAL PENDING (apr_[0-9a-f-]{36})/);
      const wait = { id, wait_seconds: 45 };
      let [answer] = await Promise.all([agent.call("approval_wait", wait), agent.person.approves()]);
      // A drain waits for its budget: where pods come back slowly the answer says so, and one asks again.
      for (let again = 0; again < 2 && answer.text.startsWith("RUNNING"); again++)
        answer = await agent.call("approval_wait", wait);
      says(answer, /DONE nodes_drain/);
    },
    changed: ["+ Node/drain-1 spec.unschedulable: true"],
    mayChange: [/^\+ Node\/drain-1 spec\.taints\[\d\]\./],
    wrote: ["create pods/eviction/cart-*"],
    async check(place) {
      const where = (await place.pods("cart", 3, "Ready")).map((pod) => textAt(pod, "spec", "nodeName"));
      holds(
        where.every((name) => name === "drain-2"),
        `pods are on ${where.join(", ")}`,
      );
    },
  },
  {
    number: 23,
    title: "A drain that a budget blocks",
    prompt: "Can node stuck-1 be emptied now?",
    ideal: 1,
    beside: ["/api/v1/nodes/stuck-1", "/api/v1/nodes/stuck-2"],
    async setUp(place) {
      await pooled(place, "vault", "stuck", { "stuck-1": 1, "stuck-2": 2 }, 3);
    },
    async play(agent) {
      const shown = await agent.call("nodes_drain", {
        name: "stuck-1",
        reason: "the user asks whether the node can be emptied",
        preview: true,
      });
      says(shown, /vault-budget/);
      saysNot(shown, /force true/);
    },
  },
  {
    number: 40,
    title: "Inside a pod: a file, its use, and more memory in place",
    prompt:
      "Read resolv.conf in the solver pod, tell which of the pods uses most memory, and give the solver's container 512Mi without a restart.",
    ideal: 4,
    person: "when told",
    async setUp(place) {
      // KWOK runs commands on this machine, in its own folder: a file there stands for the container's.
      await writeFile(join(place.kwok.execFolder, "resolv.conf"), "search shop.svc.example\nnameserver 10.96.0.10\n");
      const resources = { requests: { memory: "128Mi" }, limits: { memory: "256Mi" } };
      for (const name of ["solver", "idle"]) {
        await place.make(pods, {
          apiVersion: "v1",
          kind: "Pod",
          metadata: { name, labels: { app: name } },
          spec: { containers: [{ name: "main", image: "registry.example.com/shop/solver:1", resources }] },
        });
        await place.make("apis/metrics.k8s.io/v1beta1/pods", {
          apiVersion: "metrics.k8s.io/v1beta1",
          kind: "PodMetrics",
          metadata: { name },
          timestamp: new Date().toISOString(),
          window: "15s",
          containers: [{ name: "main", usage: { cpu: "20m", memory: name === "solver" ? "250Mi" : "12Mi" } }],
        });
        await place.pods(name, 1, "Ready");
      }
    },
    async play(agent, { namespace }) {
      const asked = await agent.call("pods_exec", {
        namespace,
        name: "solver",
        command: ["cat", "resolv.conf"],
        reason: "the user asks which name server the solver uses",
      });
      const id = says(asked, /^APPROVAL PENDING (apr_[0-9a-f-]{36})/);
      const [ran] = await Promise.all([agent.call("approval_wait", { id }), agent.person.approves()]);
      says(ran, /^\|nameserver 10\.96\.0\.10$/m);
      const top = await agent.call("metrics_top", { namespace, sort: "memory" });
      const name = /^(solver|idle) \|/m.exec(top.text)?.[1] ?? "";
      holds(name === "solver", `the first row is not the solver's:\n${top.text}`);
      const [resized] = await Promise.all([
        agent.call("workloads_update", {
          kind: "Pod",
          namespace,
          name,
          container: "main",
          limits: { memory: "512Mi" },
          reason: "the solver is near its memory limit",
        }),
        agent.person.approves(),
      ]);
      says(resized, /DONE workloads_update/);
    },
    beside: ["/api/v1/namespaces/eval-40/pods/solver", "/api/v1/namespaces/eval-40/pods/idle"],
    changed: ['~ Pod/solver spec.containers[main].resources.limits.memory: "256Mi" -> "512Mi"'],
    wrote: ["get pods/exec/solver", "patch pods/resize/solver"],
    async check(place) {
      const pod = await place.read(pods, "solver");
      const [status] = at(pod, "status", "containerStatuses") as JsonObject[];
      holds(at(status, "restartCount") === 0, "the container was restarted");
    },
  },
];
