// Discovery: what this server serves, in the aggregated form (apidiscovery.k8s.io/v2) and in the classic one.

import type { JsonObject } from "./json.ts";
import { groupVersionOf, kinds, objectVerbs, type Kind } from "./kinds.ts";

const verbsOf = (kind: Kind): readonly string[] => (kind.review ? ["create"] : objectVerbs);
const groups = [...new Set(kinds.map((kind) => kind.group))].filter((group) => group !== "");
const versionOf = (group: string): string => kinds.find((kind) => kind.group === group)?.version ?? "";
const some = (name: string, list: readonly string[]): JsonObject => (list.length === 0 ? {} : { [name]: list });

/** The answer at `path`, or undefined when there is no such discovery document. */
export function discovery(path: string, aggregated: boolean): JsonObject | undefined {
  if (path === "/api")
    return aggregated ? aggregatedOf([""]) : { kind: "APIVersions", versions: ["v1"], serverAddressByClientCIDRs: [] };
  if (path === "/apis") {
    return aggregated ? aggregatedOf(groups) : { kind: "APIGroupList", apiVersion: "v1", groups: groups.map(groupOf) };
  }
  const [, root, group = "", version = "", more] = path.split("/");
  if (root === "api" && group === "v1" && version === "") return resourcesOf("");
  if (root !== "apis" || more !== undefined || !groups.includes(group)) return undefined;
  if (version === "") return { kind: "APIGroup", apiVersion: "v1", ...groupOf(group) };
  return version === versionOf(group) ? resourcesOf(group) : undefined;
}

function groupOf(group: string): JsonObject {
  const version = { groupVersion: `${group}/${versionOf(group)}`, version: versionOf(group) };
  return { name: group, versions: [version], preferredVersion: version };
}

function resourcesOf(group: string): JsonObject {
  const served = kinds.filter((kind) => kind.group === group);
  const resources = served.flatMap((kind) => [
    {
      name: kind.resource,
      singularName: kind.kind.toLowerCase(),
      namespaced: kind.namespaced,
      kind: kind.kind,
      verbs: verbsOf(kind),
      ...some("shortNames", kind.shortNames),
      ...some("categories", kind.categories),
    },
    ...kind.subresources.map((sub) => ({
      name: `${kind.resource}/${sub.name}`,
      singularName: "",
      namespaced: kind.namespaced,
      ...(sub.group === kind.group ? {} : { group: sub.group, version: sub.version }),
      kind: sub.kind,
      verbs: sub.verbs,
    })),
  ]);
  return {
    kind: "APIResourceList",
    apiVersion: "v1",
    groupVersion: served[0] ? groupVersionOf(served[0]) : "",
    resources,
  };
}

function aggregatedOf(names: readonly string[]): JsonObject {
  const items = names.map((group) => ({
    metadata: group === "" ? {} : { name: group },
    versions: [
      {
        version: versionOf(group),
        resources: kinds.filter((kind) => kind.group === group).map(aggregatedKind),
        freshness: "Current",
      },
    ],
  }));
  return { kind: "APIGroupDiscoveryList", apiVersion: "apidiscovery.k8s.io/v2", metadata: {}, items };
}

function aggregatedKind(kind: Kind): JsonObject {
  const subresources = kind.subresources.map((sub) => ({
    subresource: sub.name,
    responseKind: {
      group: sub.group === kind.group ? "" : sub.group,
      version: sub.group === kind.group ? "" : sub.version,
      kind: sub.kind,
    },
    verbs: sub.verbs,
  }));
  return {
    resource: kind.resource,
    responseKind: { group: "", version: "", kind: kind.kind },
    scope: kind.namespaced ? "Namespaced" : "Cluster",
    singularResource: kind.kind.toLowerCase(),
    verbs: verbsOf(kind),
    ...some("shortNames", kind.shortNames),
    ...some("categories", kind.categories),
    ...(subresources.length === 0 ? {} : { subresources }),
  };
}
