// What `enroll --nodes` gives and what holds it, tried on a cluster that means it. Owns the cluster's enrolment while it runs.

import { afterAll, beforeAll, describe, expect } from "vitest";
import type { Access } from "../../../src/domain/access.ts";
import { Faulted } from "../../../src/domain/fault.ts";
import { at, isJsonObject, textAt, type JsonObject } from "../../../src/domain/json.ts";
import type { KubeClient, KubeRequest } from "../../../src/kubernetes/contract.ts";
import { enroll, unenroll, type EnrolOptions } from "../../../src/credentials/enroll.ts";
import { inspect } from "../../../src/credentials/inspect.ts";
import { openCredentials, type ClusterCredentials } from "../../../src/credentials/open.ts";
import { openSeparated } from "../../../src/credentials/separate.ts";
import { promise } from "../../support/promise.ts";
import { access, auditIds, authorizedCall, testIds } from "./calls.ts";
import type { RealCluster } from "./real-suite.ts";

const [shop, other] = ["sallyport-nodes-shop", "sallyport-nodes-other"] as const;
const [node, spare] = ["sallyport-node", "sallyport-spare"] as const;
const gatewayId = "nodes-under-test";
const ids = testIds();
const signal = new AbortController().signal;
const reach = {
  namespaces: [shop],
  clusterRead: false,
  secrets: false,
  nodes: true,
  exec: false,
  kinds: [],
  clusterKinds: [],
};
const rbac = "rbac.authorization.k8s.io";

export function nodesSuite(connect: () => Promise<RealCluster>): void {
  let real: RealCluster;
  let client: KubeClient;
  let admin: string | null;
  const opened: ClusterCredentials[] = [];
  const pause = (time: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, time));

  function open(): ClusterCredentials {
    const ours = openCredentials({
      connection: real.connection,
      client,
      mode: "grants",
      gatewayId,
      newGrantId: () => ids.grant(),
      nextAuditId: auditIds("suite"),
      now: Date.now,
      pause,
    });
    opened.push(ours);
    return ours;
  }
  const options = (): EnrolOptions => ({
    client,
    authorization: admin,
    nextAuditId: auditIds("enroll"),
    signal,
    now: Date.now,
    pause,
    progress: () => {},
  });
  type Ask = Partial<KubeRequest> & Pick<KubeRequest, "verb" | "resource">;
  /** `done`, or the fault's code with who refused it: `admission_denied sallyport-preview`. */
  async function ask(authorization: string | null, request: Ask): Promise<string> {
    if (connections.has(request.subresource ?? "")) return await mayConnect(authorization, request);
    const full = { group: "", version: "v1", namespace: "", name: "", auditId: "suite.x", agent: "suite", signal };
    try {
      await client.request({ ...full, ...request, authorization });
      return "done";
    } catch (thrown) {
      if (!(thrown instanceof Faulted)) throw thrown;
      const { code, detail } = thrown.fault;
      return (code === "admission_denied" ? `${code} ${textAt(detail, "name")}` : code).trim();
    }
  }
  /** The client opens no connection as a request: the server is asked about it (authorization.k8s.io/v1 SelfSubjectAccessReview). */
  const connections = new Set(["proxy", "exec"]);
  async function mayConnect(authorization: string | null, request: Ask): Promise<string> {
    const { verb, resource, subresource = "", namespace = "", name = "" } = request;
    const kind = { apiVersion: "authorization.k8s.io/v1", kind: "SelfSubjectAccessReview" };
    const resourceAttributes = { verb, group: "", resource, subresource, namespace, name };
    const place = { version: "v1", namespace: "", name: "", auditId: "suite.x", agent: "suite", signal };
    const { body } = await client.request({
      ...place,
      verb: "create",
      group: "authorization.k8s.io",
      resource: "selfsubjectaccessreviews",
      body: { ...kind, spec: { resourceAttributes } },
      authorization,
    });
    return at(body, "status", "allowed") === true ? "done" : "cluster_denied";
  }
  const on = (part: Partial<Access> & Pick<Access, "verb" | "resource">): Access =>
    access(client.cluster, { namespace: "", ...part });
  const evicted = (namespace: string, name: string): Access =>
    on({ verb: "create", resource: "pods", subresource: "eviction", namespace, name });
  /** What a drain of the node declares, with a pod of an enrolled and one of another namespace. */
  const drain = (): Access[] => [
    on({ verb: "get", resource: "nodes", name: node }),
    on({ verb: "patch", resource: "nodes", name: node }),
    on({ verb: "list", resource: "pods" }),
    on({ verb: "list", resource: "poddisruptionbudgets", group: "policy", namespace: other, optional: true }),
    evicted(shop, "a"),
    evicted(other, "b"),
  ];
  const issue = (accesses: Access[], from: ClusterCredentials) =>
    from.issue(authorizedCall({ cluster: client.cluster, effect: "destroy", accesses }), {
      nextAuditId: auditIds("call"),
      deadline: 30_000,
      signal,
    });
  const patchNode = (body: JsonObject, name: string = node, more: Partial<Ask> = {}): Ask => ({
    verb: "patch",
    resource: "nodes",
    name,
    contentType: "application/merge-patch+json",
    body,
    ...more,
  });
  const cordon = { spec: { unschedulable: true } };
  const eviction = (namespace: string, name: string, more: Partial<Ask> = {}): Ask => ({
    verb: "create",
    resource: "pods",
    subresource: "eviction",
    namespace,
    name,
    body: { apiVersion: "policy/v1", kind: "Eviction", metadata: { name, namespace } },
    ...more,
  });
  const rehearsed = { query: { dryRun: "All" } };
  async function made(resource: string, namespace: string, object: JsonObject): Promise<void> {
    expect([resource, await ask(admin, { verb: "create", resource, namespace, body: object })]).toEqual([
      resource,
      "done",
    ]);
  }
  const podOn = (name: string): JsonObject => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name },
    spec: { nodeName: node, containers: [{ name: "main", image: "registry.example.com/pause:1" }] },
  });
  async function clusterRoles(): Promise<string[]> {
    const full = { version: "v1", namespace: "", name: "", auditId: "suite.x", agent: "suite", signal };
    const query = { labelSelector: `sallyport.dev/gateway=${gatewayId}` };
    const found: string[] = [];
    for (const resource of ["clusterroles", "clusterrolebindings"]) {
      const asked = { ...full, verb: "list", group: rbac, resource, query, authorization: admin } as const;
      const { items } = (await client.request(asked)).body;
      for (const item of Array.isArray(items) ? items : [])
        if (isJsonObject(item)) found.push(`${resource} ${textAt(item, "metadata", "name")}`);
    }
    return found;
  }

  describe("credentials for nodes", { timeout: 90_000 }, () => {
    let credentials: ClusterCredentials;

    beforeAll(async () => {
      real = await connect();
      client = openSeparated(real.connection, real.open);
      admin = await real.connection.authorization();
      for (const name of [shop, other]) {
        await made("namespaces", "", { apiVersion: "v1", kind: "Namespace", metadata: { name } });
        await made("serviceaccounts", name, { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "mine" } });
      }
      for (const name of [node, spare])
        await made("nodes", "", { apiVersion: "v1", kind: "Node", metadata: { name, labels: { zone: "one" } } });
      for (const [namespace, name] of [
        [shop, "a"],
        [other, "a"],
        [other, "b"],
        [other, "c"],
      ] as const)
        for (let tries = 0; tries < 600; tries++) {
          // The account of pods that name none is made by a controller, a moment after the namespace.
          if ((await ask(admin, { verb: "create", resource: "pods", namespace, body: podOn(name) })) === "done") break;
          await pause(100);
        }
      expect(await enroll(reach, options())).toMatchObject({ kind: "done" });
      credentials = open();
    }, 300_000);
    afterAll(async () => {
      await unenroll(null, options());
      for (const ours of opened) await ours.close();
      for (const name of [node, spare]) await ask(admin, { verb: "delete", resource: "nodes", name });
      for (const name of [shop, other]) await ask(admin, { verb: "delete", resource: "namespaces", name });
      for (const name of ["sallyport-system", "sallyport-sessions"])
        for (let tries = 0; tries < 300; tries++) {
          if ((await ask(admin, { verb: "get", resource: "namespaces", name })) === "not_found") break;
          await pause(200);
        }
      await client.close();
    });

    promise("credentials:enroll-idempotent", "with nodes too: a second run and doctor find nothing to do", async () => {
      const again = await enroll(reach, options());
      expect(again.steps.filter((step) => !["unchanged", "proved"].includes(step.answer))).toEqual([]);
      expect(await inspect({ ...options(), agent: "suite" })).toEqual({
        kind: "enrolled",
        enrolment: { version: "1", ...reach },
        findings: [],
      });
    });

    promise(
      "credentials:node-fence",
      "the preview account rehearses cordons and evictions anywhere, and carries out none",
      async () => {
        const token = (await credentials.issuePreview(signal)).authorization();
        for (const request of [patchNode(cordon), eviction(shop, "a"), eviction(other, "b")]) {
          const dry = await ask(token, { ...request, ...rehearsed });
          const real_ = await ask(token, request);
          expect([request.resource, request.namespace, dry, real_]).toEqual([
            request.resource,
            request.namespace,
            "done",
            "admission_denied sallyport-preview",
          ]);
        }
        // A body of its own that says dry run, under a query that does not.
        const body = {
          apiVersion: "policy/v1",
          kind: "Eviction",
          metadata: { name: "b", namespace: other },
          deleteOptions: { dryRun: ["All"] },
        };
        expect(await ask(token, { ...eviction(other, "b"), body })).toBe("admission_denied sallyport-preview");
        for (const request of [
          { verb: "delete", resource: "nodes", name: node },
          { verb: "get", resource: "nodes", subresource: "proxy", name: node },
          patchNode({ status: {} }, node, { subresource: "status" }),
          { verb: "delete", resource: "pods", namespace: other, name: "b" },
        ] satisfies Ask[])
          expect([request, await ask(token, { ...request, ...(request.verb === "get" ? {} : rehearsed) })]).toEqual([
            request,
            "cluster_denied",
          ]);
      },
    );

    promise(
      "credentials:cluster-grant",
      "exactly the node and the pods that the call names, and nothing after it",
      async () => {
        const issued = await issue(drain(), credentials);
        const token = issued.grant.authorization();
        expect((await clusterRoles()).length).toBe(2);
        const allowed: Ask[] = [
          { verb: "get", resource: "nodes", name: node },
          patchNode(cordon),
          { verb: "list", resource: "pods", query: { fieldSelector: `spec.nodeName=${node}` } },
          { verb: "list", resource: "poddisruptionbudgets", group: "policy", namespace: other },
          eviction(shop, "a", rehearsed),
          eviction(other, "b", rehearsed),
        ];
        for (const request of allowed) expect([request, await ask(token, request)]).toEqual([request, "done"]);
        const refused: Ask[] = [
          patchNode(cordon, spare),
          { verb: "get", resource: "nodes", name: spare },
          { verb: "list", resource: "nodes" },
          { verb: "delete", resource: "nodes", name: node },
          { verb: "get", resource: "nodes", subresource: "proxy", name: node },
          patchNode({ status: {} }, node, { subresource: "status" }),
          eviction(other, "c", rehearsed),
          // The Role of the enrolled namespace is exact to the namespace.
          eviction(other, "a", rehearsed),
          { verb: "get", resource: "pods", namespace: other, name: "b" },
          { verb: "delete", resource: "pods", namespace: other, name: "b" },
          { verb: "create", resource: "pods", subresource: "exec", namespace: other, name: "b" },
          { verb: "get", resource: "secrets", namespace: other, name: "any" },
        ];
        for (const request of refused)
          expect([request, await ask(token, request)]).toEqual([request, "cluster_denied"]);
        expect(await issued.revoke()).toBe(true);
        expect(await clusterRoles()).toEqual([]);
        expect(await ask(token, patchNode(cordon))).toMatch(/^(cluster_denied|credential_unavailable)$/);
      },
    );

    promise(
      "credentials:ceiling",
      "of the cluster: what is beyond it can't be granted and leaves nothing",
      async () => {
        const beyond: Access[] = [
          on({ verb: "delete", resource: "nodes", name: node }),
          on({ verb: "get", resource: "nodes", subresource: "proxy", name: node }),
          on({ verb: "patch", resource: "nodes", subresource: "status", name: node }),
          on({ verb: "delete", resource: "pods", namespace: other, name: "b" }),
          on({ verb: "get", resource: "secrets", namespace: "kube-system", name: "any" }),
          on({ verb: "patch", resource: "namespaces", name: other }),
          on({ verb: "patch", resource: "deployments", group: "apps", namespace: other, name: "api" }),
        ];
        for (const wanted of beyond) {
          const thrown: unknown = await issue([...drain(), wanted], credentials).then(
            () => "granted",
            (caught: unknown) => (caught instanceof Faulted ? caught.fault.code : caught),
          );
          expect([wanted.resource, thrown]).toEqual([wanted.resource, "credential_unavailable"]);
        }
        expect(await clusterRoles()).toEqual([]);
      },
    );

    promise("credentials:node-fence", "a grant changes nothing of a node but whether pods may come", async () => {
      const issued = await issue(drain(), credentials);
      const preview = await credentials.issuePreview(signal);
      for (const [token, more] of [
        [issued.grant.authorization(), {}],
        [preview.authorization(), rehearsed],
      ] as const) {
        for (const body of [
          { metadata: { labels: { zone: "two" } } },
          { metadata: { annotations: { mine: "yes" } } },
          { spec: { taints: [{ key: "mine", effect: "NoSchedule" }] } },
          // An owner that does not exist has the node collected within seconds, and all of its pods after it.
          { metadata: { ownerReferences: [{ apiVersion: "v1", kind: "Node", name: "none", uid: "0-0-0" }] } },
          { metadata: { finalizers: ["example.com/held"] } },
          { spec: { podCIDR: "10.9.0.0/24", podCIDRs: ["10.9.0.0/24"] } },
          { spec: { providerID: "mine://node" } },
        ])
          expect([body, await ask(token, patchNode(body, node, more))]).toEqual([
            body,
            "admission_denied sallyport-grants-nodes",
          ]);
        expect(await ask(token, patchNode({ spec: { unschedulable: null } }, node, more))).toBe("done");
      }
      await issued.revoke();
    });

    promise("credentials:node-fence", "the gateway makes and removes no ClusterRole but those of grants", async () => {
      const token = await credentials.readIdentity(signal);
      const grant = ids.grant();
      const labels = { "sallyport.dev/grant": grant, "sallyport.dev/gateway": gatewayId };
      const rules = [{ apiGroups: [""], resources: ["nodes"], verbs: ["get"] }];
      const role = (name: string, marks: JsonObject, held: JsonObject[] = rules): Ask => ({
        verb: "create",
        resource: "clusterroles",
        group: rbac,
        body: { apiVersion: `${rbac}/v1`, kind: "ClusterRole", metadata: { name, labels: marks }, rules: held },
      });
      const bind = (name: string, to: string, subject: JsonObject): Ask => ({
        verb: "create",
        resource: "clusterrolebindings",
        group: rbac,
        body: {
          apiVersion: `${rbac}/v1`,
          kind: "ClusterRoleBinding",
          metadata: { name, labels },
          roleRef: { apiGroup: rbac, kind: "ClusterRole", name: to },
          subjects: [subject],
        },
      });
      const run = `run-${grant}`;
      const own = { kind: "ServiceAccount", namespace: "sallyport-sessions", name: run };
      const fenced = "admission_denied sallyport-gateway-cluster-roles";
      const bindings = "admission_denied sallyport-gateway-cluster-bindings";
      // Where two fences refuse, the server names either.
      const either: unknown = expect.stringMatching(/^admission_denied sallyport-gateway-cluster-(roles|bindings)$/);
      const tried: readonly (readonly [Ask, unknown])[] = [
        [role("mine", labels), fenced],
        [role(run, {}), fenced],
        [role(run, { ...labels, "rbac.authorization.k8s.io/aggregate-to-view": "true" }), fenced],
        [role(run, labels, [{ apiGroups: [""], resources: ["secrets"], verbs: ["get"] }]), "cluster_denied"],
        [role(run, labels), "done"],
        [bind(run, run, { kind: "Group", apiGroup: rbac, name: "system:authenticated" }), bindings],
        [bind(run, run, { ...own, namespace: "default" }), bindings],
        [bind(run, run, { ...own, name: "another" }), bindings],
        [bind(run, "cluster-admin", own), "cluster_denied"],
        [bind(run, "sallyport-ceiling-nodes", own), bindings],
        [bind("mine", run, own), either],
        [bind(run, run, own), "done"],
        [{ verb: "delete", resource: "clusterroles", group: rbac, name: "cluster-admin" }, fenced],
        [{ verb: "delete", resource: "clusterrolebindings", group: rbac, name: "cluster-admin" }, fenced],
        [{ verb: "delete", resource: "clusterrolebindings", group: rbac, name: run }, "done"],
        [{ verb: "delete", resource: "clusterroles", group: rbac, name: run }, "done"],
      ];
      for (const [request, answer] of tried) expect([request, await ask(token, request)]).toEqual([request, answer]);
    });

    promise(
      "credentials:cluster-grant",
      "what a dead gateway left of it is swept; unenroll takes the rest",
      async () => {
        const lost = await issue(drain(), open());
        const answer = await credentials.sweep({ knows: () => true, sessionGrants: [] }, signal);
        expect(answer?.swept.map(({ grant, complete, objects }) => [grant, complete, objects.length])).toEqual([
          [lost.grant.id, true, 6],
        ]);
        expect(await clusterRoles()).toEqual([]);
        await issue(drain(), open());
        expect((await clusterRoles()).length).toBe(2);
        expect((await unenroll(null, options())).kind).toBe("done");
        expect(await clusterRoles()).toEqual([]);
        expect(await inspect({ ...options(), agent: "suite" })).toEqual({ kind: "not_enrolled" });
      },
    );
  });
}
