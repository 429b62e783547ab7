// Each built-in forbid by every route that the catalogue has (long: one table), on a real kube-apiserver, by an administrator's own credential, under policies that allow everything.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, inject } from "vitest";
import { at, textAt, type Json, type JsonObject } from "../../src/domain/json.ts";
import { bodyForbids } from "../../src/execution/body-forbids.ts";
import { forbids } from "../../src/policy/forbid.ts";
import { promise } from "../support/promise.ts";
import { openWorld, type World } from "../support/world.ts";
import { adminOf, deployment, namespace, type Admin } from "./admin.ts";

const cluster = inject("cluster");
const why = "skip" in cluster ? ` (skipped: ${cluster.skip})` : "";
const place = "forbids";
const label = "sh.helm.release.v1.web.v1";

interface Row {
  readonly forbid: string;
  readonly route: string;
  readonly tool: string;
  readonly arguments: JsonObject;
  /** The fault where something stops the call before any forbid is asked; absent: the forbid itself. */
  readonly code?: string;
}

const row = (forbid: string, route: string, tool: string, arguments_: JsonObject, code?: string): Row => ({
  forbid,
  route,
  tool,
  arguments: arguments_,
  ...(code === undefined ? {} : { code }),
});
const reason = { reason: "a test of the forbids" };
const inPlace = (scope: string): JsonObject => (scope === "" ? {} : { namespace: scope });

interface Thing {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  /** "" outside namespaces. */
  readonly scope?: string;
  /** The rest of the manifest. */
  readonly body?: JsonObject;
}

const manifestOf = ({ apiVersion, kind, name, scope = place, body = {} }: Thing): JsonObject => ({
  apiVersion,
  kind,
  metadata: { name, ...inPlace(scope) },
  ...body,
});
const apply = (forbid: string, route: string, manifest: JsonObject, code?: string): Row =>
  row(forbid, route, "manifests_apply", { manifest: JSON.stringify(manifest), ...reason }, code);
/** A manifest, alone, in a List, and after one that is allowed. */
function applies(forbid: string, thing: Thing): readonly Row[] {
  const manifest = manifestOf(thing);
  const free = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "free", namespace: place }, data: {} };
  return [
    apply(forbid, `apply ${thing.kind}`, manifest),
    apply(
      forbid,
      `apply ${thing.kind} in a List`,
      { apiVersion: "v1", kind: "List", items: [manifest] },
      "invalid_input",
    ),
    row(forbid, `apply ${thing.kind} behind another`, "manifests_apply", {
      manifest: [free, manifest].map((one) => JSON.stringify(one)).join("\n---\n"),
      ...reason,
    }),
  ];
}
const patchTypes: readonly (readonly [string, Json])[] = [
  ["merge", { metadata: { annotations: { a: "b" } } }],
  ["strategic", { metadata: { annotations: { a: "b" } } }],
  ["json", [{ op: "add", path: "/metadata/annotations", value: { a: "b" } }]],
];
function patches(forbid: string, { kind, apiVersion, name, scope = place }: Thing): readonly Row[] {
  const named = apiVersion.includes("/") ? `${kind}.${apiVersion.split("/")[0]}` : kind;
  return patchTypes.map(([type, patch]) =>
    row(forbid, `${type} patch of ${kind}`, "objects_patch", {
      kind: named,
      name,
      ...inPlace(scope),
      type,
      patch,
      ...reason,
    }),
  );
}
function remove(forbid: string, { kind, apiVersion, name, scope = place }: Thing): Row {
  const named = apiVersion.includes("/") ? `${kind}.${apiVersion.split("/")[0]}` : kind;
  return row(forbid, `delete ${kind}`, "objects_delete", { kind: named, names: [name], ...inPlace(scope), ...reason });
}
const every = (forbid: string, thing: Thing): readonly Row[] => [
  ...applies(forbid, thing),
  ...patches(forbid, thing),
  remove(forbid, thing),
];
const rbac = "rbac.authorization.k8s.io/v1";
const core = "v1";

/** A pod template that shows `forbid`, and the ways to write one. */
function bodyRows(forbid: string, spec: JsonObject, container: JsonObject, field: string): readonly Row[] {
  const pod = { ...spec, containers: [{ name: "main", image: "example.com/x:1", ...container }] };
  const template = { metadata: { labels: { app: "x" } }, spec: pod };
  const workload = { selector: { matchLabels: { app: "x" } }, template };
  const own = { name: "free" };
  const manifests: readonly JsonObject[] = [
    { apiVersion: core, kind: "Pod", metadata: own, spec: pod },
    { apiVersion: "apps/v1", kind: "Deployment", metadata: own, spec: workload },
    { apiVersion: "apps/v1", kind: "DaemonSet", metadata: own, spec: workload },
    { apiVersion: "apps/v1", kind: "StatefulSet", metadata: own, spec: { ...workload, serviceName: "x" } },
    { apiVersion: "apps/v1", kind: "ReplicaSet", metadata: own, spec: workload },
    { apiVersion: core, kind: "ReplicationController", metadata: own, spec: { selector: { app: "x" }, template } },
    { apiVersion: core, kind: "PodTemplate", metadata: own, template },
    {
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: own,
      spec: { template: { ...template, spec: { ...pod, restartPolicy: "Never" } } },
    },
    {
      apiVersion: "batch/v1",
      kind: "CronJob",
      metadata: own,
      spec: {
        schedule: "0 3 1 1 *",
        jobTemplate: { spec: { template: { ...template, spec: { ...pod, restartPolicy: "Never" } } } },
      },
    },
  ];
  const patchOf = (type: string, patch: Json): Row =>
    row(forbid, `${type} patch of a Deployment`, "objects_patch", {
      kind: "Deployment",
      namespace: place,
      name: "plain",
      type,
      patch,
      ...reason,
    });
  const podSpec =
    Object.keys(container).length > 0
      ? { containers: [{ name: "app", image: "example.com/x:1", ...container }] }
      : spec;
  const inContainer = Object.keys(container).length > 0;
  const pointer = `/spec/template/spec/${inContainer ? "containers/0/" : ""}${field}`;
  const value = at(inContainer ? container : spec, field) ?? null;
  return [
    ...manifests.map((one) =>
      apply(forbid, `apply ${textAt(one, "kind")}`, { ...one, metadata: { ...own, namespace: place } }),
    ),
    patchOf("merge", { spec: { template: { spec: podSpec } } }),
    patchOf("strategic", { spec: { template: { spec: podSpec } } }),
    patchOf("json", [{ op: "add", path: pointer, value }]),
    row(forbid, "json patch of a whole template", "objects_patch", {
      kind: "Deployment",
      namespace: place,
      name: "plain",
      type: "json",
      patch: [{ op: "replace", path: "/spec/template", value: template }],
      ...reason,
    }),
    row(forbid, "run of a CronJob that has it", "jobs_run", { name: `cron-${forbid}`, namespace: place, ...reason }),
    row(forbid, "undo to a revision that has it", "rollouts_undo", {
      kind: "Deployment",
      name: `undo-${forbid}`,
      namespace: place,
      ...reason,
    }),
  ];
}

const bodies: {
  readonly [forbid: string]: { readonly spec: JsonObject; readonly container: JsonObject; readonly field: string };
} = {
  "host-namespaces": { spec: { hostNetwork: true }, container: {}, field: "hostNetwork" },
  "host-path": { spec: { volumes: [{ name: "host", hostPath: { path: "/etc" } }] }, container: {}, field: "volumes" },
  privileged: { spec: {}, container: { securityContext: { privileged: true } }, field: "securityContext" },
};

const owned = (extra: JsonObject = {}): JsonObject => ({
  ownerReferences: [
    { apiVersion: "v1", kind: "ConfigMap", name: "nobody", uid: "00000000-0000-0000-0000-000000000000", ...extra },
  ],
});

const tokenSecret = (name: string): JsonObject => ({
  apiVersion: core,
  kind: "Secret",
  metadata: { name, namespace: place, annotations: { "kubernetes.io/service-account.name": "held" } },
  type: "kubernetes.io/service-account-token",
});

const rows: readonly Row[] = [
  row(
    "plain-names",
    "a name that is a path",
    "objects_get",
    { kind: "Pod", namespace: place, name: "../secrets" },
    "invalid_input",
  ),
  row("plain-names", "a wildcard kind", "objects_list", { kind: "*", namespace: place }, "invalid_input"),
  row(
    "plain-names",
    "a subresource in the name",
    "objects_get",
    { kind: "Pod", namespace: place, name: "web/log" },
    "invalid_input",
  ),
  row(
    "plain-names",
    "a namespace with another in it",
    "objects_list",
    { kind: "Pod", namespace: "a/../kube-system" },
    "invalid_input",
  ),
  row(
    "write-in-read",
    "a subresource that runs, by get",
    "objects_get",
    { kind: "pods/exec", namespace: place, name: "plain" },
    "invalid_input",
  ),
  row(
    "service-account-tokens",
    "a subresource",
    "objects_get",
    { kind: "serviceaccounts/token", namespace: place, name: "default" },
    "invalid_input",
  ),
  row(
    "service-account-tokens",
    "patch of the subresource",
    "objects_patch",
    { kind: "serviceaccounts/token", namespace: place, name: "default", patch: { spec: {} }, ...reason },
    "invalid_input",
  ),
  apply(
    "service-account-tokens",
    "apply TokenRequest",
    {
      apiVersion: "authentication.k8s.io/v1",
      kind: "TokenRequest",
      metadata: { name: "default", namespace: place },
      spec: {},
    },
    "unknown_kind",
  ),
  ...every("helm-releases", { apiVersion: core, kind: "ConfigMap", name: label, body: { data: { release: "x" } } }),
  ...every("helm-releases", { apiVersion: core, kind: "Secret", name: label, body: { type: "helm.sh/release.v1" } }),
  row("helm-releases", "get of the ConfigMap", "objects_get", { kind: "ConfigMap", namespace: place, name: label }),
  row("helm-releases", "get of the Secret", "objects_get", { kind: "Secret", namespace: place, name: label }),
  row("system-exec", "a command", "pods_exec", { namespace: "kube-system", name: "dns", command: ["ls"], ...reason }),
  row("system-exec", "a command in Sallyport's own namespace", "pods_exec", {
    namespace: "sallyport-system",
    name: "gateway",
    command: ["ls"],
    ...reason,
  }),
  row(
    "tunnels",
    "patch of ephemeral containers",
    "objects_patch",
    { kind: "pods/ephemeralcontainers", namespace: place, name: "plain", patch: { spec: {} }, ...reason },
    "invalid_input",
  ),
  row(
    "tunnels",
    "get of a proxy",
    "objects_get",
    { kind: "pods/proxy", namespace: place, name: "plain" },
    "invalid_input",
  ),
  row(
    "tunnels",
    "get of a service's proxy",
    "objects_get",
    { kind: "services/proxy", namespace: place, name: "plain" },
    "invalid_input",
  ),
  row("kubelet", "get of a node's proxy", "objects_get", { kind: "nodes/proxy", name: "n1" }, "invalid_input"),
  row("kubelet", "a node's proxy in its name", "objects_get", { kind: "Node", name: "n1/proxy" }, "invalid_input"),
  row(
    "delete-collection",
    "a wildcard for the name",
    "objects_delete",
    { kind: "ConfigMap", namespace: place, names: ["*"], ...reason },
    "invalid_input",
  ),
  row(
    "delete-collection",
    "no name at all",
    "objects_delete",
    { kind: "ConfigMap", namespace: place, names: [""], ...reason },
    "invalid_input",
  ),
  row(
    "delete-collection",
    "a selector",
    "objects_delete",
    { kind: "ConfigMap", namespace: place, names: ["a"], selector: "a=b", ...reason },
    "invalid_input",
  ),
  ...every("namespaces", { apiVersion: core, kind: "Namespace", name: place, scope: "" }),
  row(
    "namespaces",
    "its pod-security label",
    "objects_patch",
    {
      kind: "Namespace",
      name: place,
      patch: { metadata: { labels: { "pod-security.kubernetes.io/enforce": "privileged" } } },
      ...reason,
    },
    "invalid_input",
  ),
  row(
    "namespaces",
    "its finalizers",
    "objects_patch",
    { kind: "namespaces/finalize", name: place, patch: { spec: { finalizers: [] } }, ...reason },
    "invalid_input",
  ),
  remove("persistent-volume-delete", { apiVersion: core, kind: "PersistentVolume", name: "pv-forbids", scope: "" }),
  row("persistent-volume-delete", "previewed", "objects_delete", {
    kind: "PersistentVolume",
    names: ["pv-forbids"],
    preview: true,
    ...reason,
  }),
  ...every("rights", { apiVersion: rbac, kind: "Role", name: "mine", body: { rules: [] } }),
  ...every("rights", { apiVersion: rbac, kind: "ClusterRole", name: "view", scope: "", body: { rules: [] } }),
  ...every("rights", {
    apiVersion: rbac,
    kind: "RoleBinding",
    name: "mine",
    body: { roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "admin" } },
  }),
  ...every("rights", {
    apiVersion: rbac,
    kind: "ClusterRoleBinding",
    name: "mine",
    scope: "",
    body: { roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "cluster-admin" } },
  }),
  ...every("rights", {
    apiVersion: "certificates.k8s.io/v1",
    kind: "CertificateSigningRequest",
    name: "mine",
    scope: "",
    body: { spec: { request: "", signerName: "example.com/x", usages: ["client auth"] } },
  }),
  row("impersonation", "as a kind", "objects_get", { kind: "users", name: "admin" }, "unknown_kind"),
  apply(
    "impersonation",
    "apply of a group",
    { apiVersion: "v1", kind: "Group", metadata: { name: "system:masters" } },
    "invalid_input",
  ),
  ...every("cluster-extensions", {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "MutatingWebhookConfiguration",
    name: "mine",
    scope: "",
  }),
  ...every("cluster-extensions", {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "ValidatingWebhookConfiguration",
    name: "mine",
    scope: "",
  }),
  ...every("cluster-extensions", {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "ValidatingAdmissionPolicy",
    name: "mine",
    scope: "",
  }),
  ...every("cluster-extensions", {
    apiVersion: "apiregistration.k8s.io/v1",
    kind: "APIService",
    name: "v1.example.com",
    scope: "",
  }),
  ...every("cluster-extensions", {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    name: "things.example.com",
    scope: "",
  }),
  ...every("nodes", { apiVersion: core, kind: "Node", name: "node-forbids", scope: "" }),
  row("nodes", "its labels, as cordon would", "objects_patch", {
    kind: "Node",
    name: "node-forbids",
    patch: { spec: { unschedulable: true } },
    ...reason,
  }),
  row(
    "nodes",
    "its status",
    "objects_patch",
    { kind: "nodes/status", name: "node-forbids", patch: { status: {} }, ...reason },
    "invalid_input",
  ),
  ...every("controller-state", { apiVersion: core, kind: "Endpoints", name: "web", body: { subsets: [] } }),
  ...every("controller-state", {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    name: "web",
    body: { addressType: "IPv4", endpoints: [] },
  }),
  ...every("controller-state", {
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    name: "leader",
    body: { spec: {} },
  }),
  apply("controller-state", "apply of a Binding", {
    apiVersion: "v1",
    kind: "Binding",
    metadata: { name: "plain", namespace: place },
    target: { kind: "Node", name: "n1" },
  }),
  row(
    "controller-state",
    "a pod's binding",
    "objects_patch",
    { kind: "pods/binding", namespace: place, name: "plain", patch: { target: {} }, ...reason },
    "invalid_input",
  ),
  ...["kube-system", "kube-public", "sallyport-system"].flatMap((scope) =>
    every("system-namespaces", { apiVersion: core, kind: "ConfigMap", name: "mine", scope, body: { data: {} } }),
  ),
  row("system-namespaces", "scale", "workloads_scale", {
    kind: "Deployment",
    namespace: "kube-system",
    name: "dns",
    replicas: 0,
    ...reason,
  }),
  row("system-namespaces", "restart", "workloads_restart", {
    kind: "Deployment",
    namespace: "kube-system",
    name: "dns",
    ...reason,
  }),
  row("system-namespaces", "update", "workloads_update", {
    kind: "Deployment",
    namespace: "kube-system",
    name: "dns",
    container: "dns",
    image: "example.com/x:1",
    ...reason,
  }),
  row("system-namespaces", "undo", "rollouts_undo", {
    kind: "Deployment",
    namespace: "kube-system",
    name: "dns",
    ...reason,
  }),
  row("system-namespaces", "run", "jobs_run", { namespace: "kube-system", name: "backup", ...reason }),
  ...Object.entries(bodies).flatMap(([forbid, { spec, container, field }]) => bodyRows(forbid, spec, container, field)),
  apply("token-secrets", "apply", tokenSecret("free")),
  row("token-secrets", "a run's own Secret, patched", "objects_patch", {
    kind: "Secret",
    namespace: place,
    name: "held",
    patch: { metadata: { annotations: { a: "b" } } },
    ...reason,
  }),
  remove("token-secrets", { apiVersion: core, kind: "Secret", name: "held" }),
  apply(
    "absent-owner",
    "apply",
    { apiVersion: core, kind: "ConfigMap", metadata: { name: "free", namespace: place, ...owned() }, data: {} },
    "not_found",
  ),
  ...patchTypes.map(([type]) =>
    row(
      "absent-owner",
      `${type} patch`,
      "objects_patch",
      {
        kind: "ConfigMap",
        namespace: place,
        name: "owned",
        type,
        patch:
          type === "json"
            ? [{ op: "add", path: "/metadata/ownerReferences", value: owned()["ownerReferences"] ?? null }]
            : { metadata: owned() },
        ...reason,
      },
      "invalid_input",
    ),
  ),
  apply("absent-owner", "apply, by the name of one that is there", {
    apiVersion: core,
    kind: "ConfigMap",
    metadata: { name: "free", namespace: place, ...owned({ name: "owned" }) },
    data: {},
  }),
];

const opening = (effect: string, more = ""): string =>
  `version: 1\nrules:\n- {id: all, effect: ${effect}, match: {}, ${effect === "allow" ? "" : 'approval: {approvers: ["group:approvers"]}, '}reason: All.}\n${more}`;
const secrets =
  '- {id: secrets, effect: require-approval, match: {kinds: [secrets]}, approval: {approvers: ["group:approvers"]}, reason: S.}\n';

describe.skipIf("skip" in cluster)(`forbids by every route on a real control plane${why}`, () => {
  let admin: Admin;
  let world: World;
  let hangup = (): void => undefined;

  beforeAll(async () => {
    if ("skip" in cluster) return;
    admin = adminOf(cluster);
    await admin.create("/api/v1/namespaces", namespace(place, "dev"));
    await admin.send("POST", "/api/v1/namespaces", namespace("sallyport-system", "dev"));
    const apps = `/apis/apps/v1/namespaces/${place}/deployments`;
    await admin.create(apps, deployment("plain", 1, "x"));
    await admin.create(
      `/api/v1/namespaces/${place}/configmaps`,
      manifestOf({ apiVersion: core, kind: "ConfigMap", name: "owned" }),
    );
    // Kubernetes collects such a Secret whose account it does not know.
    await admin.create(`/api/v1/namespaces/${place}/serviceaccounts`, { metadata: { name: "held" } });
    await admin.create(`/api/v1/namespaces/${place}/secrets`, tokenSecret("held"));
    for (const [forbid, { spec, container }] of Object.entries(bodies)) {
      const pod = {
        restartPolicy: "Never",
        ...spec,
        containers: [{ name: "app", image: "example.com/x:1", ...container }],
      };
      await admin.create(`/apis/batch/v1/namespaces/${place}/cronjobs`, {
        apiVersion: "batch/v1",
        kind: "CronJob",
        metadata: { name: `cron-${forbid}` },
        spec: { schedule: "0 3 1 1 *", suspend: true, jobTemplate: { spec: { template: { spec: pod } } } },
      });
      const name = `undo-${forbid}`;
      const selector = { matchLabels: { app: name } };
      const body = (own: JsonObject): JsonObject => ({
        apiVersion: "apps/v1",
        kind: "Deployment",
        metadata: { name },
        spec: { replicas: 0, selector, template: { metadata: { labels: { app: name } }, spec: own } },
      });
      const always = { ...pod, restartPolicy: "Always" };
      await admin.create(apps, body(always));
      await untilRevisions(name, 1);
      const tame = { restartPolicy: "Always", containers: [{ name: "app", image: "example.com/x:2" }] };
      await admin.send("PUT", `${apps}/${name}`, body(tame));
      await untilRevisions(name, 2);
    }
    world = await openWorld({
      kubeconfigPath: cluster.kubeconfigPath,
      enroll: null,
      config: "credentials: ambient\nhold: 0",
      policy: opening("allow", secrets),
      outside: {
        onHangup(run) {
          hangup = run;
          return () => undefined;
        },
      },
    });
  }, 300_000);
  afterAll(async () => {
    await world?.stop();
  });

  async function untilRevisions(name: string, count: number): Promise<void> {
    for (const end = Date.now() + 60_000; Date.now() < end;) {
      const { body } = await admin.send(
        "GET",
        `/apis/apps/v1/namespaces/${place}/replicasets?labelSelector=app%3D${name}`,
      );
      const items = body["items"];
      if (Array.isArray(items) && items.length >= count) return;
      await pause(50);
    }
    throw new Error(`no revision ${count} of ${name}`);
  }

  /** How the row ended: the forbid that answered, or the fault. */
  async function outcomeOf({ tool, arguments: given, forbid }: Row): Promise<string> {
    const answer = await world.call(tool, given);
    const call = textAt(answer.facts, "call");
    const code = textAt(answer.facts, "code");
    if (code !== "denied") return code === "" ? answer.text.slice(0, 400) : code;
    const told = bodyForbids.find((one) => one.id === forbid);
    if (told !== undefined) return answer.text.includes(told.sentence) ? `forbid:${forbid}` : answer.text;
    const decided = (await world.entries()).find((one) => one["call"] === call && one["kind"] === "call.decided");
    return `forbid:${textAt(decided, "details", "forbid")}`;
  }

  const tried = async (): Promise<readonly string[]> => {
    const wrong: string[] = [];
    for (const one of rows) {
      const ended = await outcomeOf(one);
      const meant = one.code ?? `forbid:${one.forbid}`;
      if (ended !== meant) wrong.push(`${one.forbid}, ${one.route}: ${ended}, not ${meant}`);
    }
    return wrong;
  };
  /** Writes that reached the API server for calls of this world, dry runs aside. */
  const written = async (): Promise<readonly string[]> => {
    const calls = new Set((await world.entries()).map((one) => textAt(one, "call")));
    return (await admin.audit())
      .filter(
        (event) =>
          calls.has(textAt(event, "auditID").split(".")[0] ?? "") &&
          !["get", "list", "watch"].includes(textAt(event, "verb")) &&
          !textAt(event, "requestURI").includes("dryRun=All") &&
          !textAt(event, "objectRef", "resource").startsWith("selfsubject"),
      )
      .map((event) => textAt(event, "requestURI"));
  };

  promise("policy:forbids-by-every-route", "no forbid is without a row", () => {
    const ids = [...forbids, ...bodyForbids].map(({ id }) => id);
    const covered = new Set(rows.map(({ forbid }) => forbid));
    expect(ids.filter((id) => !covered.has(id))).toEqual([]);
    expect([...covered].filter((id) => !ids.includes(id))).toEqual([]);
  });

  promise("policy:forbids-by-every-route", "a policy that allows everything lifts none", async () => {
    expect(await tried()).toEqual([]);
    expect(await written()).toEqual([]);
  });

  promise("policy:forbids-by-every-route", "a person's yes does not read a Secret that holds a token", async () => {
    const asked = await world.call("objects_get", { kind: "Secret", namespace: place, name: "held" });
    expect(asked.text).toMatch(/^APPROVAL PENDING/);
    const id = await world.approve();
    const answer = await world.call("approval_wait", { id, wait_seconds: 45 });
    expect(answer.text).toMatch(/^DENIED: /);
  });

  promise(
    "policy:forbids-by-every-route",
    "nor does one that asks a person for everything: nobody is asked (but for the Secret above)",
    async () => {
      await writeFile(join(world.folder, "policy.yaml"), opening("require-approval"));
      hangup();
      await expect.poll(() => world.log(), { timeout: 60_000 }).toContain("The policy was reloaded");
      // A read waits for a person before its arguments meet the cluster: what is forbidden is refused all the same.
      expect(await tried()).toEqual([]);
      expect((await world.entries()).filter(({ kind }) => kind === "approval.requested")).toHaveLength(1);
      expect(await written()).toEqual([]);
    },
  );
});
