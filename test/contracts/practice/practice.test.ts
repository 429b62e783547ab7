// The practice cluster: the conformance suite, and what is its own: that it is loud, and refuses what it does not do.

import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { connect } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { parse } from "yaml";
import { seedStory, startPracticeCluster, type PracticeCluster, type Story } from "../../../practice/cluster/index.ts";
import { promise } from "../../support/promise.ts";
import { Client, deployment, eventually, type Body } from "./suite/client.ts";
import { clusterSuite } from "./suite.ts";

const folders: string[] = [];
function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "practice-"));
  folders.push(made);
  return made;
}
afterAll(() => {
  for (const made of folders) rmSync(made, { recursive: true, force: true });
});

const logging = [
  { apiVersion: "v1", kind: "Namespace", metadata: { name: "logging" } },
  {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "talker", namespace: "logging", labels: { app: "talker" } },
    spec: { containers: [{ name: "main", image: "registry.example.com/talker:1" }] },
  },
  {
    apiVersion: "practice.sallyport.dev/v1",
    kind: "PodLog",
    metadata: { name: "talker", namespace: "logging" },
    spec: { labels: { app: "talker" }, container: "main", lines: ["one", "two", "three", "four"] },
  },
];

clusterSuite(
  "the practice cluster, held to Kubernetes",
  async () => ({
    ...(await startPracticeCluster({ folder: folder(), seed: logging })),
    logs: { namespace: "logging", pod: "talker" },
  }),
  { controllers: true, audit: true, logs: true },
);

describe("the practice cluster itself", () => {
  let story: Story;
  let cluster: PracticeCluster;
  let client: Client;
  /** Added to the clock. */
  let later = 0;
  beforeAll(async () => {
    story = seedStory();
    cluster = await startPracticeCluster({ folder: folder(), seed: story.manifests, now: () => Date.now() + later });
    client = new Client(cluster);
    await client.make("/api/v1/namespaces", { metadata: { name: client.namespace } });
  });
  afterAll(async () => client.close());

  promise("practice:loud", "version, node, headers and kubeconfig name it", async () => {
    const version = await client.call("GET", "/version");
    expect(version.body.gitVersion).toBe("v1.36.4-sallyport-practice");
    expect(version.headers["server"]).toBe("sallyport-practice (not Kubernetes)");
    const text = readFileSync(cluster.kubeconfigPath, "utf8");
    expect(text).toContain("not Kubernetes");
    expect(parse(text)).toMatchObject({
      "current-context": "practice",
      clusters: [{ cluster: { server: cluster.server } }],
      users: [{ user: { token: cluster.adminToken } }],
    });
    expect(statSync(cluster.kubeconfigPath).mode & 0o777).toBe(0o600);
    expect(statSync(cluster.auditLogPath).mode & 0o777).toBe(0o600);
  });

  promise("practice:loud", "no address but loopback answers", async () => {
    const outside = Object.values(networkInterfaces())
      .flatMap((list) => list ?? [])
      .filter((one) => !one.internal && one.family === "IPv4");
    const port = Number(new URL(cluster.server).port);
    expect(new URL(cluster.server).hostname).toBe("127.0.0.1");
    for (const { address } of outside) {
      const reached = await new Promise((resolve) => {
        const socket = connect({ host: address, port, timeout: 2000 });
        for (const event of ["connect", "error", "timeout"]) socket.once(event, () => resolve(event === "connect"));
        socket.once("close", () => socket.destroy());
      });
      expect(reached).toBe(false);
    }
  });

  promise("practice:identity", "without a token nothing answers, health included", async () => {
    for (const path of ["/readyz", "/version", "/api/v1/namespaces"]) {
      expect((await client.call("GET", path, { token: null })).code).toBe(401);
    }
  });

  promise("practice:identity", "a token ends at its time", async () => {
    await client.make(client.core("serviceaccounts"), { metadata: { name: "brief" } });
    const token = await client.token("brief", { expirationSeconds: 600 });
    const code = async (): Promise<number> => (await client.call("GET", "/api", { token })).code;
    later = 580_000;
    const before = await code();
    later = 600_000;
    const after = await code();
    later = 0;
    expect([before, after]).toEqual([200, 401]);
  });

  promise("practice:unserved", "each refusal names the practice cluster", async () => {
    const pod = client.core("pods", "any");
    await client.make(client.core("configmaps"), { metadata: { name: "any" } });
    const apply = { body: { apiVersion: "v1", kind: "ConfigMap" }, type: "application/apply-patch+yaml" };
    const config = client.core("configmaps", "any");
    const replies = [
      [415, await client.call("PATCH", `${config}?fieldManager=x`, apply)],
      [415, await client.call("PATCH", config, { body: [], type: "application/json-patch+json" })],
      [415, await client.call("POST", client.core("configmaps"), { body: "a: 1", type: "application/yaml" })],
      [405, await client.call("DELETE", client.core("configmaps"))],
      [501, await client.call("POST", `${pod}/exec?command=ls`)],
      [501, await client.call("POST", `${pod}/eviction`, { body: {} })],
      [501, await client.call("PATCH", `${pod}/status`, { body: {} })],
      [501, await client.call("PATCH", `${config}?fieldValidation=Strict`, { body: {} })],
      [404, await client.call("GET", "/apis/storage.k8s.io/v1/storageclasses")],
      [404, await client.call("GET", "/openapi/v3")],
      [501, await client.call("GET", config, { headers: { "impersonate-user": "anyone" } })],
      [
        422,
        await client.call("POST", client.core("secrets"), {
          body: { metadata: { name: "t" }, type: "kubernetes.io/service-account-token" },
        }),
      ],
    ] as const;
    for (const [code, reply] of replies) {
      expect([reply.code, reply.body.kind, reply.body.message]).toEqual([
        code,
        "Status",
        expect.stringContaining("the practice cluster does not"),
      ]);
    }
  });

  promise("practice:expressions", "what the set does not hold is told at once", async () => {
    const outside = [
      "object.metadata.name.matches('a')",
      "authorizer.path('/x').check('get').allowed()",
      "request.resource.resource + 'x' == 'y'",
    ];
    for (const expression of outside) {
      const rules = [{ apiGroups: ["*"], apiVersions: ["*"], operations: ["*"], resources: ["*/*"] }];
      const spec = { matchConstraints: { resourceRules: rules }, validations: [{ expression }] };
      const path = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies";
      const refused = await client.call("POST", path, { body: { metadata: { name: "outside" }, spec } });
      expect([refused.code, refused.body.message]).toEqual([
        422,
        expect.stringContaining("the practice cluster does not know all of CEL"),
      ]);
    }
  });

  promise("practice:loud", "a port that is taken is told, and nothing is left running", async () => {
    const port = Number(new URL(cluster.server).port);
    await expect(startPracticeCluster({ folder: folder(), port })).rejects.toMatchObject({ code: "EADDRINUSE" });
  });

  promise(
    "practice:controllers",
    "a StatefulSet's pods are numbered, and a changed template makes new pods",
    async () => {
      const running = async (app: string): Promise<readonly Body[]> =>
        (await client.call("GET", `${client.core("pods")}?labelSelector=app%3D${app}`)).body.items;
      await client.make(client.apps("statefulsets"), { ...deployment("db", 2), kind: "StatefulSet" });
      await eventually(async () =>
        expect((await running("db")).map((pod: Body) => pod.metadata.name)).toEqual(["db-0", "db-1"]),
      );
      await client.make(client.apps("deployments"), deployment("web", 1));
      const patch = { spec: { template: { metadata: { annotations: { restarted: "now" } } } } };
      const [old] = await eventually(async () => {
        const pods = await running("web");
        expect(pods).toHaveLength(1);
        return pods;
      });
      await client.call("PATCH", client.apps("deployments", "web"), { body: patch });
      await eventually(async () => {
        const [pod, ...more] = await running("web");
        expect([more.length, pod.metadata.name === old.metadata.name, pod.metadata.annotations]).toEqual([
          0,
          false,
          { restarted: "now" },
        ]);
      });
    },
  );

  promise(
    "practice:story",
    "each planted value can be read by the administrator and none is in the audit log",
    async () => {
      const shop = "/namespaces/shop-prod";
      const texts = [
        (await client.call("GET", `/apis/apps/v1${shop}/deployments/api`)).text,
        (await client.call("GET", `/api/v1${shop}/configmaps/api-settings`)).text,
        Object.values((await client.call("GET", `/api/v1${shop}/secrets/api-db`)).body.data)
          .map((value) => Buffer.from(String(value), "base64").toString())
          .join("\n"),
      ];
      const { body: pods } = await client.call("GET", `/api/v1${shop}/pods`);
      for (const pod of pods.items) {
        const crashed = pod.metadata.labels.app === "worker";
        const log = await client.call(
          "GET",
          `/api/v1${shop}/pods/${pod.metadata.name}/log${crashed ? "?previous=true" : ""}`,
        );
        expect(log.code).toBe(200);
        texts.push(log.text);
      }
      const all = texts.join("\n");
      expect(story.planted).toHaveLength(6);
      for (const value of story.planted) expect(all).toContain(value);
      const audit = readFileSync(cluster.auditLogPath, "utf8");
      for (const value of story.planted) expect(audit).not.toContain(value);
      expect(seedStory().planted).not.toEqual(story.planted);
    },
  );

  promise("practice:story", "it starts settled: pods run, one crashes, an autoscaler watches", async () => {
    const accept = "application/json;as=Table;g=meta.k8s.io;v=v1, application/json";
    const rows = async (path: string): Promise<readonly (readonly unknown[])[]> =>
      (await client.call("GET", `${path}?includeObject=None`, { accept })).body.rows.map((row: Body) => row.cells);
    const pods = await rows("/api/v1/namespaces/shop-prod/pods");
    expect(pods.map(([name, ...cells]) => [String(name).split("-")[0], ...cells.slice(0, 3)])).toEqual([
      ["api", "1/1", "Running", "0"],
      ["api", "1/1", "Running", "0"],
      ["api", "1/1", "Running", "0"],
      ["worker", "0/1", "CrashLoopBackOff", expect.stringMatching(/^7 \(15m ago\)$/)],
    ]);
    expect(await rows("/apis/autoscaling/v2/namespaces/shop-prod/horizontalpodautoscalers")).toEqual([
      ["api", "Deployment/api", "cpu: 41%/70%", "2", 10, 3, "15m"],
    ]);
    const warnings = await client.call("GET", "/api/v1/namespaces/shop-prod/events?fieldSelector=type%3DWarning");
    expect(warnings.body.items.map((event: Body) => event.reason)).toEqual(["BackOff"]);
    const { body } = await client.call("GET", "/api/v1/namespaces/shop-prod");
    expect(body.metadata.labels["sallyport.dev/environment"]).toBe("prod");
  });
});
