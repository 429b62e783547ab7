// A tool's input as the client sees it: types, choices and words, without the bounds that are kept at run time (tools.md, section 1).

import * as z from "zod";
import { isJsonObject, type Json, type JsonObject } from "../domain/json.ts";

const unsent = ["$schema", "minLength", "maxLength", "pattern", "format", "propertyNames"];

/** The order of a schema's own keys: what it is, what it holds, then what it means. Keys not named here come last. */
const order = [
  "type",
  "enum",
  "minItems",
  "maxItems",
  "items",
  "properties",
  "required",
  "additionalProperties",
  "minimum",
  "maximum",
  "default",
  "description",
];

/** JSON Schema (draft 2020-12) of an input, small: string bounds, formats and `false` defaults are left out, and keys stand in one order. */
export function wireSchema(input: z.ZodType): JsonObject {
  return small(z.toJSONSchema(input, { io: "input" }) as JsonObject, false) as JsonObject;
}

function small(value: Json, names: boolean): Json {
  if (Array.isArray(value)) return value.map((item) => small(item, false));
  if (!isJsonObject(value)) return value;
  const entries = Object.entries(value).filter(
    ([key, inner]) => names || !(unsent.includes(key) || (key === "default" && inner === false)),
  );
  const kept = entries.map(([key, inner]) => [key, small(inner, !names && key === "properties")] as const);
  const object: Record<string, Json> = Object.fromEntries(kept);
  if (!names && object["type"] === "integer") {
    if (object["maximum"] === Number.MAX_SAFE_INTEGER) delete object["maximum"];
    if (object["minimum"] === Number.MIN_SAFE_INTEGER) delete object["minimum"];
  }
  const others = object["additionalProperties"];
  // Of a map of anything there is nothing to say.
  if (!names && isJsonObject(others) && object["properties"] === undefined && others["type"] === undefined)
    delete object["additionalProperties"];
  const either = object["anyOf"];
  if (!names && Array.isArray(either) && either.every((one: Json) => isJsonObject(one) && isBareType(one))) {
    delete object["anyOf"];
    object["type"] = either.map((one: Json) => (isJsonObject(one) ? (one["type"] ?? null) : null));
  }
  return names ? object : inOrder(object);
}

function inOrder(schema: JsonObject): JsonObject {
  const place = (key: string): number => (order.includes(key) ? order.indexOf(key) : order.length);
  return Object.fromEntries(Object.entries(schema).sort(([a], [b]) => place(a) - place(b)));
}

/** `{type: string}` and nothing else: several of them are one list of types. */
function isBareType(schema: JsonObject): boolean {
  return Object.keys(schema).length === 1 && typeof schema["type"] === "string";
}
