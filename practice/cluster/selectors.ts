// Label and field selectors (Kubernetes documentation, "Labels and Selectors", "Field Selectors").

import { at, isJsonObject, listAt, mapAt, textAt, textOf, textsAt, type Json, type JsonObject } from "./json.ts";
import type { Kind } from "./kinds.ts";
import { badRequest } from "./status.ts";

interface Requirement {
  readonly key: string;
  readonly operator: "In" | "NotIn" | "Exists" | "DoesNotExist";
  readonly values: readonly string[];
}

const word = "[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?";
const key = `(?:${word}/)?${word}`;
const setBased = new RegExp(`^(${key})\\s+(in|notin)\\s*\\(([^()]*)\\)$`);
const equality = new RegExp(`^(${key})\\s*(==|=|!=)\\s*((?:${word})?)$`);
const existence = new RegExp(`^(!?)\\s*(${key})$`);

/** Does the label set meet the selector's text? Throws 400 for text that is no selector. */
export function labelSelector(text: string): (labels: JsonObject) => boolean {
  const requirements =
    text.trim() === "" ? [] : text.split(/,(?![^(]*\))/).map((part) => parseRequirement(part.trim()));
  return (labels) => requirements.every((requirement) => meets(labels, requirement));
}

function parseRequirement(part: string): Requirement {
  const set = setBased.exec(part);
  if (set) {
    const values = (set[3] ?? "").split(",").map((value) => value.trim());
    return { key: set[1] ?? "", operator: set[2] === "in" ? "In" : "NotIn", values };
  }
  const equal = equality.exec(part);
  if (equal) return { key: equal[1] ?? "", operator: equal[2] === "!=" ? "NotIn" : "In", values: [equal[3] ?? ""] };
  const exists = existence.exec(part);
  if (exists) return { key: exists[2] ?? "", operator: exists[1] === "!" ? "DoesNotExist" : "Exists", values: [] };
  throw badRequest(`unable to parse requirement: ${JSON.stringify(part)}`);
}

function meets(labels: JsonObject, { key, operator, values }: Requirement): boolean {
  const value = at(labels, key);
  const among = typeof value === "string" && values.includes(value);
  return { In: among, NotIn: !among, Exists: value !== undefined, DoesNotExist: value === undefined }[operator];
}

/** A LabelSelector object (meta/v1) against a label set; an empty selector meets everything. */
export function matchesSelector(selector: Json | undefined, labels: JsonObject): boolean {
  const exact = Object.entries(mapAt(selector, "matchLabels")).every(([name, value]) => at(labels, name) === value);
  const operators = ["In", "NotIn", "Exists", "DoesNotExist"] as const;
  return (
    exact &&
    listAt(selector, "matchExpressions").every((expression) => {
      const operator = operators.find((one) => one === textAt(expression, "operator"));
      const values = textsAt(expression, "values");
      return operator !== undefined && meets(labels, { key: textAt(expression, "key"), operator, values });
    })
  );
}

const byCodeUnit = (a: string | undefined = "", b: string | undefined = ""): number => (a < b ? -1 : a > b ? 1 : 0);

/** A LabelSelector as text, as `status.selector` of a Scale shows it. */
export function selectorText(selector: Json | undefined): string {
  const exact = Object.entries(mapAt(selector, "matchLabels")).map(([name, value]) => `${name}=${textOf(value)}`);
  const others = listAt(selector, "matchExpressions").map((expression) => {
    const name = textAt(expression, "key");
    const values = `(${textsAt(expression, "values").join(",")})`;
    return { In: `${name} in ${values}`, NotIn: `${name} notin ${values}`, Exists: name, DoesNotExist: `!${name}` }[
      textAt(expression, "operator")
    ];
  });
  return [...exact, ...others].sort(byCodeUnit).join(",");
}

/** Does the object meet the selector's text? Throws 400 for a field that this kind does not select by. */
export function fieldSelector(kind: Kind, text: string): (object: JsonObject) => boolean {
  const known = ["metadata.name", "metadata.namespace", ...kind.fields];
  const terms = text
    .split(",")
    .filter((term) => term !== "")
    .map((term) => {
      const match = /^([^=!]+)(==|=|!=)(.*)$/.exec(term);
      if (!match) throw badRequest(`invalid selector: '${text}'; can't understand '${term}'`);
      const field = match[1] ?? "";
      if (!known.includes(field)) {
        const only = `"${field}" is not a known field selector: only "metadata.name", "metadata.namespace"`;
        throw badRequest(kind.fields.length === 0 ? only : `field label not supported: ${field}`);
      }
      return { path: field.split("."), equal: match[2] !== "!=", value: match[3] ?? "" };
    });
  return (object) => terms.every(({ path, equal, value }) => (fieldText(object, path) === value) === equal);
}

/** An absent field selects as "", an absent flag as "false". */
function fieldText(object: JsonObject, path: readonly string[]): string {
  const found = at(object, ...path);
  if (found === undefined || found === null || isJsonObject(found) || Array.isArray(found)) {
    return path.at(-1) === "unschedulable" ? "false" : "";
  }
  return textOf(found);
}

/** The one name that a field selector pins, or "": RBAC checks a list by it, resourceNames included. */
export function pinnedName(text: string): string {
  const names = text.split(",").flatMap((term) => /^metadata\.name==?([^=]+)$/.exec(term)?.[1] ?? []);
  return names.length === 1 ? (names[0] ?? "") : "";
}
