// The shop of the story that `npm start` plays: two namespaces, workloads, and values that must never come out unmasked.

import { randomBytes } from "node:crypto";
import { behaviour } from "./node.ts";
import type { Json, JsonObject } from "./json.ts";

export interface Story {
  readonly manifests: readonly JsonObject[];
  /** Every secret value in the manifests and logs, made at random for this story: none may reach an agent. */
  readonly planted: readonly string[];
}

const environment = "sallyport.dev/environment";
const base64 = (text: string): string => Buffer.from(text).toString("base64");

/** Made-up secrets of the shapes that real ones have. `random` gives that many random bytes. */
function secretsFrom(random: (count: number) => Uint8Array) {
  const hex = (count: number): string => Buffer.from(random(count)).toString("hex");
  const url = (count: number): string => Buffer.from(random(count)).toString("base64url");
  const part = (value: Json): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  return {
    databasePassword: `pw-${hex(12)}`,
    apiKey: hex(24),
    bearer: url(30),
    loggedPassword: `hunter-${hex(8)}`,
    jwt: `${part({ alg: "HS256", typ: "JWT" })}.${part({ sub: "customer-4711", iss: "shop" })}.${url(32)}`,
    crashPassword: `db-${hex(10)}`,
  };
}

type Secrets = ReturnType<typeof secretsFrom>;

const workload = (
  kind: string,
  namespace: string,
  name: string,
  replicas: number,
  container: JsonObject,
  annotations: JsonObject = {},
): JsonObject => ({
  apiVersion: "apps/v1",
  kind,
  metadata: { name, namespace, labels: { app: name } },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name }, annotations }, spec: { containers: [{ name, ...container }] } },
  },
});

const service = (namespace: string, name: string): JsonObject => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name, namespace },
  spec: { selector: { app: name }, ports: [{ name: "http", port: 80, targetPort: 8080 }] },
});

const namespace = (name: string, where: string): JsonObject => ({
  apiVersion: "v1",
  kind: "Namespace",
  metadata: { name, labels: { [environment]: where, team: "shop" } },
});

function production(secrets: Secrets): readonly JsonObject[] {
  const api = {
    image: "registry.example.com/shop/api:1.4.2",
    ports: [{ name: "http", containerPort: 8080, protocol: "TCP" }],
    env: [
      { name: "LOG_LEVEL", value: "info" },
      { name: "DB_HOST", value: "db.shop-prod.svc" },
      { name: "DB_PASSWORD", value: secrets.databasePassword },
      { name: "API_KEY", valueFrom: { secretKeyRef: { name: "api-db", key: "api-key" } } },
    ],
    resources: { requests: { cpu: "100m", memory: "128Mi" }, limits: { memory: "256Mi" } },
  };
  const hpaMetric = (field: string, value: JsonObject): Json => ({
    type: "Resource",
    resource: { name: "cpu", [field]: value },
  });
  return [
    workload("Deployment", "shop-prod", "api", 3, api),
    workload(
      "Deployment",
      "shop-prod",
      "worker",
      1,
      { image: "registry.example.com/shop/worker:2.0.1" },
      { [behaviour]: "crash-loop" },
    ),
    service("shop-prod", "api"),
    {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "api-db", namespace: "shop-prod" },
      type: "Opaque",
      data: { "api-key": base64(secrets.apiKey), password: base64(secrets.databasePassword) },
    },
    {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "api-settings", namespace: "shop-prod" },
      data: {
        "checkout.enabled": "true",
        "settings.ini": `[db]\nhost = db.shop-prod.svc\npassword = ${secrets.loggedPassword}\n`,
      },
    },
    {
      apiVersion: "autoscaling/v2",
      kind: "HorizontalPodAutoscaler",
      metadata: { name: "api", namespace: "shop-prod" },
      spec: {
        scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "api" },
        minReplicas: 2,
        maxReplicas: 10,
        metrics: [hpaMetric("target", { type: "Utilization", averageUtilization: 70 })],
      },
      status: {
        currentReplicas: 3,
        desiredReplicas: 3,
        currentMetrics: [hpaMetric("current", { averageUtilization: 41, averageValue: "41m" })],
      },
    },
    {
      apiVersion: "policy/v1",
      kind: "PodDisruptionBudget",
      metadata: { name: "api", namespace: "shop-prod" },
      spec: { minAvailable: 2, selector: { matchLabels: { app: "api" } } },
      status: { disruptionsAllowed: 1, currentHealthy: 3, desiredHealthy: 2, expectedPods: 3 },
    },
  ];
}

const podLog = (
  where: string,
  app: string,
  lines: readonly string[],
  previous: readonly string[] = [],
): JsonObject => ({
  apiVersion: "practice.sallyport.dev/v1",
  kind: "PodLog",
  metadata: { name: app, namespace: where },
  spec: { labels: { app }, container: app, lines, previous },
});

function apiLines(secrets: Secrets): readonly string[] {
  const served = (index: number): string =>
    `level=info msg="request served" path=/cart/${1000 + index * 37} status=200 duration=${12 + ((index * 7) % 40)}ms`;
  return [
    "level=info msg=starting version=1.4.2 port=8080",
    `level=debug msg="connecting to db" host=db.shop-prod.svc user=shop password=${secrets.loggedPassword}`,
    ...Array.from({ length: 20 }, (_, index) => served(index)),
    `level=debug msg="calling payments" header="Authorization: Bearer ${secrets.bearer}"`,
    `level=warn msg="session refused" token=${secrets.jwt} reason=expired`,
    'level=error msg="payment declined" order=4711 code=card_expired',
    ...Array.from({ length: 15 }, (_, index) => served(index + 20)),
  ];
}

function crashLines(secrets: Secrets): readonly string[] {
  return [
    "worker 2.0.1 starting",
    `connecting to postgres://shop:${secrets.crashPassword}@db.shop-prod.svc:5432/orders`,
    'FATAL: relation "jobs" does not exist',
    "Traceback (most recent call last):",
    '  File "/app/worker.py", line 41, in run',
    "    jobs = db.fetch_jobs()",
    "worker stopped with exit code 1",
  ];
}

/** The seed of the story, with fresh secrets each time. */
export function seedStory(random: (count: number) => Uint8Array = randomBytes): Story {
  const secrets = secretsFrom(random);
  const manifests = [
    namespace("shop-prod", "prod"),
    namespace("shop-dev", "dev"),
    ...production(secrets),
    workload("Deployment", "shop-dev", "api", 1, { image: "registry.example.com/shop/api:1.5.0-rc.1" }),
    service("shop-dev", "api"),
    podLog("shop-prod", "api", apiLines(secrets)),
    podLog("shop-prod", "worker", crashLines(secrets), crashLines(secrets)),
  ];
  return { manifests, planted: Object.values(secrets) };
}
