// Going back, and how many: 16-21 of tools.md.

import { at, textAt, type JsonObject } from "../../../src/domain/json.ts";
import { deployments, type Place } from "../place.ts";
import { runsImage, unready } from "../stages.ts";
import { holds, says, type Task } from "../task.ts";

const scalers = "apis/autoscaling/v2/horizontalpodautoscalers";
const target = (namespace: string, name: string): JsonObject => ({ namespace, kind: "Deployment", name });

async function setImage(place: Place, name: string, image: string): Promise<void> {
  const revision = async (): Promise<string> =>
    textAt(await place.read(deployments, name), "metadata", "annotations", "deployment.kubernetes.io/revision");
  const before = await revision();
  await place.merge(deployments, name, { spec: { template: { spec: { containers: [{ name: "main", image }] } } } });
  await place.until(`${name} has a new revision`, async () => (await revision()) !== before);
}

async function replicasAre(place: Place, name: string, wanted: number): Promise<void> {
  await place.until(`${name} has ${wanted} ready replicas`, async () => {
    const made = await place.read(deployments, name);
    return at(made, "spec", "replicas") === wanted && Number(at(made, "status", "readyReplicas") ?? 0) === wanted;
  });
}

const image = (version: string): string => `registry.example.com/shop/api:${version}`;

export const rollouts: readonly Task[] = [
  {
    number: 16,
    title: "A rollout passed its deadline",
    prompt: "The rollout of api hangs. Go back to what ran before.",
    ideal: 3,
    person: "at once",
    stages: [
      unready("slow", runsImage(image("1.5.0")), "Readiness probe failed: HTTP probe failed with statuscode: 500"),
    ],
    async setUp(place) {
      await place.deploy("api", { replicas: 3, spec: { progressDeadlineSeconds: 3 } });
      await place.pods("api", 3, "Ready");
      await setImage(place, "api", image("1.5.0"));
      await place.until("the deadline has passed", async () =>
        JSON.stringify(await place.read(deployments, "api")).includes("ProgressDeadlineExceeded"),
      );
    },
    async play(agent, { namespace }) {
      const history = await agent.call("rollouts_get", target(namespace, "api"));
      says(history, /deadline/);
      const revision = Number(says(history, /^(\d+) \|.*:1\.4\.2/m));
      await agent.call("rollouts_undo", {
        ...target(namespace, "api"),
        to_revision: revision,
        reason: "the rollout of 1.5.0 does not become ready",
      });
      says(await agent.call("conditions_wait", target(namespace, "api")), /ready after/);
    },
    changed: [`~ Deployment/api spec.template.spec.containers[main].image: "${image("1.5.0")}" -> "${image("1.4.2")}"`],
    wrote: ["patch deployments/api"],
    check: (place) => replicasAre(place, "api", 3),
  },
  {
    number: 17,
    title: "Back to the first of three revisions",
    prompt: "Bring api back to the version that it had first.",
    ideal: 2,
    person: "at once",
    async setUp(place) {
      await place.deploy("api");
      for (const version of ["1.5.0", "1.6.0"]) await setImage(place, "api", image(version));
      await replicasAre(place, "api", 2);
    },
    async play(agent, { namespace }) {
      const history = await agent.call("rollouts_get", target(namespace, "api"));
      const revisions = [...history.text.matchAll(/^(\d+) \|/gm)].map((row) => Number(row[1]));
      await agent.call("rollouts_undo", {
        ...target(namespace, "api"),
        to_revision: Math.min(...revisions),
        reason: "the user wants the first version back",
      });
    },
    changed: [`~ Deployment/api spec.template.spec.containers[main].image: "${image("1.6.0")}" -> "${image("1.4.2")}"`],
    wrote: ["patch deployments/api"],
    check: (place) => replicasAre(place, "api", 2),
  },
  {
    number: 18,
    title: "Scale from 3 to 6",
    prompt: "The shop is under load: give web six replicas instead of three.",
    ideal: 3,
    async setUp(place) {
      await place.deploy("web", { replicas: 3 });
      await replicasAre(place, "web", 3);
    },
    async play(agent, { namespace }) {
      const scale = { ...target(namespace, "web"), replicas: 6, if_replicas: 3, reason: "the shop is under load" };
      says(await agent.call("workloads_scale", { ...scale, preview: true }), /spec\.replicas: 3 -> 6/);
      await agent.call("workloads_scale", scale);
      says(await agent.call("conditions_wait", target(namespace, "web")), /ready after/);
    },
    changed: ["~ Deployment/web spec.replicas: 3 -> 6"],
    wrote: ["patch deployments/scale/web"],
    check: (place) => replicasAre(place, "web", 6),
  },
  {
    number: 19,
    title: "Scale what an autoscaler owns",
    prompt: "Give web at least five replicas.",
    ideal: 2,
    person: "at once",
    async setUp(place) {
      await place.deploy("web", { replicas: 3, container: { resources: { requests: { cpu: "100m" } } } });
      await place.make(scalers, {
        apiVersion: "autoscaling/v2",
        kind: "HorizontalPodAutoscaler",
        metadata: { name: "web-load" },
        spec: {
          scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "web" },
          minReplicas: 2,
          maxReplicas: 10,
        },
      });
      await replicasAre(place, "web", 3);
    },
    async play(agent, { namespace }) {
      const shown = await agent.call("workloads_scale", {
        ...target(namespace, "web"),
        replicas: 5,
        reason: "the user wants at least five",
        preview: true,
      });
      const name = says(shown, /HPA (\S+) \(2-10\) sets this count/);
      await agent.call("objects_patch", {
        namespace,
        kind: "HorizontalPodAutoscaler",
        name,
        patch: { spec: { minReplicas: 5 } },
        reason: "the user wants at least five replicas of web, and its HPA sets the count",
      });
    },
    changed: ["~ HorizontalPodAutoscaler/web-load spec.minReplicas: 2 -> 5"],
    mayChange: [/^~ Deployment\/web spec\.replicas: 3 -> 5$/],
    wrote: ["patch horizontalpodautoscalers/web-load"],
  },
  {
    number: 20,
    long: true,
    title: "Scale to 0, approved",
    prompt: "Stop web for the night.",
    ideal: 2,
    environment: "prod",
    person: "when told",
    async setUp(place) {
      await place.deploy("web", { replicas: 3 });
      await replicasAre(place, "web", 3);
    },
    async play(agent, { namespace }) {
      const asked = await agent.call("workloads_scale", {
        ...target(namespace, "web"),
        replicas: 0,
        reason: "the user stops web for the night",
      });
      const id = says(asked, /^APPROVAL PENDING (apr_[0-9a-f-]{36})/);
      const [answer] = await Promise.all([agent.call("approval_wait", { id }), agent.person.approves()]);
      says(answer, /DONE workloads_scale/);
    },
    changed: ["~ Deployment/web spec.replicas: 3 -> 0"],
    wrote: ["patch deployments/scale/web"],
  },
  {
    number: 21,
    long: true,
    title: "Scale to 0, refused",
    prompt: "Stop web for the night.",
    ideal: 2,
    environment: "prod",
    person: "when told",
    async setUp(place) {
      await place.deploy("web", { replicas: 3 });
      await replicasAre(place, "web", 3);
    },
    async play(agent, { namespace }) {
      const asked = await agent.call("workloads_scale", {
        ...target(namespace, "web"),
        replicas: 0,
        reason: "the user stops web for the night",
      });
      const id = says(asked, /^APPROVAL PENDING (apr_[0-9a-f-]{36})/);
      const [answer] = await Promise.all([
        agent.refused("approval_wait", { id }, "approval_rejected"),
        agent.person.refuses("customers are on it until ten"),
      ]);
      says(answer, /customers are on it until ten/);
      holds(/Do not ask again/.test(answer.text), "the refusal does not say that it is final");
    },
    check: (place) => replicasAre(place, "web", 3),
  },
];
