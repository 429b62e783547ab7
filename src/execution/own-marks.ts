// What a write may not take away unseen: the annotations that Kubernetes and kubectl keep for themselves, which no diff shows.

import { fault, Faulted } from "../domain/fault.ts";
import { textAt, type JsonObject } from "../domain/json.ts";
import { ownAnnotations } from "../tool.ts";

/**
 * Refuses an answer in which one of them is another than it was. No body names them; one that replaces all annotations
 * would still take them along, and the next `kubectl apply` would no longer know what it had set. Faults: invalid_input.
 */
export function refuseTakenMarks(before: JsonObject, after: JsonObject): void {
  const mark = (object: JsonObject, name: string): string => textAt(object, "metadata", "annotations", name);
  if (ownAnnotations.every((name) => mark(before, name) === mark(after, name))) return;
  const rule = "would take away marks that no diff shows: name those to change or remove";
  throw new Faulted(fault("invalid_input", { problems: [{ path: "metadata.annotations", rule }] }, "own marks gone"));
}
