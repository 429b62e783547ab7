// What expressions can ask about: the value of each fact for one call and one access.

import { resourcePath, type Access } from "../domain/access.ts";
import type { PlannedCall } from "../domain/call.ts";
import type { ChangeFact, Facts, ObjectFact, SessionFact } from "../domain/decision.ts";
import { isJsonObject, type Json } from "../domain/json.ts";
import type { PrincipalFields } from "../domain/principal.ts";
import type { FactName } from "./fact-types.ts";
import { openRoom, type Room, type Unknown, type Value } from "./expression.ts";
import { placeOf } from "./kinds.ts";
import { provenAgent } from "./match.ts";
import { timeIn } from "./zone.ts";

/** What a decision reads of a call. */
export type DecidedCall = Pick<PlannedCall, "tool" | "effect" | "cluster" | "accesses" | "arguments"> & {
  readonly principal: PrincipalFields;
};

/** Facts about one access, for rules of one time zone. */
export type ValueOf = (name: string) => Value | Unknown;

export interface Scene {
  about(access: Access | null, zone: string): ValueOf;
  /** The work that all expressions of this decision share. */
  readonly room: Room;
  /** Is the change still to be rehearsed, so that it will be known later? */
  readonly pending: boolean;
}

const unknown = (why: string): Unknown => ({ unknown: why });

/** The facts of a call. What was not looked up is unknown, never empty: an expression that needs it fails. */
export function openScene(call: DecidedCall, facts: Facts): Scene {
  const pending = facts.change === null && call.effect !== "read";
  const kept = new Map<string, Value | Unknown>();
  const once = (name: string, make: () => Value | Unknown): Value | Unknown => {
    const found = kept.get(name) ?? make();
    kept.set(name, found);
    return found;
  };
  function valueOf(access: Access | null, zone: string, name: string): Value | Unknown {
    switch (name as FactName) {
      case "principal":
        return once(name, () => principalValue(call.principal));
      case "call":
        return once(name, () => callValue(call));
      case "cluster":
        return map({ name: access?.cluster ?? call.cluster });
      case "object":
        return objectValue(access, facts.objects);
      case "namespace":
        return namespaceValue(access, facts);
      case "change":
        return once(name, () => changeValue(facts.change, pending));
      case "session":
        return once(name, () => sessionValue(facts.session));
      case "now":
        return once(`now ${zone}`, () =>
          facts.now === undefined ? unknown("the time was not looked at") : map(timeIn(zone, facts.now)),
        );
    }
  }
  return { pending, room: openRoom(), about: (access, zone) => (name) => valueOf(access, zone, name) };
}

const map = (entries: { readonly [key: string]: Value | Unknown | undefined }): ReadonlyMap<string, Value> =>
  new Map(Object.entries(entries).filter((entry): entry is [string, Value] => entry[1] !== undefined));

function principalValue(principal: PrincipalFields): Value {
  const { issuer, subject, kind, groups, actors, clientId, claims = {} } = principal;
  const actingFor = actors.length > 0 ? subject : undefined;
  // A claim never stands in for what the gateway itself says of the caller.
  return map({ ...claims, issuer, subject, kind, groups, agent: provenAgent(principal), actingFor, clientId });
}

function callValue({ tool, effect, arguments: given }: DecidedCall): Value {
  const room = { left: mostOfArguments };
  const value = argumentValue(given, room);
  return map({ tool, effect, arguments: room.left < 0 ? unknown("the arguments are too large to look into") : value });
}

/** Characters and values that an expression may look into: an agent can send megabytes. */
const mostOfArguments = 200_000;

/** Whole numbers become integers, which CEL keeps apart from numbers with decimals. */
function argumentValue(value: Json, room: { left: number }): Value {
  room.left -= typeof value === "string" ? 1 + value.length : 1;
  if (room.left < 0) return null;
  if (typeof value === "number") return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return (value as readonly Json[]).map((one) => argumentValue(one, room));
  if (!isJsonObject(value)) return value as string | boolean | null;
  return new Map(
    Object.entries(value).map(([key, one]) => {
      room.left -= key.length;
      return [key, argumentValue(one, room)];
    }),
  );
}

function objectValue(access: Access | null, found: readonly ObjectFact[]): Value | Unknown {
  if (access === null) return unknown("the call is about no object");
  const fact = found.find((one) => one.access === access) ?? found.find((one) => isSameObject(one.access, access));
  const missing = unknown("the object was not looked up");
  return map({
    kind: resourcePath(access),
    namespace: access.namespace,
    name: access.name,
    exists: fact?.exists ?? missing,
    labels: fact === undefined ? missing : map(fact.labels),
    annotations: fact?.annotations === undefined ? missing : map(fact.annotations),
  });
}

/** One object stands behind several accesses of a call: what is read is what is patched, with its subresources. */
function isSameObject(a: Access, b: Access): boolean {
  return (
    a.name !== "" &&
    a.cluster === b.cluster &&
    a.group === b.group &&
    a.resource === b.resource &&
    a.namespace === b.namespace &&
    a.name === b.name
  );
}

function namespaceValue(access: Access | null, { namespaces }: Facts): Value | Unknown {
  const name = access === null ? null : placeOf(access);
  if (access === null || name === null) return unknown("the call is about no namespace");
  if (name === undefined) return unknown("the namespace can't be told");
  const fact = namespaces.find((one) => one.name === name && one.cluster === access.cluster);
  const missing = unknown("the namespace was not looked up");
  if (fact === undefined) return map({ name, exists: missing, labels: missing, environment: missing });
  const environment = fact.exists && fact.environment !== "" ? fact.environment : undefined;
  return map({ name, exists: fact.exists, labels: map(fact.labels), environment });
}

function changeValue(change: ChangeFact | null, pending: boolean): Value | Unknown {
  if (change === null)
    return unknown(pending ? "the change is known only after the preview" : "a read changes nothing");
  const ends = (one: { readonly from: number; readonly to: number }): Value =>
    map({ from: BigInt(one.from), to: BigInt(one.to) });
  const { envNames, securityContext, volumes, owners, finalizers, paths } = change;
  return map({
    replicas: change.replicas === null ? undefined : ends(change.replicas),
    scaled: change.scaled.map(ends),
    images: change.images.map(map),
    serviceAccounts: change.serviceAccounts.map(map),
    envNames,
    securityContext,
    volumes,
    owners,
    finalizers,
    paths,
  });
}

function sessionValue(session: SessionFact | undefined): Value | Unknown {
  if (session === undefined) return unknown("the session was not looked at");
  const { age, calls, changes, denied, tainted } = session;
  const counts = { age: BigInt(age), calls: BigInt(calls), changes: BigInt(changes), denied: BigInt(denied) };
  return map({ ...counts, tainted });
}
