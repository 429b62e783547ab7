// Which rules a grant's Roles hold, and what can't be granted at all.

import * as fc from "fast-check";
import { describe, expect } from "vitest";
import { verbs, type Access } from "../../../src/domain/access.ts";
import { Faulted } from "../../../src/domain/fault.ts";
import { textAt } from "../../../src/domain/json.ts";
import { grantObjects, grantRules, type PolicyRule } from "../../../src/credentials/grant-objects.ts";
import { tokenSeconds } from "../../../src/credentials/token.ts";
import { promise } from "../../support/promise.ts";
import { access, testIds } from "./calls.ts";

const cluster = "c";
const reads = ["get", "list", "watch"] as const;
const writes = ["create", "update", "patch", "delete"] as const;

/** Kubernetes' own reading of a Role (rbac.authorization.k8s.io/v1: RuleAllows). */
function allows(rules: readonly PolicyRule[], wanted: Access): boolean {
  const resource = wanted.subresource === "" ? wanted.resource : `${wanted.resource}/${wanted.subresource}`;
  return rules.some(
    (rule) =>
      (rule.verbs.includes(wanted.verb) || rule.verbs.includes("*")) &&
      (rule.apiGroups.includes(wanted.group) || rule.apiGroups.includes("*")) &&
      (rule.resources.includes(resource) || rule.resources.includes("*")) &&
      (rule.resourceNames === undefined || rule.resourceNames.length === 0 || rule.resourceNames.includes(wanted.name)),
  );
}

const place = {
  group: fc.constantFrom("", "apps", "batch"),
  resource: fc.constantFrom("pods", "deployments", "jobs"),
  subresource: fc.constantFrom("", "scale", "log"),
  namespace: fc.constantFrom("shop", "pay"),
};
const anAccess = fc
  .oneof(
    fc.record({ ...place, verb: fc.constantFrom(...reads), name: fc.constantFrom("", "api", "web") }),
    fc.record({ ...place, verb: fc.constantFrom(...writes), name: fc.constantFrom("api", "web") }),
  )
  .map((part) => access(cluster, part));

describe("grant rules", () => {
  promise("credentials:exact", "of all requests, the rules allow those that some access names and no other", () => {
    const anywhere = fc.record({
      ...place,
      verb: fc.constantFrom(...verbs),
      name: fc.constantFrom("", "api", "web", "else"),
    });
    fc.assert(
      fc.property(fc.array(anAccess, { maxLength: 12 }), fc.array(anywhere, { maxLength: 40 }), (given, asked) => {
        const rules = grantRules(given);
        for (const one of [...given, ...asked.map((part) => access(cluster, part))]) {
          const named = given.some(
            (access) =>
              access.verb === one.verb &&
              access.group === one.group &&
              access.resource === one.resource &&
              access.subresource === one.subresource &&
              access.namespace === one.namespace &&
              (access.name === "" || access.name === one.name),
          );
          expect(allows(rules.get(one.namespace) ?? [], one)).toBe(named);
        }
      }),
    );
  });

  promise("credentials:exact", "accesses of one scope become one rule", () => {
    const scale = { resource: "deployments", subresource: "scale", name: "api" } as const;
    const rules = grantRules([
      access(cluster, { verb: "patch", ...scale }),
      access(cluster, { verb: "get", ...scale }),
      access(cluster, { verb: "get", ...scale }),
      access(cluster, { verb: "list", resource: "pods" }),
    ]);
    expect([...rules]).toEqual([
      [
        "shop",
        [
          { apiGroups: ["apps"], resources: ["deployments/scale"], resourceNames: ["api"], verbs: ["get", "patch"] },
          { apiGroups: [""], resources: ["pods"], verbs: ["list"] },
        ],
      ],
    ]);
  });

  promise("credentials:exact", "an optional access of cluster scope is left out, not granted and no obstacle", () => {
    const nodes = access(cluster, { verb: "list", resource: "nodes", namespace: "", optional: true });
    const pods = access(cluster, { verb: "list", resource: "pods" });
    expect([...grantRules([nodes, pods])]).toEqual([...grantRules([pods])]);
  });

  const enrolled = { namespaces: ["shop"], nodes: true };
  const node = { resource: "nodes", namespace: "", name: "n1", kind: "Node" } as const;
  const eviction = (namespace: string, name: string): Access =>
    access(cluster, { verb: "create", resource: "pods", subresource: "eviction", namespace, name });

  promise(
    "credentials:cluster-grant",
    "what stands in an enrolled namespace in its Role, the rest in one ClusterRole",
    () => {
      const budgets = { verb: "list", resource: "poddisruptionbudgets", group: "policy", optional: true } as const;
      const accesses = [
        access(cluster, { verb: "get", ...node }),
        access(cluster, { verb: "patch", ...node }),
        access(cluster, { verb: "list", resource: "pods", namespace: "" }),
        eviction("shop", "api-1"),
        eviction("kube-system", "dns-1"),
        access(cluster, { ...budgets, namespace: "shop" }),
        access(cluster, { ...budgets, namespace: "kube-system" }),
      ];
      const evict = (name: string) => ({
        apiGroups: [""],
        resources: ["pods/eviction"],
        resourceNames: [name],
        verbs: ["create"],
      });
      const listBudgets = { apiGroups: ["policy"], resources: ["poddisruptionbudgets"], verbs: ["list"] };
      expect([...grantRules(accesses, enrolled)]).toEqual([
        [
          "",
          [
            { apiGroups: [""], resources: ["nodes"], resourceNames: ["n1"], verbs: ["get", "patch"] },
            { apiGroups: [""], resources: ["pods"], verbs: ["list"] },
            evict("dns-1"),
            listBudgets,
          ],
        ],
        ["shop", [evict("api-1"), listBudgets]],
      ]);
      const ids_ = testIds();
      const [grant, call] = [ids_.grant(), ids_.call()];
      const made = grantObjects(accesses, { grant, gateway: "g1", call, expiresAt: 0 }, enrolled);
      expect(
        made.roles.map(({ object }) => `${textAt(object, "kind")} ${textAt(object, "metadata", "namespace")}`),
      ).toEqual(["ClusterRole ", "Role shop"]);
      expect(made.places.map(({ address, namespace }) => `${address.resource} ${namespace}`)).toEqual([
        "serviceaccounts sallyport-sessions",
        "secrets sallyport-sessions",
        "clusterroles ",
        "clusterrolebindings ",
        "roles shop",
        "rolebindings shop",
      ]);
    },
  );

  promise(
    "credentials:cluster-grant",
    "without `enroll --nodes` nothing of cluster scope, and the fault says what is missing",
    () => {
      const wanted = [access(cluster, { verb: "patch", ...node }), eviction("kube-system", "dns-1")];
      for (const reach of [null, { namespaces: ["shop"], nodes: false }])
        for (const one of reach === null ? wanted.slice(0, 1) : wanted)
          try {
            grantRules([one], reach);
            throw new Error("it was granted");
          } catch (thrown) {
            expect((thrown as Faulted).fault.detail).toEqual({ needs: "sallyport enroll --nodes" });
          }
    },
  );

  const attacks: readonly (readonly [string, Partial<Access>, string])[] = [
    ["any name", { verb: "patch", resource: "deployments", name: "*" }, ""],
    ["any resource", { verb: "get", resource: "*", name: "a" }, ""],
    ["any group", { verb: "get", resource: "pods", group: "*", name: "a" }, ""],
    ["any subresource", { verb: "get", resource: "pods", subresource: "*", name: "a" }, ""],
    ["any namespace", { verb: "list", resource: "pods", namespace: "*" }, ""],
    ["a subresource hidden in the resource", { verb: "get", resource: "pods/exec", name: "a" }, ""],
    ["no resource", { verb: "get", resource: "", name: "a" }, ""],
    ["a create without a name", { verb: "create", resource: "pods" }, ""],
    ["a patch without a name", { verb: "patch", resource: "deployments" }, ""],
    ["a whole collection's end", { verb: "deletecollection", resource: "pods" }, ""],
    ["cluster scope", { verb: "patch", resource: "nodes", namespace: "", name: "n1" }, "sallyport enroll --nodes"],
  ];
  for (const [what, part, needs] of attacks)
    promise("credentials:exact", `refused: ${what}`, () => {
      const wanted = { ...access(cluster, { verb: "get", resource: "pods" }), ...part };
      expect(() => grantRules([wanted])).toThrow(Faulted);
      try {
        grantRules([access(cluster, { verb: "list", resource: "pods" }), wanted]);
      } catch (thrown) {
        const { fault } = thrown as Faulted;
        expect([fault.code, fault.detail]).toEqual(["credential_unavailable", needs === "" ? {} : { needs }]);
      }
    });

  promise("credentials:token-life", "whatever the deadline", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 100_000, noNaN: true }), (deadline) => {
        expect(tokenSeconds(deadline + 60)).toBe(Math.max(600, Math.ceil(deadline + 60)));
      }),
    );
  });

  promise("credentials:sweep", "each object of a grant carries its labels, its end and its call", () => {
    const ids = testIds();
    const [grant, call] = [ids.grant(), ids.call()];
    const accesses = ["shop", "pay"].map((namespace) => access(cluster, { verb: "list", resource: "pods", namespace }));
    const made = grantObjects(accesses, { grant, gateway: "g1", call, expiresAt: Date.UTC(2026, 10, 21) });
    const objects = [...made.roles, ...made.bindings].map((one) => one.object);
    for (const object of [made.account, made.anchor, ...objects])
      expect(object["metadata"]).toMatchObject({
        labels: {
          "sallyport.dev/grant": grant,
          "sallyport.dev/gateway": "g1",
          "app.kubernetes.io/managed-by": "sallyport",
        },
        annotations: { "sallyport.dev/expires": "2026-11-21T00:00:00.000Z", "sallyport.dev/call": call },
      });
    expect(made.places.map(({ address, namespace, name }) => `${address.resource} ${namespace}/${name}`)).toEqual([
      `serviceaccounts sallyport-sessions/run-${grant}`,
      `secrets sallyport-sessions/anchor-${grant}`,
      `roles shop/run-${grant}`,
      `rolebindings shop/run-${grant}`,
      `roles pay/run-${grant}`,
      `rolebindings pay/run-${grant}`,
    ]);
  });
});
