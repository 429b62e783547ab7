// Label selectors of objects (meta/v1 LabelSelector, and the plain maps of Services), as text for a list and as a test of labels.

import { at, isJsonObject, textAt, type Json, type JsonObject } from "../domain/json.ts";

/** A LabelSelector as the text of a list's `labelSelector`; null where there is none or it selects nothing by labels. */
export function selectorText(selector: Json | undefined): string | null {
  const terms = [
    ...pairs(at(selector, "matchLabels")).map(([key, value]) => `${key}=${value}`),
    ...expressions(selector),
  ];
  return terms.length === 0 ? null : terms.join(",");
}

function expressions(selector: Json | undefined): string[] {
  return listAt(selector, "matchExpressions").map((one) => {
    const key = textAt(one, "key");
    const values = at(one, "values");
    const among = `(${(Array.isArray(values) ? values : []).map(String).join(",")})`;
    switch (textAt(one, "operator")) {
      case "In":
        return `${key} in ${among}`;
      case "NotIn":
        return `${key} notin ${among}`;
      case "DoesNotExist":
        return `!${key}`;
      default:
        return key;
    }
  });
}

/** Does a plain map of labels (a Service's selector, a nodeSelector) select these labels? An empty one selects nothing. */
export function selects(selector: Json | undefined, labels: Json | undefined): boolean {
  const wanted = pairs(selector);
  return wanted.length > 0 && wanted.every(([key, value]) => textAt(labels, key) === value);
}

/** Does a LabelSelector (meta/v1) select these labels? One without terms selects all; none at all selects nothing. */
export function selectsLabels(selector: Json | undefined, labels: Json | undefined): boolean {
  if (!isJsonObject(selector)) return false;
  const equal = pairs(at(selector, "matchLabels")).every(([key, value]) => at(labels, key) === value);
  return equal && listAt(selector, "matchExpressions").every((one) => holdsOf(one, labels));
}

function holdsOf(expression: JsonObject, labels: Json | undefined): boolean {
  const value = at(labels, textAt(expression, "key"));
  const values = at(expression, "values");
  const among = Array.isArray(values) && values.includes(value);
  switch (textAt(expression, "operator")) {
    case "In":
      return among;
    case "NotIn":
      return !among;
    case "DoesNotExist":
      return value === undefined;
    default:
      return value !== undefined;
  }
}

/** The texts of a map. */
export function pairs(value: Json | undefined): (readonly [string, string])[] {
  return isJsonObject(value)
    ? Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === "string")
    : [];
}

/** The objects of a list; [] where there is none. */
export function listAt(value: Json | undefined, ...path: readonly (string | number)[]): readonly JsonObject[] {
  const list = at(value, ...path);
  return Array.isArray(list) ? list.filter(isJsonObject) : [];
}

/** The text or the number at a path as a word, or "". */
export function wordAt(value: Json | undefined, ...path: readonly (string | number)[]): string {
  const found = at(value, ...path);
  return typeof found === "string" ? found : typeof found === "number" ? String(found) : "";
}

/** The number at a path, or 0. */
export function countAt(value: Json | undefined, ...path: readonly (string | number)[]): number {
  const found = at(value, ...path);
  return typeof found === "number" ? found : 0;
}

/** Is one of the object's owners of this kind and name? */
export function ownedBy(object: JsonObject, kind: string, name: string): boolean {
  return listAt(object, "metadata", "ownerReferences").some(
    (owner) => textAt(owner, "kind") === kind && textAt(owner, "name") === name,
  );
}

/** The condition of this type in an object's status. */
export function conditionOf(object: JsonObject, type: string): JsonObject | undefined {
  return listAt(object, "status", "conditions").find((one) => textAt(one, "type") === type);
}
