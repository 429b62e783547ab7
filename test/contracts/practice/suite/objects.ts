// Objects: create, read, update, patch, delete, dry runs, scale, and every way to be refused.

import { expect } from "vitest";
import { promise } from "../../../support/promise.ts";
import { deployment, eventually, failure, type Client } from "./client.ts";

const modified = "the object has been modified; please apply your changes to the latest version and try again";

export function objectTests(client: () => Client): void {
  promise("practice:objects", "a ConfigMap goes through its life", async () => {
    const at = client();
    const { namespace } = at;
    const made = await at.make(`${at.core("configmaps")}?fieldManager=suite`, {
      metadata: { name: "life" },
      data: { a: "1" },
    });
    const { uid, resourceVersion, creationTimestamp } = made.metadata;
    expect(made).toEqual({
      kind: "ConfigMap",
      apiVersion: "v1",
      metadata: {
        name: "life",
        namespace,
        uid: expect.stringMatching(/^[0-9a-f-]{36}$/),
        resourceVersion: expect.stringMatching(/^\d+$/),
        creationTimestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
        managedFields: [
          {
            manager: "suite",
            operation: "Update",
            apiVersion: "v1",
            time: creationTimestamp,
            fieldsType: "FieldsV1",
            fieldsV1: { "f:data": expect.objectContaining({ "f:a": {} }) },
          },
        ],
      },
      data: { a: "1" },
    });
    expect((await at.call("GET", at.core("configmaps", "life"))).body).toEqual(made);

    const patched = await at.call("PATCH", `${at.core("configmaps", "life")}?fieldManager=other`, {
      body: { data: { a: null, b: "2" } },
    });
    expect([patched.code, patched.body.data, patched.body.metadata.uid]).toEqual([200, { b: "2" }, uid]);
    expect(Number(patched.body.metadata.resourceVersion)).toBeGreaterThan(Number(resourceVersion));
    expect(patched.body.metadata.managedFields).toContainEqual(
      expect.objectContaining({ manager: "other", operation: "Update", fieldsV1: { "f:data": { "f:b": {} } } }),
    );

    const unchanged = await at.call("PATCH", at.core("configmaps", "life"), { body: { data: { b: "2" } } });
    expect(unchanged.body.metadata.resourceVersion).toBe(patched.body.metadata.resourceVersion);

    const updated = await at.call("PUT", at.core("configmaps", "life"), {
      body: { metadata: { name: "life" }, data: { c: "3" } },
    });
    expect([updated.code, updated.body.data, updated.body.metadata.uid]).toEqual([200, { c: "3" }, uid]);

    const deleted = await at.call("DELETE", at.core("configmaps", "life"));
    expect([deleted.code, deleted.body]).toEqual([
      200,
      {
        kind: "Status",
        apiVersion: "v1",
        metadata: {},
        status: "Success",
        details: { name: "life", kind: "configmaps", uid },
      },
    ]);
    const gone = await at.call("GET", at.core("configmaps", "life"));
    expect([gone.code, gone.body]).toEqual([
      404,
      failure(404, "NotFound", 'configmaps "life" not found', { name: "life", kind: "configmaps" }),
    ]);
  });

  promise("practice:objects", "defaults, generated names and write-only fields are filled in", async () => {
    const at = client();
    const secret = await at.make(at.core("secrets"), {
      metadata: { generateName: "made-" },
      stringData: { key: "value" },
    });
    expect([secret.type, secret.data, secret.stringData]).toEqual(["Opaque", { key: "dmFsdWU=" }, undefined]);
    expect(secret.metadata.name).toMatch(/^made-[a-z0-9]{5}$/);
    const made = await at.make(at.apps("deployments"), deployment("defaults", 0));
    expect([made.metadata.generation, made.spec.strategy, made.spec.template.spec.restartPolicy]).toEqual([
      1,
      { type: "RollingUpdate", rollingUpdate: { maxUnavailable: "25%", maxSurge: "25%" } },
      "Always",
    ]);
    const namespace = await at.call("GET", `/api/v1/namespaces/${at.namespace}`);
    expect([namespace.body.status, namespace.body.metadata.labels]).toEqual([
      { phase: "Active" },
      { "kubernetes.io/metadata.name": at.namespace, suite: "yes" },
    ]);
  });

  promise("practice:objects", "a strategic patch merges containers and their environment by name", async () => {
    const at = client();
    await at.make(at.apps("deployments"), deployment("strategic", 0));
    const patch = {
      spec: { template: { spec: { containers: [{ name: "main", env: [{ name: "B", value: "2" }] }] } } },
    };
    const type = "application/strategic-merge-patch+json";
    const patched = await at.call("PATCH", at.apps("deployments", "strategic"), { body: patch, type });
    const [container] = patched.body.spec.template.spec.containers;
    expect(patched.body.metadata.generation).toBe(2);
    expect([container.image, container.env]).toEqual([
      "registry.example.com/main:1",
      expect.arrayContaining([
        { name: "A", value: "1" },
        { name: "B", value: "2" },
      ]),
    ]);
  });

  promise("practice:refusals", "a write to another version or another object is a conflict", async () => {
    const at = client();
    const { metadata } = await at.make(at.core("configmaps"), { metadata: { name: "versions" }, data: { a: "1" } });
    const details = { name: "versions", kind: "configmaps" };
    const stale = failure(
      409,
      "Conflict",
      `Operation cannot be fulfilled on configmaps "versions": ${modified}`,
      details,
    );
    const path = at.core("configmaps", "versions");
    const old = { metadata: { name: "versions", resourceVersion: "1" }, data: { a: "2" } };
    expect((await at.call("PUT", path, { body: old })).body).toEqual(stale);
    expect((await at.call("PATCH", path, { body: old })).body).toEqual(stale);
    const again = await at.call("POST", at.core("configmaps"), { body: { metadata: { name: "versions" } } });
    expect(again.body).toEqual(failure(409, "AlreadyExists", 'configmaps "versions" already exists', details));
    const other = await at.call("DELETE", path, { body: { preconditions: { uid: "another" } } });
    expect(other.body).toEqual(
      failure(
        409,
        "Conflict",
        `Operation cannot be fulfilled on ConfigMap "versions": the UID in the precondition (another) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`,
        { name: "versions", kind: "ConfigMap" },
      ),
    );
    const younger = await at.call("DELETE", path, { body: { preconditions: { resourceVersion: "1" } } });
    expect([younger.code, younger.body.reason]).toEqual([409, "Conflict"]);
    const kept = await at.call("GET", path);
    expect([kept.body.metadata.uid, kept.body.data]).toEqual([metadata.uid, { a: "1" }]);
  });

  promise("practice:refusals", "names, values and shapes that do not hold are told field by field", async () => {
    const at = client();
    const label =
      "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
    const bad = await at.call("POST", "/api/v1/namespaces", { body: { metadata: { name: "P_1" } } });
    const message = `Invalid value: "P_1": ${label}`;
    expect(bad.body).toEqual(
      failure(422, "Invalid", `Namespace "P_1" is invalid: metadata.name: ${message}`, {
        name: "P_1",
        kind: "Namespace",
        causes: [{ reason: "FieldValueInvalid", message, field: "metadata.name" }],
      }),
    );
    const empty = await at.call("POST", at.apps("deployments"), {
      body: { metadata: { name: "empty" }, spec: { replicas: -1 } },
    });
    expect([empty.code, empty.body.details.causes.map((cause: { field: string }) => cause.field)]).toEqual([
      422,
      ["spec.replicas", "spec.selector", "spec.template.metadata.labels", "spec.template.spec.containers"],
    ]);
    const typed = await at.call("POST", at.core("configmaps"), {
      body: { metadata: { name: "typed" }, data: { a: 5 } },
    });
    expect(typed.body).toEqual(
      failure(
        400,
        "BadRequest",
        'ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal number into Go struct field ConfigMap.data of type string',
      ),
    );
    const nowhere = await at.call("POST", "/api/v1/namespaces/suite-nowhere/configmaps", {
      body: { metadata: { name: "a" } },
    });
    const details = { name: "suite-nowhere", kind: "namespaces" };
    expect(nowhere.body).toEqual(failure(404, "NotFound", 'namespaces "suite-nowhere" not found', details));
    const elsewhere = await at.call("POST", at.core("configmaps"), {
      body: { metadata: { name: "a", namespace: "default" } },
    });
    expect(elsewhere.body).toEqual(
      failure(
        400,
        "BadRequest",
        "the namespace of the provided object does not match the namespace sent on the request",
      ),
    );
    for (const [body, code] of [
      ["not json", 400],
      [{ apiVersion: "v1", kind: "Pod", metadata: { name: "a" } }, 400],
      [{ metadata: {} }, 422],
    ] as const) {
      expect((await at.call("POST", at.core("configmaps"), { body })).code).toBe(code);
    }
    expect((await at.call("POST", at.core("configmaps"), { body: "{}", type: "text/plain" })).code).toBe(415);
    expect((await at.call("PATCH", at.core("configmaps", "a"), { body: {}, type: "application/json" })).code).toBe(415);
    expect((await at.call("GET", at.core("configmaps"), { accept: "text/html" })).code).toBe(406);
  });

  promise(
    "practice:refusals",
    "a patch of a wrong type is answered with the stored object, values and all",
    async () => {
      const at = client();
      await at.make(at.core("secrets"), { metadata: { name: "leaky" }, stringData: { key: "canary" } });
      const wrong = await at.call("PATCH", at.core("secrets", "leaky"), { body: { data: { key: 5, other: "eA==" } } });
      expect([wrong.code, wrong.body.reason]).toEqual([422, "Invalid"]);
      const scaled = await at.call("PATCH", at.core("secrets", "leaky"), { body: { data: { more: 5 } } });
      expect(scaled.body.message).toContain(Buffer.from("canary").toString("base64"));
    },
  );

  promise("practice:refusals", "what is not there is not found", async () => {
    const at = client();
    for (const path of [
      at.core("nothings"),
      at.core("configmaps", "a", "scale"),
      "/apis/nothing.example/v1/things",
      "/nothing",
    ]) {
      expect([path, (await at.call("GET", path)).code]).toEqual([path, 404]);
    }
    expect((await at.call("PUT", "/api/v1/pods", { body: {} })).body.reason).toBe("MethodNotAllowed");
    expect((await at.call("POST", "/version", { body: {} })).code).toBe(405);
    const fixed = await at.make(at.rbac("rolebindings"), {
      metadata: { name: "fixed" },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "one" },
    });
    const still = { metadata: { name: "still" }, immutable: true, data: { a: "1" } };
    await at.make(at.core("configmaps"), still);
    const stirred = await at.call("PATCH", at.core("configmaps", "still"), { body: { data: { a: "2" } } });
    expect([stirred.code, stirred.body.details.causes[0]]).toEqual([
      422,
      {
        reason: "FieldValueForbidden",
        message: "Forbidden: field is immutable when `immutable` is set",
        field: "data",
      },
    ]);
    const kept = await at.call("DELETE", "/api/v1/namespaces/kube-system?dryRun=All");
    const details = { name: "kube-system", kind: "namespaces" };
    expect(kept.body).toEqual(
      failure(403, "Forbidden", 'namespaces "kube-system" is forbidden: this namespace may not be deleted', details),
    );
    const spec = { serviceAccountName: "runner", containers: [{ name: "a", image: "registry.example.com/a:1" }] };
    await at.make(at.core("pods"), { metadata: { name: "set" }, spec });
    const environment = { spec: { containers: [{ ...spec.containers[0], env: [{ name: "A", value: "1" }] }] } };
    const type = "application/strategic-merge-patch+json";
    const changed = await at.call("PATCH", at.core("pods", "set"), { body: environment, type });
    expect([changed.code, changed.body.details.causes[0].field]).toEqual([422, "spec"]);
    const image = { spec: { containers: [{ name: "a", image: "registry.example.com/a:2" }] } };
    expect((await at.call("PATCH", at.core("pods", "set"), { body: image, type })).code).toBe(200);
    const moved = await at.call("PATCH", at.rbac("rolebindings", "fixed"), {
      body: { roleRef: { ...fixed.roleRef, name: "two" } },
    });
    expect([moved.code, moved.body.details.causes[0].field]).toEqual([422, "roleRef"]);
  });

  promise("practice:dry-run", "create, patch and delete leave no trace", async () => {
    const at = client();
    const made = await at.call("POST", `${at.core("configmaps")}?dryRun=All`, { body: { metadata: { name: "dry" } } });
    expect([made.code, made.body.metadata.resourceVersion]).toEqual([201, undefined]);
    expect((await at.call("GET", at.core("configmaps", "dry"))).code).toBe(404);
    const kept = await at.make(at.core("configmaps"), { metadata: { name: "dry" }, data: { a: "1" } });
    const path = `${at.core("configmaps", "dry")}?dryRun=All`;
    const patched = await at.call("PATCH", path, { body: { data: { a: "2" } } });
    expect([patched.code, patched.body.data, patched.body.metadata.resourceVersion]).toEqual([
      200,
      { a: "2" },
      kept.metadata.resourceVersion,
    ]);
    expect((await at.call("DELETE", path)).body.status).toBe("Success");
    expect((await at.call("DELETE", at.core("configmaps", "dry"), { body: { dryRun: ["All"] } })).body.status).toBe(
      "Success",
    );
    expect((await at.call("GET", at.core("configmaps", "dry"))).body).toEqual(kept);
    const half = await at.call("DELETE", `${at.core("configmaps", "dry")}?dryRun=Half`);
    expect([half.code, half.body.details.causes[0].field]).toEqual([422, "dryRun"]);
  });

  promise("practice:scale", "a count is read, patched with its version, rehearsed and refused", async () => {
    const at = client();
    const made = await at.make(at.apps("deployments"), deployment("scaled", 0));
    const path = at.apps("deployments", "scaled", "scale");
    const { body: before } = await at.call("GET", path);
    const { uid, creationTimestamp } = made.metadata;
    expect(before).toEqual({
      kind: "Scale",
      apiVersion: "autoscaling/v1",
      metadata: {
        name: "scaled",
        namespace: at.namespace,
        uid,
        resourceVersion: expect.any(String),
        creationTimestamp,
      },
      // A count of none is left out.
      spec: {},
      status: { replicas: 0, selector: "app=scaled" },
    });
    const rehearsed = await at.call("PATCH", `${path}?dryRun=All`, { body: { spec: { replicas: 2 } } });
    expect([rehearsed.code, rehearsed.body.spec]).toEqual([200, { replicas: 2 }]);
    expect((await at.call("GET", at.apps("deployments", "scaled"))).body.spec.replicas).toBe(0);

    const negative = await at.call("PATCH", path, { body: { spec: { replicas: -1 } } });
    const message = "Invalid value: -1: must be greater than or equal to 0";
    expect(negative.body).toEqual(
      failure(422, "Invalid", `Scale.autoscaling "scaled" is invalid: spec.replicas: ${message}`, {
        name: "scaled",
        group: "autoscaling",
        kind: "Scale",
        causes: [{ reason: "FieldValueInvalid", message, field: "spec.replicas" }],
      }),
    );
    const details = { name: "scaled", group: "apps", kind: "deployments" };
    const stale = await at.call("PATCH", path, { body: { metadata: { resourceVersion: "1" }, spec: { replicas: 1 } } });
    expect(stale.body).toEqual(
      failure(409, "Conflict", `Operation cannot be fulfilled on deployments.apps "scaled": ${modified}`, details),
    );
    const other = await at.call("PATCH", path, { body: { metadata: { uid: "another" }, spec: { replicas: 1 } } });
    expect(other.body).toEqual(
      failure(
        409,
        "Conflict",
        `Operation cannot be fulfilled on deployments/scale.apps "scaled": Precondition failed: UID in precondition: another, UID in object meta: ${uid}`,
        { name: "scaled", group: "apps", kind: "deployments/scale" },
      ),
    );
    const missing = await at.call("PATCH", at.apps("deployments", "missing", "scale"), {
      body: { spec: { replicas: 1 } },
    });
    expect(missing.body).toEqual(
      failure(404, "NotFound", 'deployments.apps "missing" not found', { ...details, name: "missing" }),
    );

    // A controller may write the status between the read and the patch: then the version is stale, and one reads again.
    await eventually(async () => {
      const { body: now } = await at.call("GET", path);
      const pinned = { metadata: { uid, resourceVersion: now.metadata.resourceVersion }, spec: { replicas: 1 } };
      const done = await at.call("PATCH", `${path}?fieldManager=suite-scale`, { body: pinned });
      expect([done.code, done.body.spec]).toEqual([200, { replicas: 1 }]);
    });
    const { body: after } = await at.call("GET", at.apps("deployments", "scaled"));
    expect([after.spec.replicas, after.metadata.generation]).toEqual([1, 2]);
    expect(after.metadata.managedFields).toContainEqual(
      expect.objectContaining({
        manager: "suite-scale",
        subresource: "scale",
        fieldsV1: { "f:spec": { "f:replicas": {} } },
      }),
    );
    const whole = { metadata: { name: "scaled", namespace: at.namespace }, spec: { replicas: 0 } };
    expect((await at.call("PUT", path, { body: whole })).body.spec).toEqual({});
    expect((await at.call("GET", at.apps("deployments", "scaled"))).body.spec.replicas).toBe(0);
  });

  promise("practice:paths", "an encoded slash leads from a namespace to its objects", async () => {
    const at = client();
    const made = await at.make(at.core("configmaps"), { metadata: { name: "behind" } });
    const reached = await at.call("GET", `/api/v1/namespaces/${at.namespace}%2Fconfigmaps%2Fbehind`);
    expect(reached.body).toEqual(made);
    expect((await at.call("GET", `${at.core("configmaps", "behind")}/`)).body).toEqual(made);
  });
}
