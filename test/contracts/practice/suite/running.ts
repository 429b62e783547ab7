// What runs: pods under their controllers, and their logs.

import { expect } from "vitest";
import { promise } from "../../../support/promise.ts";
import { deployment, eventually, failure, type Body, type Client } from "./client.ts";

export function controllerTests(client: () => Client): void {
  promise("practice:controllers", "pods follow the count, return when deleted, go with their Deployment", async () => {
    const at = client();
    await at.make(at.apps("deployments"), deployment("fleet", 2));
    const pods = async (): Promise<readonly string[]> => {
      const { body } = await at.call("GET", `${at.core("pods")}?labelSelector=app%3Dfleet`);
      return body.items
        .filter((pod: Body) => pod.metadata.deletionTimestamp === undefined)
        .map((pod: Body) => pod.metadata.name);
    };
    const first = await eventually(async () => {
      const found = await pods();
      expect(found).toHaveLength(2);
      return found;
    });
    const { body: sets } = await at.call("GET", `${at.apps("replicasets")}?labelSelector=app%3Dfleet`);
    const [set] = sets.items;
    expect([set.spec.replicas, set.metadata.ownerReferences[0]]).toMatchObject([
      2,
      { kind: "Deployment", name: "fleet" },
    ]);
    expect(first.every((name) => name.startsWith(`${set.metadata.name}-`))).toBe(true);
    await at.call("DELETE", `${at.core("pods", first[0])}?gracePeriodSeconds=0`);
    await eventually(async () => {
      const found = await pods();
      expect([found.length, found.includes(first[0] ?? ""), found.includes(first[1] ?? "")]).toEqual([2, false, true]);
    });
    await at.call("PATCH", at.apps("deployments", "fleet", "scale"), { body: { spec: { replicas: 1 } } });
    await eventually(async () => {
      expect(await pods()).toHaveLength(1);
      expect((await at.call("GET", at.apps("deployments", "fleet"))).body.status.replicas).toBe(1);
    });
    await at.call("DELETE", at.apps("deployments", "fleet"), { body: { propagationPolicy: "Background" } });
    await eventually(async () => {
      expect(await pods()).toEqual([]);
      expect((await at.call("GET", `${at.apps("replicasets")}?labelSelector=app%3Dfleet`)).body.items).toEqual([]);
    });
  });

  promise(
    "practice:controllers",
    "an object whose owner never was is taken away",
    async () => {
      const at = client();
      const uid = "00000000-0000-4000-8000-000000000000";
      const ownerReferences = [{ apiVersion: "v1", kind: "ConfigMap", name: "never", uid }];
      await at.make(at.core("secrets"), { metadata: { name: "stray", ownerReferences } });
      await eventually(async () => expect((await at.call("GET", at.core("secrets", "stray"))).code).toBe(404), 50);
    },
    60_000,
  );

  promise(
    "practice:controllers",
    "a namespace that ends takes nothing more, and waits for what a finalizer holds",
    async () => {
      const at = client();
      const space = `${at.namespace}-ending`;
      const path = `/api/v1/namespaces/${space}`;
      await at.make("/api/v1/namespaces", { metadata: { name: space } });
      await at.make(`${path}/configmaps`, { metadata: { name: "held", finalizers: ["sallyport.dev/suite"] } });
      await at.make(`${path}/secrets`, { metadata: { name: "loose" } });
      const ended = await at.call("DELETE", path);
      expect([ended.code, ended.body.status.phase]).toEqual([200, "Terminating"]);
      await eventually(async () => {
        const { body } = await at.call("GET", `${path}/configmaps/held`);
        expect(body.metadata.deletionTimestamp).toEqual(expect.any(String));
        expect((await at.call("GET", `${path}/secrets/loose`)).code).toBe(404);
      });
      const late = await at.call("POST", `${path}/secrets`, { body: { metadata: { name: "late" } } });
      const message = `namespace ${space} is being terminated`;
      const why = `unable to create new content in namespace ${space} because it is being terminated`;
      expect(late.body).toEqual(
        failure(403, "Forbidden", `secrets "late" is forbidden: ${why}`, {
          name: "late",
          kind: "secrets",
          causes: [{ reason: "NamespaceTerminating", message, field: "metadata.namespace" }],
        }),
      );
      await at.call("PATCH", `${path}/configmaps/held`, { body: { metadata: { finalizers: null } } });
      await eventually(async () => expect((await at.call("GET", path)).code).toBe(404), 50);
    },
    60_000,
  );
}

export function logOptionTests(client: () => Client): void {
  promise("practice:logs", "a container must be named where there are several, and must exist", async () => {
    const at = client();
    const container = (name: string): object => ({ name, image: "registry.example.com/main:1" });
    await at.make(at.core("pods"), {
      metadata: { name: "pair" },
      spec: { serviceAccountName: "runner", containers: [container("a"), container("b")] },
    });
    const log = async (query: string): Promise<Body> =>
      (await at.call("GET", `${at.core("pods", "pair", "log")}${query}`)).body;
    expect(await log("")).toEqual(
      failure(400, "BadRequest", "a container name must be specified for pod pair, choose one of: [a b]"),
    );
    expect(await log("?container=c")).toEqual(failure(400, "BadRequest", "container c is not valid for pod pair"));
    const message = "Invalid value: -1: must be greater than or equal to 0";
    expect(await log("?container=a&tailLines=-1")).toEqual(
      failure(422, "Invalid", `PodLogOptions "pair" is invalid: tailLines: ${message}`, {
        name: "pair",
        kind: "PodLogOptions",
        causes: [{ reason: "FieldValueInvalid", message, field: "tailLines" }],
      }),
    );
    const missing = await at.call("GET", at.core("pods", "nobody", "log"));
    expect(missing.body).toEqual(failure(404, "NotFound", 'pods "nobody" not found', { name: "nobody", kind: "pods" }));
  });
}

export function logTests(client: () => Client): void {
  promise(
    "practice:logs",
    "a running pod's log is cut by lines, bytes and time, and has no run before it",
    async () => {
      const at = client();
      const pod = at.target.logs ?? { namespace: "", pod: "" };
      const log = async (query: string): Promise<Awaited<ReturnType<Client["call"]>>> =>
        at.call("GET", `/api/v1/namespaces/${pod.namespace}/pods/${pod.pod}/log?${query}`);
      const whole = (await log("")).text.trimEnd().split("\n");
      expect(whole.length).toBeGreaterThan(2);
      const tail = await log("tailLines=2");
      expect([tail.code, tail.text.trimEnd().split("\n").length]).toEqual([200, 2]);
      expect((await log("tailLines=0")).text).toBe("");
      expect(Buffer.byteLength((await log("limitBytes=10")).text)).toBe(10);
      expect((await log("tailLines=1&timestamps=true")).text).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z /);
      const previous = await log("previous=true");
      expect([previous.code, previous.body.reason]).toEqual([400, "BadRequest"]);
      expect(previous.body.message).toMatch(/^previous terminated container "[a-z-]+" in pod ".+" not found$/);
    },
  );
}
