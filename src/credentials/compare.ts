// Tells where an object in the cluster is not as enrolment would write it.

import { createHash } from "node:crypto";
import { at, isJsonObject, textAt, type Json, type JsonObject } from "../domain/json.ts";

/** On an editable ClusterRole: a digest of the rules as enrolment wrote them. */
export const rulesAnnotation = "sallyport.dev/rules";

/**
 * The paths at which the object differs, `spec.validations[0].expression`. Of the metadata only our own labels and annotations count; every other part
 * that we write must be equal to the last key, so that a rule or a condition that somebody added shows too.
 */
export function differencesOf(want: JsonObject, have: JsonObject): readonly string[] {
  const marks = ["labels", "annotations"].flatMap((part) => {
    const wanted = at(want, "metadata", part);
    return Object.entries(isJsonObject(wanted) ? wanted : {})
      .filter(([key, value]) => at(have, "metadata", part, key) !== value)
      .map(([key]) => `metadata.${part}[${key}]`);
  });
  const parts = Object.keys(want).filter((key) => !["apiVersion", "kind", "metadata"].includes(key));
  return [...marks, ...parts.flatMap((key) => differing(want[key], have[key], key))];
}

function differing(want: Json | undefined, have: Json | undefined, path: string): readonly string[] {
  if (Array.isArray(want) && Array.isArray(have) && want.length === have.length)
    return want.flatMap((value: Json, index) => differing(value, have[index] as Json, `${path}[${index}]`));
  if (isJsonObject(want) && isJsonObject(have))
    return [...new Set([...Object.keys(want), ...Object.keys(have)])].flatMap((key) =>
      differing(want[key], have[key], `${path}.${key}`),
    );
  // The server writes an empty list as null.
  if (Array.isArray(want) && want.length === 0 && (have === null || have === undefined)) return [];
  return want === have ? [] : [path];
}

/** SHA-256 over the rules, first 16 hex digits: equal rules, equal digest, whatever the order of their keys. */
export function rulesDigest(rules: Json | undefined): string {
  return createHash("sha256")
    .update(sortedText(rules ?? null))
    .digest("hex")
    .slice(0, 16);
}

function sortedText(value: Json): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    isJsonObject(inner) ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1))) : inner,
  );
}

/** Has somebody changed the rules since enrolment wrote them (or written them without it)? */
export function isEdited(have: JsonObject): boolean {
  return textAt(have, "metadata", "annotations", rulesAnnotation) !== rulesDigest(have["rules"]);
}
