// JSON merge patch (RFC 7386) and Kubernetes' strategic merge patch, whose lists of known names merge by a key.

import { at, isJsonObject, type Json, type JsonObject } from "./json.ts";
import { badRequest, unserved } from "./status.ts";

/** The fields whose items have a key (the patchMergeKey tags of Kubernetes' types); a list not here is replaced as one. */
const mergeKeys: { readonly [field: string]: readonly string[] } = {
  containers: ["name"],
  initContainers: ["name"],
  ephemeralContainers: ["name"],
  env: ["name"],
  volumes: ["name"],
  volumeMounts: ["mountPath"],
  imagePullSecrets: ["name"],
  hostAliases: ["ip"],
  ports: ["containerPort", "port"],
  conditions: ["type"],
  ownerReferences: ["uid"],
};

/** The key that this list's items are told apart by, or undefined where the list is atomic. */
export function mergeKey(field: string, items: readonly Json[]): string | undefined {
  return mergeKeys[field]?.find((key) => items.every((item) => at(item, key) !== undefined));
}

/** What the content type of a PATCH asks for; throws 415 for one that is not served. */
export function patchFor(contentType: string): (target: Json | undefined, patch: Json) => Json {
  switch (contentType) {
    case "application/merge-patch+json":
      return mergePatch;
    case "application/strategic-merge-patch+json":
      return strategicPatch;
    case "application/apply-patch+yaml":
      throw unserved("serve server-side apply", 415);
    case "application/json-patch+json":
      throw unserved("serve JSON Patch", 415);
    default:
      throw unserved(`know the patch type ${JSON.stringify(contentType)}`, 415);
  }
}

function mergePatch(target: Json | undefined, patch: Json): Json {
  return merge(target, patch, (_field, _old, value) => value);
}

function strategicPatch(target: Json | undefined, patch: Json): Json {
  return merge(target, patch, (field, old, items) => {
    if (field === "finalizers") return [...new Set([...old, ...items])];
    const key = mergeKey(field, [...old, ...items]);
    if (key === undefined) return items;
    const merged = new Map(old.map((item) => [at(item, key), item]));
    for (const item of items) {
      const directive = at(item, "$patch");
      if (directive === "delete") merged.delete(at(item, key));
      else if (directive !== undefined) throw unserved(`serve the patch directive ${JSON.stringify(directive)}`);
      else merged.set(at(item, key), strategicPatch(merged.get(at(item, key)), item));
    }
    return [...merged.values()];
  });
}

type ListMerge = (field: string, old: readonly Json[], items: readonly Json[]) => readonly Json[];

function merge(target: Json | undefined, patch: Json, lists: ListMerge): Json {
  if (!isJsonObject(patch)) return patch;
  const merged: { [key: string]: Json } = { ...(isJsonObject(target) ? target : {}) };
  for (const [field, value] of Object.entries(patch)) {
    if (field.startsWith("$")) throw unserved(`serve the patch directive "${field}"`);
    if (field === "__proto__") throw badRequest("error decoding patch: a field named __proto__");
    const old = Object.hasOwn(merged, field) ? merged[field] : undefined;
    if (value === null) delete merged[field];
    else if (Array.isArray(value)) merged[field] = lists(field, Array.isArray(old) ? old : [], value);
    else merged[field] = isJsonObject(value) ? mergeObject(old, value, lists) : value;
  }
  return merged;
}

const mergeObject = (old: Json | undefined, value: JsonObject, lists: ListMerge): Json =>
  merge(isJsonObject(old) ? old : undefined, value, lists);
