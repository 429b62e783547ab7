// Pods that no node or quota takes, and a volume that nobody provides: 5-8 and 14 of tools.md.

import { at, textAt, type JsonObject } from "../../../src/domain/json.ts";
import type { Place } from "../place.ts";
import { holds, says, type Task } from "../task.ts";

const target = (namespace: string, name: string): JsonObject => ({ namespace, kind: "Deployment", name });

/** All pods of the newest template have a node. */
async function scheduled(place: Place, app: string, node: RegExp): Promise<void> {
  const ready = await place.pods(app, 2, "Ready");
  const where = ready.map((pod) => textAt(pod, "spec", "nodeName"));
  holds(
    where.every((name) => node.test(name)),
    `${app} runs on ${where.join(", ")}`,
  );
}

export const scheduling: readonly Task[] = [
  {
    number: 5,
    title: "Pending, the node selector matches nothing",
    prompt: "search stays Pending. It should run on the nodes with fast disks.",
    // One fewer than tools.md: the diagnosis names what labels the nodes have.
    ideal: 2,
    person: "at once",
    async setUp(place) {
      await place.deploy("search", { pod: { nodeSelector: { disk: "sdd" } } });
      await place.pods("search", 2, "Pending");
    },
    async play(agent, { namespace }) {
      const found = await agent.call("problems_diagnose", target(namespace, "search"));
      const label = says(found, /nodeSelector: "?([a-z]+)=sdd/);
      const value = says(found, new RegExp(`nodes have ${label}: .*\\b(ssd)\\b`));
      await agent.call("objects_patch", {
        ...target(namespace, "search"),
        patch: { spec: { template: { spec: { nodeSelector: { [label]: value } } } } },
        reason: `no node has ${label}=sdd; those with fast disks have ${label}=${value}`,
      });
    },
    changed: ['~ Deployment/search spec.template.spec.nodeSelector.disk: "sdd" -> "ssd"'],
    wrote: ["patch deployments/search"],
    check: (place) => scheduled(place, "search", /^node-b$/),
  },
  {
    number: 6,
    title: "Pending, a taint is not tolerated",
    prompt: "train must run on the GPU pool, and stays Pending. It is allowed to use the reserved nodes.",
    ideal: 2,
    person: "at once",
    async setUp(place) {
      await place.deploy("train", { pod: { nodeSelector: { pool: "gpu" } } });
      await place.pods("train", 2, "Pending");
    },
    async play(agent, { namespace }) {
      const found = await agent.call("problems_diagnose", target(namespace, "train"));
      const [key = "", value = "", effect = ""] = says(found, /taints there: "?(gpu=[a-z]+:NoSchedule)/).split(/[=:]/);
      await agent.call("objects_patch", {
        ...target(namespace, "train"),
        patch: { spec: { template: { spec: { tolerations: [{ key, operator: "Equal", value, effect }] } } } },
        reason: "the GPU nodes are tainted and train may run there",
      });
    },
    changed: [
      '+ Deployment/train spec.template.spec.tolerations[0].key: "gpu"',
      '+ Deployment/train spec.template.spec.tolerations[0].operator: "Equal"',
      '+ Deployment/train spec.template.spec.tolerations[0].value: "reserved"',
      '+ Deployment/train spec.template.spec.tolerations[0].effect: "NoSchedule"',
    ],
    wrote: ["patch deployments/train"],
    check: (place) => scheduled(place, "train", /^gpu-1$/),
  },
  {
    number: 7,
    title: "Pending, it asks for 100 CPUs",
    prompt: "Why does batch not start? One CPU is enough for it.",
    ideal: 2,
    person: "at once",
    async setUp(place) {
      await place.deploy("batch", { container: { resources: { requests: { cpu: "100", memory: "128Mi" } } } });
      await place.pods("batch", 2, "Pending");
    },
    async play(agent, { namespace }) {
      const found = await agent.call("problems_diagnose", target(namespace, "batch"));
      says(found, /too little CPU/);
      says(found, /requests "?\S*cpu=100\b/);
      await agent.call("workloads_update", {
        ...target(namespace, "batch"),
        container: "main",
        requests: { cpu: "1" },
        reason: "no node has 100 CPUs; one is enough",
      });
    },
    changed: ['~ Deployment/batch spec.template.spec.containers[main].resources.requests.cpu: "100" -> "1"'],
    wrote: ["patch deployments/batch"],
    check: (place) => scheduled(place, "batch", /^node-/),
  },
  {
    number: 8,
    title: "A quota holds back replicas",
    prompt: "api should have five replicas and has three. Why?",
    ideal: 1,
    async setUp(place) {
      await place.make("api/v1/resourcequotas", {
        apiVersion: "v1",
        kind: "ResourceQuota",
        metadata: { name: "team-budget" },
        spec: { hard: { pods: "3" } },
      });
      await place.until("the quota counts", async () => {
        const quota = await place.read("api/v1/resourcequotas", "team-budget");
        return textAt(quota, "status", "used", "pods") !== "";
      });
      await place.deploy("api", { replicas: 5 });
      await place.pods("api", 3, "Ready");
      await place.until("a creation failed", async () =>
        (await place.list("api/v1/events")).some((event) => textAt(event, "reason") === "FailedCreate"),
      );
    },
    async play(agent, { namespace }) {
      const found = await agent.call("problems_diagnose", target(namespace, "api"));
      says(found, /1\. .*quota team-budget forbids new pods: asked "?pods=1"?, used "?pods=3"?, limit "?pods=3/);
    },
  },
  {
    number: 14,
    title: "A claim asks for an unknown storage class",
    prompt: "The volume claim data stays Pending. Why, and what could it use?",
    ideal: 1,
    async setUp(place) {
      await place.make("api/v1/persistentvolumeclaims", {
        apiVersion: "v1",
        kind: "PersistentVolumeClaim",
        metadata: { name: "data" },
        spec: {
          accessModes: ["ReadWriteOnce"],
          storageClassName: "fast-ssd",
          resources: { requests: { storage: "1Gi" } },
        },
      });
      await place.until("the claim is seen", async () => {
        const claim = await place.read("api/v1/persistentvolumeclaims", "data");
        return textAt(claim, "status", "phase") === "Pending" && at(claim, "spec", "volumeName") === undefined;
      });
    },
    async play(agent, { namespace }) {
      const found = await agent.call("problems_diagnose", { namespace, kind: "PersistentVolumeClaim", name: "data" });
      says(found, /storage class fast-ssd does not exist/);
      says(found, /storage classes: premium, standard/);
    },
  },
];
