// Reads OpenAPI v3 documents as a Kubernetes API server serves them: the schema of a kind, a field's type, the fields below it.

import { at, isJsonObject, textAt, type Json, type JsonObject } from "../domain/json.ts";

/** One field as an answer shows it. */
export interface Field {
  readonly name: string;
  readonly type: string;
  readonly required: boolean;
  readonly description: string;
}

/** The schema that the document gives to a kind, or undefined. */
export function schemaOf(document: JsonObject, group: string, version: string, kind: string): JsonObject | undefined {
  const schemas = at(document, "components", "schemas");
  return Object.values(isJsonObject(schemas) ? schemas : {})
    .filter(isJsonObject)
    .find((schema) => {
      const names = at(schema, "x-kubernetes-group-version-kind");
      return (
        Array.isArray(names) &&
        names.some(
          (one: Json) =>
            textAt(one, "group") === group && textAt(one, "version") === version && textAt(one, "kind") === kind,
        )
      );
    });
}

/** The schema with its references followed; the description beside a reference is the field's own and stays. */
export function opened(document: JsonObject, schema: Json | undefined): JsonObject {
  let here = isJsonObject(schema) ? schema : {};
  for (let step = 0; step < 16; step++) {
    const whole = at(here, "allOf");
    const reference =
      textAt(here, "$ref") || (Array.isArray(whole) && whole.length === 1 ? textAt(whole[0] as Json, "$ref") : "");
    if (reference === "") return here;
    const target = at(document, "components", "schemas", reference.slice(reference.lastIndexOf("/") + 1));
    const { $ref: _reference, allOf: _whole, ...own } = here;
    here = { ...(isJsonObject(target) ? target : {}), ...own };
  }
  return here;
}

/** What a list holds or a map's values are, all lists and maps on the way opened; the schema itself where it is neither. */
export function within(document: JsonObject, schema: Json | undefined): JsonObject {
  const here = opened(document, schema);
  const inner =
    at(here, "items") ??
    (isJsonObject(at(here, "additionalProperties")) ? at(here, "additionalProperties") : undefined);
  return inner === undefined || at(here, "properties") !== undefined ? here : within(document, inner);
}

/** `[]Container`-like words: `[]object`, `map[string]string`, `integer (int32)`, `string:Always/Never`. */
export function typeOf(document: JsonObject, schema: Json | undefined): string {
  const here = opened(document, schema);
  if (at(here, "items") !== undefined) return `[]${typeOf(document, at(here, "items"))}`;
  const values = at(here, "additionalProperties");
  if (isJsonObject(values)) return `map[string]${typeOf(document, values)}`;
  if (at(here, "x-kubernetes-int-or-string") === true || textAt(here, "format") === "int-or-string")
    return "integer-or-string";
  if (Array.isArray(at(here, "oneOf"))) return textAt(here, "type") || "integer-or-string";
  const choices = at(here, "enum");
  const type = textAt(here, "type") || (at(here, "properties") === undefined ? "any" : "object");
  return Array.isArray(choices)
    ? `${type}:${choices
        .map(String)
        .filter((one) => one !== "")
        .join("/")}`
    : type;
}

/** The fields of an object's schema, required ones first, in the order of the alphabet. */
export function fieldsOf(document: JsonObject, schema: JsonObject): Field[] {
  const here = within(document, schema);
  const properties = at(here, "properties");
  const required = at(here, "required");
  return Object.entries(isJsonObject(properties) ? properties : {})
    .map(([name, field]) => ({
      name,
      type: typeOf(document, field),
      required: Array.isArray(required) && required.includes(name),
      description: textAt(opened(document, field), "description"),
    }))
    .sort((a, b) => Number(b.required) - Number(a.required) || (a.name < b.name ? -1 : 1));
}

/** The schema of one field, through lists and maps on the way; undefined where there is none of that name. */
export function fieldIn(document: JsonObject, schema: JsonObject, name: string): JsonObject | undefined {
  const here = within(document, schema);
  const properties = at(here, "properties");
  if (isJsonObject(properties) && Object.hasOwn(properties, name)) return opened(document, properties[name]);
  return undefined;
}

/** Paths of fields whose name holds the text, nearest first; a schema that holds itself is entered once. */
export function searchFields(
  document: JsonObject,
  schema: JsonObject,
  text: string,
  most: number,
): { path: string; type: string }[] {
  const found: { path: string; type: string }[] = [];
  let level: { path: string; schema: JsonObject; above: readonly string[] }[] = [{ path: "", schema, above: [] }];
  for (let depth = 0; depth < 14 && level.length > 0 && found.length < most; depth++) {
    const next: typeof level = [];
    for (const one of level)
      for (const field of fieldsOf(document, one.schema)) {
        const inner = fieldIn(document, one.schema, field.name);
        const path = `${one.path}.${field.name}`;
        if (field.name.toLowerCase().includes(text.toLowerCase())) found.push({ path, type: field.type });
        const mark = textAt(inner, "description").slice(0, 80);
        if (inner !== undefined && !(mark !== "" && one.above.includes(mark)))
          next.push({ path, schema: inner, above: [...one.above, mark] });
      }
    level = next.slice(0, 4000);
  }
  return found.slice(0, most);
}
