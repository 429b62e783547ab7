// What a namespace consists of, without what servers and controllers write by themselves, and how two such states differ.

import { at, isJsonObject, textAt, type Json, type JsonObject } from "../../src/domain/json.ts";
import type { Admin } from "../cluster/admin.ts";

/** Each field of each object: `Deployment/api spec.replicas` → `3`. */
export type Substance = ReadonlyMap<string, string>;

/** The collections that a change could touch. Pods, ReplicaSets, endpoints and events follow from these. */
const collections: readonly (readonly [string, string])[] = [
  ["api/v1", "configmaps"],
  ["api/v1", "secrets"],
  ["api/v1", "services"],
  ["api/v1", "serviceaccounts"],
  ["api/v1", "persistentvolumeclaims"],
  ["api/v1", "resourcequotas"],
  ["api/v1", "limitranges"],
  ["apis/apps/v1", "deployments"],
  ["apis/apps/v1", "statefulsets"],
  ["apis/apps/v1", "daemonsets"],
  ["apis/batch/v1", "cronjobs"],
  ["apis/batch/v1", "jobs"],
  ["apis/autoscaling/v2", "horizontalpodautoscalers"],
  ["apis/policy/v1", "poddisruptionbudgets"],
  ["apis/networking.k8s.io/v1", "ingresses"],
  ["apis/networking.k8s.io/v1", "networkpolicies"],
  ["apis/rbac.authorization.k8s.io/v1", "roles"],
  ["apis/rbac.authorization.k8s.io/v1", "rolebindings"],
];

/** `beside`: nodes and pods that are looked at too, by their path. */
export async function substanceOf(admin: Admin, namespace: string, beside: readonly string[]): Promise<Substance> {
  const fields = new Map<string, string>();
  const objects = await Promise.all([
    ...collections.map(async ([group, resource]) => {
      const { body } = await admin.send("GET", `/${group}/namespaces/${namespace}/${resource}`);
      const items = at(body, "items");
      const kind = textAt(body, "kind").replace(/List$/, "");
      return (Array.isArray(items) ? (items as JsonObject[]) : []).map((object) => ({ kind, object }));
    }),
    ...beside.map(async (path) => {
      const { body } = await admin.send("GET", path);
      return [{ kind: textAt(body, "kind"), object: body }];
    }),
  ]);
  for (const { kind, object } of objects.flat()) {
    // The gateway's own: a grant lives as long as its call, and may still be on its way out.
    if (textAt(object, "metadata", "labels", "sallyport.dev/grant") !== "") continue;
    const name = `${kind}/${textAt(object, "metadata", "name")}`;
    fields.set(name, "");
    flatten(name, "", withoutNoise(object), fields);
  }
  return fields;
}

/** Annotations that controllers write. */
const written = /^(deployment\.kubernetes\.io\/|volume\.kubernetes\.io\/|pv\.kubernetes\.io\/|node\.alpha)/;

function withoutNoise(object: JsonObject): JsonObject {
  const { metadata, status: _status, apiVersion: _version, kind: _kind, ...rest } = object;
  const kept = isJsonObject(metadata) ? metadata : {};
  const annotations = Object.entries(isJsonObject(kept["annotations"]) ? kept["annotations"] : {});
  return {
    ...rest,
    metadata: {
      labels: kept["labels"] ?? {},
      annotations: Object.fromEntries(annotations.filter(([key]) => !written.test(key))),
      ownerReferences: kept["ownerReferences"] ?? [],
      finalizers: kept["finalizers"] ?? [],
    },
  };
}

function flatten(object: string, path: string, value: Json, into: Map<string, string>): void {
  if (Array.isArray(value)) {
    const named = value.every((one) => textAt(one, "name") !== "");
    for (const [index, one] of value.entries())
      flatten(object, `${path}[${named ? textAt(one, "name") : index}]`, one, into);
  } else if (isJsonObject(value)) {
    for (const [key, one] of Object.entries(value)) flatten(object, path === "" ? key : `${path}.${key}`, one, into);
  } else into.set(`${object} ${path}`, JSON.stringify(value));
}

/** Sorted: `~ Deployment/api spec.replicas: 3 -> 5`, `+ …: value`, `- …`; a made or deleted object is one line. */
export function differences(before: Substance, after: Substance): string[] {
  const objectOf = (key: string): string => key.split(" ")[0] ?? "";
  const lines = new Set<string>();
  for (const [key, value] of after) {
    const old = before.get(key);
    if (!before.has(objectOf(key))) lines.add(`+ ${objectOf(key)}`);
    else if (old === undefined) lines.add(`+ ${key}: ${value}`);
    else if (old !== value) lines.add(`~ ${key}: ${old} -> ${value}`);
  }
  for (const key of before.keys())
    if (!after.has(objectOf(key))) lines.add(`- ${objectOf(key)}`);
    else if (!after.has(key)) lines.add(`- ${key}`);
  return [...lines].sort();
}

/** What of the lines was not expected, and what of the expected is not there; "" where they agree. */
export function unlike(
  lines: readonly string[],
  expected: readonly (string | RegExp)[],
  may: readonly RegExp[],
): string {
  const fits = (line: string, one: string | RegExp): boolean =>
    typeof one === "string" ? line === one : one.test(line);
  const extra = lines.filter((line) => !expected.some((one) => fits(line, one)) && !may.some((one) => one.test(line)));
  const missing = expected.filter((one) => !lines.some((line) => fits(line, one)));
  return [...extra.map((line) => `unexpected: ${line}`), ...missing.map((one) => `missing: ${String(one)}`)].join("\n");
}
