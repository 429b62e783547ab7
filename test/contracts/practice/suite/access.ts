// Who and whether: tokens and what they are bound to, RBAC to the name, no escalation, admission policies, the audit log.

import { expect } from "vitest";
import { textAt } from "../../../../src/domain/json.ts";
import { auditEvents } from "../../../support/audit-log.ts";
import { promise } from "../../../support/promise.ts";
import { deployment, eventually, failure, type Body, type Client } from "./client.ts";

const claimsOf = (token: string): Body => JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
const admission = "/apis/admissionregistration.k8s.io/v1";
const reviews = "/apis/authorization.k8s.io/v1";

export function accessTests(client: () => Client): void {
  promise("practice:identity", "strangers are kept out, discovery included", async () => {
    const at = client();
    for (const path of ["/api", "/version", at.core("configmaps")]) {
      const stranger = await at.call("GET", path, { token: "no-such-token" });
      expect([stranger.code, stranger.body]).toEqual([401, failure(401, "Unauthorized", "Unauthorized")]);
    }
    expect([401, 403]).toContain((await at.call("GET", at.core("configmaps"), { token: null })).code);
  });

  promise("practice:identity", "a token says whose it is, until when and what it hangs on", async () => {
    const at = client();
    const account = await at.make(at.core("serviceaccounts"), { metadata: { name: "holder" } });
    const anchor = await at.make(at.core("secrets"), { metadata: { name: "anchor" }, type: "sallyport.dev/anchor" });
    const ref = { kind: "Secret", apiVersion: "v1", name: "anchor", uid: anchor.metadata.uid };
    const path = at.core("serviceaccounts", "holder", "token");
    const asked = await at.make(path, { spec: { expirationSeconds: 600, boundObjectRef: ref } });
    expect([asked.kind, asked.apiVersion, asked.spec.expirationSeconds, asked.spec.boundObjectRef]).toEqual([
      "TokenRequest",
      "authentication.k8s.io/v1",
      600,
      ref,
    ]);
    const { token, expirationTimestamp } = asked.status;
    const claims = claimsOf(token);
    expect(claims).toEqual({
      aud: asked.spec.audiences,
      exp: claims.iat + 600,
      iat: expect.any(Number),
      iss: expect.any(String),
      jti: expect.stringMatching(/^[0-9a-f-]{36}$/),
      "kubernetes.io": {
        namespace: at.namespace,
        secret: { name: "anchor", uid: anchor.metadata.uid },
        serviceaccount: { name: "holder", uid: account.metadata.uid },
      },
      nbf: claims.iat,
      sub: `system:serviceaccount:${at.namespace}:holder`,
    });
    expect(Date.parse(expirationTimestamp) / 1000).toBe(claims.exp);
    const self = { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" };
    const who = await at.call("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", { token, body: self });
    expect(who.body.status.userInfo).toEqual({
      username: claims.sub,
      uid: account.metadata.uid,
      groups: ["system:serviceaccounts", `system:serviceaccounts:${at.namespace}`, "system:authenticated"],
      extra: expect.objectContaining({ "authentication.kubernetes.io/credential-id": [`JTI=${claims.jti}`] }),
    });
    for (const [spec, code, reason] of [
      [{ expirationSeconds: 599 }, 422, "Invalid"],
      [{ expirationSeconds: 600, boundObjectRef: { ...ref, uid: "another" } }, 409, "Conflict"],
      [{ expirationSeconds: 600, boundObjectRef: { ...ref, name: "missing" } }, 404, "NotFound"],
      [{ expirationSeconds: 600, boundObjectRef: { ...ref, kind: "ConfigMap" } }, 400, "BadRequest"],
    ] as const) {
      const refused = await at.call("POST", path, { body: { spec } });
      expect([refused.code, refused.body.reason]).toEqual([code, reason]);
    }
    const nobody = await at.call("POST", at.core("serviceaccounts", "nobody", "token"), { body: { spec: {} } });
    expect(nobody.code).toBe(404);
  });

  promise("practice:dry-run", "a rehearsed token request is the exception: its token works", async () => {
    const at = client();
    await at.make(at.core("serviceaccounts"), { metadata: { name: "rehearsed" } });
    const path = `${at.core("serviceaccounts", "rehearsed", "token")}?dryRun=All`;
    const { status } = await at.make(path, { spec: {} });
    expect((await at.call("GET", "/api", { token: status.token })).code).toBe(200);
  });

  promise("practice:identity", "forged, foreign and orphaned tokens are refused", async () => {
    const at = client();
    await at.make(at.core("serviceaccounts"), { metadata: { name: "orphan" } });
    const { metadata } = await at.make(at.core("secrets"), { metadata: { name: "tie" } });
    const ref = { kind: "Secret", apiVersion: "v1", name: "tie", uid: metadata.uid };
    const bound = await at.token("orphan", { boundObjectRef: ref });
    const loose = await at.token("orphan");
    const foreign = await at.token("orphan", { audiences: ["someone-else"] });
    const code = async (token: string): Promise<number> => (await at.call("GET", "/api", { token })).code;
    expect([await code(bound), await code(loose)]).toEqual([200, 200]);
    const [header = "", payload = "", signature = ""] = bound.split(".");
    const wider = Buffer.from(JSON.stringify({ ...claimsOf(bound), sub: "system:serviceaccount:kube-system:default" }));
    const unsigned = Buffer.from(JSON.stringify({ alg: "none" })).toString("base64url");
    for (const forged of [
      `${header}.${wider.toString("base64url")}.${signature}`,
      `${unsigned}.${payload}.`,
      `${header}.${payload}.${"A".repeat(signature.length)}`,
      foreign,
    ]) {
      expect(await code(forged)).toBe(401);
    }
    await at.call("DELETE", at.core("secrets", "tie"));
    await eventually(async () => expect([await code(bound), await code(loose)]).toEqual([401, 200]));
    await at.call("DELETE", at.core("serviceaccounts", "orphan"));
    await eventually(async () => expect(await code(loose)).toBe(401));
  });

  promise("practice:rbac", "a rule reaches its verbs, its names and its subresources and nothing else", async () => {
    const at = client();
    for (const name of ["mine", "other"]) {
      await at.make(at.apps("deployments"), deployment(name, 0));
      await at.make(at.core("configmaps"), { metadata: { name } });
    }
    const token = await at.account("limited", [
      { apiGroups: [""], resources: ["configmaps"], resourceNames: ["mine"], verbs: ["get", "list"] },
      { apiGroups: ["apps"], resources: ["deployments/scale"], resourceNames: ["mine"], verbs: ["patch"] },
      { apiGroups: [""], resources: ["*/log"], verbs: ["get"] },
    ]);
    const code = async (method: string, path: string, body?: object): Promise<number> =>
      (await at.call(method, path, { token, ...(body === undefined ? {} : { body }) })).code;
    await eventually(async () => expect(await code("GET", at.core("configmaps", "mine"))).toBe(200));
    const scale = { spec: { replicas: 0 } };
    const answers = [
      await code("GET", at.core("configmaps", "other")),
      await code("GET", at.core("configmaps")),
      await code("GET", `${at.core("configmaps")}?fieldSelector=metadata.name%3Dmine`),
      await code("DELETE", at.core("configmaps", "mine")),
      await code("PATCH", at.apps("deployments", "mine", "scale"), scale),
      await code("PATCH", at.apps("deployments", "other", "scale"), scale),
      await code("PATCH", at.apps("deployments", "mine"), {}),
      await code("GET", at.apps("deployments", "mine", "scale")),
      await code("GET", "/api/v1/namespaces/default/configmaps/mine"),
      await code("GET", `/api/v1/namespaces/${at.namespace}%2Fsecrets%2Fmine`),
      await code("GET", at.core("pods", "missing", "log")),
    ];
    expect(answers).toEqual([403, 403, 200, 403, 200, 403, 403, 403, 403, 403, 404]);
    const refused = await at.call("PATCH", at.apps("deployments", "other", "scale"), { token, body: scale });
    const user = `system:serviceaccount:${at.namespace}:limited`;
    expect(refused.body).toEqual(
      failure(
        403,
        "Forbidden",
        `deployments.apps "other" is forbidden: User "${user}" cannot patch resource "deployments/scale" in API group "apps" in the namespace "${at.namespace}"`,
        { name: "other", group: "apps", kind: "deployments" },
      ),
    );
    const wide = await at.call("GET", "/api/v1/nodes", { token });
    const whole = `nodes is forbidden: User "${user}" cannot list resource "nodes" in API group "" at the cluster scope`;
    expect(wide.body).toEqual(failure(403, "Forbidden", whole, { kind: "nodes" }));
    const path = await at.call("GET", "/elsewhere", { token });
    expect(path.body).toEqual(failure(403, "Forbidden", `forbidden: User "${user}" cannot get path "/elsewhere"`, {}));
    expect(await code("GET", "/apis")).toBe(200);
  });

  promise("practice:rbac", "a binding ends with its deletion, and groups of accounts are bound as one", async () => {
    const at = client();
    const token = await at.account("ending", [{ apiGroups: [""], resources: ["configmaps"], verbs: ["list"] }]);
    const list = async (): Promise<number> => (await at.call("GET", at.core("configmaps"), { token })).code;
    await eventually(async () => expect(await list()).toBe(200));
    await at.call("DELETE", at.rbac("rolebindings", "ending"));
    await eventually(async () => expect(await list()).toBe(403));
    await at.make(at.rbac("rolebindings"), {
      metadata: { name: "all-accounts" },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "ending" },
      subjects: [
        { kind: "Group", apiGroup: "rbac.authorization.k8s.io", name: `system:serviceaccounts:${at.namespace}` },
      ],
    });
    await eventually(async () => expect(await list()).toBe(200));
  });

  promise("practice:rbac", "access reviews answer as the server would", async () => {
    const at = client();
    const token = await at.account("asking", [{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }]);
    const review = (resource: string): object => ({
      apiVersion: "authorization.k8s.io/v1",
      kind: "SelfSubjectAccessReview",
      spec: { resourceAttributes: { namespace: at.namespace, verb: "get", resource } },
    });
    const ask = async (resource: string): Promise<Body> =>
      (await at.call("POST", `${reviews}/selfsubjectaccessreviews`, { token, body: review(resource) })).body.status;
    const user = `system:serviceaccount:${at.namespace}:asking`;
    const reason = `RBAC: allowed by RoleBinding "asking/${at.namespace}" of Role "asking" to ServiceAccount "asking/${at.namespace}"`;
    await eventually(async () => expect(await ask("pods")).toEqual({ allowed: true, reason }));
    expect(await ask("secrets")).toEqual({ allowed: false });
    const subject = {
      apiVersion: "authorization.k8s.io/v1",
      kind: "SubjectAccessReview",
      spec: { user, resourceAttributes: { namespace: at.namespace, verb: "get", resource: "pods" } },
    };
    const asked = await at.call("POST", `${reviews}/subjectaccessreviews`, { body: subject });
    expect([asked.code, asked.body.status]).toEqual([201, { allowed: true, reason }]);
    const empty = await at.call("POST", `${reviews}/selfsubjectaccessreviews`, {
      body: { ...review("pods"), spec: {} },
    });
    expect([empty.code, empty.body.reason]).toEqual([422, "Invalid"]);
  });

  promise("practice:escalation", "roles and bindings wider than their maker's own rules are refused", async () => {
    const at = client();
    const scale = { apiGroups: ["apps"], resources: ["deployments/scale"], resourceNames: ["api"], verbs: ["patch"] };
    const token = await at.account("maker", [
      { apiGroups: ["rbac.authorization.k8s.io"], resources: ["roles", "rolebindings"], verbs: ["create", "patch"] },
      { apiGroups: [""], resources: ["pods"], verbs: ["get", "list"] },
      scale,
    ]);
    const role = async (name: string, rule: object): Promise<{ code: number; body: Body }> =>
      at.call("POST", at.rbac("roles"), { token, body: { metadata: { name }, rules: [rule] } });
    await eventually(async () => expect((await role("narrow", scale)).code).toBe(201));
    const user = `system:serviceaccount:${at.namespace}:maker`;
    const groups = `"system:serviceaccounts" "system:serviceaccounts:${at.namespace}" "system:authenticated"`;
    const wide = await role("wide", { apiGroups: [""], resources: ["secrets", "pods"], verbs: ["get", "delete"] });
    expect(wide.body).toEqual(
      failure(
        403,
        "Forbidden",
        `roles.rbac.authorization.k8s.io "wide" is forbidden: user "${user}" (groups=[${groups}]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[""], Resources:["pods"], Verbs:["delete"]}\n{APIGroups:[""], Resources:["secrets"], Verbs:["get" "delete"]}`,
        { name: "wide", group: "rbac.authorization.k8s.io", kind: "roles" },
      ),
    );
    const { resourceNames: _, ...unnamed } = scale;
    expect((await role("unnamed", unnamed)).code).toBe(403);
    expect((await role("renamed", { ...scale, resourceNames: ["api", "web"] })).code).toBe(403);
    expect((await role("starred", { apiGroups: ["*"], resources: ["*"], verbs: ["*"] })).code).toBe(403);
    const rehearsal = { metadata: { name: "rehearsed" }, rules: [unnamed] };
    expect((await at.call("POST", `${at.rbac("roles")}?dryRun=All`, { token, body: rehearsal })).code).toBe(403);
    expect((await at.call("PATCH", at.rbac("roles", "narrow"), { token, body: { rules: [unnamed] } })).code).toBe(403);

    await at.make(at.rbac("roles"), {
      metadata: { name: "powerful" },
      rules: [{ apiGroups: [""], resources: ["secrets"], verbs: ["get"] }],
    });
    const bind = async (kind: string, name: string): Promise<number> =>
      (
        await at.call("POST", at.rbac("rolebindings"), {
          token,
          body: {
            metadata: { name: `to-${name}` },
            roleRef: { apiGroup: "rbac.authorization.k8s.io", kind, name },
            subjects: [{ kind: "ServiceAccount", name: "maker", namespace: at.namespace }],
          },
        })
      ).code;
    await eventually(async () =>
      expect([await bind("Role", "powerful"), await bind("ClusterRole", "cluster-admin")]).toEqual([403, 403]),
    );
    expect([await bind("Role", "narrow"), await bind("Role", "missing")]).toEqual([201, 404]);
  });

  promise(
    "practice:admission",
    "an account held to dry runs can change nothing, by no verb and no subresource",
    async () => {
      const at = client();
      await at.make(at.apps("deployments"), deployment("held", 0));
      await at.make(at.core("configmaps"), { metadata: { name: "held" } });
      const token = await at.account("rehearser", [{ apiGroups: ["", "apps"], resources: ["*"], verbs: ["*"] }]);
      const policy = `${at.namespace}-dry-run-only`;
      const user = `system:serviceaccount:${at.namespace}:rehearser`;
      await at.make(`${admission}/validatingadmissionpolicies`, {
        metadata: { name: policy },
        spec: {
          failurePolicy: "Fail",
          matchConstraints: {
            resourceRules: [{ apiGroups: ["*"], apiVersions: ["*"], operations: ["*"], resources: ["*/*"] }],
          },
          matchConditions: [{ name: "rehearser", expression: `request.userInfo.username == "${user}"` }],
          validations: [{ expression: "request.dryRun == true", message: "This account may only rehearse." }],
        },
      });
      const binding = { metadata: { name: policy }, spec: { policyName: policy, validationActions: ["Deny"] } };
      await at.make(`${admission}/validatingadmissionpolicybindings`, binding);
      const writes = [
        ["POST", at.core("configmaps"), { metadata: { name: "new" } }],
        ["PUT", at.core("configmaps", "held"), { metadata: { name: "held" }, data: { a: "1" } }],
        ["PATCH", at.core("configmaps", "held"), { data: { a: "1" } }],
        ["PATCH", at.apps("deployments", "held", "scale"), { spec: { replicas: 3 } }],
        ["POST", at.core("serviceaccounts", "rehearser", "token"), { spec: {} }],
        ["DELETE", at.core("configmaps", "held"), undefined],
      ] as const;
      const codes = async (query: string): Promise<readonly number[]> => {
        const all: number[] = [];
        for (const [method, path, body] of writes) {
          all.push((await at.call(method, `${path}${query}`, { token, ...(body === undefined ? {} : { body }) })).code);
        }
        return all;
      };
      await eventually(async () => {
        const rehearsed = { token, body: { metadata: { name: "probe" } } };
        expect((await at.call("POST", `${at.core("configmaps")}?dryRun=All`, rehearsed)).code).toBe(201);
        expect((await at.call("DELETE", at.core("secrets", "no-secret"), { token })).code).toBe(404);
        const patched = await at.call("PATCH", at.core("configmaps", "held"), {
          token,
          body: { data: { probe: "1" } },
        });
        expect(patched.code).toBe(422);
      });
      expect(await codes("")).toEqual([422, 422, 422, 422, 422, 422]);
      expect(await codes("?dryRun=All")).toEqual([201, 200, 200, 200, 201, 200]);
      const denied = await at.call("PATCH", at.apps("deployments", "held", "scale"), {
        token,
        body: { spec: { replicas: 3 } },
      });
      const message = `ValidatingAdmissionPolicy '${policy}' with binding '${policy}' denied request: This account may only rehearse.`;
      expect(denied.body).toEqual(
        failure(422, "Invalid", `deployments.apps "held" is forbidden: ${message}`, {
          name: "held",
          group: "apps",
          kind: "deployments",
          causes: [{ message }],
        }),
      );
      expect((await at.call("GET", at.apps("deployments", "held"))).body.spec.replicas).toBe(0);
      for (const kind of ["validatingadmissionpolicybindings", "validatingadmissionpolicies"]) {
        await at.call("DELETE", `${admission}/${kind}/${policy}`);
      }
    },
  );

  promise("practice:admission", "objects are judged, and a failing expression denies", async () => {
    const at = client();
    const policy = `${at.namespace}-objects`;
    const match = {
      matchConstraints: {
        namespaceSelector: { matchLabels: { suite: "yes" } },
        resourceRules: [{ apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["configmaps"] }],
      },
    };
    await at.make(`${admission}/validatingadmissionpolicies`, {
      metadata: { name: policy },
      spec: {
        ...match,
        matchConditions: [
          { name: "marked", expression: "has(object.metadata.labels) && 'judged' in object.metadata.labels" },
        ],
        validations: [
          { expression: 'object.metadata.name != "bad"' },
          { expression: 'object.data.key == "x"', message: "key must be x", reason: "Forbidden" },
        ],
      },
    });
    const binding = { metadata: { name: policy }, spec: { policyName: policy, validationActions: ["Deny"] } };
    await at.make(`${admission}/validatingadmissionpolicybindings`, binding);
    const make = async (name: string, data?: object, labels: object = { judged: "1" }): Promise<readonly unknown[]> => {
      const path = `${at.core("configmaps")}?dryRun=All`;
      const made = await at.call("POST", path, {
        body: { metadata: { name, labels }, ...(data === undefined ? {} : { data }) },
      });
      return [made.code, made.body.message?.split("denied request: ")[1]];
    };
    await eventually(async () =>
      expect(await make("bad", { key: "x" })).toEqual([422, 'failed expression: object.metadata.name != "bad"']),
    );
    expect(await make("good", { key: "y" })).toEqual([403, "key must be x"]);
    expect(await make("good")).toEqual([
      422,
      "expression 'object.data.key == \"x\"' resulted in error: no such key: data",
    ]);
    expect(await make("good", { key: "x" })).toEqual([201, undefined]);
    expect(await make("bad", { key: "y" }, {})).toEqual([201, undefined]);
    for (const kind of ["validatingadmissionpolicybindings", "validatingadmissionpolicies"]) {
      await at.call("DELETE", `${admission}/${kind}/${policy}`);
    }
  });

  promise("practice:admission", "a policy that could not be enforced is not stored", async () => {
    const at = client();
    const rule = (resources: readonly string[]): object => ({
      apiGroups: ["*"],
      apiVersions: ["*"],
      operations: ["*"],
      resources,
    });
    const code = async (expression: string, resources: readonly string[]): Promise<number> =>
      (
        await at.call("POST", `${admission}/validatingadmissionpolicies?dryRun=All`, {
          body: {
            metadata: { name: "unenforceable" },
            spec: { matchConstraints: { resourceRules: [rule(resources)] }, validations: [{ expression }] },
          },
        })
      ).code;
    expect([
      await code("request.dryRun == true", ["*/*"]),
      await code("request.dryRun == ", ["*/*"]),
      await code("stranger.dryRun", ["*/*"]),
      await code("request.stranger == 'x'", ["*/*"]),
      await code("request.dryRun == true", ["*", "*/*"]),
    ]).toEqual([201, 422, 422, 422, 422]);
    const loose = { metadata: { name: "loose" }, spec: { policyName: "any" } };
    const bound = await at.call("POST", `${admission}/validatingadmissionpolicybindings?dryRun=All`, { body: loose });
    expect([bound.code, bound.body.details.causes[0].field]).toEqual([422, "spec.validationActions"]);
  });
}

export function auditTests(client: () => Client): void {
  promise("practice:audit", "a request is found under the id that it brought", async () => {
    const at = client();
    const { auditLogPath = "" } = at.target;
    const token = await at.account("audited", [
      { apiGroups: ["apps"], resources: ["deployments/scale"], verbs: ["patch"] },
    ]);
    await at.make(at.apps("deployments"), deployment("audited", 0));
    const auditId = `call_${at.namespace}.1`;
    const path = `${at.apps("deployments", "audited", "scale")}?dryRun=All`;
    await eventually(async () => {
      const headers = { "Audit-ID": auditId, "user-agent": "sallyport/0 (call=1; agent=suite)" };
      const done = await at.call("PATCH", path, { token, headers, body: { spec: { replicas: 1 } } });
      expect([done.code, done.headers["audit-id"]]).toEqual([200, auditId]);
    });
    const events = await auditEvents(auditLogPath);
    const mine = events.findLast(({ auditID, stage }) => auditID === auditId && stage === "ResponseComplete");
    const { namespace } = at;
    expect(mine).toEqual({
      kind: "Event",
      apiVersion: "audit.k8s.io/v1",
      level: "Metadata",
      auditID: auditId,
      stage: "ResponseComplete",
      requestURI: path,
      verb: "patch",
      user: {
        username: `system:serviceaccount:${namespace}:audited`,
        uid: expect.any(String),
        groups: ["system:serviceaccounts", `system:serviceaccounts:${namespace}`, "system:authenticated"],
        extra: { "authentication.kubernetes.io/credential-id": [`JTI=${claimsOf(token).jti}`] },
      },
      sourceIPs: ["127.0.0.1"],
      userAgent: "sallyport/0 (call=1; agent=suite)",
      objectRef: {
        resource: "deployments",
        namespace,
        name: "audited",
        apiGroup: "apps",
        apiVersion: "v1",
        subresource: "scale",
      },
      responseStatus: { metadata: {}, code: 200 },
      requestReceivedTimestamp: expect.stringMatching(/\.\d{6}Z$/),
      stageTimestamp: expect.stringMatching(/\.\d{6}Z$/),
      annotations: {
        "authorization.k8s.io/decision": "allow",
        "authorization.k8s.io/reason": `RBAC: allowed by RoleBinding "audited/${namespace}" of Role "audited" to ServiceAccount "audited/${namespace}"`,
      },
    });
    const minted = `JTI=${claimsOf(token).jti}`;
    const issued = events.find(
      (event) => textAt(event, "annotations", "authentication.kubernetes.io/issued-credential-id") === minted,
    );
    expect(issued?.["objectRef"]).toMatchObject({ resource: "serviceaccounts", name: "audited", subresource: "token" });
  });
}
