// A query over single entries: kinds, and conditions on their fields. It is data, so that whoever audits can read it and ask it again.

import { isJsonObject, type Json, type JsonObject } from "../domain/json.ts";
import { canonical } from "../transcript/canonical.ts";
import type { Entry } from "../transcript/entry.ts";
import { isLike } from "../transcript/searchable.ts";
import type { Clause, Condition, Query } from "./mapping.ts";

/** Is the entry a row of the query? */
export function isRow({ kinds, where }: Pick<Query, "kinds" | "where">, entry: Entry): boolean {
  if (!kinds.includes("*") && !kinds.includes(entry.kind)) return false;
  if (where === undefined) return true;
  const fields = fieldsOf(entry);
  return (Array.isArray(where) ? where : [where]).some((clause) => holdsAll(clause, fields));
}

/** The query's own text: canonical JSON (RFC 8785), so that the same query always reads alike. */
export function queryText({ kinds, where }: Pick<Query, "kinds" | "where">): string {
  return canonical(where === undefined ? { kinds } : { kinds, where: where as Json });
}

function fieldsOf({ principal, gateway, ...rest }: Entry): JsonObject {
  const account = ({ iss, sub }: { readonly iss: string; readonly sub: string }): JsonObject => ({ iss, sub });
  const through = principal?.client_id === undefined ? {} : { client_id: principal.client_id };
  const caller = principal === null ? null : { ...account(principal), act: principal.act.map(account), ...through };
  return { ...rest, principal: caller, gateway: { ...gateway } };
}

function holdsAll(clause: Clause, entry: Json): boolean {
  return Object.entries(clause).every(([path, condition]) => holds(condition, valuesAt(entry, path), entry));
}

function holds(condition: Condition, values: readonly Json[], entry: Json): boolean {
  if (Array.isArray(condition)) return values.some((value) => condition.some((one) => one === value));
  if (typeof condition !== "object") return values.includes(condition);
  if ("not" in condition) return !holds(condition.not, values, entry);
  if ("like" in condition) return values.some((value) => typeof value === "string" && isLike(value, condition.like));
  if ("above" in condition) return values.some((value) => typeof value === "number" && value > condition.above);
  if ("empty" in condition) return values.every(isEmpty) === condition.empty;
  const others = valuesAt(entry, condition.same);
  return values.some((value) => !isEmpty(value) && others.includes(value));
}

/** The values at a path of names; each item of a list that is met on the way, or stands at its end. */
function valuesAt(value: Json, path: string): readonly Json[] {
  let here: readonly Json[] = [value];
  for (const name of path.split("."))
    here = here
      .flatMap(items)
      .flatMap((one) => (isJsonObject(one) && Object.hasOwn(one, name) ? [one[name] as Json] : []));
  return here.flatMap(items);
}

function items(value: Json): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : [value];
}

function isEmpty(value: Json): boolean {
  return value === null || value === "" || (isJsonObject(value) && Object.keys(value).length === 0);
}
