// What enrolment puts into a cluster, read as an attacker would read it.

import * as fc from "fast-check";
import { describe, expect } from "vitest";
import { at, isJsonObject, textAt, type Json, type JsonObject } from "../../../src/domain/json.ts";
import { differencesOf, isEdited, rulesDigest } from "../../../src/credentials/compare.ts";
import { parseEnrolment, widen, type Reach } from "../../../src/credentials/enrolment.ts";
import { enrolmentManifests, everyManifest, everyObjectOf, manifestName } from "../../../src/credentials/manifests.ts";
import { promise } from "../../support/promise.ts";

const everything: Reach = {
  namespaces: ["kube-system", "shop"],
  clusterRead: true,
  secrets: true,
  nodes: true,
  exec: true,
  kinds: ["certificates.cert-manager.io", "deployments.example.com"],
  clusterKinds: ["clusterissuers.cert-manager.io"],
};
const plain: Reach = {
  namespaces: ["shop"],
  clusterRead: false,
  secrets: false,
  nodes: false,
  exec: false,
  kinds: [],
  clusterKinds: [],
};

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}
/** Each role's rules, by the role's name for people. */
function rulesOf(reach: Reach): Map<string, readonly Rule[]> {
  const roles = everyObjectOf(reach).filter((one) => textAt(one.object, "kind").endsWith("Role"));
  return new Map(roles.map((one) => [manifestName(one), one.object["rules"] as readonly object[] as readonly Rule[]]));
}
/** Who is bound to what: `shop sallyport-ceiling: gateway preview`. */
function bindingsOf(reach: Reach): string[] {
  return everyObjectOf(reach)
    .filter((one) => textAt(one.object, "kind").endsWith("Binding") && "roleRef" in one.object)
    .map(({ object, namespace }) => {
      const subjects = (object["subjects"] as readonly JsonObject[]).map((one) => textAt(one, "name")).join(" ");
      return `${namespace || "cluster"} ${textAt(object, "roleRef", "name")}: ${subjects}`;
    });
}

describe("manifests", () => {
  promise("credentials:manifests-bounded", "no rule of any role, with everything asked for", () => {
    for (const [role, rules] of rulesOf(everything))
      for (const rule of rules) {
        const words = [...rule.apiGroups, ...rule.resources, ...rule.verbs];
        expect([role, words.filter((word) => word.includes("*"))]).toEqual([role, []]);
        const power = ["escalate", "bind", "impersonate", "deletecollection", "approve", "sign"];
        expect([role, rule.verbs.filter((verb) => power.includes(verb))]).toEqual([role, []]);
        const runs = rule.resources.includes("pods/exec");
        expect([role, runs]).toEqual([role, role === "ClusterRole sallyport-ceiling-exec"]);
        const paths = /^(pods\/(attach|portforward|proxy|ephemeralcontainers|binding)|services\/proxy|nodes\/.*)$/;
        expect([role, rule.resources.filter((resource) => paths.test(resource))]).toEqual([role, []]);
        // An empty list of names means every name.
        expect([role, rule.resourceNames?.length]).not.toEqual([role, 0]);
        const readsSecrets =
          rule.resources.includes("secrets") && rule.verbs.some((verb) => ["get", "watch"].includes(verb));
        expect([role, readsSecrets]).toEqual([role, role === "ClusterRole sallyport-ceiling-secrets"]);
      }
  });

  promise("credentials:manifests-bounded", "a reader reads", () => {
    const reader = rulesOf(everything).get("ClusterRole sallyport-reader") ?? [];
    expect([...new Set(reader.flatMap((rule) => rule.verbs))].sort()).toEqual(["get", "list", "watch"]);
    const underPods = reader.flatMap((rule) => rule.resources).filter((resource) => resource.includes("/"));
    expect(underPods).toEqual(["pods/log"]);
  });

  promise("credentials:manifests-bounded", "who holds what", () => {
    expect(bindingsOf(plain)).toEqual([
      "sallyport-system sallyport-gateway: gateway",
      "sallyport-sessions sallyport-gateway: gateway",
      "sallyport-system sallyport-preview-probe: preview",
      "cluster sallyport-namespaces: gateway reader",
      "shop sallyport-reader: reader",
      "shop sallyport-ceiling: gateway preview",
      "shop sallyport-grant-maker: gateway",
    ]);
    const more = new Set(bindingsOf(plain));
    expect(bindingsOf(everything).filter((one) => !more.has(one))).toEqual([
      "cluster sallyport-cluster-reader: gateway reader",
      "cluster sallyport-cluster-reader-kinds: gateway reader",
      "cluster sallyport-ceiling-nodes: gateway preview",
      "cluster sallyport-cluster-grant-maker: gateway",
      "kube-system sallyport-reader: reader gateway",
      "kube-system sallyport-reader-kinds: reader gateway",
      "shop sallyport-reader-kinds: reader",
      "shop sallyport-ceiling-kinds: gateway preview",
      "shop sallyport-ceiling-secrets: gateway",
      "shop sallyport-ceiling-exec: gateway",
    ]);
  });

  promise(
    "credentials:manifests-bounded",
    "nobody is bound to a namespace before the fences stand and the record tells of it",
    () => {
      const { ground, record } = enrolmentManifests(everything);
      const own = ["", "sallyport-system", "sallyport-sessions"];
      expect(
        ground.filter((one) => !own.includes(one.namespace) || one.address.resource === "clusterrolebindings"),
      ).toEqual([]);
      expect(ground.filter((one) => one.address.resource === "validatingadmissionpolicybindings").length).toBe(8);
      expect(record.filter((one) => textAt(one.object, "kind").endsWith("Binding"))).toEqual([]);
      const order = everyObjectOf(everything).map(manifestName);
      expect(order.indexOf("ConfigMap sallyport-system/enrolment")).toBe(ground.length);
    },
  );

  promise(
    "credentials:manifests-bounded",
    "without a namespace left, the list of names does not become every name",
    () => {
      expect(rulesOf({ ...plain, namespaces: [] }).get("ClusterRole sallyport-namespaces")).toEqual([]);
    },
  );

  promise("credentials:unenroll", "what is taken apart is all that is ever made, the record after the bindings", () => {
    const made = new Set<string>();
    for (const clusterRead of [true, false])
      for (const secrets of [true, false])
        for (const nodes of [true, false]) {
          for (const one of everyObjectOf({ ...everything, clusterRead, secrets, nodes })) made.add(manifestName(one));
        }
    const apart = everyManifest(everything.namespaces).toReversed().map(manifestName);
    expect([...apart].sort()).toEqual([...made].sort());
    expect(apart.indexOf("ConfigMap sallyport-system/enrolment")).toBeGreaterThan(
      apart.indexOf("RoleBinding shop/sallyport-ceiling"),
    );
  });

  promise("credentials:enroll-idempotent", "the record says what was asked, and asking again only adds", () => {
    fc.assert(
      fc.property(reaches, reaches, (before, asked) => {
        const record = enrolmentManifests(before).record[0]?.object ?? {};
        const told = parseEnrolment(record);
        expect(told).toEqual({ version: "1", ...widen(null, before) });
        const both = widen(told, asked);
        expect([...both.namespaces].sort()).toEqual([...new Set([...before.namespaces, ...asked.namespaces])].sort());
        expect([both.clusterRead, both.secrets, both.nodes]).toEqual([
          before.clusterRead || asked.clusterRead,
          before.secrets || asked.secrets,
          before.nodes || asked.nodes,
        ]);
      }),
    );
    expect(parseEnrolment({})).toEqual({
      version: "",
      namespaces: [],
      clusterRead: false,
      secrets: false,
      nodes: false,
      exec: false,
      kinds: [],
      clusterKinds: [],
    });
  });

  promise("credentials:enroll-idempotent", "any edit of what we wrote is a difference, and its path is named", () => {
    const objects = everyObjectOf(everything);
    for (const { object } of objects) {
      const stored = JSON.parse(JSON.stringify(object)) as JsonObject;
      const served = {
        ...stored,
        status: {},
        metadata: { ...(stored["metadata"] as JsonObject), uid: "u", managedFields: [] },
      };
      expect(differencesOf(object, served)).toEqual([]);
      for (const path of leaves(object).filter(([first]) => !["apiVersion", "kind"].includes(String(first)))) {
        if (path[0] === "metadata" && !["labels", "annotations"].includes(String(path[1]))) continue;
        const edited = JSON.parse(JSON.stringify(object)) as JsonObject;
        put(edited, path, "edited");
        expect([path, differencesOf(object, edited).length]).toEqual([path, 1]);
      }
    }
    const fence = objects.find((one) => one.name === "sallyport-preview")?.object ?? {};
    const spec = fence["spec"] as JsonObject;
    for (const more of [
      { matchConditions: [...(spec["matchConditions"] as JsonObject[]), { name: "never", expression: "false" }] },
      { matchConstraints: { ...(spec["matchConstraints"] as JsonObject), excludeResourceRules: [] } },
      { paramKind: { apiVersion: "v1", kind: "ConfigMap" } },
    ])
      expect(differencesOf(fence, { ...fence, spec: { ...spec, ...more } }).length).toBe(1);
  });

  promise(
    "credentials:enroll-idempotent",
    "an edited role is told from an untouched one, whatever the order of its keys",
    () => {
      const ceiling = enrolmentManifests(plain).ground.find((one) => one.name === "sallyport-ceiling")?.object ?? {};
      const rules = ceiling["rules"] as JsonObject[];
      const turned = rules.map((rule) => Object.fromEntries(Object.entries(rule).toReversed()));
      expect(rulesDigest(turned)).toBe(rulesDigest(rules));
      expect(isEdited({ ...ceiling, rules: turned })).toBe(false);
      expect(isEdited({ ...ceiling, rules: rules.slice(1) })).toBe(true);
      expect(isEdited({ kind: "ClusterRole", rules: [] })).toBe(true);
    },
  );
});

const reaches: fc.Arbitrary<Reach> = fc.record({
  namespaces: fc.uniqueArray(fc.stringMatching(/^[a-z][a-z0-9-]{0,8}[a-z0-9]$/), { minLength: 1, maxLength: 5 }),
  clusterRead: fc.boolean(),
  secrets: fc.boolean(),
  nodes: fc.boolean(),
  exec: fc.boolean(),
  kinds: fc.uniqueArray(fc.constantFrom("a.example.com", "b.example.com", "c.other.example.com")),
  clusterKinds: fc.uniqueArray(fc.constantFrom("d.example.com", "e.example.com")),
});

type Path = readonly (string | number)[];
function leaves(value: Json, path: Path = []): Path[] {
  if (Array.isArray(value)) return value.flatMap((inner: Json, index) => leaves(inner, [...path, index]));
  if (isJsonObject(value)) return Object.entries(value).flatMap(([key, inner]) => leaves(inner, [...path, key]));
  return [path];
}
function put(object: JsonObject, path: Path, value: Json): void {
  const parent = at(object, ...path.slice(0, -1)) as { [key: string | number]: Json };
  parent[path.at(-1) ?? ""] = value;
}
