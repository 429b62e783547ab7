// What expressions can name: each fact with its type.

import type { Field, Type } from "./types.ts";
import { weekdays } from "./zone.ts";

const any: Type = { kind: "any" };
const bool: Type = { kind: "bool" };
const int: Type = { kind: "int" };
const string: Type = { kind: "string" };
const listOf = (of: Type): Type => ({ kind: "list", of });
const mapOf = (of: Type): Type => ({ kind: "map", of });
const struct = (fields: { readonly [name: string]: Type | Field }) => ({
  kind: "struct" as const,
  fields: Object.fromEntries(
    Object.entries(fields).map(([name, field]): [string, Field] => [name, "type" in field ? field : { type: field }]),
  ),
});
const maybe = (type: Type): Field => ({ type, optional: true });
const oneOf = (...values: readonly string[]): Type => ({
  kind: "string",
  fits: { shape: new RegExp(`^(${values.join("|")})$`), words: `one of ${values.join(", ")}` },
});
const shaped = (shape: RegExp, words: string): Type => ({ kind: "string", fits: { shape, words } });

/** Every fact that an expression can name. An optional one is missing where there is nothing to say. */
export const factTypes = {
  principal: struct({
    issuer: string,
    subject: string,
    kind: oneOf("person", "agent"),
    groups: listOf(string),
    /** The agent that was proven; missing for a person whose software proved nothing. */
    agent: maybe(string),
    /** Whom the agent acts for; missing for an agent with an account of its own. */
    actingFor: maybe(string),
    /** The client that the token was issued to; missing where its issuer says none. */
    clientId: maybe(string),
  }),
  call: struct({ tool: string, effect: oneOf("read", "change", "destroy", "execute"), arguments: mapOf(any) }),
  object: struct({
    kind: string,
    namespace: string,
    name: string,
    exists: bool,
    labels: mapOf(string),
    annotations: { kind: "map", of: string, named: true },
  }),
  /** Without a label that names it, the environment is missing: nothing says that it is not production. */
  namespace: struct({ name: string, exists: bool, labels: mapOf(string), environment: maybe(string) }),
  cluster: struct({ name: string }),
  change: struct({
    replicas: maybe(struct({ from: int, to: int })),
    scaled: listOf(struct({ from: int, to: int })),
    images: listOf(struct({ from: string, to: string })),
    envNames: listOf(string),
    securityContext: bool,
    serviceAccounts: listOf(struct({ from: string, to: string })),
    volumes: listOf(string),
    owners: bool,
    finalizers: bool,
    paths: listOf(string),
  }),
  session: struct({ age: int, calls: int, changes: int, denied: int, tainted: bool }),
  now: struct({
    date: shaped(/^\d{4}-\d\d-\d\d$/, "a date as 2026-12-24"),
    time: shaped(/^([01]\d|2[0-3]):[0-5]\d$/, "a time of day as 09:30"),
    hour: int,
    minute: int,
    weekday: oneOf(...weekdays),
  }),
} as const satisfies { readonly [name: string]: Type };
export type FactName = keyof typeof factTypes;

/** What the gateway itself says of a caller: no claim may be called so. */
export const principalFields: readonly string[] = Object.keys(factTypes.principal.fields);

/** The facts where these claims of a caller may be asked for, by their names, and the arguments are of this type. */
export function factTypesWith(claims: readonly string[], given: Type): { readonly [name: string]: Type } {
  const proven = Object.fromEntries(claims.map((claim) => [claim, maybe(string)]));
  const { principal, call } = factTypes;
  return {
    ...factTypes,
    principal: struct({ ...proven, ...principal.fields }),
    call: struct({ ...call.fields, arguments: given }),
  };
}
