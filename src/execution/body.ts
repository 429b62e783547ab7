// Where a body shows what no approval lifts: pods that take the node's own namespaces, files or power (kubernetes.md, "Attack surface").

import { at, isJsonObject, textAt, type Json, type JsonObject } from "../domain/json.ts";
import { hostFiles, hostNamespaces, privileged, tokenSecrets, tokenType, type BodyForbid } from "./body-forbids.ts";

interface Finding {
  readonly forbid: BodyForbid;
  /** Where it stands and what stands there: the same finding on both sides is nothing new. */
  readonly what: string;
}

/** By field, at any depth: custom resources hold pod templates too, and a field that means something else there is refused rather than trusted. */
const fields: { readonly [field: string]: { readonly forbid: BodyForbid; grants(value: Json): boolean } } = {
  hostNetwork: { forbid: hostNamespaces, grants: (value) => value === true },
  hostPID: { forbid: hostNamespaces, grants: (value) => value === true },
  hostIPC: { forbid: hostNamespaces, grants: (value) => value === true },
  hostPath: { forbid: hostFiles, grants: isJsonObject },
  privileged: { forbid: privileged, grants: (value) => value === true },
  hostProcess: { forbid: privileged, grants: (value) => value === true },
  type: { forbid: tokenSecrets, grants: (value) => value === tokenType },
};

/** The forbid that a body shows, or null: an object, a merge patch of one, or the steps of a JSON Patch. */
export function shownIn(body: Json): BodyForbid | null {
  return findings("", body)[0]?.forbid ?? null;
}

/** The forbid that an object shows and its earlier state did not, or null: whichever way the write took. */
export function broughtBy(before: JsonObject | null, after: JsonObject): BodyForbid | null {
  const known = new Set(findings("", before).map((one) => one.what));
  return findings("", after).find((one) => !known.has(one.what))?.forbid ?? null;
}

function findings(path: string, value: Json): Finding[] {
  if (Array.isArray(value))
    return (value as readonly Json[]).flatMap((item, index) =>
      path === "" && isStep(item) ? stepFindings(item) : findings(`${path}[${textAt(item, "name") || index}]`, item),
    );
  if (!isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) => here(`${path}.${key}`, key, inner));
}

function here(path: string, key: string, value: Json): Finding[] {
  const field = Object.hasOwn(fields, key) ? fields[key] : undefined;
  const own = field?.grants(value) === true ? [{ forbid: field.forbid, what: `${path} ${JSON.stringify(value)}` }] : [];
  return [...own, ...findings(path, value)];
}

const isStep = (item: Json): boolean => isJsonObject(item) && textAt(item, "path").startsWith("/");

/** A step of a JSON Patch (RFC 6902) puts its value under the last name of its path. */
function stepFindings(step: Json): Finding[] {
  const path = textAt(step, "path");
  const key = path.slice(path.lastIndexOf("/") + 1);
  return here(path, key, at(step, "value") ?? null);
}
