// Containers that do not run: 1-4, 9, 12, 13, 32 of tools.md. Long: eight tasks of one kind, each whole in its place.

import { at, textAt, type JsonObject } from "../../../src/domain/json.ts";
import { configMap, configMaps, deployments, pods, type Place } from "../place.ts";
import { crashes, runsImage, waits } from "../stages.ts";
import { holds, says, saysNot, type Task } from "../task.ts";

/** A Deployment of this name is as wanted: as many ready pods of its newest template, and no other. */
async function rolledOut(place: Place, name: string): Promise<void> {
  const status = at(await place.read(deployments, name), "status");
  const count = (field: string): number => Number(at(status, field) ?? 0);
  const all = [count("replicas"), count("updatedReplicas"), count("readyReplicas")];
  holds(new Set(all).size === 1 && all[0] !== 0, `${name} is not rolled out: ${JSON.stringify(status)}`);
}

export const containers: readonly Task[] = [
  {
    number: 1,
    title: "CrashLoop, a variable is missing",
    prompt:
      "orders crashes since this morning. Its database is postgres://orders-db:5432/orders (no password). Repair it.",
    ideal: 3,
    person: "at once",
    stages: [
      crashes("crash", 'all(.spec.containers[0].env[]?; .name != "DATABASE_URL")', { reason: "Error", exitCode: 1 }),
    ],
    async setUp(place) {
      await place.kwok.writeLog(
        place.namespace,
        "main",
        [
          "level=info msg=starting version=2.1.0",
          "level=info msg=loading configuration",
          "panic: environment variable DATABASE_URL is not set",
          "goroutine 1 [running]:",
          "main.main()",
          "\t/src/cmd/orders/main.go:41 +0x1b",
        ],
        "previous",
      );
      await place.deploy("orders", { container: { env: [{ name: "LOG_LEVEL", value: "info" }] } });
      await place.pods("orders", 2, "CrashLoopBackOff");
    },
    async play(agent, { namespace }) {
      const found = await agent.call("problems_diagnose", { namespace, kind: "Deployment", name: "orders" });
      const missing = says(found, /environment variable ([A-Z_]+) is not set/);
      await agent.call("workloads_update", {
        kind: "Deployment",
        name: "orders",
        namespace,
        container: says(found, /container (\S+) exits/),
        env: { [missing]: "postgres://orders-db:5432/orders" },
        reason: `orders exits at start because ${missing} is not set`,
      });
      const waited = await agent.call("conditions_wait", { kind: "Deployment", name: "orders", namespace });
      says(waited, /ready after/);
    },
    changed: [
      '+ Deployment/orders spec.template.spec.containers[main].env[DATABASE_URL].name: "DATABASE_URL"',
      '+ Deployment/orders spec.template.spec.containers[main].env[DATABASE_URL].value: "postgres://orders-db:5432/orders"',
    ],
    wrote: ["patch deployments/orders"],
    check: (place) => rolledOut(place, "orders"),
  },
  {
    number: 2,
    title: "OOMKilled at 64Mi",
    prompt: "cache keeps restarting. Find out why and repair it; the node has memory to spare.",
    ideal: 3,
    person: "at once",
    stages: [
      crashes("oom", '.spec.containers[0].resources.limits.memory == "64Mi"', { reason: "OOMKilled", exitCode: 137 }),
    ],
    async setUp(place) {
      const resources = { requests: { cpu: "50m", memory: "32Mi" }, limits: { memory: "64Mi" } };
      await place.kwok.writeLog(place.namespace, "main", ["loading 1200000 keys"], "previous");
      await place.deploy("cache", { container: { resources } });
      await place.pods("cache", 2, "CrashLoopBackOff");
    },
    async play(agent, { namespace }) {
      const found = await agent.call("problems_diagnose", { namespace, kind: "Deployment", name: "cache" });
      says(found, /OOMKilled, limit 64Mi/);
      await agent.call("workloads_update", {
        kind: "Deployment",
        name: "cache",
        namespace,
        container: says(found, /container (\S+) is killed/),
        limits: { memory: "256Mi" },
        reason: "cache is killed at its memory limit of 64Mi",
      });
      says(await agent.call("conditions_wait", { kind: "Deployment", name: "cache", namespace }), /ready after/);
    },
    changed: ['~ Deployment/cache spec.template.spec.containers[main].resources.limits.memory: "64Mi" -> "256Mi"'],
    wrote: ["patch deployments/cache"],
    check: (place) => rolledOut(place, "cache"),
  },
  {
    number: 3,
    title: "ImagePullBackOff, the tag is a typo",
    prompt: "The last deployment of web hangs. Bring back the last image that worked.",
    ideal: 4,
    person: "at once",
    stages: [
      waits(
        "pull",
        runsImage("registry.example.com/shop/web:1.4.22"),
        "ImagePullBackOff",
        'Back-off pulling image "registry.example.com/shop/web:1.4.22": ErrImagePull: rpc error: code = NotFound desc = failed to pull and unpack image: registry.example.com/shop/web:1.4.22: not found',
      ),
    ],
    async setUp(place) {
      await place.deploy("web", { replicas: 3 });
      await place.pods("web", 3, "Ready");
      await place.merge(deployments, "web", {
        spec: {
          template: { spec: { containers: [{ name: "main", image: "registry.example.com/shop/web:1.4.22" }] } },
        },
      });
      await place.pods("web", 1, "ImagePullBackOff");
    },
    async play(agent, { namespace }) {
      const target = { kind: "Deployment", name: "web", namespace };
      const found = await agent.call("problems_diagnose", target);
      const wrong = says(found, /the image or its tag does not exist: (\S+)/);
      const history = await agent.call("rollouts_get", target);
      const images = [...history.text.matchAll(/registry\.example\.com\/\S+:[\w.-]+/g)].map(([image]) => image);
      const image = images.find((one) => one !== wrong) ?? "";
      await agent.call("workloads_update", {
        ...target,
        container: says(found, /container (\S+),/),
        image,
        reason: `the tag of ${wrong} does not exist; back to the image before it`,
      });
      says(await agent.call("conditions_wait", target), /ready after/);
    },
    changed: [
      '~ Deployment/web spec.template.spec.containers[main].image: "registry.example.com/shop/web:1.4.22" -> "registry.example.com/shop/web:1.4.2"',
    ],
    wrote: ["patch deployments/web"],
    check: (place) => rolledOut(place, "web"),
  },
  {
    number: 4,
    title: "The pull secret is missing",
    prompt: "Why does billing not start?",
    ideal: 1,
    stages: [
      waits(
        "pull",
        '.spec.imagePullSecrets[0].name == "registry-login"',
        "ImagePullBackOff",
        'Back-off pulling image "registry.example.com/shop/billing:1.4.2": ErrImagePull: failed to authorize: 401 Unauthorized',
        {
          type: "Warning",
          reason: "FailedToRetrieveImagePullSecret",
          message:
            "Unable to retrieve some image pull secrets (registry-login); attempting to pull the image may not succeed.",
        },
      ),
    ],
    async setUp(place) {
      await place.deploy("billing", { pod: { imagePullSecrets: [{ name: "registry-login" }] } });
      await place.pods("billing", 2, "ImagePullBackOff");
      await place.until("the event is there", async () => (await place.list("api/v1/events")).some(isPullSecret));
    },
    async play(agent, { namespace }) {
      const found = await agent.call("problems_diagnose", { namespace, kind: "Deployment", name: "billing" });
      says(found, /1\. .*image pull secret can't be read/);
      says(found, /imagePullSecrets: registry-login/);
    },
  },
  {
    number: 9,
    title: "The liveness probe asks for a wrong path",
    prompt: "gateway restarts every minute. Its health page is /healthz. Repair it.",
    ideal: 3,
    person: "at once",
    stages: [
      crashes(
        "probe",
        '.spec.containers[0].livenessProbe.httpGet.path == "/helthz"',
        { reason: "Error", exitCode: 137 },
        {
          type: "Warning",
          reason: "Unhealthy",
          message: "Liveness probe failed: HTTP probe failed with statuscode: 404",
        },
      ),
    ],
    async setUp(place) {
      await place.kwok.writeLog(place.namespace, "main", ["listening on :8080", "GET /helthz 404"], "previous");
      await place.deploy("gateway", {
        container: {
          ports: [{ containerPort: 8080 }],
          livenessProbe: { httpGet: { path: "/helthz", port: 8080 }, periodSeconds: 5 },
        },
      });
      await place.pods("gateway", 2, "CrashLoopBackOff");
      await place.until("the events are there", async () => (await place.list("api/v1/events")).some(isUnhealthy));
    },
    async play(agent, { namespace }) {
      const target = { kind: "Deployment", name: "gateway", namespace };
      const found = await agent.call("problems_diagnose", target);
      says(found, /killed by its liveness probe/);
      says(found, /GET "\/helthz" on port 8080/);
      const name = says(found, /container (\S+) is killed/);
      await agent.call("objects_patch", {
        ...target,
        type: "strategic",
        patch: {
          spec: { template: { spec: { containers: [{ name, livenessProbe: { httpGet: { path: "/healthz" } } }] } } },
        },
        reason: "the liveness probe asks for /helthz, which answers 404",
      });
      says(await agent.call("conditions_wait", target), /ready after/);
    },
    changed: [
      '~ Deployment/gateway spec.template.spec.containers[main].livenessProbe.httpGet.path: "/helthz" -> "/healthz"',
    ],
    wrote: ["patch deployments/gateway"],
    check: (place) => rolledOut(place, "gateway"),
  },
  {
    number: 12,
    title: "A key of a ConfigMap is missing",
    prompt: "reports does not start. Repair it; a missing format should be json.",
    ideal: 4,
    person: "at once",
    stages: [
      waits(
        "key",
        '.metadata.labels.app == "reports"',
        "CreateContainerConfigError",
        "couldn't find key LOG_FORMAT in ConfigMap eval-12/reports-settings",
      ),
    ],
    async setUp(place) {
      await place.make(configMaps, configMap("reports-settings", { LOG_LEVEL: "info" }));
      await place.deploy("reports", {
        container: {
          env: [
            { name: "LOG_FORMAT", valueFrom: { configMapKeyRef: { name: "reports-settings", key: "LOG_FORMAT" } } },
          ],
        },
      });
      await place.pods("reports", 2, "CreateContainerConfigError");
    },
    async play(agent, place) {
      const { namespace } = place;
      const found = await agent.call("problems_diagnose", { namespace, kind: "Deployment", name: "reports" });
      const key = says(found, /key (\S+) is missing in ConfigMap/);
      const map = { kind: "ConfigMap", name: says(found, /is missing in ConfigMap (\S+)/), namespace };
      says(await agent.call("objects_get", map), /LOG_LEVEL/);
      await agent.call("objects_patch", {
        ...map,
        patch: { data: { [key]: "json" } },
        reason: `reports can't start without the key ${key}`,
      });
      const [waited] = await Promise.all([
        agent.call("conditions_wait", { kind: "Deployment", name: "reports", namespace }),
        startedOnce(
          place,
          "reports",
          async () => textAt(await place.read(configMaps, "reports-settings"), "data", key) !== "",
        ),
      ]);
      says(waited, /ready after/);
    },
    changed: ['+ ConfigMap/reports-settings data.LOG_FORMAT: "json"'],
    wrote: ["patch configmaps/reports-settings"],
  },
  {
    number: 13,
    title: "A Secret is missing",
    prompt: "Why does payments not start? Repair it if you can.",
    ideal: 1,
    stages: [
      waits(
        "secret",
        '.metadata.labels.app == "payments"',
        "CreateContainerConfigError",
        'secret "payments-db" not found',
      ),
    ],
    async setUp(place) {
      await place.deploy("payments", { container: { envFrom: [{ secretRef: { name: "payments-db" } }] } });
      await place.pods("payments", 2, "CreateContainerConfigError");
    },
    async play(agent, { namespace }) {
      const found = await agent.call("problems_diagnose", { namespace, kind: "Deployment", name: "payments" });
      says(found, /1\. .*Secret payments-db does not exist/);
      says(found, /never invent/);
    },
  },
  {
    number: 32,
    title: "There are no logs",
    prompt: "Show me what indexer logs.",
    ideal: 2,
    stages: [
      waits("mount", '.metadata.labels.app == "indexer"', "ContainerCreating", "", {
        type: "Warning",
        reason: "FailedMount",
        message: 'MountVolume.SetUp failed for volume "index" : configmap "indexer-rules" not found',
      }),
    ],
    logs: [],
    async setUp(place) {
      await place.deploy("indexer", {
        replicas: 1,
        pod: { volumes: [{ name: "index", configMap: { name: "indexer-rules" } }] },
      });
      await place.pods("indexer", 1, "ContainerCreating");
      await place.until("the event is there", async () => (await place.list("api/v1/events")).some(isMount));
    },
    async play(agent, { namespace }) {
      const found = await agent.call("problems_diagnose", { namespace, kind: "Deployment", name: "indexer" });
      says(found, /ConfigMap indexer-rules does not exist/);
      const read = await agent.refused("logs_read", { namespace, kind: "Deployment", name: "indexer" }, "no_logs");
      says(read, /has not started yet/);
      saysNot(read, /\(no lines\)/);
    },
  },
];

const isReason = (reason: string) => (event: JsonObject) => textAt(event, "reason") === reason;
const isPullSecret = isReason("FailedToRetrieveImagePullSecret");
const isUnhealthy = isReason("Unhealthy");
const isMount = isReason("FailedMount");

/** What a kubelet does once a reference holds: it starts the containers of the pods that waited. */
async function startedOnce(place: Place, app: string, holdsNow: () => Promise<boolean>): Promise<void> {
  await place.until("what the pods wait for is there", holdsNow);
  for (const pod of await place.list(pods, `app=${app}`)) {
    const now = new Date().toISOString();
    const running = { name: "main", image: "i", imageID: "", ready: true, started: true, restartCount: 0 };
    await place.admin.send(
      "PATCH",
      `/api/v1/namespaces/${place.namespace}/pods/${textAt(pod, "metadata", "name")}/status`,
      {
        status: {
          phase: "Running",
          conditions: ["ContainersReady", "Ready"].map((type) => ({ type, status: "True", lastTransitionTime: now })),
          containerStatuses: [{ ...running, state: { running: { startedAt: now } } }],
        },
      },
      { contentType: "application/strategic-merge-patch+json" },
    );
  }
}
