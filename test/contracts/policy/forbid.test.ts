// Each built-in forbid, tried under a policy that allows everything: by each verb, by another tool's name, by odd spelling.

import { expect, test } from "vitest";
import { verbs, type Access } from "../../../src/domain/access.ts";
import type { Effect } from "../../../src/domain/call.ts";
import { decide, noFacts } from "../../../src/policy/decide.ts";
import { forbidden, forbids } from "../../../src/policy/forbid.ts";
import { promise } from "../../support/promise.ts";
import { access, allowEverything, call, policyOf } from "./support.ts";

const open = policyOf(allowEverything);

/** [forbid, effect, access, tool]: each is what the table of kubernetes.md refuses. */
const attacks: readonly (readonly [string, Effect, string | Access, string?])[] = [
  ["service-account-tokens", "change", "create serviceaccounts/token shop/default"],
  ["service-account-tokens", "read", { ...access("get serviceaccounts/token shop/default") }],
  ["helm-releases", "read", "get secrets shop/sh.helm.release.v1.web.v3"],
  ["helm-releases", "read", "get configmaps shop/sh.helm.release.v1.web.v3"],
  ["helm-releases", "change", "patch secrets shop/sh.helm.release.v1.web.v3"],
  ["system-exec", "execute", "create pods/exec kube-system/dns"],
  ["system-exec", "execute", "get pods/exec kube-system/dns"],
  ["system-exec", "execute", "create pods/attach sallyport-system/gateway"],
  ["tunnels", "change", "patch pods/ephemeralcontainers shop/web"],
  ["tunnels", "execute", "create pods/portforward shop/web"],
  ["tunnels", "read", "get pods/proxy shop/web"],
  ["tunnels", "read", "get services/proxy shop/web"],
  ["kubelet", "read", "get nodes/proxy n1"],
  ["kubelet", "execute", "create nodes/proxy n1"],
  ["kubelet", "read", { ...access("get nodes n1"), subresource: "log" }],
  ["kubelet", "read", { ...access("get nodes n1"), subresource: "configz" }],
  ["kubelet", "read", { ...access("get nodes n1"), subresource: "checkpoint" }],
  ["delete-collection", "destroy", "deletecollection pods shop/*"],
  ["namespaces", "destroy", "delete namespaces shop"],
  ["namespaces", "change", "patch namespaces shop"],
  ["namespaces", "change", "update namespaces/finalize shop"],
  ["namespaces", "change", "create namespaces mine"],
  ["persistent-volume-delete", "destroy", "delete persistentvolumes pv-1"],
  ["rights", "change", "create rbac.authorization.k8s.io/roles shop/mine"],
  ["rights", "change", "patch rbac.authorization.k8s.io/clusterroles view"],
  ["rights", "change", "create rbac.authorization.k8s.io/rolebindings shop/mine"],
  ["rights", "change", "update rbac.authorization.k8s.io/clusterrolebindings mine"],
  ["rights", "change", "create certificates.k8s.io/certificatesigningrequests mine"],
  ["rights", "change", "update certificates.k8s.io/certificatesigningrequests/approval mine"],
  ["rights", "change", "create authorization.openshift.io/rolebindings shop/mine"],
  ["rights", "change", "patch user.openshift.io/groups admins"],
  ["rights", "change", "create oauth.openshift.io/oauthaccesstokens mine"],
  ["rights", "change", "patch security.openshift.io/securitycontextconstraints restricted"],
  ["impersonation", "execute", { ...access("create pods shop/web"), resource: "users", namespace: "" }],
  ["impersonation", "execute", { ...access("create pods shop/web"), resource: "groups", namespace: "" }],
  ["cluster-extensions", "change", "create admissionregistration.k8s.io/mutatingwebhookconfigurations mine"],
  ["cluster-extensions", "change", "patch admissionregistration.k8s.io/validatingadmissionpolicies theirs"],
  ["cluster-extensions", "change", "create apiregistration.k8s.io/apiservices v1.example.com"],
  ["cluster-extensions", "change", "patch apiextensions.k8s.io/customresourcedefinitions things.example.com"],
  ["cluster-extensions", "destroy", "delete apiextensions.k8s.io/customresourcedefinitions things.example.com"],
  ["nodes", "change", "patch nodes n1", "objects_patch"],
  ["nodes", "change", "patch nodes/status n1", "nodes_cordon"],
  ["nodes", "change", "update nodes n1", "nodes_cordon"],
  ["nodes", "destroy", "delete nodes n1", "nodes_drain"],
  ["controller-state", "change", "create pods/binding shop/web"],
  ["controller-state", "change", "create bindings shop/web"],
  ["controller-state", "change", "patch endpoints shop/web"],
  ["controller-state", "change", "patch discovery.k8s.io/endpointslices shop/web-1"],
  ["controller-state", "change", "update coordination.k8s.io/leases shop/leader"],
  ["system-namespaces", "change", "patch apps/deployments kube-system/dns"],
  ["system-namespaces", "change", "create configmaps kube-public/mine"],
  ["system-namespaces", "destroy", "delete pods sallyport-system/gateway", "nodes_drain"],
  ["system-namespaces", "destroy", "create pods/eviction kube-system/dns", "objects_delete"],
  ["system-namespaces", "destroy", "create pods/eviction sallyport-system/gateway", "nodes_drain"],
  ["system-namespaces", "destroy", "delete pods kube-system/dns", "nodes_drain"],
  ["system-namespaces", "destroy", "create pods kube-system/dns", "nodes_drain"],
  ["system-namespaces", "destroy", "patch pods/eviction kube-system/dns", "nodes_drain"],
  ["write-in-read", "read", "patch apps/deployments/scale shop/web"],
  ["write-in-read", "read", "create pods/eviction shop/web"],
  ["write-in-read", "read", "get pods/exec shop/web"],
  ["write-in-read", "read", "create authorization.k8s.io/subjectaccessreviews *"],
  ["write-in-read", "read", "create authentication.k8s.io/tokenreviews *"],
];

promise("policy:forbids-hold", "each row of the table is denied where everything is allowed, and says so", () => {
  for (const [id, effect, attack, tool = "any_tool"] of attacks) {
    const decision = decide(open, call(effect, [attack], { tool }), noFacts);
    const told = forbids.find((forbid) => forbid.id === id)?.sentence;
    expect([attack, decision.effect, decision.forbid, decision.rules, decision.tell, decision.requirements]).toEqual([
      attack,
      "deny",
      id,
      [`forbid:${id}`],
      told,
      [],
    ]);
  }
});

promise(
  "policy:forbids-hold",
  "an approval rule does not lift one either, nor does company of allowed accesses",
  () => {
    const asking = policyOf(allowEverything, { effect: "require-approval", match: {} });
    for (const [id, effect, attack, tool = "any_tool"] of attacks) {
      const decision = decide(asking, call(effect, ["get pods shop/web", attack], { tool }), noFacts);
      expect([attack, decision.effect, decision.forbid]).toEqual([attack, "deny", id]);
    }
  },
);

promise("policy:forbids-hold", "an optional forbidden access is dropped, not granted", () => {
  for (const [, effect, attack, tool = "any_tool"] of attacks) {
    const sneaked: Access = { ...(typeof attack === "string" ? access(attack) : attack), optional: true };
    const needed = effect === "read" ? "get pods shop/web" : "patch apps/deployments shop/web";
    const decision = decide(open, call(effect, [needed, sneaked], { tool }), noFacts);
    expect([decision.effect, decision.dropped]).toEqual(["allow", [sneaked]]);
  }
});

promise(
  "policy:forbids-hold",
  "odd spellings that a server could read otherwise are refused whatever they name",
  () => {
    const plain = access("get pods shop/web");
    const odd: readonly Partial<Access>[] = [
      { resource: "*" },
      { resource: "Secrets" },
      { resource: "pods/exec" },
      { resource: "" },
      { subresource: "*" },
      { subresource: "proxy/metrics" },
      { subresource: "Exec" },
      { group: "*" },
      { group: "apps/v1" },
      { namespace: "*" },
      { namespace: "Kube-System" },
      { namespace: "shop/secrets" },
      { name: "web/log" },
      { name: "web%2Flog" },
      { name: "..", subresource: "log" },
      { name: "web\u202e" },
      { name: "web?x=1" },
      { verb: "*" as Access["verb"] },
      { verb: "impersonate" as Access["verb"] },
      { verb: "escalate" as Access["verb"] },
    ];
    for (const part of odd)
      expect([part, forbidden({ ...plain, ...part }, call("read", []))?.id]).toEqual([part, "plain-names"]);
  },
);

promise("policy:forbids-hold", "what the table leaves to rules is left to rules", () => {
  const free: readonly (readonly [Effect, string, string?])[] = [
    ["read", "get pods/log shop/web"],
    ["read", "list configmaps kube-system/*"],
    ["read", "get rbac.authorization.k8s.io/roles shop/view"],
    ["read", "get nodes n1"],
    ["read", "get nodes/status n1"],
    ["read", "get namespaces kube-system"],
    ["read", "list metrics.k8s.io/nodes *"],
    ["read", "create authorization.k8s.io/selfsubjectaccessreviews *"],
    ["change", "patch apps/deployments/scale shop/web"],
    ["change", "patch nodes n1", "nodes_cordon"],
    ["destroy", "patch nodes n1", "nodes_drain"],
    ["destroy", "create pods/eviction kube-system/dns", "nodes_drain"],
    ["destroy", "delete pods shop/web"],
    ["execute", "create pods/exec shop/web"],
    ["change", "patch configmaps kubernetes-dashboard/settings"],
  ];
  for (const [effect, text, tool = "any_tool"] of free)
    expect([text, forbidden(access(text), { tool, effect })]).toEqual([text, null]);
});

test("no forbid depends on the verb of a read where its row says any verb", () => {
  for (const subresource of ["exec", "attach"])
    for (const verb of verbs)
      expect(
        forbidden({ ...access("get pods kube-system/dns"), verb, subresource }, { tool: "t", effect: "execute" }),
      ).not.toBeNull();
});

test("forbids have ids of their own", () => {
  expect(new Set(forbids.map((forbid) => forbid.id)).size).toBe(forbids.length);
  expect(attacks.map(([id]) => id)).toEqual(
    expect.arrayContaining(forbids.map(({ id }) => id).filter((id) => id !== "plain-names")),
  );
});
