// What an agent may not write, whatever the tool: values that were hidden from it, and fields that belong to Kubernetes or decide over others.

import { fault, Faulted } from "../domain/fault.ts";
import { isJsonObject, type Json } from "../domain/json.ts";

/** A field and the rule it breaks, in our words. */
interface Problem {
  readonly path: string;
  readonly rule: string;
}

/** Refuses a body that holds a masked value: written back, the mask would overwrite the secret. Faults: invalid_input with the path of each. */
export function refuseTokens(value: Json, path: string): void {
  const found = tokenPaths(value, path);
  if (found.length === 0) return;
  const rule = "holds a masked value, which can't be written back: leave the field out and it stays as it is";
  throw new Faulted(fault("invalid_input", { problems: found.slice(0, 8).map((one) => ({ path: one, rule })) }));
}

/** Any opening counts, well-formed or not: a broken token is no value that anybody wants. */
function tokenPaths(value: Json, path: string): string[] {
  if (typeof value === "string") return value.includes("[MASKED:") ? [path] : [];
  if (Array.isArray(value))
    return (value as readonly Json[]).flatMap((item, index) => tokenPaths(item, `${path}[${index}]`));
  if (!isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) => [
    ...(key.includes("[MASKED:") ? [path] : []),
    ...tokenPaths(inner, `${path}.${shownKey(key)}`),
  ]);
}

/** Refuses numbers that JSON can't carry as they were written: `1e400` becomes null on its way, and digits beyond 2^53 others. Faults: invalid_input. */
export function refuseOddNumbers(value: Json, path: string): void {
  const found = oddNumbers(value, path);
  if (found.length === 0) return;
  const rule = "is too large to be exact: write it as text if the field takes text";
  throw new Faulted(fault("invalid_input", { problems: found.slice(0, 8).map((one) => ({ path: one, rule })) }));
}

function oddNumbers(value: Json, path: string): string[] {
  if (typeof value === "number") return isExact(value) ? [] : [path];
  if (Array.isArray(value))
    return (value as readonly Json[]).flatMap((item, index) => oddNumbers(item, `${path}[${index}]`));
  if (!isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) => oddNumbers(inner, `${path}.${shownKey(key)}`));
}

/** Is it the number that was written? */
export function isExact(value: number): boolean {
  return Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value));
}

/** A key is the caller's text: shown as far as it is plain. */
export function shownKey(key: string): string {
  return key.replaceAll(/[^A-Za-z0-9_./-]/g, "?").slice(0, 80);
}

const kept: { readonly [field: string]: string } = {
  ownerReferences: "decide what is deleted with what: they can't be written",
  finalizers: "decide what may be deleted: they can't be written",
};
const own = "is Kubernetes' own: leave it out";
const named = "says which object it is: it can't be changed";

/** Annotations that Kubernetes and kubectl keep for themselves: no diff shows them, so nobody could agree to them. */
export const ownAnnotations: readonly string[] = [
  "kubectl.kubernetes.io/last-applied-configuration",
  "deployment.kubernetes.io/revision",
];

interface Writing {
  /** Is the object a Secret? */
  readonly secret: boolean;
  /** May the body name its object, as a manifest must? May it then also write owners and finalizers, each put to a person? */
  readonly identity: boolean;
}

/**
 * The fields of a body that no change may write, with the rule of each: status, marks that are the server's,
 * pod-security labels, Secret data, and of a patch also owners and finalizers.
 */
export function unwritable(body: Json, path: string, { secret, identity }: Writing): Problem[] {
  if (!isJsonObject(body)) return [{ path, rule: "must be an object" }];
  const problems: Problem[] = [];
  for (const [key, value] of Object.entries(body)) {
    const here = `${path}.${shownKey(key)}`;
    if (key === "status") problems.push({ path: here, rule: own });
    else if (key.startsWith("$")) problems.push({ path: here, rule: "directives for the whole object are not taken" });
    else if (!identity && (key === "apiVersion" || key === "kind")) problems.push({ path: here, rule: named });
    else if (secret && (key === "data" || key === "stringData"))
      problems.push({ path: here, rule: "values of Secrets can't be written" });
    else if (key === "metadata") problems.push(...inMetadata(value, here, identity));
  }
  return problems;
}

function inMetadata(metadata: Json, path: string, identity: boolean): Problem[] {
  if (!isJsonObject(metadata)) return [{ path, rule: "must be an object" }];
  return Object.entries(metadata).flatMap(([key, value]): Problem[] => {
    const here = `${path}.${shownKey(key)}`;
    if (key === "annotations" && value === null)
      return [{ path: here, rule: "would take away marks that no diff shows: name those to remove" }];
    if (key === "labels" || key === "annotations") return inMarks(value, here);
    if (key === "name" || key === "namespace") return identity ? [] : [{ path: here, rule: named }];
    if (identity && Object.hasOwn(kept, key))
      return Array.isArray(value) ? [] : [{ path: here, rule: "must be a list" }];
    if (key === "generateName") return [{ path: here, rule: "is not taken: give the object a name" }];
    return [{ path: here, rule: kept[key] ?? (key.startsWith("$") ? "directives are not taken here" : own) }];
  });
}

function inMarks(marks: Json, path: string): Problem[] {
  if (marks === null) return [];
  if (!isJsonObject(marks)) return [{ path, rule: "must be an object" }];
  return Object.keys(marks).flatMap((key): Problem[] => {
    const here = `${path}.${shownKey(key)}`;
    if (key.startsWith("pod-security.kubernetes.io/"))
      return [{ path: here, rule: "decides what pods may do: it can't be written" }];
    if (key.startsWith("$")) return [{ path: here, rule: "directives are not taken here" }];
    return ownAnnotations.includes(key) ? [{ path: here, rule: own }] : [];
  });
}

/** A value put under a JSON Pointer (RFC 6901), as the object that it makes. */
export function nested(pointer: string, value: Json): Json {
  const parts = pointer
    .split("/")
    .slice(1)
    .map((token) => token.replaceAll("~1", "/").replaceAll("~0", "~"));
  return parts.reduceRight<Json>((inner, key) => ({ [key]: inner }), value);
}
