// Reading many: discovery, selectors, pages and Tables.

import { expect } from "vitest";
import { promise } from "../../../support/promise.ts";
import type { Body, Client } from "./client.ts";

const names = (list: Body): readonly string[] => list.items.map((item: Body) => item.metadata.name);
const tableType = "application/json;as=Table;g=meta.k8s.io;v=v1, application/json";
const aggregatedType = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";

/** `Name:string/0` …: what each kind's Table shows, as Kubernetes 1.36 answers. */
const columns: { readonly [path: string]: string } = {
  "/api/v1/namespaces": "Name:string/0 Status:string/0 Age:string/0",
  "/api/v1/pods":
    "Name:string/0 Ready:string/0 Status:string/0 Restarts:string/0 Age:string/0 IP:string/1 Node:string/1 Nominated Node:string/1 Readiness Gates:string/1",
  "/api/v1/services":
    "Name:string/0 Type:string/0 Cluster-IP:string/0 External-IP:string/0 Port(s):string/0 Age:string/0 Selector:string/1",
  "/api/v1/configmaps": "Name:string/0 Data:string/0 Age:string/0",
  "/api/v1/secrets": "Name:string/0 Type:string/0 Data:string/0 Age:string/0",
  "/api/v1/serviceaccounts": "Name:string/0 Age:string/0",
  "/api/v1/events":
    "Last Seen:string/0 Type:string/0 Reason:string/0 Object:string/0 Subobject:string/1 Source:string/1 Message:string/0 First Seen:string/1 Count:string/1 Name:string/1",
  "/api/v1/nodes":
    "Name:string/0 Status:string/0 Roles:string/0 Age:string/0 Version:string/0 Internal-IP:string/1 External-IP:string/1 OS-Image:string/1 Kernel-Version:string/1 Container-Runtime:string/1",
  "/api/v1/persistentvolumeclaims":
    "Name:string/0 Status:string/0 Volume:string/0 Capacity:string/0 Access Modes:string/0 StorageClass:string/0 VolumeAttributesClass:string/0 Age:string/0 VolumeMode:string/1",
  "/api/v1/resourcequotas": "Name:string/0 Request:string/0 Limit:string/0 Age:string/0",
  "/apis/apps/v1/deployments":
    "Name:string/0 Ready:string/0 Up-to-date:string/0 Available:string/0 Age:string/0 Containers:string/1 Images:string/1 Selector:string/1",
  "/apis/apps/v1/replicasets":
    "Name:string/0 Desired:integer/0 Current:integer/0 Ready:integer/0 Age:string/0 Containers:string/1 Images:string/1 Selector:string/1",
  "/apis/apps/v1/statefulsets": "Name:string/0 Ready:string/0 Age:string/0 Containers:string/1 Images:string/1",
  "/apis/apps/v1/daemonsets":
    "Name:string/0 Desired:integer/0 Current:integer/0 Ready:integer/0 Up-to-date:integer/0 Available:integer/0 Node Selector:string/0 Age:string/0 Containers:string/1 Images:string/1 Selector:string/1",
  "/apis/batch/v1/jobs":
    "Name:string/0 Status:string/0 Completions:string/0 Duration:string/0 Age:string/0 Containers:string/1 Images:string/1 Selector:string/1",
  "/apis/batch/v1/cronjobs":
    "Name:string/0 Schedule:string/0 Timezone:string/0 Suspend:boolean/0 Active:integer/0 Last Schedule:string/0 Age:string/0 Containers:string/1 Images:string/1 Selector:string/1",
  "/apis/autoscaling/v2/horizontalpodautoscalers":
    "Name:string/0 Reference:string/0 Targets:string/0 MinPods:string/0 MaxPods:string/0 Replicas:string/0 Age:string/0",
  "/apis/networking.k8s.io/v1/ingresses":
    "Name:string/0 Class:string/0 Hosts:string/0 Address:string/0 Ports:string/0 Age:string/0",
  "/apis/networking.k8s.io/v1/networkpolicies": "Name:string/0 Pod-Selector:string/0 Age:string/0",
  "/apis/policy/v1/poddisruptionbudgets":
    "Name:string/0 Min Available:string/0 Max Unavailable:string/0 Allowed Disruptions:integer/0 Age:string/0",
  "/apis/rbac.authorization.k8s.io/v1/roles": "Name:string/0 Created At:date/0",
  "/apis/rbac.authorization.k8s.io/v1/clusterroles": "Name:string/0 Created At:date/0",
  "/apis/rbac.authorization.k8s.io/v1/rolebindings":
    "Name:string/0 Role:string/0 Age:string/0 Users:string/1 Groups:string/1 ServiceAccounts:string/1",
  "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings":
    "Name:string/0 Role:string/0 Age:string/0 Users:string/1 Groups:string/1 ServiceAccounts:string/1",
  "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies":
    "Name:string/0 Validations:integer/0 ParamKind:string/0 Age:string/0",
  "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings":
    "Name:string/0 PolicyName:string/0 ParamRef:string/0 Age:string/0",
};

export function listTests(client: () => Client): void {
  promise("practice:discovery", "both forms tell the same resources, verbs and short names", async () => {
    const at = client();
    const core = await at.call("GET", "/api", { accept: aggregatedType });
    expect(core.headers["content-type"]).toBe("application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList");
    const groups = await at.call("GET", "/apis", { accept: aggregatedType });
    const pod = core.body.items[0].versions[0].resources.find((one: Body) => one.resource === "pods");
    expect([pod.responseKind, pod.scope, pod.singularResource, pod.shortNames, pod.categories]).toEqual([
      { group: "", version: "", kind: "Pod" },
      "Namespaced",
      "pod",
      ["po"],
      ["all"],
    ]);
    expect(pod.verbs).toEqual(expect.arrayContaining(["create", "delete", "get", "list", "patch", "update"]));
    const apps = groups.body.items.find((one: Body) => one.metadata.name === "apps").versions[0].resources;
    const deployments = apps.find((one: Body) => one.resource === "deployments");
    expect(deployments.subresources).toContainEqual({
      subresource: "scale",
      responseKind: { group: "autoscaling", version: "v1", kind: "Scale" },
      verbs: ["get", "patch", "update"],
    });
    const classic = await at.call("GET", "/apis/apps/v1");
    expect([classic.body.kind, classic.body.groupVersion]).toEqual(["APIResourceList", "apps/v1"]);
    expect(classic.body.resources.find((one: Body) => one.name === "deployments")).toMatchObject({
      singularName: "deployment",
      namespaced: true,
      kind: "Deployment",
      verbs: deployments.verbs,
      shortNames: ["deploy"],
      categories: ["all"],
    });
    expect(classic.body.resources.find((one: Body) => one.name === "deployments/scale")).toEqual({
      name: "deployments/scale",
      singularName: "",
      namespaced: true,
      group: "autoscaling",
      version: "v1",
      kind: "Scale",
      verbs: ["get", "patch", "update"],
    });
    const plain = await at.call("GET", "/apis");
    expect(plain.body.groups.find((one: Body) => one.name === "apps")).toEqual({
      name: "apps",
      versions: [{ groupVersion: "apps/v1", version: "v1" }],
      preferredVersion: { groupVersion: "apps/v1", version: "v1" },
    });
    expect((await at.call("GET", "/api")).body.versions).toEqual(["v1"]);
    expect((await at.call("GET", "/version")).body.gitVersion).toMatch(/^v\d/);
    expect((await at.call("GET", "/readyz")).text).toBe("ok");
  });

  promise("practice:lists", "labels and fields select", async () => {
    const at = client();
    for (const [name, color] of [
      ["sel-a", "red"],
      ["sel-b", "green"],
      ["sel-c", "blue"],
    ] as const) {
      await at.make(at.core("secrets"), { metadata: { name, labels: { color, sel: "1" } } });
    }
    const select = async (query: string): Promise<readonly string[]> =>
      names((await at.call("GET", `${at.core("secrets")}?${query}`)).body);
    const cases = {
      "color=red": ["sel-a"],
      "color==red,sel": ["sel-a"],
      "sel,color!=red": ["sel-b", "sel-c"],
      "color in (red, blue)": ["sel-a", "sel-c"],
      "sel=1,color notin (red)": ["sel-b", "sel-c"],
      "sel,!color": [],
    };
    for (const [selector, found] of Object.entries(cases)) {
      expect([selector, await select(`labelSelector=${encodeURIComponent(selector)}`)]).toEqual([selector, found]);
    }
    expect(await select("fieldSelector=metadata.name%3Dsel-b")).toEqual(["sel-b"]);
    expect(await select("labelSelector=sel&fieldSelector=metadata.name!%3Dsel-b")).toEqual(["sel-a", "sel-c"]);
    for (const query of ["labelSelector=(((", "labelSelector=a%3D%3D%3Db", "fieldSelector=data.key%3Dx", "limit=abc"]) {
      const refused = await at.call("GET", `${at.core("configmaps")}?${query}`);
      expect([query, refused.code, refused.body.reason]).toEqual([query, 400, "BadRequest"]);
    }
    const empty = await at.call("GET", "/api/v1/namespaces/suite-nowhere/configmaps");
    expect([empty.code, empty.body.items]).toEqual([200, []]);
    const bound = await at.call("GET", "/api/v1/pods?fieldSelector=spec.nodeName%3Dsuite-no-node");
    expect([bound.code, bound.body.items]).toEqual([200, []]);
  });

  promise("practice:lists", "later pages show the moment of the first one", async () => {
    const at = client();
    const space = `${at.namespace}-pages`;
    await at.make("/api/v1/namespaces", { metadata: { name: space } });
    const path = `/api/v1/namespaces/${space}/secrets`;
    for (const name of ["a", "b", "c", "d", "e"]) await at.make(path, { metadata: { name } });
    const first = await at.call("GET", `${path}?limit=2`);
    expect([
      names(first.body),
      first.body.metadata.remainingItemCount,
      Object.keys(first.body.items[0]).toSorted(),
    ]).toEqual([["a", "b"], 3, ["metadata", "type"]]);
    await at.call("DELETE", `${path}/d`);
    await at.make(path, { metadata: { name: "bb" } });
    const next = encodeURIComponent(first.body.metadata.continue);
    const second = await at.call("GET", `${path}?limit=2&continue=${next}`);
    expect([names(second.body), second.body.metadata.remainingItemCount]).toEqual([["c", "d"], 1]);
    const last = await at.call("GET", `${path}?limit=2&continue=${encodeURIComponent(second.body.metadata.continue)}`);
    expect([names(last.body), last.body.metadata.continue, last.body.metadata.remainingItemCount]).toEqual([
      ["e"],
      undefined,
      undefined,
    ]);
    expect((await at.call("GET", `${path}?limit=2&continue=nonsense`)).code).toBe(400);
    await at.call("DELETE", `/api/v1/namespaces/${space}`);
  });

  promise("practice:tables", "every kind has its columns", async () => {
    const at = client();
    const found: { [path: string]: string } = {};
    for (const path of Object.keys(columns)) {
      const table = await at.call("GET", `${path}?limit=1&includeObject=None`, { accept: tableType });
      expect([path, table.code, table.body.kind, table.body.apiVersion]).toEqual([
        path,
        200,
        "Table",
        "meta.k8s.io/v1",
      ]);
      found[path] = table.body.columnDefinitions
        .map((one: Body) => `${one.name}:${one.type}/${one.priority}`)
        .join(" ");
    }
    expect(found).toEqual(columns);
  });

  promise("practice:tables", "rows carry cells and as much of the object as was asked", async () => {
    const at = client();
    const made = await at.make(at.core("secrets"), {
      metadata: { name: "row", labels: { row: "1" } },
      stringData: { a: "1" },
    });
    const rows = async (include: string): Promise<Body> =>
      (await at.call("GET", `${at.core("secrets")}?labelSelector=row${include}`, { accept: tableType })).body.rows;
    const cells = ["row", "Opaque", 1, expect.stringMatching(/^\d+s$/)];
    const partial = { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1", metadata: made.metadata };
    expect(await rows("&includeObject=None")).toEqual([{ cells, object: null }]);
    expect(await rows("&includeObject=Metadata")).toEqual([{ cells, object: partial }]);
    expect(await rows("")).toEqual([{ cells, object: partial }]);
    expect((await rows("&includeObject=Object"))[0].object.data).toEqual(made.data);
    const one = await at.call("GET", at.core("secrets", "row"), { accept: tableType });
    expect(one.body.rows).toEqual([{ cells, object: partial }]);
    const none = await at.call("GET", at.core("secrets", "no-row"), { accept: tableType });
    expect([none.code, none.body.kind]).toEqual([404, "Status"]);
    const bad = await at.call("GET", `${at.core("secrets")}?includeObject=All`, { accept: tableType });
    expect([bad.code, bad.body.reason]).toEqual([400, "BadRequest"]);
  });

  promise(
    "practice:watches",
    "what happens after a revision, to the objects that are selected, until its seconds are over",
    async () => {
      const at = client();
      const first = await at.make(at.core("configmaps"), { metadata: { name: "watched", labels: { seen: "yes" } } });
      const version = first.metadata.resourceVersion as string;
      const change = async (): Promise<void> => {
        await at.call("PATCH", at.core("configmaps", "watched"), { body: { data: { a: "1" } } });
        await at.make(at.core("configmaps"), { metadata: { name: "watch-unseen" } });
        await at.make(at.core("configmaps"), { metadata: { name: "watch-other", labels: { seen: "yes" } } });
        await at.call("DELETE", at.core("configmaps", "watched"));
      };
      const watch = (query: string): Promise<readonly string[]> =>
        at.events(`${at.core("configmaps")}?watch=true&timeoutSeconds=2&${query}`);
      const named = watch(`resourceVersion=${version}&fieldSelector=metadata.name%3Dwatched`);
      const labelled = watch(`resourceVersion=${version}&labelSelector=seen%3Dyes`);
      await change();
      expect(await named).toEqual(["MODIFIED watched", "DELETED watched"]);
      expect(await labelled).toEqual(["MODIFIED watched", "ADDED watch-other", "DELETED watched"]);
      // Later, what had happened by then comes all the same, and without a revision what there is comes first.
      expect(await watch(`resourceVersion=${version}&labelSelector=seen%3Dyes`)).toEqual([
        "MODIFIED watched",
        "ADDED watch-other",
        "DELETED watched",
      ]);
      expect(await watch("labelSelector=seen%3Dyes")).toEqual(["ADDED watch-other"]);
    },
  );
}
