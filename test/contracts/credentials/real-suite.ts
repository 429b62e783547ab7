// What credentials promise, tried on a cluster that means it: the real kube-apiserver, and any that claims to be like it. Owns the cluster's enrolment.

import { afterAll, beforeAll, describe, expect } from "vitest";
import type { Access, Verb } from "../../../src/domain/access.ts";
import { Faulted } from "../../../src/domain/fault.ts";
import type { GrantFields } from "../../../src/domain/grant.ts";
import { isJsonObject, textAt, type JsonObject } from "../../../src/domain/json.ts";
import type { Connection, KubeClient, KubeRequest } from "../../../src/kubernetes/contract.ts";
import { enroll, unenroll, type EnrolOptions } from "../../../src/credentials/enroll.ts";
import { inspect } from "../../../src/credentials/inspect.ts";
import { openCredentials, type ClusterCredentials } from "../../../src/credentials/open.ts";
import { openSeparated } from "../../../src/credentials/separate.ts";
import { promise } from "../../support/promise.ts";
import { access, auditIds, authorizedCall, newSession, testIds, type CallParts } from "./calls.ts";
import { writes } from "./support.ts";

/** An administrator's way in. With a client certificate in it, the certificate's promise is tried too. */
export interface RealCluster {
  readonly connection: Connection;
  readonly open: (connection: Connection) => KubeClient;
}

const [shop, other] = ["sallyport-test-shop", "sallyport-test-other"] as const;
const gatewayId = "gateway-under-test";
const ids = testIds();
const signal = new AbortController().signal;
const reach = {
  namespaces: [shop, other],
  clusterRead: false,
  secrets: false,
  nodes: false,
  exec: false,
  kinds: [],
  clusterKinds: [],
};

export function credentialsSuite(connect: () => Promise<RealCluster>): void {
  let real: RealCluster;
  let client: KubeClient;
  let admin: string | null;
  let credentials: ClusterCredentials;
  const opened: ClusterCredentials[] = [];

  const pause = (time: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, time));
  function open(through: KubeClient = client): ClusterCredentials {
    const { connection } = real;
    const ours = openCredentials({
      connection,
      client: through,
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
  function options(): EnrolOptions {
    return {
      client,
      authorization: admin,
      nextAuditId: auditIds("enroll"),
      signal,
      now: Date.now,
      pause,
      progress: () => {},
    };
  }
  type Ask = Partial<KubeRequest> & Pick<KubeRequest, "verb" | "resource">;
  /** The answer's object, or the fault's code with who refused it: `admission_denied sallyport-preview`. */
  async function ask(authorization: string | null, request: Ask): Promise<JsonObject | string> {
    const group = ["deployments", "replicasets"].includes(request.resource) ? "apps" : "";
    const full = { group, version: "v1", namespace: shop, name: "", auditId: "suite.x", agent: "suite", signal };
    try {
      return (await client.request({ ...full, ...request, authorization })).body;
    } catch (thrown) {
      if (!(thrown instanceof Faulted)) throw thrown;
      return `${thrown.fault.code} ${textAt(thrown.fault.detail, "name")}`.trim();
    }
  }
  const asAdmin = (request: Ask): Promise<JsonObject | string> => ask(admin, request);
  const code = async (answer: Promise<JsonObject | string>): Promise<string> => {
    const found = await answer;
    return typeof found === "string" ? (found.split(" ")[0] ?? "") : "done";
  };
  const issue = (parts: Omit<CallParts, "cluster">, from = credentials) =>
    from.issue(authorizedCall({ cluster: client.cluster, ...parts }), {
      nextAuditId: auditIds("call"),
      deadline: 30_000,
      signal,
    });
  const on = (part: Partial<Access> & Pick<Access, "verb" | "resource">): Access =>
    access(client.cluster, { namespace: shop, ...part });
  const scaleApi = (): Access[] => [
    on({ verb: "get", resource: "deployments", name: "api" }),
    on({ verb: "get", resource: "deployments", subresource: "scale", name: "api" }),
    on({ verb: "patch", resource: "deployments", subresource: "scale", name: "api" }),
  ];
  const patchScale = (name: string, more: Partial<Ask> = {}): Ask => ({
    verb: "patch",
    resource: "deployments",
    subresource: "scale",
    name,
    contentType: "application/merge-patch+json",
    body: { spec: { replicas: 2 } },
    ...more,
  });
  async function refusal(promised: Promise<unknown>): Promise<{ code: string; detail: JsonObject }> {
    try {
      await promised;
    } catch (thrown) {
      if (thrown instanceof Faulted) return { code: thrown.fault.code, detail: { ...thrown.fault.detail } };
      throw thrown;
    }
    throw new Error("it was not refused");
  }
  /** Names of this gateway's objects, everywhere that it makes any. */
  async function leftovers(): Promise<string[]> {
    const labelSelector = `sallyport.dev/gateway=${gatewayId}`;
    const places = [
      ["serviceaccounts", "", "sallyport-sessions"],
      ["secrets", "", "sallyport-sessions"],
      ["secrets", "", "sallyport-system"],
      ...[shop, other].flatMap((namespace) =>
        ["roles", "rolebindings"].map((resource) => [resource, "rbac.authorization.k8s.io", namespace]),
      ),
    ] as const;
    const found: string[] = [];
    for (const [resource = "", group = "", namespace = ""] of places) {
      const list = await asAdmin({ verb: "list", resource, group, namespace, query: { labelSelector } });
      const items = isJsonObject(list) && Array.isArray(list["items"]) ? list["items"] : [];
      found.push(...items.map((item: JsonObject) => `${resource} ${namespace}/${textAt(item, "metadata", "name")}`));
    }
    return found;
  }
  async function until(ready: () => Promise<boolean>, seconds = 20): Promise<boolean> {
    for (const end = Date.now() + seconds * 1000; Date.now() < end;) {
      if (await ready()) return true;
      await pause(200);
    }
    return false;
  }

  describe("credentials", { timeout: 90_000 }, () => {
    beforeAll(async () => {
      real = await connect();
      client = openSeparated(real.connection, real.open);
      admin = await real.connection.authorization();
      for (const namespace of [shop, other]) {
        const made = { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } };
        await asAdmin({ verb: "create", resource: "namespaces", namespace: "", body: made });
        for (const name of ["api", "web"]) await asAdmin(deploymentPost(namespace, name));
        const secret = {
          apiVersion: "v1",
          kind: "Secret",
          metadata: { name: "db" },
          stringData: { password: "planted" },
        };
        await asAdmin({ verb: "create", resource: "secrets", namespace, body: secret });
      }
      const done = await enroll(reach, options());
      expect(done).toMatchObject({ kind: "done" });
      credentials = open();
    }, 90_000);
    afterAll(async () => {
      for (const ours of opened) await ours.close();
      const place = { resource: "namespaces", namespace: "" };
      for (const name of [shop, other]) await asAdmin({ verb: "delete", ...place, name });
      // The next suite on this cluster may want the same names.
      for (const name of [shop, other, "sallyport-system", "sallyport-sessions"])
        await until(async () => (await code(asAdmin({ verb: "get", ...place, name }))) === "not_found", 15);
      await client.close();
    });

    promise("credentials:enroll-idempotent", "a second run finds everything as it should be", async () => {
      const again = await enroll(reach, options());
      expect(again.kind).toBe("done");
      expect(again.steps.filter((step) => !["unchanged", "proved"].includes(step.answer))).toEqual([]);
      const inspection = await inspect({ ...options(), agent: "suite" });
      expect(inspection).toEqual({
        kind: "enrolled",
        enrolment: { version: "1", ...reach, namespaces: [other, shop] },
        findings: [],
      });
    });

    promise(
      "credentials:enroll-idempotent",
      "an edited ceiling is kept and named, a loosened fence is put back",
      async () => {
        const rbac = { group: "rbac.authorization.k8s.io", namespace: "" };
        const ceiling = { ...rbac, resource: "clusterroles", name: "sallyport-ceiling" };
        const before = (await asAdmin({ verb: "get", ...ceiling })) as JsonObject;
        const narrower = (before["rules"] as JsonObject[]).slice(0, -1);
        await asAdmin({ verb: "update", ...ceiling, body: { ...before, rules: narrower } });
        const fence = {
          group: "admissionregistration.k8s.io",
          resource: "validatingadmissionpolicies",
          namespace: "",
          name: "sallyport-grants-pods",
        };
        const strict = (await asAdmin({ verb: "get", ...fence })) as JsonObject;
        const loosened = { ...strict, spec: { ...(strict["spec"] as JsonObject), failurePolicy: "Ignore" } };
        await asAdmin({ verb: "update", ...fence, body: loosened });
        expect(await inspect({ ...options(), agent: "suite" })).toMatchObject({
          findings: [
            {
              object: "ValidatingAdmissionPolicy sallyport-grants-pods",
              kind: "differs",
              paths: ["spec.failurePolicy"],
            },
            { object: "ClusterRole sallyport-ceiling", kind: "edited", paths: ["rules"] },
          ],
        });
        const again = await enroll(reach, options());
        expect(again.steps.filter((step) => !["unchanged", "proved"].includes(step.answer))).toEqual([
          { object: "ValidatingAdmissionPolicy sallyport-grants-pods", answer: "updated" },
          { object: "ClusterRole sallyport-ceiling", answer: "kept" },
        ]);
        const edited = (await asAdmin({ verb: "get", ...ceiling })) as JsonObject;
        expect(edited["rules"]).toEqual(narrower);
        await asAdmin({ verb: "update", ...ceiling, body: { ...edited, rules: before["rules"] ?? [] } });
        expect(await inspect({ ...options(), agent: "suite" })).toMatchObject({ findings: [] });
      },
    );

    promise("credentials:gateway-account", "the server takes the gateway for its own account", async () => {
      const review = { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" };
      const seen = await ask(await credentials.readIdentity(signal), {
        verb: "create",
        resource: "selfsubjectreviews",
        group: "authentication.k8s.io",
        namespace: "",
        body: review,
      });
      expect(textAt(seen as JsonObject, "status", "userInfo", "username")).toBe(
        "system:serviceaccount:sallyport-system:gateway",
      );
    });

    promise("credentials:certificate", "a gateway wired to an unseparated certificate refuses to work", async () => {
      if (real.connection.tls.cert === undefined) return;
      const mixed = real.open(real.connection);
      const wrong = open(mixed);
      expect(await refusal(wrong.readIdentity(signal))).toMatchObject({ code: "credential_unavailable" });
      await mixed.close();
    });

    promise("credentials:exact", "another name, namespace, verb or resource is refused by Kubernetes", async () => {
      const { grant, revoke } = await issue({ effect: "change", accesses: scaleApi() });
      const token = grant.authorization();
      expect(await code(ask(token, patchScale("api")))).toBe("done");
      expect(await code(ask(token, { verb: "get", resource: "deployments", name: "api" }))).toBe("done");
      const tried: Ask[] = [
        patchScale("web"),
        patchScale("api", { namespace: other }),
        { verb: "delete", resource: "deployments", name: "api" },
        { verb: "list", resource: "deployments" },
        patchScale("api", { subresource: "" }),
        { verb: "get", resource: "deployments", name: "web" },
        { verb: "get", resource: "secrets", name: "db" },
        { verb: "list", resource: "pods" },
        { verb: "list", resource: "namespaces", namespace: "" },
        { verb: "get", resource: "deployments", name: "api", namespace: other },
      ];
      for (const request of tried)
        expect([request, await code(ask(token, request))]).toEqual([request, "cluster_denied"]);
      expect(await revoke()).toBe(true);
      expect(await revoke()).toBe(true);
    });

    promise("credentials:exact", "a grant serves its first request as soon as it is issued", async () => {
      for (let round = 0; round < 15; round++) {
        const { grant, revoke } = await issue({ effect: "change", accesses: scaleApi() });
        expect(await code(ask(grant.authorization(), patchScale("api")))).toBe("done");
        await revoke();
      }
    });

    promise(
      "credentials:dies-with-call",
      "refused at once after the call, unknown soon after; a reader's token with its session",
      async () => {
        const session = newSession();
        const list = on({ verb: "list", resource: "pods" });
        const reading = await issue({ effect: "read", accesses: [list], session });
        const { grant, revoke } = await issue({ effect: "change", accesses: scaleApi() });
        expect(await code(ask(grant.authorization(), patchScale("api")))).toBe("done");
        expect(await revoke()).toBe(true);
        expect(await until(async () => (await code(ask(grant.authorization(), patchScale("api")))) !== "done", 2)).toBe(
          true,
        );
        expect(await reading.revoke()).toBe(null);
        expect(await code(ask(reading.grant.authorization(), { verb: "list", resource: "pods" }))).toBe("done");
        expect(await credentials.endSession(session.id)).toBe(true);
        const dead = async (one: GrantFields): Promise<boolean> =>
          (await code(ask(one.authorization(), { verb: "list", resource: "pods" }))) === "credential_unavailable";
        expect(await Promise.all([until(() => dead(grant)), until(() => dead(reading.grant))])).toEqual([true, true]);
      },
    );

    promise("credentials:ceiling", "what is beyond the ceiling can't be granted and leaves nothing", async () => {
      const before = await leftovers();
      const beyond: Access[] = [
        on({ verb: "get", resource: "secrets", name: "db" }),
        on({ verb: "patch", resource: "roles", group: "rbac.authorization.k8s.io", name: "any" }),
        on({ verb: "get", resource: "deployments", name: "api", namespace: "kube-system" }),
      ];
      for (const wanted of beyond)
        expect(await refusal(issue({ effect: "change", accesses: [...scaleApi(), wanted] }))).toEqual({
          code: "credential_unavailable",
          detail: { needs: "an enrolled namespace, and a ceiling that holds these accesses" },
        });
      const command = on({ verb: "create", resource: "pods", subresource: "exec", name: "api" });
      expect(await refusal(issue({ effect: "execute", accesses: [...scaleApi(), command] }))).toEqual({
        code: "credential_unavailable",
        detail: { needs: "sallyport enroll --exec" },
      });
      expect(await leftovers()).toEqual(before);
    });

    promise("credentials:ceiling", "the gateway's own token makes nothing stronger than itself", async () => {
      const token = await credentials.readIdentity(signal);
      const rbac = "rbac.authorization.k8s.io";
      const role = (rules: JsonObject[]): JsonObject => ({
        apiVersion: `${rbac}/v1`,
        kind: "Role",
        metadata: { name: "stronger", namespace: shop },
        rules,
      });
      const subjects = [{ kind: "ServiceAccount", namespace: "sallyport-system", name: "gateway" }];
      const bind = (kind: string, scope: JsonObject): JsonObject => ({
        apiVersion: `${rbac}/v1`,
        kind,
        metadata: { name: "stronger", ...scope },
        roleRef: { apiGroup: rbac, kind: "ClusterRole", name: "cluster-admin" },
        subjects,
      });
      const mint = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: {} };
      const system = { namespace: "sallyport-system" };
      const tried: Ask[] = [
        {
          verb: "create",
          resource: "roles",
          group: rbac,
          body: role([{ apiGroups: [""], resources: ["secrets"], verbs: ["get"] }]),
        },
        {
          verb: "create",
          resource: "roles",
          group: rbac,
          body: role([{ apiGroups: ["*"], resources: ["*"], verbs: ["*"] }]),
        },
        { verb: "create", resource: "rolebindings", group: rbac, body: bind("RoleBinding", { namespace: shop }) },
        {
          verb: "create",
          resource: "clusterrolebindings",
          group: rbac,
          namespace: "",
          body: bind("ClusterRoleBinding", {}),
        },
        { verb: "create", resource: "serviceaccounts", subresource: "token", name: "gateway", ...system, body: mint },
        { verb: "create", resource: "serviceaccounts", subresource: "token", name: "default", body: mint },
        { verb: "get", resource: "secrets", name: "db" },
        { verb: "list", resource: "secrets", ...system },
        { verb: "list", resource: "secrets" },
        { verb: "update", resource: "configmaps", name: "enrolment", ...system, body: {} },
      ];
      for (const request of tried)
        expect([request, await code(ask(token, request))]).toEqual([request, "cluster_denied"]);
    });

    promise("credentials:reader-session", "reads with one token a session, and never a Secret", async () => {
      const [mine, theirs] = [newSession(), newSession()];
      const accesses = [on({ verb: "list", resource: "pods" })];
      const first = await issue({ effect: "read", accesses, session: mine });
      const second = await issue({ effect: "read", accesses, session: mine });
      const third = await issue({ effect: "read", accesses, session: theirs });
      expect([await writes(first), await writes(second), await writes(third)]).toEqual([true, false, true]);
      expect([second.grant.id, second.grant.jti]).toEqual([first.grant.id, first.grant.jti]);
      expect(third.grant.jti).not.toBe(first.grant.jti);
      expect(first.grant.account).toBe("system:serviceaccount:sallyport-system:reader");
      const token = first.grant.authorization();
      expect(await code(ask(token, { verb: "list", resource: "deployments", namespace: other }))).toBe("done");
      const tried: Ask[] = [
        { verb: "get", resource: "secrets", name: "db" },
        { verb: "list", resource: "secrets" },
        { verb: "list", resource: "pods", namespace: "kube-system" },
        { verb: "list", resource: "nodes", namespace: "" },
        patchScale("api", { query: { dryRun: "All" } }),
      ];
      for (const request of tried)
        expect([request, await code(ask(token, request))]).toEqual([request, "cluster_denied"]);
      const command = {
        namespace: shop,
        name: "api",
        container: "main",
        command: ["ls"],
        timeout: 5_000,
        maxBytes: 1024,
      };
      const identity = { authorization: token, auditId: "suite.x", agent: "suite", signal, guard: () => undefined };
      await expect(client.exec({ ...command, ...identity })).rejects.toMatchObject({
        fault: { code: "cluster_denied" },
      });
      expect(await Promise.all([mine, theirs].map((one) => credentials.endSession(one.id)))).toEqual([true, true]);
    });

    promise(
      "credentials:preview-fence",
      "dry runs pass; real writes, deletes, evictions and connections do not",
      async () => {
        const grant = await credentials.issuePreview(signal);
        expect([grant.issuer, grant.account]).toEqual(["preview", "system:serviceaccount:sallyport-system:preview"]);
        const token = grant.authorization();
        const rehearse = { query: { dryRun: "All" } };
        const remove: Ask = { verb: "delete", resource: "deployments", name: "web" };
        const label: Ask = { ...patchScale("api", { subresource: "" }), body: { metadata: { labels: { a: "b" } } } };
        const make = { ...deploymentPost(shop, "new") };
        for (const request of [patchScale("api"), remove, label, make]) {
          expect([request, await code(ask(token, { ...request, ...rehearse }))]).toEqual([request, "done"]);
          expect([request, await ask(token, request)]).toEqual([request, "admission_denied sallyport-preview"]);
        }
        expect(await ask(token, { verb: "get", resource: "secrets", name: "db" })).toMatch(/^cluster_denied/);
      },
    );

    promise("credentials:preview-fence", "without its policy there is no preview", async () => {
      const place = {
        group: "admissionregistration.k8s.io",
        resource: "validatingadmissionpolicybindings",
        namespace: "",
        name: "sallyport-preview",
      };
      expect(await credentials.fence(signal)).toMatchObject({ kind: "bites" });
      await asAdmin({ verb: "delete", ...place });
      expect(await until(async () => (await open().fence(signal)).kind === "open")).toBe(true);
      const fresh = open();
      expect(await refusal(fresh.issuePreview(signal))).toMatchObject({ code: "preview_unavailable" });
      const again = await enroll(reach, options());
      expect(again.steps.filter((step) => !["unchanged", "proved"].includes(step.answer))).toEqual([
        { object: "ValidatingAdmissionPolicyBinding sallyport-preview", answer: "created" },
      ]);
      expect(await open().fence(signal)).toMatchObject({ kind: "bites" });
    });

    promise(
      "credentials:grant-fence",
      "the node, power and credentials are out of reach, for rehearsals too",
      async () => {
        const accesses = [
          on({ verb: "get", resource: "deployments", name: "api" }),
          on({ verb: "patch", resource: "deployments", name: "api" }),
        ];
        const { grant, revoke } = await issue({ effect: "change", accesses });
        const rehearsal = await credentials.issuePreview(signal);
        const patch = (spec: JsonObject): Ask => ({
          ...patchScale("api", { subresource: "" }),
          contentType: "application/strategic-merge-patch+json",
          body: { spec: { template: { spec } } },
          query: { dryRun: "All" },
        });
        const container = (more: JsonObject): JsonObject => ({ name: "api", ...more });
        const refused: [JsonObject, string][] = [
          [{ hostNetwork: true }, "sallyport-grants-workloads"],
          [{ hostPID: true }, "sallyport-grants-workloads"],
          [{ volumes: [{ name: "root", hostPath: { path: "/" } }] }, "sallyport-grants-workloads"],
          [{ containers: [container({ securityContext: { privileged: true } })] }, "sallyport-grants-workloads"],
          [
            { initContainers: [{ name: "first", image: "i", securityContext: { privileged: true } }] },
            "sallyport-grants-workloads",
          ],
        ];
        for (const token of [grant.authorization(), rehearsal.authorization()]) {
          expect(await code(ask(token, patch({ containers: [container({ image: "registry.example/api:2" })] })))).toBe(
            "done",
          );
          for (const [spec, by] of refused)
            expect([spec, await ask(token, patch(spec))]).toEqual([spec, refusedBy(spec, by)]);
        }
        await revoke();
      },
    );

    promise("credentials:grant-fence", "even under a Role that allows everything", async () => {
      const rbac = "rbac.authorization.k8s.io";
      const everything = { apiGroups: ["*"], resources: ["*"], verbs: ["*"] };
      const metadata = { name: "overpowered", namespace: shop };
      const account = {
        apiVersion: "v1",
        kind: "ServiceAccount",
        metadata: { name: "overpowered", namespace: "sallyport-sessions" },
      };
      const roleRef = { apiGroup: rbac, kind: "Role", name: "overpowered" };
      const subjects = [{ kind: "ServiceAccount", namespace: "sallyport-sessions", name: "overpowered" }];
      const head = { apiVersion: `${rbac}/v1`, metadata };
      await asAdmin({ verb: "create", resource: "serviceaccounts", namespace: "sallyport-sessions", body: account });
      await asAdmin({
        verb: "create",
        resource: "roles",
        group: rbac,
        body: { ...head, kind: "Role", rules: [everything] },
      });
      await asAdmin({
        verb: "create",
        resource: "rolebindings",
        group: rbac,
        body: { ...head, kind: "RoleBinding", roleRef, subjects },
      });
      const minted = await asAdmin({
        verb: "create",
        resource: "serviceaccounts",
        subresource: "token",
        namespace: "sallyport-sessions",
        name: "overpowered",
        body: { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: {} },
      });
      const token = `Bearer ${textAt(minted, "status", "token")}`;
      const put = (resource: string, object: JsonObject, group = ""): Ask => ({
        verb: "create" satisfies Verb,
        resource,
        group,
        body: object,
      });
      const named = { name: "bad", namespace: shop };
      const pod = (spec: JsonObject): JsonObject => ({
        apiVersion: "v1",
        kind: "Pod",
        metadata: named,
        spec: { containers: [{ name: "c", image: "i" }], ...spec },
      });
      const tried: [Ask, string][] = [
        [put("roles", { ...head, metadata: named, kind: "Role", rules: [] }, rbac), "sallyport-grants-kinds"],
        [put("secrets", { apiVersion: "v1", kind: "Secret", metadata: named }), "sallyport-grants-kinds"],
        [
          put("serviceaccounts", { apiVersion: "v1", kind: "ServiceAccount", metadata: named }),
          "sallyport-grants-kinds",
        ],
        [put("pods", pod({ hostNetwork: true })), "sallyport-grants-pods"],
        [put("pods", pod({ volumes: [{ name: "v", hostPath: { path: "/" } }] })), "sallyport-grants-pods"],
        [
          put("pods", pod({ containers: [{ name: "c", image: "i", securityContext: { privileged: true } }] })),
          "sallyport-grants-pods",
        ],
      ];
      expect(await until(async () => (await code(ask(token, { verb: "list", resource: "secrets" }))) === "done")).toBe(
        true,
      );
      for (const [request, by] of tried)
        expect([request, await ask(token, request)]).toEqual([request, refusedBy(request.body, by)]);
      await asAdmin({ verb: "delete", resource: "rolebindings", group: rbac, name: "overpowered" });
      await asAdmin({ verb: "delete", resource: "roles", group: rbac, name: "overpowered" });
      await asAdmin({
        verb: "delete",
        resource: "serviceaccounts",
        namespace: "sallyport-sessions",
        name: "overpowered",
      });
    });

    promise(
      "credentials:sweep",
      "what a dead gateway left is removed and its token useless; what lives stays",
      async () => {
        const crashed = open();
        const lost = await issue({ effect: "change", accesses: scaleApi() }, crashed);
        const alive = await issue({ effect: "change", accesses: scaleApi() });
        const orphan = await issue({ effect: "read", accesses: [on({ verb: "list", resource: "pods" })] }, crashed);
        const answer = await credentials.sweep(
          { knows: (grant) => grant === lost.grant.id, sessionGrants: [orphan.grant.id] },
          signal,
        );
        const run = `run-${lost.grant.id}`;
        expect(answer).toMatchObject({ unknown: [], unread: [] });
        expect(answer?.swept.map(({ grant, objects, complete }) => [grant, [...objects].sort(), complete])).toEqual([
          [
            lost.grant.id,
            [
              `rolebindings ${shop}/${run}`,
              `roles ${shop}/${run}`,
              `secrets sallyport-sessions/anchor-${lost.grant.id}`,
              `serviceaccounts sallyport-sessions/${run}`,
            ],
            true,
          ],
          [orphan.grant.id, [`secrets sallyport-system/anchor-${orphan.grant.id}`], true],
        ]);
        expect(await code(ask(lost.grant.authorization(), patchScale("api")))).not.toBe("done");
        expect(await code(ask(alive.grant.authorization(), patchScale("api")))).toBe("done");
        await alive.revoke();
      },
    );

    promise(
      "credentials:sweep-unknown",
      "a grant's object that nobody recorded is removed and told, a foreign one only told",
      async () => {
        const crashed = open();
        const lost = await issue({ effect: "change", accesses: scaleApi() }, crashed);
        const labels = { "sallyport.dev/gateway": gatewayId, "sallyport.dev/grant": lost.grant.id };
        const role = {
          apiVersion: "rbac.authorization.k8s.io/v1",
          kind: "Role",
          metadata: { name: "theirs", labels },
          rules: [],
        };
        const place = { resource: "roles", group: "rbac.authorization.k8s.io" };
        await asAdmin({ verb: "create", ...place, body: role });
        const answer = await credentials.sweep({ knows: () => false, sessionGrants: [] }, signal);
        expect(answer?.unknown.map(({ grant, objects, removed }) => [grant, objects.length, removed])).toEqual([
          [lost.grant.id, 4, true],
          [lost.grant.id, 1, false],
        ]);
        expect(await code(asAdmin({ verb: "get", ...place, name: "theirs" }))).toBe("done");
        await asAdmin({ verb: "delete", ...place, name: "theirs" });
      },
    );

    promise("credentials:unenroll", "one namespace, then everything, leftovers of grants included", async () => {
      const left = await issue({ effect: "change", accesses: scaleApi() });
      expect((await unenroll([shop], options())).kind).toBe("done");
      expect(await code(ask(left.grant.authorization(), patchScale("api")))).not.toBe("done");
      expect(await inspect({ ...options(), agent: "suite" })).toMatchObject({
        enrolment: { namespaces: [other] },
        findings: [],
      });
      expect(await refusal(issue({ effect: "change", accesses: scaleApi() }))).toMatchObject({
        code: "credential_unavailable",
      });
      const all = await unenroll(null, options());
      expect(all.kind).toBe("done");
      expect(await inspect({ ...options(), agent: "suite" })).toEqual({ kind: "not_enrolled" });
      const labelSelector = "app.kubernetes.io/managed-by=sallyport";
      for (const resource of ["roles", "rolebindings", "clusterroles", "clusterrolebindings"]) {
        const namespace = resource.startsWith("cluster") ? "" : other;
        const list = await asAdmin({
          verb: "list",
          resource,
          group: "rbac.authorization.k8s.io",
          namespace,
          query: { labelSelector },
        });
        expect([resource, (list as JsonObject)["items"]]).toEqual([resource, []]);
      }
      expect(await open().standing(signal)).toMatchObject({ kind: "not_enrolled", because: "no_account" });
    });
  });
}

/** An API server without `--allow-privileged` refuses such pods itself, before any policy is asked. */
function refusedBy(object: unknown, policy: string): unknown {
  if (!JSON.stringify(object).includes("privileged")) return `admission_denied ${policy}`;
  return expect.stringMatching(new RegExp(`^(admission_denied ${policy}|invalid_object)$`));
}

function deploymentPost(namespace: string, name: string) {
  const labels = { app: name };
  const container = { name, image: "registry.example/api:1" };
  return {
    verb: "create",
    resource: "deployments",
    namespace,
    body: {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name, namespace },
      spec: {
        replicas: 1,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [container] } },
      },
    },
  } as const;
}
