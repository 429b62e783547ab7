// Discovery against a real server on loopback: which kind a text means, and when the cluster is asked.

import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../../src/domain/json.ts";
import type { Discovery } from "../../../src/kubernetes/contract.ts";
import { openDiscovery } from "../../../src/kubernetes/discovery.ts";
import { editDistance } from "../../../src/kubernetes/kinds.ts";
import { promise } from "../../support/promise.ts";
import { answers, clientOf, faultFrom, serve, type Play, type Stage } from "./server.ts";

interface Served {
  readonly resource: string;
  readonly kind: string;
  readonly short?: readonly string[];
  readonly cluster?: true;
  readonly subs?: readonly string[];
}

const verbs = ["get", "list", "patch"];
const deployments: Served = {
  resource: "deployments",
  kind: "Deployment",
  short: ["deploy"],
  subs: ["scale", "status"],
};
/** Groups in the server's order, versions in its order of preference. */
const builtIn: readonly (readonly [string, readonly (readonly [string, readonly Served[]])[]])[] = [
  [
    "",
    [
      [
        "v1",
        [
          { resource: "pods", kind: "Pod", short: ["po"], subs: ["log"] },
          { resource: "services", kind: "Service", short: ["svc"] },
          { resource: "nodes", kind: "Node", short: ["no"], cluster: true },
          { resource: "events", kind: "Event", short: ["ev"] },
        ],
      ],
    ],
  ],
  ["apps", [["v1", [deployments]]]],
  ["events.k8s.io", [["v1", [{ resource: "events", kind: "Event", short: ["ev"] }]]]],
  [
    "autoscaling",
    [
      ["v2", [{ resource: "horizontalpodautoscalers", kind: "HorizontalPodAutoscaler", short: ["hpa"] }]],
      ["v1", [{ resource: "horizontalpodautoscalers", kind: "HorizontalPodAutoscaler", short: ["hpa"] }]],
    ],
  ],
  ["rbac.authorization.k8s.io", [["v1", [{ resource: "roles", kind: "Role" }]]]],
];
const custom: typeof builtIn = [
  ["metrics.k8s.io", [["v1beta1", [{ resource: "pods", kind: "PodMetrics" }]]]],
  ["serving.knative.dev", [["v1", [{ resource: "services", kind: "Service", short: ["ksvc"] }]]]],
  [
    "evil.example.com",
    [
      [
        "v1",
        [
          { resource: "roles", kind: "Role", short: ["po", "pods"] },
          { resource: "certificates", kind: "Certificate" },
        ],
      ],
    ],
  ],
  ["mine.k8s.io", [["v1", [{ resource: "roles", kind: "Role" }]]]],
  ["cert-manager.io", [["v1", [{ resource: "certificates", kind: "Certificate", short: ["cert"] }]]]],
];

function aggregated(groups: typeof builtIn): JsonObject {
  return {
    kind: "APIGroupDiscoveryList",
    apiVersion: "apidiscovery.k8s.io/v2",
    items: groups.map(([name, versions]) => ({
      metadata: name === "" ? {} : { name },
      versions: versions.map(([version, resources]) => ({
        version,
        freshness: "Current",
        resources: resources.map(({ resource, kind, short = [], cluster, subs = [] }) => ({
          resource,
          responseKind: { group: "", version: "", kind },
          scope: cluster ? "Cluster" : "Namespaced",
          singularResource: kind.toLowerCase(),
          verbs,
          shortNames: short,
          subresources: subs.map((subresource) => ({ subresource, verbs: ["get"] })),
        })),
      })),
    })),
  };
}

function whole(groups: typeof builtIn): Play {
  const isCore = ([name]: (typeof builtIn)[number]): boolean => name === "";
  return (seen, response) => {
    const list = aggregated(groups.filter((group) => isCore(group) === (seen.url === "/api")));
    answers(list)(seen, response);
  };
}

function classic(groups: typeof builtIn): Play {
  return (seen, response) => {
    const [, , group = "", version = ""] = seen.url === "/api/v1" ? ["", "", "", "v1"] : seen.url.split("/");
    if (seen.url === "/api") return answers({ kind: "APIVersions", versions: ["v1"] })(seen, response);
    if (seen.url === "/apis") {
      const named = groups.filter(([name]) => name !== "");
      const list = named.map(([name, versions]) => ({
        name,
        versions: versions.toReversed().map(([one]) => ({ version: one, groupVersion: `${name}/${one}` })),
        preferredVersion: { version: versions[0]?.[0] ?? "" },
      }));
      return answers({ kind: "APIGroupList", groups: list })(seen, response);
    }
    const found = groups.find(([name]) => name === group)?.[1].find(([one]) => one === version)?.[1];
    if (found === undefined) return answers({ kind: "Status" }, 503)(seen, response);
    const resources = found.flatMap(({ resource, kind, short = [], cluster, subs = [] }) => [
      { name: resource, singularName: kind.toLowerCase(), namespaced: !cluster, kind, verbs, shortNames: short },
      ...subs.map((sub) => ({
        name: `${resource}/${sub}`,
        singularName: "",
        namespaced: true,
        kind: "Scale",
        verbs: ["get"],
      })),
    ]);
    return answers({ kind: "APIResourceList", resources })(seen, response);
  };
}

async function discover(play: Play, now = () => 0): Promise<Discovery & { stage: Stage }> {
  const stage = await serve(play);
  return { ...openDiscovery(clientOf(stage.url), () => Promise.resolve("Bearer reader"), now), stage };
}

const named = (kind: { readonly resource: string; readonly version: string; readonly group: string }): string =>
  `${kind.resource}.${kind.version}.${kind.group}`;

const meanings: readonly (readonly [string, string])[] = [
  ["Pod", "pods.v1."],
  ["POD", "pods.v1."],
  ["pods", "pods.v1."],
  ["po", "pods.v1."],
  ["pods.v1", "pods.v1."],
  ["PodMetrics", "pods.v1beta1.metrics.k8s.io"],
  ["pods.metrics.k8s.io", "pods.v1beta1.metrics.k8s.io"],
  ["deploy", "deployments.v1.apps"],
  ["Deployment.apps", "deployments.v1.apps"],
  ["deployments.v1.apps", "deployments.v1.apps"],
  ["events", "events.v1."],
  ["events.events.k8s.io", "events.v1.events.k8s.io"],
  ["hpa", "horizontalpodautoscalers.v2.autoscaling"],
  ["hpa.v1.autoscaling", "horizontalpodautoscalers.v1.autoscaling"],
  ["Service", "services.v1."],
  ["ksvc", "services.v1.serving.knative.dev"],
  ["service.serving.knative.dev", "services.v1.serving.knative.dev"],
  ["Certificate.cert-manager.io", "certificates.v1.cert-manager.io"],
  ["cert", "certificates.v1.cert-manager.io"],
];

for (const [way, play] of [
  ["aggregated", whole],
  ["classic", classic],
] as const)
  describe(`${way} discovery`, () => {
    promise(
      way === "classic" ? "kubernetes:discovery-classic" : "kubernetes:one-kind",
      "each way to write a kind",
      async () => {
        const { find } = await discover(play([...builtIn, ...custom]));
        const found = await Promise.all(meanings.map(async ([text]) => [text, named(await find(text))]));
        expect(found).toEqual(meanings);
      },
    );

    promise(
      way === "classic" ? "kubernetes:discovery-classic" : "kubernetes:one-kind",
      "a kind comes whole, and each resource once",
      async () => {
        const { find, kinds } = await discover(play([...builtIn, ...custom]));
        expect(await find("deploy")).toEqual({
          group: "apps",
          version: "v1",
          resource: "deployments",
          kind: "Deployment",
          namespaced: true,
          verbs,
          shortNames: ["deploy"],
          subresources: ["scale", "status"],
        });
        expect((await find("node")).namespaced).toBe(false);
        const all = (await kinds()).map(named);
        expect(new Set(all).size).toBe(all.length);
        expect(all.filter((one) => one.startsWith("horizontal"))).toEqual(["horizontalpodautoscalers.v2.autoscaling"]);
      },
    );
  });

promise(
  "kubernetes:discovery-classic",
  "an aggregated API whose server is down takes only its own kinds with it",
  async () => {
    const down: Play = (seen, response) =>
      seen.url === "/apis/metrics.k8s.io/v1beta1"
        ? answers({ kind: "Status" }, 503)(seen, response)
        : classic([...builtIn, ...custom])(seen, response);
    const { find } = await discover(down);
    expect(named(await find("pods"))).toBe("pods.v1.");
    expect(await faultFrom(find("PodMetrics"))).toMatchObject({ code: "unknown_kind" });
  },
);

promise(
  "kubernetes:never-shadowed",
  "custom resources with built-in names and short names change nothing, in any order",
  async () => {
    const texts = ["pods", "po", "Service", "svc", "roles", "Role", "events"];
    const plain = await discover(whole(builtIn));
    const expected = await Promise.all(texts.map(async (text) => named(await plain.find(text))));
    for (const groups of [
      [...builtIn, ...custom],
      [...custom, ...builtIn],
      [...custom.toReversed(), ...builtIn],
    ]) {
      const { find } = await discover(whole(groups));
      expect(await Promise.all(texts.map(async (text) => named(await find(text))))).toEqual(expected);
    }
  },
);

promise("kubernetes:one-kind", "a name that two custom groups serve is asked back with both", async () => {
  const { find } = await discover(whole([...builtIn, ...custom]));
  expect(await faultFrom(find("Certificate"))).toMatchObject({
    code: "invalid_input",
    detail: {
      problems: [{ path: "kind", rule: "ambiguous: add its group" }],
      candidates: ["Certificate.evil.example.com", "Certificate.cert-manager.io"],
    },
  });
});

promise(
  "kubernetes:refusals-keep-the-value",
  "what is no kind's name at all is refused before the cluster is asked twice",
  async () => {
    const { find, stage } = await discover(whole(builtIn));
    for (const text of ["", "pods/x", "po ds", "../x", "p\u043eds", "1pods", "x".repeat(161), "pods\u0000"]) {
      const { code, detail } = await faultFrom(find(text));
      expect([code, detail]).toEqual([
        "invalid_input",
        { problems: [{ path: "kind", rule: "a kind's name, as in Pod, deployments or Certificate.cert-manager.io" }] },
      ]);
    }
    expect(stage.seen).toHaveLength(2);
  },
);

promise("kubernetes:unknown-kind", "the three nearest, and none where nothing is near", async () => {
  const { find } = await discover(whole([...builtIn, ...custom]));
  expect(await faultFrom(find("Deploymnt"))).toMatchObject({
    code: "unknown_kind",
    detail: { near: ["Deployment.apps"] },
  });
  expect(await faultFrom(find("pod5"))).toMatchObject({
    detail: { near: ["Pod", "PodMetrics.metrics.k8s.io", "Node"] },
  });
  expect(await faultFrom(find("zzzzzzzzzzzz"))).toMatchObject({ detail: { near: [] } });
});

promise(
  "kubernetes:discovery-fresh",
  "one reading for all who ask, five minutes long, and anew for an unknown kind at most each ten seconds",
  async () => {
    let time = 1_000_000;
    const { find, kinds, stage } = await discover(whole(builtIn), () => time);
    const readings = (): number => stage.seen.length / 2;
    await Promise.all([find("pods"), find("deploy"), kinds()]);
    expect(readings()).toBe(1);
    await faultFrom(find("nosuch"));
    expect(readings()).toBe(1);
    time += 10_000;
    await Promise.all([faultFrom(find("nosuch")), faultFrom(find("nosuch"))]);
    expect(readings()).toBe(2);
    time += 299_999;
    await find("pods");
    expect(readings()).toBe(2);
    time += 1;
    await find("pods");
    expect(readings()).toBe(3);
  },
);

promise(
  "kubernetes:discovery-fresh",
  "a kind that appeared since is found, and a failed reading is not kept",
  async () => {
    let time = 0;
    let groups = builtIn;
    let broken = true;
    const { find } = await discover(
      (seen, response) => (broken ? answers({ kind: "Status" }, 401)(seen, response) : whole(groups)(seen, response)),
      () => time,
    );
    expect(await faultFrom(find("pods"))).toMatchObject({ code: "credential_unavailable" });
    broken = false;
    expect(named(await find("pods"))).toBe("pods.v1.");
    groups = [...builtIn, ...custom];
    time += 10_000;
    expect(named(await find("cert"))).toBe("certificates.v1.cert-manager.io");
  },
);

promise(
  "kubernetes:names-stay-names",
  "a discovery answer with names that are none gives no kind of them",
  async () => {
    const bad = ["../secrets", "a%2fb", "", "x y", "\u202epods", "p".repeat(64)];
    const groups: typeof builtIn = [
      ...builtIn,
      ...bad.map((name) => [name, [["v1", [{ resource: "things", kind: "Thing" }]]]] as const),
      [
        "ok.example.com",
        [
          ["v1", bad.map((name) => ({ resource: name, kind: "Thing" }))],
          ["v1/..", [{ resource: "things", kind: "Thing" }]],
        ],
      ],
    ];
    const { kinds } = await discover(whole(groups));
    expect((await kinds()).filter(({ kind, group }) => kind === "Thing" && group !== "" && group.length < 64)).toEqual(
      [],
    );
  },
);

promise(
  "kubernetes:never-shadowed",
  "a server that says nothing of its core group, or nothing sensible, has no kinds at all",
  async () => {
    const nonsense = { kind: "APIGroupDiscoveryList", items: [5, { versions: [{ resources: "x" }] }, null] };
    const missing = { code: "cluster_unavailable", detail: { why: "answer" } };
    for (const play of [answers(nonsense), answers({}), whole(custom)]) {
      const { find, stage } = await discover(play);
      expect(await faultFrom(find("pods"))).toMatchObject(missing);
      expect(new Set(stage.seen.map(({ headers }) => headers.authorization))).toEqual(new Set(["Bearer reader"]));
    }
    const noCore: Play = (seen, response) =>
      (seen.url === "/api/v1" ? answers({}, 503) : classic([...builtIn, ...custom]))(seen, response);
    expect(await faultFrom((await discover(noCore)).find("pods"))).toMatchObject({ code: "cluster_busy" });
    const noApps: Play = (seen, response) =>
      (seen.url === "/apis/apps/v1" ? answers({}, 503) : classic([...builtIn, ...custom]))(seen, response);
    expect(await faultFrom((await discover(noApps)).find("pods"))).toMatchObject({ code: "cluster_busy" });
  },
);

test("edit distance", () => {
  expect([
    editDistance("", "abc"),
    editDistance("pod", "pod"),
    editDistance("pods", "pod"),
    editDistance("kitten", "sitting"),
  ]).toEqual([3, 0, 1, 3]);
});
