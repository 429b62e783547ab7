// A tool's input as the client sees it: types, choices and words, without the bounds that are kept at run time (tools.md, section 1).

import { z } from "zod";
import { isJsonObject, type Json, type JsonObject } from "../domain/json.ts";

const unsent = ["$schema", "minLength", "maxLength", "pattern", "format", "propertyNames"];

/** JSON Schema (draft 2020-12) of an input, small: string bounds, formats and `false` defaults are left out. */
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
  if (!names && object["type"] === "integer" && object["maximum"] === Number.MAX_SAFE_INTEGER) delete object["maximum"];
  if (!names && isJsonObject(object["additionalProperties"]) && object["properties"] === undefined)
    delete object["additionalProperties"];
  return object;
}
