// What a cluster serves, read by aggregated discovery (or the classic lists where it does not aggregate) and kept fresh.

import { Faulted } from "../domain/fault.ts";
import { at, isJsonObject, textAt, type Json, type JsonObject } from "../domain/json.ts";
import type { Discovery, KubeClient } from "./contract.ts";
import { clusterFault } from "./faults.ts";
import { byName, isBuiltIn, plain, resolveKind, unknownKind, type KindsByName, type ServedKind } from "./kinds.ts";
import { isGroup, isKind, isLabel } from "./names.ts";

/** Aggregated discovery (Kubernetes API concepts, "Aggregated discovery"), with plain JSON where the server has none. */
const aggregated = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";

/** Milliseconds that what was read counts as fresh. */
const fresh = 5 * 60_000;
/** Milliseconds between two readings that unknown kinds may cause. */
const pause = 10_000;

/** One reading, and the same by name. */
interface Served {
  readonly kinds: readonly ServedKind[];
  readonly named: KindsByName;
}

/** Opens discovery of one cluster; nothing is read before the first question. `authorize` gives the reader's Authorization header. */
export function openDiscovery(
  client: Pick<KubeClient, "path">,
  authorize: () => Promise<string | null>,
  now: () => number,
): Discovery {
  let known: (Served & { readonly at: number }) | null = null;
  let reading: Promise<Served> | null = null;

  /** What is served, read anew when older than `age`; all who ask meanwhile share one reading. A failure is not kept. */
  function servedWithin(age: number): Promise<Served> {
    if (known !== null && now() - known.at < age) return Promise.resolve(known);
    reading ??= read(client, authorize)
      .then((kinds) => (known = { kinds, named: byName(kinds), at: now() }))
      .finally(() => {
        reading = null;
      });
    return reading;
  }

  return {
    async find(text) {
      const found = resolveKind(text, (await servedWithin(fresh)).named);
      if (found !== undefined) return found;
      const again = await servedWithin(pause);
      const late = resolveKind(text, again.named);
      if (late !== undefined) return late;
      throw unknownKind(text, again.kinds);
    },
    async kinds() {
      return (await servedWithin(fresh)).kinds.filter((kind) => kind.preferred).map(plain);
    },
  };
}

async function read(
  client: Pick<KubeClient, "path">,
  authorize: () => Promise<string | null>,
): Promise<readonly ServedKind[]> {
  const authorization = await authorize();
  // Shared by all who wait for it, so no one caller's signal may end it; the client's own deadline does.
  const { signal } = new AbortController();
  const get = (path: string, accept = "application/json"): Promise<JsonObject> =>
    client.path(path, { authorization, signal, accept });
  const [core, groups] = await Promise.all([get("/api", aggregated), get("/apis", aggregated)]);
  const kinds = await Promise.all([
    isAggregated(core) ? aggregatedKinds(core) : classicKinds("", "v1", get),
    isAggregated(groups) ? aggregatedKinds(groups) : classicGroups(groups, get),
  ]);
  const served = preferFirst(kinds.flat());
  // Without the core group a custom resource would take the place of a built-in kind.
  if (served.some((kind) => kind.group === "")) return served;
  throw new Faulted(clusterFault("cluster_unavailable", { why: "answer" }, "discovery lists no core group"));
}

function isAggregated(list: JsonObject): boolean {
  return textAt(list, "kind") === "APIGroupDiscoveryList";
}

/** Every version of every group in an APIGroupList. An aggregated API whose own server is down takes its kinds with it, a built-in group the whole reading. */
async function classicGroups(list: JsonObject, get: (path: string) => Promise<JsonObject>): Promise<ServedKind[]> {
  const versions = listAt(list, "groups").flatMap((group) =>
    classicVersions(group).map((version) => [textAt(group, "name"), version] as const),
  );
  const known = versions.filter(([group, version]) => group !== "" && isGroup(group) && isLabel(version));
  const lists = known.map(async ([group, version]) => {
    try {
      return await classicKinds(group, version, get);
    } catch (thrown) {
      const down = thrown instanceof Faulted && ["cluster_busy", "unknown_kind"].includes(thrown.fault.code);
      if (!down || isBuiltIn(group)) throw thrown;
      return [];
    }
  });
  return (await Promise.all(lists)).flat();
}

function aggregatedKinds(list: JsonObject): ServedKind[] {
  const versions = listAt(list, "items").flatMap((group) =>
    listAt(group, "versions").map((version) => [textAt(group, "metadata", "name"), version] as const),
  );
  return versions.flatMap(([group, version]) =>
    listAt(version, "resources").flatMap((resource) =>
      kindOf({
        group,
        version: textAt(version, "version"),
        resource: textAt(resource, "resource"),
        kind: textAt(resource, "responseKind", "kind"),
        namespaced: textAt(resource, "scope") === "Namespaced",
        verbs: textsAt(resource, "verbs"),
        shortNames: textsAt(resource, "shortNames"),
        singular: textAt(resource, "singularResource"),
        subresources: listAt(resource, "subresources").map((one) => textAt(one, "subresource")),
      }),
    ),
  );
}

/** The preferred version first, then the others as they stand. */
function classicVersions(group: JsonObject): string[] {
  const preferred = textAt(group, "preferredVersion", "version");
  const versions = listAt(group, "versions").map((version) => textAt(version, "version"));
  return [...new Set([preferred, ...versions])].filter((version) => version !== "");
}

/** One version's APIResourceList, which names subresources as `deployments/scale`. */
async function classicKinds(
  group: string,
  version: string,
  get: (path: string) => Promise<JsonObject>,
): Promise<ServedKind[]> {
  const resources = listAt(await get(group === "" ? `/api/${version}` : `/apis/${group}/${version}`), "resources");
  return resources.flatMap((one) => {
    const resource = textAt(one, "name");
    return kindOf({
      group,
      version,
      resource,
      kind: textAt(one, "kind"),
      namespaced: at(one, "namespaced") === true,
      verbs: textsAt(one, "verbs"),
      shortNames: textsAt(one, "shortNames"),
      singular: textAt(one, "singularName"),
      subresources: resources
        .map((other) => textAt(other, "name").split("/"))
        .flatMap(([parent, sub]) => (parent === resource && sub !== undefined ? [sub] : [])),
    });
  });
}

/** One kind, or none where a name is not what Kubernetes allows: names from discovery become parts of URLs. */
function kindOf(kind: Omit<ServedKind, "preferred">): ServedKind[] {
  const { group, version, resource, verbs, subresources } = kind;
  if (!isGroup(group) || !isLabel(version) || !isLabel(resource) || !isKind(kind.kind)) return [];
  return [
    {
      ...kind,
      verbs: verbs.filter(isLabel),
      shortNames: kind.shortNames.filter(isLabel),
      singular: kind.singular.toLowerCase(),
      subresources: subresources.filter(isLabel),
      preferred: false,
    },
  ];
}

/** Marks each resource's first version: lists are in the server's order of preference. */
function preferFirst(kinds: readonly ServedKind[]): ServedKind[] {
  const seen = new Set<string>();
  return kinds.map((kind) => {
    const name = `${kind.resource}.${kind.group}`;
    const preferred = !seen.has(name);
    seen.add(name);
    return { ...kind, preferred };
  });
}

function listAt(value: JsonObject, key: string): JsonObject[] {
  const list: Json | undefined = at(value, key);
  return Array.isArray(list) ? list.filter(isJsonObject) : [];
}

function textsAt(value: JsonObject, key: string): string[] {
  const list: Json | undefined = at(value, key);
  return Array.isArray(list) ? list.filter((item): item is string => typeof item === "string") : [];
}
