// Owners that a write brings: Kubernetes deletes an object within seconds whose owners do not exist, so each must have been read first.

import { at, isJsonObject, textAt, type Json, type JsonObject } from "../domain/json.ts";
import { absentOwner, type BodyForbid } from "./body-forbids.ts";

/** An object as an owner reference names it, with its namespace: owners live beside what they own, or outside namespaces. */
export function ownerLine(object: JsonObject, namespace: string): string {
  const { name, uid } = { name: textAt(object, "metadata", "name"), uid: textAt(object, "metadata", "uid") };
  return [textAt(object, "apiVersion"), textAt(object, "kind"), namespace, name, uid].join(" ");
}

/** The forbid where an owner was added that was not met in this run, or null. */
export function broughtOwners(
  before: JsonObject | null,
  after: JsonObject,
  met: ReadonlySet<string>,
): BodyForbid | null {
  const known = new Set(ownersOf(before ?? {}).map((one) => textAt(one, "uid")));
  const namespace = textAt(after, "metadata", "namespace");
  const isThere = (owner: JsonObject): boolean =>
    [namespace, ""].some((place) => met.has(ownerLine({ ...owner, metadata: owner }, place)));
  const brought = ownersOf(after).filter((owner) => !known.has(textAt(owner, "uid")));
  return brought.every(isThere) ? null : absentOwner;
}

/** The owner references of an object. */
export function ownersOf(object: JsonObject): readonly JsonObject[] {
  const owners = at(object, "metadata", "ownerReferences");
  return (Array.isArray(owners) ? (owners as readonly Json[]) : []).filter(isJsonObject);
}
