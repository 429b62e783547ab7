// The line on a real kube-apiserver: what an agent asked, what the cluster's own audit log says, and what is left afterwards.

import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, inject } from "vitest";
import { at, textAt, type JsonObject } from "../../src/domain/json.ts";
import { promise } from "../support/promise.ts";
import { openWorld, type World } from "../support/world.ts";
import { adminOf, deployment, namespace, type Admin } from "./admin.ts";

const cluster = inject("cluster");
const why = "skip" in cluster ? ` (skipped: ${cluster.skip})` : "";

describe.skipIf("skip" in cluster)(`on a real kube-apiserver${why}`, () => {
  let world: World;
  let admin: Admin;
  const password = `pw-${randomBytes(12).toString("hex")}`;
  const secret = randomBytes(18).toString("base64");

  beforeAll(async () => {
    if ("skip" in cluster) return;
    admin = adminOf(cluster);
    for (const [name, environment] of [
      ["line-prod", "prod"],
      ["line-dev", "dev"],
      ["line-other", "dev"],
    ] as const)
      await admin.create("/api/v1/namespaces", namespace(name, environment));
    for (const place of ["line-prod", "line-dev", "line-other"])
      await admin.create(`/apis/apps/v1/namespaces/${place}/deployments`, deployment("api", 3, password));
    await admin.create("/api/v1/namespaces/line-prod/secrets", {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "db" },
      data: { password: Buffer.from(secret).toString("base64") },
    });
    world = await openWorld({
      kubeconfigPath: cluster.kubeconfigPath,
      enroll: ["line-prod", "line-dev"],
      config: "hold: 45",
    });
  });
  afterAll(async () => {
    await world?.stop();
  });

  promise(
    "pipeline:audited",
    "a governed scale changes the Deployment, and the audit log joins it to our entry by call id, account and JTI",
    async () => {
      const [answer] = await Promise.all([
        world.call("workloads_scale", {
          kind: "Deployment",
          namespace: "line-prod",
          name: "api",
          replicas: 5,
          reason: "latency doubled since noon",
        }),
        world.approve(),
      ]);
      expect(answer.text.split("\n")[0]).toBe("DONE workloads_scale Deployment line-prod/api");
      const scaled = await admin.send("GET", "/apis/apps/v1/namespaces/line-prod/deployments/api");
      expect(at(scaled.body, "spec", "replicas")).toBe(5);

      const call = textAt(answer.facts, "call");
      const settled = (await world.entries()).find(
        (entry) => entry["kind"] === "call.settled" && entry["call"] === call,
      );
      const patches = (await admin.audit()).filter(
        (event) =>
          textAt(event, "verb") === "patch" &&
          textAt(event, "auditID").startsWith(`${call}.`) &&
          !textAt(event, "requestURI").includes("dryRun"),
      );
      expect(patches).toHaveLength(1);
      const [patch] = patches as [JsonObject];
      expect({
        user: textAt(patch, "user", "username"),
        jti: at(patch, "user", "extra", "authentication.kubernetes.io/credential-id", 0),
        object: textAt(patch, "objectRef", "name"),
        status: at(patch, "responseStatus", "code"),
      }).toEqual({
        user: textAt(settled, "details", "account"),
        jti: `JTI=${textAt(settled, "details", "jti")}`,
        object: "api",
        status: 200,
      });
      expect(textAt(patch, "user", "username")).toMatch(/^system:serviceaccount:sallyport-sessions:run-/);
    },
  );

  promise("pipeline:grant-dies", "after the call nothing of its grant is left in the cluster", async () => {
    // Gateways of other test files have grants of their own at the same time.
    const gateway = textAt((await world.entries())[0], "gateway", "id");
    expect(gateway).not.toBe("");
    const ours = `labelSelector=sallyport.dev/grant,sallyport.dev/gateway%3D${gateway}`;
    for (const list of [
      "/api/v1/namespaces/sallyport-sessions/serviceaccounts",
      "/api/v1/namespaces/sallyport-sessions/secrets",
      "/apis/rbac.authorization.k8s.io/v1/namespaces/line-prod/roles",
      "/apis/rbac.authorization.k8s.io/v1/namespaces/line-prod/rolebindings",
    ])
      expect({ list, items: at((await admin.send("GET", `${list}?${ours}`)).body, "items") }).toEqual({
        list,
        items: [],
      });
  });

  promise(
    "pipeline:preview-writes-nothing",
    "a preview shows the diff and leaves the Deployment as it is",
    async () => {
      const before = await written("/apis/apps/v1/namespaces/line-dev/deployments/api");
      const answer = await world.call("workloads_scale", {
        kind: "deploy",
        namespace: "line-dev",
        name: "api",
        replicas: 9,
        preview: true,
        reason: "only to look at it",
      });
      expect(answer.text.split("\n").slice(0, 2)).toEqual([
        "PREVIEW workloads_scale Deployment line-dev/api - nothing changed",
        "~ spec.replicas: 3 -> 9",
      ]);
      expect(await written("/apis/apps/v1/namespaces/line-dev/deployments/api")).toEqual(before);
    },
  );
  /** An object without what its controller may write at any time: everybody else's writes show, in whose fields they are too. */
  async function written(path: string): Promise<JsonObject> {
    const { status: _status, metadata, ...rest } = (await admin.send("GET", path)).body;
    const { resourceVersion: _version, managedFields, annotations, ...known } = metadata as JsonObject;
    const revision = "deployment.kubernetes.io/revision";
    return {
      ...rest,
      metadata: known,
      annotations: Object.entries(annotations ?? {}).filter(([name]) => name !== revision),
      managers: (managedFields as readonly JsonObject[]).filter(
        (one) => textAt(one, "manager") !== "kube-controller-manager",
      ),
    };
  }

  promise(
    "pipeline:outside-production",
    "where the policy allows it, a scale runs without a person and all the same with a grant",
    async () => {
      const answer = await world.call("workloads_scale", {
        kind: "Deployment",
        namespace: "line-dev",
        name: "api",
        replicas: 4,
        reason: "a load test of mine",
      });
      expect(answer.isError).toBe(false);
      expect(
        at((await admin.send("GET", "/apis/apps/v1/namespaces/line-dev/deployments/api")).body, "spec", "replicas"),
      ).toBe(4);
    },
  );

  promise("pipeline:not-enrolled", "a namespace that was not enrolled can be neither read nor changed", async () => {
    const read = await world.call("objects_get", { kind: "Deployment", namespace: "line-other", name: "api" });
    const changed = await world.call("workloads_scale", {
      kind: "Deployment",
      namespace: "line-other",
      name: "api",
      replicas: 1,
      reason: "not my namespace",
    });
    expect([read.isError, changed.isError]).toEqual([true, true]);
    expect(
      at((await admin.send("GET", "/apis/apps/v1/namespaces/line-other/deployments/api")).body, "spec", "replicas"),
    ).toBe(3);
  });

  promise(
    "pipeline:no-secret-leaves",
    "neither the Secret nor the password in the env comes back from any tool, view or refusal, nor stands in the record",
    async () => {
      const answers = [
        await world.call("objects_list", { kind: "pods", namespace: "*" }),
        await world.call("objects_list", {
          kind: "deployments",
          namespace: "line-prod",
          columns: [".spec.template.spec.containers[*].env[*].value"],
        }),
        await world.call("objects_list", { kind: "secrets", namespace: "line-prod" }),
        await world.call("objects_get", { kind: "Secret", namespace: "line-prod", name: "db" }),
        ...(await Promise.all(
          ["summary", "spec", "full", "relations"].map((view) =>
            world.call("objects_get", { kind: "Deployment", namespace: "line-prod", name: "api", view }),
          ),
        )),
        await world.call("objects_get", {
          kind: "Deployment",
          namespace: "line-prod",
          name: "api",
          path: ".spec.template.spec.containers[0].env",
        }),
      ];
      const all = JSON.stringify([answers, await world.entries(), world.log()]);
      for (const value of [
        password,
        secret,
        Buffer.from(secret).toString("base64"),
        Buffer.from(password).toString("base64"),
      ])
        expect(all.includes(value)).toBe(false);
      expect(answers.some((answer) => answer.text.includes("[MASKED:"))).toBe(true);
    },
  );

  promise("pipeline:verifies", "the transcript of all this verifies", async () => {
    const verified = await world.sallyport(["transcript", "verify", "--json"]);
    expect(verified.code).toBe(0);
  });
});
