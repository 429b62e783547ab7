// The JSON Schema of sallyport.yaml, for completion and hints in an editor; the loader itself knows more and says it better.

import * as z from "zod";
import { isJsonObject, textAt, type Json, type JsonObject } from "../domain/json.ts";
import { meanings } from "./meanings.ts";
import { configSchema } from "./schema.ts";

/** The schema of the whole file (draft 7, which editors read), each setting with what it means. */
export function configJsonSchema(): JsonObject {
  const options = { io: "input", unrepresentable: "any", target: "draft-7", reused: "inline" } as const;
  const schema = JSON.parse(JSON.stringify(z.toJSONSchema(configSchema, options))) as JsonObject;
  const { $schema, ...rest } = schema;
  const told = described(rest, "");
  return {
    ...($schema === undefined ? {} : { $schema }),
    title: "sallyport.yaml",
    ...(isJsonObject(told) ? told : {}),
  };
}

/** One setting, as the schema has it. */
export interface Setting {
  /** As in `meanings`. */
  readonly place: string;
  readonly schema: JsonObject;
  readonly required: boolean;
}

/** Every setting in the order of the schema, a mapping before what stands in it. */
export function settings(): readonly Setting[] {
  return settingsIn(configJsonSchema(), "");
}

function settingsIn(schema: Json, at: string): readonly Setting[] {
  const found = Object.entries(propertiesOf(schema)).flatMap(([name, one]): readonly Setting[] => {
    const place = at === "" ? name : `${at}.${name}`;
    const required = requiredOf(schema).includes(name);
    return [...(isJsonObject(one) ? [{ place, schema: one, required }] : []), ...settingsIn(one, place)];
  });
  return [...found, ...branchesOf(schema, at).flatMap(({ schema: one, place }) => settingsIn(one, place))];
}

/** What may stand in a list, or instead of one another, with its place. */
function branchesOf(schema: Json, at: string): readonly { readonly schema: Json; readonly place: string }[] {
  if (!isJsonObject(schema)) return [];
  const several = [schema["anyOf"], schema["oneOf"]].flatMap((one) =>
    Array.isArray(one) ? (one as readonly Json[]) : [],
  );
  const kinds = several.map((one) => {
    const kind = textAt(one, "properties", "kind", "const");
    return { schema: one, place: kind === "" ? at : `${at}(${kind})` };
  });
  return schema["items"] === undefined ? kinds : [...kinds, { schema: schema["items"], place: `${at}[]` }];
}

function described(schema: Json, at: string): Json {
  if (Array.isArray(schema)) return (schema as readonly Json[]).map((one) => described(one, placeOf(one, at)));
  if (!isJsonObject(schema)) return schema;
  const meaning = meanings[at];
  const inner = Object.entries(schema).map(([key, one]): readonly [string, Json] => {
    if (key === "items") return [key, described(one, `${at}[]`)];
    if (key === "anyOf" || key === "oneOf") return [key, described(one, at)];
    if (key !== "properties" || !isJsonObject(one)) return [key, one];
    const inside = Object.entries(one).map(([name, value]) => [
      name,
      described(value, at === "" ? name : `${at}.${name}`),
    ]);
    return [key, Object.fromEntries(inside) as JsonObject];
  });
  return { ...(meaning === undefined ? {} : { description: meaning }), ...Object.fromEntries(inner) };
}

function placeOf(schema: Json, at: string): string {
  const kind = textAt(schema, "properties", "kind", "const");
  return kind === "" ? at : `${at}(${kind})`;
}

function propertiesOf(schema: Json): JsonObject {
  const properties = isJsonObject(schema) ? schema["properties"] : undefined;
  return isJsonObject(properties) ? properties : {};
}

function requiredOf(schema: Json): readonly string[] {
  const required = isJsonObject(schema) ? schema["required"] : undefined;
  return Array.isArray(required) ? required.map(String) : [];
}
