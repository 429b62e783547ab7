// Jobs and manifests: 33-35 of tools.md.

import { at, textAt, type JsonObject } from "../../../src/domain/json.ts";
import { configMap, configMaps, deployments, services, type Place } from "../place.ts";
import { holds, says, type Task } from "../task.ts";

/** As `kubectl apply` of earlier days has left it: its fields belong to that manager. */
async function applied(place: Place, collection: string, object: JsonObject): Promise<void> {
  const cut = collection.lastIndexOf("/");
  const name = textAt(object, "metadata", "name");
  const path = `/${collection.slice(0, cut)}/namespaces/${place.namespace}${collection.slice(cut)}/${name}`;
  const { status, body } = await place.admin.send("PATCH", `${path}?fieldManager=kubectl`, object, {
    contentType: "application/apply-patch+yaml",
  });
  holds(status === 201 || status === 200, `${name} could not be applied: ${JSON.stringify(body)}`);
}

const api = (image: string, memory: string, replicas?: number): JsonObject => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "api" },
  spec: {
    ...(replicas === undefined ? {} : { replicas }),
    selector: { matchLabels: { app: "api" } },
    template: {
      metadata: { labels: { app: "api" } },
      spec: { containers: [{ name: "main", image, resources: { limits: { memory } } }] },
    },
  },
});
const front = (app: string): JsonObject => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "api" },
  spec: { selector: { app }, ports: [{ port: 80, targetPort: 8080 }] },
});
const policy = {
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata: { name: "api-ingress" },
  spec: {
    podSelector: { matchLabels: { app: "api" } },
    policyTypes: ["Ingress"],
    ingress: [{ from: [{ podSelector: { matchLabels: { app: "web" } } }], ports: [{ protocol: "TCP", port: 8080 }] }],
  },
};
const documents = (...objects: readonly JsonObject[]): string =>
  objects.map((object) => JSON.stringify(object)).join("\n---\n");

export const manifests: readonly Task[] = [
  {
    number: 33,
    title: "Run a CronJob now",
    prompt: "Run the nightly report now and tell me when it is done.",
    ideal: 2,
    person: "at once",
    async setUp(place) {
      const pod = {
        restartPolicy: "Never",
        containers: [{ name: "main", image: "registry.example.com/shop/report:3" }],
      };
      await place.make("apis/batch/v1/cronjobs", {
        apiVersion: "batch/v1",
        kind: "CronJob",
        metadata: { name: "nightly-report" },
        spec: { schedule: "0 3 1 1 *", jobTemplate: { spec: { template: { spec: pod } } } },
      });
    },
    async play(agent, { namespace }) {
      const made = await agent.call("jobs_run", {
        namespace,
        name: "nightly-report",
        reason: "the user wants the nightly report now",
      });
      const name = says(made, /Job \S+\/(nightly-report-manual-\w+)/);
      const waited = await agent.call("conditions_wait", { kind: "Job", name, namespace, for: "complete" });
      says(waited, /complete after/);
    },
    changed: [/^\+ Job\/nightly-report-manual-\w+$/],
    wrote: ["patch jobs/nightly-report-manual-*"],
    async check(place) {
      const [job] = await place.list("apis/batch/v1/jobs");
      const [owner] = at(job, "metadata", "ownerReferences") as JsonObject[];
      holds(at(job, "status", "succeeded") === 1, "the Job did not succeed");
      holds(textAt(owner, "name") === "nightly-report", "the Job is not the CronJob's");
    },
  },
  {
    number: 34,
    long: true,
    title: "Apply four documents over another's fields",
    prompt:
      "Apply these four documents: api 1.5.0 with 512Mi, its Service, its ConfigMap, a NetworkPolicy. Their fields were set with kubectl before; you may take those over.",
    ideal: 2,
    person: "at once",
    async setUp(place) {
      await applied(place, deployments, api("registry.example.com/shop/api:1.4.2", "256Mi", 2));
      await applied(place, services, front("apii"));
      await applied(place, configMaps, configMap("api-config", { LOG_LEVEL: "info" }));
      await place.make("apis/autoscaling/v2/horizontalpodautoscalers", {
        apiVersion: "autoscaling/v2",
        kind: "HorizontalPodAutoscaler",
        metadata: { name: "api" },
        spec: {
          scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "api" },
          minReplicas: 4,
          maxReplicas: 8,
        },
      });
      // The autoscaler looks each 15 s.
      await place.until(
        "the autoscaler has set the count",
        async () => at(await place.read(deployments, "api"), "spec", "replicas") === 4,
      );
      await place.pods("api", 4, "Ready");
    },
    async play(agent, { namespace }) {
      const manifest = documents(
        api("registry.example.com/shop/api:1.5.0", "512Mi"),
        front("api"),
        configMap("api-config", { LOG_LEVEL: "debug" }),
        policy,
      );
      const reason = "the user rolls out api 1.5.0 with its Service, ConfigMap and NetworkPolicy";
      const first = await agent.refused(
        "manifests_apply",
        { manifest, namespace, reason, preview: true },
        "conflict_fields",
      );
      says(first, /kubectl/);
      await agent.call("manifests_apply", { manifest, namespace, reason, force_conflicts: true });
    },
    changed: [
      '~ Deployment/api spec.template.spec.containers[main].image: "registry.example.com/shop/api:1.4.2" -> "registry.example.com/shop/api:1.5.0"',
      '~ Deployment/api spec.template.spec.containers[main].resources.limits.memory: "256Mi" -> "512Mi"',
      '~ Service/api spec.selector.app: "apii" -> "api"',
      '~ ConfigMap/api-config data.LOG_LEVEL: "info" -> "debug"',
      "+ NetworkPolicy/api-ingress",
    ],
    wrote: [
      "patch deployments/api",
      "patch services/api",
      "patch configmaps/api-config",
      "patch networkpolicies/api-ingress",
    ],
  },
  {
    number: 35,
    title: "Write a NetworkPolicy",
    prompt: "Let only pods with app=web reach api, on port 8080.",
    ideal: 3,
    person: "at once",
    async setUp(place) {
      await place.deploy("api", { replicas: 1 });
    },
    async play(agent, { namespace }) {
      const explained = await agent.call("kinds_explain", { kind: "NetworkPolicy", path: "spec.ingress" });
      says(explained, /from/);
      const manifest = documents(policy);
      const reason = "the user lets only web reach api";
      const shown = await agent.call("manifests_apply", { manifest, namespace, reason, preview: true });
      says(shown, /PREVIEW .*nothing changed/);
      await agent.call("manifests_apply", { manifest, namespace, reason });
    },
    changed: ["+ NetworkPolicy/api-ingress"],
    wrote: ["patch networkpolicies/api-ingress"],
    async check(place) {
      const made = await place.read("apis/networking.k8s.io/v1/networkpolicies", "api-ingress");
      holds(
        JSON.stringify(at(made, "spec")) === JSON.stringify(sorted(policy.spec, at(made, "spec"))),
        `the policy is ${JSON.stringify(at(made, "spec"))}`,
      );
    },
  },
];

/** The same value with its keys in the order of another, so that their texts can be compared. */
function sorted(value: unknown, like: unknown): unknown {
  if (Array.isArray(value)) return value.map((one, index) => sorted(one, Array.isArray(like) ? like[index] : null));
  if (typeof value !== "object" || value === null) return value;
  const keys = Object.keys(like ?? value);
  const entries = Object.entries(value).sort(([a], [b]) => keys.indexOf(a) - keys.indexOf(b));
  return Object.fromEntries(entries.map(([key, one]) => [key, sorted(one, (like as Record<string, unknown>)?.[key])]));
}
