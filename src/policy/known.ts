// What a policy may name besides its own words: the tools, masking profiles and claims of the gateway that it is for.

import type { Effect } from "../domain/call.ts";
import { at, isJsonObject, textAt, type Json, type JsonObject } from "../domain/json.ts";
import type { Field, Type } from "./types.ts";

/** A tool, every effect that a call of it can have, and its input as clients see it. */
export interface KnownTool {
  readonly name: string;
  readonly effects: readonly Effect[];
  readonly schema?: JsonObject;
}

export interface Known {
  /** Absent: any tool may be named. */
  readonly tools?: readonly KnownTool[];
  /** Names of masking profiles; absent: none. */
  readonly masks?: readonly string[];
  /** Names of the claims that rules may see; absent: none. */
  readonly claims?: readonly string[];
}

/** What `call.arguments` is in a rule for these tools alone; of any type where one of them does not tell. */
export function argumentsType(tools: readonly KnownTool[]): Type {
  const schemas = tools.map(({ schema }) => schema);
  const told = schemas.filter((schema) => isJsonObject(schema?.["properties"])) as readonly JsonObject[];
  if (told.length === 0 || told.length < schemas.length) return { kind: "map", of: { kind: "any" } };
  const names = new Set(told.flatMap((schema) => Object.keys(schema["properties"] ?? {})));
  const fields = [...names].map((name): [string, Field] => {
    const found = told.map((schema) => at(schema, "properties", name));
    const types = found.filter((one) => one !== undefined).map(typeOf);
    const [type = anything, ...others] = types;
    // The arguments that rules see were parsed: a default is there.
    const always = told.every((schema, index) => isRequired(schema, name) || at(found[index], "default") !== undefined);
    return [
      name,
      {
        type: others.every((one) => same(one, type)) ? type : anything,
        ...(always ? {} : { optional: true as const }),
      },
    ];
  });
  return { kind: "struct", fields: Object.fromEntries(fields) };
}

const anything: Type = { kind: "any" };

const same = (a: Type, b: Type): boolean => JSON.stringify(plain(a)) === JSON.stringify(plain(b));
const plain = (type: Type): unknown => (type.kind === "string" ? [type.kind, type.fits?.words] : type);

function isRequired(schema: JsonObject, name: string): boolean {
  const required = schema["required"];
  return Array.isArray(required) && required.includes(name);
}

/** JSON Schema's types as CEL's. A number may be whole or not: it is both. */
function typeOf(schema: Json): Type {
  const values = at(schema, "enum");
  if (Array.isArray(values)) return oneOf(values as readonly Json[]);
  switch (textAt(schema, "type")) {
    case "string":
      return { kind: "string" };
    case "integer":
      return { kind: "int" };
    case "boolean":
      return { kind: "bool" };
    case "array":
      return { kind: "list", of: isJsonObject(at(schema, "items")) ? typeOf(at(schema, "items") ?? null) : anything };
    case "object":
      return { kind: "map", of: anything };
    default:
      return anything;
  }
}

function oneOf(values: readonly Json[]): Type {
  const words = values.filter((value) => typeof value === "string");
  if (words.length < values.length) return anything;
  const shape = new RegExp(`^(${words.map((word) => word.replaceAll(/[^A-Za-z0-9_]/g, "\\$&")).join("|")})$`);
  return { kind: "string", fits: { shape, words: `one of ${words.join(", ")}` } };
}
