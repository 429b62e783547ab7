// What may become part of a URL, and that the URL says what was asked.

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Faulted } from "../../../src/domain/fault.ts";
import type { Verb } from "../../../src/domain/access.ts";
import { containerRule, nameRule, namespaceRule, selectorRule } from "../../../src/kubernetes/names.ts";
import { parseRequest, plainWire, wireOf, type Target } from "../../../src/kubernetes/url.ts";
import { promise } from "../../support/promise.ts";

const server = "https://10.0.0.1:6443";
const pod: Target = { verb: "get", group: "", version: "v1", resource: "pods", namespace: "shop", name: "api-1" };

/** Path tricks: each would name another resource, another host or another request if it reached the URL. */
const tricks = [
  "../secrets/db",
  "..",
  ".",
  "a/../../secrets/db",
  "..%2fsecrets%2fdb",
  "%2e%2e%2fsecrets%2fdb",
  "x%2Fsecrets%2Fdb",
  "%2e",
  "%252e%252e",
  "a%00",
  "db#",
  "db?watch=true",
  "db&dryRun=All",
  "db;a=b",
  "db\\..\\secrets",
  "db\u0000",
  "db\r\nHost: evil",
  "db\t",
  " db",
  "db ",
  "a\u202edb",
  "a\u200bdb",
  "\u{e0041}db",
  // Homoglyphs: Cyrillic a, full-width letters, full-width dots and slash, a division slash.
  "\u0430pi",
  "ａｐｉ",
  "．．／secrets",
  "api\u2215secrets",
  "api\ud800",
  "x".repeat(10_000),
  "-api",
  "api-",
  "API",
];

function problemsOf(target: Target): unknown {
  try {
    wireOf(server, target);
  } catch (thrown) {
    if (thrown instanceof Faulted) return { code: thrown.fault.code, problems: thrown.fault.detail["problems"] };
    throw thrown;
  }
  return "sent";
}

describe("path tricks", () => {
  for (const trick of tricks) {
    promise(
      "kubernetes:names-stay-names",
      `${JSON.stringify(trick.slice(0, 30))} is no name, namespace or container`,
      () => {
        expect(problemsOf({ ...pod, name: trick })).toEqual({
          code: "invalid_input",
          problems: [{ path: "name", rule: nameRule(trick, pod) }],
        });
        expect(problemsOf({ ...pod, namespace: trick })).toEqual({
          code: "invalid_input",
          problems: [{ path: "namespace", rule: namespaceRule(trick) }],
        });
        expect(problemsOf({ ...pod, subresource: "log", query: { container: trick } })).toEqual({
          code: "invalid_input",
          problems: [{ path: "container", rule: containerRule(trick) }],
        });
        expect(problemsOf({ ...pod, subresource: trick })).toMatchObject({ code: "invalid_input" });
        expect(problemsOf({ ...pod, resource: trick })).toMatchObject({ code: "invalid_input" });
        expect(problemsOf({ ...pod, group: trick })).toMatchObject({ code: "invalid_input" });
      },
    );
  }

  promise("kubernetes:names-stay-names", "RBAC names may hold a colon, and still no separator", () => {
    const role = { ...pod, group: "rbac.authorization.k8s.io", resource: "clusterroles", namespace: "" };
    expect(wireOf(server, { ...role, name: "system:node" }).path).toBe(
      "/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode",
    );
    for (const trick of tricks.filter((one) => !["API", "api-"].includes(one)))
      expect(problemsOf({ ...role, name: trick })).toMatchObject({ code: "invalid_input" });
    for (const name of ["a..b", "system:..", ":a", "a:b/c"])
      expect(problemsOf({ ...role, name })).toMatchObject({ code: "invalid_input" });
  });

  promise("kubernetes:names-stay-names", "names of Kubernetes' own length and form pass", () => {
    for (const name of ["a", "a.b-c.1", "1", "x".repeat(253)]) expect(nameRule(name, pod)).toBeNull();
    for (const name of ["", "a.", ".a", "a_b", "x".repeat(254)]) expect(nameRule(name, pod)).not.toBeNull();
    expect(namespaceRule("x".repeat(63))).toBeNull();
    for (const name of ["", "a.b", "x".repeat(64)]) expect(namespaceRule(name)).not.toBeNull();
    // A Namespace object is named as a namespace is.
    expect(nameRule("a.b", { group: "", resource: "namespaces" })).not.toBeNull();
  });

  promise("kubernetes:names-stay-names", "a Namespace's path never becomes a path into that namespace", () => {
    const namespace: Target = { ...pod, resource: "namespaces", namespace: "", name: "shop" };
    expect(wireOf(server, namespace).sent).toMatchObject({ resource: "namespaces", name: "shop", namespace: "" });
    expect(wireOf(server, { ...namespace, subresource: "status" }).sent).toMatchObject({ subresource: "status" });
    expect(problemsOf({ ...namespace, subresource: "secrets" })).toMatchObject({ code: "internal" });
  });

  promise("kubernetes:names-stay-names", "a missing name never widens a request to the collection", () => {
    const missing: readonly Verb[] = ["get", "delete"];
    for (const verb of missing) expect(problemsOf({ ...pod, verb, name: "" })).toMatchObject({ code: "internal" });
    expect(problemsOf({ ...pod, verb: "deletecollection", name: "api-1" })).toMatchObject({ code: "internal" });
    expect(problemsOf({ ...pod, verb: "list", name: "", query: { watch: "true" } })).toMatchObject({
      code: "internal",
    });
    expect(problemsOf({ ...pod, resource: "watch", verb: "list", name: "" })).toMatchObject({ code: "internal" });
  });

  promise("kubernetes:names-stay-names", "selectors and parameters can't begin another parameter", () => {
    const query = { labelSelector: "a=b&dryRun=All#x?y/../z", limit: "5" };
    const { path, sent } = wireOf(server, { ...pod, verb: "list", name: "", query });
    expect(path).toBe("/api/v1/namespaces/shop/pods?labelSelector=a%3Db%26dryRun%3DAll%23x%3Fy%2F..%2Fz&limit=5");
    expect(sent.dryRun).toBe(false);
    expect(selectorRule("x".repeat(501))).not.toBeNull();
    for (const bad of ["a\u0000", "a\nb", "a\u202e", "a\u200b", "\ud800", "a\u2028b"])
      expect(selectorRule(bad)).not.toBeNull();
    expect(problemsOf({ ...pod, query: { "a&b": "c" } })).toMatchObject({ code: "invalid_input" });
  });
});

promise("kubernetes:refusals-keep-the-value", "whatever is refused does not come back", () => {
  fc.assert(
    fc.property(fc.string({ minLength: 4, unit: "binary" }), (text) => {
      try {
        wireOf(server, { ...pod, name: `/${text}`, namespace: `?${text}`, query: { labelSelector: `\u0000${text}` } });
      } catch (thrown) {
        const told = JSON.stringify(thrown instanceof Faulted ? thrown.fault : thrown);
        expect(told.includes(`/${text}`) || told.includes(`?${text}`)).toBe(false);
        return;
      }
      throw new Error("it was sent");
    }),
  );
});

const label = fc.stringMatching(/^[a-z0-9](?:[a-z0-9-]{0,20}[a-z0-9])?$/);
const subdomain = fc.array(label, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("."));
const targets: fc.Arbitrary<Target> = fc
  .record({
    verb: fc.constantFrom<Verb>("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"),
    group: fc.oneof(fc.constant(""), subdomain),
    version: label,
    resource: label.filter((one) => !["watch", "proxy", "namespaces", "status", "finalize"].includes(one)),
    namespace: fc.oneof(fc.constant(""), label),
    name: subdomain,
    subresource: fc.oneof(fc.constant(""), label),
    selector: fc.string({ maxLength: 60 }),
    dryRun: fc.boolean(),
    prefix: fc.constantFrom("", "/k8s/clusters/c-1", "/k8s/"),
  })
  .map(({ selector, dryRun, ...target }) => ({
    ...target,
    subresource: target.verb === "deletecollection" ? "" : target.subresource,
    name:
      target.verb === "deletecollection" || (target.verb === "create" && target.subresource === "") ? "" : target.name,
    query: {
      ...(dryRun ? { dryRun: "All" } : {}),
      ...(selectorRule(selector) === null ? { labelSelector: selector } : {}),
    },
  }));

describe("the final URL", () => {
  promise("kubernetes:sent-is-asked", "any valid target is read back as it was asked", () => {
    fc.assert(
      fc.property(targets, fc.constantFrom("", "/k8s/clusters/c-1", "/k8s/"), (target, prefix) => {
        // A list of one name is of a collection, whose subresource would be read as a name.
        fc.pre(!["list", "watch"].includes(target.verb) || target.subresource === "");
        const wire = wireOf(server + prefix, target);
        const onCollection = target.verb === "list" || target.verb === "watch";
        expect(wire.sent).toEqual({
          verb: target.verb,
          group: target.group,
          version: target.version,
          resource: target.resource,
          subresource: target.subresource ?? "",
          namespace: target.namespace,
          name: onCollection ? "" : target.name,
          pinned: onCollection ? target.name : "",
          dryRun: target.query?.["dryRun"] === "All",
        });
        expect(new URL(wire.path, server).href).toBe(server + wire.path);
        expect(parseRequest(wire.method, server + wire.path, server + prefix)).toEqual(wire.sent);
      }),
    );
  });

  promise("kubernetes:sent-is-asked", "whatever the parts hold, the request is refused or read back as asked", () => {
    const any = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom(...tricks), label, fc.constant("namespaces"));
    fc.assert(
      fc.property(
        fc.record({ group: any, version: any, resource: any, namespace: any, name: any, subresource: any }),
        (parts) => {
          const target: Target = { verb: "get", ...parts };
          if (problemsOf(target) !== "sent") return;
          expect(wireOf(server, target).sent).toMatchObject(parts);
        },
      ),
      { numRuns: 500 },
    );
  });

  promise(
    "kubernetes:sent-is-asked",
    "a URL that hides a separator, repeats a parameter or goes elsewhere is not read at all",
    () => {
      const bad = [
        `${server}/api/v1/namespaces/x%2Fsecrets%2Fdb/pods/y`,
        `${server}/api/v1/namespaces/x/pods/y%00`,
        `${server}/api/v1/namespaces/x/pods/%252e%252e`,
        `${server}/api/v1/namespaces//pods/y`,
        `${server}/api/v1/namespaces/x/pods/y/`,
        `${server}/api/v1/watch/namespaces/x/pods`,
        `${server}/api/v1/namespaces/x/pods/y/proxy/etc`,
        `${server}/api/v1/namespaces/x/pods?fieldSelector=a&fieldSelector=metadata.name=b`,
        `${server}/version`,
        `${server}/apis/apps`,
        "https://10.0.0.2:6443/api/v1/pods",
        "http://10.0.0.1:6443/api/v1/pods",
      ];
      for (const url of bad) expect(() => parseRequest("GET", url, server), url).toThrow(Faulted);
      expect(() => parseRequest("CONNECT", `${server}/api/v1/pods`, server)).toThrow(Faulted);
    },
  );

  promise("kubernetes:sent-is-asked", "verbs are read as the API server reads them", () => {
    const verbs = [
      ["GET", "/api/v1/pods", "list"],
      ["GET", "/api/v1/pods?watch=1", "watch"],
      ["GET", "/api/v1/pods?watch=", "watch"],
      ["GET", "/api/v1/pods?watch=false", "list"],
      ["GET", "/api/v1/namespaces/x", "get"],
      ["DELETE", "/api/v1/namespaces/x/pods", "deletecollection"],
      ["DELETE", "/api/v1/namespaces/x/pods/y", "delete"],
      ["POST", "/api/v1/namespaces/x/pods/y/eviction", "create"],
      ["PUT", "/api/v1/namespaces/x/finalize", "update"],
    ] as const;
    expect(verbs.map(([method, path]) => parseRequest(method, server + path, server).verb)).toEqual(
      verbs.map(([, , verb]) => verb),
    );
  });

  test("a watch of one name pins it beside the agent's own selector, and nothing else can be pinned", () => {
    const watch: Target = { ...pod, verb: "watch", query: { fieldSelector: "status.phase=Running" } };
    expect(wireOf(server, watch).path).toBe(
      "/api/v1/namespaces/shop/pods?fieldSelector=metadata.name%3Dapi-1%2Cstatus.phase%3DRunning&watch=true",
    );
    expect(problemsOf({ ...watch, query: { fieldSelector: "metadata.name=other" } })).toMatchObject({
      code: "internal",
    });
  });
});

describe("paths outside the resource tree", () => {
  promise("kubernetes:plain-paths", "the named ones pass, under the server's own prefix", () => {
    const good = [
      "/version",
      "/api",
      "/apis",
      "/api/v1",
      "/apis/apps",
      "/apis/apps/v1",
      "/openapi/v2",
      "/openapi/v3",
      "/openapi/v3/apis/apps/v1?hash=0A1B",
      "/openapi/v3/api/v1",
    ];
    expect(good.map((path) => plainWire(`${server}/k8s`, path).path)).toEqual(good.map((path) => `/k8s${path}`));
  });

  promise("kubernetes:plain-paths", "no resource, no trick and no other path", () => {
    const bad = [
      "/api/v1/secrets",
      "/api/v1/",
      "/apis/apps/v1/deployments",
      "/apis/../api/v1/secrets",
      "/api/%76%31/secrets",
      "//evil/api",
      "/healthz",
      "/metrics",
      "/logs/x",
      "/version?x=1",
      "/version#",
      "version",
      "",
      "/api/v1\n",
    ];
    for (const path of bad) expect(() => plainWire(server, path), path).toThrow(Faulted);
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(() => plainWire(server, `/api/v1/${text}`)).toThrow(Faulted);
      }),
    );
  });
});
