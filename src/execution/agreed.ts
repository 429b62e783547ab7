// Holds each write to the object that was agreed: the same uid, and the same substance.

import type { Precondition } from "../domain/call.ts";
import { fault, Faulted } from "../domain/fault.ts";
import { textAt, type JsonObject } from "../domain/json.ts";
import type { ObjectRef } from "../tool.ts";
import { substanceOf } from "./diff.ts";

/** The object must be the one that was agreed, in substance; what the server writes by itself may have moved on. Fault: stale. */
export function agreed(
  conditions: readonly Precondition[],
  resource: string,
  ref: ObjectRef,
  before: JsonObject | null,
): void {
  const found = conditions.find((one) => sameObject(one, resource, ref));
  if (found === undefined) return;
  const same =
    before === null
      ? found.uid === ""
      : found.uid === textAt(before, "metadata", "uid") && found.substance === substanceOf(before);
  if (same) return;
  const { kind, name } = placeIn(ref);
  throw new Faulted(fault("stale", { kind, name }, `${resource} ${ref.name} is not as it was agreed`));
}

/** A command is agreed for one pod, in one run of its container, as it was shown; one that no rehearsal showed is not agreed at all. Fault: stale. */
export function agreedExec(
  conditions: readonly Precondition[],
  pod: ObjectRef,
  now: Pick<Precondition, "resource" | "uid" | "substance">,
): void {
  const found = conditions.filter((one) => sameObject(one, now.resource, pod));
  if (found.some((one) => one.uid === now.uid && one.substance === now.substance)) return;
  const { kind, name } = placeIn(pod);
  throw new Faulted(fault("stale", { kind, name }, `${now.resource} ${name} is not as it was agreed`));
}

export function sameObject(condition: Precondition, resource: string, ref: ObjectRef): boolean {
  return condition.resource === resource && condition.namespace === ref.namespace && condition.name === ref.name;
}

export function placeIn(ref: ObjectRef): { kind: string; namespace: string; name: string } {
  return { kind: ref.kind.kind, namespace: ref.namespace, name: ref.name };
}
